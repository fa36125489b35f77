"""One element of an output, term by term, as text."""

from __future__ import annotations

from convspec.case import Case
from convspec.draw.grid import Index
from convspec.draw.marks import marks
from convspec.oracle.explanation.trace import Arithmetic, arithmetic, shown

# Of a longer sum the first and the last terms are shown.
LONGEST = 40


def terms(case: Case, output: int, element: Index) -> list[str]:
    """Lines that show how the definition computes an element: every term of it, by name and in
    numbers, and the sum up to it; then what lies on padding, where there is nothing.

    >>> import numpy
    >>> operands = {"input": numpy.array([[[5, 6]]]), "weight": numpy.array([[[2, -1]]])}
    >>> attributes = {"stride": (1,), "padding": ((1, 0),), "dilation": (1,), "groups": 1}
    >>> case = Case("conv", operands, attributes)
    >>> print("\\n".join(terms(case, 0, (0, 0, 1))))
      input[0, 0, 0] * weight[0, 0, 0]   5 * 2  =  10   sum 10
      input[0, 0, 1] * weight[0, 0, 1]  6 * -1  =  -6   sum  4
    >>> print("\\n".join(terms(case, 0, (0, 0, 0))))
      input[0, 0, 0] * weight[0, 0, 1]  5 * -1  =  -5   sum -5
      on padding, where there is nothing: input[0, 0, -1]
    """
    told = arithmetic(case, output, element)
    lines = _sum(told)
    if told.rest:
        lines.append(f"  {shown(told.value)}{told.rest} = {shown(_finished(told))}")
    read = marks(case, element).get("input", set()) if output == 0 else set()
    sizes = case.operands["input"].shape if "input" in case.operands else ()
    inside = {index for index in read if all(0 <= i < n for i, n in zip(index, sizes, strict=True))}
    if len(told.terms) == 1 and len(inside) > 1 and "*" not in told.terms[0].names:
        window = ", ".join(shown(case.operands["input"][index].item()) for index in sorted(inside))
        lines.append(f"  chosen from the window: {window}")
    beyond = sorted(read - inside)
    if beyond:
        lines.append(f"  on padding, where there is nothing: {_listed(beyond)}")
    return lines


def _finished(told: Arithmetic) -> float:
    value = told.value
    for divisor in told.rest.split("/")[1:]:
        value = value / float(divisor)
    return float(value)


def _listed(indices: list[Index]) -> str:
    named = [f"input[{', '.join(map(str, index))}]" for index in indices[:8]]
    more = [f"and {len(indices) - 8} more"] if len(indices) > 8 else []
    return ", ".join([*named, *more])


def _sum(told: Arithmetic) -> list[str]:
    """A table of the terms, its columns aligned."""
    rows = [(t.names, t.numbers, shown(t.value), shown(t.total)) for t in told.terms]
    if not rows:
        return ["  no terms: 0"]
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    a, b, c, d = wide
    lines = [
        f"  {names:<{a}}  {numbers:>{b}}  =  {value:>{c}}   sum {total:>{d}}"
        for names, numbers, value, total in rows
    ]
    if len(lines) <= LONGEST:
        return lines
    half = LONGEST // 2
    return [*lines[:half], f"  ... {len(lines) - LONGEST} more terms ...", *lines[-half:]]

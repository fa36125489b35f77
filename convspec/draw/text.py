"""A failing case as text: operands, expected and actual output, and in brackets the first wrong
element and what it is computed from.

Of arrays with several channels or more than two spatial axes, the slices around that element are
shown; a dot is a position on padding, where there is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, forward_name
from convspec.draw.grid import Block, blocks, number, side_by_side
from convspec.draw.marks import marks

Output = Array | Sequence[Array] | str


class Wrong(NamedTuple):
    """The first wrong element: in which output, where, and how many are wrong there in total."""

    output: int
    element: tuple[int, ...]
    total: int


def draw(case: Case, expected: Output, actual: Output, *, width: int = 80) -> str:
    """The case, what was expected of it and what came out; a `str` output tells of an exception.

    >>> x, w = numpy.array([[[1, 2, 3]]]), numpy.array([[[1, 0]]])
    >>> case = Case("conv", {"input": x, "weight": w}, {"stride": (1,), "padding": ((0, 0),)})
    >>> print(draw(case, numpy.array([[[1, 2]]]), numpy.array([[[2, 3]]])))
    conv(input (1, 1, 3), weight (1, 1, 2))
    <BLANKLINE>
      input[0, 0]    weight[0, 0]
      [1][2] 3       [1][0]
    <BLANKLINE>
    2 of 2 elements differ; first [0, 0, 0]: expected 1, actual 2
    In brackets: this element and what it is computed from.
    <BLANKLINE>
      expected[0, 0]    actual[0, 0]    actual - expected [0, 0]
      [1] 2             [2] 3           [1] 1
    """
    outputs, results = _several(expected), _several(actual)
    axes = min(2, _rank(case))
    wrong = first_wrong(outputs, results)
    read = marks(case, wrong.element) if wrong and wrong.output == 0 else {}
    operands = [
        block
        for name, array in case.operands.items()
        for block in blocks(name, array, read.get(name, set()), axes=min(axes, array.ndim))
    ]
    said = [wrapped(line, width) for line in (_call(case), *_verdict(case, outputs, results))]
    lines = [said[0], "", *side_by_side(operands, width), "", *said[1:]]
    if read:
        lines.append("In brackets: this element and what it is computed from.")
    compared = _compared(outputs, results, wrong, axes)
    return "\n".join([*lines, "", *side_by_side(compared, width)] if compared else lines)


def first_wrong(expected: list[Array] | str, actual: list[Array] | str) -> Wrong | None:
    """Where two outputs first differ, up to the first that differ in shape; NaN equals NaN.

    >>> first_wrong([numpy.array([1, 2])], [numpy.array([1, 3])])
    Wrong(output=0, element=(1,), total=1)
    """
    if isinstance(expected, str) or isinstance(actual, str):
        return None
    for position, (e, a) in enumerate(zip(expected, actual, strict=False)):
        if e.shape != a.shape:
            return None
        unequal = numpy.asarray((e != a) & ~((e != e) & (a != a)), dtype=bool)
        if unequal.any():
            index = tuple(int(i) for i in numpy.argwhere(unequal)[0])
            return Wrong(position, index, int(unequal.sum()))
    return None


def wrapped(line: str, width: int) -> str:
    """A sentence on lines of at most `width`, those after the first indented."""
    return "\n".join(wrap(line, width, subsequent_indent="    ", break_on_hyphens=False))


def _several(output: Output) -> list[Array] | str:
    if isinstance(output, str):
        return output
    if isinstance(output, tuple | list):
        return [numpy.asarray(one) for one in output]
    return [numpy.asarray(output)]


def _rank(case: Case) -> int:
    """Number of spatial axes of a case."""
    first = next(iter(case.operands.values()))
    channels = 0 if forward_name(case.operation) in ("convolve", "correlate") else 2
    return max(1, numpy.ndim(first) - channels)


def _call(case: Case) -> str:
    """The call as one would write it, with shapes for arrays and without defaults."""
    given = [f"{name} {array.shape}" for name, array in case.operands.items()]
    for name, default in attribute_defaults(case.operation).items():
        value = case.attributes.get(name, default)
        if isinstance(value, tuple) and len(value) == _rank(case):
            leaves = set(numpy.ravel(value).tolist())
            value = leaves.pop() if len(leaves) == 1 else value
        if value != default:
            given.append(f"{name}={value!r}")
    return f"{case.operation}({', '.join(given)})"


def _verdict(case: Case, expected: list[Array] | str, actual: list[Array] | str) -> list[str]:
    """What differs, in words: how it ended, the shape, the first element or the dtype."""
    if isinstance(expected, str) or isinstance(actual, str):
        told = (("expected", expected), ("actual", actual))
        return [f"{word}: {text}" for word, text in told if isinstance(text, str)]
    if len(expected) != len(actual):
        return [f"expected {len(expected)} outputs, actual {len(actual)}"]
    wrong = first_wrong(expected, actual)
    for position, (e, a) in enumerate(zip(expected, actual, strict=True)):
        of = _output_name(case, position)
        if e.shape != a.shape:
            return [f"{of}shape differs: expected {e.shape}, actual {a.shape}"]
        if wrong and wrong.output == position:
            exact = number(e[wrong.element]) == number(a[wrong.element])
            values = [number(array[wrong.element], exact=exact) for array in (e, a)]
            first = f"first {list(wrong.element)}: expected {values[0]}, actual {values[1]}"
            return [f"{of}{wrong.total} of {e.size} elements differ; {first}"]
        if e.dtype != a.dtype:
            return [f"{of}dtype differs: expected {e.dtype}, actual {a.dtype}"]
    return ["every value agrees"]


def _output_name(case: Case, position: int) -> str:
    """`d_weight: ` or the like, where there are several outputs."""
    if case.operation.endswith("_vjp"):
        names = [f"d_{name}" for name in case.operands if name != "cotangent"]
    elif case.operation == "max_pool_with_indices":
        names = ["values", "indices"]
    else:
        return ""
    return f"{names[position]}: " if position < len(names) else f"output {position}: "


def _compared(
    expected: list[Array] | str, actual: list[Array] | str, wrong: Wrong | None, axes: int
) -> list[Block]:
    """The expected output, the actual one, and their difference."""
    which = wrong.output if wrong else _first_misshapen(expected, actual)
    marked = {wrong.element} if wrong else set()
    found = []
    for title, outputs in (("expected", expected), ("actual", actual)):
        if not isinstance(outputs, str) and which < len(outputs):
            array = outputs[which]
            found += blocks(title, array, marked, axes=min(axes, array.ndim))
    if wrong and not isinstance(expected, str) and not isinstance(actual, str):
        found += blocks(
            "actual - expected ", _difference(expected[which], actual[which]), marked, axes=axes
        )
    return found


def _first_misshapen(expected: list[Array] | str, actual: list[Array] | str) -> int:
    if isinstance(expected, str) or isinstance(actual, str):
        return 0
    pairs = enumerate(zip(expected, actual, strict=False))
    return next((position for position, (e, a) in pairs if e.shape != a.shape), 0)


def _difference(expected: Array, actual: Array) -> Any:
    """Computed in double precision, or exactly where the elements are objects."""
    if object in (expected.dtype, actual.dtype):
        return actual - expected
    with numpy.errstate(invalid="ignore"):
        return actual.astype(numpy.float64) - expected.astype(numpy.float64)

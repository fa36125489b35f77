"""A failing case as grids of numbers and sentences: what every way of drawing it shows.

Operands, expected and actual output, marked the first wrong element and what it is computed from.
Of arrays with several channels or more than two spatial axes, the slices around that element are
shown; a dot is a position on padding, where there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, forward_name
from convspec.draw.grid import Slice, number, slices
from convspec.draw.marks import marks

Output = Array | Sequence[Array] | str


class Wrong(NamedTuple):
    """The first wrong element: in which output, where, and how many are wrong there in total."""

    output: int
    element: tuple[int, ...]
    total: int


class Picture(NamedTuple):
    """The call as one would write it, its operands, what is said of the outputs, and the outputs
    with their difference; `marked` is whether operands show what an element is computed from.
    """

    call: str
    operands: list[Slice]
    said: list[str]
    compared: list[Slice]
    marked: bool


def picture(case: Case, expected: Output, actual: Output, *, word: str = "actual") -> Picture:
    """The case, what was expected of it and what came out, called by a word of the caller's; a
    `str` output tells of an exception.

    >>> x, w = numpy.array([[[1, 2, 3]]]), numpy.array([[[1, 0]]])
    >>> case = Case("conv", {"input": x, "weight": w}, {"stride": (1,), "padding": ((0, 0),)})
    >>> picture(case, numpy.array([[[1, 2]]]), numpy.array([[[2, 3]]])).said
    ['2 of 2 elements differ; first [0, 0, 0]: expected 1, actual 2']
    """
    outputs, results = several(expected), several(actual)
    axes = min(2, _rank(case))
    wrong = first_wrong(outputs, results)
    read = marks(case, wrong.element) if wrong and wrong.output == 0 else {}
    operands = [
        shown
        for name, array in arrays(case)
        for shown in slices(name, array, read.get(name, set()), axes=min(axes, array.ndim))
    ]
    compared = _compared(outputs, results, wrong, axes, word)
    return Picture(
        call_text(case), operands, _verdict(case, outputs, results, word), compared, bool(read)
    )


def arrays(case: Case) -> Iterator[tuple[str, Array]]:
    """Every array of a case under its name; those of a list are numbered."""
    for name, operand in case.operands.items():
        if isinstance(operand, list | tuple):
            yield from ((f"{name}[{number}]", array) for number, array in enumerate(operand))
        else:
            yield name, operand


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


def several(output: Output) -> list[Array] | str:
    """The outputs as a list of arrays, or the text that stands for them."""
    if isinstance(output, str):
        return output
    if isinstance(output, tuple | list):
        return [numpy.asarray(one) for one in output]
    return [numpy.asarray(output)]


def _rank(case: Case) -> int:
    """Number of spatial axes of a case."""
    first = next(array for _, array in arrays(case))
    channels = 0 if forward_name(case.operation) in ("convolve", "correlate") else 2
    return max(1, numpy.ndim(first) - channels)


def call_text(case: Case) -> str:
    """The call as one would write it, with shapes for arrays and without defaults."""
    given = [f"{name} {array.shape}" for name, array in arrays(case)]
    for name, default in attribute_defaults(case.operation).items():
        value = case.attributes.get(name, default)
        if isinstance(value, tuple) and len(value) == _rank(case):
            leaves = set(numpy.ravel(value).tolist())
            value = leaves.pop() if len(leaves) == 1 else value
        if value != default:
            given.append(f"{name}={value!r}")
    return f"{case.operation}({', '.join(given)})"


def _verdict(
    case: Case, expected: list[Array] | str, actual: list[Array] | str, word: str
) -> list[str]:
    """What differs, in words: how it ended, the shape, the first element or the dtype."""
    if isinstance(expected, str) or isinstance(actual, str):
        told = (("expected", expected), (word, actual))
        return [f"{word}: {text}" for word, text in told if isinstance(text, str)]
    if len(expected) != len(actual):
        return [f"expected {len(expected)} outputs, {word} {len(actual)}"]
    wrong = first_wrong(expected, actual)
    for position, (e, a) in enumerate(zip(expected, actual, strict=True)):
        of = _output_name(case, position)
        if e.shape != a.shape:
            return [f"{of}shape differs: expected {e.shape}, {word} {a.shape}"]
        if wrong and wrong.output == position:
            exact = number(e[wrong.element]) == number(a[wrong.element])
            values = [number(array[wrong.element], exact=exact) for array in (e, a)]
            first = f"first {list(wrong.element)}: expected {values[0]}, {word} {values[1]}"
            return [f"{of}{wrong.total} of {e.size} elements differ; {first}"]
        if e.dtype != a.dtype:
            return [f"{of}dtype differs: expected {e.dtype}, {word} {a.dtype}"]
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
    expected: list[Array] | str,
    actual: list[Array] | str,
    wrong: Wrong | None,
    axes: int,
    word: str,
) -> list[Slice]:
    """The expected output, the actual one, and their difference."""
    which = wrong.output if wrong else _first_misshapen(expected, actual)
    marked = {wrong.element} if wrong else set()
    found = []
    for title, outputs in (("expected", expected), (word, actual)):
        if not isinstance(outputs, str) and which < len(outputs):
            array = outputs[which]
            found += slices(title, array, marked, axes=min(axes, array.ndim))
    if wrong and not isinstance(expected, str) and not isinstance(actual, str):
        found += slices(
            f"{word} - expected ", _difference(expected[which], actual[which]), marked, axes=axes
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

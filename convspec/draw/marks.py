"""What one output element is computed from: the elements of each operand that it reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy

from convspec.arguments import Shape
from convspec.case import Case, call_windows
from convspec.operations import OPERATIONS
from convspec.transposed_convolution import conv_transpose_windows
from convspec.window import Window, overlap, positions, taps, window_taps

SLIDING_POOLS = (
    "max_pool",
    "max_pool_with_indices",
    "average_pool",
    "lp_pool",
    "distance_weighted_pool",
)

Index = tuple[int, ...]
Marks = dict[str, set[Index]]


def marks(case: Case, index: Index) -> Marks:
    """The index of every element, by operand, that output element `index` is computed from.

    Positions of the window that lie on padding are among them; their indices are outside the
    array.  Of an operation that slides no window they are the elements that the cotangent of the
    output element comes back to.  Gradients, which read nearly everything, have no marks.

    >>> import numpy
    >>> operands = {"input": numpy.zeros((1, 1, 4))}
    >>> attributes = {"kernel_size": (2,), "stride": (2,), "padding": ((1, 1),), "dilation": (1,)}
    >>> sorted(marks(Case("max_pool", operands, attributes), (0, 0, 0))["input"])
    [(0, 0, -1), (0, 0, 0)]
    """
    shapes = {name: _shape(operand) for name, operand in case.operands.items()}
    if case.operation in ("convolve", "correlate"):
        return _overlap_marks(case, shapes, index)
    if case.operation == "conv":
        return _conv_marks(case, shapes, index)
    if case.operation == "conv_transpose":
        return _conv_transpose_marks(case, shapes, index)
    if case.operation in SLIDING_POOLS:
        n, c, *i = index
        sliding = call_windows(case.operation, shapes, case.attributes)
        return {"input": {(n, c, *a) for _, a in _all_taps(shapes["input"][2:], sliding, i)}}
    return {} if case.operation.endswith("_vjp") else _reached(case, index)


# Operations whose derivative names one element of many that they look at: others that look at the
# same elements and depend on each of them.
_AVERAGES = {"adaptive_max_pool": "adaptive_average_pool"}


def _reached(case: Case, index: Index) -> Marks:
    """The elements whose cotangent is other than 0 where that of output element `index` is 1.

    The operands are roots of different integers, at which no derivative is 0 by chance; a single
    operand that the operation is linear in makes no difference, and stays.
    """
    row = OPERATIONS[_AVERAGES.get(case.operation, case.operation)]
    attributes = dict(case.attributes)
    if "levels" in attributes:
        attributes["kind"] = "average"
    count = itertools.count(2)
    floating = tuple(name for name in case.operands if name not in row.discrete)
    kept = floating if floating == row.linear_in and len(floating) == 1 else ()
    operands = {
        name: operand if name in row.discrete or name in kept else _roots(operand, count)
        for name, operand in case.operands.items()
    }
    cotangent = numpy.zeros(row.shape(*map(_shape, operands.values()), **attributes))
    cotangent[index] = 1.0
    names: list[str] = []
    for name, operand in operands.items():
        parts = range(len(operand)) if isinstance(operand, list) else []
        names += [f"{name}[{i}]" for i in parts] or [name] * (name not in row.discrete)
    gradients = row.vjp(cotangent, *operands.values(), **attributes)
    return {
        name: {tuple(map(int, where)) for where in numpy.argwhere(gradient)}
        for name, gradient in zip(names, gradients, strict=True)
    }


def _roots(operand: Any, count: Iterator[int]) -> Any:
    """An operand of the same shape that holds the roots of the next integers."""
    if isinstance(operand, list):
        return [_roots(each, count) for each in operand]
    taken = list(itertools.islice(count, operand.size))
    return numpy.sqrt(numpy.array(taken, numpy.float64)).reshape(operand.shape)


def _shape(operand: Any) -> Any:
    """The shape of an array; of a list of arrays, theirs."""
    return [each.shape for each in operand] if isinstance(operand, list) else operand.shape


def _all_taps(
    spatial: Shape, sliding: tuple[Window, ...], position: list[int]
) -> list[tuple[Index, Index]]:
    """`window_taps` with those on padding: the taps inside an input as large as the padded one."""
    axes = []
    for n, w, i in zip(spatial, sliding, position, strict=True):
        inside = taps(n + w.low + w.high, w._replace(low=0, high=0), i)
        axes.append([(j, a - w.low) for j, a in inside])
    return [(tuple(j for j, _ in p), tuple(a for _, a in p)) for p in itertools.product(*axes)]


def _conv_marks(case: Case, shapes: dict[str, Shape], index: Index) -> Marks:
    n, o, *i = index
    outputs, inputs = shapes["weight"][:2]
    first = o * case.attributes.get("groups", 1) // outputs * inputs
    sliding = call_windows("conv", shapes, case.attributes)
    read = _all_taps(shapes["input"][2:], sliding, i)
    found = {
        "input": {(n, first + c, *a) for c in range(inputs) for _, a in read},
        "weight": {(o, c, *j) for c in range(inputs) for j, _ in read},
    }
    return {**found, "bias": {(o,)}} if "bias" in shapes else found


def _conv_transpose_marks(case: Case, shapes: dict[str, Shape], index: Index) -> Marks:
    n, o, *a = index
    channels, share = shapes["weight"][:2]
    groups = case.attributes.get("groups", 1)
    sliding, sizes = conv_transpose_windows(*shapes.values(), **case.attributes)
    group = range(o // share * (channels // groups), (o // share + 1) * (channels // groups))
    read = [
        (i, j)
        for i in positions(shapes["input"][2:])
        for j, reached in window_taps(sizes, sliding, i)
        if reached == tuple(a)
    ]
    found = {
        "input": {(n, c, *i) for c in group for i, _ in read},
        "weight": {(c, o % share, *j) for c in group for _, j in read},
    }
    return {**found, "bias": {(o,)}} if "bias" in shapes else found


def _overlap_marks(case: Case, shapes: dict[str, Shape], index: Index) -> Marks:
    f, g = shapes["f"], shapes["g"]
    mode = case.attributes.get("mode", "full")
    t = [overlap(mode, n, m)[i] for n, m, i in zip(f, g, index, strict=True)]
    found: Marks = {"f": set(), "g": set()}
    for a in positions(f):
        b = tuple(ti - ai for ti, ai in zip(t, a, strict=True))
        if all(0 <= bi < m for bi, m in zip(b, g, strict=True)):
            flipped = tuple(m - 1 - bi for bi, m in zip(b, g, strict=True))
            found["f"].add(a)
            found["g"].add(b if case.operation == "convolve" else flipped)
    return found

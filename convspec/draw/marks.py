"""What one output element is computed from: the elements of each operand that it reads."""

from __future__ import annotations

from itertools import product
from typing import Any

from convspec.arguments import Shape
from convspec.case import Case, call_windows
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
    array.  Gradients, which read nearly everything, have no marks.

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
    return {}


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
    return [(tuple(j for j, _ in p), tuple(a for _, a in p)) for p in product(*axes)]


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

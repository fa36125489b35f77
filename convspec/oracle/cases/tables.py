r"""Tap tables: which input element every tap of every window start reads, as index arrays.

All starts from which a kernel can touch its input are tabulated once for an input size, a kernel
and a dilation; any stride and padding is then a strided slice of the same dense result.  Three
contractions with such a table are every bilinear operation here: forward, and one per operand
backward.  On integers whose sums stay below $2^{53}$ the float64 products are exact in any order.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from types import EllipsisType
from typing import NamedTuple

import numpy

from convspec.arguments import Array, Shape
from convspec.window import Window, dense_starts, start

Place = tuple[slice | EllipsisType, ...]


class Table(NamedTuple):
    """Windows at every start: `reads[k, t]` is the flat input position that tap `k` of start `t`
    reads, or `size`, one past the input, where there is none; `start_of[k, a]` is the flat start
    whose tap `k` reads position `a`.  `first` is the lowest start on each axis.
    """

    reads: Array
    start_of: Array
    first: tuple[int, ...]
    starts: Shape
    size: int


def _flat(axes: list[Array], shape: Shape) -> Array:
    """Flat indices of every combination of per-axis `(k, t)` indices, as `(K, T)`."""
    flat = numpy.zeros((1, 1), dtype=numpy.intp)
    for axis, n in zip(axes, shape, strict=True):
        grid = flat[:, None, :, None] * n + axis[None, :, None, :]
        flat = grid.reshape(grid.shape[0] * grid.shape[1], -1)
    return flat


@lru_cache(maxsize=1024)
def table(spatial: Shape, kernel: Shape, dilation: Shape, low: Shape, high: Shape) -> Table:
    """The table of an input shape and a kernel, with starts for padding up to `low`, `high`."""
    positions, starts_of, first, counts, real = [], [], [], [], []
    for n, k, d, lo, hi in zip(spatial, kernel, dilation, low, high, strict=True):
        starts = dense_starts(n, Window(k, 1, lo, hi, d))
        steps = numpy.arange(k)[:, None] * d
        read = numpy.arange(starts.start, starts.stop) + steps
        real.append((read >= 0) & (read < n))
        positions.append(numpy.clip(read, 0, n - 1))
        starts_of.append(numpy.arange(n) - steps - starts.start)
        first.append(starts.start)
        counts.append(len(starts))
    size = prod(spatial)
    exists = numpy.ones((1, 1), dtype=bool)
    for axis in real:
        both = exists[:, None, :, None] & axis[None, :, None, :]
        exists = both.reshape(both.shape[0] * both.shape[1], -1)
    index = numpy.where(exists, _flat(positions, spatial), size)
    shape = tuple(counts)
    return Table(index, _flat(starts_of, shape), tuple(first), shape, size)


def window_table(spatial: Shape, sliding: tuple[Window, ...]) -> Table:
    """The table that serves one call."""
    return table(
        spatial,
        tuple(w.kernel for w in sliding),
        tuple(w.dilation for w in sliding),
        tuple(w.low for w in sliding),
        tuple(w.high for w in sliding),
    )


def output_slices(tabulated: Table, sliding: tuple[Window, ...], sizes: Shape) -> Place:
    """Where the outputs of a call lie among the starts, as an index of a dense result."""
    slices = []
    for first, window, o in zip(tabulated.first, sliding, sizes, strict=True):
        begin = start(window, 0) - first
        slices.append(slice(begin, begin + (o - 1) * window.stride + 1, window.stride))
    return (..., *slices)


def columns(x: Array, tabulated: Table, outside: float) -> Array:
    """`(N, C, K, T)`: what every tap of every start reads, `outside` beyond the input."""
    batch, channels = x.shape[:2]
    return gathered(x.reshape(batch, channels, tabulated.size), tabulated.reads, outside)


def gathered(x: Array, index: Array, outside: float) -> Array:
    """`(N, C, A)` read at `index`, `(K, T)`: `(N, C, K, T)`."""
    batch, channels, size = x.shape
    kind = object if x.dtype == object else numpy.float64
    flat = numpy.full((batch, channels, size + 1), outside, kind)
    flat[..., :-1] = x
    return flat.take(index, axis=2)


def forward(read: Array, w: Array, groups: int) -> Array:
    """Dense correlation: `(N, C, K, T)` and `(O, C // groups, K)` give `(N, O, T)`."""
    batch, channels, taps, starts = read.shape
    outputs = w.shape[0]
    grouped = read.reshape(batch, groups, channels // groups * taps, starts)
    kernels = w.reshape(groups, outputs // groups, channels // groups * taps)
    dense: Array = kernels @ grouped
    return dense.reshape(batch, outputs, starts)


def backward_input(g: Array, w: Array, tabulated: Table, groups: int) -> Array:
    """The forward map transposed: `(N, O, T)` and `(O, C // groups, K)` give `(N, C, A)`."""
    batch, outputs, starts = g.shape
    share, taps = w.shape[1:]
    kernels = w.reshape(groups, outputs // groups, share * taps).swapaxes(1, 2)
    products = kernels @ g.reshape(batch, groups, outputs // groups, starts)
    spread = products.reshape(batch, groups * share, taps * starts)
    place = tabulated.start_of + numpy.arange(taps)[:, None] * starts
    gathered_back: Array = spread.take(place, axis=2).sum(axis=2)
    return gathered_back


def backward_weight(g: Array, read: Array, groups: int) -> Array:
    """Weight cotangent: `(N, O, T)` and `(N, C, K, T)` give `(O, C // groups, K)`."""
    batch, outputs, starts = g.shape
    channels, taps = read.shape[1:3]
    rows = g.reshape(batch, groups, outputs // groups, starts)
    grouped = read.reshape(batch, groups, channels // groups * taps, starts)
    summed: Array = (rows @ grouped.swapaxes(2, 3)).sum(axis=0)
    return summed.reshape(outputs, channels // groups, taps)


def strided(tabulated: Table, place: Place) -> Array:
    """`reads` for the starts of a call's outputs alone: `(K, outputs)`."""
    taps = tabulated.reads.shape[0]
    return tabulated.reads.reshape(taps, *tabulated.starts)[place].reshape(taps, -1)


def scattered(x: Array, w: Array, index: Array, size: int, groups: int) -> Array:
    """A transposed correlation: `(N, C, outputs)` and `(C, O // groups, K)` give `(N, O, size)`,
    each product added where `index` says its tap lies.
    """
    batch, channels, count = x.shape
    share, taps = w.shape[1:]
    kernels = w.reshape(groups, channels // groups, share * taps).swapaxes(1, 2)
    products = kernels @ x.reshape(batch, groups, channels // groups, count)
    products = products.reshape(batch, groups * share, taps, count)
    total = numpy.zeros((batch, groups * share, size + 1))
    for tap in range(taps):
        # No two starts read the same element through one tap, so nothing is added twice here.
        total[:, :, index[tap]] += products[:, :, tap]
    return total[:, :, :size]


def stuffed(g: Array, tabulated: Table, place: Place) -> Array:
    """A cotangent at its place among all starts, zero elsewhere: `(N, O, T)`."""
    kind = object if g.dtype == object else numpy.float64
    dense = numpy.zeros((*g.shape[:2], *tabulated.starts), kind)
    dense[place] = g
    return dense.reshape(*g.shape[:2], prod(tabulated.starts))

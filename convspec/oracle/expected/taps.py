"""What every output reads, as index arrays, for windows of any kind; and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array, Shape
from convspec.coordinates import interpolation_taps
from convspec.oracle.cases.tables import gathered
from convspec.window import Window, adaptive_range, output_sizes, start, taps


class Taps(NamedTuple):
    """`reads[t, o]` is the flat input position that tap `t` of output `o` reads, or `size`, one
    past the input, where there is none; `places[r, a]` are the flat places in `reads` at which
    position `a` is read, padded with one past the last.
    """

    reads: Array
    places: Array
    size: int


def inverted(index: Array, size: int) -> Taps:
    """An index with its inverse."""
    flat = index.ravel()
    order = numpy.argsort(flat, kind="stable")
    counts = numpy.bincount(flat)[:size]
    place = numpy.full((int(counts.max(initial=1)), size), flat.size)
    read = order[: int(counts.sum())]
    begins = numpy.cumsum(counts) - counts
    positions = flat[read]
    place[numpy.arange(len(read)) - begins[positions], positions] = read
    return Taps(index, place, size)


def summed(x: Array, read: Taps, weight: Any = None) -> Array:
    """`(N, C, size)` summed over the taps of every output, weighted: `(N, C, O)`."""
    values = gathered(x, read.reads, 0.0)
    total: Array = (values if weight is None else values * weight).sum(axis=2)
    return total


def spread(products: Array, read: Taps) -> Array:
    """`(N, C, T, O)` summed over all that read a position: `(N, C, size)`, the inverse way."""
    flat = products.reshape(*products.shape[:2], read.reads.size)
    total: Array = gathered(flat, read.places, 0.0).sum(axis=2)
    return total


def _padded(reads: Sequence[Sequence[Any]], none: Any) -> Array:
    """Lists of different lengths as columns, filled up with `none`."""
    longest = max(map(len, reads))
    return numpy.array([[*read, *[none] * (longest - len(read))] for read in reads]).T


def crossed(axes: Sequence[Array], spatial: Shape) -> Array:
    """`(t, o)` positions on every axis, `n` where there is none, as flat `(T, O)` ones."""
    flat, exists = numpy.zeros((1, 1), numpy.intp), numpy.ones((1, 1), bool)
    for axis, n in zip(axes, spatial, strict=True):
        one, there = axis[None, :, None, :], (axis < n)[None, :, None, :]
        both = flat[:, None, :, None] * n + one
        flat = both.reshape(-1, both.shape[2] * both.shape[3])
        exists = (exists[:, None, :, None] & there).reshape(flat.shape)
    return numpy.where(exists, flat, prod(spatial))


def multiplied(axes: Sequence[Array]) -> Array:
    """`(t, o)` weights on every axis as the `(T, O)` products of one from each."""
    product = numpy.ones((1, 1), axes[0].dtype)
    for axis in axes:
        both = product[:, None, :, None] * axis[None, :, None, :]
        product = both.reshape(-1, both.shape[2] * both.shape[3])
    return product


@lru_cache(maxsize=1024)
def sliding_reads(spatial: Shape, sliding: tuple[Window, ...]) -> Array:
    """What the taps of sliding windows read, `(kernel taps, outputs)`: no start is tabulated that
    is none of the call's, as `table` does for all strides and the way back.
    """
    axes = []
    for n, window, o in zip(spatial, sliding, output_sizes(spatial, sliding), strict=True):
        starts = numpy.array([start(window, i) for i in range(o)])
        read = starts + numpy.arange(window.kernel)[:, None] * window.dilation
        axes.append(numpy.where((read >= 0) & (read < n), read, n))
    return crossed(axes, spatial)


@lru_cache(maxsize=1024)
def sliding_taps(spatial: Shape, sliding: tuple[Window, ...]) -> Taps:
    """The taps of sliding windows, `(kernel taps, outputs)`."""
    return inverted(sliding_reads(spatial, sliding), prod(spatial))


@lru_cache(maxsize=1024)
def adaptive_taps(spatial: Shape, sizes: Shape) -> Taps:
    """The taps of adaptive windows."""
    axes = [
        _padded([adaptive_range(n, size, i) for i in range(size)], n)
        for n, size in zip(spatial, sizes, strict=True)
    ]
    return inverted(crossed(axes, spatial), prod(spatial))


@lru_cache(maxsize=1024)
def enlarged_axis(n: int, scale: int, kind: str, coordinates: str) -> tuple[Array, Array]:
    """Positions and weights, `(t, n * scale)`, that an enlarged axis reads; a weight is a ratio."""
    reads = [
        interpolation_taps(n, scale, i, kind=kind, coordinates=coordinates)
        for i in range(n * scale)
    ]
    positions = _padded([[a for a, _ in read] for read in reads], n)
    weights = _padded([[weight for _, weight in read] for read in reads], 0)
    return positions, weights.astype(object)


@lru_cache(maxsize=1024)
def enlarged_taps(spatial: Shape, scales: Shape, kind: str, coordinates: str) -> Taps:
    """The taps of an enlarged input."""
    axes = [
        enlarged_axis(n, scale, kind, coordinates)[0]
        for n, scale in zip(spatial, scales, strict=True)
    ]
    return inverted(crossed(axes, spatial), prod(spatial))


@lru_cache(maxsize=256)
def channel_taps(channels: int, window: Window) -> Taps:
    """The channels in the window around each."""
    reads = [[e for _, e in taps(channels, window, c)] for c in range(channels)]
    return inverted(_padded(reads, channels), channels)

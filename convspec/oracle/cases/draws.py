"""Data for exact checks: integers so small that every partial sum is exact in the accumulator."""

from __future__ import annotations

from math import isqrt, prod

import numpy

from convspec.arguments import Array, Shape
from convspec.rounding import integer_bits

# Every entry is exact even in bfloat16, whose significand has 8 bits: rounding of operands is
# for the rounding step to judge, not for this one.
LARGEST_ENTRY = 256
FAST_ALGORITHM_ENTRY = 15
# Sums of products of these stay within the 256 up to which eight bits hold every integer, unless
# more than as many of them have the same sign.
NARROW_ENTRY = 1


def amplitude(terms: int, dtype: numpy.dtype, *, factors: int = 2) -> int:
    """The largest `a` for which `terms` products of `factors` entries up to `a`, and one more
    entry, sum exactly in `dtype` in any order.

    >>> amplitude(1023, numpy.dtype("float32")), amplitude(1023, numpy.dtype("float32"), factors=3)
    (128, 25)
    """
    room = (1 << integer_bits(dtype)) // (terms + 1)
    largest = min(LARGEST_ENTRY, isqrt(room) if factors == 2 else room)
    while largest > 1 and largest**factors > room:
        largest -= 1
    return max(1, largest)


def integers(rng: numpy.random.Generator, shape: Shape, largest: int, dtype: numpy.dtype) -> Array:
    """Independent integers, uniform from `-largest` (0 for unsigned dtypes) to `largest`."""
    least = 0 if dtype.kind == "u" else -largest
    return rng.integers(least, largest + 1, size=shape).astype(dtype)


def thinned(rng: numpy.random.Generator, array: Array, dtype: numpy.dtype) -> Array:
    """`array` with so many elements of each channel set to 0 that a sum over batch and space of
    as many products of -1, 0 and 1 is exact: a narrow dtype cannot hold the sum of all.
    """
    most = (1 << integer_bits(dtype)) - 1
    batch, channels = array.shape[:2]
    if array.size <= most * channels:
        return array
    rows = array.swapaxes(0, 1).reshape(channels, -1)
    places = rng.permuted(numpy.tile(numpy.arange(rows.shape[1]), (channels, 1)), axis=1)
    kept = numpy.where(places < most, rows, 0).astype(dtype)
    spread: Array = kept.reshape(channels, batch, *array.shape[2:]).swapaxes(0, 1)
    return numpy.ascontiguousarray(spread)


def distinct(rng: numpy.random.Generator, shape: Shape, dtype: numpy.dtype) -> Array:
    """A permutation of consecutive integers in every channel, or of consecutive numbers of a dtype
    that does not hold so many integers: a maximum without ties.

    Every other batch item is negative throughout, so that padding by zeros would win.
    """
    count = prod(shape[2:])
    order = rng.permuted(numpy.tile(numpy.arange(count), (*shape[:2], 1)), axis=2)
    if dtype.kind != "u":
        order[::2] -= count
        order[1::2] -= count // 2
    order = order.reshape(shape)
    held = dtype.kind in "iu" or count <= 1 << integer_bits(dtype)
    return order.astype(dtype) if held else _consecutive(order, dtype)


def _consecutive(order: Array, dtype: numpy.dtype) -> Array:
    """Numbers of a floating dtype that follow each other as integers do: 0 is its 1."""
    bits = numpy.dtype(f"u{dtype.itemsize}")
    sizes = (numpy.ones(1, dtype).view(bits) + abs(order)).astype(bits).view(dtype)
    signed: Array = numpy.where(order < 0, -sizes, sizes)
    return signed


def one_hot(shape: Shape, dtype: numpy.dtype) -> Array:
    """In each plane of batch and channel one element above a constant, negative background:
    the maximum shows which windows read it.
    """
    count, planes = prod(shape[2:]), shape[0] * shape[1]
    background = 0 if dtype.kind == "u" else -2
    x = numpy.full((planes, count), background)
    x[numpy.arange(planes), numpy.arange(planes) % count] = background + 1
    return x.reshape(shape).astype(dtype)

"""Adaptive poolings, and pyramids of them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.oracle.cases.tables import gathered
from convspec.oracle.expected.numbers import constants, wide
from convspec.oracle.expected.taps import Taps, adaptive_taps, spread, summed


def _planes(x: Array) -> Array:
    return wide(x).reshape(*x.shape[:2], prod(x.shape[2:]))


def window_sizes(read: Taps, like: Array) -> Array:
    """How many positions every window holds."""
    return constants((read.reads < read.size).sum(axis=0).tolist(), like)


def first_maxima(x: Array, read: Taps) -> Array:
    """The first tap that holds the maximum of its window, or a NaN: `(N, C, O)`."""
    # The first tap of every window is there, and wins where all others are minus infinity.
    winners: Array = gathered(_planes(x), read.reads, -numpy.inf).argmax(axis=2)
    return winners


def adaptive_max_pool(input: Array, *, output_size: Shape) -> Array:
    """`convspec.adaptive_max_pool`."""
    read = adaptive_taps(input.shape[2:], output_size)
    y: Array = gathered(_planes(input), read.reads, -numpy.inf).max(axis=2)
    return y.reshape(*input.shape[:2], *output_size)


def adaptive_max_pool_vjp(cotangent: Array, input: Array, *, output_size: Shape) -> tuple[Array]:
    """`convspec.adaptive_max_pool_vjp`."""
    read = adaptive_taps(input.shape[2:], output_size)
    won = first_maxima(input, read)[:, :, None] == numpy.arange(len(read.reads))[:, None]
    g = _planes(cotangent)[:, :, None]
    return (spread(numpy.where(won, g, 0.0), read).reshape(input.shape),)


def adaptive_average_pool(input: Array, *, output_size: Shape) -> Array:
    """`convspec.adaptive_average_pool`."""
    read, x = adaptive_taps(input.shape[2:], output_size), _planes(input)
    y: Array = summed(x, read) / window_sizes(read, x)
    return y.reshape(*input.shape[:2], *output_size)


def adaptive_average_pool_vjp(
    cotangent: Array, input: Array, *, output_size: Shape
) -> tuple[Array]:
    """`convspec.adaptive_average_pool_vjp`."""
    read, g = adaptive_taps(input.shape[2:], output_size), _planes(cotangent)
    shares = numpy.broadcast_to(
        (g / window_sizes(read, g))[:, :, None], (*g.shape[:2], *read.reads.shape)
    )
    return (spread(shares, read).reshape(input.shape),)


_POOLS = {
    "max": (adaptive_max_pool, adaptive_max_pool_vjp),
    "average": (adaptive_average_pool, adaptive_average_pool_vjp),
}


def spatial_pyramid_pool(input: Array, *, levels: Any, kind: str = "max") -> Array:
    """`convspec.spatial_pyramid_pool`: level by level."""
    rank, count = input.ndim - 2, len(input)
    pooled = [_POOLS[kind][0](input, output_size=(level,) * rank) for level in levels]
    return numpy.concatenate([y.reshape(count, prod(y.shape[1:])) for y in pooled], axis=1)


def spatial_pyramid_pool_vjp(
    cotangent: Array, input: Array, *, levels: Any, kind: str = "max"
) -> tuple[Array]:
    """`convspec.spatial_pyramid_pool_vjp`: each level's part, sent back through that level."""
    rank, channels = input.ndim - 2, input.shape[1]
    ends = numpy.cumsum([channels * level**rank for level in levels])
    d_input = numpy.zeros(input.shape)
    for level, g in zip(levels, numpy.split(wide(cotangent), ends[:-1], axis=1), strict=True):
        sizes = (level,) * rank
        part = g.reshape(len(input), channels, *sizes)
        d_input = d_input + _POOLS[kind][1](part, input, output_size=sizes)[0]
    return (d_input,)

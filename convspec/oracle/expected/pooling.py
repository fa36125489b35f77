"""Poolings of windows that slide: maxima, averages, norms, and averages by nearness."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.case import call_windows
from convspec.oracle.cases.tables import (
    backward_input,
    gathered,
    output_slices,
    stuffed,
    window_table,
)
from convspec.oracle.expected.numbers import constant, constants, sqrt, wide
from convspec.oracle.expected.taps import Taps, sliding_reads, sliding_taps, spread, summed
from convspec.window import Window, divisor, output_sizes, squared_distance


def pool_windows_of(input: Array, attributes: dict[str, Any]) -> tuple[Window, ...]:
    """The windows of a pooling call."""
    return call_windows("max_pool", {"input": input.shape}, attributes)


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))


def max_pool_with_indices(input: Array, **attributes: Any) -> tuple[Array, Array]:
    """`convspec.max_pool_with_indices`."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    reads = sliding_reads(spatial, sliding)
    read = gathered(_flat(input), reads, -numpy.inf)
    values = read.max(axis=2)
    # A tap outside the input may not win, not even against -inf.
    first_inside = (reads < prod(spatial)).argmax(axis=0)
    winner = numpy.where(numpy.isneginf(values), first_inside, read.argmax(axis=2))
    found = reads[winner, numpy.arange(winner.shape[2])]
    shape = (*input.shape[:2], *output_sizes(spatial, sliding))
    return values.reshape(shape), found.reshape(shape)


def max_pool(input: Array, **attributes: Any) -> Array:
    """`convspec.max_pool`."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    maxima: Array = gathered(_flat(input), sliding_reads(spatial, sliding), -numpy.inf).max(axis=2)
    return maxima.reshape(*input.shape[:2], *output_sizes(spatial, sliding))


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array]:
    """`convspec.max_pool_vjp`."""
    _, found = max_pool_with_indices(input, **attributes)
    batch, channels = input.shape[:2]
    planes, outputs = batch * channels, prod(found.shape[2:])
    d_input = numpy.zeros((planes, prod(input.shape[2:])))
    rows = numpy.arange(planes)[:, None]
    winners = found.reshape(planes, outputs)
    numpy.add.at(d_input, (rows, winners), cotangent.reshape(planes, outputs))
    return (d_input.reshape(input.shape),)


def max_pool_with_indices_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array]:
    """`convspec.max_pool_with_indices_vjp`."""
    return max_pool_vjp(cotangent, input, **attributes)


def divisors(
    spatial: tuple[int, ...], sliding: tuple[Window, ...], *, count_include_pad: bool
) -> Array:
    """What `average_pool` divides by at every output position."""
    counts = numpy.ones(())
    for n, window, o in zip(spatial, sliding, output_sizes(spatial, sliding), strict=True):
        axis = [divisor(n, window, i, count_include_pad=count_include_pad) for i in range(o)]
        counts = numpy.multiply.outer(counts, axis)
    return counts


def average_pool(input: Array, *, count_include_pad: bool = False, **attributes: Any) -> Array:
    """`convspec.average_pool`, correctly rounded on integers."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    sums = gathered(_flat(input), sliding_reads(spatial, sliding), 0.0).sum(axis=2)
    shaped = sums.reshape(*input.shape[:2], *output_sizes(spatial, sliding))
    averages: Array = shaped / divisors(spatial, sliding, count_include_pad=count_include_pad)
    return averages


def average_pool_vjp(
    cotangent: Array, input: Array, *, count_include_pad: bool = False, **attributes: Any
) -> tuple[Array]:
    """`convspec.average_pool_vjp`."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    shared = cotangent / divisors(spatial, sliding, count_include_pad=count_include_pad)
    channels = input.shape[1]
    ones = numpy.ones((channels, 1, tabulated.reads.shape[0]))
    d_input = backward_input(stuffed(shared, tabulated, place), ones, tabulated, channels)
    return (d_input.reshape(input.shape),)


def _planes(x: Array) -> Array:
    return _flat(wide(x))


def _norms(input: Array, p: float, attributes: dict[str, Any]) -> tuple[Taps, Array, Shape]:
    """Taps, the norm of every window, `(N, C, O)`, and the output sizes."""
    sliding = pool_windows_of(input, attributes)
    read = sliding_taps(input.shape[2:], sliding)
    x = abs(_planes(input))
    y = summed(x ** constant(p, x), read) ** constant(1 / Fraction(p), x)
    return read, y, output_sizes(input.shape[2:], sliding)


def lp_pool(input: Array, *, p: float = 2, **attributes: Any) -> Array:
    """`convspec.lp_pool`."""
    _, y, sizes = _norms(input, p, attributes)
    return y.reshape(*input.shape[:2], *sizes)


def lp_pool_vjp(cotangent: Array, input: Array, *, p: float = 2, **attributes: Any) -> tuple[Array]:
    """`convspec.lp_pool_vjp`."""
    read, y, _ = _norms(input, p, attributes)
    x = gathered(_planes(input), read.reads, 0.0)
    # Where a norm is 0, every share of it is.
    norms = numpy.where(y == 0, numpy.inf, y)[:, :, None]
    signed = numpy.sign(x) * (abs(x) / norms) ** constant(p - 1, x)
    return (spread(_planes(cotangent)[:, :, None] * signed, read).reshape(input.shape),)


def _nearness(sliding: tuple[Window, ...], like: Array) -> Array:
    """The weight of every tap, `(K, 1)`."""
    squares = [
        squared_distance(sliding, tap) for tap in numpy.ndindex(*(w.kernel for w in sliding))
    ]
    weights: Array = 1 / (1 + sqrt(constants(squares, like)))
    return weights[:, None]


def _nearnesses(input: Array, attributes: dict[str, Any], like: Array) -> tuple[Taps, Array]:
    """Taps, and the share that each has in its window, `(K, O)`."""
    sliding = call_windows("distance_weighted_pool", {"input": input.shape}, attributes)
    read = sliding_taps(input.shape[2:], sliding)
    weights = numpy.where(read.reads < read.size, _nearness(sliding, like), 0)
    return read, weights


def distance_weighted_pool(input: Array, **attributes: Any) -> Array:
    """`convspec.distance_weighted_pool`."""
    x = _planes(input)
    read, weights = _nearnesses(input, attributes, x)
    sliding = call_windows("distance_weighted_pool", {"input": input.shape}, attributes)
    y: Array = summed(x, read, weights) / weights.sum(axis=0)
    return y.reshape(*input.shape[:2], *output_sizes(input.shape[2:], sliding))


def distance_weighted_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array]:
    """`convspec.distance_weighted_pool_vjp`."""
    g = _planes(cotangent)
    read, weights = _nearnesses(input, attributes, g)
    shares = weights * (g / weights.sum(axis=0))[:, :, None]
    return (spread(shares, read).reshape(input.shape),)

"""The twins of `convspec.rearrangement`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import Array, PerAxis, Shape, array, check_cotangent
from convspec.fast.blocks import Index, last_axes, slices, whole
from convspec.fast.gathering import tap_runs
from convspec.fast.moves import moved_dtype
from convspec.fast.pooling import settled
from convspec.rearrangement import insert_zeros_shape, insert_zeros_windows, pixel_shuffle_shape
from convspec.window import Window


def insert_zeros(input: ArrayLike, *, count: PerAxis) -> Array:
    """`convspec.insert_zeros`: every element to its place, all at once.

    >>> insert_zeros([[[1, 2, 3]]], count=2)
    array([[[1, 0, 0, 2, 0, 0, 3]]])
    """
    input = array("input", input)
    sliding = insert_zeros_windows(input.shape, count=count)
    y = numpy.zeros(insert_zeros_shape(input.shape, count=count), dtype=moved_dtype(input))
    y[_between_zeros(input.shape, sliding, y.shape)] = input
    return settled(y)


def insert_zeros_vjp(cotangent: ArrayLike, input: ArrayLike, *, count: PerAxis) -> tuple[Array]:
    """`convspec.insert_zeros_vjp`.

    >>> insert_zeros_vjp([[[1, 2, 3, 4]]], [[[0, 0]]], count=2)
    (array([[[1, 4]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    sliding = insert_zeros_windows(x.shape, count=count)
    shape = insert_zeros_shape(x.shape, count=count)
    check_cotangent(g, shape, input=x)
    d_x = numpy.empty(x.shape, dtype=moved_dtype(g, x))
    d_x[...] = g[_between_zeros(x.shape, sliding, shape)]
    return (settled(d_x),)


def _between_zeros(input: Shape, sliding: Sequence[Window], shape: Shape) -> Index:
    """The index of the elements in what `insert_zeros` made of them."""
    only = (range(1),) * len(sliding)
    (runs,) = tap_runs(sliding, only, whole(shape[2:]), whole(input[2:]))
    return last_axes(slices(tuple(place for _, place in runs)))


def pixel_shuffle(input: ArrayLike, *, factor: PerAxis) -> Array:
    """`convspec.pixel_shuffle`: one permutation of axes.

    >>> pixel_shuffle([[[1, 2], [10, 20]]], factor=2)
    array([[[ 1, 10,  2, 20]]])
    """
    input = array("input", input)
    y = numpy.empty(pixel_shuffle_shape(input.shape, factor=factor), dtype=moved_dtype(input))
    _pixels(y, input.shape)[...] = _blocks(input, y.shape)
    return settled(y)


def pixel_shuffle_vjp(cotangent: ArrayLike, input: ArrayLike, *, factor: PerAxis) -> tuple[Array]:
    """`convspec.pixel_shuffle_vjp`: the permutation of axes undone.

    >>> pixel_shuffle_vjp([[[1, 10, 2, 20]]], [[[0, 0], [0, 0]]], factor=2)
    (array([[[ 1,  2],
            [10, 20]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    shape = pixel_shuffle_shape(x.shape, factor=factor)
    check_cotangent(g, shape, input=x)
    d_x = numpy.empty(x.shape, dtype=moved_dtype(g, x))
    _blocks(d_x, shape)[...] = _pixels(g, x.shape)
    return (settled(d_x),)


def _factors(low: Shape, high: Shape) -> Shape:
    return tuple(m // n for n, m in zip(low[2:], high[2:], strict=True))


def _blocks(low: Array, high: Shape) -> Array:
    """A view of `low (N, C f, *spatial)`, its blocks taken apart: `(N, C, *factors, *spatial)`."""
    factors = _factors(low.shape, high)
    return low.reshape(low.shape[0], low.shape[1] // prod(factors), *factors, *low.shape[2:])


def _pixels(high: Array, low: Shape) -> Array:
    """A view of `high (N, C, *(size * factor))`, taken apart alike."""
    rank = high.ndim - 2
    factors = _factors(low, high.shape)
    pairs = (size for pair in zip(low[2:], factors, strict=True) for size in pair)
    apart = high.reshape(*high.shape[:2], *pairs)
    return apart.transpose(0, 1, *range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2))

"""The twins of `convspec.adaptive_pooling`: windows that differ in size, one axis after another.

A window is a product of ranges, so that its maximum, and its sum, are those of the maxima, or
sums, along the last axis, then the one before it, and so on: as many passes as there are windows
on each axis, not windows in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec import adaptive_pooling
from convspec.adaptive_pooling import (
    adaptive_pool_shape,
    pyramid_levels,
    spatial_pyramid_pool_shape,
)
from convspec.arguments import Array, PerAxis, Shape, array, check_cotangent
from convspec.fast.arithmetic import INT64, OBJECT, Arithmetic, arithmetic, narrowed
from convspec.fast.blocks import Box, blocks, buffer_size, slices, whole
from convspec.fast.floating import block_size
from convspec.fast.moves import moved_dtype
from convspec.fast.pooling import averaging, counts, settled
from convspec.window import adaptive_range, slice_within

# The pooled cotangents of a pyramid, or of the one level of an adaptive pooling.
Levels = Sequence[Array]


def adaptive_max_pool(input: ArrayLike, *, output_size: PerAxis) -> Array:
    """`convspec.adaptive_max_pool`.

    >>> adaptive_max_pool([[[1, 5, 2, 4, 3]]], output_size=2)
    array([[[5, 4]]])
    """
    x = array("input", input)
    shape = adaptive_pool_shape(x.shape, output_size=output_size)
    if x.dtype == OBJECT:
        return adaptive_pooling.adaptive_max_pool(x, output_size=output_size)
    y = numpy.empty(shape, dtype=moved_dtype(x))
    _maxima(x, y)
    return settled(y)


def adaptive_average_pool(input: ArrayLike, *, output_size: PerAxis) -> Array:
    """`convspec.adaptive_average_pool`.

    >>> adaptive_average_pool([[[1.0, 5.0, 3.0]]], output_size=2)
    array([[[3., 4.]]])
    """
    x = array("input", input)
    shape = adaptive_pool_shape(x.shape, output_size=output_size)
    how = averaging(x, prod(_widest(x.shape, shape)))
    y = numpy.empty(shape, dtype=how.output)
    _averages(x, y, how)
    return y


def adaptive_max_pool_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, output_size: PerAxis
) -> tuple[Array]:
    """`convspec.adaptive_max_pool_vjp`.

    >>> adaptive_max_pool_vjp([[[1, 10]]], [[[1, 5, 2]]], output_size=2)
    (array([[[ 0, 11,  0]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    shape = adaptive_pool_shape(x.shape, output_size=output_size)
    check_cotangent(g, shape, input=x)
    if OBJECT in (g.dtype, x.dtype):
        return adaptive_pooling.adaptive_max_pool_vjp(g, x, output_size=output_size)
    return (_maxima_vjp([g], x, g),)


def adaptive_average_pool_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, output_size: PerAxis
) -> tuple[Array]:
    """`convspec.adaptive_average_pool_vjp`.

    >>> adaptive_average_pool_vjp([[[2.0, 4.0]]], [[[0.0, 0.0, 0.0]]], output_size=2)
    (array([[[1., 3., 2.]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    shape = adaptive_pool_shape(x.shape, output_size=output_size)
    check_cotangent(g, shape, input=x)
    return (_averages_vjp([g], x, g),)


def spatial_pyramid_pool(input: ArrayLike, *, levels: Any, kind: str = "max") -> Array:
    """`convspec.spatial_pyramid_pool`: every level pooled into its place.

    >>> spatial_pyramid_pool([[[1, 5, 2, 4]]], levels=[2, 1])
    array([[5, 4, 5]])
    """
    x = array("input", input)
    sizes = pyramid_levels(x.shape, levels, kind)
    shape = spatial_pyramid_pool_shape(x.shape, levels=sizes, kind=kind)
    if x.dtype == OBJECT:
        return adaptive_pooling.spatial_pyramid_pool(x, levels=sizes, kind=kind)
    how = averaging(x, prod(x.shape[2:]))
    y = numpy.empty(shape, dtype=moved_dtype(x) if kind == "max" else how.output)
    for place in _levels(y, x.shape, sizes):
        if kind == "max":
            _maxima(x, place)
        else:
            _averages(x, place, how)
    return settled(y)


def spatial_pyramid_pool_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, levels: Any, kind: str = "max"
) -> tuple[Array]:
    """`convspec.spatial_pyramid_pool_vjp`: every level back from its place.

    >>> spatial_pyramid_pool_vjp([[1, 10, 100]], [[[1, 5, 2, 4]]], levels=[2, 1])
    (array([[[  0, 101,   0,  10]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    sizes = pyramid_levels(x.shape, levels, kind)
    shape = spatial_pyramid_pool_shape(x.shape, levels=sizes, kind=kind)
    check_cotangent(g, shape, input=x)
    if OBJECT in (g.dtype, x.dtype):
        return adaptive_pooling.spatial_pyramid_pool_vjp(g, x, levels=sizes, kind=kind)
    back = _maxima_vjp if kind == "max" else _averages_vjp
    return (back(list(_levels(g, x.shape, sizes)), x, g),)


def _levels(y: Array, input: Shape, levels: Sequence[int]) -> Iterator[Array]:
    """A view of each level of a pyramid, `(N, C, level, level, ...)`."""
    first = 0
    for level in levels:
        pooled = adaptive_pool_shape(input, output_size=level)
        after = first + prod(pooled[1:])
        yield y[:, first:after].reshape(pooled)
        first = after


def _widest(input: Shape, output: Shape) -> list[int]:
    """The most positions in a window, axis by axis."""
    return [-(-n // o) + 1 for n, o in zip(input[2:], output[2:], strict=True)]


def _region(input: Shape, output: Shape, box: Box) -> Box:
    """The positions that the windows of these outputs cover."""
    return tuple(
        range(adaptive_range(n, o, run[0]).start, adaptive_range(n, o, run[-1]).stop)
        for n, o, run in zip(input[2:], output[2:], box, strict=True)
    )


def _touched(input: Shape, output: Shape, inputs: Box) -> Box:
    """The outputs whose windows reach into these inputs."""
    found = []
    for n, o, run in zip(input[2:], output[2:], inputs, strict=True):
        reading = [i for i in range(o) if _common(adaptive_range(n, o, i), run)]
        found.append(range(reading[0], reading[-1] + 1))
    return tuple(found)


def _common(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _along(axis: int, window: slice) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, window)


def _reduced(x: Array, output: Shape, box: Box, reduce: Callable[[Array, int], Array]) -> Array:
    """The windows of a block of outputs reduced, along the last axis first."""
    region = _region(x.shape, output, box[2:])
    part = x[slices((*box[:2], *region))]
    for axis in reversed(range(2, x.ndim)):
        windows = (
            slice_within(adaptive_range(x.shape[axis], output[axis], i), region[axis - 2])
            for i in box[axis]
        )
        part = numpy.stack([reduce(part[_along(axis, w)], axis) for w in windows], axis=axis)
    return part


def _block_size(x: Array, output: Shape, dtype: numpy.dtype[Any]) -> int:
    """How many outputs to work on: between the last axis and the others there is more."""
    return max(1, block_size(dtype) // prod(_widest(x.shape, output)[:-1]))


def _maxima(x: Array, y: Array) -> None:
    """Write the maxima of all windows to `y`."""
    for box in blocks(whole(y.shape), _block_size(x, y.shape, y.dtype)):
        y[slices(box)] = _reduced(x, y.shape, box, lambda part, axis: part.max(axis=axis))


def _averages(x: Array, y: Array, how: Arithmetic) -> None:
    """Write the averages of all windows to `y`: sums, divided once."""
    lengths = _lengths(x.shape, y.shape)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(y.shape), _block_size(x, y.shape, how.compute)):
            total = _reduced(
                x, y.shape, box, lambda part, axis: part.sum(axis=axis, dtype=how.compute)
            )
            y[slices(box)] = total / counts(lengths, box[2:], how.compute)


def _lengths(input: Shape, output: Shape) -> list[Array]:
    """The number of positions in each window, axis by axis."""
    return [
        numpy.array([len(adaptive_range(n, o, i)) for i in range(o)])
        for n, o in zip(input[2:], output[2:], strict=True)
    ]


def _first_maxima(x: Array, output: Shape, box: Box) -> list[Array]:
    """Where the first maximum, or the first NaN, of each window of a block lies: on each axis.

    Along the last axis first, then among those along the axis before it: first in C order.
    """
    region = _region(x.shape, output, box[2:])
    best = x[slices((*box[:2], *region))]
    places: list[Array] = []
    for axis in reversed(range(2, x.ndim)):
        values, found = [], []
        kept: list[list[Array]] = [[] for _ in places]
        for i in box[axis]:
            window = adaptive_range(x.shape[axis], output[axis], i)
            index = _along(axis, slice_within(window, region[axis - 2]))
            first = numpy.expand_dims(best[index].argmax(axis=axis), axis)
            values.append(numpy.take_along_axis(best[index], first, axis=axis))
            found.append(first + window.start)
            for place, parts in zip(places, kept, strict=True):
                parts.append(numpy.take_along_axis(place[index], first, axis=axis))
        best = numpy.concatenate(values, axis=axis)
        places = [
            numpy.concatenate(found, axis=axis),
            *(numpy.concatenate(parts, axis=axis) for parts in kept),
        ]
    return places


def _maxima_vjp(levels: Levels, x: Array, cotangent: Array) -> Array:
    """Each output's cotangent added where its maximum was first found."""
    terms = sum(prod(g.shape[2:]) for g in levels)
    how = arithmetic((cotangent,), terms, others=(x,))
    if how.output == INT64:
        how = Arithmetic(INT64, INT64)
    d_x = numpy.zeros(x.shape, dtype=how.output)
    # Where storing rounds, the sum of a block of inputs is finished before it is stored.
    most = buffer_size(how.compute) if how.rounds else max(d_x.size, 1)
    with numpy.errstate(all="ignore"):
        for tile in blocks(whole(x.shape), most):
            place = d_x[slices(tile)]
            total = numpy.zeros(place.shape, dtype=how.compute) if how.rounds else place
            for g in levels:
                touched = _touched(x.shape, g.shape, tile[2:])
                size = _block_size(x, g.shape, INT64) // 2
                for box in blocks((*tile[:2], *touched), max(1, size)):
                    _add_at_maxima(total, tile, g, x, box)
            if how.rounds:
                place[...] = total
    return narrowed(d_x, cotangent, x)


def _add_at_maxima(total: Array, tile: Box, g: Array, x: Array, box: Box) -> None:
    """Add the cotangents of a block of outputs to a tile of inputs, where they belong to it."""
    found = _first_maxima(x, g.shape, box)
    shape = found[0].shape
    items, channels, *_ = numpy.ix_(*(numpy.arange(n) for n in shape))
    places = [
        items + box[0].start - tile[0].start,
        channels + box[1].start - tile[1].start,
        *(place - run.start for place, run in zip(found, tile[2:], strict=True)),
    ]
    inside = numpy.ones(shape, dtype=bool)
    for place, run in zip(places, tile, strict=True):
        inside &= (place >= 0) & (place < len(run))
    index = tuple(numpy.broadcast_to(place, shape)[inside] for place in places)
    flat = numpy.ravel_multi_index(index, total.shape)
    numpy.add.at(total.reshape(-1), flat, g[slices(box)][inside].astype(total.dtype))


def _averages_vjp(levels: Levels, x: Array, cotangent: Array) -> Array:
    """Each output's cotangent, divided once, added to all of its window, along one axis after
    another.
    """
    how = averaging(cotangent, 1, others=(x,))
    d_x = numpy.empty(x.shape, dtype=how.output)
    more = max(prod(g.shape[2:]) // prod(x.shape[2:]) for g in levels) + 1
    with numpy.errstate(all="ignore"):
        for tile in blocks(whole(x.shape), max(1, block_size(how.compute) // more)):
            total: Any = 0
            for g in levels:
                total = total + _shared_evenly(g, x.shape, tile, how)
            d_x[slices(tile)] = total
    return d_x


def _shared_evenly(g: Array, input: Shape, tile: Box, how: Arithmetic) -> Array:
    touched = _touched(input, g.shape, tile[2:])
    given = g[slices((*tile[:2], *touched))].astype(how.compute)
    part: Array = given / counts(_lengths(input, g.shape), touched, how.compute)
    for axis, (run, reading) in enumerate(zip(tile[2:], touched, strict=True), start=2):
        spread = numpy.zeros((*part.shape[:axis], len(run), *part.shape[axis + 1 :]), part.dtype)
        for position, i in enumerate(reading):
            window = _common(adaptive_range(input[axis], g.shape[axis], i), run)
            spread[_along(axis, slice_within(window, run))] += part[
                _along(axis, slice(position, position + 1))
            ]
        part = spread
    return part

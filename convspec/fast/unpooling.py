"""The twins of `convspec.unpooling`: values assigned from the last to the first.

A later assignment replaces an earlier one, so that the first of equal indices is what remains.
Then every value finds itself at its place, or else a repeated index carries unequal values.
"""

from __future__ import annotations

from math import prod

import numpy
from numpy.typing import ArrayLike

from convspec import unpooling
from convspec.arguments import Array, PerAxis, Shape, array, check_cotangent
from convspec.fast.arithmetic import INT64, OBJECT
from convspec.fast.blocks import Box, blocks, buffer_size, pieces, slices, whole
from convspec.fast.floating import block_size
from convspec.fast.moves import moved_dtype
from convspec.fast.pooling import settled
from convspec.unpooling import max_unpool_shape, switches


def max_unpool(values: ArrayLike, indices: ArrayLike, *, output_size: PerAxis) -> Array:
    """`convspec.max_unpool`.

    >>> max_unpool([[[5, 4]]], [[[1, 3]]], output_size=4)
    array([[[0, 5, 0, 4]]])
    """
    values, indices = array("values", values), array("indices", indices)
    shape = max_unpool_shape(values.shape, indices.shape, output_size=output_size)
    if values.dtype == OBJECT:
        return unpooling.max_unpool(values, indices, output_size=output_size)
    _check_range(values, indices, shape)
    y = numpy.zeros(shape, dtype=moved_dtype(values))
    flat = y.reshape(-1)
    parts = _parts(values.shape)
    for box in reversed(parts):
        places = _places(indices, box, shape)
        flat[places[::-1]] = values[slices(box)].reshape(-1)[::-1]
    for box in parts:
        _check_equal(flat[_places(indices, box, shape)], values, indices, box, shape)
    return settled(y)


def max_unpool_vjp(
    cotangent: ArrayLike, values: ArrayLike, indices: ArrayLike, *, output_size: PerAxis
) -> tuple[Array]:
    """`convspec.max_unpool_vjp`.

    >>> max_unpool_vjp([[[1, 2, 3, 4]]], [[[5, 4, 5]]], [[[1, 3, 1]]], output_size=4)
    (array([[[2, 4, 0]]]),)
    """
    g, values, indices = (
        array("cotangent", cotangent),
        array("values", values),
        array("indices", indices),
    )
    shape = max_unpool_shape(values.shape, indices.shape, output_size=output_size)
    check_cotangent(g, shape, values=values, indices=indices)
    if OBJECT in (g.dtype, values.dtype):
        return unpooling.max_unpool_vjp(g, values, indices, output_size=output_size)
    _check_range(values, indices, shape)
    d_v = numpy.zeros(values.shape, dtype=moved_dtype(g, values))
    volume = prod(shape[2:])
    for planes in blocks(whole(shape[:2]), max(1, buffer_size(INT64) // volume)):
        parts = [(*planes, *box) for box in _parts(values.shape[2:])]
        start = int(numpy.ravel_multi_index([run.start for run in planes], shape[:2])) * volume
        size = len(planes[0]) * len(planes[1]) * volume
        for span in pieces(range(start, start + size), buffer_size(INT64)):
            _first_values(d_v, g, values, indices, parts, span)
    return (settled(d_v),)


def _first_values(
    d_v: Array, g: Array, values: Array, indices: Array, parts: list[Box], span: range
) -> None:
    """Write the cotangents of the values that fill a span of the output, and fill it first."""
    first = numpy.zeros(len(span), dtype=INT64)
    held = numpy.zeros(len(span), dtype=values.dtype)
    for box in reversed(parts):
        places, inside, order = _inside(values, indices, box, g.shape, span)
        first[places[::-1]] = order[::-1]
        held[places[::-1]] = values[slices(box)].reshape(-1)[inside][::-1]
    for box in parts:
        places, inside, order = _inside(values, indices, box, g.shape, span)
        kept = values[slices(box)].reshape(-1).copy()
        kept[inside] = held[places]
        _check_equal(kept, values, indices, box, g.shape)
        chosen = numpy.zeros(kept.shape, dtype=bool)
        chosen[inside] = first[places] == order
        chosen = chosen.reshape([len(run) for run in box])
        places = places[first[places] == order] + span.start
        d_v[slices(box)][chosen] = g[numpy.unravel_index(places, g.shape)]


def _inside(
    values: Array, indices: Array, box: Box, shape: Shape, span: range
) -> tuple[Array, Array, Array]:
    """Of a block of values: the places of those in a span of the output, from its start; which
    they are; and their order among all values.
    """
    places = _places(indices, box, shape) - span.start
    inside = (places >= 0) & (places < len(span))
    order = numpy.ravel_multi_index(numpy.ix_(*box), values.shape).reshape(-1)
    return places[inside], inside, order[inside]


def _parts(shape: Shape) -> list[Box]:
    """Blocks of values, in order."""
    return list(blocks(whole(shape), block_size(INT64)))


def _places(indices: Array, box: Box, shape: Shape) -> Array:
    """The flat places in the whole output that a block of indices names."""
    volume = prod(shape[2:])
    planes = numpy.ravel_multi_index(numpy.ix_(*box[:2]), shape[:2]) * volume
    chosen = indices[slices(box)].astype(INT64)
    return (chosen + planes.reshape(*planes.shape, *(1,) * (len(box) - 2))).reshape(-1)


def _check_range(values: Array, indices: Array, shape: Shape) -> None:
    """Refuse what the definition refuses, which names the place."""
    volume = prod(shape[2:])
    outside = indices.size and (indices.min() < 0 or indices.max() >= volume)
    if indices.dtype.kind not in "iu" or outside:
        switches(values, indices, shape)


def _check_equal(found: Array, values: Array, indices: Array, box: Box, shape: Shape) -> None:
    given = values[slices(box)].reshape(-1)
    if not numpy.array_equal(found, given.astype(found.dtype), equal_nan=given.dtype.kind == "f"):
        switches(values, indices, shape)

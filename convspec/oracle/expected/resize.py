"""Resizing and rearrangement, and what was pooled put back in its place."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.oracle.expected.numbers import constants, wide
from convspec.oracle.expected.sliding import conv, conv_vjp
from convspec.oracle.expected.taps import (
    Taps,
    enlarged_axis,
    enlarged_taps,
    multiplied,
    spread,
    summed,
)


def _flat(x: Array) -> Array:
    return wide(x).reshape(*x.shape[:2], prod(x.shape[2:]))


def _enlarged(
    spatial: Shape, scale: Shape, kind: str, coordinates: str, like: Array
) -> tuple[Taps, Array]:
    """The taps of an enlarged input and their weights, in the numbers of `like`."""
    axes = [
        constants(enlarged_axis(n, s, kind, coordinates)[1], like)
        for n, s in zip(spatial, scale, strict=True)
    ]
    return enlarged_taps(spatial, scale, kind, coordinates), multiplied(axes)


def upsample(
    input: Array, *, scale: Shape, kind: str = "nearest", coordinates: str = "half_pixel"
) -> Array:
    """`convspec.upsample`."""
    x = _flat(input)
    read, weight = _enlarged(input.shape[2:], scale, kind, coordinates, x)
    sizes = (n * s for n, s in zip(input.shape[2:], scale, strict=True))
    return summed(x, read, weight).reshape(*input.shape[:2], *sizes)


def upsample_vjp(
    cotangent: Array,
    input: Array,
    *,
    scale: Shape,
    kind: str = "nearest",
    coordinates: str = "half_pixel",
) -> tuple[Array]:
    """`convspec.upsample_vjp`."""
    g = _flat(cotangent)
    read, weight = _enlarged(input.shape[2:], scale, kind, coordinates, g)
    return (spread(g[:, :, None] * weight, read).reshape(input.shape),)


def resize_conv(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    padding: Any,
    **resizing: Any,
) -> Array:
    """`convspec.resize_conv`."""
    return conv(upsample(input, **resizing), weight, bias, padding=padding)


def resize_conv_vjp(
    cotangent: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    padding: Any,
    **resizing: Any,
) -> tuple[Array, ...]:
    """`convspec.resize_conv_vjp`."""
    between = upsample(input, **resizing)
    d_between, *others = conv_vjp(cotangent, between, weight, bias, padding=padding)
    return (*upsample_vjp(d_between, input, **resizing), *others)


def _stuffed(spatial: Shape, count: Shape) -> tuple[slice, ...]:
    """Where the elements lie among the zeros, after batch and channels."""
    axes = (
        slice(None, (n - 1) * (zeros + 1) + 1, zeros + 1)
        for n, zeros in zip(spatial, count, strict=True)
    )
    return (slice(None), slice(None), *axes)


def insert_zeros(input: Array, *, count: Shape) -> Array:
    """`convspec.insert_zeros`."""
    place = _stuffed(input.shape[2:], count)
    y = numpy.zeros((*input.shape[:2], *(axis.stop for axis in place[2:])))
    y[place] = input
    return y


def insert_zeros_vjp(cotangent: Array, input: Array, *, count: Shape) -> tuple[Array]:
    """`convspec.insert_zeros_vjp`."""
    return (wide(cotangent)[_stuffed(input.shape[2:], count)],)


def pixel_shuffle(input: Array, *, factor: Shape) -> Array:
    """`convspec.pixel_shuffle`: each factor's axis beside the spatial axis that it widens."""
    rank, (batch, channels, *spatial) = len(factor), input.shape
    apart = wide(input).reshape(batch, channels // prod(factor), *factor, *spatial)
    order = [axis for i in range(rank) for axis in (2 + rank + i, 2 + i)]
    sizes = (n * f for n, f in zip(spatial, factor, strict=True))
    return apart.transpose(0, 1, *order).reshape(batch, channels // prod(factor), *sizes)


def pixel_shuffle_vjp(cotangent: Array, input: Array, *, factor: Shape) -> tuple[Array]:
    """`convspec.pixel_shuffle_vjp`."""
    rank = len(factor)
    apart = [size for n, f in zip(input.shape[2:], factor, strict=True) for size in (n, f)]
    g = wide(cotangent).reshape(*cotangent.shape[:2], *apart)
    factors, sizes = range(3, 3 + 2 * rank, 2), range(2, 2 + 2 * rank, 2)
    return (g.transpose(0, 1, *factors, *sizes).reshape(input.shape),)


def max_unpool(values: Array, indices: Array, *, output_size: Shape) -> Array:
    """`convspec.max_unpool`."""
    y = numpy.zeros((*values.shape[:2], prod(output_size)))
    flat = (*values.shape[:2], prod(values.shape[2:]))
    numpy.put_along_axis(y, indices.reshape(flat), wide(values).reshape(flat), axis=2)
    return y.reshape(*values.shape[:2], *output_size)


def max_unpool_vjp(
    cotangent: Array, values: Array, indices: Array, *, output_size: Shape
) -> tuple[Array]:
    """`convspec.max_unpool_vjp`: of several that fill one place, the first alone."""
    del output_size  # the cotangent has it
    flat = (*values.shape[:2], prod(values.shape[2:]))
    index = indices.reshape(flat)
    read = numpy.take_along_axis(_flat(cotangent), index, axis=2)
    first = [(index[..., :i] != index[..., i, None]).all(axis=2) for i in range(flat[2])]
    d_values = numpy.where(numpy.stack(first, axis=2), read, 0.0)
    return (d_values.reshape(values.shape),)


def flatten(input: Array) -> Array:
    """`convspec.flatten`."""
    return wide(input).reshape(len(input), prod(input.shape[1:]))


def flatten_vjp(cotangent: Array, input: Array) -> tuple[Array]:
    """`convspec.flatten_vjp`."""
    return (wide(cotangent).reshape(input.shape),)

"""The twins of `convspec.resize`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import product
from math import prod
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec import resize
from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    optional_array,
)
from convspec.coordinates import interpolation_taps
from convspec.fast.arithmetic import Arithmetic, arithmetic, jointly, narrowed
from convspec.fast.blocks import Box, blocks, buffer_size, last_axes, pieces, slices, whole
from convspec.fast.floating import block_size, double, floats
from convspec.fast.products import input_product, output_product, weight_product
from convspec.fast.sums import channel_sums
from convspec.fast.tiles import input_tile, output_tile, tile_size
from convspec.resize import resize_conv_shape, resize_conv_windows, upsample_shape
from convspec.window import Window, output_sizes

# For each output position of an axis, what it reads: `coordinates.interpolation_taps`.
AxisTaps = Sequence[Sequence[tuple[int, Any]]]


def upsample(
    input: ArrayLike,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    coordinates: str = "half_pixel",
) -> Array:
    """`convspec.upsample`: all outputs read one neighbour at a time.

    >>> upsample([[[1, 2]]], scale=2)
    array([[[1, 1, 2, 2]]])
    >>> upsample([[[0.0, 4.0]]], scale=2, kind="linear")
    array([[[0., 1., 3., 4.]]])
    """
    x = array("input", input)
    shape = upsample_shape(x.shape, scale=scale, kind=kind, coordinates=coordinates)
    if kind == "linear" and not floats(x):
        return resize.upsample(x, scale=scale, kind=kind, coordinates=coordinates)
    how = _how(kind, arithmetic((x,), 1), x)
    axes = _axes(x.shape, shape, kind, coordinates)
    y = numpy.empty(shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(shape), block_size(how.compute)):
            y[slices(box)] = _enlarged(x[slices(box[:2])], axes, box[2:], how)
    return narrowed(y, x)


def upsample_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    coordinates: str = "half_pixel",
) -> tuple[Array]:
    """`convspec.upsample_vjp`: gathered along one axis after another.

    >>> upsample_vjp([[[1, 2, 3, 4]]], [[[0, 0]]], scale=2)
    (array([[[3, 7]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    shape = upsample_shape(x.shape, scale=scale, kind=kind, coordinates=coordinates)
    check_cotangent(g, shape, input=x)
    if kind == "linear" and not floats(g, x):
        return resize.upsample_vjp(g, x, scale=scale, kind=kind, coordinates=coordinates)
    axes = _axes(x.shape, shape, kind, coordinates)
    how = _how(kind, arithmetic((g,), _readers(x.shape, shape), others=(x,)), g, x)
    d_x = numpy.empty(x.shape, dtype=how.output)
    most = tile_size(how.compute, prod(shape[2:]) // prod(x.shape[2:]))
    with numpy.errstate(all="ignore"):
        for batch, channels, *box in blocks(whole(x.shape), most):
            region = _region(axes, tuple(box))
            given = g[slices((batch, channels, *region))].astype(how.compute)
            d_x[slices((batch, channels, *box))] = _gathered(given, axes, tuple(box), region)
    return (narrowed(d_x, g, x),)


def _how(kind: str, nearest: Arithmetic, *operands: Array) -> Arithmetic:
    """How to compute: weights that round ask for at least float64."""
    return nearest if kind == "nearest" else double(*operands)


def _axes(input: Shape, output: Shape, kind: str, coordinates: str) -> list[AxisTaps]:
    return [
        _axis(n, size, kind, coordinates) for n, size in zip(input[2:], output[2:], strict=True)
    ]


@lru_cache(maxsize=64)
def _axis(n: int, size: int, kind: str, coordinates: str) -> AxisTaps:
    return tuple(
        tuple(interpolation_taps(n, size // n, i, kind=kind, coordinates=coordinates))
        for i in range(size)
    )


def _readers(input: Shape, output: Shape) -> int:
    """A bound on how many outputs read an input position, over all axes."""
    return prod(3 * (m // n) for n, m in zip(input[2:], output[2:], strict=True))


def _enlarged(x: Array, axes: Sequence[AxisTaps], outputs: Box, how: Arithmetic) -> Array:
    """A block of outputs `(n, c, *outputs)`: the sum over the neighbours on every axis.

    A neighbour whose weight is 0 does not exist, and need not be finite.
    """
    chosen = [taps[run.start : run.stop] for taps, run in zip(axes, outputs, strict=True)]
    shape = (*x.shape[:2], *map(len, outputs))
    if all(len(reading) == 1 and reading[0][1] == 1 for taps in chosen for reading in taps):
        places = [[reading[0][0] for reading in taps] for taps in chosen]
        return x[last_axes(numpy.ix_(*places))].astype(how.compute)
    total = numpy.zeros(shape, dtype=how.compute)
    for corner in product(range(2), repeat=len(chosen)):
        sides = [_neighbours(taps, side) for taps, side in zip(chosen, corner, strict=True)]
        weight: Array = reduce(numpy.multiply.outer, [weights for _, weights in sides])
        read = x[last_axes(numpy.ix_(*(places for places, _ in sides)))]
        term = numpy.zeros(shape, dtype=how.compute)
        numpy.multiply(read.astype(how.compute), weight, out=term, where=weight != 0)
        total += term
    return total


def _neighbours(taps: AxisTaps, side: int) -> tuple[Array, Array]:
    """Position and weight of the first or second neighbour of each output; weight 0 for none."""
    found = [reading[side] if side < len(reading) else (reading[0][0], 0) for reading in taps]
    return (
        numpy.array([position for position, _ in found], dtype=numpy.intp),
        numpy.array([float(weight) for _, weight in found], dtype=numpy.float64),
    )


def _region(axes: Sequence[AxisTaps], inputs: Box) -> Box:
    """The outputs that read these inputs."""
    found = []
    for taps, run in zip(axes, inputs, strict=True):
        reading = [i for i, read in enumerate(taps) if any(a in run for a, _ in read)]
        found.append(range(reading[0], reading[-1] + 1))
    return tuple(found)


def _gathered(g: Array, axes: Sequence[AxisTaps], inputs: Box, outputs: Box) -> Array:
    """The cotangents of a block of inputs from those of the outputs that read it."""
    part = g
    for axis, (taps, run, region) in enumerate(zip(axes, inputs, outputs, strict=True)):
        moved = numpy.moveaxis(part, axis + 2, 0)
        gathered = numpy.zeros((len(run), *moved.shape[1:]), dtype=g.dtype)
        for position, i in enumerate(region):
            for a, weight in taps[i]:
                if a in run:
                    share = moved[position] if weight == 1 else float(weight) * moved[position]
                    gathered[a - run.start] += share
        part = numpy.moveaxis(gathered, 0, axis + 2)
    return part


def resize_conv(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    padding: Padding = 0,
) -> Array:
    """`convspec.resize_conv`: the two steps on a tile of outputs at a time.

    >>> resize_conv([[[1, 2]]], [[[1, 10]]], scale=2)
    array([[[11, 21, 22]]])
    """
    x, w = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    operands = (x, w) if bias is None else (x, w, bias)
    shapes = (operand.shape for operand in operands)
    sliding = resize_conv_windows(*shapes, scale=scale, kind=kind, padding=padding)
    if kind == "linear" and not floats(*operands):
        return resize.resize_conv(x, w, bias, scale=scale, kind=kind, padding=padding)
    between = upsample_shape(x.shape, scale=scale, kind=kind)
    axes = _axes(x.shape, between, kind, "half_pixel")
    how = _how(kind, arithmetic((x, w), w[0].size, addend=bias), *operands)
    unrounded = Arithmetic(how.compute, how.compute)
    sizes = output_sizes(between[2:], sliding)
    y = numpy.empty((len(x), len(w), *sizes), dtype=how.output)
    most = tile_size(how.compute, len(w) + x.shape[1] * prod(w.shape[2:]))
    with numpy.errstate(all="ignore"):
        for batch, *box in blocks(whole((len(x), *sizes)), most):
            reading, windows = output_tile(sliding, between[2:], tuple(box))
            u = _enlarged(x[batch.start : batch.stop], axes, reading, how)
            y[slices((batch, range(len(w)), *box))] = output_product(
                u[:, None],
                w[None],
                None if bias is None else bias[None],
                windows,
                tuple(map(len, box)),
                unrounded,
            )[:, 0]
    return narrowed(y, *operands)


def resize_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    padding: Padding = 0,
) -> tuple[Array, ...]:
    """`convspec.resize_conv_vjp`: back through the two steps, a tile at a time.

    >>> resize_conv_vjp([[[1, 0, 0]]], [[[1, 2]]], [[[3, 4]]], scale=2)
    (array([[[7, 0]]]), array([[[1, 1]]]))
    """
    g, x, w = array("cotangent", cotangent), array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    forward = (x.shape, w.shape) if bias is None else (x.shape, w.shape, bias.shape)
    attributes: dict[str, Any] = {"scale": scale, "kind": kind}
    shape = resize_conv_shape(*forward, padding=padding, **attributes)
    check_cotangent(g, shape, input=x, weight=w, bias=bias)
    if kind == "linear" and not floats(g, x, w, *(() if bias is None else (bias,))):
        return resize.resize_conv_vjp(g, x, w, bias, padding=padding, **attributes)
    sliding = resize_conv_windows(*forward, padding=padding, **attributes)
    axes = _axes(x.shape, upsample_shape(x.shape, **attributes), kind, "half_pixel")
    readers = w[:, 0].size * _readers(x.shape, upsample_shape(x.shape, **attributes))
    exact = jointly(
        arithmetic((g, w), readers, others=(x,)),
        arithmetic((g, x), g[:, 0].size, others=(w,)),
    )
    how = _how(kind, exact, g, x, w)
    with numpy.errstate(all="ignore"):
        d_x = _back_to_input(g, x, w, sliding, axes, how)
        d_w = _back_to_weight(g, x, w, sliding, axes, how)
    gradients = (narrowed(d_x, g, x, w), narrowed(d_w, g, x, w))
    return gradients if bias is None else (*gradients, channel_sums(g, bias))


def _back_to_input(
    g: Array,
    x: Array,
    w: Array,
    sliding: Sequence[Window],
    axes: Sequence[AxisTaps],
    how: Arithmetic,
) -> Array:
    """Through the convolution to what reads a tile of inputs, then to the tile."""
    unrounded = Arithmetic(how.compute, how.compute)
    d_x = numpy.empty(x.shape, dtype=how.output)
    read = prod(map(len, axes)) // prod(x.shape[2:])
    channels, outputs = range(x.shape[1]), range(len(w))
    most = tile_size(how.compute, len(channels) * read)
    for batch, *box in blocks(whole((len(x), *x.shape[2:])), most):
        region = _region(axes, tuple(box))
        touched, windows = input_tile(sliding, g.shape[2:], region)
        given = g[slices((batch, outputs, *touched))][:, None]
        lengths = tuple(map(len, region))
        d_u = input_product(given, w[None], None, windows, lengths, unrounded)[:, 0]
        d_x[slices((batch, channels, *box))] = _gathered(d_u, axes, tuple(box), region)
    return d_x


def _back_to_weight(
    g: Array,
    x: Array,
    w: Array,
    sliding: Sequence[Window],
    axes: Sequence[AxisTaps],
    how: Arithmetic,
) -> Array:
    """The sum over tiles of outputs, for some channels at a time."""
    unrounded = Arithmetic(how.compute, how.compute)
    d_w = numpy.empty(w.shape, dtype=how.output)
    spatial = tuple(map(len, axes))
    taps = prod(w.shape[2:])
    for channels in pieces(range(x.shape[1]), max(1, buffer_size(how.compute) // (len(w) * taps))):
        total = numpy.zeros((1, len(w), len(channels), *w.shape[2:]), dtype=how.compute)
        most = tile_size(how.compute, len(channels) * taps)
        for batch, *box in blocks(whole((len(x), *g.shape[2:])), most):
            reading, windows = output_tile(sliding, spatial, tuple(box))
            u = _enlarged(x[slices((batch, channels))], axes, reading, how)[:, None]
            given = g[slices((batch, range(len(w)), *box))][:, None]
            total += weight_product(given, u, windows, w.shape[2:], unrounded)
        d_w[:, channels.start : channels.stop] = total[0]
    return d_w

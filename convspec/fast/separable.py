"""The twins of `convspec.separable`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    optional_array,
    optional_shape,
)
from convspec.fast.arithmetic import Arithmetic, arithmetic, jointly, narrowed
from convspec.fast.blocks import blocks, pieces, slices, whole
from convspec.fast.convolution import conv, conv_vjp
from convspec.fast.products import input_product, output_product, weight_product
from convspec.fast.sums import channel_sums
from convspec.fast.tiles import input_tile, output_tile, tile_size
from convspec.separable import (
    depthwise_conv_windows,
    depthwise_separable_conv_shape,
    depthwise_separable_conv_windows,
    pointwise_conv_shape,
)
from convspec.window import Window, output_sizes


def depthwise_conv(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """`convspec.depthwise_conv`: `conv` with as many groups as channels.

    >>> depthwise_conv([[[1, 2], [3, 4]]], [[[1]], [[10]]])
    array([[[ 1,  2],
            [30, 40]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    depthwise_conv_windows(input.shape, weight.shape, optional_shape(bias), **attributes)
    return conv(input, weight, bias, groups=input.shape[1], **attributes)


def depthwise_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Array, ...]:
    """`convspec.depthwise_conv_vjp`: that of `conv` with as many groups as channels.

    >>> depthwise_conv_vjp([[[1], [10]]], [[[2]]], [[[3]], [[4]]])
    (array([[[43]]]), array([[[ 2]],
           [[20]]]))
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    depthwise_conv_windows(input.shape, weight.shape, optional_shape(bias), **attributes)
    return conv_vjp(cotangent, input, weight, bias, groups=input.shape[1], **attributes)


def pointwise_conv(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    """`convspec.pointwise_conv`: `conv` with a kernel of size 1.

    >>> pointwise_conv([[[1, 2], [3, 4]]], [[1, 10]], [100])
    array([[[131, 142]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    pointwise_conv_shape(input.shape, weight.shape, optional_shape(bias))
    return conv(input, _one_tap(weight, input.ndim - 2), bias)


def pointwise_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
) -> tuple[Array, ...]:
    """`convspec.pointwise_conv_vjp`: that of `conv` with a kernel of size 1.

    >>> pointwise_conv_vjp([[[1, 10]]], [[[2, 3]]], [[4]])
    (array([[[ 4, 40]]]), array([[32]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    shape = pointwise_conv_shape(input.shape, weight.shape, optional_shape(bias))
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    d_x, d_w, *d_b = conv_vjp(cotangent, input, _one_tap(weight, input.ndim - 2), bias)
    return (d_x, d_w.reshape(weight.shape), *d_b)


def _one_tap(weight: Array, rank: int) -> Array:
    """A view of `weight (O, C)` as that of a convolution with a kernel of size 1."""
    return weight.reshape(*weight.shape, *(1,) * rank)


def depthwise_separable_conv(
    input: ArrayLike,
    depthwise: ArrayLike,
    pointwise: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Array:
    """`convspec.depthwise_separable_conv`: the two steps on a tile of outputs at a time.

    >>> depthwise_separable_conv([[[1, 2], [3, 4]]], [[[1, 1]], [[0, 1]]], [[1, 10]], [100])
    array([[[143]]])
    """
    input, depthwise, pointwise = (
        array("input", input),
        array("depthwise", depthwise),
        array("pointwise", pointwise),
    )
    bias = optional_array("bias", bias)
    sliding = depthwise_separable_conv_windows(
        input.shape,
        depthwise.shape,
        pointwise.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    sizes = output_sizes(input.shape[2:], sliding)
    how = arithmetic((input, depthwise, pointwise), depthwise.size, addend=bias)
    unrounded = Arithmetic(how.compute, how.compute)
    x, w, v = _laid_out(input, depthwise, pointwise)
    y = numpy.empty((len(input), len(pointwise), *sizes), dtype=how.output)
    most = tile_size(how.compute, len(depthwise) + len(pointwise))
    with numpy.errstate(all="ignore"):
        for batch, *box in blocks(whole((len(input), *sizes)), most):
            outputs = tuple(map(len, box))
            reading, windows = output_tile(sliding, input.shape[2:], tuple(box))
            tile = x[slices((batch, *whole(x.shape[1:3]), *reading))]
            u = output_product(tile, w, None, windows, outputs, unrounded)
            mixed = output_product(
                u.reshape(len(batch), 1, len(depthwise), *outputs),
                v,
                None if bias is None else bias[None],
                _still(sizes),
                outputs,
                unrounded,
            )
            y[slices((batch, range(len(pointwise)), *box))] = mixed[:, 0]
    operands = (input, depthwise, pointwise, *(() if bias is None else (bias,)))
    return narrowed(y, *operands)


def _laid_out(input: Array, depthwise: Array, pointwise: Array) -> tuple[Array, Array, Array]:
    """Views as `products` take them: `x (N, C, 1, *spatial)` and `w (C, m, 1, *kernel)` for the
    first step, `v (1, O, C m, 1, ...)` for the second.
    """
    channels = input.shape[1]
    w = depthwise.reshape(channels, len(depthwise) // channels, *depthwise.shape[1:])
    return input[:, :, None], w, _one_tap(pointwise, input.ndim - 2)[None]


def _still(sizes: Shape) -> tuple[Window, ...]:
    """The windows of a convolution with a kernel of size 1."""
    return (Window(1),) * len(sizes)


def depthwise_separable_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    depthwise: ArrayLike,
    pointwise: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Array, ...]:
    """`convspec.depthwise_separable_conv_vjp`: back through the two steps, some channels and a
    tile of outputs, then of inputs, at a time.

    >>> depthwise_separable_conv_vjp([[[1]]], [[[2, 3]]], [[[4, 5]]], [[6]])
    (array([[[24, 30]]]), array([[[12, 18]]]), array([[23]]))
    """
    cotangent, input, depthwise, pointwise = (
        array("cotangent", cotangent),
        array("input", input),
        array("depthwise", depthwise),
        array("pointwise", pointwise),
    )
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    optional = () if bias is None else (bias.shape,)
    forward = (input.shape, depthwise.shape, pointwise.shape, *optional)
    shape = depthwise_separable_conv_shape(*forward, **attributes)
    check_cotangent(
        cotangent, shape, input=input, depthwise=depthwise, pointwise=pointwise, bias=bias
    )
    sliding = depthwise_separable_conv_windows(*forward, **attributes)
    operands = (cotangent, input, depthwise, pointwise)
    how = _how(*operands)
    x, w, v = _laid_out(input, depthwise, pointwise)
    d_x, d_w, d_v = (numpy.zeros(operand.shape, dtype=how.output) for operand in (x, w, v))
    each = w.shape[1] * (v.shape[1] + prod(w.shape[3:]))
    with numpy.errstate(all="ignore"):
        for channels in pieces(range(x.shape[1]), tile_size(how.compute, each)):
            wide = range(channels.start * w.shape[1], channels.stop * w.shape[1])
            mixing = v[:, :, wide.start : wide.stop]
            own = w[slices((channels,))]
            seen = x[:, channels.start : channels.stop]
            g = cotangent[:, None]
            d_own, d_mixing = _back_to_weights(g, seen, own, mixing, sliding, how)
            d_w[slices((channels,))] = d_own
            d_v[:, :, wide.start : wide.stop] = d_mixing
            _back_to_input(g, d_x[:, channels.start : channels.stop], own, mixing, sliding, how)
    gradients = tuple(
        narrowed(d.reshape(operand.shape), *operands)
        for d, operand in zip((d_x, d_w, d_v), operands[1:], strict=True)
    )
    return gradients if bias is None else (*gradients, channel_sums(cotangent, bias))


def _how(cotangent: Array, input: Array, depthwise: Array, pointwise: Array) -> Arithmetic:
    """One arithmetic in which all three cotangents are exact on integers."""
    sums = {
        pointwise.size * prod(depthwise.shape[2:]): (cotangent, depthwise, pointwise),
        cotangent.size: (cotangent, input, pointwise),
        cotangent[:, 0].size * prod(depthwise.shape[2:]): (cotangent, input, depthwise),
    }
    operands = (cotangent, input, depthwise, pointwise)
    return jointly(*(arithmetic(given, n, others=operands) for n, given in sums.items()))


def _back_to_weights(
    g: Array, x: Array, w: Array, v: Array, sliding: Sequence[Window], how: Arithmetic
) -> tuple[Array, Array]:
    """The cotangents of `w` and `v` for some channels, tile by tile of outputs."""
    unrounded = Arithmetic(how.compute, how.compute)
    d_w, d_v = (numpy.zeros(operand.shape, dtype=how.compute) for operand in (w, v))
    sizes, outputs = g.shape[3:], range(v.shape[1])
    most = tile_size(how.compute, 2 * v.shape[2] + v.shape[1])
    for batch, *box in blocks(whole((len(x), *sizes)), most):
        lengths = tuple(map(len, box))
        reading, windows = output_tile(sliding, x.shape[3:], tuple(box))
        tile = x[slices((batch, *whole(x.shape[1:3]), *reading))]
        given = g[slices((batch, range(1), outputs, *box))]
        u = output_product(tile, w, None, windows, lengths, unrounded)
        mixed = u.reshape(len(batch), 1, v.shape[2], *lengths)
        d_v += weight_product(given, mixed, _still(sizes), v.shape[3:], unrounded)
        d_u = input_product(given, v, None, _still(sizes), lengths, unrounded)
        d_w += weight_product(d_u.reshape(u.shape), tile, windows, w.shape[3:], unrounded)
    return d_w, d_v


def _back_to_input(
    g: Array, d_x: Array, w: Array, v: Array, sliding: Sequence[Window], how: Arithmetic
) -> None:
    """Write the cotangent of the input for some channels, tile by tile."""
    unrounded = Arithmetic(how.compute, how.compute)
    spatial, outputs = d_x.shape[3:], range(v.shape[1])
    # Beside a tile of inputs, the cotangents of what reads it: a window more on every side.
    most = tile_size(how.compute, 2 * (v.shape[2] + v.shape[1]))
    for batch, *box in blocks(whole((len(d_x), *spatial)), most):
        touched, windows = input_tile(sliding, g.shape[3:], tuple(box))
        lengths = tuple(map(len, touched))
        given = g[slices((batch, range(1), outputs, *touched))]
        d_u = input_product(given, v, None, _still(spatial), lengths, unrounded)
        d_u = d_u.reshape(len(batch), *w.shape[:2], *lengths)
        place = d_x[slices((batch, *whole(d_x.shape[1:3]), *box))]
        place[...] = input_product(d_u, w, None, windows, tuple(map(len, box)), unrounded)

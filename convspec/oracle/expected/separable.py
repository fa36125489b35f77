"""Convolutions taken apart, those with weights of their own at every position, and dense maps."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import call_windows
from convspec.oracle.cases.tables import gathered
from convspec.oracle.expected.numbers import wide
from convspec.oracle.expected.sliding import conv, conv_vjp
from convspec.oracle.expected.taps import Taps, sliding_taps, spread


def depthwise_conv(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`convspec.depthwise_conv`: as many groups as channels."""
    return conv(input, weight, bias, groups=input.shape[1], **attributes)


def depthwise_conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """`convspec.depthwise_conv_vjp`."""
    return conv_vjp(cotangent, input, weight, bias, groups=input.shape[1], **attributes)


def _pixels(x: Array) -> Array:
    """`(N, C, *spatial)` as `(N, C, positions)`."""
    return wide(x).reshape(*x.shape[:2], prod(x.shape[2:]))


def pointwise_conv(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """`convspec.pointwise_conv`: a matrix at every position."""
    y = wide(weight) @ _pixels(input)
    if bias is not None:
        y = y + wide(bias)[:, None]
    return y.reshape(len(input), len(weight), *input.shape[2:])


def pointwise_conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None
) -> tuple[Array, ...]:
    """`convspec.pointwise_conv_vjp`."""
    g, x = _pixels(cotangent), _pixels(input)
    d_input = (wide(weight).T @ g).reshape(input.shape)
    d_weight = (g @ x.swapaxes(1, 2)).sum(axis=0)
    return (d_input, d_weight) if bias is None else (d_input, d_weight, g.sum(axis=(0, 2)))


def depthwise_separable_conv(
    input: Array, depthwise: Array, pointwise: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`convspec.depthwise_separable_conv`: one after the other."""
    return pointwise_conv(depthwise_conv(input, depthwise, **attributes), pointwise, bias)


def depthwise_separable_conv_vjp(
    cotangent: Array,
    input: Array,
    depthwise: Array,
    pointwise: Array,
    bias: Array | None = None,
    **attributes: Any,
) -> tuple[Array, ...]:
    """`convspec.depthwise_separable_conv_vjp`."""
    between = depthwise_conv(input, depthwise, **attributes)
    d_between, d_pointwise, *d_bias = pointwise_conv_vjp(cotangent, between, pointwise, bias)
    d_input, d_depthwise = depthwise_conv_vjp(d_between, input, depthwise, **attributes)
    return (d_input, d_depthwise, d_pointwise, *d_bias)


def _outer(factors: list[Array], channels: int) -> Array:
    """The kernel that factors make, once for each channel."""
    kernel = reduce(numpy.multiply.outer, map(wide, factors))
    return numpy.broadcast_to(kernel, (channels, 1, *kernel.shape))


def spatially_separable_conv(input: Array, factors: list[Array], **attributes: Any) -> Array:
    """`convspec.spatially_separable_conv`: the outer product of the factors for every channel."""
    return depthwise_conv(input, _outer(factors, input.shape[1]), **attributes)


def spatially_separable_conv_vjp(
    cotangent: Array, input: Array, factors: list[Array], **attributes: Any
) -> tuple[Array, ...]:
    """`convspec.spatially_separable_conv_vjp`."""
    kernels = _outer(factors, input.shape[1])
    d_input, d_kernels = depthwise_conv_vjp(cotangent, input, kernels, **attributes)
    gradients = []
    for axis in range(len(factors)):
        part = d_kernels.sum(axis=(0, 1))
        for other in reversed(range(len(factors))):
            if other != axis:
                part = (numpy.moveaxis(part, other, -1) * wide(factors[other])).sum(axis=-1)
        gradients.append(part)
    return (d_input, *gradients)


def _unshared(input: Array, weight: Array, attributes: dict[str, Any]) -> tuple[Taps, Array, Array]:
    """Taps, what they read, `(N, C, K, T)`, and the weights, `(O, C, K, T)`."""
    rank = input.ndim - 2
    shapes = {"input": input.shape, "weight": weight.shape}
    read = sliding_taps(input.shape[2:], call_windows("locally_connected", shapes, attributes))
    w = wide(weight).reshape(*weight.shape[:2], prod(weight.shape[2 : 2 + rank]), -1)
    return read, gathered(_pixels(input), read.reads, 0.0), w.swapaxes(2, 3)


def locally_connected(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`convspec.locally_connected`."""
    _, x, w = _unshared(input, weight, attributes)
    y: Array = (x[:, None] * w).sum(axis=(2, 3))
    y = y.reshape(*y.shape[:2], *weight.shape[2 : input.ndim])
    return y if bias is None else y + wide(bias)


def locally_connected_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """`convspec.locally_connected_vjp`."""
    read, x, w = _unshared(input, weight, attributes)
    g = _pixels(cotangent)[:, :, None, None]
    d_input = spread((g * w).sum(axis=1), read).reshape(input.shape)
    d_weight = (g * x[:, None]).sum(axis=0).swapaxes(2, 3).reshape(weight.shape)
    gradients = (d_input, d_weight)
    return gradients if bias is None else (*gradients, wide(cotangent).sum(axis=0))


def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """`convspec.linear`."""
    y = wide(input) @ wide(weight).T
    return y if bias is None else y + wide(bias)


def linear_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None
) -> tuple[Array, ...]:
    """`convspec.linear_vjp`."""
    g = wide(cotangent)
    gradients = (g @ wide(weight), g.T @ wide(input))
    return gradients if bias is None else (*gradients, g.sum(axis=0))

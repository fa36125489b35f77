"""Activations, losses and normalizations: the formulas of their definitions, on whole arrays."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.cases.tables import gathered
from convspec.oracle.expected.numbers import constant, exp, log, sqrt, wide
from convspec.oracle.expected.numbers import tanh as hyperbolic_tangent
from convspec.oracle.expected.taps import Taps, channel_taps, spread
from convspec.window import Window


def relu(input: Array) -> Array:
    """`convspec.relu`."""
    positive: Array = numpy.maximum(wide(input), 0.0)
    return positive


def relu_vjp(cotangent: Array, input: Array) -> tuple[Array]:
    """`convspec.relu_vjp`."""
    return (numpy.where(input > 0, wide(cotangent), 0.0),)


def _logistic(x: Array) -> Array:
    """Exponentials of what is not positive alone, which cannot overflow."""
    y: Array = exp(numpy.minimum(x, 0)) / (1 + exp(-abs(x)))
    return y


def sigmoid(input: Array) -> Array:
    """`convspec.sigmoid`."""
    return _logistic(wide(input))


def sigmoid_vjp(cotangent: Array, input: Array) -> tuple[Array]:
    """`convspec.sigmoid_vjp`."""
    x = wide(input)
    return (wide(cotangent) * _logistic(x) * _logistic(-x),)


def tanh(input: Array) -> Array:
    """`convspec.tanh`."""
    return hyperbolic_tangent(wide(input))


def tanh_vjp(cotangent: Array, input: Array) -> tuple[Array]:
    """`convspec.tanh_vjp`."""
    x = wide(input)
    return (4 * wide(cotangent) * _logistic(2 * x) * _logistic(-2 * x),)


def shifted(x: Array, axis: int) -> tuple[Array, Array]:
    """Every number less the largest along an axis, and the sum of the exponentials of these."""
    distance = x - x.max(axis=axis, keepdims=True)
    return distance, exp(distance).sum(axis=axis, keepdims=True)


def softmax(input: Array, *, axis: int = 1) -> Array:
    """`convspec.softmax`."""
    distance, total = shifted(wide(input), axis)
    y: Array = exp(distance) / total
    return y


def softmax_vjp(cotangent: Array, input: Array, *, axis: int = 1) -> tuple[Array]:
    """`convspec.softmax_vjp`."""
    g, y = wide(cotangent), softmax(input, axis=axis)
    return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def dropout(input: Array, mask: Array, *, rate: float) -> Array:
    """`convspec.dropout`."""
    x = wide(input)
    y: Array = mask * x / (1 - constant(rate, x))
    return y


def dropout_vjp(cotangent: Array, input: Array, mask: Array, *, rate: float) -> tuple[Array]:
    """`convspec.dropout_vjp`."""
    del input
    return (dropout(cotangent, mask, rate=rate),)


def cross_entropy(logits: Array, labels: Array) -> Array:
    """`convspec.cross_entropy`."""
    distance, total = shifted(wide(logits), 1)
    lost = log(total[:, 0]) - distance[numpy.arange(len(labels)), labels]
    return numpy.asarray(lost.sum() / len(labels))


def cross_entropy_vjp(cotangent: Array, logits: Array, labels: Array) -> tuple[Array]:
    """`convspec.cross_entropy_vjp`."""
    hot = labels[:, None] == numpy.arange(logits.shape[1])
    return (wide(cotangent)[()] * (softmax(logits) - hot) / len(labels),)


def l2_penalty(weight: Array, *, strength: float) -> Array:
    """`convspec.l2_penalty`."""
    w = wide(weight)
    return numpy.asarray(constant(strength, w) * (w * w).sum() / 2)


def l2_penalty_vjp(cotangent: Array, weight: Array, *, strength: float) -> tuple[Array]:
    """`convspec.l2_penalty_vjp`."""
    w = wide(weight)
    return (constant(strength, w) * w * wide(cotangent)[()],)


def _along(values: Array, like: Array) -> Array:
    """One value a channel, beside arrays with channels on their second axis."""
    return wide(values).reshape(len(values), *(1,) * (like.ndim - 2))


def deviations(variance: Array, epsilon: float) -> Array:
    """The standard deviations of a batch normalization."""
    v = wide(variance)
    return sqrt(v + constant(epsilon, v))


def batch_norm(
    input: Array, mean: Array, variance: Array, scale: Array, shift: Array, *, epsilon: float
) -> Array:
    """`convspec.batch_norm`."""
    slope = wide(scale) / deviations(variance, epsilon)
    centred = wide(input) - _along(mean, input)
    y: Array = _along(slope, input) * centred + _along(shift, input)
    return y


def batch_norm_vjp(
    cotangent: Array,
    input: Array,
    mean: Array,
    variance: Array,
    scale: Array,
    shift: Array,
    *,
    epsilon: float,
) -> tuple[Array, ...]:
    """`convspec.batch_norm_vjp`."""
    del shift
    g, s = wide(cotangent), deviations(variance, epsilon)
    slope = wide(scale) / s
    others = tuple(axis for axis in range(g.ndim) if axis != 1)
    total, centred = g.sum(axis=others), g * (wide(input) - _along(mean, input))
    drawn = centred.sum(axis=others)
    return (
        _along(slope, input) * g,
        -slope * total,
        -slope * drawn / (2 * s * s),
        drawn / s,
        total,
    )


def channels_last(x: Array) -> Array:
    """`(N, C, *spatial)` as `(N, positions, C)`."""
    return wide(x).reshape(*x.shape[:2], prod(x.shape[2:])).swapaxes(1, 2)


def channels_second(x: Array, shape: tuple[int, ...]) -> Array:
    """`(N, positions, C)` in a shape `(N, C, *spatial)`."""
    return x.swapaxes(1, 2).reshape(shape)


def energies(x: Array, *, size: int, alpha: float, beta: float, k: float) -> tuple[Taps, Array]:
    """The taps and sums of a local response normalization of `(N, positions, C)`."""
    del beta  # the power comes after
    read = channel_taps(x.shape[2], Window(size, low=(size - 1) // 2))
    squares = gathered(x * x, read.reads, 0.0).sum(axis=2)
    return read, constant(k, x) + constant(alpha, x) * squares / size


def local_response_normalization(input: Array, **attributes: Any) -> Array:
    """`convspec.local_response_normalization`."""
    x = channels_last(input)
    _, energy = energies(x, **attributes)
    return channels_second(x * energy ** constant(-attributes["beta"], x), input.shape)


def local_response_normalization_vjp(
    cotangent: Array, input: Array, **attributes: Any
) -> tuple[Array]:
    """`convspec.local_response_normalization_vjp`."""
    g, x = channels_last(cotangent), channels_last(input)
    read, energy = energies(x, **attributes)
    beta = constant(attributes["beta"], x)
    falling = g * x * energy ** (-beta - 1)
    neighbours = numpy.broadcast_to(
        falling[:, :, None], (*falling.shape[:2], len(read.reads), falling.shape[2])
    )
    steepness = 2 * constant(attributes["alpha"], x) * beta / attributes["size"]
    d_x = g * energy**-beta - steepness * x * spread(neighbours, read)
    return (channels_second(d_x, input.shape),)

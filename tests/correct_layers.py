"""Correct implementations of operations that are composed, resize, normalise or are elementary,
which differ in the order of sums, in the formula, and in the arithmetic: none may be accused.

Each computes in the dtype that it is given, unless its name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec import fast
from convspec.fast import conv, linear, upsample
from convspec.oracle.cases.tables import gathered
from convspec.oracle.expected.taps import adaptive_taps, enlarged_axis, sliding_taps
from convspec.pooling import pool_windows
from convspec.window import output_sizes

Function = Callable[..., Any]


def checked(name: str, function: Function) -> Function:
    """A function that refuses what the spec refuses."""

    def variant(*operands: Any, **attributes: Any) -> Any:
        getattr(fast, name)(*operands, **attributes)
        with numpy.errstate(all="ignore"):
            result = function(*operands, **attributes)
        dtype = operands[0].dtype
        outputs = result if isinstance(result, tuple) else (result,)
        stored = tuple(numpy.asarray(y, dtype) for y in outputs)
        return stored if isinstance(result, tuple) else stored[0]

    return variant


def read(x: Any, taps: Any) -> Any:
    """`(N, C, T, O)` in the dtype of `x`."""
    flat = x.reshape(*x.shape[:2], -1) if x.size else x.reshape(*x.shape[:2], taps.size)
    return gathered(flat, taps.reads, 0.0).astype(x.dtype)


def merged_weights(x: Any, depthwise: Any, pointwise: Any, bias: Any = None, **a: Any) -> Any:
    """One dense weight, the sum over multipliers first."""
    channels, share = x.shape[1], len(depthwise) // x.shape[1]
    v = pointwise.reshape(len(pointwise), channels, share)
    w = depthwise.reshape(channels, share, *depthwise.shape[2:])
    return conv(x, numpy.einsum("ocq,cq...->oc...", v, w).astype(x.dtype), bias, **a)


def axis_by_axis(x: Any, factors: Any, *, stride: Any, padding: Any) -> Any:
    """One pass an axis, the last axis first."""
    rank, channels = len(factors), x.shape[1]
    for axis in reversed(range(rank)):
        shape = [1] * rank
        shape[axis] = len(factors[axis])
        weight = numpy.broadcast_to(factors[axis].reshape(1, 1, *shape), (channels, 1, *shape))
        x = conv(
            x,
            weight,
            stride=tuple(s if i == axis else 1 for i, s in enumerate(stride)),
            padding=tuple(p if i == axis else (0, 0) for i, p in enumerate(padding)),
            groups=channels,
        )
    return x


def pixel_by_pixel(x: Any, w: Any, bias: Any = None) -> Any:
    y = numpy.einsum("oc,nc...->no...", w[:, ::-1], x[:, ::-1])
    return y if bias is None else y + bias.reshape(-1, *(1,) * (x.ndim - 2))


def norm_of_scaled(x: Any, *, p: float, **attributes: Any) -> Any:
    """Powers of what is divided by the largest first, so that none overflows."""
    windows = pool_windows(x.shape, **attributes)
    values = abs(read(x, sliding_taps(x.shape[2:], windows)))
    largest = values.max(axis=2, keepdims=True)
    safe = numpy.where((largest == 0) | numpy.isinf(largest), 1, largest).astype(x.dtype)
    total = ((values / safe) ** x.dtype.type(p)).sum(axis=2, dtype=x.dtype)
    y = safe[:, :, 0] * total ** x.dtype.type(1 / p)
    return y.reshape(*x.shape[:2], *output_sizes(x.shape[2:], windows))


def average_by_reciprocal(x: Any, *, output_size: Any) -> Any:
    taps = adaptive_taps(x.shape[2:], output_size)
    share = (1 / (taps.reads < taps.size).sum(axis=0)).astype(x.dtype)
    return (read(x, taps).sum(axis=2, dtype=x.dtype) * share).reshape(*x.shape[:2], *output_size)


def by_lerp(x: Any, *, scale: Any, kind: str, coordinates: str) -> Any:
    """Axis by axis, from one neighbour towards the other, with weights of its own dtype."""
    if kind == "nearest":
        for axis, s in enumerate(scale, start=2):
            x = numpy.repeat(x, s, axis)
        return x
    for axis, s in enumerate(scale, start=2):
        positions, weights = enlarged_axis(x.shape[axis], s, "linear", coordinates)
        # A second tap that is not there weighs nothing.
        last = positions[-1]
        low, high = positions[0], numpy.where(last < x.shape[axis], last, positions[0])
        share = numpy.where(high == low, 0, weights[-1]).astype(float).astype(x.dtype)
        along = share.reshape(-1, *(1,) * (x.ndim - 1 - axis))
        one, other = x.take(low, axis), x.take(high, axis)
        weighed = numpy.where(along == 0, one, (1 - along) * one + along * other)
        # The difference of infinities is none: such neighbours are weighed.
        x = numpy.where(numpy.isfinite(one - other), one + along * (other - one), weighed)
    return x


def sigmoid_plainly(x: Any) -> Any:
    return 1 / (1 + numpy.exp(-x))


def sigmoid_vjp_of_the_output(g: Any, x: Any) -> Any:
    y = sigmoid_plainly(x)
    return (g * y * (1 - y),)


def tanh_by_sigmoid(x: Any) -> Any:
    return 2 * sigmoid_plainly(2 * x) - 1


def tanh_vjp_of_the_output(g: Any, x: Any) -> Any:
    y = numpy.tanh(x)
    return (g * (1 - y * y),)


def log_softmax(x: Any, axis: int) -> Any:
    m = x.max(axis=axis, keepdims=True)
    return x - (m + numpy.log(numpy.exp(x - m).sum(axis=axis, keepdims=True)))


def softmax_in_its_dtype(x: Any, *, axis: int) -> Any:
    e = numpy.exp(x - x.max(axis=axis, keepdims=True))
    return e * (1 / e.sum(axis=axis, keepdims=True))


def softmax_vjp_in_its_dtype(g: Any, x: Any, *, axis: int) -> Any:
    y = softmax_in_its_dtype(x, axis=axis)
    return (g * y - y * (g * y).sum(axis=axis, keepdims=True),)


def cross_entropy_by_log_softmax(z: Any, labels: Any) -> Any:
    lost = -log_softmax(z, 1)[numpy.arange(len(z)), labels]
    return lost.sum() * z.dtype.type(1 / len(z))


def cross_entropy_vjp_by_log_softmax(g: Any, z: Any, labels: Any) -> Any:
    share = g / z.dtype.type(len(z))
    return (share * (numpy.exp(log_softmax(z, 1)) - numpy.eye(z.shape[1], dtype=z.dtype)[labels]),)


def folded(x: Any, mean: Any, variance: Any, scale: Any, shift: Any, *, epsilon: float) -> Any:
    r"""$a x + b$ with $a = \gamma / s$ and $b = \beta - a \mu$."""
    a = scale * (1 / numpy.sqrt(variance + variance.dtype.type(epsilon)))
    b = shift - a * mean
    along = (-1, *(1,) * (x.ndim - 2))
    return x * a.reshape(along) + b.reshape(along)


def response_by_logarithm(x: Any, *, size: int, alpha: float, beta: float, k: float) -> Any:
    """$x e^{-\\beta \\ln S}$, the squares summed from the last channel on."""
    number, low = x.dtype.type, (size - 1) // 2
    squares = numpy.pad(x * x, ((0, 0), (low, size // 2), *((0, 0),) * (x.ndim - 2)))
    total = sum(squares[:, i : i + x.shape[1]] for i in reversed(range(size)))
    return x * numpy.exp(-number(beta) * numpy.log(number(k) + number(alpha / size) * total))


CORRECT: list[tuple[str, str, Function]] = [
    ("weights merged first", "depthwise_separable_conv", merged_weights),
    ("axis by axis", "spatially_separable_conv", axis_by_axis),
    ("backwards", "pointwise_conv", pixel_by_pixel),
    ("backwards", "linear", lambda x, w, *b: linear(x[:, ::-1], w[:, ::-1], *b)),
    ("scaled", "lp_pool", norm_of_scaled),
    ("reciprocal", "adaptive_average_pool", average_by_reciprocal),
    ("lerp", "upsample", by_lerp),
    ("lerp, then a sum", "resize_conv", lambda x, w, bias=None, *, scale, kind, padding: conv(
        by_lerp(x, scale=scale, kind=kind, coordinates="half_pixel"), w, bias, padding=padding)),
    ("rounded between", "resize_conv", lambda x, w, bias=None, *, scale, kind, padding: conv(
        upsample(x, scale=scale, kind=kind), w, bias, padding=padding)),
    ("plainly", "sigmoid", sigmoid_plainly),
    ("of the output", "sigmoid_vjp", sigmoid_vjp_of_the_output),
    ("by the sigmoid", "tanh", tanh_by_sigmoid),
    ("of the output", "tanh_vjp", tanh_vjp_of_the_output),
    ("reciprocal", "softmax", softmax_in_its_dtype),
    ("of its logarithm", "softmax", lambda x, *, axis: numpy.exp(log_softmax(x, axis))),
    ("two products", "softmax_vjp", softmax_vjp_in_its_dtype),
    ("reciprocal", "dropout", lambda x, m, *, rate: numpy.where(m == 1, x, 0 * x) * x.dtype.type(
        1 / (1 - rate))),
    ("by the logarithm", "cross_entropy", cross_entropy_by_log_softmax),
    ("by the logarithm", "cross_entropy_vjp", cross_entropy_vjp_by_log_softmax),
    ("square of the norm", "l2_penalty", lambda w, *, strength: w.dtype.type(
        strength / 2) * numpy.sqrt((w * w).sum(dtype=w.dtype)) ** 2),
    ("folded", "batch_norm", folded),
    ("by the logarithm", "local_response_normalization", response_by_logarithm),
]  # fmt: skip

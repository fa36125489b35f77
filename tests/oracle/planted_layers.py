"""Short mistakes in operations that are composed, resize, normalise or are elementary, two or more
an operation: what `check` must find.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec import fast
from convspec.fast import adaptive_average_pool, adaptive_max_pool

Function = Callable[..., Any]


def with_attributes(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Function:
    """An operation that computes with other attributes than it was given."""

    def planted(*operands: Any, **attributes: Any) -> Any:
        return getattr(fast, name)(*operands, **{**attributes, **change(attributes)})

    return planted


def with_operands(name: str, change: Callable[..., tuple[Any, ...]]) -> Function:
    """An operation that computes with other operands than it was given."""

    def planted(*operands: Any, **attributes: Any) -> Any:
        return getattr(fast, name)(*change(*operands), **attributes)

    return planted


def with_output(name: str, change: Callable[..., Any]) -> Function:
    """An operation whose result is changed: `change(output, operands, attributes)`."""

    def planted(*operands: Any, **attributes: Any) -> Any:
        return change(getattr(fast, name)(*operands, **attributes), operands, attributes)

    return planted


def first_cotangent(name: str, change: Callable[[Any], Any]) -> Function:
    return with_output(name, lambda outputs, *_: (change(outputs[0]), *outputs[1:]))


def flip(weight: Any) -> Any:
    return numpy.flip(weight, tuple(range(2, weight.ndim)))


def like(x: Any, y: Any) -> Any:
    return numpy.asarray(y, x.dtype)


def naive_softmax(x: Any, *, axis: int) -> Any:
    e = numpy.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def naive_sigmoid(x: Any) -> Any:
    return like(x, numpy.exp(x) / (1 + numpy.exp(x)))


def naive_tanh(x: Any) -> Any:
    return like(x, (numpy.exp(x) - numpy.exp(-x)) / (numpy.exp(x) + numpy.exp(-x)))


def naive_cross_entropy(z: Any, labels: Any) -> Any:
    lost = numpy.log(numpy.exp(z).sum(axis=1)) - z[numpy.arange(len(z)), labels]
    return like(z, lost.mean())


def strided_windows(x: Any, *, output_size: Any) -> Any:
    """Windows of `n // o` positions, as many as asked for: what is left over is never read."""
    sizes = tuple(max(n // o, 1) * o for n, o in zip(x.shape[2:], output_size, strict=True))
    cut = x[(..., *(slice(size) for size in sizes))]
    return adaptive_average_pool(cut, output_size=output_size)


def nearest_by_half_pixel(x: Any, *, scale: Any, kind: str, coordinates: str) -> Any:
    """Nearest neighbours rounded up where the coordinate lies half way."""
    if kind == "linear":
        return fast.upsample(x, scale=scale, kind=kind, coordinates=coordinates)
    for axis, (n, s) in enumerate(zip(x.shape[2:], scale, strict=True), start=2):
        x = x.take(numpy.minimum(numpy.round(numpy.arange(n * s) / s), n - 1).astype(int), axis)
    return x


def lrn(x: Any, *, size: int, alpha: float, beta: float, k: float, scale: float = 1.0) -> Any:
    return fast.local_response_normalization(x, size=size, alpha=alpha * scale, beta=beta, k=k)


def flattened_last(x: Any) -> Any:
    return numpy.moveaxis(x, 1, -1).reshape(len(x), -1)


def bias_twice(y: Any, operands: Any, _: Any) -> Any:
    if len(operands) < 3:
        return y
    bias = operands[-1]
    return y + bias.reshape(-1, *(1,) * (y.ndim - 2)) if bias.ndim == 1 else y + bias


PLANTED: list[tuple[str, str, Function]] = [
    ("flipped", "depthwise_conv", with_operands(
        "depthwise_conv", lambda x, w, *b: (x, flip(w), *b))),
    ("bias twice", "depthwise_conv", with_output("depthwise_conv", bias_twice)),
    ("transposed weight", "pointwise_conv", with_operands(
        "pointwise_conv", lambda x, w, *b: (x, w.T if w.shape[0] == w.shape[1] else w, *b))),
    ("bias twice", "pointwise_conv", with_output("pointwise_conv", bias_twice)),
    ("multipliers outermost", "depthwise_separable_conv", with_operands(
        "depthwise_separable_conv", lambda x, d, p, *b: (
            x, d, p.reshape(len(p), -1, x.shape[1]).swapaxes(1, 2).reshape(p.shape), *b))),
    ("flipped", "depthwise_separable_conv", with_operands(
        "depthwise_separable_conv", lambda x, d, *others: (x, flip(d), *others))),
    ("first axis alone flipped", "spatially_separable_conv", with_operands(
        "spatially_separable_conv", lambda x, f: (x, [f[0][::-1], *f[1:]]))),
    ("factors in reverse", "spatially_separable_conv", with_operands(
        "spatially_separable_conv",
        lambda x, f: (x, f[::-1] if len({v.shape for v in f}) == 1 else f))),
    ("flipped", "locally_connected", with_operands("locally_connected", lambda x, w, *b: (
        x, numpy.flip(w, tuple(range(x.ndim, w.ndim))), *b))),
    ("bias of the first position", "locally_connected", with_operands(
        "locally_connected", lambda x, w, *b: (x, w, *(numpy.broadcast_to(
            a[(slice(None), *(slice(1),) * (a.ndim - 1))], a.shape) for a in b)))),
    ("squares of its root forgotten", "lp_pool", with_attributes(
        "lp_pool", lambda a: {"p": 2} if a["p"] == 3 else {})),
    ("mean of powers", "lp_pool", with_output("lp_pool", lambda y, _, a: like(
        y, y / numpy.prod(a["kernel_size"]) ** (1 / a["p"])))),
    ("unsigned gradient", "lp_pool_vjp", first_cotangent("lp_pool_vjp", abs)),
    ("uniform weights", "distance_weighted_pool", lambda x, **a: fast.average_pool(x, **a)),
    ("sum of weights forgotten", "distance_weighted_pool", with_output(
        "distance_weighted_pool", lambda y, _, a: like(y, y * numpy.prod(a["kernel_size"])))),
    ("leftover dropped", "adaptive_average_pool", strided_windows),
    ("one window alone", "adaptive_average_pool", with_output(
        "adaptive_average_pool", lambda y, *_: numpy.broadcast_to(y.mean(
            axis=tuple(range(2, y.ndim)), keepdims=True, dtype=y.dtype), y.shape).copy())),
    ("padded by zero", "adaptive_max_pool", with_output(
        "adaptive_max_pool", lambda y, *_: numpy.maximum(y, 0))),
    ("leftover dropped", "adaptive_max_pool", lambda x, *, output_size: adaptive_max_pool(
        x[..., : max(x.shape[-1] // output_size[-1], 1) * output_size[-1]],
        output_size=output_size)),
    ("levels in reverse", "spatial_pyramid_pool", with_attributes(
        "spatial_pyramid_pool", lambda a: {"levels": a["levels"][::-1]})),
    ("maximum for average", "spatial_pyramid_pool", with_attributes(
        "spatial_pyramid_pool", lambda _: {"kind": "max"})),
    ("places in reverse", "max_unpool", with_operands(
        "max_unpool", lambda v, i: (v, i[..., ::-1].copy()))),
    ("absolute values", "max_unpool", with_output("max_unpool", lambda y, *_: abs(y))),
    ("ties rounded", "upsample", nearest_by_half_pixel),
    ("asymmetric", "upsample", with_attributes(
        "upsample", lambda _: {"coordinates": "asymmetric"})),
    ("corners ignored", "upsample", with_attributes("upsample", lambda a: {
        "coordinates": "half_pixel" if a["coordinates"] == "align_corners" else a["coordinates"]})),
    ("zeros after", "insert_zeros", with_output("insert_zeros", lambda y, _, a: numpy.pad(
        y, ((0, 0), (0, 0), *((0, c) for c in a["count"]))))),
    ("repeats", "insert_zeros", lambda x, *, count: fast.upsample(
        x, scale=tuple(c + 1 for c in count))[
            (..., *(slice(0, (n - 1) * (c + 1) + 1) for n, c in zip(
                x.shape[2:], count, strict=True)))]),
    ("blocks outermost", "pixel_shuffle", with_operands("pixel_shuffle", lambda x: (
        x.reshape(len(x), -1, 2, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)
        if x.shape[1] % 2 == 0 else x,))),
    ("factors in reverse", "pixel_shuffle", with_attributes("pixel_shuffle", lambda a: {
        "factor": a["factor"][::-1]})),
    ("nearest for linear", "resize_conv", with_attributes(
        "resize_conv", lambda _: {"kind": "nearest"})),
    ("flipped", "resize_conv", with_operands("resize_conv", lambda x, w, *b: (x, flip(w), *b))),
    ("transposed weight", "linear", with_operands(
        "linear", lambda x, w, *b: (x, w.T if w.shape[0] == w.shape[1] else w, *b))),
    ("bias forgotten", "linear", lambda x, w, bias=None: fast.linear(
        x, w, None if bias is None else 0 * bias)),
    ("channels last", "flatten", flattened_last),
    ("Fortran order", "flatten", lambda x: numpy.stack([item.ravel("F") for item in x])),
    ("leaky", "relu", lambda x: like(x, numpy.where(x > 0, x, 0.01 * x))),
    ("capped at 6", "relu", lambda x: numpy.minimum(fast.relu(x), like(x, 6))),
    ("of the output", "relu_vjp", lambda g, x: (g * (g > 0),)),
    ("overflows", "sigmoid", naive_sigmoid),
    ("a hard one", "sigmoid", lambda x: like(x, numpy.clip(0.25 * x + 0.5, 0, 1))),
    ("tails by tanh", "sigmoid", lambda x: like(x, 0.5 * (1 + numpy.tanh(0.5 * x)))),
    ("of the output", "sigmoid_vjp", lambda g, x: (like(x, g * fast.sigmoid(x)),)),
    ("overflows", "tanh", naive_tanh),
    ("of half the argument", "tanh", lambda x: fast.tanh(x / 2)),
    ("overflows", "softmax", naive_softmax),
    ("the last axis", "softmax", with_attributes("softmax", lambda _: {"axis": -1})),
    ("diagonal alone", "softmax_vjp", lambda g, x, *, axis: (
        like(x, g * fast.softmax(x, axis=axis) * (1 - fast.softmax(x, axis=axis))),)),
    ("not scaled", "dropout", lambda x, m, *, rate: like(x, x * m)),
    ("scaled by the rate", "dropout", lambda x, m, *, rate: like(x, x * m / rate)),
    ("overflows", "cross_entropy", naive_cross_entropy),
    ("summed", "cross_entropy", with_output(
        "cross_entropy", lambda y, operands, _: like(y, y * len(operands[1])))),
    ("not divided", "cross_entropy_vjp", with_output("cross_entropy_vjp", lambda y, operands, _: (
        like(y[0], y[0] * len(operands[2])),))),
    ("no half", "l2_penalty", with_output("l2_penalty", lambda y, *_: like(y, 2 * y))),
    ("mean", "l2_penalty", with_output(
        "l2_penalty", lambda y, operands, _: like(y, y / operands[0].size))),
    ("variance for deviation", "batch_norm", lambda x, mean, variance, *o, epsilon: fast.batch_norm(
        x, mean, variance**2, *o, epsilon=epsilon)),
    ("epsilon outside the root", "batch_norm", lambda x, mean, variance, *o, epsilon: (
        fast.batch_norm(x, mean, like(x, (numpy.sqrt(variance) + epsilon) ** 2), *o, epsilon=0))),
    ("alpha not divided", "local_response_normalization", lambda x, **a: lrn(
        x, scale=a["size"], **a)),
    ("one channel on", "local_response_normalization", lambda x, **a: (
        numpy.flip(fast.local_response_normalization(numpy.flip(x, 1), **a), 1)
        if a["size"] % 2 == 0 else fast.local_response_normalization(x, **a))),
]  # fmt: skip

"""Pooling by norms and by distance: powers, roots, signs and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    composing,
    gradients,
    only,
    replacing,
    rewriting,
)
from convspec.oracle.deviations.gradients import INPUT, cotangent_of
from convspec.oracle.deviations.record import Deviation, Edit, Function
from convspec.oracle.deviations.sliding import exists, gathered

NORM = ("lp_pool",)
DISTANCE = ("distance_weighted_pool",)


def by_norm(norm: Callable[[Array, Array, float], Any]) -> Edit:
    """The edit whose output is `norm(elements, exists, p)` of each window, padding being 0."""

    def function(right: Function, input: Any, p: float, **attributes: Any) -> Any:
        due = right(input=input, p=p, **attributes)
        elements = gathered(numpy.asarray(input, numpy.float64), fill=0, **attributes)
        with numpy.errstate(all="ignore"):
            return numpy.asarray(norm(elements, exists(input, **attributes), p)).astype(due.dtype)

    return replacing(function)


def _signed(x: Array, _: Array, p: float) -> Any:
    total = (x**p).sum(axis=-1)
    return numpy.sign(total) * abs(total) ** (1 / p)


def _without_root(x: Array, _: Array, p: float) -> Any:
    return (abs(x) ** p).sum(axis=-1)


def _of_the_average(x: Array, _: Array, p: float) -> Any:
    return (abs(x) ** p).mean(axis=-1) ** (1 / p)


def _scaled_up(x: Array, real: Array, p: float) -> Any:
    total = (abs(x) ** p).sum(axis=-1)
    return (total / real.sum(axis=-1) * x.shape[-1]) ** (1 / p)


def _undivided(spec: Any, cotangent: Any, input: Any, p: float, **attributes: Any) -> Any:
    y = spec.lp_pool(input, p=p, **attributes)
    scaled = (cotangent * y ** (p - 1)).astype(cotangent.dtype)
    return spec.lp_pool_vjp(scaled, input, p=p, **attributes)


def _nan_at_zero(spec: Any, cotangent: Any, input: Any, p: float, **attributes: Any) -> Any:
    zero = (spec.lp_pool(input, p=p, **attributes) == 0).astype(numpy.float64)
    (d_input,) = spec.lp_pool_vjp(cotangent, input, p=p, **attributes)
    (share,) = spec.average_pool_vjp(zero, numpy.zeros(input.shape), **attributes)
    return (numpy.where(share > 0, numpy.nan, d_input).astype(d_input.dtype),)


def by_weights(
    weights: Callable[[Sequence[int]], Array], *, total: Callable[..., Any] | None = None
) -> Edit:
    """The edit whose average weighs the taps of a window by `weights(kernel size)`, and divides by
    their sum over the taps that exist, or by `total(weights)`.
    """

    def function(
        spec: Any, input: Any, kernel_size: Any, cotangent: Any = None, **attributes: Any
    ) -> Any:
        x, own = numpy.asarray(input, numpy.float64), numpy.asarray(input).dtype
        kernel = weights(kernel_size)
        every = numpy.broadcast_to(kernel, (x.shape[1], 1, *kernel.shape))
        weighed = spec.depthwise_conv(numpy.ones_like(x), every, **attributes)
        divisor = total(kernel) if total else weighed
        if cotangent is None:
            return (spec.depthwise_conv(x, every, **attributes) / divisor).astype(own)
        shares = numpy.asarray(cotangent, numpy.float64) / divisor
        return (spec.depthwise_conv_vjp(shares, x, every, **attributes)[0].astype(own),)

    return composing(function)


def _offsets(kernel: Sequence[int], centre: Callable[[int], float]) -> list[Array]:
    """How far each tap lies from the centre of its window, along each axis."""
    axes = numpy.meshgrid(*(numpy.arange(k) - centre(k) for k in kernel), indexing="ij")
    return [numpy.asarray(abs(axis)) for axis in axes]


def _middle(k: int) -> float:
    return (k - 1) / 2


def _nearness(
    distance: Callable[[list[Array]], Any], centre: Callable[[int], float] = _middle
) -> Any:
    return lambda kernel: 1 / (1 + numpy.asarray(distance(_offsets(kernel, centre))))


def _euclidean(offsets: list[Array]) -> Any:
    return numpy.sqrt(_squared(offsets))


def _squared(offsets: list[Array]) -> Any:
    return reduce(numpy.add, [offset**2 for offset in offsets])


NORM_POOLING = (
    Deviation(
        name="absolute value left out of the norm",
        operations=NORM,
        kind="mistake",
        sentence="Sums x^p without taking absolute values, and gives the root the sign of the sum: "
        "for odd p opposite elements cancel, and for a fraction negative ones give NaN.",
        hidden="an even p, or data that are nowhere negative",
        edit=by_norm(_signed),
    ),
    Deviation(
        name="root of the norm left out",
        operations=NORM,
        kind="mistake",
        sentence="Returns the sum of the powers.",
        hidden="p of 1",
        edit=by_norm(_without_root),
    ),
    Deviation(
        name="norm of the average power",
        operations=NORM,
        kind="mistake",
        sentence="Takes the root of the average over the window, where the sum is meant.",
        hidden="windows of one element",
        edit=by_norm(_of_the_average),
    ),
    Deviation(
        name="norm of the average times the full kernel",
        operations=NORM,
        kind="mistake",
        sentence="Averages the powers over the taps that exist and multiplies by the kernel's "
        "size: a window that is cut at the border counts as if it were whole.",
        hidden="no padding and no overhang",
        edit=by_norm(_scaled_up),
    ),
    Deviation(
        name="p taken for 2",
        operations=(*NORM, *gradients(NORM)),
        kind="mistake",
        sentence="Ignores p, and takes the Euclidean norm.",
        hidden="p of 2, or windows of one element",
        edit=rewriting(lambda **_: {"p": 2}),
    ),
    Deviation(
        name="sign left out of the gradient of the norm",
        operations=gradients(NORM),
        kind="mistake",
        sentence="Forgets that the slope of |x| is -1 left of 0.",
        hidden="inputs that are nowhere negative",
        edit=cotangent_of(INPUT, lambda d, input, **_: d * numpy.sign(input)),
    ),
    Deviation(
        name="gradient of the norm not divided by its power",
        operations=gradients(NORM),
        kind="mistake",
        sentence="Returns the derivative of the sum without that of the root, which divides by "
        "the norm to the power of p - 1.",
        hidden="p of 1",
        edit=composing(_undivided),
    ),
    Deviation(
        name="gradient of a zero norm is NaN",
        operations=gradients(NORM),
        kind="mistake",
        sentence="Divides 0 by 0 in a window of zeros, where 0 is a subgradient.",
        hidden="p of 1, or windows that hold more than zeros",
        edit=only(lambda p, **_: p != 1, composing(_nan_at_zero)),
    ),
    Deviation(
        name="distance left out of the weights",
        operations=(*DISTANCE, *gradients(DISTANCE)),
        kind="mistake",
        sentence="Weighs all taps of a window alike.",
        hidden="windows of one element",
        edit=by_weights(lambda kernel: numpy.ones(tuple(kernel))),
    ),
    Deviation(
        name="distances along the axes added",
        operations=(*DISTANCE, *gradients(DISTANCE)),
        kind="mistake",
        sentence="Measures the distance from the centre axis by axis, where the Euclidean one is "
        "meant.",
        hidden="one spatial axis, or windows of one element",
        edit=by_weights(_nearness(lambda offsets: reduce(numpy.add, offsets))),
    ),
    Deviation(
        name="weights by the squared distance",
        operations=(*DISTANCE, *gradients(DISTANCE)),
        kind="mistake",
        sentence="Forgets the root of the distance.",
        hidden="windows of one element",
        edit=by_weights(_nearness(_squared)),
    ),
    Deviation(
        name="centre of an even window one half later",
        operations=(*DISTANCE, *gradients(DISTANCE)),
        kind="mistake",
        sentence="Takes tap k // 2 for the centre, which in an even window lies half a step past "
        "it.",
        hidden="windows of odd size",
        edit=by_weights(_nearness(_euclidean, lambda k: k // 2)),
    ),
    Deviation(
        name="weights of the padding counted",
        operations=(*DISTANCE, *gradients(DISTANCE)),
        kind="mistake",
        sentence="Divides by the weights of the whole window, also where some of it is padding.",
        hidden="no padding",
        edit=by_weights(_nearness(_euclidean), total=numpy.sum),
    ),
    Deviation(
        name="weighted sum not divided",
        operations=(*DISTANCE, *gradients(DISTANCE)),
        kind="mistake",
        sentence="Returns the weighted sum, not the weighted average.",
        hidden="windows of one element",
        edit=by_weights(_nearness(_euclidean), total=lambda _: 1),
    ),
)

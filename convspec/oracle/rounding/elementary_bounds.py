"""Bounds of what takes roots, powers and exponentials, under the assumption on their ulps."""

from __future__ import annotations

from math import prod

import numpy

from convspec.arguments import Array
from convspec.case import Case, forward_name
from convspec.oracle import expected
from convspec.oracle.expected.elementary import (
    channels_last,
    channels_second,
    deviations,
    energies,
    shifted,
)
from convspec.oracle.expected.numbers import wide
from convspec.oracle.rounding.share import ELEMENTARY, QUOTIENT, Share


def norm(case: Case) -> tuple[Share, ...]:
    """Powers, their sum (or average and product), a root whose exponent is rounded."""
    p, taps = case.attributes["p"], prod(case.attributes["kernel_size"])
    x = abs(wide(case.operands["input"]))
    y = expected.lp_pool(x, **case.attributes)
    raised = taps + max(ELEMENTARY, p) + ELEMENTARY + 6
    if "cotangent" not in case.operands:
        return (Share(raised + 2 * _logarithm(y), y, raised + 2 * _logarithm(y), 1.0),)
    largest = _logarithm(y).max(initial=0.0) + _logarithm(x).max(initial=0.0)
    n = p * (raised + 4) + 2 * ELEMENTARY + 8 + taps + 4 * p * largest
    (magnitude,) = expected.lp_pool_vjp(abs(wide(case.operands["cotangent"])), x, **case.attributes)
    return (Share(n, magnitude, n, abs(case.operands["cotangent"]).max(initial=0.0)),)


def _logarithm(x: Array) -> Array:
    """The absolute logarithm, 0 for 0."""
    return abs(numpy.log(numpy.where(x > 0, x, 1.0)))


def function(case: Case) -> tuple[Share, ...]:
    """`sigmoid` and `tanh`: an exponential, a sum and a quotient; `tanh` may come from `sigmoid`,
    to within a rounding of 1.
    """
    x = wide(case.operands["input"])
    logistic = forward_name(case.operation) == "sigmoid"
    n = 2 * ELEMENTARY + QUOTIENT + 6
    y = expected.sigmoid(x)
    if "cotangent" not in case.operands:
        # The exponential of a rounded argument is off by as much as the argument is.
        magnitude = y if logistic else numpy.ones_like(x)
        return (Share(n, magnitude, n + abs(x), 1.0),)
    g = abs(wide(case.operands["cotangent"]))
    return (Share(n, g * y if logistic else g, n + abs(x), g),)


def softmax_roundings(x: Array, axis: int) -> Array:
    r"""Exponents may hold a distance to the maximum, the maximum itself and the logarithm of the
    sum: what they are off by is a relative error of the exponential.
    """
    distance, total = shifted(x, axis)
    average = (numpy.exp(distance) / total * -distance).sum(axis=axis, keepdims=True)
    largest = abs(x.max(axis=axis, keepdims=True))
    count = x.shape[axis]
    logarithm = (ELEMENTARY + 4) * numpy.log(count)
    fixed = 2 * ELEMENTARY + count + QUOTIENT + 4
    roundings: Array = fixed + 2 * (average - distance + largest) + logarithm
    return roundings


def softmax(case: Case) -> tuple[Share, ...]:
    """An exponential over a sum of exponentials; its cotangent is a difference of such shares."""
    x, axis = wide(case.operands["input"]), case.attributes["axis"]
    n, y = softmax_roundings(x, axis), expected.softmax(x, axis=axis)
    if "cotangent" not in case.operands:
        return (Share(n, y, n, 1.0),)
    g = abs(wide(case.operands["cotangent"]))
    mean = (g * y).sum(axis=axis, keepdims=True)
    n = 2 * n.max(axis=axis, keepdims=True) + x.shape[axis] + 6
    underflow = g.max(axis=axis, keepdims=True) * (x.shape[axis] + 1)
    return (Share(n, y * (g + 2 * mean), n, underflow),)


def cross_entropy(case: Case) -> tuple[Share, ...]:
    """The logarithm of a `softmax`: its relative errors are absolute here, beside its own."""
    z, labels = wide(case.operands["logits"]), case.operands["labels"]
    items, rows = len(labels), numpy.arange(len(labels))
    n = softmax_roundings(z, 1)
    if "cotangent" not in case.operands:
        lost = numpy.array([expected.cross_entropy(z[i : i + 1], labels[i : i + 1]) for i in rows])
        n = n[rows, labels].max() + ELEMENTARY + items + 12
        return (Share(n, numpy.asarray((1 + lost).mean()), n, 1.0),)
    g = abs(wide(case.operands["cotangent"]))[()]
    hot = labels[:, None] == numpy.arange(z.shape[1])
    return (Share(n + 6, g / items * (expected.softmax(z) + hot), n, g),)


def batch_norm(case: Case) -> tuple[Share, ...]:
    r"""Centred and scaled, or as $a x + b$ with $a = \gamma / s$ and $b = \beta - a \mu$."""
    given = {n: abs(wide(a)) for n, a in case.operands.items()}
    x, others = given["input"], tuple(a for a in range(given["input"].ndim) if a != 1)
    along = (x.shape[1], *(1,) * (x.ndim - 2))
    s = deviations(given["variance"], case.attributes["epsilon"])
    slope, offset = (given["scale"] / s).reshape(along), given["mean"].reshape(along)
    if "cotangent" not in given:
        return (Share(14, slope * (x + offset) + given["shift"].reshape(along), 4),)
    g = given["cotangent"]
    count = len(g) * prod(g.shape[2:])
    total, drawn = g.sum(axis=others), (g * (x + offset)).sum(axis=others)
    return (
        Share(14, slope * g, 4),
        Share(count + 14, slope.ravel() * total, 4),
        Share(count + 32, slope.ravel() * drawn / (2 * s * s), 8),
        Share(count + 14, drawn / s, 4),
        Share(count, total, 1),
    )


def response(case: Case) -> tuple[Share, ...]:
    """A positive sum raised to a power, whose exponent is rounded, and a product."""
    attributes = case.attributes
    size, beta = attributes["size"], attributes["beta"]
    absolute = {n: abs(wide(a)) for n, a in case.operands.items()}
    _, energy = energies(channels_last(absolute["input"]), **attributes)
    most = _logarithm(energy).max(initial=0.0)
    raised = (1 + beta) * (size + 8) + ELEMENTARY + 6 + 4 * (1 + beta) * most
    if "cotangent" not in absolute:
        y = expected.local_response_normalization(absolute["input"], **attributes)
        return (Share(raised, y, raised, 1.0),)
    g = absolute["cotangent"]
    # The difference of two terms becomes their sum: of -g it is that of absolute values.
    straight = channels_second(channels_last(g) * energy**-beta, g.shape)
    (falling,) = expected.local_response_normalization_vjp(g, absolute["input"], **attributes)
    n = size + raised + (1 + beta) * (size + 8) + 8
    return (Share(n, 2 * straight - falling, n, g.max(initial=0.0)),)

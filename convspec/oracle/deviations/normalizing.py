"""Normalization: by the statistics of a channel, and by the energy of its neighbours."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import afterwards, each, gradients, only, replacing, rewriting
from convspec.oracle.deviations.gradients import INPUT, cotangent_of, taken_from
from convspec.oracle.deviations.record import Deviation, Function
from convspec.window import Window, taps

BATCH = ("batch_norm",)
RESPONSE = ("local_response_normalization",)
MEAN, VARIANCE, SCALE = 1, 2, 3


def _epsilon_outside(variance: Any, epsilon: float, **_: Any) -> dict[str, Any]:
    return {
        "variance": ((numpy.sqrt(variance) + epsilon) ** 2).astype(variance.dtype),
        "epsilon": 0.0,
    }


def _no_root(variance: Any, epsilon: float, **_: Any) -> dict[str, Any]:
    return {"variance": ((variance + epsilon) ** 2).astype(variance.dtype), "epsilon": 0.0}


def _own_statistics(input: Any, **_: Any) -> dict[str, Any]:
    others = tuple(axis for axis in range(numpy.ndim(input)) if axis != 1)
    return {
        "mean": numpy.mean(input, axis=others).astype(input.dtype),
        "variance": numpy.var(input, axis=others).astype(input.dtype),
    }


def _has_several_values(input: Any, **_: Any) -> bool:
    return bool(len(input)) and numpy.prod(numpy.shape(input)[2:]) * len(input) > 1


def _is_channel_sized(input: Any, **_: Any) -> bool:
    shape = numpy.shape(input)
    return len(shape) > 2 and shape[-1] == shape[1]


def along_space(right: Function, input: Any, **arguments: Any) -> Any:
    """The right function of an input whose last axis stands in place of the channels."""
    turned = {"input": numpy.swapaxes(input, 1, -1)}
    if "cotangent" in arguments:
        turned["cotangent"] = numpy.swapaxes(arguments.pop("cotangent"), 1, -1)
    return each(right(**turned, **arguments), lambda array: numpy.swapaxes(array, 1, -1))


def _not_centred(
    d: Array, mean: Any, variance: Any, epsilon: float, cotangent: Any, **_: Any
) -> Any:
    others = tuple(axis for axis in range(numpy.ndim(cotangent)) if axis != 1)
    total = numpy.asarray(cotangent).sum(axis=others)
    return (d + mean * total / numpy.sqrt(variance + epsilon)).astype(d.dtype)


def _channels_reversed(right: Function, input: Any, **arguments: Any) -> Any:
    turned = {"input": numpy.flip(input, 1)}
    if "cotangent" in arguments:
        turned["cotangent"] = numpy.flip(arguments.pop("cotangent"), 1)
    return each(right(**turned, **arguments), lambda array: numpy.flip(array, 1))


def _energies(x: Array, size: int, alpha: float, k: float, *, existing: bool = False) -> Array:
    """What a power of divides each element; with `existing`, an average over what exists."""
    window = Window(kernel=size, low=(size - 1) // 2, high=size // 2)
    energies = numpy.empty(x.shape)
    for c in range(x.shape[1]):
        read = [e for _, e in taps(x.shape[1], window, c)]
        total = (x[:, read] ** 2).sum(axis=1)
        energies[:, c] = k + alpha * total / (len(read) if existing else size)
    return energies


def _over_existing_channels(
    right: Function, input: Any, size: int, alpha: float, beta: float, k: float
) -> Any:
    due = right(input=input, size=size, alpha=alpha, beta=beta, k=k)
    x = numpy.asarray(input, numpy.float64)
    return (x * _energies(x, size, alpha, k, existing=True) ** -beta).astype(due.dtype)


def _constant_factor(
    right: Function, cotangent: Any, input: Any, size: int, alpha: float, beta: float, k: float
) -> Any:
    (due,) = right(cotangent=cotangent, input=input, size=size, alpha=alpha, beta=beta, k=k)
    x = numpy.asarray(input, numpy.float64)
    return ((cotangent * _energies(x, size, alpha, k) ** -beta).astype(due.dtype),)


def _itself_alone(
    right: Function, cotangent: Any, input: Any, size: int, alpha: float, beta: float, k: float
) -> Any:
    (due,) = right(cotangent=cotangent, input=input, size=size, alpha=alpha, beta=beta, k=k)
    x = numpy.asarray(input, numpy.float64)
    energies = _energies(x, size, alpha, k)
    falling = 2 * alpha * beta / size * x**2 * energies ** (-beta - 1)
    return ((cotangent * (energies**-beta - falling)).astype(due.dtype),)


NORMALIZING = (
    Deviation(
        name="epsilon outside the root",
        operations=BATCH,
        kind="mistake",
        sentence="Divides by the root of the variance plus epsilon, where epsilon belongs under "
        "the root.",
        hidden="an epsilon of 0",
        edit=rewriting(_epsilon_outside),
    ),
    Deviation(
        name="epsilon left out",
        operations=(*BATCH, *gradients(BATCH)),
        kind="mistake",
        sentence="Divides by the standard deviation itself.",
        hidden="an epsilon of 0",
        edit=rewriting(lambda **_: {"epsilon": 0.0}),
    ),
    Deviation(
        name="variance taken for the standard deviation",
        operations=BATCH,
        kind="mistake",
        sentence="Divides by variance + epsilon, without the root.",
        hidden="variances that with epsilon are 1",
        edit=rewriting(_no_root),
    ),
    Deviation(
        name="scale and shift swapped",
        operations=BATCH,
        kind="mistake",
        sentence="Multiplies by the shift and adds the scale.",
        hidden="a scale equal to the shift",
        edit=rewriting(lambda scale, shift, **_: {"scale": shift, "shift": scale}),
    ),
    Deviation(
        name="shift added before the scale",
        operations=BATCH,
        kind="mistake",
        sentence="Multiplies the shift by the scale, too.",
        hidden="a scale of 1 or a shift of 0",
        edit=rewriting(lambda scale, shift, **_: {"shift": (scale * shift).astype(shift.dtype)}),
    ),
    Deviation(
        name="statistics of the batch in place of the given ones",
        operations=BATCH,
        kind="mistake",
        sentence="Normalizes by the mean and variance of what it is given, as in training.",
        hidden="batches whose own statistics are the given ones, or of one value a channel",
        edit=only(_has_several_values, rewriting(_own_statistics)),
    ),
    Deviation(
        name="channels of the statistics taken for the last axis",
        operations=BATCH,
        kind="mistake",
        sentence="Broadcasts the statistics along the last axis where its size allows that.",
        hidden="a last axis of another size than the channels",
        edit=only(_is_channel_sized, replacing(along_space)),
    ),
    Deviation(
        name="gradients of scale and shift swapped",
        operations=gradients(BATCH),
        kind="mistake",
        sentence="Returns the gradient of the shift before that of the scale.",
        hidden="nothing but gradients equal to each other",
        edit=afterwards(lambda d, **_: (*d[:3], d[4], d[3])),
    ),
    Deviation(
        name="gradient of the variance without its half",
        operations=gradients(BATCH),
        kind="mistake",
        sentence="Forgets the exponent -1/2 that comes down as a factor.",
        hidden="a gradient of the variance that is 0",
        edit=cotangent_of(VARIANCE, lambda d, **_: 2 * d),
    ),
    Deviation(
        name="gradient of the mean with the wrong sign",
        operations=gradients(BATCH),
        kind="mistake",
        sentence="Forgets that the mean is subtracted.",
        hidden="a gradient of the mean that is 0",
        edit=cotangent_of(MEAN, lambda d, **_: -d),
    ),
    Deviation(
        name="statistics taken for constants",
        operations=gradients(BATCH),
        kind="mistake",
        sentence="Returns no gradient but zeros for the mean and the variance.",
        hidden="gradients of the statistics that are 0",
        edit=afterwards(lambda d, **_: (d[0], 0 * d[1], 0 * d[2], *d[3:])),
    ),
    Deviation(
        name="gradient of the scale not centred",
        operations=gradients(BATCH),
        kind="mistake",
        sentence="Sums cotangent times input, without subtracting the mean.",
        hidden="a mean of 0",
        edit=cotangent_of(SCALE, _not_centred),
    ),
    Deviation(
        name="gradient of the input without the scale",
        operations=gradients(BATCH),
        kind="mistake",
        sentence="Divides the cotangent by the standard deviation and forgets the learnt scale.",
        hidden="a scale of 1",
        edit=taken_from(INPUT, lambda scale, **_: {"scale": numpy.ones_like(scale)}),
    ),
    Deviation(
        name="alpha not divided by the size",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="convention",
        sentence="Multiplies the sum of squares by alpha itself, as AlexNet's formula has it.",
        hidden="a size of 1, or an alpha of 0",
        edit=rewriting(lambda alpha, size, **_: {"alpha": alpha * size}),
    ),
    Deviation(
        name="even response window one channel down",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="convention",
        sentence="Lets an even window reach one channel further down than up.",
        hidden="an odd size, or one channel",
        edit=only(lambda size, **_: size % 2 == 0, replacing(_channels_reversed)),
    ),
    Deviation(
        name="response window along space",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="mistake",
        sentence="Sums the squares of neighbouring pixels of the same channel.",
        hidden="a size of 1",
        edit=replacing(along_space),
    ),
    Deviation(
        name="size taken for a radius",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="mistake",
        sentence="Sums over as many channels as the size on either side.",
        hidden="one channel",
        edit=rewriting(
            lambda size, alpha, **_: {"size": 2 * size + 1, "alpha": alpha * (2 * size + 1) / size}
        ),
    ),
    Deviation(
        name="neighbouring channels left out of the response",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="mistake",
        sentence="Divides each element by a power of its own square alone.",
        hidden="a size of 1, or one channel",
        edit=rewriting(lambda size, alpha, **_: {"size": 1, "alpha": alpha / size}),
    ),
    Deviation(
        name="alpha divided by the channels that exist",
        operations=RESPONSE,
        kind="mistake",
        sentence="Averages the squares over the channels that exist, where the size divides "
        "everywhere.",
        hidden="a size of 1",
        edit=replacing(_over_existing_channels),
    ),
    Deviation(
        name="k taken for 1",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="mistake",
        sentence="Ignores k, and adds 1.",
        hidden="a k of 1",
        edit=rewriting(lambda **_: {"k": 1.0}),
    ),
    Deviation(
        name="beta taken for a half",
        operations=(*RESPONSE, *gradients(RESPONSE)),
        kind="mistake",
        sentence="Ignores beta, and divides by the square root.",
        hidden="a beta of a half",
        edit=rewriting(lambda **_: {"beta": 0.5}),
    ),
    Deviation(
        name="response taken for a constant factor",
        operations=gradients(RESPONSE),
        kind="mistake",
        sentence="Passes the cotangent through the power that divides, which depends on the input, "
        "too.",
        hidden="an alpha of 0, or a beta of 0",
        edit=replacing(_constant_factor),
    ),
    Deviation(
        name="gradient of the response from the element itself alone",
        operations=gradients(RESPONSE),
        kind="mistake",
        sentence="Leaves out that an element also dampens its neighbours.",
        hidden="a size of 1, or one channel",
        edit=replacing(_itself_alone),
    ),
)

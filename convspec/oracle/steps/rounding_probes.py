"""Calls of one product or one addition: what arithmetic does where nothing else happens.

A product by 1 is exact, so it shows the last bit of an operand being dropped.  Three quarters of a
last place added to a number of `p` bits are rounded up to the next one, so that an adder shows
that truncates: for numbers from 1 to 2 the addend is `3 * 2^-(p + 1)`.  A small number is itself,
whatever its distance to 0 would be rounded to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, normalised
from convspec.oracle.rounding.exact import Pair
from convspec.rounding import precision

SIGNALS = ("convolve", "correlate")
CONVOLUTIONS = ("conv", "conv_transpose")
# Sums begin with 1 and so many last places: what an FFT loses differs from one to the next.
PLACES = (1, 2, 3, 5, 7, 11)
# Less than half of a thousandth, and with all its bits in every dtype.
SMALL = 2.0**-11


def _channels(one: Callable[[float], Any]) -> Callable[..., dict[str, Any]]:
    """Operands multiplied channel by channel, `one` being what a channel of the weight holds."""
    return lambda x, w: {"input": [[[value] for value in x]], "weight": [[*map(one, w)]]}


# Sums of the products of two lists by other operations, as their operands.
OTHERS: dict[str, Callable[..., dict[str, Any]]] = {
    "linear": lambda x, w: {"input": [x], "weight": [w]},
    "depthwise_conv": lambda x, w: {"input": [[x]], "weight": [[w]]},
    "pointwise_conv": _channels(lambda value: value),
    "resize_conv": _channels(lambda value: [value]),
    "locally_connected": _channels(lambda value: [[value]]),
}
GIVEN: dict[str, dict[str, Any]] = {"resize_conv": {"scale": 1, "kind": "nearest"}}


class Probe(NamedTuple):
    """A call with one output element, its exact value as a pair, and how many roundings it takes.

    Where every probe of one `suspicion` returns the value `suspect`, that is what they show.
    """

    case: Case
    exact: Pair
    roundings: int
    suspect: float
    suspicion: str


def probes(operation: str, dtype: numpy.dtype[Any]) -> Iterator[Probe]:
    """The probes of an operation; none where sums of products are not what it computes.

    >>> [probe.roundings for probe in probes("correlate", numpy.dtype("float32"))]
    [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    p = precision(dtype)
    last = 2.0 ** (1 - p)
    for name, operands in _products(operation, 1 + last).items():
        story = f"{name} loses bits: (1 + 2^-{p - 1}) * 1 gives 1"
        yield _probe(operation, operands, dtype, (1 + last, 0.0), 0, 1.0, story)
    for name, operands in _products(operation, SMALL).items():
        story = f"{name} is lost where it is small: 2^-11 * 1 gives 0"
        yield _probe(operation, operands, dtype, (SMALL, 0.0), 0, 0.0, story)
    for start in (1.0, *(1 + places * last for places in PLACES), 1.5, 1.75):
        for name, operands in _sums(operation, start, 0.75 * last).items():
            story = f"{name} is truncated: 1 + 3 * 2^-{p + 1} gives 1"
            yield _probe(operation, operands, dtype, (start, 0.75 * last), 1, start, story)


def _products(operation: str, x: float) -> dict[str, dict[str, Any]]:
    """Operands, as nested lists, whose result is `x * 1`, by the name of the one that holds `x`."""
    if operation in SIGNALS:
        return {"f": {"f": [x], "g": [1]}, "g": {"f": [1], "g": [x]}}
    if operation in CONVOLUTIONS:
        one = {"input": [[[1]]], "weight": [[[1]]]}
        return {"input": {**one, "input": [[[x]]]}, "weight": {**one, "weight": [[[x]]]}}
    if operation in OTHERS:
        product = OTHERS[operation]
        return {"input": product([x], [1]), "weight": product([1], [x])}
    return {}


def _sums(operation: str, start: float, more: float) -> dict[str, dict[str, Any]]:
    """Operands whose result is `start * 1 + more * 1`, two products or a product and a bias."""
    if operation in SIGNALS:
        return {"the sum": {"f": [start, more], "g": [1, 1]}}
    if operation in CONVOLUTIONS:
        weight = [[[1], [1]]] if operation == "conv" else [[[1]], [[1]]]
        return {
            "the sum": {"input": [[[start], [more]]], "weight": weight},
            "the sum with the bias": {"input": [[[start]]], "weight": [[[1]]], "bias": [more]},
        }
    if operation in OTHERS:
        return {"the sum": OTHERS[operation]([start, more], [1, 1])}
    return {}


def _probe(
    operation: str,
    values: dict[str, Any],
    dtype: numpy.dtype[Any],
    exact: tuple[float, float],
    roundings: int,
    suspect: float,
    suspicion: str,
) -> Probe:
    operands = {name: numpy.array(array, float).astype(dtype) for name, array in values.items()}
    shapes = {name: array.shape for name, array in operands.items()}
    given = {"mode": "valid"} if operation in SIGNALS else GIVEN.get(operation, {})
    case = Case(operation, operands, normalised(operation, shapes, given))
    high, low = (_alone(part, operands) for part in exact)
    return Probe(case, (high, low), roundings, suspect, suspicion)


def _alone(value: float, operands: dict[str, Array]) -> Array:
    """One output element of the rank that the operands have."""
    return numpy.full((1,) * next(iter(operands.values())).ndim, value)

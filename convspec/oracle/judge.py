"""Outputs against the spec's: equal as values, or within a proven distance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.rounding import PRECISION, largest


class Verdict(NamedTuple):
    """What is wrong with an output: a kind of difference, and its story."""

    kind: str
    message: str


def same_values(actual: Array, expected: Array) -> bool:
    """Equality of values: -0 equals +0, and any NaN any NaN.

    >>> same_values(numpy.array([0.0, numpy.nan]), numpy.array([-0.0, numpy.nan]))
    True
    """
    return actual.shape == expected.shape and not wrong_places(actual, expected, None).any()


def _dtype_fits(
    actual: numpy.dtype[Any], expected: Array, element: numpy.dtype[Any], *, rounds: bool
) -> bool:
    """Floating operands keep their dtype; integers may come back in any integer dtype, or as
    floats where the operation divides and hence rounds; an index is an integer.
    """
    if expected.dtype.kind in "iu":
        return actual.kind in "iu"
    if element.kind in "iu":
        return actual.kind in ("f" if rounds else "iu")
    return actual == element


def judge(
    outputs: tuple[Array, ...],
    expected: tuple[Array, ...],
    slack: tuple[Array, ...] | None,
    element: numpy.dtype[Any],
) -> Verdict | None:
    """None where every output is what the spec says; otherwise the first thing that is not.

    A half type holds the exact integers rounded once.
    """
    if slack is None:
        expected = tuple(stored(value, element) for value in expected)
    for number, (actual, value) in enumerate(zip(outputs, expected, strict=True)):
        which = f"output {number}" if len(expected) > 1 else "the output"
        if actual.shape != value.shape and not _shapeless(actual, value):
            return Verdict("shape", f"{which} has shape {actual.shape}, expected {value.shape}")
        bound = None if slack is None or not value.size else slack[number]
        if value.size and wrong_places(actual, value, bound).any():
            return Verdict("value", f"{which} {_first_wrong(actual, value, bound)}")
        if not _dtype_fits(actual.dtype, value, element, rounds=slack is not None):
            return Verdict("dtype", f"{which} has dtype {actual.dtype} for {element} operands")
    return None


def _shapeless(actual: Array, expected: Array) -> bool:
    """Whether nothing is returned for nothing, as nested lists do: they cannot show the sizes
    inside an empty one.
    """
    return (
        expected.size == 0 and actual.shape == expected.shape[: actual.ndim] and 0 in actual.shape
    )


def is_half(element: numpy.dtype[Any]) -> bool:
    """Whether a dtype is float16 or bfloat16."""
    return element.kind == "V" or (element.kind == "f" and element.itemsize < 4)


def stored(value: Array, element: numpy.dtype[Any]) -> Array:
    """Exact values as a dtype holds them: rounded once to a half type, otherwise as they are."""
    return value.astype(element) if is_half(element) and value.dtype.kind == "f" else value


def wrong_places(actual: Array, expected: Array, bound: Array | None) -> Array:
    """Where an output is wrong, as a boolean array: neither equal nor within the bound."""
    right: Array = (actual == expected) | ((actual != actual) & (expected != expected))
    if bound is not None:
        with numpy.errstate(invalid="ignore"):
            near = abs(actual.astype(float) - expected) <= bound
        # An infinity is no bound on how far from infinity a result may lie.
        right |= near & numpy.isfinite(expected)
        right |= _overflowed(actual, expected, bound)
    wrong: Array = ~right
    return wrong


def _overflowed(actual: Array, expected: Array, bound: Array) -> Array:
    """Where an output is infinite because its dtype cannot hold what may be returned."""
    if actual.dtype.name not in PRECISION:
        return numpy.zeros(actual.shape, bool)
    with numpy.errstate(invalid="ignore"):
        beyond = abs(expected) + bound > largest(actual.dtype)
    found: Array = beyond & (actual.astype(float) == numpy.copysign(numpy.inf, expected))
    return found


def _first_wrong(actual: Array, expected: Array, bound: Array | None) -> str:
    wrong = wrong_places(actual, expected, bound)
    place = tuple(int(i) for i in numpy.argwhere(wrong)[0])
    return (
        f"is {actual[place]} instead of {expected[place]} at {place}, "
        f"and wrong at {int(wrong.sum())} of {wrong.size} places"
    )

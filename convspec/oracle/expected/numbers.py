"""Arrays of numbers of either kind: float64, fast, or mpmath's, as precise as its context says.

The same lines of an expected value run on both: what sweeps compare with, and what the rounding
step measures errors against.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy

from convspec.arguments import Array


def wide(array: Any) -> Array:
    """An array in float64, unless it holds objects.

    >>> wide(numpy.array([1, 2], "int8"))
    array([1., 2.])
    """
    given = numpy.asarray(array)
    return given if given.dtype == object else given.astype(numpy.float64)


def precise(array: Array) -> Array:
    """A finite array in numbers of mpmath, exactly."""
    return _precisely(array.astype(numpy.float64))


_precisely: Callable[[Any], Array] = numpy.frompyfunc(mpmath.mpf, 1, 1)


def _function(name: str) -> Callable[..., Array]:
    fast: Callable[..., Array] = getattr(numpy, name)
    slow = numpy.frompyfunc(getattr(mpmath, name), 1, 1)
    return lambda x: slow(x) if x.dtype == object else fast(x)


exp = _function("exp")
log = _function("log")
sqrt = _function("sqrt")
tanh = _function("tanh")


def constants(values: Any, like: Array) -> Array:
    """Rational constants in the numbers that an array holds.

    >>> constants([Fraction(1, 4), 2], numpy.zeros(1))
    array([0.25, 2.  ])
    """
    exact = numpy.asarray(values, dtype=object)
    if like.dtype != object:
        return exact.astype(numpy.float64)
    rational: Array = _rational(exact)
    return rational


_rational = numpy.frompyfunc(
    lambda value: mpmath.mpf(Fraction(value).numerator) / Fraction(value).denominator, 1, 1
)


def constant(value: Any, like: Array) -> Any:
    """One rational constant, a float being the rational number that it is."""
    return float(value) if like.dtype != object else _rational(value)

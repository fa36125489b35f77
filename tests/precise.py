"""Central differences of numbers of 60 digits, which are right to 30."""

from __future__ import annotations

from typing import Any

import numpy
import sympy

DIGITS = 60
STEP = sympy.Float("1e-20", DIGITS)
COARSE = sympy.Float("1e-8", DIGITS)


def precisely(value: Any) -> Any:
    """Fractions and floats as numbers of many digits; integers, which stand for labels, stay."""
    if isinstance(value, list):
        return [precisely(one) for one in value]
    if value.dtype.kind in "iu":
        return value

    def convert(x: Any) -> Any:
        return sympy.Float(sympy.Rational(*x.as_integer_ratio()), DIGITS)

    return numpy.vectorize(convert, otypes=[object])(value)


def differenced(at: Any) -> tuple[Any, Any]:
    """The central difference of a function of one number at 0, and how far it may be off.

    By Taylor's theorem it is h^2 / 6 times a third derivative between -h and h, taken to be below
    twice what the third difference of a coarser step shows, or 1; and a value of up to 2^10
    roundings, each of 10^-60 of numbers up to 2^10 times the value, is divided by h.
    """
    ahead, behind = at(STEP), at(-STEP)
    third = (at(2 * COARSE) - 2 * at(COARSE) + 2 * at(-COARSE) - at(-2 * COARSE)) / (2 * COARSE**3)
    truncated = STEP**2 / 6 * (2 * abs(third) + 1)
    rounded = 2**20 * (1 + abs(ahead)) * sympy.Float(10, DIGITS) ** -DIGITS / STEP
    return (ahead - behind) / (2 * STEP), truncated + rounded

"""Dual numbers: a value and a slope, whose product rule is the chain rule.

(a + a' e)(b + b' e) = a b + (a b' + a' b) e with e^2 = 0.  A definition that takes whatever adds,
multiplies and divides takes these too, so that its own lines differentiate it: exactly, of
Fractions.  It is what a complex step approximates, with e for a step that is too small to matter.
"""

from __future__ import annotations

from fractions import Fraction
from functools import total_ordering
from typing import Any


@total_ordering
class Dual:
    """A number that moves: `value` now, `slope` its derivative."""

    def __init__(self, value: Any, slope: Any = 0) -> None:
        self.value, self.slope = Fraction(value), Fraction(slope)

    def __add__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    def __truediv__(self, other: Any) -> Dual:
        other = dual(other)
        slope = (self.slope * other.value - self.value * other.slope) / other.value**2
        return Dual(self.value / other.value, slope)

    def __rtruediv__(self, other: Any) -> Dual:
        return dual(other) / self

    def __neg__(self) -> Dual:
        return self * -1

    def __sub__(self, other: Any) -> Dual:
        return self + -dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return dual(other) - self

    def __pow__(self, exponent: int) -> Dual:
        return Dual(self.value**exponent, exponent * self.value ** (exponent - 1) * self.slope)

    __radd__, __rmul__ = __add__, __mul__

    # The order is that of the values: what is largest stays so under a step small enough.
    def __eq__(self, other: object) -> bool:
        return bool(self.value == dual(other).value)

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < dual(other).value)

    __hash__ = None  # type: ignore[assignment]


def dual(number: Any) -> Dual:
    """The number, standing still unless it moves."""
    return number if isinstance(number, Dual) else Dual(number)


def slope(number: Any) -> Any:
    """How a number moves; one that is not dual does not."""
    return number.slope if isinstance(number, Dual) else 0

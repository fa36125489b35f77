"""Elementary functions of one scalar, whatever it is: a number or a SymPy expression.

Floats go through `math`, rational numbers stay rational where the value is, expressions of SymPy
go through SymPy, which is imported only once one of them turns up.  Where `math` refuses because
the result is beyond the largest float, the result is infinite, as IEEE 754 has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from importlib import import_module
from typing import Any


def symbolic(value: Any) -> bool:
    """Whether a scalar is an expression of SymPy.

    >>> symbolic(1.0)
    False
    """
    return type(value).__module__.partition(".")[0] == "sympy"


def sympy() -> Any:
    """The module SymPy, which the spec needs only for operands that came from it.

    >>> str(sympy().Symbol("x"))
    'x'
    """
    return import_module("sympy")


def exp(value: Any) -> Any:
    """$e^x$.

    >>> exp(0), exp(1e9)
    (1.0, inf)
    """
    if symbolic(value):
        return sympy().exp(value)
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def log(value: Any) -> Any:
    r"""The natural logarithm $\ln x$.

    >>> log(1)
    0.0
    """
    return sympy().log(value) if symbolic(value) else math.log(value)


def tanh(value: Any) -> Any:
    r"""$\tanh x$.

    >>> tanh(0)
    0.0
    """
    return sympy().tanh(value) if symbolic(value) else math.tanh(value)


def sqrt(value: Any) -> Any:
    r"""$\sqrt x$, rational where a rational number is the square of one.

    >>> sqrt(Fraction(9, 4)), sqrt(2.25)
    (Fraction(3, 2), 1.5)
    """
    if symbolic(value):
        return sympy().sqrt(value)
    if isinstance(value, int | Fraction) and value >= 0:
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root * root == value:
            return root
    return math.sqrt(value)


def power(base: Any, exponent: Any) -> Any:
    """$x^e$ for a base that is not negative: rational powers of rationals where they are whole.

    >>> power(Fraction(2, 3), -2), power(9, Fraction(1, 2)), power(1e200, 2), power(0, -1)
    (Fraction(9, 4), Fraction(3, 1), inf, inf)
    """
    if symbolic(base):
        return base**exponent
    if exponent == Fraction(1, 2):
        return sqrt(base)
    if isinstance(base, int | Fraction) and exponent == int(exponent) and (base or exponent >= 0):
        return (Fraction(base) if exponent < 0 else base) ** int(exponent)
    try:
        return float(base) ** float(exponent)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def sign(value: Any) -> Any:
    """-1, 0 or 1; 0 for NaN.

    >>> sign(-2.5), sign(0), sign(Fraction(1, 3))
    (-1, 0, 1)
    """
    return sympy().sign(value) if symbolic(value) else (value > 0) - (value < 0)


def first_maximum(values: Iterable[Any]) -> tuple[int, Any]:
    """Index and value of the first maximum; of the first NaN where there is one.

    >>> first_maximum([1, 3, 3])
    (1, 3)
    """
    best = None
    for candidate in enumerate(values):
        if candidate[1] != candidate[1]:
            return candidate
        if best is None or candidate[1] > best[1]:
            best = candidate
    if best is None:
        raise ValueError("values is empty: a maximum needs at least one")
    return best


def maximum(values: Sequence[Any]) -> Any:
    """The largest value; NaN where there is one; of symbols, the expression `Max`.

    >>> maximum([1, 3, 2])
    3
    """
    if any(map(symbolic, values)):
        return sympy().Max(*values)
    return first_maximum(values)[1]


def chosen(condition: Any, value: Any, otherwise: Any) -> Any:
    """`value` where the condition holds; of a condition on symbols, the expression `Piecewise`.

    >>> chosen(2 > 1, "yes", "no")
    'yes'
    """
    if symbolic(condition):
        return sympy().Piecewise((value, condition), (otherwise, True))
    return value if condition else otherwise

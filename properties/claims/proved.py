"""What makes a test a proof: it decides a statement for all values, not for those it tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import sympy

from convspec.symbolic import symbols

__all__ = ["equal", "floor", "integers", "proved", "symbols"]

Test = Callable[..., None]


def proved(test: Test) -> Test:
    """Mark a test that decides its statement for all values: by symbols, or by every residue."""
    test.proved = True  # type: ignore[attr-defined]
    return test


def equal(left: Any, right: Any) -> bool:
    """Whether two arrays of expressions are the same functions of their symbols.

    >>> a, b = sympy.symbols("a b")
    >>> equal([(a + b) ** 2], [a**2 + 2 * a * b + b**2])
    True
    """
    left, right = numpy.asarray(left, dtype=object), numpy.asarray(right, dtype=object)
    return left.shape == right.shape and all(
        sympy.simplify(sympy.expand(a - b)) == 0
        for a, b in zip(left.ravel(), right.ravel(), strict=True)
    )


def integers(names: str) -> Any:
    """Symbols for integers that are at least 1.

    >>> integers("n k")
    (n, k)
    """
    return sympy.symbols(names, integer=True, positive=True)


def floor(numerator: Any, divisor: int, residue: int, quotient: Any) -> Any:
    """`numerator // divisor` where it is `divisor * quotient + residue`, checked to be so.

    With every `residue` from 0 to `divisor - 1` in turn this decides a statement about floors for
    all numerators.

    >>> q = sympy.Symbol("q", integer=True)
    >>> floor(2 * q + 1, 2, 1, q)
    q
    """
    if not 0 <= residue < divisor or sympy.expand(numerator - divisor * quotient - residue) != 0:
        raise ValueError(f"{numerator} is not {divisor} * {quotient} + {residue}")
    return quotient

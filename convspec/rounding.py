r"""Rounding: what a correct floating-point sum of products may return, as theorems.

With unit roundoff $u$, round to nearest and no overflow, a sum of $n$ products computed in any
order, blocked or with fused multiply-adds, differs from its exact value by at most

$$ |\hat y - y| \le \bigl((1 + u)^n - 1\bigr) M, \qquad M = \sum |x||w| + |b|, $$

where $n$ counts the terms, the bias among them (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd edition, chapters 3 and 4).
"""

from __future__ import annotations

from functools import cache
from math import expm1, log1p
from typing import Any, NamedTuple

import numpy

PRECISION = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
# The smallest normal number of a dtype, and of an accumulator with so many bits.
_NORMAL = {
    "float16": 2.0**-14,
    "bfloat16": 2.0**-126,
    "float32": 2.0**-126,
    "float64": 2.0**-1022,
}
_ACCUMULATED = {11: 2.0**-14, 8: 2.0**-126, 24: 2.0**-126, 53: 2.0**-1022}


class Arithmetic(NamedTuple):
    """An accuracy class: the significand bits of operands and of the accumulator."""

    name: str
    operand: int
    accumulator: int


# From fine to coarse.  tf32 and float16 have significands of the same length.
ARITHMETICS = (
    Arithmetic("float64", 53, 53),
    Arithmetic("float32", 24, 24),
    Arithmetic("tf32", 11, 24),
    Arithmetic("float16", 11, 11),
    Arithmetic("bfloat16", 8, 8),
)
FAST_ALGORITHM = "fast algorithm"
ACCURACIES = (*(arithmetic.name for arithmetic in ARITHMETICS), FAST_ALGORITHM)


@cache
def precision(dtype: numpy.dtype[Any]) -> int:
    """Bits of the significand of a floating dtype, the leading one included.

    >>> precision(numpy.dtype("float32"))
    24
    """
    return PRECISION[dtype.name]


@cache
def smallest_normal(dtype: numpy.dtype[Any]) -> float:
    """The smallest number of a floating dtype that has all of its digits.

    >>> smallest_normal(numpy.dtype("float16")) == 2.0**-14
    True
    """
    return _NORMAL[dtype.name]


def largest(dtype: numpy.dtype[Any]) -> float:
    r"""The largest finite number of a floating dtype, $(2 - 2^{1-p})\, 2^{e}$ with the exponent
    $e$ for which the smallest normal number is $2^{1-e}$.

    >>> largest(numpy.dtype("float16"))
    65504.0
    """
    return (2 - 2.0 ** (1 - precision(dtype))) * (2 / smallest_normal(dtype))


def integer_bits(dtype: numpy.dtype[Any]) -> int:
    """The largest `p` such that a dtype holds every integer up to `2^p` in magnitude.

    >>> integer_bits(numpy.dtype("float32")), integer_bits(numpy.dtype("int8"))
    (24, 6)
    """
    if dtype.kind in ("i", "u"):
        return dtype.itemsize * 8 - (2 if dtype.kind == "i" else 1)
    return precision(dtype)


def unit_roundoff(bits: int) -> float:
    """The largest relative error of rounding to nearest with `bits` significand bits, $2^{-p}$.

    >>> unit_roundoff(24) == 2.0**-24
    True
    """
    return 2.0**-bits


def growth(u: float, roundings: int | numpy.ndarray) -> float | numpy.ndarray:
    r"""$(1 + u)^n - 1$: the largest relative effect of `n` roundings.

    >>> growth(0.5, 2)
    1.25
    """
    if isinstance(roundings, numpy.ndarray):
        return numpy.expm1(roundings * log1p(u))
    return expm1(roundings * log1p(u))


def bound(
    arithmetic: Arithmetic,
    dtype: numpy.dtype[Any],
    roundings: numpy.ndarray,
    magnitude: numpy.ndarray,
    value: numpy.ndarray,
    degree: Any = 2,
) -> numpy.ndarray:
    r"""How far a sum of products of `degree` operands, computed in `arithmetic` and returned in
    `dtype`, may lie from its exact `value`,

    $$ E = \bigl((1 + 2 u_\text{op})^d (1 + u)^n - 1\bigr) M + n \lambda (1 + u)^n, $$

    where operands that the arithmetic holds are not rounded ($u_\text{op} = 0$), and others may be
    truncated, as matrix units do: hence $2 u_\text{op}$.  At most `n` products and sums are
    subnormal and flushed to zero, which takes from each no more than the smallest normal number
    $\lambda$ of the accumulator.  One that is wider than the dtype adds
    $u_\text{out} (|y| + E)$ for storing the result, and the smallest normal number of the dtype
    where the result may lie below it.  Derived in docs/rounding.md.
    """
    stored = precision(dtype)
    truncated = 2 * unit_roundoff(arithmetic.operand)
    operand = degree * log1p(truncated) if arithmetic.operand < stored else 0.0
    summed = roundings * log1p(unit_roundoff(arithmetic.accumulator))
    flushed = roundings * _ACCUMULATED[arithmetic.accumulator]
    error = numpy.expm1(operand + summed) * magnitude + flushed * numpy.exp(summed)
    if arithmetic.accumulator > stored:
        below = abs(value) - error < _NORMAL[dtype.name]
        error = error + unit_roundoff(stored) * (abs(value) + error)
        error = error + _NORMAL[dtype.name] * below
    # The float64 evaluation of this very bound rounds too, and so does that of `magnitude`.
    allowed: numpy.ndarray = error * (1 + 2.0**-40)
    return allowed

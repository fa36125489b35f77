r"""Exact values of sums of products of floats, as an unevaluated sum of two float64 numbers.

Every operand is split into slices of so few bits that float64 products of slices, and all their
sums, are exact; the partial results are then added without error into a pair `(high, low)`.
What is left is an error near $2^{-100}$ of the largest partial result, far below a thousandth of
any bound it is compared with, on every platform.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

import numpy

from convspec.arguments import Array

Pair = tuple[Array, Array]


def slices(array: Array, bits: int, count: int) -> list[Array]:
    """`count` float64 arrays of at most `bits` significant bits each that sum to `array`.

    >>> [part.tolist() for part in slices(numpy.array([1.25, -3.0]), 3, 2)]
    [[1.0, -3.0], [0.25, 0.0]]
    """
    rest = array.astype(numpy.float64)
    top = abs(rest).max(initial=0.0)
    grid = 2.0 ** (numpy.frexp(top)[1] - bits + 1)
    parts = []
    for _ in range(count):
        part = numpy.rint(rest / grid) * grid
        parts.append(part)
        rest = rest - part
        grid = grid * 2.0**-bits
    if rest.any():
        raise ValueError(f"{count} slices of {bits} bits do not hold the operand exactly")
    return parts


def added(pair: Pair, term: Array) -> Pair:
    """A pair plus a term, by Knuth's two-sum and a renormalisation."""
    high, low = pair
    total = high + term
    back = total - high
    error = (high - (total - back)) + (term - back)
    low = low + error
    renewed = total + low
    return renewed, low - (renewed - total)


def divided(pair: Pair, divisor: Array) -> Pair:
    """A pair divided by integers below 2^24: the quotient, and what it leaves behind."""
    high, low = pair
    quotient = high / divisor
    coarse = quotient.astype(numpy.float32).astype(numpy.float64)
    # Both products are exact, for a part of a quotient has at most 29 significant bits.
    rest = (high - coarse * divisor) - (quotient - coarse) * divisor
    return quotient, (rest + low) / divisor


def sum_of_products(
    evaluate: Callable[[Array, tuple[Array, ...]], tuple[Array, ...]],
    first: Array,
    others: tuple[Array, ...],
    *,
    terms: int,
    significant: int,
) -> list[Pair]:
    """The exact outputs of a map that is linear in `first` and in the `others` together.

    `significant` is the number of bits, counted from the largest element of an operand, within
    which every element of it is an integer multiple of one unit; `terms` bounds the number of
    products a sum.
    """
    factors = 2 if others else 1
    bits = (53 - ceil(log2(terms + 1))) // factors - 1
    count = -(-(significant + 1) // bits)
    left = slices(first, bits, count)
    right = list(zip(*(slices(other, bits, count) for other in others), strict=True)) or [()]
    totals: list[Pair] | None = None
    for part in left:
        for rest in right:
            outputs = evaluate(part, rest)
            if totals is None:
                totals = [
                    (numpy.zeros_like(output), numpy.zeros_like(output)) for output in outputs
                ]
            totals = [added(pair, out) for pair, out in zip(totals, outputs, strict=True)]
    return totals or []

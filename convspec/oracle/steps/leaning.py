r"""Whether rounding errors lean to one side: evidence of truncation, never a proof.

On independent data of one sign, errors of rounding to nearest fall on either side of the exact
value about equally often; those of truncation fall below it.  The test is that of signs: of `n`
errors that are not 0, the number below is binomial with probability 1/2, and the chance of a
count as lopsided as the one seen is

$$ p = 2 \sum_{k \le m} \binom{n}{k} 2^{-n}, $$

`m` being the smaller of the two counts.  That errors are symmetric is an assumption, not a
theorem.
"""

from __future__ import annotations

from math import comb

import numpy

from convspec.arguments import Array

SIGNIFICANCE = 1e-6


def chance(below: int, above: int) -> float:
    """The probability of counts at least as lopsided, were both sides equally likely.

    >>> chance(1, 3), chance(0, 20) < 1e-5, chance(10, 10)
    (0.625, True, 1.0)
    """
    total, least = below + above, min(below, above)
    tail = sum(comb(total, k) for k in range(least + 1))
    return min(1.0, tail * 2.0 ** (1 - total))


def leaning(errors: Array) -> str | None:
    """What signed errors of independent sums of one sign show, where that is significant."""
    below, above = int((errors < 0).sum()), int((errors > 0).sum())
    probability = chance(below, above)
    if probability >= SIGNIFICANCE or not numpy.isfinite(errors).all():
        return None
    side, count = ("below", below) if below > above else ("above", above)
    return (
        f"errors lean: {count} of {below + above} independent sums of one sign lie {side} the "
        f"exact value (sign test, p = {probability:.1e} < {SIGNIFICANCE:g}); evidence of "
        f"truncation, no proof"
    )

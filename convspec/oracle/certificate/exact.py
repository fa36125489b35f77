r"""Certificates of whole numbers, without rounding.

With coefficients uniform over the $2R + 1$ integers from $-R$ to $R$, a projection of an output
position whose error $e \ne 0$ has $e_o \ne 0$ vanishes for at most one value of $r_o$, whatever the
other coefficients are: with probability at most $1 / (2R + 1)$.  Any set of wrong elements that was
chosen before $k$ independent projections were drawn therefore escapes with probability at most

$$ (2R + 1)^{-k} < 2^{-40}. $$

Nothing is rounded where every partial sum is below $2^{53}$: with $t$ terms an output, and
magnitudes of at most $X$, $W$ and $B$,

$$ O R\,(t W X + B) < 2^{53}. $$

An output beyond $t W X + B$, or one that is no whole number, is wrong without any projection.
"""

from __future__ import annotations

from math import ceil

import numpy

from convspec.arguments import Array
from convspec.oracle.certificate.finding import Finding, refuted, uncertified
from convspec.oracle.certificate.form import Form
from convspec.oracle.certificate.projection import drawn, projected, projected_output
from convspec.oracle.certificate.whole import magnitude
from convspec.rounding import precision

# Any set of wrong elements escapes with a probability below 2^-ESCAPE.
ESCAPE = 40
EXACT = 2**53


def largest_output(layer: Form) -> int | None:
    """$t W X + B$, which no output exceeds; None where the operands are not whole numbers, or the
    layer's own dtype cannot hold every sum of them.
    """
    largest = []
    for operand in (layer.bias, layer.weight, layer.input):
        found = magnitude(operand)
        if found is None:
            return None
        largest.append(found)
    bound = layer.terms * largest[1] * largest[2] + largest[0]
    dtype = layer.output.dtype
    return bound if dtype.kind in "iu" or bound <= 2 ** precision(dtype) else None


def plan(outputs: int, bound: int) -> tuple[int, int] | None:
    """The least number of projections and the reach of their coefficients for outputs of at most
    `bound`; None where one sum of them may be beyond 2^53.

    >>> plan(512, 127 * 127 * 4608)
    (3, 5161)
    """
    largest = (EXACT - 1) // max(1, outputs * bound)
    for count in range(1, ESCAPE):
        reach = ceil(2 ** (ESCAPE / count) / 2)
        if reach <= largest:
            return count, reach
    return None


def certify_exactly(
    name: str, operation: str, layer: Form, bound: int, rng: numpy.random.Generator
) -> Finding:
    """The certificate of a layer of whole numbers whose outputs are at most `bound`."""
    chosen = plan(layer.outputs, bound)
    if chosen is None:
        return uncertified(name, operation, f"outputs up to {bound} are too large to be summed")
    largest = magnitude(layer.output)
    if largest is None or largest > bound:
        y = layer.output.astype(numpy.float64)
        wrong = ~((numpy.rint(y) == y) & (abs(y) <= float(bound))).all(axis=1)
        story = f"not whole numbers of at most {bound}"
        return refuted(name, operation, _first(wrong, story))
    count, reach = chosen
    r = drawn(rng, count, reach, layer.outputs)
    wrong = (projected_output(r, layer) != projected(r, layer)).any(axis=1)
    if wrong.any():
        return refuted(name, operation, _first(wrong, "wrong"))
    told = f"exactly, by {count} projection{'s' * (count > 1)} with coefficients up to {reach}"
    return Finding(name, operation, "certified", told, 0.0, float(largest))


def _first(wrong: Array, how: str) -> str:
    place = tuple(int(i) for i in numpy.argwhere(wrong)[0])
    index = ", ".join(map(str, (place[0], ":", *place[1:])))
    return (
        f"the outputs at [{index}] are {how}, and so are those at "
        f"{int(wrong.sum())} of {wrong.size} positions in all"
    )

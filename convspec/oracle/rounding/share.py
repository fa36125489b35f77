"""What bounds the error of one output: how many roundings, and of what magnitude.

A root, a power or an exponential is assumed to be within `ULPS` units in the last place, and a
quotient or a square root within one: `ELEMENTARY` and `QUOTIENT` roundings.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from convspec.arguments import Array

ULPS = 4
ELEMENTARY = 2 * ULPS
QUOTIENT = 2


class Share(NamedTuple):
    """One output: how many roundings its terms pass through, their absolute values summed, how
    many operands one term multiplies, and by how much a number that underflows is multiplied.
    """

    roundings: Any
    magnitude: Array
    degree: Any = 2
    underflow: Any = 0.0

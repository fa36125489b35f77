"""One call of the sweep, with what it must return."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.oracle.cases.draws import thinned

# Independent draws of a call ride in its batch axis, fewer of them in volumes.
DRAWS = {1: 16, 2: 16, 3: 4}


class Trial(NamedTuple):
    """A call and its expected outputs.

    `slack` is None where the outputs must be equal, or one array of allowed distances an output
    (a rounding bound) where a correct implementation may round.
    """

    operands: dict[str, Array]
    attributes: dict[str, Any]
    expected: tuple[Array, ...]
    slack: tuple[Array, ...] | None = None


class Setting(NamedTuple):
    """What a stream of trials is drawn for: element dtype, source of randomness, the largest
    entry when a fast algorithm is at work (None otherwise), and where to note the largest entries
    that were drawn, 0 where some were set to zero.
    """

    dtype: numpy.dtype[Any]
    rng: numpy.random.Generator
    largest: int | None = None
    drawn: set[int] | None = None


def reach(setting: Setting, largest: int) -> int:
    """The largest entry to draw, where `largest` keeps sums exact; noted in the setting."""
    chosen = min(setting.largest or largest, largest)
    if setting.drawn is not None:
        setting.drawn.add(chosen)
    return chosen


def sparse(setting: Setting, array: Array) -> Array:
    """A cotangent with zeros put in where sums over all of it would not be exact; noted."""
    kept = thinned(setting.rng, array, setting.dtype)
    if setting.drawn is not None and kept is not array:
        setting.drawn.add(0)
    return kept

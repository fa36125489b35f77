"""What a certificate says of one layer."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """The verdict on a layer and its story.

    `certified`: by projections; `recomputed`: the whole output was computed again, and is right;
    `refuted`: the output is not that of the input; `uncertified`: nothing is known, and the story
    says why.  `threshold` is the least error of an output that is sure to be seen but for the
    stated probability, 0 where every error is, and `scale` the largest output; both None where
    nothing was projected.
    """

    name: str
    operation: str
    verdict: str
    story: str
    threshold: float | None = None
    scale: float | None = None


def refuted(name: str, operation: str, story: str) -> Finding:
    """The finding that an output is wrong."""
    return Finding(name, operation, "refuted", story)


def uncertified(name: str, operation: str, story: str) -> Finding:
    """The finding that nothing can be said."""
    return Finding(name, operation, "uncertified", story)

"""Recorded vectors against an implementation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from convspec.oracle.call import Failed, Returned, Unsupported
from convspec.oracle.judge import judge
from convspec.oracle.processes.calling import called
from convspec.oracle.recorded.vector_files import StoredVector
from convspec.oracle.recorded.vectors import DTYPE


class VectorTally(NamedTuple):
    """How many vectors came out right and were not offered, and what went wrong in the others."""

    right: int
    unsupported: int
    wrong: tuple[tuple[str, str], ...]


def tally(implementation: Any, cases: Iterable[StoredVector]) -> VectorTally:
    """Every vector of an operation, called and judged.

    >>> from convspec import fast
    >>> from convspec.oracle.recorded.vectors import vectors
    >>> tally(fast, [StoredVector("1", next(vectors("conv", "quick", 0)))])
    VectorTally(right=1, unsupported=0, wrong=())
    """
    right, unsupported, wrong = 0, 0, []
    for stored in cases:
        story = verdict(implementation, stored)
        if story is None:
            unsupported += 1
        elif story:
            wrong.append((stored.id, story))
        else:
            right += 1
    return VectorTally(right, unsupported, tuple(wrong))


def verdict(implementation: Any, stored: StoredVector) -> str | None:
    """What is wrong with the result of a vector; empty where nothing is, None where it is not
    offered.
    """
    case, expected, bounds, refused, _ = stored.vector
    outcome = called(implementation, case)
    if isinstance(outcome, Unsupported):
        return None
    if refused is not None:
        is_refused = isinstance(outcome, Failed) and outcome.kind == "raises"
        return "" if is_refused else f"{refused} was accepted"
    if isinstance(outcome, Failed):
        return outcome.message
    assert isinstance(outcome, Returned)
    found = judge(outcome.outputs, expected, bounds, DTYPE)
    return f"{found.kind}: {found.message}" if found else ""

"""A check shared by two processes over the same check by one: the time that passes."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from measuring import Row

from convspec.oracle import check, load

# A check takes a minute, so two turns are what a run can spare.
TURNS = 2


def seconds(workers: int) -> float:
    begun = perf_counter()
    check(load("fast"), level="standard", workers=workers)
    return perf_counter() - begun


def two_workers() -> Iterator[Row]:
    """In turn, each by its faster; on two idle cores.  Starting the processes is part of it."""
    one, two = zip(*((seconds(1), seconds(2)) for _ in range(TURNS)), strict=True)
    yield Row("two workers", "check of fast by two workers over one", min(two) / min(one))

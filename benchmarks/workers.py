"""A check shared by two processes over the same check by one: the time that passes."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from measuring import Row

from convspec.oracle import check, load


def seconds(workers: int) -> float:
    begun = perf_counter()
    check(load("fast"), level="standard", workers=workers)
    return perf_counter() - begun


def two_workers() -> Iterator[Row]:
    """Once each, since it takes minutes, and on two idle cores; starting the processes is part."""
    yield Row("two workers", "check of fast by two workers over one", seconds(2) / seconds(1))

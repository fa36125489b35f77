"""How rivals are timed: in turn, in one run and one thread, each by its fastest.

A busy machine only ever adds to a time, so the least of many is what a call takes; and rivals in
turn meet the same machine.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import NamedTuple

RUNS = 5
SECONDS = 0.4


class Row(NamedTuple):
    """A figure: what is compared, the ratio, and the limit that it must not exceed.

    `key` names the limit in `limits.toml`, `limit` is one that comes from the same run; a row with
    neither is shown and not judged.  `beside` is shown with it, and may change from run to run.
    """

    key: str
    what: str
    ratio: float
    limit: float | None = None
    beside: str = ""


def fastest(*rivals: Callable[[], object], runs: int = RUNS) -> list[float]:
    """The least processor time of each, after a call of each that warms up: of at least so many
    runs, and of as many as `SECONDS` are enough for.
    """
    for rival in rivals:
        rival()
    best = [float("inf")] * len(rivals)
    spent, done = 0.0, 0
    while done < runs or spent < SECONDS:
        for place, rival in enumerate(rivals):
            begun = process_time()
            rival()
            took = process_time() - begun
            best[place] = min(best[place], took)
            spent += took
        done += 1
    return best


def ratio(ours: Callable[[], object], theirs: Callable[[], object], runs: int = RUNS) -> float:
    """The processor time of one over that of the other."""
    mine, other = fastest(ours, theirs, runs=runs)
    return mine / max(other, 1e-9)

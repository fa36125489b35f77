"""How rivals are timed: in turn, in one run and one thread, each by its fastest."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import NamedTuple

RUNS = 5


class Row(NamedTuple):
    """A figure: what is compared, the ratio, and the limit that it must not exceed.

    `key` names the limit in `limits.toml`; a row whose key has none is shown and not judged.
    """

    key: str
    what: str
    ratio: float


def ratio(ours: Callable[[], object], theirs: Callable[[], object], runs: int = RUNS) -> float:
    """The processor time of one over that of the other, after a call of each that warms up."""
    best = [float("inf"), float("inf")]
    for number in range(runs + 1):
        for place, rival in enumerate((ours, theirs)):
            begun = process_time()
            rival()
            if number:
                best[place] = min(best[place], process_time() - begun)
    return best[0] / max(best[1], 1e-9)

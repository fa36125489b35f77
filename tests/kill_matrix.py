"""The kill matrix: does `check` find every deviation, and name it?

`python -m tests.kill_matrix` plants every deviation of the catalogue, alone, in each operation it
applies to, checks it at `quick`, and what that leaves alive at `standard`.  It exits 1 if one
survives: a deviation that survives is a hole in the oracle.  With `--write`, `standard` also has to
find what `quick` found, and all that is stored in docs/kill-matrix.json and told in
docs/kill-matrix.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from convspec.oracle.deviations import DEVIATIONS
from tests.kill_page import LEVELS, renew, told
from tests.planting import Row, examined, seen

Examine = Callable[[str, str, str], Row]


def rows(
    examine: Examine, level: str, pairs: Sequence[tuple[str, str]], workers: int
) -> Iterator[Row]:
    """Every given deviation in its operation, at one level."""
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(_examined_pair, examine=examine, level=level), pairs)


def _examined_pair(pair: tuple[str, str], examine: Examine, level: str) -> Row:
    try:
        return examine(*pair, level)
    except Exception as error:  # a check that breaks down has found nothing, and the rest goes on
        return Row(*pair, level, False, "", (f"check raised {error!r}"[:200],), 0, 0.0, (), ())


def matrix(
    names: Sequence[str], levels: Sequence[str], workers: int, *, whole: bool
) -> tuple[list[Row], list[tuple[str, str]]]:
    """What is found, told as it comes, and which pairs survive every level.

    Each level examines what the ones before it left alive; with `whole` it also sees whether it
    finds what they have found already.
    """
    left = [(name, operation) for name in names for operation in DEVIATIONS[name].operations]
    known: list[tuple[str, str]] = []
    found: list[Row] = []
    survived = []
    for level in levels:
        killed = set()
        for row in rows(examined, level, left, workers):
            found.append(row)
            if row.killed:
                killed.add((row.name, row.operation))
            if not row.killed or not row.named:
                what = f"named {row.diagnoses}" if row.killed else f"SURVIVES {row.kinds}"
                print(f"{level}: {row.name} in {row.operation}: {what}", flush=True)
        for row in rows(seen, level, known if whole else [], workers):
            found.append(row)
            if not row.killed:
                survived.append((row.name, row.operation))
                print(f"{level}: {row.name} in {row.operation}: SURVIVES", flush=True)
        known += [pair for pair in left if pair in killed]
        left = [pair for pair in left if pair not in killed]
    return found, left + survived


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine, print what survives, and write the page if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="deviations, all by default")
    parser.add_argument("--level", action="append", choices=LEVELS, help="both by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="renew the page in docs")
    chosen = parser.parse_args(arguments)
    levels = LEVELS if chosen.write else chosen.level or LEVELS
    names = chosen.names or list(DEVIATIONS)
    found, left = matrix(names, levels, chosen.workers, whole=chosen.write)
    if chosen.write:
        renew(found)
    print("\n".join(told(found)))
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())

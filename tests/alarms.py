"""No false alarm: correct implementations through many generated cases.

Run as `python -m tests.alarms`: checks every correct variant whole, at `quick`, then sweeps each
with one seed after the other until a million cases were judged, prints the count, and exits 1 if
anything was called wrong.  A case is what the oracle counts as judged; the draws in its batch axis
count as one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import chain, count, islice
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy

from convspec.oracle.call import callee
from convspec.oracle.check import DEFAULT_DTYPES, check
from convspec.oracle.evidence import Evidence, Plan, Subject
from convspec.oracle.reference import spec
from convspec.oracle.steps.sweep import sweep_step
from convspec.oracle.steps.variants import variants
from tests.correct_layers import CORRECT
from tests.correct_layers import checked as refusing
from tests.correct_variants import VARIANTS

# What is composed, resizes, normalises or is elementary, one operation a variant.
LAYERS = {
    f"{operation} {name}": SimpleNamespace(**{operation: refusing(operation, function)})
    for name, operation, function in CORRECT
}


class Row(NamedTuple):
    """A check of one variant with one seed: cases judged, and what was called wrong."""

    name: str
    seed: int
    judged: int
    alarms: tuple[str, ...]


def variant(name: str) -> Any:
    """A correct implementation by its name."""
    return LAYERS.get(name) or VARIANTS[name]


def checked(name: str, seed: int, level: str) -> Row:
    """A variant checked whole: every operation it offers, in every dtype it names."""
    report = check(variant(name), offered(name), level=level, seed=seed)
    judged, alarms = 0, []
    for operation in report.operations.values():
        judged += operation.judged
        alarms += [f"{operation.name}: {told(difference)}" for difference in operation.differences]
        if not operation.judged:
            alarms.append(f"{operation.name}: nothing was judged")
    return Row(name, seed, judged, tuple(alarms))


def swept(name: str, seed: int, level: str) -> Row:
    """A variant in the exact sweep alone, where most of the cases are."""
    judged, alarms = 0, []
    dtypes = tuple(map(numpy.dtype, getattr(variant(name), "dtypes", DEFAULT_DTYPES)))
    plan = Plan(level, seed, dtypes, {}, None, None)
    for operation in offered(name):
        target = callee(variant(name), operation)
        assert target is not None
        subject = Subject(operation, target, variants(operation, target, dtypes[0]), spec(), plan)
        for dtype in dtypes:
            evidence = Evidence(dtype, [], [], [], [], [], {}, [], [], [])
            with numpy.errstate(all="ignore"):
                sweep_step(subject, evidence)
            judged += sum(evidence.judged)
            alarms += [f"{operation}: {told(finding)}" for finding in evidence.findings]
    return Row(name, seed, judged, tuple(alarms))


def offered(name: str) -> list[str]:
    """The operations of a variant."""
    return [op for op, function in vars(variant(name)).items() if callable(function)]


def told(wrong: Any) -> str:
    """A finding or a difference in a line."""
    shapes = {name: array.shape for name, array in wrong.case.operands.items()}
    return f"{wrong.kind}: {wrong.message}; {shapes}, {wrong.case.attributes}"


def rows(level: str, first_seed: int, cases: int, workers: int) -> Iterator[Row]:
    """Whole checks at `quick` with the first seed, then sweeps with others, until they have come to
    so many cases.
    """
    whole = ((checked, name, first_seed, "quick") for name in (*VARIANTS, *LAYERS))
    seeds = count(first_seed + 1)
    more = ((swept, name, seed, level) for seed in seeds for name in (*VARIANTS, *LAYERS))
    due, judged = chain(whole, more), 0
    with ProcessPoolExecutor(workers) as pool:
        running = {pool.submit(*task) for task in islice(due, workers)}
        while running:
            done = next(as_completed(running))
            running.discard(done)
            row = done.result()
            judged += row.judged
            yield row
            if judged < cases:
                running.add(pool.submit(*next(due)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print the count, and say what was called wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10**6, help="how many to judge at least")
    parser.add_argument("--level", choices=("quick", "standard"), default="standard")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    judged, alarms, seeds, names = 0, 0, set(), set()
    for row in rows(chosen.level, chosen.seed, chosen.cases, chosen.workers):
        judged, alarms = judged + row.judged, alarms + len(row.alarms)
        seeds.add(row.seed)
        names.add(row.name)
        for alarm in row.alarms:
            print(f"ALARM: {row.name}, seed {row.seed}: {alarm}", flush=True)
        print(f"{judged} cases judged; last: {row.name}, seed {row.seed}", flush=True)
    print(
        f"{judged} cases of {len(names)} correct variants, {len(seeds)} seeds, level "
        f"{chosen.level}: {alarms} false alarms"
    )
    return int(alarms > 0)


if __name__ == "__main__":
    sys.exit(main())

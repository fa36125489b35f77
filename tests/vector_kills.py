"""Do recorded vectors find what the exact sweep finds?  Every deviation, by both.

Run as `python -m tests.vector_kills [OPERATION …]`: prints what the sweep of `quick` finds and the
vectors of `quick` do not, and exits 1 if there is any.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from types import SimpleNamespace

import numpy

import convspec.fast
from convspec.oracle.call import Failed, Returned, call, callee
from convspec.oracle.cases.streams import exact_trials
from convspec.oracle.check import checkable_operations
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.judge import judge
from convspec.oracle.recorded.vector_check import tally
from convspec.oracle.recorded.vector_files import StoredVector
from convspec.oracle.recorded.vectors import DTYPE, vectors
from convspec.oracle.trials.trial import Setting


def planted(name: str, operation: str) -> SimpleNamespace:
    """An implementation that offers nothing but a deviating function."""
    return SimpleNamespace(**{operation: DEVIATIONS[name].edit(convspec.fast, operation)})


def swept(name: str, operation: str) -> bool:
    """Whether the exact sweep of `quick` finds a deviation."""
    target = callee(planted(name, operation), operation)
    setting = Setting(DTYPE, numpy.random.default_rng(0))
    for due in exact_trials(operation, "quick", 0, setting):
        operands = {name: array.copy() for name, array in due.operands.items()}
        with numpy.errstate(all="ignore"):
            outcome = call(target, operation, operands, due.attributes)
        if isinstance(outcome, Failed):
            return True
        if isinstance(outcome, Returned) and judge(outcome.outputs, due.expected, due.slack, DTYPE):
            return True
    return False


@lru_cache(maxsize=1)
def recorded(operation: str) -> list[StoredVector]:
    return [StoredVector(str(n), v) for n, v in enumerate(vectors(operation, "quick", 0))]


def found(name: str, operation: str) -> bool:
    """Whether the recorded vectors find a deviation."""
    return bool(tally(planted(name, operation), recorded(operation)).wrong)


def pairs() -> Iterator[tuple[str, str]]:
    """Every deviation in each of its operations, operation by operation."""
    for operation in checkable_operations():
        for name, deviation in DEVIATIONS.items():
            if operation in deviation.operations:
                yield name, operation


def compared(operation: str) -> list[tuple[str, bool, bool]]:
    """Every deviation of an operation: whether the sweep finds it, and whether the vectors do."""
    return [
        (name, swept(name, operation), found(name, operation))
        for name, planted_in in pairs()
        if planted_in == operation
    ]


def main(operations: list[str]) -> int:
    total = missed = more = 0
    chosen = operations or list(checkable_operations())
    with ProcessPoolExecutor() as pool:
        for operation, verdicts in zip(chosen, pool.map(compared, chosen), strict=True):
            for name, by_sweep, by_vectors in verdicts:
                total += by_sweep
                more += by_vectors and not by_sweep
                if by_sweep and not by_vectors:
                    missed += 1
                    print(f"{name} in {operation}: found by the sweep, not by the vectors")
    print(f"of {total} that the sweep finds, the vectors miss {missed}; they find {more} others")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Search: Hypothesis over the whole space, for what the sweep's scope leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from tempfile import TemporaryDirectory
from typing import Any

import numpy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky
from hypothesis.internal.conjecture import providers

from convspec.arguments import Array
from convspec.case import Case, flat, forward_name
from convspec.oracle.call import Callee, Failed, Unsupported, call, copies
from convspec.oracle.judge import judge
from convspec.oracle.reference import accepted_trial
from convspec.oracle.runner import Finding
from convspec.strategies import calls

EXAMPLES = {"quick": 40, "standard": 150, "exhaustive": 2000}
# What slides no window of its own has fewer corners, and a dtype after the first few of its own.
FEWER_EXAMPLES = {"quick": 16, "standard": 60, "exhaustive": 800}
SHARE_OF_OTHER_DTYPES = 4


class _DisagreementError(Exception):
    """Raised to tell Hypothesis that a case fails, so that it shrinks it."""


def judged_finding(target: Callee, case: Case, namespace: Any) -> Finding | bool | None:
    """One case called and judged: a finding, None where it is right, False where it is unsupported
    or refused by a variant.
    """
    first = next(iter(case.operands.values()))
    with numpy.errstate(all="ignore"):
        right = accepted_trial(case, namespace)
    if right is None:
        return False
    operands = copies(case.operands)
    outcome = call(target, case.operation, operands, case.attributes)
    if isinstance(outcome, Unsupported):
        return False
    if isinstance(outcome, Failed):
        return Finding(
            outcome.kind, outcome.message, case, outcome.outputs, right.expected, right.slack
        )
    verdict = judge(outcome.outputs, right.expected, right.slack, first.dtype)
    if verdict is None:
        return None
    return Finding(
        verdict.kind, verdict.message, case, outcome.outputs, right.expected, right.slack
    )


def search(
    operation: str,
    target: Callee,
    namespace: Any,
    dtype: numpy.dtype[Any],
    examples: int,
    seed: int,
) -> tuple[int, list[Finding]]:
    """Cases judged, and the smallest failing one of a random search, if there is any."""
    last: list[Finding] = []
    judged = 0

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,  # how long an implementation takes is not what is searched for
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),  # a slow implementation is no error here
        print_blob=False,
    )
    @given(calls(operation, dtype=dtype))
    def look(case: Case) -> None:
        nonlocal judged
        case = case._replace(operands=flat(case.operands))
        finding = judged_finding(target, case, namespace)
        if finding is False:
            return
        judged += 1
        if isinstance(finding, Finding) and not is_open(finding):
            last[:] = [finding]
            raise _DisagreementError

    try:
        with alone():
            look()
    except (_DisagreementError, Flaky):  # Flaky: a case that failed once, and not again
        return judged, last
    return judged, []


@contextmanager
def alone() -> Iterator[None]:
    """Hypothesis without its surroundings: it stores nothing in the user's directory, and draws no
    constants that it reads in the modules that are loaded.  Those differ from one process to
    another, and a seed is to give the same cases in each.
    """
    # No setting turns the constants off; a version that has them under another name fails the test.
    names: Any = providers
    reading = getattr(names, "_get_local_constants", None)
    with TemporaryDirectory(prefix="convspec-") as directory:
        set_hypothesis_home_dir(directory)
        if reading is not None:
            names.CONSTANTS_CACHE.cache.clear()
            names._get_local_constants = names.Constants
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)
            if reading is not None:
                names._get_local_constants = reading
                names.CONSTANTS_CACHE.cache.clear()


def is_open(finding: Finding) -> bool:
    """Whether a finding is about ties among maxima, which have a step of their own, or about which
    of several values that were put in one place its cotangent goes back to.
    """
    case, name = finding.case, forward_name(finding.case.operation)
    if case.operation != "max_pool_with_indices" and case.operation == name:
        return False
    if name == "max_unpool":
        return _repeats(case.operands["indices"])
    selects = "max_pool" in name or case.attributes.get("kind") == "max"
    return selects and _repeats(case.operands["input"])


def _repeats(array: Array) -> bool:
    """Whether some plane holds a number twice."""
    planes = array.reshape(-1, prod(array.shape[2:])) if array.size else array.reshape(0, 0)
    return any(len(numpy.unique(plane)) < len(plane) for plane in planes)

"""Search: Hypothesis over the whole space, for what the sweep's scope leaves out."""

from __future__ import annotations

from typing import Any

import numpy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import HypothesisException

from convspec.case import Case
from convspec.oracle.call import Callee, Failed, Unsupported, call
from convspec.oracle.judge import judge
from convspec.oracle.reference import accepted_trial
from convspec.oracle.runner import Finding
from convspec.strategies import calls

EXAMPLES = {"quick": 40, "standard": 150, "exhaustive": 2000}


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
    operands = {name: array.copy() for name, array in case.operands.items()}
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
    level: str,
    seed: int,
) -> tuple[int, list[Finding]]:
    """Cases judged, and the smallest failing one of a random search, if there is any."""
    last: list[Finding] = []
    judged = 0

    @seeded(seed)
    @settings(
        max_examples=EXAMPLES[level],
        database=None,
        deadline=None,  # how long an implementation takes is not what is searched for
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),  # a slow implementation is no error here
        print_blob=False,
    )
    @given(calls(operation, dtype=dtype))
    def look(case: Case) -> None:
        nonlocal judged
        finding = judged_finding(target, case, namespace)
        if finding is False:
            return
        judged += 1
        if isinstance(finding, Finding) and not is_open(finding):
            last[:] = [finding]
            raise _DisagreementError

    try:
        look()
    except (_DisagreementError, HypothesisException):
        return judged, last
    return judged, []


def is_open(finding: Finding) -> bool:
    """Whether a finding is about ties among maxima, which have a step of their own."""
    return "max_pool" in finding.case.operation and _has_ties(finding.case)


def _has_ties(case: Case) -> bool:
    if case.operation != "max_pool_with_indices" and not case.operation.endswith("_vjp"):
        return False
    x = case.operands["input"]
    flat = x.reshape(x.shape[0] * x.shape[1], -1) if x.size else x.reshape(0, 0)
    return any(len(numpy.unique(plane)) < len(plane) for plane in flat)

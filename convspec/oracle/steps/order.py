"""The steps of an examination, in order; each adds what it sees to the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.cases.filling import is_finite
from convspec.oracle.evidence import Evidence, Subject, judge_stream, near
from convspec.oracle.reference import trial, trials
from convspec.oracle.rounding.share import ULPS
from convspec.oracle.steps import behaviour, neighbours, refusals, special, thresholds, ties
from convspec.oracle.steps.accuracy import accuracy
from convspec.oracle.steps.moves import moves, only_moves
from convspec.oracle.steps.search import (
    EXAMPLES,
    FEWER_EXAMPLES,
    SHARE_OF_OTHER_DTYPES,
    search,
)
from convspec.oracle.steps.sweep import sweep_step
from convspec.oracle.trials.geometries import RECIPES
from convspec.oracle.trials.trial import Trial
from convspec.rounding import FAST_ALGORITHM

BEHAVIOUR_CASES = 4
REFUSAL_CASES = 48


def thresholds_step(subject: Subject, evidence: Evidence) -> None:
    """Sizes where implementations switch algorithm."""
    plan = subject.plan

    def stream(largest: int | None) -> Iterator[Trial]:
        rng = numpy.random.default_rng(plan.seed)
        cases = thresholds.threshold_cases(
            subject.operation, plan.level, rng, evidence.dtype, largest
        )
        return trials(cases, subject.namespace)

    judge_stream(subject, evidence, stream)


def special_step(subject: Subject, evidence: Evidence) -> None:
    """NaN and infinities."""
    repeats = 2 if subject.plan.level == "quick" else 6

    def stream(_: int | None) -> Iterator[Trial]:
        rng = numpy.random.default_rng(subject.plan.seed)
        cases = special.special_cases(subject.operation, rng, evidence.dtype, repeats)
        return trials(cases, subject.namespace)

    judge_stream(subject, evidence, stream)


def accuracy_step(subject: Subject, evidence: Evidence) -> None:
    """The accuracy class, and whether it is the one required; where nothing rounds, that every bit
    arrives.
    """
    if evidence.dtype.kind in "iu" or evidence.findings:
        return
    plan = subject.plan
    if only_moves(subject.operation):

        def stream(_: int | None) -> Iterator[Trial]:
            rng = numpy.random.default_rng(plan.seed)
            return moves(subject.operation, subject.namespace, evidence.dtype, rng)

        judge_stream(subject, evidence, stream)
        return
    seen = accuracy(
        subject.operation,
        subject.target,
        subject.namespace,
        evidence.dtype,
        numpy.random.default_rng(plan.seed),
        plan.require_accuracy,
    )
    evidence.judged.append(seen.judged)
    evidence.findings.extend(seen.findings)
    evidence.notes.extend(seen.notes)
    if seen.name is not None:
        evidence.accuracies.append(seen.name)
        evidence.notes.append(
            f"{evidence.dtype} rounds as {seen.name}: worst error {seen.ratio:.3g} of its bound"
            f"{_assumption(subject.operation)}"
            if seen.name != FAST_ALGORITHM
            else f"{evidence.dtype} comes from a fast algorithm: only a normwise bound holds"
        )


def _assumption(operation: str) -> str:
    """What a bound rests on besides the theorem."""
    if OPERATIONS[forward_name(operation)].rounding != "elementary":
        return ""
    return f", assuming elementary functions within {ULPS} ulps and quotients within one"


def ties_step(subject: Subject, evidence: Evidence) -> None:
    """Ties among maxima."""
    operation = subject.operation
    if operation not in ties.TIED:
        return
    rng = numpy.random.default_rng(subject.plan.seed)
    cases = ties.tie_cases(operation, rng, evidence.dtype)
    check = ties.gradient_findings if operation.endswith("_vjp") else ties.index_findings
    judged, findings = check(subject.target, cases)
    evidence.judged.append(judged)
    evidence.findings.extend(findings)


def behaviour_step(subject: Subject, evidence: Evidence) -> None:
    """Repeatable, indifferent to layout, strict."""
    if any(finding.kind == "mutates" for finding in evidence.findings):
        return
    cases = sorted(evidence.passing, key=_case_size)[-BEHAVIOUR_CASES:]
    # Other calls hold other numbers, which a coarser arithmetic need not recover; and where special
    # values go at other attributes is a question of its own.
    spaced = neighbours.loosely_spaced(subject.operation, evidence.dtype, subject.plan.seed)
    alike = [] if evidence.recovered else [*filter(is_finite, cases), *spaced]
    ordered = sorted(evidence.passing, key=_case_size)
    spread = ordered[:: max(1, len(ordered) // REFUSAL_CASES)]

    def right(case: Case) -> Trial:
        due = trial(case, subject.namespace)
        return near(due) if FAST_ALGORITHM in evidence.accuracies else due

    for judged, findings in (
        behaviour.layout_findings(subject.target, cases, right),
        behaviour.repeat_findings(subject.target, cases),
        neighbours.neighbour_findings(subject.target, alike, subject.namespace),
        behaviour.empty_batch_findings(subject.target, cases, right),
        refusals.accepts_findings(subject.target, spread),
    ):
        evidence.judged.append(judged)
        evidence.findings.extend(findings)


def _case_size(case: Case) -> int:
    return sum(array.size for array in case.operands.values())


def search_step(subject: Subject, evidence: Evidence) -> None:
    """Random cases, unless something is wrong already."""
    if evidence.findings or evidence.recovered:
        return
    judged, findings = search(
        subject.operation,
        subject.target,
        subject.namespace,
        evidence.dtype,
        _examples(subject, evidence),
        subject.plan.seed,
    )
    evidence.judged.append(judged)
    evidence.findings.extend(findings)


def _examples(subject: Subject, evidence: Evidence) -> int:
    """How many random calls are tried."""
    fewer = forward_name(subject.operation) in RECIPES
    examples = (FEWER_EXAMPLES if fewer else EXAMPLES)[subject.plan.level]
    first = evidence.dtype == subject.plan.dtypes[0]
    return examples if first else examples // SHARE_OF_OTHER_DTYPES


Step = Callable[[Subject, Evidence], None]
STEPS: dict[str, Step] = {
    "exact sweep": sweep_step,
    "thresholds": thresholds_step,
    "rounding": accuracy_step,
    "special values": special_step,
    "ties": ties_step,
    "behaviour": behaviour_step,
    "search": search_step,
}

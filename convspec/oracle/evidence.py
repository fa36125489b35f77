"""What an examination is asked for, what it has brought to light, and how a stream is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.call import Callee
from convspec.oracle.cases.draws import FAST_ALGORITHM_ENTRY, NARROW_ENTRY
from convspec.oracle.runner import ENOUGH_FINDINGS, Finding, Tally, mutation, run
from convspec.oracle.steps.variants import Variants
from convspec.oracle.trials.trial import Trial
from convspec.rounding import FAST_ALGORITHM, PRECISION, precision, unit_roundoff

NARROW = "bfloat16"
Progress = Callable[[str, str, int, int], None]
# How many findings name a mistake, where the first is enough to stop.
FEW_FINDINGS = 8


class Plan(NamedTuple):
    """What an examination is asked for; `stop_at_first` ends it once something is wrong.

    `noticed` is called whenever something looks wrong: with "suspected" at once, with "sure" when
    the step is over and it still does.
    """

    level: str
    seed: int
    dtypes: tuple[numpy.dtype[Any], ...]
    conventions: dict[str, str]
    require_accuracy: str | None
    progress: Progress | None
    watch: Callable[[Callee], Callee] | None = None
    stop_at_first: bool = False
    noticed: Callable[[str], None] | None = None


class Evidence(NamedTuple):
    """What the steps of one dtype have brought to light so far; steps append to it.

    `recovered` are the accuracy classes without which the exact sweep would have failed.
    """

    dtype: numpy.dtype[Any]
    judged: list[int]
    inside: list[float]
    findings: list[Finding]
    passing: list[Case]
    refused: list[Case]
    reasons: dict[str, int]
    accuracies: list[str]
    notes: list[str]
    recovered: list[str]


class Subject(NamedTuple):
    """The operation under examination, the spec it is held to, and the plan."""

    operation: str
    target: Callee
    variants: Variants
    namespace: Any
    plan: Plan


Stream = Callable[[int | None], Iterator[Trial]]


def judge_stream(subject: Subject, evidence: Evidence, stream: Stream) -> Tally:
    """Run a stream of trials and keep what it shows.

    `stream` makes the trials, given the largest entry if another arithmetic must recover them:
    where every wrong value is a small error, all is done again with small integers, which a fast
    algorithm (Winograd, FFT) returns exactly once they are rounded, and with smaller ones, whose
    sums eight bits hold, as bfloat16 does inside a wider dtype.
    """
    enough = FEW_FINDINGS if subject.plan.stop_at_first else ENOUGH_FINDINGS
    tally = run(
        subject.operation,
        subject.target,
        stream(None),
        evidence.dtype,
        enough=enough,
        noticed=subject.plan.noticed,
    )
    findings = tally.findings
    for name, largest_error, again in _other_arithmetics(evidence.dtype, stream):
        if _recoverable(subject.operation, findings) and _off_by_at_most(largest_error, findings):
            seen = run(subject.operation, subject.target, again(), evidence.dtype)
            if seen.judged and not seen.found and seen.mutated is None:
                evidence.accuracies.append(name)
                evidence.recovered.append(name)
                tally, findings = seen, []
    evidence.judged.append(tally.judged)
    evidence.inside.append(tally.seconds_inside)
    evidence.passing.extend(tally.passing)
    evidence.refused.extend(tally.refused[:256])
    for reason, count in tally.unsupported.items():
        evidence.reasons[reason] = evidence.reasons.get(reason, 0) + count
    if tally.mutated is not None:
        # What followed was judged on changed data, if at all.
        findings = [mutation(tally.mutated)]
    evidence.findings.extend(findings)
    return tally


def _other_arithmetics(
    dtype: numpy.dtype[Any], stream: Stream
) -> Iterator[tuple[str, float, Callable[[], Iterator[Trial]]]]:
    """Accuracy classes that need small integers, how far off they may be beside the largest
    value, and what they must get right.
    """
    yield FAST_ALGORITHM, 1e-3, lambda: _within_half(stream(FAST_ALGORITHM_ENTRY))
    if dtype.kind == "f" and precision(dtype) >= 24:
        # A result and its bias, each rounded to nearest.
        two_roundings = 2 * unit_roundoff(PRECISION[NARROW])
        yield NARROW, two_roundings, lambda: stream(NARROW_ENTRY)


def _recoverable(operation: str, findings: list[Finding]) -> bool:
    """Whether what is wrong are sums of products, of which rounding recovers small integers."""
    row = OPERATIONS[forward_name(operation)]
    whole = row.name == "average_pool" or all(finding.slack is None for finding in findings)
    return bool(findings) and row.rounding == "products" and whole


def _off_by_at_most(share: float, findings: list[Finding]) -> bool:
    """Whether every wrong value is off by less than a half, as no mistake among integers is, or by
    no more than a share of the largest one.
    """
    return all(
        finding.kind == "value"
        and finding.actual is not None
        and all(
            actual.shape == value.shape
            and abs(actual - value).max(initial=0) <= max(0.5, share * abs(value).max(initial=0))
            for actual, value in zip(finding.actual, finding.expected, strict=True)
        )
        for finding in findings
    )


def _within_half(stream: Iterator[Trial]) -> Iterator[Trial]:
    """Trials whose integers a fast algorithm must recover by rounding."""
    return map(near, stream)


def near(due: Trial) -> Trial:
    """A trial whose outputs may be off by less than a half."""
    return due._replace(slack=tuple(numpy.full(value.shape, 0.499) for value in due.expected))

"""The inner loop: call, compare, next.  It works on arrays and keeps only what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.call import (
    CRASHED,
    Callee,
    Failed,
    Returned,
    Unsupported,
    arguments,
    attempt,
    call,
    copies,
    worn_out,
)
from convspec.oracle.judge import is_half, judge, same_values, stored
from convspec.oracle.trials.trial import Trial

FINDINGS_KEPT = 32
ENOUGH_FINDINGS = 200
PASSING_KEPT = 256
ALL_PASSING_KEPT = 64
REFUSED_KEPT = 256


class Finding(NamedTuple):
    """A case that went wrong: what was returned (None where nothing was), and what is right.

    `before` and `after` are other calls without which it would not have gone wrong.
    """

    kind: str
    message: str
    case: Case
    actual: tuple[Array, ...] | None
    expected: tuple[Array, ...]
    slack: tuple[Array, ...] | None
    before: tuple[Case, ...] = ()
    after: tuple[Case, ...] = ()


def mutation(case: Case) -> Finding:
    """That a call changed its arguments."""
    return Finding("mutates", "the call changed its arguments", case, None, (), None)


@dataclass
class Tally:
    """What a stream of trials came to."""

    judged: int = 0
    unsupported: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    found: int = 0
    passing: list[Case] = field(default_factory=list)
    refused: list[Case] = field(default_factory=list)
    seconds_inside: float = 0.0
    mutated: Case | None = None


@dataclass
class Shared:
    """The arrays that trials share, as passed on and as they were, and the calls since then."""

    pristine: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    since: list[Case] = field(default_factory=list)


def run(
    operation: str,
    target: Callee,
    trials: Iterator[Trial],
    element: numpy.dtype[Any],
    *,
    enough: int = ENOUGH_FINDINGS,
    noticed: Callable[[str], None] | None = None,
) -> Tally:
    """Judge every trial of a stream.

    Trials share arrays; an implementation that changes them is noticed and ends the stream, for
    what follows would be judged on the wrong data.
    """
    tally, shared = Tally(), Shared()
    for number, trial in enumerate(trials):
        case = Case(operation, trial.operands, trial.attributes)
        given = worn_out(target) or arguments(target, *case)
        if isinstance(given, Unsupported):
            _refuse(tally, case, given)
            continue
        if _changed(shared.pristine, case.operands):
            break
        _remember(shared, case)
        outcome, seconds = attempt(target, case, *given, len(trial.expected))
        tally.seconds_inside += seconds
        if outcome is CRASHED:
            tally.judged += 1
            continue
        if isinstance(outcome, Unsupported):
            _refuse(tally, case, outcome)
            continue
        tally.judged += 1
        finding = _judged(case, outcome, trial, element)
        if finding is not None:
            _find(tally, finding, noticed)
        elif len(tally.passing) < PASSING_KEPT and (
            tally.judged <= ALL_PASSING_KEPT or number % 8 == 0
        ):
            tally.passing.append(case)
        if tally.found >= enough:
            break
    if shared.since and _changed(shared.pristine, {}):
        tally.mutated = _culprit(target, shared.since)
    return tally


def _refuse(tally: Tally, case: Case, unsupported: Unsupported) -> None:
    """Count a refused case by its reason, and add it to an even sample of them all: every `2^j`-th,
    for the least `j` that leaves no more than REFUSED_KEPT.
    """
    before = sum(tally.unsupported.values())
    reason = unsupported.reason
    tally.unsupported[reason] = tally.unsupported.get(reason, 0) + 1
    if before % (1 << (before // REFUSED_KEPT).bit_length()):
        return
    if len(tally.refused) == REFUSED_KEPT:
        del tally.refused[1::2]
    tally.refused.append(case)


def _find(tally: Tally, finding: Finding, noticed: Callable[[str], None] | None) -> None:
    """Count a finding, and keep it while there are few, with its outputs as they are now."""
    tally.found += 1
    if noticed is not None:
        noticed("suspected")
    if len(tally.findings) < FINDINGS_KEPT:
        actual = finding.actual
        kept = None if actual is None else tuple(array.copy() for array in actual)
        tally.findings.append(finding._replace(actual=kept))


def _judged(
    case: Case, outcome: Returned | Failed, trial: Trial, element: numpy.dtype[Any]
) -> Finding | None:
    """What is wrong with an outcome, None where nothing is."""
    expected = trial.expected
    if trial.slack is None and is_half(element):
        expected = tuple(stored(value, element) for value in expected)
    verdict: Any = outcome
    if isinstance(outcome, Returned):
        verdict = _quick(outcome.outputs, expected, trial.slack, element)
    if verdict is None:
        return None
    return Finding(verdict.kind, verdict.message, case, outcome.outputs, expected, trial.slack)


def _quick(
    actual: tuple[Array, ...],
    expected: tuple[Array, ...],
    slack: tuple[Array, ...] | None,
    element: numpy.dtype[Any],
) -> Any:
    """`judge`, with a short way out for the one outcome that is common."""
    if slack is None and element.kind == "f":
        for output, value in zip(actual, expected, strict=True):
            if output.shape != value.shape or not (output == value).all():
                break
            if (
                output.dtype != element
                if value.dtype.kind == "f"
                else output.dtype.kind not in "iu"
            ):
                break
        else:
            return None
    return judge(actual, expected, slack, element)


def _changed(pristine: dict[str, tuple[Array, Array]], operands: dict[str, Array]) -> bool:
    """Whether calls have changed an array that is not among `operands`, which take its place."""
    for name, (array, before) in pristine.items():
        if operands.get(name) is not array and not same_values(array, before):
            return True
    for name, array in operands.items():
        if name not in pristine or pristine[name][0] is not array:
            pristine[name] = (array, array.copy())
    return False


def _remember(shared: Shared, case: Case) -> None:
    """Add a call to those that may turn out to have changed an array, with its operands as they are
    before it; calls of which no array is left are forgotten.
    """
    before = {name: shared.pristine[name][1] for name in case.operands}
    kept = set(map(id, before.values()))
    if shared.since and kept.isdisjoint(map(id, shared.since[-1].operands.values())):
        shared.since.clear()
    shared.since.append(case._replace(operands=before))


def _culprit(target: Callee, cases: list[Case]) -> Case:
    """The first of some cases whose call changes its arguments."""
    for case in cases:
        operands = copies(case.operands)
        call(target, case.operation, operands, case.attributes)
        if not all(same_values(operands[name], array) for name, array in case.operands.items()):
            return case
    return cases[-1]

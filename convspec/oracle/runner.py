"""The inner loop: call, compare, next.  It works on arrays and keeps only what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.call import (
    CRASHED,
    Callee,
    CrashError,
    Failed,
    Unsupported,
    arguments,
    as_outputs,
    call,
    copied,
    copies,
    crashed,
    raised,
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
    """A case that went wrong: what was returned (None where nothing was), and what is right."""

    kind: str
    message: str
    case: Case
    actual: tuple[Array, ...] | None
    expected: tuple[Array, ...]
    slack: tuple[Array, ...] | None


def mutation(case: Case) -> Finding:
    """That a call changed its arguments."""
    return Finding("mutates", "the call changed its arguments", case, None, (), None)


class Tally(NamedTuple):
    """What a stream of trials came to."""

    judged: int
    unsupported: dict[str, int]
    findings: list[Finding]
    found: int
    passing: list[Case]
    refused: list[Case]
    seconds_inside: float
    mutated: Case | None


def run(
    operation: str,
    target: Callee,
    trials: Iterator[Trial],
    element: numpy.dtype[Any],
    *,
    private_copies: bool = False,
    enough: int = ENOUGH_FINDINGS,
    noticed: Callable[[str], None] | None = None,
) -> Tally:
    """Judge every trial of a stream.

    Arrays are shared between trials unless `private_copies`; an implementation that changes them is
    noticed and ends the stream, for what follows would be judged on the wrong data.
    """
    judged, found, inside = 0, 0, 0.0
    unsupported: dict[str, int] = {}
    findings: list[Finding] = []
    passing: list[Case] = []
    refused: list[Case] = []
    pristine: dict[str, tuple[Array, Array]] = {}
    since: list[Case] = []
    half = is_half(element)
    for number, trial in enumerate(trials):
        operands = trial.operands
        given = worn_out(target) or arguments(target, operation, operands, trial.attributes)
        if isinstance(given, Unsupported):
            unsupported[given.reason] = unsupported.get(given.reason, 0) + 1
            _sample(refused, Case(operation, operands, trial.attributes), unsupported)
            continue
        placed, keywords = given
        if private_copies:
            placed = tuple(copied(array) for array in placed)
        else:
            if _changed(pristine, operands):
                case = _culprit(target, since)
                return Tally(judged, unsupported, findings, found, passing, refused, inside, case)
            before = {name: pristine[name][1] for name in operands}
            if since and not set(map(id, before.values())) & set(
                map(id, since[-1].operands.values())
            ):
                since.clear()  # no array is left of the calls before
            since.append(Case(operation, before, trial.attributes))
        begun = perf_counter()
        try:
            result: Any = target.function(*placed, **keywords)
            inside += perf_counter() - begun
            outcome = as_outputs(operation, result, len(trial.expected))
        except CrashError as error:
            outcome = crashed(target, Case(operation, operands, trial.attributes), error)
        except KeyboardInterrupt:  # whoever watches the check ends it
            raise
        except BaseException as error:  # whatever else it raises on a valid case is a difference
            outcome = raised(error, keywords)
        if outcome is CRASHED:
            judged += 1
            continue
        if isinstance(outcome, Unsupported):
            unsupported[outcome.reason] = unsupported.get(outcome.reason, 0) + 1
            _sample(refused, Case(operation, operands, trial.attributes), unsupported)
            continue
        judged += 1
        expected = trial.expected
        if half and trial.slack is None:
            expected = tuple(stored(value, element) for value in expected)
        if isinstance(outcome, Failed):
            verdict: Any = outcome
            actual = outcome.outputs
        else:
            actual = outcome.outputs
            verdict = _quick(actual, expected, trial.slack, element)
        if verdict is None:
            if len(passing) < PASSING_KEPT and (judged <= ALL_PASSING_KEPT or number % 8 == 0):
                passing.append(Case(operation, operands, trial.attributes))
            continue
        found += 1
        if noticed is not None:
            noticed("suspected")
        if len(findings) < FINDINGS_KEPT:
            kept = None if actual is None else tuple(array.copy() for array in actual)
            case = Case(operation, operands, trial.attributes)
            findings.append(
                Finding(verdict.kind, verdict.message, case, kept, expected, trial.slack)
            )
        if found >= enough:
            break
    mutated = None
    if since and _changed(pristine, {}):
        mutated = _culprit(target, since)
    return Tally(judged, unsupported, findings, found, passing, refused, inside, mutated)


def _sample(refused: list[Case], case: Case, unsupported: dict[str, int]) -> None:
    """Add the newest refused case to an even sample of them all: every `2^j`-th, for the least `j`
    that leaves no more than REFUSED_KEPT.
    """
    before = sum(unsupported.values()) - 1
    if before % (1 << (before // REFUSED_KEPT).bit_length()):
        return
    if len(refused) == REFUSED_KEPT:
        del refused[1::2]
    refused.append(case)


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


def _culprit(target: Callee, cases: list[Case]) -> Case:
    """The first of some cases whose call changes its arguments."""
    for case in cases:
        operands = copies(case.operands)
        call(target, case.operation, operands, case.attributes)
        if not all(same_values(operands[name], array) for name, array in case.operands.items()):
            return case
    return cases[-1]

"""The inner loop: call, compare, next.  It works on arrays and keeps only what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.call import Callee, Failed, Unsupported, arguments, as_outputs, raised
from convspec.oracle.judge import is_half, judge, same_values, stored
from convspec.oracle.trials.trial import Trial

FINDINGS_KEPT = 32
ENOUGH_FINDINGS = 200
PASSING_KEPT = 256
ALL_PASSING_KEPT = 64


class Finding(NamedTuple):
    """A case that went wrong: what was returned (None where nothing was), and what is right."""

    kind: str
    message: str
    case: Case
    actual: tuple[Array, ...] | None
    expected: tuple[Array, ...]
    slack: tuple[Array, ...] | None


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
    position: MutableSequence[int],
    skip: frozenset[int] = frozenset(),
    private_copies: bool = False,
) -> Tally:
    """Judge every trial of a stream.

    `position[0]` always holds the number of the trial under way, so that whoever outlives a
    crash knows which one it was; trials in `skip` are passed over.  Arrays are shared between
    trials unless `private_copies`; an implementation that changes them is noticed and ends the
    stream, for what follows would be judged on the wrong data.
    """
    judged, found, inside = 0, 0, 0.0
    unsupported: dict[str, int] = {}
    findings: list[Finding] = []
    passing: list[Case] = []
    refused: list[Case] = []
    pristine: dict[str, tuple[Array, Array]] = {}
    half = is_half(element)
    for number, trial in enumerate(trials):
        position[0] = number
        if number in skip:
            continue
        operands = trial.operands
        given = arguments(target, operation, operands, trial.attributes)
        if isinstance(given, Unsupported):
            unsupported[given.reason] = unsupported.get(given.reason, 0) + 1
            refused.append(Case(operation, operands, trial.attributes))
            continue
        placed, keywords = given
        if private_copies:
            placed = tuple(array.copy() for array in placed)
        else:
            changed = _changed(pristine, operands)
            if changed is not None:
                case = Case(operation, {**operands, **changed}, trial.attributes)
                return Tally(judged, unsupported, findings, found, passing, refused, inside, case)
        begun = perf_counter()
        try:
            result: Any = target.function(*placed, **keywords)
            inside += perf_counter() - begun
            outcome = as_outputs(operation, result, len(trial.expected))
        except NotImplementedError as error:
            outcome = Unsupported(str(error) or "NotImplementedError")
        except Exception as error:  # whatever it raises on a valid case is a difference
            outcome = raised(error)
        if isinstance(outcome, Unsupported):
            unsupported[outcome.reason] = unsupported.get(outcome.reason, 0) + 1
            refused.append(Case(operation, operands, trial.attributes))
            continue
        judged += 1
        expected = trial.expected
        if half and trial.slack is None:
            expected = tuple(stored(value, element) for value in expected)
        if isinstance(outcome, Failed):
            verdict: Any = outcome
            actual = None
        else:
            actual = outcome.outputs
            verdict = _quick(actual, expected, trial.slack, element)
        if verdict is None:
            if len(passing) < PASSING_KEPT and (judged <= ALL_PASSING_KEPT or number % 8 == 0):
                passing.append(Case(operation, operands, trial.attributes))
            continue
        found += 1
        if len(findings) < FINDINGS_KEPT:
            kept = None if actual is None else tuple(array.copy() for array in actual)
            case = Case(operation, operands, trial.attributes)
            findings.append(
                Finding(verdict.kind, verdict.message, case, kept, expected, trial.slack)
            )
        if found >= ENOUGH_FINDINGS:
            break
    mutated = None
    if not private_copies and pristine and _changed(pristine, {}) is not None:
        mutated = Case(operation, {n: before for n, (_, before) in pristine.items()}, {})
    return Tally(judged, unsupported, findings, found, passing, refused, inside, mutated)


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
            if output.dtype != element and value.dtype.kind == "f":
                break
        else:
            return None
    return judge(actual, expected, slack, element)


def _changed(
    pristine: dict[str, tuple[Array, Array]], operands: dict[str, Array]
) -> dict[str, Array] | None:
    """The operands, as they were, that calls have changed; otherwise None, and remember the
    arrays of this trial.
    """
    for name, (array, before) in pristine.items():
        if operands.get(name) is not array and not same_values(array, before):
            return {name: before}
    for name, array in operands.items():
        if name not in pristine or pristine[name][0] is not array:
            pristine[name] = (array, array.copy())
    return None

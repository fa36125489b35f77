"""A deviation at its smallest: the plainest call in which it shows, right against wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy

import convspec.fast
from convspec.case import Case, forward_name
from convspec.oracle.deviations import Deviation
from convspec.oracle.deviations.record import Function
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.deviations.state import STATE
from convspec.oracle.deviations.validation import VALIDATION
from convspec.oracle.explanation.replay import (
    Outputs,
    agree,
    replay,
    returned,
    right,
    rounding_bounds,
)
from convspec.oracle.explanation.shrink import smallest
from convspec.oracle.steps.bad_calls import bad_calls
from convspec.oracle.steps.behaviour import interruptions
from convspec.oracle.steps.thresholds import threshold_cases

FEW, MANY = 300, 3000
SEQUENCES = 40
CALLS = 12


class Picture(NamedTuple):
    """A call, what is right, what the deviation returns, and what has come before, if anything."""

    case: Case
    right: Outputs
    wrong: Outputs
    before: str = ""


def picture(deviation: Deviation, operation: str) -> Picture | None:
    """The smallest call of an operation in which a deviation shows; None where none was found."""
    if deviation in STATE:
        return _over_calls(deviation, operation)
    if deviation in VALIDATION:
        return _accepted(deviation, operation)
    return _at_once(deviation, operation)


def _at_once(deviation: Deviation, operation: str) -> Picture | None:
    """Of random small calls the first that shows the deviation, made smaller.

    Deviations that show in no other way may show in the rounding, or where the spec is silent.
    """
    wrong = deviation.edit(convspec.fast, operation)
    for count, exact, silent in (
        (FEW, False, False),
        (MANY, False, False),
        (MANY, True, False),
        (MANY, True, True),
    ):

        def shows(case: Case, *, exact: bool = exact, silent: bool = silent) -> bool:
            due = right(case)
            if isinstance(due, str) and not silent:
                return False
            return not agree(replay(wrong, case), due, None if exact else rounding_bounds(case))

        unusual = _unusual(operation) if exact else iter(())
        empty = [_empty_window(operation)] if silent and "pool" in operation else []
        for case in (*unusual, *empty, *small_cases(operation, count)):
            if (silent or _is_plain(case)) and shows(case):
                least = smallest(case, shows)
                return Picture(least, right(least), replay(wrong, least))
    return None


def _unusual(operation: str) -> Iterator[Case]:
    """Calls of other sizes than most: many channels, long axes, long strides."""
    rng, double = numpy.random.default_rng(0), numpy.dtype(numpy.float64)
    yield from threshold_cases(operation, "quick", rng, double)
    if operation == forward_name(operation):
        for case in small_cases(operation, FEW):
            if "stride" in case.attributes:
                strides = (4,) * len(case.attributes["stride"])
                yield case._replace(attributes={**case.attributes, "stride": strides})


def _empty_window(operation: str) -> Case:
    """A pool whose first window lies in the padding, which the spec refuses."""
    attributes = {"kernel_size": (1,), "stride": (1,), "padding": ((1, 0),), "dilation": (1,)}
    extra = {"count_include_pad": False} if operation == "average_pool" else {}
    operands = {"input": numpy.array([[[1.0, 2.0]]])}
    return Case(operation, operands, {**attributes, "ceil_mode": False, **extra})


def _is_plain(case: Case) -> bool:
    """Whether there is something in every operand, so that a picture shows something."""
    return all(array.size for array in case.operands.values())


def _accepted(deviation: Deviation, operation: str) -> Picture | None:
    """A bad call that the deviation answers."""
    wrong = deviation.edit(convspec.fast, operation)
    for case in small_cases(operation, FEW):
        for what, bad in bad_calls(case) if _is_plain(case) else ():
            answer = replay(wrong, bad)
            if not isinstance(answer, str):
                return Picture(bad, "a ValueError or a TypeError", answer, f"A call with {what}.")
    return None


def _over_calls(deviation: Deviation, operation: str) -> Picture | None:
    """The first call that goes wrong among calls that resemble each other."""
    for case in small_cases(operation, SEQUENCES):
        if not _is_plain(case):
            continue
        function = deviation.edit(convspec.fast, operation)
        found = _gone_wrong(function, [*_sequence(case)])
        if found is not None:
            return found
    return None


def _sequence(case: Case) -> Iterator[Case]:
    """A call, calls like it, and the call again."""
    yield case
    yield case
    yield from interruptions(case)
    yield from [case] * CALLS
    if operand := next((name for name in ("cotangent", "input") if name in case.operands), None):
        empty = {n: a[:0] if n in (operand, "input") else a for n, a in case.operands.items()}
        yield case._replace(operands=empty)


def _gone_wrong(function: Function, cases: list[Case]) -> Picture | None:
    """What goes wrong first: a result, or an earlier result when another call is made."""
    arrays: dict[int, numpy.ndarray] = {}
    earlier: list[tuple[Case, Outputs, Outputs]] = []
    for number, case in enumerate(cases):
        own = [arrays.setdefault(id(array), array.copy()) for array in case.operands.values()]
        try:
            with numpy.errstate(all="ignore"):
                seen = returned(function(*own, **case.attributes))
        except Exception as error:  # what refuses a call has not gone wrong over several
            seen = str(error)
        due = right(case)
        if isinstance(seen, str):
            continue
        if not agree(seen, due, rounding_bounds(case)):
            before = f"After {number} earlier call{'s' if number > 1 else ''}."
            return Picture(case, due, seen, before) if number else None
        for first, was, outputs in earlier:
            if not agree(outputs, was, rounding_bounds(first)):
                return Picture(first, was, outputs, "The result of a call, after the next call.")
        earlier.append((case, due, seen))
    return None

"""Refusals: a bad argument must not be accepted."""

from __future__ import annotations

from convspec.case import Case
from convspec.oracle.call import (
    CRASHED,
    Callee,
    Failed,
    Outcome,
    Returned,
    Unsupported,
    arguments,
    call,
    copies,
)
from convspec.oracle.explanation.shrink import smallest
from convspec.oracle.runner import Finding
from convspec.oracle.steps.bad_calls import bad_calls

# How often a bad argument that is accepted is tried on a smaller case.
SMALLER_ACCEPTED = 300


def accepts_findings(target: Callee, cases: list[Case]) -> tuple[int, list[Finding]]:
    """Bad arguments are refused, by whatever exception.

    One that ends the process does so once: another call of the kind would show no more.
    """
    judged = 0
    accepted: dict[str, Finding] = {}
    deadly: set[str] = set()
    for case in cases:
        for name, bad in bad_calls(case):
            if name in deadly:
                continue
            outcome = _answered(target, case, bad)
            judged += outcome is not None
            if outcome is CRASHED:
                deadly.add(name)
            if name not in accepted and _is_accepted(outcome):
                accepted[name] = _accepted(target, case, name)
    return judged, list(accepted.values())


def _accepted(target: Callee, case: Case, name: str) -> Finding:
    """The smallest case which, spoilt in the way that `name` says, is accepted."""

    def spoilt(valid: Case) -> tuple[Case, Outcome | None] | None:
        bad = dict(bad_calls(valid)).get(name)
        return None if bad is None else (bad, _answered(target, valid, bad))

    def fails(valid: Case) -> bool:
        # Operands of zeros would hide what becomes of the bad argument.
        telling = all(array.any() for array in valid.operands.values())
        seen = spoilt(valid) if telling else None
        return seen is not None and _is_accepted(seen[1])

    seen = spoilt(smallest(case, fails, SMALLER_ACCEPTED))
    assert seen is not None
    bad, outcome = seen
    outputs = outcome.outputs if isinstance(outcome, Returned) else None
    message = f"{name} was accepted"
    if isinstance(outcome, Failed):
        message = f"{message}: {outcome.message}"
    return Finding("accepts", message, bad, outputs, (), None)


def _answered(target: Callee, case: Case, bad: Case) -> Outcome | None:
    """What a bad call came to; None where it is not offered, or what is bad has no place in it."""
    given = arguments(target, bad.operation, bad.operands, bad.attributes)
    if isinstance(given, Unsupported):
        return None
    spoilt = (name for name, value in bad.attributes.items() if value != case.attributes.get(name))
    if not all(name in given[1] for name in spoilt):
        return None
    return call(target, bad.operation, copies(bad.operands), bad.attributes)


def _is_accepted(outcome: Outcome | None) -> bool:
    """Whether a call came back at all: to return what is no output is no refusal."""
    returned = isinstance(outcome, Returned)
    return returned or (isinstance(outcome, Failed) and outcome.kind != "raises")

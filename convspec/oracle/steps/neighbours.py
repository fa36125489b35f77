"""A call after another that resembles it: what is kept from the first shows in the second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy

from convspec.case import Case, forward_name, has_batch
from convspec.operations import OPERATIONS
from convspec.oracle.call import Callee, Returned, call, copies
from convspec.oracle.cases.filling import filled, is_valid
from convspec.oracle.judge import judge, same_values
from convspec.oracle.reference import accepted_trial
from convspec.oracle.rounding.bounds import holds_sums
from convspec.oracle.runner import Finding
from convspec.oracle.steps.behaviour import interruptions, same_outputs
from convspec.oracle.steps.search import is_open


def neighbour_findings(
    target: Callee, cases: list[Case], namespace: Any
) -> tuple[int, list[Finding]]:
    """A call is right after one that differs from it in one attribute, or in its numbers alone.

    What is wrong there is `unstable` where both calls show it in a batch that no other call has,
    and the second alone does not; otherwise the first is not to blame.
    """
    judged, findings = 0, []
    for case in cases:
        for number, other in enumerate(neighbours(case)):
            finding = after_another(target, case, other, namespace)
            judged += finding is not False
            if isinstance(finding, Finding):
                findings.append(_blamed(target, finding, namespace, 2 * number + 7))
    return judged, findings


def _blamed(target: Callee, finding: Finding, namespace: Any, more: int) -> Finding:
    """A finding after another call, without that call where it is not to blame."""
    (before,), other = finding.before, finding.case
    by_itself = _judged(target, other, namespace)
    both = after_another(target, apart(before, more), apart(other, more), namespace)
    if isinstance(both, Finding) and _judged(target, apart(other, more + 1), namespace) is None:
        return finding
    if isinstance(by_itself, Finding):
        return by_itself
    message = "the same call gave something else when it was made again"
    return finding._replace(message=message, before=())


def loosely_spaced(operation: str, dtype: numpy.dtype[Any], seed: int) -> Iterator[Case]:
    """A call of `locally_connected` that has as many outputs at a stride or a dilation of one more,
    and padded at the other end: its weight holds an entry for each output, so that hardly two calls
    of a sweep differ in one of these alone.
    """
    if forward_name(operation) != "locally_connected":
        return
    shapes = {"input": (2, 1, 6), "weight": (2, 1, 2, 2)}
    attributes = {"stride": (3,), "padding": ((0, 1),), "dilation": (1,)}
    rng = numpy.random.default_rng(seed)
    yield Case(operation, filled(operation, shapes, attributes, rng, dtype), attributes)


def neighbours(case: Case) -> Iterator[Case]:
    """The calls that resemble a case.  Their numbers are those of the case, because others need not
    be exact in a coarser arithmetic.
    """
    moved = _moved(case)
    if not all(same_values(array, case.operands[n]) for n, array in moved.operands.items()):
        yield moved
    yield from (other for other in interruptions(case) if other.attributes != case.attributes)


def _moved(case: Case) -> Case:
    """The same call with every number one place further along the last axis."""
    discrete = OPERATIONS[forward_name(case.operation)].discrete
    operands = {
        name: array if name in discrete or not array.ndim else numpy.roll(array, 1, axis=-1)
        for name, array in case.operands.items()
    }
    return case._replace(operands=operands)


def apart(case: Case, more: int) -> Case:
    """The same call with so many items more, of zeros; where there is no batch, the same call."""
    return case._replace(
        operands={
            name: numpy.concatenate([array, numpy.zeros((more, *array.shape[1:]), array.dtype)])
            if has_batch(name, array)
            else array
            for name, array in case.operands.items()
        }
    )


def after_another(
    target: Callee, case: Case, other: Case, namespace: Any
) -> Finding | Literal[False] | None:
    """Whether a call is right after another; False where it is not judged."""
    first = call(target, case.operation, copies(case.operands), case.attributes)
    found = _judged(target, other, namespace)
    if not isinstance(found, Finding):
        return found
    what = " and ".join(differing(case, other)) or "its numbers"
    message = f"after a call that differs in {what} alone: {found.message}"
    if isinstance(first, Returned) and same_outputs(first.outputs, found.actual or ()):
        message += "; it is what that call returned"
    return found._replace(kind="unstable", message=message, before=(case,))


def after_one_other(finding: Finding) -> bool:
    """Whether it takes one other call to show what was found, and a call of something else."""
    return len(finding.before) == 1 and finding.before[0] is not finding.case


def differing(case: Case, other: Case) -> list[str]:
    """The attributes in which two calls of an operation differ."""
    return [n for n, value in case.attributes.items() if other.attributes.get(n) != value]


def _judged(target: Callee, case: Case, namespace: Any) -> Finding | Literal[False] | None:
    """What is wrong with what a call returns; False where it returns nothing, or none is due.

    The numbers were chosen for another call: here their dtype may not hold their sums, and equal
    ones may leave a result open, which is not judged then.
    """
    try:
        due = accepted_trial(case, namespace) if is_valid(case) else None
    except ValueError:  # the spec refuses it
        return False
    outcome = call(target, case.operation, copies(case.operands), case.attributes)
    if due is None or not isinstance(outcome, Returned):
        return False
    first = next(iter(case.operands.values()))
    verdict = judge(outcome.outputs, due.expected, due.slack, first.dtype)
    if verdict is None:
        return None
    found = Finding(verdict.kind, verdict.message, case, outcome.outputs, due.expected, due.slack)
    beyond = due.slack is None and not holds_sums(case)
    return False if beyond or is_open(found) else found

"""A finding seen again on another case, each kind in its own way: so it is made small.

A wrong value shows in one call of its case.  The layout of operands shows beside the same call in C
order, which must be right; a changed argument by comparing arguments; and what an earlier call
leaves behind only after that call, which is the case that is made small there: the call after it is
its like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from convspec.case import Case, flat
from convspec.oracle.call import Callee, Unsupported, call, callee, copies
from convspec.oracle.judge import same_values
from convspec.oracle.layouts import laid_out, layout_of
from convspec.oracle.reference import spec, trial
from convspec.oracle.runner import Finding, mutation
from convspec.oracle.steps.behaviour import (
    EVERY,
    empty_batch_findings,
    layout_finding,
    repeat_findings,
)
from convspec.oracle.steps.neighbours import (
    after_another,
    after_one_other,
    differing,
    neighbours,
)
from convspec.oracle.steps.search import is_open, judged_finding
from convspec.oracle.target import load

# Kinds that one more call shows, and what that call shows them as.
REPEATABLE = {
    "shape": "shape",
    "dtype": "dtype",
    "value": "value",
    "special": "value",
    "gradient": "value",
    "raises": "raises",
}

# Kinds that do not show in what one call returns.
IN_SEVERAL_CALLS = ("unstable", "mutates")
# How often a case is called that was wrong now and then, and how often while it is made small.
MANY, FEW = 100, 3
Seen = Callable[[Case], Finding | None]


def again(target: Callee, finding: Finding, namespace: Any) -> tuple[Case, Seen] | None:
    """A case on which a finding shows, and what tells whether it shows on another; None where it
    is of a kind that is reported as it was seen.
    """
    if finding.kind in REPEATABLE:
        return finding.case, _in_one_call(target, finding, namespace)
    if finding.kind == "layout":
        return _in_its_layout(target, finding, namespace)
    if finding.kind == "mutates":
        return finding.case, lambda case: changed_arguments(target, case)
    if after_one_other(finding):
        return finding.before[0], _after_it(target, finding, namespace)
    if finding.after or finding.before:
        return finding.case, lambda case: _first(repeat_findings(target, [case]))
    if finding.kind == "unstable" and not is_open(finding):
        return finding.case, _in_a_few_calls(target, finding, namespace)
    return None


def _first(found: tuple[int, list[Finding]]) -> Finding | None:
    return next(iter(found[1]), None)


def _in_one_call(target: Callee, finding: Finding, namespace: Any) -> Seen:
    def seen(case: Case) -> Finding | None:
        found = judged_finding(target, case, namespace)
        if not isinstance(found, Finding) or found.kind != REPEATABLE[finding.kind]:
            return None
        return None if is_open(found) else found._replace(kind=finding.kind)

    return seen


def _after_it(target: Callee, finding: Finding, namespace: Any) -> Seen:
    """What shows in a call after the case: one of an empty batch, or of what resembles the case."""

    def seen_in_an_empty_batch(case: Case) -> Finding | None:
        return _first(empty_batch_findings(target, [case], lambda empty: trial(empty, namespace)))

    names = differing(finding.before[0], finding.case)

    def seen_in_a_neighbour(case: Case) -> Finding | None:
        if judged_finding(target, case, namespace) is not None:
            return None  # it is wrong itself: of what was kept from calls before it
        for other in neighbours(case):
            found = differing(case, other) == names and after_another(
                target, case, other, namespace
            )
            if isinstance(found, Finding):
                return found
        return None

    first = finding.case.operands.get("input")
    return seen_in_a_neighbour if first is None or len(first) else seen_in_an_empty_batch


def _in_a_few_calls(target: Callee, finding: Finding, namespace: Any) -> Seen:
    """What comes and goes shows on another case only if it comes soon."""

    def seen(case: Case) -> Finding | None:
        for _ in range(FEW):
            found = judged_finding(target, case, namespace)
            if isinstance(found, Finding) and not is_open(found):
                return found._replace(kind="unstable", message=finding.message)
        return None

    return seen


def _in_its_layout(target: Callee, finding: Finding, namespace: Any) -> tuple[Case, Seen]:
    names = {name: layout_of(array) for name, array in finding.case.operands.items()}

    def seen(case: Case) -> Finding | None:
        operands = {n: laid_out(array, names.get(n)) for n, array in case.operands.items()}
        others = [n for n, array in operands.items() if not array.flags.c_contiguous]
        if not others or judged_finding(target, case, namespace) is not None:
            return None
        told = f"{others[0]} {names[others[0]]}" if len(others) == 1 else EVERY
        viewed = case._replace(operands=operands)
        return layout_finding(target, viewed, told, trial(case, namespace)) or None

    plain = finding.case._replace(operands=copies(finding.case.operands))
    return plain, seen


def shown(
    implementation: Any, kind: str, case: Case, before: Sequence[Case] = ()
) -> Finding | Unsupported | None:
    """Whether a stored case of a kind `IN_SEVERAL_CALLS` shows again, after the calls before it.

    A case with an empty batch is called after one that is not empty.
    """
    case, *before = (each._replace(operands=flat(each.operands)) for each in (case, *before))
    target = callee(implementation, case.operation)
    if target is None:
        return Unsupported(f"the implementation has no {case.operation}")
    for other in before:
        call(target, other.operation, copies(other.operands), other.attributes)
    found = judged_finding(target, case, spec()) if before else None
    if isinstance(found, Finding):
        return found
    offered = call(target, case.operation, copies(case.operands), case.attributes)
    if isinstance(offered, Unsupported):
        return offered
    if kind == "mutates":
        return changed_arguments(target, case)
    found = _first(repeat_findings(target, [case]))
    if found is None and "input" in case.operands and not len(case.operands["input"]):
        found = _first(empty_batch_findings(target, [_of_two(case)], lambda c: trial(c, spec())))
    for _ in range(MANY if found is None else 0):
        seen = judged_finding(target, case, spec())
        if isinstance(seen, Finding):
            return seen
    return found


def load_and_show(
    target: str, kind: str, case: Case, before: Sequence[Case]
) -> Finding | Unsupported | None:
    """`shown`, for a process of its own."""
    return shown(load(target), kind, case, before)


def _of_two(case: Case) -> Case:
    """A case with two items, of ones, where the batch was empty."""
    operands = {
        name: numpy.ones((2, *array.shape[1:]), array.dtype) if not len(array) else array
        for name, array in case.operands.items()
    }
    return case._replace(operands=operands)


def changed_arguments(target: Callee, case: Case) -> Finding | None:
    """That a call changes its arguments, and which."""
    operands = copies(case.operands)
    call(target, case.operation, operands, case.attributes)
    changed = [n for n, array in case.operands.items() if not same_values(operands[n], array)]
    if not changed:
        return None
    return mutation(case)._replace(message=f"the call changed its arguments: {', '.join(changed)}")

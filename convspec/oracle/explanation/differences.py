"""From findings to differences: grouped by mistake, minimised, diagnosed, reproducible."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, grouped
from convspec.oracle.call import ENDINGS, Callee, Failed, Unsupported, call, copies
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.layout import LAYOUT
from convspec.oracle.deviations.state import EARLIER, STATE
from convspec.oracle.deviations.validation import VALIDATION
from convspec.oracle.explanation.again import REPEATABLE, again
from convspec.oracle.explanation.diagnosis import (
    diagnose,
    distinguish,
    explains,
    explanations,
    mutating,
    observation,
    remembered,
)
from convspec.oracle.explanation.replay import agree, returned, right
from convspec.oracle.explanation.reproducer import reproducer
from convspec.oracle.explanation.rule import separating_rule
from convspec.oracle.explanation.shrink import MOST_ATTEMPTS, smallest
from convspec.oracle.report import Difference, Outputs, plain
from convspec.oracle.runner import Finding
from convspec.oracle.steps.behaviour import layout_finding
from convspec.oracle.steps.neighbours import after_one_other, apart
from convspec.oracle.steps.search import is_open, judged_finding
from convspec.oracle.trials.trial import Trial

REPLAYED = 12
MOST_MISTAKES = 3
# How many smaller cases are tried where each takes several calls.
ATTEMPTS = {"unstable": 200, "layout": 400}


class Context(NamedTuple):
    """What judging needs: the function under test, its target's name, and the spec it must meet."""

    operation: str
    target: Callee
    name: str
    namespace: Any
    dtype: str


def differences(
    context: Context, findings: Sequence[Finding], passing: Sequence[Case]
) -> list[Difference]:
    """One difference for each mistake that the findings show."""
    found = []
    findings = [_named_kind(_repeated(context, finding)) for finding in findings]
    if any(map(after_one_other, findings)):
        findings = [_kept(context, finding, more) for more, finding in enumerate(findings, 8)]
    for kind in dict.fromkeys(finding.kind for finding in findings):
        alike = sorted((f for f in findings if f.kind == kind), key=_order)
        # A call that should have been refused has no geometry.
        others = [*passing, *(f.case for f in findings if f.kind != kind and f.expected)]
        for group, names in _mistakes(context, alike, passing):
            found.append(_difference(context, group, names, others))
    return found


def _repeated(context: Context, finding: Finding) -> Finding:
    """A finding, as `unstable` where the same call is right when it is made again."""
    if is_open(finding) or not _changes(context, finding):
        return finding
    message = f"{finding.message}; the same call gave something else when it was made again"
    return finding._replace(kind="unstable", message=message)


def _changes(context: Context, finding: Finding) -> bool:
    """Whether the call, made again, gives something else: what is right, or, where a layout was to
    blame, what is wrong in C order as well.  No call is no answer.
    """
    if finding.kind == "layout":
        due = Trial(*finding.case[1:], finding.expected, finding.slack)
        plain = finding.case._replace(operands=copies(finding.case.operands))
        viewed, copied = (
            layout_finding(context.target, case, "", due) for case in (finding.case, plain)
        )
        return viewed is None or bool(copied)
    if finding.kind not in REPEATABLE:
        return False
    return judged_finding(context.target, finding.case, context.namespace) is None


def _named_kind(finding: Finding) -> Finding:
    """A wrong value by what it is about: special values, or a gradient."""
    if finding.kind != "value" or is_open(finding):
        return finding
    arrays = [a for a in finding.case.operands.values() if isinstance(a, numpy.ndarray)]
    if not all(numpy.isfinite(array).all() for array in arrays if array.dtype.kind == "f"):
        return finding._replace(kind="special")
    is_gradient = finding.case.operation.endswith("_vjp")
    return finding._replace(kind="gradient" if is_gradient else "value")


def _kept(context: Context, finding: Finding, more: int) -> Finding:
    """A finding of an implementation that keeps what it computes, as `unstable` where the call is
    right in a batch that no other call has, with so many items more.
    """
    if finding.kind not in REPEATABLE or is_open(finding) or not finding.expected:
        return finding
    alone = judged_finding(context.target, apart(finding.case, more), context.namespace)
    return finding._replace(kind="unstable") if alone is None else finding


def _order(finding: Finding) -> tuple[bool, bool, int]:
    """Small ones first, but before them those that show after one other call, of no empty batch."""
    empty = not all(array.size for array in finding.case.operands.values())
    return not after_one_other(finding), empty, _size(finding)


def _size(finding: Finding) -> int:
    return sum(array.size for array in finding.case.operands.values())


def observed(finding: Finding) -> Outputs:
    """What the implementation did: its outputs, or what it raised."""
    return finding.message if finding.actual is None else finding.actual


# What other mistakes make of a bad argument is a coincidence; what is right when it is called again
# has a memory; what is right in C order does not read its operands rightly.
THEMES = {"accepts": VALIDATION, "unstable": STATE, "layout": LAYOUT}


def _mistakes(
    context: Context, findings: list[Finding], passing: Sequence[Case]
) -> list[tuple[list[Finding], list[str]]]:
    """Findings of one kind, apart by the deviation that explains them; the unexplained last."""
    if findings[0].kind in ENDINGS:
        due = [finding for finding in findings if finding.expected]
        refused = [finding for finding in findings if not finding.expected]
        return [(group, []) for group in (due, refused) if group]
    # Each is about another bad argument: none may stand for the others.
    accepts = findings[0].kind == "accepts"
    replayed = findings if accepts else findings[:REPLAYED]
    most_mistakes = len(findings) if accepts else MOST_MISTAKES
    if replayed[0].kind == "mutates":
        return _by_what_is_left(context, replayed)
    if replayed[0].after:  # what a result became later is nothing that a call returned
        return [(findings, _remembered(context))]
    pairs = [(finding.case, observed(finding)) for finding in replayed]
    if after_one_other(replayed[0]):
        names = _remembered(context)
        (likely,) = explanations(pairs[:1], passing)
        likely = [name for name in likely if DEVIATIONS[name] in STATE]
        return [(findings, names or likely or _of_an_earlier_call(replayed[0]))]
    explained = explanations(pairs, passing)
    if not all(explained) and replayed[0].kind != "raises":
        # A mistake may be confined to some geometries: right where the deviation would be wrong.
        alone = explanations(pairs, [])
        explained = [names or more for names, more in zip(explained, alone, strict=True)]
    if (theme := THEMES.get(replayed[0].kind)) is not None:
        explained = [[n for n in names if DEVIATIONS[n] in theme] for names in explained]
    groups: list[tuple[list[Finding], list[str]]] = []
    left = list(range(len(replayed)))
    while left and len(groups) < most_mistakes:
        counts = Counter(name for index in left for name in explained[index])
        if not counts:
            break
        most = max(counts.values())
        names = [name for name, count in counts.items() if count == most]
        names = _told_apart(context, names)
        group = [index for index in left if names[0] in explained[index]]
        names = [name for name in names if all(name in explained[index] for index in group)]
        groups.append(([replayed[index] for index in group], names))
        left = [index for index in left if index not in group]
    if accepts:
        groups.extend(([replayed[index]], []) for index in left)
    elif left and len(groups) < most_mistakes:
        names = _remembered(context)
        groups.append(([replayed[index] for index in left], names))
    return groups


def _remembered(context: Context) -> list[str]:
    return remembered(context.operation, _answers(context), context.dtype)


def _of_an_earlier_call(finding: Finding) -> list[str]:
    """The name for what returns the result of the call before, if that is what was returned."""
    earlier = agree(returned(finding.actual), right(finding.before[0]), None)
    return [EARLIER] if earlier else []


def _by_what_is_left(
    context: Context, findings: list[Finding]
) -> list[tuple[list[Finding], list[str]]]:
    """Changed arguments, named by what a call leaves in them."""
    case = findings[0].case
    operands = copies(case.operands)
    call(context.target, case.operation, operands, case.attributes)
    return [(findings, mutating(case, operands))]


def _told_apart(context: Context, names: list[str]) -> list[str]:
    if len(names) < 2:
        return names
    if all(DEVIATIONS[name] in STATE for name in names):
        shown = _remembered(context)
        return [name for name in names if name in shown] or names
    return distinguish(names, context.operation, _answers(context))


def _answers(context: Context) -> Callable[[Case], Any]:
    """What the implementation returns for a case, an exception as text."""

    def outcome(case: Case) -> Any:
        operands = copies(case.operands)
        seen = call(context.target, context.operation, operands, case.attributes)
        if isinstance(seen, Unsupported):
            return seen.reason
        if isinstance(seen, Failed) and seen.outputs is None:
            return seen.message
        return seen.outputs

    return outcome


def _difference(
    context: Context, findings: list[Finding], names: list[str], passing: Sequence[Case]
) -> Difference:
    finding = minimised(context, findings[0], names)
    expected = _stored(finding)
    failing = [f.case for f in findings]
    everywhere = diagnose([(f.case, observed(f)) for f in findings], passing)
    named = bool(names) and names[0] in everywhere
    # What is refused, as it should be, has no geometry to describe.
    rule = separating_rule(failing, passing) if finding.expected and not named else None
    return Difference(
        id=f"{context.operation}-{finding.kind}-{_digest(finding, names)}",
        kind=finding.kind,
        case=finding.case._replace(operands=_together(finding.case)),
        expected=expected,
        actual=observed(finding),
        message=finding.message,
        diagnosis=names[0] if names else None,
        ties=tuple(names[1:]),
        rule=rule,
        cases=len(findings),
        dtype=context.dtype,
        before=tuple(case._replace(operands=_together(case)) for case in finding.before),
        reproducer=reproducer(
            finding.case,
            context.name,
            expected,
            kind=finding.kind,
            callee=context.target,
            bound=finding.slack,
            before=finding.before,
            after=finding.after,
        ),
    )


def _together(case: Case) -> dict[str, Any]:
    """The operands of a case as its operation takes them."""
    return grouped(case.operation, case.operands)


def minimised(context: Context, finding: Finding, names: Sequence[str]) -> Finding:
    """The smallest finding of the same kind and, where it has a name, of the same name."""
    case, seen = again(context.target, finding, context.namespace) or (finding.case, None)
    if seen is None:
        return finding
    best = finding

    def fails(case: Case) -> bool:
        nonlocal best
        found = seen(case)
        if found is None or not (_named_alike(found, names) if names else True):
            return False
        best = found
        return True

    if fails(case):
        smallest(case, fails, ATTEMPTS.get(finding.kind, MOST_ATTEMPTS))
    return best


def _named_alike(finding: Finding, names: Sequence[str]) -> bool:
    """Whether a smaller finding is explained by what explains the whole; what needs other calls, or
    shows in the arguments, is taken to be.
    """
    if finding.kind in ("unstable", "mutates"):
        return True
    return explains(DEVIATIONS[names[0]], [observation(finding.case, observed(finding))])


def _stored(finding: Finding) -> Outputs:
    """The expected outputs, in the dtype that the operands call for."""
    if finding.kind == "accepts" or (finding.kind in ENDINGS and not finding.expected):
        return "a ValueError or a TypeError"
    if finding.kind == "mutates":
        return "the arguments as they were"
    first = next(iter(finding.case.operands.values()))

    def stored(value: Array) -> Array:
        if first.dtype.kind == "f" and value.dtype.kind == "f":
            return value.astype(first.dtype)
        if first.dtype.kind in "iu" and (value == numpy.rint(value)).all():
            return value.astype(numpy.int64)
        return value

    return tuple(stored(value) for value in finding.expected)


def _digest(finding: Finding, names: list[str]) -> str:
    """A short name for what fails: the same for the same mistake at the same geometry."""
    shapes = {name: list(array.shape) for name, array in finding.case.operands.items()}
    told = json.dumps([names[:1], shapes, plain(finding.case.attributes)], sort_keys=True)
    return sha256(told.encode()).hexdigest()[:8]

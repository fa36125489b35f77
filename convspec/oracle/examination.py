"""One operation of an implementation, examined step by step."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Any

from convspec.case import Case
from convspec.oracle.call import callee
from convspec.oracle.cases.streams import is_swept
from convspec.oracle.evidence import Evidence, Plan, Subject
from convspec.oracle.explanation.crashes import crash_differences
from convspec.oracle.explanation.differences import Context, differences
from convspec.oracle.explanation.rule import separating_rule
from convspec.oracle.parts import PARTS, merged, part_named
from convspec.oracle.reference import spec
from convspec.oracle.report import Difference, OperationReport
from convspec.oracle.steps.open_points import open_points
from convspec.oracle.steps.order import STEPS, Step
from convspec.oracle.steps.sweep import dealt_step
from convspec.oracle.steps.variants import under_variants, variants
from convspec.rounding import ACCURACIES


def examine(implementation: Any, name: str, part: str, plan: Plan) -> OperationReport:
    """Every step on one operation, in every dtype of the plan; of a part that is dealt out (see
    `parts`), the exact sweep of its deal alone.
    """
    begun = perf_counter()
    operation, number = part_named(part)
    target = callee(implementation, operation)
    if target is None:
        return _missing(part, "the implementation has no such function")
    if plan.watch is not None:
        target = plan.watch(target)
    seen = variants(operation, target, plan.dtypes[0])
    if plan.noticed is not None and seen.findings:
        plan.noticed("sure")
    namespace = under_variants(operation, seen.active) if seen.active else spec()
    subject = Subject(operation, target, seen, namespace, plan)
    found: list[Difference] = [] if number else _variant_differences(subject, name)
    evidence: list[Evidence] = []
    for dtype in plan.dtypes:
        if plan.stop_at_first and found:
            break
        gathered = Evidence(dtype, [], [], [], [], [], {}, [], [], [])
        for label, step in _steps(number).items():
            if plan.progress is not None:
                plan.progress(part, f"{label}, {dtype}", len(evidence), len(plan.dtypes))
            step(subject, gathered)
            if plan.noticed is not None and gathered.findings:
                plan.noticed("sure")
            if plan.stop_at_first and gathered.findings:
                break
        context = Context(operation, target, name, namespace, dtype.name)
        found = merged(found, differences(context, gathered.findings, gathered.passing))
        evidence.append(gathered)
    points = (
        {}
        if number or ("_vjp" in operation and "pool" not in operation)
        else open_points(operation, target, plan.dtypes[0])
    )
    passing = [case for gathered in evidence for case in gathered.passing]
    context = Context(operation, target, name, namespace, plan.dtypes[0].name)
    found = [*found, *crash_differences(context, passing)]
    report = _reported(subject, evidence, found, points, perf_counter() - begun)
    return report._replace(name=part)


def _steps(number: int) -> dict[str, Step]:
    deal = f"geometries, {number} of {PARTS}"
    return {deal: partial(dealt_step, number=number, parts=PARTS)} if number else STEPS


def _missing(operation: str, reason: str) -> OperationReport:
    return OperationReport(operation, 0, 0, reason, None, {}, (), ())


def _variant_differences(subject: Subject, name: str) -> list[Difference]:
    """Each variant that the spec rules otherwise is one difference, unless it was accepted."""
    found = []
    for deviation, finding in zip(subject.variants.active, subject.variants.findings, strict=True):
        context = Context(
            subject.operation, subject.target, name, spec(), subject.plan.dtypes[0].name
        )
        accepted = deviation.convention is not None and (
            subject.plan.conventions.get(deviation.convention[0]) == deviation.convention[1]
        )
        found += [
            difference._replace(accepted=accepted)
            for difference in differences(context, [finding], [])
        ]
    return found


def _reported(
    subject: Subject,
    evidence: list[Evidence],
    found: list[Difference],
    points: dict[str, str],
    seconds: float,
) -> OperationReport:
    reasons: dict[str, int] = {}
    for gathered in evidence:
        for reason, count in gathered.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    refused = [case for gathered in evidence for case in gathered.refused]
    passing = [case for gathered in evidence for case in gathered.passing]
    accuracies = {
        gathered.dtype.name: max(gathered.accuracies, key=ACCURACIES.index)
        for gathered in evidence
        if gathered.accuracies
    }
    return OperationReport(
        name=subject.operation,
        judged=sum(sum(gathered.judged) for gathered in evidence),
        unsupported=sum(reasons.values()),
        unsupported_rule=_unsupported_rule(reasons, refused, passing),
        accuracy=max(accuracies.values(), key=ACCURACIES.index, default=None),
        conventions={**subject.variants.values, **points},
        differences=tuple(found),
        notes=tuple(dict.fromkeys(note for gathered in evidence for note in gathered.notes)),
        seconds=seconds,
        seconds_inside=sum(sum(gathered.inside) for gathered in evidence),
        accuracies=accuracies,
    )


def _unsupported_rule(
    reasons: dict[str, int], refused: list[Case], passing: list[Case]
) -> str | None:
    """The simplest rule that describes what is unsupported, and the reasons given for it."""
    if not reasons:
        return None
    given = sorted(reasons, key=lambda reason: -reasons[reason])
    rule = separating_rule(refused[:64], passing) if passing else None
    return "; ".join([*([rule] if rule else []), *given[:3]])


def examinable(operation: str) -> bool:
    """Whether the oracle has steps for an operation."""
    return is_swept(operation)

"""One operation of an implementation, examined step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, call_windows, forward_name
from convspec.oracle import behaviour, special, thresholds, ties
from convspec.oracle.accuracy import accuracy
from convspec.oracle.call import Callee, callee
from convspec.oracle.differences import Context, differences
from convspec.oracle.draws import FAST_ALGORITHM_ENTRY
from convspec.oracle.open_points import open_points
from convspec.oracle.reference import spec, trial, trials, under
from convspec.oracle.report import Difference, OperationReport
from convspec.oracle.rule import separating_rule
from convspec.oracle.runner import Finding, Tally, run
from convspec.oracle.scope import (
    AXIS_RESTRICTIONS,
    CALL_RESTRICTIONS,
    RANK_RESTRICTIONS,
    Restriction,
)
from convspec.oracle.search import search
from convspec.oracle.streams import FAMILIES, exact_trials, is_swept, strengths
from convspec.oracle.trials.trial import DRAWS, Setting, Trial
from convspec.oracle.variants import Variants, under_variants, variants
from convspec.rounding import ACCURACIES, FAST_ALGORITHM

Progress = Callable[[str, str, int, int], None]
BEHAVIOUR_CASES = 4
REFUSAL_CASES = 48
# What is left where a signature lacks an attribute.
LACKING = {
    "groups": "one group",
    "stride": "stride 1",
    "padding": "no padding",
    "dilation": "no dilation",
}
ALL_RESTRICTIONS = frozenset((*AXIS_RESTRICTIONS, *CALL_RESTRICTIONS, *RANK_RESTRICTIONS))


class Plan(NamedTuple):
    """What an examination is asked for."""

    level: str
    seed: int
    dtypes: tuple[numpy.dtype[Any], ...]
    conventions: dict[str, str]
    require_accuracy: str | None
    progress: Progress | None
    watch: Callable[[Callee], Callee] | None = None


class Evidence(NamedTuple):
    """What the steps of one dtype have brought to light so far; steps append to it."""

    dtype: numpy.dtype[Any]
    judged: list[int]
    inside: list[float]
    findings: list[Finding]
    passing: list[Case]
    refused: list[Case]
    reasons: dict[str, int]
    accuracies: list[str]
    notes: list[str]


class Subject(NamedTuple):
    """The operation under examination, the spec it is held to, and the plan."""

    operation: str
    target: Callee
    variants: Variants
    namespace: Any
    plan: Plan


def examine(implementation: Any, name: str, operation: str, plan: Plan) -> OperationReport:
    """Every step on one operation, in every dtype of the plan."""
    begun = perf_counter()
    target = callee(implementation, operation)
    if target is None:
        return _missing(operation, "the implementation has no such function")
    if plan.watch is not None:
        target = plan.watch(target)
    seen = variants(operation, target, plan.dtypes[0])
    namespace = under_variants(operation, seen.active) if seen.active else spec()
    subject = Subject(operation, target, seen, namespace, plan)
    found: list[Difference] = _variant_differences(subject, name)
    evidence: list[Evidence] = []
    for dtype in plan.dtypes:
        gathered = Evidence(dtype, [], [], [], [], [], {}, [], [])
        for label, step in STEPS.items():
            if plan.progress is not None:
                plan.progress(operation, f"{label}, {dtype}", len(evidence), len(plan.dtypes))
            step(subject, gathered)
        context = Context(operation, target, name, namespace, dtype.name)
        found = _merged(found, differences(context, gathered.findings, gathered.passing))
        evidence.append(gathered)
    points = (
        {}
        if "_vjp" in operation and "pool" not in operation
        else open_points(operation, target, plan.dtypes[0])
    )
    found = [*found, *_crash_differences(subject, name, evidence)]
    return _reported(subject, evidence, found, points, perf_counter() - begun)


def _crash_differences(subject: Subject, name: str, evidence: list[Evidence]) -> list[Difference]:
    """Calls that did not come back, in whichever step: one difference for those that crashed, and
    one for those that hung.
    """
    crashes = subject.target.crashes
    dtypes = [next(iter(crash.case.operands.values())).dtype.name for crash in crashes]
    context = Context(
        subject.operation, subject.target, name, subject.namespace, ", ".join(dict.fromkeys(dtypes))
    )
    findings = [
        Finding(crash.kind, crash.message, crash.case, None, _due(crash.case, subject), None)
        for crash in crashes
    ]
    passing = [case for gathered in evidence for case in gathered.passing]
    return differences(context, findings, passing)


def _due(case: Case, subject: Subject) -> tuple[Array, ...]:
    """What is right for a case; nothing where the spec refuses it."""
    try:
        return trial(case, subject.namespace).expected
    except (TypeError, ValueError):
        return ()


def _merged(found: list[Difference], more: list[Difference]) -> list[Difference]:
    """Differences of several dtypes, the same one listed once with every dtype it was seen in."""
    merged = {_sameness(difference): difference for difference in found}
    for difference in more:
        known = merged.get(_sameness(difference))
        if known is None:
            merged[_sameness(difference)] = difference
        elif difference.dtype not in known.dtype.split(", "):
            merged[_sameness(difference)] = known._replace(
                dtype=f"{known.dtype}, {difference.dtype}", cases=known.cases + difference.cases
            )
    return list(merged.values())


def _sameness(difference: Difference) -> tuple[str, str]:
    return difference.kind, difference.diagnosis or difference.id


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
    accuracies = [name for gathered in evidence for name in gathered.accuracies]
    return OperationReport(
        name=subject.operation,
        judged=sum(sum(gathered.judged) for gathered in evidence),
        unsupported=sum(reasons.values()),
        unsupported_rule=_unsupported_rule(reasons, refused, passing),
        accuracy=max(accuracies, key=ACCURACIES.index) if accuracies else None,
        conventions={**subject.variants.values, **points},
        differences=tuple(found),
        notes=tuple(dict.fromkeys(note for gathered in evidence for note in gathered.notes)),
        seconds=seconds,
        seconds_inside=sum(sum(gathered.inside) for gathered in evidence),
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


Stream = Callable[[int | None], Iterator[Trial]]


def _judge(
    subject: Subject, evidence: Evidence, stream: Stream, *, kind: str | None = None
) -> Tally:
    """Run a stream of trials and keep what it shows; `kind` renames wrong values.

    `stream` makes the trials, given the largest entry if a fast algorithm (Winograd, FFT) must
    recover them: where every wrong value is a small error, all is done again with small
    integers, which such an algorithm returns exactly once they are rounded.
    """
    tally = run(subject.operation, subject.target, stream(None), evidence.dtype, position=[0])
    findings = tally.findings
    if tally.found and _might_be_fast(findings):
        near = _within_half(stream(FAST_ALGORITHM_ENTRY))
        again = run(subject.operation, subject.target, near, evidence.dtype, position=[0])
        if again.judged and not again.found:
            evidence.accuracies.append(FAST_ALGORITHM)
            tally, findings = again, []
    evidence.judged.append(tally.judged)
    evidence.inside.append(tally.seconds_inside)
    evidence.passing.extend(tally.passing)
    evidence.refused.extend(tally.refused[:256])
    for reason, count in tally.unsupported.items():
        evidence.reasons[reason] = evidence.reasons.get(reason, 0) + count
    if tally.mutated is not None:
        # What followed was judged on changed data, if at all.
        findings = [_mutation(tally.mutated)]
    for finding in findings:
        renamed = finding._replace(kind=kind) if kind and finding.kind == "value" else finding
        evidence.findings.append(renamed)
    return tally


def _value_kind(operation: str) -> str | None:
    return "gradient" if operation.endswith("_vjp") else None


def sweep_step(subject: Subject, evidence: Evidence) -> None:
    """The exact sweep; where most of it is not offered, also what is."""
    operation, plan = subject.operation, subject.plan
    restriction: Restriction = frozenset()
    tally = _swept(subject, evidence, restriction)
    if tally.mutated is not None:
        return
    if sum(tally.unsupported.values()) > tally.judged:
        restriction = _restriction(subject.target, tally)
        if restriction:
            _swept(subject, evidence, restriction)
    evidence.notes.extend(_coverage_notes(operation, plan, restriction))


def _swept(subject: Subject, evidence: Evidence, restriction: Restriction) -> Tally:
    operation, plan = subject.operation, subject.plan
    drawn: set[int] = set()

    def stream(largest: int | None) -> Iterator[Trial]:
        rng = numpy.random.default_rng(plan.seed)
        setting = Setting(evidence.dtype, rng, largest, drawn)
        exact = exact_trials(operation, plan.level, plan.seed, setting, restriction)
        active = subject.variants.active
        return under(operation, exact, subject.namespace) if active else exact

    tally = _judge(subject, evidence, stream, kind=_value_kind(operation))
    if drawn and tally.judged:
        evidence.notes.append(_draws_note(operation, evidence.dtype, min(drawn)))
    return tally


def _draws_note(operation: str, dtype: numpy.dtype[Any], largest: int) -> str:
    """What an exact sweep of a bilinear operation can miss, and under which hypothesis."""
    values = 2 * largest + 1
    draws = "one draw a case"
    if operation in FAMILIES:
        ranks = ", ".join(f"{count} in rank {rank}" for rank, count in DRAWS.items())
        draws = f"draws a case: {ranks}, and 1 where the batch is single"
    return (
        f"exact sweep in {dtype}: entries uniform over |S| >= {values} integers; {draws}; where "
        f"an implementation is a fixed bilinear form other than the spec's, a case misses a wrong "
        f"output with probability below 2/{values}"
    )


def _might_be_fast(findings: list[Finding]) -> bool:
    """Whether every wrong value is off by less than a thousandth of the largest one."""
    return all(
        finding.kind == "value"
        and finding.actual is not None
        and all(
            actual.shape == value.shape
            and abs(actual - value).max(initial=0) <= 1e-3 * abs(value).max(initial=0)
            for actual, value in zip(finding.actual, finding.expected, strict=True)
        )
        for finding in findings
    )


def _within_half(stream: Iterator[Trial]) -> Iterator[Trial]:
    """Trials whose integers a fast algorithm must recover by rounding."""
    return map(_near, stream)


def _near(due: Trial) -> Trial:
    return due._replace(slack=tuple(numpy.full(value.shape, 0.499) for value in due.expected))


def _mutation(case: Case) -> Finding:
    return Finding("mutates", "the call changed its arguments", case, None, (), None)


def _restriction(target: Callee, tally: Tally) -> Restriction:
    """What every accepted case obeys and some refused case does not; where none was accepted, the
    plainest calls that the signature admits.
    """
    accepted = [*tally.passing, *(f.case for f in tally.findings if f.kind != "raises")]
    if not accepted:
        return _lacking(target, tally)
    kept = [_obeyed(case) for case in accepted]
    broken = [ALL_RESTRICTIONS - _obeyed(case) for case in tally.refused]
    return frozenset.intersection(*kept) & frozenset().union(*broken)


def _lacking(target: Callee, tally: Tally) -> Restriction:
    """The plain calls that a signature such as a learner's `conv(input, weight)` admits."""
    taken = LACKING.keys() if target.keywords is None else target.keywords
    left = [name for attribute, name in LACKING.items() if attribute not in taken]
    return frozenset([*left, *(["no bias"] if "bias is not taken" in tally.unsupported else [])])


def _obeyed(case: Case) -> Restriction:
    """Every restriction that a case obeys."""
    name = forward_name(case.operation)
    if "stride" not in case.attributes:
        return frozenset()
    shapes = {n: array.shape for n, array in case.operands.items() if n != "cotangent"}
    axes = [window._asdict() for window in call_windows(name, shapes, case.attributes)]
    call = {"groups": case.attributes.get("groups", 1), "bias": int("bias" in case.operands)}
    return frozenset(
        [name for name, obeys in AXIS_RESTRICTIONS.items() if all(map(obeys, axes))]
        + [name for name, (key, value) in CALL_RESTRICTIONS.items() if call[key] == value]
        + [name for name, rank in RANK_RESTRICTIONS.items() if len(axes) != rank]
    )


def _coverage_notes(operation: str, plan: Plan, restriction: Restriction) -> list[str]:
    notes = []
    for strength in strengths(operation, plan.level, plan.seed, restriction):
        reached, feasible = strength.coverage.reached, strength.coverage.feasible
        shares = ", ".join(
            f"{word} {r} of {f}"
            for word, r, f in zip(("values", "pairs", "triples"), reached, feasible, strict=True)
        )
        within = f" ({', '.join(sorted(restriction))})" if restriction else ""
        notes.append(f"{strength.family}, rank {strength.rank}{within}: {shares}")
    return notes


def thresholds_step(subject: Subject, evidence: Evidence) -> None:
    """Sizes where implementations switch algorithm."""
    plan = subject.plan

    def stream(largest: int | None) -> Iterator[Trial]:
        rng = numpy.random.default_rng(plan.seed)
        cases = thresholds.threshold_cases(
            subject.operation, plan.level, rng, evidence.dtype, largest
        )
        return trials(cases, subject.namespace)

    _judge(subject, evidence, stream, kind=_value_kind(subject.operation))


def special_step(subject: Subject, evidence: Evidence) -> None:
    """NaN and infinities."""
    repeats = 2 if subject.plan.level == "quick" else 6

    def stream(_: int | None) -> Iterator[Trial]:
        rng = numpy.random.default_rng(subject.plan.seed)
        cases = special.special_cases(subject.operation, rng, evidence.dtype, repeats)
        return trials(cases, subject.namespace)

    _judge(subject, evidence, stream, kind="special")


def accuracy_step(subject: Subject, evidence: Evidence) -> None:
    """The accuracy class, and whether it is the one required."""
    if evidence.dtype.kind in "iu" or evidence.findings:
        return
    plan = subject.plan
    seen = accuracy(
        subject.operation,
        subject.target,
        subject.namespace,
        evidence.dtype,
        numpy.random.default_rng(plan.seed),
        plan.require_accuracy,
    )
    evidence.judged.append(seen.judged)
    evidence.findings.extend(seen.findings)
    if seen.name is not None:
        evidence.accuracies.append(seen.name)
        evidence.notes.append(
            f"{evidence.dtype} rounds as {seen.name}: worst error {seen.ratio:.3g} of its bound"
            if seen.name != FAST_ALGORITHM
            else f"{evidence.dtype} comes from a fast algorithm: only a normwise bound holds"
        )


def ties_step(subject: Subject, evidence: Evidence) -> None:
    """Ties among maxima."""
    operation = subject.operation
    if operation not in ("max_pool_with_indices", "max_pool_vjp", "max_pool_with_indices_vjp"):
        return
    rng = numpy.random.default_rng(subject.plan.seed)
    cases = ties.tie_cases(operation, rng, evidence.dtype)
    check = ties.gradient_findings if operation.endswith("_vjp") else ties.index_findings
    judged, findings = check(subject.target, cases)
    evidence.judged.append(judged)
    evidence.findings.extend(findings)


def behaviour_step(subject: Subject, evidence: Evidence) -> None:
    """Repeatable, indifferent to layout, strict."""
    if any(finding.kind == "mutates" for finding in evidence.findings):
        return
    cases = sorted(evidence.passing, key=_case_size)[-BEHAVIOUR_CASES:]
    ordered = sorted(evidence.passing, key=_case_size)
    spread = ordered[:: max(1, len(ordered) // REFUSAL_CASES)]

    def right(case: Case) -> Trial:
        due = trial(case, subject.namespace)
        return _near(due) if FAST_ALGORITHM in evidence.accuracies else due

    for judged, findings in (
        behaviour.layout_findings(subject.target, cases, right),
        behaviour.repeat_findings(subject.target, cases),
        behaviour.accepts_findings(subject.target, spread),
    ):
        evidence.judged.append(judged)
        evidence.findings.extend(findings)


def _case_size(case: Case) -> int:
    return sum(array.size for array in case.operands.values())


def search_step(subject: Subject, evidence: Evidence) -> None:
    """Random cases, unless something is wrong already."""
    if evidence.findings or FAST_ALGORITHM in evidence.accuracies:
        return
    judged, findings = search(
        subject.operation,
        subject.target,
        subject.namespace,
        evidence.dtype,
        subject.plan.level,
        subject.plan.seed,
    )
    evidence.judged.append(judged)
    evidence.findings.extend(findings)


Step = Callable[[Subject, Evidence], None]
STEPS: dict[str, Step] = {
    "exact sweep": sweep_step,
    "thresholds": thresholds_step,
    "rounding": accuracy_step,
    "special values": special_step,
    "ties": ties_step,
    "behaviour": behaviour_step,
    "search": search_step,
}


def examinable(operation: str) -> bool:
    """Whether the oracle has steps for an operation."""
    return is_swept(operation)

"""The exact sweep: all of the scope, and where little of it is offered, what is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

from convspec.case import Case, call_windows, forward_name, grouped
from convspec.oracle.call import Callee
from convspec.oracle.cases.scope import (
    AXIS_RESTRICTIONS,
    CALL_RESTRICTIONS,
    RANK_RESTRICTIONS,
    Restriction,
    scope,
    scope_size,
)
from convspec.oracle.cases.streams import FAMILIES, deal, exact_trials, gone_through, strengths
from convspec.oracle.evidence import Evidence, Plan, Subject, judge_stream
from convspec.oracle.reference import under
from convspec.oracle.runner import Tally
from convspec.oracle.trials.trial import DRAWS, Setting, Trial
from convspec.rounding import integer_bits

# What is left where a signature lacks an attribute.
LACKING = {
    "groups": "one group",
    "stride": "stride 1",
    "padding": "no padding",
    "dilation": "no dilation",
}
ALL_RESTRICTIONS = frozenset((*AXIS_RESTRICTIONS, *CALL_RESTRICTIONS, *RANK_RESTRICTIONS))


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

    tally = judge_stream(subject, evidence, stream)
    if drawn and tally.judged:
        evidence.notes.append(_draws_note(operation, evidence.dtype, drawn))
    return tally


def dealt_step(subject: Subject, evidence: Evidence, number: int, parts: int) -> None:
    """One deal of the geometries that are gone through.

    What is refused is not tried again within less: nothing less is left out.  Nor is there a note:
    the coverage is that of all deals, and these draw from no fewer integers than the sample does,
    whose calls have more channels.
    """

    def stream(largest: int | None) -> Iterator[Trial]:
        rng = numpy.random.default_rng([subject.plan.seed, number])
        setting = Setting(evidence.dtype, rng, largest)
        dealt = deal(subject.operation, subject.plan.level, number, parts, setting)
        active = subject.variants.active
        return under(subject.operation, dealt, subject.namespace) if active else dealt

    judge_stream(subject, evidence, stream)


def _draws_note(operation: str, dtype: numpy.dtype[Any], drawn: set[int]) -> str:
    """What an exact sweep of a bilinear operation can miss, and under which hypothesis; `drawn` are
    the largest entries, and 0 where entries were set to zero.
    """
    values = 2 * min(drawn - {0}) + 1
    if dtype.kind == "u":
        values = min(drawn - {0}) + 1
    draws = "one draw a case"
    if operation in FAMILIES:
        ranks = ", ".join(f"{count} in rank {rank}" for rank, count in DRAWS.items())
        draws = f"draws a case: {ranks}, and 1 where the batch is single"
    told = (
        f"exact sweep in {dtype}: entries uniform over |S| >= {values} integers; {draws}; where "
        f"an implementation is a fixed bilinear form other than the spec's, a case misses a wrong "
        f"output with probability below 2/{values}"
    )
    if 0 in drawn:
        told += (
            f", except where a cotangent is so large that {dtype} cannot sum it: all but some "
            f"{(1 << integer_bits(dtype)) - 1} entries a channel are 0 there, at random, and a "
            f"term that meets only those is missed"
        )
    return told


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
    sliding = call_windows(name, grouped(name, shapes), case.attributes)
    axes = [window._asdict() for window in sliding]
    call = {"groups": case.attributes.get("groups", 1), "bias": int("bias" in case.operands)}
    return frozenset(
        [name for name, obeys in AXIS_RESTRICTIONS.items() if all(map(obeys, axes))]
        + [name for name, (key, value) in CALL_RESTRICTIONS.items() if call[key] == value]
        + [name for name, rank in RANK_RESTRICTIONS.items() if len(axes) != rank]
    )


def _coverage_notes(operation: str, plan: Plan, restriction: Restriction) -> list[str]:
    notes = []
    for family, rank, within in gone_through(operation, plan.level, restriction):
        count = len(scope(family, rank, within).axes) ** rank
        notes.append(f"{family}, rank {rank}{_told(within)}: every one of {count} geometries")
    for strength in strengths(operation, plan.level, plan.seed, restriction):
        reached, feasible = strength.coverage.reached, strength.coverage.feasible
        shares = ", ".join(
            f"{word} {r} of {f}"
            for word, r, f in zip(("values", "pairs", "triples"), reached, feasible, strict=True)
        )
        whole = scope_size(strength.family, strength.rank, restriction)
        notes.append(
            f"{strength.family}, rank {strength.rank}{_told(restriction)}: {shares}; a sample of "
            f"{strength.coverage.cases} of the {whole:.3g} calls in scope"
        )
    return notes


def _told(restriction: Restriction) -> str:
    return f" ({', '.join(sorted(restriction))})" if restriction else ""

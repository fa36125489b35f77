"""A step tried on a learner's function: judged, minimised and diagnosed by the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from convspec.case import Case
from convspec.draw.text import draw
from convspec.learn.cases import DOUBLE, cases
from convspec.learn.misconceptions import of_deviations, of_exception
from convspec.learn.outcome import Missing, Outcome, Right, Wrong
from convspec.learn.step import Step
from convspec.oracle.call import Callee, call, callee
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.fast_paths import FAST_PATHS
from convspec.oracle.deviations.state import STATE
from convspec.oracle.deviations.thresholds import THRESHOLDS
from convspec.oracle.differences import Context, differences, minimised, observed
from convspec.oracle.reference import spec, trials
from convspec.oracle.report import Difference
from convspec.oracle.runner import Finding, Tally, run

ENOUGH = 24
PASSING = 24
WIDTH = 96
# A kind of difference that makes up less than this part of the findings is left for later.
RARE = 3
UNLIKELY = (*FAST_PATHS, *STATE, *THRESHOLDS)

Watch = Callable[[Callee], Callee]


def attempt(step: Step, implementation: Any, name: str, watch: Watch) -> Outcome:
    """What trying a step on an implementation comes to; `name` is that of its file."""
    target = callee(implementation, step.function)
    if target is None:
        return Missing(f"there is no function {step.function} yet")
    target = watch(target)
    tally = run(step.function, target, _trials(step), DOUBLE, enough=ENOUGH)
    findings = _findings(tally)
    if findings:
        found, names = _difference(step, target, name, findings, tally.passing[:PASSING])
        # Once more, for what it prints.
        operands = {n: array.copy() for n, array in found.case.operands.items()}
        call(target, step.function, operands, found.case.attributes)
        return _wrong(found, names, tally)
    if tally.unsupported:
        return Missing(next(iter(tally.unsupported)))
    return Right(tally.judged)


def _trials(step: Step) -> Iterator[Any]:
    return trials(iter(cases(step)), spec())


def _findings(tally: Tally) -> list[Finding]:
    if tally.mutated is not None:
        return [Finding("mutates", "the call changed its arguments", tally.mutated, None, (), None)]
    return tally.findings


def _difference(
    step: Step, target: Callee, name: str, findings: list[Finding], passing: list[Case]
) -> tuple[Difference, list[str]]:
    """The first difference that has a name, else the first: one kind of difference at a time, the
    commonest kind first.
    """
    context = Context(step.function, target, name, spec(), DOUBLE.name)
    kinds = Counter(finding.kind for finding in findings)
    found: list[tuple[Difference, list[str]]] = []
    for kind, count in kinds.most_common():
        if found and count < len(findings) / RARE:
            break
        alike = [finding for finding in findings if finding.kind == kind]
        difference = differences(context, alike, passing)[0]
        names = _names(difference)
        if difference.diagnosis and not names:
            least = minimised(context, alike[0], [])
            difference = difference._replace(
                case=least.case, expected=least.expected, actual=observed(least)
            )
        found.append((difference, names))
        if names:
            break
    return next((each for each in found if each[1]), found[0])


def _names(difference: Difference) -> list[str]:
    """What a learner may have done; nobody begins with a fast path, a threshold or a cache."""
    names = (difference.diagnosis, *difference.ties)
    return [name for name in names if name is not None and DEVIATIONS[name] not in UNLIKELY]


def _wrong(difference: Difference, names: list[str], tally: Tally) -> Wrong:
    known = of_deviations(names)
    mistake = known[0] if known else next(iter(names), None)
    said = DEVIATIONS[mistake].sentence if mistake else ""
    misconception = known[1] if known else None
    if mistake is None and difference.kind == "raises":
        misconception = of_exception(difference.message)
    drawn = draw(difference.case, difference.expected, difference.actual, width=WIDTH, word="yours")
    often = f"in {tally.found} of the {tally.judged} calls until then"
    return Wrong(difference.kind, often, mistake, said, misconception, drawn)

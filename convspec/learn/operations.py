"""A step tried on a learner's function: judged, minimised and diagnosed by the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy

from convspec.case import Case
from convspec.draw.text import draw
from convspec.learn.believed import believed
from convspec.learn.cases import DOUBLE, cases
from convspec.learn.misconceptions import Misconception, of_deviations, of_exception
from convspec.learn.outcome import Missing, Outcome, Right, Wrong
from convspec.learn.step import Step
from convspec.learn.unlikely import UNLIKELY
from convspec.oracle import expected
from convspec.oracle.call import Callee, call, callee, copies
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.edits import operand_names
from convspec.oracle.explanation.differences import (
    REPLAYED,
    Context,
    differences,
    minimised,
    observed,
)
from convspec.oracle.reference import spec, trials
from convspec.oracle.report import Difference
from convspec.oracle.runner import Finding, Tally, mutation, run
from convspec.oracle.steps.search import judged_finding
from convspec.oracle.steps.ties import gradient_findings

ENOUGH = 24
PASSING = 24
WIDTH = 96
# A kind of difference that makes up less than a third of the findings is left for later.
RARE = 3

Watch = Callable[[Callee], Callee]


def attempt(step: Step, implementation: Any, name: str, watch: Watch) -> Outcome:
    """What trying a step on an implementation comes to; `name` is that of its file."""
    target = callee(implementation, step.function)
    if target is None:
        return Missing(f"there is no function {step.function} yet")
    target = _judged_part(step, watch(target))
    tally = run(step.function, target, _trials(step), DOUBLE, enough=ENOUGH)
    findings = _findings(tally) or _tied(step, target)
    if findings:
        found, names = _difference(step, target, name, findings, tally.passing[:PASSING])
        found = _readable(target, found)
        # Once more, for what it prints.
        operands = copies(found.case.operands)
        call(target, step.function, operands, found.case.attributes)
        known = None if names else believed(step.function, findings)
        return _wrong(found, names, known, tally)
    if tally.unsupported:
        return Missing(next(iter(tally.unsupported)))
    return Right(f"{tally.judged} calls")


def _trials(step: Step) -> Iterator[Any]:
    return trials(iter(cases(step)), spec())


def _findings(tally: Tally) -> list[Finding]:
    if tally.mutated is not None:
        return [mutation(tally.mutated)]
    return tally.findings


def _judged_part(step: Step, target: Callee) -> Callee:
    """A gradient of which one operand's part is the learner's, and the others are right."""
    if not step.only:
        return target
    place = operand_names(step.function).index(step.only) - 1
    right = getattr(expected, step.function)

    def function(*operands: Any, **attributes: Any) -> Any:
        given = target.function(*operands, **attributes)
        if not isinstance(given, tuple | list) or len(given) <= place:
            return given
        outputs = list(right(*operands, **attributes))
        outputs[place] = given[place]
        return tuple(outputs)

    return target._replace(function=function)


def _tied(step: Step, target: Callee) -> list[Finding]:
    """Of the gradient of a maximum, what is wrong where several elements are largest."""
    if step.scope.values != "distinct":
        return []
    tied = cases(step._replace(scope=step.scope._replace(values="ties")))
    return gradient_findings(target, iter(tied))[1]


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
        # What explains but a few of them does so by coincidence.
        most = 2 * difference.cases >= min(len(alike), REPLAYED)
        names = _names(difference) if most else []
        if difference.diagnosis and not names:
            least = minimised(context, alike[0], [])
            difference = difference._replace(
                case=least.case, expected=least.expected, actual=observed(least)
            )
        found.append((difference, names))
        if names:
            break
    return next((each for each in found if each[1]), found[0])


def _readable(target: Callee, difference: Difference) -> Difference:
    """A difference that no number has a part in, with 1, 2, 3, ... in the place of zeros."""
    if difference.kind not in ("shape", "raises"):
        return difference
    arrays = difference.case.operands.items()
    operands = {n: numpy.arange(1.0, a.size + 1).reshape(a.shape) for n, a in arrays}
    again = judged_finding(target, difference.case._replace(operands=operands), spec())
    if not isinstance(again, Finding) or again.kind != difference.kind:
        return difference
    return difference._replace(case=again.case, expected=again.expected, actual=observed(again))


def _names(difference: Difference) -> list[str]:
    """What a learner may have done; nobody begins with a fast path, a threshold or a cache.  Of
    exceptions one is like another, so they tell of no mistake.
    """
    if difference.kind == "raises":
        return []
    names = (difference.diagnosis, *difference.ties)
    return [name for name in names if name is not None and DEVIATIONS[name] not in UNLIKELY]


def _wrong(
    difference: Difference, names: list[str], misconception: Misconception | None, tally: Tally
) -> Wrong:
    known = of_deviations(names)
    mistake = known[0] if known else next(iter(names), None)
    said = DEVIATIONS[mistake].sentence if mistake else ""
    misconception = known[1] if known else misconception
    if mistake is None and misconception is None and difference.kind == "raises":
        misconception = of_exception(difference.message)
    drawn = draw(difference.case, difference.expected, difference.actual, width=WIDTH, word="yours")
    often = f"in {tally.found} of {tally.judged} calls" if tally.found else ""
    return Wrong(difference.kind, often, mistake, said, misconception, drawn)

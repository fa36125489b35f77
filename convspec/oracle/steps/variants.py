"""Recognised variants: which conventions an implementation follows where the spec rules otherwise.

A variant is a deviation of kind *convention*.  Its probes are the smallest cases on which it and
the spec disagree; an implementation that sides with it on all of them is judged under it from
there on, so that one convention does not drown everything else.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.call import Callee, Failed, Returned, call, copies
from convspec.oracle.deviations import DEVIATIONS, Deviation
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.judge import judge
from convspec.oracle.reference import spec, trial
from convspec.oracle.runner import Finding

# What the contract rules, for each recognised variant.
RULED = {
    "kernel_orientation": "as the spec",
    "ceil_last_window": "clipped",
    "average_divisor": "clipped",
    "nan_in_maximum": "propagates",
    "output_padding": "extends",
    "output_padding_bound": "stride or dilation",
    "same_size": "first",
    "even_kernel_centre": "earlier",
}
PROBES = 3
CANDIDATES = 400


def known_conventions() -> dict[str, list[str]]:
    """What the spec rules for each recognised variant, and what implementations do instead.

    >>> known_conventions()["nan_in_maximum"]
    ['propagates', 'ignored']
    """
    others = [deviation.convention for deviation in DEVIATIONS.values() if deviation.convention]
    return {
        name: [ruled, *sorted({value for variant, value in others if variant == name})]
        for name, ruled in RULED.items()
    }


class Variants(NamedTuple):
    """The variants an implementation follows: its convention values, the deviations it shows,
    and a case that shows each.
    """

    values: dict[str, str]
    active: tuple[Deviation, ...]
    findings: tuple[Finding, ...]


@lru_cache(maxsize=256)
def probes(name: str, operation: str) -> tuple[Case, ...]:
    """The smallest cases on which a deviation and the spec disagree: of finite numbers, unless it
    shows in others alone, for elsewhere they meet open points.
    """
    right = spec()
    wrong = SimpleNamespace(**{operation: DEVIATIONS[name].edit(right, operation)})
    cases = [
        case
        for case in small_cases(operation, CANDIDATES)
        if all(_exact(array) for array in case.operands.values())
    ]
    finite = [
        case for case in cases if all(numpy.isfinite(x).all() for x in case.operands.values())
    ]
    for candidates in (finite, cases):
        differing = (c for c in candidates if _expected(c, wrong) != _expected(c, right))
        found = tuple(islice(differing, PROBES))
        if found:
            return found
    return ()


@lru_cache(maxsize=64)
def between(one: str, other: str, operation: str) -> tuple[Case, ...]:
    """The smallest cases of finite numbers on which two deviations disagree."""
    spaces = [
        SimpleNamespace(**{operation: DEVIATIONS[name].edit(spec(), operation)})
        for name in (one, other)
    ]
    cases = (
        case
        for case in small_cases(operation, CANDIDATES)
        if all(_exact(x) and numpy.isfinite(x).all() for x in case.operands.values())
    )
    differing = (c for c in cases if _expected(c, spaces[0]) != _expected(c, spaces[1]))
    return tuple(islice(differing, PROBES))


def _exact(array: Array) -> bool:
    """Whether an array holds small integers or special values, on which nothing rounds."""
    whole = (array == numpy.rint(array)) & (abs(array) < 2**8)
    return array.size > 0 and bool((whole | ~numpy.isfinite(array)).all())


def _expected(case: Case, namespace: Any) -> Any:
    """What a namespace gives for a case, in a form that compares."""
    outcome = _outputs(case, namespace)
    if isinstance(outcome, str):
        return outcome
    return tuple((output.shape, output.astype(float).tobytes()) for output in outcome)


def _outputs(case: Case, namespace: Any) -> Any:
    copied = case._replace(operands={k: v.copy() for k, v in case.operands.items()})
    try:
        with numpy.errstate(all="ignore"):
            return trial(copied, namespace).expected
    except (ValueError, TypeError, NotImplementedError):
        return "refused"


def variants(operation: str, target: Callee, dtype: numpy.dtype[Any]) -> Variants:
    """What the probes of every recognised variant show."""
    values: dict[str, str] = {}
    active: list[Deviation] = []
    findings: list[Finding] = []
    for name, deviation in DEVIATIONS.items():
        if deviation.convention is None or operation not in deviation.operations:
            continue
        variant, value = deviation.convention
        if variant not in RULED:
            continue
        seen = [
            _sides_with(deviation, operation, target, case, dtype)
            for case in probes(name, operation)
        ]
        judged = [finding for finding in seen if finding is not None]
        sided = [finding for finding in judged if isinstance(finding, Finding)]
        if judged and len(sided) == len(judged):
            rival = next((d for d in active if d.convention and d.convention[0] == variant), None)
            if rival is not None:
                # Where the probes of one value do not tell it from another, cases between them do.
                cases = between(rival.name, name, operation)
                if all(_follows(rival, operation, target, case, dtype) for case in cases):
                    continue
                del findings[active.index(rival)], active[active.index(rival)]
            values[variant] = value
            active.append(deviation)
            findings.append(sided[0])
        elif judged and all(finding == "spec" for finding in judged):
            values.setdefault(variant, RULED[variant])
    return Variants(values, tuple(active), tuple(findings))


def _follows(
    deviation: Deviation, operation: str, target: Callee, case: Case, dtype: numpy.dtype[Any]
) -> bool:
    """Whether an implementation returns what a deviation does, or refuses what it refuses."""
    case = case._replace(operands={n: a.astype(dtype) for n, a in case.operands.items()})
    wrong = SimpleNamespace(**{operation: deviation.edit(spec(), operation)})
    copied = copies(case.operands)
    outcome, deviating = call(target, operation, copied, case.attributes), _outputs(case, wrong)
    if isinstance(deviating, str):
        return isinstance(outcome, Failed)
    return isinstance(outcome, Returned) and judge(outcome.outputs, deviating, None, dtype) is None


def _sides_with(
    deviation: Deviation, operation: str, target: Callee, case: Case, dtype: numpy.dtype[Any]
) -> Finding | str | None:
    """A finding where the implementation does what the deviation does, `spec` where it does what
    the spec does, `neither`, or None where it does not offer the call.
    """
    right = spec()
    wrong = SimpleNamespace(**{operation: deviation.edit(right, operation)})
    case = case._replace(operands={n: a.astype(dtype) for n, a in case.operands.items()})
    outcome = call(target, operation, copies(case.operands), case.attributes)
    expected, deviating = trial(case, right), _outputs(case, wrong)
    if isinstance(outcome, Failed):
        if deviating == "refused":
            return Finding(outcome.kind, outcome.message, case, None, expected.expected, None)
        return "neither"
    if not isinstance(outcome, Returned):
        return None
    if judge(outcome.outputs, expected.expected, expected.slack, dtype) is None:
        return "spec"
    if isinstance(deviating, str):
        return "neither"
    slack = expected.slack if _fits(expected.slack, deviating) else None
    if (
        len(deviating) != len(outcome.outputs)
        or judge(outcome.outputs, deviating, slack, dtype) is not None
    ):
        return "neither"
    verdict = judge(outcome.outputs, expected.expected, expected.slack, dtype)
    kind, message = verdict if verdict is not None else ("value", "")
    return Finding(kind, message, case, outcome.outputs, expected.expected, expected.slack)


def _fits(slack: Any, outputs: Any) -> bool:
    return slack is not None and all(
        bound.shape == output.shape for bound, output in zip(slack, outputs, strict=True)
    )


def under_variants(operation: str, active: tuple[Deviation, ...]) -> SimpleNamespace:
    """The spec with the given deviations applied to one operation, one upon the other."""
    namespace = spec()
    for deviation in active:
        setattr(namespace, operation, deviation.edit(namespace, operation))
    return namespace

"""Behaviour: repeatable, and indifferent to memory layout and to what was called before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy

from convspec.arguments import Array
from convspec.case import Case, forward_name, grouped, has_batch
from convspec.operations import OPERATIONS
from convspec.oracle.call import Callee, Returned, Unsupported, call, copies
from convspec.oracle.judge import judge, same_values
from convspec.oracle.layouts import STRIDED, laid_out, layouts
from convspec.oracle.runner import Finding
from convspec.oracle.trials.trial import Trial

EVERY = "every operand as a strided slice"


def layout_findings(
    target: Callee, cases: list[Case], right_of: Callable[[Case], Trial]
) -> tuple[int, list[Finding]]:
    """Views give what the spec gives: for each operand, and for all of them at once."""
    judged, findings = 0, []
    for case in cases:
        right = right_of(case)
        for name, operands in _viewed(case.operands):
            finding = layout_finding(target, case._replace(operands=operands), name, right)
            judged += finding is not False
            if isinstance(finding, Finding):
                findings.append(finding)
    return judged, findings


def layout_finding(
    target: Callee, viewed: Case, name: str, right: Trial
) -> Finding | Literal[False] | None:
    """Whether operands in a layout of that name give what is right: None if they do, False where
    the call is not offered.
    """
    outcome = call(target, viewed.operation, viewed.operands, viewed.attributes)
    if isinstance(outcome, Unsupported):
        return False
    if not isinstance(outcome, Returned):
        told, actual = outcome.message, None
    else:
        first = next(iter(viewed.operands.values()))
        verdict = judge(outcome.outputs, right.expected, right.slack, first.dtype)
        if verdict is None:
            return None
        told, actual = verdict.message, outcome.outputs
    return Finding("layout", f"{name}: {told}", viewed, actual, right.expected, right.slack)


def _copied(outputs: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(output.copy() for output in outputs)


def _viewed(operands: dict[str, Array]) -> Iterator[tuple[str, dict[str, Array]]]:
    for name, array in operands.items():
        for layout, view in layouts(array):
            yield f"{name} {layout}", {**copies(operands), name: view}
    yield EVERY, {name: laid_out(array, STRIDED) for name, array in operands.items()}


def same_outputs(first: tuple[Array, ...], second: tuple[Array, ...]) -> bool:
    """Whether two results hold the same values."""
    return len(first) == len(second) and all(
        same_values(a, b) for a, b in zip(first, second, strict=True)
    )


def repeat_findings(target: Callee, cases: list[Case]) -> tuple[int, list[Finding]]:
    """The same call gives the same result, whatever was called in between, and keeps it.

    Calls that differ in one attribute alone come in between, as well as an empty batch: a stale
    cache shows there.
    """
    judged, findings = 0, []
    for case in cases:
        others = tuple(interruptions(case))
        finding = _repeated(target, case, others)
        judged += finding is not False
        if isinstance(finding, Finding):
            fewer = (_repeated(target, case, one) for one in ((), *((other,) for other in others)))
            alike = (f for f in fewer if isinstance(f, Finding) and f.message == finding.message)
            findings.append(next(alike, finding))
    return judged, findings


def _repeated(
    target: Callee, case: Case, between: tuple[Case, ...]
) -> Finding | Literal[False] | None:
    """Whether a call gives the same twice, and its first result stays, with others in between;
    False where there is no result.
    """
    first = call(target, case.operation, copies(case.operands), case.attributes)
    if not isinstance(first, Returned):
        return False
    kept = _copied(first.outputs)
    for other in between:
        call(target, case.operation, copies(other.operands), other.attributes)
    if not same_outputs(first.outputs, kept):
        message = "a result changed after it was returned, when another call was made"
        changed = _copied(first.outputs)
        return Finding("unstable", message, case, changed, kept, None, after=between)
    again = call(target, case.operation, copies(case.operands), case.attributes)
    if isinstance(again, Returned) and same_outputs(again.outputs, kept):
        return None
    actual = again.outputs if isinstance(again, Returned) else None
    message = "the same call gave another result the second time"
    return Finding("unstable", message, case, actual, kept, None, before=(case, *between))


def empty_batch_findings(
    target: Callee, cases: list[Case], right_of: Callable[[Case], Trial]
) -> tuple[int, list[Finding]]:
    """An empty batch after one that is not gives an empty result, and not the last one again.

    Whether an empty batch is accepted at all is an open point.
    """
    judged, findings = 0, []
    for case in cases:
        empty = emptied(case)
        if empty is None:
            continue
        call(target, case.operation, copies(case.operands), case.attributes)
        outcome = call(target, case.operation, copies(empty.operands), case.attributes)
        if not isinstance(outcome, Returned):
            continue
        judged += 1
        right = right_of(empty)
        dtype = next(iter(case.operands.values())).dtype
        verdict = judge(outcome.outputs, right.expected, right.slack, dtype)
        if verdict is not None:
            message = f"for an empty batch, after another call: {verdict.message}"
            seen = (outcome.outputs, right.expected, None)
            findings.append(Finding("unstable", message, empty, *seen, before=(case,)))
    return judged, findings


def emptied(case: Case) -> Case | None:
    """The call without an item in its batch, if that is one."""
    row = OPERATIONS[forward_name(case.operation)]
    if not has_batch(row.operands[0], case.operands[row.operands[0]]):
        return None
    operands = {n: a[:0] if has_batch(n, a) else a for n, a in case.operands.items()}
    shapes = {n: a.shape for n, a in operands.items() if n != "cotangent"}
    try:
        row.shape(*grouped(case.operation, shapes).values(), **case.attributes)
    except ValueError:  # a mean over none, a softmax across the batch
        return None
    return case._replace(operands=operands)


def interruptions(case: Case) -> Iterator[Case]:
    """Calls that resemble a case: with other numbers, and with one attribute changed."""
    row = OPERATIONS[forward_name(case.operation)]
    # A shift alone would not change a softmax.
    changed = {n: a if n in row.discrete else 2 * a + 1 for n, a in case.operands.items()}
    yield case._replace(operands=changed)
    given = {n: a.shape for n, a in case.operands.items() if n != "cotangent"}
    shapes = grouped(case.operation, given).values()
    for name, value in case.attributes.items():
        for other in _others(name, value):
            if other == value:
                continue
            attributes = {**case.attributes, name: other}
            try:
                shape = row.shape(*shapes, **attributes)
            except (TypeError, ValueError):
                continue
            operands = dict(case.operands)
            if "cotangent" in operands:
                operands["cotangent"] = numpy.resize(operands["cotangent"], shape)
            yield Case(case.operation, operands, attributes)


# The words that an attribute may have.
CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("full", "same", "valid"),
    "kind": ("nearest", "linear", "max", "average"),
    "coordinates": ("half_pixel", "asymmetric", "align_corners"),
}


def _others(name: str, value: Any) -> Iterator[Any]:
    """Values near that of an attribute; whether there is such a call is another question."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (value / 2, value * 2)
    elif isinstance(value, str):
        yield from (word for word in CHOICES[name] if word != value)
    elif value and isinstance(value[0], int):
        yield value[::-1]
        yield from (tuple(entry + step for entry in value) for step in (1, -1))
    else:
        yield tuple((high, low) for low, high in value)
        yield from (
            tuple((max(0, low + step), max(0, high + step)) for low, high in value)
            for step in (1, -1)
        )

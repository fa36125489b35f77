"""Behaviour: repeatable, and indifferent to memory layout and to what was called before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle.call import Callee, Returned, Unsupported, call, copies
from convspec.oracle.judge import judge, same_values
from convspec.oracle.runner import Finding
from convspec.oracle.trials.trial import Trial


def layouts(array: Array) -> Iterator[tuple[str, Array]]:
    """The same values in other memory layouts, each with its name."""
    if not array.ndim:  # one number has one layout
        return
    yield "in Fortran order", numpy.asfortranarray(array)
    reversed_twice = numpy.flip(numpy.flip(array).copy())
    yield "with negative strides", reversed_twice
    spaced = numpy.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
    spaced[..., 1::2] = array
    yield "as a strided slice with an offset", spaced[..., 1::2]
    if array.ndim > 1:
        yield "transposed", numpy.ascontiguousarray(array.swapaxes(0, -1)).swapaxes(0, -1)


def layout_findings(
    target: Callee, cases: list[Case], right_of: Callable[[Case], Trial]
) -> tuple[int, list[Finding]]:
    """Views give what the spec gives: for each operand, and for all of them at once."""
    judged, findings = 0, []
    for case in cases:
        first = next(iter(case.operands.values()))
        right = right_of(case)
        for name, operands in _viewed(case.operands):
            outcome = call(target, case.operation, operands, case.attributes)
            if isinstance(outcome, Unsupported):
                continue
            judged += 1
            viewed = case._replace(operands=operands)
            if not isinstance(outcome, Returned):
                message, actual = f"{name}: {outcome.message}", None
            else:
                verdict = judge(outcome.outputs, right.expected, right.slack, first.dtype)
                if verdict is None:
                    continue
                message, actual = f"{name}: {verdict.message}", outcome.outputs
            findings.append(Finding("layout", message, viewed, actual, right.expected, right.slack))
    return judged, findings


def _copied(outputs: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(output.copy() for output in outputs)


def _viewed(operands: dict[str, Array]) -> Iterator[tuple[str, dict[str, Array]]]:
    for name, array in operands.items():
        for layout, view in layouts(array):
            yield f"{name} {layout}", {**copies(operands), name: view}
    together = {
        name: list(layouts(array))[2][1] if array.ndim else array
        for name, array in operands.items()
    }
    yield "every operand as a strided slice", together


def _same(first: tuple[Array, ...], second: tuple[Array, ...]) -> bool:
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
        first = call(target, case.operation, copies(case.operands), case.attributes)
        if not isinstance(first, Returned):
            continue
        kept = _copied(first.outputs)
        for other in interruptions(case):
            call(target, case.operation, copies(other.operands), other.attributes)
        overwritten = None if _same(first.outputs, kept) else _copied(first.outputs)
        again = call(target, case.operation, copies(case.operands), case.attributes)
        judged += 1
        if overwritten is not None:
            message = "a result changed after it was returned, when another call was made"
            findings.append(Finding("unstable", message, case, overwritten, kept, None))
        elif not isinstance(again, Returned) or not _same(again.outputs, kept):
            actual = again.outputs if isinstance(again, Returned) else None
            message = "the same call gave another result the second time"
            findings.append(Finding("unstable", message, case, actual, kept, None))
    return judged, findings


def empty_batch_findings(
    target: Callee, cases: list[Case], right_of: Callable[[Case], Trial]
) -> tuple[int, list[Finding]]:
    """An empty batch after one that is not gives an empty result, and not the last one again.

    Whether an empty batch is accepted at all is an open point.
    """
    judged, findings = 0, []
    for case in cases:
        if "input" not in case.operands:
            continue
        call(target, case.operation, copies(case.operands), case.attributes)
        batched = ("cotangent", "input", "mask")
        operands = {n: a[:0] if n in batched else a for n, a in case.operands.items()}
        empty = case._replace(operands=operands)
        outcome = call(target, case.operation, copies(operands), case.attributes)
        if not isinstance(outcome, Returned):
            continue
        judged += 1
        right = right_of(empty)
        dtype = case.operands["input"].dtype
        verdict = judge(outcome.outputs, right.expected, right.slack, dtype)
        if verdict is not None:
            message = f"for an empty batch, after another call: {verdict.message}"
            findings.append(
                Finding("unstable", message, empty, outcome.outputs, right.expected, None)
            )
    return judged, findings


def interruptions(case: Case) -> Iterator[Case]:
    """Valid calls that resemble a case: other numbers, and one attribute changed."""
    changed = {name: array + 1 for name, array in case.operands.items()}
    yield case._replace(operands=changed)
    row = OPERATIONS[forward_name(case.operation)]
    given = {n: a.shape for n, a in case.operands.items() if n != "cotangent"}
    shapes = grouped(case.operation, given).values()
    for name, value in case.attributes.items():
        for other in _others(value):
            attributes = {**case.attributes, name: other}
            try:
                shape = row.shape(*shapes, **attributes)
            except (TypeError, ValueError):
                continue
            operands = dict(case.operands)
            if "cotangent" in operands:
                operands["cotangent"] = numpy.resize(operands["cotangent"], shape)
            yield Case(case.operation, operands, attributes)


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, tuple) and value and isinstance(value[0], int):
        yield tuple(entry + 1 for entry in value)
    elif isinstance(value, tuple):
        yield tuple((low + 1, high + 1) for low, high in value)

"""Ties among maxima: what an index must satisfy, and what a gradient may do."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, call_windows, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.call import Callee, Returned, call
from convspec.oracle.cases.draws import integers
from convspec.oracle.cases.tables import output_slices, window_table
from convspec.oracle.expected import adaptive_max_pool, max_pool
from convspec.oracle.expected.taps import adaptive_taps, sliding_taps
from convspec.oracle.runner import Finding
from convspec.rounding import growth, precision, unit_roundoff
from convspec.window import output_sizes

# Overlapping, padded, dilated and two-dimensional windows over inputs that are mostly ties.
GEOMETRIES: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 2, 6), {"kernel_size": 3, "stride": 1}),
    ((2, 3, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((1, 2, 5, 4), {"kernel_size": 2, "stride": 1}),
    ((2, 1, 6, 5), {"kernel_size": (2, 3), "stride": 2}),
    ((1, 1, 5, 5), {"kernel_size": 3, "stride": 2, "padding": 1}),
)


ADAPTIVE_GEOMETRIES: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 2, 7), {"output_size": 3}),
    ((1, 2, 5, 4), {"output_size": (3, 2)}),
    ((1, 1, 2, 3), {"output_size": 4}),
)
# What may be asked about ties: where an index points, and how a gradient is shared.
TIED = (
    "max_pool_with_indices",
    "max_pool_vjp",
    "max_pool_with_indices_vjp",
    "adaptive_max_pool_vjp",
)


def _maxima(case: Case) -> tuple[Array, Array]:
    """The maxima of a case's windows, and the flat positions that each reads, `(taps, windows)`."""
    x, attributes = case.operands["input"], case.attributes
    if forward_name(case.operation) == "adaptive_max_pool":
        read = adaptive_taps(x.shape[2:], attributes["output_size"])
        return adaptive_max_pool(x, **attributes), read.reads
    sliding = call_windows("max_pool", {"input": x.shape}, attributes)
    return max_pool(x, **attributes), sliding_taps(x.shape[2:], sliding).reads


def tie_cases(operation: str, rng: numpy.random.Generator, dtype: Any) -> Iterator[Case]:
    """Cases of `max_pool_with_indices`, or of the vjp of a maximum of windows, full of ties."""
    adaptive = operation == "adaptive_max_pool_vjp"
    for shape, given in ADAPTIVE_GEOMETRIES if adaptive else GEOMETRIES:
        name = "adaptive_max_pool" if adaptive else "max_pool"
        attributes = normalised(name, {"input": shape}, given)
        x = integers(rng, shape, 1, numpy.dtype(dtype))
        operands = {"input": x}
        if operation.endswith("_vjp"):
            outputs = OPERATIONS[name].shape(shape, **attributes)
            g = integers(rng, outputs, 8, numpy.dtype(dtype))
            operands = {"cotangent": g, "input": x}
        yield Case(operation, operands, attributes)
        if operation == "max_pool_with_indices" and numpy.dtype(dtype).kind == "f":
            # Even where every element is the lowest there is, one of them is the maximum.
            yield Case(operation, {"input": numpy.full_like(x, -numpy.inf)}, attributes)


def index_findings(target: Callee, cases: Iterator[Case]) -> tuple[int, list[Finding]]:
    """An index must lie in its window and hold its maximum; which of several is free."""
    judged, findings = 0, []
    for case in cases:
        outcome = call(target, case.operation, case.operands, case.attributes)
        if not isinstance(outcome, Returned):
            continue
        judged += 1
        values, found = outcome.outputs
        x = case.operands["input"]
        sliding = call_windows("max_pool", {"input": x.shape}, case.attributes)
        tabulated = window_table(x.shape[2:], sliding)
        place = output_slices(tabulated, sliding, output_sizes(x.shape[2:], sliding))
        index = tabulated.reads.reshape(len(tabulated.reads), *tabulated.starts)[place]
        shape = (*x.shape[:2], *index.shape[1:])
        if found.shape != shape or values.shape != shape:
            message = f"indices have shape {found.shape}, values {values.shape}, not {shape}"
            findings.append(_finding("shape", message, case, outcome.outputs))
            continue
        if found.dtype.kind not in "iu":
            continue  # the sweep reports dtypes
        taps = numpy.where(index < tabulated.size, index, -1)
        inside = (found >= 0) & (found[:, :, None] == taps).any(axis=2)
        flat = x.reshape(*x.shape[:2], tabulated.size)
        held = numpy.clip(found, 0, tabulated.size - 1).reshape(*x.shape[:2], -1)
        at_index = numpy.take_along_axis(flat, held, axis=2).reshape(found.shape)
        maxima = max_pool(x, **case.attributes)
        if not (inside & (at_index == maxima) & (values == maxima)).all():
            message = "an index lies outside its window or does not hold its maximum"
            findings.append(_finding("value", message, case, outcome.outputs))
    return judged, findings


def _finding(kind: str, message: str, case: Case, outputs: tuple[Array, ...]) -> Finding:
    right = expected.max_pool_with_indices(case.operands["input"], **case.attributes)
    return Finding(kind, message, case, outputs, right, None)


def gradient_findings(target: Callee, cases: Iterator[Case]) -> tuple[int, list[Finding]]:
    """A max-pooling gradient under ties: for every window its cotangent comes back in full, with
    weights that are not negative and zero off the maxima; the cotangent acts linearly.

    One window at a time: a one-hot cotangent shows the weights of its window.
    """
    judged = 0
    findings: list[Finding] = []
    for case in cases:
        x, attributes = case.operands["input"], case.attributes
        maxima, reads = _maxima(case)
        total = numpy.zeros(x.shape)
        for position in numpy.ndindex(maxima.shape):
            hot = numpy.zeros(maxima.shape, case.operands["cotangent"].dtype)
            hot[position] = 1
            one = {"cotangent": hot, "input": x}
            outcome = call(target, case.operation, one, attributes)
            if not isinstance(outcome, Returned) or outcome.outputs[0].shape != x.shape:
                return judged, findings  # other steps report what is wrong here
            judged += 1
            weights = outcome.outputs[0].astype(float)
            total += weights * float(case.operands["cotangent"][position])
            message = _not_convex(weights, x, maxima, position, reads)
            if message is not None:
                window = case._replace(operands=one)
                findings.append(_gradient_finding(message, window, outcome.outputs))
                break
        else:
            findings += _not_linear(target, case, total, len(reads))
    return judged, findings


def _not_convex(
    weights: Array, x: Array, maxima: Array, position: tuple[int, ...], reads: Array
) -> str | None:
    """What is wrong with the weights that one window gives its elements, if anything."""
    members = reads[:, numpy.ravel_multi_index(position[2:], maxima.shape[2:])]
    members = members[members < prod(x.shape[2:])]
    plane = weights[position[:2]].ravel()
    values = x[position[:2]].ravel()
    allowed = numpy.zeros(plane.shape, bool)
    allowed[members] = values[members] == maxima[position]
    outside = weights.copy()
    outside[position[:2]] = 0
    if outside.any() or plane[~allowed].any():
        return "a cotangent reached an element that is no maximum of its window"
    if (plane < 0).any():
        return "a tie received a negative share"
    # A share is rounded, and so may be the reciprocal it comes from.
    if abs(plane.sum() - 1) > len(members) * _unit(x.dtype):
        return f"the ties of one window received {plane.sum():g} times its cotangent together"
    return None


def _unit(dtype: numpy.dtype[Any]) -> float:
    """The unit roundoff of a dtype, none for integers."""
    return 0.0 if dtype.kind in "iu" else unit_roundoff(precision(dtype))


def _not_linear(target: Callee, case: Case, total: Array, windows: int) -> list[Finding]:
    outcome = call(target, case.operation, case.operands, case.attributes)
    if not isinstance(outcome, Returned):
        return []
    actual = outcome.outputs[0].astype(float)
    # As many windows share an element as a window has taps: so many roundings, and two a share.
    largest = abs(case.operands["cotangent"].astype(float)).max(initial=0)
    allowed = largest * windows * growth(_unit(case.operands["input"].dtype), windows + 3)
    if abs(actual - total).max(initial=0) <= allowed:
        return []
    message = "the cotangent of all windows is not the sum of the cotangents of each"
    return [_gradient_finding(message, case, outcome.outputs)]


def _gradient_finding(message: str, case: Case, outputs: tuple[Array, ...]) -> Finding:
    right = getattr(expected, case.operation)(*case.operands.values(), **case.attributes)
    return Finding("gradient", message, case, outputs, right, None)

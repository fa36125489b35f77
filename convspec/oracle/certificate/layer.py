"""A recorded layer, and what can be said of it."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, flat, grouped
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.certificate.exact import certify_exactly, largest_output
from convspec.oracle.certificate.finding import Finding, refuted, uncertified
from convspec.oracle.certificate.form import Form, form
from convspec.oracle.certificate.rounded import certify_within_rounding
from convspec.oracle.certificate.sufficient import is_surely_right
from convspec.oracle.judge import judge
from convspec.oracle.rounding.bounds import real_slack

# The products that a recomputation or a projection may come to; the largest layers of known
# networks come to a hundredth of it.
MOST_RECOMPUTED = 2**26
MOST_PROJECTED = 2**36
MOST_TAPS = 2**16


class Layer(NamedTuple):
    """A call of an operation that was recorded, with the output that it gave."""

    name: str
    case: Case
    output: Array


def certify(layer: Layer, rng: numpy.random.Generator) -> Finding:
    """What can be said of a layer whose arguments are valid.

    >>> x, w = numpy.array([[1, 2]]), numpy.array([[3, 4]])
    >>> recorded = Layer("fc", Case("linear", {"input": x, "weight": w}, {}), numpy.array([[12]]))
    >>> certify(recorded, numpy.random.default_rng()).verdict
    'refuted'
    """
    name, case, output = layer
    formed = form(case, output)
    due = _recomputed_shape(case) if formed is None else formed.due
    if output.shape != due:
        story = f"the output has shape {output.shape}: must be {due}"
        return refuted(name, case.operation, story)
    wrong = _wrong_dtype(case, output)
    if wrong:
        return refuted(name, case.operation, wrong)
    if formed is None:
        return _recomputed(layer)
    if _is_too_large(formed):
        return uncertified(name, case.operation, "it is too large")
    bound = largest_output(formed)
    if bound is None:
        return certify_within_rounding(name, case.operation, formed, rng)
    return certify_exactly(name, case.operation, formed, bound, rng)


def _recomputed_shape(case: Case) -> tuple[int, ...]:
    shapes: list[Any] = [
        [each.shape for each in operand] if isinstance(operand, list) else operand.shape
        for operand in case.operands.values()
    ]
    due: tuple[int, ...] = OPERATIONS[case.operation].shape(*shapes, **case.attributes)
    return due


def _wrong_dtype(case: Case, output: Array) -> str | None:
    """The output has the dtype of its input, or the first floating one where that is whole."""
    dtypes = [each.dtype for each in flat(case.operands).values() if each.dtype.kind not in "iu"]
    if dtypes and output.dtype != dtypes[0]:
        return f"the output has dtype {output.dtype} for operands of {dtypes[0]}"
    return None


def _is_too_large(layer: Form) -> bool:
    taps = prod(layer.weight.shape[3:])
    return taps > MOST_TAPS or layer.input.size * taps + layer.output.size > MOST_PROJECTED


def _recomputed(layer: Layer) -> Finding:
    """The finding of a layer that is computed again as a whole."""
    name, case, output = layer
    row = OPERATIONS[case.operation]
    if row.outputs > 1:
        return uncertified(name, row.name, "it has several outputs")
    if _recomputed_products(layer) > MOST_RECOMPUTED:
        return uncertified(name, row.name, "it is too large to be computed again")
    if is_surely_right(case, output):
        how = "equal" if row.rounding == "exact" else "within rounding"
        return Finding(name, row.name, "recomputed", how)
    case = case._replace(operands=flat(case.operands))
    with numpy.errstate(all="ignore"):
        due = getattr(expected, row.name)(
            *grouped(row.name, case.operands).values(), **case.attributes
        )
        slack = real_slack(case)
    first = next(iter(case.operands.values())).dtype
    verdict = judge((output,), (numpy.asarray(due),), slack, first)
    if verdict is not None:
        return refuted(name, row.name, verdict.message)
    how = "equal" if slack is None else "within rounding"
    return Finding(name, row.name, "recomputed", how)


def _recomputed_products(layer: Layer) -> int:
    """No more than so many numbers are looked at: every window at stride 1, padding included."""
    first, *others = flat(layer.case.operands).values()
    attributes = layer.case.attributes
    pads = attributes.get("padding", ())
    sizes = [n + low + high for n, (low, high) in zip(first.shape[2:], pads, strict=False)]
    volume = prod(first.shape[:2]) * prod(sizes) if pads else first.size
    taps = prod(attributes.get("kernel_size", ())) * attributes.get("size", 1)
    terms = taps * prod(prod(other.shape[1:]) for other in others)
    return int(max(volume, layer.output.size) * terms)

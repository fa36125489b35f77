"""The spec's value for any case, under the variants of it that an implementation follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, call_windows, forward_name
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.trials.trial import Trial
from convspec.rounding import growth, precision, unit_roundoff

Value = Callable[..., Any]


def spec() -> SimpleNamespace:
    """Every operation and `_vjp`: from tap tables where there are some, else its definition.

    >>> spec().conv(numpy.ones((1, 1, 3)), numpy.ones((1, 1, 2))).tolist()
    [[[2.0, 2.0]]]
    """
    functions: dict[str, Value] = {}
    for name, row in OPERATIONS.items():
        functions[name] = getattr(expected, name, row.definition)
        functions[f"{name}_vjp"] = getattr(expected, f"{name}_vjp", row.vjp)
    return SimpleNamespace(**functions)


def outputs_of(result: Any) -> tuple[Array, ...]:
    """The outputs of a function of the spec as a tuple of arrays."""
    return (
        tuple(map(numpy.asarray, result)) if isinstance(result, tuple) else (numpy.asarray(result),)
    )


def trial(case: Case, namespace: Any) -> Trial:
    """A case with its expected outputs, and their slack where a correct result may round."""
    value = getattr(namespace, case.operation)
    outputs = outputs_of(value(*case.operands.values(), **case.attributes))
    return Trial(case.operands, case.attributes, outputs, _slack(case, value))


def accepted_trial(case: Case, namespace: Any) -> Trial | None:
    """`trial` of a case, or None where a variant refuses what the spec accepts: that difference
    is the variant's own.  What the spec refuses as well raises `ValueError`.
    """
    try:
        return trial(case, namespace)
    except ValueError:
        trial(case, spec())
        return None


def trials(cases: Iterator[Case], namespace: Any) -> Iterator[Trial]:
    """`accepted_trial` of each case that has one."""
    due = (accepted_trial(case, namespace) for case in cases)
    return (found for found in due if found is not None)


def under(operation: str, stream: Iterator[Trial], namespace: Any) -> Iterator[Trial]:
    """A stream of trials with the expected outputs that a variant of the spec gives."""
    return trials((Case(operation, t.operands, t.attributes) for t in stream), namespace)


def _slack(case: Case, value: Value) -> tuple[Array, ...] | None:
    """The rounding bound of averages on integers, of `n + 2` roundings a term; none where every
    divisor is a power of two, and the average of floats exact.
    """
    first = next(iter(case.operands.values()))
    if forward_name(case.operation) != "average_pool":
        return None
    if first.dtype.kind == "f" and _divides_exactly(case):
        return None
    bits = 53 if first.dtype.kind in "iu" else precision(first.dtype)
    absolute = {name: abs(array.astype(float)) for name, array in case.operands.items()}
    (magnitude,) = outputs_of(value(*absolute.values(), **case.attributes))
    roundings = prod(case.attributes["kernel_size"]) + 2
    bound = growth(unit_roundoff(bits), roundings) + growth(unit_roundoff(53), roundings)
    return (magnitude * bound,)


def _divides_exactly(case: Case) -> bool:
    """Whether every window of an average counts a power of two."""
    spatial = case.operands["input"].shape
    sliding = call_windows("average_pool", {"input": spatial}, case.attributes)
    include = case.attributes["count_include_pad"]
    counts = expected.divisors(spatial[2:], sliding, count_include_pad=include)
    return bool((numpy.frexp(counts)[0] == 0.5).all())

"""The spec's value for any case, under the variants of it that an implementation follows."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, grouped
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.rounding.bounds import slack
from convspec.oracle.trials.trial import Trial


def spec() -> SimpleNamespace:
    """Every operation and `_vjp`.

    >>> spec().conv(numpy.ones((1, 1, 3)), numpy.ones((1, 1, 2))).tolist()
    [[[2.0, 2.0]]]
    """
    names = (name for row in OPERATIONS for name in (row, f"{row}_vjp"))
    return SimpleNamespace(**{name: getattr(expected, name) for name in names})


def outputs_of(result: Any) -> tuple[Array, ...]:
    """The outputs of a function of the spec as a tuple of arrays."""
    return (
        tuple(map(numpy.asarray, result)) if isinstance(result, tuple) else (numpy.asarray(result),)
    )


def trial(case: Case, namespace: Any) -> Trial:
    """A case with its expected outputs, and their slack where a correct result may round."""
    value = getattr(namespace, case.operation)
    operands = grouped(case.operation, case.operands).values()
    outputs = outputs_of(value(*operands, **case.attributes))
    return Trial(case.operands, case.attributes, outputs, slack(case, value))


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

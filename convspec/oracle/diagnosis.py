"""Naming a mistake: the deviations that reproduce wrong outputs, or a rule for where they occur.

Failing cases are replayed against every deviation of the catalogue.  One that returns exactly
the wrong outputs on all of them, and the right ones where the implementation was right, names
the mistake; several are told apart by fresh cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import convspec.fast
from convspec.case import Case
from convspec.oracle.behaviour import interruptions
from convspec.oracle.deviations import DEVIATIONS, Deviation
from convspec.oracle.deviations.record import Function
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.replay import Bounds, Outputs, agree, replay, returned, right, rounding_bounds
from convspec.oracle.rule import separating_rule

__all__ = ["diagnose", "distinguish", "separating_rule"]

FRESH_CASES = 1500


class Observation(NamedTuple):
    """A failing case: what the implementation returned, what is right, and how well one can
    tell; `dtypes` says that nothing but the dtype is wrong.
    """

    case: Case
    outputs: Outputs
    right: Outputs
    bounds: Bounds
    dtypes: bool


def diagnose(failing: Sequence[tuple[Case, Any]], passing: Sequence[Case]) -> list[str]:
    """The names of the deviations that explain wrong outputs, in the order of the catalogue.

    `failing` pairs cases with what the implementation returned (one array, a tuple of arrays, or
    the text of an exception).  A deviation explains them if it returns the same on every failing
    case, and what the spec returns on every passing one.  Where none does, those are named whose
    memory of other calls explains every failing case.
    """
    observed = sorted((observation(*pair) for pair in failing), key=lambda o: _elements(o.case))
    if not observed:
        return []
    named = [
        name for name, deviation in DEVIATIONS.items() if explains(deviation, observed, passing)
    ]
    if named:
        return named
    others = [*(o.case for o in observed), *passing]
    return [
        name for name, deviation in DEVIATIONS.items() if _remembers(deviation, observed, others)
    ]


def observation(case: Case, outputs: Any) -> Observation:
    """A failing case with what there is to know about it."""
    seen, due, bounds = returned(outputs), right(case), rounding_bounds(case)
    return Observation(case, seen, due, bounds, agree(seen, due, bounds, dtypes=False))


def _elements(case: Case) -> int:
    return sum(array.size for array in case.operands.values())


def explains(
    deviation: Deviation, observed: Sequence[Observation], passing: Sequence[Case]
) -> bool:
    """Whether a deviation returns what was observed, and what is right on the passing cases."""
    functions: dict[str, Function] = {}
    for case, outputs, due, bounds, dtypes in observed:
        if case.operation not in deviation.operations:
            return False
        if case.operation not in functions:
            functions[case.operation] = deviation.edit(convspec.fast, case.operation)
        wrong = replay(functions[case.operation], case)
        if not agree(wrong, outputs, bounds, dtypes=dtypes):
            return False
        if agree(wrong, due, bounds, dtypes=dtypes):
            return False
    strict = all(o.dtypes for o in observed)
    return all(
        agree(
            replay(functions[case.operation], case),
            right(case),
            rounding_bounds(case),
            dtypes=strict,
        )
        for case in passing
        if case.operation in functions
    )


def _remembers(
    deviation: Deviation, observed: Sequence[Observation], others: Sequence[Case]
) -> bool:
    return all(
        o.case.operation in deviation.operations
        and any(
            agree(seen, o.outputs, o.bounds, dtypes=o.dtypes)
            and not agree(seen, o.right, o.bounds, dtypes=o.dtypes)
            for seen in _after_other_calls(deviation, o.case, others)
        )
        for o in observed
    )


def _after_other_calls(
    deviation: Deviation, case: Case, others: Sequence[Case]
) -> Iterator[Outputs]:
    """What a deviation returns for a case when other calls come before, and what has become of
    the first result and of the operands afterwards.
    """
    alike = [other for other in others if _same_shapes(other, case)]
    function = deviation.edit(convspec.fast, case.operation)
    own = case._replace(operands={name: array.copy() for name, array in case.operands.items()})
    try:
        first = returned(function(*own.operands.values(), **own.attributes))
    except Exception:  # what refuses the case by itself needs no memory to do so
        return
    yield tuple(own.operands.values())
    for name, array in own.operands.items():
        array[...] = case.operands[name]
    for other in interruptions(case):
        replay(function, other)
    yield first
    yield replay(function, case)
    yield replay(function, case)
    for other in (*alike, *interruptions(case)):
        function = deviation.edit(convspec.fast, case.operation)
        replay(function, other)
        yield replay(function, case)


def _same_shapes(first: Case, second: Case) -> bool:
    return first.operation == second.operation and {
        name: array.shape for name, array in first.operands.items()
    } == {name: array.shape for name, array in second.operands.items()}


def distinguish(
    names: Sequence[str], operation: str, implementation: Callable[[Case], Any]
) -> list[str]:
    """Of several names that fit, those that still do on fresh cases on which they differ.

    `implementation(case)` returns what is observed there, an exception as text.  Names that
    differ nowhere stay together; where nothing fits any longer, all that fitted until then stay.
    """
    left = list(names)
    functions = {n: DEVIATIONS[n].edit(convspec.fast, operation) for n in left}
    for case in small_cases(operation, FRESH_CASES):
        if len(left) < 2:
            break
        bounds = rounding_bounds(case)
        outputs = {name: replay(functions[name], case) for name in left}
        groups = [agree(outputs[left[0]], outputs[n], bounds, dtypes=False) for n in left]
        strict = all(groups)
        if strict and all(agree(outputs[left[0]], outputs[name], bounds) for name in left):
            continue
        seen = returned(implementation(case))
        left = [n for n in left if agree(outputs[n], seen, bounds, dtypes=strict)] or left
    return left

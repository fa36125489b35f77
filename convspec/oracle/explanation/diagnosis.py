"""Naming a mistake: the deviations that reproduce wrong outputs, or a rule for where they occur.

Failing cases are replayed against every deviation of the catalogue.  One that returns exactly
the wrong outputs on all of them, and the right ones where the implementation was right, names
the mistake; several are told apart by fresh cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy

import convspec.fast
from convspec.arguments import Array, Shape
from convspec.case import Case, forward_name, grouped, has_batch
from convspec.operations import OPERATIONS
from convspec.oracle.call import copies
from convspec.oracle.deviations import DEVIATIONS, Deviation
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.deviations.state import STATE
from convspec.oracle.explanation.replay import (
    Bounds,
    Outputs,
    agree,
    replay,
    returned,
    right,
    rounding_bounds,
)
from convspec.oracle.explanation.rule import separating_rule
from convspec.oracle.judge import same_values
from convspec.oracle.steps.behaviour import interruptions

__all__ = ["diagnose", "distinguish", "explanations", "mutating", "remembered", "separating_rule"]

FRESH_CASES = 1500
MEMORY_CASES = 20
COUNTED = 8


class Observation(NamedTuple):
    """A failing case: what the implementation returned, what is right, and how well one can
    tell; `dtypes` says that nothing but the dtype is wrong.
    """

    case: Case
    outputs: Outputs
    right: Outputs
    bounds: Bounds
    dtypes: bool


def observation(case: Case, outputs: Any, *, exact: bool = False) -> Observation:
    """A failing case with what there is to know about it.

    With `exact` the last bit counts, as it must where nothing but rounding is wrong.
    """
    bounds = None if exact else rounding_bounds(case)
    seen, due = returned(outputs), right(case)
    return Observation(case, seen, due, bounds, agree(seen, due, bounds, dtypes=False))


def diagnose(failing: Sequence[tuple[Case, Any]], passing: Sequence[Case]) -> list[str]:
    """The names of the deviations that explain wrong outputs, in the order of the catalogue.

    `failing` pairs cases with what the implementation returned (one array, a tuple of arrays, or
    the text of an exception).  A deviation explains them if it returns the same on every failing
    case, and what the spec returns on every passing one.
    """
    explained = explanations(failing, passing)
    return [name for name in DEVIATIONS if explained and all(name in names for names in explained)]


def explanations(failing: Sequence[tuple[Case, Any]], passing: Sequence[Case]) -> list[list[str]]:
    """For each failing case by itself, the names of the deviations that explain it.

    Where none does, those are named whose memory of other calls may explain it.  Where no case
    is explained as far as rounding lets one tell, the rounding may be what is wrong, and those
    are named that return the same to the last bit.
    """
    names = _explanations([observation(*pair) for pair in failing], passing)
    if any(names):
        return names
    return _explanations([observation(*pair, exact=True) for pair in failing], passing)


def _explanations(observed: Sequence[Observation], passing: Sequence[Case]) -> list[list[str]]:
    known = [(case, right(case), rounding_bounds(case)) for case in passing]
    names: list[list[str]] = [[] for _ in observed]
    for name, deviation in DEVIATIONS.items():
        if deviation in STATE:
            continue
        shown = [i for i, o in enumerate(observed) if explains(deviation, [o])]
        strict = all(observed[i].dtypes for i in shown)
        if shown and _is_right(deviation, known, dtypes=strict):
            for i in shown:
                names[i].append(name)
    others = [*(o.case for o in observed), *passing]
    for o, found in zip(observed, names, strict=True):
        if not found:
            found += [d.name for d in STATE if remembers(d, o, others)]
    return names


def explains(deviation: Deviation, observed: Sequence[Observation]) -> bool:
    """Whether a deviation returns what was observed, in every case, and not what is right."""
    for case, outputs, due, bounds, dtypes in observed:
        if case.operation not in deviation.operations:
            return False
        wrong = replay(deviation.edit(convspec.fast, case.operation), case)
        if not agree(wrong, outputs, bounds, dtypes=dtypes):
            return False
        if agree(wrong, due, bounds, dtypes=dtypes):
            return False
    return True


def _is_right(
    deviation: Deviation, known: Sequence[tuple[Case, Outputs, Bounds]], *, dtypes: bool
) -> bool:
    """Whether a deviation does not show in any of these cases."""
    return all(
        agree(
            replay(deviation.edit(convspec.fast, case.operation), case), due, bounds, dtypes=dtypes
        )
        for case, due, bounds in known
        if case.operation in deviation.operations
    )


def remembers(deviation: Deviation, seen: Observation, others: Sequence[Case]) -> bool:
    """Whether a deviation returns what was observed once other calls have come before."""
    return seen.case.operation in deviation.operations and any(
        agree(outputs, seen.outputs, seen.bounds, dtypes=seen.dtypes)
        and not agree(outputs, seen.right, seen.bounds, dtypes=seen.dtypes)
        for outputs in _after_other_calls(deviation, seen.case, others)
    )


def _after_other_calls(
    deviation: Deviation, case: Case, others: Sequence[Case]
) -> Iterator[Outputs]:
    """What a deviation returns for a case when other calls come before, and what has become of
    its first result by then.
    """
    alike = [other for other in others if _same_shapes(other, case)]
    function = deviation.edit(convspec.fast, case.operation)
    own = case._replace(operands=copies(case.operands))
    try:
        first = returned(function(*grouped(own.operation, own.operands).values(), **own.attributes))
    except Exception:  # what refuses the case by itself needs no memory to do so
        return
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
    """Whether two calls have the same shapes, the batch apart."""
    return first.operation == second.operation and _shapes(first) == _shapes(second)


def _shapes(case: Case) -> dict[str, Shape]:
    return {n: a.shape[1:] if has_batch(n, a) else a.shape for n, a in case.operands.items()}


def remembered(operation: str, implementation: Callable[[Case], Any], dtype: Any) -> list[str]:
    """The names of the deviations that do over several calls what an implementation does.

    What a memory returns depends on every call before, so it is put to calls of shapes that
    nobody else uses: the same one twice, some like it, and the same one again.  A memory that
    merely counts may stand at any count when these calls begin.
    """
    sequence = [each for case in _uncommon(operation, dtype) for each in _in_turn(case)]
    bounds = [rounding_bounds(case) for case in sequence]
    seen = [returned(implementation(case)) for case in sequence]
    if all(map(agree, seen, map(right, sequence), bounds)):
        return []

    def explains_all(deviation: Deviation, before: int) -> bool:
        function = deviation.edit(convspec.fast, operation)
        answers = [_answer(function, _own(case)) for case in [sequence[0]] * before + sequence]
        return all(map(agree, seen, answers[before:], bounds))

    return [
        deviation.name
        for deviation in STATE
        if operation in deviation.operations
        and any(explains_all(deviation, before) for before in range(COUNTED))
    ]


def _in_turn(case: Case) -> Iterator[Case]:
    others = list(interruptions(case))
    yield from (case, case, *others, case)
    # Other numbers last: a result that is overwritten is then told from one that is kept.
    yield others[0]


def _answer(function: Callable[..., Any], case: Case) -> Outputs:
    """What a function returns, not copied: the next call may change it."""
    try:
        together = grouped(case.operation, case.operands).values()
        return returned(function(*together, **case.attributes))
    except Exception as error:  # a deviation may well refuse what the spec takes
        return str(error)


def _own(case: Case) -> Case:
    return case._replace(operands=copies(case.operands))


def _uncommon(operation: str, dtype: Any) -> Iterator[Case]:
    """A few small cases, in batches of seven."""
    discrete = OPERATIONS[forward_name(operation)].discrete

    def seven(name: str, array: Array) -> Array:
        many = numpy.resize(array, (7, *array.shape[1:])) if has_batch(name, array) else array
        return many if name in discrete else many.astype(dtype)

    for case in small_cases(operation, MEMORY_CASES)[::4]:
        yield case._replace(operands={n: seven(n, array) for n, array in case.operands.items()})


def mutating(case: Case, left: dict[str, Array]) -> list[str]:
    """The names of the deviations that leave in the caller's arrays what a call of `case` left.

    >>> case = Case("average_pool", {"input": numpy.full((1, 1, 2), 6.0)}, {"kernel_size": (2,)})
    >>> mutating(case, {"input": numpy.full((1, 1, 2), 3.0)})
    ['input divided in place']
    """
    if all(same_values(left[name], array) for name, array in case.operands.items()):
        return []
    return [d.name for d in STATE if case.operation in d.operations and _leaves(d, case, left)]


def _leaves(deviation: Deviation, case: Case, left: dict[str, Array]) -> bool:
    own = copies(case.operands)
    _answer(deviation.edit(convspec.fast, case.operation), case._replace(operands=own))
    return all(same_values(own[name], array) for name, array in left.items())


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

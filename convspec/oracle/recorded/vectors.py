"""Recorded vectors: cases with what the spec says of each, for implementations that never meet
convspec.

A case is one call.  So vectors hold the exact sweep, special values and bad arguments; what takes
several calls to see (state, layout, ties, an accuracy class) stays with `check`, but for a few
calls in a row that differ in one attribute alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, forward_name, has_batch, normalised
from convspec.operations import OPERATIONS, Operation
from convspec.oracle.cases.filling import filled, is_valid
from convspec.oracle.cases.samples import SAMPLES
from convspec.oracle.cases.streams import exact_trials
from convspec.oracle.reference import spec, trial
from convspec.oracle.steps.bad_calls import bad_calls
from convspec.oracle.steps.behaviour import interruptions
from convspec.oracle.steps.special import special_cases
from convspec.oracle.trials.geometries import FLAT, RECIPES
from convspec.oracle.trials.trial import Setting

DTYPE = numpy.dtype(numpy.float32)
# Entries of at most this much lie in a byte; two of them are the same with probability 1/255.
LARGEST = 127
# Draws of a case that are recorded, an odd number: of a linear map few, where a mistake shows in
# each; more of a selection, which is certified by many; one of an elementary function.
LINEAR_KEPT, SELECTIONS_KEPT, ELEMENTARY_KEPT = 3, 11, 1
# Every so many cases of a sweep one is recorded; fewer where what varies is little, and where
# each output is judged by itself.
SHARE = {"quick": 3, "standard": 2}
SHARE_OF_LAYERS = {"quick": 5, "standard": 4}
SHARE_OF_ELEMENTARY = {"quick": 10, "standard": 8}
REFUSALS_FROM = 24
# Cases that are followed by their neighbours.
FOLLOWED = 3

NOTES = {
    "Exact": "Every sum is exact in float32 and float64, in any order: outputs must be equal.",
    "Rounded": "Outputs may lie as far from the expected ones as `bounds` says: a theorem for "
    "float32, in any order of summation.",
    "SpecialValues": "NaN and infinities must reach exactly the outputs that read them.",
    "BadArgument": "The call must be refused, by whatever error.",
    "Groups": "Channels fall into several groups.",
    "Stride": "Windows are more than one position apart on some axis.",
    "Dilation": "Taps are more than one position apart on some axis.",
    "Padding": "Some axis is padded.",
    "UnequalPadding": "Some axis is padded by more on one side than on the other.",
    "OutputPadding": "The output of a transposed convolution is extended on its high side.",
    "CeilMode": "The output size is rounded up.",
    "CountsPadding": "Averages divide by positions on padding too.",
    "Bias": "There is a bias.",
    "SingleItem": "The batch holds one item.",
}


class Vector(NamedTuple):
    """A case; the outputs that are expected and how far they may be off (None where they must be
    equal), or why the call must be refused; and the flags that describe it.
    """

    case: Case
    expected: tuple[Array, ...]
    bounds: tuple[Array, ...] | None
    refused: str | None
    flags: tuple[str, ...]


def vectors(operation: str, level: str, seed: int) -> Iterator[Vector]:
    """The vectors of an operation, the same ones for the same arguments.

    >>> next(vectors("conv", "quick", 0)).flags[0]
    'Exact'
    """
    swept = list(_swept(operation, level, seed))
    found = [_exact(case) for case in (*swept, *_alike(operation, seed))]
    yield from found
    yield from map(_exact, _neighbours(swept))
    rng = numpy.random.default_rng(seed)
    for case in special_cases(operation, rng, DTYPE, 1):
        yield _exact(case, "SpecialValues")
    refused: dict[str, Case] = {}
    for vector in found[:: max(1, len(found) // REFUSALS_FROM)]:
        for why, bad in bad_calls(vector.case):
            refused.setdefault(why, bad)
    for why, bad in refused.items():
        yield Vector(bad, (), None, why, ("BadArgument",))


def _swept(operation: str, level: str, seed: int) -> Iterator[Case]:
    """A share of the exact sweep, with few draws."""
    setting = Setting(DTYPE, numpy.random.default_rng(seed), LARGEST)
    share = _share(OPERATIONS[forward_name(operation)])[level]
    for number, due in enumerate(exact_trials(operation, level, seed, setting)):
        if number % share == 0:
            yield _with_few_draws(Case(operation, due.operands, due.attributes))


def _alike(operation: str, seed: int) -> Iterator[Case]:
    """Calls that a sweep holds few of, of what slides no window or composes others: sizes that
    agree, so that one axis may pass for another; twice the same shapes, where numbers that are kept
    from the first call show in the second; and arguments of an elementary function that are all 0.
    """
    name = forward_name(operation)
    if name not in SAMPLES:
        return
    shapes, given = SAMPLES[name](3, (1,) if name in FLAT else (3,))
    attributes = normalised(name, shapes, given)
    rng = numpy.random.default_rng(seed)
    for _ in range(2):
        operands = filled(operation, shapes, attributes, rng, DTYPE, LARGEST)
        yield Case(operation, operands, attributes)
    if OPERATIONS[name].rounding == "elementary":
        first = OPERATIONS[name].operands[0]
        zeros = {**operands, first: numpy.zeros_like(operands[first])}
        yield Case(operation, zeros, attributes)


def _neighbours(cases: list[Case]) -> Iterator[Case]:
    """The last, largest, cases of an operation with attributes, each before those that differ from
    it in one alone: what is kept from one call, and used again, shows here.
    """
    for case in cases[-FOLLOWED:] if cases and cases[0].attributes else ():
        yield case
        for near in interruptions(case):
            if near.attributes != case.attributes and is_valid(near):
                yield near


def _share(row: Operation) -> dict[str, int]:
    if row.rounding == "elementary":
        return SHARE_OF_ELEMENTARY
    return SHARE_OF_LAYERS if row.name in RECIPES else SHARE


def _with_few_draws(case: Case) -> Case:
    row = OPERATIONS[forward_name(case.operation)]
    first = case.operands[row.operands[0]]
    most = _draws_kept(row)
    if not has_batch(row.operands[0], first) or len(first) <= most:
        return case
    chosen = numpy.linspace(0, len(first) - 1, most).round().astype(int)
    operands = {
        name: operand[chosen]
        if has_batch(name, operand) and operand.shape[:1] == first.shape[:1]
        else operand
        for name, operand in case.operands.items()
    }
    return case._replace(operands=operands)


def _draws_kept(row: Operation) -> int:
    if row.rounding == "elementary":
        return ELEMENTARY_KEPT
    return LINEAR_KEPT if row.linear_in or row.rounding == "products" else SELECTIONS_KEPT


def _exact(case: Case, flag: str = "Exact") -> Vector:
    with numpy.errstate(all="ignore"):
        due = trial(case, spec())
    first = "Rounded" if due.slack is not None else flag
    return Vector(case, due.expected, due.slack, None, (first, *_flags(case)))


def _flags(case: Case) -> Iterator[str]:
    """What a case has that the plainest call has not."""
    attributes = case.attributes
    shown = {
        "Groups": attributes.get("groups", 1) > 1,
        "Stride": any(step > 1 for step in _per_axis(attributes.get("stride"))),
        "Dilation": any(step > 1 for step in _per_axis(attributes.get("dilation"))),
        "Padding": any(low or high for low, high in _per_axis(attributes.get("padding"))),
        "UnequalPadding": any(low != high for low, high in _per_axis(attributes.get("padding"))),
        "OutputPadding": any(_per_axis(attributes.get("output_padding"))),
        "CeilMode": attributes.get("ceil_mode") is True,
        "CountsPadding": attributes.get("count_include_pad") is True,
        "Bias": "bias" in case.operands,
        "SingleItem": len(case.operands.get("input", ())) == 1,
    }
    return (name for name, is_so in shown.items() if is_so)


def _per_axis(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()

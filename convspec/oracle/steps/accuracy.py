r"""Rounding on real data: the finest arithmetic that explains what an implementation returns.

Each output is compared with the exact value; the worst ratio of error to bound decides the class.
The bound is a theorem (see `convspec.rounding`), so a correct implementation cannot exceed that
of the arithmetic it works in, and no tolerance is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, call_windows, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.call import Callee, Returned, call
from convspec.oracle.cases.samples import SAMPLES, Geometry
from convspec.oracle.expected import divisors
from convspec.oracle.reference import outputs_of
from convspec.oracle.rounding.exact import Pair, added, divided, sum_of_products
from convspec.oracle.rounding.precise import (
    SPREAD,
    Rounded,
    precisely_rounded,
    real_cases,
    real_data,
)
from convspec.oracle.runner import Finding
from convspec.oracle.steps.leaning import leaning
from convspec.oracle.steps.rounding_probes import probes
from convspec.rounding import (
    ACCURACIES,
    ARITHMETICS,
    FAST_ALGORITHM,
    Arithmetic,
    bound,
    precision,
    smallest_normal,
)

GEOMETRIES: dict[str, tuple[Geometry, ...]] = {
    "convolve": (
        ({"f": (1,), "g": (1,)}, {}),
        ({"f": (40,), "g": (9,)}, {"mode": "same"}),
        ({"f": (300,), "g": (64,)}, {"mode": "full"}),
        ({"f": (12, 11), "g": (3, 4)}, {"mode": "full"}),
    ),
    "conv": (
        ({"input": (4, 1, 8), "weight": (1, 1, 1)}, {}),
        ({"input": (2, 3, 40), "weight": (4, 3, 5), "bias": (4,)}, {"padding": 2}),
        ({"input": (2, 3, 8, 8), "weight": (4, 3, 3, 3)}, {"padding": 1}),
        ({"input": (1, 64, 6, 6), "weight": (8, 64, 3, 3), "bias": (8,)}, {"padding": 1}),
        ({"input": (1, 128, 5, 4), "weight": (4, 128, 1, 1)}, {}),
        ({"input": (1, 8, 7, 7), "weight": (8, 1, 3, 3)}, {"groups": 8, "stride": 2}),
    ),
    "conv_transpose": (
        ({"input": (4, 1, 6), "weight": (1, 1, 1)}, {}),
        ({"input": (2, 3, 6, 6), "weight": (3, 4, 3, 3), "bias": (4,)}, {"stride": 2}),
        ({"input": (1, 64, 4, 4), "weight": (64, 4, 4, 4)}, {"stride": 2, "padding": 1}),
    ),
    "average_pool": (
        ({"input": (2, 2, 9)}, {"kernel_size": 3}),
        ({"input": (1, 3, 8, 8)}, {"kernel_size": 3, "stride": 2, "padding": 1}),
        ({"input": (1, 2, 200)}, {"kernel_size": 129}),
    ),
}
GEOMETRIES["correlate"] = GEOMETRIES["convolve"]

# 400 sums of 16 terms that have no operand in common, of numbers of one magnitude: where small ones
# are added to a large sum in a half type, errors of rounding to nearest lean as well.
INDEPENDENT: dict[str, Geometry] = {
    "conv": ({"input": (1, 400, 16), "weight": (400, 1, 16)}, {"groups": 400}),
    "conv_transpose": ({"input": (1, 6400, 1), "weight": (6400, 1, 1)}, {"groups": 400}),
    "average_pool": ({"input": (1, 400, 15)}, {"kernel_size": 15}),
}


class Accuracy(NamedTuple):
    """What the rounding of one dtype came to: the class (None where nothing was judged), the
    worst ratio of error to bound within it, a finding where no class explains an output, and what
    single products, single sums, and the signs of errors show.
    """

    judged: int
    name: str | None
    ratio: float
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


def accuracy(
    operation: str,
    target: Callee,
    namespace: Any,
    dtype: numpy.dtype[Any],
    rng: numpy.random.Generator,
    required: str | None = None,
) -> Accuracy:
    """The accuracy class of an operation in one dtype, and a finding where it is coarser than
    the one required, or where no class explains an output.
    """
    seen = list(_observed(operation, target, namespace, dtype, rng))
    alone, suspicions = _probed(operation, target, dtype)
    apart = list(_independent(operation, target, namespace, dtype, rng))
    leans = [note for rounded in apart if (note := leaning(rounded.error))]
    notes = tuple(f"{dtype}: {note}" for note in dict.fromkeys([*suspicions, *leans]))
    if not seen:
        return Accuracy(0, None, 0.0, ())
    seen = [*seen, *apart, *alone]
    judged = len({id(rounded.case) for rounded in seen})
    name, ratio = _class(seen, dtype, may_be_fast=not suspicions)
    due = required or FAST_ALGORITHM
    if name is not None and ACCURACIES.index(name) <= ACCURACIES.index(due):
        return Accuracy(judged, name, ratio, (), notes)
    own = own_arithmetic(dtype)
    held_to = next((a for a in _possible(dtype) if a.name == required), own)
    beyond = [rounded for rounded in seen if _ratio(rounded, held_to, dtype) > 1]
    shown = min(beyond, key=lambda rounded: sum(a.size for a in rounded.case.operands.values()))
    return Accuracy(judged, name, ratio, (_finding(shown, held_to, dtype),), notes)


def _class(
    seen: list[Rounded], dtype: numpy.dtype[Any], *, may_be_fast: bool
) -> tuple[str | None, float]:
    """The finest class that explains every output, and the worst ratio within it."""
    own, ratio = own_arithmetic(dtype), numpy.inf
    for arithmetic in _possible(dtype):
        ratio = max(_ratio(rounded, arithmetic, dtype) for rounded in seen)
        if ratio <= 1:
            return arithmetic.name, ratio
        if arithmetic.name == own.name and may_be_fast and _is_fast(seen, dtype):
            return FAST_ALGORITHM, ratio
    return None, ratio


def own_arithmetic(dtype: numpy.dtype[Any]) -> Arithmetic:
    """The arithmetic of a dtype itself."""
    return next(a for a in ARITHMETICS if a.accumulator <= precision(dtype))


def _possible(dtype: numpy.dtype[Any]) -> Iterator[Arithmetic]:
    """The arithmetics an implementation of a dtype may work in, from fine to coarse."""
    stored = precision(dtype)
    for arithmetic in ARITHMETICS:
        # A wide dtype is not accumulated in a half type: its operands are merely rounded to one.
        if arithmetic.accumulator < 24 and stored >= 24:
            arithmetic = arithmetic._replace(accumulator=24)
        yield arithmetic


def _ratio(rounded: Rounded, arithmetic: Arithmetic, dtype: numpy.dtype[Any]) -> float:
    """The worst ratio of error to bound; infinite where an output is no finite number."""
    allowed = _allowed(rounded, arithmetic, dtype)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratios = numpy.where(rounded.error == 0, 0.0, abs(rounded.error) / allowed)
    return float(numpy.nan_to_num(ratios, nan=numpy.inf).max(initial=0.0))


def _allowed(rounded: Rounded, arithmetic: Arithmetic, dtype: numpy.dtype[Any]) -> Array:
    """How far an arithmetic may take an output from its exact value."""
    _, _, _, _, value, roundings, magnitude, degree, underflow = rounded
    allowed: Array = bound(arithmetic, dtype, roundings, magnitude, value, degree)
    allowed = allowed + 2 * underflow * smallest_normal(dtype)
    return allowed


def _is_fast(seen: list[Rounded], dtype: numpy.dtype[Any]) -> bool:
    """Whether outputs look like those of a fast algorithm, which only sums of products have.

    Not in a half type, where what such an algorithm costs is no less than narrow operands do.
    """
    row = OPERATIONS[forward_name(seen[0].case.operation)]
    if row.rounding != "products":
        return False
    return precision(dtype) >= 24 and all(_normwise(rounded, dtype) for rounded in seen)


def _normwise(rounded: Rounded, dtype: numpy.dtype[Any]) -> bool:
    """Whether every error is small beside the largest magnitude, as Winograd and FFT promise.

    The largest magnitude bounds the product of the operands' norms from below; 256 roundings
    exceed what FFTs of these sizes and Winograd F(4x4, 3x3) are known to cost, and fall short of
    rounding the operands to half their digits, which a single product shows.
    """
    allowed = 256 * 2.0 ** -precision(dtype) * rounded.magnitude.max(initial=0.0)
    return bool((abs(rounded.error) <= allowed).all())


def _finding(rounded: Rounded, held_to: Arithmetic, dtype: numpy.dtype[Any]) -> Finding:
    ratio = _ratio(rounded, held_to, dtype)
    message = (
        f"the error is {ratio:.3g} times what {held_to.name} arithmetic can explain"
        if ratio < numpy.finfo(float).max
        else f"the result is off where {held_to.name} arithmetic does not round, or is not finite"
    )
    exact = tuple(
        rounded.exact.astype(dtype) if number == rounded.number else output
        for number, output in enumerate(rounded.outputs)
    )
    # What is said to be expected is rounded as well.
    last_place = numpy.spacing(abs(exact[rounded.number])).astype(float)
    allowed = _allowed(rounded, held_to, dtype) + last_place / 2
    slack = tuple(
        allowed if number == rounded.number else numpy.full(output.shape, numpy.inf)
        for number, output in enumerate(rounded.outputs)
    )
    return Finding("accuracy", message, rounded.case, rounded.outputs, exact, slack)


def _observed(
    operation: str,
    target: Callee,
    namespace: Any,
    dtype: numpy.dtype[Any],
    rng: numpy.random.Generator,
) -> Iterator[Rounded]:
    """Outputs of the implementation on real data, beside their exact values."""
    name = forward_name(operation)
    row = OPERATIONS[name]
    for case in real_cases(operation, dtype, rng) if name in SAMPLES else ():
        yield from _called(case, target, namespace, dtype)
    for shapes, given in GEOMETRIES.get(name, ()):
        if operation == "average_pool_vjp":
            given = {**given, "count_include_pad": True}
        attributes = normalised(name, shapes, given)
        output = row.shape(*shapes.values(), **attributes)
        for same_sign in (False, True):
            operands = {n: real_data(rng, shape, dtype) for n, shape in shapes.items()}
            if operation != name:
                operands = {"cotangent": real_data(rng, output, dtype), **operands}
            if same_sign:
                operands = {n: abs(array) for n, array in operands.items()}
            yield from _called(Case(operation, operands, attributes), target, namespace, dtype)


def _independent(
    operation: str,
    target: Callee,
    namespace: Any,
    dtype: numpy.dtype[Any],
    rng: numpy.random.Generator,
) -> Iterator[Rounded]:
    """Sums of one sign that have no operand in common."""
    if operation in INDEPENDENT:
        shapes, given = INDEPENDENT[operation]
        operands = {n: abs(real_data(rng, shape, dtype, spread=0)) for n, shape in shapes.items()}
        case = Case(operation, operands, normalised(operation, shapes, given))
        yield from _called(case, target, namespace, dtype)


def _called(
    case: Case, target: Callee, namespace: Any, dtype: numpy.dtype[Any]
) -> Iterator[Rounded]:
    outcome = call(target, case.operation, case.operands, case.attributes)
    if isinstance(outcome, Returned):
        yield from _rounded(case, outcome.outputs, namespace, dtype)


def _probed(
    operation: str, target: Callee, dtype: numpy.dtype[Any]
) -> tuple[list[Rounded], list[str]]:
    """Calls of one product or one sum, and what those suggest that return 1."""
    seen: list[Rounded] = []
    shown: dict[str, bool] = {}
    for probe in probes(operation, dtype):
        outcome = call(target, operation, probe.case.operands, probe.case.attributes)
        if not isinstance(outcome, Returned):
            continue
        (actual,), (high, _) = outcome.outputs, probe.exact
        if actual.dtype.kind not in "fV" or actual.shape != high.shape:
            continue  # the sweep reports shapes and dtypes
        error, count = _distance(actual, probe.exact), numpy.array(probe.roundings)
        seen.append(Rounded(probe.case, outcome.outputs, 0, error, high, count, abs(high)))
        suspected = bool((actual == probe.suspect).all())
        shown[probe.suspicion] = shown.get(probe.suspicion, True) and suspected
    return seen, [suspicion for suspicion, suspected in shown.items() if suspected]


def _rounded(
    case: Case, outputs: tuple[Array, ...], namespace: Any, dtype: numpy.dtype[Any]
) -> Iterator[Rounded]:
    if any(actual.dtype.kind not in "fV" for actual in outputs):
        return  # the sweep reports dtypes
    if forward_name(case.operation) in SAMPLES:
        yield from precisely_rounded(case, outputs)
        return
    if forward_name(case.operation) == "average_pool":
        yield from _averages(case, outputs, dtype)
        return
    value = getattr(namespace, case.operation)
    wide = {name: array.astype(numpy.float64) for name, array in case.operands.items()}
    bias = wide.pop("bias", None)
    backward = case.operation != forward_name(case.operation)
    # A vjp's own bias cotangent needs the operand's presence, not its value.
    extra = () if bias is None or not backward else (numpy.zeros_like(bias),)

    def evaluate(first: Array, others: tuple[Array, ...]) -> tuple[Array, ...]:
        return outputs_of(value(first, *others, *extra, **case.attributes))

    first, *rest = wide.values()
    others = tuple(rest)
    absolute = evaluate(abs(first), tuple(map(abs, others)))
    counts = evaluate(numpy.ones_like(first), tuple(map(numpy.ones_like, others)))
    terms = int(max(count.max(initial=0) for count in counts))
    significant = precision(dtype) + SPREAD + 1
    pairs = sum_of_products(evaluate, first, others, terms=terms, significant=significant)
    if backward and bias is not None:
        pairs[-1] = _summed(first)
        absolute = (*absolute[:-1], abs(first).sum(axis=_not_channels(first)))
    if bias is not None and not backward:
        along = bias.reshape(-1, *(1,) * (first.ndim - 2))
        pairs = [_plus(pairs[0], along)]
        absolute = (absolute[0] + abs(along),)
        counts = (counts[0] + 1,)
    for number, (actual, pair) in enumerate(zip(outputs, pairs, strict=True)):
        if actual.shape != pair[0].shape:
            return  # the sweep reports shapes
        yield Rounded(
            case,
            outputs,
            number,
            _distance(actual, pair),
            pair[0],
            counts[number],
            absolute[number],
        )


def _not_channels(array: Array) -> tuple[int, ...]:
    return tuple(axis for axis in range(array.ndim) if axis != 1)


def _summed(cotangent: Array) -> Pair:
    """The bias cotangent exactly: the sum over batch and space."""
    evaluated = sum_of_products(
        lambda part, _: (part.sum(axis=_not_channels(part)),),
        cotangent,
        (),
        terms=cotangent.size,
        significant=53 + SPREAD + 1,
    )
    return evaluated[0]


def _plus(pair: Pair, term: Array) -> Pair:
    return added(pair, numpy.broadcast_to(term, pair[0].shape))


def _distance(actual: Array, pair: Pair) -> Array:
    """How far an output lies above its exact value."""
    with numpy.errstate(invalid="ignore"):
        above: Array = (actual.astype(numpy.float64) - pair[0]) - pair[1]
        return above


def _averages(case: Case, outputs: tuple[Array, ...], dtype: numpy.dtype[Any]) -> Iterator[Rounded]:
    """Averages: exact sums, as a depthwise `conv` with ones, divided as pairs by the divisor."""
    *cotangent, x = case.operands.values()
    attributes = {name: case.attributes[name] for name in ("stride", "padding", "dilation")}
    attributes["groups"] = channels = x.shape[1]
    ones = numpy.ones((channels, 1, *case.attributes["kernel_size"]))

    def sums(part: Array, _: tuple[Array, ...] = ()) -> tuple[Array, ...]:
        if cotangent:
            return (expected.conv_vjp(part, x, ones, **attributes)[0],)
        return (expected.conv(part, ones, **attributes),)

    first = cotangent[0] if cotangent else x
    sliding = call_windows("average_pool", {"input": x.shape}, case.attributes)
    include = case.attributes["count_include_pad"]
    counts = divisors(x.shape[2:], sliding, count_include_pad=include)
    if cotangent:
        counts = counts.ravel()[0]  # every divisor is the same where padding is counted
    (terms,) = sums(numpy.ones(first.shape))
    (pair,) = sum_of_products(
        sums, first, (), terms=int(terms.max()), significant=precision(dtype) + SPREAD + 1
    )
    exact = divided(pair, counts)
    (magnitude,) = sums(abs(first.astype(numpy.float64)))
    error = _distance(outputs[0], exact)
    # One rounding for each of the n terms, one for the divisor's reciprocal, one for the product.
    yield Rounded(case, outputs, 0, error, exact[0], terms + 2, magnitude / counts)

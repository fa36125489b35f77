"""How far a correct result may lie from the exact one: roundings and magnitude, by operation.

The derivations are in `docs/rounding.md`: theorems for sums of products, and what they come to
under an assumption on the ulps of elementary functions.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, call_windows, flat, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.cases.filling import degree
from convspec.oracle.expected.numbers import wide
from convspec.oracle.expected.taps import adaptive_taps
from convspec.oracle.judge import is_half
from convspec.oracle.rounding import elementary_bounds, interpolation_bounds
from convspec.oracle.rounding.share import Share
from convspec.rounding import growth, precision, smallest_normal, unit_roundoff

# Their sweeps keep every sum of a half type within its significand.
_SUMMED_IN_ONE = (
    "convolve",
    "correlate",
    "conv",
    "conv_transpose",
    "max_pool",
    "max_pool_with_indices",
)


def shares(case: Case) -> tuple[Share, ...]:
    """The roundings and the magnitude of every output of a case; what is not finite counts as 0."""
    name = forward_name(case.operation)
    discrete = OPERATIONS[name].discrete
    operands = {n: a if n in discrete else _finite(wide(a)) for n, a in case.operands.items()}
    case = case._replace(operands=operands)
    return _BY_HAND[name](case) if name in _BY_HAND else _multilinear(case)


def _finite(x: Array) -> Array:
    return numpy.where(numpy.isfinite(x), x, 0.0)


def slack(case: Case, value: Callable[..., Any]) -> tuple[Array, ...] | None:
    """How far the outputs may lie from the float64 reference `value`, which may be a variant of
    the spec; None where they must be equal.
    """
    if _is_exact(case):
        return None
    if _is_empty(case):  # there is nothing to round, and sums over it are 0
        return tuple(map(numpy.zeros_like, _outputs(case, wide, value)))
    variant = value is not _own(case)
    return _allowed(case, _averages(case, value) if variant else shares(case))


def _is_empty(case: Case) -> bool:
    """Whether a batch holds nothing."""
    return any(array.size == 0 for array in case.operands.values())


def distances(case: Case) -> tuple[Array, ...] | None:
    """How far two correct results may lie apart, of whatever numbers; None for equal ones."""
    found = real_slack(case)
    return None if found is None else tuple(2 * allowed for allowed in found)


def real_slack(case: Case) -> tuple[Array, ...] | None:
    """How far the outputs may lie from their float64 reference, of whatever numbers; None where
    they must be equal: nothing rounds, or every sum is a whole number that the dtype holds.
    """
    if not rounds(case.operation):
        return None
    found = shares(case)
    if _is_whole(case) and _is_exact(case) and _holds(case, found):
        return None
    return _allowed(case, found)


def _is_whole(case: Case) -> bool:
    """Whether a case has no other numbers than integers."""
    return all((a == numpy.rint(a)).all() for a in _floats(case))


def holds_sums(case: Case) -> bool:
    """Whether the dtype of a case holds every sum of its integers, in whatever order.

    >>> operands = {"input": numpy.full((1, 1, 2), 2.0**12, "float16")}
    >>> operands["weight"] = numpy.ones((1, 1, 2), "float16")
    >>> attributes = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
    >>> holds_sums(Case("conv", operands, attributes))
    False
    """
    return _holds(case, shares(case))


def _holds(case: Case, found: tuple[Share, ...]) -> bool:
    """Whether every sum of integers, in whatever order, is one that the coarsest dtype holds."""
    most = 2.0 ** precision(_coarsest(case))
    return all((share.magnitude <= most).all() for share in found)


def _allowed(case: Case, found: tuple[Share, ...]) -> tuple[Array, ...]:
    """The bounds of a result and of its float64 reference together."""
    dtype = _coarsest(case)
    u, own = unit_roundoff(precision(dtype)), unit_roundoff(53)
    bounds = []
    for share in found:
        n = numpy.asarray(share.roundings)
        allowed = (growth(u, n) + growth(own, n)) * share.magnitude
        bounds.append(numpy.asarray(allowed + share.underflow * 2 * smallest_normal(dtype)))
    return tuple(bounds)


def _coarsest(case: Case) -> numpy.dtype[Any]:
    dtypes = [a.dtype for a in _floats(case)]
    return min(dtypes, key=precision, default=numpy.dtype(numpy.float64))


def _floats(case: Case) -> list[Array]:
    return [a for a in case.operands.values() if a.dtype.kind in ("f", "V")]


def _own(case: Case) -> Callable[..., Any]:
    value: Callable[..., Any] = getattr(expected, case.operation)
    return value


def _is_exact(case: Case) -> bool:
    """Whether small integers give a result that is not rounded."""
    name = forward_name(case.operation)
    if may_round(name, case.attributes):
        first = next(iter(case.operands.values()))
        return first.dtype.kind == "f" and _divides_exactly(case)
    if name in _SUMMED_IN_ONE:
        return True
    return not is_half(_coarsest(case)) or _holds(case, shares(case))


def rounds(operation: str) -> bool:
    """Whether anything rounds in an operation: of those that select or move, in what gathers the
    cotangents of windows that overlap.

    >>> rounds("relu_vjp"), rounds("adaptive_max_pool"), rounds("adaptive_max_pool_vjp")
    (False, False, True)
    """
    exact = OPERATIONS[forward_name(operation)].rounding == "exact"
    return not exact or operation == "adaptive_max_pool_vjp"


def may_round(name: str, attributes: dict[str, Any]) -> bool:
    """Whether an operation rounds on integers too: it divides, interpolates or is elementary.

    >>> may_round("upsample", {"kind": "nearest"}), may_round("upsample", {"kind": "linear"})
    (False, True)
    """
    if "kind" in attributes:
        return attributes["kind"] in ("linear", "average")
    divides = name in ("average_pool", "adaptive_average_pool", "dropout", "l2_penalty")
    return divides or OPERATIONS[name].rounding == "elementary"


def _divides_exactly(case: Case) -> bool:
    """Whether every window of an average holds a power of two."""
    name, attributes = forward_name(case.operation), case.attributes
    if name not in ("average_pool", "adaptive_average_pool"):
        return False
    shape = case.operands["input"].shape
    if name == "average_pool":
        sliding = call_windows(name, {"input": shape}, attributes)
        include = attributes["count_include_pad"]
        counts = expected.divisors(shape[2:], sliding, count_include_pad=include)
    else:
        read = adaptive_taps(shape[2:], attributes["output_size"])
        counts = (read.reads < read.size).sum(axis=0)
    return bool((numpy.frexp(counts)[0] == 0.5).all())


def _outputs(
    case: Case, change: Callable[[Array], Array], value: Callable[..., Any] | None = None
) -> tuple[Array, ...]:
    """The outputs of a case whose floating operands are changed."""
    discrete = OPERATIONS[forward_name(case.operation)].discrete
    operands = {n: a if n in discrete else change(wide(a)) for n, a in case.operands.items()}
    together = grouped(case.operation, operands).values()
    result = (value or _own(case))(*together, **case.attributes)
    return tuple(map(numpy.asarray, result if isinstance(result, tuple) else (result,)))


def _alike(case: Case, roundings: Any, factors: int) -> tuple[Share, ...]:
    """The same number of roundings for every output, which is a sum of products of operands."""
    return tuple(Share(roundings, magnitude, factors) for magnitude in _outputs(case, abs))


def _multilinear(case: Case) -> tuple[Share, ...]:
    """Sums of T products of d operands: T - 1 additions and d - 1 products, in any arrangement."""
    shapes = {n: a.shape for n, a in flat(case.operands).items() if n != "cotangent"}
    factors = max(2, degree(forward_name(case.operation), shapes))
    terms, magnitudes = _outputs(case, numpy.ones_like), _outputs(case, abs)
    return tuple(
        Share(count + factors - 2, magnitude, factors)
        for count, magnitude in zip(terms, magnitudes, strict=True)
    )


def _selected(case: Case) -> tuple[Share, ...]:
    """Selections move; their cotangents are sums of as many terms as windows overlap."""
    if "cotangent" not in case.operands:
        return (Share(0, abs(_outputs(case, lambda x: x)[0])),)
    absolute = case._replace(
        operands={**case.operands, "cotangent": abs(wide(case.operands["cotangent"]))}
    )
    return (Share(_overlap(case), _outputs(absolute, lambda x: x)[0]),)


def _levels(case: Case) -> list[Any]:
    shape, attributes = case.operands["input"].shape, case.attributes
    rank = len(shape) - 2
    levels = [(level,) * rank for level in attributes.get("levels", ())]
    sizes = levels or [attributes["output_size"]]
    return [adaptive_taps(shape[2:], size) for size in sizes]


def _overlap(case: Case) -> int:
    """At most so many windows share a position, over all levels."""
    return sum(len(read.places) for read in _levels(case))


def _adaptive(case: Case) -> tuple[Share, ...]:
    if case.attributes.get("kind") == "max":
        return _selected(case)
    backward = "cotangent" in case.operands
    terms = _overlap(case) if backward else max(len(read.reads) for read in _levels(case))
    return _alike(case, terms + 2, 1)


def _averages(case: Case, value: Callable[..., Any] | None = None) -> tuple[Share, ...]:
    """An average of a sliding window, by the rule of the spec or whatever other one."""
    roundings = prod(case.attributes["kernel_size"]) + 2
    return tuple(Share(roundings, magnitude, 1) for magnitude in _outputs(case, abs, value))


def _nearness(case: Case) -> tuple[Share, ...]:
    """Weights of 8 roundings each above and below, a sum of as many as taps, and a quotient; and,
    of a cotangent, a sum over as many windows as taps.
    """
    taps = prod(case.attributes["kernel_size"])
    return _alike(case, (3 if "cotangent" in case.operands else 2) * taps + 20, 1)


def _scaled(case: Case) -> tuple[Share, ...]:
    """The rate, its complement, and a quotient or a reciprocal and a product."""
    return _alike(case, 6, 1)


def _penalty(case: Case) -> tuple[Share, ...]:
    """The strength as it is stored, half of it, the sum of squares, and their product."""
    return _alike(case, case.operands["weight"].size + 4, 3)


_BY_HAND: dict[str, Callable[[Case], tuple[Share, ...]]] = {
    "average_pool": _averages,
    "adaptive_max_pool": _selected,
    "adaptive_average_pool": _adaptive,
    "spatial_pyramid_pool": _adaptive,
    "distance_weighted_pool": _nearness,
    "dropout": _scaled,
    "l2_penalty": _penalty,
    "upsample": interpolation_bounds.resized,
    "resize_conv": interpolation_bounds.resized_conv,
    "lp_pool": elementary_bounds.norm,
    "sigmoid": elementary_bounds.function,
    "tanh": elementary_bounds.function,
    "softmax": elementary_bounds.softmax,
    "cross_entropy": elementary_bounds.cross_entropy,
    "batch_norm": elementary_bounds.batch_norm,
    "local_response_normalization": elementary_bounds.response,
}

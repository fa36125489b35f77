"""Outputs beside values of 200 significant bits: what rounding costs, measured on real data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import mpmath
import numpy

from convspec.arguments import Array, Shape
from convspec.case import Case, forward_name, grouped, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.cases.filling import made
from convspec.oracle.cases.samples import SAMPLES
from convspec.oracle.expected.numbers import precise
from convspec.oracle.rounding.bounds import rounds, shares
from convspec.oracle.rounding.exact import Pair
from convspec.rounding import precision

BITS = 200
SPREAD = 6  # exponents of an operand's elements differ by up to this many bits
# Channels and spatial sizes of the calls on which rounding is judged.
SIZES: tuple[tuple[int, Shape], ...] = ((1, (1,)), (3, (7,)), (5, (3, 2)))
# Exponentials are judged on arguments that are not all small.
WIDENED = 8.0


class Rounded(NamedTuple):
    """One output next to its exact value, its number of roundings and its magnitude, how many
    operands its products have, and how much a number that underflows may weigh; `error` is what
    the output lies above the exact value.
    """

    case: Case
    outputs: tuple[Array, ...]
    number: int
    error: Array
    exact: Array
    roundings: Array
    magnitude: Array
    degree: Any = 2
    underflow: Any = 0.0


def real_data(
    rng: numpy.random.Generator, shape: Shape, dtype: numpy.dtype[Any], spread: int = SPREAD
) -> Array:
    """Numbers with full significands, of both signs, whose exponents are up to `spread` apart."""
    bits = min(precision(dtype), 53)
    whole = rng.integers(2 ** (bits - 1), 2**bits, size=shape).astype(numpy.float64)
    signs = rng.choice([-1.0, 1.0], size=shape)
    exponents = rng.integers(-spread, 1, size=shape) - bits
    return numpy.asarray(numpy.ldexp(whole * signs, exponents), dtype)


def real_cases(
    operation: str, dtype: numpy.dtype[Any], rng: numpy.random.Generator
) -> Iterator[Case]:
    """Calls of real data, of both signs and of one."""
    name = forward_name(operation)
    row = OPERATIONS[name]
    if not rounds(operation):
        return
    factor = WIDENED if row.rounding == "elementary" else 1.0

    def draw(shape: Shape) -> Array:
        return numpy.asarray(real_data(rng, shape, dtype) * dtype.type(factor), dtype)

    for channels, spatial in SIZES:
        shapes, given = SAMPLES[name](channels, spatial)
        attributes = normalised(name, shapes, given)
        output = row.shape(*shapes.values(), **attributes)
        for same_sign in (False, True):
            operands = made(operation, shapes, attributes, rng, draw)
            if operation != name:
                operands = {"cotangent": draw(output), **operands}
            if same_sign:
                operands = {n: a if n in row.discrete else abs(a) for n, a in operands.items()}
            yield Case(operation, operands, attributes)


def reference(case: Case) -> list[Pair]:
    """The outputs of a case as pairs of float64, exact to about `2^-106`.

    >>> case = Case("sigmoid", {"input": numpy.array([0.0, 1.0])}, {})
    >>> [(high.tolist(), bool(abs(low).max() < 2**-53)) for high, low in reference(case)]
    [([0.5, 0.7310585786300049], True)]
    """
    discrete = OPERATIONS[forward_name(case.operation)].discrete
    with mpmath.workprec(BITS):
        operands = {
            n: a if n in discrete or _selected_from(case, n) else numpy.asarray(precise(a), object)
            for n, a in case.operands.items()
        }
        given = grouped(case.operation, operands).values()
        result = getattr(expected, case.operation)(*given, **case.attributes)
        outputs = result if isinstance(result, tuple) else (result,)
        return [_pair(numpy.asarray(output)) for output in outputs]


def _selected_from(case: Case, name: str) -> bool:
    """Whether an operand only says which elements are selected."""
    return name == "input" and case.operation == "adaptive_max_pool_vjp"


def _pair(exact: Array) -> Pair:
    high = exact.astype(numpy.float64)
    low = numpy.asarray(exact - high, dtype=object).astype(numpy.float64)
    return high, low


def precisely_rounded(case: Case, outputs: tuple[Array, ...]) -> Iterator[Rounded]:
    """Each output of a case beside its exact value."""
    due = zip(outputs, reference(case), shares(case), strict=True)
    for number, (actual, (high, low), share) in enumerate(due):
        if actual.shape != high.shape:
            return  # the sweep reports shapes
        with numpy.errstate(invalid="ignore"):
            error = numpy.asarray((actual.astype(numpy.float64) - high) - low)
        n = numpy.asarray(share.roundings, numpy.float64)
        yield Rounded(
            case, outputs, number, error, high, n, share.magnitude, share.degree, share.underflow
        )

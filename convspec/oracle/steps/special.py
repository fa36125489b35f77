"""Special values: NaN and infinities reach exactly the outputs whose windows hold them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.case import Case, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.cases.draws import distinct, integers
from convspec.oracle.cases.filling import filled
from convspec.oracle.cases.samples import SAMPLES, Geometry

SPECIALS = (numpy.nan, numpy.inf, -numpy.inf)
SAMPLED: tuple[tuple[int, Shape], ...] = ((2, (7,)), (3, (4, 5)), (1, (3, 3, 2)))
# The largest of the other numbers: among so few there are factors of 0 and 1, which the largest
# finite number times is another than infinity.
FINITE = 4
SATURATING = ("sigmoid", "tanh", "softmax", "cross_entropy")

GEOMETRIES: dict[str, tuple[Geometry, ...]] = {
    "convolve": (
        ({"f": (7,), "g": (3,)}, {"mode": "full"}),
        ({"f": (6,), "g": (2,)}, {"mode": "valid"}),
        ({"f": (9,), "g": (3,)}, {"mode": "same"}),
        ({"f": (5, 6), "g": (2, 3)}, {"mode": "full"}),
        ({"f": (5, 5), "g": (3, 3)}, {"mode": "same"}),
        # Large enough for a choice between a direct sum and an FFT to fall on the FFT.
        ({"f": (13, 17), "g": (5, 4)}, {"mode": "full"}),
        ({"f": (600,), "g": (60,)}, {"mode": "full"}),
    ),
    "conv": (
        ({"input": (2, 2, 7), "weight": (3, 2, 3)}, {}),
        ({"input": (1, 1, 6, 6), "weight": (1, 1, 3, 3)}, {"padding": 1}),
        ({"input": (2, 4, 5, 6), "weight": (4, 2, 2, 3)}, {"groups": 2, "stride": (2, 1)}),
        ({"input": (1, 3, 7, 7), "weight": (2, 3, 3, 3)}, {"dilation": 2, "padding": 2}),
        ({"input": (1, 4, 6, 6), "weight": (4, 1, 3, 3)}, {"groups": 4, "padding": 1}),
        ({"input": (1, 3, 4, 4), "weight": (2, 3, 1, 1)}, {}),
        ({"input": (1, 8, 10, 10), "weight": (8, 8, 3, 3)}, {"padding": 1}),
    ),
    "conv_transpose": (
        ({"input": (2, 2, 4), "weight": (2, 3, 3)}, {"stride": 2}),
        ({"input": (1, 2, 3, 4), "weight": (2, 2, 3, 3)}, {"stride": 2, "padding": 1}),
        ({"input": (1, 4, 3, 3), "weight": (4, 1, 2, 2)}, {"groups": 4}),
    ),
    "max_pool": (
        ({"input": (2, 3, 8)}, {"kernel_size": 3, "stride": 2, "padding": 1}),
        ({"input": (1, 3, 6, 6)}, {"kernel_size": 2}),
        ({"input": (1, 5, 5, 7)}, {"kernel_size": 3, "stride": 1}),
        ({"input": (1, 2, 7, 6)}, {"kernel_size": (2, 3), "stride": 2, "ceil_mode": True}),
    ),
}
GEOMETRIES["correlate"] = GEOMETRIES["convolve"]
GEOMETRIES["max_pool_with_indices"] = GEOMETRIES["max_pool"]
GEOMETRIES["average_pool"] = GEOMETRIES["max_pool"]
# A window that holds nothing but -infinity still has a maximum, beside padding too.  Each holds one
# element where an index says which: among several it is open.
_LONE: tuple[Geometry, ...] = (
    ({"input": (1, 2, 1)}, {"kernel_size": 2, "padding": 1}),
    ({"input": (1, 2, 1, 1)}, {"kernel_size": 2, "padding": 1}),
)
LOWEST: dict[str, tuple[Geometry, ...]] = {
    "max_pool": (*_LONE, ({"input": (1, 3, 6, 6)}, {"kernel_size": 2})),
    "max_pool_with_indices": _LONE,
    "adaptive_max_pool": (({"input": (1, 2, 5)}, {"output_size": 2}),),
    "spatial_pyramid_pool": (({"input": (1, 2, 5)}, {"levels": (1, 2), "kind": "max"}),),
}


def special_cases(
    operation: str, rng: numpy.random.Generator, dtype: numpy.dtype[Any], repeats: int
) -> Iterator[Case]:
    """Cases with special values in the first operand.

    The other operands are finite: what a non-finite weight does on a padded position is an open
    point.
    """
    if dtype.kind in "iu":
        return
    if operation in SAMPLES:
        yield from _sampled(operation, rng, dtype, repeats)
    yield from _saturated(operation, rng, dtype)
    for shapes, given in LOWEST.get(operation, ()):
        lowest = numpy.full(shapes["input"], -numpy.inf, dtype)
        yield Case(operation, {"input": lowest}, normalised(operation, shapes, given))
    if operation not in GEOMETRIES:
        return
    first = OPERATIONS[operation].operands[0]
    selects = operation == "max_pool_with_indices"  # which of several equal maxima is open
    for shapes, given in GEOMETRIES[operation]:
        attributes = normalised(operation, shapes, given)
        for _ in range(repeats):
            operands = {name: integers(rng, s, FINITE, dtype) for name, s in shapes.items()}
            if selects:
                operands[first] = distinct(rng, shapes[first], dtype)
            operands[first] = _spotted(operands[first], rng, repeated=not selects)
            yield Case(operation, operands, attributes)


def _sampled(
    operation: str, rng: numpy.random.Generator, dtype: numpy.dtype[Any], repeats: int
) -> Iterator[Case]:
    """Special values in the first operand of an operation's plain call."""
    first = OPERATIONS[operation].operands[0]
    for channels, spatial in SAMPLED:
        shapes, given = SAMPLES[operation](channels, spatial)
        attributes = normalised(operation, shapes, given)
        for _ in range(repeats):
            operands = filled(operation, shapes, attributes, rng, dtype, cap=FINITE)
            operands[first] = _spotted(operands[first], rng, repeated=True)
            if operation == "max_unpool":  # the places that a value is put to are its own
                places = prod(attributes["output_size"])
                order = numpy.tile(numpy.arange(places), (*shapes[first][:2], 1))
                order = rng.permuted(order, axis=2)[..., : prod(shapes[first][2:])]
                operands["indices"] = order.reshape(shapes[first])
            if "mask" in operands:  # whether a dropped infinity is 0 times it is left open
                operands["mask"] |= ~numpy.isfinite(operands[first])
            yield Case(operation, operands, attributes)


def _saturated(
    operation: str, rng: numpy.random.Generator, dtype: numpy.dtype[Any]
) -> Iterator[Case]:
    """Finite arguments whose exponentials overflow, where the result does not."""
    name = forward_name(operation)
    if name not in SATURATING:
        return
    first = OPERATIONS[name].operands[0]
    for channels, spatial in SAMPLED:
        shapes, given = SAMPLES[name](channels, spatial)
        attributes = normalised(name, shapes, given)
        operands = filled(operation, shapes, attributes, rng, dtype)
        for factor in (1, 125):  # up to 1000, and all of that size
            operands[first] = operands[first] * dtype.type(factor)
            yield Case(operation, dict(operands), attributes)
        yield Case(operation, {**operands, first: operands[first] + dtype.type(1000)}, attributes)


def _spotted(array: Array, rng: numpy.random.Generator, *, repeated: bool) -> Array:
    """A few elements replaced by special values; without `repeated`, none of them twice."""
    flat = array.ravel().copy()
    places = rng.choice(flat.size, size=min(flat.size, int(rng.integers(1, 4))), replace=False)
    flat[places] = rng.choice(SPECIALS, size=len(places), replace=repeated)
    return flat.reshape(array.shape)

"""The arrays of a call, from its geometry: small integers, and whatever else an operand must be."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.case import Case, flat, forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.cases.draws import amplitude, distinct, integers, one_hot

# Powers and exponentials of these stay far from overflow, in a half type too.
LARGEST_ARGUMENT = 8

Draw = Callable[[Shape], Array]


def filled(
    operation: str,
    shapes: dict[str, Any],
    attributes: dict[str, Any],
    rng: numpy.random.Generator,
    dtype: numpy.dtype[Any],
    cap: int | None = None,
) -> dict[str, Array]:
    """Operands of integers whose every partial sum is exact where nothing but sums and products
    is computed, and at most `cap` in size; with the cotangent first, of a `_vjp`.  A list of arrays
    is taken apart.
    """
    name = forward_name(operation)
    output = OPERATIONS[name].shape(*shapes.values(), **attributes)
    reach = reach_of(name, flat(shapes), output, dtype)
    largest = min(cap or reach, reach)

    def draw(shape: Shape) -> Array:
        return integers(rng, shape, largest, dtype)

    operands = made(operation, shapes, attributes, rng, draw)
    if operation != name:
        operands = {"cotangent": draw(output), **operands}
    return operands


def reach_of(name: str, shapes: dict[str, Shape], output: Shape, dtype: numpy.dtype[Any]) -> int:
    """The largest entry of the operands of a call."""
    row = OPERATIONS[name]
    if row.rounding == "elementary":
        return LARGEST_ARGUMENT
    factors = degree(name, shapes)
    # No output, and no cotangent of an operand, sums more products than these.
    terms = max(map(prod, (*shapes.values(), output)))
    if factors > 2:
        kernel = (s[2:] for n, s in shapes.items() if n == "depthwise")
        vectors = (s for n, s in shapes.items() if n.startswith("factors"))
        terms *= prod(map(prod, (*kernel, *vectors)))
    return amplitude(terms, dtype, factors=factors)


def degree(name: str, shapes: dict[str, Shape]) -> int:
    """How many entries one product multiplies, in an operation or in its `_vjp`."""
    if name in ("l2_penalty", "depthwise_separable_conv"):
        return 3
    if name == "spatially_separable_conv":
        return len(shapes)
    return 2 if "weight" in shapes else 1


def made(
    operation: str,
    shapes: dict[str, Any],
    attributes: dict[str, Any],
    rng: numpy.random.Generator,
    draw: Draw,
) -> dict[str, Array]:
    """The operands of a forward call, drawn by `draw` where every number is right."""
    name, given = forward_name(operation), flat(shapes)
    backward = operation != name
    if name == "max_unpool":
        return _switched(given, attributes, rng, draw, repeated=not backward)
    operands = {n: draw(s) for n, s in given.items() if n not in OPERATIONS[name].discrete}
    if "mask" in given:
        operands["mask"] = rng.integers(0, 2, size=given["mask"])
    if "labels" in given:
        operands["labels"] = rng.integers(0, given["logits"][1], size=given["labels"])
    if "variance" in given:
        variance = abs(operands["variance"])
        operands["variance"] = numpy.where(variance == 0, variance.dtype.type(1), variance)
    if _selects(name, attributes):
        x = distinct(rng, given["input"], operands["input"].dtype)
        operands["input"] = x if backward else _shown(x)
    return operands


def _selects(name: str, attributes: dict[str, Any]) -> bool:
    return name == "adaptive_max_pool" or (
        name == "spatial_pyramid_pool" and attributes["kind"] == "max"
    )


def _shown(x: Array) -> Array:
    """A batch half of which becomes planes of one hot element each, which show every window."""
    half = len(x) // 2
    if half:
        x[:half] = one_hot((half, *x.shape[1:]), x.dtype)
    return x


def _switched(
    shapes: dict[str, Shape],
    attributes: dict[str, Any],
    rng: numpy.random.Generator,
    draw: Draw,
    *,
    repeated: bool,
) -> dict[str, Array]:
    """`max_unpool`: values read from the places that their indices name, so that a repeated index
    carries equal values; without `repeated`, every index is there once.
    """
    shape, places = shapes["values"], prod(attributes["output_size"])
    planes, count = prod(shape[:2]), prod(shape[2:])
    indices = rng.permuted(numpy.tile(numpy.arange(places), (planes, 1)), axis=1)[:, :count]
    if repeated and rng.random() < 0.5:
        indices = rng.integers(0, places, size=(planes, count))
    image = draw((planes, places))
    values = numpy.take_along_axis(image, indices, axis=1)
    return {"values": values.reshape(shape), "indices": indices.reshape(shape)}


def is_finite(case: Case) -> bool:
    """Whether a case holds neither NaN nor an infinity.

    >>> is_finite(Case("relu", {"input": numpy.array([[numpy.nan]])}, {}))
    False
    """
    return all(numpy.isfinite(array).all() for array in case.operands.values())


def is_valid(case: Case) -> bool:
    """Whether a case whose shapes are right holds labels, places, masks and variances that are.

    >>> logits = numpy.zeros((1, 3))
    >>> is_valid(Case("cross_entropy", {"logits": logits, "labels": numpy.array([3])}, {}))
    False
    """
    operands, attributes = case.operands, case.attributes
    if "mask" in operands:
        return bool(numpy.isin(operands["mask"], (0, 1)).all())
    if "labels" in operands:
        labels = operands["labels"]
        return bool(((labels >= 0) & (labels < operands["logits"].shape[1])).all())
    if "variance" in operands:
        return bool((operands["variance"] > 0).all())
    if "indices" in operands:
        indices, places = operands["indices"], prod(attributes["output_size"])
        return bool(((indices >= 0) & (indices < places)).all()) and _agree(operands)
    return True


def _agree(operands: dict[str, Array]) -> bool:
    """Whether every index that is repeated in its plane carries equal values."""
    shape = operands["indices"].shape
    planes = zip(
        operands["indices"].reshape(-1, prod(shape[2:])),
        operands["values"].reshape(-1, prod(shape[2:])),
        strict=True,
    )
    return all(
        len(numpy.unique(values[indices == index])) == 1
        for indices, values in planes
        for index in indices
    )

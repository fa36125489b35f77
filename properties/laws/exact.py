"""Calls in which nothing rounds, so that laws hold exactly; and how far apart roundings may be."""

from __future__ import annotations

from math import lcm, prod
from typing import Any

import numpy
from hypothesis import strategies as st

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.strategies import arrays

from .rewriting import shape_of

AVERAGES = ("average_pool", "adaptive_average_pool", "spatial_pyramid_pool")


def exactly(case: Case) -> Case:
    """The call with as little changed as makes every intermediate number a short binary one.

    An average gets a multiple of its input that all its divisors divide; linear interpolation a
    scale of 4 in place of 3, and coordinates whose weights are then binary fractions; a dropout
    rate and the strength of a penalty become a half.  Other calls stay as they are.
    """
    name, attributes = forward_name(case.operation), dict(case.attributes)
    operands = dict(case.operands)
    if name in AVERAGES:
        operands["input"] = divided(case) * operands["input"]
    if attributes.get("kind") == "linear":
        attributes["scale"] = tuple(4 if s == 3 else s for s in attributes["scale"])
        if attributes.get("coordinates") == "align_corners":
            attributes["coordinates"] = "half_pixel"
    attributes.update({key: 0.5 for key in ("rate", "strength") if key in attributes})
    return Case(case.operation, operands, attributes)


def divided(case: Case) -> int:
    """A number that every divisor of an average divides; 1 for other calls."""
    if forward_name(case.operation) not in AVERAGES:
        return 1
    sizes = case.attributes.get("kernel_size", case.operands["input"].shape[2:])
    return prod(lcm(*range(1, n + 1)) for n in sizes)


def another(case: Case, operand: str, data: Any) -> Any:
    """A second value of an operand: scaled as the first, and for a maximum's switches, equal
    where they repeat an index.
    """
    x = case.operands[operand]
    if operand == "values":
        return case.operands["indices"] * data.draw(st.integers(-3, 3)) + 0.0
    drawn = Case(case.operation, {**case.operands, operand: data.draw(arrays(x.shape))}, {})
    return exactly(drawn._replace(attributes=case.attributes)).operands[operand]


def cotangents(case: Case) -> st.SearchStrategy[Any]:
    """Cotangents of a call, such that the shares of an average are exact too."""
    shapes = map(shape_of, case.operands.values())
    shape = OPERATIONS[case.operation].shape(*shapes, **case.attributes)
    return arrays(shape).map(lambda g: divided(case) * g)


def alike(operation: str, left: Any, right: Any) -> None:
    """Equal, or for roots, powers and exponentials equal up to their roundings: each of these
    calls makes fewer than 2^8 of them, on numbers no larger than the largest of its outputs.
    """
    left, right = numpy.asarray(left), numpy.asarray(right)
    assert left.shape == right.shape, f"shapes {left.shape} and {right.shape}"
    if OPERATIONS[forward_name(operation)].rounding != "elementary":
        numpy.testing.assert_array_equal(left, right)
        return
    roundoff = numpy.finfo(left.dtype).eps / 2
    assert (abs(left - right) <= 2**8 * roundoff * abs(right).max(initial=1)).all()

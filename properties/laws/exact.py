"""Calls in which nothing rounds, so that laws hold exactly; and how far apart roundings may be."""

from __future__ import annotations

from math import lcm, prod
from typing import Any

import numpy

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS

AVERAGES = ("average_pool", "adaptive_average_pool", "spatial_pyramid_pool")


def exactly(case: Case) -> Case:
    """The call with as little changed as makes every intermediate number a short binary one.

    An average gets a multiple of its input that all its divisors divide; linear interpolation a
    scale of 4 in place of 3, and coordinates whose weights are then binary fractions; a dropout
    rate becomes a half.  Other calls stay as they are.
    """
    name, attributes = forward_name(case.operation), dict(case.attributes)
    operands = dict(case.operands)
    if name in AVERAGES:
        sizes = attributes.get("kernel_size", operands["input"].shape[2:])
        operands["input"] = prod(lcm(*range(1, n + 1)) for n in sizes) * operands["input"]
    if attributes.get("kind") == "linear":
        attributes["scale"] = tuple(4 if s == 3 else s for s in attributes["scale"])
        if attributes.get("coordinates") == "align_corners":
            attributes["coordinates"] = "half_pixel"
    if "rate" in attributes:
        attributes["rate"] = 0.5
    return Case(case.operation, operands, attributes)


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

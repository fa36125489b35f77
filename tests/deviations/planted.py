"""What the tests of deviations share: cases on which a deviation shows, found or by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy

import convspec.fast
from convspec.case import Case, forward_name, normalised
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.deviations.state import STATE
from convspec.oracle.deviations.validation import VALIDATION
from convspec.oracle.explanation.replay import (
    Bounds,
    Outputs,
    agree,
    replay,
    right,
    rounding_bounds,
)

PAIRS = [(name, op) for name, deviation in DEVIATIONS.items() for op in deviation.operations]
REMEMBERING = {deviation.name for deviation in STATE}
ACCEPTING = {deviation.name for deviation in VALIDATION}
ONES: dict[str, Any] = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}


@cache
def judged_cases(operation: str, count: int, seed: int = 0) -> list[tuple[Case, Outputs, Bounds]]:
    """Small cases with what is right, and how well one can tell."""
    cases = small_cases(operation, count, seed)
    return [(case, right(case), rounding_bounds(case)) for case in cases]


def wrong_on(name: str, case: Case) -> Outputs:
    """What a fresh deviating function returns."""
    return replay(DEVIATIONS[name].edit(convspec.fast, case.operation), case)


def shows(name: str, case: Case) -> bool:
    """Whether a deviation returns anything but what is right."""
    return not agree(wrong_on(name, case), right(case), rounding_bounds(case))


def first_showing(name: str, operation: str) -> Case | None:
    """The smallest of many cases in which a deviation shows, or None."""
    for count in (100, 3000):
        for case, due, bounds in judged_cases(operation, count):
            if not agree(wrong_on(name, case), due, bounds):
                return case
    return None


def _pool(operation: str, values: Any, **changed: Any) -> Case:
    attributes = {"kernel_size": (1,), **ONES, "ceil_mode": False, **changed}
    if operation == "average_pool":
        attributes["count_include_pad"] = False
    return Case(operation, {"input": numpy.array([[values]])}, attributes)


# How many axes an input and a weight have, where it is not three and three.
AXES = {"linear": (2, 2), "pointwise_conv": (3, 2), "locally_connected": (3, 4)}


def _one_product(operation: str, x: Any, w: Any) -> Case:
    if operation in ("convolve", "correlate"):
        return Case(operation, {"f": numpy.array([x]), "g": numpy.array([w])}, {"mode": "full"})
    axes = AXES.get(operation, (3, 3))
    shapes = {n: (1,) * count for n, count in zip(("input", "weight"), axes, strict=True)}
    operands = {n: numpy.full(shapes[n], value) for n, value in zip(shapes, (x, w), strict=True)}
    given = {"scale": 1, "kind": "nearest"} if operation == "resize_conv" else {}
    return Case(operation, operands, normalised(operation, shapes, given))


def _empty_window(operation: str) -> Case:
    return _pool(operation, [1.0, 2.0], padding=((1, 0),))


def _subnormal(operation: str) -> Case:
    tiny = numpy.finfo(numpy.float64).smallest_normal
    if operation == "average_pool":
        return _pool(operation, [tiny / 2])
    return _one_product(operation, tiny, numpy.float64(0.5))


def _inexact(operation: str) -> Case:
    third = numpy.float32(1) / numpy.float32(3)
    return _one_product(operation, third, third)


# Cases by hand, where no random small case would do.
def _many_ones(operation: str) -> Case:
    """A sum of 4096 ones, which stalls at 2048 in float16."""
    long = _pool(operation, [1.0] * 4096, kernel_size=(4096,))
    return long._replace(operands={"input": long.operands["input"].astype("float16")})


def _five_channels(operation: str) -> Case:
    forward = forward_name(operation)
    case = _pool(forward, [1.0])
    operands = {"input": numpy.ones((1, 5, 1))}
    if operation != forward:
        operands = {"cotangent": numpy.ones((1, 5, 1)), **operands}
    return Case(operation, operands, case.attributes)


def _stride_of_four(operation: str) -> Case:
    """Two outputs, or two inputs of a transposed convolution, four positions apart."""
    if operation.endswith("pool"):
        return _pool(operation, [1.0, 2.0, 3.0, 4.0, 5.0], stride=(4,))
    case = _one_product(operation, 1.0, 1.0)
    operands = {**case.operands, "input": numpy.array([[[1.0, 2.0, 3.0, 4.0, 5.0]]])}
    return case._replace(operands=operands, attributes={**case.attributes, "stride": (4,)})


BY_HAND: dict[str, Callable[[str], Case]] = {
    "tail of the channels left at zero": _five_channels,
    "strides past 3 taken for 3": _stride_of_four,
    "empty window gives -inf": _empty_window,
    "empty window gives the lowest finite number": _empty_window,
    "empty window gives zero": _empty_window,
    "empty window gives NaN": _empty_window,
    "subnormal numbers flushed to zero": _subnormal,
    "result truncated toward zero": _inexact,
    "average accumulated in the storage dtype": _many_ones,
}

# Where a deviation is right that random calls never are.
RIGHT_BY_HAND = {
    "pointwise stage left out": Case(
        "depthwise_separable_conv",
        {
            "input": numpy.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]),
            "depthwise": numpy.array([[[1.0, -1.0]], [[2.0, 3.0]]]),
            "pointwise": numpy.eye(2),
        },
        {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)},
    ),
}

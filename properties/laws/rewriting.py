"""Ways to rewrite a call, used by several laws."""

from __future__ import annotations

from math import lcm, prod
from typing import Any

import numpy

from convspec.case import Case, call_windows
from convspec.window import Window

PER_AXIS = ("kernel_size", "stride", "padding", "dilation", "output_padding")


def run(implementation: Any, case: Case) -> Any:
    """The output of a call."""
    return getattr(implementation, case.operation)(*case.operands.values(), **case.attributes)


def windows(case: Case) -> list[tuple[int, Window]]:
    """The size of the input and the window on each spatial axis of a call."""
    shapes = {name: array.shape for name, array in case.operands.items() if name != "cotangent"}
    name = case.operation.removesuffix("_vjp")
    return list(zip(shapes["input"][2:], call_windows(name, shapes, case.attributes), strict=True))


def with_input(case: Case, image: Any, **attributes: Any) -> Case:
    """The call on another input, with some attributes changed."""
    return Case(
        case.operation,
        {**case.operands, "input": image},
        {**case.attributes, **attributes},
    )


def divisible(case: Case) -> Case:
    """The call on a multiple of its input that every divisor of an average in reach divides, so
    that averages are exact; other operations stay as they are.
    """
    if case.operation != "average_pool":
        return case
    factor = prod(lcm(*range(1, k + 1)) for k in case.attributes["kernel_size"])
    return with_input(case, factor * case.operands["input"])


def spatial(array: Any) -> tuple[int, ...]:
    """The spatial axes of an array."""
    return tuple(range(2, numpy.ndim(array)))

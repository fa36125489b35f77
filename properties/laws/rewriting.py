"""Ways to rewrite a call, used by several laws."""

from __future__ import annotations

from math import lcm, prod
from typing import Any

import numpy

from convspec.case import Case, call_windows, forward_name
from convspec.window import Window

PER_AXIS = (
    *("kernel_size", "stride", "padding", "dilation", "output_padding"),
    *("output_size", "scale", "count"),
)


def run(implementation: Any, case: Case) -> Any:
    """The output of a call."""
    return getattr(implementation, case.operation)(*case.operands.values(), **case.attributes)


def first(result: Any) -> Any:
    """The output of a call, or the first of two."""
    return result[0] if isinstance(result, tuple) else result


def shape_of(operand: Any) -> Any:
    """The shape of an operand; the shapes, of a list of arrays."""
    return list(map(shape_of, operand)) if isinstance(operand, list) else operand.shape


def windows(case: Case) -> list[tuple[int, Window]]:
    """The size of the input and the window on each spatial axis of a call."""
    shapes = {name: shape_of(array) for name, array in case.operands.items() if name != "cotangent"}
    name = forward_name(case.operation)
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


def rank_of(case: Case) -> int:
    """How many spatial axes a call has; those of a signal without channels are all of its axes."""
    leading = next(iter(case.operands.values()))
    return int(leading.ndim if "f" in case.operands else max(0, leading.ndim - 2))


def along(case: Case, operand: str) -> list[tuple[int, ...]]:
    """For each spatial axis of a call, the axes of an operand that run along it."""
    rank, local = rank_of(case), case.operation == "locally_connected"
    if operand in ("f", "g"):
        return [(axis,) for axis in range(rank)]
    if operand == "weight" and local:
        return [(2 + axis, 2 + rank + axis) for axis in range(rank)]
    if operand == "bias" and local:
        return [(1 + axis,) for axis in range(rank)]
    if case.operands[operand].ndim == 2 + rank:
        return [(2 + axis,) for axis in range(rank)]
    return [()] * rank


def reordered(case: Case, order: tuple[int, ...]) -> Case:
    """The spatial axes of a call, and all that is said about them, in another order."""

    def operand(name: str) -> Any:
        array = case.operands[name]
        if isinstance(array, list):
            return [array[axis] for axis in order]
        axes = list(range(array.ndim))
        places = along(case, name)
        for target, source in enumerate(order):
            for to, origin in zip(places[target], places[source], strict=True):
                axes[to] = origin
        return array.transpose(axes)

    attributes = {
        name: tuple(value[axis] for axis in order) if name in PER_AXIS else value
        for name, value in case.attributes.items()
    }
    if attributes.get("axis", 0) >= 2:
        attributes["axis"] = 2 + order.index(attributes["axis"] - 2)
    return Case(case.operation, {name: operand(name) for name in case.operands}, attributes)


def mirrored(case: Case, axes: list[int]) -> Case:
    """Some spatial axes of every operand reversed, and their paddings exchanged."""

    def operand(name: str) -> Any:
        array = case.operands[name]
        if isinstance(array, list):
            return [one[::-1] if axis in axes else one for axis, one in enumerate(array)]
        places = along(case, name)
        return numpy.flip(array, [place for axis in axes for place in places[axis]])

    attributes = dict(case.attributes)
    if "padding" in attributes:
        attributes["padding"] = tuple(
            pair[::-1] if axis in axes else pair for axis, pair in enumerate(attributes["padding"])
        )
    return Case(case.operation, {name: operand(name) for name in case.operands}, attributes)


def reordered_output(y: Any, order: tuple[int, ...]) -> Any:
    """An output with its spatial axes in another order."""
    before = y.ndim - len(order)
    return y.transpose(*range(before), *(before + axis for axis in order))


def mirrored_output(case: Case, y: Any, axes: list[int]) -> Any:
    """An output with some spatial axes reversed."""
    before = y.ndim - rank_of(case)
    return numpy.flip(y, [before + axis for axis in axes])

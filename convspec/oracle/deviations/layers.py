"""Dense, separable and local layers: transposed weights, shared kernels, steps out of order."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import composing, gradients, only, replacing, rewriting
from convspec.oracle.deviations.record import Deviation, Edit, Function

DENSE = ("linear", "pointwise_conv")
DEPTHWISE, SEPARABLE = ("depthwise_conv",), ("depthwise_separable_conv",)
SPATIALLY, LOCAL = ("spatially_separable_conv",), ("locally_connected",)
INPUT, WEIGHT = 0, 1


def reshaping(
    operand: str, place: int, move: Callable[..., Array], back: Callable[..., Array]
) -> Edit:
    """The edit that calls with `move(operand, **others)` in place of an operand, whose cotangent,
    the one at a place, a gradient moves `back`.
    """

    def function(right: Function, **arguments: Any) -> Any:
        others = {name: value for name, value in arguments.items() if name != operand}
        moved = numpy.ascontiguousarray(move(numpy.asarray(arguments[operand]), **others))
        outputs = right(**{**arguments, operand: moved})
        if not isinstance(outputs, tuple):
            return outputs
        return tuple(back(d, **others) if i == place else d for i, d in enumerate(outputs))

    return replacing(function)


def _is_square(weight: Any, **_: Any) -> bool:
    outputs, inputs = numpy.shape(weight)
    return bool(outputs == inputs)


def _turned(array: Array, input: Any, **_: Any) -> Any:
    """A kernel with its spatial axes, the last ones, reversed."""
    return numpy.flip(array, tuple(range(2 - numpy.ndim(input), 0)))


def kernel_turned(spec: Any, operation: str) -> Function:
    """An operation that convolves, where the spec correlates."""
    operand = "depthwise" if "depthwise_separable" in operation else "weight"
    return reshaping(operand, WEIGHT, _turned, _turned)(spec, operation)


def _factors_turned(right: Function, factors: Any, **arguments: Any) -> Any:
    outputs = right(factors=[factor[::-1].copy() for factor in factors], **arguments)
    if not isinstance(outputs, tuple):
        return outputs
    return (outputs[0], *(d[::-1] for d in outputs[1:]))


def _multiplier_order(input: Any, outputs: int) -> Array:
    """The outputs of a depthwise convolution, listed multiplier by multiplier."""
    return numpy.arange(outputs).reshape(numpy.shape(input)[1], -1).T.ravel()


def _outputs_by_multiplier(right: Function, input: Any, **arguments: Any) -> Any:
    order = _multiplier_order(input, len(arguments["weight"]))
    if "cotangent" not in arguments:
        return right(input=input, **arguments)[:, order]
    moved = numpy.empty_like(arguments["cotangent"])
    moved[:, order] = arguments["cotangent"]
    return right(**{**arguments, "input": input, "cotangent": moved})


def _columns_by_channel(pointwise: Array, input: Any, **_: Any) -> Array:
    order = _multiplier_order(input, pointwise.shape[1])
    moved = numpy.empty_like(pointwise)
    moved[:, order] = pointwise
    return moved


def _columns_by_multiplier(pointwise: Array, input: Any, **_: Any) -> Array:
    return pointwise[:, _multiplier_order(input, pointwise.shape[1])]


def _is_depth_preserving(input: Any, depthwise: Any, pointwise: Any, **_: Any) -> bool:
    channels = numpy.shape(input)[1]
    return bool(len(depthwise) == len(pointwise) == channels)


def _pointwise_first(
    spec: Any, input: Any, depthwise: Any, pointwise: Any, bias: Any = None, **attributes: Any
) -> Any:
    mixed = spec.pointwise_conv(input, pointwise)
    return spec.depthwise_conv(mixed, depthwise, bias, **attributes)


def _activated_between(
    spec: Any, input: Any, depthwise: Any, pointwise: Any, bias: Any = None, **attributes: Any
) -> Any:
    between = spec.relu(spec.depthwise_conv(input, depthwise, **attributes))
    return spec.pointwise_conv(between, pointwise, bias)


def _first_kernel_everywhere(spec: Any, operation: str) -> Function:
    operand = "depthwise" if "separable" in operation else "weight"

    def change(**arguments: Any) -> dict[str, Any]:
        kernels = numpy.asarray(arguments[operand])
        return {operand: numpy.broadcast_to(kernels[:1], kernels.shape).copy()}

    return rewriting(change)(spec, operation)


def _have_one_length(factors: Any, **_: Any) -> bool:
    return len({len(factor) for factor in factors}) == 1


def _factors_reversed(right: Function, factors: Any, **arguments: Any) -> Any:
    outputs = right(factors=[*reversed(factors)], **arguments)
    if not isinstance(outputs, tuple):
        return outputs
    return (outputs[0], *reversed(outputs[1:]))


def _outer_sum(spec: Any, input: Any, factors: Any, **attributes: Any) -> Any:
    kernel = reduce(numpy.add, numpy.ix_(*factors))
    weight = numpy.broadcast_to(kernel, (numpy.shape(input)[1], 1, *kernel.shape))
    return spec.depthwise_conv(input, weight, **attributes)


def _factor_alone(spec: Any, factors: Any, **arguments: Any) -> Any:
    """Each factor's gradient as if the others held ones."""
    found = [spec.spatially_separable_conv_vjp(factors=factors, **arguments)[0]]
    for axis, factor in enumerate(factors):
        alone = [f if f is factor else numpy.ones_like(f) for f in factors]
        found.append(spec.spatially_separable_conv_vjp(factors=alone, **arguments)[1 + axis])
    return tuple(found)


def _positions_in_columns(weight: Array, input: Any, **_: Any) -> Array:
    """Kernels read as if the first axis of the positions ran fastest."""
    rank = numpy.ndim(input) - 2
    shape = weight.shape[2 : 2 + rank]
    flat = weight.reshape(*weight.shape[:2], -1, *weight.shape[2 + rank :])
    order = numpy.arange(flat.shape[2]).reshape(shape[::-1]).T.ravel()
    return flat[:, :, order].reshape(weight.shape)


def _positions_in_rows(weight: Array, input: Any, **_: Any) -> Array:
    """The inverse of `_positions_in_columns`."""
    rank = numpy.ndim(input) - 2
    shape = weight.shape[2 : 2 + rank]
    flat = weight.reshape(*weight.shape[:2], -1, *weight.shape[2 + rank :])
    order = numpy.arange(flat.shape[2]).reshape(shape).T.ravel()
    return flat[:, :, order].reshape(weight.shape)


def _first_position(array: Array, *, before: int, rank: int) -> Array:
    """What stands at the first position, at every position."""
    first = array[(slice(None),) * before + (slice(1),) * rank]
    return numpy.broadcast_to(first, array.shape).copy()


def _shared_kernel(input: Any, weight: Any, **_: Any) -> dict[str, Any]:
    return {"weight": _first_position(weight, before=2, rank=numpy.ndim(input) - 2)}


def _shared_bias(input: Any, bias: Any = None, **_: Any) -> dict[str, Any]:
    if bias is None:
        return {}
    return {"bias": _first_position(bias, before=1, rank=numpy.ndim(input) - 2)}


def _summed_over_positions(spec: Any, **arguments: Any) -> Any:
    d = spec.locally_connected_vjp(**arguments)
    axes = tuple(range(2, numpy.ndim(arguments["input"])))
    total = d[WEIGHT].sum(axis=axes, keepdims=True)
    shared = numpy.broadcast_to(total, d[WEIGHT].shape).astype(d[WEIGHT].dtype)
    return (d[INPUT], shared, *d[2:])


LAYERS = (
    Deviation(
        name="weight of a dense layer transposed",
        operations=(*DENSE, *gradients(DENSE)),
        kind="mistake",
        sentence="Multiplies by w[d, o] where w[o, d] is meant, as long as the weight is square.",
        hidden="weights that are not square",
        edit=only(_is_square, reshaping("weight", WEIGHT, lambda w, **_: w.T, lambda d, **_: d.T)),
    ),
    Deviation(
        name="kernel of a layer flipped",
        operations=(
            *DEPTHWISE,
            *SEPARABLE,
            *LOCAL,
            "resize_conv",
            *gradients((*DEPTHWISE, *SEPARABLE, *LOCAL, "resize_conv")),
        ),
        kind="convention",
        sentence="Convolves with the kernel flipped, where layers correlate.",
        hidden="kernels of one element",
        edit=kernel_turned,
    ),
    Deviation(
        name="factors flipped",
        operations=(*SPATIALLY, *gradients(SPATIALLY)),
        kind="convention",
        sentence="Convolves along each axis, where layers correlate.",
        hidden="factors of one element",
        edit=replacing(_factors_turned),
    ),
    Deviation(
        name="outputs listed multiplier by multiplier",
        operations=(*DEPTHWISE, *gradients(DEPTHWISE)),
        kind="mistake",
        sentence="Lists the first output of every channel, then the second, where the outputs of "
        "one channel are neighbours.",
        hidden="multiplier 1, or one channel",
        edit=replacing(_outputs_by_multiplier),
    ),
    Deviation(
        name="pointwise weight read multiplier by multiplier",
        operations=(*SEPARABLE, *gradients(SEPARABLE)),
        kind="mistake",
        sentence="Hands the second step the depthwise outputs multiplier by multiplier.",
        hidden="multiplier 1, or one channel",
        edit=reshaping("pointwise", 2, _columns_by_channel, _columns_by_multiplier),
    ),
    Deviation(
        name="pointwise before depthwise",
        operations=SEPARABLE,
        kind="mistake",
        sentence="Mixes the channels first and convolves each of them after that, where the "
        "number of channels allows it.",
        hidden="one channel, or another number of channels between the steps or after them",
        edit=only(_is_depth_preserving, composing(_pointwise_first)),
    ),
    Deviation(
        name="activation between depthwise and pointwise",
        operations=SEPARABLE,
        kind="mistake",
        sentence="Cuts off what is negative after the first step.",
        hidden="data that are nowhere negative",
        edit=composing(_activated_between),
    ),
    Deviation(
        name="kernel of the first channel on every channel",
        operations=(*DEPTHWISE, *SEPARABLE),
        kind="mistake",
        sentence="Convolves every channel with the same kernel.",
        hidden="one kernel",
        edit=_first_kernel_everywhere,
    ),
    Deviation(
        name="factors in reverse order",
        operations=(*SPATIALLY, *gradients(SPATIALLY)),
        kind="mistake",
        sentence="Convolves the columns with the kernel of the rows, where both are of one length.",
        hidden="one spatial axis, or factors of several lengths",
        edit=only(_have_one_length, replacing(_factors_reversed)),
    ),
    Deviation(
        name="factors added, not multiplied",
        operations=SPATIALLY,
        kind="mistake",
        sentence="Convolves with the sum of the factors' entries, where their product is meant.",
        hidden="one spatial axis",
        edit=composing(_outer_sum),
    ),
    Deviation(
        name="gradient of a factor without the others",
        operations=gradients(SPATIALLY),
        kind="mistake",
        sentence="Differentiates by one factor as if the others held ones.",
        hidden="one spatial axis",
        edit=composing(_factor_alone),
    ),
    Deviation(
        name="kernel of the first position everywhere",
        operations=LOCAL,
        kind="mistake",
        sentence="Shares one kernel between all positions, as a convolution does.",
        hidden="outputs of one position",
        edit=rewriting(_shared_kernel),
    ),
    Deviation(
        name="bias of the first position everywhere",
        operations=LOCAL,
        kind="mistake",
        sentence="Adds one number a channel, whatever the position.",
        hidden="no bias, or outputs of one position",
        edit=rewriting(_shared_bias),
    ),
    Deviation(
        name="positions of the kernels in column-major order",
        operations=(*LOCAL, *gradients(LOCAL)),
        kind="mistake",
        sentence="Counts the positions that the kernels belong to with the first axis running "
        "fastest.",
        hidden="one spatial axis",
        edit=reshaping("weight", WEIGHT, _positions_in_columns, _positions_in_rows),
    ),
    Deviation(
        name="weight gradient summed over positions",
        operations=gradients(LOCAL),
        kind="mistake",
        sentence="Adds up the gradients of all positions, as if they shared a kernel.",
        hidden="outputs of one position",
        edit=composing(_summed_over_positions),
    ),
)

"""The few ways in which a right function becomes a deviating one.

`rewriting` calls the right function on other arguments, `afterwards` changes what it returned,
`replacing` does both, `only` keeps an edit to the calls for which a guard holds.  Each passes the
arguments by name, operands and attributes alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.case import forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.deviations.record import Edit, Function

POOLS = ("max_pool", "max_pool_with_indices", "average_pool")
MAXIMA = ("max_pool", "max_pool_with_indices")
CONVOLUTIONS = ("conv", "conv_transpose")
SIGNALS = ("convolve", "correlate")
SLIDING = (*CONVOLUTIONS, *POOLS)
# Others whose windows have a stride, whose windows may be dilated, whose input may be padded.
STRIDED = (
    "depthwise_conv",
    "depthwise_separable_conv",
    "spatially_separable_conv",
    "lp_pool",
    "distance_weighted_pool",
)
DILATED = ("depthwise_conv", "depthwise_separable_conv", "lp_pool")
PADDED = (*STRIDED, "resize_conv")
# Others with a weight and a bias, for each channel or for each channel and position.
WEIGHTED = ("linear", "pointwise_conv", "depthwise_conv", "resize_conv")
BIASED = (*WEIGHTED, "depthwise_separable_conv", "locally_connected")


def gradients(operations: Sequence[str]) -> tuple[str, ...]:
    """The names of the operations' `_vjp`s.

    >>> gradients(("conv",))
    ('conv_vjp',)
    """
    return tuple(f"{operation}_vjp" for operation in operations)


def operand_names(operation: str) -> tuple[str, ...]:
    """The operands of an operation in order; those of a `_vjp` begin with the cotangent.

    >>> operand_names("max_pool_vjp")
    ('cotangent', 'input')
    """
    names = OPERATIONS[forward_name(operation)].operands
    return names if operation == forward_name(operation) else ("cotangent", *names)


def output_shape(operation: str, arguments: dict[str, Any]) -> Shape:
    """The forward output shape of a call given by its named arguments.

    >>> output_shape("max_pool", {"input": numpy.zeros((1, 2, 5)), "kernel_size": (3,)})
    (1, 2, 1)
    """
    row = OPERATIONS[forward_name(operation)]
    given = {name: arguments[name] for name in row.operands if arguments.get(name) is not None}
    shapes = [
        [numpy.shape(part) for part in value] if name in row.lists else numpy.shape(value)
        for name, value in given.items()
    ]
    attributes = {
        name: value
        for name, value in arguments.items()
        if name not in row.operands and name != "cotangent"
    }
    return row.shape(*shapes, **attributes)


def replacing(function: Function) -> Edit:
    """The edit whose function is `function(right, **arguments)`, `right` being the right one."""

    def edit(spec: Any, operation: str) -> Function:
        right = getattr(spec, operation)
        names = operand_names(operation)

        @wraps(right)
        def deviating(*operands: Any, **attributes: Any) -> Any:
            return function(right, **dict(zip(names, operands, strict=False)), **attributes)

        return deviating

    return edit


def composing(function: Function) -> Edit:
    """The edit whose function is `function(spec, **arguments)`, made of other right functions."""

    def edit(spec: Any, operation: str) -> Function:
        return replacing(lambda _, **arguments: function(spec, **arguments))(spec, operation)

    return edit


def rewriting(change: Callable[..., dict[str, Any]]) -> Edit:
    """The edit that calls the right function with the arguments that `change(**arguments)` names
    replaced.

    A gradient under other attributes expects a cotangent of another size: it gets what there is
    of it, and zeros beyond.
    """

    def edit(spec: Any, operation: str) -> Function:
        def function(right: Function, **arguments: Any) -> Any:
            changed = {**arguments, **change(**arguments)}
            if "cotangent" in changed:
                shape = output_shape(operation, changed)
                changed["cotangent"] = fitted(changed["cotangent"], shape)
            return right(**changed)

        return replacing(function)(spec, operation)

    return edit


def sized(change: Callable[..., dict[str, Any]], *, fill: Any = 0) -> Edit:
    """As `rewriting`, in an output of the size that the given arguments call for."""

    def edit(spec: Any, operation: str) -> Function:
        def function(right: Function, **arguments: Any) -> Any:
            shape = output_shape(operation, arguments)
            return fitted(right(**{**arguments, **change(**arguments)}), shape, fill=fill)

        return replacing(function)(spec, operation)

    return edit


def afterwards(change: Function) -> Edit:
    """The edit that returns `change(output, **arguments)` of the right output."""
    return replacing(lambda right, **arguments: change(right(**arguments), **arguments))


def moving(operand: str, move: Callable[[Array], Array], back: Callable[[Array], Array]) -> Edit:
    """The edit that calls with one operand moved; a gradient moves its cotangent back, so that
    it stays the gradient of what the forward function computes.
    """

    def edit(spec: Any, operation: str) -> Function:
        place = operand_names(operation).index(operand) - 1

        def function(right: Function, **arguments: Any) -> Any:
            outputs = right(**{**arguments, operand: move(numpy.asarray(arguments[operand]))})
            if operation == forward_name(operation):
                return outputs
            return tuple(back(d) if i == place else d for i, d in enumerate(outputs))

        return replacing(function)(spec, operation)

    return edit


def only(guard: Callable[..., Any], edit: Edit) -> Edit:
    """`edit`, but only for calls with `guard(**arguments)`; the right function otherwise."""

    def guarded(spec: Any, operation: str) -> Function:
        wrong = edit(spec, operation)

        def function(right: Function, **arguments: Any) -> Any:
            return (wrong if guard(**arguments) else right)(**arguments)

        return replacing(function)(spec, operation)

    return guarded


def fitted(outputs: Any, shape: Shape, *, fill: Any = 0) -> Any:
    """An output, or each of several, cropped or filled at the high ends to a shape.

    >>> fitted(numpy.array([1, 2, 3]), (2,)), fitted(numpy.array([1]), (2,))
    (array([1, 2]), array([1, 0]))
    """
    if isinstance(outputs, tuple):
        return tuple(fitted(output, shape, fill=fill) for output in outputs)
    array = numpy.asarray(outputs)
    whole = numpy.full(shape, fill, dtype=array.dtype)
    common = tuple(slice(min(n, m)) for n, m in zip(array.shape, shape, strict=True))
    whole[common] = array[common]
    return whole


def each(outputs: Any, change: Callable[[Array], Array]) -> Any:
    """`change` applied to an output, or to each of several."""
    if isinstance(outputs, tuple):
        return tuple(change(numpy.asarray(output)) for output in outputs)
    return change(numpy.asarray(outputs))


def flipped(array: Any) -> Array:
    """An array with its spatial axes, those after the first two, reversed.

    >>> flipped(numpy.array([[[1, 2, 3]]]))
    array([[[3, 2, 1]]])
    """
    array = numpy.asarray(array)
    return numpy.flip(array, axis=tuple(range(2, array.ndim)))


def spatial(array: Any) -> Shape:
    """The sizes of the spatial axes, those after the first two.

    >>> spatial(numpy.zeros((1, 2, 5, 7)))
    (5, 7)
    """
    shape: Shape = numpy.shape(array)
    return shape[2:]


def padded(input: Any, padding: Sequence[tuple[int, int]], **how: Any) -> Array:
    """The input with its spatial axes padded by the pairs of `padding`, as `numpy.pad` does it.

    >>> padded(numpy.array([[[1, 2]]]), ((1, 0),), mode="edge")
    array([[[1, 1, 2]]])
    """
    return numpy.pad(numpy.asarray(input), ((0, 0), (0, 0), *padding), **how)

"""Which operations a mistake fits: those that read an operand, those that take an attribute.

A family of mistakes is one edit for each operand or attribute, in every operation that has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convspec.case import attribute_defaults, forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    POOLS,
    SIGNALS,
    gradients,
    operand_names,
)

FORWARD = tuple(OPERATIONS)
BACKWARD = gradients(FORWARD)
EVERY = (*FORWARD, *BACKWARD)
# The operations that a family of mistakes is planted in one and all: those that are composed of
# others, slide no window or are elementary, and their gradients.  Of convolutions and ordinary
# pools, whose checks take longest, each family names its own.
LAYERS = tuple(
    operation
    for operation in EVERY
    if forward_name(operation) not in (*SIGNALS, *CONVOLUTIONS, *POOLS)
)
# What rounds is what is no selection and no move.
ROUNDED = tuple(name for name, row in OPERATIONS.items() if row.rounding != "exact")
# Operations whose output, and cotangent, is one number, and lies in memory in one way.
SCALAR = ("cross_entropy", "l2_penalty")
# Where every element of the output is made of the element of the input in its place.
ELEMENTWISE = ("relu", "sigmoid", "tanh", "dropout", "batch_norm")

# Each operand in words, alone and in the plural.
WORDS: dict[str, tuple[str, str]] = {
    "f": ("first operand", "first operands"),
    "g": ("second operand", "second operands"),
    "input": ("input", "inputs"),
    "weight": ("weight", "weights"),
    "bias": ("bias", "biases"),
    "depthwise": ("depthwise weight", "depthwise weights"),
    "pointwise": ("pointwise weight", "pointwise weights"),
    "factors": ("factors", "factors"),
    "values": ("values", "values"),
    "indices": ("indices", "indices"),
    "mask": ("mask", "masks"),
    "logits": ("logits", "logits"),
    "labels": ("labels", "labels"),
    "mean": ("mean", "means"),
    "variance": ("variance", "variances"),
    "scale": ("scale", "scales"),
    "shift": ("shift", "shifts"),
    "cotangent": ("cotangent", "cotangents"),
}


def reading(operand: str) -> tuple[str, ...]:
    """The operations, and the gradients, whose result depends on the elements of an operand.

    What an operation adds has no place in its gradient, nor has what it is linear in where
    nothing is multiplied with it.

    >>> reading("values"), reading("mask")
    (('max_unpool',), ('dropout', 'dropout_vjp'))
    """
    return tuple(
        operation
        for operation in EVERY
        if operand in operand_names(operation)
        and (operation in FORWARD or _is_read_backward(operation, operand))
    )


def _is_read_backward(operation: str, operand: str) -> bool:
    row = OPERATIONS[forward_name(operation)]
    if operand == "cotangent":
        return True
    multiplied = set(row.operands) - set(row.discrete) - {"bias"}
    return operand not in ("bias", "shift") and (
        operand not in row.linear_in or len(multiplied) > 1
    )


def with_layers(core: Sequence[str], fitting: Sequence[str] = EVERY) -> tuple[str, ...]:
    """Some core operations, and all layers that a mistake fits.

    >>> with_layers(("conv",), reading("mask"))
    ('conv', 'dropout', 'dropout_vjp')
    """
    return (*core, *(operation for operation in fitting if operation in LAYERS))


def having(operand: str) -> tuple[str, ...]:
    """The operations, and the gradients, with an operand of a name.

    >>> having("labels")
    ('cross_entropy', 'cross_entropy_vjp')
    """
    return tuple(operation for operation in EVERY if operand in operand_names(operation))


def taking(attribute: str) -> tuple[str, ...]:
    """The operations, and the gradients, with an attribute.

    >>> taking("epsilon")
    ('batch_norm', 'batch_norm_vjp')
    """
    return tuple(name for name in EVERY if attribute in attribute_defaults(name))


def attributes() -> tuple[str, ...]:
    """Every attribute of the table of operations.

    >>> attributes()[:3]
    ('mode', 'stride', 'padding')
    """
    return tuple(dict.fromkeys(name for row in OPERATIONS for name in attribute_defaults(row)))


def floating(operation: str) -> tuple[str, ...]:
    """The operands of an operation that may hold any number.

    >>> floating("dropout_vjp")
    ('cotangent', 'input')
    """
    discrete = OPERATIONS[forward_name(operation)].discrete
    return tuple(name for name in operand_names(operation) if name not in discrete)


def parts(value: Any) -> list[Any]:
    """An operand as a list of arrays: those of a list, or the one that it is.

    >>> parts(3), parts([1, 2])
    ([3], [1, 2])
    """
    return list(value) if isinstance(value, list) else [value]

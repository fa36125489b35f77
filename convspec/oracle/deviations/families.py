"""Which operations a family of mistakes fits: one edit an attribute, wherever there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convspec.case import attribute_defaults, forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.deviations.edits import CONVOLUTIONS, POOLS, SIGNALS, gradients

EVERY = (*OPERATIONS, *gradients(tuple(OPERATIONS)))
# The operations that a family of mistakes is planted in one and all: those that are composed of
# others, slide no window or are elementary, and their gradients.  Of convolutions and ordinary
# pools, whose checks take longest, each family names its own.
LAYERS = tuple(
    operation
    for operation in EVERY
    if forward_name(operation) not in (*SIGNALS, *CONVOLUTIONS, *POOLS)
)


def with_layers(core: Sequence[str], fitting: Sequence[str] = EVERY) -> tuple[str, ...]:
    """Some core operations, and all layers that a mistake fits.

    >>> with_layers(("conv",), taking("rate"))
    ('conv', 'dropout', 'dropout_vjp')
    """
    return (*core, *(operation for operation in fitting if operation in LAYERS))


def taking(attribute: str) -> tuple[str, ...]:
    """The operations, and the gradients, with an attribute.

    >>> taking("epsilon")
    ('batch_norm', 'batch_norm_vjp')
    """
    return tuple(name for name in EVERY if attribute in attribute_defaults(name))


def parts(value: Any) -> list[Any]:
    """An operand as a list of arrays: those of a list, or the one that it is.

    >>> parts(3), parts([1, 2])
    ([3], [1, 2])
    """
    return list(value) if isinstance(value, list) else [value]

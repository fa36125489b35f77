"""A network run forward, and backward through the derivatives of its steps.

Values, parameters and cotangents are dictionaries of arrays; a step's parameters are called
`step.operand`.  Whatever offers the operations can run them: the fast twins, the definitions, an
adapter of some framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from convspec import fast
from convspec.arguments import Array, array
from convspec.network.layers import Network
from convspec.network.plan import INPUT, Step, plan
from convspec.network.structure import STRUCTURES

Arrays = Mapping[str, Array]


def forward(
    network: Network,
    parameters: Arrays,
    input: Array,
    *,
    operations: Any = fast,
    masks: Arrays | None = None,
) -> Array:
    """The output of a network for an input `(N, C, *spatial)`.

    A dropout layer drops where `masks` has a mask for it, by its name, and is the identity
    otherwise.  Raises `ValueError` where sizes do not fit or a parameter is missing.

    >>> from convspec.network.layers import conv, relu
    >>> network = Network("example", (1, 3), (conv(1, 2, bias=False, name="first"), relu()))
    >>> forward(network, {"first.weight": numpy.array([[[1, -1]]])}, numpy.array([[[3, 1, 2]]]))
    array([[[2, 0]]])
    """
    values = activations(network, parameters, input, operations=operations, masks=masks)
    return values[plan(network, numpy.shape(input)[1:])[-1].name]


def activations(
    network: Network,
    parameters: Arrays,
    input: Array,
    *,
    operations: Any = fast,
    masks: Arrays | None = None,
) -> dict[str, Array]:
    """The output of every step by its name; beside them what `backward` needs: the switches of a
    pool as `name.switches`, the mask of a dropout as `name.mask`.
    """
    values = {INPUT: array("input", input)}
    for step in plan(network, values[INPUT].shape[1:])[1:]:
        if step.operation == "dropout" and masks and step.name in masks:
            values[f"{step.name}.mask"] = masks[step.name]
        if step.operation == "dropout" and f"{step.name}.mask" not in values:
            values[step.name] = values[step.reads[0]]
        elif step.operation == "max_pool_with_indices":
            (read,) = _operands(step, parameters, values)
            values[step.name], values[f"{step.name}.switches"] = operations.max_pool_with_indices(
                read, **step.attributes
            )
        else:
            operation = _forward_function(step.operation, operations)
            operands = _operands(step, parameters, values)
            values[step.name] = operation(*operands, **step.attributes)
    return values


def backward(
    network: Network,
    parameters: Arrays,
    values: Arrays,
    cotangent: Array,
    *,
    operations: Any = fast,
) -> dict[str, Array]:
    """The cotangents of the input, as `input`, and of every parameter by its name, from that of
    the output and the `activations` of the same input.

    >>> from convspec.network.layers import conv
    >>> network = Network("example", (1, 3), (conv(1, 2, bias=False, name="first"),))
    >>> parameters = {"first.weight": numpy.array([[[1, -1]]])}
    >>> values = activations(network, parameters, numpy.array([[[3, 1, 2]]]))
    >>> backward(network, parameters, values, numpy.array([[[1, 10]]]))
    {'first.weight': array([[[13, 21]]]), 'input': array([[[  1,   9, -10]]])}
    """
    steps = plan(network, values[INPUT].shape[1:])
    cotangents: dict[str, Array] = {steps[-1].name: cotangent}
    gradients: dict[str, Array] = {}
    for step in reversed(steps[1:]):
        given = cotangents.pop(step.name, None)
        if given is None:
            continue
        handed = _step_cotangents(step, parameters, values, given, operations)
        names = [*step.reads, *(f"{step.name}.{operand}" for operand in step.parameters)]
        for position, (name, value) in enumerate(zip(names, handed, strict=False)):
            place = cotangents if position < len(step.reads) else gradients
            place[name] = place[name] + value if name in place else value
    return {**gradients, INPUT: cotangents[INPUT]}


def _step_cotangents(
    step: Step, parameters: Arrays, values: Arrays, cotangent: Array, operations: Any
) -> tuple[Array, ...]:
    """The cotangents of what a step reads, then of its parameters."""
    if step.operation == "dropout" and f"{step.name}.mask" not in values:
        return (cotangent,)
    operands = _operands(step, parameters, values)
    if step.operation in STRUCTURES:
        return STRUCTURES[step.operation].vjp(cotangent, *operands, **step.attributes)
    vjp = getattr(operations, f"{step.operation}_vjp")
    handed: tuple[Array, ...] = vjp(cotangent, *operands, **step.attributes)
    return handed


def _operands(step: Step, parameters: Arrays, values: Arrays) -> list[Array]:
    """The arrays of a step's call, in order."""
    if step.operation == "max_unpool":
        return [values[step.reads[0]], values[f"{step.reads[1]}.switches"]]
    operands = [values[read] for read in step.reads]
    if step.operation == "dropout":
        operands.append(values[f"{step.name}.mask"])
    for operand, shape in step.parameters.items():
        name = f"{step.name}.{operand}"
        if name not in parameters:
            raise ValueError(f"parameters hold no {name!r}: must be an array of shape {shape}")
        if parameters[name].shape != shape:
            raise ValueError(
                f"layer {step.name}: {operand} has shape {parameters[name].shape}: must be {shape} "
                f"for an output of shape {step.shape}"
            )
        operands.append(parameters[name])
    return operands


def _forward_function(operation: str, operations: Any) -> Any:
    return (
        STRUCTURES[operation].value if operation in STRUCTURES else getattr(operations, operation)
    )

"""From a network to its steps: names, what each reads, shapes, counts and receptive fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from convspec.arguments import Shape, per_axis
from convspec.case import call_windows
from convspec.network.layers import Block, Branches, Layer, Network, Part
from convspec.network.structure import STRUCTURES
from convspec.network.weights import layer_multiply_adds, layer_parameters
from convspec.operations import OPERATIONS
from convspec.window import ReceptiveField, Window, field_through, joint_field

INPUT = "input"

# Whose output at a position depends on the input at that position alone.
_POINTWISE = (
    "add",
    "batch_norm",
    "concatenate",
    "dropout",
    "local_response_normalization",
    "relu",
    "sigmoid",
    "softmax",
    "take",
    "tanh",
)
_SLIDING = (
    "average_pool",
    "conv",
    "depthwise_conv",
    "depthwise_separable_conv",
    "locally_connected",
    "max_pool",
    "max_pool_with_indices",
)

Fields = tuple[ReceptiveField, ...]


class Step(NamedTuple):
    """One call of a planned network, for one item of a batch (its shapes begin with N = 1).

    `reads` names the steps whose outputs are its inputs; `parameters` are the shapes of its other
    operands.  `fields` is the receptive field on each axis, or None where an output sees no fixed
    range of the input: behind a dense layer, a pool of adaptive windows, or anything that enlarges.
    """

    name: str
    operation: str
    reads: tuple[str, ...]
    attributes: dict[str, Any]
    parameters: dict[str, Shape]
    shape: Shape
    multiply_adds: int
    fields: Fields | None


def plan(network: Network, input: Shape | None = None) -> tuple[Step, ...]:
    """The steps of a network on an input `(C, *spatial)`, its own unless another is given; the
    first stands for the input, the last is the output.

    Raises `ValueError` where sizes do not fit, naming the layer.

    >>> from convspec.network.layers import conv, relu
    >>> steps = plan(Network("example", (1, 5, 5), (conv(2, 3, name="first"), relu())))
    >>> [(step.name, step.shape) for step in steps]
    [('input', (1, 1, 5, 5)), ('first', (1, 2, 3, 3)), ('relu', (1, 2, 3, 3))]
    """
    return _planned(network, network.input if input is None else tuple(input))


@cache
def _planned(network: Network, input: Shape) -> tuple[Step, ...]:
    fields = (ReceptiveField(1, 1, 0),) * (len(input) - 1)
    steps = {INPUT: Step(INPUT, INPUT, (), {}, {}, (1, *input), 0, fields)}
    _follow(steps, network.parts, INPUT, "")
    return tuple(steps.values())


def _follow(steps: dict[str, Step], parts: tuple[Part, ...], read: str, scope: str) -> str:
    """Add the steps of parts in sequence, the first of which reads `read`; the last one's name."""
    for part in parts:
        if isinstance(part, Layer):
            read = _add_layer(steps, part, read, scope)
        elif isinstance(part, Block):
            read = _follow(steps, part.parts, read, f"{scope}{part.name}.")
        else:
            read = _add_branches(steps, part, read, f"{scope}{part.name}.")
    return read


def _add_branches(steps: dict[str, Step], part: Branches, read: str, scope: str) -> str:
    ends = [_follow(steps, path, read, scope) for path in part.paths]
    return _add_step(steps, _named(steps, Layer(part.join), scope), Layer(part.join), tuple(ends))


def _add_layer(steps: dict[str, Step], layer: Layer, read: str, scope: str) -> str:
    name = _named(steps, layer, scope)
    if layer.other and layer.other not in steps:
        raise ValueError(f"layer {name}: reads {layer.other!r}, which no layer before it is called")
    return _add_step(steps, name, layer, (read, layer.other) if layer.other else (read,))


def _named(steps: dict[str, Step], layer: Layer, scope: str) -> str:
    """The full name of a layer: its own, or its operation with the first number that is free."""
    name = scope + (layer.name or layer.operation)
    if name not in steps:
        return name
    if layer.name:
        raise ValueError(f"layer {name}: must be the only one of that name")
    number = 2
    while f"{name}_{number}" in steps:
        number += 1
    return f"{name}_{number}"


def _add_step(steps: dict[str, Step], name: str, layer: Layer, reads: tuple[str, ...]) -> str:
    sources = [steps[read] for read in reads]
    try:
        steps[name] = _step(steps, name, layer, sources)
    except ValueError as error:
        raise ValueError(f"layer {name}: {error}") from None
    return name


def _step(steps: dict[str, Step], name: str, layer: Layer, sources: list[Step]) -> Step:
    operation, attributes = layer.operation, dict(layer.attributes)
    inputs = [source.shape for source in sources]
    reads = tuple(source.name for source in sources)
    parameters = layer_parameters(layer, inputs[0])
    if operation == "max_unpool":
        if sources[1].operation != "max_pool_with_indices":
            raise ValueError(f"reads {sources[1].name!r}, which keeps no switches")
        attributes["output_size"] = steps[sources[1].reads[0]].shape[2:]
    shapes = [*inputs, *parameters.values()]
    shape = _shape_function(operation)(*shapes, **attributes)
    cost = layer_multiply_adds(operation, parameters, inputs[0], shape)
    fields = _fields(operation, attributes, parameters, sources)
    return Step(name, operation, reads, attributes, parameters, shape, cost, fields)


def _shape_function(operation: str) -> Callable[..., Shape]:
    if operation in STRUCTURES:
        return STRUCTURES[operation].shape
    if operation == "dropout":
        return lambda input, **attributes: OPERATIONS["dropout"].shape(input, input, **attributes)
    return OPERATIONS[operation].shape


def _fields(
    operation: str, attributes: dict[str, Any], parameters: dict[str, Shape], sources: list[Step]
) -> Fields | None:
    """What an output sees of the network's input, on each axis."""
    first = sources[0].fields
    if first is None or len(sources[0].shape) == 2:
        return None
    if operation in _POINTWISE:
        return _joint([source.fields for source in sources])
    if operation == "crop":
        offsets = per_axis("offset", attributes["offset"], len(first), least=0, shapes="")
        windows = tuple(Window(kernel=1, low=-offset) for offset in offsets)
    elif operation in _SLIDING:
        windows = call_windows(operation, {"input": sources[0].shape, **parameters}, attributes)
    else:
        return None
    return tuple(field_through(field, window) for field, window in zip(first, windows, strict=True))


def _joint(fields: list[Fields | None]) -> Fields | None:
    known = [field for field in fields if field is not None]
    if len(known) < len(fields):
        return None
    try:
        return tuple(joint_field(axis) for axis in zip(*known, strict=True))
    except ValueError:
        return None

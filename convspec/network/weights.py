"""What a layer learns, and what it costs: the shapes of its parameters, its multiply-adds.

The counts are those of the papers: one multiply-add for each product with a weight, products with
padding included; pools, activations and normalizations count nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from convspec.arguments import Shape, per_axis
from convspec.convolution import conv_shape
from convspec.network.layers import Layer

# Estimated from data, not learnt by descent: not counted as parameters.
STATISTICS = ("mean", "variance")


def layer_parameters(layer: Layer, input: Shape) -> dict[str, Shape]:
    """The parameters of a layer on an input `(1, C, *spatial)`, in the order of its operation's
    operands.

    >>> layer_parameters(Layer("conv", channels=8, kernel=3, bias=True), (1, 3, 32, 32))
    {'weight': (8, 3, 3, 3), 'bias': (8,)}
    """
    attributes = dict(layer.attributes)
    channels, groups = input[1], attributes.get("groups", 1)
    rank = len(input) - 2
    kernel = per_axis("kernel", layer.kernel, rank, least=1, shapes=f"input has shape {input}")
    bias: Shape = (layer.channels,)
    if layer.operation == "conv":
        found = {"weight": (layer.channels, channels // groups, *kernel)}
    elif layer.operation == "conv_transpose":
        found = {"weight": (channels, layer.channels, *kernel)}
    elif layer.operation == "depthwise_conv":
        bias = (channels * layer.channels,)
        found = {"weight": (*bias, 1, *kernel)}
    elif layer.operation == "depthwise_separable_conv":
        found = {"depthwise": (channels, 1, *kernel), "pointwise": (layer.channels, channels)}
    elif layer.operation == "locally_connected":
        shared = (layer.channels, channels, *kernel)
        sizes = conv_shape(input, shared, **attributes)[2:]
        bias = (layer.channels, *sizes)
        found = {"weight": (layer.channels, channels, *sizes, *kernel)}
    elif layer.operation == "linear":
        found = {"weight": (layer.channels, channels)}
    elif layer.operation == "batch_norm":
        found = dict.fromkeys((*STATISTICS, "scale", "shift"), (channels,))
    else:
        found = {}
    return {**found, "bias": bias} if layer.bias else found


def layer_multiply_adds(
    operation: str, parameters: Mapping[str, Shape], input: Shape, output: Shape
) -> int:
    """Products with a weight for one item of the batch.

    >>> layer_multiply_adds("linear", {"weight": (10, 84)}, (1, 84), (1, 10))
    840
    """
    if operation in ("conv", "depthwise_conv"):
        return prod(output[1:]) * prod(parameters["weight"][1:])
    if operation == "conv_transpose":
        return prod(input[1:]) * prod(parameters["weight"][1:])
    if operation == "depthwise_separable_conv":
        return prod(output[2:]) * (prod(parameters["depthwise"]) + prod(parameters["pointwise"]))
    if operation in ("linear", "locally_connected"):
        return prod(parameters["weight"])
    return 0

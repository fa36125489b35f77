"""The parameters of a network: their names and shapes, and random ones to start from."""

from __future__ import annotations

from math import prod

import numpy
from numpy.typing import DTypeLike

from convspec.arguments import Array, Shape
from convspec.network.layers import Network
from convspec.network.plan import plan


def parameter_shapes(network: Network, input: Shape | None = None) -> dict[str, Shape]:
    """The shape of every parameter, by the name of its step, a dot, and that of its operand.

    >>> from convspec.network.layers import conv
    >>> parameter_shapes(Network("example", (3, 8), (conv(4, 3, name="first"),)))
    {'first.weight': (4, 3, 3), 'first.bias': (4,)}
    """
    return {
        f"{step.name}.{operand}": shape
        for step in plan(network, input)
        for operand, shape in step.parameters.items()
    }


def initial(
    network: Network, generator: numpy.random.Generator, dtype: DTypeLike = "float32"
) -> dict[str, Array]:
    r"""Parameters to start from: weights normal with variance $2 / n$, where $n$ is the number of
    terms of each sum; biases, shifts and means 0; scales and variances 1.

    Source: He and others, arXiv:1502.01852, for layers that are followed by relu.
    """
    started = {}
    for step in plan(network):
        for operand, shape in step.parameters.items():
            if operand in ("bias", "shift", "mean"):
                value = numpy.zeros(shape, dtype)
            elif operand in ("scale", "variance"):
                value = numpy.ones(shape, dtype)
            else:
                terms = _terms(step.operation, shape)
                value = generator.standard_normal(shape) * numpy.sqrt(2 / terms)
            started[f"{step.name}.{operand}"] = value.astype(dtype)
    return started


def _terms(operation: str, shape: Shape) -> int:
    """How many products a weight's output sums up."""
    if operation == "conv_transpose":
        return prod(shape) // shape[1]
    if operation == "locally_connected":
        rank = (len(shape) - 2) // 2
        return shape[1] * prod(shape[2 + rank :])
    return prod(shape[1:])

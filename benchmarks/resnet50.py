"""ResNet-50 on one image of 224 by 224, by the fast twins and by PyTorch, on the same weights.

`compare` compares every layer: both compute it from the same input, and may differ by the rounding
bounds of both.  `network` times the whole forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy
import torch
from measuring import Row, ratio
from torch.nn import functional

from convspec import fast
from convspec.network import Network, Step, activations, forward, initial, plan
from convspec.network.architectures.resnet import resnet50_v1_5
from convspec.rounding import growth, unit_roundoff

U = unit_roundoff(24)


def random_parameters(network: Network, seed: int = 0) -> dict[str, Any]:
    """Weights as training starts, and statistics and shifts that are not 0 and 1."""
    generator = numpy.random.default_rng(seed)
    parameters = initial(network, generator)
    for name, value in parameters.items():
        if name.rpartition(".")[2] in ("mean", "variance", "scale", "shift", "bias"):
            drawn = generator.uniform(0.5, 1.5, value.shape)
            signed = generator.uniform(-0.5, 0.5, value.shape)
            positive = name.endswith(("variance", "scale"))
            parameters[name] = (drawn if positive else signed).astype(value.dtype)
    return parameters


def by_torch(step: Step, read: list[Any], parameters: list[Any]) -> Any:
    """A step as PyTorch's functions compute it."""
    x, given = read[0], step.attributes
    if step.operation == "conv":
        return functional.conv2d(x, *parameters, stride=given["stride"], padding=given["padding"])
    if step.operation == "batch_norm":
        return functional.batch_norm(x, *parameters, eps=given["epsilon"])
    if step.operation == "max_pool":
        return functional.max_pool2d(
            x, given["kernel_size"], stride=given["stride"], padding=given["padding"]
        )
    if step.operation == "softmax":
        return functional.softmax(x, dim=1)
    functions = {
        "relu": functional.relu,
        "add": torch.add,
        "adaptive_average_pool": lambda x: functional.adaptive_avg_pool2d(x, 1),
        "flatten": lambda x: x.flatten(1),
        "linear": functional.linear,
    }
    return functions[step.operation](*read, *parameters)


def torch_parameters(step: Step, parameters: dict[str, Any]) -> list[Any]:
    return [torch.from_numpy(parameters[f"{step.name}.{operand}"]) for operand in step.parameters]


def torch_forward(steps: tuple[Step, ...], weights: dict[str, list[Any]], input: Any) -> Any:
    """The whole network, every value kept, as the twins keep theirs."""
    values = {"input": input}
    for step in steps[1:]:
        values[step.name] = by_torch(step, [values[r] for r in step.reads], weights[step.name])
    return values[steps[-1].name]


def bound(step: Step, read: list[Any], parameters: dict[str, Any], value: Any) -> Any:
    """How far one float32 computation of a step may lie from its exact value.

    Sums of products by the theorem in `convspec.rounding`; a normalization, in whichever order, is
    at most 2^3 roundings of |gamma / s| (|x| + |mu|) + |beta|; an exponential is taken to be right
    within 2^4 roundings, and its argument is rounded once.
    """
    x = read[0].astype(numpy.float64)
    wide = {name: p.astype(numpy.float64) for name, p in parameters.items()}
    if step.operation == "conv":
        magnitude = fast.conv(abs(x), abs(wide["weight"]), **step.attributes)
        return growth(U, prod(wide["weight"].shape[1:])) * magnitude
    if step.operation == "linear":
        magnitude = abs(x) @ abs(wide["weight"]).T + abs(wide["bias"])
        return growth(U, x.shape[1] + 1) * magnitude
    if step.operation == "batch_norm":
        deviation = numpy.sqrt(wide["variance"] + step.attributes["epsilon"])
        slope, centre, shift = (
            v[:, None, None] for v in (wide["scale"] / deviation, wide["mean"], wide["shift"])
        )
        return growth(U, 2**3) * (abs(slope) * (abs(x) + abs(centre)) + abs(shift))
    if step.operation == "add":
        return U * abs(value.astype(numpy.float64)) * (1 + 2 * U)
    if step.operation == "adaptive_average_pool":
        return growth(U, prod(x.shape[2:]) + 2) * abs(x).mean(axis=(2, 3), keepdims=True)
    if step.operation == "softmax":
        fall = x.max(axis=1, keepdims=True) - x
        roundings = 2 * (2**4 + x.shape[1]) + fall.max()
        return growth(U, int(numpy.ceil(roundings))) * abs(value.astype(numpy.float64))
    return numpy.zeros(value.shape)


def compare(size: int = 224, batch: int = 1) -> dict[str, float]:
    """For every layer, the largest difference in units of what the two bounds allow together; 0
    where the layer rounds nothing and both agree, infinite where they do not.
    """
    network = resnet50_v1_5()
    parameters = random_parameters(network)
    shape = (batch, 3, size, size)
    image = numpy.random.default_rng(1).standard_normal(shape).astype(numpy.float32)
    values = activations(network, parameters, image)
    worst = {}
    for step in plan(network, image.shape[1:])[1:]:
        read = [values[name] for name in step.reads]
        tensors = [torch.from_numpy(x) for x in read]
        theirs = by_torch(step, tensors, torch_parameters(step, parameters)).numpy()
        ours = values[step.name]
        operands = {o: parameters[f"{step.name}.{o}"] for o in step.parameters}
        allowed = 2 * bound(step, read, operands, ours)
        difference = abs(ours.astype(numpy.float64) - theirs)
        with numpy.errstate(divide="ignore", invalid="ignore"):
            units = numpy.where(difference > 0, difference / allowed, 0)
        worst[step.name] = float(units.max()) if ours.shape == theirs.shape else float("inf")
    return worst


def network(size: int = 224) -> Iterator[Row]:
    """The whole forward pass of one image by the twins, over PyTorch's."""
    resnet = resnet50_v1_5()
    parameters = random_parameters(resnet)
    steps = plan(resnet, (3, size, size))
    image = numpy.random.default_rng(1).standard_normal((1, 3, size, size)).astype(numpy.float32)
    weights = {step.name: torch_parameters(step, parameters) for step in steps}
    tensor = torch.from_numpy(image)
    with torch.inference_mode():
        found = ratio(
            lambda: forward(resnet, parameters, image),
            lambda: torch_forward(steps, weights, tensor),
        )
    yield Row("network", f"ResNet-50, float32, one image of {size} by {size}, forward", found)

"""What certificates of ResNet-50 cost, over PyTorch's forward pass of the whole network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
import torch
from measuring import Row, ratio
from resnet50 import by_torch, random_parameters, torch_forward, torch_parameters

from convspec.case import Case, normalised
from convspec.network import plan
from convspec.network.architectures.resnet import resnet50_v1_5
from convspec.oracle.certificate.layer import Layer, certify

LARGEST_INPUT, LARGEST_WEIGHT = 15, 3


def certificates(size: int = 224) -> Iterator[Row]:
    """Every convolution and linear layer of one image, of real and of whole numbers."""
    network = resnet50_v1_5()
    steps = plan(network, (3, size, size))
    parameters = random_parameters(network)
    source = numpy.random.default_rng(1)
    image = torch.from_numpy(source.standard_normal((1, 3, size, size)).astype(numpy.float32))
    given = {step.name: torch_parameters(step, parameters) for step in steps}
    for kind in ("real", "whole"):
        with torch.inference_mode():
            layers = list(recorded(steps, given, image, source, whole=kind == "whole"))
            rng = numpy.random.default_rng(2)
            verdicts = {certify(layer, rng).verdict for layer in layers}
            if verdicts != {"certified"}:
                raise SystemExit(f"certificates of {kind} numbers: {verdicts}")
            found = ratio(
                lambda: [certify(layer, rng) for layer in layers],  # noqa: B023 - called at once
                lambda: torch_forward(steps, given, image),
            )
        what = f"certificate of ResNet-50, {size} by {size}, {kind} numbers, over a forward pass"
        yield Row(f"certificate, {kind} numbers", what, found)


def recorded(
    steps: object, given: object, image: object, source: numpy.random.Generator, *, whole: bool
) -> Iterator[Layer]:
    """The layers that projections judge, as PyTorch computes them; `whole` ones of whole numbers
    that float32 sums exactly.
    """
    values = {"input": image}
    for step in steps[1:]:
        read, weights = [values[name] for name in step.reads], given[step.name]
        values[step.name] = by_torch(step, read, weights)
        if step.operation not in ("conv", "linear"):
            continue
        if whole:
            read = [drawn(source, LARGEST_INPUT, x) for x in read]
            weights = [drawn(source, LARGEST_WEIGHT, w) for w in weights]
        operands = dict(
            zip(("input", *step.parameters), (x.numpy() for x in (*read, *weights)), strict=True)
        )
        shapes = {name: x.shape for name, x in operands.items()}
        call = normalised(step.operation, shapes, dict(step.attributes))
        output = by_torch(step, read, weights).numpy()
        yield Layer(step.name, Case(step.operation, operands, call), output)


def drawn(source: numpy.random.Generator, most: int, like: object) -> object:
    return torch.from_numpy(source.integers(-most, most + 1, like.shape).astype(numpy.float32))

"""What certificates of ResNet-50 cost, over PyTorch's forward pass of the whole network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy
import torch
from measuring import RUNS, Row, ratio
from resnet50 import by_torch, random_parameters, torch_forward, torch_parameters

from convspec.case import Case, normalised
from convspec.network import plan
from convspec.network.architectures.resnet import resnet50_v1_5
from convspec.operations import OPERATIONS
from convspec.oracle.certificate.layer import Layer, certify

LARGEST_INPUT, LARGEST_WEIGHT = 15, 3


def certificates(size: int = 224) -> Iterator[Row]:
    """Every layer of the network but the sums, which are no operation of convspec: convolutions and
    the linear layer projected, on real and on whole numbers, the others computed again.
    """
    network = resnet50_v1_5()
    steps = plan(network, (3, size, size))
    parameters = random_parameters(network)
    given = {step.name: torch_parameters(step, parameters) for step in steps}
    for batch, kind in product((1, 8), ("real", "whole")):
        source = numpy.random.default_rng(1)
        noise = source.standard_normal((batch, 3, size, size)).astype(numpy.float32)
        image = torch.from_numpy(noise)
        with torch.inference_mode():
            found = compared(steps, given, image, source, whole=kind == "whole")
        what = (
            f"certificate of ResNet-50, {size} by {size}, batch {batch}, {kind} numbers, over a "
            "forward pass"
        )
        yield Row(f"certificate, {kind} numbers", what, found)


def compared(
    steps: object, given: object, image: object, source: numpy.random.Generator, *, whole: bool
) -> float:
    """What the certificates of all layers cost, over a forward pass."""
    layers = list(recorded(steps, given, image, source, whole=whole))
    rng = numpy.random.default_rng(2)
    verdicts = Counter(certify(layer, rng).verdict for layer in layers)
    if verdicts.keys() != {"certified", "recomputed"}:
        raise SystemExit(f"certificates of ResNet-50: {verdicts}")
    return ratio(
        lambda: [certify(layer, rng) for layer in layers],
        lambda: torch_forward(steps, given, image),
        runs=2 * RUNS,
    )


def recorded(
    steps: object, given: object, image: object, source: numpy.random.Generator, *, whole: bool
) -> Iterator[Layer]:
    """The layers as PyTorch computes them; `whole` are those that are projected on whole numbers
    that float32 sums exactly.
    """
    values = {"input": image}
    for step in steps[1:]:
        read, weights = [values[name] for name in step.reads], given[step.name]
        output = values[step.name] = by_torch(step, read, weights)
        if step.operation not in OPERATIONS:
            continue
        if whole and step.operation in ("conv", "linear"):
            read = [drawn(source, LARGEST_INPUT, x) for x in read]
            weights = [drawn(source, LARGEST_WEIGHT, w) for w in weights]
            output = by_torch(step, read, weights)
        operands = dict(
            zip(("input", *step.parameters), (x.numpy() for x in (*read, *weights)), strict=True)
        )
        shapes = {name: x.shape for name, x in operands.items()}
        call = normalised(step.operation, shapes, dict(step.attributes))
        yield Layer(step.name, Case(step.operation, operands, call), output.numpy())


def drawn(source: numpy.random.Generator, most: int, like: object) -> object:
    return torch.from_numpy(source.integers(-most, most + 1, like.shape).astype(numpy.float32))

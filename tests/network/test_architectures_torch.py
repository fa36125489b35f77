"""Every layer of every architecture, built as a layer of PyTorch: shape, parameters, multiply-adds.

On PyTorch's device `meta`, which computes shapes and no numbers, so that the largest network takes
seconds.  Multiply-adds are half of what PyTorch's own counter of operations says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convspec.network import plan, totals
from convspec.network.architectures import ARCHITECTURES

torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

META: Any = {"device": "meta"}


def sliding(step: Any) -> dict[str, Any]:
    """Stride, padding and the like; PyTorch's words for padding allow no stride."""
    words = {"same_upper": "same"}
    kept = {name: step.attributes[name] for name in ("stride", "padding", "dilation", "groups")}
    return {**kept, "padding": words.get(kept["padding"], kept["padding"])}


def convolution(step: Any, x: Any) -> Any:
    weight = step.parameters["weight"]
    made = {"bias": "bias" in step.parameters, **META}
    return nn.Conv2d(x.shape[1], weight[0], weight[2:], **sliding(step), **made)


def depthwise(step: Any, x: Any) -> Any:
    return nn.Conv2d(x.shape[1], step.shape[1], 1, groups=x.shape[1], **META)


def separable(step: Any, x: Any) -> Any:
    kernel, depth = step.parameters["depthwise"][2:], x.shape[1]
    made = {"bias": False, **META}
    return nn.Sequential(
        nn.Conv2d(depth, depth, kernel, padding="same", groups=depth, **made),
        nn.Conv2d(depth, step.shape[1], 1, **made),
    )


def transposed(step: Any, x: Any) -> Any:
    weight = step.parameters["weight"]
    kept = {name: step.attributes[name] for name in ("stride", "padding", "output_padding")}
    made = {"bias": "bias" in step.parameters, **META}
    return nn.ConvTranspose2d(x.shape[1], weight[1], weight[2:], **kept, **made)


class Local(nn.Module):
    """A kernel for every position: no layer of PyTorch, which can lay windows out as columns."""

    def __init__(self, step: Any, x: Any) -> None:
        super().__init__()
        weight = step.parameters["weight"]
        self.shape, self.kernel, self.stride = step.shape, weight[4:], step.attributes["stride"]
        columns = x.shape[1] * self.kernel[0] * self.kernel[1]
        positions = step.shape[2] * step.shape[3]
        self.weight = nn.Parameter(torch.empty(step.shape[1], columns, positions, **META))
        self.bias = nn.Parameter(torch.empty(step.shape[1:], **META))

    def forward(self, x: Any) -> Any:
        columns = nn.functional.unfold(x, self.kernel, stride=self.stride)
        return torch.einsum("nkl,okl->nol", columns, self.weight).reshape(self.shape) + self.bias


def pool(step: Any, x: Any) -> Any:
    given = dict(step.attributes)
    if given.get("padding") == "same_upper":
        # TensorFlow's: ceil(n / s) windows, the odd position on the high side.
        total = (-(-x.shape[2] // given["stride"]) - 1) * given["stride"] + 3 - x.shape[2]
        low = total // 2
        padded = nn.ConstantPad2d((low, total - low) * 2, -torch.inf)
        return nn.Sequential(padded, nn.MaxPool2d(3, given["stride"]))
    if step.operation == "average_pool":
        return nn.AvgPool2d(**given)
    return nn.MaxPool2d(**given, return_indices=step.operation == "max_pool_with_indices")


class Pyramid(nn.Module):
    """The maxima of every level, one after the other."""

    def __init__(self, step: Any, x: Any) -> None:
        super().__init__()
        self.levels = step.attributes["levels"]

    def forward(self, x: Any) -> Any:
        levels = [nn.functional.adaptive_max_pool2d(x, level) for level in self.levels]
        return torch.cat([level.flatten(1) for level in levels], dim=1)


LAYERS: dict[str, Callable[[Any, Any], Any]] = {
    "conv": convolution,
    "depthwise_conv": depthwise,
    "depthwise_separable_conv": separable,
    "conv_transpose": transposed,
    "locally_connected": Local,
    "linear": lambda step, x: nn.Linear(x.shape[1], step.shape[1], **META),
    "batch_norm": lambda step, x: nn.BatchNorm2d(x.shape[1], **META).eval(),
    "local_response_normalization": lambda step, _: nn.LocalResponseNorm(**step.attributes),
    "max_pool": pool,
    "max_pool_with_indices": pool,
    "average_pool": pool,
    "adaptive_average_pool": lambda step, _: nn.AdaptiveAvgPool2d(step.attributes["output_size"]),
    "spatial_pyramid_pool": Pyramid,
    "flatten": lambda *_: nn.Flatten(),
    "relu": lambda *_: nn.ReLU(),
    "sigmoid": lambda *_: nn.Sigmoid(),
    "tanh": lambda *_: nn.Tanh(),
    "softmax": lambda *_: nn.Softmax(dim=1),
    "dropout": lambda step, _: nn.Dropout(step.attributes["rate"]),
}


def joined(step: Any, reads: list[Any]) -> Any:
    """What is no layer of PyTorch, and has no parameters."""
    x, given = reads[0], step.attributes
    if step.operation == "add":
        return sum(reads[1:], start=x)
    if step.operation == "concatenate":
        return torch.cat(reads, dim=1)
    if step.operation == "take":
        return x[:, list(given["channels"])]
    cut = [slice(given["offset"], given["offset"] + n) for n in reads[1].shape[2:]]
    return x[(..., *cut)]


def built(steps: Any) -> Any:
    """Of every step, its name, and PyTorch's shape, learnt parameters and multiply-adds."""
    values, indices = {"input": torch.empty(steps[0].shape, **META)}, {}
    for step in steps[1:]:
        reads = [values[name] for name in step.reads]
        count = 0
        with FlopCounterMode(display=False) as counter:
            if step.operation == "max_unpool":
                unpooled = nn.MaxUnpool2d(2)
                found = unpooled(reads[0], indices[step.reads[1]], step.attributes["output_size"])
            elif step.operation in LAYERS:
                layer = LAYERS[step.operation](step, reads[0])
                count = sum(parameter.numel() for parameter in layer.parameters())
                found = layer(reads[0])
            else:
                found = joined(step, reads)
        if isinstance(found, tuple):
            found, indices[step.name] = found
        values[step.name] = found
        yield step, tuple(found.shape), count, counter.get_total_flops() // 2


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_pytorchs_layers_have_the_same_shapes_and_counts(name):
    steps = plan(ARCHITECTURES[name]())
    parameters = 0
    for step, shape, count, multiply_adds in built(steps):
        assert shape == step.shape, step.name
        assert count == totals([step]).parameters, step.name
        assert multiply_adds == step.multiply_adds, step.name
        parameters += count
    assert parameters == totals(steps).parameters

"""The fast twins beside PyTorch: ResNet-50's dense layers, and one layer of every other kind."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from math import exp, log
from typing import Any

import numpy
import torch
from measuring import Row, ratio
from torch.nn import functional

from convspec import fast
from convspec.network import plan
from convspec.network.architectures.resnet import resnet50_v1_5

MEBIBYTE = 2**20
Geometry = tuple[tuple[int, ...], tuple[int, ...], int, int]

# Input and weight shapes, attributes, for one layer of every other kind.
OTHERS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, int]]] = {
    "depthwise": ((1, 128, 56, 56), (128, 1, 3, 3), {"padding": 1, "groups": 128}),
    "grouped": ((1, 256, 28, 28), (256, 8, 3, 3), {"padding": 1, "groups": 32}),
    "dilated": ((1, 128, 28, 28), (128, 128, 3, 3), {"padding": 2, "dilation": 2}),
    "strided": ((1, 64, 56, 56), (128, 64, 3, 3), {"padding": 1, "stride": 2}),
    "one axis": ((1, 64, 4096), (64, 64, 9), {"padding": 4}),
    "three axes": ((1, 16, 16, 28, 28), (32, 16, 3, 3, 3), {"padding": 1}),
}
CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def dense_layers() -> list[Geometry]:
    """The distinct geometries of ResNet-50's convolutions: input, weight, stride, padding."""
    steps = {step.name: step for step in plan(resnet50_v1_5())}
    found = {}
    for step in steps.values():
        if step.operation == "conv":
            weight = step.parameters["weight"]
            stride, padding = step.attributes["stride"], step.attributes["padding"]
            shape = steps[step.reads[0]].shape[1:]
            found[(shape, weight, stride, padding)] = True
    return list(found)


def arrays(*shapes: tuple[int, ...], dtype: str) -> list[Any]:
    source = numpy.random.default_rng(0)
    return [source.standard_normal(shape).astype(dtype) for shape in shapes]


def forward_ratio(x: Any, w: Any, attributes: dict[str, int]) -> float:
    a, b = torch.from_numpy(x), torch.from_numpy(w)
    conv = CONV[x.ndim - 2]
    with torch.inference_mode():
        return ratio(lambda: fast.conv(x, w, **attributes), lambda: conv(a, b, **attributes), 3)


def backward_ratio(x: Any, w: Any, attributes: dict[str, int]) -> float:
    """Both gradients, from the cotangent of the output."""
    rank = x.ndim - 2
    g = numpy.ones_like(fast.conv(x, w, **attributes))
    a, b, c = map(torch.from_numpy, (x, w, g))
    per_axis = [[attributes.get(name, least)] * rank for name, least in DEFAULTS]
    groups, transposed = attributes.get("groups", 1), False

    def theirs() -> object:
        return torch.ops.aten.convolution_backward(
            c, a, b, None, *per_axis, transposed, [0] * rank, groups, [True, True, False]
        )

    return ratio(lambda: fast.conv_vjp(g, x, w, **attributes), theirs, 3)


DEFAULTS = (("stride", 1), ("padding", 0), ("dilation", 1))
DIRECTIONS: dict[str, Callable[[Any, Any, dict[str, int]], float]] = {
    "forward": forward_ratio,
    "both gradients": backward_ratio,
}


def dense(batches: tuple[int, ...] = (1, 8)) -> Iterator[Row]:
    """Every dense layer, by geometric mean and worst."""
    for dtype in ("float32", "float64"):
        for batch in batches:
            for direction, measured in DIRECTIONS.items():
                ratios = {}
                for shape, weight, stride, padding in dense_layers():
                    x, w = arrays((batch, *shape), weight, dtype=dtype)
                    name = f"{'x'.join(map(str, shape))} by {'x'.join(map(str, weight))}/{stride}"
                    ratios[name] = measured(x, w, {"stride": stride, "padding": padding})
                mean = exp(sum(map(log, ratios.values())) / len(ratios))
                worst = max(ratios, key=lambda name: ratios[name])
                what = f"ResNet-50, {dtype}, batch {batch}, {direction}"
                yield Row("dense, mean", f"{what}: geometric mean of {len(ratios)} layers", mean)
                yield Row("dense, worst", f"{what}: worst, {worst}", ratios[worst])


def others() -> Iterator[Row]:
    """One layer of every other kind, in float32."""
    for name, (shape, weight, attributes) in OTHERS.items():
        x, w = arrays(shape, weight, dtype="float32")
        for direction, measured in DIRECTIONS.items():
            yield Row(name, f"{name}, {direction}", measured(x, w, attributes))
    x, w = arrays((1, 128, 28, 28), (128, 64, 4, 4), dtype="float32")
    a, b = torch.from_numpy(x), torch.from_numpy(w)
    with torch.inference_mode():
        transposed = ratio(
            lambda: fast.conv_transpose(x, w, stride=2, padding=1),
            lambda: functional.conv_transpose2d(a, b, stride=2, padding=1),
        )
        yield Row("transposed", "transposed, stride 2, forward", transposed)
        (x,) = arrays((1, 64, 112, 112), dtype="float32")
        a = torch.from_numpy(x)
        pools = {
            "max pool": (fast.max_pool, functional.max_pool2d),
            "average pool": (fast.average_pool, functional.avg_pool2d),
        }
        call = {"kernel_size": 3, "stride": 2}
        for name, (ours, theirs) in pools.items():
            found = ratio(lambda f=ours: f(x, **call), lambda f=theirs: f(a, **call))
            yield Row("pooling", f"{name}, 3 by 3, stride 2", found)


def scratch() -> Iterator[Row]:
    """The most memory that a call takes besides its results, over what it may take."""
    worst: tuple[float, str] = (0.0, "")
    for shape, weight, stride, padding in dense_layers():
        x, w = arrays((8, *shape), weight, dtype="float64")
        call = {"stride": stride, "padding": padding}
        g = numpy.ones_like(fast.conv(x, w, **call))
        for name, run in (
            ("forward", lambda: fast.conv(x, w, **call)),  # noqa: B023 - called at once
            ("both gradients", lambda: fast.conv_vjp(g, x, w, **call)),  # noqa: B023
        ):
            tracemalloc.start()
            result = run()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            kept = sum(y.nbytes for y in (result if isinstance(result, tuple) else (result,)))
            worst = max(worst, ((peak - kept) / (256 * MEBIBYTE), f"{name} of {shape} by {weight}"))
    yield Row("scratch of 256 MiB", f"scratch over 256 MiB: worst, {worst[1]}", worst[0])

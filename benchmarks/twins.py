"""The fast twins beside PyTorch and ONNX's reference evaluator: ResNet-50's dense layers, and one
layer of every other kind.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from math import exp, log
from typing import Any, NamedTuple

import numpy
import torch
from measuring import Row, fastest, ratio
from onnx.reference import ReferenceEvaluator
from torch.nn import functional

from convspec import fast
from convspec.adapters.onnx_reference import operations as evaluator
from convspec.convolution import conv_windows
from convspec.fast.convolution import grouped
from convspec.fast.products import turns
from convspec.network import plan
from convspec.network.architectures.resnet import resnet50_v1_5

MEBIBYTE = 2**20
EVALUATOR = f"ONNX's {ReferenceEvaluator.__name__}"
# How much faster than the evaluator the twins should be, and how much slower than PyTorch they may.
FASTER, SLOWER = 20, 1.2
Geometry = tuple[tuple[int, ...], tuple[int, ...], int, int]

# Input and weight shapes, attributes, for one layer of every other kind.
OTHERS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, int]]] = {
    "depthwise": ((1, 128, 56, 56), (128, 1, 3, 3), {"padding": 1, "groups": 128}),
    "grouped": ((1, 256, 28, 28), (256, 8, 3, 3), {"padding": 1, "groups": 32}),
    "dilated": ((1, 128, 28, 28), (128, 128, 3, 3), {"padding": 2, "dilation": 2}),
    "strided": ((1, 64, 56, 56), (128, 64, 3, 3), {"padding": 1, "stride": 2}),
    "one axis": ((1, 64, 4096), (64, 64, 9), {"padding": 4}),
    "three axes": ((1, 16, 16, 28, 28), (32, 16, 3, 3, 3), {"padding": 1}),
    "transposed": ((1, 128, 28, 28), (128, 64, 4, 4), {"padding": 1, "stride": 2}),
}
POOLED, POOL = (1, 64, 112, 112), {"kernel_size": 3, "stride": 2}
CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


class Rivals(NamedTuple):
    """One call in three hands."""

    ours: Callable[[], object]
    pytorch: Callable[[], object]
    evaluator: Callable[[], object]


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


def times(rivals: Rivals) -> tuple[float, float, float]:
    """The least of each: of the evaluator apart, whose copies would leave the caches cold for the
    others.
    """
    ours, pytorch = fastest(rivals.ours, rivals.pytorch)
    (evaluated,) = fastest(rivals.evaluator, runs=3)
    return ours, pytorch, evaluated


def per_axis(rank: int, attributes: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Attributes of a convolution, all of them, one entry an axis."""
    least = {"stride": 1, "padding": 0, "dilation": 1}
    return {name: (attributes.get(name, value),) * rank for name, value in least.items()}


def forward(x: Any, w: Any, attributes: dict[str, int], *, transposed: bool = False) -> Rivals:
    """A convolution, or a transposed one."""
    name = "conv_transpose" if transposed else "conv"
    ours, theirs = getattr(fast, name), getattr(evaluator, name)
    pytorch = functional.conv_transpose2d if transposed else CONV[x.ndim - 2]
    a, b = torch.from_numpy(x), torch.from_numpy(w)
    call: dict[str, Any] = {
        **per_axis(x.ndim - 2, attributes),
        "groups": attributes.get("groups", 1),
    }
    call["padding"] = tuple((size, size) for size in call["padding"])
    if transposed:
        call["output_padding"] = (0,) * (x.ndim - 2)
    return Rivals(
        lambda: ours(x, w, **attributes),
        torch.inference_mode()(lambda: pytorch(a, b, **attributes)),
        lambda: theirs(x, w, **call),
    )


def backward_ratio(
    x: Any, w: Any, attributes: dict[str, int], *, transposed: bool = False
) -> float:
    """Both gradients, from the cotangent of the output."""
    name = "conv_transpose" if transposed else "conv"
    g = numpy.ones_like(getattr(fast, name)(x, w, **attributes))
    a, b, c = map(torch.from_numpy, (x, w, g))
    rank, groups = x.ndim - 2, attributes.get("groups", 1)
    spread = map(list, per_axis(rank, attributes).values())
    call = (None, *spread, transposed, [0] * rank, groups, [True, True, False])
    return ratio(
        lambda: getattr(fast, f"{name}_vjp")(g, x, w, **attributes),
        lambda: torch.ops.aten.convolution_backward(c, a, b, *call),
        3,
    )


def back(x: Any, w: Any, attributes: dict[str, int]) -> str:
    """By which method a twin computes the gradient of its input."""
    sliding = conv_windows(x.shape, w.shape, **attributes)
    turned = turns(grouped(w, 0, attributes.get("groups", 1)), sliding, x[:, 0].size)
    return "by the turned kernel" if turned else "by columns added back"


def mean(ratios: list[float]) -> float:
    """Their geometric mean."""
    return exp(sum(map(log, ratios)) / len(ratios))


def dense(batches: tuple[int, ...] = (1, 8)) -> Iterator[Row]:
    """Every dense layer, by geometric mean and worst."""
    for dtype in ("float32", "float64"):
        for batch in batches:
            over: dict[str, dict[str, float]] = {"forward": {}, "both gradients": {}}
            reference: dict[str, list[float]] = {"ours": [], "PyTorch's": []}
            for shape, weight, stride, padding in dense_layers():
                x, w = arrays((batch, *shape), weight, dtype=dtype)
                name = f"{'x'.join(map(str, shape))} by {'x'.join(map(str, weight))}/{stride}"
                call = {"stride": stride, "padding": padding}
                ours, pytorch, evaluated = times(forward(x, w, call))
                over["forward"][name] = ours / pytorch
                over["both gradients"][name] = backward_ratio(x, w, call)
                reference["ours"].append(ours / evaluated)
                reference["PyTorch's"].append(pytorch / evaluated)
            of = f"ResNet-50, {dtype}, batch {batch}"
            for direction, ratios in over.items():
                what, worst = f"{of}, {direction}", max(ratios, key=lambda name: ratios[name])
                middle = f"{what}: geometric mean of {len(ratios)} layers"
                yield Row("dense, mean", middle, mean(list(ratios.values())))
                yield Row("dense, worst", f"{what}: worst, {worst}", ratios[worst])
            yield against_evaluator(of, *map(mean, reference.values()))


def against_evaluator(of: str, ours: float, pytorch: float) -> Row:
    """The twins over the evaluator, which computes with NumPy as well.

    They are to be `FASTER` times as fast.  Where PyTorch itself is not, they may be `SLOWER` than
    PyTorch, as everywhere.
    """
    what = f"{of}, forward, over {EVALUATOR}: geometric mean"
    most = max(1 / FASTER, SLOWER * pytorch)
    return Row("ONNX reference", what, ours, most, f" (PyTorch {pytorch:.3g})")


def others() -> Iterator[Row]:
    """One layer of every other kind, in float32, with the method of the twin."""
    for name, (shape, weight, attributes) in OTHERS.items():
        x, w = arrays(shape, weight, dtype="float32")
        transposed = name == "transposed"
        method = "by columns added back" if transposed else "by columns"
        yield from besides(
            name, f"{name}, forward, {method}", forward(x, w, attributes, transposed=transposed)
        )
        method = "by columns" if transposed else back(x, w, attributes)
        found = backward_ratio(x, w, attributes, transposed=transposed)
        yield Row(name, f"{name}, both gradients, {method}", found)
    yield from pools()


def besides(key: str, what: str, rivals: Rivals) -> Iterator[Row]:
    """A call over PyTorch's, and over the evaluator's."""
    ours, pytorch, evaluated = times(rivals)
    yield Row(key, what, ours / pytorch)
    beside = f" (PyTorch {pytorch / evaluated:.3g})"
    found = ours / evaluated
    yield Row(f"{key}, ONNX reference", f"{what}, over {EVALUATOR}", found, beside=beside)


def pools() -> Iterator[Row]:
    """Both pools.  PyTorch's gradient of the maximum needs indices, and includes finding them."""
    (x,) = arrays(POOLED, dtype="float32")
    a = torch.from_numpy(x)
    call: dict[str, Any] = {name: (size,) * 2 for name, size in POOL.items()}
    call |= {"padding": ((0, 0),) * 2, "ceil_mode": False}
    g = numpy.ones_like(fast.max_pool(x, **POOL))
    c = torch.from_numpy(g)
    kernel, stride, ceil, count_pad = [3, 3], [2, 2], False, True
    aten = torch.ops.aten

    def max_back() -> object:
        _, found = aten.max_pool2d_with_indices(a, kernel, stride)
        return aten.max_pool2d_with_indices_backward(
            c, a, kernel, stride, [0, 0], [1, 1], ceil, found
        )

    def average_back() -> object:
        return aten.avg_pool2d_backward(c, a, kernel, stride, [0, 0], ceil, count_pad, None)

    for name, pytorch, backward in (
        ("max", functional.max_pool2d, max_back),
        ("average", functional.avg_pool2d, average_back),
    ):
        ours, theirs = (getattr(side, f"{name}_pool") for side in (fast, evaluator))
        vjp = getattr(fast, f"{name}_pool_vjp")
        what = f"{name} pool, 3 by 3, stride 2"
        rivals = Rivals(
            lambda f=ours: f(x, **POOL),
            torch.inference_mode()(lambda f=pytorch: f(a, **POOL)),
            lambda f=theirs: f(x, **call),
        )
        yield from besides("pooling", f"{what}, forward, tap by tap", rivals)
        found = ratio(lambda f=vjp: f(g, x, **POOL), backward)
        yield Row("pooling", f"{what}, gradient, tap by tap", found)


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

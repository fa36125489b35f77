"""What a block of the scope is for each operation: the shapes and attributes of its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from convspec.arguments import Shape
from convspec.oracle.cases.scope import Block
from convspec.oracle.trials.trial import DRAWS
from convspec.window import Window, output_sizes

Geometry = tuple[dict[str, Any], dict[str, Any]]
Geometries = Callable[[Block], Iterator[Geometry]]

NORMS = (2, 1, 3, 1.5)
LEVELS = ((1,), (2,), (2, 1), (1, 2, 3), (4, 2, 1), (3, 5))
COORDINATES = ("half_pixel", "asymmetric", "align_corners")
# Numbers that are exact in every dtype, and those in use, which round.
RATES = (0.5, 0.1, 0.75, 0.3)
STRENGTHS = (0.5, 0.1, 1.0, 0.01)
EPSILONS = (1e-5, 1.0, 0.001, 0.5)
RESPONSES: tuple[dict[str, Any], ...] = (
    {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1.0},
    {"size": 3, "alpha": 1.0, "beta": 1.0, "k": 2.0},
    {"size": 2, "alpha": 0.5, "beta": 0.5, "k": 1.0},
    {"size": 4, "alpha": 0.1, "beta": 0.75, "k": 0.5},
)


def _each(block: Block, name: str) -> Shape:
    """One shared value an axis."""
    return tuple(axis[name] for axis in block.axes)


def _batch(block: Block) -> int:
    return 1 if block.call["single"] else DRAWS[len(block.axes)]


def _image(block: Block, channels: int) -> Shape:
    return (_batch(block), channels, *_each(block, "size"))


def _bias(block: Block, shape: Shape) -> dict[str, Shape]:
    return {"bias": shape} if block.call["bias"] else {}


def windows_of(block: Block) -> Iterator[tuple[Window, ...]]:
    """The windows of every case of a block."""
    ceil = bool(block.call.get("ceil", 0))
    axes = list(zip(_each(block, "kernel"), _each(block, "dilation"), strict=True))
    for slide in block.slides:
        yield tuple(
            Window(kernel, axis["stride"], axis["low"], axis["high"], dilation, ceil)
            for (kernel, dilation), axis in zip(axes, slide, strict=True)
        )


def _sliding(sliding: tuple[Window, ...], *names: str) -> dict[str, Any]:
    """Attributes of windows, by name."""
    all_of_them = {
        "kernel_size": tuple(w.kernel for w in sliding),
        "stride": tuple(w.stride for w in sliding),
        "padding": tuple((w.low, w.high) for w in sliding),
        "dilation": tuple(w.dilation for w in sliding),
    }
    return {name: all_of_them[name] for name in names}


_OF_CONV = ("stride", "padding", "dilation")


def depthwise(block: Block) -> Iterator[Geometry]:
    """`depthwise_conv`."""
    channels = block.call["channels"]
    outputs = channels * block.call["multiplier"]
    shapes = {"input": _image(block, channels), "weight": (outputs, 1, *_each(block, "kernel"))}
    for sliding in windows_of(block):
        yield {**shapes, **_bias(block, (outputs,))}, _sliding(sliding, *_OF_CONV)


def pointwise(block: Block) -> Iterator[Geometry]:
    """`pointwise_conv`."""
    inputs, outputs = block.call["inputs"], block.call["outputs"]
    shapes = {"input": _image(block, inputs), "weight": (outputs, inputs)}
    yield {**shapes, **_bias(block, (outputs,))}, {}


def depthwise_separable(block: Block) -> Iterator[Geometry]:
    """`depthwise_separable_conv`."""
    channels, outputs = block.call["channels"], block.call["outputs"]
    between = channels * block.call["multiplier"]
    shapes = {
        "input": _image(block, channels),
        "depthwise": (between, 1, *_each(block, "kernel")),
        "pointwise": (outputs, between),
    }
    for sliding in windows_of(block):
        yield {**shapes, **_bias(block, (outputs,))}, _sliding(sliding, *_OF_CONV)


def spatially_separable(block: Block) -> Iterator[Geometry]:
    """`spatially_separable_conv`."""
    factors = [(kernel,) for kernel in _each(block, "kernel")]
    shapes = {"input": _image(block, block.call["channels"]), "factors": factors}
    for sliding in windows_of(block):
        yield shapes, _sliding(sliding, "stride", "padding")


def unshared(block: Block) -> Iterator[Geometry]:
    """`locally_connected`."""
    inputs, outputs = block.call["inputs"], block.call["outputs"]
    for sliding in windows_of(block):
        sizes = output_sizes(_each(block, "size"), sliding)
        weight = (outputs, inputs, *sizes, *_each(block, "kernel"))
        shapes = {"input": _image(block, inputs), "weight": weight}
        yield {**shapes, **_bias(block, (outputs, *sizes))}, _sliding(sliding, *_OF_CONV)


def norm(block: Block) -> Iterator[Geometry]:
    """`lp_pool`."""
    for sliding in windows_of(block):
        attributes = _sliding(sliding, "kernel_size", *_OF_CONV)
        attributes |= {"ceil_mode": sliding[0].ceil, "p": NORMS[block.call["p"]]}
        yield {"input": _image(block, block.call["channels"])}, attributes


def nearness(block: Block) -> Iterator[Geometry]:
    """`distance_weighted_pool`."""
    for sliding in windows_of(block):
        attributes = _sliding(sliding, "kernel_size", "stride", "padding")
        yield {"input": _image(block, block.call["channels"])}, attributes


def adaptive(block: Block) -> Iterator[Geometry]:
    """`adaptive_max_pool` and `adaptive_average_pool`."""
    shapes = {"input": _image(block, block.call["channels"])}
    yield shapes, {"output_size": _each(block, "output")}


def pyramid(block: Block) -> Iterator[Geometry]:
    """`spatial_pyramid_pool`."""
    kind = "average" if block.call["average"] else "max"
    shapes = {"input": _image(block, block.call["channels"])}
    yield shapes, {"levels": LEVELS[block.call["levels"]], "kind": kind}


def unpool(block: Block) -> Iterator[Geometry]:
    """`max_unpool`."""
    shape = (_batch(block), block.call["channels"], *_each(block, "values"))
    sizes = _each(block, "output")
    if prod(sizes) < prod(shape[2:]):  # every value has a place of its own
        sizes = tuple(map(max, sizes, shape[2:]))
    yield {"values": shape, "indices": shape}, {"output_size": sizes}


def resize(block: Block) -> Iterator[Geometry]:
    """`upsample`."""
    attributes = {
        "scale": _each(block, "scale"),
        "kind": "linear" if block.call["linear"] else "nearest",
        "coordinates": COORDINATES[block.call["coordinates"]],
    }
    yield {"input": _image(block, block.call["channels"])}, attributes


def resized(block: Block) -> Iterator[Geometry]:
    """`resize_conv`."""
    inputs, outputs = block.call["inputs"], block.call["outputs"]
    shapes = {
        "input": _image(block, inputs),
        "weight": (outputs, inputs, *_each(block, "kernel")),
        **_bias(block, (outputs,)),
    }
    padding = tuple(zip(_each(block, "low"), _each(block, "high"), strict=True))
    kind = "linear" if block.call["linear"] else "nearest"
    yield shapes, {"scale": _each(block, "scale"), "kind": kind, "padding": padding}


def zeros(block: Block) -> Iterator[Geometry]:
    """`insert_zeros`."""
    shapes = {"input": _image(block, block.call["channels"])}
    yield shapes, {"count": _each(block, "count")}


def pixels(block: Block) -> Iterator[Geometry]:
    """`pixel_shuffle`."""
    factor = _each(block, "scale")
    yield {"input": _image(block, block.call["channels"] * prod(factor))}, {"factor": factor}


def dense(block: Block) -> Iterator[Geometry]:
    """`linear`: the size of the one axis is that of the batch."""
    inputs, outputs = block.call["inputs"], block.call["outputs"]
    batch = 1 if block.call["single"] else block.axes[0]["size"]
    yield {"input": (batch, inputs), "weight": (outputs, inputs), **_bias(block, (outputs,))}, {}


def losses(block: Block) -> Iterator[Geometry]:
    """`cross_entropy`: as `linear`, of as many classes as channels."""
    batch = 1 if block.call["single"] else block.axes[0]["size"]
    yield {"logits": (batch, block.call["channels"]), "labels": (batch,)}, {}


def elements(attributes: Callable[[Block], dict[str, Any]], *operands: str) -> Geometries:
    """Operations on an image of any number of channels, with further operands of its shape or,
    after an empty name, of one number a channel.
    """

    def geometry(block: Block) -> Iterator[Geometry]:
        image = _image(block, block.call["channels"])
        split = operands.index("") if "" in operands else len(operands)
        shapes = dict.fromkeys(operands[:split], image)
        yield {**shapes, **dict.fromkeys(operands[split + 1 :], image[1:2])}, attributes(block)

    return geometry


def chosen(name: str, values: tuple[Any, ...]) -> Callable[[Block], dict[str, Any]]:
    """An attribute that takes one of four values."""
    return lambda block: {name: values[block.call["setting"]]}


def axis(block: Block) -> dict[str, Any]:
    """The axis of a `softmax`."""
    return {"axis": (1, 0, len(block.axes) + 1, 1)[block.call["setting"]]}


def response(block: Block) -> dict[str, Any]:
    """The attributes of a `local_response_normalization`."""
    return RESPONSES[block.call["setting"]]


def nothing(_: Block) -> dict[str, Any]:
    """No attribute at all."""
    return {}


RECIPES: dict[str, tuple[tuple[str, ...], Geometries]] = {
    "depthwise_conv": (("depthwise",), depthwise),
    "pointwise_conv": (("positions",), pointwise),
    "depthwise_separable_conv": (("separable",), depthwise_separable),
    "spatially_separable_conv": (("factored",), spatially_separable),
    "locally_connected": (("unshared",), unshared),
    "lp_pool": (("norm", "norm_ceil"), norm),
    "distance_weighted_pool": (("nearness",), nearness),
    "adaptive_max_pool": (("adaptive",), adaptive),
    "adaptive_average_pool": (("adaptive",), adaptive),
    "spatial_pyramid_pool": (("pyramid",), pyramid),
    "max_unpool": (("unpool",), unpool),
    "upsample": (("resize",), resize),
    "resize_conv": (("resize_conv",), resized),
    "insert_zeros": (("zeros",), zeros),
    "pixel_shuffle": (("pixels",), pixels),
    "linear": (("dense",), dense),
    "flatten": (("elements",), elements(nothing, "input")),
    "relu": (("elements",), elements(nothing, "input")),
    "sigmoid": (("elements",), elements(nothing, "input")),
    "tanh": (("elements",), elements(nothing, "input")),
    "softmax": (("elements",), elements(axis, "input")),
    "dropout": (("elements",), elements(chosen("rate", RATES), "input", "mask")),
    "cross_entropy": (("elements",), losses),
    "l2_penalty": (("elements",), elements(chosen("strength", STRENGTHS), "weight")),
    "batch_norm": (
        ("elements",),
        elements(chosen("epsilon", EPSILONS), "input", "", "mean", "variance", "scale", "shift"),
    ),
    "local_response_normalization": (("elements",), elements(response, "input")),
}
# Operations without a spatial axis: one axis of the scope is all that they have.
FLAT = ("linear", "cross_entropy")

"""A plain call of each operation on an image of any size: what thresholds, special values and
rounding are tried on, where an operation has no geometries of its own for them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from convspec.arguments import Shape
from convspec.window import Window, output_sizes

Geometry = tuple[dict[str, Any], dict[str, Any]]
Sample = Callable[[int, Shape], Geometry]

BATCH = 2
# One axis of three taps, padded by one: no size changes.
KERNEL, PADDING = 3, 1


def _image(channels: int, spatial: Shape) -> Shape:
    return (BATCH, channels, *spatial)


def _kernel(spatial: Shape) -> Shape:
    return (KERNEL,) * len(spatial)


def _padded(channels: int, spatial: Shape, **others: Any) -> Geometry:
    return {"input": _image(channels, spatial), **others}, {"padding": PADDING}


def _depthwise(channels: int, spatial: Shape) -> Geometry:
    weight = (2 * channels, 1, *_kernel(spatial))
    return _padded(channels, spatial, weight=weight, bias=(2 * channels,))


def _pointwise(channels: int, spatial: Shape) -> Geometry:
    shapes = {"input": _image(channels, spatial), "weight": (5, channels), "bias": (5,)}
    return shapes, {}


def _separable(channels: int, spatial: Shape) -> Geometry:
    depthwise, pointwise = (channels, 1, *_kernel(spatial)), (5, channels)
    return _padded(channels, spatial, depthwise=depthwise, pointwise=pointwise, bias=(5,))


def _factored(channels: int, spatial: Shape) -> Geometry:
    return _padded(channels, spatial, factors=[(k,) for k in _kernel(spatial)])


def _unshared(channels: int, spatial: Shape) -> Geometry:
    sizes = output_sizes(spatial, [Window(KERNEL, 1, PADDING, PADDING)] * len(spatial))
    weight = (2, channels, *sizes, *_kernel(spatial))
    return _padded(channels, spatial, weight=weight, bias=(2, *sizes))


def _pool(channels: int, spatial: Shape) -> Geometry:
    attributes = {"kernel_size": KERNEL, "stride": 2, "padding": PADDING}
    return {"input": _image(channels, spatial)}, attributes


def _adaptive(channels: int, spatial: Shape) -> Geometry:
    return {"input": _image(channels, spatial)}, {"output_size": min(3, *spatial)}


def _pyramid(channels: int, spatial: Shape) -> Geometry:
    return {"input": _image(channels, spatial)}, {"levels": (2, 1), "kind": "average"}


def _unpool(channels: int, spatial: Shape) -> Geometry:
    image = _image(channels, spatial)
    return {"values": image, "indices": image}, {"output_size": tuple(2 * n for n in spatial)}


def _enlarged(channels: int, spatial: Shape) -> Geometry:
    return {"input": _image(channels, spatial)}, {"scale": 3, "kind": "linear"}


def _resized(channels: int, spatial: Shape) -> Geometry:
    weight = (2, channels, *_kernel(spatial))
    shapes, attributes = _padded(channels, spatial, weight=weight, bias=(2,))
    return shapes, {**attributes, "scale": 2, "kind": "linear"}


def _linear(channels: int, spatial: Shape) -> Geometry:
    inputs = channels * prod(spatial)
    return {"input": (BATCH, inputs), "weight": (3, inputs), "bias": (3,)}, {}


def _loss(channels: int, spatial: Shape) -> Geometry:
    classes = channels * prod(spatial)
    return {"logits": (3, classes), "labels": (3,)}, {}


def _normalized(channels: int, spatial: Shape) -> Geometry:
    statistics: dict[str, Any] = dict.fromkeys(("mean", "variance", "scale", "shift"), (channels,))
    return {"input": _image(channels, spatial), **statistics}, {"epsilon": 1e-5}


def _elements(*names: str, **attributes: Any) -> Sample:
    return lambda channels, spatial: (dict.fromkeys(names, _image(channels, spatial)), attributes)


def _pixels(channels: int, spatial: Shape) -> Geometry:
    return {"input": _image(channels * 2 ** len(spatial), spatial)}, {"factor": 2}


SAMPLES: dict[str, Sample] = {
    "depthwise_conv": _depthwise,
    "pointwise_conv": _pointwise,
    "depthwise_separable_conv": _separable,
    "spatially_separable_conv": _factored,
    "locally_connected": _unshared,
    "lp_pool": _pool,
    "distance_weighted_pool": _pool,
    "adaptive_max_pool": _adaptive,
    "adaptive_average_pool": _adaptive,
    "spatial_pyramid_pool": _pyramid,
    "max_unpool": _unpool,
    "upsample": _enlarged,
    "resize_conv": _resized,
    "insert_zeros": _elements("input", count=1),
    "pixel_shuffle": _pixels,
    "linear": _linear,
    "flatten": _elements("input"),
    "relu": _elements("input"),
    "sigmoid": _elements("input"),
    "tanh": _elements("input"),
    "softmax": _elements("input", axis=1),
    "dropout": _elements("input", "mask", rate=0.1),
    "cross_entropy": _loss,
    "l2_penalty": _elements("weight", strength=0.1),
    "batch_norm": _normalized,
    "local_response_normalization": _elements("input", size=5, alpha=1.0, beta=0.75, k=2.0),
}

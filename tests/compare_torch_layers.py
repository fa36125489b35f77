"""The samples of PyTorch's OpInfo for resizing, other pools, layers, activations, norms and losses,
as calls of ours.

A table from OpInfo's name to a function that spells a sample as ours: the operation, its operands
and its attributes, or None where the spec has no such option.  A sample without a batch axis gets
one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tests.compare_layers import Call

Sampled = Callable[[Any], Call | None]
COORDINATES = {None: "half_pixel", False: "half_pixel", True: "align_corners"}


def array(tensor: Any) -> Any:
    """A tensor as an array."""
    return tensor.detach().numpy()


def _batched(image: Any, rank: int) -> Any:
    """An image with its batch axis."""
    return image[None] if image.ndim == rank + 1 else image


def _elementwise(operation: str) -> Sampled:
    return lambda sample: (operation, [array(sample.input)], {})


def _adaptive(operation: str, rank: int) -> Sampled:
    def call(sample: Any) -> Call:
        names = ("output_size", "return_indices")
        given = {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}
        asked = given["output_size"]
        x = _batched(array(sample.input), rank)
        sizes = asked if isinstance(asked, tuple | list) else (asked,) * rank
        sizes = [n if o is None else o for o, n in zip(sizes, x.shape[2:], strict=True)]
        return operation, [x], {"output_size": sizes}

    return call


def _unpool(rank: int) -> Sampled:
    def call(sample: Any) -> Call:
        names = ("indices", "kernel_size", "stride", "padding", "output_size")
        given = {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}
        values = _batched(array(sample.input), rank)
        kernel, stride, padding = (
            numpy.broadcast_to(value, (rank,))
            for value in (
                given["kernel_size"],
                given["kernel_size"] if given.get("stride") is None else given["stride"],
                given.get("padding", 0),
            )
        )
        implied = (numpy.array(values.shape[2:]) - 1) * stride - 2 * padding + kernel
        size = given.get("output_size")
        size = implied if size is None else size[-rank:]
        indices = _batched(array(given["indices"]), rank)
        return "max_unpool", [values, indices], {"output_size": tuple(map(int, size))}

    return call


def _softmax(sample: Any) -> Call | None:
    axis = sample.args[0] if sample.args else sample.kwargs.get("dim")
    if axis is None or sample.kwargs.get("dtype") is not None:
        return None
    return "softmax", [array(sample.input)], {"axis": axis}


def _linear(sample: Any) -> Call:
    return "linear", [array(sample.input), *map(array, sample.args)], {}


def _batch_norm(sample: Any) -> Call | None:
    """At inference, with statistics; a scale and a shift that are not given are 1 and 0."""
    names = ("mean", "variance", "weight", "bias", "training", "momentum", "eps")
    given = {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}
    if given.get("training") or given.get("mean") is None:
        return None
    mean, variance = array(given["mean"]), array(given["variance"])
    scale = numpy.ones_like(mean) if given.get("weight") is None else array(given["weight"])
    shift = numpy.zeros_like(mean) if given.get("bias") is None else array(given["bias"])
    operands = [array(sample.input), mean, variance, scale, shift]
    return "batch_norm", operands, {"epsilon": given.get("eps", 1e-5)}


def _response(sample: Any) -> Call:
    names = ("size", "alpha", "beta", "k")
    given = {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}
    attributes = {"alpha": 1e-4, "beta": 0.75, "k": 1.0, **given}
    return "local_response_normalization", [array(sample.input)], attributes


def _loss(sample: Any) -> Call | None:
    given = sample.kwargs
    plain = given.get("reduction", "mean") == "mean" and not given.get("label_smoothing")
    labels = sample.args[0]
    special = given.get("weight") is not None or given.get("ignore_index", -100) != -100
    if special or not plain or sample.input.ndim != 2 or labels.is_floating_point():
        return None
    return "cross_entropy", [array(sample.input), array(labels)], {}


def _shuffle(sample: Any) -> Call | None:
    factor = sample.args[0] if sample.args else sample.kwargs["upscale_factor"]
    return "pixel_shuffle", [_batched(array(sample.input), 2)], {"factor": factor}


def _interpolate(sample: Any) -> Call | None:
    """Enlarging a whole number of times, by nearest or linearly."""
    names = ("size", "scale_factor", "mode", "align_corners")
    given = {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}
    x, mode = array(sample.input), given.get("mode", "nearest")
    kind = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear"}
    asked = given.get("scale_factor")
    if asked is None:
        asked = numpy.broadcast_to(given["size"], (x.ndim - 2,)) / numpy.array(x.shape[2:])
    scale = numpy.broadcast_to(asked, (x.ndim - 2,))
    if mode not in kind or (scale % 1).any() or not scale.all():
        return None
    attributes = {
        "scale": tuple(map(int, scale)),
        "kind": kind[mode],
        "coordinates": COORDINATES[given.get("align_corners")],
    }
    return "upsample", [x], attributes


def _flatten(sample: Any) -> Call | None:
    names = ("start_dim", "end_dim")
    given = {**dict(zip(names, sample.args, strict=False)), **sample.kwargs}
    whole = given.get("start_dim", 0) == 1 and given.get("end_dim", -1) in (
        -1,
        sample.input.ndim - 1,
    )
    return ("flatten", [array(sample.input)], {}) if whole else None


RANKS = (1, 2, 3)
TORCH_CALLS: dict[str, Sampled] = {
    "relu": _elementwise("relu"),
    "sigmoid": _elementwise("sigmoid"),
    "tanh": _elementwise("tanh"),
    "softmax": _softmax,
    "linear": _linear,
    "batch_norm": _batch_norm,
    "local_response_norm": _response,
    "cross_entropy": _loss,
    "pixel_shuffle": _shuffle,
    "interpolate": _interpolate,
    "flatten": _flatten,
    **{f"adaptive_avg_pool{r}d": _adaptive("adaptive_average_pool", r) for r in RANKS},
    **{f"adaptive_max_pool{r}d": _adaptive("adaptive_max_pool", r) for r in RANKS},
    **{f"max_unpool{r}d": _unpool(r) for r in RANKS},
}

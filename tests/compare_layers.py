"""The samples of ONNX and PyTorch for resizing, other pools, layers, activations, norms and losses,
as calls of ours.

A table from each suite's name of an operator to a function that spells its samples as ours: the
operation, its operands and its attributes, or None where the spec has no such option.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

Call = tuple[str, list[Any], dict[str, Any]]
Given = dict[str, Any]


def _lp_pool(inputs: Sequence[Any], given: Given, _: Any) -> Call:
    rank = inputs[0].ndim - 2
    pads = given.get("pads", [0] * 2 * rank)
    words = {b"SAME_UPPER": "same_upper", b"SAME_LOWER": "same_lower"}
    word = words.get(given.get("auto_pad", b"NOTSET"))
    attributes = {
        "p": given.get("p", 2),
        "kernel_size": given["kernel_shape"],
        "stride": given.get("strides", 1),
        "dilation": given.get("dilations", 1),
        "padding": word or list(zip(pads[:rank], pads[rank:], strict=True)),
        "ceil_mode": bool(given.get("ceil_mode", 0)),
    }
    return "lp_pool", [inputs[0]], attributes


def _max_unpool(inputs: Sequence[Any], given: Given, _: Any) -> Call:
    values, indices = inputs[:2]
    steps = zip(values.shape[2:], given["strides"], given["kernel_shape"], strict=True)
    implied = [(n - 1) * s + k for n, s, k in steps]
    return "max_unpool", [values, indices.astype(int)], {"output_size": implied}


def _resize(inputs: Sequence[Any], given: Given, due: Any) -> Call | None:
    """Enlarging a whole number of times: by nearest as ONNX has it by default, which at whole
    scales reads floor(i / s), or linearly in one of the three coordinates.
    """
    pairs = list(zip(inputs[0].shape, due.shape, strict=True))
    kind = given.get("mode", b"nearest")
    coordinates = given.get("coordinate_transformation_mode", b"half_pixel")
    known = {
        b"nearest": (b"half_pixel",) if "nearest_mode" not in given else (),
        b"linear": (b"half_pixel", b"asymmetric", b"align_corners"),
    }
    whole = all(m % n == 0 for n, m in pairs) and inputs[0].shape[:2] == due.shape[:2]
    if not whole or coordinates not in known.get(kind, ()):
        return None
    scale = [m // n for n, m in pairs[2:]]
    attributes = {"scale": scale, "kind": kind.decode(), "coordinates": coordinates.decode()}
    return "upsample", [inputs[0]], attributes


def _depth_to_space(inputs: Sequence[Any], given: Given, _: Any) -> Call:
    """DCR keeps the channel last in its block, and is a pixel shuffle of permuted channels."""
    x, factor = inputs[0], given["blocksize"]
    if given.get("mode", b"DCR") == b"DCR":
        blocks = x.reshape(len(x), factor * factor, -1, *x.shape[2:])
        x = blocks.swapaxes(1, 2).reshape(x.shape)
    return "pixel_shuffle", [x], {"factor": factor}


def _batch_normalization(inputs: Sequence[Any], given: Given, _: Any) -> Call | None:
    if given.get("training_mode", 0):
        return None
    x, scale, shift, mean, variance = inputs
    attributes = {"epsilon": given.get("epsilon", 1e-5)}
    return "batch_norm", [x, mean, variance, scale, shift], attributes


def _lrn(inputs: Sequence[Any], given: Given, _: Any) -> Call:
    attributes = {
        "size": given["size"],
        "alpha": given.get("alpha", 1e-4),
        "beta": given.get("beta", 0.75),
        "k": given.get("bias", 1.0),
    }
    return "local_response_normalization", [inputs[0]], attributes


def _dropout(inputs: Sequence[Any], _given: Given, _: Any) -> Call | None:
    """At inference, where everything is kept."""
    if len(inputs) == 3 and inputs[2]:
        return None
    return "dropout", [inputs[0], numpy.ones(inputs[0].shape, int)], {"rate": 0}


def _gemm(inputs: Sequence[Any], given: Given, due: Any) -> Call | None:
    """A dense layer, where nothing is scaled and the bias is the same for all rows."""
    factors = (given.get("alpha", 1.0), given.get("beta", 1.0))
    x, weight, *bias = inputs
    x = x.T if given.get("transA", 0) else x
    weight = weight if given.get("transB", 0) else weight.T
    if factors != (1.0, 1.0) or any(b.size != due.shape[1] for b in bias):
        return None
    return "linear", [x, weight, *(b.reshape(-1) for b in bias)], {}


def _loss(inputs: Sequence[Any], given: Given, _: Any) -> Call | None:
    plain = given.get("reduction", b"mean") == b"mean" and "ignore_index" not in given
    if len(inputs) > 2 or inputs[0].ndim != 2 or not plain:
        return None
    return "cross_entropy", list(inputs), {}


def _alone(operation: str, **attributes: Any) -> Callable[..., Call]:
    """The operation of the first input, with these attributes."""
    return lambda inputs, _given, _due: (operation, [inputs[0]], dict(attributes))


ONNX_CALLS: dict[str, Callable[[Sequence[Any], Given, Any], Call | None]] = {
    "LpPool": _lp_pool,
    "GlobalAveragePool": _alone("adaptive_average_pool", output_size=1),
    "GlobalMaxPool": _alone("adaptive_max_pool", output_size=1),
    "MaxUnpool": _max_unpool,
    "Resize": _resize,
    "DepthToSpace": _depth_to_space,
    "BatchNormalization": _batch_normalization,
    "LRN": _lrn,
    "Dropout": _dropout,
    "Gemm": _gemm,
    "SoftmaxCrossEntropyLoss": _loss,
    "Relu": _alone("relu"),
    "Sigmoid": _alone("sigmoid"),
    "Tanh": _alone("tanh"),
    "Softmax": lambda inputs, given, _: ("softmax", [inputs[0]], {"axis": given.get("axis", -1)}),
    "Flatten": lambda inputs, given, _: (
        ("flatten", [inputs[0]], {}) if given.get("axis", 1) == 1 else None
    ),
}

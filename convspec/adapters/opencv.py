"""OpenCV: its module `dnn`, which reads an ONNX model of each geometry, and `filter2D`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import trunc
from typing import Any

import cv2
import numpy
from onnx import helper

from convspec.adapters.onnx_models import implementation
from convspec.arguments import Array

_LACKING = "only 4D (N,C,H,W) inputs supported"


def _output_sizes(model: Any) -> list[int]:
    """The sizes of a layer's output as OpenCV computes them, whose division truncates towards zero;
    where there are entries too many for the axes, those of the axes.
    """
    (node,) = model.graph.node
    given = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    shapes = [
        [size.dim_value for size in entry.type.tensor_type.shape.dim] for entry in model.graph.input
    ]
    input = shapes[0][2:]
    kernel = given["kernel_shape"] if len(shapes) == 1 else shapes[1][2:]
    once, none = (1,) * len(input), (0,) * len(input)
    stride, dilation = given.get("strides", once), given.get("dilations", once)
    pads, more = given.get("pads", 2 * none), given.get("output_padding", none)
    padding = map(sum, zip(pads, pads[len(input) :], strict=False))
    axes = zip(input, kernel, stride, dilation, padding, more, strict=False)
    if node.op_type == "ConvTranspose":
        return [(n - 1) * s - p + d * (k - 1) + 1 + extra for n, k, s, d, p, extra in axes]
    up = given.get("ceil_mode", 0)
    # Stride 0 divides by zero before anything is written.
    return [
        trunc((n + p - d * (k - 1) - 1 + up * (s - 1)) / s) + 1 for n, k, s, d, p, _ in axes if s
    ]


def _refuse_negative(model: Any) -> None:
    """Stop what would harm this process: for an output of a negative size OpenCV allocates a
    negative number of bytes, and writes beyond them.  docs/defects.md has programs that show it.
    """
    sizes = _output_sizes(model)
    if any(size < 0 for size in sizes):
        raise ValueError(f"an output of sizes {sizes}: OpenCV would write beyond its memory")


def _prepare(model: Any) -> Callable[[list[Array]], Sequence[Array]]:
    _refuse_negative(model)
    net = cv2.dnn.readNetFromONNX(numpy.frombuffer(model.SerializeToString(), numpy.uint8))
    inputs = [entry.name for entry in model.graph.input]
    names = [entry.name for entry in model.graph.output]

    def run(arrays: list[Array]) -> Sequence[Array]:
        for name, array in zip(inputs, arrays, strict=True):
            net.setInput(array, name)
        try:
            outputs: Sequence[Array] = net.forward(names)
        except cv2.error as error:
            if _LACKING in str(error):
                reason = "OpenCV finds indices of maxima in two dimensions alone"
                raise NotImplementedError(reason) from error
            raise
        return outputs

    return run


def correlate(f: Array, g: Array, mode: str = "full") -> Any:
    """`cv2.filter2D` with zeros outside."""
    if mode in ("full", "valid"):
        raise NotImplementedError("cv2.filter2D keeps the size of its first operand: mode same")
    if mode != "same":
        raise ValueError(f"mode={mode!r}: must be 'full', 'same' or 'valid'")
    if f.ndim != 2:
        raise NotImplementedError("cv2.filter2D takes two axes")
    return cv2.filter2D(f, -1, g, borderType=cv2.BORDER_CONSTANT)


operations = implementation(
    _prepare, name="opencv", version=cv2.__version__, dtypes=("float32",), isolate=True
)
operations.correlate = correlate

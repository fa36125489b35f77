"""OpenCV: its module `dnn`, which reads an ONNX model of each geometry, and `filter2D`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy

from convspec.adapters.onnx_models import implementation
from convspec.arguments import Array

_LACKING = "only 4D (N,C,H,W) inputs supported"


def _refuse_negative(pads: Sequence[int]) -> None:
    """Stop what would harm this process: a pool whose negative padding leaves no room for a window
    writes over memory that is no part of it.  docs/defects.md has the program that shows it.
    """
    if any(amount < 0 for amount in pads):
        raise ValueError(f"pads={list(pads)}: OpenCV would write beyond its memory")


def _prepare(model: Any) -> Callable[[list[Array]], Sequence[Array]]:
    (node,) = model.graph.node
    if node.op_type in ("MaxPool", "AveragePool"):
        _refuse_negative(next((a.ints for a in node.attribute if a.name == "pads"), ()))
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

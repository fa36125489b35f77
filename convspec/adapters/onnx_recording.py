"""Recording what an ONNX model computes, for `convspec certify`.

    from convspec.adapters.onnx_recording import record

    record(onnx.load("model.onnx"), {"images": images}, "recording", run)

Every value inside the model is made an output of it; `run(model, feeds)` is what is judged, and
returns the outputs, as `onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)`
does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
from onnx import helper, numpy_helper

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.certificate.layer import Layer
from convspec.oracle.certificate.recording import write_recording

Run = Callable[[Any, dict[str, Array]], Sequence[Array]]
Call = tuple[str, tuple[str, ...], dict[str, Any]]


def record(model: Any, feeds: Mapping[str, Array], directory: str | Path, run: Run) -> None:
    """Run a model on its inputs by name and record its layers in a directory.

    Raises `OSError` where the directory cannot be written or is not empty.
    """
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    names = [name for node in opened.graph.node for name in node.output if name]
    del opened.graph.output[:]
    opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    values: dict[str, Array] = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in opened.graph.initializer
    }
    values |= feeds
    values |= dict(zip(names, run(opened, dict(feeds)), strict=True))
    layers, left_out = [], []
    for number, node in enumerate(opened.graph.node, start=1):
        name = node.name or f"node {number}"
        call = _call(node, values)
        if call is None:
            left_out.append(f"{name}: {node.op_type}")
            continue
        operation, operands, attributes = call
        arrays = {
            operand: numpy.asarray(values[source])
            for operand, source in zip(operands, node.input, strict=False)
            if source
        }
        output = numpy.asarray(values[node.output[0]])
        layers.append(Layer(name, Case(operation, arrays, attributes), output))
    source = f"ONNX model {opened.graph.name}, operator set {opened.opset_import[0].version}"
    write_recording(Path(directory), layers, source=source, left_out=left_out)


def _call(node: Any, values: dict[str, Array]) -> Call | None:
    """The operation of a node with its operands and attributes; None where there is none."""
    if node.domain or any(name and name not in values for name in node.input):
        return None
    given = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    if given.pop("auto_pad", b"NOTSET") != b"NOTSET":
        return None
    made = _CALLS.get(node.op_type)
    return None if made is None else made(given, values[node.input[0]])


_WEIGHTED = ("input", "weight", "bias")


def _sliding(given: dict[str, Any], x: Array) -> dict[str, Any]:
    rank = x.ndim - 2
    pads = given.get("pads", [0] * 2 * rank)
    return {
        "stride": given.get("strides", [1] * rank),
        "padding": list(zip(pads[:rank], pads[rank:], strict=True)),
        "dilation": given.get("dilations", [1] * rank),
    }


def _conv(given: dict[str, Any], x: Array) -> Call:
    return "conv", _WEIGHTED, {**_sliding(given, x), "groups": given.get("group", 1)}


def _conv_transpose(given: dict[str, Any], x: Array) -> Call | None:
    if "output_shape" in given:
        return None
    extended = given.get("output_padding", [0] * (x.ndim - 2))
    attributes = {**_sliding(given, x), "output_padding": extended}
    return "conv_transpose", _WEIGHTED, {**attributes, "groups": given.get("group", 1)}


def _gemm(given: dict[str, Any], x: Array) -> Call | None:
    plain = given.get("alpha", 1.0) == given.get("beta", 1.0) == 1.0
    if not plain or given.get("transA", 0) or not given.get("transB", 0) or x.ndim != 2:
        return None
    return "linear", _WEIGHTED, {}


def _max_pool(given: dict[str, Any], x: Array) -> Call:
    attributes = {"kernel_size": given["kernel_shape"], **_sliding(given, x)}
    return "max_pool", ("input",), {**attributes, "ceil_mode": bool(given.get("ceil_mode", 0))}


def _average(_given: dict[str, Any], x: Array) -> Call:
    return "adaptive_average_pool", ("input",), {"output_size": [1] * (x.ndim - 2)}


def _elementwise(operation: str) -> Callable[[dict[str, Any], Array], Call]:
    return lambda _given, _x: (operation, ("input",), {})


_CALLS: dict[str, Callable[[dict[str, Any], Array], Call | None]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MaxPool": _max_pool,
    "GlobalAveragePool": _average,
    "Relu": _elementwise("relu"),
    "Sigmoid": _elementwise("sigmoid"),
    "Tanh": _elementwise("tanh"),
}

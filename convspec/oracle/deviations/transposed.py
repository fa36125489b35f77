"""Transposed convolution: what is cropped, what is added, what is scattered."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    fitted,
    only,
    output_shape,
    padded,
    replacing,
    rewriting,
    sized,
    spatial,
)
from convspec.oracle.deviations.fast_paths import kernel_is_one
from convspec.oracle.deviations.geometry import without
from convspec.oracle.deviations.groups import has_bias
from convspec.oracle.deviations.record import Deviation, Function
from convspec.window import positions

TRANSPOSED = "conv_transpose"


def _zeroed_where_extended(array: Array, output_padding: Any) -> Array:
    array = numpy.array(array)
    for axis, extra in enumerate(output_padding, start=2):
        if extra:
            numpy.moveaxis(array, axis, 0)[-extra:] = 0
    return array


def _output_padding_zero(right: Function, output_padding: Any, **arguments: Any) -> Any:
    if "cotangent" not in arguments:
        y = right(**{**arguments, "bias": None}, output_padding=output_padding)
        y = _zeroed_where_extended(y, output_padding)
        bias = arguments.get("bias")
        return y if bias is None else y + numpy.reshape(bias, (-1, *(1,) * (y.ndim - 2)))
    seen = _zeroed_where_extended(arguments["cotangent"], output_padding)
    outputs = right(**{**arguments, "cotangent": seen}, output_padding=output_padding)
    if arguments.get("bias") is None:
        return outputs
    return (*outputs[:2], right(**arguments, output_padding=output_padding)[2])


def _output_padding_low(padding: Any, output_padding: Any, **_: Any) -> dict[str, Any]:
    none = (0,) * len(output_padding)
    moved = []
    for (low, high), extra in zip(padding, output_padding, strict=True):
        if extra > low:
            return {}
        moved.append((low - extra, high))
    return {"padding": tuple(moved), "output_padding": none}


def _bound_by_stride(right: Function, stride: Any, output_padding: Any, **arguments: Any) -> Any:
    if any(extra >= s for extra, s in zip(output_padding, stride, strict=True)):
        raise ValueError(f"output_padding={output_padding}: must be smaller than stride={stride}")
    return right(stride=stride, output_padding=output_padding, **arguments)


def _input_padded(input: Any, padding: Any, **_: Any) -> dict[str, Any]:
    none = ((0, 0),) * len(padding)
    return {"input": padded(input, padding), "padding": none}


def _crop_shifted(padding: Any, **_: Any) -> dict[str, Any]:
    return {
        "padding": tuple((low + 1, high - 1) if high > 0 else (low, high) for low, high in padding)
    }


def _repeated(right: Function, input: Any, stride: Any, **arguments: Any) -> Array:
    shape = output_shape(TRANSPOSED, {"input": input, "stride": stride, **arguments})
    for axis, s in enumerate(stride, start=2):
        input = numpy.repeat(input, s, axis=axis)
    extra = zip(arguments["output_padding"], arguments["dilation"], strict=True)
    arguments["output_padding"] = tuple(min(more, d - 1) for more, d in extra)
    ones = (1,) * len(stride)
    output: Array = fitted(right(input=input, stride=ones, **arguments), shape)
    return output


def _overwritten(right: Function, input: Any, weight: Any, **arguments: Any) -> Array:
    input, ones = numpy.asarray(input), numpy.ones_like(weight)
    bias_alone = right(input=numpy.zeros_like(input), weight=weight, **arguments)
    arguments["bias"] = None
    y = numpy.zeros_like(bias_alone)
    for i in positions(spatial(input)):
        here = (slice(None), slice(None), *i)
        one, reached = numpy.zeros_like(input), numpy.zeros_like(input)
        one[here] = input[here]
        reached[here] = 1
        touched = right(input=reached, weight=ones, **arguments) != 0
        y = numpy.where(touched, right(input=one, weight=weight, **arguments), y)
    whole: Array = y + bias_alone
    return whole


def _bias_by_first_axis(right: Function, weight: Any, bias: Any, **arguments: Any) -> Any:
    if len(bias) != len(weight):
        raise ValueError(f"bias has shape {numpy.shape(bias)}: must be ({len(weight)},)")
    return right(weight=weight, bias=bias, **arguments)


def _cropped_to_minus_zero(right: Function, padding: Any, **arguments: Any) -> Any:
    """`y[low:-high]` on every axis that is cropped: nothing at all where `high` is 0."""
    y = numpy.asarray(right(padding=padding, **arguments))
    for axis, (low, high) in enumerate(padding, start=2):
        if low and not high:
            y = numpy.take(y, range(0), axis=axis)
    return y


TRANSPOSED_CONVOLUTION = (
    Deviation(
        name="output padding filled with zeros",
        operations=(TRANSPOSED, f"{TRANSPOSED}_vjp"),
        kind="convention",
        sentence="Appends output_padding rows of zeros (plus bias) instead of extending the range "
        "in which products are summed.",
        hidden="output_padding 0, or no product that reaches the added rows",
        edit=replacing(_output_padding_zero),
        threads=("pytorch/xla#2333", "apache/tvm#19524"),
        convention=("output_padding", "zeros"),
    ),
    Deviation(
        name="output padding bound by the stride alone",
        operations=(TRANSPOSED, f"{TRANSPOSED}_vjp"),
        kind="convention",
        sentence="Refuses an output_padding that is smaller than the dilation but not than the "
        "stride.",
        hidden="output_padding smaller than the stride",
        edit=replacing(_bound_by_stride),
        threads=("keras-team/keras#20949",),
        convention=("output_padding_bound", "stride"),
    ),
    Deviation(
        name="output padding dropped",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Ignores output_padding.",
        hidden="output_padding 0",
        edit=rewriting(without("output_padding", 0)),
        threads=("pytorch/pytorch#14272",),
    ),
    Deviation(
        name="output padding on the low side",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Extends the output at its beginning instead of its end.",
        hidden="output_padding 0, or larger than the low padding",
        edit=rewriting(_output_padding_low),
        threads=("microsoft/onnxruntime#11927",),
    ),
    Deviation(
        name="padding added to the input",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Pads the input as conv does, where padding crops the output.",
        hidden="padding 0",
        edit=rewriting(_input_padded),
    ),
    Deviation(
        name="crop up to minus zero",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Crops by `y[low:-high]`, which is empty where there is nothing to crop at the "
        "high end.",
        hidden="no low padding, or high padding on every axis",
        edit=replacing(_cropped_to_minus_zero),
        threads=("pytorch/pytorch#24504",),
    ),
    Deviation(
        name="crop shifted by one",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Crops one row more at the beginning and one less at the end.",
        hidden="no high padding",
        edit=rewriting(_crop_shifted),
        threads=("alibaba/MNN#3977", "onnx/onnx-tensorrt#1042"),
    ),
    Deviation(
        name="input repeated instead of spread with zeros",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Enlarges the input by repeating its elements and convolves the result.",
        hidden="stride 1",
        edit=replacing(_repeated),
    ),
    Deviation(
        name="overlapping kernels overwrite each other",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Writes each scattered kernel over its neighbours instead of adding it to them.",
        hidden="a stride at least as large as the kernel's extent",
        edit=replacing(_overwritten),
    ),
    Deviation(
        name="bias sized by the weight's first axis",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="Expects one bias per input channel, which is the weight's first axis here.",
        hidden="no bias, or as many output as input channels",
        edit=only(has_bias, replacing(_bias_by_first_axis)),
        threads=("microsoft/onnxscript#1299", "FluxML/Flux.jl#1395", "PaddlePaddle/Paddle#20704"),
    ),
    Deviation(
        name="1x1 path of the transposed convolution ignores the stride",
        operations=(TRANSPOSED,),
        kind="mistake",
        sentence="A 1x1 kernel goes to a matrix product without spreading the input.",
        hidden="stride 1, or larger kernels",
        edit=only(kernel_is_one, sized(without("stride", 1))),
        threads=("pytorch/pytorch#63314",),
    ),
)

"""Rounding, dtypes and integer ranges."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    MAXIMA,
    SIGNALS,
    SLIDING,
    afterwards,
    each,
    gradients,
    only,
    replacing,
    rewriting,
    spatial,
)
from convspec.oracle.deviations.families import ROUNDED, with_layers
from convspec.oracle.deviations.record import Deviation, Function
from convspec.oracle.deviations.sliding import divisors, gathered, windows_of
from convspec.oracle.deviations.special_values import on_floats
from convspec.window import divisor, positions

PRODUCTS = (*SIGNALS, *CONVOLUTIONS, "average_pool")
# Other sums of products, which tensor cores compute, too.
MATRICES = ("linear", "pointwise_conv", "depthwise_conv", "locally_connected", "resize_conv")
MULTIPLIED = (*SIGNALS, *CONVOLUTIONS, *MATRICES)


def shortened(array: Array, bits: int) -> Any:
    """Floats with a significand of `bits` bits, rounded to nearest even.

    >>> shortened(numpy.array([1 + 2**-8, 1 + 2**-7]), 8)
    array([1.       , 1.0078125])
    """
    mantissa, exponent = numpy.frexp(array.astype(numpy.float64))
    return numpy.ldexp(numpy.rint(numpy.ldexp(mantissa, bits)), exponent - bits)


def truncated(array: Array, bits: int) -> Any:
    """Floats with a significand of `bits` bits, rounded toward zero.

    >>> truncated(numpy.array([1 + 2**-7 + 2**-8]), 8)
    array([1.0078125])
    """
    mantissa, exponent = numpy.frexp(array.astype(numpy.float64))
    return numpy.ldexp(numpy.trunc(numpy.ldexp(mantissa, bits)), exponent - bits)


def _dtype(arguments: dict[str, Any]) -> Any:
    """The dtype of the first operand, which that of the result follows."""
    return numpy.asarray(next(iter(arguments.values()))).dtype


def _single(array: Array) -> Any:
    """Floats of 64 bits in 32."""
    return array.astype(numpy.float32) if array.dtype == numpy.float64 else array


def _in_float32(right: Function, **arguments: Any) -> Any:
    single = {
        name: [*map(_single, value)]
        if isinstance(value, list)
        else _single(value)
        if isinstance(value, numpy.ndarray)
        else value
        for name, value in arguments.items()
    }
    dtype = _dtype(arguments)
    return each(right(**single), lambda a: a.astype(dtype) if a.dtype.kind == "f" else a)


def _toward_zero(right: Function, **arguments: Any) -> Any:
    double = {
        name: value.astype(numpy.float64)
        if isinstance(value, numpy.ndarray) and value.dtype == numpy.float32
        else value
        for name, value in arguments.items()
    }
    exact = numpy.asarray(right(**double))
    narrow = _dtype(arguments)
    if narrow != numpy.float32:
        return exact
    with numpy.errstate(over="ignore"):
        rounded = exact.astype(narrow)
    further = abs(rounded) > abs(exact)
    return numpy.where(further, numpy.nextafter(rounded, narrow.type(0)), rounded)


def _in_storage_dtype(right: Function, input: Any, **attributes: Any) -> Any:
    input = numpy.asarray(input)
    due = right(input=input, **attributes)
    if input.dtype.kind != "f":
        return due
    windows, include = gathered(input, fill=0, **attributes), attributes["count_include_pad"]
    count = divisors(
        spatial(input),
        windows_of(**attributes),
        lambda *at: divisor(*at, count_include_pad=include),
    )
    total = windows[..., 0]
    with numpy.errstate(all="ignore"):
        for tap in range(1, windows.shape[-1]):
            total = total + windows[..., tap]
        return (total / count).astype(input.dtype)


def _three_decimals(outputs: Any, **_: Any) -> Any:
    return each(outputs, lambda a: numpy.round(a.astype(numpy.float64), 3).astype(a.dtype))


def _wrapped(right: Function, **arguments: Any) -> Any:
    dtype = _dtype(arguments)
    output = numpy.asarray(right(**arguments))
    return output.astype(dtype) if dtype.kind in "iu" else output


def _truncated_average(output: Array, input: Any, **_: Any) -> Any:
    dtype = numpy.asarray(input).dtype
    return numpy.trunc(output).astype(dtype) if dtype.kind in "iu" else output


def _as_dtype(name: str) -> Any:
    def changed(outputs: Any, **_: Any) -> Any:
        return each(outputs, lambda a: a.astype(name) if a.dtype.kind == "f" else a)

    return afterwards(changed)


def _single_reciprocal(output: Array, kernel_size: Any, **_: Any) -> Any:
    size = int(numpy.prod(kernel_size))
    coarse = size * float(numpy.float32(1) / numpy.float32(size))
    return (output * coarse).astype(output.dtype) if output.dtype.kind == "f" else output


def _saturating_pairs(
    right: Function, input: Any, weight: Any, bias: Any = None, **arguments: Any
) -> Any:
    """Products of two neighbouring channels, summed in 16 bits, one tap after the other."""
    input, weight = numpy.asarray(input, numpy.int64), numpy.asarray(weight, numpy.int64)
    bounds, total = numpy.iinfo(numpy.int16), numpy.int64(0)
    for tap in positions(spatial(weight)):
        for first in range(0, weight.shape[1], 2):
            here = (slice(None), slice(first, first + 2), *tap)
            alone = numpy.zeros_like(weight)
            alone[here] = weight[here]
            pairs = right(input=input, weight=alone, **arguments)
            total = total + numpy.clip(pairs, bounds.min, bounds.max)
    return total if bias is None else total + numpy.reshape(bias, (-1, *(1,) * (input.ndim - 2)))


def _whole_numbers(input: Any, weight: Any, **_: Any) -> bool:
    return numpy.asarray(input).dtype.kind in "iu" and numpy.asarray(weight).dtype.kind in "iu"


PRECISION = (
    Deviation(
        name="operands truncated to bfloat16",
        operations=with_layers(PRODUCTS, (*ROUNDED, *gradients(ROUNDED))),
        kind="mistake",
        sentence="Cuts the operands to a significand of eight bits before multiplying.",
        hidden="operands that eight bits hold, small integers among them",
        edit=rewriting(on_floats(lambda array: truncated(array, 8))),
    ),
    Deviation(
        name="operands rounded to TF32",
        operations=(*MULTIPLIED, *gradients(MATRICES)),
        kind="convention",
        sentence="Rounds the operands to a significand of eleven bits before multiplying, as "
        "tensor cores do.",
        hidden="operands that eleven bits hold, small integers among them",
        edit=rewriting(on_floats(lambda array: shortened(array, 11))),
        threads=("pytorch/pytorch#107514", "pytorch/pytorch#129649"),
    ),
    Deviation(
        name="float64 computed in float32",
        operations=with_layers((*PRODUCTS, *MAXIMA, *gradients(MAXIMA))),
        kind="mistake",
        sentence="Converts to float32, computes, and converts back.",
        hidden="operands and results that float32 holds",
        edit=replacing(_in_float32),
    ),
    Deviation(
        name="result truncated toward zero",
        operations=MULTIPLIED,
        kind="mistake",
        sentence="Drops the bits that float32 cannot hold instead of rounding to nearest.",
        hidden="results that float32 holds, and float64",
        edit=replacing(_toward_zero),
    ),
    Deviation(
        name="average accumulated in the storage dtype",
        operations=("average_pool",),
        kind="mistake",
        sentence="Adds float16 in float16, one after the other: a sum of ones stalls at 2048.",
        hidden="small windows, and wider dtypes",
        edit=replacing(_in_storage_dtype),
        threads=("huggingface/candle#3719", "ROCm/MIOpen#2109", "Tencent/ncnn#2698"),
    ),
    Deviation(
        name="average by a single-precision reciprocal",
        operations=("average_pool",),
        kind="mistake",
        sentence="Multiplies float64 sums by a reciprocal of the kernel's size in float32.",
        hidden="kernel sizes that are powers of two",
        edit=afterwards(_single_reciprocal),
    ),
    Deviation(
        name="result rounded to three decimals",
        operations=with_layers((*PRODUCTS, *MAXIMA)),
        kind="mistake",
        sentence="Rounds the result as for printing.",
        hidden="whole results",
        edit=afterwards(_three_decimals),
    ),
    Deviation(
        name="integer overflow wraps",
        operations=(*SIGNALS, *CONVOLUTIONS),
        kind="convention",
        sentence="Returns integers in the operands' own dtype, modulo its range.",
        hidden="floating data, and small results",
        edit=replacing(_wrapped),
        threads=("scipy/scipy#6076",),
        convention=("integer_overflow", "wraps"),
    ),
    Deviation(
        name="pairs of products saturate at 16 bits",
        operations=("conv",),
        kind="mistake",
        sentence="Adds the products of two neighbouring integer channels in 16 bits, which end at "
        "32767, before it adds those sums in 32.",
        hidden="floating data, or small products",
        edit=only(_whole_numbers, replacing(_saturating_pairs)),
        threads=("pytorch/pytorch#76390", "pytorch/pytorch#50720", "uxlfoundation/oneDNN#476"),
    ),
    Deviation(
        name="integer average truncated",
        operations=("average_pool",),
        kind="mistake",
        sentence="Divides integers by integer division.",
        hidden="floating data",
        edit=afterwards(_truncated_average),
        threads=("ARM-software/ML-KWS-for-MCU#103",),
    ),
    Deviation(
        name="always float64",
        operations=with_layers((*SIGNALS, *SLIDING)),
        kind="mistake",
        sentence="Returns float64 whatever the operands' dtype.",
        hidden="float64 operands",
        edit=_as_dtype("float64"),
    ),
    Deviation(
        name="always float32",
        operations=with_layers((*SIGNALS, *SLIDING)),
        kind="mistake",
        sentence="Returns float32 whatever the operands' dtype.",
        hidden="float32 operands",
        edit=_as_dtype("float32"),
    ),
)

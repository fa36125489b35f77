"""Sizes at which code changes: vector widths, tails, caps, narrow index types."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    MAXIMA,
    afterwards,
    each,
    only,
    replacing,
    rewriting,
    sized,
    spatial,
)
from convspec.oracle.deviations.groups import has_bias
from convspec.oracle.deviations.record import Deviation, Function
from convspec.oracle.deviations.sliding import divisors, gathered, windows_of
from convspec.window import divisor


def _channel_tail_zero(input: Any, **_: Any) -> dict[str, Any]:
    input = numpy.array(input)
    channels = input.shape[1]
    if channels > 4:
        input[:, channels // 4 * 4 :] = 0
    return {"input": input}


def _channels_left_at_zero(outputs: Any, **_: Any) -> Any:
    def zeroed(output: Array) -> Array:
        output = numpy.array(output)
        channels = output.shape[1]
        if channels > 4:
            output[:, channels // 4 * 4 :] = 0
        return output

    return each(outputs, zeroed)


def _channels_past(limit: int) -> Any:
    def change(input: Any, **_: Any) -> dict[str, Any]:
        input = numpy.array(input)
        input[:, limit:] = 0
        return {"input": input}

    return change


def _outputs_past_sixteen(output: Array, **_: Any) -> Any:
    output = numpy.array(output)
    output[:, 16:] = 0
    return output


def _byte_index(input: Any, **_: Any) -> dict[str, Any]:
    input = numpy.asarray(input)
    for axis in range(2, input.ndim):
        input = numpy.take(input, numpy.arange(input.shape[axis]) % 256, axis=axis)
    return {"input": input}


def _at_most_64_taps(right: Function, input: Any, **attributes: Any) -> Any:
    due = numpy.asarray(right(input=input, **attributes))
    include = attributes["count_include_pad"]
    count = divisors(
        spatial(input),
        windows_of(**attributes),
        lambda *at: divisor(*at, count_include_pad=include),
    )
    windows = gathered(input, fill=0, **attributes)
    if windows.shape[-1] <= 64:
        return due
    average = windows[..., :64].sum(axis=-1, dtype=numpy.float64) / count
    return average.astype(due.dtype)


def _column_buffer_case(input: Any, weight: Any, dilation: Any, **_: Any) -> bool:
    wide = all(n > 2 * k + 1 for n, k in zip(spatial(input), spatial(weight), strict=True))
    double = numpy.asarray(input).dtype == numpy.float64
    return double and set(dilation) == {2} and len(weight) >= 4 and wide


def _column_buffer_added(output: Array, weight: Any, **_: Any) -> Any:
    return output * int(numpy.prod(spatial(weight)))


def _strides_of_three(stride: Any, **_: Any) -> dict[str, Any]:
    return {"stride": tuple(min(s, 3) for s in stride)}


def _batch_of_one(input: Any, **arguments: Any) -> bool:
    return len(input) == 1 and has_bias(**arguments)


def _batch_tail_zero(outputs: Any, **_: Any) -> Any:
    def zeroed(output: Array) -> Array:
        output = numpy.array(output)
        if len(output) > 1:
            output[len(output) // 2 * 2 :] = 0
        return output

    return each(outputs, zeroed)


THRESHOLDS = (
    Deviation(
        name="tail of the input channels left out",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Sums the input channels four at a time and forgets those that remain.",
        hidden="at most four input channels, or a multiple of four",
        edit=rewriting(_channel_tail_zero),
        threads=("tensorflow/tensorflow#125965", "uxlfoundation/oneDNN#4124"),
    ),
    Deviation(
        name="tail of the channels left at zero",
        operations=("max_pool", "average_pool", "max_pool_vjp", "average_pool_vjp"),
        kind="mistake",
        sentence="Handles the channels four at a time and leaves those that remain at zero.",
        hidden="at most four channels, or a multiple of four",
        edit=afterwards(_channels_left_at_zero),
        threads=("uxlfoundation/oneDNN#6035",),
    ),
    Deviation(
        name="input channels past 32 left out",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Handles one block of 32 input channels and forgets the next.",
        hidden="at most 32 input channels",
        edit=rewriting(_channels_past(32)),
    ),
    Deviation(
        name="output channels past 16 left at zero",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Handles one block of 16 output channels and forgets the next.",
        hidden="at most 16 output channels",
        edit=afterwards(_outputs_past_sixteen),
    ),
    Deviation(
        name="positions past 255 wrap",
        operations=(*CONVOLUTIONS, *MAXIMA, "average_pool"),
        kind="mistake",
        sentence="Keeps positions in eight bits, so that position 256 is position 0 again.",
        hidden="axes of at most 256 positions",
        edit=rewriting(_byte_index),
        threads=("pytorch/pytorch#84488", "scipy/scipy#10761"),
    ),
    Deviation(
        name="strides past 3 taken for 3",
        operations=("conv", "conv_transpose", "max_pool", "average_pool"),
        kind="mistake",
        sentence="Has unrolled loops for strides up to 3, and takes the last of them for larger "
        "ones, in an output of the right size.",
        hidden="strides of at most 3",
        edit=sized(_strides_of_three),
    ),
    Deviation(
        name="windows cut at 64 taps",
        operations=("average_pool",),
        kind="mistake",
        sentence="Unrolls the sum over a window 64 times and forgets the rest.",
        hidden="windows of at most 64 taps",
        edit=replacing(_at_most_64_taps),
        threads=("flagos-ai/FlagGems#4915",),
    ),
    Deviation(
        name="column buffer added once for each tap",
        operations=("conv",),
        kind="mistake",
        sentence="In float64, with dilation 2 and at least four output channels, sums the column "
        "buffer as often as the kernel has taps.",
        hidden="other dtypes, other dilations, fewer output channels, or small inputs",
        edit=only(_column_buffer_case, afterwards(_column_buffer_added)),
        threads=("pytorch/pytorch#141221",),
    ),
    Deviation(
        name="bias dropped for a batch of one",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="The path for a single batch item does not add the bias.",
        hidden="larger batches, or no bias",
        edit=only(_batch_of_one, rewriting(lambda **_: {"bias": None})),
    ),
    Deviation(
        name="last item of an odd batch left at zero",
        operations=("conv", "conv_transpose", "max_pool", "average_pool"),
        kind="mistake",
        sentence="Handles batch items in pairs and forgets the one that remains.",
        hidden="a batch of one, or an even batch",
        edit=afterwards(_batch_tail_zero),
    ),
)

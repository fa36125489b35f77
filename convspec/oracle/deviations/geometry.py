"""Axes, strides, padding, dilation and sizes of a sliding window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    DILATED,
    PADDED,
    POOLS,
    SLIDING,
    STRIDED,
    afterwards,
    each,
    fitted,
    flipped,
    only,
    padded,
    replacing,
    rewriting,
    sized,
    spatial,
)
from convspec.oracle.deviations.record import Deviation, Function
from convspec.window import Window, extent


def first_everywhere(attribute: str) -> Callable[..., dict[str, Any]]:
    """The first axis's entry of an attribute, on every axis."""
    return lambda **a: {attribute: (a[attribute][0],) * len(a[attribute])}


def reversed_axes(attribute: str) -> Callable[..., dict[str, Any]]:
    """An attribute's entries in reverse order of the axes."""
    return lambda **a: {attribute: tuple(reversed(a[attribute]))}


def without(attribute: str, value: Any) -> Callable[..., dict[str, Any]]:
    """The same value on every axis, whatever was asked for."""
    return lambda **a: {attribute: (value,) * len(a[attribute])}


def pairs(change: Callable[[int, int], tuple[int, int]]) -> Callable[..., dict[str, Any]]:
    """Every axis's padding pair changed."""
    return lambda padding, **_: {"padding": tuple(change(*pair) for pair in padding)}


def stride_as_dilation(stride: Any, dilation: Any, **_: Any) -> dict[str, Any]:
    """Stride and dilation exchanged."""
    return {"stride": dilation, "dilation": stride}


def _larger_of_each_pair(padding: Any, **_: Any) -> dict[str, Any]:
    return {"padding": tuple((max(pair), max(pair)) for pair in padding)}


def _dilation_in_sampling_only(padding: Any, dilation: Any, weight: Any, **_: Any) -> Any:
    return {
        "padding": tuple(
            (low, high + (d - 1) * (k - 1))
            for (low, high), d, k in zip(padding, dilation, spatial(weight), strict=True)
        )
    }


def _moved_under_stride(padding: Any, stride: Any, **_: Any) -> dict[str, Any]:
    return {
        "padding": tuple(
            (low - 1, high + 1) if s > 1 and low > 0 else (low, high)
            for (low, high), s in zip(padding, stride, strict=True)
        )
    }


def _capped(padding: Any, dilation: Any, weight: Any, **_: Any) -> dict[str, Any]:
    spans = [extent(Window(k, dilation=d)) for k, d in zip(spatial(weight), dilation, strict=True)]
    return {
        "padding": tuple(
            (min(low, span - 1), min(high, span - 1))
            for (low, high), span in zip(padding, spans, strict=True)
        )
    }


def _rounded_up(padding: Any, stride: Any, dilation: Any, **a: Any) -> dict[str, Any]:
    kernel, sizes = spatial(a["weight"]), spatial(a["input"])
    axes = zip(padding, stride, dilation, kernel, sizes, strict=True)
    return {
        "padding": tuple(
            (low, high + (extent(Window(k, dilation=d)) - n - low - high) % s)
            for (low, high), s, d, k, n in axes
        )
    }


def _from_the_far_end(right: Function, padding: Any, **arguments: Any) -> Any:
    turned = {**arguments, "padding": tuple((high, low) for low, high in padding)}
    turned["input"] = flipped(turned["input"])
    if "weight" in turned:
        turned["weight"] = flipped(turned["weight"])
    return each(right(**turned), flipped)


def _filled_with(mode: str) -> Function:
    def function(right: Function, input: Any, padding: Any, **arguments: Any) -> Any:
        none = ((0, 0),) * len(padding)
        return right(input=padded(input, padding, mode=mode), padding=none, **arguments)

    return function


def _square(output: Array, **_: Any) -> Any:
    sizes = output.shape[2:]
    return fitted(output, (*output.shape[:2], *(sizes[0],) * len(sizes)))


def _one_short(output: Array, input: Any, weight: Any, **attributes: Any) -> Any:
    sizes = []
    strides, pairs, dilations = (attributes[name] for name in ("stride", "padding", "dilation"))
    axes = zip(
        output.shape[2:], spatial(input), spatial(weight), strides, pairs, dilations, strict=True
    )
    for o, n, k, s, pair, d in axes:
        room = n + sum(pair) - extent(Window(k, dilation=d))
        sizes.append(o - 1 if room % s == 0 and o > 1 else o)
    return fitted(output, (*output.shape[:2], *sizes))


def _last_tap_skipped(weight: Any, **_: Any) -> dict[str, Any]:
    shorter = numpy.array(weight)
    shorter[..., -1] = 0
    return {"weight": shorter}


GEOMETRY = (
    Deviation(
        name="stride of the first axis on every axis",
        operations=(*SLIDING, *STRIDED),
        kind="mistake",
        sentence="Uses stride[0] where stride[axis] is meant.",
        hidden="one spatial axis, or equal strides",
        edit=rewriting(first_everywhere("stride")),
        threads=("pytorch/pytorch#187760", "apache/mxnet#3479"),
    ),
    Deviation(
        name="dilation of the first axis on every axis",
        operations=(*SLIDING, *DILATED),
        kind="mistake",
        sentence="Uses dilation[0] where dilation[axis] is meant.",
        hidden="one spatial axis, or equal dilations",
        edit=rewriting(first_everywhere("dilation")),
        threads=("tracel-ai/burn#4466", "apache/mxnet#3479"),
    ),
    Deviation(
        name="padding of the first axis on every axis",
        operations=(*SLIDING, *PADDED),
        kind="mistake",
        sentence="Uses padding[0] where padding[axis] is meant.",
        hidden="one spatial axis, or equal padding",
        edit=rewriting(first_everywhere("padding")),
    ),
    Deviation(
        name="kernel size of the first axis on every axis",
        operations=(*POOLS, "lp_pool", "distance_weighted_pool"),
        kind="mistake",
        sentence="Pools square windows, as tall as wide, whatever the second size is.",
        hidden="one spatial axis, or square windows",
        edit=rewriting(first_everywhere("kernel_size")),
    ),
    Deviation(
        name="strides in reverse order of the axes",
        operations=SLIDING,
        kind="mistake",
        sentence="Takes the strides as (width, height) where they are (height, width).",
        hidden="one spatial axis, or equal strides",
        edit=rewriting(reversed_axes("stride")),
        threads=("mlpack/mlpack#3146", "torch/cunn#470"),
    ),
    Deviation(
        name="padding in reverse order of the axes",
        operations=SLIDING,
        kind="mistake",
        sentence="Pads the height by what was asked for the width.",
        hidden="one spatial axis, or equal padding",
        edit=rewriting(reversed_axes("padding")),
        threads=("pytorch/pytorch#37844", "tensorflow/tensorflow#24151"),
    ),
    Deviation(
        name="dilations in reverse order of the axes",
        operations=SLIDING,
        kind="mistake",
        sentence="Dilates the height by what was asked for the width.",
        hidden="one spatial axis, or equal dilations",
        edit=rewriting(reversed_axes("dilation")),
    ),
    Deviation(
        name="stride ignored",
        operations=(*SLIDING, *STRIDED),
        kind="mistake",
        sentence="Moves the window by one position whatever the stride.",
        hidden="stride 1",
        edit=rewriting(without("stride", 1)),
    ),
    Deviation(
        name="dilation ignored",
        operations=(*SLIDING, *DILATED),
        kind="mistake",
        sentence="Reads neighbouring positions whatever the dilation.",
        hidden="dilation 1",
        edit=rewriting(without("dilation", 1)),
    ),
    Deviation(
        name="padding ignored",
        operations=(*SLIDING, *PADDED),
        kind="mistake",
        sentence="Behaves as if no padding had been asked for.",
        hidden="padding 0",
        edit=rewriting(without("padding", (0, 0))),
        threads=("microsoft/onnxruntime#4086", "microsoft/onnxruntime#4698"),
    ),
    Deviation(
        name="stride and dilation swapped",
        operations=SLIDING,
        kind="mistake",
        sentence="Passes the stride as the dilation and the dilation as the stride.",
        hidden="stride equal to dilation",
        edit=rewriting(stride_as_dilation),
        threads=("mlpack/mlpack#3146", "IntelLabs/bayesian-torch#34"),
    ),
    Deviation(
        name="low and high padding swapped",
        operations=(*SLIDING, *PADDED),
        kind="mistake",
        sentence="Puts the odd position of an asymmetric padding on the other side.",
        hidden="symmetric padding",
        edit=rewriting(pairs(lambda low, high: (high, low))),
        threads=("root-project/root#21737", "alibaba/MNN#3977"),
    ),
    Deviation(
        name="low padding on both sides",
        operations=SLIDING,
        kind="mistake",
        sentence="Uses the padding before the input also for the one after it.",
        hidden="symmetric padding, or a difference that the stride's remainder swallows",
        edit=rewriting(pairs(lambda low, high: (low, low))),
        threads=("microsoft/nnfusion#192",),
    ),
    Deviation(
        name="asymmetric padding made symmetric",
        operations=SLIDING,
        kind="mistake",
        sentence="Pads both sides by the larger of the two and keeps the output size.",
        hidden="low padding at least as large as the high one, as far as the size is kept",
        edit=sized(_larger_of_each_pair),
        threads=("microsoft/onnxruntime#4627",),
    ),
    Deviation(
        name="dilation in the size rule only",
        operations=("conv", *POOLS),
        kind="mistake",
        sentence="Computes the output size with dilation but reads neighbouring positions.",
        hidden="dilation 1, or kernels of one element",
        edit=sized(without("dilation", 1)),
        threads=("xboot/libonnx#24",),
    ),
    Deviation(
        name="dilation left out of the size rule",
        operations=("conv",),
        kind="mistake",
        sentence="Computes the output size with the kernel instead of its extent, so that the "
        "last windows reach past the padded input.",
        hidden="dilation 1, kernels of one element, or a stride's remainder that swallows it",
        edit=rewriting(_dilation_in_sampling_only),
        threads=("keras-team/keras#12972", "jax-ml/jax#3973"),
    ),
    Deviation(
        name="window shifted by one under stride",
        operations=SLIDING,
        kind="mistake",
        sentence="With a stride, one position of the padding goes from the low to the high side, "
        "as when another library's SAME is taken for explicit padding.",
        hidden="stride 1, or no low padding",
        edit=rewriting(_moved_under_stride),
        threads=("PINTO0309/onnx2tf#56",),
    ),
    Deviation(
        name="padding limited to the kernel",
        operations=("conv",),
        kind="mistake",
        sentence="Cuts padding down to the kernel's extent less one.",
        hidden="padding smaller than the kernel's extent",
        edit=rewriting(_capped),
        threads=("ml-explore/mlx#833",),
    ),
    Deviation(
        name="output size rounded up",
        operations=("conv",),
        kind="mistake",
        sentence="Keeps a last window that reaches past the padded input.",
        hidden="strides that divide the room exactly",
        edit=rewriting(_rounded_up),
        threads=("BVLC/caffe#1318",),
    ),
    Deviation(
        name="windows counted from the far end",
        operations=("conv", "max_pool", "average_pool"),
        kind="mistake",
        sentence="Leaves the stride's remainder at the beginning of the axis, not at its end.",
        hidden="strides that divide the room exactly, or ceil_mode",
        edit=only(lambda ceil_mode=False, **_: not ceil_mode, replacing(_from_the_far_end)),
    ),
    Deviation(
        name="padding repeats the edge",
        operations=("conv",),
        kind="mistake",
        sentence="Pads with the nearest element instead of zeros.",
        hidden="padding 0",
        edit=replacing(_filled_with("edge")),
    ),
    Deviation(
        name="padding wraps around",
        operations=("conv",),
        kind="mistake",
        sentence="Pads with the elements of the opposite end instead of zeros.",
        hidden="padding 0",
        edit=replacing(_filled_with("wrap")),
        threads=("scipy/scipy#8684",),
    ),
    Deviation(
        name="output size of the first axis on every axis",
        operations=("conv",),
        kind="mistake",
        sentence="Makes every output square: the second axis is cut or filled with zeros.",
        hidden="one spatial axis, or square outputs",
        edit=afterwards(_square),
    ),
    Deviation(
        name="last window missing where it fits exactly",
        operations=("conv",),
        kind="mistake",
        sentence="Loops below room // stride and forgets the + 1 when nothing remains.",
        hidden="strides that leave a remainder, and outputs of one position",
        edit=afterwards(_one_short),
    ),
    Deviation(
        name="last column of the kernel skipped",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Loops over one tap too few on the last axis.",
        hidden="kernels whose last column is zero",
        edit=rewriting(_last_tap_skipped),
    ),
)

"""Pooling: which window is last, what an average divides by, what a maximum starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    MAXIMA,
    POOLS,
    afterwards,
    gradients,
    only,
    padded,
    replacing,
    rewriting,
    sized,
    spatial,
)
from convspec.oracle.deviations.record import Deviation, Edit, Function
from convspec.oracle.deviations.sliding import divisors, exists, gathered, lowest, windows_of
from convspec.window import Window, divisor, extent, first_empty, start, taps

AVERAGE = ("average_pool",)
MAX_POOL = ("max_pool",)


def divided_by(count: Callable[..., int]) -> Edit:
    """An average divided by the product over the axes of `count(n, window, i, include=...)`."""

    def function(right: Function, input: Any, **attributes: Any) -> Any:
        due = right(input=input, **attributes)
        include = attributes["count_include_pad"]
        sliding, sizes = windows_of(**attributes), spatial(input)
        wrong = divisors(sizes, sliding, lambda *at: count(*at, include=include))
        if "cotangent" in attributes:
            true = divisors(sizes, sliding, lambda *at: divisor(*at, count_include_pad=include))
            cotangent = numpy.asarray(attributes.pop("cotangent"))
            scaled = (cotangent * (true / wrong)).astype(cotangent.dtype)
            return right(input=input, cotangent=scaled, **attributes)
        with numpy.errstate(all="ignore"):
            total = gathered(input, fill=0, **attributes).astype(numpy.float64).sum(axis=-1)
            return (total / wrong).astype(due.dtype)

    return replacing(function)


def _overhang_counted(n: int, window: Window, i: int, *, include: bool) -> int:
    return window.kernel if include else len(taps(n, window, i))


def _low_padding_counted(n: int, window: Window, i: int, *, include: bool) -> int:
    return divisor(n, window._replace(high=0), i, count_include_pad=include)


def _positions_counted(n: int, window: Window, i: int, *, include: bool) -> int:
    first = start(window, i)
    past = first + extent(window)
    return min(past, n + window.high) - first if include else min(past, n) - max(first, 0)


def on_values(change: Callable[[Array], Array]) -> Edit:
    """The edit that changes the values a maximum returns, and leaves its indices alone."""

    def changed(outputs: Any, **_: Any) -> Any:
        if isinstance(outputs, tuple):
            return (change(numpy.asarray(outputs[0])), *outputs[1:])
        return change(numpy.asarray(outputs))

    return afterwards(changed)


def _at_least_finite(values: Array) -> Any:
    if values.dtype.kind != "f":
        return values
    return numpy.maximum(values, numpy.finfo(values.dtype).min)


def without_nan(input: Any) -> Array:
    """The input with -inf in place of NaN."""
    input = numpy.asarray(input)
    return numpy.where(numpy.isnan(input), -numpy.inf, input).astype(input.dtype)


def has_nan(input: Any, **_: Any) -> bool:
    """Whether a float input holds NaN."""
    input = numpy.asarray(input)
    return input.dtype.kind == "f" and bool(numpy.isnan(input).any())


def _nan_ignored(right: Function, input: Any, **attributes: Any) -> Any:
    outputs = right(input=without_nan(input), **attributes)
    if "cotangent" in attributes:
        return outputs
    numbers = (~numpy.isnan(input)).astype(numpy.float64)
    some = gathered(numbers, fill=0, **attributes).any(axis=-1)
    values = outputs[0] if isinstance(outputs, tuple) else outputs
    values = numpy.where(some, values, numpy.nan).astype(values.dtype)
    return (values, *outputs[1:]) if isinstance(outputs, tuple) else values


def _nan_kept_if_first(right: Function, input: Any, **attributes: Any) -> Any:
    values, real = gathered(input, **attributes), exists(input, **attributes)
    best, started = values[..., 0], real[..., 0]
    for tap in range(1, values.shape[-1]):
        value, here = values[..., tap], real[..., tap]
        best = numpy.where(here & (~started | (value > best)), value, best)
        started = started | here
    return best


def _nan_ignored_in_tail(right: Function, input: Any, **attributes: Any) -> Any:
    channels = numpy.shape(input)[1]
    values = numpy.array(right(input=input, **attributes))
    tail = slice(channels // 2 * 2, channels)
    if channels % 2:
        values[:, tail] = _nan_ignored(right, numpy.asarray(input)[:, tail], **attributes)
    return values


def _floats_where_padded(output: Array, padding: Any, **_: Any) -> Any:
    has_padding = any(map(any, padding))
    return output.astype(numpy.float64) if has_padding and output.dtype.kind in "iu" else output


def _zero_padding(input: Any, padding: Any, **_: Any) -> dict[str, Any]:
    return {"input": padded(input, padding), "padding": ((0, 0),) * len(padding)}


def _has_empty_window(input: Any, **attributes: Any) -> bool:
    """Whether a call that is otherwise good has a window without any element."""
    sliding = windows_of(**attributes)
    if any(min(w.kernel, w.stride, w.dilation, w.low + 1, w.high + 1) < 1 for w in sliding):
        return False
    axes = zip(spatial(input), sliding, strict=True)
    return any(first_empty(n, window) is not None for n, window in axes)


def empty_windows_give(value: Callable[[Any], Any]) -> Edit:
    """A pooling that takes a window without any element, and gives `value(dtype)` for it."""

    def function(right: Function, input: Any, **attributes: Any) -> Any:
        real, dtype = exists(input, **attributes), numpy.asarray(input).dtype
        empty = ~real.any(axis=-1)
        if "count_include_pad" not in attributes:
            values = gathered(input, **attributes).max(axis=-1)
            return numpy.where(empty, value(dtype), values).astype(values.dtype)
        include = attributes["count_include_pad"]
        count = divisors(
            spatial(input),
            windows_of(**attributes),
            lambda *at: max(divisor(*at, count_include_pad=include), 1),
        )
        totals = gathered(input, fill=0, **attributes).sum(axis=-1)
        values = numpy.where(empty & (not include), value(dtype), totals / count)
        return values.astype(dtype if dtype.kind == "f" else numpy.float64)

    return only(_has_empty_window, replacing(function))


def _lowest_finite(dtype: Any) -> Any:
    return numpy.finfo(dtype).min if numpy.dtype(dtype).kind == "f" else numpy.iinfo(dtype).min


POOLING = (
    Deviation(
        name="stride taken from the kernel size",
        operations=POOLS,
        kind="mistake",
        sentence="Ignores the stride: windows never overlap.",
        hidden="a stride equal to the kernel size",
        edit=rewriting(lambda kernel_size, **_: {"stride": kernel_size}),
        threads=("pytorch/xla#8814",),
    ),
    Deviation(
        name="divided by the full kernel",
        operations=(*AVERAGE, *gradients(AVERAGE)),
        kind="convention",
        sentence="Divides by the kernel's size everywhere, padding and overhang included, "
        "whatever count_include_pad says.",
        hidden="no padding and no overhang",
        edit=divided_by(lambda n, window, i, *, include: window.kernel),
        threads=("BVLC/caffe#6297", "apache/mxnet#10194"),
        convention=("average_divisor", "full_kernel"),
    ),
    Deviation(
        name="overhang counted in the divisor",
        operations=AVERAGE,
        kind="mistake",
        sentence="With count_include_pad, counts the part of a ceil-mode window beyond the padded "
        "input.",
        hidden="ceil_mode off, count_include_pad off, or no overhang",
        edit=divided_by(_overhang_counted),
        threads=("microsoft/onnxruntime#16203", "apple/coremltools#2772", "robertknight/rten#1456"),
    ),
    Deviation(
        name="padding always counted in the divisor",
        operations=AVERAGE,
        kind="mistake",
        sentence="Behaves as if count_include_pad were always set.",
        hidden="count_include_pad on, or no padding",
        edit=rewriting(lambda **_: {"count_include_pad": True}),
        threads=("Tencent/ncnn#924", "apache/tvm#1144"),
    ),
    Deviation(
        name="padding never counted in the divisor",
        operations=AVERAGE,
        kind="mistake",
        sentence="Ignores count_include_pad.",
        hidden="count_include_pad off, or no padding",
        edit=rewriting(lambda **_: {"count_include_pad": False}),
        threads=("Tencent/ncnn#924", "opencv/opencv#10701"),
    ),
    Deviation(
        name="count_include_pad inverted",
        operations=AVERAGE,
        kind="mistake",
        sentence="Counts the padding when asked not to, and the other way round.",
        hidden="no padding",
        edit=rewriting(lambda count_include_pad, **_: {"count_include_pad": not count_include_pad}),
    ),
    Deviation(
        name="only the low padding counted in the divisor",
        operations=AVERAGE,
        kind="mistake",
        sentence="With count_include_pad, counts positions up to the input's end but not the "
        "padding after it.",
        hidden="count_include_pad off, or no high padding",
        edit=divided_by(_low_padding_counted),
        threads=("microsoft/onnxruntime#24681",),
    ),
    Deviation(
        name="holes of a dilated window counted in the divisor",
        operations=AVERAGE,
        kind="mistake",
        sentence="Divides by the positions the window spans, not by the taps it reads.",
        hidden="dilation 1",
        edit=divided_by(_positions_counted),
    ),
    Deviation(
        name="maximum over zero padding",
        operations=MAXIMA,
        kind="mistake",
        sentence="Pads with zeros, which win over negative elements; indices count the padding.",
        hidden="padding 0; without indices also data that are nowhere negative",
        edit=sized(_zero_padding),
        threads=("apache/mxnet#2753", "pytorch/pytorch#33384", "tenstorrent/tt-metal#28804"),
    ),
    Deviation(
        name="maximum started from zero",
        operations=MAXIMA,
        kind="mistake",
        sentence="Starts the search from 0, so that no maximum is negative.",
        hidden="data that are nowhere negative",
        edit=on_values(lambda values: numpy.maximum(values, values.dtype.type(0))),
    ),
    Deviation(
        name="maximum started from the lowest finite number",
        operations=(*MAXIMA, "adaptive_max_pool"),
        kind="mistake",
        sentence="Starts the search from the lowest finite number, so that a window of -inf gives "
        "that.",
        hidden="windows that hold anything but -inf",
        edit=on_values(_at_least_finite),
        threads=("pytorch/pytorch#40131",),
    ),
    Deviation(
        name="NaN ignored in a maximum",
        operations=(*MAXIMA, *gradients(MAXIMA)),
        kind="convention",
        sentence="Takes the maximum of the numbers in a window, and NaN only where there are none.",
        hidden="data without NaN",
        edit=only(has_nan, replacing(_nan_ignored)),
        threads=("tensorflow/tensorflow#125965",),
        convention=("nan_in_maximum", "ignored"),
    ),
    Deviation(
        name="NaN kept only at the start of a window",
        operations=MAX_POOL,
        kind="mistake",
        sentence="Compares with a strict > from the first element on: NaN stays if it comes first "
        "and loses otherwise.",
        hidden="data without NaN",
        edit=only(has_nan, replacing(_nan_kept_if_first)),
    ),
    Deviation(
        name="NaN ignored in the tail of the channels",
        operations=MAX_POOL,
        kind="mistake",
        sentence="Pairs of channels keep NaN, and the odd one at the end, handled by other code, "
        "drops it.",
        hidden="data without NaN, or an even number of channels",
        edit=only(has_nan, replacing(_nan_ignored_in_tail)),
        threads=("tensorflow/tensorflow#125965",),
    ),
    Deviation(
        name="integer maximum turned into floats by padding",
        operations=MAX_POOL,
        kind="mistake",
        sentence="Pads integers with a floating -inf, which changes the dtype of the result.",
        hidden="floating data, or padding 0",
        edit=afterwards(_floats_where_padded),
        threads=("tinygrad/tinygrad#7726",),
    ),
    Deviation(
        name="empty window gives -inf",
        operations=MAX_POOL,
        kind="convention",
        sentence="A window without any element, which the spec refuses, gives -inf.",
        hidden="geometries in which every window holds an element",
        edit=empty_windows_give(lowest),
        threads=("pytorch/pytorch#45357",),
        convention=("empty_window", "-inf"),
    ),
    Deviation(
        name="empty window gives the lowest finite number",
        operations=MAX_POOL,
        kind="convention",
        sentence="A window without any element, which the spec refuses, gives the lowest finite "
        "number of its dtype.",
        hidden="geometries in which every window holds an element",
        edit=empty_windows_give(_lowest_finite),
        convention=("empty_window", "lowest"),
    ),
    Deviation(
        name="empty window gives zero",
        operations=("max_pool", "average_pool"),
        kind="convention",
        sentence="A window without any element, which the spec refuses, gives 0.",
        hidden="geometries in which every window holds an element",
        edit=empty_windows_give(lambda dtype: 0),
        convention=("empty_window", "zero"),
    ),
    Deviation(
        name="empty window gives NaN",
        operations=("max_pool", "average_pool"),
        kind="convention",
        sentence="A window without any element, which the spec refuses, gives NaN, as 0 / 0 does.",
        hidden="geometries in which every window holds an element",
        edit=empty_windows_give(lambda dtype: numpy.nan),
        threads=("CanReader/FastNN#5",),
        convention=("empty_window", "nan"),
    ),
)

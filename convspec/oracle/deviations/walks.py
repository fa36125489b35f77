"""How a window is walked: where it begins, where its next row is, whether it is walked at all."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.oracle.deviations.edits import POOLS, only, padded, replacing, sized, spatial
from convspec.oracle.deviations.geometry import without
from convspec.oracle.deviations.record import Deviation, Function
from convspec.oracle.deviations.sliding import divisors, gathered, maximum, windows_of
from convspec.window import Window, divisor, extent


def _clipped_taps(n: int, window: Window, i: int) -> list[tuple[int, int]]:
    first = i * window.stride - window.low
    beyond = min(first + extent(window), n)
    return list(enumerate(range(max(first, 0), beyond, window.dilation)))


def _pool_from_clipped_start(right: Function, input: Any, **attributes: Any) -> Any:
    due = numpy.asarray(right(input=input, **attributes))
    if "count_include_pad" not in attributes:
        return maximum(gathered(input, read=_clipped_taps, **attributes)).astype(due.dtype)
    include, sliding = attributes["count_include_pad"], windows_of(**attributes)
    count = divisors(spatial(input), sliding, lambda *at: divisor(*at, count_include_pad=include))
    windows = gathered(input, fill=0, read=_clipped_taps, **attributes)
    return (windows.astype(numpy.float64).sum(axis=-1) / count).astype(due.dtype)


def _drifting_rows(right: Function, input: Any, weight: Any, **arguments: Any) -> Any:
    """One row of the kernel at a time, over an input moved along by `dilation - 1` for each row
    before it, the rows of the input lying end to end.
    """
    weight, drift = numpy.asarray(weight), arguments["dilation"][-1] - 1
    whole = padded(input, arguments["padding"])
    arguments["padding"] = ((0, 0),) * len(arguments["dilation"])
    bias = arguments.pop("bias", None)
    flat = whole.reshape(*whole.shape[:-2], -1)
    total = None
    for row in range(weight.shape[-2]):
        ahead = numpy.zeros_like(flat)
        ahead[..., : max(0, flat.shape[-1] - row * drift)] = flat[..., row * drift :]
        alone = numpy.zeros_like(weight)
        alone[..., row, :] = weight[..., row, :]
        part = right(input=ahead.reshape(whole.shape), weight=alone, **arguments)
        total = part if total is None else total + part
    return total if bias is None else total + numpy.reshape(bias, (-1, *(1,) * (whole.ndim - 2)))


def _dilated_rows(weight: Any, dilation: Any, **_: Any) -> bool:
    return len(spatial(weight)) > 1 and dilation[-1] > 1


def _window_of_one(kernel_size: Any, **_: Any) -> bool:
    return set(kernel_size) == {1}


WALKS = (
    Deviation(
        name="dilated window clipped at the border",
        operations=("max_pool", "average_pool"),
        kind="mistake",
        sentence="Moves the start of a window that begins in the padding to position 0, which is "
        "not on the window's dilated grid.",
        hidden="dilation 1, no padding, or starts divisible by the dilation",
        edit=replacing(_pool_from_clipped_start),
    ),
    Deviation(
        name="rows of a dilated kernel drift apart",
        operations=("conv",),
        kind="mistake",
        sentence="Steps from one row of a dilated kernel to the next by the row less the kernel's "
        "extent, where it must be the row less dilation times kernel: each row reads further on.",
        hidden="dilation 1, one spatial axis, or kernels of one row",
        edit=only(_dilated_rows, replacing(_drifting_rows)),
        threads=("Tencent/ncnn#75",),
    ),
    Deviation(
        name="window of one taken for the identity",
        operations=POOLS,
        kind="mistake",
        sentence="Returns the input where the window has one element, whatever the stride.",
        hidden="stride 1, or larger windows",
        edit=only(_window_of_one, sized(without("stride", 1))),
    ),
)

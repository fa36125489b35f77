"""Ceil mode: which window is the last."""

from __future__ import annotations

from typing import Any

from convspec.arguments import Array
from convspec.oracle.deviations.edits import POOLS, afterwards, each, fitted, rewriting, spatial
from convspec.oracle.deviations.record import Deviation
from convspec.oracle.deviations.sliding import lowest, windows_of
from convspec.window import Window, extent, start


def _kept_size(n: int, window: Window) -> int:
    room = n + window.low + window.high - extent(window)
    return (-(-room // window.stride) if window.ceil else room // window.stride) + 1


def _with_the_last_window(outputs: Any, input: Any, **attributes: Any) -> Any:
    sliding = windows_of(**attributes)
    sizes = [_kept_size(n, w) for n, w in zip(spatial(input), sliding, strict=True)]
    average = "count_include_pad" in attributes

    def longer(output: Array) -> Array:
        fill = 0 if average else lowest(output.dtype)
        whole: Array = fitted(output, (*output.shape[:2], *sizes), fill=fill)
        return whole

    return each(outputs, longer)


def _size_until_padding_ends(n: int, window: Window) -> int:
    """The output size where a last window may begin in the high padding, but not beyond it."""
    past = start(window, _kept_size(n, window) - 1) >= n + window.high
    return _kept_size(n, window) - int(past and window.ceil)


def _with_a_window_in_the_padding(outputs: Any, input: Any, **attributes: Any) -> Any:
    sizes = [
        _size_until_padding_ends(n, w)
        for n, w in zip(spatial(input), windows_of(**attributes), strict=True)
    ]

    def longer(output: Array) -> Array:
        fill = 0 if "count_include_pad" in attributes else lowest(output.dtype)
        whole: Array = fitted(output, (*output.shape[:2], *sizes), fill=fill)
        return whole

    return each(outputs, longer)


LAST_WINDOW = (
    Deviation(
        name="ceil-mode window beyond the input kept",
        operations=POOLS,
        kind="convention",
        sentence="With ceil_mode, keeps a last window that starts past the input and holds none "
        "of its elements: -inf in a maximum, 0 in an average.",
        hidden="ceil_mode off, or kernels at least as large as stride plus padding",
        edit=afterwards(_with_the_last_window),
        threads=(
            "pytorch/pytorch#45357",
            "onnx/onnx#5741",
            "PaddlePaddle/Paddle#51542",
            "apache/tvm#18641",
            "apache/tvm#15281",
        ),
        convention=("ceil_last_window", "kept"),
    ),
    Deviation(
        name="ceil-mode window in the high padding kept",
        operations=POOLS,
        kind="convention",
        sentence="With ceil_mode, keeps a last window that starts in the high padding, though not "
        "one beyond it.",
        hidden="ceil_mode off, or no high padding",
        edit=afterwards(_with_a_window_in_the_padding),
        threads=("pytorch/pytorch#46929",),
        convention=("ceil_last_window", "kept in the padding"),
    ),
    Deviation(
        name="ceil_mode ignored",
        operations=POOLS,
        kind="mistake",
        sentence="Always rounds the output size down.",
        hidden="ceil_mode off, or exact division without padding",
        edit=rewriting(lambda **_: {"ceil_mode": False}),
        threads=("opencv/opencv#21159",),
    ),
    Deviation(
        name="ceil_mode always on",
        operations=POOLS,
        kind="mistake",
        sentence="Always rounds the output size up.",
        hidden="ceil_mode on, or exact division",
        edit=rewriting(lambda **_: {"ceil_mode": True}),
        threads=("BVLC/caffe#1318", "opencv/opencv#21159"),
    ),
)

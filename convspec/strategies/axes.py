"""One spatial axis of a call, and the sizes that calls are made of.

Each number is drawn from the values that the ones before it leave possible, and each axis is a
strategy of its own, so that Hypothesis can delete one of several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from convspec.arguments import Shape
from convspec.window import Window, extent, first_empty, transposed_size

Geometry = tuple[dict[str, Any], dict[str, Any]]
Draw = Callable[[st.SearchStrategy[Any]], Any]


class Scope(NamedTuple):
    """The largest size, kernel, stride, dilation, padding and enlargement of an axis."""

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: int
    scale: int


# The more axes, the smaller each: a literal definition visits every product of every window.
SCOPES = {
    1: Scope(size=8, kernel=4, stride=5, dilation=3, padding=4, scale=4),
    2: Scope(size=5, kernel=4, stride=4, dilation=3, padding=2, scale=3),
    3: Scope(size=3, kernel=3, stride=3, dilation=2, padding=1, scale=2),
}
# Mostly not empty, for an empty batch asserts nothing but a shape.
BATCHES = (1, 1, 1, 2, 2, 3, 3, 0)


class Axis(NamedTuple):
    """One spatial axis of a call: its size and the window that slides along it."""

    size: int
    window: Window
    output_padding: int = 0


AxisStrategy = Callable[[Scope], st.SearchStrategy[Any]]


def axes_of(draw: Draw, axis: AxisStrategy) -> list[Any]:
    """One to three axes, each drawn apart, in the scope of that many axes."""
    rank = draw(st.integers(1, 3))
    return [draw(axis(SCOPES[rank])) for _ in range(rank)]


def up_to(largest: int) -> st.SearchStrategy[int]:
    """Any number from 1."""
    return st.integers(1, largest)


def mostly(least: int, largest: int) -> st.SearchStrategy[int]:
    """From `least` up to `largest`, often `least` and next often `least + 1`: one feature alone
    is as interesting as all together, and a large stride leaves one output.

    The choices of a wider range begin with those of a narrower one, so that an axis keeps its
    numbers when the deletion of another one widens its scope.
    """
    twice = [least + 1] * 2 if largest > least else []
    return st.sampled_from([least] * 3 + twice + list(range(least + 2, largest + 1)))


def batches() -> st.SearchStrategy[int]:
    """How many items a call has, none among them."""
    return st.sampled_from(BATCHES)


@st.composite
def images(draw: Draw, *, least_rank: int = 0) -> Shape:
    """Shapes `(N, C, *spatial)` with up to three spatial axes, at least `least_rank`."""
    rank = draw(st.integers(least_rank, 3))
    sizes = [draw(up_to(SCOPES[rank].size)) for _ in range(rank)]
    return (draw(batches()), draw(up_to(5)), *sizes)


@st.composite
def conv_axis(draw: Draw, scope: Scope) -> Axis:
    """Size and padding first, then a kernel that fits."""
    axis: Axis = draw(fitting_axis(scope, draw(up_to(scope.size))))
    return axis


@st.composite
def fitting_axis(draw: Draw, scope: Scope, size: int) -> Axis:
    """Padding around a size, then a kernel that fits: the kernel may exceed the input, the
    padding the kernel, the stride both.
    """
    low, high = draw(mostly(0, scope.padding)), draw(mostly(0, scope.padding))
    room = size + low + high - 1
    kernel = draw(up_to(min(scope.kernel, room + 1)))
    farthest = room // (kernel - 1) if kernel > 1 else scope.dilation
    dilation = draw(mostly(1, min(scope.dilation, farthest)))
    return Axis(size, Window(kernel, draw(mostly(1, scope.stride)), low, high, dilation))


@st.composite
def transposed_axis(draw: Draw, scope: Scope) -> Axis:
    """Window first, then a crop that leaves at least one output position."""
    size, kernel = draw(up_to(scope.size)), draw(up_to(scope.kernel))
    stride, dilation = draw(mostly(1, scope.stride)), draw(mostly(1, scope.dilation))
    more = draw(mostly(0, max(stride, dilation) - 1))
    spare = transposed_size(size, Window(kernel, stride, dilation=dilation), more) - 1
    low = draw(mostly(0, min(scope.padding, spare)))
    high = draw(mostly(0, min(scope.padding, spare - low)))
    return Axis(size, Window(kernel, stride, low, high, dilation), more)


@cache
def _filled_paddings(size: int, window: Window, largest: int) -> dict[int, list[int]]:
    """For each low padding the high paddings that leave no window without an element.

    Low padding 0 with just enough high padding always qualifies: the only window starts at 0.
    """
    lacking = max(0, extent(window) - size)
    found: dict[int, list[int]] = {}
    for low in range(largest + 1):
        for high in range(max(largest, lacking) + 1):
            padded = window._replace(low=low, high=high)
            if size + low + high >= extent(window) and first_empty(size, padded) is None:
                found.setdefault(low, []).append(high)
    return found


@st.composite
def pool_axis(draw: Draw, scope: Scope, *, ceil: bool) -> Axis:
    """Size and window first, then one of the paddings that leave no window empty."""
    size, kernel = draw(up_to(scope.size)), draw(up_to(scope.kernel))
    stride, dilation = draw(mostly(1, scope.stride)), draw(mostly(1, scope.dilation))
    window = Window(kernel, stride, dilation=dilation, ceil=ceil)
    paddings = _filled_paddings(size, window, scope.padding)
    low = draw(st.sampled_from(list(paddings)))
    high = draw(st.sampled_from(paddings[low]))
    return Axis(size, window._replace(low=low, high=high))


@st.composite
def pair_of_sizes(draw: Draw, scope: Scope, *, inside: bool) -> tuple[int, int]:
    """The sizes of two operands, the second `inside` the first if the mode asks for it."""
    smaller = draw(up_to(scope.kernel))
    return draw(st.integers(smaller if inside else 1, scope.size)), smaller


def sliding_attributes(axes: Sequence[Axis]) -> dict[str, Any]:
    """Stride, padding and dilation of a call, one entry an axis."""
    return {
        "stride": tuple(axis.window.stride for axis in axes),
        "padding": tuple((axis.window.low, axis.window.high) for axis in axes),
        "dilation": tuple(axis.window.dilation for axis in axes),
    }


def sizes_of(axes: Sequence[Axis]) -> Shape:
    """The spatial sizes of the input."""
    return tuple(axis.size for axis in axes)


def kernels_of(axes: Sequence[Axis]) -> Shape:
    """The kernel sizes."""
    return tuple(axis.window.kernel for axis in axes)

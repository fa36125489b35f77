"""Hypothesis strategies for calls of every operation: valid by construction, never filtered.

A *geometry* is the shapes and attributes of a call; a *call* adds the arrays.  Every axis draws
its own size, kernel, stride, dilation and padding, the low side apart from the high side, so
that no two numbers of a call agree except by chance.  Each number is drawn from the values that
the ones before it leave possible: nothing is thrown away, and nothing valid in scope is missed.

Everything shrinks to the simplest call: one spatial axis, one element, kernel 1, stride 1,
dilation 1, no padding, one channel, one group, batch 1, no bias, every number 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from numpy.typing import DTypeLike

from convspec.arguments import Array, Shape
from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.window import Window, extent, first_empty, transposed_size

Geometry = tuple[dict[str, Shape], dict[str, Any]]
Draw = Callable[[st.SearchStrategy[Any]], Any]


class Scope(NamedTuple):
    """The largest size, kernel, stride, dilation and padding of an axis."""

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: int


# The more axes, the smaller each: a literal definition visits every product of every window.
SCOPES = {
    1: Scope(size=8, kernel=4, stride=5, dilation=3, padding=4),
    2: Scope(size=5, kernel=4, stride=4, dilation=3, padding=2),
    3: Scope(size=3, kernel=3, stride=3, dilation=2, padding=1),
}
# Mostly not empty, for an empty batch asserts nothing but a shape.
BATCHES = (1, 1, 1, 2, 2, 3, 3, 0)


def arrays(
    shape: Shape, dtype: DTypeLike = "float64", elements: st.SearchStrategy[Any] | None = None
) -> st.SearchStrategy[Array]:
    """Arrays of this shape, every element drawn on its own.

    Without `elements`: integers from -7 to 8, whose sums of products are exact in every dtype
    that holds a few thousand.  There is no fill value: an array that mostly repeats one number
    hides a kernel that is flipped or an axis that is swapped.  Shrinks each element towards 0,
    or to what `elements` shrinks to.

    >>> from hypothesis import find
    >>> find(arrays((2,), "int8"), lambda x: x[1] > 3)
    array([0, 4], dtype=int8)
    """
    if elements is not None:
        return numpy_strategies.arrays(dtype, shape, elements=elements, fill=st.nothing())
    # One draw of bytes is many times faster than one draw an element, and shrinks byte by byte.
    size = int(numpy.prod(shape))
    return st.binary(min_size=size, max_size=size).map(
        partial(_small_integers, shape=shape, dtype=dtype)
    )


def _small_integers(drawn: bytes, *, shape: Shape, dtype: DTypeLike) -> Array:
    """0, 1, -1, 2, ..., -7, 8 for the bytes 0 to 15, and again for the next 16: a byte shrinks
    to the first of its kind when Hypothesis masks its high bits.  Unsigned dtypes keep 0 to 15.
    """
    codes = numpy.frombuffer(drawn, dtype=numpy.uint8).astype(numpy.int64) & 15
    if numpy.dtype(dtype).kind != "u":
        codes = numpy.where(codes % 2, codes + 1, -codes) // 2
    return codes.astype(dtype).reshape(shape)


def extreme_floats(dtype: DTypeLike = "float64") -> st.SearchStrategy[float]:
    """Elements at the edges of a float dtype, for `calls(operation, elements=...)`.

    Zeros of both signs, subnormals, the smallest normal, neighbours of 1, halves of an ulp, the
    largest, infinities, NaN, and any other value.  Shrinks towards 0.
    """
    info = numpy.finfo(numpy.dtype(dtype))
    edges = [
        float(x)
        for x in (
            0.0,
            1.0,
            1 + info.eps,
            1 - info.epsneg,
            info.eps / 2,
            info.smallest_normal,
            info.smallest_subnormal,
            info.max,
            numpy.inf,
        )
    ]
    signed = [sign * x for x in edges for sign in (1.0, -1.0)]
    width = 8 * numpy.dtype(dtype).itemsize
    return st.sampled_from([*signed, float("nan")]) | st.floats(width=width)  # type: ignore[arg-type]


class _Axis(NamedTuple):
    """One spatial axis of a call: its size and the window that slides along it."""

    size: int
    window: Window
    output_padding: int = 0


# One axis in a scope.  Each axis is a strategy, so that Hypothesis can delete one of several.
AxisStrategy = Callable[[Scope], st.SearchStrategy[Any]]


def _axes(draw: Draw, axis: AxisStrategy) -> list[Any]:
    """One to three axes, each drawn apart, in the scope of that many axes."""
    rank = draw(st.integers(1, 3))
    return [draw(axis(SCOPES[rank])) for _ in range(rank)]


def _up_to(largest: int) -> st.SearchStrategy[int]:
    return st.integers(1, largest)


def _mostly(least: int, largest: int) -> st.SearchStrategy[int]:
    """From `least` up to `largest`, often `least` and next often `least + 1`: one feature alone
    is as interesting as all together, and a large stride leaves one output.

    The choices of a wider range begin with those of a narrower one, so that an axis keeps its
    numbers when the deletion of another one widens its scope.
    """
    twice = [least + 1] * 2 if largest > least else []
    return st.sampled_from([least] * 3 + twice + list(range(least + 2, largest + 1)))


@st.composite
def _conv_axis(draw: Draw, scope: Scope) -> _Axis:
    """Size and padding first, then a kernel that fits: the kernel may exceed the input, the
    padding the kernel, the stride both.
    """
    size = draw(_up_to(scope.size))
    low, high = draw(_mostly(0, scope.padding)), draw(_mostly(0, scope.padding))
    room = size + low + high - 1
    kernel = draw(_up_to(min(scope.kernel, room + 1)))
    farthest = room // (kernel - 1) if kernel > 1 else scope.dilation
    dilation = draw(_mostly(1, min(scope.dilation, farthest)))
    return _Axis(size, Window(kernel, draw(_mostly(1, scope.stride)), low, high, dilation))


@st.composite
def _transposed_axis(draw: Draw, scope: Scope) -> _Axis:
    """Window first, then a crop that leaves at least one output position."""
    size, kernel = draw(_up_to(scope.size)), draw(_up_to(scope.kernel))
    stride, dilation = draw(_mostly(1, scope.stride)), draw(_mostly(1, scope.dilation))
    more = draw(_mostly(0, max(stride, dilation) - 1))
    spare = transposed_size(size, Window(kernel, stride, dilation=dilation), more) - 1
    low = draw(_mostly(0, min(scope.padding, spare)))
    high = draw(_mostly(0, min(scope.padding, spare - low)))
    return _Axis(size, Window(kernel, stride, low, high, dilation), more)


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
def _pool_axis(draw: Draw, scope: Scope, *, ceil: bool) -> _Axis:
    """Size and window first, then one of the paddings that leave no window empty."""
    size, kernel = draw(_up_to(scope.size)), draw(_up_to(scope.kernel))
    stride, dilation = draw(_mostly(1, scope.stride)), draw(_mostly(1, scope.dilation))
    window = Window(kernel, stride, dilation=dilation, ceil=ceil)
    paddings = _filled_paddings(size, window, scope.padding)
    low = draw(st.sampled_from(list(paddings)))
    high = draw(st.sampled_from(paddings[low]))
    return _Axis(size, window._replace(low=low, high=high))


@st.composite
def _pair_of_sizes(draw: Draw, scope: Scope, *, inside: bool) -> tuple[int, int]:
    """The sizes of two operands, the second `inside` the first if the mode asks for it."""
    smaller = draw(_up_to(scope.kernel))
    return draw(st.integers(smaller if inside else 1, scope.size)), smaller


def _window_attributes(axes: list[_Axis]) -> dict[str, Any]:
    return {
        "stride": tuple(axis.window.stride for axis in axes),
        "padding": tuple((axis.window.low, axis.window.high) for axis in axes),
        "dilation": tuple(axis.window.dilation for axis in axes),
    }


def _with_bias(draw: Draw, shapes: dict[str, Shape], outputs: int) -> dict[str, Shape]:
    return {**shapes, "bias": (outputs,)} if draw(st.booleans()) else shapes


def _channels(draw: Draw) -> tuple[int, int, int]:
    """Groups, and the input and output channels of each: any of them odd or equal to 1."""
    groups, inputs, outputs = (draw(st.integers(1, 3)) for _ in range(3))
    return groups, inputs, outputs


@st.composite
def _conv(draw: Draw) -> Geometry:
    batch, (groups, inputs, outputs) = draw(st.sampled_from(BATCHES)), _channels(draw)
    axes = _axes(draw, _conv_axis)
    shapes = {
        "input": (batch, groups * inputs, *(axis.size for axis in axes)),
        "weight": (groups * outputs, inputs, *(axis.window.kernel for axis in axes)),
    }
    attributes = {**_window_attributes(axes), "groups": groups}
    return _with_bias(draw, shapes, groups * outputs), attributes


@st.composite
def _conv_transpose(draw: Draw) -> Geometry:
    batch, (groups, inputs, outputs) = draw(st.sampled_from(BATCHES)), _channels(draw)
    axes = _axes(draw, _transposed_axis)
    shapes = {
        "input": (batch, groups * inputs, *(axis.size for axis in axes)),
        "weight": (groups * inputs, outputs, *(axis.window.kernel for axis in axes)),
    }
    sliding = _window_attributes(axes)
    attributes = {
        "stride": sliding["stride"],
        "padding": sliding["padding"],
        "output_padding": tuple(axis.output_padding for axis in axes),
        "dilation": sliding["dilation"],
        "groups": groups,
    }
    return _with_bias(draw, shapes, groups * outputs), attributes


@st.composite
def _pool(draw: Draw, *, counts: bool) -> Geometry:
    batch, channels = draw(st.sampled_from(BATCHES)), draw(st.integers(1, 5))
    ceil = draw(st.booleans())
    axes = _axes(draw, partial(_pool_axis, ceil=ceil))
    attributes = {
        "kernel_size": tuple(axis.window.kernel for axis in axes),
        **_window_attributes(axes),
        "ceil_mode": ceil,
    }
    if counts:
        attributes["count_include_pad"] = draw(st.booleans())
    return {"input": (batch, channels, *(axis.size for axis in axes))}, attributes


@st.composite
def _full_convolution(draw: Draw) -> Geometry:
    mode = draw(st.sampled_from(("full", "same", "valid")))
    axes = _axes(draw, partial(_pair_of_sizes, inside=mode == "valid"))
    larger, smaller = (tuple(sizes) for sizes in zip(*axes, strict=True))
    f, g = (smaller, larger) if draw(st.booleans()) else (larger, smaller)
    return {"f": f, "g": g}, {"mode": mode}


# What draws the geometry of each operation that is drawn.
GEOMETRIES: dict[str, Callable[[], st.SearchStrategy[Geometry]]] = {
    "convolve": _full_convolution,
    "correlate": _full_convolution,
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": partial(_pool, counts=False),
    "max_pool_with_indices": partial(_pool, counts=False),
    "average_pool": partial(_pool, counts=True),
}


@st.composite
def geometries(draw: Draw, operation: str) -> Geometry:
    """Valid shapes and normalised attributes of a call, `(shapes by operand, attributes)`.

    An optional operand may be absent; the shapes of a `_vjp` begin with its cotangent's.
    Shrinks to one spatial axis, size 1, kernel 1, stride 1, dilation 1, no padding, one channel,
    one group, batch 1, no bias; `mode` to full, flags to False.

    >>> from hypothesis import find
    >>> find(geometries("conv"), lambda geometry: max(geometry[1]["stride"]) > 1)
    ({'input': (1, 1, 1), 'weight': (1, 1, 1)}, \
{'stride': (2,), 'padding': ((0, 0),), 'dilation': (1,), 'groups': 1})
    """
    name = forward_name(operation)
    if name not in GEOMETRIES:
        raise ValueError(f"operation={operation!r}: must be one of {', '.join(GEOMETRIES)}")
    shapes, attributes = draw(GEOMETRIES[name]())
    if operation == name:
        return shapes, attributes
    cotangent = OPERATIONS[name].shape(*shapes.values(), **attributes)
    return {"cotangent": cotangent, **shapes}, attributes


@st.composite
def calls(
    draw: Draw,
    operation: str,
    *,
    dtype: DTypeLike = "float64",
    elements: st.SearchStrategy[Any] | None = None,
) -> Case:
    """Valid calls of an operation or of its `_vjp`, with arrays of this dtype.

    Without `elements` every number is a small integer, so that every order of summation gives
    the same exact value.  Shrinks the geometry first, then every number towards 0.

    >>> from hypothesis import find
    >>> find(calls("max_pool"), lambda case: case.operands["input"].max() > 2)
    Case(operation='max_pool', operands={'input': array([[[3.]]])}, \
attributes={'kernel_size': (1,), 'stride': (1,), 'padding': ((0, 0),), 'dilation': (1,), \
'ceil_mode': False})
    """
    shapes, attributes = draw(geometries(operation))
    operands = {name: draw(arrays(shape, dtype, elements)) for name, shape in shapes.items()}
    return Case(operation, operands, attributes)

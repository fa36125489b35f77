"""Geometries of everything with a weight."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import strategies as st

from convspec.arguments import Shape
from convspec.resize import KINDS
from convspec.strategies.axes import (
    SCOPES,
    Axis,
    Draw,
    Geometry,
    Scope,
    axes_of,
    batches,
    conv_axis,
    fitting_axis,
    images,
    kernels_of,
    pair_of_sizes,
    sizes_of,
    sliding_attributes,
    transposed_axis,
    up_to,
)
from convspec.window import output_size


def with_bias(draw: Draw, shapes: dict[str, Any], bias: Shape) -> dict[str, Any]:
    """The operands with a bias, or without."""
    return {**shapes, "bias": bias} if draw(st.booleans()) else shapes


def _three(draw: Draw) -> tuple[int, int, int]:
    """Groups, and the input and output channels of each: any of them odd or equal to 1."""
    first, second, third = (draw(up_to(3)) for _ in range(3))
    return first, second, third


def undilated(scope: Scope) -> Scope:
    """A scope for the operations without dilation."""
    return scope._replace(dilation=1)


@st.composite
def full_convolution(draw: Draw) -> Geometry:
    """`convolve` and `correlate`."""
    mode = draw(st.sampled_from(("full", "same", "valid")))
    axes = axes_of(draw, partial(pair_of_sizes, inside=mode == "valid"))
    larger, smaller = (tuple(sizes) for sizes in zip(*axes, strict=True))
    f, g = (smaller, larger) if draw(st.booleans()) else (larger, smaller)
    return {"f": f, "g": g}, {"mode": mode}


@st.composite
def conv(draw: Draw) -> Geometry:
    """`conv`."""
    batch, (groups, inputs, outputs) = draw(batches()), _three(draw)
    axes = axes_of(draw, conv_axis)
    shapes = {
        "input": (batch, groups * inputs, *sizes_of(axes)),
        "weight": (groups * outputs, inputs, *kernels_of(axes)),
    }
    attributes = {**sliding_attributes(axes), "groups": groups}
    return with_bias(draw, shapes, (groups * outputs,)), attributes


@st.composite
def conv_transpose(draw: Draw) -> Geometry:
    """`conv_transpose`."""
    batch, (groups, inputs, outputs) = draw(batches()), _three(draw)
    axes = axes_of(draw, transposed_axis)
    shapes = {
        "input": (batch, groups * inputs, *sizes_of(axes)),
        "weight": (groups * inputs, outputs, *kernels_of(axes)),
    }
    sliding = sliding_attributes(axes)
    attributes = {
        "stride": sliding["stride"],
        "padding": sliding["padding"],
        "output_padding": tuple(axis.output_padding for axis in axes),
        "dilation": sliding["dilation"],
        "groups": groups,
    }
    return with_bias(draw, shapes, (groups * outputs,)), attributes


@st.composite
def depthwise_conv(draw: Draw) -> Geometry:
    """`depthwise_conv`: some kernels for each channel."""
    batch, channels, multiplier = draw(batches()), draw(up_to(4)), draw(up_to(3))
    axes = axes_of(draw, conv_axis)
    shapes = {
        "input": (batch, channels, *sizes_of(axes)),
        "weight": (channels * multiplier, 1, *kernels_of(axes)),
    }
    return with_bias(draw, shapes, (channels * multiplier,)), sliding_attributes(axes)


@st.composite
def pointwise_conv(draw: Draw) -> Geometry:
    """`pointwise_conv`."""
    image, outputs = draw(images(least_rank=1)), draw(up_to(5))
    return with_bias(draw, {"input": image, "weight": (outputs, image[1])}, (outputs,)), {}


@st.composite
def depthwise_separable_conv(draw: Draw) -> Geometry:
    """`depthwise_separable_conv`."""
    batch, (channels, multiplier, outputs) = draw(batches()), _three(draw)
    axes = axes_of(draw, conv_axis)
    shapes = {
        "input": (batch, channels, *sizes_of(axes)),
        "depthwise": (channels * multiplier, 1, *kernels_of(axes)),
        "pointwise": (outputs, channels * multiplier),
    }
    return with_bias(draw, shapes, (outputs,)), sliding_attributes(axes)


@st.composite
def spatially_separable_conv(draw: Draw) -> Geometry:
    """`spatially_separable_conv`: one kernel an axis, and no dilation."""
    batch, channels = draw(batches()), draw(up_to(3))
    axes = axes_of(draw, lambda scope: conv_axis(undilated(scope)))
    shapes = {
        "input": (batch, channels, *sizes_of(axes)),
        "factors": [(kernel,) for kernel in kernels_of(axes)],
    }
    sliding = sliding_attributes(axes)
    return shapes, {"stride": sliding["stride"], "padding": sliding["padding"]}


@st.composite
def locally_connected(draw: Draw) -> Geometry:
    """`locally_connected`: a kernel for every output position, so that two outputs are many."""
    batch, inputs, outputs = draw(batches()), draw(up_to(3)), draw(up_to(2))
    axes = axes_of(draw, conv_axis)
    reached = tuple(output_size(axis.size, axis.window) for axis in axes)
    shapes = {
        "input": (batch, inputs, *sizes_of(axes)),
        "weight": (outputs, inputs, *reached, *kernels_of(axes)),
    }
    return with_bias(draw, shapes, (outputs, *reached)), sliding_attributes(axes)


@st.composite
def _resized_axis(draw: Draw, scope: Scope) -> tuple[int, int, Axis]:
    """Size and scale first, then a window at stride 1 that fits the enlarged axis."""
    size, scale = draw(up_to(scope.size)), draw(up_to(scope.scale))
    plain = scope._replace(dilation=1, stride=1)
    return size, scale, draw(fitting_axis(plain, size * scale))


@st.composite
def resize_conv(draw: Draw) -> Geometry:
    """`resize_conv`."""
    batch, inputs, outputs = draw(batches()), draw(up_to(3)), draw(up_to(3))
    sizes, scales, axes = zip(*axes_of(draw, _resized_axis), strict=True)
    shapes = {
        "input": (batch, inputs, *sizes),
        "weight": (outputs, inputs, *kernels_of(axes)),
    }
    attributes = {
        "scale": scales,
        "kind": draw(st.sampled_from(KINDS)),
        "padding": sliding_attributes(axes)["padding"],
    }
    return with_bias(draw, shapes, (outputs,)), attributes


@st.composite
def linear(draw: Draw) -> Geometry:
    """`linear`."""
    inputs, outputs = draw(up_to(SCOPES[1].size)), draw(up_to(5))
    shapes = {"input": (draw(batches()), inputs), "weight": (outputs, inputs)}
    return with_bias(draw, shapes, (outputs,)), {}

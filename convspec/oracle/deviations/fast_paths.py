"""Fast paths whose guard lets too much through: right on their shape, wrong with one thing more."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    POOLS,
    afterwards,
    only,
    output_shape,
    replacing,
    rewriting,
    sized,
    spatial,
)
from convspec.oracle.deviations.geometry import reversed_axes, without
from convspec.oracle.deviations.groups import first_group_everywhere, has_bias, is_depthwise
from convspec.oracle.deviations.record import Deviation, Function


def kernel_is_one(weight: Any, **_: Any) -> bool:
    """Whether the kernel has one tap."""
    return set(spatial(weight)) == {1}


def _winograd_shape(weight: Any, stride: Any, **_: Any) -> bool:
    return set(spatial(weight)) == {3} and set(stride) == {1}


def _whole_kernel(input: Any, weight: Any, **_: Any) -> bool:
    return spatial(weight) == spatial(input)


def _disjoint(kernel_size: Any, stride: Any, **_: Any) -> bool:
    return tuple(kernel_size) == tuple(stride)


def _odd_tile_left_out(output: Array, **_: Any) -> Array:
    output = numpy.array(output)
    for axis in range(2, output.ndim):
        if output.shape[axis] % 2:
            numpy.moveaxis(output, axis, 0)[-1] = 0
    return output


def _first_filter_of_channel(weight: Any, groups: int, **_: Any) -> dict[str, Any]:
    multiplier = len(weight) // groups
    return {"weight": numpy.asarray(weight)[::multiplier].repeat(multiplier, axis=0)}


def _one_product_everywhere(right: Function, **arguments: Any) -> Any:
    none = ((0, 0),) * len(arguments["padding"])
    shape = output_shape("conv", arguments)
    return numpy.broadcast_to(right(**{**arguments, "padding": none}), shape)


FAST_PATHS = (
    Deviation(
        name="1x1 path ignores the stride",
        operations=("conv",),
        kind="mistake",
        sentence="A 1x1 kernel goes to a matrix product over all positions, of which the first "
        "ones are returned.",
        hidden="stride 1, or larger kernels",
        edit=only(kernel_is_one, sized(without("stride", 1))),
        threads=("tensorflow/tensorflow#1868",),
    ),
    Deviation(
        name="1x1 path ignores the padding",
        operations=("conv",),
        kind="mistake",
        sentence="A 1x1 kernel goes to a matrix product over the input without its padding.",
        hidden="padding 0, or larger kernels",
        edit=only(kernel_is_one, sized(without("padding", (0, 0)))),
    ),
    Deviation(
        name="1x1 path ignores the groups",
        operations=("conv",),
        kind="mistake",
        sentence="A 1x1 kernel goes to one matrix product with the first group's channels.",
        hidden="groups 1, or larger kernels",
        edit=only(kernel_is_one, rewriting(first_group_everywhere)),
        threads=("pytorch/pytorch#19912",),
    ),
    Deviation(
        name="Winograd path ignores the padding",
        operations=("conv",),
        kind="mistake",
        sentence="Kernels of size 3 with stride 1 take tiles from the input without its padding.",
        hidden="padding 0, other kernels, or stride beyond 1",
        edit=only(_winograd_shape, sized(without("padding", (0, 0)))),
        threads=("openvinotoolkit/openvino#33681",),
    ),
    Deviation(
        name="Winograd path ignores the dilation",
        operations=("conv",),
        kind="mistake",
        sentence="Kernels of size 3 with stride 1 take dense tiles whatever the dilation.",
        hidden="dilation 1, other kernels, or stride beyond 1",
        edit=only(_winograd_shape, sized(without("dilation", 1))),
    ),
    Deviation(
        name="Winograd tile left out at an odd end",
        operations=("conv",),
        kind="mistake",
        sentence="Kernels of size 3 with stride 1 are computed two outputs at a time, and an odd "
        "one at the end stays zero.",
        hidden="even outputs, other kernels, or stride beyond 1",
        edit=only(_winograd_shape, afterwards(_odd_tile_left_out)),
        threads=("opencv/opencv#23080",),
    ),
    Deviation(
        name="depthwise path ignores the multiplier",
        operations=("conv",),
        kind="mistake",
        sentence="The depthwise path uses each channel's first filter for all of its outputs.",
        hidden="multiplier 1, and convolutions that are not depthwise",
        edit=only(is_depthwise, rewriting(_first_filter_of_channel)),
    ),
    Deviation(
        name="depthwise path swaps height and width",
        operations=("conv",),
        kind="mistake",
        sentence="The depthwise path takes the strides in reverse order of the axes.",
        hidden="equal strides, and convolutions that are not depthwise",
        edit=only(is_depthwise, rewriting(reversed_axes("stride"))),
        threads=("torch/cunn#470",),
    ),
    Deviation(
        name="depthwise path ignores the dilation",
        operations=("conv",),
        kind="mistake",
        sentence="The depthwise path reads neighbouring positions whatever the dilation.",
        hidden="dilation 1, and convolutions that are not depthwise",
        edit=only(is_depthwise, sized(without("dilation", 1))),
        threads=("tensorflow/tfjs#5378", "keras-team/keras#16314"),
    ),
    Deviation(
        name="depthwise path ignores the bias",
        operations=("conv",),
        kind="mistake",
        sentence="The depthwise path does not add the bias.",
        hidden="no bias, and convolutions that are not depthwise",
        edit=only(
            lambda **a: is_depthwise(**a) and has_bias(**a), rewriting(lambda **_: {"bias": None})
        ),
    ),
    Deviation(
        name="kernel as large as the input taken for a product",
        operations=("conv",),
        kind="mistake",
        sentence="A kernel of the input's size goes to one matrix product whatever the padding, "
        "and its result stands at every output position.",
        hidden="padding 0, or kernels that differ from the input",
        edit=only(_whole_kernel, replacing(_one_product_everywhere)),
    ),
    Deviation(
        name="disjoint windows pooled without padding",
        operations=POOLS,
        kind="mistake",
        sentence="With a stride equal to the kernel, the windows are cut from the input without "
        "its padding.",
        hidden="padding 0, or a stride that differs from the kernel",
        edit=only(_disjoint, sized(without("padding", (0, 0)))),
    ),
    Deviation(
        name="disjoint windows pooled without dilation",
        operations=POOLS,
        kind="mistake",
        sentence="With a stride equal to the kernel, the windows are cut as blocks whatever the "
        "dilation.",
        hidden="dilation 1, or a stride that differs from the kernel",
        edit=only(_disjoint, sized(without("dilation", 1))),
    ),
)

"""Which way round the kernel lies."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    flipped,
    moving,
    rewriting,
)
from convspec.oracle.deviations.record import Deviation


def _flipped_with_channels(weight: Any, **_: Any) -> dict[str, Any]:
    return {"weight": numpy.flip(weight, axis=tuple(range(1, numpy.ndim(weight))))}


def _flipped_on_last_axis(weight: Any, **_: Any) -> dict[str, Any]:
    return {"weight": numpy.flip(weight, axis=-1)}


def _column_major(weight: Any, **_: Any) -> dict[str, Any]:
    weight = numpy.asarray(weight)
    channels, kernel = weight.shape[:2], weight.shape[2:]
    memory = weight.reshape(*channels, *reversed(kernel))
    return {"weight": memory.transpose(0, 1, *reversed(range(2, weight.ndim)))}


def _channel_axes_swapped(weight: Any, **_: Any) -> dict[str, Any]:
    outputs, inputs = numpy.shape(weight)[:2]
    swapped = numpy.asarray(weight).reshape(inputs, outputs, *numpy.shape(weight)[2:])
    return {"weight": swapped.swapaxes(0, 1)}


def _whole(array: Array) -> Array:
    return numpy.flip(array)


ORIENTATION = (
    Deviation(
        name="kernel flipped",
        operations=("conv", "conv_vjp"),
        kind="convention",
        sentence="The kernel is rotated by 180 degrees first: the convolution of mathematics "
        "where the spec's conv is a cross-correlation.",
        hidden="kernels of one element and symmetric kernels",
        edit=moving("weight", flipped, flipped),
        threads=("keras-team/keras#3015",),
        convention=("kernel_orientation", "flipped"),
    ),
    Deviation(
        name="kernel flipped in the transposed convolution",
        operations=("conv_transpose", "conv_transpose_vjp"),
        kind="convention",
        sentence="The scattered kernel is rotated by 180 degrees, so that the result is not the "
        "adjoint of conv with the same weight.",
        hidden="kernels of one element and symmetric kernels",
        edit=moving("weight", flipped, flipped),
        threads=("jax-ml/jax#33419",),
        convention=("kernel_orientation", "flipped"),
    ),
    Deviation(
        name="second operand not flipped",
        operations=("convolve", "convolve_vjp"),
        kind="convention",
        sentence="Computes the cross-correlation under the name of convolution.",
        hidden="second operands that are symmetric under a rotation by 180 degrees",
        edit=moving("g", _whole, _whole),
        convention=("kernel_orientation", "unflipped"),
    ),
    Deviation(
        name="second operand flipped",
        operations=("correlate", "correlate_vjp"),
        kind="convention",
        sentence="Computes the convolution under the name of correlation.",
        hidden="second operands that are symmetric under a rotation by 180 degrees",
        edit=moving("g", _whole, _whole),
        convention=("kernel_orientation", "flipped"),
    ),
    Deviation(
        name="operands of the correlation swapped",
        operations=("correlate",),
        kind="mistake",
        sentence="Correlates g with f, which reverses the order of the lags.",
        hidden="f equal to g, and results that read the same backwards",
        edit=rewriting(lambda f, g, **_: {"f": g, "g": f}),
    ),
    Deviation(
        name="kernel flipped along the last axis only",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Mirrors the kernel left to right instead of leaving it alone.",
        hidden="kernels with one column, and kernels that are mirror images of themselves",
        edit=rewriting(_flipped_on_last_axis),
    ),
    Deviation(
        name="channels flipped with the kernel",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Undoes a library's flip over all axes, channels among them, instead of over the "
        "spatial axes only.",
        hidden="one channel per group with a symmetric kernel",
        edit=rewriting(_flipped_with_channels),
    ),
    Deviation(
        name="kernel read in column-major order",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Takes the kernel's elements as stored column by column: on square kernels this "
        "is the transposed kernel.",
        hidden="one spatial axis, symmetric square kernels, and kernels longer than one element "
        "on one axis only",
        edit=rewriting(_column_major),
        threads=("torch/cunn#470",),
    ),
    Deviation(
        name="channel axes of the weight swapped",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Takes the weight's first two axes in the other order, as the layout of the "
        "transposed (or of the plain) convolution has them.",
        hidden="one input or one output channel per group",
        edit=rewriting(_channel_axes_swapped),
        threads=("onnx/onnx#1287", "pytorch/pytorch#5521"),
    ),
)

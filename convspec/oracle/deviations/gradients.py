"""Gradients: right forward, wrong backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    DILATED,
    MAXIMA,
    PADDED,
    SIGNALS,
    SLIDING,
    STRIDED,
    WEIGHTED,
    afterwards,
    fitted,
    flipped,
    gradients,
    only,
    output_shape,
    replacing,
    rewriting,
    spatial,
)
from convspec.oracle.deviations.fast_paths import kernel_is_one
from convspec.oracle.deviations.geometry import first_everywhere, pairs, stride_as_dilation, without
from convspec.oracle.deviations.groups import first_group_everywhere, has_bias, is_depthwise
from convspec.oracle.deviations.pooling import AVERAGE, divided_by
from convspec.oracle.deviations.record import Deviation, Edit, Function
from convspec.oracle.deviations.sliding import maxima
from convspec.window import Window, extent, positions

CONV = gradients(("conv",))
PRODUCTS = gradients(CONVOLUTIONS)
INPUT, WEIGHT, BIAS = 0, 1, 2


def cotangent_of(place: int, change: Callable[..., Any]) -> Edit:
    """The edit that returns `change(d, **arguments)` for the cotangent of one operand."""

    def changed(outputs: tuple[Array, ...], **arguments: Any) -> tuple[Array, ...]:
        return tuple(change(d, **arguments) if i == place else d for i, d in enumerate(outputs))

    return afterwards(changed)


def taken_from(place: int, change: Callable[..., dict[str, Any]]) -> Edit:
    """The edit that takes one operand's cotangent from a call with changed arguments."""

    def function(right: Function, **arguments: Any) -> tuple[Array, ...]:
        outputs = right(**arguments)
        wrong = right(**{**arguments, **change(**arguments)})
        return tuple(wrong[i] if i == place else d for i, d in enumerate(outputs))

    return replacing(function)


def _last_item(cotangent: Any, input: Any, **_: Any) -> dict[str, Any]:
    return {"cotangent": cotangent[-1:], "input": input[-1:]}


def _first_item(cotangent: Any, input: Any, **_: Any) -> dict[str, Any]:
    return {"cotangent": cotangent[:1], "input": input[:1]}


def _per_batch_item(d: Array, cotangent: Any, **_: Any) -> Any:
    return (d / max(len(cotangent), 1)).astype(d.dtype)


def _per_position(d: Array, cotangent: Any, **_: Any) -> Any:
    positions = cotangent.size // max(cotangent.shape[1], 1)
    return (d / max(positions, 1)).astype(d.dtype)


def _summed_over_positions_only(d: Array, cotangent: Any, **_: Any) -> Any:
    return numpy.asarray(cotangent).sum(axis=tuple(range(2, numpy.ndim(cotangent))))


def _remainders(attributes: dict[str, Any], sizes: Any, kernel: Any) -> list[int]:
    names = ("stride", "padding", "dilation")
    axes = zip(sizes, kernel, *(attributes[name] for name in names), strict=True)
    return [(n + sum(pair) - extent(Window(k, dilation=d))) % s for n, k, s, pair, d in axes]


def _remainder_missing(d: Array, input: Any, **attributes: Any) -> Any:
    kernel = (
        attributes["kernel_size"] if "weight" not in attributes else spatial(attributes["weight"])
    )
    rests = _remainders(attributes, spatial(input), kernel)
    sizes = [n - rest if n > rest else n for n, rest in zip(spatial(input), rests, strict=True)]
    return fitted(d, (*d.shape[:2], *sizes))


def _kernel_gradient_not_cropped(right: Function, **arguments: Any) -> tuple[Array, ...]:
    weight, dilation = numpy.asarray(arguments["weight"]), arguments["dilation"]
    rests = _remainders(arguments, spatial(arguments["input"]), spatial(weight))
    taps = [k + rest // d for k, rest, d in zip(spatial(weight), rests, dilation, strict=True)]
    longer = fitted(weight, (*weight.shape[:2], *taps))
    return (right(**arguments)[0], *right(**{**arguments, "weight": longer})[1:])


def _refused_beyond_kernel(
    right: Function, weight: Any, padding: Any, dilation: Any, **arguments: Any
) -> Any:
    for k, d, pair in zip(spatial(weight), dilation, padding, strict=True):
        if max(pair) > extent(Window(k, dilation=d)) - 1:
            raise ValueError(f"padding={padding}: negative padding in the gradient")
    return right(weight=weight, padding=padding, dilation=dilation, **arguments)


def _strided_and_padded_depthwise(padding: Any, stride: Any, **arguments: Any) -> bool:
    return is_depthwise(**arguments) and max(stride) > 1 and any(map(any, padding))


def _shares_overwritten(right: Function, cotangent: Any, **arguments: Any) -> tuple[Array, ...]:
    """One window at a time, whose shares take the place of those that were there."""
    cotangent = numpy.asarray(cotangent)
    (whole,) = right(cotangent=numpy.zeros_like(cotangent), **arguments)
    for i in positions(spatial(cotangent)):
        here = (slice(None), slice(None), *i)
        one, reached = numpy.zeros_like(cotangent), numpy.zeros_like(cotangent)
        one[here], reached[here] = cotangent[here], 1
        touched = right(cotangent=reached, **arguments)[0] != 0
        whole = numpy.where(touched, right(cotangent=one, **arguments)[0], whole)
    return (whole,)


def _lost_on_ties(right: Function, input: Any, cotangent: Any, **attributes: Any) -> Any:
    tied = maxima(input, **attributes).sum(axis=-1) > 1
    if tied.shape == numpy.shape(cotangent):
        cotangent = numpy.where(tied, 0, cotangent).astype(cotangent.dtype)
    return right(input=input, cotangent=cotangent, **attributes)


def _ones(cotangent: Any, **_: Any) -> dict[str, Any]:
    return {"cotangent": numpy.ones_like(cotangent)}


def _placed_at_start(f: Any, g: Any, cotangent: Any, mode: str) -> dict[str, Any]:
    shape = output_shape("convolve", {"f": f, "g": g, "mode": "full"})
    return {"cotangent": fitted(cotangent, shape), "mode": "full"}


GRADIENTS = (
    Deviation(
        name="stride and dilation swapped in the gradient",
        operations=PRODUCTS,
        kind="mistake",
        sentence="The backward pass takes the stride for the dilation and the other way round.",
        hidden="stride equal to dilation",
        edit=rewriting(stride_as_dilation),
        threads=("huggingface/candle#2337",),
    ),
    Deviation(
        name="stride of the first axis on every axis of the gradient",
        operations=gradients((*SLIDING, *STRIDED)),
        kind="mistake",
        sentence="The backward pass uses stride[0] where stride[axis] is meant.",
        hidden="one spatial axis, or equal strides",
        edit=rewriting(first_everywhere("stride")),
        threads=("apache/mxnet#3479",),
    ),
    Deviation(
        name="dilation of the first axis on every axis of the gradient",
        operations=gradients((*SLIDING, *DILATED)),
        kind="mistake",
        sentence="The backward pass uses dilation[0] where dilation[axis] is meant.",
        hidden="one spatial axis, or equal dilations",
        edit=rewriting(first_everywhere("dilation")),
        threads=("tracel-ai/burn#4466", "apache/mxnet#3479"),
    ),
    Deviation(
        name="padding ignored in the gradient",
        operations=gradients((*SLIDING, *PADDED)),
        kind="mistake",
        sentence="The backward pass forgets the padding, so that everything arrives shifted by it.",
        hidden="padding 0",
        edit=rewriting(without("padding", (0, 0))),
    ),
    Deviation(
        name="low and high padding swapped in the gradient",
        operations=gradients((*SLIDING, *PADDED)),
        kind="mistake",
        sentence="The backward pass crops the high padding at the beginning.",
        hidden="symmetric padding",
        edit=rewriting(pairs(lambda low, high: (high, low))),
    ),
    Deviation(
        name="dilation ignored in the gradient",
        operations=gradients((*SLIDING, *DILATED)),
        kind="mistake",
        sentence="The backward pass spreads over neighbouring positions whatever the dilation.",
        hidden="dilation 1",
        edit=rewriting(without("dilation", 1)),
    ),
    Deviation(
        name="kernel flipped in the input gradient",
        operations=PRODUCTS,
        kind="mistake",
        sentence="Passes the cotangent back through the kernel the wrong way round.",
        hidden="kernels of one element and symmetric kernels",
        edit=taken_from(INPUT, lambda weight, **_: {"weight": flipped(weight)}),
    ),
    Deviation(
        name="weight gradient flipped",
        operations=(*PRODUCTS, *gradients(("depthwise_conv", "resize_conv"))),
        kind="mistake",
        sentence="Returns the weight gradient rotated by 180 degrees.",
        hidden="kernels of one element",
        edit=cotangent_of(WEIGHT, lambda d, **_: flipped(d)),
    ),
    Deviation(
        name="weight gradient of the last batch item only",
        operations=(*PRODUCTS, *gradients((*WEIGHTED, "locally_connected"))),
        kind="mistake",
        sentence="Assigns the weight gradient of each batch item instead of adding it.",
        hidden="a batch of one",
        edit=taken_from(WEIGHT, _last_item),
    ),
    Deviation(
        name="weight gradient averaged over the batch",
        operations=(*PRODUCTS, *gradients((*WEIGHTED, "locally_connected"))),
        kind="mistake",
        sentence="Divides the weight gradient by the batch size, which belongs in the loss.",
        hidden="a batch of one",
        edit=cotangent_of(WEIGHT, _per_batch_item),
        threads=("sebgao/cTensor#3",),
    ),
    Deviation(
        name="weight gradient averaged over batch and positions",
        operations=PRODUCTS,
        kind="mistake",
        sentence="Divides the weight gradient by batch size times output positions.",
        hidden="one output position of one batch item",
        edit=cotangent_of(WEIGHT, _per_position),
        threads=("sebgao/cTensor#3",),
    ),
    Deviation(
        name="bias gradient of the first batch item only",
        operations=(*PRODUCTS, *gradients((*WEIGHTED, "locally_connected"))),
        kind="mistake",
        sentence="Sums the bias gradient over positions but not over the batch.",
        hidden="no bias, or a batch of one",
        edit=only(has_bias, taken_from(BIAS, _first_item)),
    ),
    Deviation(
        name="bias gradient kept per batch item",
        operations=(*PRODUCTS, *gradients(WEIGHTED)),
        kind="mistake",
        sentence="Returns a bias gradient of shape (N, O).",
        hidden="no bias",
        edit=only(has_bias, cotangent_of(BIAS, _summed_over_positions_only)),
    ),
    Deviation(
        name="bias gradient missing",
        operations=(*PRODUCTS, *gradients((*WEIGHTED, "locally_connected"))),
        kind="mistake",
        sentence="Returns no gradient for the bias.",
        hidden="no bias",
        edit=afterwards(lambda outputs, **_: outputs[:2]),
    ),
    Deviation(
        name="gradients in the wrong order",
        operations=(*PRODUCTS, *gradients((*WEIGHTED, "locally_connected"))),
        kind="mistake",
        sentence="Returns the weight gradient first.",
        hidden="nothing but gradients equal to each other",
        edit=afterwards(lambda outputs, **_: (outputs[1], outputs[0], *outputs[2:])),
    ),
    Deviation(
        name="input gradient without the remainder",
        operations=gradients(("conv", "max_pool", "max_pool_with_indices", "average_pool")),
        kind="mistake",
        sentence="Sizes the input gradient by what the windows cover instead of by the input.",
        hidden="strides that divide the room exactly",
        edit=only(
            lambda ceil_mode=False, **_: not ceil_mode, cotangent_of(INPUT, _remainder_missing)
        ),
        threads=("torch/DEPRECEATED-torch7-distro#20", "f-dangel/backpack#30"),
    ),
    Deviation(
        name="weight gradient too large by the remainder",
        operations=CONV,
        kind="mistake",
        sentence="Correlates input and cotangent without cropping the result to the kernel.",
        hidden="strides that divide the room exactly, or remainders below the dilation",
        edit=replacing(_kernel_gradient_not_cropped),
        threads=("meta-pytorch/opacus#245", "f-dangel/backpack#30"),
    ),
    Deviation(
        name="padding beyond the kernel refused in the gradient",
        operations=CONV,
        kind="mistake",
        sentence="The backward pass would need negative padding and raises instead.",
        hidden="padding smaller than the kernel's extent",
        edit=replacing(_refused_beyond_kernel),
        threads=("ml-explore/mlx#833",),
    ),
    Deviation(
        name="weight gradient reads the first group's channels",
        operations=CONV,
        kind="mistake",
        sentence="The weight gradient forgets the offset of the group in the input channels.",
        hidden="groups 1",
        edit=rewriting(first_group_everywhere),
    ),
    Deviation(
        name="1x1 path of the gradient ignores the stride",
        operations=PRODUCTS,
        kind="mistake",
        sentence="A 1x1 kernel's backward pass reads the cotangent as if the stride were 1.",
        hidden="stride 1, or larger kernels",
        edit=only(kernel_is_one, rewriting(without("stride", 1))),
        threads=("pytorch/pytorch#63314", "uxlfoundation/oneDNN#6035"),
    ),
    Deviation(
        name="depthwise weight gradient wrong when strided and padded",
        operations=CONV,
        kind="mistake",
        sentence="The depthwise backward pass forgets the padding once there is a stride.",
        hidden="stride 1, padding 0, and convolutions that are not depthwise",
        edit=only(_strided_and_padded_depthwise, rewriting(without("padding", (0, 0)))),
        threads=("uxlfoundation/oneDNN#4124",),
    ),
    Deviation(
        name="gradient lost on ties",
        operations=gradients(MAXIMA),
        kind="mistake",
        sentence="Hands a cotangent on only where one element alone is the maximum.",
        hidden="data without ties",
        edit=replacing(_lost_on_ties),
    ),
    Deviation(
        name="gradient of the average assigned, not added",
        operations=gradients(AVERAGE),
        kind="mistake",
        sentence="Where windows overlap, the share of the last one replaces those of the others.",
        hidden="windows that do not overlap",
        edit=replacing(_shares_overwritten),
        threads=("FluxML/NNlib.jl#205",),
    ),
    Deviation(
        name="gradient of the average not divided",
        operations=gradients(AVERAGE),
        kind="mistake",
        sentence="Gives the whole cotangent to every element of the window.",
        hidden="windows of one element",
        edit=divided_by(lambda *_, include: 1),
    ),
    Deviation(
        name="padding counted in the gradient of the average",
        operations=gradients(AVERAGE),
        kind="mistake",
        sentence="The backward pass divides as if count_include_pad were set.",
        hidden="count_include_pad on, or no padding",
        edit=rewriting(lambda **_: {"count_include_pad": True}),
    ),
    Deviation(
        name="cotangent taken for ones",
        operations=gradients((*SLIDING, *SIGNALS)),
        kind="mistake",
        sentence="Differentiates the sum of the outputs, whatever the cotangent.",
        hidden="a cotangent of ones",
        edit=rewriting(_ones),
    ),
    Deviation(
        name="second operand flipped in the gradient of the first",
        operations=gradients(SIGNALS),
        kind="mistake",
        sentence="Convolves the cotangent where it should correlate, and the other way round.",
        hidden="second operands that are symmetric under a rotation by 180 degrees",
        edit=taken_from(INPUT, lambda g, **_: {"g": numpy.flip(g)}),
    ),
    Deviation(
        name="gradient of the second operand flipped",
        operations=gradients(SIGNALS),
        kind="mistake",
        sentence="Returns the second operand's gradient reversed.",
        hidden="second operands of one element",
        edit=cotangent_of(WEIGHT, lambda d, **_: numpy.flip(d)),
    ),
    Deviation(
        name="cotangent of a mode placed at the start of full",
        operations=gradients(SIGNALS),
        kind="mistake",
        sentence="Takes the cotangent of same or valid for the beginning of the full one.",
        hidden="mode full, or second operands of one element",
        edit=rewriting(_placed_at_start),
    ),
)

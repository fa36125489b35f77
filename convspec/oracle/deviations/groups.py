"""Which channels a group reads and writes."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    BIASED,
    CONVOLUTIONS,
    afterwards,
    only,
    replacing,
    rewriting,
)
from convspec.oracle.deviations.record import Deviation, Function


def interleaved(channels: int, groups: int) -> Array:
    """The channels in the order in which groups that take turns would hold them.

    >>> interleaved(6, 2)
    array([0, 2, 4, 1, 3, 5])
    """
    return numpy.arange(channels).reshape(-1, groups).T.ravel()


def first_group_everywhere(input: Any, groups: int, **_: Any) -> dict[str, Any]:
    """The first group's input channels, for every group."""
    share = numpy.shape(input)[1] // groups
    channels = numpy.arange(share).repeat(groups).reshape(share, groups).T.ravel()
    return {"input": numpy.take(input, channels, axis=1)}


def _interleaved_inputs(input: Any, groups: int, **_: Any) -> dict[str, Any]:
    return {"input": numpy.take(input, interleaved(numpy.shape(input)[1], groups), axis=1)}


def _interleaved_outputs(output: Array, groups: int, **_: Any) -> Array:
    share = output.shape[1] // groups
    return output[:, interleaved(output.shape[1], share)]


def _offset_in_outputs(input: Any, weight: Any, groups: int, **_: Any) -> dict[str, Any]:
    (channels, outputs), share = (numpy.shape(input)[1], len(weight)), numpy.shape(weight)[1]
    first = numpy.arange(groups) * (outputs // groups)
    read = (first[:, None] + numpy.arange(share)) % channels
    return {"input": numpy.take(input, read.ravel(), axis=1)}


def _group_by_remainder(
    right: Function, weight: Any, groups: int, bias: Any = None, **arguments: Any
) -> Array:
    order = numpy.argsort(numpy.arange(len(weight)) % groups, kind="stable")
    if bias is not None:
        bias = numpy.asarray(bias)
        arguments["bias"] = bias[order] if len(bias) == len(order) else bias
    output = numpy.asarray(right(weight=numpy.asarray(weight)[order], groups=groups, **arguments))
    return output[:, numpy.argsort(order)]


def _bias_of_first_group(bias: Any, groups: int, **_: Any) -> dict[str, Any]:
    return {"bias": numpy.tile(numpy.asarray(bias)[: len(bias) // groups], groups)}


def _summed_over_all_groups(weight: Any, groups: int, **_: Any) -> dict[str, Any]:
    repeated = numpy.concatenate([numpy.asarray(weight)] * groups, axis=1)
    return {"weight": repeated, "groups": 1}


def has_bias(bias: Any = None, **_: Any) -> bool:
    """Whether a call was given a bias."""
    return bias is not None


def is_depthwise(input: Any, groups: int, **_: Any) -> bool:
    """Whether every input channel is a group of its own, and there are several."""
    channels: int = numpy.shape(input)[1]
    return groups == channels and channels > 1


def _identity_for_pointwise(depthwise: Any, **_: Any) -> dict[str, Any]:
    depthwise = numpy.asarray(depthwise)
    return {"pointwise": numpy.eye(len(depthwise), dtype=depthwise.dtype), "bias": None}


GROUPS = (
    Deviation(
        name="every group reads the first group's channels",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Forgets the offset of the group when slicing the input channels.",
        hidden="groups 1",
        edit=rewriting(first_group_everywhere),
        threads=("pytorch/pytorch#19912",),
    ),
    Deviation(
        name="group offset counted in output channels",
        operations=("conv",),
        kind="mistake",
        sentence="Starts group g at input channel g * (O / G) instead of g * (C / G).",
        hidden="groups 1, or as many input as output channels",
        edit=rewriting(_offset_in_outputs),
        threads=("pytorch/pytorch#19912",),
    ),
    Deviation(
        name="groups take turns over the input channels",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Gives group g the input channels g, g + G, g + 2 G, ... instead of a block.",
        hidden="groups 1, or one input channel per group",
        edit=rewriting(_interleaved_inputs),
    ),
    Deviation(
        name="groups take turns over the output channels",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Interleaves the outputs of the groups instead of concatenating them.",
        hidden="groups 1, or one output channel per group",
        edit=afterwards(_interleaved_outputs),
        threads=("uxlfoundation/oneDNN#352",),
    ),
    Deviation(
        name="group of an output channel by remainder",
        operations=("conv",),
        kind="mistake",
        sentence="Takes o % G for the group of output channel o instead of o // (O / G).",
        hidden="groups 1, or one output channel per group",
        edit=replacing(_group_by_remainder),
    ),
    Deviation(
        name="depthwise outputs multiplier-major",
        operations=("conv",),
        kind="mistake",
        sentence="Orders the outputs of a depthwise convolution by multiplier first and channel "
        "second.",
        hidden="multiplier 1, and convolutions that are not depthwise",
        edit=only(is_depthwise, afterwards(_interleaved_outputs)),
    ),
    Deviation(
        name="bias of the first group on every group",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Indexes the bias by the output channel within its group.",
        hidden="groups 1, no bias, or a bias that repeats itself",
        edit=only(has_bias, rewriting(_bias_of_first_group)),
    ),
    Deviation(
        name="kernel applied to every group",
        operations=("conv",),
        kind="mistake",
        sentence="Lets each output channel sum over the channels of all groups.",
        hidden="groups 1",
        edit=rewriting(_summed_over_all_groups),
    ),
    Deviation(
        name="bias ignored",
        operations=(*CONVOLUTIONS, *BIASED),
        kind="mistake",
        sentence="Accepts a bias and does not add it.",
        hidden="no bias",
        edit=rewriting(lambda **_: {"bias": None}),
    ),
    Deviation(
        name="bias added at every tap",
        operations=("conv",),
        kind="mistake",
        sentence="Adds the bias inside the sum over the taps instead of once.",
        hidden="no bias, or one product per output",
        edit=only(
            has_bias,
            rewriting(
                lambda bias, weight, **_: {
                    "bias": numpy.asarray(bias) * numpy.asarray(weight)[0].size
                }
            ),
        ),
    ),
    Deviation(
        name="pointwise stage left out",
        operations=("depthwise_separable_conv",),
        kind="mistake",
        sentence="Returns the depthwise stage, so that channels never meet.",
        hidden="a pointwise weight that is the identity without a bias",
        edit=rewriting(_identity_for_pointwise),
    ),
)

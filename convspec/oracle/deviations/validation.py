"""Missing validation: bad arguments that are taken for good ones."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy

from convspec.oracle.deviations.bad_attributes import (
    BAD_ATTRIBUTES,
    at_least,
    each_number,
    known_word,
)
from convspec.oracle.deviations.bad_operands import BAD_OPERANDS
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    POOLS,
    SIGNALS,
    SLIDING,
    fitted,
    gradients,
    output_shape,
    replacing,
    rewriting,
    spatial,
)
from convspec.oracle.deviations.families import BACKWARD, SCALAR, taking, with_layers
from convspec.oracle.deviations.record import Deviation, Function
from convspec.window import Window, extent


def _integers(**arguments: Any) -> dict[str, Any]:
    names = ("stride", "dilation", "padding", "output_padding", "kernel_size", "groups")
    given = {name: arguments[name] for name in names if name in arguments}
    return {
        name: each_number(value, lambda x: x if isinstance(x, Integral) else int(x))
        for name, value in given.items()
    }


def _padding_word(padding: Any, **_: Any) -> dict[str, Any]:
    words = ("valid", "same_upper", "same_lower", "full")
    return {"padding": "valid"} if isinstance(padding, str) and padding not in words else {}


def _bias_repeated(spec: Any, operation: str) -> Function:
    def change(weight: Any, groups: int, bias: Any = None, **_: Any) -> dict[str, Any]:
        outputs = numpy.shape(weight)[1] * groups if "transpose" in operation else len(weight)
        return {"bias": numpy.repeat(bias, outputs)} if numpy.shape(bias) == (1,) else {}

    return rewriting(change)(spec, operation)


def _common_channels(input: Any, weight: Any, groups: Any = 1, **_: Any) -> dict[str, Any]:
    if groups != 1 or numpy.ndim(weight) < 2:
        return {}
    common = min(numpy.shape(input)[1], numpy.shape(weight)[1])
    return {"input": input[:, :common], "weight": weight[:, :common]}


def _extended(
    input: Any, padding: Any, dilation: Any, weight: Any = None, kernel_size: Any = None, **_: Any
) -> dict[str, Any]:
    kernel = spatial(weight) if kernel_size is None else kernel_size
    axes = zip(spatial(input), kernel, padding, dilation, strict=True)
    return {
        "padding": tuple(
            (low, max(high, extent(Window(k, dilation=d)) - n - low))
            for n, k, (low, high), d in axes
        )
    }


def _divisible(input: Any, weight: Any, groups: Any, **_: Any) -> dict[str, Any]:
    if not isinstance(groups, Integral) or groups < 1:
        return {}
    share, outputs = numpy.shape(weight)[1], len(weight) // groups * groups
    if share * groups > numpy.shape(input)[1]:
        return {}
    return {"input": input[:, : share * groups], "weight": weight[:outputs]}


def _limited_output_padding(
    output_padding: Any, stride: Any, dilation: Any, **_: Any
) -> dict[str, Any]:
    axes = zip(output_padding, stride, dilation, strict=True)
    return {"output_padding": tuple(min(extra, max(s, d) - 1) for extra, s, d in axes)}


def _first_entries(input: Any, **arguments: Any) -> dict[str, Any]:
    rank = len(spatial(input))
    return {
        name: arguments[name][:rank]
        for name in ("stride", "dilation", "kernel_size")
        if isinstance(arguments.get(name), list | tuple)
    }


def _cotangent_fitted(spec: Any, operation: str) -> Function:
    def function(right: Function, cotangent: Any, **arguments: Any) -> Any:
        shape = output_shape(operation, arguments)
        if numpy.ndim(cotangent) == len(shape):
            cotangent = fitted(cotangent, shape)
        return right(cotangent=cotangent, **arguments)

    return replacing(function)(spec, operation)


VALIDATION = (
    Deviation(
        name="stride 0 accepted",
        operations=with_layers(SLIDING, taking("stride")),
        kind="mistake",
        sentence="Takes strides below 1 for 1.",
        hidden="good arguments",
        edit=rewriting(at_least("stride", 1)),
    ),
    Deviation(
        name="dilation 0 accepted",
        operations=with_layers(SLIDING, taking("dilation")),
        kind="mistake",
        sentence="Takes dilations below 1 for 1.",
        hidden="good arguments",
        edit=rewriting(at_least("dilation", 1)),
        threads=("Theano/Theano#6806",),
    ),
    Deviation(
        name="kernel of size 0 accepted",
        operations=with_layers(POOLS, taking("kernel_size")),
        kind="mistake",
        sentence="Takes kernel sizes below 1 for 1.",
        hidden="good arguments",
        edit=rewriting(at_least("kernel_size", 1)),
        threads=("tensorflow/tensorflow#42208", "PaddlePaddle/Paddle#78237"),
    ),
    Deviation(
        name="negative padding accepted",
        operations=with_layers(SLIDING, taking("padding")),
        kind="mistake",
        sentence="Takes negative padding for 0.",
        hidden="good arguments",
        edit=rewriting(at_least("padding", 0)),
        threads=("jax-ml/jax#11517",),
    ),
    Deviation(
        name="fractions accepted for integers",
        operations=with_layers(SLIDING, taking("stride")),
        kind="mistake",
        sentence="Cuts a stride of 1.5 down to 1, and every other attribute likewise.",
        hidden="good arguments",
        edit=rewriting(_integers),
    ),
    Deviation(
        name="superfluous attribute entries accepted",
        operations=with_layers(SLIDING, taking("stride")),
        kind="mistake",
        sentence="Ignores entries of an attribute beyond the number of spatial axes.",
        hidden="good arguments",
        edit=rewriting(_first_entries),
    ),
    Deviation(
        name="unknown padding word taken for valid",
        operations=("conv", *POOLS),
        kind="mistake",
        sentence="Takes any word it does not know for no padding.",
        hidden="good arguments",
        edit=rewriting(_padding_word),
    ),
    Deviation(
        name="unknown mode taken for full",
        operations=SIGNALS,
        kind="mistake",
        sentence="Takes any mode it does not know for full.",
        hidden="good arguments",
        edit=known_word("mode", "full", ("full", "same", "valid")),
    ),
    Deviation(
        name="bias of one element repeated",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Adds a bias of shape (1,) to every output channel.",
        hidden="good arguments, a single output channel among them",
        edit=_bias_repeated,
    ),
    Deviation(
        name="superfluous channels ignored",
        operations=("conv",),
        kind="mistake",
        sentence="Uses as many channels as input and weight have in common.",
        hidden="good arguments",
        edit=rewriting(_common_channels),
    ),
    Deviation(
        name="kernel beyond the input accepted",
        operations=("conv", "max_pool", "average_pool"),
        kind="mistake",
        sentence="Returns one output position where the kernel does not fit into the padded input.",
        hidden="good arguments",
        edit=rewriting(_extended),
        threads=("pytorch/pytorch#17247",),
    ),
    Deviation(
        name="groups that do not divide accepted",
        operations=("conv",),
        kind="mistake",
        sentence="Leaves out the channels that remain when groups do not divide them.",
        hidden="good arguments",
        edit=rewriting(_divisible),
    ),
    Deviation(
        name="output padding beyond the stride accepted",
        operations=("conv_transpose",),
        kind="mistake",
        sentence="Cuts output_padding down to what stride and dilation allow.",
        hidden="good arguments",
        edit=rewriting(_limited_output_padding),
    ),
    Deviation(
        name="cotangent of any size accepted",
        operations=with_layers(
            gradients(SLIDING), [o for o in BACKWARD if o not in gradients(SCALAR)]
        ),
        kind="mistake",
        sentence="Crops the cotangent to the output's shape, or fills it with zeros.",
        hidden="good arguments",
        edit=_cotangent_fitted,
    ),
    *BAD_ATTRIBUTES,
    *BAD_OPERANDS,
)

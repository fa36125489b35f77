"""Missing validation: bad arguments that are taken for good ones."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy

from convspec.case import forward_name
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
from convspec.oracle.deviations.families import BACKWARD, SCALAR, having, taking, with_layers
from convspec.oracle.deviations.record import Deviation, Function
from convspec.window import Window, extent


def _entries(value: Any, change: Callable[[Any], Any]) -> Any:
    """`change` applied to every number in nested sequences; anything else is left alone."""
    if isinstance(value, list | tuple):
        return tuple(_entries(entry, change) for entry in value)
    return change(value) if isinstance(value, Real) else value


def at_least(attribute: str, least: int) -> Callable[..., dict[str, Any]]:
    """An attribute with its integers raised to `least`."""

    def raised(value: Any) -> Any:
        return max(value, least) if isinstance(value, Integral) else value

    return lambda **a: {attribute: _entries(a[attribute], raised)}


def _integers(**arguments: Any) -> dict[str, Any]:
    names = ("stride", "dilation", "padding", "output_padding", "kernel_size", "groups")
    given = {name: arguments[name] for name in names if name in arguments}
    return {
        name: _entries(value, lambda x: x if isinstance(x, Integral) else int(x))
        for name, value in given.items()
    }


def _known_word(padding: Any, **_: Any) -> dict[str, Any]:
    words = ("valid", "same_upper", "same_lower", "full")
    return {"padding": "valid"} if isinstance(padding, str) and padding not in words else {}


def _known(attribute: str, words: dict[str, str] | str, known: tuple[str, ...]) -> Any:
    """An attribute with a word that it does not know replaced: by one word, or by that of each
    operation.
    """

    def edit(spec: Any, operation: str) -> Function:
        instead = words if isinstance(words, str) else words[forward_name(operation)]

        def change(**arguments: Any) -> dict[str, Any]:
            return {} if arguments[attribute] in known else {attribute: instead}

        return rewriting(change)(spec, operation)

    return edit


def _cropped_mask(mask: Any, input: Any, **_: Any) -> dict[str, Any]:
    return {"mask": numpy.asarray(mask)[tuple(map(slice, numpy.shape(input)))]}


def _one_a_channel(operand: str) -> Callable[..., dict[str, Any]]:
    """As many entries as there are channels."""
    return lambda **a: {operand: a[operand][: numpy.shape(a["input"])[1]]}


def _within(operand: str, among: Callable[..., int]) -> Callable[..., dict[str, Any]]:
    """Integers beyond a range taken for the last of it."""
    return lambda **a: {operand: numpy.minimum(a[operand], among(**a) - 1)}


def _from_the_end(operand: str, among: Callable[..., int]) -> Callable[..., dict[str, Any]]:
    """Negative integers counted from the end, as Python does it."""
    return lambda **a: {
        operand: numpy.where(a[operand] < 0, numpy.maximum(a[operand] + among(**a), 0), a[operand])
    }


def _classes(logits: Any, **_: Any) -> int:
    return int(numpy.shape(logits)[1])


def _places(output_size: Any, **_: Any) -> int:
    return int(numpy.prod(output_size))


def _bounded(attribute: str, bound: Callable[[Any], Any]) -> Callable[..., dict[str, Any]]:
    """A number moved into the range that it must lie in."""
    return lambda **a: {attribute: bound(a[attribute])}


def _last_axis(input: Any, axis: Any, **_: Any) -> dict[str, Any]:
    return {"axis": min(axis, numpy.ndim(input) - 1)} if isinstance(axis, Integral) else {}


def _as_many_factors(input: Any, factors: Any, **_: Any) -> dict[str, Any]:
    return {"factors": factors[: len(spatial(input))]}


def _whole_blocks(input: Any, factor: Any, **_: Any) -> dict[str, Any]:
    """The channels that make whole blocks, or one block at least."""
    block = int(numpy.prod(factor))
    whole = max(1, numpy.shape(input)[1] // block) * block
    shape = (len(input), whole, *spatial(input))
    return {"input": fitted(input, shape)}


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


KINDS = {
    "upsample": "nearest",
    "resize_conv": "nearest",
    "spatial_pyramid_pool": "max",
}

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
        edit=rewriting(_known_word),
    ),
    Deviation(
        name="unknown mode taken for full",
        operations=SIGNALS,
        kind="mistake",
        sentence="Takes any mode it does not know for full.",
        hidden="good arguments",
        edit=_known("mode", "full", ("full", "same", "valid")),
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
    *(
        Deviation(
            name=name,
            operations=with_layers((), taking(attribute)),
            kind="mistake",
            sentence=sentence,
            hidden="good arguments",
            edit=edit,
        )
        for name, attribute, sentence, edit in (
            (
                "scale 0 accepted",
                "scale",
                "Takes scales below 1 for 1.",
                rewriting(at_least("scale", 1)),
            ),
            (
                "negative count accepted",
                "count",
                "Takes negative counts of zeros for 0.",
                rewriting(at_least("count", 0)),
            ),
            (
                "factors that do not divide accepted",
                "factor",
                "Leaves out the channels that make no whole block.",
                rewriting(_whole_blocks),
            ),
            (
                "output size 0 accepted",
                "output_size",
                "Takes output sizes below 1 for 1.",
                rewriting(at_least("output_size", 1)),
            ),
            (
                "level 0 accepted",
                "levels",
                "Takes levels below 1 for 1.",
                rewriting(at_least("levels", 1)),
            ),
            (
                "size 0 accepted",
                "size",
                "Takes a response window of size 0 for one of size 1.",
                rewriting(at_least("size", 1)),
            ),
            (
                "unknown kind accepted",
                "kind",
                "Takes any kind it does not know for its default.",
                _known("kind", KINDS, ("nearest", "linear", "max", "average")),
            ),
            (
                "unknown coordinates accepted",
                "coordinates",
                "Takes any coordinates it does not know for half-pixel ones.",
                _known("coordinates", "half_pixel", ("half_pixel", "asymmetric", "align_corners")),
            ),
            (
                "p below 1 accepted",
                "p",
                "Takes a p below 1, with which there is no norm, for 1.",
                rewriting(_bounded("p", lambda p: max(p, 1))),
            ),
            (
                "rate 1 accepted",
                "rate",
                "Takes a rate that leaves no survivors for 0.",
                rewriting(_bounded("rate", lambda rate: rate if rate < 1 else 0.0)),
            ),
            (
                "negative epsilon accepted",
                "epsilon",
                "Takes a negative epsilon for 0.",
                rewriting(_bounded("epsilon", lambda epsilon: max(epsilon, 0.0))),
            ),
            (
                "negative strength accepted",
                "strength",
                "Takes a negative strength for 0.",
                rewriting(_bounded("strength", lambda strength: max(strength, 0.0))),
            ),
            (
                "axis beyond the last accepted",
                "axis",
                "Takes an axis that is not there for the last one.",
                rewriting(_last_axis),
            ),
        )
    ),
    *(
        Deviation(
            name=name,
            operations=having(operand),
            kind="mistake",
            sentence=sentence,
            hidden="good arguments",
            edit=rewriting(change),
        )
        for name, operand, sentence, change in (
            (
                "masks of other numbers accepted",
                "mask",
                "Takes any number in a mask that is not 0 for 1.",
                lambda **a: {"mask": (numpy.asarray(a["mask"]) != 0).astype(int)},
            ),
            (
                "mask of any size accepted",
                "mask",
                "Crops the mask to the shape of the input.",
                _cropped_mask,
            ),
            (
                "label beyond the classes taken for the last",
                "labels",
                "Takes a label that is no class for the last class.",
                _within("labels", _classes),
            ),
            (
                "negative label counted from the end",
                "labels",
                "Takes a label of -1 for the last class, as an index of Python.",
                _from_the_end("labels", _classes),
            ),
            (
                "superfluous labels ignored",
                "labels",
                "Uses as many labels as there are items.",
                lambda **a: {"labels": a["labels"][: len(a["logits"])]},
            ),
            (
                "index beyond the output taken for the last",
                "indices",
                "Takes an index beyond the output for its last position.",
                _within("indices", _places),
            ),
            (
                "negative index counted from the end",
                "indices",
                "Takes an index of -1 for the last position, as an index of Python.",
                _from_the_end("indices", _places),
            ),
            (
                "superfluous means ignored",
                "mean",
                "Uses as many means as there are channels.",
                _one_a_channel("mean"),
            ),
            (
                "superfluous variances ignored",
                "variance",
                "Uses as many variances as there are channels.",
                _one_a_channel("variance"),
            ),
            (
                "superfluous factors ignored",
                "factors",
                "Uses as many factors as there are spatial axes.",
                _as_many_factors,
            ),
            (
                "superfluous channels of a pointwise weight ignored",
                "pointwise",
                "Uses as many columns of the pointwise weight as the depthwise one has outputs.",
                lambda **a: {"pointwise": a["pointwise"][:, : len(a["depthwise"])]},
            ),
        )
    ),
)

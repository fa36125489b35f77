"""The language: three records, and a function for each kind of layer.

A part of a network is a `Layer`, a `Block` of parts under one name, or `Branches` that read the
same input and are joined.  Everything is a tuple, so a network can be compared, hashed and
printed; nothing here computes a size or holds an array.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from convspec.arguments import Padding, PerAxis, Shape


class Layer(NamedTuple):
    """One call of an operation; what it reads is what comes before it.

    `channels` and `kernel` belong to layers with weights: the depth of the output and the kernel's
    size.  `other` names a second layer that is read, by its full name.
    """

    operation: str
    name: str = ""
    channels: int = 0
    kernel: PerAxis = 1
    bias: bool = False
    attributes: tuple[tuple[str, Any], ...] = ()
    other: str = ""


class Block(NamedTuple):
    """Parts in sequence; their names begin with that of the block and a dot."""

    name: str
    parts: tuple[Part, ...]


class Branches(NamedTuple):
    """Paths that read the same input, joined by `concatenate` (in depth) or `add`; a path without
    parts is the input itself.
    """

    name: str
    paths: tuple[tuple[Part, ...], ...]
    join: str


Part: TypeAlias = Layer | Block | Branches


class Network(NamedTuple):
    """A named network, the shape `(C, *spatial)` of the inputs it is made for, and its parts."""

    name: str
    input: Shape
    parts: tuple[Part, ...]


def conv(
    channels: int,
    kernel: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    bias: bool = True,
    name: str = "",
) -> Layer:
    """A convolution with `channels` outputs."""
    attributes = _pairs(stride=stride, padding=padding, dilation=dilation, groups=groups)
    return Layer("conv", name, channels, kernel, bias, attributes)


def conv_transpose(
    channels: int,
    kernel: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    bias: bool = True,
    name: str = "",
) -> Layer:
    """A transposed convolution with `channels` outputs."""
    attributes = _pairs(stride=stride, padding=padding, output_padding=output_padding)
    return Layer("conv_transpose", name, channels, kernel, bias, attributes)


def depthwise_conv(
    kernel: PerAxis,
    *,
    multiplier: int = 1,
    stride: PerAxis = 1,
    padding: Padding = 0,
    bias: bool = True,
    name: str = "",
) -> Layer:
    """A convolution of each channel alone, with `multiplier` outputs for each."""
    attributes = _pairs(stride=stride, padding=padding)
    return Layer("depthwise_conv", name, multiplier, kernel, bias, attributes)


def depthwise_separable_conv(
    channels: int,
    kernel: PerAxis,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    bias: bool = True,
    name: str = "",
) -> Layer:
    """A convolution of each channel alone, then one of size 1 with `channels` outputs."""
    attributes = _pairs(stride=stride, padding=padding)
    return Layer("depthwise_separable_conv", name, channels, kernel, bias, attributes)


def locally_connected(
    channels: int, kernel: PerAxis, *, stride: PerAxis = 1, bias: bool = True, name: str = ""
) -> Layer:
    """A convolution whose weights are not shared between positions."""
    return Layer("locally_connected", name, channels, kernel, bias, _pairs(stride=stride))


def linear(channels: int, *, bias: bool = True, name: str = "") -> Layer:
    """A dense layer of `channels` units; it reads the result of `flatten`."""
    return Layer("linear", name, channels, bias=bias)


def batch_norm(*, epsilon: float = 1e-5, name: str = "") -> Layer:
    """Normalization with given statistics, a learnt scale and a learnt shift for each channel."""
    return Layer("batch_norm", name, attributes=_pairs(epsilon=epsilon))


def local_response_normalization(
    *, size: int, alpha: float, beta: float, k: float, name: str = ""
) -> Layer:
    """Normalization by the energy of neighbouring channels."""
    attributes = _pairs(size=size, alpha=alpha, beta=beta, k=k)
    return Layer("local_response_normalization", name, attributes=attributes)


def max_pool(
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    name: str = "",
) -> Layer:
    """The maximum of each window."""
    return _pool("max_pool", kernel_size, stride, padding, name, ceil_mode=ceil_mode)


def max_pool_with_indices(
    kernel_size: PerAxis, *, stride: PerAxis | None = None, name: str = ""
) -> Layer:
    """The maximum of each window; where it was is kept for a `max_unpool`."""
    return _pool("max_pool_with_indices", kernel_size, stride, 0, name, ceil_mode=False)


def max_unpool(pool: str, *, name: str = "") -> Layer:
    """Puts every element back where the pool of that name found its maximum."""
    return Layer("max_unpool", name, other=pool)


def average_pool(
    kernel_size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    name: str = "",
) -> Layer:
    """The average of each window."""
    pool = _pool("average_pool", kernel_size, stride, padding, name, ceil_mode=ceil_mode)
    counted = _pairs(count_include_pad=count_include_pad)
    return pool._replace(attributes=pool.attributes + counted)


def global_average_pool(*, name: str = "") -> Layer:
    """The average of each channel."""
    return Layer("adaptive_average_pool", name, attributes=_pairs(output_size=1))


def spatial_pyramid_pool(levels: tuple[int, ...], *, name: str = "") -> Layer:
    """The maxima of grids of windows, a vector whose length does not depend on the input's size."""
    return Layer("spatial_pyramid_pool", name, attributes=_pairs(levels=levels, kind="max"))


def upsample(scale: PerAxis, *, kind: str = "nearest", name: str = "") -> Layer:
    """The input enlarged by a whole number."""
    return Layer("upsample", name, attributes=_pairs(scale=scale, kind=kind))


def relu(*, name: str = "") -> Layer:
    """The larger of an element and 0."""
    return Layer("relu", name)


def sigmoid(*, name: str = "") -> Layer:
    """The logistic function of each element."""
    return Layer("sigmoid", name)


def tanh(*, name: str = "") -> Layer:
    """The hyperbolic tangent of each element."""
    return Layer("tanh", name)


def softmax(*, name: str = "") -> Layer:
    """Exponentials that sum to 1 over the channels."""
    return Layer("softmax", name, attributes=_pairs(axis=1))


def dropout(rate: float, *, name: str = "") -> Layer:
    """Elements dropped where a mask says so; the identity where none is given."""
    return Layer("dropout", name, attributes=_pairs(rate=rate))


def flatten(*, name: str = "") -> Layer:
    """Each item of the batch as a vector."""
    return Layer("flatten", name)


def take(channels: tuple[int, ...], *, name: str = "") -> Layer:
    """Some of the channels: what a connection table leaves of them."""
    return Layer("take", name, attributes=_pairs(channels=channels))


def crop(like: str, offset: PerAxis, *, name: str = "") -> Layer:
    """The part from `offset` on that is as large as the layer `like`."""
    return Layer("crop", name, attributes=_pairs(offset=offset), other=like)


def residual(name: str, parts: tuple[Part, ...], shortcut: tuple[Part, ...] = ()) -> Branches:
    """The sum of what the parts make of the input and the input itself, or its `shortcut`."""
    return Branches(name, (parts, shortcut), "add")


def concatenated(name: str, *paths: tuple[Part, ...]) -> Branches:
    """Paths stacked in depth."""
    return Branches(name, paths, "concatenate")


def _pool(
    operation: str,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: Padding,
    name: str,
    *,
    ceil_mode: bool,
) -> Layer:
    attributes = _pairs(
        kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode
    )
    return Layer(operation, name, attributes=attributes)


def _pairs(**attributes: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(attributes.items())

"""The twins of `convspec.convolution`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    optional_array,
    optional_shape,
)
from convspec.convolution import conv_windows, convolve_shape
from convspec.fast.arithmetic import arithmetic, narrowed
from convspec.fast.products import input_product, output_product, weight_product
from convspec.fast.sums import channel_sums
from convspec.window import Window, output_sizes, overlap, overlap_window


def convolve(f: ArrayLike, g: ArrayLike, mode: str = "full") -> Array:
    """`convspec.convolve`: the smaller operand, flipped, slides over the larger.

    >>> convolve([1, 2, 3], [0, 1, 1])
    array([0, 1, 3, 5, 3])
    """
    f, g = array("f", f), array("g", g)
    shape = convolve_shape(f.shape, g.shape, mode)
    how = arithmetic((f, g), min(f.size, g.size))
    over, flipped = (f, g) if g.size <= f.size else (g, f)
    sliding = _flipped_windows(f.shape, g.shape, mode, over.shape, flipped.shape)
    h = output_product(_alone(over), _alone(numpy.flip(flipped)), None, sliding, shape, how)
    return narrowed(h[0, 0, 0], f, g)


def correlate(f: ArrayLike, g: ArrayLike, mode: str = "full") -> Array:
    """`convspec.correlate`: `convolve` with `g` flipped.

    >>> correlate([1, 2, 3], [0, 1, 1])
    array([1, 3, 5, 3, 0])
    """
    f, g = array("f", f), array("g", g)
    return convolve(f, numpy.flip(g), mode)


def convolve_vjp(
    cotangent: ArrayLike, f: ArrayLike, g: ArrayLike, mode: str = "full"
) -> tuple[Array, Array]:
    """`convspec.convolve_vjp`: the cotangents of the operand slid over and of the one that slides.

    >>> convolve_vjp([1, 0, 0, 10], [1, 2], [3, 4, 5])
    (array([ 3, 50]), array([ 1,  0, 20]))
    """
    f, g = array("f", f), array("g", g)
    shape = convolve_shape(f.shape, g.shape, mode)
    h = array("cotangent", cotangent)
    check_cotangent(h, shape, f=f, g=g)
    over, flipped = (f, g) if g.size <= f.size else (g, f)
    sliding = _flipped_windows(f.shape, g.shape, mode, over.shape, flipped.shape)
    d_over = input_product(
        _alone(h),
        _alone(numpy.flip(flipped)),
        None,
        sliding,
        over.shape,
        arithmetic((h, flipped), min(h.size, flipped.size)),
    )
    d_flipped = weight_product(
        _alone(h),
        _alone(over),
        sliding,
        flipped.shape,
        arithmetic((h, over), min(h.size, over.size)),
    )
    gradients = (
        narrowed(d_over[0, 0, 0], h, flipped),
        narrowed(numpy.flip(d_flipped[0, 0, 0]), h, over),
    )
    return gradients if over is f else (gradients[1], gradients[0])


def correlate_vjp(
    cotangent: ArrayLike, f: ArrayLike, g: ArrayLike, mode: str = "full"
) -> tuple[Array, Array]:
    """`convspec.correlate_vjp`: those of `convolve` on the flipped `g`, flipped back.

    >>> correlate_vjp([1, 0, 0, 10], [1, 2], [3, 4, 5])
    (array([ 5, 30]), array([20,  0,  1]))
    """
    g = array("g", g)
    d_f, d_flipped = convolve_vjp(cotangent, f, numpy.flip(g), mode)
    return d_f, numpy.flip(d_flipped)


def _flipped_windows(
    f: Shape, g: Shape, mode: str, over: Shape, flipped: Shape
) -> tuple[Window, ...]:
    """The windows with which the flipped operand slides over the other."""
    return tuple(
        overlap_window(overlap(mode, n, m), larger, smaller)
        for n, m, larger, smaller in zip(f, g, over, flipped, strict=True)
    )


def _alone(operand: Array) -> Array:
    """One batch item, one group, one channel: the layout of the products."""
    return operand[None, None, None]


def conv(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    r"""`convspec.conv` as $Y = W X$.

    >>> conv([[[1, 2, 3, 4]]], [[[1, 0, -1]]], padding=1)
    array([[[-2, -2, -2,  3]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    sliding = conv_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    sizes = output_sizes(input.shape[2:], sliding)
    y = output_product(
        grouped(input, 1, groups),
        grouped(weight, 0, groups),
        None if bias is None else grouped(bias, 0, groups),
        sliding,
        sizes,
        arithmetic((input, weight), weight[0].size, addend=bias),
    )
    operands = (input, weight) if bias is None else (input, weight, bias)
    return narrowed(y.reshape(input.shape[0], weight.shape[0], *sizes), *operands)


def conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> tuple[Array, ...]:
    r"""`convspec.conv_vjp` as $\bar X = W^\mathsf{T} \bar Y$ and $\bar W = \bar Y X^\mathsf{T}$.

    >>> conv_vjp([[[1, 10]]], [[[1, 2, 3]]], [[[4, 5]]])
    (array([[[ 4, 45, 50]]]), array([[[21, 32]]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    sliding = conv_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    shape = (input.shape[0], weight.shape[0], *output_sizes(input.shape[2:], sliding))
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = grouped(input, 1, groups), grouped(weight, 0, groups), grouped(cotangent, 1, groups)
    # An input element meets each weight of an output channel at most once.
    terms = weight.size // weight.shape[1] // groups
    how = arithmetic((cotangent, weight), terms, others=(input,))
    d_x = input_product(g, w, None, sliding, input.shape[2:], how).reshape(input.shape)
    how = arithmetic((cotangent, input), cotangent[:, 0].size, others=(weight,))
    d_w = weight_product(g, x, sliding, weight.shape[2:], how).reshape(weight.shape)
    operands = (cotangent, input, weight)
    gradients = (narrowed(d_x, *operands), narrowed(d_w, *operands))
    return gradients if bias is None else (*gradients, channel_sums(cotangent, bias))


def grouped(operand: Array, axis: int, groups: int) -> Array:
    """A view of `operand` with its channel axis split into groups and channels of a group.

    >>> grouped(numpy.zeros((1, 6, 5)), 1, 2).shape
    (1, 2, 3, 5)
    """
    shape = operand.shape
    return operand.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])

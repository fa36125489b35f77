"""The twins of `convspec.transposed_convolution`: in the products behind a convolution, the input
takes the place of the output, and the output that of the input.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    array,
    check_cotangent,
    optional_array,
    optional_shape,
)
from convspec.fast.arithmetic import arithmetic, narrowed
from convspec.fast.convolution import grouped
from convspec.fast.products import input_product, output_product, weight_product
from convspec.fast.sums import channel_sums
from convspec.transposed_convolution import conv_transpose_windows


def conv_transpose(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    r"""`convspec.conv_transpose` as $X = W^\mathsf{T} Y$, with its input for $Y$.

    >>> conv_transpose([[[1, 10]]], [[[1, 2, 3, 4]]], stride=3)
    array([[[ 1,  2,  3, 14, 20, 30, 40]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    sliding, sizes = conv_transpose_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
    )
    y = input_product(
        grouped(input, 1, groups),
        grouped(weight, 0, groups),
        None if bias is None else grouped(bias, 0, groups),
        sliding,
        sizes,
        arithmetic((input, weight), weight[:, 0].size // groups, addend=bias),
    )
    operands = (input, weight) if bias is None else (input, weight, bias)
    return narrowed(y.reshape(input.shape[0], weight.shape[1] * groups, *sizes), *operands)


def conv_transpose_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> tuple[Array, ...]:
    r"""`convspec.conv_transpose_vjp` as $\bar Y = W \bar X$ and $\bar W = Y \bar X^\mathsf{T}$,
    with the input for $Y$ and the cotangent for $\bar X$.

    >>> conv_transpose_vjp([[[1, 10, 100]]], [[[2, 3]]], [[[4, 5]]])
    (array([[[ 54, 540]]]), array([[[ 32, 320]]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    sliding, sizes = conv_transpose_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
    )
    shape = (input.shape[0], weight.shape[1] * groups, *sizes)
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = grouped(input, 1, groups), grouped(weight, 0, groups), grouped(cotangent, 1, groups)
    how = arithmetic((cotangent, weight), weight[0].size, others=(input,))
    d_x = output_product(g, w, None, sliding, input.shape[2:], how).reshape(input.shape)
    how = arithmetic((cotangent, input), input[:, 0].size, others=(weight,))
    d_w = weight_product(x, g, sliding, weight.shape[2:], how).reshape(weight.shape)
    operands = (cotangent, input, weight)
    gradients = (narrowed(d_x, *operands), narrowed(d_w, *operands))
    return gradients if bias is None else (*gradients, channel_sums(cotangent, bias))

r"""Transposed convolution: the matrix of a convolution, transposed; not its inverse.

Where `conv` gathers $y_i = \sum_j x_{i s - p + j d} w_j$, its transpose scatters:

$$ y_{i s - p + j d} \mathrel{+}= x_i\, w_j . $$
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    LARGEST,
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    check_layout,
    described,
    integer,
    optional_array,
    optional_shape,
    per_axis,
    windows,
)
from convspec.scalars import result, scalars
from convspec.window import Window, positions, transposed_size, window_taps


def conv_transpose_windows(
    input: Shape,
    weight: Shape,
    bias: Shape | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> tuple[tuple[Window, ...], tuple[int, ...]]:
    """The windows of `conv_transpose`, which slide over its *output*, and its spatial output
    size, after checking every argument.

    >>> conv_transpose_windows((1, 1, 2), (1, 1, 4), stride=3)
    ((Window(kernel=4, stride=3, low=0, high=0, dilation=1, ceil=False),), (7,))
    """
    shapes = described(input=input, weight=weight, bias=bias)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    if len(weight) != len(input) or min(weight) < 1:
        raise ValueError(
            f"weight has shape {weight}: must be (C, O // groups, *kernel) with every size at "
            f"least 1 and as many axes as the input; {shapes}"
        )
    groups = integer("groups", groups, least=1, shapes=shapes)
    channels = input[1]
    if channels % groups:
        raise ValueError(f"groups={groups}: must divide the input's {channels} channels; {shapes}")
    if weight[0] != channels:
        raise ValueError(
            f"weight has shape {weight}: its first size must be C = {channels}; {shapes}"
        )
    outputs = weight[1] * groups
    if bias is not None and bias != (outputs,):
        raise ValueError(f"bias has shape {bias}: must be (O,) = ({outputs},); {shapes}")
    sliding = windows(
        input[2:], weight[2:], stride=stride, padding=padding, dilation=dilation, shapes=shapes
    )
    extra = per_axis("output_padding", output_padding, len(sliding), least=0, shapes=shapes)
    for window, more in zip(sliding, extra, strict=True):
        if more >= max(window.stride, window.dilation):
            raise ValueError(
                f"output_padding={output_padding!r}: must be smaller than the stride "
                f"{window.stride} or than the dilation {window.dilation} on its axis; {shapes}"
            )
    sizes = tuple(
        transposed_size(n, window, more)
        for n, window, more in zip(input[2:], sliding, extra, strict=True)
    )
    if min(sizes) < 1:
        raise ValueError(
            f"padding={padding!r} crops the output to {sizes}: every size must be at least 1; "
            f"{shapes}"
        )
    if max(sizes) > LARGEST:
        raise ValueError(
            f"stride={stride!r} and dilation={dilation!r} spread the output to {sizes}, longer "
            f"than any array can be; {shapes}"
        )
    return sliding, sizes


def conv_transpose_shape(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Shape:
    """Output shape of `conv_transpose`: `(N, O, *output sizes)`.

    >>> conv_transpose_shape((1, 8, 4, 4), (8, 3, 3, 3), stride=2, padding=1, output_padding=1)
    (1, 3, 8, 8)
    """
    _, sizes = conv_transpose_windows(input, weight, bias, **attributes)
    return (input[0], weight[1] * attributes.get("groups", 1), *sizes)


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
    r"""Transposed convolution: the adjoint of `conv` with the same weight and attributes,

    $$ y_{n,o,a} = b_o + \sum_{c} \sum_{(i,j):\, a = i s - p + j d} x_{n,c,i}\; w_{c,o,j}, $$

    with $c$ running through the input channels of the group of output channel $o$.  On each axis
    the output has

    $$ (n-1) s - p_\text{low} - p_\text{high} + d (k-1) + 1 + p_\text{output} $$

    positions: `padding` crops it, `output_padding` extends its range on the high side, which is
    not zero filling: where products reach those positions they are summed.

    Shapes: input `(N, C, *spatial)`, weight `(C, O // groups, *kernel)`, bias `(O,)`.
    Dtypes: floats keep theirs, integers are exact.
    Raises `ValueError` or `TypeError` naming the argument, among others for an output size below
    1 or an `output_padding` smaller than neither stride nor dilation.
    Source: the documents' 2x2 input, 4x4 kernel, stride 3, and `out = (in - 1) s + k`.

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
    channels, share = weight.shape[:2]
    outputs = share * groups
    x, w = scalars(input), scalars(weight)
    y = numpy.zeros((input.shape[0], outputs, *sizes), dtype=object)
    if bias is not None:
        y += scalars(bias).reshape(-1, *(1,) * len(sizes))
    for i in positions(input.shape[2:]):
        taps = window_taps(sizes, sliding, i)
        for n, c in positions(input.shape[:2]):
            first = c * groups // channels * share
            for o in range(share):
                for j, a in taps:
                    y[(n, first + o, *a)] += x[(n, c, *i)] * w[(c, o, *j)]
    return result(y, input, weight, *(() if bias is None else (bias,)))


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
    r"""Cotangents of `conv_transpose`; the input's is the convolution of the cotangent,

    $$ \bar x_{n,c,i} = \sum_{o,j} \bar y_{n,o,\, i s - p + j d}\, w_{c,o,j}, \qquad
       \bar w_{c,o,j} = \sum_{n,i} x_{n,c,i}\, \bar y_{n,o,\, i s - p + j d}, \qquad
       \bar b_o = \sum_{n,a} \bar y_{n,o,a}. $$

    Shapes: `cotangent` has the shape of the output; the results are `(d_input, d_weight)`, or
    `(d_input, d_weight, d_bias)` where a bias is given, each in its operand's shape.

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
    channels, share = weight.shape[:2]
    shape = (input.shape[0], share * groups, *sizes)
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = scalars(input), scalars(weight), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    d_w = numpy.zeros(weight.shape, dtype=object)
    for i in positions(input.shape[2:]):
        taps = window_taps(sizes, sliding, i)
        for n, c in positions(input.shape[:2]):
            first = c * groups // channels * share
            for o in range(share):
                for j, a in taps:
                    g_a = g[(n, first + o, *a)]
                    d_x[(n, c, *i)] += g_a * w[(c, o, *j)]
                    d_w[(c, o, *j)] += g_a * x[(n, c, *i)]
    operands = (cotangent, input, weight)
    gradients = (result(d_x, *operands), result(d_w, *operands))
    if bias is None:
        return gradients
    d_b = numpy.array([sum(g[:, o].flat) for o in range(shape[1])], dtype=object)
    return (*gradients, result(d_b, cotangent, bias))

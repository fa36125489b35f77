r"""Separable convolutions by channel: the sum over channels and the sum over taps, taken apart.

Depthwise convolves each channel on its own, with $m$ outputs for each, and pointwise mixes
channels at each position,

$$ u_{n,\,c m + q,\,i} = \sum_j x_{n,c,\,i s - p + j d}\; w_{c m + q,\,j}, \qquad
   y_{n,o,i} = b_o + \sum_{e} v_{o,e}\, u_{n,e,i} . $$
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    CONV_WORDS,
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    check_fit,
    check_layout,
    described,
    optional_array,
    optional_shape,
    windows,
)
from convspec.convolution import conv, conv_vjp
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, positions


def _depthwise_windows(
    name: str,
    input: Shape,
    weight: Shape,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    shapes: str,
) -> tuple[Window, ...]:
    """The windows of a depthwise convolution whose weight goes by this name."""
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    channels = input[1]
    if len(weight) != len(input) or min(weight) < 1 or weight[1] != 1 or weight[0] % channels:
        raise ValueError(
            f"{name} has shape {weight}: must be (C m, 1, *kernel) with C = {channels}, every size "
            f"at least 1 and as many axes as the input; {shapes}"
        )
    sliding = windows(
        input[2:],
        weight[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        words=CONV_WORDS,
        shapes=shapes,
    )
    check_fit(input[2:], sliding, shapes=shapes)
    return sliding


def _check_pointwise(
    name: str, weight: Shape, meaning: str, inputs: int, bias: Shape | None, *, shapes: str
) -> None:
    if len(weight) != 2 or weight[1] != inputs or weight[0] < 1:
        raise ValueError(
            f"{name} has shape {weight}: must be (O, {meaning}) with {meaning} = {inputs}; {shapes}"
        )
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"bias has shape {bias}: must be (O,) = {weight[:1]}; {shapes}")


def depthwise_conv_windows(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> tuple[Window, ...]:
    """The windows of `depthwise_conv`, one per spatial axis, after checking every argument.

    >>> depthwise_conv_windows((1, 2, 5), (4, 1, 3), stride=2)
    (Window(kernel=3, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    shapes = described(input=input, weight=weight, bias=bias)
    sliding = _depthwise_windows("weight", input, weight, shapes=shapes, **attributes)
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"bias has shape {bias}: must be (C m,) = {weight[:1]}; {shapes}")
    return sliding


def depthwise_conv_shape(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Shape:
    """Output shape of `depthwise_conv`: `(N, C m, *output sizes)`.

    >>> depthwise_conv_shape((1, 3, 32, 32), (6, 1, 5, 5), padding=2)
    (1, 6, 32, 32)
    """
    sliding = depthwise_conv_windows(input, weight, bias, **attributes)
    return (input[0], weight[0], *output_sizes(input[2:], sliding))


def depthwise_conv(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Array:
    r"""Each channel convolved with its own $m$ kernels: `conv` with as many groups as channels,

    $$ y_{n,\,c m + q,\,i} = b_{c m + q} + \sum_j x_{n,c,\,i s - p + j d}\; w_{c m + q,\,0,\,j},
       \qquad 0 \le q < m, $$

    so that the outputs of one channel are neighbours.

    Shapes: input `(N, C, *spatial)`, weight `(C m, 1, *kernel)`, bias `(C m,)`, output
    `(N, C m, *window.output_size)`.  Dtypes, padding and errors: those of `conv`.
    Source: the documents' first step of the depthwise convolution, a kernel for every channel.

    >>> depthwise_conv([[[1, 2], [3, 4]]], [[[1]], [[10]], [[5]], [[50]]])
    array([[[  1,   2],
            [ 10,  20],
            [ 15,  20],
            [150, 200]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    depthwise_conv_windows(input.shape, weight.shape, optional_shape(bias), **attributes)
    return conv(input, weight, bias, groups=input.shape[1], **attributes)


def depthwise_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Array, ...]:
    r"""Cotangents of `depthwise_conv`: those of `conv` with as many groups as channels,

    $$ \bar x_{n,c,a} = \sum_{q} \sum_{(i,j):\, a = i s - p + j d}
       \bar y_{n,\,c m + q,\,i}\, w_{c m + q,\,0,\,j}, \qquad
       \bar w_{o,0,j} = \sum_{n,i} \bar y_{n,o,i}\, x_{n,\lfloor o / m \rfloor,\,i s - p + j d}. $$

    >>> depthwise_conv_vjp([[[1], [10]]], [[[2]]], [[[3]], [[4]]])
    (array([[[43]]]), array([[[ 2]],
           [[20]]]))
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    depthwise_conv_windows(input.shape, weight.shape, optional_shape(bias), **attributes)
    return conv_vjp(cotangent, input, weight, bias, groups=input.shape[1], **attributes)


def pointwise_conv_shape(input: Shape, weight: Shape, bias: Shape | None = None) -> Shape:
    """Output shape of `pointwise_conv`: `(N, O, *spatial)`.

    >>> pointwise_conv_shape((1, 192, 28, 28), (64, 192))
    (1, 64, 28, 28)
    """
    shapes = described(input=input, weight=weight, bias=bias)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    _check_pointwise("weight", weight, "C", input[1], bias, shapes=shapes)
    return (input[0], weight[0], *input[2:])


def pointwise_conv(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    r"""The same linear map of channels at every position, a convolution with kernel size 1,

    $$ y_{n,o,i} = b_o + \sum_c w_{o,c}\, x_{n,c,i}. $$

    Shapes: input `(N, C, *spatial)`, weight `(O, C)`, bias `(O,)`, output `(N, O, *spatial)`.
    Dtypes: floats keep theirs, integers are exact.  Raises `ValueError` or `TypeError` naming
    the argument.
    Source: the documents' 1x1 convolution, which mixes, adds and removes channels (cccp).

    >>> pointwise_conv([[[1, 2], [3, 4]]], [[1, 10]], [100])
    array([[[131, 142]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    shape = pointwise_conv_shape(input.shape, weight.shape, optional_shape(bias))
    x, w, b = scalars(input), scalars(weight), None if bias is None else scalars(bias)
    y = numpy.empty(shape, dtype=object)
    for n, o, *i in positions(shape):
        terms = (w[o, c] * x[(n, c, *i)] for c in range(weight.shape[1]))
        y[(n, o, *i)] = sum(terms, start=0 if b is None else b[o])
    return result(y, input, weight, *(() if bias is None else (bias,)))


def pointwise_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
) -> tuple[Array, ...]:
    r"""Cotangents of `pointwise_conv`,

    $$ \bar x_{n,c,i} = \sum_o \bar y_{n,o,i}\, w_{o,c}, \qquad
       \bar w_{o,c} = \sum_{n,i} \bar y_{n,o,i}\, x_{n,c,i}, \qquad
       \bar b_o = \sum_{n,i} \bar y_{n,o,i}, $$

    as `(d_input, d_weight)`, or `(d_input, d_weight, d_bias)` where a bias is given.

    >>> pointwise_conv_vjp([[[1, 10]]], [[[2, 3]]], [[4]])
    (array([[[ 4, 40]]]), array([[32]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    shape = pointwise_conv_shape(input.shape, weight.shape, optional_shape(bias))
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = scalars(input), scalars(weight), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    d_w = numpy.zeros(weight.shape, dtype=object)
    d_b = numpy.zeros(shape[1], dtype=object)
    for n, o, *i in positions(shape):
        g_i = g[(n, o, *i)]
        d_b[o] += g_i
        for c in range(input.shape[1]):
            d_x[(n, c, *i)] += g_i * w[o, c]
            d_w[o, c] += g_i * x[(n, c, *i)]
    operands = (cotangent, input, weight)
    gradients = (result(d_x, *operands), result(d_w, *operands))
    return gradients if bias is None else (*gradients, result(d_b, cotangent, bias))


def depthwise_separable_conv_windows(
    input: Shape, depthwise: Shape, pointwise: Shape, bias: Shape | None = None, **attributes: Any
) -> tuple[Window, ...]:
    """The windows of `depthwise_separable_conv`, after checking every argument.

    >>> depthwise_separable_conv_windows((1, 2, 5), (4, 1, 3), (8, 4))
    (Window(kernel=3, stride=1, low=0, high=0, dilation=1, ceil=False),)
    """
    shapes = described(input=input, depthwise=depthwise, pointwise=pointwise, bias=bias)
    sliding = _depthwise_windows("depthwise", input, depthwise, shapes=shapes, **attributes)
    _check_pointwise("pointwise", pointwise, "C m", depthwise[0], bias, shapes=shapes)
    return sliding


def depthwise_separable_conv_shape(
    input: Shape, depthwise: Shape, pointwise: Shape, bias: Shape | None = None, **attributes: Any
) -> Shape:
    """Output shape of `depthwise_separable_conv`: `(N, O, *output sizes)`.

    >>> depthwise_separable_conv_shape((1, 3, 32, 32), (3, 1, 3, 3), (256, 3), padding=1)
    (1, 256, 32, 32)
    """
    sliding = depthwise_separable_conv_windows(input, depthwise, pointwise, bias, **attributes)
    return (input[0], pointwise[0], *output_sizes(input[2:], sliding))


def depthwise_separable_conv(
    input: ArrayLike,
    depthwise: ArrayLike,
    pointwise: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Array:
    r"""A depthwise convolution, then a pointwise one,

    $$ y_{n,o,i} = b_o + \sum_{c} \sum_{q} v_{o,\,c m + q}
       \sum_j x_{n,c,\,i s - p + j d}\; w_{c m + q,\,0,\,j}, $$

    which is `conv` with the weight $\sum_q v_{o,\,c m + q}\, w_{c m + q,\,0,\,j}$.  What passes
    from the first to the second is not rounded.

    Shapes: input `(N, C, *spatial)`, depthwise `(C m, 1, *kernel)`, pointwise `(O, C m)`, bias
    `(O,)`, output `(N, O, *window.output_size)`.  Dtypes, padding and errors: those of `conv`.
    Source: the documents' DW operation, $3 \cdot 3 \cdot 3 + 3 \cdot 256 = 795$ weights in place of
    6912.

    >>> depthwise_separable_conv([[[1, 2], [3, 4]]], [[[1, 1]], [[0, 1]]], [[1, 10]], [100])
    array([[[143]]])
    """
    input, depthwise, pointwise = (
        array("input", input),
        array("depthwise", depthwise),
        array("pointwise", pointwise),
    )
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    depthwise_separable_conv_windows(
        input.shape,
        depthwise.shape,
        pointwise.shape,
        optional_shape(bias),
        **attributes,
    )
    between = depthwise_conv(scalars(input), scalars(depthwise), **attributes)
    y = pointwise_conv(between, scalars(pointwise), None if bias is None else scalars(bias))
    return result(y, input, depthwise, pointwise, *(() if bias is None else (bias,)))


def depthwise_separable_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    depthwise: ArrayLike,
    pointwise: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Array, ...]:
    r"""Cotangents of `depthwise_separable_conv`: through the pointwise step, then through the
    depthwise one,

    $$ \bar u = v^\top \bar y, \qquad \bar v = \bar y\, u^\top, \qquad
       (\bar x, \bar w) = \operatorname{depthwise\_conv\_vjp}(\bar u, x, w), $$

    as `(d_input, d_depthwise, d_pointwise)`, with `d_bias` last where a bias is given.

    >>> depthwise_separable_conv_vjp([[[1]]], [[[2, 3]]], [[[4, 5]]], [[6]])
    (array([[[24, 30]]]), array([[[12, 18]]]), array([[23]]))
    """
    cotangent, input, depthwise, pointwise = (
        array("cotangent", cotangent),
        array("input", input),
        array("depthwise", depthwise),
        array("pointwise", pointwise),
    )
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    forward = (input.shape, depthwise.shape, pointwise.shape)
    shape = depthwise_separable_conv_shape(*forward, optional_shape(bias), **attributes)
    check_cotangent(
        cotangent, shape, input=input, depthwise=depthwise, pointwise=pointwise, bias=bias
    )
    x, w, v = scalars(input), scalars(depthwise), scalars(pointwise)
    between = depthwise_conv(x, w, **attributes)
    d_between, d_v, *d_b = pointwise_conv_vjp(
        scalars(cotangent), between, v, None if bias is None else scalars(bias)
    )
    d_x, d_w = depthwise_conv_vjp(d_between, x, w, **attributes)
    operands = (cotangent, input, depthwise, pointwise)
    gradients = tuple(result(d, *operands) for d in (d_x, d_w, d_v))
    return gradients if bias is None else (*gradients, result(d_b[0], cotangent, bias))

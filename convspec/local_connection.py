r"""Local connection: windows as in convolution, but every output position has its own weights.

$$ y_{n,o,i} = b_{o,i} + \sum_{c} \sum_{j} x_{n,c,\,i s - p + j d}\; w_{o,c,i,j} $$

Convolution is the special case in which the weights do not depend on the position $i$.
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
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, positions, window_taps


def locally_connected_windows(
    input: Shape,
    weight: Shape,
    bias: Shape | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Window, ...]:
    """The windows of `locally_connected`, one per spatial axis, after checking every argument.

    >>> locally_connected_windows((1, 2, 5), (4, 2, 3, 3))
    (Window(kernel=3, stride=1, low=0, high=0, dilation=1, ceil=False),)
    """
    shapes = described(input=input, weight=weight, bias=bias)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    spatial = input[2:]
    rank = len(spatial)
    if len(weight) != 2 + 2 * rank or min(weight) < 1 or weight[1] != input[1]:
        raise ValueError(
            f"weight has shape {weight}: must be (O, C, *output, *kernel) with C = {input[1]}, "
            f"{2 + 2 * rank} axes and every size at least 1; {shapes}"
        )
    sliding = windows(
        spatial,
        weight[2 + rank :],
        stride=stride,
        padding=padding,
        dilation=dilation,
        words=CONV_WORDS,
        shapes=shapes,
    )
    check_fit(spatial, sliding, shapes=shapes)
    sizes = output_sizes(spatial, sliding)
    if weight[2 : 2 + rank] != sizes:
        raise ValueError(
            f"weight has shape {weight}: must be (O, C, *output, *kernel) with the output sizes "
            f"{sizes}; {shapes}"
        )
    if bias is not None and bias != (weight[0], *sizes):
        raise ValueError(
            f"bias has shape {bias}: must be (O, *output) = {(weight[0], *sizes)}; {shapes}"
        )
    return sliding


def locally_connected_shape(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Shape:
    """Output shape of `locally_connected`: `(N, O, *output sizes)`.

    >>> locally_connected_shape((1, 3, 6, 6), (8, 3, 4, 4, 3, 3))
    (1, 8, 4, 4)
    """
    sliding = locally_connected_windows(input, weight, bias, **attributes)
    return (input[0], weight[0], *output_sizes(input[2:], sliding))


def locally_connected(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Array:
    r"""A convolution whose weights are not shared between positions,

    $$ y_{n,o,i} = b_{o,i} + \sum_{c} \sum_{j} x_{n,c,\,i s - p + j d}\; w_{o,c,i,j}, $$

    over the taps $j$ whose input position exists.

    Shapes: input `(N, C, *spatial)`, weight `(O, C, *output, *kernel)`, bias `(O, *output)`,
    output `(N, O, *output)` with `output` the sizes of `window.output_size`.  Dtypes: floats keep
    theirs, integers are exact.  `padding`: as in `conv`.  Raises `ValueError` or `TypeError`
    naming the argument.
    Source: the documents' Local-Conv, a filter of its own for every point.

    >>> locally_connected([[[1, 2, 3]]], [[[[1, 1], [10, 1]]]], [[0, 100]])
    array([[[  3, 123]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    sliding = locally_connected_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    spatial = input.shape[2:]
    outputs, inputs = weight.shape[:2]
    x, w, b = scalars(input), scalars(weight), None if bias is None else scalars(bias)
    y = numpy.empty((input.shape[0], outputs, *output_sizes(spatial, sliding)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = window_taps(spatial, sliding, i)
        for n, o in positions(y.shape[:2]):
            terms = (x[(n, c, *a)] * w[(o, c, *i, *j)] for c in range(inputs) for j, a in taps)
            y[(n, o, *i)] = sum(terms, start=0 if b is None else b[(o, *i)])
    return result(y, input, weight, *(() if bias is None else (bias,)))


def locally_connected_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Array, ...]:
    r"""Cotangents of `locally_connected`; only the batch shares a weight,

    $$ \bar x_{n,c,a} = \sum_{o} \sum_{(i,j):\, a = i s - p + j d} \bar y_{n,o,i}\, w_{o,c,i,j},
       \qquad \bar w_{o,c,i,j} = \sum_{n} \bar y_{n,o,i}\, x_{n,c,\, i s - p + j d},
       \qquad \bar b_{o,i} = \sum_{n} \bar y_{n,o,i}, $$

    as `(d_input, d_weight)`, or `(d_input, d_weight, d_bias)` where a bias is given.

    >>> locally_connected_vjp([[[1, 10]]], [[[1, 2, 3]]], [[[[4, 5], [6, 7]]]])
    (array([[[ 4, 65, 70]]]), array([[[[ 1,  2],
             [20, 30]]]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    sliding = locally_connected_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    spatial = input.shape[2:]
    shape = (input.shape[0], weight.shape[0], *output_sizes(spatial, sliding))
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = scalars(input), scalars(weight), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    d_w = numpy.zeros(weight.shape, dtype=object)
    for i in positions(shape[2:]):
        taps = window_taps(spatial, sliding, i)
        for n, o in positions(shape[:2]):
            for c in range(input.shape[1]):
                for j, a in taps:
                    d_x[(n, c, *a)] += g[(n, o, *i)] * w[(o, c, *i, *j)]
                    d_w[(o, c, *i, *j)] += g[(n, o, *i)] * x[(n, c, *a)]
    operands = (cotangent, input, weight)
    gradients = (result(d_x, *operands), result(d_w, *operands))
    if bias is None:
        return gradients
    d_b = numpy.zeros(bias.shape, dtype=object)
    with numpy.errstate(invalid="ignore"):  # opposite infinities have no sum: it is NaN
        for n in range(shape[0]):
            d_b = d_b + g[n]
    return (*gradients, result(d_b, cotangent, bias))

r"""Dense layers: every output a weighted sum of every input.

$$ y_{n,o} = b_o + \sum_d w_{o,d}\, x_{n,d} $$
"""

from __future__ import annotations

from math import prod

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Shape,
    array,
    check_cotangent,
    check_layout,
    described,
    optional_array,
    optional_shape,
)
from convspec.scalars import result, scalars
from convspec.window import positions


def linear_shape(input: Shape, weight: Shape, bias: Shape | None = None) -> Shape:
    """Output shape of `linear`: `(N, O)`.

    >>> linear_shape((1, 16), (4, 16))
    (1, 4)
    """
    shapes = described(input=input, weight=weight, bias=bias)
    if len(input) != 2 or input[1] < 1:
        raise ValueError(f"input has shape {input}: must be (N, D), D at least 1; {shapes}")
    if len(weight) != 2 or weight[1] != input[1] or weight[0] < 1:
        raise ValueError(f"weight has shape {weight}: must be (O, D) with D = {input[1]}; {shapes}")
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"bias has shape {bias}: must be (O,) = {weight[:1]}; {shapes}")
    return (input[0], weight[0])


def linear(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    r"""A matrix by every row of the input, and a bias,

    $$ y_{n,o} = b_o + \sum_d w_{o,d}\, x_{n,d}. $$

    Shapes: input `(N, D)`, weight `(O, D)`, bias `(O,)`, output `(N, O)`.  Dtypes: floats keep
    theirs, integers are exact.  Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' fully connected layer, $M_l \times M_{l-1}$ weights.

    >>> linear([[1, 2]], [[3, 4], [5, 6]], [100, 0])
    array([[111,  17]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    shape = linear_shape(input.shape, weight.shape, optional_shape(bias))
    x, w, b = scalars(input), scalars(weight), None if bias is None else scalars(bias)
    y = numpy.empty(shape, dtype=object)
    for n, o in positions(shape):
        terms = (w[o, d] * x[n, d] for d in range(weight.shape[1]))
        y[n, o] = sum(terms, start=0 if b is None else b[o])
    return result(y, input, weight, *(() if bias is None else (bias,)))


def linear_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
) -> tuple[Array, ...]:
    r"""Cotangents of `linear`,

    $$ \bar x_{n,d} = \sum_o \bar y_{n,o}\, w_{o,d}, \qquad
       \bar w_{o,d} = \sum_n \bar y_{n,o}\, x_{n,d}, \qquad \bar b_o = \sum_n \bar y_{n,o}, $$

    as `(d_input, d_weight)`, or `(d_input, d_weight, d_bias)` where a bias is given.

    >>> linear_vjp([[1, 10]], [[1, 2]], [[3, 4], [5, 6]])
    (array([[53, 64]]), array([[ 1,  2],
           [10, 20]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    shape = linear_shape(input.shape, weight.shape, optional_shape(bias))
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = scalars(input), scalars(weight), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    d_w = numpy.zeros(weight.shape, dtype=object)
    d_b = numpy.zeros(shape[1], dtype=object)
    for n, o in positions(shape):
        d_b[o] += g[n, o]
        for d in range(input.shape[1]):
            d_x[n, d] += g[n, o] * w[o, d]
            d_w[o, d] += g[n, o] * x[n, d]
    operands = (cotangent, input, weight)
    gradients = (result(d_x, *operands), result(d_w, *operands))
    return gradients if bias is None else (*gradients, result(d_b, cotangent, bias))


def flatten_shape(input: Shape) -> Shape:
    """Output shape of `flatten`: `(N, product of the other sizes)`.

    >>> flatten_shape((1, 16, 5, 5))
    (1, 400)
    """
    check_layout("input", input, "(N, C, *spatial)", least_rank=2, shapes=described(input=input))
    return (input[0], prod(input[1:]))


def flatten(input: ArrayLike) -> Array:
    r"""Everything after the batch in one axis, in C order,

    $$ y_{n,\, (c h + i) w + j} = x_{n,c,i,j}, $$

    for two spatial axes of sizes $h$ and $w$, and likewise for any number of them.

    Shapes: input `(N, C, *spatial)`, with no spatial axis needed; output `(N, D)` with `D` the
    product of the sizes.  Dtypes: unchanged values, floats keep theirs.  Raises `ValueError` or
    `TypeError` naming the argument.
    Source: the documents' step from feature maps to the fully connected layer.

    >>> flatten([[[1, 2], [3, 4]]])
    array([[1, 2, 3, 4]])
    """
    input = array("input", input)
    return result(scalars(input).reshape(flatten_shape(input.shape)), input)


def flatten_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    r"""Cotangent of `flatten`: the cotangent in the input's shape,

    $$ \bar x_{n,c,i,j} = \bar y_{n,\, (c h + i) w + j}. $$

    >>> flatten_vjp([[1, 2, 3, 4]], [[[0, 0], [0, 0]]])
    (array([[[1, 2],
            [3, 4]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    shape = flatten_shape(input.shape)
    check_cotangent(cotangent, shape, input=input)
    return (result(scalars(cotangent).reshape(input.shape), cotangent, input),)

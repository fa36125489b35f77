"""The twins of `convspec.dense`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    array,
    check_cotangent,
    optional_array,
    optional_shape,
)
from convspec.dense import flatten_shape, linear_shape
from convspec.fast.convolution import conv, conv_vjp
from convspec.fast.moves import moved_dtype
from convspec.fast.pooling import settled


def linear(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Array:
    """`convspec.linear` as the convolution of one position.

    >>> linear([[1, 2]], [[3, 4], [5, 6]], [100, 0])
    array([[111,  17]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    linear_shape(input.shape, weight.shape, optional_shape(bias))
    return conv(input[..., None], weight[..., None], bias)[..., 0]


def linear_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
) -> tuple[Array, ...]:
    """`convspec.linear_vjp` as that of the convolution of one position.

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
    d_x, d_w, *d_b = conv_vjp(cotangent[..., None], input[..., None], weight[..., None], bias)
    return (d_x[..., 0], d_w[..., 0], *d_b)


def flatten(input: ArrayLike) -> Array:
    """`convspec.flatten`.

    >>> flatten([[[1, 2], [3, 4]]])
    array([[1, 2, 3, 4]])
    """
    input = array("input", input)
    y = numpy.empty(flatten_shape(input.shape), dtype=moved_dtype(input))
    y.reshape(input.shape)[...] = input
    return settled(y)


def flatten_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    """`convspec.flatten_vjp`.

    >>> flatten_vjp([[1, 2, 3, 4]], [[[0, 0], [0, 0]]])
    (array([[[1, 2],
            [3, 4]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    shape = flatten_shape(x.shape)
    check_cotangent(g, shape, input=x)
    d_x = numpy.empty(x.shape, dtype=moved_dtype(g, x))
    d_x.reshape(g.shape)[...] = g
    return (settled(d_x),)

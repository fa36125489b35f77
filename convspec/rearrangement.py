r"""Rearrangement: zeros between neighbours, and channels laid out as pixels.

$$ \text{insert zeros: } y_{(D + 1) a} = x_a, \qquad
   \text{pixel shuffle: } y_{c,\, f a + r} = x_{c f + r,\, a} $$

on one axis; several axes are independent.  Nothing is computed: elements move.
"""

from __future__ import annotations

from math import prod

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    check_layout,
    described,
    per_axis,
)
from convspec.coordinates import subpixel_source
from convspec.scalars import result, scalars
from convspec.window import Window, positions, start, transposed_size


def insert_zeros_windows(input: Shape, *, count: PerAxis) -> tuple[Window, ...]:
    """The windows, of one tap each, that slide over the output of `insert_zeros`.

    >>> insert_zeros_windows((1, 1, 3), count=2)
    (Window(kernel=1, stride=3, low=0, high=0, dilation=1, ceil=False),)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    counts = per_axis("count", count, len(input) - 2, least=0, shapes=shapes)
    return tuple(Window(kernel=1, stride=zeros + 1) for zeros in counts)


def insert_zeros_shape(input: Shape, *, count: PerAxis) -> Shape:
    """Output shape of `insert_zeros`: `(N, C, *((count + 1) * (size - 1) + 1))`.

    >>> insert_zeros_shape((1, 1, 3, 3), count=2)
    (1, 1, 7, 7)
    """
    sliding = insert_zeros_windows(input, count=count)
    sizes = (transposed_size(n, window) for n, window in zip(input[2:], sliding, strict=True))
    return (*input[:2], *sizes)


def insert_zeros(input: ArrayLike, *, count: PerAxis) -> Array:
    r"""`count` zeros between every two neighbours on each axis,

    $$ y_{n,c,\,(D + 1) a} = x_{n,c,a}, \qquad 0 \text{ elsewhere}. $$

    Shapes: input `(N, C, *spatial)`, output `(N, C, *((count + 1) * (size - 1) + 1))`.  Dtypes:
    unchanged values, floats keep theirs.  Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' fractionally strided convolution, $D$ zeros between elements, and their
    3x3 image spread to 7x7.

    >>> insert_zeros([[[1, 2, 3]]], count=2)
    array([[[1, 0, 0, 2, 0, 0, 3]]])
    """
    input = array("input", input)
    sliding = insert_zeros_windows(input.shape, count=count)
    x = scalars(input)
    y = numpy.zeros(insert_zeros_shape(input.shape, count=count), dtype=object)
    for n, c, *a in positions(input.shape):
        y[(n, c, *map(start, sliding, a))] = x[(n, c, *a)]
    return result(y, input)


def insert_zeros_vjp(cotangent: ArrayLike, input: ArrayLike, *, count: PerAxis) -> tuple[Array]:
    r"""Cotangent of `insert_zeros`: the elements between the zeros,

    $$ \bar x_{n,c,a} = \bar y_{n,c,\,(D + 1) a}. $$

    >>> insert_zeros_vjp([[[1, 2, 3, 4]]], [[[0, 0]]], count=2)
    (array([[[1, 4]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    sliding = insert_zeros_windows(input.shape, count=count)
    shape = insert_zeros_shape(input.shape, count=count)
    check_cotangent(cotangent, shape, input=input)
    g = scalars(cotangent)
    d_x = numpy.empty(input.shape, dtype=object)
    for n, c, *a in positions(input.shape):
        d_x[(n, c, *a)] = g[(n, c, *map(start, sliding, a))]
    return (result(d_x, cotangent, input),)


def pixel_shuffle_shape(input: Shape, *, factor: PerAxis) -> Shape:
    """Output shape of `pixel_shuffle`: `(N, C / prod(factor), *(size * factor))`.

    >>> pixel_shuffle_shape((1, 12, 4, 5), factor=2)
    (1, 3, 8, 10)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    factors = per_axis("factor", factor, len(input) - 2, least=1, shapes=shapes)
    if input[1] % prod(factors):
        raise ValueError(
            f"factor={factor!r}: its product over the axes, {prod(factors)}, must divide the "
            f"input's {input[1]} channels; {shapes}"
        )
    sizes = (n * f for n, f in zip(input[2:], factors, strict=True))
    return (input[0], input[1] // prod(factors), *sizes)


def _subpixels(input: Shape, shape: Shape) -> list[tuple[Shape, Shape]]:
    """The pairs `(output position, input position)` of `pixel_shuffle`, after the batch."""
    factors = tuple(o // n for o, n in zip(shape[2:], input[2:], strict=True))
    pairs = []
    for c, *b in positions(shape[1:]):
        a, channel = subpixel_source(b, factors)
        pairs.append(((c, *b), (c * prod(factors) + channel, *a)))
    return pairs


def pixel_shuffle(input: ArrayLike, *, factor: PerAxis) -> Array:
    r"""Blocks of channels laid out as pixels: with $f = \prod_l f_l$,

    $$ y_{n,c,b} = x_{n,\; c f + r(b),\; \lfloor b / f_l \rfloor}, \qquad
       r(b) = \sum_m (b_m \bmod f_m) \prod_{l > m} f_l , $$

    so that the channels of a block fill it in C order.

    Shapes: input `(N, C f, *spatial)`, output `(N, C, *(size * factor))`.  Dtypes: unchanged
    values, floats keep theirs.  Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' sub-pixel convolution, the same as a deconvolution whose stride
    divides its kernel.

    >>> pixel_shuffle([[[1, 2], [10, 20]]], factor=2)
    array([[[ 1, 10,  2, 20]]])
    """
    input = array("input", input)
    shape = pixel_shuffle_shape(input.shape, factor=factor)
    x = scalars(input)
    y = numpy.empty(shape, dtype=object)
    for target, source in _subpixels(input.shape, shape):
        for n in range(input.shape[0]):
            y[(n, *target)] = x[(n, *source)]
    return result(y, input)


def pixel_shuffle_vjp(cotangent: ArrayLike, input: ArrayLike, *, factor: PerAxis) -> tuple[Array]:
    r"""Cotangent of `pixel_shuffle`: every pixel back in its channel,

    $$ \bar x_{n,\; c f + r(b),\; \lfloor b / f_l \rfloor} = \bar y_{n,c,b}. $$

    >>> pixel_shuffle_vjp([[[1, 10, 2, 20]]], [[[0, 0], [0, 0]]], factor=2)
    (array([[[ 1,  2],
            [10, 20]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    shape = pixel_shuffle_shape(input.shape, factor=factor)
    check_cotangent(cotangent, shape, input=input)
    g = scalars(cotangent)
    d_x = numpy.empty(input.shape, dtype=object)
    for target, source in _subpixels(input.shape, shape):
        for n in range(input.shape[0]):
            d_x[(n, *source)] = g[(n, *target)]
    return (result(d_x, cotangent, input),)

r"""Adaptive pooling: as many windows as are asked for, whatever the size of the input.

Window $i$ of $o$ windows on an axis of $n$ positions holds

$$ \lfloor i\,n / o \rfloor \le a < \lceil (i + 1)\, n / o \rceil . $$

One window is *global* pooling: over a sequence of any length, the maximum over time.  Several
numbers of windows side by side are a spatial pyramid.
"""

from __future__ import annotations

from math import prod
from typing import Any

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
    listed,
    per_axis,
    word,
)
from convspec.elementary import first_maximum, maximum
from convspec.scalars import result, scalars
from convspec.window import adaptive_positions, positions

KINDS = ("max", "average")


def adaptive_pool_shape(input: Shape, *, output_size: PerAxis) -> Shape:
    """Output shape of an adaptive pooling: `(N, C, *output_size)`.

    >>> adaptive_pool_shape((1, 3, 13, 13), output_size=3)
    (1, 3, 3, 3)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    sizes = per_axis("output_size", output_size, len(input) - 2, least=1, shapes=shapes)
    return (*input[:2], *sizes)


def adaptive_max_pool(input: ArrayLike, *, output_size: PerAxis) -> Array:
    r"""The maximum of each adaptive window,

    $$ y_{n,c,i} = \max \{\, x_{n,c,a} : \lfloor i\,n / o \rfloor \le a < \lceil (i + 1)\, n / o
       \rceil \,\}. $$

    Shapes: input `(N, C, *spatial)`, output `(N, C, *output_size)`; an int stands for every
    axis, and may exceed the input size.  Dtypes: floats keep theirs, integers are exact; a window
    that holds NaN gives NaN.  Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' 13x13 feature map pooled to 3x3, 2x2 and 1x1, where windows of
    $\lceil a / n \rceil$ at stride $\lfloor a / n \rfloor$ are these; at 14x14 and 4x4 those leave
    the last row and column out, and these do not.

    >>> adaptive_max_pool([[[1, 5, 2, 4, 3]]], output_size=2)
    array([[[5, 4]]])
    """
    input = array("input", input)
    shape = adaptive_pool_shape(input.shape, output_size=output_size)
    x = scalars(input)
    y = numpy.empty(shape, dtype=object)
    for i in positions(shape[2:]):
        window = adaptive_positions(input.shape[2:], shape[2:], i)
        for n, c in positions(shape[:2]):
            y[(n, c, *i)] = maximum([x[(n, c, *a)] for a in window])
    return result(y, input)


def adaptive_max_pool_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, output_size: PerAxis
) -> tuple[Array]:
    r"""Cotangent of `adaptive_max_pool`: each output's goes to the first maximum of its window,

    $$ \bar x_{n,c,a} = \sum_{i:\, a_{n,c,i} = a} \bar y_{n,c,i}. $$

    >>> adaptive_max_pool_vjp([[[1, 10]]], [[[1, 5, 2]]], output_size=2)
    (array([[[ 0, 11,  0]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    shape = adaptive_pool_shape(input.shape, output_size=output_size)
    check_cotangent(cotangent, shape, input=input)
    x, g = scalars(input), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        window = adaptive_positions(input.shape[2:], shape[2:], i)
        for n, c in positions(shape[:2]):
            first, _ = first_maximum(x[(n, c, *a)] for a in window)
            d_x[(n, c, *window[first])] += g[(n, c, *i)]
    return (result(d_x, cotangent, input),)


def adaptive_average_pool(input: ArrayLike, *, output_size: PerAxis) -> Array:
    r"""The average of each adaptive window,

    $$ y_{n,c,i} = \frac{1}{m_i} \sum_a x_{n,c,a}, \qquad
       \lfloor i\,n / o \rfloor \le a < \lceil (i + 1)\, n / o \rceil, $$

    with $m_i$ the number of its positions.

    Shapes and errors: those of `adaptive_max_pool`.  Dtypes: floats keep theirs, integers give
    float64.
    Source: as `adaptive_max_pool`.

    >>> adaptive_average_pool([[[1.0, 5.0, 3.0]]], output_size=2)
    array([[[3., 4.]]])
    """
    input = array("input", input)
    shape = adaptive_pool_shape(input.shape, output_size=output_size)
    x = scalars(input)
    y = numpy.empty(shape, dtype=object)
    for i in positions(shape[2:]):
        window = adaptive_positions(input.shape[2:], shape[2:], i)
        for n, c in positions(shape[:2]):
            y[(n, c, *i)] = sum(x[(n, c, *a)] for a in window) / len(window)
    return result(y, input, real=True)


def adaptive_average_pool_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, output_size: PerAxis
) -> tuple[Array]:
    r"""Cotangent of `adaptive_average_pool`: each output shares its own evenly,

    $$ \bar x_{n,c,a} = \sum_{i:\, a \text{ in window } i} \frac{\bar y_{n,c,i}}{m_i}. $$

    >>> adaptive_average_pool_vjp([[[2.0, 4.0]]], [[[0.0, 0.0, 0.0]]], output_size=2)
    (array([[[1., 3., 2.]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    shape = adaptive_pool_shape(input.shape, output_size=output_size)
    check_cotangent(cotangent, shape, input=input)
    g = scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        window = adaptive_positions(input.shape[2:], shape[2:], i)
        for n, c in positions(shape[:2]):
            for a in window:
                d_x[(n, c, *a)] += g[(n, c, *i)] / len(window)
    return (result(d_x, cotangent, input, real=True),)


def pyramid_levels(input: Shape, levels: Any, kind: str) -> tuple[int, ...]:
    """The levels of a pyramid, after checking every argument.

    >>> pyramid_levels((1, 3, 13, 13), [4, 2, 1], "max")
    (4, 2, 1)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    word("kind", kind, KINDS, shapes=shapes)
    if not listed(levels):
        raise TypeError(f"levels={levels!r}: must be a list of integers; {shapes}")
    if not len(levels):
        raise ValueError(f"levels={levels!r}: must hold at least one level; {shapes}")
    return per_axis("levels", levels, len(levels), least=1, shapes=shapes)


def spatial_pyramid_pool_shape(input: Shape, *, levels: Any, kind: str = "max") -> Shape:
    r"""Output shape of `spatial_pyramid_pool`: `(N, C * sum(level**r))` for `r` spatial axes.

    >>> spatial_pyramid_pool_shape((1, 256, 13, 13), levels=[4, 2, 1])
    (1, 5376)
    """
    rank = len(input) - 2
    features = sum(level**rank for level in pyramid_levels(input, levels, kind))
    return (input[0], input[1] * features)


def spatial_pyramid_pool(input: ArrayLike, *, levels: Any, kind: str = "max") -> Array:
    r"""Adaptive poolings of several sizes, flattened and laid end to end,

    $$ y_n = \bigl(\, P_{l}(x_n)_{c,i} \;:\; l \in \text{levels},\; c < C,\; i < (l, \dots, l)
       \,\bigr), $$

    with $P_l$ the adaptive pooling to $l$ windows on every axis: level by level, channel by
    channel inside a level, position by position inside a channel.  The length does not depend on
    the input's size.

    Shapes: input `(N, C, *spatial)`, output `(N, C * sum(level**r))` for `r` spatial axes.
    `kind`: `"max"` or `"average"`.  Dtypes: those of `adaptive_max_pool` and
    `adaptive_average_pool`.  Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' pyramid of 1x1, 2x2 and 4x4: 21 features for each of 256 channels.

    >>> spatial_pyramid_pool([[[1, 5, 2, 4]]], levels=[2, 1])
    array([[5, 4, 5]])
    """
    input = array("input", input)
    levels = pyramid_levels(input.shape, levels, kind)
    pool = adaptive_max_pool if kind == "max" else adaptive_average_pool
    pooled = [pool(input, output_size=level) for level in levels]
    return numpy.concatenate([y.reshape(len(y), prod(y.shape[1:])) for y in pooled], axis=1)


def spatial_pyramid_pool_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, levels: Any, kind: str = "max"
) -> tuple[Array]:
    r"""Cotangent of `spatial_pyramid_pool`: each level's share of it, sent back through the
    adaptive pooling of that level,

    $$ \bar x = \sum_l \text{vjp of } P_l \text{ at } \bar y_l . $$

    >>> spatial_pyramid_pool_vjp([[1, 10, 100]], [[[1, 5, 2, 4]]], levels=[2, 1])
    (array([[[  0, 101,   0,  10]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    shape = spatial_pyramid_pool_shape(input.shape, levels=levels, kind=kind)
    check_cotangent(cotangent, shape, input=input)
    back = adaptive_max_pool_vjp if kind == "max" else adaptive_average_pool_vjp
    g, x = scalars(cotangent), scalars(input)
    d_x = numpy.zeros(input.shape, dtype=object)
    first = 0
    for level in levels:
        pooled = adaptive_pool_shape(input.shape, output_size=level)
        after = first + prod(pooled[1:])
        share = back(g[:, first:after].reshape(pooled), x, output_size=level)[0]
        with numpy.errstate(invalid="ignore"):  # opposite infinities have no sum: it is NaN
            d_x = d_x + share
        first = after
    return (result(d_x, cotangent, input, real=kind == "average"),)

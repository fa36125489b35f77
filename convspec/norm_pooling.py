r"""Pooling by norms and by distance: other statistics of a window than its maximum and average.

$$ \text{norm: } y_i = \Bigl(\sum_j |x_{i s - p + j d}|^p\Bigr)^{1/p}, \qquad
   \text{distance: } y_i = \frac{\sum_j \omega_j\, x_{i s - p + j}}{\sum_j \omega_j}, \quad
   \omega_j = \frac{1}{1 + \lVert j - (k - 1) / 2 \rVert} $$

over the taps $j$ whose input position exists.  Pooling *across channels* needs no operation of its
own: it is pooling after the channel axis has been moved into space, and a weighted sum of channels
is `pointwise_conv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    described,
    number,
)
from convspec.elementary import power, sign, sqrt
from convspec.pooling import pool_windows
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, positions, squared_distance, window_taps


def lp_pool_windows(input: Shape, *, p: Any = 2, **attributes: Any) -> tuple[Window, ...]:
    """The windows of `lp_pool`, one per spatial axis, after checking every argument.

    >>> lp_pool_windows((1, 1, 6), p=3, kernel_size=2)
    (Window(kernel=2, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    number("p", p, least=1, shapes=described(input=input))
    return pool_windows(input, **attributes)


def lp_pool_shape(input: Shape, **attributes: Any) -> Shape:
    """Output shape of `lp_pool`: `(N, C, *output sizes)`.

    >>> lp_pool_shape((1, 3, 6, 6), kernel_size=3, stride=2, ceil_mode=True)
    (1, 3, 3, 3)
    """
    return (*input[:2], *output_sizes(input[2:], lp_pool_windows(input, **attributes)))


def norm(values: Sequence[Any], p: Any) -> Any:
    r"""$\bigl(\sum |x|^p\bigr)^{1/p}$, rational where rational numbers allow.

    >>> norm([3, -4], 2), norm([1.0, 2.0], 1)
    (Fraction(5, 1), 3.0)
    """
    return power(sum(power(abs(value), p) for value in values), inverse(p))


def inverse(p: Any) -> Any:
    """$1 / p$ without rounding where $p$ is whole, for roots that are to be exact."""
    return Fraction(1, int(p)) if p == int(p) else 1 / p


def lp_pool(
    input: ArrayLike,
    *,
    p: float = 2,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    r"""The norm of each window,

    $$ y_{n,c,i} = \Bigl(\sum_j |x_{n,c,\,i s - p + j d}|^p\Bigr)^{1/p}, $$

    the Euclidean norm for `p` 2 and the sum of absolute values for `p` 1.  Padding adds nothing.
    A power beyond the largest float is infinite, and so is its root.

    Shapes, padding and errors: those of `max_pool`; `p` must be a number of at least 1.  Dtypes:
    floats keep theirs, integers give float64.
    Source: the documents' pooling by the L2 norm.

    >>> lp_pool([[[3, -4, 0, 2]]], kernel_size=2)
    array([[[5., 2.]]])
    """
    input = array("input", input)
    sliding = lp_pool_windows(
        input.shape,
        p=p,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    spatial = input.shape[2:]
    x = scalars(input)
    y = numpy.empty((*input.shape[:2], *output_sizes(spatial, sliding)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = [a for _, a in window_taps(spatial, sliding, i)]
        for n, c in positions(y.shape[:2]):
            y[(n, c, *i)] = norm([x[(n, c, *a)] for a in taps], p)
    return result(y, input, real=True)


def lp_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    p: float = 2,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Array]:
    r"""Cotangent of `lp_pool`,

    $$ \bar x_{n,c,a} = \sum_{(i,j):\, a = i s - p + j d}
       \bar y_{n,c,i}\, \operatorname{sign}(x_{n,c,a})
       \left(\frac{|x_{n,c,a}|}{y_{n,c,i}}\right)^{p - 1}, $$

    and 0 where the norm is 0, which is one of its subgradients there.

    >>> lp_pool_vjp([[[10.0]]], [[[3.0, -4.0]]], kernel_size=2)
    (array([[[ 6., -8.]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    sliding = lp_pool_windows(
        input.shape,
        p=p,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    spatial = input.shape[2:]
    shape = (*input.shape[:2], *output_sizes(spatial, sliding))
    check_cotangent(cotangent, shape, input=input)
    x, g = scalars(input), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        taps = [a for _, a in window_taps(spatial, sliding, i)]
        for n, c in positions(shape[:2]):
            y = norm([x[(n, c, *a)] for a in taps], p)
            for a in taps if y != 0 else ():
                x_a = x[(n, c, *a)]
                d_x[(n, c, *a)] += g[(n, c, *i)] * sign(x_a) * power(abs(x_a) / y, p - 1)
    return (result(d_x, cotangent, input, real=True),)


def distance_weighted_pool_windows(
    input: Shape,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
) -> tuple[Window, ...]:
    """The windows of `distance_weighted_pool`, after checking every argument.

    >>> distance_weighted_pool_windows((1, 1, 6), kernel_size=3, stride=1)
    (Window(kernel=3, stride=1, low=0, high=0, dilation=1, ceil=False),)
    """
    return pool_windows(input, kernel_size=kernel_size, stride=stride, padding=padding)


def distance_weighted_pool_shape(input: Shape, **attributes: Any) -> Shape:
    """Output shape of `distance_weighted_pool`: `(N, C, *output sizes)`.

    >>> distance_weighted_pool_shape((1, 3, 6, 6), kernel_size=3)
    (1, 3, 2, 2)
    """
    sliding = distance_weighted_pool_windows(input, **attributes)
    return (*input[:2], *output_sizes(input[2:], sliding))


def nearness(sliding: Sequence[Window], tap: Shape) -> Any:
    r"""The weight of a tap, $1 / (1 + \lVert j - (k - 1) / 2 \rVert)$: 1 at the centre.

    >>> nearness([Window(3), Window(3)], (1, 1)), nearness([Window(3), Window(3)], (0, 1))
    (Fraction(1, 1), Fraction(1, 2))
    """
    return 1 / (1 + sqrt(squared_distance(sliding, tap)))


def distance_weighted_pool(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
) -> Array:
    r"""The average of each window, weighted by nearness to the window's centre,

    $$ y_{n,c,i} = \frac{\sum_j \omega_j\, x_{n,c,\,i s - p + j}}{\sum_j \omega_j}, \qquad
       \omega_j = \frac{1}{1 + \lVert j - (k - 1) / 2 \rVert}, $$

    both sums over the taps that exist, with the Euclidean distance over all axes.

    Shapes, padding and errors: those of `max_pool`.  Dtypes: floats keep theirs, integers give
    float64; Fractions stay Fractions where the distances are rational, as on one axis.
    Source: the documents' weighted average by distance from the central pixel; the weights are
    ours, for the documents name none.

    >>> distance_weighted_pool([[[1.0, 4.0, 5.0]]], kernel_size=3)
    array([[[3.5]]])
    """
    input = array("input", input)
    sliding = distance_weighted_pool_windows(
        input.shape, kernel_size=kernel_size, stride=stride, padding=padding
    )
    spatial = input.shape[2:]
    x = scalars(input)
    y = numpy.empty((*input.shape[:2], *output_sizes(spatial, sliding)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = [(nearness(sliding, j), a) for j, a in window_taps(spatial, sliding, i)]
        total = sum(weight for weight, _ in taps)
        for n, c in positions(y.shape[:2]):
            y[(n, c, *i)] = sum(weight * x[(n, c, *a)] for weight, a in taps) / total
    return result(y, input, real=True)


def distance_weighted_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
) -> tuple[Array]:
    r"""Cotangent of `distance_weighted_pool`: each output shares its own by the same weights,

    $$ \bar x_{n,c,a} = \sum_{(i,j):\, a = i s - p + j}
       \bar y_{n,c,i}\, \frac{\omega_j}{\sum_l \omega_l}. $$

    >>> distance_weighted_pool_vjp([[[8.0]]], [[[0.0, 0.0, 0.0]]], kernel_size=3)
    (array([[[2., 4., 2.]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    sliding = distance_weighted_pool_windows(
        input.shape, kernel_size=kernel_size, stride=stride, padding=padding
    )
    spatial = input.shape[2:]
    shape = (*input.shape[:2], *output_sizes(spatial, sliding))
    check_cotangent(cotangent, shape, input=input)
    g = scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        taps = [(nearness(sliding, j), a) for j, a in window_taps(spatial, sliding, i)]
        total = sum(weight for weight, _ in taps)
        for n, c in positions(shape[:2]):
            for weight, a in taps:
                d_x[(n, c, *a)] += weight * g[(n, c, *i)] / total
    return (result(d_x, cotangent, input, real=True),)

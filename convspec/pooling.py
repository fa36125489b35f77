r"""Pooling: one number for each window of each channel.

$$ \text{max: } y_i = \max_{j} x_{i s - p + j d}, \qquad
   \text{average: } y_i = \frac{1}{m_i} \sum_{j} x_{i s - p + j d}, $$

over the taps $j$ whose input position exists: padding never takes part in a maximum, and adds
nothing to a sum, though `count_include_pad` lets it count in the divisor $m_i$.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    SAME_WORDS,
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    check_filled,
    check_fit,
    check_layout,
    check_shape,
    described,
    flag,
    per_axis,
    windows,
)
from convspec.elementary import first_maximum, maximum
from convspec.scalars import result, scalars
from convspec.window import Window, divisor, output_sizes, positions, window_taps


def pool_windows(
    input: Shape,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Window, ...]:
    """The windows of a pooling, one per spatial axis, after checking every argument.

    >>> pool_windows((1, 1, 6), kernel_size=2)
    (Window(kernel=2, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)")
    spatial = input[2:]
    kernel = per_axis("kernel_size", kernel_size, len(spatial), least=1, shapes=shapes)
    sliding = windows(
        spatial,
        kernel,
        stride=kernel if stride is None else stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=flag("ceil_mode", ceil_mode, shapes=shapes),
        words=SAME_WORDS,
        shapes=shapes,
    )
    check_fit(spatial, sliding, shapes=shapes)
    check_filled(spatial, sliding, shapes=shapes)
    return sliding


def pool_shape(input: Shape, **attributes: Any) -> Shape:
    """Output shape of a pooling: `(N, C, *output sizes)`.

    >>> pool_shape((1, 3, 6, 6), kernel_size=3, stride=2, ceil_mode=True)
    (1, 3, 3, 3)
    """
    attributes.pop("count_include_pad", None)
    return (*input[:2], *output_sizes(input[2:], pool_windows(input, **attributes)))


def max_pool_with_indices(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    r"""`max_pool`, and where each maximum was found,

    $$ y_{n,c,i} = \max_j x_{n,c,\,i s - p + j d}, \qquad
       a_{n,c,i} = \arg\max_j x_{n,c,\,i s - p + j d}, $$

    the index being flat in the unpadded spatial volume of its channel, the first one (in C
    order) on ties; in a window that holds NaN it is that of the first NaN.

    Shapes: input `(N, C, *spatial)`, both outputs `(N, C, *window.output_size)`; indices int64.
    Errors: those of `max_pool`.
    Source: the documents' remark that pooling must remember the position of its maximum.

    >>> max_pool_with_indices([[[1, 5, 5, 2]]], kernel_size=2)
    (array([[[5, 5]]]), array([[[1, 2]]]))
    """
    input = array("input", input)
    sliding = pool_windows(
        input.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    spatial = input.shape[2:]
    x = scalars(input)
    y = numpy.empty((*input.shape[:2], *output_sizes(spatial, sliding)), dtype=object)
    found = numpy.empty(y.shape, dtype=numpy.int64)
    for i in positions(y.shape[2:]):
        taps = [a for _, a in window_taps(spatial, sliding, i)]
        for n, c in positions(y.shape[:2]):
            first, y[(n, c, *i)] = first_maximum(x[(n, c, *a)] for a in taps)
            found[(n, c, *i)] = numpy.ravel_multi_index(taps[first], spatial)
    return result(y, input), found


def max_pool(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    r"""The maximum of each window, $y_{n,c,i} = \max_j x_{n,c,\, i s - p + j d}$.

    Only real elements take part, never padding; a window that holds NaN gives NaN.  `stride`
    None stands for `kernel_size`.  `ceil_mode` rounds the output size up, unless the last window
    would start beyond the input.

    Shapes: input `(N, C, *spatial)`, output `(N, C, *window.output_size)`.  Dtypes: floats keep
    theirs, integers are exact.  `padding`: an int, one per axis, one `(low, high)` pair per
    axis, or `"valid"`, `"same_upper"`, `"same_lower"`.
    Raises `ValueError` where the kernel's extent exceeds the padded input, or where a window
    would hold no element of the input.
    Source: the documents' $y_{m,n}^d = \max_{i \in R_{m,n}^d} x_i$.

    >>> max_pool([[[1, 5, 2, 4]]], kernel_size=2)
    array([[[5, 4]]])
    """
    input = array("input", input)
    sliding = pool_windows(
        input.shape,
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
            y[(n, c, *i)] = maximum([x[(n, c, *a)] for a in taps])
    return result(y, input)


def max_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Array]:
    r"""Cotangent of `max_pool`: each output's goes to the element that was its maximum,

    $$ \bar x_{n,c,a} = \sum_{i:\, a_{n,c,i} = a} \bar y_{n,c,i}, $$

    the first one on ties, where any convex split among them is a subgradient too.

    >>> max_pool_vjp([[[1, 10]]], [[[3, 7, 5]]], kernel_size=2, stride=1)
    (array([[[ 0, 11,  0]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    values, found = max_pool_with_indices(
        input,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    check_cotangent(cotangent, values.shape, input=input)
    g = scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for n, c, *i in positions(found.shape):
        a = numpy.unravel_index(found[(n, c, *i)], input.shape[2:])
        d_x[(n, c, *a)] += g[(n, c, *i)]
    return (result(d_x, cotangent, input),)


def max_pool_with_indices_vjp(
    cotangent: ArrayLike, input: ArrayLike, **attributes: Any
) -> tuple[Array]:
    """Cotangent of the values of `max_pool_with_indices`: that of `max_pool`.

    >>> max_pool_with_indices_vjp([[[1]]], [[[3, 7]]], kernel_size=2)
    (array([[[0, 1]]]),)
    """
    return max_pool_vjp(cotangent, input, **attributes)


def average_pool(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Array:
    r"""The average of each window,

    $$ y_{n,c,i} = \frac{1}{m_i} \sum_j x_{n,c,\, i s - p + j d}, $$

    where $m_i$ counts the taps that exist or, with `count_include_pad`, those on padding as
    well, up to $n + p_\text{high}$ but never in the overhang of a ceil-mode window.

    Shapes, padding and errors: those of `max_pool`.  Dtypes: floats keep theirs, integers give
    float64.
    Source: the documents' $y_{m,n}^d = |R_{m,n}^d|^{-1} \sum_{i \in R_{m,n}^d} x_i$.

    >>> average_pool([[[1.0, 5.0, 2.0, 4.0]]], kernel_size=2)
    array([[[3., 3.]]])
    >>> average_pool([[[6.0, 6.0]]], kernel_size=2, padding=1)
    array([[[6., 6.]]])
    >>> average_pool([[[6.0, 6.0]]], kernel_size=2, padding=1, count_include_pad=True)
    array([[[3., 3.]]])
    """
    input = array("input", input)
    sliding = pool_windows(
        input.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    include = flag("count_include_pad", count_include_pad, shapes=described(input=input))
    spatial = input.shape[2:]
    x = scalars(input)
    y = numpy.empty((*input.shape[:2], *output_sizes(spatial, sliding)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = window_taps(spatial, sliding, i)
        count = window_divisor(spatial, sliding, i, count_include_pad=include)
        for n, c in positions(y.shape[:2]):
            y[(n, c, *i)] = sum(x[(n, c, *a)] for _, a in taps) / count
    return result(y, input, real=True)


def window_divisor(
    spatial: Shape, sliding: tuple[Window, ...], position: Shape, *, count_include_pad: bool
) -> int:
    """What an average divides by: the product of `window.divisor` over the axes.

    >>> window_divisor((5, 5), (Window(2), Window(3)), (0, 0), count_include_pad=False)
    6
    """
    count = 1
    for n, window, i in zip(spatial, sliding, position, strict=True):
        count *= divisor(n, window, i, count_include_pad=count_include_pad)
    return count


def average_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> tuple[Array]:
    r"""Cotangent of `average_pool`: each output shares its own evenly among its window,

    $$ \bar x_{n,c,a} = \sum_{(i,j):\, a = i s - p + j d} \frac{\bar y_{n,c,i}}{m_i}. $$

    >>> average_pool_vjp([[[2.0, 4.0]]], [[[0.0, 0.0, 0.0]]], kernel_size=2, stride=1)
    (array([[[1., 3., 2.]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    sliding = pool_windows(
        input.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    shapes = described(input=input)
    include = flag("count_include_pad", count_include_pad, shapes=shapes)
    spatial = input.shape[2:]
    shape = (*input.shape[:2], *output_sizes(spatial, sliding))
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=shapes)
    g = scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        taps = window_taps(spatial, sliding, i)
        count = window_divisor(spatial, sliding, i, count_include_pad=include)
        for n, c in positions(shape[:2]):
            for _, a in taps:
                d_x[(n, c, *a)] += g[(n, c, *i)] / count
    return (result(d_x, cotangent, input, real=True),)

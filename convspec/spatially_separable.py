r"""Spatially separable convolution: a kernel that is an outer product, one vector per axis.

$$ y_{n,c,i} = \sum_{j} x_{n,c,\,i s - p + j} \prod_{l} f^{(l)}_{j_l} $$

The sums over the axes of $j$ come apart, so that $\sum_l k_l$ weights do the work of
$\prod_l k_l$, in one pass along each axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
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
    check_fit,
    check_layout,
    check_shape,
    listed,
    windows,
)
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, positions, window_taps


def spatially_separable_conv_windows(
    input: Shape, factors: Sequence[Shape], *, stride: PerAxis = 1, padding: Padding = 0
) -> tuple[Window, ...]:
    """The windows of `spatially_separable_conv`, after checking every argument.

    >>> spatially_separable_conv_windows((1, 1, 5), [(3,)], stride=2)
    (Window(kernel=3, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    shapes = f"input has shape {input}, factors have shapes {list(factors)}"
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    spatial = input[2:]
    if len(factors) != len(spatial):
        raise ValueError(
            f"factors holds {len(factors)} kernels: must hold one per spatial axis, "
            f"{len(spatial)} in all; {shapes}"
        )
    for axis, factor in enumerate(factors):
        if len(factor) != 1 or factor[0] < 1:
            raise ValueError(
                f"factors[{axis}] has shape {factor}: must be (kernel,), at least (1,); {shapes}"
            )
    sliding = windows(
        spatial,
        tuple(k for (k,) in factors),
        stride=stride,
        padding=padding,
        dilation=1,
        words=CONV_WORDS,
        shapes=shapes,
    )
    check_fit(spatial, sliding, shapes=shapes)
    return sliding


def spatially_separable_conv_shape(
    input: Shape, factors: Sequence[Shape], **attributes: Any
) -> Shape:
    """Output shape of `spatially_separable_conv`: `(N, C, *output sizes)`.

    >>> spatially_separable_conv_shape((1, 3, 6, 6), [(3,), (1,)])
    (1, 3, 4, 6)
    """
    sliding = spatially_separable_conv_windows(input, factors, **attributes)
    return (*input[:2], *output_sizes(input[2:], sliding))


def kernels_of(factors: Sequence[ArrayLike]) -> list[Array]:
    """The factors as arrays; `TypeError` where they are not a list of kernels."""
    if not listed(factors):
        raise TypeError(f"factors={factors!r}: must be a list of kernels, one per spatial axis")
    return [array(f"factors[{axis}]", factor) for axis, factor in enumerate(factors)]


def spatially_separable_conv(
    input: ArrayLike,
    factors: Sequence[ArrayLike],
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
) -> Array:
    r"""Every channel convolved with the outer product of the factors,

    $$ y_{n,c,i} = \sum_{j} x_{n,c,\,i s - p + j} \prod_{l} f^{(l)}_{j_l}, $$

    over the taps $j$ whose input position exists.

    Shapes: input `(N, C, *spatial)`, factors one `(kernel,)` per spatial axis, output
    `(N, C, *window.output_size)`.  Dtypes, padding and errors: those of `conv`.
    Source: the documents' Sobel filter, $[1, 2, 1]^\top [1, 0, -1]$: 6 weights in place of 9.

    >>> spatially_separable_conv([[[[1, 2], [3, 5]]]], [[1, 2], [1, -1]])
    array([[[[-5]]]])
    """
    input, vectors = array("input", input), kernels_of(factors)
    sliding = spatially_separable_conv_windows(
        input.shape, [vector.shape for vector in vectors], stride=stride, padding=padding
    )
    spatial = input.shape[2:]
    x, f = scalars(input), [scalars(vector) for vector in vectors]
    y = numpy.empty((*input.shape[:2], *output_sizes(spatial, sliding)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = window_taps(spatial, sliding, i)
        for n, c in positions(y.shape[:2]):
            y[(n, c, *i)] = sum(
                x[(n, c, *a)] * prod(vector[l] for vector, l in zip(f, j, strict=True))
                for j, a in taps
            )
    return result(y, input, *vectors)


def spatially_separable_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    factors: Sequence[ArrayLike],
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
) -> tuple[Array, ...]:
    r"""Cotangents of `spatially_separable_conv`,

    $$ \bar x_{n,c,a} = \sum_{(i,j):\, a = i s - p + j} \bar y_{n,c,i} \prod_l f^{(l)}_{j_l},
       \qquad
       \bar f^{(m)}_{q} = \sum_{n,c,i} \sum_{j:\, j_m = q} \bar y_{n,c,i}\, x_{n,c,\,i s - p + j}
       \prod_{l \ne m} f^{(l)}_{j_l}, $$

    as `(d_input, d_factor, d_factor, …)`, one array for each factor.

    >>> spatially_separable_conv_vjp([[[[1]]]], [[[[1, 2], [3, 5]]]], [[1, 2], [1, -1]])
    (array([[[[ 1, -1],
             [ 2, -2]]]]), array([-1, -2]), array([ 7, 12]))
    """
    cotangent, input, vectors = (
        array("cotangent", cotangent),
        array("input", input),
        kernels_of(factors),
    )
    kernels = [vector.shape for vector in vectors]
    sliding = spatially_separable_conv_windows(input.shape, kernels, stride=stride, padding=padding)
    spatial = input.shape[2:]
    shape = (*input.shape[:2], *output_sizes(spatial, sliding))
    shapes = f"input has shape {input.shape}, factors have shapes {kernels}"
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=shapes)
    x, f, g = scalars(input), [scalars(vector) for vector in vectors], scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    d_f = [numpy.zeros(kernel, dtype=object) for kernel in kernels]
    for i in positions(shape[2:]):
        for j, a in window_taps(spatial, sliding, i):
            weights = [vector[l] for vector, l in zip(f, j, strict=True)]
            for n, c in positions(shape[:2]):
                g_i = g[(n, c, *i)]
                d_x[(n, c, *a)] += g_i * prod(weights)
                for m, l in enumerate(j):
                    others = prod(weights[:m]) * prod(weights[m + 1 :])
                    d_f[m][l] += g_i * x[(n, c, *a)] * others
    operands = (cotangent, input, *vectors)
    return (result(d_x, *operands), *(result(d, *operands) for d in d_f))

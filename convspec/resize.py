r"""Resizing: an input enlarged by repetition or interpolation, alone or before a convolution.

$$ y_i = \sum_a \omega_{i,a}\, x_a $$

on one axis; several axes are independent.  Which positions an enlarged axis reads, and with what
weights, is said once, in `coordinates`.
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
    per_axis,
    windows,
    word,
)
from convspec.convolution import conv, conv_vjp
from convspec.coordinates import interpolation_weights
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, positions

KINDS = ("nearest", "linear")
COORDINATES = ("half_pixel", "asymmetric", "align_corners")


def _scales(input: Shape, scale: PerAxis, kind: str, *, shapes: str) -> Shape:
    """The scale of each axis, after checking what upsampling and its users share."""
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    word("kind", kind, KINDS, shapes=shapes)
    return per_axis("scale", scale, len(input) - 2, least=1, shapes=shapes)


def _enlarged(sizes: Shape, scales: Shape) -> Shape:
    return tuple(n * s for n, s in zip(sizes, scales, strict=True))


def upsample_scales(
    input: Shape, *, scale: PerAxis, kind: str = "nearest", coordinates: str = "half_pixel"
) -> tuple[int, ...]:
    """The scale of each axis of `upsample`, after checking every argument.

    >>> upsample_scales((1, 3, 4, 5), scale=2)
    (2, 2)
    """
    shapes = described(input=input)
    word("coordinates", coordinates, COORDINATES, shapes=shapes)
    return _scales(input, scale, kind, shapes=shapes)


def upsample_shape(input: Shape, **attributes: Any) -> Shape:
    """Output shape of `upsample`: `(N, C, *(size * scale))`.

    >>> upsample_shape((1, 3, 4, 5), scale=(2, 3))
    (1, 3, 8, 15)
    """
    return (*input[:2], *_enlarged(input[2:], upsample_scales(input, **attributes)))


def upsample(
    input: ArrayLike,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    coordinates: str = "half_pixel",
) -> Array:
    r"""Every axis enlarged a whole number of times,

    $$ y_{n,c,i} = \sum_a \omega_{i,a}\, x_{n,c,a}. $$

    `nearest` reads the one position $a = \lfloor i / s \rfloor$, whatever `coordinates` is.
    `linear` reads, on every axis, the two neighbours of the source coordinate, each weighted by
    its nearness; the coordinate of output $i$, moved into $[0, n - 1]$, is

    $$ \text{half pixel: } \frac{i + 1/2}{s} - \frac12, \qquad
       \text{asymmetric: } \frac{i}{s}, \qquad
       \text{align corners: } \frac{i\,(n - 1)}{n s - 1}. $$

    Shapes: input `(N, C, *spatial)`, output `(N, C, *(size * scale))`.  Dtypes: floats keep
    theirs; integers are exact under `nearest` and give float64 under `linear`.  Raises
    `ValueError` or `TypeError` naming the argument.
    Source: the documents' scaling before convolution, by nearest or bilinear interpolation, and
    their Kronecker product with ones.

    >>> upsample([[[1, 2]]], scale=2)
    array([[[1, 1, 2, 2]]])
    >>> upsample([[[0.0, 4.0]]], scale=2, kind="linear")
    array([[[0., 1., 3., 4.]]])
    """
    input = array("input", input)
    scales = upsample_scales(input.shape, scale=scale, kind=kind, coordinates=coordinates)
    sizes = input.shape[2:]
    x = scalars(input)
    y = numpy.empty((*input.shape[:2], *_enlarged(sizes, scales)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = interpolation_weights(sizes, scales, i, kind=kind, coordinates=coordinates)
        for n, c in positions(y.shape[:2]):
            y[(n, c, *i)] = sum(weight * x[(n, c, *a)] for a, weight in taps)
    return result(y, input, real=kind == "linear")


def upsample_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    coordinates: str = "half_pixel",
) -> tuple[Array]:
    r"""Cotangent of `upsample`: each position gathers from the outputs that read it,

    $$ \bar x_{n,c,a} = \sum_i \omega_{i,a}\, \bar y_{n,c,i}. $$

    >>> upsample_vjp([[[1, 2, 3, 4]]], [[[0, 0]]], scale=2)
    (array([[[3, 7]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    scales = upsample_scales(input.shape, scale=scale, kind=kind, coordinates=coordinates)
    sizes = input.shape[2:]
    shape = (*input.shape[:2], *_enlarged(sizes, scales))
    check_cotangent(cotangent, shape, input=input)
    g = scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        taps = interpolation_weights(sizes, scales, i, kind=kind, coordinates=coordinates)
        for n, c in positions(shape[:2]):
            for a, weight in taps:
                d_x[(n, c, *a)] += weight * g[(n, c, *i)]
    return (result(d_x, cotangent, input, real=kind == "linear"),)


def resize_conv_windows(
    input: Shape,
    weight: Shape,
    bias: Shape | None = None,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    padding: Padding = 0,
) -> tuple[Window, ...]:
    """The windows of the convolution inside `resize_conv`, after checking every argument.

    >>> resize_conv_windows((1, 1, 3), (1, 1, 4), scale=2, padding="same_upper")
    (Window(kernel=4, stride=1, low=1, high=2, dilation=1, ceil=False),)
    """
    shapes = described(input=input, weight=weight, bias=bias)
    spatial = _enlarged(input[2:], _scales(input, scale, kind, shapes=shapes))
    if len(weight) != len(input) or min(weight) < 1 or weight[1] != input[1]:
        raise ValueError(
            f"weight has shape {weight}: must be (O, C, *kernel) with C = {input[1]}, every size "
            f"at least 1 and as many axes as the input; {shapes}"
        )
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"bias has shape {bias}: must be (O,) = {weight[:1]}; {shapes}")
    sliding = windows(
        spatial,
        weight[2:],
        stride=1,
        padding=padding,
        dilation=1,
        words=CONV_WORDS,
        shapes=shapes,
    )
    check_fit(spatial, sliding, shapes=shapes)
    return sliding


def resize_conv_shape(
    input: Shape,
    weight: Shape,
    bias: Shape | None = None,
    *,
    scale: PerAxis,
    **attributes: Any,
) -> Shape:
    """Output shape of `resize_conv`: `(N, O, *output sizes)`.

    >>> resize_conv_shape((1, 3, 4, 4), (8, 3, 3, 3), scale=2, padding=1)
    (1, 8, 8, 8)
    """
    sliding = resize_conv_windows(input, weight, bias, scale=scale, **attributes)
    between = upsample_shape(input, scale=scale)
    return (input[0], weight[0], *output_sizes(between[2:], sliding))


def resize_conv(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    padding: Padding = 0,
) -> Array:
    r"""`upsample` with half-pixel coordinates, then `conv` with stride 1,

    $$ y_{n,o,i} = b_o + \sum_c \sum_j w_{o,c,j} \sum_a \omega_{i - p + j,\,a}\, x_{n,c,a}, $$

    over the taps $j$ for which $i - p + j$ lies inside the enlarged input.  What passes from the
    first to the second is not rounded.

    Shapes: input `(N, C, *spatial)`, weight `(O, C, *kernel)`, bias `(O,)`, output
    `(N, O, *window.output_size)` of the enlarged input.  Dtypes: floats keep theirs; integers are
    exact under `nearest` and give float64 under `linear`.  Padding and errors: those of `conv`.
    Source: the documents' resize-convolution against the checkerboard.

    >>> resize_conv([[[1, 2]]], [[[1, 10]]], scale=2)
    array([[[11, 21, 22]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    resize_conv_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        scale=scale,
        kind=kind,
        padding=padding,
    )
    between = upsample(scalars(input), scale=scale, kind=kind)
    y = conv(between, scalars(weight), None if bias is None else scalars(bias), padding=padding)
    operands = (input, weight, *(() if bias is None else (bias,)))
    return result(y, *operands, real=kind == "linear")


def resize_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    padding: Padding = 0,
) -> tuple[Array, ...]:
    r"""Cotangents of `resize_conv`: through the convolution, then through the enlargement,

    $$ (\bar u, \bar w, \bar b) = \operatorname{conv\_vjp}(\bar y, u, w, b), \qquad
       \bar x_{n,c,a} = \sum_i \omega_{i,a}\, \bar u_{n,c,i}, $$

    as `(d_input, d_weight)`, or `(d_input, d_weight, d_bias)` where a bias is given.

    >>> resize_conv_vjp([[[1, 0, 0]]], [[[1, 2]]], [[[3, 4]]], scale=2)
    (array([[[7, 0]]]), array([[[1, 1]]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    attributes: dict[str, Any] = {"scale": scale, "kind": kind}
    shape = resize_conv_shape(
        input.shape,
        weight.shape,
        optional_shape(bias),
        padding=padding,
        **attributes,
    )
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, b = scalars(input), scalars(weight), None if bias is None else scalars(bias)
    between = upsample(x, **attributes)
    d_between, d_w, *d_b = conv_vjp(scalars(cotangent), between, w, b, padding=padding)
    (d_x,) = upsample_vjp(d_between, x, **attributes)
    real = kind == "linear"
    operands = (cotangent, input, weight)
    gradients = tuple(result(d, *operands, real=real) for d in (d_x, d_w))
    return gradients if bias is None else (*gradients, result(d_b[0], cotangent, bias))

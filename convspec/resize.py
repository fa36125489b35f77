r"""Enlarging an input: repetition, interpolation, zeros between neighbours, sub-pixels.

$$ \text{upsample: } y_i = \sum_a \omega_{i,a}\, x_a, \qquad
   \text{insert zeros: } y_{(D + 1) a} = x_a, \qquad
   \text{pixel shuffle: } y_{c,\, f a + r} = x_{c f + r,\, a} $$

on one axis; several axes are independent.  Which positions an enlarged axis reads, and with what
weights, is said once, in `coordinates`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_layout,
    check_shape,
    described,
    per_axis,
    word,
)
from convspec.convolution import conv, conv_vjp, conv_windows
from convspec.coordinates import interpolation_weights, subpixel_source
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, positions, start, transposed_size

KINDS = ("nearest", "linear")
COORDINATES = ("half_pixel", "asymmetric", "align_corners")


def upsample_shape(
    input: Shape, *, scale: PerAxis, kind: str = "nearest", coordinates: str = "half_pixel"
) -> Shape:
    """Output shape of `upsample`: `(N, C, *(size * scale))`.

    >>> upsample_shape((1, 3, 4, 5), scale=(2, 3))
    (1, 3, 8, 15)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    scales = per_axis("scale", scale, len(input) - 2, least=1, shapes=shapes)
    word("kind", kind, KINDS, shapes=shapes)
    word("coordinates", coordinates, COORDINATES, shapes=shapes)
    return (*input[:2], *(n * s for n, s in zip(input[2:], scales, strict=True)))


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

    $$ \text{half\_pixel: } \frac{i + 1/2}{s} - \frac12, \qquad
       \text{asymmetric: } \frac{i}{s}, \qquad
       \text{align\_corners: } \frac{i\,(n - 1)}{n s - 1}. $$

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
    shape = upsample_shape(input.shape, scale=scale, kind=kind, coordinates=coordinates)
    scales = per_axis("scale", scale, input.ndim - 2, least=1, shapes=described(input=input))
    x = scalars(input)
    y = numpy.empty(shape, dtype=object)
    for i in positions(shape[2:]):
        taps = interpolation_weights(input.shape[2:], scales, i, kind=kind, coordinates=coordinates)
        for n, c in positions(shape[:2]):
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
    shape = upsample_shape(input.shape, scale=scale, kind=kind, coordinates=coordinates)
    shapes = described(input=input)
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=shapes)
    scales = per_axis("scale", scale, input.ndim - 2, least=1, shapes=shapes)
    g = scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    for i in positions(shape[2:]):
        taps = interpolation_weights(input.shape[2:], scales, i, kind=kind, coordinates=coordinates)
        for n, c in positions(shape[:2]):
            for a, weight in taps:
                d_x[(n, c, *a)] += weight * g[(n, c, *i)]
    return (result(d_x, cotangent, input, real=kind == "linear"),)


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
    shapes = described(input=input)
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=shapes)
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
    shapes = described(input=input)
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=shapes)
    g = scalars(cotangent)
    d_x = numpy.empty(input.shape, dtype=object)
    for target, source in _subpixels(input.shape, shape):
        for n in range(input.shape[0]):
            d_x[(n, *source)] = g[(n, *target)]
    return (result(d_x, cotangent, input),)


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
    return conv_windows(
        upsample_shape(input, scale=scale, kind=kind), weight, bias, padding=padding
    )


def resize_conv_shape(
    input: Shape,
    weight: Shape,
    bias: Shape | None = None,
    *,
    scale: PerAxis,
    kind: str = "nearest",
    padding: Padding = 0,
) -> Shape:
    """Output shape of `resize_conv`: `(N, O, *output sizes)`.

    >>> resize_conv_shape((1, 3, 4, 4), (8, 3, 3, 3), scale=2, padding=1)
    (1, 8, 8, 8)
    """
    between = upsample_shape(input, scale=scale, kind=kind)
    sliding = resize_conv_windows(input, weight, bias, scale=scale, kind=kind, padding=padding)
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
    bias = None if bias is None else array("bias", bias)
    resize_conv_windows(
        input.shape,
        weight.shape,
        None if bias is None else bias.shape,
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

    $$ (\bar u, \bar w, \bar b) = \text{conv\_vjp}(\bar y, u, w, b), \qquad
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
    bias = None if bias is None else array("bias", bias)
    attributes: dict[str, Any] = {"scale": scale, "kind": kind}
    resize_conv_windows(
        input.shape,
        weight.shape,
        None if bias is None else bias.shape,
        padding=padding,
        **attributes,
    )
    x, w, b = scalars(input), scalars(weight), None if bias is None else scalars(bias)
    between = upsample(x, **attributes)
    d_between, d_w, *d_b = conv_vjp(scalars(cotangent), between, w, b, padding=padding)
    (d_x,) = upsample_vjp(d_between, x, **attributes)
    real = kind == "linear"
    operands = (cotangent, input, weight)
    gradients = tuple(result(d, *operands, real=real) for d in (d_x, d_w))
    return gradients if bias is None else (*gradients, result(d_b[0], cotangent, bias))

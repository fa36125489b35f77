r"""Convolution: the flipped sum of mathematics, and the unflipped one of deep learning.

`convolve` flips its second operand, `correlate` and `conv` do not; on one axis

$$ \text{convolve: } h_t = \sum_a f_a\, g_{t - a}, \qquad
   \text{correlate: } h_t = \sum_a f_a\, g_{a - t + m - 1}, \qquad
   \text{conv: } y_i = \sum_j x_{i s - p + j d}\, w_j. $$

What networks call convolution is the last one, a cross-correlation with batch, channels, stride,
padding, dilation and groups.
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
    integer,
    optional_array,
    optional_shape,
    windows,
)
from convspec.scalars import result, scalars
from convspec.window import Window, output_sizes, overlap, positions, window_taps


def convolve_shape(f: Shape, g: Shape, mode: str = "full") -> Shape:
    """Shape of `convolve` and of `correlate`.

    >>> convolve_shape((6, 6), (3, 3), "valid")
    (4, 4)
    """
    shapes = described(f=f, g=g)
    if not isinstance(mode, str) or mode not in ("full", "same", "valid"):
        raise ValueError(f"mode={mode!r}: must be 'full', 'same' or 'valid'; {shapes}")
    if len(f) != len(g) or not f:
        raise ValueError(f"f and g must have the same number of axes, at least one; {shapes}")
    if min(f + g) < 1:
        raise ValueError(f"f and g must have at least one element on every axis; {shapes}")
    if mode == "valid" and not (
        all(n >= m for n, m in zip(f, g, strict=True))
        or all(n <= m for n, m in zip(f, g, strict=True))
    ):
        raise ValueError(f"mode='valid' needs one operand to fit inside the other; {shapes}")
    return tuple(len(overlap(mode, n, m)) for n, m in zip(f, g, strict=True))


def convolve(f: ArrayLike, g: ArrayLike, mode: str = "full") -> Array:
    r"""True convolution of two arrays of the same rank,

    $$ h_t = \sum_a f_a\, g_{t - a}, \qquad 0 \le a < n,\ 0 \le t - a < m, $$

    on every axis at once.  `full` keeps all $n + m - 1$ positions, `same` the centred $n$ of
    them, `valid` those where one operand lies wholly inside the other.

    Shapes: `f` and `g` of any rank, without channels.  Dtypes: floats keep theirs, integers are
    exact.  Raises `ValueError` for ranks that differ, empty operands, an unknown mode, or, for
    `valid`, operands of which neither contains the other.
    Source: the documents' $(f * g)[n] = \sum_m f[n - m]\, g[m]$.

    >>> convolve([1, 2, 3], [0, 1, 1])
    array([0, 1, 3, 5, 3])
    """
    f, g = array("f", f), array("g", g)
    shape = convolve_shape(f.shape, g.shape, mode)
    kept = [overlap(mode, n, m) for n, m in zip(f.shape, g.shape, strict=True)]
    x, y = scalars(f), scalars(g)
    h = numpy.empty(shape, dtype=object)
    for position in positions(shape):
        t = [keep[i] for keep, i in zip(kept, position, strict=True)]
        total = 0
        for a in positions(f.shape):
            shifted = tuple(ti - ai for ti, ai in zip(t, a, strict=True))
            if all(0 <= b < m for b, m in zip(shifted, g.shape, strict=True)):
                total = total + x[a] * y[shifted]
        h[position] = total
    return result(h, f, g)


def correlate(f: ArrayLike, g: ArrayLike, mode: str = "full") -> Array:
    r"""Cross-correlation of two arrays of the same rank: `convolve` with `g` flipped,

    $$ h_t = \sum_a f_a\, g_{a - t + m - 1}, $$

    with shapes, modes, dtypes and errors of `convolve`.  In `valid` mode with `f` inside `g`
    the lags come in the order of `full`, as in `scipy.signal.correlate`.
    Source: the documents' $Y = W \otimes X = \operatorname{rot180}(W) * X$.

    >>> correlate([1, 2, 3], [0, 1, 1])
    array([1, 3, 5, 3, 0])
    """
    f, g = array("f", f), array("g", g)
    return convolve(f, numpy.flip(g), mode)


def convolve_vjp(
    cotangent: ArrayLike, f: ArrayLike, g: ArrayLike, mode: str = "full"
) -> tuple[Array, Array]:
    r"""Cotangents of `convolve`: each operand's is the correlation with the other operand,

    $$ \bar f_a = \sum_t \bar h_t\, g_{t - a}, \qquad \bar g_b = \sum_t \bar h_t\, f_{t - b}, $$

    over the positions $t$ that the mode keeps.

    >>> convolve_vjp([1, 0, 0, 10], [1, 2], [3, 4, 5])
    (array([ 3, 50]), array([ 1,  0, 20]))
    """
    f, g = array("f", f), array("g", g)
    shape = convolve_shape(f.shape, g.shape, mode)
    kept = [overlap(mode, n, m) for n, m in zip(f.shape, g.shape, strict=True)]
    cotangent = array("cotangent", cotangent)
    check_cotangent(cotangent, shape, f=f, g=g)
    x, y, h = scalars(f), scalars(g), scalars(cotangent)
    d_f = numpy.zeros(f.shape, dtype=object)
    d_g = numpy.zeros(g.shape, dtype=object)
    for position in positions(shape):
        t = [keep[i] for keep, i in zip(kept, position, strict=True)]
        for a in positions(f.shape):
            shifted = tuple(ti - ai for ti, ai in zip(t, a, strict=True))
            if all(0 <= b < m for b, m in zip(shifted, g.shape, strict=True)):
                d_f[a] += h[position] * y[shifted]
                d_g[shifted] += h[position] * x[a]
    return result(d_f, cotangent, g), result(d_g, cotangent, f)


def correlate_vjp(
    cotangent: ArrayLike, f: ArrayLike, g: ArrayLike, mode: str = "full"
) -> tuple[Array, Array]:
    r"""Cotangents of `correlate`: those of `convolve` on the flipped `g`, flipped back,

    $$ \bar f_a = \sum_t \bar h_t\, g_{a - t + m - 1}, \qquad
       \bar g_b = \sum_t \bar h_t\, f_{b + t - m + 1}. $$

    >>> correlate_vjp([1, 0, 0, 10], [1, 2], [3, 4, 5])
    (array([ 5, 30]), array([20,  0,  1]))
    """
    g = array("g", g)
    d_f, d_flipped = convolve_vjp(cotangent, f, numpy.flip(g), mode)
    return d_f, numpy.flip(d_flipped)


def conv_windows(
    input: Shape,
    weight: Shape,
    bias: Shape | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> tuple[Window, ...]:
    """The windows of `conv`, one per spatial axis, after checking every argument.

    >>> conv_windows((1, 2, 5), (4, 1, 3), padding="same_upper", groups=2)
    (Window(kernel=3, stride=1, low=1, high=1, dilation=1, ceil=False),)
    """
    shapes = described(input=input, weight=weight, bias=bias)
    check_layout("input", input, "(N, C, *spatial)", shapes=shapes)
    if len(weight) != len(input) or min(weight) < 1:
        raise ValueError(
            f"weight has shape {weight}: must be (O, C // groups, *kernel) with every size at "
            f"least 1 and as many axes as the input; {shapes}"
        )
    groups = integer("groups", groups, least=1, shapes=shapes)
    channels, outputs = input[1], weight[0]
    if channels % groups or outputs % groups:
        raise ValueError(
            f"groups={groups}: must divide the input's {channels} channels and the weight's "
            f"{outputs} output channels; {shapes}"
        )
    if weight[1] != channels // groups:
        raise ValueError(
            f"weight has shape {weight}: its second size must be C // groups = "
            f"{channels // groups}; {shapes}"
        )
    if bias is not None and bias != (outputs,):
        raise ValueError(f"bias has shape {bias}: must be (O,) = ({outputs},); {shapes}")
    sliding = windows(
        input[2:],
        weight[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
        words=CONV_WORDS,
        shapes=shapes,
    )
    check_fit(input[2:], sliding, shapes=shapes)
    return sliding


def conv_shape(input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any) -> Shape:
    """Output shape of `conv`: `(N, O, *output sizes)`.

    >>> conv_shape((1, 3, 32, 32), (8, 3, 5, 5), stride=2, padding=2)
    (1, 8, 16, 16)
    """
    sliding = conv_windows(input, weight, bias, **attributes)
    return (input[0], weight[0], *output_sizes(input[2:], sliding))


def conv(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    r"""The convolution of deep learning, a cross-correlation over any number of spatial axes,

    $$ y_{n,o,i} = b_o + \sum_{c} \sum_{j} x_{n,\; \gamma C/G + c,\; i s - p + j d}\; w_{o,c,j},
       \qquad \gamma = \lfloor o G / O \rfloor, $$

    over the taps $j$ whose input position exists; $i$, $j$, $s$, $p$, $d$ have one entry per
    axis, $G$ is `groups` and $\gamma$ the group of output channel $o$.

    Shapes: input `(N, C, *spatial)`, weight `(O, C // groups, *kernel)`, bias `(O,)`, output
    `(N, O, *window.output_size)`.  Dtypes: floats keep theirs, integers are exact.
    `padding`: an int, one per axis, one `(low, high)` pair per axis, or `"valid"`,
    `"same_upper"`, `"same_lower"`, `"full"`.
    Raises `ValueError` or `TypeError` naming the argument, among others where the kernel's
    extent exceeds the padded input.
    Source: the documents' $Z^p = \sum_d W^{p,d} \otimes X^d + b^p$.

    >>> conv([[[1, 2, 3, 4]]], [[[1, 0, -1]]], padding=1)
    array([[[-2, -2, -2,  3]]])
    """
    input, weight = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    sliding = conv_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    spatial = input.shape[2:]
    outputs, inputs = weight.shape[:2]
    x, w, b = scalars(input), scalars(weight), None if bias is None else scalars(bias)
    y = numpy.empty((input.shape[0], outputs, *output_sizes(spatial, sliding)), dtype=object)
    for i in positions(y.shape[2:]):
        taps = window_taps(spatial, sliding, i)
        for n, o in positions(y.shape[:2]):
            first = o * groups // outputs * inputs
            terms = (x[(n, first + c, *a)] * w[(o, c, *j)] for c in range(inputs) for j, a in taps)
            y[(n, o, *i)] = sum(terms, start=0 if b is None else b[o])
    return result(y, input, weight, *(() if bias is None else (bias,)))


def conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> tuple[Array, ...]:
    r"""Cotangents of `conv`: every product $x_a w_j$ of an output passes its cotangent $\bar y_i$
    on to both of its factors,

    $$ \bar x_{n,c,a} = \sum_{o} \sum_{(i,j):\, a = i s - p + j d} \bar y_{n,o,i}\, w_{o,c,j},
       \qquad \bar w_{o,c,j} = \sum_{n,i} \bar y_{n,o,i}\, x_{n,c,\, i s - p + j d},
       \qquad \bar b_o = \sum_{n,i} \bar y_{n,o,i}, $$

    with $c$ running through the group of $o$.

    Shapes: `cotangent` has the shape of the output; the results are `(d_input, d_weight)`, or
    `(d_input, d_weight, d_bias)` where a bias is given, each in its operand's shape.

    >>> conv_vjp([[[1, 10]]], [[[1, 2, 3]]], [[[4, 5]]])
    (array([[[ 4, 45, 50]]]), array([[[21, 32]]]))
    """
    cotangent, input, weight = (
        array("cotangent", cotangent),
        array("input", input),
        array("weight", weight),
    )
    bias = optional_array("bias", bias)
    sliding = conv_windows(
        input.shape,
        weight.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    spatial = input.shape[2:]
    outputs, inputs = weight.shape[:2]
    shape = (input.shape[0], outputs, *output_sizes(spatial, sliding))
    check_cotangent(cotangent, shape, input=input, weight=weight, bias=bias)
    x, w, g = scalars(input), scalars(weight), scalars(cotangent)
    d_x = numpy.zeros(input.shape, dtype=object)
    d_w = numpy.zeros(weight.shape, dtype=object)
    d_b = numpy.zeros(outputs, dtype=object)
    for i in positions(shape[2:]):
        taps = window_taps(spatial, sliding, i)
        for n, o in positions(shape[:2]):
            first = o * groups // outputs * inputs
            g_i = g[(n, o, *i)]
            d_b[o] += g_i
            for c in range(inputs):
                for j, a in taps:
                    d_x[(n, first + c, *a)] += g_i * w[(o, c, *j)]
                    d_w[(o, c, *j)] += g_i * x[(n, first + c, *a)]
    operands = (cotangent, input, weight)
    gradients = (result(d_x, *operands), result(d_w, *operands))
    return gradients if bias is None else (*gradients, result(d_b, cotangent, bias))

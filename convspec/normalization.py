r"""Normalization: by given statistics of each channel, or by the energy of neighbouring channels.

$$ \text{batch: } y_c = \gamma_c\, \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} + \beta_c,
   \qquad \text{local response: } y_c = x_c \Bigl(k + \frac{\alpha}{m} \sum_{e} x_e^2
   \Bigr)^{-\beta} $$
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Shape,
    array,
    check_cotangent,
    check_layout,
    check_shape,
    described,
    integer,
    number,
)
from convspec.elementary import power, sqrt, symbolic
from convspec.scalars import result, scalars
from convspec.window import Window, positions, taps


def batch_norm_shape(
    input: Shape, mean: Shape, variance: Shape, scale: Shape, shift: Shape, *, epsilon: Any
) -> Shape:
    """Output shape of `batch_norm`: that of the input.

    >>> batch_norm_shape((8, 3, 5), (3,), (3,), (3,), (3,), epsilon=1e-5)
    (8, 3, 5)
    """
    channel = {"mean": mean, "variance": variance, "scale": scale, "shift": shift}
    shapes = described(input=input, **channel)
    check_layout("input", input, "(N, C, *spatial)", least_rank=2, shapes=shapes)
    for name, shape in channel.items():
        if shape != input[1:2]:
            raise ValueError(f"{name} has shape {shape}: must be (C,) = {input[1:2]}; {shapes}")
    number("epsilon", epsilon, least=0, shapes=shapes)
    return input


def deviations_of(variance: Array, epsilon: Any, *, shapes: str) -> list[Any]:
    r"""$\sqrt{\sigma_c^2 + \epsilon}$ of every channel."""
    sums = [value + epsilon for value in scalars(variance)]
    for c, total in enumerate(sums):
        if not symbolic(total) and total <= 0:
            raise ValueError(
                f"variance holds {variance[c]} at {c}: with epsilon={epsilon!r} it must be larger "
                f"than 0; {shapes}"
            )
    return [sqrt(total) for total in sums]


def batch_norm(
    input: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    *,
    epsilon: float,
) -> Array:
    r"""Each channel centred, scaled to unit variance, then scaled and shifted as learnt,

    $$ y_{n,c,i} = \gamma_c\, \frac{x_{n,c,i} - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} + \beta_c, $$

    with the statistics $\mu$ `mean` and $\sigma^2$ `variance` given, as at inference, and
    $\gamma$ `scale`, $\beta$ `shift`.

    Shapes: input `(N, C, *spatial)`, with no spatial axis needed; the others `(C,)`; output that
    of the input.  Dtypes: floats keep theirs, integers give float64.  Raises `ValueError` or
    `TypeError` naming the argument, among others where variance + epsilon is not positive.
    Source: Ioffe and Szegedy, arXiv:1502.03167, in the networks of the documents.

    >>> batch_norm([[[5.0, 9.0]]], [1.0], [3.0], [10.0], [0.5], epsilon=1.0)
    array([[[20.5, 40.5]]])
    """
    names = ("input", "mean", "variance", "scale", "shift")
    arrays = dict(zip(names, (input, mean, variance, scale, shift), strict=True))
    operands = {name: array(name, value) for name, value in arrays.items()}
    shape = batch_norm_shape(*(operand.shape for operand in operands.values()), epsilon=epsilon)
    deviations = deviations_of(operands["variance"], epsilon, shapes=described(**operands))
    x, centre, _, gamma, beta = map(scalars, operands.values())
    y = numpy.empty(shape, dtype=object)
    for n, c, *i in positions(shape):
        y[(n, c, *i)] = gamma[c] * (x[(n, c, *i)] - centre[c]) / deviations[c] + beta[c]
    return result(y, *operands.values(), real=True)


def batch_norm_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    *,
    epsilon: float,
) -> tuple[Array, ...]:
    r"""Cotangents of `batch_norm`, the statistics being operands like any other: with
    $s_c = \sqrt{\sigma_c^2 + \epsilon}$ and sums over $n$ and $i$,

    $$ \bar x = \frac{\gamma_c}{s_c}\, \bar y, \quad
       \bar \mu_c = -\frac{\gamma_c}{s_c} \sum \bar y, \quad
       \bar{\sigma^2_c} = -\frac{\gamma_c}{2 s_c^3} \sum \bar y\, (x - \mu_c), \quad
       \bar \gamma_c = \frac{1}{s_c} \sum \bar y\, (x - \mu_c), \quad
       \bar \beta_c = \sum \bar y, $$

    as `(d_input, d_mean, d_variance, d_scale, d_shift)`.

    >>> batch_norm_vjp([[[4.0]]], [[[5.0]]], [1.0], [3.0], [10.0], [0.5], epsilon=1.0)
    (array([[[20.]]]), array([-20.]), array([-10.]), array([8.]), array([4.]))
    """
    names = ("cotangent", "input", "mean", "variance", "scale", "shift")
    arrays = dict(zip(names, (cotangent, input, mean, variance, scale, shift), strict=True))
    operands = {name: array(name, value) for name, value in arrays.items()}
    given = operands.pop("cotangent")
    shape = batch_norm_shape(*(operand.shape for operand in operands.values()), epsilon=epsilon)
    shapes = described(**operands)
    check_shape("cotangent", given, shape, "the output shape", shapes=shapes)
    deviations = deviations_of(operands["variance"], epsilon, shapes=shapes)
    g, (x, centre, _, gamma, _) = scalars(given), map(scalars, operands.values())
    d_x = numpy.empty(shape, dtype=object)
    d_mean, d_variance, d_scale, d_shift = (numpy.zeros(shape[1], dtype=object) for _ in range(4))
    for n, c, *i in positions(shape):
        g_i, centred, slope = g[(n, c, *i)], x[(n, c, *i)] - centre[c], gamma[c] / deviations[c]
        d_x[(n, c, *i)] = slope * g_i
        d_mean[c] -= slope * g_i
        d_variance[c] -= slope * g_i * centred / (2 * deviations[c] * deviations[c])
        d_scale[c] += g_i * centred / deviations[c]
        d_shift[c] += g_i
    gradients = (d_x, d_mean, d_variance, d_scale, d_shift)
    return tuple(result(d, given, *operands.values(), real=True) for d in gradients)


def response_window(input: Shape, *, size: Any, alpha: Any, beta: Any, k: Any) -> Window:
    """The window of channels of `local_response_normalization`, after checking every argument.

    >>> response_window((1, 8, 5), size=4, alpha=1e-4, beta=0.75, k=2)
    Window(kernel=4, stride=1, low=1, high=2, dilation=1, ceil=False)
    """
    shapes = described(input=input)
    check_layout("input", input, "(N, C, *spatial)", least_rank=2, shapes=shapes)
    size = integer("size", size, least=1, shapes=shapes)
    number("alpha", alpha, least=0, shapes=shapes)
    number("beta", beta, least=0, shapes=shapes)
    number("k", k, above=0, shapes=shapes)
    return Window(kernel=size, low=(size - 1) // 2, high=size // 2)


def local_response_normalization_shape(input: Shape, **attributes: Any) -> Shape:
    """Output shape of `local_response_normalization`: that of the input.

    >>> local_response_normalization_shape((1, 8, 5), size=5, alpha=1e-4, beta=0.75, k=2)
    (1, 8, 5)
    """
    response_window(input, **attributes)
    return input


def local_response_normalization(
    input: ArrayLike, *, size: int, alpha: float, beta: float, k: float
) -> Array:
    r"""Each element divided by a power of the energy of the channels around it,

    $$ y_{n,c,i} = x_{n,c,i}\, S_{n,c,i}^{-\beta}, \qquad
       S_{n,c,i} = k + \frac{\alpha}{m} \sum_{e} x_{n,e,i}^2, \qquad
       c - \lfloor (m - 1) / 2 \rfloor \le e \le c + \lfloor m / 2 \rfloor, $$

    over the channels $e$ that exist, with $m$ `size`, which also divides where fewer exist.  An
    even window reaches one channel further up than down, as in ONNX.

    Shapes: input `(N, C, *spatial)`, with no spatial axis needed; output alike.  `size`: an int of
    at least 1; `alpha` and `beta` at least 0, `k` larger than 0.  Dtypes: floats keep theirs,
    integers give float64.  Raises `ValueError` or `TypeError` naming the argument.
    Source: AlexNet, which the documents name; there $\alpha$ is not divided by $m$.

    >>> local_response_normalization([[[1.0], [2.0]]], size=1, alpha=1.0, beta=1, k=1)
    array([[[0.5],
            [0.4]]])
    """
    input = array("input", input)
    window = response_window(input.shape, size=size, alpha=alpha, beta=beta, k=k)
    x = scalars(input)
    energies = _energies(x, window, alpha, k)
    y = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        y[i] = x[i] * power(energies[i], -beta)
    return result(y, input, real=True)


def _energies(x: Array, window: Window, alpha: Any, k: Any) -> Array:
    """$S$ of every element."""
    energies = numpy.empty(x.shape, dtype=object)
    for n, c, *i in positions(x.shape):
        squares = (x[(n, e, *i)] * x[(n, e, *i)] for _, e in taps(x.shape[1], window, c))
        energies[(n, c, *i)] = k + alpha * sum(squares) / window.kernel
    return energies


def local_response_normalization_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, size: int, alpha: float, beta: float, k: float
) -> tuple[Array]:
    r"""Cotangent of `local_response_normalization`,

    $$ \bar x_e = \bar y_e\, S_e^{-\beta} - \frac{2 \alpha \beta}{m}\, x_e
       \sum_{c:\, e \text{ in the window of } c} \bar y_c\, x_c\, S_c^{-\beta - 1}, $$

    at every item and position.

    >>> local_response_normalization_vjp(
    ...     [[[4.0]]], [[[1.0]]], size=1, alpha=1.0, beta=1, k=1
    ... )
    (array([[[0.]]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    window = response_window(input.shape, size=size, alpha=alpha, beta=beta, k=k)
    check_cotangent(cotangent, input.shape, input=input)
    x, g = scalars(input), scalars(cotangent)
    energies = _energies(x, window, alpha, k)
    d_x = numpy.zeros(input.shape, dtype=object)
    for n, c, *i in positions(input.shape):
        at = (n, c, *i)
        d_x[at] += g[at] * power(energies[at], -beta)
        falling = 2 * alpha * beta * g[at] * x[at] * power(energies[at], -beta - 1) / window.kernel
        for _, e in taps(input.shape[1], window, c):
            d_x[(n, e, *i)] -= falling * x[(n, e, *i)]
    return (result(d_x, cotangent, input, real=True),)

r"""Activations, element by element or over one axis, and dropout.

$$ \text{relu: } \max(0, x), \qquad \text{sigmoid: } \frac{1}{1 + e^{-x}}, \qquad
   \tanh x, \qquad \text{softmax: } \frac{e^{x_i}}{\sum_j e^{x_j}} $$
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Shape,
    array,
    check_cotangent,
    check_shape,
    described,
    integer,
    number,
)
from convspec.elementary import chosen, exp, maximum, symbolic
from convspec.elementary import tanh as hyperbolic_tangent
from convspec.scalars import result, scalars
from convspec.window import positions


def elementwise_shape(input: Shape) -> Shape:
    """Output shape of `relu`, `sigmoid` and `tanh`: that of the input, whatever it is.

    >>> elementwise_shape((2, 3))
    (2, 3)
    """
    return input


def relu(input: ArrayLike) -> Array:
    r"""The positive part,

    $$ y = \max(0, x). $$

    Shapes: any, kept.  Dtypes: floats keep theirs, integers are exact; NaN stays NaN.  Raises
    `TypeError` for an input that holds no numbers.
    Source: the documents' $f(z) = \max(0, z)$.

    >>> relu([-2, 0, 3])
    array([0, 0, 3])
    """
    input = array("input", input)
    x = scalars(input)
    y = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        y[i] = maximum([0, x[i]])
    return result(y, input)


def relu_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    r"""Cotangent of `relu`, which passes where the input is positive,

    $$ \bar x = \begin{cases} \bar y & x > 0 \\ 0 & \text{otherwise,} \end{cases} $$

    0 being one of the subgradients at 0.

    >>> relu_vjp([5, 6, 7], [-2, 0, 3])
    (array([0, 0, 7]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    check_cotangent(cotangent, input.shape, input=input)
    x, g = scalars(input), scalars(cotangent)
    d_x = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        d_x[i] = chosen(x[i] > 0, g[i], 0)
    return (result(d_x, cotangent, input),)


def logistic(x: Any) -> Any:
    """$1 / (1 + e^{-x})$; for a negative number as $e^x / (1 + e^x)$, whose exponential cannot
    overflow, so that tiny results are not lost.

    >>> logistic(0), logistic(-1000.0), logistic(-720.0) > 0
    (0.5, 0.0, True)
    """
    if symbolic(x) or not x < 0:
        return 1 / (1 + exp(-x))
    return exp(x) / (1 + exp(x))


def sigmoid(input: ArrayLike) -> Array:
    r"""The logistic function,

    $$ y = \frac{1}{1 + e^{-x}}. $$

    Shapes: any, kept.  Dtypes: floats keep theirs, integers and Fractions give floats.  Raises
    `TypeError` for an input that holds no numbers.
    Source: the documents' sigmoid activation and its derivative.

    >>> sigmoid([0.0, -1000.0])
    array([0.5, 0. ])
    """
    input = array("input", input)
    x = scalars(input)
    y = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        y[i] = logistic(x[i])
    return result(y, input, real=True)


def sigmoid_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    r"""Cotangent of `sigmoid`: with $\sigma(-x)$ for $1 - \sigma(x)$, which cancels nothing,

    $$ \bar x = \bar y\, \sigma(x)\, \sigma(-x). $$

    >>> sigmoid_vjp([8.0], [0.0])
    (array([2.]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    check_cotangent(cotangent, input.shape, input=input)
    x, g = scalars(input), scalars(cotangent)
    d_x = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        d_x[i] = g[i] * logistic(x[i]) * logistic(-x[i])
    return (result(d_x, cotangent, input, real=True),)


def tanh(input: ArrayLike) -> Array:
    r"""The hyperbolic tangent,

    $$ y = \tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}} = 2 \sigma(2 x) - 1. $$

    Shapes: any, kept.  Dtypes: floats keep theirs, integers and Fractions give floats.  Raises
    `TypeError` for an input that holds no numbers.
    Source: the activations of LeNet-5, which the documents list.

    >>> tanh([0.0, 1000.0])
    array([0., 1.])
    """
    input = array("input", input)
    x = scalars(input)
    y = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        y[i] = hyperbolic_tangent(x[i])
    return result(y, input, real=True)


def tanh_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    r"""Cotangent of `tanh`: $1 - \tanh^2 x = 4\, \sigma(2x)\, \sigma(-2x)$, which cancels nothing,

    $$ \bar x = 4\, \bar y\, \sigma(2 x)\, \sigma(-2 x). $$

    >>> tanh_vjp([3.0], [0.0])
    (array([3.]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    check_cotangent(cotangent, input.shape, input=input)
    x, g = scalars(input), scalars(cotangent)
    d_x = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        d_x[i] = 4 * g[i] * logistic(2 * x[i]) * logistic(-2 * x[i])
    return (result(d_x, cotangent, input, real=True),)


def softmax_axis(input: Shape, axis: Any) -> int:
    """The axis of `softmax`, counted from the front, after checking every argument.

    >>> softmax_axis((2, 3, 4), -1)
    2
    """
    shapes = described(input=input)
    chosen_axis = integer("axis", axis, least=-len(input), shapes=shapes)
    if chosen_axis >= len(input):
        raise ValueError(f"axis={axis}: must be less than the {len(input)} axes; {shapes}")
    if input[chosen_axis] < 1:
        raise ValueError(f"axis={axis}: its size must be at least 1; {shapes}")
    return chosen_axis % len(input)


def softmax_shape(input: Shape, *, axis: int = 1) -> Shape:
    """Output shape of `softmax`: that of the input.

    >>> softmax_shape((2, 3), axis=1)
    (2, 3)
    """
    softmax_axis(input, axis)
    return input


def shifted(values: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The largest number, and $e^{x - m}$ of every one, none of which can overflow.

    A common factor leaves quotients of exponentials as they are; of symbols none is the largest,
    and nothing overflows: the shift is 0.

    >>> shifted([1000.0, 1000.0])
    (1000.0, [1.0, 1.0])
    """
    shift = 0 if any(map(symbolic, values)) else maximum(values)
    return shift, [exp(value - shift) for value in values]


def softmax(input: ArrayLike, *, axis: int = 1) -> Array:
    r"""Exponentials in proportion, over one axis,

    $$ y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}, $$

    computed as $e^{x_i - m} / \sum_j e^{x_j - m}$ with $m$ the largest number, so that no
    exponential overflows; on symbols as it stands.

    Shapes: any with this axis, kept; a negative axis counts from the end.  Dtypes: floats keep
    theirs, integers and Fractions give floats.  Raises `ValueError` or `TypeError` naming the
    argument.
    Source: the documents' last layer of a classifier.

    >>> softmax([[1000.0, 1000.0]])
    array([[0.5, 0.5]])
    """
    input = array("input", input)
    axis = softmax_axis(input.shape, axis)
    x = numpy.moveaxis(scalars(input), axis, -1)
    y = numpy.empty(x.shape, dtype=object)
    for i in positions(x.shape[:-1]):
        _, exponentials = shifted(x[i])
        total = sum(exponentials)
        for j, exponential in enumerate(exponentials):
            y[(*i, j)] = exponential / total
    return result(numpy.moveaxis(y, -1, axis), input, real=True)


def softmax_vjp(cotangent: ArrayLike, input: ArrayLike, *, axis: int = 1) -> tuple[Array]:
    r"""Cotangent of `softmax`,

    $$ \bar x_i = y_i \Bigl(\bar y_i - \sum_j \bar y_j\, y_j\Bigr). $$

    >>> softmax_vjp([[4.0, 0.0]], [[0.0, 0.0]])
    (array([[ 1., -1.]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    axis = softmax_axis(input.shape, axis)
    check_cotangent(cotangent, input.shape, input=input)
    g, y = (
        numpy.moveaxis(values, axis, -1)
        for values in (scalars(cotangent), softmax(scalars(input), axis=axis))
    )
    d_x = numpy.empty(y.shape, dtype=object)
    for i in positions(y.shape[:-1]):
        mean = sum(a * b for a, b in zip(g[i], y[i], strict=True))
        for j in range(y.shape[-1]):
            d_x[(*i, j)] = y[(*i, j)] * (g[(*i, j)] - mean)
    return (result(numpy.moveaxis(d_x, -1, axis), cotangent, input, real=True),)


def dropout_shape(input: Shape, mask: Shape, *, rate: Any) -> Shape:
    """Output shape of `dropout`: that of the input.

    >>> dropout_shape((2, 3), (2, 3), rate=0.5)
    (2, 3)
    """
    shapes = described(input=input, mask=mask)
    if mask != input:
        raise ValueError(f"mask has shape {mask}: must be that of the input; {shapes}")
    number("rate", rate, least=0, shapes=shapes)
    if rate >= 1:
        raise ValueError(f"rate={rate!r}: must be less than 1; {shapes}")
    return input


def checked_mask(mask: Array, *, shapes: str) -> Array:
    """The mask's elements as scalars; `ValueError` where one is neither 0 nor 1."""
    for i in positions(mask.shape):
        if mask[i] not in (0, 1):
            raise ValueError(f"mask holds {mask[i]} at {i}: must hold 0 and 1 only; {shapes}")
    return scalars(mask)


def dropout(input: ArrayLike, mask: ArrayLike, *, rate: float) -> Array:
    r"""The elements that survive, scaled to make up for those that do not,

    $$ y = \frac{m\, x}{1 - r}, \qquad m \in \{0, 1\}, $$

    whose expectation is $x$ where each element survives with probability $1 - r$.  The mask is
    an operand: nothing here is random.  A dropped infinity is NaN, as the formula has it.

    Shapes: any; input, mask and output alike.  `rate`: a number of at least 0 and less than 1.
    Dtypes: floats keep theirs, integers give float64.  Raises `ValueError` or `TypeError` naming
    the argument, among others for a mask that holds anything but 0 and 1.
    Source: the documents' dropout of the fully connected layers, at rate 0.5.

    >>> dropout([1.0, 2.0, 3.0], [1, 0, 1], rate=0.5)
    array([2., 0., 6.])
    """
    input, mask = array("input", input), array("mask", mask)
    dropout_shape(input.shape, mask.shape, rate=rate)
    x, m = scalars(input), checked_mask(mask, shapes=described(input=input, mask=mask))
    y = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        y[i] = m[i] * x[i] / (1 - rate)
    return result(y, input, real=True)


def dropout_vjp(
    cotangent: ArrayLike, input: ArrayLike, mask: ArrayLike, *, rate: float
) -> tuple[Array]:
    r"""Cotangent of the input of `dropout`; the mask has none,

    $$ \bar x = \frac{m\, \bar y}{1 - r}. $$

    >>> dropout_vjp([1.0, 1.0], [5.0, 6.0], [1, 0], rate=0.75)
    (array([4., 0.]),)
    """
    cotangent, input, mask = (
        array("cotangent", cotangent),
        array("input", input),
        array("mask", mask),
    )
    dropout_shape(input.shape, mask.shape, rate=rate)
    shapes = described(input=input, mask=mask)
    check_shape("cotangent", cotangent, input.shape, "the output shape", shapes=shapes)
    g, m = scalars(cotangent), checked_mask(mask, shapes=shapes)
    d_x = numpy.empty(input.shape, dtype=object)
    for i in positions(input.shape):
        d_x[i] = m[i] * g[i] / (1 - rate)
    return (result(d_x, cotangent, input, real=True),)

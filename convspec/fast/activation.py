"""The twins of `convspec.activation`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec import activation
from convspec.activation import checked_mask, dropout_shape, softmax_axis
from convspec.arguments import Array, array, check_cotangent, check_shape, described
from convspec.fast.arithmetic import OBJECT
from convspec.fast.blocks import blocks, contiguous, pieces, slices, whole
from convspec.fast.floating import block_size, double, elementwise, floats
from convspec.fast.moves import moved_dtype
from convspec.fast.pooling import settled


def relu(input: ArrayLike) -> Array:
    """`convspec.relu`: the larger of an element and 0.

    >>> relu([-2, 0, 3])
    array([0, 0, 3])
    """
    input = array("input", input)
    if input.dtype == OBJECT:
        return activation.relu(input)
    y = numpy.empty(input.shape, dtype=moved_dtype(input))
    return settled(numpy.maximum(input, numpy.zeros((), dtype=input.dtype), out=y))


def relu_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    """`convspec.relu_vjp`: the cotangent where the input is positive.

    >>> relu_vjp([5, 6, 7], [-2, 0, 3])
    (array([0, 0, 7]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    check_cotangent(g, x.shape, input=x)
    if OBJECT in (g.dtype, x.dtype):
        return activation.relu_vjp(g, x)
    d_x = numpy.zeros(x.shape, dtype=moved_dtype(g, x))
    for box in blocks(whole(x.shape), block_size(d_x.dtype)):
        index = slices(box)
        numpy.copyto(d_x[(..., *index)], g[index], where=x[index] > 0)
    return (settled(d_x),)


def _logistic(x: Array) -> Array:
    """Exponentials of what is not positive alone, which cannot overflow."""
    tail = numpy.exp(-abs(x))
    values: Array = numpy.where(x < 0, tail, 1.0) / (1.0 + tail)
    return values


def sigmoid(input: ArrayLike) -> Array:
    """`convspec.sigmoid`.

    >>> sigmoid([0.0, -1000.0])
    array([0.5, 0. ])
    """
    x = array("input", input)
    return elementwise(_logistic, double(x), x) if floats(x) else activation.sigmoid(x)


def sigmoid_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    """`convspec.sigmoid_vjp`.

    >>> sigmoid_vjp([8.0], [0.0])
    (array([2.]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    check_cotangent(g, x.shape, input=x)
    if not floats(g, x):
        return activation.sigmoid_vjp(g, x)
    return (elementwise(lambda g, x: g * _logistic(x) * _logistic(-x), double(g, x), g, x),)


def tanh(input: ArrayLike) -> Array:
    """`convspec.tanh`.

    >>> tanh([0.0, 1000.0])
    array([0., 1.])
    """
    x = array("input", input)
    return elementwise(numpy.tanh, double(x), x) if floats(x) else activation.tanh(x)


def tanh_vjp(cotangent: ArrayLike, input: ArrayLike) -> tuple[Array]:
    """`convspec.tanh_vjp`.

    >>> tanh_vjp([3.0], [0.0])
    (array([3.]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    check_cotangent(g, x.shape, input=x)
    if not floats(g, x):
        return activation.tanh_vjp(g, x)
    return (
        elementwise(lambda g, x: 4 * g * _logistic(2 * x) * _logistic(-2 * x), double(g, x), g, x),
    )


def exponential_sums(x: Array, compute: Any) -> tuple[Array, Array]:
    r"""The largest number $m$ of each row `x (*rows, K)`, and $\sum_j e^{x_j - m}$; both keep an
    axis of size 1.

    >>> exponential_sums(numpy.array([[1000.0, 1000.0]]), "float64")
    (array([[1000.]]), array([[2.]]))
    """
    largest = x.max(axis=-1, keepdims=True).astype(compute)
    total = numpy.zeros_like(largest)
    for run in pieces(range(x.shape[-1]), block_size(largest.dtype) // max(largest.size, 1)):
        part = contiguous(x[..., run.start : run.stop], largest.dtype)
        total += numpy.exp(part - largest).sum(axis=-1, keepdims=True)
    return largest, total


def softmax(input: ArrayLike, *, axis: int = 1) -> Array:
    """`convspec.softmax`, row by row.

    >>> softmax([[1000.0, 1000.0]])
    array([[0.5, 0.5]])
    """
    input = array("input", input)
    axis = softmax_axis(input.shape, axis)
    if not floats(input):
        return activation.softmax(input, axis=axis)
    how = double(input)
    result = numpy.empty(input.shape, dtype=how.output)
    x, y = numpy.moveaxis(input, axis, -1), numpy.moveaxis(result, axis, -1)
    most = block_size(how.compute)
    with numpy.errstate(all="ignore"):
        for rows in blocks(whole(x.shape[:-1]), max(1, most // x.shape[-1])):
            largest, total = exponential_sums(x[slices(rows)], how.compute)
            for run in pieces(range(x.shape[-1]), most // largest.size):
                index = (*slices(rows), slice(run.start, run.stop))
                y[index] = numpy.exp(x[index] - largest) / total
    return result


def softmax_vjp(cotangent: ArrayLike, input: ArrayLike, *, axis: int = 1) -> tuple[Array]:
    """`convspec.softmax_vjp`, row by row.

    >>> softmax_vjp([[4.0, 0.0]], [[0.0, 0.0]])
    (array([[ 1., -1.]]),)
    """
    cotangent, input = array("cotangent", cotangent), array("input", input)
    axis = softmax_axis(input.shape, axis)
    check_cotangent(cotangent, input.shape, input=input)
    if not floats(cotangent, input):
        return activation.softmax_vjp(cotangent, input, axis=axis)
    how = double(cotangent, input)
    result = numpy.empty(input.shape, dtype=how.output)
    g, x, d_x = (numpy.moveaxis(values, axis, -1) for values in (cotangent, input, result))
    most = block_size(how.compute)
    with numpy.errstate(all="ignore"):
        for rows in blocks(whole(x.shape[:-1]), max(1, most // x.shape[-1])):
            largest, total = exponential_sums(x[slices(rows)], how.compute)
            mean = numpy.zeros_like(total)
            for run in pieces(range(x.shape[-1]), most // largest.size):
                index = (*slices(rows), slice(run.start, run.stop))
                y = numpy.exp(contiguous(x[index], how.compute) - largest) / total
                mean += (contiguous(g[index], how.compute) * y).sum(axis=-1, keepdims=True)
            for run in pieces(range(x.shape[-1]), most // largest.size):
                index = (*slices(rows), slice(run.start, run.stop))
                y = numpy.exp(x[index] - largest) / total
                d_x[index] = y * (g[index] - mean)
    return (result,)


def _check_mask(mask: Array, shapes: str) -> None:
    """Refuse what the definition refuses, which names the place."""
    for box in blocks(whole(mask.shape), block_size(mask.dtype)):
        part = mask[slices(box)]
        if not ((part == 0) | (part == 1)).all():
            checked_mask(mask, shapes=shapes)


def dropout(input: ArrayLike, mask: ArrayLike, *, rate: float) -> Array:
    """`convspec.dropout`.

    >>> dropout([1.0, 2.0, 3.0], [1, 0, 1], rate=0.5)
    array([2., 0., 6.])
    """
    input, mask = array("input", input), array("mask", mask)
    dropout_shape(input.shape, mask.shape, rate=rate)
    if not floats(input) or mask.dtype == OBJECT:
        return activation.dropout(input, mask, rate=rate)
    _check_mask(mask, described(input=input, mask=mask))
    kept = float(1 - rate)
    return elementwise(lambda m, x: m * x / kept, double(input), mask, input)


def dropout_vjp(
    cotangent: ArrayLike, input: ArrayLike, mask: ArrayLike, *, rate: float
) -> tuple[Array]:
    """`convspec.dropout_vjp`.

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
    if not floats(cotangent, input) or mask.dtype == OBJECT:
        return activation.dropout_vjp(cotangent, input, mask, rate=rate)
    _check_mask(mask, shapes)
    kept = float(1 - rate)
    how = double(cotangent, input)
    return (elementwise(lambda m, g: m * g / kept, how, mask, cotangent),)

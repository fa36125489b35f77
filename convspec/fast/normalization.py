"""The twins of `convspec.normalization`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.typing import ArrayLike

from convspec import normalization
from convspec.arguments import Array, array, check_cotangent, check_shape, described
from convspec.fast.arithmetic import Arithmetic
from convspec.fast.blocks import Box, blocks, contiguous, slices, whole
from convspec.fast.floating import block_size, double, floats
from convspec.normalization import batch_norm_shape, deviations_of, response_window
from convspec.window import Window, readers, slice_within, tap_run


def batch_norm(
    input: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    *,
    epsilon: float,
) -> Array:
    """`convspec.batch_norm`.

    >>> batch_norm([[[5.0, 9.0]]], [1.0], [3.0], [10.0], [0.5], epsilon=1.0)
    array([[[20.5, 40.5]]])
    """
    names = ("input", "mean", "variance", "scale", "shift")
    given = dict(zip(names, (input, mean, variance, scale, shift), strict=True))
    operands = {name: array(name, value) for name, value in given.items()}
    shape = batch_norm_shape(*(operand.shape for operand in operands.values()), epsilon=epsilon)
    if not floats(*operands.values()):
        return normalization.batch_norm(**operands, epsilon=epsilon)
    how = double(*operands.values())
    spread = deviations_of(operands["variance"], epsilon, shapes=described(**operands))
    x, centre, _, gamma, beta = operands.values()
    y = numpy.empty(shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(shape), block_size(how.compute)):
            c, s, a, b = _channels((centre, numpy.array(spread), gamma, beta), box, how)
            y[slices(box)] = a * (x[slices(box)].astype(how.compute) - c) / s + b
    return y


def _channels(vectors: tuple[Array, ...], box: Box, how: Arithmetic) -> Iterator[Array]:
    """What a block takes from vectors `(C,)`, against its channel axis."""
    for vector in vectors:
        part = vector[box[1].start : box[1].stop].astype(how.compute)
        yield part.reshape(-1, *(1,) * (len(box) - 2))


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
    """`convspec.batch_norm_vjp`.

    >>> batch_norm_vjp([[[4.0]]], [[[5.0]]], [1.0], [3.0], [10.0], [0.5], epsilon=1.0)
    (array([[[20.]]]), array([-20.]), array([-10.]), array([8.]), array([4.]))
    """
    names = ("cotangent", "input", "mean", "variance", "scale", "shift")
    given = dict(zip(names, (cotangent, input, mean, variance, scale, shift), strict=True))
    operands = {name: array(name, value) for name, value in given.items()}
    g = operands.pop("cotangent")
    shape = batch_norm_shape(*(operand.shape for operand in operands.values()), epsilon=epsilon)
    shapes = described(**operands)
    check_shape("cotangent", g, shape, "the output shape", shapes=shapes)
    if not floats(g, *operands.values()):
        return normalization.batch_norm_vjp(g, **operands, epsilon=epsilon)
    how = double(g, *operands.values())
    spread = numpy.array(deviations_of(operands["variance"], epsilon, shapes=shapes))
    x, centre, _, gamma, _ = operands.values()
    d_x = numpy.empty(shape, dtype=how.output)
    sums = numpy.zeros((4, shape[1]), dtype=how.compute)
    axes = (0, *range(2, len(shape)))
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(shape), block_size(how.compute)):
            c, s, a = _channels((centre, spread, gamma), box, how)
            g_box = contiguous(g[slices(box)], how.compute)
            centred, passed = contiguous(x[slices(box)], how.compute) - c, a / s * g_box
            d_x[slices(box)] = passed
            place = sums[:, box[1].start : box[1].stop]
            place[0] -= passed.sum(axis=axes)
            place[1] -= (passed * centred / (2 * s * s)).sum(axis=axes)
            place[2] += (g_box * centred / s).sum(axis=axes)
            place[3] += g_box.sum(axis=axes)
        return (d_x, *(total.astype(how.output) for total in sums))


def local_response_normalization(
    input: ArrayLike, *, size: int, alpha: float, beta: float, k: float
) -> Array:
    """`convspec.local_response_normalization`.

    >>> local_response_normalization([[[1.0], [2.0]]], size=1, alpha=1.0, beta=1, k=1)
    array([[[0.5],
            [0.4]]])
    """
    x = array("input", input)
    window = response_window(x.shape, size=size, alpha=alpha, beta=beta, k=k)
    if not floats(x):
        return normalization.local_response_normalization(x, size=size, alpha=alpha, beta=beta, k=k)
    how = double(x)
    y = numpy.empty(x.shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(x.shape), block_size(how.compute)):
            energies = _energies(x, window, box, float(alpha), float(k), how)
            read = x[slices(box)].astype(how.compute)
            y[slices(box)] = read * numpy.power(energies, -float(beta))
    return y


def _energies(x: Array, window: Window, box: Box, alpha: float, k: float, how: Arithmetic) -> Array:
    """$S$ of a block of elements, by a window that slides over the channels."""
    total = numpy.zeros([len(run) for run in box], dtype=how.compute)
    for j in range(window.kernel):
        writing, reading = tap_run(window, j, range(x.shape[1]), box[1])
        read = x[slices((box[0], reading, *box[2:]))].astype(how.compute)
        total[:, slice_within(writing, box[1])] += read * read
    return k + alpha * total / window.kernel


def local_response_normalization_vjp(
    cotangent: ArrayLike, input: ArrayLike, *, size: int, alpha: float, beta: float, k: float
) -> tuple[Array]:
    """`convspec.local_response_normalization_vjp`.

    >>> local_response_normalization_vjp(
    ...     [[[4.0]]], [[[1.0]]], size=1, alpha=1.0, beta=1, k=1
    ... )
    (array([[[0.]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    window = response_window(x.shape, size=size, alpha=alpha, beta=beta, k=k)
    check_cotangent(g, x.shape, input=x)
    if not floats(g, x):
        return normalization.local_response_normalization_vjp(
            g, x, size=size, alpha=alpha, beta=beta, k=k
        )
    how = double(g, x)
    d_x = numpy.empty(x.shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(x.shape), max(1, block_size(how.compute) // 4)):
            d_x[slices(box)] = _back_to_block(
                g, x, window, box, float(alpha), float(beta), float(k), how
            )
    return (d_x,)


def _back_to_block(
    g: Array,
    x: Array,
    window: Window,
    box: Box,
    alpha: float,
    beta: float,
    k: float,
    how: Arithmetic,
) -> Array:
    """The cotangent of a block of elements, from the channels whose windows hold them."""
    touched = readers(window, box[1], range(x.shape[1]))
    wide = (box[0], touched, *box[2:])
    energies = _energies(x, window, wide, alpha, k, how)
    read, given = (values[slices(wide)].astype(how.compute) for values in (x, g))
    own = slice_within(box[1], touched)
    total = (given * numpy.power(energies, -beta))[:, own]
    falling = 2 * alpha * beta * given * read * numpy.power(energies, -beta - 1) / window.kernel
    for j in reversed(range(window.kernel)):
        writing, reading = tap_run(window, j, box[1], touched)
        place = slice_within(reading, box[1])
        total[:, place] -= falling[:, slice_within(writing, touched)] * read[:, own][:, place]
    return total

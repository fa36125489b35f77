r"""The twins of `convspec.local_connection`: a matrix product for each output position.

$$ y_{i} = W_i\, x_i, \qquad \bar x_i = W_i^\mathsf{T}\, \bar y_i, \qquad
   \bar W_i = \bar y_i\, x_i^\mathsf{T} $$

with the batch along the columns of $x_i$, the window at $i$, and of $y_i$.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    array,
    check_cotangent,
    optional_array,
    optional_shape,
)
from convspec.fast.arithmetic import Arithmetic, arithmetic, jointly, narrowed
from convspec.fast.blocks import Box, blocks, buffer_size, pieces, size, slices, whole
from convspec.fast.floating import block_size
from convspec.fast.gathering import complete, gather, scatter
from convspec.local_connection import locally_connected_windows
from convspec.window import Window, output_sizes, readers

Dtype = numpy.dtype[Any]


def locally_connected(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> Array:
    r"""`convspec.locally_connected` as $y_i = W_i x_i$.

    >>> locally_connected([[[1, 2, 3]]], [[[[1, 1], [10, 1]]]], [[0, 100]])
    array([[[  3, 123]]])
    """
    x, w = array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    sliding = locally_connected_windows(
        x.shape,
        w.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    sizes = output_sizes(x.shape[2:], sliding)
    how = arithmetic((x, w), w[0].size // prod(sizes), addend=bias)
    y = numpy.empty((len(x), len(w), *sizes), dtype=how.output)
    most = _limits(w, x, how.compute)
    with numpy.errstate(all="ignore"):
        for rows, batch, box in _parts(len(w), len(x), whole(sizes), most):
            total: Any = 0
            for channels in pieces(range(x.shape[1]), most.channels):
                matrices = _matrices(w, rows, channels, box, x, sliding, how.compute)
                total = total + numpy.matmul(
                    matrices, _windows(x, batch, channels, box, w, sliding, how.compute)
                )
            if bias is not None:
                total += _positions_first(bias[slices((rows, *box))][None], how.compute)
            place = y[slices((batch, rows, *box))]
            place[...] = _positions_last(total, box)
    return narrowed(y, x, w, *(() if bias is None else (bias,)))


def locally_connected_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> tuple[Array, ...]:
    r"""`convspec.locally_connected_vjp` as $\bar x_i = W_i^\mathsf{T} \bar y_i$ and
    $\bar W_i = \bar y_i x_i^\mathsf{T}$.

    >>> locally_connected_vjp([[[1, 10]]], [[[1, 2, 3]]], [[[[4, 5], [6, 7]]]])
    (array([[[ 4, 65, 70]]]), array([[[[ 1,  2],
             [20, 30]]]]))
    """
    g, x, w = array("cotangent", cotangent), array("input", input), array("weight", weight)
    bias = optional_array("bias", bias)
    sliding = locally_connected_windows(
        x.shape,
        w.shape,
        optional_shape(bias),
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    shape = (len(x), len(w), *output_sizes(x.shape[2:], sliding))
    check_cotangent(g, shape, input=x, weight=w, bias=bias)
    how = jointly(
        arithmetic((g, w), w[:, 0].size, others=(x,)), arithmetic((g, x), len(x), others=(w,))
    )
    with numpy.errstate(all="ignore"):
        d_x = _back_to_input(g, x, w, sliding, how)
        d_w = _back_to_weight(g, x, w, sliding, how)
    gradients = (narrowed(d_x, g, x, w), narrowed(d_w, g, x, w))
    return gradients if bias is None else (*gradients, _batch_sums(g, bias))


class _Limits(NamedTuple):
    """How many of each a part of the work takes at most, so that no array exceeds a buffer."""

    positions: int
    rows: int
    batch: int
    channels: int


def _limits(w: Array, x: Array, compute: Dtype) -> _Limits:
    buffer, taps = buffer_size(compute), prod(w.shape[x.ndim :])
    channels = min(x.shape[1], max(1, buffer // taps))
    terms = channels * taps
    rows = min(len(w), max(1, buffer // terms))
    batch = min(max(len(x), 1), max(1, buffer // max(terms, rows)))
    return _Limits(max(1, block_size(compute) // (terms * max(rows, batch))), rows, batch, channels)


def _parts(
    outputs: int, items: int, positions: Box, most: _Limits
) -> Iterator[tuple[range, range, Box]]:
    """Rows of the weight, items of the batch and positions, in parts."""
    for rows in pieces(range(outputs), most.rows):
        for batch in pieces(range(items), most.batch):
            for box in blocks(positions, most.positions):
                yield rows, batch, box


def _inside(x: Array, sliding: Sequence[Window], taps: Box, box: Box) -> Array | None:
    """Which taps find an element of the input, `(positions, 1, 1, *taps)`; None where all do."""
    spatial = x.shape[2:]
    if complete(sliding, taps, whole(spatial), box):
        return None
    everywhere = numpy.broadcast_to(numpy.True_, (1, 1, 1, *spatial))
    found = gather(everywhere, everywhere.dtype, sliding, taps, box)[0]
    inside: Array = found.T.reshape(-1, 1, 1, *map(len, taps))
    return inside


def _matrices(
    w: Array,
    rows: range,
    channels: range,
    box: Box,
    x: Array,
    sliding: Sequence[Window],
    compute: Dtype,
) -> Array:
    """$W_i$ for some positions, `(positions, rows, channels * taps)`.

    0 where a tap falls on padding, so that what is infinite there meets nothing.
    """
    chosen = w[slices((rows, channels, *box))]
    rank = len(box)
    moved = numpy.moveaxis(chosen, (0, 1), (rank, rank + 1)).astype(compute)
    matrices = moved.reshape(size(box), len(rows), len(channels), *w.shape[2 + rank :])
    inside = _inside(x, sliding, whole(w.shape[2 + rank :]), box)
    if inside is not None:
        matrices = numpy.where(inside, matrices, numpy.zeros((), dtype=compute))
    return matrices.reshape(size(box), len(rows), -1)


def _windows(
    x: Array,
    batch: range,
    channels: range,
    box: Box,
    w: Array,
    sliding: Sequence[Window],
    compute: Dtype,
) -> Array:
    """$x_i$ for some positions, `(positions, channels * taps, batch)`."""
    part = x[slices((batch, channels))][:, None]
    columns = gather(part, compute, sliding, whole(w.shape[x.ndim :]), box)[0]
    apart = columns.reshape(len(columns), len(batch), size(box))
    return numpy.ascontiguousarray(numpy.moveaxis(apart, 2, 0))


def _positions_first(y: Array, compute: Dtype) -> Array:
    """`y (n, o, *positions)` as `(positions, o, n)`."""
    flat = y.reshape(*y.shape[:2], -1)
    return numpy.ascontiguousarray(flat.transpose(2, 1, 0), dtype=compute)


def _positions_last(y: Array, box: Box) -> Array:
    """`y (positions, o, n)` as `(n, o, *positions)`."""
    return y.transpose(2, 1, 0).reshape(y.shape[2], y.shape[1], *map(len, box))


def _back_to_input(
    g: Array, x: Array, w: Array, sliding: Sequence[Window], how: Arithmetic
) -> Array:
    d_x = numpy.zeros(x.shape, dtype=how.output)
    most = _limits(w, x, how.compute)
    # Where storing rounds, the sum of a block of inputs is finished before it is stored.
    largest = buffer_size(how.compute) if how.rounds else max(d_x.size, 1)
    for items, wanted, *inputs in blocks(whole(x.shape), largest):
        place = d_x[slices((items, wanted, *inputs))]
        total = numpy.zeros(place.shape, dtype=how.compute) if how.rounds else place
        touched = tuple(
            readers(window, run, range(n))
            for window, run, n in zip(sliding, inputs, g.shape[2:], strict=True)
        )
        for rows, part, box in _parts(len(w), len(items), touched, most):
            batch = items[part.start : part.stop]
            given = _positions_first(g[slices((batch, rows, *box))], how.compute)
            for run in pieces(range(len(wanted)), most.channels):
                channels = wanted[run.start : run.stop]
                matrices = _matrices(w, rows, channels, box, x, sliding, how.compute)
                columns = numpy.matmul(matrices.swapaxes(1, 2), given)
                columns = numpy.moveaxis(columns, 0, 2).reshape(1, columns.shape[1], -1)
                target = total[slices((part, run))][:, None]
                scatter(columns, target, sliding, whole(w.shape[x.ndim :]), tuple(inputs), box)
        if how.rounds:
            place[...] = total
    return d_x


def _back_to_weight(
    g: Array, x: Array, w: Array, sliding: Sequence[Window], how: Arithmetic
) -> Array:
    d_w = numpy.zeros(w.shape, dtype=how.output)
    most = _limits(w, x, how.compute)
    taps = w.shape[x.ndim :]
    for channels in pieces(range(x.shape[1]), most.channels):
        for rows, _, box in _parts(len(w), 1, whole(g.shape[2:]), most):
            total: Any = 0
            for batch in pieces(range(len(x)), most.batch):
                given = _positions_first(g[slices((batch, rows, *box))], how.compute)
                read = _windows(x, batch, channels, box, w, sliding, how.compute)
                total = total + numpy.matmul(given, read.swapaxes(1, 2))
            total = numpy.asarray(total, dtype=how.compute)
            if total.ndim:
                total = total.reshape(size(box), len(rows), len(channels), *taps)
                inside = _inside(x, sliding, whole(taps), box)
                if inside is not None:
                    total = numpy.where(inside, total, numpy.zeros((), dtype=how.compute))
                total = total.reshape(*map(len, box), *total.shape[1:])
                total = numpy.moveaxis(total, (len(box), len(box) + 1), (0, 1))
            d_w[slices((rows, channels, *box))] = total
    return d_w


def _batch_sums(g: Array, bias: Array) -> Array:
    """The cotangent of the bias, which only the batch shares."""
    how = arithmetic((g,), len(g), others=(bias,))
    d_b = numpy.zeros(bias.shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(bias.shape), block_size(how.compute)):
            d_b[slices(box)] = g[slices((range(len(g)), *box))].sum(axis=0, dtype=how.compute)
    return narrowed(d_b, g, bias)

r"""The one trilinear form behind convolution, read in its three directions.

$$ \sum_{n,\gamma,o,i,c,j} y_{n,\gamma,o,i}\; w_{\gamma,o,c,j}\; x_{n,\gamma,c,\, i s - p + j d} $$

With the windows of `x` as the columns of a matrix $X$ each direction is a matrix product for
each group $\gamma$:

$$ Y = W X, \qquad X = W^\mathsf{T} Y, \qquad W = Y X^\mathsf{T}. $$

`output_product` is the first, `input_product` the second and `weight_product` the third.  Arrays
carry their groups on an axis of their own: `x (N, G, C // G, *spatial)`,
`w (G, O // G, C // G, *kernel)`, `y (N, G, O // G, *sizes)`.

The columns are made a block at a time, and a product with them is all that $Y$ and $W$ take; a
kernel of size 1 with stride 1 needs no columns.  $X$ is made of columns that are added back to
where they were read; or, with stride 1 and as many positions as a sum has terms, it is the
convolution of $Y$ by the turned kernel (`turns`).

Padding becomes zeros in the columns, which is right wherever what they are multiplied with is
finite.  Where that is not so, and for objects, which need not have a zero, the work goes tap by
tap instead, over only those outputs that find the tap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array, Shape
from convspec.fast.arithmetic import OBJECT, Arithmetic
from convspec.fast.blocks import (
    COLUMNS,
    Box,
    blocks,
    buffer_size,
    contiguous,
    last_axes,
    pieces,
    size,
    slices,
    whole,
    within_room,
)
from convspec.fast.gathering import complete, gather, scatter, tap_runs, within
from convspec.window import Window, readers, turned

Dtype = numpy.dtype[Any]

# The least number of positions in a block: products of narrower matrices are slow.
NARROWEST = 256


class Part(NamedTuple):
    """A part of the sum over channels and taps, and the outputs that it concerns."""

    channels: range
    taps: Box
    outputs: Box


def output_product(
    x: Array, w: Array, bias: Array | None, sliding: Sequence[Window], sizes: Shape, how: Arithmetic
) -> Array:
    """$Y = W X$, plus `bias (G, O // G)`: the convolution."""
    y = numpy.empty((x.shape[0], *w.shape[:2], *sizes), dtype=how.output)
    weight = _prepared(w, how.compute)
    by_tap = _by_tap(w, x.shape[3:], sliding, sizes)
    with numpy.errstate(all="ignore"):
        for groups in _group_blocks(w.shape, how.compute):
            for rows in pieces(range(w.shape[1]), _longest(how.compute) // len(groups)):
                factor = weight[slices((groups, rows))]
                every = whole((x.shape[0], *sizes))
                positions = min(_positions(factor.shape, how, COLUMNS), size(every))
                room = numpy.empty(_terms(factor, how.compute) * positions, dtype=how.compute)
                for box in blocks(every, positions):
                    total, place = _total(y, groups, rows, box, how)
                    source = x[slices((box[0], groups))]
                    _sum_outputs(total, source, factor, sliding, box, room, by_tap=by_tap)
                    if bias is not None:
                        total += bias[slices((groups, rows))].astype(how.compute)[..., None]
                    if place is not None:
                        place[...] = total.reshape(place.shape)
    return y


def _total(
    y: Array, groups: range, rows: range, box: Box, how: Arithmetic
) -> tuple[Array, Array | None]:
    """Where to sum a block of outputs, `(g, o, n * outputs)`, and where to store it afterwards:
    nowhere, where `y` itself serves.
    """
    if len(box[0]) == 1 and how.compute == how.output:
        start = int(numpy.ravel_multi_index([run.start for run in box[1:]], y.shape[3:]))
        flat = y.reshape(*y.shape[:3], -1)[box[0].start]
        return flat[(*slices((groups, rows)), slice(start, start + size(box[1:])))], None
    total = numpy.empty((len(groups), len(rows), size(box)), dtype=how.compute)
    return total, numpy.moveaxis(y[slices((box[0], groups, rows, *box[1:]))], 0, 2)


def _sum_outputs(
    total: Array,
    source: Array,
    weight: Array,
    sliding: Sequence[Window],
    box: Box,
    room: Array,
    *,
    by_tap: bool,
) -> None:
    """Write $W X$ for one block of outputs to `total`, by columns in `room`."""
    if by_tap:
        total[...] = 0
    outputs = box[1:]
    every = whole(weight.shape[2:])
    most = _longest(total.dtype) // len(weight)
    for position, part in enumerate(
        _parts(every, source.shape[3:], sliding, outputs, most, by_tap=by_tap)
    ):
        columns = gather(
            source[:, :, part.channels.start : part.channels.stop],
            total.dtype,
            sliding,
            part.taps,
            part.outputs,
            room,
        )
        factor = weight[last_axes(slices((part.channels, *part.taps)))]
        if by_tap:
            # The shape is that of a view: only leading axes of `box` are cut.
            volume = total.reshape(*total.shape[:2], len(box[0]), *map(len, outputs))
            place = volume[last_axes(within(part.outputs, outputs))]
            place += _times(factor, columns).reshape(place.shape)
        elif position == 0:
            _times(factor, columns, total)
        else:
            total += _times(factor, columns)


def _times(weight: Array, columns: Array, out: Array | None = None) -> Array:
    """`weight (g, o, c, *taps)` times `columns (g, c * taps, p)`."""
    if out is None:
        out = numpy.empty((*weight.shape[:2], columns.shape[2]), dtype=columns.dtype)
    for rows in pieces(range(weight.shape[1]), _convertible_rows(weight, columns.dtype)):
        factor = _matrix(weight[:, rows.start : rows.stop], columns.dtype)
        numpy.matmul(factor, columns, out=out[:, rows.start : rows.stop])
    return out


def input_product(
    y: Array,
    w: Array,
    bias: Array | None,
    sliding: Sequence[Window],
    spatial: Shape,
    how: Arithmetic,
) -> Array:
    """$X = W^T Y$, plus `bias (G, C // G)`: the transposed convolution."""
    if turns(w, sliding, len(y) * prod(spatial)):
        flipped = numpy.flip(w, tuple(range(3, w.ndim))).swapaxes(1, 2)
        return output_product(y, flipped, bias, tuple(map(turned, sliding)), spatial, how)
    x = numpy.zeros((y.shape[0], w.shape[0], w.shape[2], *spatial), dtype=how.output)
    if bias is not None:
        x += bias.astype(how.output).reshape(*bias.shape, *(1,) * len(spatial))
    weight = _prepared(w, how.compute)
    with numpy.errstate(all="ignore"):
        for groups in _group_blocks(w.shape, how.compute):
            most = buffer_size(how.compute) // len(groups) if how.rounds else x.size
            for box in blocks(whole((x.shape[0], *x.shape[2:])), most):
                place = x[slices((box[0], groups, *box[1:]))]
                # Where storing rounds, the sum is finished before it is stored.
                total = place.astype(how.compute) if how.rounds else place
                factor = weight[slices((groups, whole(w.shape[1:2])[0], box[1]))]
                _add_inputs(total, y[slices((box[0], groups))], factor, sliding, box[2:], how)
                if how.rounds:
                    place[...] = total
    return x


def turns(w: Array, sliding: Sequence[Window], positions: int) -> bool:
    """Whether $X = W^T Y$ is computed as the convolution that it is where all strides are 1: that
    of `Y` by the kernel flipped and its channels swapped.
    """
    return all(window.stride == 1 for window in sliding) and _long(w[:, :, 0], positions)


def _add_inputs(
    total: Array, source: Array, weight: Array, sliding: Sequence[Window], box: Box, how: Arithmetic
) -> None:
    """Add $W^T Y$ for one block of inputs to `total (n, g, c, *box)`."""
    touched = tuple(
        readers(window, reading, range(n))
        for window, reading, n in zip(sliding, box, source.shape[3:], strict=True)
    )
    most = _longest(how.compute) // len(weight)
    for channels, *taps in blocks(whole(weight.shape[2:]), most):
        chosen = weight[last_axes(slices((channels, *taps)))]
        for rows in pieces(
            range(weight.shape[1]), min(most, _convertible_rows(chosen, how.compute))
        ):
            factor = _matrix(chosen[:, rows.start : rows.stop], how.compute).swapaxes(1, 2)
            every = (range(len(source)), *touched)
            positions = _positions((len(weight), len(rows), factor.shape[1]), how, COLUMNS)
            positions = min(positions, size(every))
            room = numpy.empty(prod(factor.shape[:2]) * positions, dtype=how.compute)
            for batch, *outputs in blocks(every, positions):
                given = _positions_last(
                    source[slices((batch, range(len(weight)), rows, *outputs))], how.compute
                )
                columns = within_room(room, (*factor.shape[:2], given.shape[2]), how.compute)
                numpy.matmul(factor, given, out=columns)
                target = total[slices((batch, range(len(weight)), channels))]
                scatter(columns, target, sliding, tuple(taps), box, tuple(outputs))


def weight_product(
    y: Array, x: Array, sliding: Sequence[Window], kernel: Shape, how: Arithmetic
) -> Array:
    """$W = Y X^T$: the cotangent of the weight."""
    w = numpy.zeros((*y.shape[1:3], x.shape[2], *kernel), dtype=how.output)
    by_tap = _by_tap(y, x.shape[3:], sliding, y.shape[3:])
    with numpy.errstate(all="ignore"):
        for groups in _group_blocks(w.shape, how.compute):
            most = buffer_size(how.compute) // len(groups) if how.rounds else w.size
            for box in blocks(whole(w.shape[1:]), most):
                place = w[slices((groups, *box))]
                total = place.astype(how.compute) if how.rounds else place
                index = slices((range(len(x)), groups, box[1]))
                chosen = y[slices((range(len(y)), groups, box[0]))]
                _add_weights(total, chosen, x[index], sliding, box[2:], how, by_tap=by_tap)
                if how.rounds:
                    place[...] = total
    return w


def _add_weights(
    total: Array,
    y: Array,
    x: Array,
    sliding: Sequence[Window],
    taps: Box,
    how: Arithmetic,
    *,
    by_tap: bool,
) -> None:
    """Add $Y X^T$ for some taps to `total (g, o, c, *taps)`."""
    channels = range(x.shape[2])
    buffer = buffer_size(how.compute)
    most = _longest(how.compute) // len(total)
    shape = (*total.shape[:3], *map(len, taps))
    for part in _parts(
        (channels, *taps), x.shape[3:], sliding, whole(y.shape[3:]), most, by_tap=by_tap
    ):
        terms = len(total) * len(part.channels) * size(part.taps)
        every = (range(len(x)), *part.outputs)
        positions = min(_positions(shape, how, COLUMNS), size(every))
        room = numpy.empty(terms * positions, dtype=how.compute)
        for number, (batch, *outputs) in enumerate(blocks(every, positions)):
            source = x[slices((batch, range(len(total)), part.channels))]
            columns = gather(source, how.compute, sliding, part.taps, tuple(outputs), room)
            for rows in pieces(range(y.shape[2]), min(buffer // terms, buffer // positions)):
                given = y[slices((batch, range(len(total)), rows, *outputs))]
                place = total[
                    (slice(None), *slices((rows, part.channels)), *within(part.taps, taps))
                ]
                _add_product(place, _positions_last(given, how.compute), columns, begin=number == 0)


def _add_product(place: Array, y: Array, columns: Array, *, begin: bool) -> None:
    """Add `y (g, o, p)` times the transpose of `columns (g, c * taps, p)` to `place (g, o, c,
    *taps)`; to `begin` with, `place` is zero.
    """
    transposed = columns.swapaxes(1, 2)
    if columns.shape[1] > y.shape[1] and _long(columns[..., 0], columns.shape[2]):
        # A product is faster with the longer side first.
        product = numpy.matmul(columns, y.swapaxes(1, 2)).swapaxes(1, 2)
    elif begin and place.dtype == columns.dtype and place.flags.c_contiguous:
        numpy.matmul(y, transposed, out=place.reshape(*place.shape[:2], -1))
        return
    else:
        product = numpy.matmul(y, transposed)
    # Integers computed in float64 below 2**53: the cast is exact.
    numpy.add(place, product.reshape(place.shape), out=place, casting="unsafe")


def _by_tap(factor: Array, spatial: Shape, sliding: Sequence[Window], sizes: Shape) -> bool:
    """Whether padding may not become zeros: it would be multiplied with something not finite."""
    taps = tuple(range(window.kernel) for window in sliding)
    if not factor.size or complete(sliding, taps, whole(spatial), whole(sizes)):
        return False
    if factor.dtype == OBJECT:
        return True
    # Either is NaN where any element is.
    return not all(numpy.isfinite((factor.min(), factor.max())))


def _parts(
    every: Box, spatial: Shape, sliding: Sequence[Window], outputs: Box, most: int, *, by_tap: bool
) -> Iterator[Part]:
    """The sum over `every` channel and tap in parts of at most `most` terms; or tap by tap."""
    if not by_tap:
        for box in blocks(every, most):
            yield Part(box[0], box[1:], outputs)
        return
    for channels in pieces(every[0], most):
        for taps in blocks(every[1:], 1):
            (runs,) = tap_runs(sliding, taps, whole(spatial), outputs)
            found = tuple(writing for writing, _ in runs)
            if size(found):
                yield Part(channels, taps, found)


def _prepared(w: Array, compute: Dtype) -> Array:
    """The weight as products need it, converted once, unless it is too large for that."""
    return contiguous(w, compute) if w.size <= buffer_size(compute) else w


def _convertible_rows(weight: Array, compute: Dtype) -> int:
    """How many rows of `weight (g, o, c, *taps)` products may take at once: all that need no
    copy, or those whose copy a buffer holds.
    """
    if weight.dtype == compute and weight.flags.c_contiguous:
        return int(weight.shape[1])
    return int(max(1, buffer_size(compute) // (weight.size // weight.shape[1])))


def _matrix(weight: Array, compute: Dtype) -> Array:
    """`weight (g, o, c, *taps)` as `(g, o, c * taps)`."""
    return contiguous(weight, compute).reshape(*weight.shape[:2], -1)


def _positions_last(y: Array, compute: Dtype) -> Array:
    """`y (n, g, o, *outputs)` as `(g, o, n * outputs)`."""
    moved = contiguous(numpy.moveaxis(y, 0, 2), compute)
    return moved.reshape(*moved.shape[:2], -1)


def _longest(compute: Dtype) -> int:
    """The most rows or terms for which `NARROWEST` positions fit a buffer."""
    return int(buffer_size(compute) // NARROWEST)


def _long(terms: Array, positions: int) -> bool:
    """Whether there are at least as many positions as `terms (g, ...)` of a group: rearranging a
    weight then costs little beside multiplying with it.
    """
    return positions >= terms.size // len(terms)


def _terms(weight: Array, compute: Dtype) -> int:
    """The most rows that columns for `weight (g, o, c, *taps)` have at a time, of all groups."""
    groups = len(weight)
    return groups * min(prod(weight.shape[2:]), _longest(compute) // groups)


def _group_blocks(shape: Shape, compute: Dtype) -> Iterator[range]:
    """The groups of a weight, as many at a time as keep blocks from being narrow."""
    return pieces(range(shape[0]), _longest(compute) // max(shape[1], prod(shape[2:])))


def _positions(shape: Shape, how: Arithmetic, target: int) -> int:
    """How many positions a block has for a weight `(g, o, c, *taps)`: as many as fit `target`
    bytes, but not fewer than `NARROWEST`.
    """
    height = shape[0] * min(max(shape[1], prod(shape[2:])), _longest(how.compute) // shape[0])
    return int(max(NARROWEST, target // how.compute.itemsize // max(height, 1)))

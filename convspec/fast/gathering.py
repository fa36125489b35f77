r"""Sliding windows as the columns of a matrix: $X_{(c,j),(n,i)} = x_{n,c,\, i s - p + j d}$.

`gather` copies what a block of output positions reads into columns, all windows in one step over
an input that padding has been added to; `scatter` is its transpose and adds columns back, tap by
tap, to the positions they were read from.  Arrays carry their groups
on an axis of their own: `(N, G, C // G, *spatial)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy
from numpy.lib.stride_tricks import sliding_window_view

from convspec.arguments import Array
from convspec.fast.blocks import (
    Box,
    Index,
    contiguous,
    last_axes,
    size,
    slices,
    whole,
    within_room,
)
from convspec.window import (
    Window,
    common,
    extent,
    of_taps,
    phases,
    positions,
    slice_within,
    span,
    tap_run,
)

Runs = list[tuple[range, range]]


def tap_runs(sliding: Sequence[Window], taps: Box, inputs: Box, outputs: Box) -> Iterator[Runs]:
    """For each tap of a box, in C order, `window.tap_run` on every axis.

    >>> [runs for runs in tap_runs([Window(2)], (range(2),), (range(3),), (range(2),))]
    [[(range(0, 2), range(0, 2))], [(range(0, 2), range(1, 3))]]
    """
    axes = [
        [tap_run(window, j, reading, writing) for j in run]
        for window, run, reading, writing in zip(sliding, taps, inputs, outputs, strict=True)
    ]
    return (list(runs) for runs in product(*axes))


def within(runs: Sequence[range], box: Box) -> Index:
    """`window.slice_within` on every axis.

    >>> within([range(3, 5)], (range(2, 6),))
    (slice(1, 3, 1),)
    """
    return tuple(slice_within(run, block) for run, block in zip(runs, box, strict=True))


def complete(sliding: Sequence[Window], taps: Box, inputs: Box, outputs: Box) -> bool:
    """Whether every window of these outputs finds all of these taps in the input.

    >>> complete([Window(2)], (range(2),), (range(3),), (range(2),))
    True
    >>> complete([Window(2, low=1)], (range(2),), (range(3),), (range(3),))
    False
    """
    return all(
        len(tap_run(window, j, reading, writing)[0]) == len(writing)
        for window, run, reading, writing in zip(sliding, taps, inputs, outputs, strict=True)
        for j in (run[0], run[-1])
    )


def gather(
    source: Array,
    dtype: numpy.dtype[Any],
    sliding: Sequence[Window],
    taps: Box,
    outputs: Box,
    room: Array | None = None,
) -> Array:
    """The columns of `source`, `(n, g, c, *spatial)`: `(g, c * taps, n * outputs)`, zero where a
    tap falls on padding; in `room`, a flat array, where one is given.

    >>> x = numpy.array([[[[1.0, 2.0, 3.0]]]])
    >>> gather(x, x.dtype, [Window(2, low=1)], (range(2),), (range(3),))
    array([[[0., 1., 2.],
            [1., 2., 3.]]])
    """
    moved = numpy.moveaxis(source, 0, 2)
    batch, shape = moved.shape[2], moved.shape[:2]
    inputs = whole(moved.shape[3:])
    still = size(taps) == 1 and all(window.stride == 1 for window in sliding)
    if still and complete(sliding, taps, inputs, outputs):
        (runs,) = tap_runs(sliding, taps, inputs, outputs)
        read = moved[last_axes(slices(tuple(run for _, run in runs)))]
        return read.astype(dtype, copy=False).reshape(*shape, -1)
    columns = within_room(room, (*shape, *map(len, taps), batch, *map(len, outputs)), dtype)
    chosen = tuple(map(of_taps, sliding, taps))
    spans = tuple(map(span, chosen, outputs))
    # Unless strides or dilations leave out most of what lies between, which a copy would hold.
    if prod(moved.shape[:3]) * size(spans) <= columns.size:
        _copy_windows(columns, _padded(moved, dtype, spans), chosen)
    else:
        _copy_taps(columns, moved, chosen, outputs)
    return columns.reshape(shape[0], -1, batch * size(outputs))


def _padded(source: Array, dtype: numpy.dtype[Any], spans: Box) -> Array:
    """`source (g, c, n, *spatial)` over spans that may reach into the padding, which is zero."""
    every = whole(source.shape[3:])
    inside = tuple(map(common, spans, every))
    if inside == spans:
        return source[last_axes(slices(spans))]
    padded = numpy.zeros((*source.shape[:3], *map(len, spans)), dtype=dtype)
    padded[last_axes(within(inside, spans))] = source[last_axes(slices(inside))]
    return padded


def _copy_windows(columns: Array, source: Array, sliding: Sequence[Window]) -> None:
    """Copy to `columns (g, c, *taps, n, *outputs)` all windows of a source that holds every tap.

    What a tap reads lies apart where the last axis has a stride; not so in a phase of that axis.
    """
    rank = len(sliding)
    for taps, every, alone in phases(sliding[-1]):
        phase = source[..., every]
        if len(range(taps.start, taps.stop, taps.step)) < sliding[-1].kernel:
            phase = contiguous(phase, phase.dtype)
        windows = (*sliding[:-1], alone)
        views = sliding_window_view(phase, tuple(map(extent, windows)), tuple(range(3, 3 + rank)))
        starts = [slice(None, None, window.stride) for window in windows[:-1]]
        taken = [slice(None, None, window.dilation) for window in windows]
        views = views[last_axes((*starts, slice(columns.shape[-1]), *taken))]
        place = columns[(slice(None),) * (1 + rank) + (taps,)]
        place[...] = numpy.moveaxis(views, range(3 + rank, 3 + 2 * rank), range(2, 2 + rank))


def _copy_taps(columns: Array, source: Array, sliding: Sequence[Window], outputs: Box) -> None:
    """The same of any `source (g, c, n, *spatial)`, tap by tap, and zero for what is padding."""
    columns[...] = 0
    taps = whole([window.kernel for window in sliding])
    runs = tap_runs(sliding, taps, whole(source.shape[3:]), outputs)
    for tap, pairs in zip(positions([len(run) for run in taps]), runs, strict=True):
        writing, reading = zip(*pairs, strict=True)
        index: Index = (slice(None), slice(None), *tap)
        columns[index][last_axes(within(writing, outputs))] = source[last_axes(slices(reading))]


def scatter(
    columns: Array, target: Array, sliding: Sequence[Window], taps: Box, inputs: Box, outputs: Box
) -> None:
    """Add columns, `(g, c * taps, n * outputs)`, to `target`, `(n, g, c, *inputs)`, in place.

    >>> x = numpy.zeros((1, 1, 1, 3))
    >>> scatter(numpy.ones((1, 2, 2)), x, [Window(2)], *((range(n),) for n in (2, 3, 2)))
    >>> x
    array([[[[1., 2., 1.]]]])
    """
    moved = numpy.moveaxis(target, 0, 2)
    lengths = tuple(map(len, outputs))
    planes = columns.reshape(*moved.shape[:2], size(taps), moved.shape[2], *lengths)
    for t, runs in enumerate(tap_runs(sliding, taps, inputs, outputs)):
        read = planes[
            (slice(None), slice(None), t, ..., *within([run for run, _ in runs], outputs))
        ]
        place = moved[last_axes(within([run for _, run in runs], inputs))]
        # Integers computed in float64 below 2**53: the cast is exact.
        numpy.add(place, read, out=place, casting="unsafe")

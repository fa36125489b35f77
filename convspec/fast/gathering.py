r"""Sliding windows as the columns of a matrix: $X_{(c,j),(n,i)} = x_{n,c,\, i s - p + j d}$.

`gather` copies what a block of output positions reads, tap by tap, into columns; `scatter` is its
transpose and adds columns back to the positions they were read from.  Arrays carry their groups
on an axis of their own: `(N, G, C // G, *spatial)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.fast.blocks import Box, Index, last_axes, size, slices, whole
from convspec.window import Window, slice_within, tap_run

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
    source: Array, dtype: numpy.dtype[Any], sliding: Sequence[Window], taps: Box, outputs: Box
) -> Array:
    """The columns of `source`, `(n, g, c, *spatial)`: `(g, c * taps, n * outputs)`, zero where a
    tap falls on padding.

    >>> x = numpy.array([[[[1.0, 2.0, 3.0]]]])
    >>> gather(x, x.dtype, [Window(2, low=1)], (range(2),), (range(3),))
    array([[[0., 1., 2.],
            [1., 2., 3.]]])
    """
    moved = numpy.moveaxis(source, 0, 2)
    batch, shape = moved.shape[2], moved.shape[:2]
    inputs = whole(moved.shape[3:])
    if size(taps) == 1 and complete(sliding, taps, inputs, outputs):
        (runs,) = tap_runs(sliding, taps, inputs, outputs)
        read = moved[last_axes(slices(tuple(run for _, run in runs)))]
        return read.astype(dtype, copy=False).reshape(*shape, -1)
    columns = numpy.empty((*shape, size(taps), batch, *map(len, outputs)), dtype=dtype)
    for t, runs in enumerate(tap_runs(sliding, taps, inputs, outputs)):
        plane = columns[:, :, t]
        written = within([run for run, _ in runs], outputs)
        _clear_outside(plane, written)
        plane[last_axes(written)] = moved[last_axes(slices(tuple(run for _, run in runs)))]
    return columns.reshape(shape[0], -1, batch * size(outputs))


def _clear_outside(plane: Array, written: Sequence[slice]) -> None:
    """Zero everything in the last axes of `plane` but the box that is going to be written."""
    for axis, span in enumerate(written, start=plane.ndim - len(written)):
        before = (slice(None),) * axis
        if span.start > 0:
            plane[(*before, slice(0, span.start))] = 0
        if span.stop < plane.shape[axis]:
            plane[(*before, slice(span.stop, None))] = 0


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

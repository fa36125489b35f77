"""Work in blocks: what bounds the scratch memory of every twin, whatever the sizes of a call.

A *box* is a range of positions on each axis.  No array that a twin makes besides its results
holds more than `BUFFER` bytes, and no more than five of them live at once, so that scratch stays
below `SCRATCH`.  Exempt are Python's own integers and other objects, which have no fixed size:
of them the bound counts the references.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array

BUFFER = 12 * 2**20
SCRATCH = 64 * 2**20
# Columns small enough to stay in a cache between being written and being read by a product.
COLUMNS = 4 * 2**20

Box = tuple[range, ...]
Index = tuple[Any, ...]


def buffer_size(dtype: numpy.dtype[Any]) -> int:
    """How many elements a buffer of this dtype holds.

    >>> buffer_size(numpy.dtype("float64")) * 8 == BUFFER
    True
    """
    return BUFFER // int(dtype.itemsize)


def whole(shape: Sequence[int]) -> Box:
    """The box of every position of an array.

    >>> whole((2, 3))
    (range(0, 2), range(0, 3))
    """
    return tuple(range(n) for n in shape)


def size(box: Box) -> int:
    """The number of positions in a box.

    >>> size((range(2), range(1, 4)))
    6
    """
    return prod(map(len, box))


def pieces(run: range, most: int) -> Iterator[range]:
    """A range in consecutive pieces of nearly equal length, at most `most` (at least 1) each.

    >>> list(pieces(range(7), 3))
    [range(0, 3), range(3, 6), range(6, 7)]
    >>> list(pieces(range(8), 5))
    [range(0, 4), range(4, 8)]
    """
    count = -(-len(run) // max(most, 1))
    step = -(-len(run) // max(count, 1))
    for first in range(0, len(run), max(step, 1)):
        yield run[first : first + step]


def blocks(box: Box, most: int) -> Iterator[Box]:
    """A box in consecutive boxes of at most `most` (at least 1) positions, the first axes split
    first, so that each is one run of the box in C order.

    >>> list(blocks((range(2), range(3)), 2))  # doctest: +NORMALIZE_WHITESPACE
    [(range(0, 1), range(0, 2)), (range(0, 1), range(2, 3)),
     (range(1, 2), range(0, 2)), (range(1, 2), range(2, 3))]
    >>> list(blocks((range(2), range(3)), 6))
    [(range(0, 2), range(0, 3))]
    """
    if not box:
        yield ()
        return
    first, rest = box[0], box[1:]
    inner = size(rest)
    if inner == 0:
        return
    if inner <= most:
        for run in pieces(first, most // inner):
            yield (run, *rest)
        return
    for position in pieces(first, 1):
        for remaining in blocks(rest, most):
            yield (position, *remaining)


def slices(box: Box) -> Index:
    """The index that picks a box from an array.

    >>> slices((range(2, 4),))
    (slice(2, 4, 1),)
    """
    return tuple(slice(run.start, run.stop, run.step) for run in box)


def contiguous(array: Array, dtype: numpy.dtype[Any]) -> Array:
    """The array in C order in this dtype, copied only where it is not so already.

    >>> x = numpy.zeros((2, 2))
    >>> contiguous(x, x.dtype) is x
    True
    """
    return numpy.ascontiguousarray(array, dtype=dtype)


def last_axes(index: Index) -> Index:
    """The index that applies `index` to the last axes of an array, and takes all of the others.

    >>> last_axes((slice(1, 2),))
    (Ellipsis, slice(1, 2, None))
    """
    return (..., *index)


def within_room(room: Array | None, shape: Sequence[int], dtype: numpy.dtype[Any]) -> Array:
    """An array of this shape with any contents, at the beginning of `room` where one is given.

    Memory that is used again is in a cache already, and is not asked of the system every time.

    >>> within_room(numpy.arange(9.0), (2, 2), numpy.dtype("float64"))
    array([[0., 1.],
           [2., 3.]])
    """
    if room is None:
        return numpy.empty(shape, dtype=dtype)
    return room[: prod(shape)].reshape(shape)

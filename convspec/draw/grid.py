"""Arrays as grids: slices of at most two axes, with chosen elements marked, and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array

Index = tuple[int, ...]

LARGEST = 9
SLICES = 3
PADDING = "."


class Cell(NamedTuple):
    """One element as it is shown, and whether it is marked; `PADDING` is no element."""

    text: str
    marked: bool


class Slice(NamedTuple):
    """A part of an array as rows of cells, under a title; what is left out is said in a note.

    `prefix` is the index of the slice on the axes that are not drawn, and `origin` the row and
    column of the first cell.
    """

    title: str
    rows: list[list[Cell]]
    note: str
    prefix: Index = ()
    origin: tuple[int, int] = (0, 0)


class Block(NamedTuple):
    """Lines of text under a title."""

    title: str
    lines: list[str]


def number(value: Any, *, exact: bool = False) -> str:
    """A number in few characters or, if `exact`, in as many as tell it from its neighbours.

    >>> number(2.0), number(0.1 + 0.2), number(0.1 + 0.2, exact=True)
    ('2', '0.3', '0.30000000000000004')
    """
    if exact or not isinstance(value, numpy.generic | float | int):
        return str(value)
    real = float(value)
    return str(int(real)) if real.is_integer() and abs(real) < 1e7 else f"{real:.6g}"


def slices(
    name: str,
    array: Array,
    marked: set[Index],
    *,
    axes: int,
    exact: bool = False,
    whole: bool = False,
) -> list[Slice]:
    """The slices of `array` over its last `axes` axes (one or two) that hold a marked element, or
    the first slice where none does.  Of many slices and of long axes a part is shown, unless the
    `whole` is asked for.

    Marked indices outside the array are positions on padding.

    >>> import numpy
    >>> slices("x", numpy.array([1, 2]), {(-1,)}, axes=1)
    [Slice(title='x', rows=[[Cell(text='.', marked=True), Cell(text='1', marked=False), \
Cell(text='2', marked=False)]], note='', prefix=(), origin=(0, -1))]
    """
    leading = max(0, array.ndim - axes)
    prefixes = sorted({index[:leading] for index in marked if _holds(array, index[:leading])})
    if array.size == 0:
        return [Slice(name, [], f"no elements, shape {array.shape}")]
    shown = []
    for prefix in (prefixes or [(0,) * leading])[: None if whole else SLICES]:
        inside = {index[leading:] for index in marked if index[:leading] == prefix}
        title = f"{name}[{', '.join(map(str, prefix))}]" if prefix else name
        shown.append(_slice(title, array[prefix], inside, exact=exact, whole=whole))
        shown[-1] = shown[-1]._replace(prefix=prefix)
    if len(prefixes) > len(shown):
        more = f"and {len(prefixes) - len(shown)} more slices"
        notes = [note for note in (shown[-1].note, more) if note]
        shown[-1] = shown[-1]._replace(note="\n".join(notes))
    return shown


def _slice(title: str, array: Array, marked: set[Index], *, exact: bool, whole: bool) -> Slice:
    """A slice of two axes at most; a single axis is one row, a single number one element."""
    if array.ndim < 2:
        marked = {(*(0,) * (2 - array.ndim), *index) for index in marked}
        array = array.reshape(1, -1)
    ranges = [
        _shown(size, [index[axis] for index in marked], whole=whole)
        for axis, size in enumerate(array.shape)
    ]
    rows = [
        [Cell(_text(array, (i, j), exact=exact), (i, j) in marked) for j in ranges[1]]
        for i in ranges[0]
    ]
    origin = (ranges[0].start, ranges[1].start)
    return Slice(title, rows, _left_out(array.shape, ranges), origin=origin)


def cells_of(shown: Slice, marked: set[Index]) -> set[tuple[int, int]]:
    """The cells of a slice, by row and column, that hold marked elements of its array.

    >>> (x,) = slices("x", numpy.array([[1, 2]]), {(0, -1)}, axes=1)
    >>> sorted(cells_of(x, {(0, -1), (0, 1), (1, 0)}))
    [(0, 0), (0, 2)]
    """
    leading = len(shown.prefix)
    found = set()
    for index in marked:
        if index[:leading] == shown.prefix:
            i, j = (0, *index[leading:])[-2:]
            found.add((i - shown.origin[0], j - shown.origin[1]))
    rows, columns = len(shown.rows), max((len(row) for row in shown.rows), default=0)
    return {(i, j) for i, j in found if 0 <= i < rows and 0 <= j < columns}


def block(shown: Slice) -> Block:
    """A slice as text, with marked elements in brackets.

    >>> block(Slice("x", [[Cell(".", True), Cell("3", True), Cell("4", False)]], ""))
    Block(title='x', lines=['[.][3] 4 '])
    """
    wide = max((len(cell.text) for row in shown.rows for cell in row), default=1)
    lines = [
        "".join(
            f"[{text:>{wide}}]" if is_marked else f" {text:>{wide}} " for text, is_marked in row
        )
        for row in shown.rows
    ]
    return Block(shown.title, [*lines, *shown.note.splitlines()])


def side_by_side(shown: Sequence[Block], width: int) -> list[str]:
    """Blocks beside each other, as many in a row as `width` holds.

    >>> side_by_side([Block("a", ["1"]), Block("b", ["2", "3"])], 20)
    ['  a    b', '  1    2', '       3']
    """
    rows: list[list[Block]] = []
    used = 0
    for each in shown:
        needed = max(map(len, (each.title, *each.lines))) + 4
        if not rows or used + needed > width:
            rows.append([])
            used = 0
        rows[-1].append(each)
        used += needed
    lines: list[str] = []
    for row in rows:
        lines += ([""] if lines else []) + _joined(row)
    return lines


def _joined(row: list[Block]) -> list[str]:
    height = max(len(each.lines) for each in row)
    columns = []
    for title, lines in row:
        column = [title, *lines, *[""] * (height - len(lines))]
        wide = max(map(len, column))
        columns.append([line.ljust(wide) for line in column])
    return [f"  {'    '.join(cells)}".rstrip() for cells in zip(*columns, strict=True)]


def _holds(array: Array, prefix: Index) -> bool:
    return all(0 <= p < n for p, n in zip(prefix, array.shape, strict=False))


def _shown(size: int, marked: list[int], *, whole: bool) -> range:
    """Which positions of an axis to draw: all with their padding, or those near the marks."""
    low, high = min([0, *marked]), max([size - 1, *marked])
    if whole or high - low < LARGEST:
        return range(low, high + 1)
    centre = (min(marked) + max(marked)) // 2 if marked else 0
    first = max(low, min(centre - LARGEST // 2, high + 1 - LARGEST))
    return range(first, first + LARGEST)


def _text(array: Array, index: Index, *, exact: bool) -> str:
    inside = all(0 <= i < n for i, n in zip(index, array.shape, strict=True))
    return number(array[index], exact=exact) if inside else PADDING


def _left_out(shape: tuple[int, ...], ranges: list[range]) -> str:
    """Which part of a slice is drawn, where it is not all of it."""
    said = []
    for name, size, shown in zip(("rows", "columns"), shape, ranges, strict=True):
        inside = range(max(0, shown.start), min(size, shown.stop))
        if len(inside) < size:
            said.append(f"{name} {inside.start} to {inside.stop - 1} of {size}")
    return f"({', '.join(said)})" if said else ""

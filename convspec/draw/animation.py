"""A call as a sequence of pictures: one output element after the other, with what it reads."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.draw.grid import Cell, Index, Slice, cells_of, number, slices
from convspec.draw.marks import Marks, marks
from convspec.draw.picture import arrays, call_text
from convspec.draw.svg import Frame, svg
from convspec.matrix import matrix_of
from convspec.operations import OPERATIONS
from convspec.window import positions

# Of more elements nobody would wait for the last; of larger arrays nobody could read the numbers.
MOST, PLANES, WIDEST, LONGEST = 100, 12, 24, 36


def animation(case: Case, *, turns: str = "outputs", matrix: bool = False) -> str:
    """An SVG picture of a call: its outputs take turns, in C order, with what they read.

    Where `turns` is `inputs`, the elements of the first operand take turns, with the outputs that
    read them.  With `matrix` the matrix of the operation as a function of its first operand stands
    among them, row by row.  Of several batch items and channels, the first of the output are shown.
    Below stands the element whose turn it is.

    Raises `ValueError` where the operation has no marks, or where more than 100 elements, 12 planes
    or 24 positions of an axis would have to be shown.

    >>> operands = {"input": numpy.array([[[1, 2, 3]]]), "weight": numpy.array([[[1, 10]]])}
    >>> picture = animation(Case("conv", operands, {"padding": ((0, 0),)}))
    >>> [line for line in ("[0, 0, 0] = 21", "[0, 0, 1] = 32", "[0, 0, 2]") if line in picture]
    ['[0, 0, 0] = 21', '[0, 0, 1] = 32']
    """
    output = result_of(case)
    axes = _drawn_axes(case, output)
    outputs = [i for i in positions(output.shape) if not any(i[: output.ndim - axes])]
    _few(len(outputs))
    read = {index: marks(case, index) for index in outputs}
    if not any(read.values()):
        raise ValueError(f"{case.operation}: what an element of it reads is not drawn yet")
    shown = _operands(case, list(read.values()), axes)
    shown += [
        ("output", each) for each in slices("output", output, set(outputs), axes=axes, whole=True)
    ]
    _fits(case, [each for _, each in shown])
    turn = _outputs_in_turn(read, output) if turns == "outputs" else _inputs_in_turn(case, read)
    if matrix:
        shown.insert(len(shown) - 1, ("matrix", matrix_slice(case)))
        turn = [_with_row(case, found, output, line) for found, line in turn]
    _few(len(turn))
    frames = [
        Frame([cells_of(each, found.get(name, set())) for name, each in shown], line)
        for found, line in turn
    ]
    bare = [_unmarked(each) for _, each in shown]
    return svg(bare, call_text(case), frames, still=len(frames) // 2, below=axes == 1 or matrix)


def _fits(case: Case, shown: list[Slice]) -> None:
    longest = max(max(len(each.rows), *map(len, each.rows)) for each in shown)
    if longest > WIDEST or len(shown) > PLANES:
        raise ValueError(
            f"{call_text(case)}: {len(shown)} planes with axes of up to {longest} would be drawn: "
            f"at most {PLANES} and {WIDEST} are"
        )


def _few(count: int) -> None:
    if not 0 < count <= MOST:
        raise ValueError(f"{count} elements would take turns: must be 1 to {MOST}")


def _outputs_in_turn(read: dict[Index, Marks], output: Array) -> list[tuple[Marks, str]]:
    """Each output with what it reads, and its value."""
    return [
        ({**found, "output": {index}}, f"{_named('output', index)} = {number(output[index])}")
        for index, found in read.items()
    ]


def _inputs_in_turn(case: Case, read: dict[Index, Marks]) -> list[tuple[Marks, str]]:
    """Each element of the first operand that is read, and the outputs that read it."""
    name, array = next(arrays(case))
    readers: dict[Index, set[Index]] = {}
    for index, found in read.items():
        for each in found.get(name, set()):
            if all(0 <= i < n for i, n in zip(each, array.shape, strict=True)):
                readers.setdefault(each, set()).add(index)
    return [
        (
            {name: {index}, "output": readers[index]},
            f"{_named(name, index)} = {number(array[index])}, in {len(readers[index])} outputs",
        )
        for index in sorted(readers)
    ]


def matrix_slice(case: Case) -> Slice:
    """The matrix of a call as a function of its first operand; what is stored nowhere is blank.

    Raises `ValueError` where the operation is not linear in it, or for a side longer than 36.

    >>> operands = {"input": numpy.array([[[1, 2, 3]]]), "weight": numpy.array([[[1, 10]]])}
    >>> shown = matrix_slice(Case("conv", operands, {"padding": ((0, 0),)}))
    >>> [[cell.text for cell in row] for row in shown.rows]
    [['1', '10', ''], ['', '1', '10']]
    """
    name, *others = case.operands
    # A bias is added to what the matrix gives.
    fixed = {other: case.operands[other] for other in others if other != "bias"}
    shape = case.operands[name].shape
    stored = matrix_of(case.operation, name, shape, **fixed, **case.attributes).tocoo()
    if max(stored.shape) > LONGEST:
        raise ValueError(f"a matrix of shape {stored.shape}: at most {LONGEST} on a side are drawn")
    texts = {
        (int(i), int(k)): number(m) for i, k, m in zip(*stored.coords, stored.data, strict=True)
    }
    rows = [
        [Cell(texts.get((i, k), ""), marked=False) for k in range(stored.shape[1])]
        for i in range(stored.shape[0])
    ]
    return Slice("matrix: a row for each output, a column for each input", rows, "")


def _with_row(case: Case, found: Marks, output: Array, line: str) -> tuple[Marks, str]:
    """The marks of a turn with those of its rows, at the columns of what is marked."""
    name, array = next(arrays(case))
    rows = {int(numpy.ravel_multi_index(i, output.shape)) for i in found["output"]}
    inside = [
        i
        for i in found.get(name, set())
        if all(0 <= a < n for a, n in zip(i, array.shape, strict=True))
    ]
    columns = {int(numpy.ravel_multi_index(i, array.shape)) for i in inside}
    return {**found, "matrix": {(i, k) for i in rows for k in columns}}, line


def _unmarked(shown: Slice) -> Slice:
    rows = [[cell._replace(marked=False) for cell in row] for row in shown.rows]
    return shown._replace(rows=rows)


def _named(name: str, index: Index) -> str:
    return f"{name}[{', '.join(map(str, index))}]"


def result_of(case: Case) -> Array:
    """What the definition returns; of several outputs, the first."""
    found = OPERATIONS[case.operation].definition(*case.operands.values(), **case.attributes)
    return numpy.asarray(found[0] if isinstance(found, tuple) else found)


def _drawn_axes(case: Case, output: Array) -> int:
    """The axes that are drawn, at most two: those of space, or all where there is no space."""
    spaceless = case.operation in ("convolve", "correlate") or output.ndim < 3
    return min(2, output.ndim if spaceless else output.ndim - 2)


def _operands(case: Case, read: list[Marks], axes: int) -> list[tuple[str, Slice]]:
    """The slices of the operands that any of the outputs reads, under the operands' names."""
    found: list[tuple[str, Slice]] = []
    for name, array in arrays(case):
        union = set().union(*(each.get(name, set()) for each in read))
        drawn: Any = slices(name, array, union, axes=min(axes, array.ndim), whole=True)
        found += [(name, each) for each in drawn]
    return found

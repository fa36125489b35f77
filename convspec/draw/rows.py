"""The matrix of a call, as text."""

from __future__ import annotations

from convspec.case import Case
from convspec.draw.animation import matrix_slice
from convspec.draw.grid import PADDING
from convspec.operations import OPERATIONS


def rows(case: Case) -> list[str]:
    """Lines that show the matrix of an operation as a function of its first operand, with a dot
    where nothing is read; nothing where it is not linear in it, and a word where it is too large.

    >>> import numpy
    >>> operands = {"input": numpy.array([[[1, 2, 3]]]), "weight": numpy.array([[[1, 10]]])}
    >>> print("\\n".join(rows(Case("conv", operands, {"padding": ((0, 0),)}))))
    <BLANKLINE>
    matrix, a row for each output and a column for each element of input:
       1 10  .
       .  1 10
    """
    name = next(iter(case.operands))
    row = OPERATIONS.get(case.operation)
    if row is None or name not in row.linear_in:
        return []
    title = f"matrix, a row for each output and a column for each element of {name}:"
    try:
        cells = [[cell.text or PADDING for cell in line] for line in matrix_slice(case).rows]
    except ValueError as error:
        return ["", str(error)]
    wide = max((len(text) for line in cells for text in line), default=1)
    return ["", title, *("  " + " ".join(text.rjust(wide) for text in line) for line in cells)]

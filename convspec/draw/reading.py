"""What one output element is computed from, as a picture of the operands."""

from __future__ import annotations

from convspec.case import Case
from convspec.draw.grid import Index, Slice, block, side_by_side, slices
from convspec.draw.marks import marks
from convspec.draw.picture import arrays


def reading_slices(case: Case, element: Index) -> list[Slice]:
    """The slices of the operands that hold what an element is computed from."""
    read = marks(case, element)
    first = next(array for _, array in arrays(case))
    axes = min(2, max(1, first.ndim - (0 if "f" in case.operands else 2)))
    return [
        shown
        for name, array in arrays(case)
        for shown in slices(name, array, read.get(name, set()), axes=min(axes, array.ndim))
        if array.ndim
    ]


def reading(case: Case, element: Index, *, width: int = 80) -> list[str]:
    """Lines that draw them, with what is read in brackets; nothing where that is not marked.

    >>> import numpy
    >>> operands = {"input": numpy.array([[[5, 6, 7]]])}
    >>> attributes = {"kernel_size": (2,), "stride": (1,), "padding": ((1, 0),)}
    >>> reading(Case("max_pool", operands, attributes), (0, 0, 0))
    ['', 'Element [0, 0, 0] reads what is in brackets:', '', '  input[0, 0]', '  [.][5] 6  7']
    """
    if not marks(case, element):
        return []
    drawn = side_by_side([block(each) for each in reading_slices(case, element)], width)
    index = ", ".join(map(str, element))
    return ["", f"Element [{index}] reads what is in brackets:", "", *drawn]

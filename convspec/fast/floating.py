"""Operations that round at every element: floats in double precision, a block at a time.

Float operands are computed in at least float64 and rounded to their own dtype once, as the
definitions do.  Operands that are not all floats are left to the definitions: roots and quotients
of integers and Fractions may be rational, and Python's numbers have no vectorised arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.fast import blocks
from convspec.fast.arithmetic import FLOAT64, Arithmetic


def floats(*operands: Array) -> bool:
    """Whether every operand holds floats.

    >>> floats(numpy.zeros(1, "float16")), floats(numpy.zeros(1), numpy.zeros(1, "int8"))
    (True, False)
    """
    return all(operand.dtype.kind not in "iuO" for operand in operands)


def double(*operands: Array) -> Arithmetic:
    """How floats are computed here: in at least float64.

    >>> double(numpy.zeros(1, "float16"))
    Arithmetic(compute=dtype('float64'), output=dtype('float16'))
    """
    output = numpy.result_type(*operands)
    return Arithmetic(numpy.result_type(FLOAT64, output), output)


def block_size(dtype: numpy.dtype[Any]) -> int:
    """How many elements of a block stay in a cache from one step to the next."""
    return min(blocks.COLUMNS // int(dtype.itemsize), blocks.buffer_size(dtype))


def elementwise(function: Callable[..., Array], how: Arithmetic, *operands: Array) -> Array:
    """`function` of corresponding elements of operands of one shape.

    >>> x = numpy.array([1.0, 4.0], "float32")
    >>> elementwise(numpy.sqrt, double(x), x)
    array([1., 2.], dtype=float32)
    """
    y = numpy.empty(operands[0].shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks.blocks(blocks.whole(y.shape), block_size(how.compute)):
            index = blocks.slices(box)
            y[index] = function(
                *(numpy.asarray(operand[index], dtype=how.compute) for operand in operands)
            )
    return y

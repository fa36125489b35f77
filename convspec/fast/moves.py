"""Elements that move and do not change: the dtype they move in, and the one they end up in."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.fast.pooling import moving


def moved_dtype(values: Array, *others: Array) -> numpy.dtype[Any]:
    """The dtype in which `values` move into a result whose dtype `others` take part in.

    Afterwards `pooling.settled` makes int64 of the one dtype of integers that may exceed it.

    >>> moved_dtype(numpy.zeros(1, "int8")), moved_dtype(numpy.zeros(1, "uint64"))
    (dtype('int64'), dtype('uint64'))
    >>> moved_dtype(numpy.zeros(1, "int8"), numpy.zeros(1, "float32"))
    dtype('float32')
    """
    if all(operand.dtype.kind in "iu" for operand in (values, *others)):
        return moving(values.dtype)
    return numpy.result_type(values, *others)

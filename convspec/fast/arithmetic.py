"""In which dtype a twin computes, and in which it answers.

Floats are computed in their own precision, those of 16 bits in float32 and rounded once.  Objects
are computed as objects.  Integers are exact: every partial sum of a sum of products is at most

$$ t \\cdot \\max|a| \\cdot \\max|b| + \\max|c| $$

in magnitude, with $t$ products and an addend $c$.  Below $2^{53}$ float64 holds all of them, so
that BLAS can do the work; below $2^{63}$ int64 does; beyond, Python's own integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array

OBJECT = numpy.dtype(object)
FLOAT64 = numpy.dtype(numpy.float64)
INT64 = numpy.dtype(numpy.int64)


class Arithmetic(NamedTuple):
    """The dtype products and sums are computed in, and that of the result."""

    compute: numpy.dtype[Any]
    output: numpy.dtype[Any]

    @property
    def rounds(self) -> bool:
        """Whether sums must be finished before they are stored: storing in the result rounds."""
        return self.compute != self.output and self.output.kind not in "iu"


def largest(array: Array) -> int:
    """The largest magnitude in an integer array, as a Python int, which cannot overflow.

    >>> largest(numpy.array([-128, 5], dtype="int8"))
    128
    """
    return max(abs(int(array.max())), abs(int(array.min()))) if array.size else 0


def arithmetic(
    factors: tuple[Array, ...], terms: int, *, addend: Array | None = None, others: Any = ()
) -> Arithmetic:
    """How to compute a sum of `terms` products of one element of each of `factors`.

    `addend` is added to the sum; `others` only take part in the choice of the result's dtype.

    >>> small = numpy.full(2, 100, dtype="int8")
    >>> arithmetic((small, small), 9)
    Arithmetic(compute=dtype('float64'), output=dtype('int64'))
    >>> arithmetic((small.astype("float16"), small), 9)
    Arithmetic(compute=dtype('float32'), output=dtype('float16'))
    """
    operands = (*factors, *others, *(() if addend is None else (addend,)))
    dtype = numpy.result_type(*operands)
    if dtype == OBJECT:
        return Arithmetic(OBJECT, OBJECT)
    # Not by the common dtype: that of int64 and uint64 is float64.
    if all(operand.dtype.kind in "iu" for operand in operands):
        bound = terms
        for factor in factors:
            bound *= largest(factor)
        return exact(bound + (0 if addend is None else largest(addend)))
    return Arithmetic(numpy.dtype(numpy.float32) if dtype.itemsize <= 2 else dtype, dtype)


def exact(bound: int) -> Arithmetic:
    """How to compute integer sums that never exceed `bound` in magnitude.

    >>> exact(2**53 - 1).compute, exact(2**53).compute, exact(2**63).compute
    (dtype('float64'), dtype('int64'), dtype('O'))
    """
    if bound < 2**53:
        return Arithmetic(FLOAT64, INT64)
    if bound < 2**63:
        return Arithmetic(INT64, INT64)
    return Arithmetic(OBJECT, OBJECT)


def jointly(*ways: Arithmetic) -> Arithmetic:
    """The one of several ways to compute that is exact wherever any of them is.

    >>> jointly(exact(2**60), exact(9)).compute
    dtype('int64')
    """
    order = [FLOAT64, INT64, OBJECT]
    return max(ways, key=lambda how: order.index(how.compute) if how.output.kind in "iO" else 0)


def narrowed(values: Array, *operands: Array) -> Array:
    """`values` as int64 where exact integers needed Python's own on the way but fit in the end.

    >>> narrowed(numpy.array([2], dtype=object), numpy.zeros(1, "int64")).dtype
    dtype('int64')
    """
    if values.dtype != OBJECT or any(operand.dtype.kind not in "iu" for operand in operands):
        return values
    limits = numpy.iinfo(numpy.int64)
    fits = all(limits.min <= value <= limits.max for value in values.flat)
    return values.astype(INT64) if fits else values

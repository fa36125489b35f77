"""Numbers in, numbers out: how one definition runs on floats, ints, Fractions and symbols.

A definition computes with Python scalars held in object arrays.  Integers are then exact, floats
are computed in double precision and rounded to the result's dtype once, and Fractions and SymPy
expressions pass through unchanged.
"""

from __future__ import annotations

import numpy

from convspec.arguments import Array


def scalars(array: Array) -> Array:
    """The elements as Python scalars, in an object array of the same shape.

    >>> scalars(numpy.array([1, 2], dtype="int8"))[0] * 1000
    1000
    """
    return array.astype(object)


def result(values: Array, *operands: Array, real: bool = False) -> Array:
    """`values` in the dtype the operands call for.

    Objects stay objects; floats take the operands' common float dtype; integers are exact, in
    int64 where they fit and as Python ints where they do not.  `real` marks an operation such as
    an average, whose value on integers is a float64.

    >>> result(numpy.array([2, 3], dtype=object), numpy.zeros(1, "int8")).dtype
    dtype('int64')
    >>> result(numpy.array([0.1], dtype=object), numpy.zeros(1, "float32")).dtype
    dtype('float32')
    """
    dtype = numpy.result_type(*operands)
    if dtype == object:
        return values
    # Not by the common dtype: that of int64 and uint64 is float64.
    if not all(numpy.issubdtype(operand.dtype, numpy.integer) for operand in operands):
        with numpy.errstate(over="ignore"):
            return values.astype(dtype)
    if real:
        return values.astype(numpy.float64)
    limits = numpy.iinfo(numpy.int64)
    fits = all(limits.min <= value <= limits.max for value in values.flat)
    return values.astype(numpy.int64) if fits else values

"""Arrays with every element drawn on its own."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from numpy.typing import DTypeLike

from convspec.arguments import Array, Shape


def arrays(
    shape: Shape, dtype: DTypeLike = "float64", elements: st.SearchStrategy[Any] | None = None
) -> st.SearchStrategy[Array]:
    """Arrays of this shape, every element drawn on its own.

    Without `elements`: integers from -7 to 8, whose sums of products are exact in every dtype
    that holds a few thousand.  There is no fill value: an array that mostly repeats one number
    hides a kernel that is flipped or an axis that is swapped.  Shrinks each element towards 0,
    or to what `elements` shrinks to.

    >>> from hypothesis import find
    >>> find(arrays((2,), "int8"), lambda x: x[1] > 3)
    array([0, 4], dtype=int8)
    """
    if elements is not None:
        return numpy_strategies.arrays(dtype, shape, elements=elements, fill=st.nothing())
    # One draw of bytes is many times faster than one draw an element, and shrinks byte by byte.
    size = prod(shape)
    return st.binary(min_size=size, max_size=size).map(
        partial(_small_integers, shape=shape, dtype=dtype)
    )


def _small_integers(drawn: bytes, *, shape: Shape, dtype: DTypeLike) -> Array:
    """0, 1, -1, 2, ..., -7, 8 for the bytes 0 to 15, and again for the next 16: a byte shrinks
    to the first of its kind when Hypothesis masks its high bits.  Unsigned dtypes keep 0 to 15.
    """
    codes = numpy.frombuffer(drawn, dtype=numpy.uint8).astype(numpy.int64) & 15
    if numpy.dtype(dtype).kind != "u":
        codes = numpy.where(codes % 2, codes + 1, -codes) // 2
    return codes.astype(dtype).reshape(shape)


def integers(shape: Shape, largest: int) -> st.SearchStrategy[Array]:
    """Arrays of int64 from 0 to `largest`, which is below 256, for labels, switches and masks.

    >>> from hypothesis import find
    >>> find(integers((3,), 9), lambda x: x[1] > 5)
    array([0, 6, 0])
    """
    size = prod(shape)
    return st.binary(min_size=size, max_size=size).map(
        lambda drawn: (
            (numpy.frombuffer(drawn, dtype=numpy.uint8) % (largest + 1))
            .astype(numpy.int64)
            .reshape(shape)
        )
    )


def extreme_floats(dtype: DTypeLike = "float64") -> st.SearchStrategy[float]:
    """Elements at the edges of a float dtype, for `calls(operation, elements=...)`.

    Zeros of both signs, subnormals, the smallest normal, neighbours of 1, halves of an ulp, the
    largest, infinities, NaN, and any other value.  Shrinks towards 0.
    """
    info = numpy.finfo(numpy.dtype(dtype))
    edges = [
        float(x)
        for x in (
            0.0,
            1.0,
            1 + info.eps,
            1 - info.epsneg,
            info.eps / 2,
            info.smallest_normal,
            info.smallest_subnormal,
            info.max,
            numpy.inf,
        )
    ]
    signed = [sign * x for x in edges for sign in (1.0, -1.0)]
    width = 8 * numpy.dtype(dtype).itemsize
    return st.sampled_from([*signed, float("nan")]) | st.floats(width=width)  # type: ignore[arg-type]

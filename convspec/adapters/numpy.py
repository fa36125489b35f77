"""NumPy's one-dimensional `numpy.convolve` and `numpy.correlate`."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array

name = "numpy"
version = numpy.__version__
dtypes = ("float64", "float32")


def _check_rank(f: Array, g: Array) -> None:
    if f.ndim > 1 or g.ndim > 1:
        raise NotImplementedError("numpy.convolve and numpy.correlate take one axis")


def convolve(f: Array, g: Array, mode: str = "full") -> Any:
    """`numpy.convolve`, which exchanges its operands where the second is the longer."""
    _check_rank(f, g)
    return numpy.convolve(f, g, mode)  # type: ignore[call-overload]


def correlate(f: Array, g: Array, mode: str = "full") -> Any:
    """`numpy.correlate`."""
    _check_rank(f, g)
    return numpy.correlate(f, g, mode)  # type: ignore[call-overload]

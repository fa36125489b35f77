"""The vectorised twins: every operation of the spec, computed with NumPy and BLAS.

An implementation like any other, with the definitions' signatures, result dtypes and errors, and
checked like any other.  On integers and Fractions a twin equals its definition exactly; floats
are summed in their own precision (16 bits in float32, rounded once), in another order than the
definition's.  Besides its results a call holds at most `blocks.SCRATCH` bytes at a time.

Its `dtypes` are those that NumPy has of its own accord.
"""

from __future__ import annotations

from convspec import __version__ as version
from convspec.fast.convolution import (
    conv,
    conv_vjp,
    convolve,
    convolve_vjp,
    correlate,
    correlate_vjp,
)
from convspec.fast.pooling import (
    average_pool,
    average_pool_vjp,
    max_pool,
    max_pool_vjp,
    max_pool_with_indices,
    max_pool_with_indices_vjp,
)
from convspec.fast.transposed_convolution import conv_transpose, conv_transpose_vjp

name = "convspec.fast"
dtypes = ("float16", "float32", "float64")

__all__ = [
    "average_pool",
    "average_pool_vjp",
    "conv",
    "conv_transpose",
    "conv_transpose_vjp",
    "conv_vjp",
    "convolve",
    "convolve_vjp",
    "correlate",
    "correlate_vjp",
    "dtypes",
    "max_pool",
    "max_pool_vjp",
    "max_pool_with_indices",
    "max_pool_with_indices_vjp",
    "name",
    "version",
]

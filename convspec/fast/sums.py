"""The cotangent of a bias: a sum for each channel."""

from __future__ import annotations

import numpy

from convspec.arguments import Array
from convspec.fast.arithmetic import FLOAT64, INT64, arithmetic, narrowed


def channel_sums(cotangent: Array, bias: Array) -> Array:
    """The sum of `cotangent (N, O, *sizes)` over all but its channels, in the dtype of both.

    >>> channel_sums(numpy.array([[[1, 2], [3, 4]]]), numpy.zeros(2, "int8"))
    array([3, 7])
    """
    how = arithmetic((cotangent,), cotangent[:, 0].size, others=(bias,))
    # NumPy's sums of integers are exact in int64, and need no float64.
    compute = INT64 if (how.compute, how.output) == (FLOAT64, INT64) else how.compute
    axes = (0, *range(2, cotangent.ndim))
    with numpy.errstate(all="ignore"):
        sums = cotangent.sum(axis=axes, dtype=compute).astype(how.output)
    return narrowed(sums, cotangent, bias)

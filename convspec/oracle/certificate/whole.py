"""Whole numbers: whether an array holds nothing else, and how large they are."""

from __future__ import annotations

from math import isfinite

import numpy

from convspec.arguments import Array

# Elements that are looked at together, while they lie in a cache.
LOOKED_AT = 2**17
FIRST = 2**6


def magnitude(array: Array) -> int | None:
    """The largest magnitude of an array of whole numbers, as a Python integer; None for others.

    >>> magnitude(numpy.array([-128, 5], "int8")), magnitude(numpy.array([2.0, 0.5]))
    (128, None)
    """
    if not array.size:
        return 0
    if array.dtype.kind in "iub":
        return max(abs(int(array.max())), abs(int(array.min())))
    flat = array.reshape(-1)
    largest = 0.0
    # Most of what is not whole shows it at once.
    for first in (0, *range(FIRST, flat.size, LOOKED_AT)):
        block = flat[first : first + LOOKED_AT] if first else flat[:FIRST]
        with numpy.errstate(invalid="ignore"):
            if not (numpy.rint(block) == block).all():
                return None
        largest = max(largest, float(block.max()), -float(block.min()))
    return int(largest) if isfinite(largest) else None

"""Of a framework's functions for one, two and three spatial axes, the one that an input needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def by_rank(package: str, functions: Sequence[Any], input: Any) -> Any:
    """The function for the spatial axes of a tensor; for none of them the first, which refuses.

    Raises `NotImplementedError` naming the package where there are more axes than functions.

    >>> import numpy
    >>> by_rank("NumPy", ("one", "two", "three"), numpy.ones((1, 1, 5, 5)))
    'two'
    """
    rank = input.ndim - 2
    if rank > len(functions):
        raise NotImplementedError(f"{package} has at most three spatial axes")
    return functions[max(rank, 1) - 1]

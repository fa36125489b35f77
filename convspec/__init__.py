"""convspec: one definition of convolution, pooling and the operations built on them.

This module is the map of public names; each is imported from its chapter on first use, so that
importing convspec costs almost nothing beyond NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_CHAPTERS = {
    "convolution": (
        "convolve",
        "correlate",
        "conv",
        "convolve_vjp",
        "correlate_vjp",
        "conv_vjp",
    ),
    "transposed_convolution": ("conv_transpose", "conv_transpose_vjp"),
    "pooling": (
        "max_pool",
        "max_pool_with_indices",
        "average_pool",
        "max_pool_vjp",
        "max_pool_with_indices_vjp",
        "average_pool_vjp",
    ),
    "operations": ("OPERATIONS",),
}
_HOME = {name: chapter for chapter, names in _CHAPTERS.items() for name in names}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - the names are strings, computed


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'convspec' has no attribute {name!r}")
    return getattr(import_module(f"convspec.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""SciPy's `scipy.ndimage.convolve` and `correlate` over a zero boundary: mode "same" alone."""

from __future__ import annotations

from typing import Any

import scipy
import scipy.ndimage

from convspec.arguments import Array

name = "ndimage"
version = scipy.__version__
dtypes = ("float64", "float32")


def _check_mode(mode: str) -> None:
    if mode in ("full", "valid"):
        raise NotImplementedError("scipy.ndimage keeps the size of its first operand: mode same")
    if mode != "same":
        raise ValueError(f"mode={mode!r}: must be 'full', 'same' or 'valid'")


def convolve(f: Array, g: Array, mode: str = "full") -> Any:
    """`scipy.ndimage.convolve` with zeros outside, the centre of an even kernel being its own."""
    _check_mode(mode)
    return scipy.ndimage.convolve(f, g, mode="constant", cval=0.0)


def correlate(f: Array, g: Array, mode: str = "full") -> Any:
    """`scipy.ndimage.correlate` with zeros outside."""
    _check_mode(mode)
    return scipy.ndimage.correlate(f, g, mode="constant", cval=0.0)

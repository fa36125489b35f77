"""scikit-image: `measure.block_reduce`, `transform.resize` and `filters.correlate_sparse`.

`block_reduce` cuts an input into blocks that neither overlap nor leave gaps, and fills up the
last one: pooling whose stride is its kernel, rounded up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import skimage
from skimage import filters, measure, transform

from convspec.arguments import Array
from convspec.resize import COORDINATES

name = "skimage"
version = skimage.__version__
dtypes = ("float32", "float64")

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

_ORDERS = {"nearest": 0, "linear": 1}
_MODES = {"same": "constant", "valid": "valid"}


def max_pool(
    input: Array,
    *,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    ceil_mode: bool,
) -> Array:
    """`block_reduce` by `numpy.max`, the last block filled up with minus infinity."""
    _check_blocks(input, kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    return _reduced(input, kernel_size, numpy.max, cval=-numpy.inf)


def average_pool(
    input: Array,
    *,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    ceil_mode: bool,
    count_include_pad: bool,  # noqa: ARG001 - without padding there is none to count
) -> Array:
    """`block_reduce` by `numpy.mean`, the last block filled up with its own zeros."""
    _check_blocks(input, kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    return _reduced(input, kernel_size, numpy.mean)


def upsample(input: Array, *, scale: Ints, kind: str, coordinates: str) -> Any:
    """`resize` with its borders held: the coordinates of half a pixel."""
    if coordinates not in COORDINATES:
        raise ValueError(f"coordinates={coordinates!r}: must be one of {', '.join(COORDINATES)}")
    if kind == "linear" and coordinates != "half_pixel":
        raise NotImplementedError("resize interpolates between the centres of pixels")
    shape = (*input.shape[:2], *map(int.__mul__, input.shape[2:], scale))
    return transform.resize(
        input, shape, order=_ORDERS[kind], mode="edge", preserve_range=True, anti_aliasing=False
    )


def correlate(f: Array, g: Array, mode: str = "full") -> Any:
    """`correlate_sparse`, with zeros outside for mode same."""
    if mode == "full":
        raise NotImplementedError("correlate_sparse has the modes same and valid")
    if mode not in _MODES:
        raise ValueError(f"mode={mode!r}: must be 'full', 'same' or 'valid'")
    if mode == "same" and any(size % 2 == 0 for size in g.shape):
        raise NotImplementedError("correlate_sparse centres kernels of odd sizes alone")
    if mode == "valid" and any(map(int.__lt__, f.shape, g.shape)):
        raise NotImplementedError("correlate_sparse wants a kernel inside its image")
    return filters.correlate_sparse(f, g, _MODES[mode])


def _check_blocks(
    input: Array,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    *,
    ceil_mode: bool,
) -> None:
    if tuple(stride) != tuple(kernel_size):
        raise NotImplementedError("blocks neither overlap nor leave gaps: the stride is the kernel")
    if numpy.any(padding) or any(step != 1 for step in dilation):
        raise NotImplementedError("block_reduce has neither padding nor dilation")
    partial = any(n % k for n, k in zip(input.shape[2:], kernel_size, strict=True))
    if partial and not ceil_mode:
        raise NotImplementedError("block_reduce fills up the last block: ceil_mode")


def _reduced(input: Array, kernel_size: Ints, by: Callable[..., Any], **filling: Any) -> Array:
    reduced: Array = measure.block_reduce(input, (1, 1, *kernel_size), by, **filling)
    return reduced

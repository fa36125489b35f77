"""PyTorch's layers beyond convolution and pooling, and those of its poolings with other windows.

Each is a function of tensors, offered forward and, by `torch.autograd`, backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import torch
from torch.nn import functional

from convspec.adapters import torch_tensors
from convspec.adapters.both_ways import both_ways

Ints = Sequence[int]
Function = Callable[..., Any]

_CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
_LP_POOL = (functional.lp_pool1d, functional.lp_pool2d, functional.lp_pool3d)
_UNPOOL = (functional.max_unpool1d, functional.max_unpool2d, functional.max_unpool3d)
_ADAPTIVE_MAX = (
    functional.adaptive_max_pool1d,
    functional.adaptive_max_pool2d,
    functional.adaptive_max_pool3d,
)
_ADAPTIVE_AVERAGE = (
    functional.adaptive_avg_pool1d,
    functional.adaptive_avg_pool2d,
    functional.adaptive_avg_pool3d,
)
_LINEAR = ("linear", "bilinear", "trilinear")

_both_ways = partial(both_ways, torch_tensors)


def _of_rank(functions: Sequence[Function], input: Any) -> Function:
    rank = input.ndim - 2
    if not 1 <= rank <= len(functions):
        raise NotImplementedError(f"PyTorch has none for {rank} spatial axes")
    chosen: Function = functions[rank - 1]
    return chosen


def _depthwise(
    input: Any, weight: Any, bias: Any = None, *, padding: Any, **attributes: Any
) -> Any:
    if any(low != high for low, high in padding):
        raise NotImplementedError("PyTorch has one padding for both sides of an axis")
    amounts = tuple(low for low, _ in padding)
    conv = _of_rank(_CONV, input)
    return conv(input, weight, bias, padding=amounts, groups=input.shape[1], **attributes)


def _lp_pool(
    input: Any, *, p: float, kernel_size: Ints, padding: Any, dilation: Ints, **attributes: Any
) -> Any:
    if any(low or high for low, high in padding) or any(step != 1 for step in dilation):
        raise NotImplementedError("PyTorch's norms have neither padding nor dilation")
    stride = attributes.pop("stride")
    if len(stride) != len(kernel_size):
        raise ValueError(f"stride={stride}: kernel_size={kernel_size} has another number of axes")
    pool = _of_rank(_LP_POOL, input)
    if len(kernel_size) == 1:  # which takes no sequences
        return pool(input, p, kernel_size[0], stride[0], **attributes)
    return pool(input, p, kernel_size, stride, **attributes)


def _max_unpool(values: Any, indices: Any, *, output_size: Ints) -> Any:
    """Through a kernel and a stride that lead to about this size: PyTorch asks for them."""
    strides = [max(1, o // n) for o, n in zip(output_size, values.shape[2:], strict=True)]
    axes = zip(output_size, values.shape[2:], strides, strict=True)
    if any(abs(o - n * s) >= s for o, n, s in axes):
        raise NotImplementedError("PyTorch unpools to about a multiple of the size alone")
    unpool = _of_rank(_UNPOOL, values)
    return unpool(values, indices, strides, strides, 0, [*values.shape[:2], *output_size])


def _adaptive(functions: Sequence[Function]) -> Function:
    return lambda input, *, output_size: _of_rank(functions, input)(input, output_size)


def _upsample(input: Any, *, scale: Ints, kind: str, coordinates: str) -> Any:
    size = [n * s for n, s in zip(input.shape[2:], scale, strict=True)]
    if coordinates not in ("half_pixel", "asymmetric", "align_corners"):
        raise ValueError(f"coordinates={coordinates!r} mean nothing to PyTorch")
    if kind == "nearest":
        return functional.interpolate(input, size, mode="nearest")
    if kind == "linear" and coordinates == "asymmetric":
        raise NotImplementedError("PyTorch's coordinates are half_pixel or align_corners")
    mode = _LINEAR[input.ndim - 3] if kind == "linear" else kind
    corners = coordinates == "align_corners"
    return functional.interpolate(input, size, mode=mode, align_corners=corners)


def _pixel_shuffle(input: Any, *, factor: Ints) -> Any:
    if len(factor) != 2 or len(set(factor)) != 1:
        raise NotImplementedError("PyTorch shuffles planes, by one factor for both axes")
    if factor[0] ** 2 > input.shape[1]:
        raise ValueError(f"factor={factor}: {input.shape[1]} channels are no multiple")
    return functional.pixel_shuffle(input, factor[0])


def _batch_norm(
    input: Any, mean: Any, variance: Any, scale: Any, shift: Any, *, epsilon: float
) -> Any:
    return functional.batch_norm(input, mean, variance, scale, shift, eps=epsilon)


def _response(input: Any, *, size: int, alpha: float, beta: float, k: float) -> Any:
    if input.ndim < 3:
        raise NotImplementedError("PyTorch asks for a spatial axis")
    return functional.local_response_norm(input, size, alpha, beta, k)


def _flatten(input: Any) -> Any:
    return input.reshape(len(input), prod(input.shape[1:])) if not len(input) else input.flatten(1)


depthwise_conv, depthwise_conv_vjp = _both_ways(_depthwise)
lp_pool, lp_pool_vjp = _both_ways(_lp_pool)
max_unpool, max_unpool_vjp = _both_ways(_max_unpool, discrete=1)
adaptive_max_pool, adaptive_max_pool_vjp = _both_ways(_adaptive(_ADAPTIVE_MAX))
adaptive_average_pool, adaptive_average_pool_vjp = _both_ways(_adaptive(_ADAPTIVE_AVERAGE))
upsample, upsample_vjp = _both_ways(_upsample)
pixel_shuffle, pixel_shuffle_vjp = _both_ways(_pixel_shuffle)
linear, linear_vjp = _both_ways(functional.linear)
flatten, flatten_vjp = _both_ways(_flatten)
relu, relu_vjp = _both_ways(torch.relu)
sigmoid, sigmoid_vjp = _both_ways(torch.sigmoid)
tanh, tanh_vjp = _both_ways(torch.tanh)
softmax, softmax_vjp = _both_ways(lambda input, *, axis: torch.softmax(input, axis))
cross_entropy, cross_entropy_vjp = _both_ways(functional.cross_entropy, discrete=1)
# Nothing is passed back to running statistics, so that there is no gradient of all operands.
batch_norm, _ = _both_ways(_batch_norm)
local_response_normalization, local_response_normalization_vjp = _both_ways(_response)

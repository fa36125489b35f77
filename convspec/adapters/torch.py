"""PyTorch: `torch.nn.functional`, and `torch.autograd` for the derivatives.

Arrays are shared with PyTorch, not copied, wherever it can hold their strides.  Global settings
(threads, determinism, precision) are left as the user has them.  `torch` computes on the CPU,
`torch:cuda` and the like on the device that PyTorch calls so.  NumPy has bfloat16 from the
package ml_dtypes; where that is missing, so is the dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from importlib.util import find_spec
from sys import modules
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import functional

from convspec.adapters.ranks import by_rank
from convspec.adapters.torch_layers import (
    adaptive_average_pool,
    adaptive_average_pool_vjp,
    adaptive_max_pool,
    adaptive_max_pool_vjp,
    batch_norm,
    cross_entropy,
    cross_entropy_vjp,
    depthwise_conv,
    depthwise_conv_vjp,
    flatten,
    flatten_vjp,
    linear,
    linear_vjp,
    local_response_normalization,
    local_response_normalization_vjp,
    lp_pool,
    lp_pool_vjp,
    max_unpool,
    max_unpool_vjp,
    pixel_shuffle,
    pixel_shuffle_vjp,
    relu,
    relu_vjp,
    sigmoid,
    sigmoid_vjp,
    softmax,
    softmax_vjp,
    tanh,
    tanh_vjp,
    upsample,
    upsample_vjp,
)
from convspec.adapters.torch_tensors import as_array, gradients, leaves, tensors
from convspec.arguments import Array
from convspec.oracle.target import operations_offered

name = "torch"
version = torch.__version__
dtypes = ("float64", "float32", "float16", *(("bfloat16",) if find_spec("ml_dtypes") else ()))
isolate = True

__all__ = [
    "adaptive_average_pool",
    "adaptive_average_pool_vjp",
    "adaptive_max_pool",
    "adaptive_max_pool_vjp",
    "average_pool",
    "average_pool_vjp",
    "batch_norm",
    "conv",
    "conv_transpose",
    "conv_transpose_vjp",
    "conv_vjp",
    "cross_entropy",
    "cross_entropy_vjp",
    "depthwise_conv",
    "depthwise_conv_vjp",
    "dtypes",
    "flatten",
    "flatten_vjp",
    "isolate",
    "linear",
    "linear_vjp",
    "local_response_normalization",
    "local_response_normalization_vjp",
    "lp_pool",
    "lp_pool_vjp",
    "max_pool",
    "max_pool_vjp",
    "max_pool_with_indices",
    "max_pool_with_indices_vjp",
    "max_unpool",
    "max_unpool_vjp",
    "name",
    "pixel_shuffle",
    "pixel_shuffle_vjp",
    "relu",
    "relu_vjp",
    "sigmoid",
    "sigmoid_vjp",
    "softmax",
    "softmax_vjp",
    "tanh",
    "tanh_vjp",
    "upsample",
    "upsample_vjp",
    "version",
]

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

_CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
_CONV_TRANSPOSE = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)
_MAX_POOL = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_AVERAGE_POOL = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)

_by_rank = partial(by_rank, "PyTorch")


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`conv1d`, `conv2d` or `conv3d`; after `pad` where the sides of an axis differ."""
    return as_array(_conv(*tensors(input, weight, bias), **attributes))


def conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv`."""
    given = leaves(input, weight, bias)
    return gradients(cotangent, _conv(*given, **attributes), given)


def conv_transpose(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`conv_transpose1d`, `conv_transpose2d` or `conv_transpose3d`."""
    return as_array(_conv_transpose(*tensors(input, weight, bias), **attributes))


def conv_transpose_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv_transpose`."""
    given = leaves(input, weight, bias)
    return gradients(cotangent, _conv_transpose(*given, **attributes), given)


def max_pool(input: Array, **attributes: Any) -> Array:
    """`max_pool1d`, `max_pool2d` or `max_pool3d`."""
    return as_array(_max_pool(*tensors(input), **attributes))


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `max_pool`."""
    given = leaves(input)
    return gradients(cotangent, _max_pool(*given, **attributes), given)


def max_pool_with_indices(input: Array, **attributes: Any) -> tuple[Array, Array]:
    """`max_pool` with `return_indices=True`."""
    values, indices = _max_pool(*tensors(input), return_indices=True, **attributes)
    return as_array(values), as_array(indices)


def max_pool_with_indices_vjp(
    cotangent: Array, input: Array, **attributes: Any
) -> tuple[Array, ...]:
    """The gradient of the values of `max_pool_with_indices`."""
    given = leaves(input)
    values, _ = _max_pool(*given, return_indices=True, **attributes)
    return gradients(cotangent, values, given)


def average_pool(input: Array, **attributes: Any) -> Array:
    """`avg_pool1d`, `avg_pool2d` or `avg_pool3d`."""
    return as_array(_average_pool(*tensors(input), **attributes))


def average_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `average_pool`."""
    given = leaves(input)
    return gradients(cotangent, _average_pool(*given, **attributes), given)


def __getattr__(name: str) -> SimpleNamespace:
    """The same functions on another device, by the name of its type."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise AttributeError(f"module {__name__} has no attribute {name}") from None
    torch.empty(1, device=device)  # raises where there is no such device
    module = modules[__name__]
    offered = {name: _on(device, getattr(module, name)) for name in operations_offered(module)}
    return SimpleNamespace(
        name=f"torch:{name}", version=version, dtypes=dtypes, isolate=isolate, **offered
    )


def _on(device: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def there(*arrays: Any, **attributes: Any) -> Any:
        with device:
            return function(*arrays, **attributes)

    return there


def _conv(
    input: Any, *parameters: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Any:
    amounts = tuple(map(min, padding))
    # Unequal sides are what a user pads first.  Negative ones `pad` would crop: conv refuses them.
    if any(low != high for low, high in padding) and min(amounts) >= 0:
        input = functional.pad(input, [side for pair in reversed(padding) for side in pair])
        amounts = (0,) * len(padding)
    return _by_rank(_CONV, input)(
        input, *parameters, stride=stride, padding=amounts, dilation=dilation, groups=groups
    )


def _conv_transpose(input: Any, *parameters: Any, padding: Pairs, **attributes: Any) -> Any:
    return _by_rank(_CONV_TRANSPOSE, input)(
        input, *parameters, padding=_one_for_both_sides(padding), **attributes
    )


def _max_pool(input: Any, *, kernel_size: Ints, padding: Pairs, **attributes: Any) -> Any:
    return _by_rank(_MAX_POOL, input)(
        input, kernel_size, padding=_half_at_most(kernel_size, padding), **attributes
    )


def _average_pool(
    input: Any, *, kernel_size: Ints, padding: Pairs, dilation: Ints, **attributes: Any
) -> Any:
    if any(step != 1 for step in dilation):
        raise NotImplementedError("PyTorch's average pools have no dilation")
    return _by_rank(_AVERAGE_POOL, input)(
        input, kernel_size, padding=_half_at_most(kernel_size, padding), **attributes
    )


def _one_for_both_sides(padding: Pairs) -> tuple[int, ...]:
    if any(low != high for low, high in padding):
        raise NotImplementedError("PyTorch has one padding for both sides of an axis")
    return tuple(low for low, _ in padding)


def _half_at_most(kernel_size: Ints, padding: Pairs) -> tuple[int, ...]:
    amounts = _one_for_both_sides(padding)
    if any(2 * amount > size for amount, size in zip(amounts, kernel_size, strict=True)):
        raise NotImplementedError("PyTorch pads a pool by at most half of its kernel")
    return amounts

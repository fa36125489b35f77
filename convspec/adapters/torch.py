"""PyTorch: `torch.nn.functional`, and `torch.autograd` for the derivatives.

Arrays are shared with PyTorch, not copied, wherever it can hold their strides.  Global settings
(threads, determinism, precision) are left as the user has them.  `torch` computes on the CPU,
`torch:cuda` and the like on the device that PyTorch calls so.  NumPy has bfloat16 from the
package ml_dtypes; where that is missing, so is the dtype.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.util import find_spec
from sys import modules
from types import SimpleNamespace
from typing import Any

import numpy
import torch
from torch.nn import functional

from convspec.arguments import Array
from convspec.oracle.target import operations_offered

name = "torch"
version = torch.__version__
dtypes = ("float64", "float32", "float16", *(("bfloat16",) if find_spec("ml_dtypes") else ()))
isolate = True

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

# PyTorch warns once in a process about arrays that must not be written to.  Nothing here writes.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.from_numpy(numpy.frombuffer(b"\0", dtype=numpy.uint8))


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`conv1d`, `conv2d` or `conv3d`; after `pad` where the sides of an axis differ."""
    return _array(_conv(*_tensors(input, weight, bias), **attributes))


def conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv`."""
    leaves = _leaves(input, weight, bias)
    return _gradients(cotangent, _conv(*leaves, **attributes), leaves)


def conv_transpose(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`conv_transpose1d`, `conv_transpose2d` or `conv_transpose3d`."""
    return _array(_conv_transpose(*_tensors(input, weight, bias), **attributes))


def conv_transpose_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv_transpose`."""
    leaves = _leaves(input, weight, bias)
    return _gradients(cotangent, _conv_transpose(*leaves, **attributes), leaves)


def max_pool(input: Array, **attributes: Any) -> Array:
    """`max_pool1d`, `max_pool2d` or `max_pool3d`."""
    return _array(_max_pool(*_tensors(input), **attributes))


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `max_pool`."""
    leaves = _leaves(input)
    return _gradients(cotangent, _max_pool(*leaves, **attributes), leaves)


def max_pool_with_indices(input: Array, **attributes: Any) -> tuple[Array, Array]:
    """`max_pool` with `return_indices=True`."""
    values, indices = _max_pool(*_tensors(input), return_indices=True, **attributes)
    return _array(values), _array(indices)


def max_pool_with_indices_vjp(
    cotangent: Array, input: Array, **attributes: Any
) -> tuple[Array, ...]:
    """The gradient of the values of `max_pool_with_indices`."""
    leaves = _leaves(input)
    values, _ = _max_pool(*leaves, return_indices=True, **attributes)
    return _gradients(cotangent, values, leaves)


def average_pool(input: Array, **attributes: Any) -> Array:
    """`avg_pool1d`, `avg_pool2d` or `avg_pool3d`."""
    return _array(_average_pool(*_tensors(input), **attributes))


def average_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `average_pool`."""
    leaves = _leaves(input)
    return _gradients(cotangent, _average_pool(*leaves, **attributes), leaves)


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


def _by_rank(functions: Sequence[Any], input: Any) -> Any:
    rank = input.ndim - 2
    if rank > len(functions):
        raise NotImplementedError("PyTorch has at most three spatial axes")
    return functions[max(rank, 1) - 1]


def _one_for_both_sides(padding: Pairs) -> tuple[int, ...]:
    if any(low != high for low, high in padding):
        raise NotImplementedError("PyTorch has one padding for both sides of an axis")
    return tuple(low for low, _ in padding)


def _half_at_most(kernel_size: Ints, padding: Pairs) -> tuple[int, ...]:
    amounts = _one_for_both_sides(padding)
    if any(2 * amount > size for amount, size in zip(amounts, kernel_size, strict=True)):
        raise NotImplementedError("PyTorch pads a pool by at most half of its kernel")
    return amounts


def _tensor(array: Array) -> Any:
    if array.dtype.name == "bfloat16":  # which PyTorch and NumPy exchange as bits alone
        return _tensor(array.view(numpy.int16)).view(torch.bfloat16)
    try:
        shared = torch.from_numpy(array)
    except ValueError:  # strides that are negative or no multiple of the item size
        shared = torch.from_numpy(array.copy())
    return shared.to(torch.get_default_device())


def _tensors(*arrays: Array | None) -> list[Any]:
    return [_tensor(array) for array in arrays if array is not None]


def _leaves(*arrays: Array | None) -> list[Any]:
    return [_tensor(array).requires_grad_() for array in arrays if array is not None]


def _gradients(cotangent: Array, output: Any, leaves: Sequence[Any]) -> tuple[Array, ...]:
    return tuple(map(_array, torch.autograd.grad(output, leaves, _tensor(cotangent))))


def _array(tensor: Any) -> Array:
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return _array(tensor.view(torch.int16)).view(ml_dtypes.bfloat16)
    array: Array = tensor.cpu().numpy()
    return array

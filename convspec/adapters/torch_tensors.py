"""Arrays and tensors of PyTorch, on the same memory wherever it can hold the strides."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy
import torch

from convspec.arguments import Array

# PyTorch warns once in a process about arrays that must not be written to.  Nothing here writes.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.from_numpy(numpy.frombuffer(b"\0", dtype=numpy.uint8))


def tensor(array: Array) -> Any:
    """An array as a tensor, on the same memory where its strides allow."""
    if array.dtype.kind == "V":  # bfloat16, which PyTorch and NumPy exchange as bits alone
        return tensor(array.view(numpy.int16)).view(torch.bfloat16)
    try:
        shared = torch.from_numpy(array)
    except ValueError:  # strides that are negative or no multiple of the item size
        shared = torch.from_numpy(array.copy())
    return shared.to(torch.get_default_device())


def tensors(*arrays: Array | None) -> list[Any]:
    """Those arrays that are there, as tensors."""
    return [tensor(array) for array in arrays if array is not None]


def leaves(*arrays: Array | None) -> list[Any]:
    """Those arrays that are there, as tensors whose gradient can be asked for."""
    return [tensor(array).requires_grad_() for array in arrays if array is not None]


def gradients(cotangent: Array, output: Any, given: Sequence[Any]) -> tuple[Array, ...]:
    """The gradients of what was computed from some leaves."""
    return tuple(map(as_array, torch.autograd.grad(output, given, tensor(cotangent))))


def as_array(result: Any) -> Array:
    """A tensor as an array, on the same memory."""
    if result.dtype == torch.bfloat16:
        import ml_dtypes

        return as_array(result.view(torch.int16)).view(ml_dtypes.bfloat16)
    array: Array = result.cpu().numpy()
    return array

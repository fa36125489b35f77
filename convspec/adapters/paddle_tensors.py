"""Arrays and tensors of PaddlePaddle, on the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy

from convspec.arguments import Array

# PaddlePaddle says what it would need to compile extensions.  Nothing here compiles any.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
    from paddle.nn import functional

__all__ = ["as_array", "functional", "gradients", "leaves", "paddle", "tensor", "tensors"]


def tensor(array: Array) -> Any:
    """An array as a tensor, copied."""
    return paddle.to_tensor(array, place=paddle.CPUPlace())


def tensors(*arrays: Array | None) -> list[Any]:
    """Those arrays that are there, as tensors."""
    return [tensor(array) for array in arrays if array is not None]


def leaves(*arrays: Array | None) -> list[Any]:
    """Those arrays that are there, as tensors whose gradient can be asked for."""
    made = tensors(*arrays)
    for leaf in made:
        leaf.stop_gradient = False
    return made


def gradients(cotangent: Array, output: Any, given: Sequence[Any]) -> tuple[Array, ...]:
    """The gradients of what was computed from some leaves."""
    return tuple(map(as_array, paddle.grad(output, given, tensor(cotangent))))


def as_array(result: Any) -> Array:
    """A tensor as an array."""
    array: Array = numpy.asarray(result.numpy())
    return array

"""PaddlePaddle on the CPU: `paddle.nn.functional`, and `paddle.grad` for the derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from convspec.adapters import paddle_tensors
from convspec.adapters.both_ways import both_ways
from convspec.adapters.paddle_tensors import as_array, functional, gradients, leaves, paddle
from convspec.adapters.ranks import by_rank
from convspec.arguments import Array

name = "paddle"
version = paddle.__version__
dtypes = ("float32", "float64")
isolate = True

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

_CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
_CONV_TRANSPOSE = (
    functional.conv1d_transpose,
    functional.conv2d_transpose,
    functional.conv3d_transpose,
)
_MAX_POOL = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_AVERAGE_POOL = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)

_by_rank = partial(by_rank, "PaddlePaddle")
_both_ways = partial(both_ways, paddle_tensors)


def _conv(input: Any, *parameters: Any, padding: Pairs, **attributes: Any) -> Any:
    return _by_rank(_CONV, input)(input, *parameters, padding=_sides(padding), **attributes)


def _conv_transpose(input: Any, *parameters: Any, padding: Pairs, **attributes: Any) -> Any:
    return _by_rank(_CONV_TRANSPOSE, input)(
        input, *parameters, padding=_sides(padding), **attributes
    )


def _max_pool(input: Any, *, padding: Pairs, dilation: Ints, **attributes: Any) -> Any:
    _undilated(dilation)
    return _by_rank(_MAX_POOL, input)(input, padding=_sides(padding), **attributes)


def _max_pool_with_indices(input: Any, **attributes: Any) -> Any:
    return _max_pool(input, return_mask=True, **attributes)


def _average_pool(
    input: Any, *, padding: Pairs, dilation: Ints, count_include_pad: bool, **attributes: Any
) -> Any:
    _undilated(dilation)
    return _by_rank(_AVERAGE_POOL, input)(
        input, padding=_sides(padding), exclusive=not count_include_pad, **attributes
    )


def _sides(padding: Pairs) -> list[int]:
    """The low and the high padding of each axis, one after another."""
    return [side for pair in padding for side in pair]


def _undilated(dilation: Ints) -> None:
    if any(step != 1 for step in dilation):
        raise NotImplementedError("PaddlePaddle's pools have no dilation")


conv, conv_vjp = _both_ways(_conv)
conv_transpose, conv_transpose_vjp = _both_ways(_conv_transpose)
max_pool, max_pool_vjp = _both_ways(_max_pool)
max_pool_with_indices, _ = _both_ways(_max_pool_with_indices)
average_pool, average_pool_vjp = _both_ways(_average_pool)


def max_pool_with_indices_vjp(
    cotangent: Array, input: Array, **attributes: Any
) -> tuple[Array, ...]:
    """Stop what would harm this process: PaddlePaddle adds every element of the cotangent at an
    index, before the beginning of the array where that is -1, for a window without a maximum, and
    anywhere where the cotangent has more elements than there are indices.
    """
    given = leaves(input)
    values, found = _max_pool_with_indices(*given, **attributes)
    indices = as_array(found)
    if indices.shape != cotangent.shape or (indices < 0).any():
        raise ValueError(
            f"a cotangent of shape {cotangent.shape} for indices {indices.tolist()}: "
            "PaddlePaddle would write beyond its memory"
        )
    return gradients(cotangent, values, given)

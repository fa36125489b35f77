"""MLX on the CPU: `mlx.core`, the pools of `mlx.nn`, and `mlx.core.vjp` for the derivatives.

MLX has the channels last, and computes where a result is asked for.  NumPy has bfloat16 from the
package ml_dtypes; where that is missing, so is the dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version as installed
from importlib.util import find_spec
from typing import Any

import mlx.core as mx
import numpy
from mlx import nn

from convspec.arguments import Array

mx.set_default_device(mx.cpu)  # float64 is there alone

name = "mlx"
version = installed("mlx")
dtypes = ("float32", "float64", "float16", *(("bfloat16",) if find_spec("ml_dtypes") else ()))
isolate = True

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

_CONV_TRANSPOSE = (mx.conv_transpose1d, mx.conv_transpose2d, mx.conv_transpose3d)
_MAX_POOL = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVERAGE_POOL = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
# How it says that it has no groups in three dimensions, and no convolution in float64.
_LACKING = ("Can only handle groups != 1", "got unsupported data type")


def convolve(f: Array, g: Array, mode: str = "full") -> Array:
    """`mlx.core.convolve`."""
    if f.ndim != 1 or g.ndim != 1:
        raise NotImplementedError("mlx.core.convolve takes one axis")
    return _array(mx.convolve(_tensor(f), _tensor(g), mode=mode), f.dtype)


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`mlx.core.conv_general`, and the bias added to it."""
    operands = _channels_last(input, weight, bias, outputs=0)
    return _second(_forward(_conv, operands, attributes), input.dtype)


def conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv`."""
    operands = _channels_last(input, weight, bias, outputs=0)
    d_input, d_weight, *d_bias = _gradients(_conv, cotangent, operands, attributes)
    moved = numpy.moveaxis(_array(d_weight, input.dtype), (0, -1), (0, 1))
    return _second(d_input, input.dtype), moved, *(_array(b, input.dtype) for b in d_bias)


def conv_transpose(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`mlx.core.conv_transpose1d`, `conv_transpose2d` or `conv_transpose3d`, then the bias."""
    operands = _channels_last(input, weight, bias, outputs=1)
    return _second(_forward(_conv_transpose, operands, attributes), input.dtype)


def conv_transpose_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv_transpose`."""
    operands = _channels_last(input, weight, bias, outputs=1)
    d_input, d_weight, *d_bias = _gradients(_conv_transpose, cotangent, operands, attributes)
    moved = numpy.moveaxis(_array(d_weight, input.dtype), (0, -1), (1, 0))
    return _second(d_input, input.dtype), moved, *(_array(b, input.dtype) for b in d_bias)


def max_pool(input: Array, **attributes: Any) -> Array:
    """`mlx.nn.MaxPool1d`, `MaxPool2d` or `MaxPool3d`."""
    return _second(_forward(_max_pool, [_last(input)], attributes), input.dtype)


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `max_pool`."""
    (found,) = _gradients(_max_pool, cotangent, [_last(input)], attributes)
    return (_second(found, input.dtype),)


def average_pool(input: Array, **attributes: Any) -> Array:
    """`mlx.nn.AvgPool1d`, `AvgPool2d` or `AvgPool3d`."""
    return _second(_forward(_average_pool, [_last(input)], attributes), input.dtype)


def average_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `average_pool`."""
    (found,) = _gradients(_average_pool, cotangent, [_last(input)], attributes)
    return (_second(found, input.dtype),)


def _conv(
    input: Any,
    weight: Any,
    *bias: Any,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    groups: int,
) -> Any:
    sides = ([low for low, _ in padding], [high for _, high in padding])
    output = mx.conv_general(
        input,
        weight,
        stride=list(stride),
        padding=sides,
        kernel_dilation=list(dilation),
        groups=groups,
    )
    return _biased(output, *bias)


def _conv_transpose(
    input: Any,
    weight: Any,
    *bias: Any,
    stride: Ints,
    padding: Pairs,
    groups: int,
    **attributes: Any,
) -> Any:
    if groups != 1:
        raise NotImplementedError("MLX's transposed convolutions have no groups")
    function = _by_rank(_CONV_TRANSPOSE, stride)
    given = _plain({"stride": stride, "padding": _one_for_both_sides(padding), **attributes})
    return _biased(function(input, weight, **given), *bias)


def _max_pool(input: Any, **window: Any) -> Any:
    return _pooled(_MAX_POOL, input, **window)


def _average_pool(input: Any, *, count_include_pad: bool, padding: Pairs, **window: Any) -> Any:
    if any(map(any, padding)) and not count_include_pad:
        raise NotImplementedError("MLX's average pools count their padding")
    return _pooled(_AVERAGE_POOL, input, padding=padding, **window)


def _pooled(
    pools: Sequence[Callable[..., Any]],
    input: Any,
    *,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    ceil_mode: bool,
) -> Any:
    if ceil_mode or any(step != 1 for step in dilation):
        raise NotImplementedError("MLX's pools have neither ceil mode nor dilation")
    window = {
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": _one_for_both_sides(padding),
    }
    return _by_rank(pools, kernel_size)(**_plain(window))(input)


def _biased(output: Any, bias: Any = None) -> Any:
    # One element for each channel: addition alone would also repeat a single one.
    return output if bias is None else output + bias.reshape(output.shape[-1:])


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes as MLX takes them: of one axis it takes an int, and no tuple."""
    return {
        key: value[0] if isinstance(value, tuple) and len(value) == 1 else value
        for key, value in attributes.items()
    }


def _one_for_both_sides(padding: Pairs) -> tuple[int, ...]:
    if any(low != high for low, high in padding):
        raise NotImplementedError("MLX has one padding for both sides of an axis")
    return tuple(low for low, _ in padding)


def _by_rank(functions: Sequence[Any], axes: Ints) -> Any:
    if len(axes) > len(functions):
        raise NotImplementedError("MLX has at most three spatial axes")
    return functions[len(axes) - 1]


def _forward(function: Callable[..., Any], operands: list[Any], attributes: Any) -> Any:
    return _evaluated(lambda: function(*operands, **attributes))


def _gradients(
    function: Callable[..., Any], cotangent: Array, operands: list[Any], attributes: Any
) -> list[Any]:
    called = partial(function, **attributes)
    found: list[Any] = _evaluated(lambda: mx.vjp(called, operands, [_last(cotangent)])[1])
    return found


def _evaluated(lazy: Callable[[], Any]) -> Any:
    try:
        found = lazy()
        mx.eval(found)
    except ValueError as error:
        if any(said in str(error) for said in _LACKING):
            raise NotImplementedError("MLX has no kernel for this type or grouping") from error
        raise
    return found


def _channels_last(input: Array, weight: Array, bias: Array | None, *, outputs: int) -> list[Any]:
    """Tensors of the operands; the outputs are along the axis `outputs` of the weight."""
    moved = numpy.moveaxis(weight, (outputs, 1 - outputs), (0, -1))
    return [_last(input), _tensor(moved), *([] if bias is None else [_tensor(bias)])]


def _last(array: Array) -> Any:
    return _tensor(numpy.moveaxis(array, 1, -1))


def _second(found: Any, dtype: Any) -> Array:
    return numpy.moveaxis(_array(found, dtype), -1, 1)


def _tensor(array: Array) -> Any:
    if array.dtype.name == "bfloat16":  # which float32 holds
        return mx.array(array.astype(numpy.float32)).astype(mx.bfloat16)
    # MLX takes no negative strides, and makes float64 float32 unless it is asked for.
    return mx.array(array.copy(), dtype=getattr(mx, array.dtype.name))


def _array(found: Any, dtype: Any) -> Array:
    if found.dtype == mx.bfloat16:
        return numpy.array(found.astype(mx.float32)).astype(dtype)
    return numpy.array(found)

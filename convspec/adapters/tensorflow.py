"""TensorFlow on the CPU: `tf.nn`, and `tf.GradientTape` for the derivatives.

TensorFlow's CPU kernels have the channels last, and most have no padding of their own but the two
words: `tf.pad` comes first wherever padding takes no part in the result.  A call for which it says
that it has no kernel is unsupported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy

# What it logs about itself; what goes wrong is raised.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from convspec.arguments import Array

name = "tensorflow"
version = tf.__version__
dtypes = ("float64", "float32", "float16", "bfloat16")
isolate = True

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

# How it says that it has no kernel for a type, for groups, for dilation.
_LACKING = (
    "Could not find device for node",
    "is not in the list of allowed values",
    "not supported on CPU",
    "do not yet support dilation",
)

_LAYOUTS = ("NWC", "NHWC", "NDHWC")
_CONV_TRANSPOSE = (tf.nn.conv1d_transpose, tf.nn.conv2d_transpose, tf.nn.conv3d_transpose)
_MAX_POOL = (tf.nn.max_pool1d, tf.nn.max_pool2d, tf.nn.max_pool3d)
_AVERAGE_POOL = (tf.nn.avg_pool1d, tf.nn.avg_pool2d, tf.nn.avg_pool3d)


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`tf.nn.convolution` after `tf.pad`, then `tf.nn.bias_add`."""
    return _channels_second(_called(_conv, _channels_last(input, weight, bias), attributes))


def conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv`."""
    operands = _channels_last(input, weight, bias)
    return _operands_back(*_gradients(_conv, cotangent, operands, attributes))


def conv_transpose(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`tf.nn.conv1d_transpose`, `conv2d_transpose` or `conv3d_transpose`, then `bias_add`."""
    operands = _channels_last(input, weight, bias)
    return _channels_second(_called(_conv_transpose, operands, attributes))


def conv_transpose_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv_transpose`."""
    operands = _channels_last(input, weight, bias)
    return _operands_back(*_gradients(_conv_transpose, cotangent, operands, attributes))


def max_pool(input: Array, **attributes: Any) -> Array:
    """`tf.nn.max_pool1d`, `max_pool2d` or `max_pool3d`; `tf.nn.pool` where there is dilation."""
    return _channels_second(_called(_max_pool, [tf.constant(_last(input))], attributes))


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `max_pool`."""
    (found,) = _gradients(_max_pool, cotangent, [_last(input)], attributes)
    return (_channels_second(found),)


def average_pool(input: Array, **attributes: Any) -> Array:
    """`tf.nn.avg_pool1d`, `avg_pool2d` or `avg_pool3d`; `tf.nn.pool` where there is dilation."""
    return _channels_second(_called(_average_pool, [tf.constant(_last(input))], attributes))


def average_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `average_pool`."""
    (found,) = _gradients(_average_pool, cotangent, [_last(input)], attributes)
    return (_channels_second(found),)


def _conv(
    input: Any, weight: Any, *bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Any:
    if any(s > 1 for s in stride) and any(d > 1 for d in dilation):
        raise NotImplementedError("tf.nn.convolution has strides or dilations, not both")
    rank = _rank(input)
    if input.shape[-1] != groups * weight.shape[-2]:
        raise ValueError(f"groups={groups}: the weight has {weight.shape[-2]} channels in each")
    if rank == len(_LAYOUTS) and groups != 1:
        raise NotImplementedError("tf.nn.conv3d has no groups")
    output = tf.nn.convolution(
        _padded(input, padding),
        weight,
        strides=stride,
        padding="VALID",
        data_format=_LAYOUTS[rank - 1],
        dilations=dilation,
    )
    return tf.nn.bias_add(output, bias[0]) if bias else output


def _conv_transpose(
    input: Any,
    weight: Any,
    *bias: Any,
    stride: Ints,
    padding: Pairs,
    output_padding: Ints,
    dilation: Ints,
    groups: int,
) -> Any:
    if groups != 1:
        raise NotImplementedError("TensorFlow's transposed convolutions have no groups")
    if any(map(any, padding)) or any(output_padding):
        raise NotImplementedError("TensorFlow's transposed convolutions pad by two words alone")
    rank = _rank(input)
    sizes = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(input.shape[1:-1], stride, dilation, weight.shape[:-2], strict=True)
    ]
    output = _CONV_TRANSPOSE[rank - 1](
        input,
        weight,
        output_shape=(input.shape[0], *sizes, weight.shape[-2]),
        strides=stride,
        padding="VALID",
        dilations=dilation,
    )
    return tf.nn.bias_add(output, bias[0]) if bias else output


def _max_pool(
    input: Any, *, kernel_size: Ints, padding: Pairs, ceil_mode: bool, **window: Any
) -> Any:
    _check_ceil(ceil_mode=ceil_mode)
    padded = _padded(input, padding, value=-numpy.inf)
    return _pooled("MAX", _MAX_POOL, padded, kernel_size, **window)


def _average_pool(
    input: Any,
    *,
    kernel_size: Ints,
    padding: Pairs,
    ceil_mode: bool,
    count_include_pad: bool,
    **window: Any,
) -> Any:
    _check_ceil(ceil_mode=ceil_mode)
    if any(map(any, padding)) and not count_include_pad:
        raise NotImplementedError("TensorFlow's average pools know no amount of padding")
    return _pooled("AVG", _AVERAGE_POOL, _padded(input, padding), kernel_size, **window)


def _pooled(
    kind: str,
    functions: Sequence[Callable[..., Any]],
    input: Any,
    kernel_size: Ints,
    *,
    stride: Ints,
    dilation: Ints,
) -> Any:
    rank = _rank(input)
    if all(d == 1 for d in dilation):
        return functions[rank - 1](input, kernel_size, stride, padding="VALID")
    if any(s > 1 for s in stride):
        raise NotImplementedError("tf.nn.pool has strides or dilations, not both")
    return tf.nn.pool(input, kernel_size, kind, strides=stride, dilations=dilation, padding="VALID")


def _check_ceil(*, ceil_mode: bool) -> None:
    if ceil_mode:
        raise NotImplementedError("TensorFlow's pools have no ceil mode")


def _rank(input: Any) -> int:
    rank = len(input.shape) - 2
    if rank > len(_LAYOUTS):
        raise NotImplementedError("TensorFlow has at most three spatial axes")
    return rank


def _padded(input: Any, padding: Pairs, value: float = 0.0) -> Any:
    if not any(map(any, padding)):
        return input
    return tf.pad(input, [(0, 0), *padding, (0, 0)], constant_values=value)


def _called(
    function: Callable[..., Any], operands: Sequence[Any], attributes: dict[str, Any]
) -> Any:
    try:
        return function(*operands, **attributes)
    except tf.errors.OpError as error:
        if any(said in error.message for said in _LACKING):
            reason = "TensorFlow has no CPU kernel for this type, grouping or dilation"
            raise NotImplementedError(reason) from error
        raise


def _gradients(
    function: Callable[..., Any],
    cotangent: Array,
    operands: Sequence[Array],
    attributes: dict[str, Any],
) -> list[Any]:
    leaves = [tf.constant(operand) for operand in operands]
    with tf.GradientTape() as tape:
        for leaf in leaves:
            tape.watch(leaf)
        output = _called(function, leaves, attributes)
    weights = {"output_gradients": tf.constant(_last(cotangent))}
    found: list[Any] = _called(tape.gradient, (output, leaves), weights)
    return found


def _last(array: Array) -> Array:
    return numpy.moveaxis(array, 1, -1)


def _channels_last(input: Array, weight: Array, bias: Array | None) -> list[Any]:
    operands = [_last(input), numpy.moveaxis(weight, (0, 1), (-1, -2))]
    return [tf.constant(o) for o in (operands if bias is None else [*operands, bias])]


def _channels_second(output: Any) -> Array:
    return numpy.moveaxis(output.numpy(), -1, 1)


def _operands_back(input: Any, weight: Any, *bias: Any) -> tuple[Array, ...]:
    swapped = numpy.moveaxis(weight.numpy(), (-1, -2), (0, 1))
    return _channels_second(input), swapped, *(b.numpy() for b in bias)

"""JAX on its default device, 64-bit types switched on: `jax.lax`, and `jax.vjp` for derivatives.

Loading this sets `jax_enable_x64` for the process: without it JAX makes float32 of every float64.
Channels go last, where XLA compiles ten times faster for a CPU.  Each geometry is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import numpy
from jax import lax
from jax import numpy as jnp
from jax.scipy import signal

from convspec.arguments import Array

jax.config.update("jax_enable_x64", True)  # noqa: FBT003

name = "jax"
version = jax.__version__
dtypes = ("float64", "float32", "float16", "bfloat16")
isolate = True

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

# Compiled geometries kept: a check comes back to one soon, or never.  Each takes a megabyte or two
# and ten mappings or more; at the end of what a process may have of those, LLVM gets no memory and
# the process is ended.
GEOMETRIES = 32
# Letters for up to three spatial axes.
_SPATIAL = ("H", "HW", "DHW")


def convolve(f: Array, g: Array, mode: str = "full") -> Array:
    """`jax.scipy.signal.convolve`, which takes the sum unless told otherwise."""
    return numpy.asarray(_called(signal.convolve, f, g, mode=mode))


def convolve_vjp(cotangent: Array, f: Array, g: Array, mode: str = "full") -> tuple[Array, ...]:
    """The gradients of `convolve`."""
    return _arrays(_called(_gradients, cotangent, f, g, of=signal.convolve, mode=mode))


def correlate(f: Array, g: Array, mode: str = "full") -> Array:
    """`jax.scipy.signal.correlate`."""
    return numpy.asarray(_called(signal.correlate, f, g, mode=mode))


def correlate_vjp(cotangent: Array, f: Array, g: Array, mode: str = "full") -> tuple[Array, ...]:
    """The gradients of `correlate`."""
    return _arrays(_called(_gradients, cotangent, f, g, of=signal.correlate, mode=mode))


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`jax.lax.conv_general_dilated`, and the bias added to it."""
    operands = _channels_last(input, weight, bias)
    return _channels_second(_called(_conv, *operands, **attributes))


def conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv`."""
    operands = _channels_last(input, weight, bias)
    found = _called(_gradients, numpy.moveaxis(cotangent, 1, -1), *operands, of=_conv, **attributes)
    return _operands_back(*found)


def conv_transpose(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`jax.lax.conv_transpose`, and the bias added to it."""
    operands = _channels_last(input, weight, bias)
    return _channels_second(_called(_conv_transpose, *operands, **attributes))


def conv_transpose_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """The gradients of `conv_transpose`."""
    operands = _channels_last(input, weight, bias)
    found = _called(
        _gradients, numpy.moveaxis(cotangent, 1, -1), *operands, of=_conv_transpose, **attributes
    )
    return _operands_back(*found)


def max_pool(input: Array, **attributes: Any) -> Array:
    """`jax.lax.reduce_window` with `jax.lax.max`."""
    return numpy.asarray(_called(_max_pool, input, **attributes))


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `max_pool`."""
    return _arrays(_called(_gradients, cotangent, input, of=_max_pool, **attributes))


def average_pool(input: Array, **attributes: Any) -> Array:
    """`jax.lax.reduce_window` with `jax.lax.add`, over the same of ones unless padding counts."""
    return numpy.asarray(_called(_average_pool, input, **attributes))


def average_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array, ...]:
    """The gradient of `average_pool`."""
    return _arrays(_called(_gradients, cotangent, input, of=_average_pool, **attributes))


def _called(function: Callable[..., Any], *operands: Array, **attributes: Any) -> Any:
    kinds = tuple((operand.shape, operand.dtype) for operand in operands)
    return _compiled(function, kinds, **attributes)(*operands)


@lru_cache(maxsize=GEOMETRIES)
def _compiled(function: Callable[..., Any], _kinds: Any, **attributes: Any) -> Callable[..., Any]:
    compiled: Callable[..., Any] = jax.jit(partial(function, **attributes))
    return compiled


def _gradients(
    cotangent: Any, *operands: Any, of: Callable[..., Any], **attributes: Any
) -> tuple[Any, ...]:
    found: tuple[Any, ...] = jax.vjp(partial(of, **attributes), *operands)[1](cotangent)
    return found


def _conv(
    input: Any, weight: Any, *bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Any:
    output = lax.conv_general_dilated(
        input,
        weight,
        window_strides=stride,
        padding=padding,
        rhs_dilation=dilation,
        feature_group_count=groups,
        dimension_numbers=_layouts(stride),
    )
    return _biased(output, *bias)


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
        raise NotImplementedError("jax.lax.conv_transpose has no groups")
    # Its padding is that of the convolution over the stretched input.
    margins = [
        (d * (k - 1) - low, d * (k - 1) - high + extra)
        for d, k, (low, high), extra in zip(
            dilation, weight.shape[:-2], padding, output_padding, strict=True
        )
    ]
    output = lax.conv_transpose(
        input,
        weight,
        strides=stride,
        padding=margins,
        rhs_dilation=dilation,
        dimension_numbers=_layouts(stride),
        transpose_kernel=True,
    )
    return _biased(output, *bias)


def _biased(output: Any, bias: Any = None) -> Any:
    # One element for each channel: addition alone would also repeat a single one.
    return output if bias is None else output + bias.reshape(output.shape[-1:])


def _max_pool(input: Any, *, ceil_mode: bool, **window: Any) -> Any:
    _check_ceil(ceil_mode=ceil_mode)
    return _reduced(input, -jnp.inf, lax.max, **window)


def _average_pool(input: Any, *, ceil_mode: bool, count_include_pad: bool, **window: Any) -> Any:
    _check_ceil(ceil_mode=ceil_mode)
    sums = _reduced(input, 0, lax.add, **window)
    if count_include_pad:
        return sums / numpy.prod(window["kernel_size"])
    return sums / _reduced(jnp.ones_like(input), 0, lax.add, **window)


def _reduced(
    input: Any,
    initial: float,
    combine: Callable[..., Any],
    *,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
) -> Any:
    return lax.reduce_window(
        input,
        numpy.asarray(initial, input.dtype),
        combine,
        window_dimensions=(1, 1, *kernel_size),
        window_strides=(1, 1, *stride),
        padding=((0, 0), (0, 0), *padding),
        window_dilation=(1, 1, *dilation),
    )


def _check_ceil(*, ceil_mode: bool) -> None:
    if ceil_mode:
        raise NotImplementedError("jax.lax.reduce_window has no ceil mode")


def _layouts(stride: Ints) -> tuple[str, str, str]:
    if len(stride) > len(_SPATIAL):
        raise NotImplementedError("this adapter has letters for three spatial axes")
    axes = _SPATIAL[len(stride) - 1]
    return f"N{axes}C", f"{axes}IO", f"N{axes}C"


def _channels_last(input: Array, weight: Array, bias: Array | None) -> list[Array]:
    operands = [numpy.moveaxis(input, 1, -1), numpy.moveaxis(weight, (0, 1), (-1, -2))]
    return operands if bias is None else [*operands, bias]


def _channels_second(output: Any) -> Array:
    return numpy.moveaxis(numpy.asarray(output), -1, 1)


def _operands_back(input: Any, weight: Any, *bias: Any) -> tuple[Array, ...]:
    swapped = numpy.moveaxis(numpy.asarray(weight), (-1, -2), (0, 1))
    return _channels_second(input), swapped, *_arrays(bias)


def _arrays(found: Sequence[Any]) -> tuple[Array, ...]:
    return tuple(map(numpy.asarray, found))

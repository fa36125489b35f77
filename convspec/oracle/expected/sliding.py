"""Convolutions of every kind, from tap tables."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import call_windows
from convspec.oracle.cases.tables import (
    Place,
    Table,
    backward_input,
    backward_weight,
    columns,
    forward,
    gathered,
    output_slices,
    stuffed,
    window_table,
)
from convspec.oracle.expected.numbers import wide
from convspec.oracle.expected.taps import sliding_reads
from convspec.transposed_convolution import conv_transpose_windows
from convspec.window import output_sizes, overlap


def _flat_kernel(weight: Array) -> Array:
    return wide(weight).reshape(*weight.shape[:2], prod(weight.shape[2:]))


def _per_channel(bias: Array, rank: int) -> Array:
    return wide(bias).reshape(len(bias), *(1,) * rank)


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`convspec.conv`."""
    groups = attributes.get("groups", 1)
    sliding = call_windows("conv", {"input": input.shape, "weight": weight.shape}, attributes)
    spatial = input.shape[2:]
    planes = input.reshape(*input.shape[:2], prod(spatial))
    read = gathered(planes, sliding_reads(spatial, sliding), 0.0)
    y = forward(read, _flat_kernel(weight), groups)
    y = y.reshape(*y.shape[:2], *output_sizes(spatial, sliding))
    return y if bias is None else y + _per_channel(bias, len(spatial))


def conv_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """`convspec.conv_vjp`."""
    groups = attributes.get("groups", 1)
    sliding = call_windows("conv", {"input": input.shape, "weight": weight.shape}, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    g = stuffed(cotangent, tabulated, place)
    d_input = backward_input(g, _flat_kernel(weight), tabulated, groups)
    d_weight = backward_weight(g, columns(input, tabulated, 0.0), groups)
    gradients = (d_input.reshape(input.shape), d_weight.reshape(weight.shape))
    return gradients if bias is None else (*gradients, g.sum(axis=(0, 2)))


def _transposed(
    input: Array, weight: Array, attributes: dict[str, Any]
) -> tuple[Table, Place, tuple[int, ...]]:
    sliding, sizes = conv_transpose_windows(input.shape, weight.shape, **attributes)
    tabulated = window_table(sizes, sliding)
    return tabulated, output_slices(tabulated, sliding, input.shape[2:]), sizes


def conv_transpose(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """`convspec.conv_transpose`: the input's cotangent of a `conv`."""
    groups = attributes.get("groups", 1)
    tabulated, place, sizes = _transposed(input, weight, attributes)
    g = stuffed(input, tabulated, place)
    y = backward_input(g, _flat_kernel(weight), tabulated, groups)
    y = y.reshape(*y.shape[:2], *sizes)
    return y if bias is None else y + _per_channel(bias, len(sizes))


def conv_transpose_vjp(
    cotangent: Array, input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> tuple[Array, ...]:
    """`convspec.conv_transpose_vjp`: a `conv` of the cotangent, and its weight cotangent."""
    groups = attributes.get("groups", 1)
    tabulated, place, _ = _transposed(input, weight, attributes)
    read = columns(cotangent, tabulated, 0.0)
    dense = forward(read, _flat_kernel(weight), groups)
    d_input = dense.reshape(*dense.shape[:2], *tabulated.starts)[place]
    d_weight = backward_weight(stuffed(input, tabulated, place), read, groups)
    gradients = (d_input, d_weight.reshape(weight.shape))
    summed = tuple(axis for axis in range(cotangent.ndim) if axis != 1)
    return gradients if bias is None else (*gradients, cotangent.sum(axis=summed, dtype=float))


def _signal(f: Array, g: Array, mode: str) -> tuple[Place, dict[str, Any]]:
    kept = [overlap(mode, n, m) for n, m in zip(f.shape, g.shape, strict=True)]
    full = tuple((m - 1, m - 1) for m in g.shape)
    return tuple(slice(k.start, k.stop) for k in kept), {"padding": full}


def correlate(f: Array, g: Array, mode: str = "full") -> Array:
    """`convspec.correlate`: a `conv` with full padding, and the kept part of it."""
    kept, attributes = _signal(f, g, mode)
    full: Array = conv(f[None, None], g[None, None], **attributes)[0, 0]
    return full[kept]


def convolve(f: Array, g: Array, mode: str = "full") -> Array:
    """`convspec.convolve`."""
    return correlate(f, numpy.flip(g), mode)


def correlate_vjp(cotangent: Array, f: Array, g: Array, mode: str = "full") -> tuple[Array, Array]:
    """`convspec.correlate_vjp`."""
    kept, attributes = _signal(f, g, mode)
    full = numpy.zeros([n + m - 1 for n, m in zip(f.shape, g.shape, strict=True)])
    full[kept] = cotangent
    d_f, d_g = conv_vjp(full[None, None], f[None, None], g[None, None], **attributes)
    return d_f[0, 0], d_g[0, 0]


def convolve_vjp(cotangent: Array, f: Array, g: Array, mode: str = "full") -> tuple[Array, Array]:
    """`convspec.convolve_vjp`."""
    d_f, d_flipped = correlate_vjp(cotangent, f, numpy.flip(g), mode)
    return d_f, numpy.flip(d_flipped)

r"""What the spec says, fast enough to sweep: each operation from tap tables, in float64.

Exact on integers while every sum stays below $2^{53}$, and equal to the definitions over the
small scope by test.  Nothing here knows `convspec.fast`, so checking that is not circular.  The
functions take normalised attributes and arguments that are known to be valid.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import call_windows
from convspec.oracle.tables import (
    Place,
    Table,
    backward_input,
    backward_weight,
    columns,
    forward,
    output_slices,
    stuffed,
    window_table,
)
from convspec.transposed_convolution import conv_transpose_windows
from convspec.window import Window, divisor, output_sizes, overlap


def _flat_kernel(weight: Array) -> Array:
    return numpy.asarray(weight, numpy.float64).reshape(*weight.shape[:2], -1)


def _per_channel(bias: Array, rank: int) -> Array:
    return numpy.asarray(bias, numpy.float64).reshape(-1, *(1,) * rank)


def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
    """`convspec.conv`."""
    groups = attributes.get("groups", 1)
    sliding = call_windows("conv", {"input": input.shape, "weight": weight.shape}, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    dense = forward(columns(input, tabulated, 0.0), _flat_kernel(weight), groups)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    y = dense.reshape(*dense.shape[:2], *tabulated.starts)[place]
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


def pool_windows_of(input: Array, attributes: dict[str, Any]) -> tuple[Window, ...]:
    """The windows of a pooling call."""
    return call_windows("max_pool", {"input": input.shape}, attributes)


def max_pool_with_indices(input: Array, **attributes: Any) -> tuple[Array, Array]:
    """`convspec.max_pool_with_indices`."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    read = columns(input, tabulated, -numpy.inf)
    # A tap outside the input may not win, not even against -inf.
    outside = tabulated.reads == tabulated.size
    rank_in_window = numpy.where(outside, -numpy.inf, read)
    winner = rank_in_window.argmax(axis=2)
    all_lowest = numpy.isneginf(rank_in_window.max(axis=2))
    winner = numpy.where(all_lowest, (~outside).argmax(axis=0), winner)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    shape = (*input.shape[:2], *tabulated.starts)
    values = numpy.take_along_axis(read, winner[:, :, None], axis=2).reshape(shape)
    found = tabulated.reads[winner, numpy.arange(winner.shape[2])].reshape(shape)
    return values[place], found[place]


def max_pool(input: Array, **attributes: Any) -> Array:
    """`convspec.max_pool`."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    dense: Array = columns(input, tabulated, -numpy.inf).max(axis=2)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    return dense.reshape(*dense.shape[:2], *tabulated.starts)[place]


def max_pool_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array]:
    """`convspec.max_pool_vjp`."""
    _, found = max_pool_with_indices(input, **attributes)
    batch, channels = input.shape[:2]
    planes, outputs = batch * channels, prod(found.shape[2:])
    d_input = numpy.zeros((planes, prod(input.shape[2:])))
    rows = numpy.arange(planes)[:, None]
    winners = found.reshape(planes, outputs)
    numpy.add.at(d_input, (rows, winners), cotangent.reshape(planes, outputs))
    return (d_input.reshape(input.shape),)


def max_pool_with_indices_vjp(cotangent: Array, input: Array, **attributes: Any) -> tuple[Array]:
    """`convspec.max_pool_with_indices_vjp`."""
    return max_pool_vjp(cotangent, input, **attributes)


def divisors(
    spatial: tuple[int, ...], sliding: tuple[Window, ...], *, count_include_pad: bool
) -> Array:
    """What `average_pool` divides by at every output position."""
    counts = numpy.ones(())
    for n, window, o in zip(spatial, sliding, output_sizes(spatial, sliding), strict=True):
        axis = [divisor(n, window, i, count_include_pad=count_include_pad) for i in range(o)]
        counts = numpy.multiply.outer(counts, axis)
    return counts


def average_pool(input: Array, *, count_include_pad: bool = False, **attributes: Any) -> Array:
    """`convspec.average_pool`, correctly rounded on integers."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    dense: Array = columns(input, tabulated, 0.0).sum(axis=2)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    sums = dense.reshape(*dense.shape[:2], *tabulated.starts)[place]
    averages: Array = sums / divisors(spatial, sliding, count_include_pad=count_include_pad)
    return averages


def average_pool_vjp(
    cotangent: Array, input: Array, *, count_include_pad: bool = False, **attributes: Any
) -> tuple[Array]:
    """`convspec.average_pool_vjp`."""
    sliding = pool_windows_of(input, attributes)
    spatial = input.shape[2:]
    tabulated = window_table(spatial, sliding)
    place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
    shared = cotangent / divisors(spatial, sliding, count_include_pad=count_include_pad)
    channels = input.shape[1]
    ones = numpy.ones((channels, 1, tabulated.reads.shape[0]))
    d_input = backward_input(stuffed(shared, tabulated, place), ones, tabulated, channels)
    return (d_input.reshape(input.shape),)

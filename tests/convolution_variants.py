"""Correct convolutions: sums in any order and precision, and other algorithms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

import convspec.fast
from convspec.oracle.deviations.sliding import windows_of
from convspec.window import output_sizes

Function = Callable[..., Any]


# Convolutions written as sums over the products of one output, to be added in any order.


def columns(input: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """`(N, groups, C / groups * taps, *output)`: what each output sums over, column by column."""
    x = numpy.pad(input, ((0, 0), (0, 0), *padding))
    kernel = weight.shape[2:]
    sliding = windows_of(weight.shape[2:], stride, padding, dilation, False)
    sizes = output_sizes(numpy.shape(input)[2:], sliding)
    parts = []
    for tap in numpy.ndindex(kernel):
        along = zip(tap, dilation, stride, sizes, strict=True)
        place = tuple(slice(j * d, j * d + (o - 1) * s + 1, s) for j, d, s, o in along)
        parts.append(x[(slice(None), slice(None), *place)])
    stacked = numpy.stack(parts, axis=2)
    n, channels, taps = stacked.shape[:3]
    return stacked.reshape(n, groups, channels // groups * taps, *sizes)


def conv_by(total: Function) -> Function:
    """A convolution whose sums are made by `total(products, dtype)`, products along axis 0."""

    def conv(
        input: Any,
        weight: Any,
        bias: Any = None,
        *,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: Any,
    ) -> Any:
        convspec.fast.conv(  # the arguments are checked as the spec asks
            input[:0],
            weight,
            bias,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        )
        input, weight = numpy.asarray(input), numpy.asarray(weight)
        cols = columns(input, weight, stride, padding, dilation, groups)
        outputs = weight.shape[0]
        flat = weight.reshape(groups, outputs // groups, -1)
        spread = (1,) * (cols.ndim - 3)
        outcome = []
        for group in range(groups):
            for kernel in flat[group]:
                products = cols[:, group] * kernel.reshape(1, -1, *spread)
                outcome.append(total(numpy.moveaxis(products, 1, 0), input.dtype))
        y = numpy.stack(outcome, axis=1) if outcome else numpy.zeros((0,))
        return y if bias is None else (y + numpy.reshape(bias, (1, -1, *spread))).astype(y.dtype)

    return conv


def forwards(products: Any, dtype: Any) -> Any:
    total = numpy.zeros(products.shape[1:], dtype)
    for product in products:
        total = total + product
    return total


def backwards(products: Any, dtype: Any) -> Any:
    return forwards(products[::-1], dtype)


def shuffled(products: Any, dtype: Any) -> Any:
    return forwards(products[numpy.random.default_rng(7).permutation(len(products))], dtype)


def pairwise(products: Any, dtype: Any) -> Any:
    if len(products) == 1:
        return products[0]
    half = len(products) // 2
    return pairwise(products[:half], dtype) + pairwise(products[half:], dtype)


def blocked(products: Any, dtype: Any) -> Any:
    blocks = [forwards(products[i : i + 4], dtype) for i in range(0, len(products), 4)]
    return forwards(numpy.stack(blocks), dtype)


def in_four_lanes(products: Any, dtype: Any) -> Any:
    lanes = [forwards(products[lane::4], dtype) for lane in range(4)]
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


def compensated(products: Any, dtype: Any) -> Any:
    total = numpy.zeros(products.shape[1:], dtype)
    lost = numpy.zeros(products.shape[1:], dtype)
    for product in products:
        term = product - lost
        more = total + term
        lost = numpy.where(numpy.isfinite(more), (more - total) - term, 0)
        total = more
    return total


def conv_fused(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """Fused multiply-add in float32: the product unrounded, the sum rounded once."""
    convspec.fast.conv(input[:0], weight, bias, **attributes)
    if numpy.asarray(input).dtype != numpy.float32:
        return conv_by(forwards)(input, weight, bias, **attributes)

    def total(products: Any, dtype: Any) -> Any:
        sums = numpy.zeros(products.shape[1:], numpy.float32)
        for product in products:
            sums = (sums.astype(numpy.float64) + product).astype(numpy.float32)
        return sums

    wide = (numpy.asarray(input, numpy.float64), numpy.asarray(weight, numpy.float64))
    y = conv_by(total)(*wide, None, **attributes)
    if bias is None:
        return y
    return (y + numpy.reshape(bias, (1, -1, *(1,) * (y.ndim - 2)))).astype(numpy.float32)


def conv_wide(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """In float64 throughout, rounded once."""
    operands = [None if a is None else numpy.asarray(a) for a in (input, weight, bias)]
    wide = [None if a is None else a.astype(numpy.float64) for a in operands]
    return convspec.fast.conv(*wide, **attributes).astype(numpy.asarray(input).dtype)


def conv_einsum(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """Windows as a view, and one Einstein summation a group."""
    convspec.fast.conv(input[:0], weight, bias, **attributes)
    stride, padding = attributes["stride"], attributes["padding"]
    dilation, groups = attributes["dilation"], attributes["groups"]
    rank, x = len(stride), numpy.pad(input, ((0, 0), (0, 0), *padding))
    spans = tuple(d * (k - 1) + 1 for k, d in zip(weight.shape[2:], dilation, strict=True))
    view = sliding_window_view(x, spans, axis=tuple(range(2, 2 + rank)))
    outer = tuple(slice(None, None, s) for s in stride)
    inner = tuple(slice(None, None, d) for d in dilation)
    view = view[(slice(None), slice(None), *outer, *inner)]
    letters = "ijk"[:rank], "xyz"[:rank]
    rule = f"nc{letters[0]}{letters[1]},oc{letters[1]}->no{letters[0]}"
    halves = zip(numpy.split(view, groups, axis=1), numpy.split(weight, groups), strict=True)
    y = numpy.concatenate([numpy.einsum(rule, v, w) for v, w in halves], axis=1)
    return y if bias is None else y + numpy.reshape(bias, (1, -1, *(1,) * rank))


def conv_scipy(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """`scipy.signal.correlate`, one pair of channels at a time."""
    convspec.fast.conv(input[:0], weight, bias, **attributes)
    stride, dilation = attributes["stride"], attributes["dilation"]
    if max(dilation) > 1:  # zeros put into the kernel would meet infinities
        raise NotImplementedError("dilation")
    x = numpy.pad(input, ((0, 0), (0, 0), *attributes["padding"]))
    per_group, share = weight.shape[0] // attributes["groups"], weight.shape[1]
    kept = tuple(slice(None, None, s) for s in stride)

    def plane(item: Any, output: int) -> Any:
        first = output // per_group * share
        return sum(
            scipy.signal.correlate(item[first + c], weight[output, c], "valid", "direct")[kept]
            for c in range(share)
        )

    shape = convspec.fast.conv(input[:0], weight, bias, **attributes).shape[1:]
    y = numpy.zeros((len(x), *shape), numpy.result_type(input, weight))
    for n, item in enumerate(x):
        for output in range(weight.shape[0]):
            y[n, output] = plane(item, output)
    return y if bias is None else y + numpy.reshape(bias, (1, -1, *(1,) * len(stride)))


def conv_winograd(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """Winograd F(2, 3) on one axis for kernels of three taps at stride 1, else the plain sum.

    Two outputs from four products: its transforms hold halves only, so that small integers stay
    exact.
    """
    plain = (
        weight.shape[2:] == (3,)
        and attributes["stride"] == (1,)
        and attributes["dilation"] == (1,)
        and attributes["groups"] == 1
        and numpy.isfinite(input).all()
    )
    y = convspec.fast.conv(input, weight, bias, **attributes)
    if not plain:
        return y
    x = numpy.pad(input, ((0, 0), (0, 0), *attributes["padding"]))
    size = y.shape[2]
    x = numpy.pad(x, ((0, 0), (0, 0), (0, size % 2)))
    first, middle, last = numpy.moveaxis(weight, -1, 0)
    u = [first, (first + middle + last) / 2, (first - middle + last) / 2, last]
    d = [x[:, :, i : i + size + size % 2 - 1 : 2] for i in range(4)]
    v = [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]
    m = [numpy.einsum("nct,oc->not", b, a) for a, b in zip(u, v, strict=True)]
    pairs = numpy.stack([m[0] + m[1] + m[2], m[1] - m[2] - m[3]], axis=-1)
    total = pairs.reshape(*pairs.shape[:2], -1)[:, :, :size]
    if bias is not None:
        total = total + numpy.reshape(bias, (1, -1, 1))
    return total.astype(y.dtype)


def conv_bias_first(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """The sum begins with the bias."""
    convspec.fast.conv(input[:0], weight, bias, **attributes)
    if bias is None:
        return conv_by(forwards)(input, weight, None, **attributes)

    def started(products: Any, dtype: Any) -> Any:
        start = next(biases)
        total = numpy.full(products.shape[1:], start, dtype)
        for product in products:
            total = total + product
        return total

    biases: Iterator[Any] = iter(numpy.asarray(bias))
    return conv_by(started)(input, weight, None, **attributes)


def conv_by_tap(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """One matrix product for each tap of the kernel, added up."""
    convspec.fast.conv(input[:0], weight, bias, **attributes)
    given = {name: attributes[name] for name in ("stride", "padding", "dilation", "groups")}
    cols = columns(numpy.asarray(input), weight, **given)
    groups, outputs, share = given["groups"], weight.shape[0], weight.shape[1]
    taps = prod(weight.shape[2:])
    cols = cols.reshape(len(input), groups, share, taps, *cols.shape[3:])
    flat = weight.reshape(groups, outputs // groups, share, taps)
    y = sum(
        numpy.einsum("ngc...,goc->ngo...", cols[:, :, :, tap], flat[:, :, :, tap])
        for tap in range(taps)
    )
    y = y.reshape(len(input), outputs, *cols.shape[4:])
    return y if bias is None else y + numpy.reshape(bias, (1, -1, *(1,) * (y.ndim - 2)))


def conv_columns(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """The windows as columns of a matrix, and one matrix product a group."""
    due = convspec.fast.conv(input[:0], weight, bias, **attributes)
    cols = columns(numpy.asarray(input), weight, **attributes)
    groups = attributes["groups"]
    flat = numpy.asarray(weight).reshape(groups, len(weight) // groups, cols.shape[2])
    y = flat @ cols.reshape(*cols.shape[:3], prod(due.shape[2:]))
    y = y.reshape(len(cols), *due.shape[1:])
    return y if bias is None else y + numpy.reshape(bias, (1, -1, *(1,) * (y.ndim - 2)))


def conv_direct(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """One output position after the other, each a sum over its window."""
    due = convspec.fast.conv(input[:0], weight, bias, **attributes)
    cols = columns(numpy.asarray(input), weight, **attributes)
    groups = attributes["groups"]
    flat = numpy.asarray(weight).reshape(groups, len(weight) // groups, cols.shape[2])
    y = numpy.zeros((len(cols), *due.shape[1:]), due.dtype)
    for place in numpy.ndindex(due.shape[2:]):
        window = cols[(..., *place)]
        y[(..., *place)] = (window[:, :, None] * flat).sum(axis=-1).reshape(len(cols), len(weight))
    return y if bias is None else y + numpy.reshape(bias, (1, -1, *(1,) * (y.ndim - 2)))


def conv_fft(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """By FFT: a circular correlation, of which the places are kept where nothing wraps."""
    due = convspec.fast.conv(input[:0], weight, bias, **attributes)
    if not numpy.isfinite(input).all():  # an infinity would reach every output
        return convspec.fast.conv(input, weight, bias, **attributes)
    x = numpy.pad(input, ((0, 0), (0, 0), *attributes["padding"]))
    axes = tuple(range(2, x.ndim))
    spans = (d * (k - 1) + 1 for k, d in zip(weight.shape[2:], attributes["dilation"], strict=True))
    kernel = numpy.zeros((*weight.shape[:2], *spans), weight.dtype)
    kernel[(..., *(slice(None, None, d) for d in attributes["dilation"]))] = weight
    size = x.shape[2:]
    spectrum = numpy.conj(scipy.fft.rfftn(kernel, size, axes))
    parts = zip(
        numpy.split(scipy.fft.rfftn(x, size, axes), attributes["groups"], axis=1),
        numpy.split(spectrum, attributes["groups"]),
        strict=True,
    )
    product = numpy.concatenate([numpy.einsum("nc...,oc...->no...", v, w) for v, w in parts], 1)
    y = scipy.fft.irfftn(product, size, axes)
    y = y[(..., *(slice(None, None, s) for s in attributes["stride"]))]
    y = y[(..., *(slice(size) for size in due.shape[2:]))].astype(due.dtype)
    return y if bias is None else y + numpy.reshape(bias, (1, -1, *(1,) * (y.ndim - 2)))


def finite_only(fast_algorithm: Function) -> Function:
    """A fast algorithm where the input is finite: an infinity would fill its tile."""

    def conv(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
        plain = not numpy.isfinite(input).all()
        function = convspec.fast.conv if plain else fast_algorithm
        return function(input, weight, bias, **attributes)

    return conv


def in_float32(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """Half-precision operands, accumulated in float32, stored once."""
    wide = [None if a is None else numpy.asarray(a, numpy.float32) for a in (input, weight, bias)]
    return conv_by(forwards)(*wide, **attributes).astype(numpy.asarray(input).dtype)

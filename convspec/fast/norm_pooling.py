"""The twins of `convspec.norm_pooling`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec import norm_pooling
from convspec.arguments import Array, Padding, PerAxis, array, check_cotangent
from convspec.fast.arithmetic import Arithmetic
from convspec.fast.blocks import Box, blocks, last_axes, slices, whole
from convspec.fast.floating import block_size, double, floats
from convspec.fast.gathering import within
from convspec.fast.pooling import TapShare, every_tap, read_by, spread
from convspec.fast.products import input_product, output_product
from convspec.fast.tiles import input_tile, output_tile, tile_size
from convspec.norm_pooling import (
    distance_weighted_pool_windows,
    inverse,
    lp_pool_windows,
    nearness,
)
from convspec.window import Window, output_sizes, positions


def lp_pool(
    input: ArrayLike,
    *,
    p: float = 2,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """`convspec.lp_pool`: a sum of powers over the taps.

    >>> lp_pool([[[3.0, -4.0, 0.0, 2.0]]], kernel_size=2)
    array([[[5., 2.]]])
    """
    x = array("input", input)
    attributes: dict[str, Any] = {
        "p": p,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": ceil_mode,
    }
    sliding = lp_pool_windows(x.shape, **attributes)
    if not floats(x):
        return norm_pooling.lp_pool(x, **attributes)
    how = double(x)
    y = numpy.empty((*x.shape[:2], *output_sizes(x.shape[2:], sliding)), dtype=how.output)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(y.shape), block_size(how.compute)):
            y[slices(box)] = _norms(x, sliding, box, p, how)
    return y


def _norms(x: Array, sliding: Sequence[Window], box: Box, p: Any, how: Arithmetic) -> Array:
    """The norms of a block of outputs, not rounded to the result's dtype."""
    source = x[slices(box[:2])]
    total = numpy.zeros([len(run) for run in box], dtype=how.compute)
    for runs in every_tap(sliding, x.shape[2:], box[2:]):
        place = total[last_axes(within([writing for writing, _ in runs], box[2:]))]
        read = source[last_axes(slices(read_by(runs)))].astype(how.compute)
        place += _power(abs(read), p)
    return _power(total, inverse(p))


def _power(base: Array, exponent: Any) -> Array:
    """Powers that need no logarithm by products and roots, which round correctly."""
    if exponent == 1:
        return base
    if exponent == 2:
        return base * base
    if exponent == 1 / 2:
        return numpy.sqrt(base)
    return numpy.power(base, float(exponent))


def lp_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    p: float = 2,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Array]:
    """`convspec.lp_pool_vjp`: each tap takes its share of its window's norm.

    >>> lp_pool_vjp([[[10.0]]], [[[3.0, -4.0]]], kernel_size=2)
    (array([[[ 6., -8.]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    attributes: dict[str, Any] = {
        "p": p,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": ceil_mode,
    }
    sliding = lp_pool_windows(x.shape, **attributes)
    shape = (*x.shape[:2], *output_sizes(x.shape[2:], sliding))
    check_cotangent(g, shape, input=x)
    if not floats(g, x):
        return norm_pooling.lp_pool_vjp(g, x, **attributes)
    how = double(g, x)

    def shares(box: Box) -> TapShare:
        with numpy.errstate(all="ignore"):
            norms = _norms(x, sliding, box, p, how)

        def share(writing: Sequence[range], reading: Sequence[range]) -> Array:
            y = norms[last_axes(within(writing, box[2:]))]
            read = x[slices((*box[:2], *reading))].astype(how.compute)
            given = g[slices((*box[:2], *writing))].astype(how.compute)
            sign = (read > 0).astype(how.compute) - (read < 0)
            part = given * sign * _power(abs(read) / y, p - 1)
            return numpy.where(y != 0, part, numpy.zeros((), dtype=how.compute))

        return share

    return (spread(x.shape, shape, sliding, how, shares),)


def _weights(sliding: Sequence[Window]) -> Array:
    """`norm_pooling.nearness` of every tap."""
    kernel = [window.kernel for window in sliding]
    return numpy.array([float(nearness(sliding, tap)) for tap in positions(kernel)]).reshape(kernel)


def _shared(weights: Array, channels: range) -> Array:
    """The weights of every channel, as `products` take them: `(c, 1, 1, *kernel)`."""
    return numpy.broadcast_to(weights, (len(channels), 1, 1, *weights.shape))


def _totals(x: Array, weights: Array, sliding: Sequence[Window], outputs: Box) -> Array:
    """The sum of the weights of the taps that exist, for a block of outputs."""
    spatial = x.shape[2:]
    reading, windows = output_tile(sliding, spatial, outputs)
    ones = numpy.broadcast_to(numpy.ones(()), (1, 1, 1, *map(len, reading)))
    sizes = tuple(map(len, outputs))
    exact = Arithmetic(weights.dtype, weights.dtype)
    sums = output_product(ones, _shared(weights, range(1)), None, windows, sizes, exact)
    totals: Array = sums[0, 0, 0]
    return totals


def distance_weighted_pool(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
) -> Array:
    """`convspec.distance_weighted_pool`: a convolution of each channel with the weights, divided
    by that of ones.

    >>> distance_weighted_pool([[[1.0, 4.0, 5.0]]], kernel_size=3)
    array([[[3.5]]])
    """
    x = array("input", input)
    attributes: dict[str, Any] = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    sliding = distance_weighted_pool_windows(x.shape, **attributes)
    if not floats(x):
        return norm_pooling.distance_weighted_pool(x, **attributes)
    how = double(x)
    weights = _weights(sliding)
    y = numpy.empty((*x.shape[:2], *output_sizes(x.shape[2:], sliding)), dtype=how.output)
    unrounded = Arithmetic(how.compute, how.compute)
    with numpy.errstate(all="ignore"):
        for batch, channels, *box in blocks(whole(y.shape), tile_size(how.compute, 1)):
            reading, windows = output_tile(sliding, x.shape[2:], tuple(box))
            source = x[slices((batch, channels, *reading))][:, :, None]
            sizes = tuple(map(len, box))
            sums = output_product(
                source, _shared(weights, channels), None, windows, sizes, unrounded
            )
            place = y[slices((batch, channels, *box))]
            place[...] = sums[:, :, 0] / _totals(x, weights, sliding, tuple(box))
    return y


def distance_weighted_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
) -> tuple[Array]:
    """`convspec.distance_weighted_pool_vjp`: divided, then spread by the weights.

    >>> distance_weighted_pool_vjp([[[8.0]]], [[[0.0, 0.0, 0.0]]], kernel_size=3)
    (array([[[2., 4., 2.]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    attributes: dict[str, Any] = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    sliding = distance_weighted_pool_windows(x.shape, **attributes)
    shape = (*x.shape[:2], *output_sizes(x.shape[2:], sliding))
    check_cotangent(g, shape, input=x)
    if not floats(g, x):
        return norm_pooling.distance_weighted_pool_vjp(g, x, **attributes)
    how = double(g, x)
    weights = _weights(sliding)
    d_x = numpy.empty(x.shape, dtype=how.output)
    unrounded = Arithmetic(how.compute, how.compute)
    with numpy.errstate(all="ignore"):
        for batch, channels, *box in blocks(whole(x.shape), tile_size(how.compute, 1)):
            touched, windows = input_tile(sliding, shape[2:], tuple(box))
            given = g[slices((batch, channels, *touched))].astype(how.compute)
            even = given / _totals(x, weights, sliding, touched)
            place = d_x[slices((batch, channels, *box))]
            place[...] = input_product(
                even[:, :, None],
                _shared(weights, channels),
                None,
                windows,
                place.shape[2:],
                unrounded,
            )[:, :, 0]
    return (d_x,)

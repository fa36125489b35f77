"""Correct implementations that differ in everything the spec leaves free: none may be accused.

They differ in the order of summation, in the memory layout of what they return, in how a tie is
broken, in what they offer, and in the algorithm.  `VARIANTS` maps a name to an implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

import convspec.fast
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.sliding import divisors, gathered, maxima, windows_of
from convspec.window import divisor, output_sizes

# What is returned in another form: one operation of each kind, one output or several.
NAMES = ("correlate", "conv", "conv_vjp", "max_pool_with_indices", "average_pool_vjp")
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


# What is returned, in another form.


def returning(change: Callable[[Any], Any]) -> SimpleNamespace:
    """Fast twins, their outputs changed in form only."""

    def changed(name: str) -> Function:
        right = getattr(convspec.fast, name)

        def function(*operands: Any, **attributes: Any) -> Any:
            outputs = right(*operands, **attributes)
            if isinstance(outputs, tuple):
                return tuple(map(change, outputs))
            return change(outputs)

        return function

    return SimpleNamespace(**{name: changed(name) for name in NAMES})


def read_only(output: Any) -> Any:
    output.flags.writeable = False
    return output


def strided(output: Any) -> Any:
    """A view of every second element of a larger array."""
    larger = numpy.zeros((*output.shape[:-1], 2 * output.shape[-1] + 3), output.dtype)
    larger[..., 2:-1:2] = output
    return larger[..., 2:-1:2]


def backwards_view(output: Any) -> Any:
    return numpy.flip(numpy.flip(output).copy())


class Wrapped:
    """What a framework returns: an object that becomes an array when asked."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return numpy.array(self.values, dtype=dtype)


# Pooling.


def last_tie() -> SimpleNamespace:
    """The last of several equal maxima, index and gradient."""
    names = ("last maximum on ties", "gradient to the last maximum on ties")
    return SimpleNamespace(
        **{
            operation: DEVIATIONS[name].edit(convspec.fast, operation)
            for name in names
            for operation in DEVIATIONS[name].operations
        }
    )


def split_ties() -> SimpleNamespace:
    """The gradient in equal shares among equal maxima."""
    split = DEVIATIONS["gradient split among the maxima on ties"]
    return SimpleNamespace(**{op: split.edit(convspec.fast, op) for op in split.operations})


def max_pool_folded(input: Any, **attributes: Any) -> Any:
    """The maximum one tap after the other."""
    due = convspec.fast.max_pool(input, **attributes)
    windows = gathered(input, **attributes)
    best = windows[..., 0]
    for tap in range(1, windows.shape[-1]):
        best = numpy.maximum(best, windows[..., tap])
    return best.astype(due.dtype)


def max_pool_by_mask(input: Any, **attributes: Any) -> Any:
    """The maximum as the value wherever one is found."""
    convspec.fast.max_pool(input, **attributes)
    first = numpy.argmax(maxima(input, **attributes), axis=-1)[..., None]
    return numpy.take_along_axis(gathered(input, **attributes), first, axis=-1)[..., 0]


def average_pool_by(average: Callable[[Any, Any], Any]) -> Function:
    """An average from the sums of the windows and their divisors."""

    def average_pool(input: Any, **attributes: Any) -> Any:
        due = convspec.fast.average_pool(input, **attributes)
        if numpy.asarray(input).dtype.kind != "f":
            return due
        include = attributes["count_include_pad"]
        count = divisors(
            numpy.shape(input)[2:],
            windows_of(**attributes),
            lambda *at: divisor(*at, count_include_pad=include),
        )
        windows = gathered(input, fill=0, **attributes)
        return average(windows, count.astype(due.dtype)).astype(due.dtype)

    return average_pool


def reciprocal(windows: Any, count: Any) -> Any:
    return windows.sum(axis=-1) * (1 / count)


# Signatures.


def conv_learner(input: Any, weight: Any) -> Any:
    return convspec.fast.conv(input, weight)


def conv_without_groups(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0
) -> Any:
    return convspec.fast.conv(input, weight, bias, stride=stride, padding=padding)


def conv_more(
    input: Any, weight: Any, bias: Any = None, *, threads: int = 1, **attributes: Any
) -> Any:
    return convspec.fast.conv(input, weight, bias, **attributes)


def conv_rank_two(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    if numpy.ndim(input) != 4:
        raise NotImplementedError("two spatial axes only")
    return convspec.fast.conv(input, weight, bias, **attributes)


def nested_lists(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """A program of plain lists and floats: no dtype survives, so only float64 is offered."""
    return convspec.fast.conv(input, weight, bias, **attributes).tolist()


def conv_transpose_scattered(input: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    """As the input gradient of the convolution that it is the transpose of."""
    y = convspec.fast.conv_transpose(input[:0], weight, bias, **attributes)
    if any(
        more >= s
        for more, s in zip(attributes["output_padding"], attributes["stride"], strict=True)
    ):
        raise NotImplementedError("no convolution has this output as its input")
    forward = {k: v for k, v in attributes.items() if k != "output_padding"}
    dummy = numpy.zeros((len(input), *y.shape[1:]), y.dtype)
    (scattered, _) = convspec.fast.conv_vjp(input, dummy, weight, **forward)
    return (
        scattered
        if bias is None
        else scattered + numpy.reshape(bias, (1, -1, *(1,) * (y.ndim - 2)))
    )


def pickier_list(outputs: Any) -> Any:
    return list(outputs) if isinstance(outputs, tuple) else outputs


def tuples_as_lists() -> SimpleNamespace:
    """Lists where the spec returns tuples."""

    def listed(name: str) -> Function:
        right = getattr(convspec.fast, name)
        return lambda *operands, **attributes: pickier_list(right(*operands, **attributes))

    return SimpleNamespace(**{name: listed(name) for name in NAMES})


VARIANTS: dict[str, Any] = {
    "sums forwards": SimpleNamespace(conv=conv_by(forwards)),
    "sums backwards": SimpleNamespace(conv=conv_by(backwards)),
    "sums in random order": SimpleNamespace(conv=conv_by(shuffled)),
    "sums pairwise": SimpleNamespace(conv=conv_by(pairwise)),
    "sums in blocks": SimpleNamespace(conv=conv_by(blocked)),
    "sums in four lanes": SimpleNamespace(conv=conv_by(in_four_lanes)),
    "compensated sums": SimpleNamespace(conv=conv_by(compensated)),
    "fused multiply-add": SimpleNamespace(conv=conv_fused),
    "float64 inside": SimpleNamespace(conv=conv_wide),
    "bias first": SimpleNamespace(conv=conv_bias_first),
    "tap by tap": SimpleNamespace(conv=conv_by_tap),
    "Einstein summation": SimpleNamespace(conv=conv_einsum),
    "scipy.signal": SimpleNamespace(conv=conv_scipy),
    "Winograd F(2, 3)": SimpleNamespace(conv=conv_winograd),
    "transposed by the gradient": SimpleNamespace(conv_transpose=conv_transpose_scattered),
    "outputs in Fortran order": returning(numpy.asfortranarray),
    "outputs as strided views": returning(strided),
    "outputs with negative strides": returning(backwards_view),
    "outputs read-only": returning(read_only),
    "outputs that become arrays": returning(Wrapped),
    "lists for tuples": tuples_as_lists(),
    "last tie": last_tie(),
    "ties split evenly": split_ties(),
    "maximum folded": SimpleNamespace(max_pool=max_pool_folded),
    "maximum by its place": SimpleNamespace(max_pool=max_pool_by_mask),
    "average by a reciprocal": SimpleNamespace(average_pool=average_pool_by(reciprocal)),
    "two arguments only": SimpleNamespace(conv=conv_learner),
    "no dilation, no groups": SimpleNamespace(conv=conv_without_groups),
    "more keywords": SimpleNamespace(conv=conv_more),
    "two spatial axes only": SimpleNamespace(conv=conv_rank_two),
    "nested lists": SimpleNamespace(conv=nested_lists, dtypes=("float64",)),
}

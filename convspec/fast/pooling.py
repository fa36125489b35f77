"""The twins of `convspec.pooling`: one pass over the input for each tap, block by block.

A tap meets all of its outputs at once as a strided view of the input, so nothing is copied into
columns and padding never exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    Padding,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    described,
    flag,
)
from convspec.fast.arithmetic import FLOAT64, INT64, OBJECT, Arithmetic, arithmetic, narrowed
from convspec.fast.blocks import (
    COLUMNS,
    Box,
    blocks,
    buffer_size,
    contiguous,
    last_axes,
    slices,
    whole,
)
from convspec.fast.gathering import tap_runs, within
from convspec.pooling import pool_windows
from convspec.window import Window, divisor, output_sizes, readers

# What a tap hands to the inputs it reads: from the outputs and the inputs of its run.
TapShare = Callable[[Sequence[range], Sequence[range]], Array]


def max_pool(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """`convspec.max_pool`: a running maximum over the taps.

    >>> max_pool([[[1, 5, 2, 4]]], kernel_size=2)
    array([[[5, 4]]])
    """
    input = array("input", input)
    sliding = pool_windows(
        input.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    if input.dtype == OBJECT:
        return _maxima(input, sliding)[0]
    shape = (*input.shape[:2], *output_sizes(input.shape[2:], sliding))
    integers = input.dtype.kind in "iu"
    # Smaller than or equal to every element of the dtype, so that it changes no maximum.
    least = numpy.iinfo(input.dtype).min if integers else -numpy.inf
    y = numpy.full(shape, least, dtype=moving(input.dtype))
    for box in blocks(whole(shape), COLUMNS // y.itemsize):
        source, target = input[slices(box[:2])], y[slices(box)]
        for runs in every_tap(sliding, input.shape[2:], box[2:]):
            place = target[last_axes(within([writing for writing, _ in runs], box[2:]))]
            numpy.maximum(place, source[last_axes(slices(read_by(runs)))], out=place)
    return settled(y)


def max_pool_with_indices(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    """`convspec.max_pool_with_indices`: a running maximum that remembers where it was found.

    >>> max_pool_with_indices([[[1, 5, 5, 2]]], kernel_size=2)
    (array([[[5, 5]]]), array([[[1, 2]]]))
    """
    input = array("input", input)
    sliding = pool_windows(
        input.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    return _maxima(input, sliding)


def _maxima(input: Array, sliding: Sequence[Window]) -> tuple[Array, Array]:
    shape = (*input.shape[:2], *output_sizes(input.shape[2:], sliding))
    y = numpy.zeros(shape, dtype=moving(input.dtype))
    found = numpy.empty(shape, dtype=INT64)
    for box in blocks(whole(shape), COLUMNS // y.itemsize):
        source = input[slices(box[:2])]
        _find_maxima(source, sliding, box[2:], y[slices(box)], found[slices(box)])
    return settled(y), found


def _find_maxima(
    source: Array, sliding: Sequence[Window], outputs: Box, best: Array, found: Array
) -> None:
    """Write the maxima of a block of outputs to `best`, their flat positions to `found`.

    Taps come in C order: the first maximum is kept unless a larger one or the first NaN follows.
    No value serves as a start, for any may be in the input; -1 in `found` says that there is none.
    """
    found[...] = -1
    for runs in every_tap(sliding, source.shape[2:], outputs):
        written = last_axes(within([writing for writing, _ in runs], outputs))
        candidate, current = source[last_axes(slices(read_by(runs)))], best[written]
        better = candidate > current
        better |= found[written] < 0
        better |= (candidate != candidate) & (current == current)  # NaN differs from itself
        numpy.copyto(current, candidate, where=better, casting="unsafe")
        numpy.copyto(found[written], _flat(read_by(runs), source.shape[2:]), where=better)


def max_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Array]:
    """`convspec.max_pool_vjp`: each tap passes on what it was the first maximum of.

    >>> max_pool_vjp([[[1, 10]]], [[[3, 7, 5]]], kernel_size=2, stride=1)
    (array([[[ 0, 11,  0]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    sliding = pool_windows(
        x.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    shape = (*x.shape[:2], *output_sizes(x.shape[2:], sliding))
    check_cotangent(g, shape, input=x)
    how = arithmetic((g,), prod(window.kernel for window in sliding), others=(x,))
    if how.output == INT64:
        how = Arithmetic(INT64, INT64)

    def shares(box: Box) -> TapShare:
        best = numpy.zeros([len(run) for run in box], dtype=moving(x.dtype))
        found = numpy.empty(best.shape, dtype=INT64)
        _find_maxima(x[slices(box[:2])], sliding, box[2:], best, found)

        def share(writing: Sequence[range], reading: Sequence[range]) -> Array:
            chosen = found[last_axes(within(writing, box[2:]))] == _flat(reading, x.shape[2:])
            given = g[(*slices(box[:2]), *slices(tuple(writing)))].astype(how.compute, copy=False)
            return numpy.where(chosen, given, numpy.zeros((), dtype=how.compute))

        return share

    return (narrowed(spread(x.shape, shape, sliding, how, shares), g, x),)


def max_pool_with_indices_vjp(
    cotangent: ArrayLike, input: ArrayLike, **attributes: Any
) -> tuple[Array]:
    """`convspec.max_pool_with_indices_vjp`: that of `max_pool`.

    >>> max_pool_with_indices_vjp([[[1]]], [[[3, 7]]], kernel_size=2)
    (array([[[0, 1]]]),)
    """
    return max_pool_vjp(cotangent, input, **attributes)


def average_pool(
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Array:
    """`convspec.average_pool`: a sum over the taps, divided once.

    >>> average_pool([[[1.0, 5.0, 2.0, 4.0]]], kernel_size=2)
    array([[[3., 3.]]])
    """
    x = array("input", input)
    sliding = pool_windows(
        x.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    include = flag("count_include_pad", count_include_pad, shapes=described(input=x))
    shape = (*x.shape[:2], *output_sizes(x.shape[2:], sliding))
    how = averaging(x, prod(window.kernel for window in sliding))
    divisors = _divisors(x.shape[2:], sliding, include=include)
    y = numpy.empty(shape, dtype=how.output)
    for box in blocks(whole(shape), COLUMNS // how.compute.itemsize):
        source = x[slices(box[:2])]
        total = numpy.zeros([len(run) for run in box], dtype=how.compute)
        with numpy.errstate(all="ignore"):
            for runs in every_tap(sliding, x.shape[2:], box[2:]):
                place = total[last_axes(within([writing for writing, _ in runs], box[2:]))]
                place += source[last_axes(slices(read_by(runs)))]
            y[slices(box)] = total / counts(divisors, box[2:], how.compute)
    return y


def average_pool_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> tuple[Array]:
    """`convspec.average_pool_vjp`: divided once, then handed on by each tap.

    >>> average_pool_vjp([[[2.0, 4.0]]], [[[0.0, 0.0, 0.0]]], kernel_size=2, stride=1)
    (array([[[1., 3., 2.]]]),)
    """
    g, x = array("cotangent", cotangent), array("input", input)
    sliding = pool_windows(
        x.shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    include = flag("count_include_pad", count_include_pad, shapes=described(input=x))
    shape = (*x.shape[:2], *output_sizes(x.shape[2:], sliding))
    check_cotangent(g, shape, input=x)
    how = averaging(g, 1, others=(x,))
    divisors = _divisors(x.shape[2:], sliding, include=include)

    def shares(box: Box) -> TapShare:
        with numpy.errstate(all="ignore"):
            given = contiguous(g[slices(box)], how.compute)
            even = given / counts(divisors, box[2:], how.compute)
        return lambda writing, _: even[last_axes(within(writing, box[2:]))]

    return (spread(x.shape, shape, sliding, how, shares),)


def spread(
    shape: Shape,
    outputs: Shape,
    sliding: Sequence[Window],
    how: Arithmetic,
    shares: Callable[[Box], TapShare],
) -> Array:
    """Sum over the taps what each hands to the inputs it reads; `shares` prepares a block of
    outputs.
    """
    d_x = numpy.zeros(shape, dtype=how.output)
    # Where storing rounds, the sum of a block of inputs is finished before it is stored.
    most = buffer_size(how.compute) if how.rounds else max(d_x.size, 1)
    for box in blocks(whole(shape), most):
        place = d_x[slices(box)]
        total = numpy.zeros(place.shape, dtype=how.compute) if how.rounds else place
        touched = tuple(
            readers(window, reading, range(n))
            for window, reading, n in zip(sliding, box[2:], outputs[2:], strict=True)
        )
        for block in blocks((*box[:2], *touched), COLUMNS // how.compute.itemsize):
            share = shares(block)
            every = tuple(range(window.kernel) for window in sliding)
            for runs in tap_runs(sliding, every, box[2:], block[2:]):
                writing, reading = [w for w, _ in runs], [r for _, r in runs]
                target = total[(*within(block[:2], box[:2]), *within(reading, box[2:]))]
                with numpy.errstate(all="ignore"):
                    numpy.add(target, share(writing, reading), out=target, casting="unsafe")
        if how.rounds:
            with numpy.errstate(over="ignore"):
                place[...] = total
    return d_x


def averaging(values: Array, terms: int, others: tuple[Array, ...] = ()) -> Arithmetic:
    """How to average `terms` elements; integers give float64, rounded once from the exact sum."""
    how = arithmetic((values,), terms, others=others)
    if any(operand.dtype.kind not in "iu" for operand in (values, *others)):
        return how
    return Arithmetic(FLOAT64 if how.compute == FLOAT64 else OBJECT, FLOAT64)


def _divisors(spatial: Shape, sliding: Sequence[Window], *, include: bool) -> list[Array]:
    """`window.divisor` of every output position, axis by axis."""
    return [
        numpy.array([divisor(n, window, i, count_include_pad=include) for i in range(outputs)])
        for n, window, outputs in zip(spatial, sliding, output_sizes(spatial, sliding), strict=True)
    ]


def counts(divisors: list[Array], box: Box, compute: numpy.dtype[Any]) -> Array:
    """What the averages of a block divide by, in a dtype that holds it exactly."""
    chosen = [column[index] for column, index in zip(divisors, slices(box), strict=True)]
    counts: Array = reduce(numpy.multiply.outer, chosen)
    return counts.astype(numpy.result_type(FLOAT64, compute))


def every_tap(
    sliding: Sequence[Window], spatial: Shape, outputs: Box
) -> Iterator[list[tuple[range, range]]]:
    """`gathering.tap_runs` of every tap over the whole input.

    >>> len(list(every_tap([Window(2)], (3,), (range(2),))))
    2
    """
    every = tuple(range(window.kernel) for window in sliding)
    return tap_runs(sliding, every, whole(spatial), outputs)


def read_by(runs: Sequence[tuple[range, range]]) -> Box:
    """The input positions of a tap's runs.

    >>> read_by([(range(2), range(1, 3))])
    (range(1, 3),)
    """
    return tuple(reading for _, reading in runs)


def _flat(reading: Sequence[range], spatial: Shape) -> Array:
    """The flat index of each position that a tap reads in the spatial volume of its channel."""
    return numpy.asarray(numpy.ravel_multi_index(numpy.ix_(*reading), spatial))


def moving(dtype: numpy.dtype[Any]) -> numpy.dtype[Any]:
    """int64 for the integers that it holds; every other dtype is its own."""
    return INT64 if dtype.kind in "iu" and numpy.can_cast(dtype, INT64) else dtype


def settled(y: Array) -> Array:
    """Unsigned maxima as int64 where they fit, as Python's own integers where they do not."""
    if y.dtype.kind != "u":
        return y
    fits = not y.size or int(y.max()) <= numpy.iinfo(INT64).max
    return y.view(INT64) if fits else y.astype(OBJECT)

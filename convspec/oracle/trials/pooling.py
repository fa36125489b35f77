"""Trials of the poolings: one dense maximum or sum a block, a strided slice of it a case."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.cases.draws import amplitude, distinct, integers, one_hot
from convspec.oracle.cases.scope import PADDINGS, Block
from convspec.oracle.cases.tables import (
    Place,
    Table,
    backward_input,
    columns,
    output_slices,
    stuffed,
    table,
)
from convspec.oracle.expected import divisors
from convspec.oracle.trials.trial import DRAWS, Setting, Trial
from convspec.rounding import growth, precision, unit_roundoff
from convspec.window import Window, output_sizes

MOST_PLANES = 64
Cases = Iterator[tuple[dict[str, Any], tuple[Window, ...], Place]]


def _prepare(block: Block) -> tuple[tuple[int, ...], tuple[int, ...], Table]:
    spatial, kernel, dilation = (
        tuple(axis[name] for axis in block.axes) for name in ("size", "kernel", "dilation")
    )
    margin = (PADDINGS[-1],) * len(spatial)
    return spatial, kernel, table(spatial, kernel, dilation, margin, margin)


def _cases(block: Block, tabulated: Table) -> Cases:
    """The attributes of each case, its windows, and its place among the starts."""
    ceil = bool(block.call["ceil"])
    kernel = tuple(axis["kernel"] for axis in block.axes)
    dilation = tuple(axis["dilation"] for axis in block.axes)
    spatial = tuple(axis["size"] for axis in block.axes)
    for slide in block.slides:
        sliding = tuple(
            Window(k, axis["stride"], axis["low"], axis["high"], d, ceil)
            for k, d, axis in zip(kernel, dilation, slide, strict=True)
        )
        attributes = {
            "kernel_size": kernel,
            "stride": tuple(w.stride for w in sliding),
            "padding": tuple((w.low, w.high) for w in sliding),
            "dilation": dilation,
            "ceil_mode": ceil,
        }
        place = output_slices(tabulated, sliding, output_sizes(spatial, sliding))
        yield attributes, sliding, place


def _selection_input(block: Block, setting: Setting, *, ties: bool) -> Array:
    """Planes that pin a maximum down: one hot element each, permutations, and draws with ties."""
    spatial = tuple(axis["size"] for axis in block.axes)
    channels, dtype = block.call["channels"], setting.dtype
    if block.call["single"]:
        return distinct(setting.rng, (1, channels, *spatial), dtype)
    planes = min(MOST_PLANES, -(-prod(spatial) // channels))
    parts = [distinct(setting.rng, (DRAWS[len(spatial)], channels, *spatial), dtype)]
    if ties:
        tied = integers(setting.rng, (DRAWS[len(spatial)], channels, *spatial), 2, dtype)
        hot = one_hot((planes, channels, *spatial), dtype)
        parts += [hot, tied, tied - tied.max(initial=0)] if dtype.kind != "u" else [hot, tied]
    return numpy.concatenate(parts)


def max_pool_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `max_pool`."""
    _, _, tabulated = _prepare(block)
    x = _selection_input(block, setting, ties=True)
    dense = columns(x, tabulated, -numpy.inf).max(axis=2)
    dense = dense.reshape(*dense.shape[:2], *tabulated.starts)
    for attributes, _, place in _cases(block, tabulated):
        yield Trial({"input": x}, attributes, (dense[place],))


def _winners(x: Array, tabulated: Table) -> tuple[Array, Array]:
    """Dense maxima and their flat input positions, of an input without ties."""
    read = columns(x, tabulated, -numpy.inf)
    winner = read.argmax(axis=2)
    found = tabulated.reads[winner, numpy.arange(winner.shape[2])]
    shape = (*x.shape[:2], *tabulated.starts)
    return read.max(axis=2).reshape(shape), found.reshape(shape)


def max_pool_with_indices_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `max_pool_with_indices`, without ties: which of several equal
    maxima is found is an open point, measured elsewhere.
    """
    _, _, tabulated = _prepare(block)
    x = _selection_input(block, setting, ties=False)
    values, found = _winners(x, tabulated)
    for attributes, _, place in _cases(block, tabulated):
        yield Trial({"input": x}, attributes, (values[place], found[place]))


def max_pool_vjp_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `max_pool_vjp`, without ties."""
    spatial, kernel, tabulated = _prepare(block)
    x = _selection_input(block, setting, ties=False)
    _, found = _winners(x, tabulated)
    planes, size = prod(x.shape[:2]), prod(spatial)
    largest = amplitude(prod(kernel), setting.dtype, factors=1)
    for attributes, _, place in _cases(block, tabulated):
        winners = found[place]
        cotangent = integers(setting.rng, winners.shape, largest, setting.dtype)
        cells = winners.reshape(planes, -1) + numpy.arange(planes)[:, None] * size
        d_input = numpy.bincount(cells.ravel(), cotangent.ravel(), minlength=planes * size)
        yield Trial({"cotangent": cotangent, "input": x}, attributes, (d_input.reshape(x.shape),))


def _rounds(counts: Array, dtype: numpy.dtype[Any]) -> bool:
    """Whether an average may round: integers become floats, and other divisors than powers of two
    leave a remainder.
    """
    return dtype.kind in "iu" or not bool((numpy.frexp(counts)[0] == 0.5).all())


def _bound(magnitude: Array, roundings: int, dtype: numpy.dtype[Any]) -> Array:
    """The rounding bound of an average or of its cotangent, and of the float64 reference."""
    u = unit_roundoff(precision(dtype)) if dtype.kind not in "iu" else unit_roundoff(53)
    # The reference itself divides and adds in float64.
    return magnitude * (growth(u, roundings) + growth(unit_roundoff(53), roundings))


def average_pool_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `average_pool`: exact where every divisor is a power of two,
    within the bound of `n + 2` roundings elsewhere.
    """
    spatial, kernel, tabulated = _prepare(block)
    include = bool(block.call["include_pad"])
    batch = 1 if block.call["single"] else DRAWS[len(block.axes)]
    largest = amplitude(prod(kernel), setting.dtype, factors=1)
    x = integers(setting.rng, (batch, block.call["channels"], *spatial), largest, setting.dtype)
    read = columns(x, tabulated, 0.0)
    shape = (*x.shape[:2], *tabulated.starts)
    sums, magnitudes = read.sum(axis=2).reshape(shape), abs(read).sum(axis=2).reshape(shape)
    for attributes, sliding, place in _cases(block, tabulated):
        counts = divisors(spatial, sliding, count_include_pad=include)
        slack = None
        if _rounds(counts, setting.dtype):
            slack = (_bound(magnitudes[place] / counts, prod(kernel) + 2, setting.dtype),)
        attributes["count_include_pad"] = include
        yield Trial({"input": x}, attributes, (sums[place] / counts,), slack)


def average_pool_vjp_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `average_pool_vjp`."""
    spatial, kernel, tabulated = _prepare(block)
    include = bool(block.call["include_pad"])
    batch, channels = 1 if block.call["single"] else DRAWS[len(block.axes)], block.call["channels"]
    ones = numpy.ones((channels, 1, prod(kernel)))
    # A share is a multiple of one over the largest divisor, and as many windows may share.
    largest = amplitude(prod(kernel) ** 2, setting.dtype, factors=1)
    x = integers(setting.rng, (batch, channels, *spatial), largest, setting.dtype)

    def spread(shared: Array, place: Place) -> Array:
        g = stuffed(shared, tabulated, place)
        return backward_input(g, ones, tabulated, channels).reshape(x.shape)

    for attributes, sliding, place in _cases(block, tabulated):
        counts = divisors(spatial, sliding, count_include_pad=include)
        shape = (batch, channels, *output_sizes(spatial, sliding))
        cotangent = integers(setting.rng, shape, largest, setting.dtype)
        shared = cotangent / counts
        slack = None
        if _rounds(counts, setting.dtype):
            magnitude = spread(abs(shared), place)
            slack = (_bound(magnitude, prod(kernel) + 2, setting.dtype),)
        attributes["count_include_pad"] = include
        yield Trial(
            {"cotangent": cotangent, "input": x}, attributes, (spread(shared, place),), slack
        )

"""Trials of `conv_transpose` and its vjp: one full result a block, a crop of it a case."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.oracle.cases.draws import amplitude, integers
from convspec.oracle.cases.scope import OUTPUT_PADDINGS, Block
from convspec.oracle.cases.tables import (
    Place,
    backward_weight,
    forward,
    gathered,
    output_slices,
    scattered,
    strided,
    window_table,
)
from convspec.oracle.trials.convolution import Sizes, block_sizes, flat_weight
from convspec.oracle.trials.trial import Setting, Trial, reach, sparse
from convspec.window import Window, transposed_size


def _windows(block: Block, sizes: Sizes) -> tuple[Window, ...]:
    return tuple(
        Window(k, axis["stride"], dilation=d)
        for k, d, axis in zip(sizes.kernel, sizes.dilation, block.axes, strict=True)
    )


def _operands(block: Block, sizes: Sizes, largest: int, setting: Setting) -> dict[str, Array]:
    dtype, rng = setting.dtype, setting.rng
    channels, outputs = sizes.groups * sizes.inputs, sizes.groups * sizes.outputs
    operands = {
        "input": integers(rng, (sizes.batch, channels, *sizes.spatial), largest, dtype),
        "weight": integers(rng, (channels, sizes.outputs, *sizes.kernel), largest, dtype),
    }
    if block.call["bias"]:
        operands["bias"] = integers(rng, (outputs,), largest, dtype)
    return operands


def _cases(
    block: Block, sizes: Sizes, windows: tuple[Window, ...]
) -> Iterator[tuple[dict[str, Any], Place]]:
    """The attributes of each case, and its crop of the full output."""
    for slide in block.slides:
        crop = []
        for n, window, axis in zip(sizes.spatial, windows, slide, strict=True):
            cropped = window._replace(low=axis["low"], high=axis["high"])
            size = transposed_size(n, cropped, axis["output_padding"])
            crop.append(slice(axis["low"], axis["low"] + size))
        attributes = {
            "stride": tuple(w.stride for w in windows),
            "padding": tuple((axis["low"], axis["high"]) for axis in slide),
            "output_padding": tuple(axis["output_padding"] for axis in slide),
            "dilation": sizes.dilation,
            "groups": sizes.groups,
        }
        yield attributes, (..., *crop)


def flat_space(array: Array) -> Array:
    """`(N, C, *spatial)` with space on one axis."""
    return array.reshape(*array.shape[:2], prod(array.shape[2:]))


def _full(sizes: Sizes, windows: tuple[Window, ...]) -> tuple[Shape, Array]:
    """The uncropped output with room for output padding, and where in it every tap of every
    input position lies.
    """
    room = tuple(
        transposed_size(n, window, OUTPUT_PADDINGS[-1])
        for n, window in zip(sizes.spatial, windows, strict=True)
    )
    tabulated = window_table(room, windows)
    place = output_slices(tabulated, windows, sizes.spatial)
    return room, strided(tabulated, place)


def conv_transpose_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `conv_transpose`."""
    sizes = block_sizes(block)
    windows = _windows(block, sizes)
    largest = reach(setting, amplitude(sizes.inputs * prod(sizes.kernel), setting.dtype))
    operands = _operands(block, sizes, largest, setting)
    room, index = _full(sizes, windows)
    x = flat_space(operands["input"])
    full = scattered(x, flat_weight(operands["weight"]), index, prod(room), sizes.groups)
    if "bias" in operands:
        full += operands["bias"][:, None]
    full = full.reshape(*full.shape[:2], *room)
    for attributes, crop in _cases(block, sizes, windows):
        yield Trial(operands, attributes, (full[crop],))


def conv_transpose_vjp_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `conv_transpose_vjp`."""
    sizes, dtype = block_sizes(block), setting.dtype
    windows = _windows(block, sizes)
    room, index = _full(sizes, windows)
    terms = max(sizes.outputs * prod(sizes.kernel), sizes.batch * prod(sizes.spatial))
    if block.call["bias"]:
        terms = max(terms, sizes.batch * prod(room))
    largest = reach(setting, amplitude(terms, dtype))
    operands = _operands(block, sizes, largest, setting)
    weight = flat_weight(operands["weight"])
    x = flat_space(operands["input"])
    outputs = sizes.groups * sizes.outputs
    for attributes, crop in _cases(block, sizes, windows):
        full = numpy.zeros((sizes.batch, outputs, *room))
        cotangent = integers(setting.rng, full[crop].shape, largest, dtype)
        cotangent = sparse(setting, cotangent)
        full[crop] = cotangent
        read = gathered(flat_space(full), index, 0.0)
        expected = [
            forward(read, weight, sizes.groups).reshape(operands["input"].shape),
            backward_weight(x, read, sizes.groups).reshape(operands["weight"].shape),
        ]
        if "bias" in operands:
            expected.append(full.reshape(sizes.batch, outputs, prod(room)).sum(axis=(0, 2)))
        yield Trial({"cotangent": cotangent, **operands}, attributes, tuple(expected))

"""Trials of `conv` and `conv_vjp`: one dense correlation a block, a strided slice of it a case."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from convspec.arguments import Array, Shape
from convspec.oracle.cases.draws import amplitude, integers
from convspec.oracle.cases.scope import PADDINGS, Block
from convspec.oracle.cases.tables import (
    Place,
    Table,
    backward_input,
    backward_weight,
    columns,
    forward,
    output_slices,
    stuffed,
    table,
)
from convspec.oracle.trials.trial import DRAWS, Setting, Trial, reach, sparse
from convspec.window import Window, output_sizes


class Sizes(NamedTuple):
    """The sizes that the cases of a block share."""

    batch: int
    groups: int
    inputs: int
    outputs: int
    spatial: Shape
    kernel: Shape
    dilation: Shape


def block_sizes(block: Block) -> Sizes:
    """The sizes of a block: `inputs` and `outputs` are channels a group."""
    call = block.call
    return Sizes(
        1 if call["single"] else DRAWS[len(block.axes)],
        call["groups"],
        call["inputs"],
        call["outputs"],
        *(tuple(axis[name] for axis in block.axes) for name in ("size", "kernel", "dilation")),
    )


def _table(sizes: Sizes) -> Table:
    margin = (PADDINGS[-1],) * len(sizes.spatial)
    return table(sizes.spatial, sizes.kernel, sizes.dilation, margin, margin)


def _operands(block: Block, sizes: Sizes, largest: int, setting: Setting) -> dict[str, Array]:
    dtype, rng = setting.dtype, setting.rng
    channels, outputs = sizes.groups * sizes.inputs, sizes.groups * sizes.outputs
    operands = {
        "input": integers(rng, (sizes.batch, channels, *sizes.spatial), largest, dtype),
        "weight": integers(rng, (outputs, sizes.inputs, *sizes.kernel), largest, dtype),
    }
    if block.call["bias"]:
        operands["bias"] = integers(rng, (outputs,), largest, dtype)
    return operands


def flat_weight(weight: Array) -> Array:
    """A weight in float64 with its taps on one axis."""
    return weight.reshape(*weight.shape[:2], prod(weight.shape[2:])).astype(float)


def _cases(
    block: Block, sizes: Sizes, tabulated: Table
) -> Iterator[tuple[dict[str, Any], Place, Shape]]:
    """The attributes of each case, its place among the starts, and its output sizes."""
    for slide in block.slides:
        sliding = tuple(
            Window(k, axis["stride"], axis["low"], axis["high"], d)
            for k, d, axis in zip(sizes.kernel, sizes.dilation, slide, strict=True)
        )
        attributes = {
            "stride": tuple(w.stride for w in sliding),
            "padding": tuple((w.low, w.high) for w in sliding),
            "dilation": sizes.dilation,
            "groups": sizes.groups,
        }
        counts = output_sizes(sizes.spatial, sliding)
        yield attributes, output_slices(tabulated, sliding, counts), counts


def conv_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `conv`."""
    sizes = block_sizes(block)
    largest = reach(setting, amplitude(sizes.inputs * prod(sizes.kernel), setting.dtype))
    operands, tabulated = _operands(block, sizes, largest, setting), _table(sizes)
    read = columns(operands["input"], tabulated, 0.0)
    dense = forward(read, flat_weight(operands["weight"]), sizes.groups)
    if "bias" in operands:
        dense += operands["bias"][:, None]
    dense = dense.reshape(*dense.shape[:2], *tabulated.starts)
    for attributes, place, _ in _cases(block, sizes, tabulated):
        yield Trial(operands, attributes, (dense[place],))


def conv_vjp_trials(block: Block, setting: Setting) -> Iterator[Trial]:
    """The cases of a block for `conv_vjp`."""
    sizes, dtype = block_sizes(block), setting.dtype
    tabulated = _table(sizes)
    # A weight's cotangent sums over the batch and every output position.
    terms = max(sizes.outputs * prod(sizes.kernel), sizes.batch * prod(tabulated.starts))
    largest = reach(setting, amplitude(terms, dtype))
    operands = _operands(block, sizes, largest, setting)
    read = columns(operands["input"], tabulated, 0.0)
    weight = flat_weight(operands["weight"])
    for attributes, place, counts in _cases(block, sizes, tabulated):
        shape = (sizes.batch, len(weight), *counts)
        cotangent = integers(setting.rng, shape, largest, dtype)
        cotangent = sparse(setting, cotangent)
        g = stuffed(cotangent, tabulated, place)
        expected = [
            backward_input(g, weight, tabulated, sizes.groups).reshape(operands["input"].shape),
            backward_weight(g, read, sizes.groups).reshape(operands["weight"].shape),
        ]
        if "bias" in operands:
            expected.append(g.sum(axis=(0, 2)))
        yield Trial({"cotangent": cotangent, **operands}, attributes, tuple(expected))

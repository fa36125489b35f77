"""NaN, infinities, subnormal numbers and empty batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    POOLS,
    SIGNALS,
    padded,
    replacing,
    rewriting,
)
from convspec.oracle.deviations.families import FORWARD, WORDS, parts
from convspec.oracle.deviations.record import Deviation, Function


def on_floats(change: Callable[[Array], Any]) -> Callable[..., dict[str, Any]]:
    """Every floating operand changed, in its own dtype; of a list of arrays, each of them."""

    def changed_one(array: Any) -> Any:
        if not isinstance(array, numpy.ndarray) or array.dtype.kind != "f":
            return array
        return numpy.asarray(change(array)).astype(array.dtype)

    def changed(**arguments: Any) -> dict[str, Any]:
        return {
            name: [changed_one(part) for part in value]
            if isinstance(value, list)
            else changed_one(value)
            for name, value in arguments.items()
            if name in WORDS
        }

    return changed


def _spread(right: Function, **arguments: Any) -> Array:
    output = numpy.array(right(**arguments))
    given = (arguments[n] for n in WORDS if arguments.get(n) is not None)
    arrays = [numpy.asarray(part) for value in given for part in parts(value)]
    if any(array.dtype.kind == "f" and not numpy.isfinite(array).all() for array in arrays):
        output[...] = numpy.nan
    return output


def _finite(array: Array) -> Any:
    return numpy.nan_to_num(array, nan=numpy.nan)


def _normal(array: Array) -> Any:
    return numpy.where(abs(array) < numpy.finfo(array.dtype).tiny, 0, array)


def _flushed(right: Function, **arguments: Any) -> Any:
    output = numpy.asarray(right(**{**arguments, **on_floats(_normal)(**arguments)}))
    return _normal(output).astype(output.dtype) if output.dtype.kind == "f" else output


def _zero_taps_skipped(right: Function, f: Any, g: Any, mode: str) -> Any:
    f, g = numpy.asarray(f), numpy.asarray(g)
    whole = right(f=f, g=g, mode=mode)
    if f.dtype.kind != "f" or numpy.isfinite(f).all():
        return whole
    # What element of f a tap meets at each output, counted from 1; 0 where it meets none.
    places = numpy.arange(1, f.size + 1).reshape(f.shape)
    output = numpy.zeros_like(whole)
    for tap in zip(*numpy.nonzero(g), strict=True):
        alone = numpy.zeros(g.shape, int)
        alone[tap] = 1
        met = numpy.asarray(right(f=places, g=alone, mode=mode)).astype(int)
        output += numpy.append(output.dtype.type(0), f.ravel() * g[tap])[met]
    return output


def _padding_multiplied(input: Any, padding: Any, **_: Any) -> dict[str, Any]:
    return {"input": padded(input, padding), "padding": ((0, 0),) * len(padding)}


def _refused(right: Function, input: Any, **arguments: Any) -> Any:
    if len(input) == 0:
        raise ValueError(f"input has shape {numpy.shape(input)}: the batch is empty")
    return right(input=input, **arguments)


# What is convolved, and may be convolved by transforms.
TRANSFORMED = (
    *SIGNALS,
    *CONVOLUTIONS,
    "depthwise_conv",
    "depthwise_separable_conv",
    "spatially_separable_conv",
    "resize_conv",
)
# In relu it has a name of its own.
WITH_NAN = tuple(name for name in FORWARD if name != "relu")
# Where the largest number gives another result than infinity.
UNBOUNDED = tuple(
    name for name in FORWARD if name not in ("sigmoid", "tanh", "l2_penalty", "dropout")
)

SPECIAL_VALUES = (
    Deviation(
        name="NaN spread by the FFT",
        operations=TRANSFORMED,
        kind="mistake",
        sentence="One NaN or infinity anywhere makes every output NaN, as a product of transforms "
        "does.",
        hidden="finite data",
        edit=replacing(_spread),
        threads=("scipy/scipy#15927",),
    ),
    Deviation(
        name="NaN taken for zero",
        operations=WITH_NAN,
        kind="mistake",
        sentence="Replaces NaN by 0 before computing.",
        hidden="data without NaN",
        edit=rewriting(on_floats(lambda array: numpy.where(numpy.isnan(array), 0, array))),
    ),
    Deviation(
        name="infinities clipped to the largest number",
        operations=UNBOUNDED,
        kind="mistake",
        sentence="Replaces infinities by the largest finite numbers before computing.",
        hidden="finite data",
        edit=rewriting(on_floats(_finite)),
    ),
    Deviation(
        name="products with a zero weight left out",
        operations=SIGNALS,
        kind="mistake",
        sentence="Leaves out the products with a weight of zero, so that NaN or infinity times "
        "zero adds nothing.",
        hidden="finite data",
        edit=replacing(_zero_taps_skipped),
    ),
    Deviation(
        name="padding multiplied by the weight",
        operations=("conv",),
        kind="convention",
        sentence="Multiplies padded zeros by the weight, so that a weight that is not finite "
        "makes the border NaN.",
        hidden="finite weights, or padding 0",
        edit=rewriting(_padding_multiplied),
        convention=("non_finite_weight_on_padding", "multiplied"),
    ),
    Deviation(
        name="subnormal numbers flushed to zero",
        operations=(*SIGNALS, *CONVOLUTIONS),
        kind="convention",
        sentence="Takes subnormal operands for zero and returns zero for subnormal results.",
        hidden="data without subnormal numbers",
        edit=replacing(_flushed),
        convention=("subnormals", "flushed"),
    ),
    Deviation(
        name="empty batch refused",
        operations=(*CONVOLUTIONS, *POOLS),
        kind="convention",
        sentence="Raises an error for a batch of none.",
        hidden="batches that are not empty",
        edit=replacing(_refused),
        threads=("pytorch/pytorch#24341",),
        convention=("empty_batch", "refused"),
    ),
)

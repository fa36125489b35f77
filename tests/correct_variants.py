"""Correct implementations that differ in everything the spec leaves free: none may be accused.

They differ in the order of summation, in the memory layout of what they return, in how a tie is
broken, in what they offer, and in the algorithm.  `VARIANTS` maps a name to an implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy

import convspec.fast
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.sliding import divisors, gathered, maxima, windows_of
from convspec.window import divisor
from tests.convolution_variants import (
    backwards,
    blocked,
    compensated,
    conv_bias_first,
    conv_by,
    conv_by_tap,
    conv_columns,
    conv_direct,
    conv_einsum,
    conv_fft,
    conv_fused,
    conv_scipy,
    conv_wide,
    conv_winograd,
    finite_only,
    forwards,
    in_float32,
    in_four_lanes,
    pairwise,
    shuffled,
)
from tests.oracle.implementations import winograd_conv

# What is returned in another form: one operation of each kind, one output or several.
NAMES = ("correlate", "conv", "conv_vjp", "max_pool_with_indices", "average_pool_vjp")
Function = Callable[..., Any]


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
    "a product of matrices": SimpleNamespace(conv=conv_columns),
    "one output after the other": SimpleNamespace(conv=conv_direct),
    "float16 in float32": SimpleNamespace(conv=in_float32, dtypes=("float16",)),
    "float16 throughout": SimpleNamespace(
        conv=conv_by(forwards), average_pool=average_pool_by(reciprocal), dtypes=("float16",)
    ),
    "float16 in random order": SimpleNamespace(conv=conv_by(shuffled), dtypes=("float16",)),
    "FFT": SimpleNamespace(conv=conv_fft),
    "Winograd F(2, 3)": SimpleNamespace(conv=conv_winograd),
    "Winograd F(2 x 2, 3 x 3)": SimpleNamespace(conv=finite_only(winograd_conv(2))),
    "Winograd F(4 x 4, 3 x 3)": SimpleNamespace(conv=finite_only(winograd_conv(4))),
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

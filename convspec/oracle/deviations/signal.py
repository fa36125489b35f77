"""Convolution and correlation of signals: modes, centres and orders of lags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import SIGNALS, only, replacing, rewriting
from convspec.oracle.deviations.record import Deviation, Edit, Function


def kept_from_full(choose: Callable[[int, int], range]) -> Edit:
    """The edit that keeps, on an axis of sizes n and m, the positions `choose(n, m)` of full."""

    def function(right: Function, f: Any, g: Any, mode: str) -> Array:
        whole = numpy.asarray(right(f=f, g=g, mode="full"))
        kept = [choose(n, m) for n, m in zip(numpy.shape(f), numpy.shape(g), strict=True)]
        return whole[tuple(slice(keep.start, keep.stop) for keep in kept)]

    return replacing(function)


def is_same(mode: str, **_: Any) -> bool:
    """Whether the mode is same."""
    return mode == "same"


def is_valid(mode: str, **_: Any) -> bool:
    """Whether the mode is valid."""
    return mode == "valid"


def second_is_longer(f: Any, g: Any, **_: Any) -> bool:
    """Whether the second operand is longer on some axis."""
    return any(m > n for n, m in zip(numpy.shape(f), numpy.shape(g), strict=True))


def _longer_of_two(spec: Any, operation: str) -> Function:
    def choose(n: int, m: int) -> range:
        short = min(n, m)
        first = short // 2 if operation == "correlate" and m > n else (short - 1) // 2
        return range(first, first + max(n, m))

    return only(is_same, kept_from_full(choose))(spec, operation)


def _first_longer_only(right: Function, f: Any, g: Any, mode: str) -> Any:
    if second_is_longer(f, g):
        raise ValueError(f"g has shape {numpy.shape(g)}: must fit inside f")
    return right(f=f, g=g, mode=mode)


def _reversed_lags(right: Function, **arguments: Any) -> Any:
    return numpy.flip(right(**arguments))


def _one_too_short(right: Function, **arguments: Any) -> Array:
    whole = numpy.array(right(**arguments))
    for axis, size in enumerate(whole.shape):
        if size > 1:
            along = numpy.moveaxis(whole, axis, 0)
            along[0] += along[-1]
            along[-1] = along[0]
    return whole


def _wrapped(right: Function, f: Any, g: Any, mode: str) -> Any:
    around = [((m - 1) - (m - 1) // 2, (m - 1) // 2) for m in numpy.shape(g)]
    return right(f=numpy.pad(f, around, mode="wrap"), g=g, mode="valid")


def _is_full(mode: str, **_: Any) -> bool:
    return mode == "full"


def _last_axis_only(right: Function, f: Any, g: Any, mode: str) -> Any:
    g = numpy.asarray(g)
    line: Sequence[Any] = [0] * (g.ndim - 1) + [slice(None)]
    alone = numpy.zeros_like(g)
    alone[tuple(line)] = g[tuple(line)]
    return right(f=f, g=alone, mode=mode)


SIGNAL = (
    Deviation(
        name="same has the longer operand's size",
        operations=SIGNALS,
        kind="convention",
        sentence="Mode same returns as many positions as the longer operand has.",
        hidden="first operands at least as long as the second, and other modes",
        edit=_longer_of_two,
        threads=("numpy/numpy#6316",),
        convention=("same_size", "longer"),
    ),
    Deviation(
        name="even kernel centred one later",
        operations=SIGNALS,
        kind="convention",
        sentence="Mode same begins at position m // 2 of full instead of (m - 1) // 2.",
        hidden="second operands of odd size, and other modes",
        edit=only(is_same, kept_from_full(lambda n, m: range(m // 2, m // 2 + n))),
        threads=("jax-ml/jax#2675", "cupy/cupy#3525"),
        convention=("even_kernel_centre", "later"),
    ),
    Deviation(
        name="same cut from the start of full",
        operations=SIGNALS,
        kind="mistake",
        sentence="Mode same returns the first positions of full, not the centred ones.",
        hidden="second operands of one or two elements, and other modes",
        edit=only(is_same, kept_from_full(lambda n, m: range(n))),
    ),
    Deviation(
        name="same cut from the end of full",
        operations=SIGNALS,
        kind="mistake",
        sentence="Mode same returns the last positions of full, not the centred ones.",
        hidden="second operands of one element, and other modes",
        edit=only(is_same, kept_from_full(lambda n, m: range(m - 1, m - 1 + n))),
    ),
    Deviation(
        name="longer second operand refused",
        operations=SIGNALS,
        kind="mistake",
        sentence="Mode valid raises an error where the first operand fits inside the second.",
        hidden="first operands at least as long as the second, and other modes",
        edit=only(is_valid, replacing(_first_longer_only)),
    ),
    Deviation(
        name="lags reversed for a longer second operand",
        operations=("correlate",),
        kind="mistake",
        sentence="Mode valid exchanges the operands so that the longer one comes first, and does "
        "not turn the result round.",
        hidden="first operands at least as long as the second, and other modes",
        edit=only(lambda **a: is_valid(**a) and second_is_longer(**a), replacing(_reversed_lags)),
        threads=("cupy/cupy#3525",),
    ),
    Deviation(
        name="mode ignored",
        operations=SIGNALS,
        kind="mistake",
        sentence="Always returns the full result.",
        hidden="mode full",
        edit=rewriting(lambda **_: {"mode": "full"}),
    ),
    Deviation(
        name="transform one too short",
        operations=SIGNALS,
        kind="mistake",
        sentence="Transforms n + m - 2 positions, so that the last one of full falls on the first.",
        hidden="modes other than full, and results that begin and end with zero",
        edit=only(_is_full, replacing(_one_too_short)),
    ),
    Deviation(
        name="signal wraps around",
        operations=("convolve",),
        kind="mistake",
        sentence="Mode same is a circular convolution of the first operand's size.",
        hidden="second operands of one element, zero borders, and other modes",
        edit=only(is_same, replacing(_wrapped)),
        threads=("scipy/scipy#8684",),
    ),
    Deviation(
        name="only the last axis convolved",
        operations=SIGNALS,
        kind="mistake",
        sentence="Uses the first line of the second operand only.",
        hidden="one axis, or second operands of one line",
        edit=replacing(_last_axis_only),
    ),
)

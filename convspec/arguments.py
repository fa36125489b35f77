"""Arguments in, arguments checked: every error names the argument, its value and the shapes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy
from numpy.typing import ArrayLike, NDArray

from convspec.window import Window, extent, first_empty, resolve_padding

Array = NDArray[Any]
Shape = tuple[int, ...]
PerAxis = int | Sequence[int]
Padding = int | str | Sequence[int] | Sequence[tuple[int, int]]

SAME_WORDS = ("valid", "same_upper", "same_lower")
CONV_WORDS = (*SAME_WORDS, "full")


def array(name: str, value: ArrayLike) -> Array:
    """`value` as an array of real numbers: integers, floats, or objects that behave like them.

    >>> array("input", [[1, 2]]).shape
    (1, 2)
    >>> array("input", ["a"])
    Traceback (most recent call last):
    ...
    TypeError: input has dtype <U1: must hold integers, floats or number-like objects
    """
    try:
        result = numpy.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name} is no array ({error}): nested lists must be rectangular"
        ) from None
    real = result.dtype.kind in "iufO" or (
        result.dtype.kind == "V" and numpy.can_cast(result.dtype, numpy.float64)
    )
    if not real:
        raise TypeError(
            f"{name} has dtype {result.dtype}: must hold integers, floats or number-like objects"
        )
    return result


def described(**arrays: Array | Shape | None) -> str:
    """The shapes of the operands of a call, as error messages quote them.

    >>> described(input=numpy.zeros((1, 1, 5)), weight=(2, 1, 3), bias=None)
    'input has shape (1, 1, 5), weight has shape (2, 1, 3)'
    """
    shapes = {
        name: value.shape if isinstance(value, numpy.ndarray) else value
        for name, value in arrays.items()
        if value is not None
    }
    return ", ".join(f"{name} has shape {shape}" for name, shape in shapes.items())


def integer(name: str, value: Any, *, least: int, shapes: str) -> int:
    """`value` as a Python int that is at least `least`; booleans and floats are refused.

    >>> integer("groups", 0, least=1, shapes="input has shape (1, 1, 5)")
    Traceback (most recent call last):
    ...
    ValueError: groups=0: must be at least 1; input has shape (1, 1, 5)
    """
    if isinstance(value, bool | numpy.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r}: must be an integer; {shapes}")
    if value < least:
        raise ValueError(f"{name}={value!r}: must be at least {least}; {shapes}")
    return int(value)


def flag(name: str, value: Any, *, shapes: str) -> bool:
    """`value` as a bool; nothing else is taken for one.

    >>> flag("ceil_mode", True, shapes="")
    True
    """
    if not isinstance(value, bool | numpy.bool_):
        raise TypeError(f"{name}={value!r}: must be True or False; {shapes}")
    return bool(value)


def per_axis(name: str, value: Any, rank: int, *, least: int, shapes: str) -> tuple[int, ...]:
    """One int per spatial axis; a single int stands for every axis.

    >>> per_axis("stride", 2, 3, least=1, shapes="")
    (2, 2, 2)
    """
    if isinstance(value, str | bytes | dict) or not (
        isinstance(value, Integral) or hasattr(value, "__len__")
    ):
        raise TypeError(f"{name}={value!r}: must be an integer or one integer per axis; {shapes}")
    if isinstance(value, Integral):
        return (integer(name, value, least=least, shapes=shapes),) * rank
    if len(value) != rank:
        raise ValueError(
            f"{name}={value!r}: must have one entry per spatial axis, {rank} in all; {shapes}"
        )
    for entry in value:
        if isinstance(entry, bool | numpy.bool_) or not isinstance(entry, Integral):
            raise TypeError(f"{name}={value!r}: every entry must be an integer; {shapes}")
        if entry < least:
            raise ValueError(f"{name}={value!r}: every entry must be at least {least}; {shapes}")
    return tuple(int(entry) for entry in value)


def _pairs(value: Any, rank: int, shapes: str) -> list[tuple[int, int]]:
    if isinstance(value, Sequence | numpy.ndarray) and any(
        isinstance(entry, Sequence | numpy.ndarray) for entry in value
    ):
        if len(value) != rank:
            raise ValueError(
                f"padding={value!r}: must have one (low, high) pair per spatial axis, "
                f"{rank} in all; {shapes}"
            )
        if any(
            not isinstance(entry, Sequence | numpy.ndarray) or len(entry) != 2 for entry in value
        ):
            raise ValueError(f"padding={value!r}: every entry must be a (low, high) pair; {shapes}")
        flat = per_axis(
            "padding", [p for pair in value for p in pair], 2 * rank, least=0, shapes=shapes
        )
        return list(zip(flat[::2], flat[1::2], strict=True))
    return [(p, p) for p in per_axis("padding", value, rank, least=0, shapes=shapes)]


def windows(
    spatial: Shape,
    kernel: Shape,
    *,
    stride: PerAxis,
    padding: Padding,
    dilation: PerAxis,
    ceil_mode: bool = False,
    words: Sequence[str] = (),
    shapes: str,
) -> tuple[Window, ...]:
    """The windows of a call, one per spatial axis; padding words become their pairs.

    >>> windows((5,), (3,), stride=2, padding="full", dilation=1, words=CONV_WORDS, shapes="")
    (Window(kernel=3, stride=2, low=2, high=2, dilation=1, ceil=False),)
    """
    rank = len(spatial)
    strides = per_axis("stride", stride, rank, least=1, shapes=shapes)
    dilations = per_axis("dilation", dilation, rank, least=1, shapes=shapes)
    bare = [
        Window(k, s, dilation=d, ceil=ceil_mode)
        for k, s, d in zip(kernel, strides, dilations, strict=True)
    ]
    if isinstance(padding, str):
        if padding not in words:
            known = f", or one of the words {', '.join(words)}" if words else ""
            raise ValueError(
                f"padding={padding!r}: must be an integer, one per axis or one (low, high) "
                f"pair per axis{known}; {shapes}"
            )
        pairs = [resolve_padding(padding, n, w) for n, w in zip(spatial, bare, strict=True)]
    else:
        pairs = _pairs(padding, rank, shapes)
    return tuple(w._replace(low=low, high=high) for w, (low, high) in zip(bare, pairs, strict=True))


def check_fit(spatial: Shape, sliding: Sequence[Window], *, shapes: str) -> None:
    """Raise `ValueError` where a kernel's extent exceeds the padded input.

    >>> check_fit((2,), [Window(kernel=3)], shapes="input has shape (1, 1, 2)")
    Traceback (most recent call last):
    ...
    ValueError: kernel 3 with dilation 1 spans 3 positions on spatial axis 0, but the input \
with padding (0, 0) has only 2; input has shape (1, 1, 2)
    """
    for axis, (n, window) in enumerate(zip(spatial, sliding, strict=True)):
        padded = n + window.low + window.high
        if extent(window) > padded:
            raise ValueError(
                f"kernel {window.kernel} with dilation {window.dilation} spans {extent(window)} "
                f"positions on spatial axis {axis}, but the input with padding "
                f"({window.low}, {window.high}) has only {padded}; {shapes}"
            )


def check_filled(spatial: Shape, sliding: Sequence[Window], *, shapes: str) -> None:
    """Raise `ValueError` where a pooling window would hold no element of the input.

    >>> check_filled((3,), [Window(kernel=1, low=1)], shapes="input has shape (1, 1, 3)")
    Traceback (most recent call last):
    ...
    ValueError: padding (1, 0) on spatial axis 0 leaves the window at output position 0 without \
any input element, which no pooling defines; input has shape (1, 1, 3)
    """
    for axis, (n, window) in enumerate(zip(spatial, sliding, strict=True)):
        empty = first_empty(n, window)
        if empty is not None:
            raise ValueError(
                f"padding ({window.low}, {window.high}) on spatial axis {axis} leaves the window "
                f"at output position {empty} without any input element, which no pooling "
                f"defines; {shapes}"
            )


def check_shape(name: str, value: Array, shape: Shape, meaning: str, *, shapes: str) -> None:
    """Raise `ValueError` unless `value` has exactly this shape.

    >>> check_shape("bias", numpy.zeros(2), (3,), "(O,)", shapes="weight has shape (3, 1, 3)")
    Traceback (most recent call last):
    ...
    ValueError: bias has shape (2,): must be (O,) = (3,); weight has shape (3, 1, 3)
    """
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}: must be {meaning} = {shape}; {shapes}")


def check_layout(name: str, value: Array | Shape, meaning: str, *, least_rank: int = 3) -> None:
    """Raise `ValueError` unless the batch may be empty but every other size is at least 1.

    >>> check_layout("input", numpy.zeros((1, 5)), "(N, C, *spatial)")
    Traceback (most recent call last):
    ...
    ValueError: input has shape (1, 5): must be (N, C, *spatial), at least 3 axes
    """
    shape = value.shape if isinstance(value, numpy.ndarray) else value
    if len(shape) < least_rank:
        raise ValueError(f"{name} has shape {shape}: must be {meaning}, at least {least_rank} axes")
    if min(shape[1:]) < 1:
        raise ValueError(f"{name} has shape {shape}: every size after the first must be at least 1")

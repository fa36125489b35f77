"""Arguments in, arguments checked: every error names the argument, its value and the shapes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from numbers import Integral, Real
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

LARGEST = numpy.iinfo(numpy.intp).max


def array(name: str, value: ArrayLike) -> Array:
    """`value` as an array of real numbers: integers, floats, or objects that behave like them.

    >>> array("input", [[1, 2]]).shape
    (1, 2)
    >>> array("input", ["a"])
    Traceback (most recent call last):
    ...
    TypeError: input has dtype <U1 and shape (1,): must hold integers, floats or number-like objects
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
            f"{name} has dtype {result.dtype} and shape {result.shape}: must hold integers, "
            "floats or number-like objects"
        )
    for element in result.flat if result.dtype == object else ():
        if not _number_like(element):
            raise TypeError(
                f"{name} has shape {result.shape} and holds {element!r}: must hold integers, "
                "floats or number-like objects"
            )
    return result if isinstance(value, numpy.ndarray) else _exact(result, value)


def optional_array(name: str, value: ArrayLike | None) -> Array | None:
    """`array`, of an operand that may be absent."""
    return None if value is None else array(name, value)


def optional_shape(operand: Array | None) -> Shape | None:
    """The shape of an operand that may be absent."""
    return None if operand is None else operand.shape


def _number_like(element: Any) -> bool:
    """Whether an element of an object array can be multiplied and divided, and is real."""
    foreign = bool | numpy.bool_ | complex | numpy.complexfloating | numpy.ndarray
    return not isinstance(element, foreign) and all(
        hasattr(element, operator) for operator in ("__add__", "__mul__", "__truediv__")
    )


def _exact(converted: Array, value: ArrayLike) -> Array:
    """`value` without rounding: NumPy makes floats of a list that mixes integers from 2**63 on,
    which need uint64, with others, which need not.
    """
    if converted.dtype != numpy.float64 or not converted.size:
        return converted
    given = numpy.asarray(value, dtype=object)
    if not all(isinstance(element, Integral) for element in given.flat):
        return converted
    return numpy.array([int(element) for element in given.flat], dtype=object).reshape(given.shape)


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


def number(name: str, value: Any, *, least: Any = None, above: Any = None, shapes: str) -> Any:
    """`value`, unchanged, as a finite real number at least `least` and larger than `above`.

    >>> number("epsilon", -1.0, least=0, shapes="input has shape (1, 1, 5)")
    Traceback (most recent call last):
    ...
    ValueError: epsilon=-1.0: must be at least 0; input has shape (1, 1, 5)
    """
    if isinstance(value, bool | numpy.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r}: must be a real number; {shapes}")
    if not isfinite(value):
        raise ValueError(f"{name}={value!r}: must be finite; {shapes}")
    if least is not None and value < least:
        raise ValueError(f"{name}={value!r}: must be at least {least}; {shapes}")
    if above is not None and value <= above:
        raise ValueError(f"{name}={value!r}: must be larger than {above}; {shapes}")
    return value


def word(name: str, value: Any, known: Sequence[str], *, shapes: str) -> str:
    """`value` as one of the known words.

    >>> word("kind", "cubic", ("nearest", "linear"), shapes="input has shape (1, 1, 5)")
    Traceback (most recent call last):
    ...
    ValueError: kind='cubic': must be one of nearest, linear; input has shape (1, 1, 5)
    """
    if not isinstance(value, str):
        raise TypeError(f"{name}={value!r}: must be a word, one of {', '.join(known)}; {shapes}")
    if value not in known:
        raise ValueError(f"{name}={value!r}: must be one of {', '.join(known)}; {shapes}")
    return value


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
    # What a call normally holds needs no more than this; asking for `Integral` takes far longer.
    if type(value) is tuple and len(value) == rank:
        if all(type(entry) is int and entry >= least for entry in value):
            return value
    elif isinstance(value, Integral):
        return (integer(name, value, least=least, shapes=shapes),) * rank
    if not listed(value):
        raise TypeError(f"{name}={value!r}: must be an integer or one integer per axis; {shapes}")
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


def listed(value: Any) -> bool:
    """Whether `value` has entries in an order: not a text, a set or a number in disguise.

    >>> listed([1, 2]), listed("12")
    (True, False)
    """
    if isinstance(value, numpy.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _pairs(value: Any, rank: int, shapes: str) -> list[tuple[int, int]]:
    if listed(value) and any(listed(entry) for entry in value):
        if len(value) != rank:
            raise ValueError(
                f"padding={value!r}: must have one (low, high) pair per spatial axis, "
                f"{rank} in all; {shapes}"
            )
        if any(not listed(entry) or len(entry) != 2 for entry in value):
            raise ValueError(f"padding={value!r}: every entry must be a (low, high) pair; {shapes}")
        whole = f"in padding={value!r}; {shapes}"
        return [
            (low, high)
            for low, high in (per_axis("padding", pair, 2, least=0, shapes=whole) for pair in value)
        ]
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
        if padded > LARGEST:
            raise ValueError(
                f"padding ({window.low}, {window.high}) on spatial axis {axis} makes the input "
                f"longer than any array can be; {shapes}"
            )
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


def check_cotangent(cotangent: Array, shape: Shape, **operands: Array | None) -> None:
    """Raise `ValueError` unless a cotangent has the shape of the output of these operands.

    >>> check_cotangent(numpy.zeros(2), (3,), input=numpy.zeros(3))
    Traceback (most recent call last):
    ...
    ValueError: cotangent has shape (2,): must be the output shape = (3,); input has shape (3,)
    """
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=described(**operands))


def check_layout(
    name: str, value: Array | Shape, meaning: str, *, least_rank: int = 3, shapes: str = ""
) -> None:
    """Raise `ValueError` unless the batch may be empty but every other size is at least 1.

    >>> check_layout("input", numpy.zeros((1, 5)), "(N, C, *spatial)")
    Traceback (most recent call last):
    ...
    ValueError: input has shape (1, 5): must be (N, C, *spatial), at least 3 axes
    """
    shape = value.shape if isinstance(value, numpy.ndarray) else value
    others = f"; {shapes}" if shapes else ""
    if len(shape) < least_rank:
        raise ValueError(
            f"{name} has shape {shape}: must be {meaning}, at least {least_rank} axes{others}"
        )
    if min(shape[1:]) < 1:
        raise ValueError(
            f"{name} has shape {shape}: every size after the first must be at least 1{others}"
        )

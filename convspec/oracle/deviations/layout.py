"""Memory layout: reading an array's memory instead of the array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    POOLS,
    SIGNALS,
    gradients,
    rewriting,
)
from convspec.oracle.deviations.record import Deviation


def memory(array: Array) -> tuple[Array, int]:
    """The elements of the array that owns the memory, in memory order, and where `array` begins
    among them.

    >>> memory(numpy.arange(6).reshape(2, 3)[1:])
    (array([0, 1, 2, 3, 4, 5]), 3)
    """
    owner = array
    while isinstance(owner.base, numpy.ndarray) and owner.base.dtype == array.dtype:
        owner = owner.base
    begin, first = (a.__array_interface__["data"][0] for a in (owner, array))
    elements: Array = owner.ravel(order="K")
    return elements, (first - begin) // max(array.itemsize, 1)


def _read(array: Array, places: Array) -> Array:
    elements, _ = memory(array)
    read: Array = elements[places % max(elements.size, 1)].reshape(array.shape)
    return read


def strides_ignored(array: Any) -> Any:
    """The elements that follow the first one in memory, as if the array were contiguous.

    >>> strides_ignored(numpy.arange(4).reshape(2, 2).T)
    array([[0, 1],
           [2, 3]])
    """
    array = numpy.asarray(array)
    if array.flags.c_contiguous or array.size == 0:
        return array
    return _read(array, memory(array)[1] + numpy.arange(array.size))


def offset_ignored(array: Any) -> Any:
    """The array read with its strides from the beginning of its memory.

    >>> offset_ignored(numpy.arange(4)[2:])
    array([0, 1])
    """
    array = numpy.asarray(array)
    if array.size == 0:
        return array
    steps = numpy.array(array.strides) // array.itemsize
    indices = numpy.indices(array.shape).reshape(array.ndim, -1)
    places: Array = steps @ indices
    return _read(array, places)


def operand(name: str, read: Callable[[Any], Array]) -> Callable[..., dict[str, Any]]:
    """One operand read wrongly."""
    return lambda **arguments: {name: read(arguments[name])}


INPUTS = (*CONVOLUTIONS, *POOLS)

LAYOUT = (
    Deviation(
        name="strides of the input ignored",
        operations=INPUTS,
        kind="mistake",
        sentence="Reads the input's memory as if it were C-contiguous.",
        hidden="contiguous inputs",
        edit=rewriting(operand("input", strides_ignored)),
        threads=("pytorch/pytorch#197114",),
    ),
    Deviation(
        name="strides of the weight ignored",
        operations=CONVOLUTIONS,
        kind="mistake",
        sentence="Reads the weight's memory as if it were C-contiguous.",
        hidden="contiguous weights",
        edit=rewriting(operand("weight", strides_ignored)),
        threads=("pytorch/pytorch#55781",),
    ),
    Deviation(
        name="storage offset of the input ignored",
        operations=INPUTS,
        kind="mistake",
        sentence="Reads the input from the beginning of the memory that it is a view of.",
        hidden="inputs that begin where their memory does",
        edit=rewriting(operand("input", offset_ignored)),
        threads=("pytorch/pytorch#174345",),
    ),
    Deviation(
        name="strides of the second operand ignored",
        operations=SIGNALS,
        kind="mistake",
        sentence="Reads the second operand's memory as if it were C-contiguous.",
        hidden="contiguous second operands",
        edit=rewriting(operand("g", strides_ignored)),
    ),
    Deviation(
        name="strides of the cotangent ignored",
        operations=gradients(INPUTS),
        kind="mistake",
        sentence="Reads the cotangent's memory as if it were C-contiguous.",
        hidden="contiguous cotangents",
        edit=rewriting(operand("cotangent", strides_ignored)),
        threads=("uxlfoundation/oneDNN#6035",),
    ),
)

"""Memory layout: reading an array's memory instead of the array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import CONVOLUTIONS, POOLS, SIGNALS, gradients, rewriting
from convspec.oracle.deviations.families import SCALAR, WORDS, parts, reading, with_layers
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
    """One operand read wrongly, or every array of a list."""

    def change(**arguments: Any) -> dict[str, Any]:
        given = arguments.get(name)
        if given is None:
            return {}
        seen = [read(part) for part in parts(given)]
        return {name: seen if isinstance(given, list) else seen[0]}

    return change


INPUTS = (*CONVOLUTIONS, *POOLS)
# The convolutions and pools of which each is told, besides all the layers that read the operand.
STRIDES_OF: dict[str, tuple[str, ...]] = {
    "input": INPUTS,
    "weight": CONVOLUTIONS,
    "g": SIGNALS,
    "cotangent": gradients(INPUTS),
}
OFFSETS_OF: dict[str, tuple[str, ...]] = {"input": INPUTS}


def _operations(name: str, core: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What a mistake about one operand is planted in; one number has one layout."""
    alone = gradients(SCALAR) if name == "cotangent" else ()
    fitting = [operation for operation in reading(name) if operation not in alone]
    return with_layers(core.get(name, ()), fitting)


STRIDES_SHIPPED = {
    "input": ("pytorch/pytorch#197114",),
    "weight": ("pytorch/pytorch#55781",),
    "cotangent": ("uxlfoundation/oneDNN#6035",),
}
OFFSETS_SHIPPED = {"input": ("pytorch/pytorch#174345",)}

LAYOUT = (
    *(
        Deviation(
            name=f"strides of the {word} ignored",
            operations=_operations(name, STRIDES_OF),
            kind="mistake",
            sentence=f"Reads the memory of the {word} as if it were C-contiguous.",
            hidden=f"contiguous {plural}",
            edit=rewriting(operand(name, strides_ignored)),
            threads=STRIDES_SHIPPED.get(name, ()),
        )
        for name, (word, plural) in WORDS.items()
        if _operations(name, STRIDES_OF)
    ),
    *(
        Deviation(
            name=f"storage offset of the {word} ignored",
            operations=_operations(name, OFFSETS_OF),
            kind="mistake",
            sentence=f"Reads the {word} from the beginning of the memory that it is a view of.",
            hidden=f"{plural} that begin where their memory does",
            edit=rewriting(operand(name, offset_ignored)),
            threads=OFFSETS_SHIPPED.get(name, ()),
        )
        for name, (word, plural) in WORDS.items()
        if _operations(name, OFFSETS_OF)
    ),
)

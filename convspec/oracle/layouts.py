"""Memory layouts: the same values, put elsewhere in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy

from convspec.arguments import Array


class Layout(NamedTuple):
    """How to lay out an array of at least one axis, and the same as text: of `array`, a text, whose
    last axis has `last` elements.
    """

    of: Callable[[Array], Array]
    text: str


# A strided slice has zeros between its elements: whoever passes over them does not find the values.
LAYOUTS = {
    "in Fortran order": Layout(numpy.asfortranarray, "numpy.asfortranarray({array})"),
    "with negative strides": Layout(
        lambda array: numpy.flip(numpy.flip(array).copy()),
        "numpy.flip(numpy.flip({array}).copy())",
    ),
    "as a strided slice with an offset": Layout(
        lambda array: numpy.insert(array, range(array.shape[-1]), 0, axis=-1)[..., 1::2],
        "numpy.insert({array}, range({last}), 0, axis=-1)[..., 1::2]",
    ),
    "transposed": Layout(
        lambda array: array.swapaxes(0, -1).copy().swapaxes(0, -1),
        "{array}.swapaxes(0, -1).copy().swapaxes(0, -1)",
    ),
}
STRIDED = "as a strided slice with an offset"


def layouts(array: Array) -> Iterator[tuple[str, Array]]:
    """The same values in other memory layouts, each with its name.

    >>> [name for name, _ in layouts(numpy.arange(3))]
    ['in Fortran order', 'with negative strides', 'as a strided slice with an offset']
    """
    if not array.ndim:  # one number has one layout
        return
    for name, layout in LAYOUTS.items():
        if array.ndim > 1 or name != "transposed":
            yield name, layout.of(array)


def layout_of(array: Array) -> str | None:
    """The name of an array's layout: that with which its values come to have its strides.

    None for C order, and for a layout that has no name.

    >>> layout_of(numpy.arange(6).reshape(2, 3).T), layout_of(numpy.arange(3))
    ('in Fortran order', None)
    """
    if array.flags.c_contiguous:
        return None
    plain = array.copy()
    return next((name for name, view in layouts(plain) if view.strides == array.strides), None)


def laid_out(array: Array, name: str | None) -> Array:
    """An array in the layout of a name; in C order for None.

    >>> laid_out(numpy.arange(3), "with negative strides").strides
    (-8,)
    """
    return array.copy() if name is None or not array.ndim else LAYOUTS[name].of(array)


def as_text(array: Array, plain: str) -> str:
    """An expression for an array as it lies in memory, from one for the same in C order.

    >>> as_text(numpy.zeros((2, 3), order="F"), "x")
    'numpy.asfortranarray(x)'
    """
    name = layout_of(array)
    return plain if name is None else LAYOUTS[name].text.format(array=plain, last=array.shape[-1])

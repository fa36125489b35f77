"""Moves: zeros between neighbours, channels laid out as pixels, everything in one row."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import gradients, output_shape, replacing, rewriting
from convspec.oracle.deviations.geometry import first_everywhere, reversed_axes
from convspec.oracle.deviations.record import Deviation, Edit, Function

ZEROS, PIXELS, FLAT = ("insert_zeros",), ("pixel_shuffle",), ("flatten",)


def moved(places: Callable[..., Array]) -> Edit:
    """The edit whose output position `i` is filled from the flat input position
    `places(positions of the input, **attributes)[i]`, or by 0 where that is -1; a gradient takes
    its cotangents back there.
    """

    def function(right: Function, input: Any, **arguments: Any) -> Any:
        due, x = right(input=input, **arguments), numpy.asarray(input)
        cotangent = arguments.pop("cotangent", None)
        order = places(numpy.arange(x.size).reshape(x.shape), **arguments)
        real = order >= 0
        if cotangent is None:
            return numpy.where(real, x.reshape(-1)[order], 0).astype(due.dtype)
        back = numpy.zeros(x.size, due[0].dtype)
        numpy.add.at(back, order[real], numpy.asarray(cotangent)[real])
        return (back.reshape(x.shape),)

    return replacing(function)


def _spread(
    x: Array, count: Any, after: Callable[[int], int], longer: Callable[[int], int]
) -> Array:
    """Positions with `count` zeros between them, the first one `after(count)` zeros, in an output
    that is `longer(count)` zeros longer than it should be.
    """
    sizes = [(n - 1) * (c + 1) + 1 for n, c in zip(x.shape[2:], count, strict=True)]
    room = [size + max(after(c), longer(c)) for size, c in zip(sizes, count, strict=True)]
    spread = numpy.full((*x.shape[:2], *room), -1)
    ends = [slice(after(c), after(c) + m, c + 1) for m, c in zip(sizes, count, strict=True)]
    spread[(slice(None), slice(None), *ends)] = x
    kept = [slice(size + longer(c)) for size, c in zip(sizes, count, strict=True)]
    return spread[(slice(None), slice(None), *kept)]


def _repeated(x: Array, count: Any) -> Array:
    for axis, c in enumerate(count, start=2):
        x = numpy.repeat(x, c + 1, axis)[(slice(None),) * axis + (slice(None, -c or None),)]
    return x


def _blocks(x: Array, factor: Any, order: str, *, outermost: bool) -> Array:
    """Positions of a pixel shuffle that takes the channels of a block in another order."""
    rank, count = len(factor), x.shape[1] // prod(factor)
    block = tuple(factor) if order == "C" else tuple(reversed(factor))
    channels = (*block, count) if outermost else (count, *block)
    apart = x.reshape(len(x), *channels, *x.shape[2:])
    if outermost:
        apart = numpy.moveaxis(apart, 1 + rank, 1)
    if order == "F":
        apart = apart.transpose(0, 1, *range(1 + rank, 1, -1), *range(2 + rank, 2 + 2 * rank))
    pairs = [axis for a in range(rank) for axis in (2 + rank + a, 2 + a)]
    sizes = [n * f for n, f in zip(x.shape[2:], factor, strict=True)]
    return apart.transpose(0, 1, *pairs).reshape(len(x), count, *sizes)


def _not_moved(x: Array, factor: Any) -> Array:
    shape = output_shape("pixel_shuffle", {"input": x, "factor": factor})
    return x.reshape(shape)


def _sizes_outermost(x: Array, factor: Any) -> Array:
    """Every axis cut into blocks as long as the image, and not as the factor."""
    rank, count = len(factor), x.shape[1] // prod(factor)
    apart = x.reshape(len(x), count, *factor, *x.shape[2:])
    pairs = [axis for a in range(rank) for axis in (2 + a, 2 + rank + a)]
    sizes = [n * f for n, f in zip(x.shape[2:], factor, strict=True)]
    return apart.transpose(0, 1, *pairs).reshape(len(x), count, *sizes)


def _channels_last(x: Array) -> Array:
    return numpy.moveaxis(x, 1, -1).reshape(len(x), prod(x.shape[1:]))


def _column_major(x: Array) -> Array:
    return x.transpose(0, *range(x.ndim - 1, 0, -1)).reshape(len(x), prod(x.shape[1:]))


REARRANGING = (
    Deviation(
        name="zeros after the last element",
        operations=ZEROS,
        kind="mistake",
        sentence="Puts zeros after every element, the last one too.",
        hidden="a count of 0",
        edit=moved(lambda x, count: _spread(x, count, lambda c: 0, lambda c: c)),
    ),
    Deviation(
        name="zeros before the first element",
        operations=(*ZEROS, *gradients(ZEROS)),
        kind="mistake",
        sentence="Puts zeros before every element, the first one too, and cuts off what is then "
        "beyond the end.",
        hidden="a count of 0",
        edit=moved(lambda x, count: _spread(x, count, lambda c: c, lambda c: 0)),
    ),
    Deviation(
        name="count taken for the stride",
        operations=(*ZEROS, *gradients(ZEROS)),
        kind="mistake",
        sentence="Puts elements `count` positions apart, with one zero less between them.",
        hidden="a count of 0, or images of one pixel",
        edit=rewriting(lambda count, **_: {"count": tuple(max(c - 1, 0) for c in count)}),
    ),
    Deviation(
        name="count of the first axis on every axis",
        operations=(*ZEROS, *gradients(ZEROS)),
        kind="mistake",
        sentence="Uses count[0] where count[axis] is meant.",
        hidden="one spatial axis, or equal counts",
        edit=rewriting(first_everywhere("count")),
    ),
    Deviation(
        name="elements repeated in place of zeros",
        operations=(*ZEROS, *gradients(ZEROS)),
        kind="mistake",
        sentence="Repeats each element up to the next one.",
        hidden="a count of 0, or images of one pixel",
        edit=moved(_repeated),
    ),
    Deviation(
        name="channels of a block outermost",
        operations=(*PIXELS, *gradients(PIXELS)),
        kind="convention",
        sentence="Takes the place in the block for the slower part of the channel, the output's "
        "own channel for the faster one: depth to space in the order DCR.",
        hidden="one output channel, or factor 1",
        edit=moved(lambda x, factor: _blocks(x, factor, "C", outermost=True)),
    ),
    Deviation(
        name="blocks filled in column-major order",
        operations=(*PIXELS, *gradients(PIXELS)),
        kind="mistake",
        sentence="Lays the channels of a block out with the first axis running fastest.",
        hidden="one spatial axis, or factor 1",
        edit=moved(lambda x, factor: _blocks(x, factor, "F", outermost=False)),
    ),
    Deviation(
        name="factors in reverse order of the axes",
        operations=(*PIXELS, *gradients(PIXELS)),
        kind="mistake",
        sentence="Takes (height, width) for (width, height) when it enlarges.",
        hidden="one spatial axis, or equal factors",
        edit=rewriting(reversed_axes("factor")),
    ),
    Deviation(
        name="channels reshaped into pixels without a move",
        operations=(*PIXELS, *gradients(PIXELS)),
        kind="mistake",
        sentence="Reshapes to the output's shape, so that every element stays where it is in "
        "memory.",
        hidden="factor 1, or images of one pixel and one spatial axis",
        edit=moved(_not_moved),
    ),
    Deviation(
        name="images of a block side by side",
        operations=(*PIXELS, *gradients(PIXELS)),
        kind="mistake",
        sentence="Lays the channels of a block out as tiles next to each other, not pixel by "
        "pixel.",
        hidden="factor 1, or images of one pixel",
        edit=moved(_sizes_outermost),
    ),
    Deviation(
        name="channels flattened last",
        operations=(*FLAT, *gradients(FLAT)),
        kind="convention",
        sentence="Lists the channels of the first pixel, then those of the second, as a layout "
        "with the channels last does.",
        hidden="one channel, or images of one pixel",
        edit=moved(_channels_last),
    ),
    Deviation(
        name="flattened in column-major order",
        operations=(*FLAT, *gradients(FLAT)),
        kind="mistake",
        sentence="Flattens with the channel running fastest and the last axis slowest.",
        hidden="images of one pixel",
        edit=moved(_column_major),
    ),
)

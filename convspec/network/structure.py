"""What joins and cuts a network and is no operation of its own: add, concatenate, take, crop.

Each moves or adds elements; its derivative moves them back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array, PerAxis, Shape, per_axis


class Structure(NamedTuple):
    """A structural operation: its output shape, its value, and the cotangents of its inputs."""

    shape: Callable[..., Shape]
    value: Callable[..., Array]
    vjp: Callable[..., tuple[Array, ...]]


def add_shape(*inputs: Shape) -> Shape:
    """The one shape that all inputs have.

    >>> add_shape((1, 2, 4), (1, 2, 4))
    (1, 2, 4)
    """
    if len(set(inputs)) != 1:
        raise ValueError(f"inputs have shapes {_listed(inputs)}: must be equal to be added")
    return inputs[0]


def add(*inputs: Array) -> Array:
    """The sum of the inputs, from the first to the last."""
    add_shape(*(x.shape for x in inputs))
    return sum(inputs[1:], start=inputs[0])


def add_vjp(cotangent: Array, *inputs: Array) -> tuple[Array, ...]:
    """Every term of a sum has the cotangent of the sum."""
    return (cotangent,) * len(inputs)


def concatenate_shape(*inputs: Shape) -> Shape:
    """Depths add up; everything else must be equal.

    >>> concatenate_shape((1, 2, 4), (1, 3, 4))
    (1, 5, 4)
    """
    first = inputs[0]
    if len({(shape[0], *shape[2:]) for shape in inputs}) != 1:
        raise ValueError(
            f"inputs have shapes {_listed(inputs)}: must be equal but for their channels to be "
            "concatenated"
        )
    return (first[0], sum(shape[1] for shape in inputs), *first[2:])


def concatenate(*inputs: Array) -> Array:
    """The inputs one after the other along the channels."""
    concatenate_shape(*(x.shape for x in inputs))
    return numpy.concatenate(inputs, axis=1)


def concatenate_vjp(cotangent: Array, *inputs: Array) -> tuple[Array, ...]:
    """Every input has its own channels of the cotangent."""
    ends = numpy.cumsum([x.shape[1] for x in inputs])[:-1]
    return tuple(numpy.split(cotangent, ends, axis=1))


def take_shape(input: Shape, *, channels: Sequence[int]) -> Shape:
    """As many channels as are taken.

    >>> take_shape((1, 6, 4), channels=(0, 1, 5))
    (1, 3, 4)
    """
    if not channels or min(channels) < 0 or max(channels) >= input[1]:
        raise ValueError(
            f"channels={channels!r}: must be some of 0 to {input[1] - 1}; input has shape {input}"
        )
    if len(set(channels)) != len(channels):
        raise ValueError(f"channels={channels!r}: must be taken once each")
    return (input[0], len(channels), *input[2:])


def take(input: Array, *, channels: Sequence[int]) -> Array:
    """The channels of those numbers."""
    take_shape(input.shape, channels=channels)
    return input[:, list(channels)]


def take_vjp(cotangent: Array, input: Array, *, channels: Sequence[int]) -> tuple[Array]:
    """Back to where they were taken from; the other channels get nothing."""
    d_input = numpy.zeros_like(input)
    d_input[:, list(channels)] = cotangent
    return (d_input,)


def crop_shape(input: Shape, like: Shape, *, offset: PerAxis) -> Shape:
    """The spatial sizes of `like`.

    >>> crop_shape((1, 21, 34, 34), (1, 3, 26, 26), offset=5)
    (1, 21, 26, 26)
    """
    first = per_axis("offset", offset, len(input) - 2, least=0, shapes=f"input has shape {input}")
    if len(like) != len(input) or any(
        o + m > n for o, m, n in zip(first, like[2:], input[2:], strict=True)
    ):
        raise ValueError(
            f"offset={offset!r}: from there on, input of shape {input} must hold the sizes of "
            f"{like}"
        )
    return (*input[:2], *like[2:])


def crop(input: Array, like: Array, *, offset: PerAxis) -> Array:
    """The part of the input from `offset` on, as large as `like`, whose values do not matter."""
    cut: Array = input[_cropped(input.shape, like.shape, offset)]
    return cut


def crop_vjp(cotangent: Array, input: Array, like: Array, *, offset: PerAxis) -> tuple[Array]:
    """Back to where it was cut out; what was cut off gets nothing.  `like` has no cotangent."""
    d_input = numpy.zeros_like(input)
    d_input[_cropped(input.shape, like.shape, offset)] = cotangent
    return (d_input,)


def _cropped(input: Shape, like: Shape, offset: PerAxis) -> tuple[Any, ...]:
    sizes = crop_shape(input, like, offset=offset)[2:]
    first = per_axis("offset", offset, len(sizes), least=0, shapes="")
    return (..., *(slice(o, o + m) for o, m in zip(first, sizes, strict=True)))


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join(map(str, shapes))


STRUCTURES = {
    "add": Structure(add_shape, add, add_vjp),
    "concatenate": Structure(concatenate_shape, concatenate, concatenate_vjp),
    "take": Structure(take_shape, take, take_vjp),
    "crop": Structure(crop_shape, crop, crop_vjp),
}

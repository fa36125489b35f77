"""Unpooling: where a remembered index points, and what comes back from there."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.oracle.deviations.edits import afterwards, fitted, gradients, replacing, rewriting
from convspec.oracle.deviations.record import Deviation, Function

UNPOOL = ("max_unpool",)
BACKWARD = gradients(UNPOOL)


def _over_the_whole_batch(
    right: Function, values: Any, indices: Any, output_size: Any, cotangent: Any = None
) -> Any:
    due, places = right(**_given(values, indices, output_size, cotangent)), indices.ravel()
    if cotangent is not None:
        return (numpy.asarray(cotangent).ravel()[places].reshape(values.shape),)
    whole = numpy.zeros_like(due)
    whole.reshape(-1)[places] = values.ravel()
    return whole


def _given(values: Any, indices: Any, output_size: Any, cotangent: Any) -> dict[str, Any]:
    arguments = {"values": values, "indices": indices, "output_size": output_size}
    return arguments if cotangent is None else {"cotangent": cotangent, **arguments}


def _column_major(indices: Any, output_size: Any, **_: Any) -> dict[str, Any]:
    places = numpy.unravel_index(indices, output_size, order="F")
    return {"indices": numpy.ravel_multi_index(places, output_size)}


def _corners(values: Array, output_size: Shape) -> Array:
    """The flat place of the first element of each of evenly spaced windows."""
    axes = zip(values.shape[2:], output_size, strict=True)
    starts = numpy.ix_(*(numpy.arange(m) * o // m for m, o in axes))
    return numpy.ravel_multi_index(starts, output_size).ravel()


def _at_the_corners(
    right: Function, values: Any, indices: Any, output_size: Any, cotangent: Any = None
) -> Any:
    due, places = (
        right(**_given(values, indices, output_size, cotangent)),
        _corners(values, output_size),
    )
    planes = values.shape[:2]
    if cotangent is not None:
        whole = numpy.asarray(cotangent).reshape(*planes, prod(output_size))
        return (whole[..., places].reshape(values.shape),)
    whole = numpy.zeros_like(due).reshape(*planes, prod(output_size))
    whole[..., places] = values.reshape(*planes, prod(values.shape[2:]))
    return whole.reshape(due.shape)


def _added(right: Function, values: Any, indices: Any, output_size: Any) -> Any:
    due = right(values=values, indices=indices, output_size=output_size)
    planes = prod(values.shape[:2])
    whole = numpy.zeros_like(due).reshape(planes, prod(output_size))
    rows = numpy.arange(planes)[:, None]
    places, given = (a.reshape(planes, prod(a.shape[2:])) for a in (indices, values))
    numpy.add.at(whole, (rows, places), given)
    return whole.reshape(due.shape)


def _cropped(right: Function, cotangent: Any, values: Any, **arguments: Any) -> Any:
    (due,) = right(cotangent=cotangent, values=values, **arguments)
    return (fitted(cotangent, due.shape),)


UNPOOLING = (
    Deviation(
        name="indices taken over the whole batch",
        operations=(*UNPOOL, *BACKWARD),
        kind="mistake",
        sentence="Takes an index for one into the whole batch, where it counts inside the volume "
        "of its own channel.",
        hidden="one batch item with one channel",
        edit=replacing(_over_the_whole_batch),
        threads=("tensorflow/tensorflow#22025", "tensorflow/tensorflow#33403"),
    ),
    Deviation(
        name="places read in column-major order",
        operations=(*UNPOOL, *BACKWARD),
        kind="mistake",
        sentence="Reads an index as if the first axis of the output ran fastest.",
        hidden="one spatial axis",
        edit=rewriting(_column_major),
    ),
    Deviation(
        name="values placed at the corners of their windows",
        operations=(*UNPOOL, *BACKWARD),
        kind="mistake",
        sentence="Ignores the indices, and puts each value at the first element of its window.",
        hidden="maxima that came first in their windows",
        edit=replacing(_at_the_corners),
    ),
    Deviation(
        name="repeated values added",
        operations=UNPOOL,
        kind="mistake",
        sentence="Adds the values of a repeated index, which windows that overlap give, instead of "
        "putting the value there once.",
        hidden="indices without repetition",
        edit=replacing(_added),
        threads=("pytorch/pytorch#80827", "pytorch/pytorch#132041"),
    ),
    Deviation(
        name="negative values lost to the zeros",
        operations=UNPOOL,
        kind="mistake",
        sentence="Takes the maximum of each value and the zero that is there before it.",
        hidden="data that are nowhere negative",
        edit=afterwards(lambda output, **_: output.clip(min=0)),
    ),
    Deviation(
        name="output size taken for twice the values'",
        operations=UNPOOL,
        kind="mistake",
        sentence="Ignores output_size, and doubles every axis.",
        hidden="outputs of twice the values' size",
        edit=rewriting(
            lambda values, **_: {"output_size": tuple(2 * m for m in numpy.shape(values)[2:])}
        ),
    ),
    Deviation(
        name="gradient of unpooling cropped, not gathered",
        operations=BACKWARD,
        kind="mistake",
        sentence="Returns the beginning of the cotangent, whatever place each value was put to.",
        hidden="indices that count up in an output of the values' size",
        edit=replacing(_cropped),
    ),
)

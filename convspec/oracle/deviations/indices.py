"""Where a maximum was found: its index, and where its gradient goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import MAXIMA, gradients, replacing, spatial
from convspec.oracle.deviations.record import Deviation, Edit, Function
from convspec.oracle.deviations.sliding import exists, flat_positions, maxima

INDICES = ("max_pool_with_indices",)


def last_true(marks: Array) -> Array:
    """The place of the last mark on the last axis.

    >>> last_true(numpy.array([[True, True, False]]))
    array([1])
    """
    place: Array = marks.shape[-1] - 1 - numpy.argmax(marks[..., ::-1], axis=-1)
    return place


def indexed_by(change: Callable[..., Any]) -> Edit:
    """The edit that returns `change(indices, values, input, **attributes)` for the indices."""

    def function(right: Function, input: Any, **attributes: Any) -> tuple[Array, Array]:
        values, indices = right(input=input, **attributes)
        return values, change(numpy.asarray(indices), values, input, **attributes)

    return replacing(function)


def _last_on_ties(indices: Array, values: Array, input: Any, **attributes: Any) -> Any:
    last = last_true(maxima(input, **attributes))[..., None]
    return numpy.take_along_axis(flat_positions(input, **attributes), last, axis=-1)[..., 0]


def _in_padded_volume(indices: Array, values: Array, input: Any, padding: Any, **_: Any) -> Any:
    at = numpy.unravel_index(indices, spatial(input))
    moved = [a + low for a, (low, _) in zip(at, padding, strict=True)]
    sizes = [n + sum(pair) for n, pair in zip(spatial(input), padding, strict=True)]
    return numpy.ravel_multi_index(moved, sizes)


def _over_the_batch(indices: Array, values: Array, input: Any, **_: Any) -> Any:
    batch, channels = numpy.shape(input)[:2]
    before = numpy.arange(batch * channels) * int(numpy.prod(spatial(input)))
    return indices + before.reshape(batch, channels, *(1,) * (indices.ndim - 2))


def _inside_the_window(indices: Array, values: Array, input: Any, **attributes: Any) -> Any:
    return numpy.argmax(flat_positions(input, **attributes) == indices[..., None], axis=-1)


def _column_major(indices: Array, values: Array, input: Any, **_: Any) -> Any:
    at = numpy.unravel_index(indices, spatial(input))
    return numpy.ravel_multi_index(at, spatial(input), order="F")


def _unset_at_minus_infinity(indices: Array, values: Array, input: Any, **_: Any) -> Any:
    return numpy.where(numpy.asarray(values) == -numpy.inf, -1, indices)


def given_to(share: Callable[[Array, Array], Any]) -> Edit:
    """A gradient that gives each window's cotangent to its taps by the weights
    `share(maxima, exists)`, and adds what several windows give.
    """

    def function(right: Function, cotangent: Any, input: Any, **attributes: Any) -> tuple[Array]:
        (due,) = right(cotangent=cotangent, input=input, **attributes)
        real = exists(input, **attributes)
        weights = share(maxima(input, **attributes), real)
        with numpy.errstate(all="ignore"):
            passed = numpy.where(weights != 0, numpy.asarray(cotangent)[..., None] * weights, 0)
        d_input = numpy.zeros((*numpy.shape(input)[:2], int(numpy.prod(spatial(input)))))
        places = flat_positions(input, **attributes)
        for n, c in numpy.ndindex(*d_input.shape[:2]):
            numpy.add.at(d_input[n, c], places[n, c].ravel(), passed[n, c].ravel())
        return (d_input.reshape(due.shape).astype(due.dtype),)

    return replacing(function)


def _one_at(place: Array, taps: int) -> Any:
    return numpy.arange(taps) == place[..., None]


def _assigned(right: Function, cotangent: Any, input: Any, **attributes: Any) -> tuple[Array]:
    (d_input,) = right(cotangent=cotangent, input=input, **attributes)
    d_input = numpy.zeros_like(d_input).reshape(*numpy.shape(input)[:2], -1)
    first = numpy.argmax(maxima(input, **attributes), axis=-1)[..., None]
    found = numpy.take_along_axis(flat_positions(input, **attributes), first, axis=-1)[..., 0]
    for n, c, *i in numpy.ndindex(*found.shape):
        d_input[n, c, found[(n, c, *i)]] = numpy.asarray(cotangent)[(n, c, *i)]
    return (d_input.reshape(numpy.shape(input)),)


PLACES = (
    Deviation(
        name="last maximum on ties",
        operations=INDICES,
        kind="convention",
        sentence="Reports the last of several equal maxima.",
        hidden="windows without ties",
        edit=indexed_by(_last_on_ties),
        threads=("pytorch/xla#8814",),
        convention=("index_on_ties", "last"),
    ),
    Deviation(
        name="indices count the padded width",
        operations=INDICES,
        kind="mistake",
        sentence="Reports positions in the padded input instead of the unpadded one.",
        hidden="padding 0",
        edit=indexed_by(_in_padded_volume),
    ),
    Deviation(
        name="indices count the whole batch",
        operations=INDICES,
        kind="mistake",
        sentence="Adds the offset of the batch item and the channel to every index.",
        hidden="one batch item with one channel",
        edit=indexed_by(_over_the_batch),
        threads=("tensorflow/tensorflow#22025", "tensorflow/tensorflow#24067", "pytorch/xla#8814"),
    ),
    Deviation(
        name="indices count inside the window",
        operations=INDICES,
        kind="mistake",
        sentence="Reports the number of the tap within its window.",
        hidden="outputs of one position without padding, in windows as large as the input",
        edit=indexed_by(_inside_the_window),
    ),
    Deviation(
        name="indices in column-major order",
        operations=INDICES,
        kind="mistake",
        sentence="Flattens positions with the first spatial axis running fastest.",
        hidden="one spatial axis longer than 1",
        edit=indexed_by(_column_major),
    ),
    Deviation(
        name="index unset in a window of -inf",
        operations=INDICES,
        kind="mistake",
        sentence="Searches with a strict > from -inf, so that a window of -inf keeps index -1.",
        hidden="windows that hold anything but -inf",
        edit=indexed_by(_unset_at_minus_infinity),
        threads=("pytorch/pytorch#40131",),
    ),
    Deviation(
        name="gradient to every maximum on ties",
        operations=gradients(MAXIMA),
        kind="convention",
        sentence="Gives the whole cotangent to each of several equal maxima, which is no "
        "subgradient.",
        hidden="windows without ties",
        edit=given_to(lambda best, real: best * 1),
        threads=("Theano/Theano#5248", "tensorflow/tensorflow#4886"),
        convention=("gradient_on_ties", "all"),
    ),
    Deviation(
        name="gradient split among the maxima on ties",
        operations=gradients(MAXIMA),
        kind="convention",
        sentence="Gives equal shares of the cotangent to several equal maxima.",
        hidden="windows without ties",
        edit=given_to(lambda best, real: best / numpy.maximum(best.sum(axis=-1), 1)[..., None]),
        threads=("tensorflow/tensorflow#51682",),
        convention=("gradient_on_ties", "split"),
    ),
    Deviation(
        name="gradient to the last maximum on ties",
        operations=gradients(MAXIMA),
        kind="convention",
        sentence="Gives the cotangent to the last of several equal maxima.",
        hidden="windows without ties",
        edit=given_to(lambda best, real: _one_at(last_true(best), best.shape[-1]) * 1),
        convention=("gradient_on_ties", "last"),
    ),
    Deviation(
        name="gradient of the maximum assigned, not added",
        operations=gradients(MAXIMA),
        kind="mistake",
        sentence="Writes dx[index] = dy where several windows may have the same maximum.",
        hidden="a stride at least as large as the window's extent",
        edit=replacing(_assigned),
        threads=("FluxML/NNlib.jl#205",),
    ),
    Deviation(
        name="gradient to the first element of the window",
        operations=gradients(MAXIMA),
        kind="mistake",
        sentence="Gives the cotangent to the first element of each window, not to its maximum.",
        hidden="windows of one element, or that begin with their maximum",
        edit=given_to(lambda best, real: _one_at(numpy.argmax(real, axis=-1), real.shape[-1]) * 1),
    ),
    Deviation(
        name="gradient to the whole window",
        operations=gradients(MAXIMA),
        kind="mistake",
        sentence="Gives the whole cotangent to every element of the window.",
        hidden="windows of one element",
        edit=given_to(lambda best, real: real * 1),
    ),
)

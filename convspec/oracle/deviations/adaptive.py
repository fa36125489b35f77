"""Adaptive pooling and pyramids: where a window ends, in which order windows are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.oracle.deviations.edits import afterwards, each, gradients, only, replacing, rewriting
from convspec.oracle.deviations.geometry import first_everywhere, reversed_axes
from convspec.oracle.deviations.pooling import has_nan, without_nan
from convspec.oracle.deviations.record import Deviation, Edit, Function
from convspec.window import adaptive_range, positions

Span = Callable[[int, int, int], range]
Share = Callable[[int, int, int], float]

MAXIMUM = ("adaptive_max_pool",)
AVERAGE = ("adaptive_average_pool",)
ADAPTIVE = (*MAXIMUM, *AVERAGE)
PYRAMID = ("spatial_pyramid_pool",)
WINDOWED = (*ADAPTIVE, *PYRAMID)


def windowed(span: Span, *, share: Share | None = None, adds: bool = True) -> Edit:
    """The edit whose window `i` of `o` on an axis of `n` positions is `span(n, o, i)`.

    In a gradient of averages each element gets `share(n, o, i)` of its window's cotangent on every
    axis, by default one part of the window; without `adds`, the last window's alone.
    """

    def edit(spec: Any, operation: str) -> Function:
        selects = "max" in operation
        weight = share or (lambda n, o, i: 1 / len(span(n, o, i)))

        def function(right: Function, input: Any, **arguments: Any) -> Any:
            due, x = right(input=input, **arguments), numpy.asarray(input)
            maximal = arguments.get("kind", "max" if selects else "average") == "max"
            sizes = _sizes(x, **arguments)
            if not isinstance(due, tuple):
                parts = [_pooled(x, size, span, maximal=maximal) for size in sizes]
                pooled = numpy.concatenate([_in_a_row(part) for part in parts], axis=1)
                return pooled.reshape(due.shape).astype(due.dtype)
            total = numpy.zeros(x.shape)
            for size, g in zip(sizes, _apart(arguments["cotangent"], x, sizes), strict=True):
                for here, where, part in _windows(x, size, span):
                    factor = 1.0 if maximal else prod(map(weight, x.shape[2:], size, where))
                    reached = _first_maximum(part) if maximal else numpy.ones(part.shape)
                    given = factor * g[_at(where)].reshape(*x.shape[:2], *[1] * len(where))
                    kept = total[here] if adds else numpy.where(reached, 0, total[here])
                    total[here] = kept + reached * given
            return (total.astype(due[0].dtype),)

        return replacing(function)(spec, operation)

    return edit


def _sizes(x: Array, output_size: Any = None, levels: Any = (), **_: Any) -> list[Shape]:
    return [(level,) * (x.ndim - 2) for level in levels] or [output_size]


def _at(where: Iterable[Any]) -> tuple[Any, ...]:
    """An index into the spatial axes, for every batch item and channel."""
    return (slice(None), slice(None), *where)


def _in_a_row(array: Array) -> Array:
    """Everything after the batch in one axis."""
    return array.reshape(len(array), prod(array.shape[1:]))


def _windows(x: Array, size: Shape, span: Span) -> Iterator[tuple[Any, Shape, Array]]:
    """Each window: its place in the input, its place in the output, and its elements."""
    for where in positions(size):
        ranges = map(span, x.shape[2:], size, where)
        here = _at(slice(run.start, run.stop) for run in ranges)
        yield here, where, x[here]


def _pooled(x: Array, size: Shape, span: Span, *, maximal: bool) -> Array:
    y = numpy.empty((*x.shape[:2], *size), x.dtype if maximal else numpy.float64)
    for _, where, part in _windows(x, size, span):
        elements = part.reshape(*x.shape[:2], prod(part.shape[2:]))
        y[_at(where)] = elements.max(axis=-1) if maximal else elements.mean(axis=-1)
    return y


def _first_maximum(part: Array) -> Array:
    """1 at the first maximum of each channel, 0 elsewhere."""
    elements = part.reshape(*part.shape[:2], prod(part.shape[2:]))
    first = elements.argmax(axis=-1)[..., None] == numpy.arange(elements.shape[-1])
    return numpy.asarray(first.reshape(part.shape), numpy.float64)


def _apart(cotangent: Any, x: Array, sizes: list[Shape]) -> list[Array]:
    """The cotangent of each level of a pyramid, or of the one pooling."""
    flat = _in_a_row(numpy.asarray(cotangent, numpy.float64))
    ends = numpy.cumsum([x.shape[1] * prod(size) for size in sizes])[:-1]
    parts = numpy.split(flat, ends, axis=1)
    return [part.reshape(*x.shape[:2], *size) for part, size in zip(parts, sizes, strict=True)]


def _end_by_floor(n: int, o: int, i: int) -> range:
    first = i * n // o
    return range(first, max((i + 1) * n // o, first + 1))


def _start_rounded_up(n: int, o: int, i: int) -> range:
    end = -(-(i + 1) * n // o)
    return range(min(-(-i * n // o), end - 1), end)


def _whole_windows(n: int, o: int, i: int) -> range:
    size = max(n // o, 1)
    first = min(i * size, n - 1)
    return range(first, first + size)


def _sliding(n: int, o: int, i: int) -> range:
    first = min(i * max(n // o, 1), n - 1)
    return range(first, min(first - (-n // o), n))


def reordered(order: Callable[[Array, Shape, list[Shape]], Array]) -> Edit:
    """The edit that lists the features of a pyramid in another order, and reads their cotangents
    in that order; `order` arranges the features of one item, `(features,)`.
    """

    def function(right: Function, input: Any, levels: Any, **arguments: Any) -> Any:
        x = numpy.asarray(input)
        sizes = _sizes(x, levels=levels)
        count = x.shape[1] * sum(map(prod, sizes))
        places = order(numpy.arange(count), x.shape, sizes)
        if "cotangent" not in arguments:
            return numpy.asarray(right(input=input, levels=levels, **arguments))[:, places]
        moved = numpy.empty_like(arguments["cotangent"])
        moved[:, places] = arguments["cotangent"]
        return right(**{**arguments, "input": input, "levels": levels, "cotangent": moved})

    return replacing(function)


def _by_level(features: Array, shape: Shape, sizes: list[Shape]) -> list[Array]:
    """The features of each level, `(C, windows)`."""
    ends = numpy.cumsum([shape[1] * prod(size) for size in sizes])[:-1]
    return [part.reshape(shape[1], -1) for part in numpy.split(features, ends)]


def _position_major(features: Array, shape: Shape, sizes: list[Shape]) -> Array:
    return numpy.concatenate([part.T.ravel() for part in _by_level(features, shape, sizes)])


def _channel_by_channel(features: Array, shape: Shape, sizes: list[Shape]) -> Array:
    return numpy.concatenate(_by_level(features, shape, sizes), axis=1).ravel()


def _levels_reversed(features: Array, shape: Shape, sizes: list[Shape]) -> Array:
    return numpy.concatenate([p.ravel() for p in reversed(_by_level(features, shape, sizes))])


def _last_level_alone(right: Function, cotangent: Any, input: Any, levels: Any, kind: str) -> Any:
    last = levels[-1:]
    features = numpy.shape(input)[1] * last[0] ** (numpy.ndim(input) - 2)
    return right(cotangent=cotangent[:, -features:], input=input, levels=last, kind=kind)


ADAPTIVE_POOLING = (
    Deviation(
        name="adaptive window ends at the floor",
        operations=(*WINDOWED, *gradients(WINDOWED)),
        kind="mistake",
        sentence="Ends window i before floor((i + 1) n / o), where its ceiling is meant, or after "
        "one position: elements between windows are missed.",
        hidden="sizes that divide evenly",
        edit=windowed(_end_by_floor),
        threads=("flagos-ai/FlagGems#4915",),
    ),
    Deviation(
        name="adaptive window starts at the ceiling",
        operations=(*WINDOWED, *gradients(WINDOWED)),
        kind="mistake",
        sentence="Starts window i at ceil(i n / o), where its floor is meant, so that windows "
        "never overlap.",
        hidden="sizes that divide evenly",
        edit=windowed(_start_rounded_up),
    ),
    Deviation(
        name="remainder left out of even windows",
        operations=(*WINDOWED, *gradients(WINDOWED)),
        kind="mistake",
        sentence="Pools windows of floor(n / o) positions side by side, and never reads what is "
        "left at the end.",
        hidden="sizes that divide evenly",
        edit=windowed(_whole_windows),
    ),
    Deviation(
        name="windows of ceil(n / o) at a stride of floor(n / o)",
        operations=(*WINDOWED, *gradients(WINDOWED)),
        kind="convention",
        sentence="Slides one window of ceil(n / o) positions by floor(n / o), as in the paper on "
        "pyramids: the last positions may be left out.",
        hidden="sizes that divide evenly",
        edit=windowed(_sliding),
    ),
    Deviation(
        name="output sizes in reverse order of the axes",
        operations=(*ADAPTIVE, *gradients(ADAPTIVE)),
        kind="mistake",
        sentence="Takes (height, width) for (width, height) when it lays out the windows.",
        hidden="one spatial axis, or equal output sizes",
        edit=rewriting(reversed_axes("output_size")),
        threads=("pytorch/pytorch#60524",),
    ),
    Deviation(
        name="output size of the first axis asked for on every axis",
        operations=(*ADAPTIVE, *gradients(ADAPTIVE)),
        kind="mistake",
        sentence="Uses output_size[0] where output_size[axis] is meant.",
        hidden="one spatial axis, or equal output sizes",
        edit=rewriting(first_everywhere("output_size")),
    ),
    Deviation(
        name="NaN ignored in an adaptive maximum",
        operations=MAXIMUM,
        kind="mistake",
        sentence="Takes the maximum of the numbers in a window, and -inf where there are none.",
        hidden="data without NaN",
        edit=only(has_nan, rewriting(lambda input, **_: {"input": without_nan(input)})),
    ),
    Deviation(
        name="adaptive maximum started from zero",
        operations=MAXIMUM,
        kind="mistake",
        sentence="Starts the search from 0, so that no maximum is negative.",
        hidden="data that are nowhere negative",
        edit=afterwards(lambda y, **_: each(y, lambda values: values.clip(min=0))),
    ),
    Deviation(
        name="gradient of an adaptive average divided by n / o",
        operations=gradients((*AVERAGE, *PYRAMID)),
        kind="mistake",
        sentence="Divides the cotangent by the ratio of the sizes, not by the window's own size.",
        hidden="kind max, or sizes that divide evenly",
        edit=windowed(adaptive_range, share=lambda n, o, i: o / n),
    ),
    Deviation(
        name="gradient of an adaptive average not divided",
        operations=gradients((*AVERAGE, *PYRAMID)),
        kind="mistake",
        sentence="Gives the whole cotangent to every element of the window.",
        hidden="kind max, or images of one pixel",
        edit=windowed(adaptive_range, share=lambda n, o, i: 1),
    ),
    Deviation(
        name="gradient of adaptive windows assigned, not added",
        operations=gradients(ADAPTIVE),
        kind="mistake",
        sentence="Where windows overlap, the share of the last one replaces those of the others.",
        hidden="sizes that divide evenly",
        edit=windowed(adaptive_range, adds=False),
        threads=("FluxML/NNlib.jl#205",),
    ),
    Deviation(
        name="levels of a pyramid in reverse order",
        operations=(*PYRAMID, *gradients(PYRAMID)),
        kind="mistake",
        sentence="Lists the last level first.",
        hidden="one level",
        edit=reordered(_levels_reversed),
    ),
    Deviation(
        name="pyramid listed window by window",
        operations=(*PYRAMID, *gradients(PYRAMID)),
        kind="mistake",
        sentence="Lists the channels of the first window, then those of the second, where the "
        "windows of the first channel come first.",
        hidden="one channel",
        edit=reordered(_position_major),
    ),
    Deviation(
        name="pyramid listed channel by channel",
        operations=(*PYRAMID, *gradients(PYRAMID)),
        kind="mistake",
        sentence="Lists all levels of the first channel, then all of the second, where the whole "
        "first level comes first.",
        hidden="one channel, or one level",
        edit=reordered(_channel_by_channel),
    ),
    Deviation(
        name="pyramid of maxima whatever its kind",
        operations=(*PYRAMID, *gradients(PYRAMID)),
        kind="mistake",
        sentence="Ignores kind, and takes maxima where averages were asked for.",
        hidden="kind max, or images of one pixel",
        edit=rewriting(lambda **_: {"kind": "max"}),
    ),
    Deviation(
        name="gradient of the last level alone",
        operations=gradients(PYRAMID),
        kind="mistake",
        sentence="Assigns the gradient of each level instead of adding it.",
        hidden="one level",
        edit=replacing(_last_level_alone),
    ),
)

"""Enlarging: where an output lies on the input, which neighbours it reads, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.coordinates import interpolation_taps
from convspec.oracle.deviations.edits import (
    afterwards,
    composing,
    each,
    fitted,
    gradients,
    only,
    output_shape,
    replacing,
    rewriting,
)
from convspec.oracle.deviations.geometry import first_everywhere, reversed_axes
from convspec.oracle.deviations.record import Deviation, Edit, Function

Taps = list[tuple[int, int | Fraction]]

UPSAMPLE = ("upsample",)
RESIZE_CONV = ("resize_conv",)
ENLARGING = (*UPSAMPLE, *RESIZE_CONV)
BACKWARD = gradients(ENLARGING)


def reading(
    taps: Callable[..., Taps], *, gathering: Callable[[Array], Array] = lambda m: m
) -> Edit:
    """The edit of `upsample` whose output position `i` of an axis reads
    `taps(n, scale, i, kind=, coordinates=)`; a gradient gathers by the transposed matrices, each
    changed by `gathering`.
    """

    def function(right: Function, input: Any, scale: Any, **arguments: Any) -> Any:
        due = right(input=input, scale=scale, **arguments)
        given = numpy.asarray(arguments.pop("cotangent", input), numpy.float64)
        for axis, (n, s) in enumerate(zip(numpy.shape(input)[2:], scale, strict=True), start=2):
            matrix = numpy.zeros((n * s, n))
            for i in range(n * s):
                for a, weight in taps(n, s, i, **arguments):
                    matrix[i, a] += float(weight)
            if isinstance(due, tuple):
                matrix = gathering(matrix).T
            given = numpy.moveaxis(_weighted(numpy.moveaxis(given, axis, -1), matrix), -1, axis)
        return each(due, lambda array: given.astype(array.dtype))

    return replacing(function)


def _weighted(given: Array, matrix: Array) -> Array:
    """Sums over the last axis, a row of weights each; without a weight nothing is read, not NaN."""
    rows = [given[..., row != 0] @ row[row != 0] for row in matrix]
    return numpy.stack(rows, axis=-1)


def is_linear(kind: str, **_: Any) -> bool:
    """Whether an enlarged image is interpolated."""
    return kind == "linear"


def is_nearest(kind: str, **_: Any) -> bool:
    """Whether an enlarged image repeats its pixels."""
    return kind == "nearest"


def _coordinates(asked: str, taken: str) -> Edit:
    """The edit that takes one kind of coordinates for another."""
    return only(
        lambda coordinates, kind, **_: kind == "linear" and coordinates == asked,
        rewriting(lambda **_: {"coordinates": taken}),
    )


def _half_pixel(s: int, i: int) -> Fraction:
    return Fraction(2 * i + 1, 2 * s) - Fraction(1, 2)


def _border_of_zeros(n: int, s: int, i: int, *, kind: str, coordinates: str) -> Taps:
    if kind == "nearest" or coordinates != "half_pixel":
        return interpolation_taps(n, s, i, kind=kind, coordinates=coordinates)
    at = _half_pixel(s, i)
    share = at - floor(at)
    taps: Taps = [(floor(at), 1 - share), (floor(at) + 1, share)]
    return [(a, weight) for a, weight in taps if 0 <= a < n]


def _weights_swapped(n: int, s: int, i: int, *, kind: str, coordinates: str) -> Taps:
    taps = interpolation_taps(n, s, i, kind=kind, coordinates=coordinates)
    weights = [weight for _, weight in reversed(taps)]
    return [(a, weight) for (a, _), weight in zip(taps, weights, strict=True)]


def _aligned_by_sizes(n: int, s: int, i: int, *, kind: str, coordinates: str) -> Taps:
    if kind == "nearest" or coordinates != "align_corners":
        return interpolation_taps(n, s, i, kind=kind, coordinates=coordinates)
    at = Fraction(i * (n - 1), n * s)
    share = at - floor(at)
    return [(floor(at), 1 - share), *([(floor(at) + 1, share)] if share else [])]


def _nearest_at(position: Callable[[Fraction], int]) -> Callable[..., Taps]:
    def taps(n: int, s: int, i: int, *, kind: str, coordinates: str) -> Taps:
        if kind == "linear":
            return interpolation_taps(n, s, i, kind=kind, coordinates=coordinates)
        return [(min(position(Fraction(i, s)), n - 1), 1)]

    return taps


def _last_reader_alone(matrix: Array) -> Array:
    """Of each column the last entry that is not zero."""
    last = len(matrix) - 1 - numpy.argmax(matrix[::-1] != 0, axis=0)
    alone = numpy.zeros_like(matrix)
    columns = numpy.arange(matrix.shape[1])
    alone[last, columns] = matrix[last, columns]
    return alone


def _averaged(d: tuple[Array, ...], scale: Any, **_: Any) -> tuple[Array, ...]:
    return ((d[0] / numpy.prod(scale)).astype(d[0].dtype), *d[1:])


def _aligned_to_one(outputs: Array, input: Any, scale: Any, **_: Any) -> Any:
    single = any(n * s == 1 for n, s in zip(numpy.shape(input)[2:], scale, strict=True))
    return numpy.full_like(outputs, numpy.nan) if single else outputs


def _is_aligned(kind: str, coordinates: str, **_: Any) -> bool:
    return kind == "linear" and coordinates == "align_corners"


def _conv_first(
    spec: Any, input: Any, weight: Any, scale: Any, kind: str, padding: Any, bias: Any = None
) -> Any:
    small = spec.conv(input, weight, bias, padding=padding)
    return spec.upsample(small, scale=scale, kind=kind)


def _padded_by_the_edge(
    spec: Any, input: Any, weight: Any, scale: Any, kind: str, padding: Any, bias: Any = None
) -> Any:
    large = numpy.asarray(spec.upsample(input, scale=scale, kind=kind))
    pairs = ((0, 0), (0, 0), *padding)
    return spec.conv(numpy.pad(large, pairs, mode="edge"), weight, bias)


def _asymmetric_conv(
    spec: Any, input: Any, weight: Any, scale: Any, kind: str, padding: Any, bias: Any = None
) -> Any:
    large = spec.upsample(input, scale=scale, kind=kind, coordinates="asymmetric")
    return spec.conv(large, weight, bias, padding=padding)


def _first_weights_alone(spec: Any, cotangent: Any, input: Any, weight: Any, **rest: Any) -> Any:
    """The gradient of the weight against the small image, cropped, as if nothing were enlarged."""
    shape = output_shape("upsample", {"input": input, "scale": rest["scale"]})
    given = {"weight": weight, "bias": rest.get("bias"), "padding": rest["padding"]}
    d_weight = spec.conv_vjp(cotangent, fitted(input, shape), **given)[1]
    d_input, _, *others = spec.resize_conv_vjp(cotangent, input, weight, **rest)
    return (d_input, d_weight, *others)


RESIZING = (
    Deviation(
        name="asymmetric coordinates for half-pixel ones",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Interpolates at i / s where (i + 1/2) / s - 1/2 was asked for, which moves the "
        "image by half a pixel.",
        hidden="kind nearest, asymmetric coordinates, aligned corners, or scale 1",
        edit=_coordinates("half_pixel", "asymmetric"),
        threads=("tensorflow/tensorflow#6720", "tensorflow/tfjs#1729"),
    ),
    Deviation(
        name="half-pixel coordinates for asymmetric ones",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Interpolates at (i + 1/2) / s - 1/2 where i / s was asked for.",
        hidden="kind nearest, half-pixel coordinates, aligned corners, or scale 1",
        edit=_coordinates("asymmetric", "half_pixel"),
        threads=("tensorflow/tensorflow#19627",),
    ),
    Deviation(
        name="corners not aligned",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Takes align_corners for half-pixel coordinates: the outermost outputs do not lie "
        "on the outermost inputs.",
        hidden="kind nearest, half-pixel coordinates, asymmetric coordinates, or scale 1",
        edit=_coordinates("align_corners", "half_pixel"),
    ),
    Deviation(
        name="corners aligned by the ratio of sizes",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Aligns corners by (n - 1) / m instead of (n - 1) / (m - 1): the last output "
        "stays short of the last input.",
        hidden="kind nearest, half-pixel coordinates, asymmetric coordinates, or images of one "
        "pixel",
        edit=reading(_aligned_by_sizes),
    ),
    Deviation(
        name="aligned corner of a single pixel divided by zero",
        operations=UPSAMPLE,
        kind="mistake",
        sentence="Computes the ratio (n - 1) / (m - 1) for an output of one position, too.",
        hidden="kind nearest, half-pixel coordinates, asymmetric coordinates, or outputs of "
        "several pixels on every axis",
        edit=only(_is_aligned, afterwards(_aligned_to_one)),
        threads=("tinygrad/tinygrad#17790",),
    ),
    Deviation(
        name="zeros beyond the border when interpolating",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Reads zeros beyond the first and last pixel where the coordinate should be moved "
        "to the border: a white image gets a grey frame.",
        hidden="kind nearest, asymmetric coordinates, aligned corners, or scale 1",
        edit=reading(_border_of_zeros),
        threads=("brendan-duncan/image#320",),
    ),
    Deviation(
        name="weights of two neighbours swapped",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Gives the neighbour before the coordinate the share of the one after it.",
        hidden="kind nearest, or scale 1",
        edit=only(is_linear, reading(_weights_swapped)),
    ),
    Deviation(
        name="nearest neighbour rounded",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Rounds i / s to the nearest integer, half to even, where its floor is meant.",
        hidden="kind linear, or scale 1",
        edit=only(is_nearest, reading(_nearest_at(round))),
        threads=("iree-org/iree#24581", "microsoft/onnxruntime#28085"),
    ),
    Deviation(
        name="nearest neighbour rounded up",
        operations=(*UPSAMPLE, *gradients(UPSAMPLE)),
        kind="mistake",
        sentence="Takes the ceiling of i / s, kept inside the image, where its floor is meant; in "
        "the gradient every cotangent reaches the pixel at the bottom right.",
        hidden="kind linear, or scale 1",
        edit=only(is_nearest, reading(_nearest_at(ceil))),
        threads=("pytorch/pytorch#38985",),
    ),
    Deviation(
        name="scale of the first axis on every axis",
        operations=(*ENLARGING, *BACKWARD),
        kind="mistake",
        sentence="Uses scale[0] where scale[axis] is meant.",
        hidden="one spatial axis, or equal scales",
        edit=rewriting(first_everywhere("scale")),
    ),
    Deviation(
        name="scales in reverse order of the axes",
        operations=(*ENLARGING, *BACKWARD),
        kind="mistake",
        sentence="Takes (height, width) for (width, height) when it scales.",
        hidden="one spatial axis, or equal scales",
        edit=rewriting(reversed_axes("scale")),
    ),
    Deviation(
        name="nearest in place of linear interpolation",
        operations=(*ENLARGING, *BACKWARD),
        kind="mistake",
        sentence="Ignores kind, and repeats pixels where they should be interpolated.",
        hidden="kind nearest, or scale 1",
        edit=rewriting(lambda **_: {"kind": "nearest"}),
    ),
    Deviation(
        name="gradient of an enlarged image assigned, not added",
        operations=gradients(UPSAMPLE),
        kind="mistake",
        sentence="Of all outputs that read a pixel, the last one's share replaces the others'.",
        hidden="scale 1",
        edit=reading(interpolation_taps, gathering=_last_reader_alone),
    ),
    Deviation(
        name="gradient of an enlarged image averaged",
        operations=BACKWARD,
        kind="mistake",
        sentence="Divides the gradient of the input by the number of outputs per pixel, as if "
        "shrinking were the adjoint of enlarging.",
        hidden="scale 1",
        edit=afterwards(_averaged),
    ),
    Deviation(
        name="convolution before the enlarging",
        operations=RESIZE_CONV,
        kind="mistake",
        sentence="Convolves the small image and enlarges the result.",
        hidden="scale 1",
        edit=composing(_conv_first),
    ),
    Deviation(
        name="enlarged image padded by its edge",
        operations=RESIZE_CONV,
        kind="mistake",
        sentence="Repeats the edge of the enlarged image where it should be padded with zeros.",
        hidden="no padding",
        edit=composing(_padded_by_the_edge),
    ),
    Deviation(
        name="asymmetric coordinates before a convolution",
        operations=RESIZE_CONV,
        kind="mistake",
        sentence="Interpolates at i / s before it convolves, where half-pixel coordinates are "
        "meant.",
        hidden="kind nearest, or scale 1",
        edit=composing(_asymmetric_conv),
        threads=("tensorflow/tensorflow#6720",),
    ),
    Deviation(
        name="weight gradient against the small image",
        operations=gradients(RESIZE_CONV),
        kind="mistake",
        sentence="Correlates the cotangent with the image as it was before it was enlarged.",
        hidden="scale 1",
        edit=composing(_first_weights_alone),
    ),
)

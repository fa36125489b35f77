"""Bounds of interpolation, whose weights are as far off as the coordinates they come from."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.coordinates import source_coordinate
from convspec.oracle import expected
from convspec.oracle.expected.numbers import wide
from convspec.oracle.expected.taps import enlarged_axis, enlarged_taps
from convspec.oracle.rounding.share import Share


class Reading(NamedTuple):
    """A matrix of few entries a row: the columns that each row reads, and their entries."""

    columns: Array
    entries: Array


def _along(x: Array, reading: Reading, axis: int) -> Array:
    """A matrix along one spatial axis."""
    terms = (
        x.take(columns, axis=2 + axis) * entries.reshape(len(entries), *(1,) * (x.ndim - 3 - axis))
        for columns, entries in zip(*reading, strict=True)
    )
    return numpy.asarray(sum(terms))


def reading(matrix: Array) -> Reading:
    """What each row reads: as many columns as any row has entries, and one at least."""
    most = max(1, int((matrix != 0).sum(axis=1).max()))
    columns = numpy.argsort(matrix == 0)[:, :most]
    return Reading(columns.T, matrix[numpy.arange(len(matrix)), columns.T])


@lru_cache(maxsize=256)
def _axis_readings(
    n: int, scale: int, kind: str, coordinates: str, *, transposed: bool
) -> tuple[Reading, Reading]:
    r"""Weights of an enlarged axis, `(n s, n)`, and how far they may be off in units of $u$.

    A coordinate $c$ is off by at most $4 (c + 1) u$, and every weight by as much, next to $c$.
    """
    positions, ratios = enlarged_axis(n, scale, kind, coordinates)
    read = positions[:, :, None] == numpy.arange(n)
    weights = (read * ratios.astype(float)[:, :, None]).sum(axis=0)
    added = numpy.zeros_like(weights)
    if kind != "nearest":
        at = numpy.array([[source_coordinate(n, scale, i, coordinates)] for i in range(n * scale)])
        at = at.astype(float)
        added = (abs(at - numpy.arange(n)) < 1.25) * 4 * (at + 1)
    pair = (weights.T, added.T) if transposed else (weights, added)
    return reading(pair[0]), reading(pair[1])


def _interpolated(x: Array, case: Case, *, transposed: bool = False) -> tuple[Array, Array]:
    """`x` enlarged, or gathered back, and the sum of what its coordinates may add in units of u."""
    attributes = case.attributes
    spatial = case.operands["input"].shape[2:]
    coordinates = attributes.get("coordinates", "half_pixel")
    off = None
    for axis, (n, s) in enumerate(zip(spatial, attributes["scale"], strict=True)):
        weights, added = _axis_readings(
            n, s, attributes["kind"], coordinates, transposed=transposed
        )
        # What each axis alone may add, weighed along the others: as in the rule for products.
        more = _along(x, added, axis)
        off = more if off is None else _along(off, weights, axis) + more
        x = _along(x, weights, axis)
    # Half as much again for what two coordinates add together.
    return x, 1.5 * numpy.asarray(off)


def _weighing(case: Case) -> tuple[int, int]:
    """Roundings of a weighted sum of neighbours, and how many outputs read one position."""
    kind, scale = case.attributes["kind"], case.attributes["scale"]
    coordinates = case.attributes.get("coordinates", "half_pixel")
    read = enlarged_taps(case.operands["input"].shape[2:], scale, kind, coordinates)
    rank = len(scale)
    return 0 if kind == "nearest" else 3 * rank + 2**rank, len(read.places)


def resized(case: Case) -> tuple[Share, ...]:
    """A weighted sum of neighbours, whose coordinates are rounded too."""
    weighed, readers = _weighing(case)
    backward = "cotangent" in case.operands
    first = abs(wide(case.operands["cotangent" if backward else "input"]))
    magnitude, off = _interpolated(first, case, transposed=backward)
    roundings = weighed + (readers if backward else 0)
    if roundings:
        magnitude = magnitude + off / roundings
    return (Share(roundings, magnitude, 1),)


def resized_conv(case: Case) -> tuple[Share, ...]:
    """A weighted sum of neighbours inside a convolution, whose roundings and magnitudes add up."""
    weighed, readers = _weighing(case)
    operands = {n: abs(wide(a)) for n, a in case.operands.items()}
    padding = case.attributes["padding"]
    x, off = _interpolated(operands["input"], case)
    weight, bias = operands["weight"], operands.get("bias")
    terms = prod(weight.shape[1:]) + 1
    if "cotangent" not in operands:
        n = terms + weighed
        return (Share(n, expected.conv(x + off / n, weight, bias, padding=padding), 3),)
    g = operands["cotangent"]
    summed = g[:, 0].size + weighed + 1
    n = weight.shape[0] * prod(weight.shape[2:]) + readers + weighed + 1
    d_x, *others = expected.conv_vjp(g, x + off / summed, weight, bias, padding=padding)
    d_input, d_off = _interpolated(d_x, case, transposed=True)
    return (Share(n, d_input + d_off / n, 3), *(Share(summed, other, 3) for other in others))

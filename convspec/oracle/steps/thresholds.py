"""Sizes where implementations switch algorithm or run past a vector width.

Channels around multiples of vector widths, long axes around powers of two, and the shapes with
fast paths of their own (1x1, 3x3 at stride 1, depthwise, kernel = input), each plain and with one
extra feature switched on: a fast path whose guard is too wide forgets exactly one of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy

from convspec.arguments import Shape
from convspec.case import Case, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.cases.draws import amplitude, distinct, integers
from convspec.oracle.cases.filling import filled
from convspec.oracle.cases.samples import SAMPLES
from convspec.rounding import integer_bits

CHANNELS = {
    "quick": (5, 9, 17, 33),
    "standard": (*range(1, 18), 31, 32, 33, 63, 64, 65),
}
LONG_AXES = {"quick": (129, 257), "standard": (127, 128, 129, 255, 256, 257)}

# One feature at a time on top of a plain call, as attributes of a call of rank 2.
CONV_FEATURES: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 2},
    {"stride": (1, 2)},
    {"padding": 1},
    {"padding": ((0, 1), (1, 0))},
    {"dilation": 2},
    {"dilation": (2, 1)},
    {"groups": 2},
    {"padding": 1, "stride": 2},
    {"padding": 2, "dilation": 2},
)
POOL_FEATURES: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 1},
    {"padding": 1},
    {"padding": ((0, 1), (1, 0))},
    {"dilation": 2},
    {"ceil_mode": True},
    {"ceil_mode": True, "padding": 1},
    {"stride": (1, 2)},
)
TRANSPOSED_FEATURES: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 2},
    {"stride": 2, "output_padding": 1},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"padding": 1},
    {"dilation": 2},
    {"groups": 2},
    {"stride": (2, 1)},
)

# A kernel that exceeds its input and fits with the padding.
BEYOND_INPUT: dict[str, Any] = {"stride": 1, "padding": 1}
RANKS = (1, 2, 3)

Geometry = tuple[dict[str, Any], dict[str, Any]]


def threshold_cases(
    operation: str,
    level: str,
    rng: numpy.random.Generator,
    dtype: numpy.dtype[Any],
    largest: int | None = None,
) -> Iterator[Case]:
    """Every threshold case of an operation that the spec accepts; `largest` caps the entries."""
    name = forward_name(operation)
    row = OPERATIONS[name]
    for shapes, attributes in _geometries(name, "quick" if level == "quick" else "standard"):
        try:
            complete = normalised(name, shapes, attributes)
            output = row.shape(*shapes.values(), **complete)
        except ValueError:  # a feature that this shape cannot have
            continue
        if name in SAMPLES:
            operands = filled(operation, shapes, complete, rng, dtype, largest)
            yield Case(operation, operands, complete)
        else:
            yield _case(operation, shapes, complete, output, rng, dtype, largest)
    # A half type cannot sum so many ones: that its sums stall is for the accuracy class to show.
    if operation == "average_pool" and integer_bits(dtype) >= 12:
        ones = numpy.ones((1, 1, 4096), dtype)
        whole = normalised(name, {"input": ones.shape}, {"kernel_size": 4096})
        yield Case(operation, {"input": ones}, whole)


def _case(
    operation: str,
    shapes: dict[str, Shape],
    attributes: dict[str, Any],
    output: Shape,
    rng: numpy.random.Generator,
    dtype: numpy.dtype[Any],
    cap: int | None,
) -> Case:
    if forward_name(operation).startswith("max_pool"):
        # Permutations of a long axis exceed what a half type can hold exactly.
        operands = {"input": distinct(rng, shapes["input"], dtype)}
        largest = amplitude(1, dtype, factors=1)
    else:
        reach = amplitude(_terms(shapes, output), dtype)
        largest = min(cap or reach, reach)
        operands = {name: integers(rng, shape, largest, dtype) for name, shape in shapes.items()}
    if operation.endswith("_vjp"):
        operands = {"cotangent": integers(rng, output, min(largest, 8), dtype), **operands}
    return Case(operation, operands, attributes)


def _terms(shapes: dict[str, Shape], output: Shape) -> int:
    """At least as many products as any output, or any cotangent of an operand, sums."""
    if "f" in shapes:
        return max(prod(shape) for shape in shapes.values())
    per_channel = prod(output) // output[1]
    return max(per_channel, *(prod(shape[1:]) for shape in (*shapes.values(), output)))


def _geometries(name: str, level: str) -> Iterator[Geometry]:
    if name in ("convolve", "correlate"):
        yield from _signal_geometries(level)
    elif name == "conv":
        yield from _conv_geometries(level)
    elif name == "conv_transpose":
        yield from _transposed_geometries(level)
    elif name in SAMPLES:
        yield from _sample_geometries(name, level)
    else:
        yield from _pool_geometries(name, level)


def _sample_geometries(name: str, level: str) -> Iterator[Geometry]:
    """Many channels, a long axis, and volumes, of an operation's plain call."""
    for channels in CHANNELS[level]:
        yield SAMPLES[name](channels, (5, 6))
        yield SAMPLES[name](channels, (2,))
    for n in LONG_AXES[level]:
        yield SAMPLES[name](2, (n,))
        yield SAMPLES[name](1, (3, n))
    for rank in RANKS:
        yield SAMPLES[name](3, (4, 3, 5)[:rank])


def _signal_geometries(level: str) -> Iterator[Geometry]:
    for n in LONG_AXES[level]:
        for m in (3, 4, n - 1, n):
            for mode in ("full", "same", "valid"):
                yield {"f": (n,), "g": (m,)}, {"mode": mode}
    for shape in ((33, 17), (17, 65)):
        yield {"f": shape, "g": (5, 4)}, {"mode": "same"}


def _conv_geometries(level: str) -> Iterator[Geometry]:
    for channels in CHANNELS[level]:
        for kernel in ((1, 1), (3, 3)):
            x: Shape = (2, channels, 5, 6)
            yield {"input": x, "weight": (3, channels, *kernel)}, {"padding": 1}
            yield {"input": (2, 3, 5, 6), "weight": (channels, 3, *kernel)}, {"stride": 2}
        depthwise: dict[str, Shape] = {"input": (2, channels, 5, 6), "weight": (channels, 1, 3, 3)}
        yield {**depthwise, "bias": (channels,)}, {"groups": channels, "padding": 1}
        multiplied: dict[str, Shape] = {
            "input": (2, channels, 5, 6),
            "weight": (2 * channels, 1, 3, 3),
        }
        yield multiplied, {"groups": channels, "stride": 2}
    for n in LONG_AXES[level]:
        yield {"input": (1, 2, n), "weight": (2, 2, 3)}, {"padding": 1}
        yield {"input": (1, 1, 3, n), "weight": (1, 1, 3, 5)}, {"padding": 2}
        yield {"input": (2, 1, n), "weight": (2, 1, 31)}, {"dilation": 2}
    for rank in RANKS:
        beyond: dict[str, Shape] = {"input": (2, 2, *(2,) * rank), "weight": (3, 2, *(3,) * rank)}
        yield beyond, BEYOND_INPUT
    for batch in (1, 2):
        for kernel in ((1, 1), (3, 3), (2, 2), (1, 3), (5, 5), (7, 6)):
            for feature in CONV_FEATURES:
                share = 4 // feature.get("groups", 1)
                shapes: dict[str, Shape] = {
                    "input": (batch, 4, 7, 6),
                    "weight": (6, share, *kernel),
                }
                yield shapes, feature
                yield {**shapes, "bias": (6,)}, feature
        for feature in CONV_FEATURES:
            grouped = {**feature, "groups": 4}
            yield {"input": (batch, 4, 7, 6), "weight": (4, 1, 3, 3)}, grouped
            yield {"input": (batch, 4, 7, 6), "weight": (8, 1, 3, 3)}, grouped


def _transposed_geometries(level: str) -> Iterator[Geometry]:
    for channels in CHANNELS[level]:
        for kernel in ((1, 1), (3, 3)):
            x: Shape = (2, channels, 4, 3)
            yield {"input": x, "weight": (channels, 3, *kernel)}, {"stride": 2}
            yield {"input": (2, 3, 4, 3), "weight": (3, channels, *kernel)}, {}
        depthwise: dict[str, Shape] = {"input": (2, channels, 4, 3), "weight": (channels, 1, 3, 3)}
        yield depthwise, {"groups": channels, "stride": 2}
    for n in LONG_AXES[level]:
        yield {"input": (1, 2, n), "weight": (2, 2, 3)}, {"stride": 2, "padding": 1}
    for batch in (1, 2):
        for kernel in ((1, 1), (2, 2), (3, 3), (4, 4)):
            for feature in TRANSPOSED_FEATURES:
                share = 4 // feature.get("groups", 1)
                shapes: dict[str, Shape] = {
                    "input": (batch, 4, 4, 3),
                    "weight": (4, share, *kernel),
                }
                yield shapes, feature
                outputs = share * feature.get("groups", 1)
                yield {**shapes, "bias": (outputs,)}, feature


def _pool_geometries(name: str, level: str) -> Iterator[Geometry]:
    for channels in CHANNELS[level]:
        yield {"input": (2, channels, 5, 6)}, {"kernel_size": 2}
        yield {"input": (2, channels, 7, 6)}, {"kernel_size": 3, "stride": 2, "padding": 1}
    for n in LONG_AXES[level]:
        yield {"input": (1, 2, n)}, {"kernel_size": 3, "stride": 2, "padding": 1}
        yield {"input": (1, 1, 3, n)}, {"kernel_size": (2, 3), "stride": 1}
        yield {"input": (1, 1, n)}, {"kernel_size": n}
    for rank in RANKS:
        yield {"input": (2, 2, *(2,) * rank)}, {**BEYOND_INPUT, "kernel_size": 3}
    for batch in (1, 2):
        for kernel in (1, 2, 3, (7, 6), (1, 2)):
            for feature in POOL_FEATURES:
                yield {"input": (batch, 3, 7, 6)}, {"kernel_size": kernel, **feature}
                if name == "average_pool":
                    included = {**feature, "count_include_pad": True}
                    yield {"input": (batch, 3, 7, 6)}, {"kernel_size": kernel, **included}

"""The calls a step is tried on: small, of whole numbers, the simplest first, always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any

import numpy

from convspec.case import Case, attribute_defaults, forward_name, normalised
from convspec.learn.step import Scope, Step
from convspec.operations import OPERATIONS
from convspec.oracle.cases.draws import distinct
from convspec.oracle.cases.filling import filled
from convspec.oracle.deviations.small_cases import size

COUNT = 96
LARGEST = 9
DOUBLE = numpy.dtype(numpy.float64)

Shapes = dict[str, tuple[int, ...]]


def cases(step: Step, count: int = COUNT) -> list[Case]:
    """`count` calls within the scope of a step, those of the fewest features first.

    >>> from convspec.learn.step import ladder
    >>> {case.operands["input"].ndim for case in cases(ladder()["valid"])}
    {3}
    """
    drawn = islice(_valid(step, Random(step.name)), count)
    return sorted(drawn, key=size)


def _valid(step: Step, source: Random) -> Iterator[Case]:
    """Calls that the spec accepts, without end."""
    name = forward_name(step.function)
    row, rng = OPERATIONS[name], numpy.random.default_rng(source.getrandbits(32))
    while True:
        shapes, given = _geometry(name, step.scope, source)
        try:
            row.shape(*shapes.values(), **given)
        except ValueError:
            continue
        attributes = normalised(name, dict(shapes), given)
        largest = 1 if step.scope.values == "ties" else LARGEST
        operands = filled(step.function, dict(shapes), attributes, rng, DOUBLE, largest)
        if step.scope.values == "distinct":
            operands["input"] = distinct(rng, shapes["input"], DOUBLE)
        yield Case(step.function, operands, attributes)


def _geometry(name: str, scope: Scope, source: Random) -> tuple[Shapes, dict[str, Any]]:
    """Shapes of the operands, and the attributes that the operation has."""
    axes = range(source.choice(scope.rank))
    attributes = {
        attribute: tuple(source.choice(getattr(scope, attribute)) for _ in axes)
        for attribute in ("stride", "padding", "dilation", "output_padding")
    }
    kernel = tuple(source.choice(scope.kernel) for _ in axes)
    spatial = tuple(source.choice(scope.size) for _ in axes)
    batch, groups = source.choice(scope.batch), source.choice(scope.groups)
    inputs, outputs = source.choice(scope.inputs), source.choice(scope.outputs)
    given = {
        **attributes,
        "groups": groups,
        "kernel_size": kernel,
        "ceil_mode": source.choice(scope.ceil_mode),
        "count_include_pad": source.choice(scope.count_include_pad),
    }
    shapes = {"input": (batch, groups * inputs, *spatial)}
    if name in _WEIGHTS:
        shapes |= _WEIGHTS[name](groups, inputs, outputs, kernel)
    if source.choice(scope.bias):
        shapes["bias"] = (groups * outputs,)
    return shapes, {n: value for n, value in given.items() if n in attribute_defaults(name)}


def _conv(groups: int, inputs: int, outputs: int, kernel: tuple[int, ...]) -> Shapes:
    return {"weight": (groups * outputs, inputs, *kernel)}


def _conv_transpose(groups: int, inputs: int, outputs: int, kernel: tuple[int, ...]) -> Shapes:
    return {"weight": (groups * inputs, outputs, *kernel)}


def _separable(groups: int, inputs: int, outputs: int, kernel: tuple[int, ...]) -> Shapes:
    channels = groups * inputs
    return {"depthwise": (channels, 1, *kernel), "pointwise": (outputs, channels)}


_WEIGHTS: dict[str, Callable[[int, int, int, tuple[int, ...]], Shapes]] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "depthwise_separable_conv": _separable,
}

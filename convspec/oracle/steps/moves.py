"""Real numbers that are selected or moved: every bit of them arrives.

Small integers would not show an implementation that takes float64 through float32, and nothing is
rounded whose accuracy could be judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

from convspec.arguments import Shape
from convspec.case import forward_name, grouped, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.cases.filling import made
from convspec.oracle.cases.samples import SAMPLES, Geometry
from convspec.oracle.reference import outputs_of
from convspec.oracle.rounding.bounds import rounds
from convspec.oracle.rounding.precise import SIZES, real_data
from convspec.oracle.trials.trial import Trial


def only_moves(operation: str) -> bool:
    """Whether nothing is computed in an operation, at least where windows do not overlap.

    >>> only_moves("max_pool_vjp"), only_moves("average_pool")
    (True, False)
    """
    exact = OPERATIONS[forward_name(operation)].rounding == "exact"
    return exact and not rounds(operation)


def moves(
    operation: str, namespace: Any, dtype: numpy.dtype[Any], rng: numpy.random.Generator
) -> Iterator[Trial]:
    """Calls on real data, whose results are elements of the operands or 0."""
    name = forward_name(operation)

    def draw(shape: Shape) -> numpy.ndarray:
        return real_data(rng, shape, dtype)

    for channels, spatial in SIZES:
        shapes, given = _geometry(name, channels, spatial)
        attributes = normalised(name, shapes, given)
        operands = made(operation, shapes, attributes, rng, draw)
        if "input" in operands:  # where elements are selected, they are whole numbers until here
            operands["input"] = draw(shapes["input"])
        if operation != name:
            output = OPERATIONS[name].shape(*shapes.values(), **attributes)
            operands = {"cotangent": draw(output), **operands}
        together = grouped(operation, operands).values()
        due = outputs_of(getattr(namespace, operation)(*together, **attributes))
        yield Trial(operands, attributes, due, None)


def _geometry(name: str, channels: int, spatial: Shape) -> Geometry:
    """A plain call; of a maximum, one whose windows lie side by side."""
    if name in SAMPLES:
        return SAMPLES[name](channels, spatial)
    kernel = tuple(min(2, n) for n in spatial)
    return {"input": (2, channels, *spatial)}, {"kernel_size": kernel, "stride": kernel}

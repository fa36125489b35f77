"""What a network adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from convspec.network.plan import Step
from convspec.network.weights import STATISTICS


class Totals(NamedTuple):
    """Learnt parameters, how many of them are biases, and multiply-adds for one input."""

    parameters: int
    biases: int
    multiply_adds: int


def totals(steps: Sequence[Step]) -> Totals:
    """The counts of one or more steps.

    A bias is what a layer with weights adds; the scale and shift of a normalization are
    parameters, its statistics are not.

    >>> from convspec.network.layers import Network, flatten, linear
    >>> from convspec.network.plan import plan
    >>> totals(plan(Network("example", (1, 28, 28), (flatten(), linear(10)))))
    Totals(parameters=7850, biases=10, multiply_adds=7840)
    """
    counts = [
        (operand, prod(shape))
        for step in steps
        for operand, shape in step.parameters.items()
        if operand not in STATISTICS
    ]
    return Totals(
        parameters=sum(count for _, count in counts),
        biases=sum(count for operand, count in counts if operand == "bias"),
        multiply_adds=sum(step.multiply_adds for step in steps),
    )

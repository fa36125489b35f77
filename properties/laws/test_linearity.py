"""Linearity: which operations are linear in which operand, and what their cotangents owe to it.

The table says in what an operation is linear when everything else is held fixed.  A bias makes it
affine; a maximum, a norm or an activation has no such operand at all.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.strategies import arrays, calls

from .exact import another, exactly
from .rewriting import first, run
from .statement import law, same
from .subjects import LINEAR


def without_bias(case: Case) -> Case:
    """The call without its bias, which is added and not multiplied."""
    operands = {name: array for name, array in case.operands.items() if name != "bias"}
    return case._replace(operands=operands)


def combined(
    implementation: Any, case: Case, operand: str, factor: Any, other: Any
) -> tuple[Any, Any]:
    """op(a x + x') and a op(x) + op(x'), for one operand x of the call."""
    x = case.operands[operand]

    def at(value: Any) -> Any:
        changed = case._replace(operands={**case.operands, operand: value})
        return first(run(implementation, changed))

    return at(factor * x + other), factor * at(x) + at(other)


def slack(case: Case, *values: Any) -> float:
    """How far both sides may be apart: not at all, but for weights that are irrational.

    Those of `distance_weighted_pool` round 3 times, and with n taps n products, n sums and a
    quotient of two sums make fewer than 2 n + 8 roundings of numbers below the largest value.
    """
    if case.operation != "distance_weighted_pool":
        return 0.0
    roundings = 2 * numpy.prod(case.attributes["kernel_size"]) + 8
    largest = max(abs(value).max(initial=0) for value in values)
    roundoff = numpy.finfo(values[0].dtype).eps / 2
    return float(4 * 2 * roundings * roundoff * largest)


@pytest.mark.parametrize(("operation", "operand"), LINEAR)
@law(among=LINEAR, data=st.data())
def test_linear_in_every_operand_the_table_names(
    implementation: Any, operation: str, operand: str, data: Any
) -> None:
    """op(a x + x') = a op(x) + op(x') with everything else held fixed, and no bias."""
    case = exactly(without_bias(data.draw(calls(operation))))
    other, factor = another(case, operand, data), data.draw(st.integers(-3, 3))
    left, right = combined(implementation, case, operand, factor, other)
    assert left.shape == right.shape
    assert (abs(left - right) <= slack(case, case.operands[operand], other)).all()


def test_two_linear_operands_are_bilinear_and_not_linear_together(implementation: Any) -> None:
    """Smallest counterexample: twice the pixel and twice the weight are four times the output."""
    one = numpy.ones((1, 1, 1))
    same(implementation.conv(one, one), [[[1]]])
    same(implementation.conv(2 * one, 2 * one), [[[4]]])


def rational(array: Any) -> Any:
    """The array as an object array of Fractions."""
    return numpy.array([Fraction(float(x)) for x in array.flat] or [], dtype=object).reshape(
        array.shape
    )


def inner(left: Any, right: Any) -> Any:
    """<left, right>, exactly."""
    return sum(Fraction(a) * Fraction(b) for a, b in zip(left.flat, right.flat, strict=True))


def on_one_axis(case: Case) -> Case:
    """The call on the first row of the input, along its first spatial axis."""
    x = case.operands["input"]
    row = x[(slice(None),) * 3 + (0,) * (x.ndim - 3)]
    return Case(case.operation, {"input": row}, {n: v[:1] for n, v in case.attributes.items()})


def agree(case: Case, g: Any, output: Any, gradients: tuple[Any, ...]) -> None:
    """<g, op(x)> = <vjp(g), x> exactly, for every operand the operation is linear in."""
    row = OPERATIONS[case.operation]
    floating = [name for name in case.operands if name not in row.discrete]
    for operand in row.linear_in:
        gradient = gradients[floating.index(operand)]
        assert inner(g, output) == inner(gradient, case.operands[operand]), operand


@pytest.mark.parametrize("operation", dict.fromkeys(name for name, _ in LINEAR))
@law(among=LINEAR, data=st.data())
def test_a_cotangent_is_the_adjoint(operation: str, data: Any) -> None:
    """<g, op(x)> = <vjp(g), x> on Fractions, for every operand an operation is linear in.

    Distances to the centre of a window are rational on one axis only.
    """
    case = without_bias(data.draw(calls(operation)))
    if operation == "distance_weighted_pool":
        case = on_one_axis(case)
    row = OPERATIONS[operation]
    attributes = {n: Fraction(v) if n == "rate" else v for n, v in case.attributes.items()}
    operands = {
        name: [rational(one) for one in value]
        if isinstance(value, list)
        else value
        if name in row.discrete
        else rational(value)
        for name, value in case.operands.items()
    }
    output = row.definition(*operands.values(), **attributes)
    g = rational(data.draw(arrays(output.shape)))
    agree(
        Case(operation, operands, attributes),
        g,
        output,
        row.vjp(g, *operands.values(), **attributes),
    )

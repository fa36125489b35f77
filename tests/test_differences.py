"""Every derivative against what its definition does under a step.

Rational definitions run on dual numbers, and exponentials and roots on numbers of 60 digits, where
a central difference is right to 30: neither knows the formula of the `_vjp`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
import pytest

import convspec
from convspec.operations import OPERATIONS
from tests.dual import Dual, slope
from tests.precise import differenced, precisely
from tests.test_polymorphism import RATIONAL, attributes_of, numbers
from tests.valid_calls import filled

ELEMENTARY = [name for name in OPERATIONS if name not in RATIONAL]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def paired(function: Any, left: Any, right: Any) -> Any:
    """A function of elements of two arrays of objects, or of two lists of such arrays."""
    if isinstance(left, list):
        return [paired(function, *pair) for pair in zip(left, right, strict=True)]
    result = numpy.empty(left.shape, dtype=object)
    for index in numpy.ndindex(left.shape):
        result[index] = function(left[index], right[index])
    return result


def directions(name: str, operands: dict[str, Any]) -> dict[str, Any]:
    """A direction for each operand that has a derivative."""
    rng = numpy.random.default_rng(7)

    def drawn(array: Any) -> Any:
        return numpy.array(
            [Fraction(int(n)) for n in rng.integers(-3, 4, array.size)], dtype=object
        ).reshape(array.shape)

    return {
        key: [drawn(one) for one in value] if isinstance(value, list) else drawn(value)
        for key, value in operands.items()
        if key not in OPERATIONS[name].discrete
    }


def weights(shape: Any) -> Any:
    """A cotangent of small integers, none of them 0."""
    rng = numpy.random.default_rng(5)
    return rng.integers(1, 4, shape) * rng.choice([-1, 1], shape)


def first(result: Any) -> Any:
    return numpy.asarray(result[0] if isinstance(result, tuple) else result)


def along(gradients: Any, name: str, moves: dict[str, Any]) -> dict[str, Any]:
    """The derivative along the direction of each operand, from the gradients in their order."""
    found, remaining = {}, iter(gradients)
    for key, move in moves.items():
        pairs = [(next(remaining), one) for one in listed(move)]
        assert all(gradient.shape == one.shape for gradient, one in pairs)
        found[key] = sum((gradient * one).sum() for gradient, one in pairs)
    assert next(remaining, None) is None, name
    return found


@pytest.mark.parametrize("name", RATIONAL)
def test_a_vjp_is_the_slope_of_its_definition_on_dual_numbers(name):
    row, operands = OPERATIONS[name], filled(name, numbers(4))
    attributes = (
        {"strength": Fraction(2)} if name == "l2_penalty" else attributes_of(name, exact=True)
    )
    moves = directions(name, operands)
    output = first(row.definition(*operands.values(), **attributes))
    g = numpy.vectorize(Fraction, otypes=[object])(weights(output.shape))
    expected = along(row.vjp(g, *operands.values(), **attributes), name, moves)
    reached = 0
    for key, move in moves.items():
        moving = {**operands, key: paired(Dual, operands[key], move)}
        moved = first(row.definition(*moving.values(), **attributes))
        slopes = [slope(y) for y in moved.flat]
        assert expected[key] == sum(a * b for a, b in zip(g.flat, slopes, strict=True)), key
        reached += any(slopes)
    # Something moves, in every operand.
    assert reached == len(moves)


@pytest.mark.parametrize("name", ELEMENTARY)
def test_a_vjp_is_the_central_difference_of_its_definition(name):
    row, exact = OPERATIONS[name], filled(name, numbers(4))
    attributes = attributes_of(name, exact=False)
    moves = {key: precisely(move) for key, move in directions(name, exact).items()}
    operands = {key: precisely(value) for key, value in exact.items()}
    shape = first(row.definition(*operands.values(), **attributes)).shape
    g = precisely(weights(shape).astype(float))
    expected = along(row.vjp(g, *operands.values(), **attributes), name, moves)
    for key, move in moves.items():

        def at(step: Any, key: str = key, move: Any = move) -> Any:
            moved = paired(lambda x, v: x + step * v, operands[key], move)
            output = first(row.definition(*{**operands, key: moved}.values(), **attributes))
            return sum(a * b for a, b in zip(g.flat, output.flat, strict=True))

        quotient, bound = differenced(at)
        assert bound < 1e-25
        assert abs(quotient - expected[key]) <= bound, key
        assert quotient != 0, key


def test_complex_numbers_are_refused_even_inside_arrays_of_objects():
    """So that the complex step is not to be had, and dual numbers are its limit."""
    x = numpy.array([[[1 + 1e-30j, 2]]], dtype=object)
    with pytest.raises(TypeError, match=r"input has shape .* must hold integers"):
        convspec.conv(x, [[[1, 2]]])

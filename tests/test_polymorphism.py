"""One definition, four scalars: every operation on floats, ints, Fractions and symbols."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.operations import OPERATIONS
from tests.valid_calls import VALID, filled

# A window's maximum is the expression Max; which element it is depends on the numbers.
WITHOUT_SYMBOLS = {"max_pool_with_indices"}
# Which element was the maximum, or the sign of nothing, is not known of symbols.
VJP_WITHOUT_SYMBOLS = {
    *{"max_pool", "max_pool_with_indices", "adaptive_max_pool", "spatial_pyramid_pool"},
}
# Rational functions of their operands: Fractions in, Fractions out.
RATIONAL = [name for name, row in OPERATIONS.items() if row.rounding != "elementary"]
# The rational operations above that divide by something other than a power of two.  A window has at
# most 6 elements, each below 64 in size: their sum rounds 5 times, their quotient once.
AVERAGES = {"average_pool", "adaptive_average_pool"}
AVERAGED = 6 * 64 * 2.0**-53
# The others: fewer than 2^8 roundings, each of a number at most 2^5 times the largest of a call.
# An expression that is wrong is wrong by more than this.
ELEMENTARY = 2.0 ** (8 + 5 - 53)


def agree(one, other, scale=1.0):
    """Exactly, where both are rational; otherwise to the roundings counted above."""
    one, other = sympy.sympify(one), sympy.sympify(other)
    if one.is_Rational and other.is_Rational:
        return one == other
    return abs(float(one) - float(other)) <= ELEMENTARY * max(1.0, scale)


def numbers(seed=0):
    """Distinct numbers with a small denominator, a power of two: exact as floats."""
    rng = numpy.random.default_rng(seed)

    def make(shape):
        size = int(numpy.prod(shape))
        values = [Fraction(int(n), 4) for n in rng.permutation(size) - size // 3]
        array = numpy.empty(size, dtype=object)
        array[:] = values
        return array.reshape(shape)

    return make


def converted(operands, scalar):
    """The floating operands of a call with every element made a scalar of this kind."""

    def convert(array):
        if array.dtype != object:
            return array
        return numpy.vectorize(scalar, otypes=[object])(array)

    return {
        name: [convert(one) for one in value] if isinstance(value, list) else convert(value)
        for name, value in operands.items()
    }


def attributes_of(name, *, exact):
    """The attributes of the valid call, a rate of a half as Fraction where that is wanted."""
    attributes = dict(VALID[name][1])
    if exact and "rate" in attributes:
        attributes["rate"] = Fraction(1, 2)
    return attributes


def elements(result):
    first = result[0] if isinstance(result, tuple) else result
    return list(numpy.ravel(first))


@pytest.mark.parametrize("name", RATIONAL)
def test_fractions_stay_fractions_and_equal_floats_to_rounding(name):
    row, operands = OPERATIONS[name], filled(name, numbers())
    if name == "l2_penalty":
        attributes = {"strength": Fraction(2)}
    else:
        attributes = attributes_of(name, exact=True)
    exact = elements(row.definition(*operands.values(), **attributes))
    assert all(isinstance(value, Fraction | int) for value in exact)
    floats = elements(row.definition(*converted(operands, float).values(), **attributes))
    assert all(isinstance(value, float | int) for value in floats)
    for one, other in zip(exact, floats, strict=True):
        assert abs(one - Fraction(other)) <= (AVERAGED if name in AVERAGES else 0)


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_integers_are_exact_or_give_floats(name):
    row = OPERATIONS[name]
    rng = numpy.random.default_rng(1)
    operands = filled(name, lambda shape: rng.integers(-9, 10, shape))
    attributes = attributes_of(name, exact=False)
    whole = row.definition(*operands.values(), **attributes)
    real = row.definition(
        *(
            [one.astype(float) for one in value]
            if isinstance(value, list)
            else value.astype(float)
            if operand not in row.discrete
            else value
            for operand, value in operands.items()
        ),
        **attributes,
    )
    first = whole[0] if isinstance(whole, tuple) else whole
    assert first.dtype in (numpy.int64, numpy.float64)
    # Integers this small are exact as floats too, and the same operations then round the same.  But
    # a rational weight times an integer does not round, where the same times a float does: on
    # either side 6 terms of 5 roundings, and a quotient, of an average of numbers up to 9.
    slack = 2 * (6 * 5 + 1) * 2.0**-53 * 9 if name == "distance_weighted_pool" else 0
    for one, other in zip(elements(whole), elements(real), strict=True):
        assert abs(one - other) <= slack


def with_symbols(name):
    """The operands of a call in Fractions, the same with about twenty symbols among the elements of
    each array, and what the symbols stand for.
    """
    operands = filled(name, numbers(2))
    values: dict[sympy.Symbol, sympy.Rational] = {}

    def planted(array):
        if array.dtype != object:
            return array
        array = array.copy()
        for index in range(0, array.size, 1 + array.size // 20):
            symbol = sympy.Symbol(f"x{len(values)}", real=True)
            number = array.flat[index]
            values[symbol] = sympy.Rational(number.numerator, number.denominator)
            array.flat[index] = symbol
        return array

    symbols = {
        operand: list(map(planted, value)) if isinstance(value, list) else planted(value)
        for operand, value in operands.items()
    }
    return operands, symbols, values


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_SYMBOLS))
def test_symbols_give_expressions_whose_values_are_those_of_numbers(name):
    row = OPERATIONS[name]
    operands, symbols, values = with_symbols(name)
    attributes = attributes_of(name, exact=True)
    expressions = elements(row.definition(*symbols.values(), **attributes))
    expected = elements(row.definition(*operands.values(), **attributes))
    assert any(getattr(one, "free_symbols", None) for one in expressions)
    largest = max(abs(float(value)) for value in expected)
    for one, other in zip(expressions, expected, strict=True):
        at = sympy.sympify(one).xreplace(values)
        assert agree(at, other, largest), (one, other)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - VJP_WITHOUT_SYMBOLS))
def test_every_vjp_on_symbols_is_sympys_derivative(name):
    """The derivative of <cotangent, output> by a few symbols of each operand."""
    row = OPERATIONS[name]
    _, symbols, values = with_symbols(name)
    attributes = attributes_of(name, exact=True)
    output = row.definition(*symbols.values(), **attributes)
    rng = numpy.random.default_rng(3)
    weights = rng.integers(-3, 4, numpy.shape(output))
    gradients = list(row.vjp(weights, *symbols.values(), **attributes))
    arrays = []
    for operand, value in symbols.items():
        if operand not in row.discrete:
            arrays.extend(value if isinstance(value, list) else [value])
    terms = [int(w) * y for w, y in zip(weights.flat, numpy.ravel(output), strict=True) if w]
    for array, gradient in zip(arrays, gradients, strict=True):
        assert array.shape == gradient.shape
        among = [i for i, one in enumerate(array.flat) if isinstance(one, sympy.Symbol)]
        assert among or array.dtype != object
        for index in among[:: max(1, len(among) // 2)]:
            by = array.flat[index]
            mine = [term for term in terms if by in getattr(term, "free_symbols", ())]
            derivative = sum((sympy.diff(term, by).xreplace(values) for term in mine), sympy.S(0))
            got = sympy.sympify(gradient.flat[index]).xreplace(values)
            assert agree(got, derivative, abs(float(derivative))), (name, by)

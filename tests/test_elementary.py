"""Elementary functions of one scalar: exact where rational, infinite beyond floats, symbolic."""

import math
from fractions import Fraction

import numpy
import pytest
import sympy

from convspec import elementary
from convspec.elementary import (
    chosen,
    exp,
    first_maximum,
    log,
    maximum,
    power,
    sign,
    sqrt,
    symbolic,
    tanh,
)

x, y = sympy.symbols("x y")


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sqrt", "sign"])
def test_symbols_go_through_sympy(name):
    assert getattr(elementary, name)(x) == getattr(sympy, name)(x)
    assert getattr(elementary, name)(sympy.Integer(1)) == getattr(sympy, name)(1)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sqrt"])
@pytest.mark.parametrize("value", [0.3, 1.0, 2, 7.5])
def test_numbers_go_through_math(name, value):
    assert getattr(elementary, name)(value) == getattr(math, name)(value)


def test_symbolic_tells_sympy_from_numbers():
    assert all(map(symbolic, (x, x + 1, sympy.Integer(2), x > 0)))
    assert not any(map(symbolic, (1, 1.0, Fraction(1, 2), numpy.float64(1))))


def test_what_is_too_large_is_infinite():
    assert exp(1000) == power(1e200, 2) == power(0.0, -1) == power(0, -1) == math.inf
    assert exp(-1000) == 0


def test_rational_numbers_stay_rational():
    assert sqrt(Fraction(4, 9)) == Fraction(2, 3)
    assert isinstance(sqrt(16), Fraction)
    assert sqrt(2) == math.sqrt(2)
    assert power(Fraction(2, 3), 3) == Fraction(8, 27)
    assert power(3, -2) == Fraction(1, 9)
    assert power(Fraction(1, 4), Fraction(1, 2)) == Fraction(1, 2)
    assert power(0, 0) == 1
    assert power(2, 0.5) == math.sqrt(2)
    with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative input"):
        sqrt(-4)


def test_powers_of_symbols():
    assert power(x, Fraction(1, 3)) == x ** sympy.Rational(1, 3)


def test_maximum_of_numbers_nans_and_symbols():
    assert maximum([3, 5, 5, 1]) == 5
    assert math.isnan(maximum([1.0, math.nan, 3.0]))
    assert maximum([x, y, 2]) == sympy.Max(x, y, 2)
    assert first_maximum([3, 5, 5]) == (1, 5)
    assert first_maximum([1, math.nan, math.nan])[0] == 1
    with pytest.raises(ValueError, match="empty"):
        first_maximum([])


def test_choices_and_signs():
    assert [sign(v) for v in (-0.5, 0, 2, math.nan)] == [-1, 0, 1, 0]
    assert chosen(numpy.bool_(True), 1, 2) == 1
    assert chosen(1 > 2, 1, 2) == 2
    assert chosen(x > 0, y, 0) == sympy.Piecewise((y, x > 0), (0, True))
    assert log(exp(0)) == tanh(0) == 0


def test_whole_powers_of_integers_are_integers():
    """No float and no Fraction, 0 to the 0 among them."""
    for base, exponent, expected in [(2, 3, 8), (2, 0, 1), (0, 0, 1), (0, 2, 0)]:
        found = power(base, exponent)
        assert (type(found), found) == (int, expected)


def test_the_root_of_nothing_is_a_fraction_too():
    assert isinstance(sqrt(0), Fraction)

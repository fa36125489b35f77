"""Numbers of two kinds: float64, and mpmath's, which keep what float64 loses."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy
import pytest

from convspec.oracle.expected import numbers
from convspec.oracle.expected.numbers import constant, constants, precise, wide

FLOATS, OBJECTS = numpy.zeros(1), numpy.zeros(1, object)


def test_an_array_of_objects_stays_as_it_is_and_others_become_float64():
    thirds = numpy.array([Fraction(1, 3)], object)
    assert wide(thirds) is thirds
    halves = wide(numpy.array([0.5], "float32"))
    assert halves.dtype == numpy.float64
    assert halves.tolist() == [0.5]


def test_precise_numbers_are_the_floats_exactly():
    found = precise(numpy.array([0.1], "float32"))[0]
    assert type(found) is mpmath.mpf
    assert found == mpmath.mpf(float(numpy.float32(0.1)))


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh"])
def test_a_function_is_numpys_on_floats_and_mpmaths_on_objects(name):
    two = numpy.array([2.0])
    for function in (getattr(numbers, name), numbers._function(name)):
        assert function(two).dtype == numpy.float64
        assert function(two)[0] == getattr(numpy, name)(2.0)
        with mpmath.workprec(200):
            assert function(precise(two))[0] == getattr(mpmath, name)(2)


def test_constants_are_rounded_once_beside_floats_and_kept_beside_objects():
    third = Fraction(1, 3)
    rounded = constants([third, 2], FLOATS)
    assert rounded.dtype == numpy.float64
    assert rounded.tolist() == [1 / 3, 2.0]
    with mpmath.workprec(200):
        kept = constants([third, 2], OBJECTS)
        assert kept.dtype == object
        assert kept.tolist() == [mpmath.mpf(1) / 3, 2]


def test_a_constant_beyond_53_bits_is_kept_although_a_float_stands_beside_it():
    with mpmath.workprec(200):
        assert constants([0.5, 2**53 + 1], OBJECTS)[1] == 2**53 + 1


def test_one_constant_is_a_float_beside_floats_and_a_quotient_beside_objects():
    assert type(constant(Fraction(1, 3), FLOATS)) is float
    assert constant(Fraction(1, 3), FLOATS) == 1 / 3
    with mpmath.workprec(200):
        assert constant(Fraction(1, 3), OBJECTS) == mpmath.mpf(1) / 3
        # A float is the rational number that it is: 0.1 is not a tenth.
        assert constant(0.1, OBJECTS) == mpmath.mpf(0.1) != mpmath.mpf(1) / 10

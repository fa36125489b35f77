"""Arithmetic emulated exactly: rounding once to any number of bits, sums in any order."""

from __future__ import annotations

from fractions import Fraction

import numpy

PRECISION = {"float16": 11, "float32": 24, "float64": 53}


def rounded(x: Fraction, bits: int) -> Fraction:
    """The nearest number of `bits` significant bits, ties to even, of any exponent."""
    if x == 0:
        return x
    exponent = 0
    magnitude = abs(x)
    # frexp of a Fraction: magnitude lies in [2^(exponent - 1), 2^exponent).
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    while magnitude >= Fraction(2) ** exponent:
        exponent += 1
    while magnitude < Fraction(2) ** (exponent - 1):
        exponent -= 1
    unit = Fraction(2) ** (exponent - bits)
    return round(x / unit) * unit


def truncated(x: Fraction, bits: int) -> Fraction:
    """As `rounded`, but towards zero."""
    near = rounded(x, bits)
    if abs(near) <= abs(x):
        return near
    below = near * (1 - Fraction(1, 2**bits))  # within the binade below, hence representable
    return rounded(below, bits)


def to_bits(array, bits):
    """Floats rounded to nearest with `bits` significant bits."""
    significand, exponent = numpy.frexp(array.astype(numpy.float64))
    return numpy.ldexp(numpy.rint(significand * 2.0**bits), exponent - bits).astype(array.dtype)


def cut_to_bits(array, bits):
    """Floats truncated to `bits` significant bits."""
    significand, exponent = numpy.frexp(array.astype(numpy.float64))
    return numpy.ldexp(numpy.trunc(significand * 2.0**bits), exponent - bits).astype(array.dtype)


def fractions(array):
    """The elements of an array, exactly."""
    return [Fraction(float(x)) for x in numpy.ravel(array)]


def flushed(x: Fraction, bits: int, least: int) -> Fraction:
    """As `rounded`, but zero where that is smaller than 2^least, the smallest normal number."""
    near = rounded(x, bits)
    return near if abs(near) >= Fraction(2) ** least else Fraction(0)

"""Exact values of sums of products, against Fractions."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convspec.case import forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.reference import outputs_of
from convspec.oracle.rounding.exact import added, divided, slices, sum_of_products
from convspec.oracle.steps.accuracy import SPREAD, real_data
from convspec.rounding import precision
from tests.oracle.arithmetic import fractions
from tests.oracle.definitions import by_definition, exactly

finite = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 3))


def as_fraction(pair):
    return [a + b for a, b in zip(fractions(pair[0]), fractions(pair[1]), strict=True)]


@given(st.lists(st.integers(-(2**52), 2**52), min_size=1, max_size=6), st.integers(10, 26))
def test_slices_are_short_and_sum_to_the_whole(values, bits):
    array = numpy.array(values, float)
    parts = slices(array, bits, -(-54 // bits) + 1)
    assert [sum(column) for column in zip(*map(fractions, parts), strict=True)] == fractions(array)
    for number, part in enumerate(parts):
        top = float(abs(array).max(initial=0))
        unit = 2.0 ** (numpy.frexp(top)[1] - bits + 1 - bits * number)
        assert (abs(part / unit) <= 2 ** (bits - 1)).all()
        assert (part / unit == numpy.rint(part / unit)).all()


def test_slices_that_do_not_hold_the_operand_are_refused():
    with pytest.raises(ValueError, match="2 slices of 10 bits"):
        slices(numpy.array([1.0, 2.0**-40]), 10, 2)


def test_slices_of_zeros_and_of_nothing():
    assert [part.tolist() for part in slices(numpy.zeros(2), 8, 2)] == [[0, 0], [0, 0]]
    assert [part.shape for part in slices(numpy.zeros((0, 3)), 8, 1)] == [(0, 3)]


@given(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=30))
def test_added_terms_keep_what_one_float_loses(terms):
    pair = (numpy.zeros(1), numpy.zeros(1))
    for term in terms:
        pair = added(pair, numpy.array([term]))
    off = abs(as_fraction(pair)[0] - sum(map(Fraction, terms)))
    largest = max(abs(Fraction(x)) for x in terms)
    assert off <= largest * len(terms) ** 2 * Fraction(1, 2**103)


def test_added_terms_where_a_float_alone_would_fail():
    pair = (numpy.array([1.0]), numpy.array([0.0]))
    for term in (2.0**-60, 2.0**-61, -1.0):
        pair = added(pair, numpy.array([term]))
    assert as_fraction(pair) == [Fraction(3, 2**61)]


@given(st.floats(1e-3, 1e6), st.floats(-1e-20, 1e-20), st.integers(1, 2**24 - 1), st.booleans())
def test_a_quotient_and_what_it_leaves(high, low, divisor, negative):
    high = -high if negative else high
    low = min(abs(high) * 2.0**-54, max(low, -abs(high) * 2.0**-54))
    pair = divided((numpy.array([high]), numpy.array([low])), numpy.array([float(divisor)]))
    exact = (Fraction(high) + Fraction(low)) / divisor
    assert abs(as_fraction(pair)[0] - exact) <= abs(exact) * Fraction(1, 2**104)


SHAPES = {
    "conv": ({"input": (2, 4, 5), "weight": (4, 2, 3)}, {"padding": 1, "groups": 2}),
    "conv_transpose": ({"input": (1, 2, 3, 2), "weight": (2, 2, 2, 2)}, {"stride": 2}),
    "convolve": ({"f": (9,), "g": (4,)}, {"mode": "same"}),
}


@pytest.mark.parametrize("same_sign", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("operation", [n for name in SHAPES for n in (name, f"{name}_vjp")])
def test_sums_of_products_are_exact_far_below_any_bound(operation, dtype, same_sign):
    name = forward_name(operation)
    shapes, given_attributes = SHAPES[name]
    attributes = normalised(name, shapes, given_attributes)
    if operation != name:
        shapes = {"cotangent": OPERATIONS[name].shape(*shapes.values(), **attributes), **shapes}
    rng = numpy.random.default_rng(len(operation))
    operands = {n: real_data(rng, s, numpy.dtype(dtype)) for n, s in shapes.items()}
    if same_sign:
        operands = {n: abs(array) for n, array in operands.items()}
    value = getattr(expected, operation)

    def evaluate(first, others):
        return outputs_of(value(first, *others, **attributes))

    first, *others = operands.values()
    pairs = sum_of_products(
        evaluate,
        first,
        tuple(others),
        terms=64,
        significant=precision(numpy.dtype(dtype)) + SPREAD + 1,
    )
    right = by_definition(operation, exactly(operands), attributes)
    for pair, output in zip(pairs, right, strict=True):
        assert pair[0].shape == output.shape
        worst = max(abs(a - b) for a, b in zip(as_fraction(pair), output.ravel(), strict=True))
        assert worst <= Fraction(1, 2**98)


def test_more_bits_than_said_are_refused():
    def product(first, others):
        return (first * others[0],)

    x, w = numpy.array([1.0, 2.0**-40]), numpy.array([1.0, 1.0])
    assert sum_of_products(product, x, (w,), terms=1, significant=41)
    with pytest.raises(ValueError, match="do not hold the operand exactly"):
        sum_of_products(product, x, (w,), terms=1, significant=10)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_real_data_has_full_significands_of_both_signs(dtype):
    x = real_data(numpy.random.default_rng(0), (4000,), numpy.dtype(dtype))
    assert x.dtype == dtype
    assert (x > 0).any()
    assert (x < 0).any()
    bits = precision(x.dtype)
    significand, exponent = numpy.frexp(x.astype(float))
    whole = abs(significand) * 2.0**bits
    assert (whole == numpy.rint(whole)).all()
    assert (whole % 2 == 1).mean() > 0.4
    assert set(exponent.tolist()) == set(range(-SPREAD, 1))


@settings(max_examples=30)
@given(st.integers(1, 200))
def test_the_products_of_slices_are_exact_for_any_number_of_terms(terms):
    rng = numpy.random.default_rng(terms)
    x, w = (real_data(rng, (terms,), numpy.dtype("float64")) for _ in range(2))

    def dot(first, others):
        return (numpy.atleast_1d(first @ others[0]),)

    (pair,) = sum_of_products(dot, x, (w,), terms=terms, significant=53 + SPREAD + 1)
    exact = sum(a * b for a, b in zip(fractions(x), fractions(w), strict=True))
    assert abs(as_fraction(pair)[0] - exact) <= prod((terms, 1)) * Fraction(1, 2**100)

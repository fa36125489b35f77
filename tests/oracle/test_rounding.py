"""The rounding bound is a theorem: nothing a correct implementation may do breaks it."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convspec.rounding import (
    ACCURACIES,
    ARITHMETICS,
    bound,
    growth,
    integer_bits,
    precision,
    unit_roundoff,
)
from tests.oracle.arithmetic import PRECISION, rounded, truncated

BY_NAME = {arithmetic.name: arithmetic for arithmetic in ARITHMETICS}
OWN = {"float64": "float64", "float32": "float32", "float16": "float16"}


@st.composite
def terms(draw, dtype, most=12):
    """Products and a bias of a dtype, full significands, magnitudes far apart."""
    bits = PRECISION[dtype]

    def number():
        whole = draw(st.integers(2 ** (bits - 1), 2**bits - 1)) * draw(st.sampled_from([1, -1]))
        return Fraction(whole) * Fraction(2) ** (draw(st.integers(-3, 3)) - bits)

    pairs = [(number(), number()) for _ in range(draw(st.integers(1, most)))]
    return pairs, number() if draw(st.booleans()) else None


def any_order(data, values, add):
    """The sum of values, two drawn ones at a time: any bracketing, pairwise and blocked too."""
    left = list(values)
    while len(left) > 1:
        i = data.draw(st.integers(0, len(left) - 1))
        one = left.pop(i)
        j = data.draw(st.integers(0, len(left) - 1))
        left[j] = add(left[j], one)
    return left[0]


def allowed(name, dtype, pairs, bias):
    """The bound of an arithmetic for these terms, and the exact sum."""
    exact = sum((x * w for x, w in pairs), start=bias or Fraction(0))
    magnitude = sum((abs(x * w) for x, w in pairs), start=abs(bias or Fraction(0)))
    count = numpy.array([len(pairs) + (bias is not None)])
    size = bound(
        BY_NAME[name],
        numpy.dtype(dtype),
        count,
        numpy.array([float(magnitude)]),
        numpy.array([float(exact)]),
    )
    return Fraction(float(size[0])), exact


@pytest.mark.parametrize("dtype", PRECISION)
@given(data=st.data())
def test_no_order_of_summation_breaks_it(dtype, data):
    pairs, bias = data.draw(terms(dtype))
    bits = PRECISION[dtype]
    products = [rounded(x * w, bits) for x, w in pairs] + ([bias] if bias is not None else [])
    total = any_order(data, products, lambda a, b: rounded(a + b, bits))
    size, exact = allowed(OWN[dtype], dtype, pairs, bias)
    assert abs(total - exact) <= size


@pytest.mark.parametrize("dtype", PRECISION)
@given(data=st.data())
def test_no_chain_of_fused_multiply_adds_breaks_it(dtype, data):
    pairs, bias = data.draw(terms(dtype))
    bits = PRECISION[dtype]
    blocks = [bias or Fraction(0)]
    for x, w in pairs:
        if data.draw(st.booleans()):
            blocks.append(Fraction(0))  # a new accumulator
        blocks[-1] = rounded(blocks[-1] + x * w, bits)
    total = any_order(data, blocks, lambda a, b: rounded(a + b, bits))
    size, exact = allowed(OWN[dtype], dtype, pairs, bias)
    assert abs(total - exact) <= size


@pytest.mark.parametrize(
    ("dtype", "name"), [("float32", "float64"), ("float16", "float64"), ("float16", "float32")]
)
@given(data=st.data())
def test_a_wider_accumulator_rounds_once_more(dtype, name, data):
    pairs, bias = data.draw(terms(dtype))
    wide = BY_NAME[name].accumulator
    products = [rounded(x * w, wide) for x, w in pairs] + ([bias] if bias is not None else [])
    total = any_order(data, products, lambda a, b: rounded(a + b, wide))
    size, exact = allowed(name, dtype, pairs, bias)
    assert abs(rounded(total, PRECISION[dtype]) - exact) <= size


@pytest.mark.parametrize("cut", [rounded, truncated])
@pytest.mark.parametrize(
    ("dtype", "name", "bits"),
    [("float32", "tf32", 11), ("float32", "bfloat16", 8), ("float64", "float32", 24)],
)
@given(data=st.data())
def test_narrow_operands_stay_within_their_class(dtype, name, bits, cut, data):
    pairs, bias = data.draw(terms(dtype))
    accumulator = max(24, BY_NAME[name].accumulator)
    narrow = [(cut(x, bits), cut(w, bits)) for x, w in pairs]
    products = [rounded(x * w, accumulator) for x, w in narrow]
    products += [rounded(bias, accumulator)] if bias is not None else []
    total = any_order(data, products, lambda a, b: rounded(a + b, accumulator))
    exact = sum((x * w for x, w in pairs), start=bias or Fraction(0))
    magnitude = sum((abs(x * w) for x, w in pairs), start=abs(bias or Fraction(0)))
    size = bound(
        BY_NAME[name]._replace(accumulator=accumulator),
        numpy.dtype(dtype),
        numpy.array([len(products)]),
        numpy.array([float(magnitude)]),
        numpy.array([float(exact)]),
    )
    assert abs(total - exact) <= Fraction(float(size[0]))


def averages(data, values, bits):
    """Three ways of averaging: divide the sum, multiply it by a reciprocal, divide each term."""
    count = len(values)
    way = data.draw(st.sampled_from(["divide", "multiply", "each"]))
    if way == "each":
        share = [rounded(x * rounded(Fraction(1, count), bits), bits) for x in values]
        return any_order(data, share, lambda a, b: rounded(a + b, bits))
    total = any_order(data, values, lambda a, b: rounded(a + b, bits))
    if way == "divide":
        return rounded(total / count, bits)
    return rounded(total * rounded(Fraction(1, count), bits), bits)


@pytest.mark.parametrize("dtype", PRECISION)
@given(data=st.data())
def test_an_average_is_n_and_two_roundings(dtype, data):
    pairs, _ = data.draw(terms(dtype))
    values = [x for x, _ in pairs]
    found = averages(data, values, PRECISION[dtype])
    count = len(values)
    size = bound(
        BY_NAME[OWN[dtype]],
        numpy.dtype(dtype),
        numpy.array([count + 2]),
        numpy.array([float(sum(map(abs, values)) / count)]),
        numpy.array([float(sum(values) / count)]),
    )
    assert abs(found - sum(values) / count) <= Fraction(float(size[0]))


@given(st.lists(st.tuples(*[st.floats(-2.0, 2.0, width=16)] * 2), min_size=1, max_size=6))
def test_subnormal_results_are_within_it(pairs):
    """Real float16, which underflows where the theorem's arithmetic has no smallest number."""
    x, w = (numpy.array(side, numpy.float16) for side in zip(*pairs, strict=True))
    total = numpy.float16(0)
    for product in x * w:
        total = total + product
    exact = [(Fraction(float(a)), Fraction(float(b))) for a, b in zip(x, w, strict=True)]
    size, right = allowed("float16", "float16", exact, None)
    assert abs(Fraction(float(total)) - right) <= size


@settings(max_examples=200)
@given(st.floats(2.0**-14, 1.0, width=16), st.floats(2.0**-14, 1.0, width=16))
def test_a_wide_accumulator_stored_as_a_subnormal_is_within_it(x, w):
    difference = numpy.float64(x) * x - numpy.float64(w) * w
    pairs = [(Fraction(x), Fraction(x)), (Fraction(-w), Fraction(w))]
    size, right = allowed("float64", "float16", pairs, None)
    assert abs(Fraction(float(numpy.float16(difference))) - right) <= size


@pytest.mark.parametrize("dtype", PRECISION)
def test_half_the_unit_roundoff_would_not_do(dtype):
    """One product whose error is two thirds of its bound: half the bound is broken."""
    bits = PRECISION[dtype]
    x, w = Fraction(3, 2), 1 + Fraction(2, 2**bits)
    size, exact = allowed(OWN[dtype], dtype, [(x, w)], None)
    error = abs(rounded(x * w, bits) - exact)
    assert size / 2 < error <= size


def test_a_rounding_too_few_would_not_do():
    """Two terms, both of the same sign: three roundings, of which the bound counts two a term."""
    bits = 24
    x = (Fraction(2**23 + 1) / 2**23, Fraction(2**23 + 3) / 2**23)
    products = [rounded(a * b, bits) for a, b in (x, x)]
    total = rounded(products[0] + products[1], bits)
    pairs = [x, x]
    size, exact = allowed("float32", "float32", pairs, None)
    assert abs(total - exact) <= size
    none = bound(
        BY_NAME["float32"], numpy.dtype("float32"), numpy.array([0]), numpy.array([2.0]), 0
    )
    assert abs(total - exact) > Fraction(float(none[0]))


def test_growth_and_precisions():
    assert growth(unit_roundoff(24), 1) == 2.0**-24
    assert growth(2.0**-1, numpy.array([1, 2])).tolist() == pytest.approx([0.5, 1.25])
    assert [precision(numpy.dtype(name)) for name in PRECISION] == [11, 24, 53]
    assert [integer_bits(numpy.dtype(n)) for n in ("int8", "uint8", "int32", "float16")] == [
        6,
        7,
        30,
        11,
    ]
    assert ACCURACIES[0] == "float64"
    assert ACCURACIES[-1] == "fast algorithm"

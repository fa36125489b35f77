"""The limits of the rounding bound: what comes near it, what is subnormal, what compensates."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec.rounding import (
    ACCURACIES,
    ARITHMETICS,
    bound,
    growth,
    integer_bits,
    largest,
    precision,
    smallest_normal,
    unit_roundoff,
)
from tests.oracle.arithmetic import PRECISION, flushed, rounded
from tests.oracle.test_rounding import BY_NAME, OWN, any_order

SMALLEST_NORMAL = {"float16": -14, "float32": -126, "float64": -1022}


def allowed(name, dtype, terms, exact, magnitude):
    """The bound of an arithmetic for so many roundings, as a Fraction."""
    size = bound(
        BY_NAME[name],
        numpy.dtype(dtype),
        numpy.array([terms]),
        numpy.array([float(magnitude)]),
        numpy.array([float(exact)]),
    )
    return Fraction(float(size[0]))


def one_after_the_other(terms, add):
    total = terms[0]
    for term in terms[1:]:
        total = add(total, term)
    return total


# The bound is nearly attained: a hundredth of it would not do.


def rounding_up(bits, count):
    """Numbers whose sum, one after the other, is rounded up as far as may be, every time; so large
    that the allowance for subnormals does not count.
    """
    u = Fraction(1, 2**bits)
    return [Fraction(256), *[256 * u * (1 + 2 * u)] * (count - 1)]


@pytest.mark.parametrize("count", [2, 8, 64])
@pytest.mark.parametrize("dtype", PRECISION)
def test_a_sum_that_always_rounds_up_nearly_attains_it(dtype, count):
    """To 256, add numbers just above half of its last place: each is rounded up to the whole."""
    bits = PRECISION[dtype]
    values = rounding_up(bits, count)
    assert [rounded(x, bits) for x in values] == values
    total = one_after_the_other(values, lambda a, b: rounded(a + b, bits))
    size = allowed(OWN[dtype], dtype, count, sum(values), sum(values))
    assert Fraction(9, 10) * (count - 1) / count < (total - sum(values)) / size <= 1


@pytest.mark.parametrize("count", [2, 8, 64])
def test_an_average_that_always_rounds_up_comes_near_it(count):
    bits, values = 11, rounding_up(11, count)
    total = one_after_the_other(values, lambda a, b: rounded(a + b, bits))
    mean = sum(values) / count
    found = rounded(total / count, bits)
    size = allowed("float16", "float16", count + 2, mean, mean)
    assert Fraction(9, 10) * (count - 1) / (count + 2) < (found - mean) / size <= 1


def test_storing_what_a_wide_accumulator_holds_nearly_attains_it():
    value = 1 + Fraction(1, 2**11) - Fraction(1, 2**20)
    error = abs(rounded(value, 11) - value)
    assert Fraction(99, 100) < error / allowed("float32", "float16", 1, value, value) <= 1


def test_a_product_that_is_flushed_nearly_attains_it():
    x, w = Fraction(1, 2**7), Fraction(2**11 - 1, 2**18)
    assert flushed(x * w, 11, -14) == 0
    assert Fraction(99, 100) < x * w / allowed("float16", "float16", 1, x * w, x * w) <= 1


# Subnormal products, sums and results may be flushed to zero.


@st.composite
def small_terms(draw, dtype, most=8):
    """Products of normal numbers, near the smallest normal number, and their operands."""
    bits, least = PRECISION[dtype], SMALLEST_NORMAL[dtype]

    def number(exponent):
        whole = draw(st.integers(2 ** (bits - 1), 2**bits - 1)) * draw(st.sampled_from([1, -1]))
        return Fraction(whole) * Fraction(2) ** (exponent - bits + 1)

    half = least // 2
    shift = st.integers(-2, 2)
    return [
        (number(half + draw(shift)), number(least - half + draw(shift)))
        for _ in range(draw(st.integers(1, most)))
    ]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@given(data=st.data())
def test_no_flushing_of_subnormals_breaks_it(dtype, data):
    pairs = data.draw(small_terms(dtype))
    bits, least = PRECISION[dtype], SMALLEST_NORMAL[dtype]
    products = [flushed(x * w, bits, least) for x, w in pairs]
    total = any_order(data, products, lambda a, b: flushed(a + b, bits, least))
    exact = sum(x * w for x, w in pairs)
    magnitude = sum(abs(x * w) for x, w in pairs)
    assert abs(total - exact) <= allowed(OWN[dtype], dtype, len(pairs), exact, magnitude)


@given(data=st.data())
def test_no_flushing_of_a_stored_result_breaks_it(data):
    pairs = data.draw(small_terms("float16"))
    products = [rounded(x * w, 24) for x, w in pairs]
    total = any_order(data, products, lambda a, b: rounded(a + b, 24))
    exact = sum(x * w for x, w in pairs)
    magnitude = sum(abs(x * w) for x, w in pairs)
    size = allowed("float32", "float16", len(pairs), exact, magnitude)
    assert abs(flushed(total, 11, -14) - exact) <= size


def test_a_result_that_is_normal_gets_nothing_for_flushing():
    size = allowed("float32", "float16", 1, Fraction(1, 2**13), Fraction(1, 2**13))
    assert size < Fraction(1, 2**23)


# Sums that are no trees.


def kahan(values, bits):
    """Compensated summation: what each addition loses is taken from the next term."""
    total, lost = Fraction(0), Fraction(0)
    for value in values:
        term = rounded(value - lost, bits)
        more = rounded(total + term, bits)
        lost = rounded(rounded(more - total, bits) - term, bits)
        total = more
    return total


def neumaier(values, bits):
    """Compensated summation, what was lost being added at the end."""
    total, lost = Fraction(0), Fraction(0)
    for value in values:
        more = rounded(total + value, bits)
        large, small = (total, value) if abs(total) >= abs(value) else (value, total)
        lost = rounded(lost + rounded(rounded(large - more, bits) + small, bits), bits)
        total = more
    return rounded(total + lost, bits)


@pytest.mark.parametrize("compensated", [kahan, neumaier])
@pytest.mark.parametrize("bits", [4, 8, 11, 24])
@given(data=st.data())
def test_no_compensated_sum_breaks_it(compensated, bits, data):
    whole = st.integers(2 ** (bits - 1), 2**bits - 1)
    numbers = st.builds(
        lambda n, sign, e: Fraction(sign * n) * Fraction(2) ** (e - bits),
        whole,
        st.sampled_from([1, -1]),
        st.integers(-3, 3),
    )
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12))
    total = compensated([rounded(x * w, bits) for x, w in pairs], bits)
    exact = sum(x * w for x, w in pairs)
    magnitude = sum(abs(x * w) for x, w in pairs)
    size = Fraction(growth(unit_roundoff(bits), len(pairs))) * magnitude
    assert abs(total - exact) <= size * (1 + Fraction(1, 2**40))


@pytest.mark.parametrize("kernel", [(2, 2), (2, 3), (4, 2), (2, 2, 2), (3, 3)])
@given(data=st.data())
def test_an_average_one_axis_after_the_other_does_not_break_it(kernel, data):
    """Rows first, then columns, each with a reciprocal of its own: `n + 2` roundings, no fewer."""
    bits, count = 11, prod(kernel)
    whole = st.integers(2 ** (bits - 1), 2**bits - 1)
    values = data.draw(st.lists(whole, min_size=count, max_size=count))
    left = [Fraction(value, 2**bits) for value in values]
    for size in kernel:
        share = rounded(Fraction(1, size), bits)
        rows = [left[i : i + size] for i in range(0, len(left), size)]
        sums = [one_after_the_other(r, lambda a, b: rounded(a + b, bits)) for r in rows]
        left = [rounded(total * share, bits) for total in sums]
    mean = Fraction(sum(values), 2**bits) / count
    assert abs(left[0] - mean) <= allowed("float16", "float16", count + 2, mean, mean)


def test_arithmetics_have_a_smallest_normal_number():
    assert {a.accumulator for a in ARITHMETICS} == {8, 11, 24, 53}


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "bfloat16"])
def test_precision_and_smallest_normal_number_are_those_of_the_dtype(name):
    if name == "bfloat16":
        ml_dtypes = pytest.importorskip("ml_dtypes", reason="the extra bfloat16 is not installed")
        dtype, info = numpy.dtype(ml_dtypes.bfloat16), ml_dtypes.finfo(ml_dtypes.bfloat16)
    else:
        dtype, info = numpy.dtype(name), numpy.finfo(name)
    assert precision(dtype) == info.nmant + 1
    assert smallest_normal(dtype) == float(info.smallest_normal)
    assert largest(dtype) == float(info.max)


def evaluated(size, exact):
    """Whether a bound is what it is by hand, and 2^-40 of it for its own evaluation in float64."""
    return abs(Fraction(size) / exact - 1 - Fraction(1, 2**40)) < Fraction(1, 2**48)


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda arithmetic: arithmetic.name)
def test_what_is_flushed_is_the_smallest_normal_number_of_the_accumulator(arithmetic):
    """By hand: where all terms are 0, lambda (1 + u) is left of the bound."""
    zero = numpy.zeros(1)
    size = bound(arithmetic, numpy.dtype("float64"), numpy.ones(1), zero, zero).item()
    exponent = {8: -126, 11: -14, 24: -126, 53: -1022}[arithmetic.accumulator]
    exact = Fraction(2) ** exponent * (1 + Fraction(1, 2**arithmetic.accumulator))
    assert evaluated(size, exact)


def test_a_bound_by_hand_where_everything_counts():
    """float32 sums of float16: 3 roundings of 2^-24 on a magnitude of 8, flushing, and storing 4 in
    float16; the value is normal.
    """
    size = allowed("float32", "float16", 3, 4, 8)
    summed = 8 * ((1 + Fraction(1, 2**24)) ** 3 - 1)
    error = summed + 3 * Fraction(1, 2**126) * (1 + Fraction(1, 2**24)) ** 3
    exact = error + Fraction(1, 2**11) * (4 + error)
    assert evaluated(size, exact)


def test_a_dtype_of_its_own_arithmetic_by_hand():
    """float32 throughout: 2 roundings on a magnitude of 8, and none for operands or storing."""
    one = 1 + Fraction(1, 2**24)
    assert evaluated(allowed("float32", "float32", 2, 4, 8), 8 * (one**2 - 1) + 2 * one**2 / 2**126)


@pytest.mark.parametrize(
    ("terms", "above", "flushed_to_zero"),
    [(1, Fraction(1, 2**25), 1), (1, Fraction(1, 2**23), 0), (0, 0, 0)],
)
def test_a_stored_result_that_may_be_subnormal_by_hand(terms, above, flushed_to_zero):
    """What its error of 2^-24 may take below 2^-14, where the normal numbers of float16 begin, may
    be flushed; what lies further above may not, nor 2^-14 itself without an error.
    """
    least = Fraction(1, 2**14)
    size = allowed("float32", "float16", terms, least + above, terms)
    error = terms * Fraction(1, 2**24) + terms * (1 + Fraction(1, 2**24)) / 2**126
    exact = error + Fraction(1, 2**11) * (least + above + error) + flushed_to_zero * least
    assert evaluated(size, exact)


def test_truncated_operands_by_hand():
    """tf32 in float32: two operands truncated to 11 bits, one rounding of the accumulator."""
    size = allowed("tf32", "float32", 1, 1, 1)
    exact = (1 + Fraction(2, 2**11)) ** 2 * (1 + Fraction(1, 2**24)) - 1
    assert evaluated(size, exact)


def test_the_accuracy_classes_from_fine_to_coarse():
    assert [tuple(arithmetic) for arithmetic in ARITHMETICS] == [
        ("float64", 53, 53),
        ("float32", 24, 24),
        ("tf32", 11, 24),
        ("float16", 11, 11),
        ("bfloat16", 8, 8),
    ]
    names = ("float64", "float32", "tf32", "float16", "bfloat16", "fast algorithm")
    assert names == ACCURACIES


def test_integers_that_a_dtype_holds_by_hand():
    """127 is beyond 2^6, 255 beyond 2^7, and 2^11 is the last before float16 has even ones only."""
    held = {name: integer_bits(numpy.dtype(name)) for name in ("int8", "uint8", "int64", "float16")}
    assert held == {"int8": 6, "uint8": 7, "int64": 62, "float16": 11}


def test_growth_of_many_by_hand():
    """1.5^0 - 1, 1.5^1 - 1 and 1.5^2 - 1, one by one and together."""
    expected = [0, 0.5, 1.25]
    together = growth(0.5, numpy.arange(3))
    for n in range(3):
        assert abs(growth(0.5, n) - expected[n]) <= 2.0**-50
        assert abs(together[n] - expected[n]) <= 2.0**-50

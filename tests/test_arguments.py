"""Arguments as they are accepted; `test_errors.py` walks through those that are refused."""

from __future__ import annotations

import sys
from decimal import Decimal
from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.arguments import (
    CONV_WORDS,
    array,
    check_fit,
    check_layout,
    check_shape,
    described,
    flag,
    integer,
    number,
    per_axis,
    windows,
    word,
)
from convspec.scalars import result, scalars
from convspec.window import Window


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1, 2], "int64"),
        ([1.5, 2], "float64"),
        ([2.0**63, 1.0], "float64"),
        ([2**70, 1], "object"),
        ([2**63, -1], "object"),
        ([[2**64 - 1], [-(2**63)]], "object"),
        ([2**63, 1], "object"),
        ([Fraction(1, 3)], "object"),
        ([Decimal(1)], "object"),
        ([sympy.Symbol("x")], "object"),
        (numpy.float16(1), "float16"),
        (numpy.array([1], "uint8"), "uint8"),
        (numpy.array([2**63, 1.0]), "float64"),
        ([], "float64"),
    ],
)
def test_numbers_become_arrays_and_integers_stay_exact(value, dtype):
    found = array("f", value)
    assert found.dtype == dtype
    assert found.shape == numpy.shape(value)
    assert found.tolist() == numpy.array(value, dtype=object).tolist()


def test_an_array_is_taken_as_it_is():
    given = numpy.ones((2, 3), "float32")
    assert array("input", given) is given


def test_bfloat16_is_a_number():
    bfloat16 = pytest.importorskip(
        "ml_dtypes", reason="the extra bfloat16 is not installed"
    ).bfloat16
    found = scalars(array("input", numpy.ones(2, bfloat16)))
    assert found.tolist() == [1.0, 1.0]
    assert {type(number) for number in found} == {float}


def test_described_leaves_out_what_is_absent():
    assert described(input=(1, 2), bias=None) == "input has shape (1, 2)"


@pytest.mark.parametrize("value", [3, numpy.int8(3), numpy.uint64(3), sympy.Integer(3)])
def test_integers_of_any_kind(value):
    found = integer("groups", value, least=1, shapes="")
    assert (type(found), found) == (int, 3)


@pytest.mark.parametrize("value", [2, 2.5, Fraction(5, 2), numpy.float32(2.5), numpy.int8(2)])
def test_real_numbers_of_any_kind_are_left_as_they_are(value):
    assert number("epsilon", value, least=2, above=1, shapes="") is value


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (True, TypeError, "must be a real number"),
        ("1", TypeError, "must be a real number"),
        (None, TypeError, "must be a real number"),
        (1j, TypeError, "must be a real number"),
        (float("nan"), ValueError, "must be finite"),
        (float("inf"), ValueError, "must be finite"),
        (0.5, ValueError, "must be at least 1"),
        (1, ValueError, "must be larger than 1"),
    ],
)
def test_other_numbers_are_refused(value, kind, reason):
    with pytest.raises(kind) as caught:
        number("p", value, least=1, above=1, shapes="input has shape (1, 1, 5)")
    assert str(caught.value) == f"p={value!r}: {reason}; input has shape (1, 1, 5)"


def test_a_known_word_passes_and_others_are_refused():
    known = ("nearest", "linear")
    assert word("kind", "linear", known, shapes="") == "linear"
    with pytest.raises(ValueError, match="kind='cubic': must be one of nearest, linear; input"):
        word("kind", "cubic", known, shapes="input has shape (1, 1, 5)")
    with pytest.raises(TypeError, match="kind=0: must be a word, one of nearest, linear; input"):
        word("kind", 0, known, shapes="input has shape (1, 1, 5)")


@pytest.mark.parametrize("value", [True, numpy.True_])
def test_flags_of_any_kind(value):
    assert flag("ceil_mode", value, shapes="") is True


@pytest.mark.parametrize(
    "value", [2, (2, 2), [2, 2], range(2, 3), numpy.array([2, 2]), (numpy.int8(2), 2)]
)
def test_one_integer_or_one_per_axis(value):
    rank = 1 if isinstance(value, range) else 2
    found = per_axis("stride", value, rank, least=1, shapes="")
    assert found == (2,) * rank
    assert {type(entry) for entry in found} == {int}


def test_a_tuple_of_integers_is_taken_as_it_is():
    given = (1, 2)
    assert per_axis("stride", given, 2, least=1, shapes="") is given


@pytest.mark.parametrize(
    ("padding", "pairs"),
    [
        (1, [(1, 1), (1, 1)]),
        ((1, 2), [(1, 1), (2, 2)]),
        (((1, 2), (0, 3)), [(1, 2), (0, 3)]),
        ([[1, 2], [0, 3]], [(1, 2), (0, 3)]),
        (numpy.array([[1, 2], [0, 3]]), [(1, 2), (0, 3)]),
        ("valid", [(0, 0), (0, 0)]),
        ("full", [(2, 2), (2, 2)]),
        ("same_upper", [(1, 1), (0, 1)]),
        ("same_lower", [(1, 1), (1, 0)]),
    ],
)
def test_padding_in_every_spelling(padding, pairs):
    """By hand, size 3 at stride (1, 2) on 5x6: totals 4 + 3 - 5 = 2 and 2 * 2 + 3 - 6 = 1."""
    found = windows(
        (5, 6), (3, 3), stride=(1, 2), padding=padding, dilation=1, words=CONV_WORDS, shapes=""
    )
    assert [(window.low, window.high) for window in found] == pairs


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_every_window_is_told_how_to_round(ceil_mode):
    found = windows((5, 6), (3, 3), stride=1, padding=0, dilation=1, ceil_mode=ceil_mode, shapes="")
    assert [window.ceil for window in found] == [ceil_mode, ceil_mode]


def test_a_padding_no_array_could_hold_is_refused():
    with pytest.raises(ValueError, match=r"padding .* longer than any array can be; input has"):
        check_fit((5,), [Window(1, 1, sys.maxsize, 0)], shapes="input has shape (1, 1, 5)")


def test_layout_and_shape_that_are_right_pass():
    assert check_layout("input", (0, 1, 1), "(N, C, *spatial)") is None
    assert check_shape("bias", numpy.zeros(2), (2,), "(O,)", shapes="") is None


def test_layout_is_refused_with_or_without_the_other_shapes():
    with pytest.raises(ValueError, match=r"input has shape \(1, 0\): every size after the first"):
        check_layout("input", (1, 0), "(N, D)", least_rank=2)
    with pytest.raises(ValueError, match=r"at least 1; weight has shape \(1, 2\)$"):
        check_layout("input", (1, 0), "(N, D)", least_rank=2, shapes="weight has shape (1, 2)")


class TestResult:
    """The dtype an operation returns."""

    def test_integers_that_fit_are_int64_to_the_last(self):
        limits = numpy.iinfo(numpy.int64)
        values = numpy.array([limits.min, limits.max], dtype=object)
        assert result(values, numpy.zeros(1, "int8")).dtype == "int64"
        assert result(values + 1, numpy.zeros(1, "int8")).dtype == object
        assert result(values - 1, numpy.zeros(1, "int8")).dtype == object

    def test_mixed_signs_are_integers_and_their_mean_a_float(self):
        operands = numpy.zeros(1, "int64"), numpy.zeros(1, "uint64")
        values = numpy.array([2**62 + 1], dtype=object)
        assert result(values, *operands).tolist() == [2**62 + 1]
        assert result(values, *operands, real=True).dtype == "float64"

    def test_objects_stay_objects(self):
        values = numpy.array([Fraction(1, 2)])
        assert result(values, values, numpy.zeros(1)) is values

    def test_a_value_beyond_its_float_is_infinite(self):
        values = numpy.array([1e300], dtype=object)
        assert result(values, numpy.zeros(1, "float32")).tolist() == [numpy.inf]


class TestLimits:
    """What is just allowed, and what a message says word for word."""

    def test_the_least_value_is_allowed(self):
        assert integer("groups", 1, least=1, shapes="") == 1
        assert per_axis("stride", [1, 1], 2, least=1, shapes="") == (1, 1)

    def test_entries_that_are_all_of_another_kind(self):
        found = per_axis("stride", (numpy.int8(2), numpy.int8(3)), 2, least=1, shapes="")
        assert [type(entry) for entry in found] == [int, int]
        with pytest.raises(TypeError, match="every entry must be an integer"):
            per_axis("stride", (1.5, 1.5), 2, least=1, shapes="")

    def test_a_kernel_may_be_as_long_as_the_padded_input_and_that_as_any_array(self):
        assert check_fit((3,), [Window(3)], shapes="") is None
        assert check_fit((3,), [Window(6, low=1, high=2)], shapes="") is None
        assert check_fit((5,), [Window(1, low=sys.maxsize - 5)], shapes="") is None

    @pytest.mark.parametrize(
        ("padding", "words", "message"),
        [
            (((0, -1), (0, 0)), (), "=(0, -1): every entry must be at least 0; in {padding}"),
            ("wide", (), "='wide': must be {numbers}"),
            ("wide", ("valid", "full"), "='wide': must be {numbers}, or one of the words {words}"),
        ],
    )
    def test_padding_is_told_what_it_must_be(self, padding, words, message):
        with pytest.raises(ValueError, match="padding") as caught:
            windows((5, 6), (1, 1), stride=1, padding=padding, dilation=1, words=words, shapes="x")
        numbers = "an integer, one per axis or one (low, high) pair per axis"
        said = message.format(padding=f"padding={padding}", numbers=numbers, words="valid, full")
        assert str(caught.value) == f"padding{said}; x"

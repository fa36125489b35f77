"""Outputs against expected values: equality of values, bounds, shapes and dtypes."""

from __future__ import annotations

import numpy
import pytest

from convspec.oracle.judge import judge, same_values, stored, wrong_places

F32, F64, F16, I32 = (numpy.dtype(n) for n in ("float32", "float64", "float16", "int32"))


def kind(actual, expected, element=F64, slack=None):
    slack = None if slack is None else (numpy.array(slack),)
    verdict = judge((numpy.asarray(actual),), (numpy.asarray(expected),), slack, element)
    return None if verdict is None else verdict.kind


def test_zeros_of_either_sign_and_nans_of_any_kind_are_equal():
    payload = numpy.array([numpy.nan]).view("u8") + 1
    other = payload.view("f8")
    assert same_values(numpy.array([0.0, numpy.nan]), numpy.array([-0.0, other[0]]))
    assert not same_values(numpy.array([numpy.nan]), numpy.array([1.0]))
    assert not same_values(numpy.array([1.0]), numpy.array([numpy.nan]))
    assert not same_values(numpy.array([numpy.inf]), numpy.array([-numpy.inf]))
    assert not same_values(numpy.zeros(2), numpy.zeros((1, 2)))
    assert same_values(numpy.zeros((0, 2)), numpy.zeros((0, 2)))


def test_shape_comes_before_value_and_value_before_dtype():
    assert kind([[1.0]], [1.0]) == "shape"
    assert kind(numpy.array([2.0], "f4"), [1.0]) == "value"
    assert kind(numpy.array([1.0], "f4"), [1.0]) == "dtype"
    assert kind([1.0], [1.0]) is None


def test_a_bound_is_a_bound():
    assert kind([1.5], [1.0], slack=[0.5]) is None
    assert kind([1.5000001], [1.0], slack=[0.5]) == "value"
    assert kind([numpy.nan], [1.0], slack=[0.5]) == "value"
    assert kind([1.0], [numpy.nan], slack=[0.5]) == "value"
    assert kind([numpy.inf], [numpy.inf], slack=[0.5]) is None
    assert kind([numpy.inf], [-numpy.inf], slack=[0.5]) == "value"


@pytest.mark.parametrize("actual", ["int8", "int32", "int64", "uint16"])
def test_integers_come_back_in_any_integer_dtype(actual):
    assert kind(numpy.array([3], actual), [3.0], element=I32) is None
    assert kind(numpy.array([4], actual), [3.0], element=I32) == "value"


def test_integers_do_not_come_back_as_floats_unless_the_operation_divides():
    assert kind([3.0], [3.0], element=I32) == "dtype"
    assert kind([3.0], [3.0], element=I32, slack=[1e-15]) is None
    assert kind(numpy.array([3.0], "f4"), [3.0], element=I32, slack=[1e-15]) is None
    assert kind([3], [3.0], element=I32, slack=[1e-15]) == "dtype"


def test_an_index_is_an_integer():
    index = numpy.array([2])
    assert kind([2], index, element=F32) is None
    assert kind(numpy.array([2], "u1"), index, element=F32) is None
    assert kind([2.0], index, element=F32) == "dtype"


def test_floats_keep_their_dtype():
    assert kind(numpy.array([1.0], "f4"), [1.0], element=F32) is None
    assert kind([1.0], [1.0], element=F32) == "dtype"
    assert kind([1], [1.0], element=F32) == "dtype"


def test_a_half_type_holds_the_exact_value_rounded_once():
    assert kind(numpy.array([2050.0], "f2"), [2049.0 + 1e-9], element=F16) is None
    assert kind(numpy.array([2048.0], "f2"), [2049.0], element=F16) is None  # ties to even
    assert kind(numpy.array([2050.0], "f2"), [2049.0], element=F16) == "value"
    assert stored(numpy.array([7]), F16).dtype == numpy.array([7]).dtype
    assert stored(numpy.array([7.0]), F32).dtype == F64


def test_the_message_says_where():
    wrong = judge((numpy.array([[1.0, 2.0]]),), (numpy.array([[1.0, 3.0]]),), None, F64)
    assert wrong.message == "the output is 2.0 instead of 3.0 at (0, 1), and wrong at 1 of 2 places"
    two = (numpy.array([1.0]), numpy.array([1]))
    second = judge(two, (two[0], numpy.array([0])), None, F64)
    assert second.message.startswith("output 1 is 1 instead of 0")
    assert wrong_places(numpy.array([1.0]), numpy.array([2.0]), numpy.array([1.0])).tolist() == [
        False
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_its_dtype_a_result_may_be_infinite_of_its_sign_only(sign):
    value, bound = numpy.array([sign * 65600.0]), (numpy.array([10.0]),)
    half, wide = numpy.dtype("float16"), numpy.dtype("float32")
    infinite = numpy.array([sign * numpy.inf])
    assert judge((infinite.astype(half),), (value,), bound, half) is None
    assert judge((-infinite.astype(half),), (value,), bound, half) is not None
    assert judge((infinite.astype(wide),), (value,), bound, wide) is not None
    small = numpy.array([sign * 65400.0])
    assert judge((infinite.astype(half),), (small,), bound, half) is not None

"""Open points are measured for whatever an implementation does, and never fail."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.oracle.call import callee
from convspec.oracle.steps.open_points import OPEN_POINTS, open_points
from tests.oracle.implementations import offering

F32 = numpy.dtype("float32")
OPERATIONS = sorted({name for names, _ in OPEN_POINTS.values() for name in names})


def measured(operation, function, dtype=F32):
    return open_points(operation, callee(offering(**{operation: function}), operation), dtype)


def test_what_the_twins_do():
    values = {name: measured(name, getattr(fast, name)) for name in OPERATIONS}
    assert values["max_pool_with_indices"]["index_on_ties"] == "first"
    assert values["max_pool_vjp"] == {"gradient_on_ties": "first"}
    assert values["conv"]["empty_batch"] == "accepted"
    assert values["conv"]["integer_overflow"] == "widens"
    assert values["conv"]["non_finite_weight_on_padding"] == "skipped"
    assert values["conv"]["subnormals"] == "kept"
    assert values["convolve"]["subnormals"] == "kept"
    assert values["max_pool"]["empty_window"] == "error"
    assert values["max_pool"]["kernel_beyond_input_under_ceil"] == "refused"
    assert set(values["conv"]) == {
        "integer_overflow",
        "non_finite_weight_on_padding",
        "subnormals",
        "sign_of_zero",
        "empty_batch",
    }
    assert measured("relu", lambda input: input) == {}


def returning(value):
    return lambda *_, **__: value


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "value",
    [
        numpy.float32(3),
        numpy.zeros(0, "f4"),
        numpy.zeros((0, 2)),
        numpy.full((1, 1, 1), numpy.nan),
        numpy.full((1, 1, 1), numpy.inf),
        (numpy.zeros(0), numpy.zeros(0)),
        (numpy.full(1, numpy.nan),) * 2,
        None,
        "text",
        [[1], [1, 2]],
    ],
    ids=repr,
)
def test_odd_outputs_are_no_trouble(operation, value):
    values = measured(operation, returning(value))
    assert set(values) <= set(OPEN_POINTS)
    assert all(isinstance(told, str) for told in values.values())


def test_what_is_refused_and_what_is_not_offered():
    def refuses(*_, **__):
        raise ValueError("no")

    def lacks(*_, **__):
        raise NotImplementedError

    assert measured("conv", refuses) == {"integer_overflow": "refused", "empty_batch": "refused"}
    assert measured("conv", lacks) == {}
    assert measured("max_pool", refuses)["empty_window"] == "error"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (-numpy.inf, "-inf"),
        (numpy.finfo("f4").min, "lowest"),
        (0.0, "zero"),
        (numpy.nan, "nan"),
    ],
)
def test_an_empty_window(value, told):
    y = numpy.full((1, 1, 4), value, "f4")
    assert measured("max_pool", returning(y))["empty_window"] == told


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ((4, 0), "first"),
        ((0, 4), "last"),
        ((2, 2), "split"),
        ((4, 4), "all"),
        ((3, 1), "(3.0, 1.0)"),
    ],
)
def test_a_gradient_on_ties(shares, told):
    d = numpy.array([[shares]], "f4")
    assert measured("max_pool_vjp", returning((d,))) == {"gradient_on_ties": told}


@pytest.mark.parametrize(("index", "told"), [(0, "first"), (1, "last"), (2, "neither")])
def test_an_index_on_ties(index, told):
    outputs = numpy.full((1, 1, 1), 5, "f4"), numpy.full((1, 1, 1), index)
    assert measured("max_pool_with_indices", returning(outputs))["index_on_ties"] == told


def conv_that(change):
    def conv(input, weight, bias=None, **attributes):
        return change(fast.conv(input, weight, bias, **attributes), input, weight)

    return conv


def test_other_ways_of_a_convolution():
    wraps = conv_that(lambda y, x, w: y.astype(x.dtype))
    assert measured("conv", wraps)["integer_overflow"] == "wraps"
    odd = conv_that(lambda y, x, w: y + 1)
    assert measured("conv", odd)["integer_overflow"].startswith("gives 4294967297")
    flushes = conv_that(lambda y, x, w: numpy.where(abs(y) < 1e-37, 0, y))
    assert measured("conv", flushes)["subnormals"] == "flushed"
    multiplies = conv_that(lambda y, x, w: y if numpy.isfinite(w).all() else y * numpy.nan)
    assert measured("conv", multiplies)["non_finite_weight_on_padding"] == "multiplied"
    positive = conv_that(lambda y, x, w: y + 0.0)
    assert measured("conv", positive)["sign_of_zero"] == "plus"
    negative = conv_that(lambda y, x, w: -abs(y))
    assert measured("conv", negative)["sign_of_zero"] == "minus"


def test_a_function_of_planes_is_measured_on_planes():
    def max_pool_with_indices(input, **attributes):
        if input.ndim != 4:
            raise NotImplementedError("planes only")
        return fast.max_pool_with_indices(input, **attributes)

    values = measured("max_pool_with_indices", max_pool_with_indices)
    assert values["index_on_ties"] == "first"


def test_kernels_beyond_the_input_under_ceil():
    y = numpy.zeros((1, 1, 2), "f4")
    assert measured("max_pool", returning(y))["kernel_beyond_input_under_ceil"] == "2 outputs"


def test_integers_are_measured_as_floats():
    assert measured("max_pool", fast.max_pool, numpy.dtype("int32"))["empty_window"] == "error"

"""Which calls may round at all, and how far two results may then lie apart, by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest

from convspec.case import Case, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.rounding.bounds import distances, may_round, real_slack, slack

ALWAYS = {"adaptive_average_pool", "average_pool", "dropout", "l2_penalty"}
ELEMENTARY = {
    *("batch_norm", "cross_entropy", "distance_weighted_pool", "local_response_normalization"),
    *("lp_pool", "sigmoid", "softmax", "tanh"),
}


def call(operation, operands, dtype="float32", **attributes):
    """A call whose operands are of a dtype, unless they are arrays already."""
    arrays = {
        name: value if isinstance(value, numpy.ndarray) else numpy.array(value, dtype)
        for name, value in operands.items()
    }
    shapes = {name: array.shape for name, array in arrays.items() if name != "cotangent"}
    return Case(operation, arrays, normalised(operation, shapes, attributes))


def slack_of(*arguments, **attributes):
    """The slack of a call beside the oracle's own value."""
    case = call(*arguments, **attributes)
    return slack(case, getattr(expected, case.operation))


def growth(bits, roundings):
    return (1 + Fraction(1, 2**bits)) ** roundings - 1


def assert_allows(found, *right):
    """Bounds by hand, which take fewer than 16 operations in float64."""
    for one, other in zip(found, right, strict=True):
        due = numpy.array(other, object).astype(float)
        assert one.shape == due.shape
        assert one == pytest.approx(due, rel=2.0**-48, abs=0)


# Which calls may round.


def test_operations_that_may_round_on_integers():
    assert {name for name in OPERATIONS if may_round(name, {})} == ALWAYS | ELEMENTARY


def test_what_has_a_kind_rounds_by_its_kind():
    for name in ("upsample", "resize_conv"):
        assert [may_round(name, {"kind": kind}) for kind in ("nearest", "linear")] == [False, True]
    name = "spatial_pyramid_pool"
    assert [may_round(name, {"kind": kind}) for kind in ("max", "average")] == [False, True]


def dot(first, second, dtype="float32"):
    """Two products."""
    return call("linear", {"input": [[first, second]], "weight": [[1.0, 1.0]]}, dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
def test_sums_of_integers_that_the_dtype_holds_are_compared_exactly(dtype):
    assert slack(dot(2047, 1, dtype), expected.linear) is None


def test_half_types_hold_no_larger_ones():
    assert slack(dot(2048, 1, "float16"), expected.linear) is not None
    assert slack(dot(2048, 1), expected.linear) is None


@pytest.mark.parametrize(
    ("operation", "operands", "attributes"),
    [
        ("conv", {"input": [[[4096]]], "weight": [[[1]]]}, {}),
        ("conv_transpose", {"input": [[[4096]]], "weight": [[[1]]]}, {}),
        ("convolve", {"f": [4096], "g": [1]}, {}),
        ("correlate", {"f": [4096], "g": [1]}, {}),
        ("max_pool", {"input": [[[4096, 0]]]}, {"kernel_size": 2}),
        ("max_pool_with_indices", {"input": [[[4096, 0]]]}, {"kernel_size": 2}),
    ],
)
def test_sweeps_of_half_types_that_keep_to_their_integers(operation, operands, attributes):
    assert slack_of(operation, operands, "float16", **attributes) is None


def test_indices_are_no_numbers_that_round():
    operands = {"values": [[[5, 7]]], "indices": numpy.array([[[2, 0]]])}
    assert slack_of("max_unpool", operands, "float16", output_size=3) is None


ROW = {"input": [[[1, 2, 3, 4]]]}


@pytest.mark.parametrize(
    ("kernel", "padding", "include", "exact"),
    [
        (2, 0, False, True),
        (3, 0, False, False),
        (2, (1, 0), False, True),
        (4, (1, 0), False, False),
        (4, (1, 0), True, True),
    ],
)
def test_averages_of_windows_of_a_power_of_two_are_exact(kernel, padding, include, exact):
    given = {"kernel_size": kernel, "padding": [padding] if padding else 0}
    found = slack_of("average_pool", ROW, **given, stride=1, count_include_pad=include)
    assert (found is None) == exact


def test_averages_of_integer_dtypes_may_round_even_then():
    assert slack_of("average_pool", ROW, "int32", kernel_size=2) is not None


@pytest.mark.parametrize(
    ("size", "outputs", "exact"), [(4, 2, True), (6, 3, True), (5, 3, False), (8, 3, False)]
)
def test_adaptive_averages_of_windows_of_a_power_of_two_are_exact(size, outputs, exact):
    """Of eight, three windows hold 3, 4 and 3."""
    x = numpy.arange(size, dtype="float32").reshape(1, 1, size)
    found = slack_of("adaptive_average_pool", {"input": x}, output_size=outputs)
    assert (found is None) == exact


# By how much.


def test_an_average_of_three():
    """Five roundings of float32, and as many of float64 for the value it is compared with."""
    found = slack_of("average_pool", {"input": [[[3, -6, 9]]]}, kernel_size=3)
    assert_allows(found, [[[6 * (growth(24, 5) + growth(53, 5))]]])


def test_integers_are_averaged_in_float64():
    found = slack_of("average_pool", {"input": [[[3, -6, 9]]]}, "int32", kernel_size=3)
    assert_allows(found, [[[6 * 2 * growth(53, 5)]]])


def test_the_coarsest_operand_counts():
    operands = {
        "input": numpy.array([[0.5, 0.25]]),
        "weight": numpy.array([[1, -2]], "float16"),
    }
    found = real_slack(call("linear", operands))
    assert_allows(found, [[growth(11, 2) + growth(53, 2)]])


def test_bfloat16_is_coarser_than_float16():
    bfloat16 = pytest.importorskip("ml_dtypes", reason="the extra bfloat16 is missing").bfloat16
    operands = {
        "input": numpy.array([[0.5, 0.25]], "float16"),
        "weight": numpy.array([[1, -2]], bfloat16),
    }
    found = real_slack(call("linear", operands))
    assert_allows(found, [[growth(8, 2) + growth(53, 2)]])


def test_what_may_underflow_adds_twice_the_smallest_normal_number():
    found = slack_of("sigmoid", {"input": [0]}, "float16")
    n = 2 * 8 + 2 + 6
    assert_allows(found, [(growth(11, n) + growth(53, n)) / 2 + Fraction(2, 2**14)])


def test_another_rule_of_division_has_its_own_magnitude():
    def by_kernel(input, **attributes):
        return expected.average_pool(input, **{**attributes, "count_include_pad": True})

    case = call("average_pool", {"input": [[[3, 3, 3]]]}, kernel_size=3, padding=1, stride=1)
    one = growth(24, 5) + growth(53, 5)
    assert_allows(slack(case, by_kernel), [[[2 * one, 3 * one, 2 * one]]])
    assert_allows(slack(case, expected.average_pool), [[[3 * one, 3 * one, 3 * one]]])


def test_what_is_no_average_keeps_its_own_bound():
    found = slack_of("dropout", {"input": [2], "mask": [1]}, rate=0.5)
    assert_allows(found, [4 * (growth(24, 6) + growth(53, 6))])


def test_an_empty_batch_allows_nothing():
    shapes = {"input": (0, 2, 3), "mean": 2, "variance": 2, "scale": 2, "shift": 2}
    operands = {name: numpy.ones(shape) for name, shape in shapes.items()}
    (found,) = slack_of("batch_norm", operands, epsilon=1.0)
    assert found.shape == (0, 2, 3)
    operands = {"cotangent": numpy.ones((0, 2, 3)), **operands}
    found = slack_of("batch_norm_vjp", operands, epsilon=1.0)
    assert [one.tolist() for one in found] == [[], [0, 0], [0, 0], [0, 0], [0, 0]]


def test_an_empty_batch_has_the_shape_of_the_value_that_it_is_compared_with():
    def longer(input, **attributes):
        return expected.average_pool(input, **{**attributes, "ceil_mode": True})

    case = call("average_pool", {"input": numpy.ones((0, 1, 4))}, kernel_size=3, stride=2)
    assert [one.shape for one in slack(case, expected.average_pool)] == [(0, 1, 1)]
    assert [one.shape for one in slack(case, longer)] == [(0, 1, 2)]


# Of whatever numbers.


def test_two_results_lie_twice_as_far_apart():
    one = growth(24, 2) + growth(53, 2)
    assert_allows(distances(dot(0.5, 0.25)), [[2 * Fraction(3, 4) * one]])
    assert_allows(real_slack(dot(0.5, 0.25)), [[Fraction(3, 4) * one]])


@pytest.mark.parametrize(
    ("operation", "operands", "attributes"),
    [
        ("lp_pool", ["input"], {"kernel_size": 1}),
        ("lp_pool_vjp", ["cotangent", "input"], {"kernel_size": 1}),
        ("softmax_vjp", ["cotangent", "input"], {}),
        (
            "local_response_normalization_vjp",
            ["cotangent", "input"],
            {"size": 3, "alpha": 1.0, "beta": 0.5, "k": 1.0},
        ),
    ],
)
def test_results_of_an_empty_batch_are_at_no_distance(operation, operands, attributes):
    case = call(operation, {name: numpy.ones((0, 2, 2)) for name in operands}, **attributes)
    assert all(one.size == 0 for one in distances(case))


def test_integers_that_are_averaged_round_too():
    case = call("average_pool", {"input": [[[3, -6, 9]]]}, kernel_size=3)
    one = 6 * (growth(24, 5) + growth(53, 5))
    assert_allows(distances(case), [[[2 * one]]])
    assert_allows(real_slack(case), [[[one]]])


def test_sums_of_integers_are_equal_as_far_as_the_dtype_holds_them():
    assert distances(dot(3, 4)) is None
    assert real_slack(dot(2**24 - 1, 1)) is None
    one = growth(24, 2) + growth(53, 2)
    assert_allows(real_slack(dot(2**24, 2)), [[(2**24 + 2) * one]])
    assert_allows(distances(dot(2**24, 2)), [[2 * (2**24 + 2) * one]])


def test_gradients_of_windows_that_overlap_are_summed_in_any_order():
    """Of the windows 0 1, 1 2 3 and 3 4, two have their maximum at position 1."""
    operands = {"cotangent": [[[0.5, 0.25, 1]]], "input": [[[0, 9, 0, 0, 0]]]}
    case = call("adaptive_max_pool_vjp", operands, output_size=3)
    one = growth(24, 2) + growth(53, 2)
    assert_allows(real_slack(case), [[[0, Fraction(3, 4) * one, 0, one, 0]]])
    assert_allows(distances(case), [[[0, Fraction(3, 2) * one, 0, 2 * one, 0]]])


def test_what_selects_is_equal():
    case = call("relu", {"input": [0.1]})
    assert distances(case) is None
    assert real_slack(case) is None

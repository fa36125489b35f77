"""What every bound comes to on one case that is worked by hand from docs/rounding.md."""

from __future__ import annotations

from math import inf, log, nan

import numpy
import pytest

from convspec.case import Case, grouped, normalised
from convspec.oracle.rounding.bounds import shares
from convspec.oracle.rounding.interpolation_bounds import reading
from convspec.oracle.rounding.share import Share

LN2, LN3, LN5 = log(2), log(3), log(5)


def shares_of(operation, operands, **attributes):
    """The shares of a call, without its axes of one item and one channel."""
    arrays = {name: numpy.asarray(value) for name, value in operands.items()}
    shapes = {name: array.shape for name, array in arrays.items() if name != "cotangent"}
    whole = normalised(operation, grouped(operation, shapes), attributes)
    return shares(Case(operation, arrays, whole))


def row(*values):
    """One item of one channel."""
    return numpy.array([[values]], float)


def assert_is(share, roundings, magnitude, degree=2, underflow=0.0):
    """As far as float64 tells: what comes of at most 16 operations, here and by hand, on numbers of
    one sign has no more than 32 roundings of 2^-53.
    """
    for found, right in zip(share, (roundings, magnitude, degree, underflow), strict=True):
        assert (
            numpy.broadcast_shapes(numpy.shape(found), share.magnitude.shape)
            == share.magnitude.shape
        )
        assert numpy.ravel(found) == pytest.approx(numpy.ravel(right), rel=2.0**-48, abs=0)


def test_a_share_is_of_products_that_do_not_underflow():
    assert Share(1, 2.0) == (1, 2.0, 2, 0.0)


# Sums of products: T terms of d operands take T + d - 2 roundings.


def test_two_products_and_a_bias():
    operands = {"input": [[1.0, -2.0]], "weight": [[3.0, 4.0]], "bias": [-5.0]}
    (share,) = shares_of("linear", operands)
    assert_is(share, 3, 3 + 8 + 5, 2)


def test_two_products_of_three_operands():
    operands = {"input": row(1, 2), "depthwise": row(3, -1), "pointwise": [[-2.0]]}
    (share,) = shares_of("depthwise_separable_conv", operands)
    assert_is(share, 2 + 3 - 2, (3 + 2) * 2, 3)


def test_a_gradient_of_three_operands():
    operands = {
        "cotangent": numpy.array([[[[-5.0]]]]),
        "input": numpy.array([[[[1.0, -2.0]]]]),
        "factors_0": numpy.array([-3.0]),
        "factors_1": numpy.array([1.0, 4.0]),
    }
    x, first, second = shares_of("spatially_separable_conv_vjp", operands)
    assert_is(x, [1 + 3 - 2] * 2, [5 * 3 * 1, 5 * 3 * 4], 3)
    assert_is(first, 2 + 3 - 2, 5 * (1 * 1 + 2 * 4), 3)
    assert_is(second, [1 + 3 - 2] * 2, [5 * 1 * 3, 5 * 2 * 3], 3)


def test_what_is_not_finite_counts_as_nothing():
    operands = {"input": [[nan, inf, -inf, 2.0]], "weight": [[3.0, 3.0, 3.0, -3.0]]}
    assert_is(*shares_of("linear", operands), 4, 6)


# Averages, and selections.  Three windows share five positions: 0 1, 1 2 3, 3 4.


def test_adaptive_maxima_are_not_rounded_and_their_cotangents_are_summed():
    x = row(-4, -3, -5, -2, -6)
    assert_is(*shares_of("adaptive_max_pool", {"input": x}, output_size=3), 0, [3, 2, 2])
    back = {"cotangent": row(1, -2, 4), "input": x}
    (share,) = shares_of("adaptive_max_pool_vjp", back, output_size=3)
    assert_is(share, 2, [0, 1, 0, 2 + 4, 0])


def test_adaptive_averages():
    x = row(1, -3, 2, -4, 6)
    (share,) = shares_of("adaptive_average_pool", {"input": x}, output_size=3)
    assert_is(share, 3 + 2, [2, 3, 5], 1)
    back = {"cotangent": row(2, -3, 4), "input": x}
    (share,) = shares_of("adaptive_average_pool_vjp", back, output_size=3)
    assert_is(share, 2 + 2, [1, 1 + 1, 1, 1 + 2, 2], 1)


def test_pyramids_have_the_windows_of_all_levels():
    x = row(1, -3, 2, -4, 5)
    given = {"levels": (1, 3), "kind": "average"}
    (share,) = shares_of("spatial_pyramid_pool", {"input": x}, **given)
    assert_is(share, 5 + 2, [3, 2, 3, 4.5], 1)
    back = {"cotangent": numpy.array([[5.0, 2, -3, 4]]), "input": x}
    (share,) = shares_of("spatial_pyramid_pool_vjp", back, **given)
    assert_is(share, (1 + 2) + 2, [1 + 1, 1 + 1 + 1, 1 + 1, 1 + 1 + 2, 1 + 2], 1)
    (share,) = shares_of("spatial_pyramid_pool_vjp", back, levels=(1, 3), kind="max")
    assert_is(share, 1 + 2, [2, 0, 3, 0, 5 + 4])


def test_an_average_of_two_by_three():
    x = -numpy.arange(6.0).reshape(1, 1, 2, 3)
    assert_is(*shares_of("average_pool", {"input": x}, kernel_size=(2, 3)), 6 + 2, 2.5, 1)


def test_an_average_by_nearness():
    # Of three taps the weights are 1/2, 1 and 1/2, and 2 their sum.
    x = row(4, -8, 4)
    (share,) = shares_of("distance_weighted_pool", {"input": x}, kernel_size=3)
    assert_is(share, 2 * 3 + 20, 6, 1)
    back = {"cotangent": row(-4), "input": x}
    (share,) = shares_of("distance_weighted_pool_vjp", back, kernel_size=3)
    assert_is(share, 3 * 3 + 20, [1, 2, 1], 1)


def test_dropout_and_a_penalty():
    operands = {"input": row(2, -3), "mask": numpy.array([[[1, 1]]])}
    assert_is(*shares_of("dropout", operands, rate=0.5), 6, [4, 6], 1)
    weight = {"weight": numpy.array([1.0, -2, 3])}
    assert_is(*shares_of("l2_penalty", weight, strength=0.5), 3 + 4, 0.5 * 14 / 2, 3)


# Interpolation.  Of three positions, enlarged twice, the coordinates are 0, 1/4, 3/4, 5/4, 7/4
# and 2; each is off by up to 4 (c + 1) u, and so is a weight less than 5/4 away.


def test_nearest_neighbours_are_moved_and_their_cotangents_are_summed():
    (share,) = shares_of("upsample", {"input": row(1, -2)}, scale=2)
    assert_is(share, 0, [1, 1, 2, 2], 1)
    back = {"cotangent": row(1, -2, 3, 4), "input": row(1, -2)}
    assert_is(*shares_of("upsample_vjp", back, scale=2), 2, [3, 7], 1)


def test_linear_interpolation():
    (share,) = shares_of("upsample", {"input": row(1, -2, 4)}, scale=2, kind="linear")
    weighted = numpy.array([1, 1.25, 1.75, 2.5, 3.5, 4])
    near = numpy.array([4, 5, 7, 9, 11, 12]) * [3, 3, 3, 6, 6, 6]
    assert_is(share, 3 + 2, weighted + 1.5 * near / 5, 1)


def test_linear_interpolation_back():
    # The second position is read four times.
    back = {"cotangent": row(1, -1, 1, 0, 0, 2), "input": row(1, -2, 4)}
    (share,) = shares_of("upsample_vjp", back, scale=2, kind="linear")
    near = 1.5 * numpy.array([4 + 5 + 7, 4 + 5 + 7 + 24, 24])
    assert_is(share, 5 + 4, [2, 1, 2] + near / 9, 1)


def test_a_weight_five_quarters_away_is_none():
    # The coordinates are 0, 1/4, 1/2, ..., 2, 2, 2, 2.
    given = {"scale": 4, "kind": "linear", "coordinates": "asymmetric"}
    (share,) = shares_of("upsample", {"input": row(-1, 0, 0)}, **given)
    weighted, near = numpy.zeros(12), numpy.zeros(12)
    weighted[:4], near[:5] = [1, 0.75, 0.5, 0.25], [4, 5, 6, 7, 8]
    assert_is(share, 5, weighted + 1.5 * near / 5, 1)


def test_linear_interpolation_of_three_axes():
    # The first axis has two outputs at coordinate 0; the others stay as they are.
    x = numpy.zeros((1, 1, 1, 2, 3))
    x[0, 0, 0, 0, 0] = -1
    (share,) = shares_of("upsample", {"input": x}, scale=(2, 1, 1), kind="linear")
    plane = numpy.array([[4 + 4 + 4, 8, 0], [8, 0, 0]])
    one = [[1, 0, 0], [0, 0, 0]] + 1.5 * plane / 17
    assert_is(share, 3 * 3 + 8, [one, one], 1)
    assert share.magnitude.shape == (1, 1, 2, 2, 3)


def test_linear_interpolation_of_two_axes():
    x = numpy.array([[[[1.0, -2.0]]]])
    (share,) = shares_of("upsample", {"input": x}, scale=(1, 2), kind="linear")
    weighted, near = numpy.array([1, 1.25, 1.75, 2]), 3 * numpy.array([4, 5, 7, 8])
    assert_is(share, 2 * 3 + 4, weighted + 1.5 * (4 * weighted + near) / 10, 1)
    assert share.magnitude.shape == (1, 1, 1, 4)


def test_linear_interpolation_between_corners():
    # The coordinates are 0, 2/5, 4/5, 6/5, 8/5 and 2.
    given = {"scale": 2, "kind": "linear", "coordinates": "align_corners"}
    (share,) = shares_of("upsample", {"input": row(1, -2, 4)}, **given)
    weighted = numpy.array([1, 1.4, 1.8, 2.4, 3.2, 4])
    near = numpy.array([4, 5.6, 7.2, 8.8, 10.4, 12]) * [3, 3, 7, 7, 6, 6]
    assert_is(share, 5, weighted + 1.5 * near / 5, 1)


def test_asymmetric_interpolation_back():
    # The coordinates are 0, 1/2, 1, 3/2, 2 and 2: no position is read more than three times.
    back = {"cotangent": row(1, 0, 0, 0, 0, -2), "input": row(1, -2, 4)}
    given = {"scale": 2, "kind": "linear", "coordinates": "asymmetric"}
    (share,) = shares_of("upsample_vjp", back, **given)
    assert_is(share, 5 + 3, [1, 0, 2] + 1.5 * numpy.array([4, 4 + 24, 24]) / 8, 1)


def test_a_convolution_of_what_is_interpolated():
    operands = {
        "input": numpy.array([[[1.0, -2.0], [0.0, 0.0]]]),
        "weight": numpy.array([[[-3.0], [0.0]]]),
        "bias": numpy.array([-5.0]),
    }
    given = {"scale": 2, "kind": "linear", "padding": 0}
    (share,) = shares_of("resize_conv", operands, **given)
    weighted, near = numpy.array([1, 1.25, 1.75, 2]), 4.5 * numpy.array([4, 5, 7, 8])
    # Two products, a bias, and five for the interpolation.
    assert_is(share, 8, 3 * (weighted + near / 8) + 5, 3)
    back = {"cotangent": row(1, -1, 0, 0), **operands}
    d_input, d_weight, d_bias = shares_of("resize_conv_vjp", back, **given)
    # One output channel and tap, three outputs that read a position, five and a bias.
    nears = 1.5 * 3 * (4 + 5)
    first = numpy.array([3 * 1.75, 3 * 0.25]) + nears / 10
    assert_is(d_input, 1 + 3 + 5 + 1, [*first, 0, 0], 3)
    # Four products and a bias, and five for the interpolation.
    assert_is(d_weight, 4 + 5 + 1, [(weighted + near / 10)[:2].sum(), 0], 3)
    assert_is(d_bias, 4 + 5 + 1, 2, 3)


def test_a_convolution_with_padding_of_what_is_interpolated():
    operands = {
        "input": numpy.array([[[1.0, -2.0], [0.0, 0.0]]]),
        "weight": numpy.array([[[-3.0, 1.0], [0.0, 0.0]]]),
        "bias": numpy.array([-5.0]),
    }
    given = {"scale": 2, "kind": "linear", "padding": ((1, 0),)}
    (share,) = shares_of("resize_conv", operands, **given)
    between = numpy.array([1, 1.25, 1.75, 2]) + 4.5 * numpy.array([4, 5, 7, 8]) / 10
    # Four products, a bias, and five for the interpolation.
    assert_is(share, 4 + 1 + 5, 3 * numpy.array([0, *between[:3]]) + between + 5, 3)
    back = {"cotangent": row(1, -1, 0, 0), **operands}
    d_input, d_weight, d_bias = shares_of("resize_conv_vjp", back, **given)
    # Two taps of an output channel, three outputs that read a position, five and a bias; between
    # input and output the cotangents are 1 + 3 and 1.
    near = 1.5 * (4 * 4 + 1 * 5) / 11
    assert_is(d_input, 2 + 3 + 5 + 1, [4 + 0.75 + near, 0.25 + near, 0, 0], 3)
    # Four products and a bias, and five for the interpolation.
    assert_is(d_weight, 4 + 5 + 1, [between[0], between[0] + between[1], 0, 0], 3)
    assert_is(d_bias, 4 + 5 + 1, 2, 3)


# Elementary functions: F = 8 and Q = 2.


@pytest.mark.parametrize(("operation", "magnitude"), [("sigmoid", [0.5, 0.25]), ("tanh", [1, 1])])
def test_sigmoid_and_tanh(operation, magnitude):
    x = numpy.array([0.0, -LN3])
    n = 2 * 8 + 2 + 6
    assert_is(*shares_of(operation, {"input": x}), n, magnitude, [n, n + LN3], 1)
    (share,) = shares_of(f"{operation}_vjp", {"cotangent": numpy.array([-2.0, 4]), "input": x})
    assert_is(share, n, numpy.multiply([2, 4], magnitude), [n, n + LN3], [2, 4])


# Two rows of which the softmax is 1/4, 1/4 and 1/2: the distances to the largest, ln 2 and -2 ln 2,
# are ln 2, ln 2 and 0, and ln 2 / 2 their mean.
X = numpy.array([[0, 0, LN2], [-3 * LN2, -3 * LN2, -2 * LN2]])
Y = numpy.array([0.25, 0.25, 0.5])
DISTANCES, LARGEST = numpy.array([LN2, LN2, 0]), numpy.array([[LN2], [2 * LN2]])
N = 2 * 8 + 3 + 2 + 4 + 2 * (DISTANCES + LN2 / 2 + LARGEST) + (8 + 4) * LN3


def test_softmax():
    assert_is(*shares_of("softmax", {"input": X}), N, [Y, Y], N, 1)
    g = numpy.array([[0.125, 0, -0.25], [4, -8, 2]])
    (share,) = shares_of("softmax_vjp", {"cotangent": g, "input": X})
    n = 2 * N[:, 0] + 3 + 6
    magnitude = [Y * (abs(g[0]) + 2 * 5 / 32), Y * (abs(g[1]) + 2 * 4)]
    assert_is(share, n, magnitude, n, [0.25 * 4, 8 * 4])


def test_softmax_of_another_axis():
    x = X[:, None]
    assert_is(*shares_of("softmax", {"input": x}, axis=2), N, [Y, Y], N, 1)
    (share,) = shares_of("softmax_vjp", {"cotangent": -numpy.ones_like(x), "input": x}, axis=2)
    n = 2 * N[:, 0] + 3 + 6
    assert_is(share, n, [Y * 3, Y * 3], n, [4, 4])


def test_cross_entropy():
    operands = {"logits": X, "labels": numpy.array([2, 0])}
    # The losses are ln 2 and 2 ln 2, and the second label has the larger count.
    n = N[1, 0] + 8 + 2 + 12
    assert_is(*shares_of("cross_entropy", operands), n, 1 + 1.5 * LN2, n, 1)
    (share,) = shares_of("cross_entropy_vjp", {"cotangent": numpy.array(-2.0), **operands})
    assert_is(share, N + 6, Y + numpy.eye(3)[[2, 0]], N, 2)


def test_a_norm():
    (share,) = shares_of("lp_pool", {"input": row(3, -4)}, kernel_size=2)
    n = 2 + 8 + 8 + 6 + 2 * LN5
    assert_is(share, n, 5, n, 1)
    back = {"cotangent": row(-2), "input": row(3, -4)}
    (share,) = shares_of("lp_pool_vjp", back, kernel_size=2)
    n = 2 * (2 + 8 + 8 + 6 + 4) + 2 * 8 + 8 + 2 + 4 * 2 * (LN5 + 2 * LN2)
    assert_is(share, n, [1.2, 1.6], n, 2)


def test_a_norm_below_one():
    operands, logarithm = {"input": row(-0.75, 0)}, -log(0.75)
    (share,) = shares_of("lp_pool", operands, kernel_size=2)
    n = 2 + 8 + 8 + 6 + 2 * logarithm
    assert_is(share, n, 0.75, n, 1)
    (share,) = shares_of("lp_pool_vjp", {"cotangent": row(-0.25), **operands}, kernel_size=2)
    n = 2 * (2 + 8 + 8 + 6 + 4) + 2 * 8 + 8 + 2 + 4 * 2 * 2 * logarithm
    assert_is(share, n, [0.25, 0], n, 0.25)


def test_batch_normalization():
    operands = {
        "input": numpy.array([[[1.0, -2, 0], [1, 0, 0]], [[0, 0, 0], [0, 2, 0]]]),
        "mean": [-3.0, 0],
        "variance": [3.0, 8],
        "scale": [-4.0, 3],
        "shift": [-5.0, 0],
    }
    # The standard deviations are 2 and 3, the slopes 2 and 1.
    (share,) = shares_of("batch_norm", operands, epsilon=1.0)
    first = [2 * (1 + 3) + 5, 2 * (2 + 3) + 5, 2 * 3 + 5]
    assert_is(share, 14, [[first, [1, 0, 0]], [[11, 11, 11], [0, 2, 0]]], 4)
    g = numpy.array([[[1.0, -1, 0], [2, 0, 0]], [[0, 0, 0], [0, 0, -1]]])
    back = {"cotangent": g, **operands}
    x, mean, variance, scale, shift = shares_of("batch_norm_vjp", back, epsilon=1.0)
    assert_is(x, 14, [[[2, 2, 0], [2, 0, 0]], [[0, 0, 0], [0, 0, 1]]], 4)
    # Six terms a channel, whose distances to the mean sum to 4 + 5 and to 2.
    assert_is(mean, 6 + 14, [2 * 2, 1 * 3], 4)
    assert_is(variance, 6 + 32, [2 * (4 + 5) / (2 * 2 * 2), 2 / (2 * 3 * 3)], 8)
    assert_is(scale, 6 + 14, [(4 + 5) / 2, 2 / 3], 4)
    assert_is(shift, 6, [2, 3], 1)


def test_a_response_is_normalized_by_a_root_of_four():
    given = {"size": 1, "alpha": 1.0, "beta": 0.5, "k": 3.0}
    (share,) = shares_of("local_response_normalization", {"input": row(-1)}, **given)
    n = 1.5 * (1 + 8) + 8 + 6 + 4 * 1.5 * 2 * LN2
    assert_is(share, n, 0.5, n, 1)
    back = {"cotangent": row(-1), "input": row(-1)}
    (share,) = shares_of("local_response_normalization_vjp", back, **given)
    n += 1 + 1.5 * (1 + 8) + 8
    assert_is(share, n, 0.5 + 0.125, n, 1)


def test_responses_of_two_channels():
    given = {"size": 3, "alpha": 3.0, "beta": 1.0, "k": 1.0}
    operands = {"input": numpy.array([[[[-1.0, 0]], [[0, 0]]]])}
    (share,) = shares_of("local_response_normalization", operands, **given)
    # The sums are 2 at the first position, in both channels, and 1 at the second.
    n = 2 * (3 + 8) + 8 + 6 + 4 * 2 * LN2
    assert_is(share, n, [0.5, 0, 0, 0], n, 1)
    back = {"cotangent": numpy.array([[[[-0.5, 0.25]], [[0.25, 0]]]]), **operands}
    (share,) = shares_of("local_response_normalization_vjp", back, **given)
    n += 3 + 2 * (3 + 8) + 8
    assert_is(share, n, [0.25 + 2 * 0.125, 0.25, 0.125, 0], n, 0.5)


def test_a_row_reads_no_more_columns_than_any_has_entries():
    columns, entries = reading(numpy.array([[0.0, 2, 0, 1], [0, 0, 4, 0]]))
    assert entries.shape == columns.shape == (2, 2)
    assert sorted(zip(columns[:, 0], entries[:, 0], strict=True)) == [(1, 2), (3, 1)]
    assert sorted(entries[:, 1]) == [0, 4]
    assert columns[entries[:, 1] == 4, 1] == 2
    assert reading(numpy.zeros((2, 3))).entries.tolist() == [[0, 0]]

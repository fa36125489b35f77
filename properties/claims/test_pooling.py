"""Pooling: what it computes, what it is invariant to, and which sizes it takes."""

from __future__ import annotations

import numpy
import pytest
import sympy

from convspec import (
    OPERATIONS,
    adaptive_max_pool,
    average_pool,
    conv,
    linear,
    lp_pool,
    max_pool,
    max_pool_with_indices,
    max_unpool,
    relu,
    spatial_pyramid_pool,
)
from convspec.case import attribute_defaults
from convspec.window import Window, coverage, output_size, reach

from ..laws.statement import same
from .proved import equal, proved, symbols


@proved
def test_a_mean_is_the_sum_over_the_count() -> None:
    x = symbols("x", (1, 1, 2, 2))
    assert equal(average_pool(x, kernel_size=2).ravel(), [x.sum() / 4])


def test_a_maximum_is_the_largest_of_its_region() -> None:
    x = numpy.array([[[[3, -1, 0, 2], [5, 4, -7, 1]]]])
    assert max_pool(x, kernel_size=2).tolist() == [[[[5, 2]]]]


def test_2x2_at_stride_2_keeps_a_quarter_of_even_sizes() -> None:
    for size in (2, 4, 10):
        assert max_pool(numpy.zeros((1, 1, size, size)), kernel_size=2).size * 4 == size**2


def test_3x3_at_stride_2_or_an_odd_size_keeps_less() -> None:
    assert max_pool(numpy.zeros((1, 1, 4, 4)), kernel_size=3, stride=2).size == 1 < 16 / 4
    assert max_pool(numpy.zeros((1, 1, 3, 3)), kernel_size=2).size == 1 < 9 / 4


def test_windows_as_large_as_their_stride_share_nothing() -> None:
    for window in (1, 2, 3):
        assert coverage(12, Window(window, window)) == [1] * 12


def test_the_depth_stays() -> None:
    x = numpy.zeros((1, 5, 4, 4))
    assert max_pool(x, kernel_size=2).shape[1] == average_pool(x, kernel_size=2).shape[1] == 5


def test_pooling_first_leaves_a_dense_layer_fewer_weights() -> None:
    x = numpy.zeros((1, 1, 4, 4))
    pooled = max_pool(x, kernel_size=2)
    for image, weights in ((x, 160), (pooled, 40)):
        weight = numpy.zeros((10, image.size))
        assert linear(image.reshape(1, -1), weight).shape == (1, 10)
        assert weight.size == weights


def peak(place: int) -> numpy.ndarray:
    x = numpy.zeros((1, 1, 6), int)
    x[0, 0, place] = 1
    return x


def test_a_maximum_that_stays_in_its_window_is_not_noticed_to_move() -> None:
    same(max_pool(peak(2), kernel_size=3), max_pool(peak(1), kernel_size=3))
    same(max_pool(peak(1), kernel_size=3), max_pool(peak(0), kernel_size=3))


def test_a_maximum_that_leaves_its_window_is_noticed() -> None:
    assert max_pool(peak(2), kernel_size=3).tolist() == [[[1, 0]]]
    assert max_pool(peak(3), kernel_size=3).tolist() == [[[0, 1]]]


def test_on_a_slope_every_output_changes() -> None:
    slope = numpy.arange(1, 7).reshape(1, 1, 6)
    moved = numpy.arange(6).reshape(1, 1, 6)
    pooled, after = max_pool(slope, kernel_size=2), max_pool(moved, kernel_size=2)
    assert (pooled != after).all()


def test_a_maximum_over_everything_forgets_where_it_was() -> None:
    for shift in range(6):
        x = numpy.roll(numpy.array([[[7, 1, 3, 2, 5, 0]]]), shift, axis=2)
        assert max_pool(x, kernel_size=6).tolist() == [[[7]]]


def test_pooled_windows_tell_where_it_was() -> None:
    left, right = max_pool(peak(0), kernel_size=3), max_pool(peak(5), kernel_size=3)
    assert left.tolist() != right.tolist()


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_the_maximum_over_everything_has_one_size(length: int) -> None:
    assert adaptive_max_pool(numpy.zeros((1, 4, length)), output_size=1).shape == (1, 4, 1)


def test_a_fixed_window_passes_the_length_on() -> None:
    sizes = [max_pool(numpy.zeros((1, 1, n)), kernel_size=2).shape[2] for n in (4, 8)]
    assert sizes == [2, 4]


def test_a_pyramid_of_1_2_4_has_21_features_a_channel() -> None:
    for height, width in ((4, 4), (7, 5), (13, 13)):
        x = numpy.zeros((1, 2, height, width))
        assert spatial_pyramid_pool(x, levels=(1, 2, 4)).shape == (1, 2 * (1 + 4 + 16))


def test_the_256_channels_of_conv5_give_5376() -> None:
    assert 256 * 1 + 256 * 4 + 256 * 16 == 256 * 21 == 5376


def test_windows_of_a_over_n_where_n_divides() -> None:
    for bins in (1, 2, 3, 4):
        x = numpy.arange(12).reshape(1, 1, 12)
        size = 12 // bins
        pooled = max_pool(x, kernel_size=size, stride=size)
        same(pooled, adaptive_max_pool(x, output_size=bins))


def test_thirteen_is_divided_by_none_of_them() -> None:
    """13 / 3 and 13 / 2 are no sizes: the figure itself takes 5 and 4, 7 and 6."""
    assert [13 % bins for bins in (2, 3)] == [1, 1]


def test_the_figure_rounds_the_size_up_and_the_stride_down() -> None:
    for bins, size, stride in ((3, 5, 4), (2, 7, 6), (1, 13, 13)):
        assert (size, stride) == (-(-13 // bins), 13 // bins)
        assert output_size(13, Window(size, stride)) == bins


def test_14_with_size_5_and_stride_4_gives_three_bins() -> None:
    assert output_size(14, Window(5, 4)) == 3


def test_14_into_four_bins_is_size_4_and_stride_3() -> None:
    """By the rule of the figure, ceil(14 / 4) and floor(14 / 4)."""
    assert (-(-14 // 4), 14 // 4) == (4, 3)
    assert output_size(14, Window(4, 3)) == 4


def test_either_way_the_last_row_of_14_is_left_out() -> None:
    for window in (Window(5, 4), Window(4, 3)):
        read = reach(window, range(14), range(output_size(14, window)))
        assert read == range(13)


def test_14_into_two_and_one_is_even() -> None:
    assert output_size(14, Window(14, 14)) == 1
    assert output_size(14, Window(7, 7)) == 2
    assert coverage(14, Window(7, 7)) == [1] * 14


def test_20x20_by_10x10_is_2x2() -> None:
    x = numpy.arange(400).reshape(1, 1, 20, 20)
    pooled = average_pool(x, kernel_size=10)
    assert pooled.shape == (1, 1, 2, 2)
    assert pooled[0, 0, 0, 0] == x[0, 0, :10, :10].sum() / 100


@proved
def test_a_ones_kernel_and_every_second_element_sum_blocks() -> None:
    x = symbols("x", (4, 4))
    sums = conv([[x]], numpy.ones((1, 1, 2, 2), int))[0, 0][::2, ::2]
    blocks = [[x[r : r + 2, c : c + 2].sum() for c in (0, 2)] for r in (0, 2)]
    assert equal(sums, blocks)


def test_with_full_padding_the_blocks_are_others() -> None:
    full = conv([[[[1, 2], [3, 4]]]], numpy.ones((1, 1, 2, 2), int), padding="full")[0, 0]
    assert full[0, 0] == 1 != 1 + 2 + 3 + 4


@proved
def test_the_kronecker_product_with_ones_repeats() -> None:
    x = symbols("x", (2, 2))
    repeated = numpy.repeat(numpy.repeat(x, 2, axis=0), 2, axis=1)
    assert equal(numpy.kron(x, numpy.ones((2, 2), int)), repeated)


def test_switches_put_maxima_back_and_leave_the_rest_empty() -> None:
    x = numpy.array([[[1, 8, 5, 4]]])
    values, indices = max_pool_with_indices(x, kernel_size=2)
    assert max_unpool(values, indices, output_size=4).tolist() == [[[0, 8, 5, 0]]]


def test_a_pool_has_sizes_to_choose_and_nothing_to_train() -> None:
    assert OPERATIONS["max_pool"].operands == OPERATIONS["relu"].operands == ("input",)
    for name in ("conv", "linear"):
        assert OPERATIONS[name].operands == ("input", "weight", "bias")
    assert max_pool([[[1, 2]]], kernel_size=2).tolist() == [[[2]]]
    assert max_pool([[[1, 2]]], kernel_size=1).tolist() == [[[1, 2]]]


def test_relu_keeps_the_size_and_has_nothing_to_choose() -> None:
    assert attribute_defaults("relu") == {}
    x = numpy.array([[-2, 0], [1, 5]])
    assert relu(x).tolist() == numpy.maximum(x, 0).tolist()


def test_the_l2_norm_pool_is_the_length_of_its_window() -> None:
    assert lp_pool(numpy.array([[[3.0, 4.0]]]), p=2, kernel_size=2).tolist() == [[[5.0]]]


def test_relu_has_slope_one_however_large_and_the_sigmoid_none() -> None:
    z = sympy.Symbol("z", positive=True)
    sigmoid = 1 / (1 + sympy.exp(-z))
    assert sympy.diff(z, z) == 1
    assert sympy.limit(sympy.diff(sigmoid, z), z, sympy.oo) == 0


def test_rounding_up_and_down_may_give_a_bin_too_many() -> None:
    """5 into 3: size 2, stride 1, four bins."""
    assert (-(-5 // 3), 5 // 3) == (2, 1)
    assert output_size(5, Window(2, 1)) == 4 != 3


def test_an_activation_acts_element_by_element() -> None:
    x = numpy.array([[[1.0, -2.0, 3.0]]])
    for name in ("relu", "sigmoid", "tanh"):
        f = OPERATIONS[name].definition
        alone = [f(x[..., i : i + 1])[0, 0, 0] for i in range(3)]
        assert f(x)[0, 0].tolist() == alone


def test_pooling_over_turned_kernels_does_not_see_the_turn() -> None:
    w, x = numpy.array([[1, 2], [3, 5]]), numpy.array([[7, -1], [2, 4]])
    both = numpy.stack([w, w[:, ::-1]])[:, None]
    responses = [conv([[image]], both).max(axis=1).tolist() for image in (x, x[:, ::-1])]
    assert responses[0] == responses[1]


def test_pooling_one_map_over_space_does() -> None:
    w, x = numpy.array([[1, 2], [3, 5]]), numpy.array([[7, -1], [2, 4]])
    assert conv([[x]], [[w]]).max() != conv([[x[:, ::-1]]], [[w]]).max()

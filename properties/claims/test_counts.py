"""Counts of weights, products and connections: every sum of the documents, done again."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy
import pytest
import sympy

from convspec import OPERATIONS, conv, depthwise_separable_conv, spatially_separable_conv
from convspec.matrix import counts, matrix_of
from convspec.window import Window, output_size, taps

from ..laws.statement import same
from .proved import equal, integers, proved, symbols


def weights(*shapes: tuple[int, ...]) -> int:
    return sum(map(prod, shapes))


def shape(operation: str, *shapes: tuple[int, ...], **attributes: object) -> tuple[int, ...]:
    return tuple(OPERATIONS[operation].shape(*shapes, **attributes))


def test_25_inputs_and_9_outputs_need_225_dense_weights() -> None:
    assert shape("linear", (1, 25), (9, 25)) == (1, 9)
    assert weights((9, 25)) == 225


def test_64_entries_of_which_36_are_used_by_9_weights() -> None:
    kernel = numpy.arange(1, 10).reshape(1, 1, 3, 3)
    counted = counts(matrix_of("conv", "input", (1, 1, 4, 4), weight=kernel))
    assert (counted.entries, counted.weights) == (36, 9)
    assert weights((4, 16)) == 64


def test_nine_inputs_four_outputs_and_four_colours() -> None:
    kernel = numpy.arange(1, 5).reshape(1, 1, 2, 2)
    counted = counts(matrix_of("conv", "input", (1, 1, 3, 3), weight=kernel))
    assert (counted.entries, counted.weights) == (16, 4)
    assert shape("conv", (1, 1, 3, 3), (1, 1, 2, 2)) == (1, 1, 2, 2)


@pytest.mark.parametrize(("m", "k"), [(5, 2), (6, 3), (9, 1)])
def test_local_connections_are_k_n_and_shared_ones_k(m: int, k: int) -> None:
    n = output_size(m, Window(k))
    assert sum(len(taps(m, Window(k), i)) for i in range(n)) == k * n
    assert shape("locally_connected", (1, 1, m), (1, 1, n, k)) == (1, 1, n)
    assert weights((1, 1, n, k)) == k * n
    assert weights((1, 1, k)) == k


def test_with_padding_fewer_than_k_n_connections_exist() -> None:
    """One pixel, three taps, padded by 1 on either side: of 3 connections one exists."""
    window = Window(3, low=1, high=1)
    assert [len(taps(1, window, i)) for i in range(output_size(1, window))] == [1]


def test_a_first_hidden_unit_over_100x100x3_has_30000_weights() -> None:
    assert weights((1, 100 * 100 * 3)) == 30_000


def test_one_map_of_one_kernel_has_k_plus_1_parameters() -> None:
    assert shape("conv", (1, 1, 9), (1, 1, 4), (1,)) == (1, 1, 6)
    assert weights((1, 1, 4), (1,)) == 4 + 1


def test_two_input_maps_need_more_than_k_plus_1() -> None:
    assert shape("conv", (1, 2, 9), (1, 2, 4), (1,)) == (1, 1, 6)
    assert weights((1, 2, 4), (1,)) == 9 != 4 + 1


def test_i_times_o_times_k_without_bias_and_groups() -> None:
    for i, o, k in ((1, 1, 1), (3, 8, 9), (4, 6, 25)):
        assert shape("conv", (1, i, 30), (o, i, k)) == (1, o, 31 - k)
        assert weights((o, i, k)) == i * o * k


def test_a_bias_adds_o_and_groups_divide() -> None:
    assert weights((2, 2, 1), (2,)) == 4 + 2
    assert shape("conv", (1, 2, 3), (2, 1, 1), groups=2) == (1, 2, 3)
    assert weights((2, 1, 1)) == 2 * 2 * 1 // 2


def test_224x224x3_has_more_than_150000_inputs() -> None:
    assert 224 * 224 * 3 == 150_528 > 150_000


def test_half_as_many_outputs_make_eleven_billion_weights() -> None:
    inputs = 224 * 224 * 3
    assert inputs * (inputs // 2) == 11_329_339_392 > 10**10


def test_a_thousand_outputs_make_no_ten_billion() -> None:
    """The smallest number of outputs that does is 66,433."""
    inputs = 224 * 224 * 3
    assert inputs * 1000 < 10**10
    assert inputs * 66_432 < 10**10 < inputs * 66_433


def test_784_are_the_pixels_of_one_digit() -> None:
    assert 28 * 28 == 784


def test_784_images_of_that_size_have_more_inputs_than_150528() -> None:
    assert 784 * 224 * 224 * 3 == 118_013_952 != 150_528


def test_a_5x5_view_of_a_dilated_kernel_uses_9_weights() -> None:
    assert weights((1, 1, 3, 3)) == 9
    assert shape("conv", (1, 1, 5, 5), (1, 1, 3, 3), dilation=2) == (1, 1, 1, 1)


@proved
def test_a_kernel_of_rank_one_is_two_passes_for_all_values() -> None:
    x, column, row = symbols("x", (1, 1, 3, 3)), symbols("u", (2,)), symbols("v", (2,))
    outer = numpy.outer(column, row)
    two = spatially_separable_conv(x, [column, row])
    assert equal(conv(x, outer[None, None]), two)


def test_a_kernel_of_rank_two_is_no_two_passes() -> None:
    """The identity matrix: its determinant is not zero, that of every outer product is."""
    assert numpy.linalg.matrix_rank(numpy.eye(2)) == 2
    u, v = sympy.symbols("u:2"), sympy.symbols("v:2")
    assert sympy.Matrix(2, 2, lambda r, c: u[r] * v[c]).det() == 0


def test_sobel_needs_6_numbers_instead_of_9() -> None:
    assert weights((3,), (3,)) == 6
    assert weights((3, 3)) == 9


def test_the_printed_vectors_give_the_x_filter_with_the_wrong_sign() -> None:
    x_filter = numpy.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    printed = numpy.outer([1, 2, 1], [1, 0, -1])
    assert printed.tolist() == (-x_filter).tolist() != x_filter.tolist()


def test_with_minus_1_first_they_give_the_x_filter_and_turned_the_y_filter() -> None:
    x_filter = numpy.outer([1, 2, 1], [-1, 0, 1])
    assert x_filter.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert numpy.outer([1, 0, -1], [1, 2, 1]).tolist() == [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]


NAIVE = (1 * 1 * 192 * 64, 3 * 3 * 192 * 128, 5 * 5 * 192 * 32)
REDUCED = (
    1 * 1 * 192 * 64,
    1 * 1 * 192 * 96 + 3 * 3 * 96 * 128,
    1 * 1 * 192 * 16 + 5 * 5 * 16 * 32,
)


def test_module_3a_keeps_two_fifths_of_its_weights() -> None:
    assert (sum(NAIVE), sum(REDUCED)) == (387_072, 157_184)
    assert round(sum(REDUCED) / sum(NAIVE), 3) == 0.406


def test_module_3a_counts_are_those_of_its_kernels() -> None:
    assert (weights((64, 192, 1, 1)), weights((128, 192, 3, 3)), weights((32, 192, 5, 5))) == NAIVE
    assert REDUCED[1] == weights((96, 192, 1, 1), (128, 96, 3, 3))
    assert REDUCED[2] == weights((16, 192, 1, 1), (32, 16, 5, 5))


def test_module_3a_stacks_416_and_256_maps() -> None:
    assert 64 + 128 + 32 + 192 == 416
    assert 64 + 128 + 32 + 32 == 256


def test_branches_can_be_stacked_when_their_padding_keeps_the_size() -> None:
    sizes = {shape("conv", (1, 1, 28), (1, 1, k), padding=k // 2)[2] for k in (1, 3, 5)}
    assert sizes == {28}


def test_branches_without_padding_cannot() -> None:
    sizes = {shape("conv", (1, 1, 28), (1, 1, k))[2] for k in (1, 3, 5)}
    assert sizes == {28, 26, 24}


def test_two_3x3_with_their_biases_are_20_not_19() -> None:
    assert 3 * 3 * 2 + 1 == 19 != weights((1, 1, 3, 3), (1,), (1, 1, 3, 3), (1,))


def test_two_3x3_are_20_and_one_5x5_is_26() -> None:
    assert weights((1, 1, 3, 3), (1,), (1, 1, 3, 3), (1,)) == 20
    assert weights((1, 1, 5, 5), (1,)) == 26


@proved
def test_with_equal_channels_two_3x3_need_18_25ths() -> None:
    channels = integers("c")
    ratio = sympy.simplify(2 * 9 * channels**2 / (25 * channels**2))
    assert ratio == sympy.Rational(18, 25) < 1


def test_with_more_channels_between_they_need_more() -> None:
    """One channel in and out, two between: 36 weights against 25."""
    assert weights((2, 1, 3, 3), (1, 2, 3, 3)) == 36 > weights((1, 1, 5, 5)) == 25


def test_a_larger_kernel_costs_its_area() -> None:
    assert [weights((1, 1, k, k)) for k in (3, 5, 11)] == [9, 25, 121]


def test_256_to_256_by_3x3_are_589824() -> None:
    assert 256 * 3 * 3 * 256 == weights((256, 256, 3, 3)) == 589_824


def test_through_64_channels_they_are_69632() -> None:
    bottleneck = weights((64, 256, 1, 1), (64, 64, 3, 3), (256, 64, 1, 1))
    assert bottleneck == 256 * 64 + 64 * 9 * 64 + 64 * 256 == 69_632


def test_that_is_an_eighth_and_a_half() -> None:
    assert round(589_824 / 69_632, 2) == 8.47


def test_3_to_256_by_3x3_are_6912_and_depthwise_separable_795() -> None:
    assert 3 * 3 * 3 * 256 == weights((256, 3, 3, 3)) == 6_912
    assert 3 * 3 * 3 + 3 * 1 * 1 * 256 == weights((3, 1, 3, 3), (256, 3)) == 795


def test_that_is_8_7_times_fewer() -> None:
    assert round(6_912 / 795, 2) == 8.69


@proved
def test_depthwise_separable_needs_fewer_exactly_when_o_minus_1_times_k_minus_1_exceeds_1() -> None:
    """C K + C O < C K O for K taps and O outputs, divided by C: K + O < K O."""
    channels, outputs, kernel = integers("c o k")
    saved = channels * kernel * outputs - (channels * kernel + channels * outputs)
    assert sympy.expand(saved - channels * ((outputs - 1) * (kernel - 1) - 1)) == 0


def test_with_one_output_channel_depthwise_separable_needs_more() -> None:
    assert weights((2, 1, 3), (1, 2)) == 8 > weights((1, 2, 3)) == 6


def test_depthwise_alone_never_mixes_channels() -> None:
    x = numpy.zeros((1, 2, 3))
    x[0, 0] = 1
    alone = OPERATIONS["depthwise_conv"].definition(x, numpy.ones((2, 1, 2)))
    assert alone[0, 1].tolist() == [0, 0]


def test_both_steps_together_are_depthwise_separable() -> None:
    x = numpy.arange(6.0).reshape(1, 2, 3)
    depthwise, pointwise = numpy.array([[[1.0, 2]], [[3, 4]]]), numpy.array([[5.0, 6], [7, 8]])
    two = OPERATIONS["depthwise_conv"].definition(x, depthwise)
    two = OPERATIONS["pointwise_conv"].definition(two, pointwise)
    same(two, depthwise_separable_conv(x, depthwise, pointwise))


def test_55x55x96_are_290400() -> None:
    assert shape("conv", (1, 3, 227, 227), (96, 3, 11, 11), stride=4) == (1, 96, 55, 55)
    assert 55 * 55 * 96 == 290_400


def test_11x11x3_are_363() -> None:
    assert 11 * 11 * 3 == weights((1, 3, 11, 11)) == 363 != 364


def test_with_the_bias_they_are_364() -> None:
    assert weights((1, 3, 11, 11), (1,)) == 364


def test_290400_times_364() -> None:
    assert 290_400 * 364 == 105_705_600


def test_96_shared_kernels_have_34848_weights_and_34944_parameters() -> None:
    assert 96 * 11 * 11 * 3 == weights((96, 3, 11, 11)) == 34_848
    assert weights((96, 3, 11, 11), (96,)) == 34_944


def test_a_million_units_over_a_million_pixels() -> None:
    assert 1000 * 1000 * 10**6 == 10**12
    assert 10 * 10 * 10**6 == 10**8
    assert Fraction(10**12, 10**8) == 10**4


def test_shared_they_are_100_and_100_kernels_10000() -> None:
    assert weights((1, 1, 10, 10)) == 100
    assert weights((100, 1, 10, 10)) == 100 * 100 == 10**4


def test_output_channels_are_kernels() -> None:
    for o in (1, 2, 7):
        assert shape("conv", (1, 3, 5, 5), (o, 3, 3, 3))[1] == o
    assert shape("conv", (1, 1, 28, 28), (32, 1, 5, 5))[1] == 32


def test_one_bias_for_each_kernel() -> None:
    y = conv(numpy.zeros((1, 2, 3)), numpy.zeros((2, 2, 2)), [5, 7])
    assert y.tolist() == [[[5, 5], [7, 7]]]


def products(operation: str, operand: str) -> int:
    """How many products a shared or a local layer makes, 9 inputs by 3 taps to 7 outputs: one for
    every entry of the matrix that takes the inputs, or the weights, to the outputs.
    """
    image = numpy.arange(1, 10).reshape(1, 1, 9)
    weight = numpy.ones((1, 1, 3) if operation == "conv" else (1, 1, 7, 3), int)
    given = {"input": image, "weight": weight}
    shape_of_operand = given.pop(operand).shape
    return int(counts(matrix_of(operation, operand, shape_of_operand, **given)).entries)


def test_unshared_kernels_make_as_many_products() -> None:
    assert products("locally_connected", "input") == products("conv", "input") == 21


def test_unshared_kernels_make_as_many_products_in_training() -> None:
    """The gradient of the weights is the transposed matrix that takes them to the outputs."""
    assert products("locally_connected", "weight") == products("conv", "weight") == 21


def test_what_grows_with_unshared_kernels_is_the_number_of_weights() -> None:
    assert weights((1, 1, 7, 3)) == 7 * weights((1, 1, 3))


def test_shape_of_a_multichannel_2d_and_a_3d_kernel() -> None:
    assert shape("conv", (1, 3, 6, 6), (1, 3, 3, 3)) == (1, 1, 4, 4)
    assert shape("conv", (1, 3, 6, 6, 6), (1, 3, 3, 3, 3)) == (1, 1, 4, 4, 4)
    assert shape("conv", (1, 3, 6), (1, 3, 3)) == (1, 1, 4)


def test_unshared_kernels_are_updated_n_times_as_often() -> None:
    """Additions and products of a step over a batch of B: sums of B n products for each of k shared
    weights, of B for each of n k local ones; then each weight is multiplied and added once.
    """
    batch, n, k = integers("B n k")
    shared = batch * n * k + (batch * n - 1) * k + 2 * k
    local = batch * n * k + (batch - 1) * n * k + 2 * n * k
    assert sympy.expand(local - shared - k * (n - 1)) == 0


def test_with_its_bias_the_first_unit_has_30001() -> None:
    assert weights((1, 100 * 100 * 3), (1,)) == 30_001


def test_a_column_times_a_row_is_a_kernel_and_a_row_times_a_row_a_number() -> None:
    column, row = numpy.array([[1], [2], [1]]), numpy.array([[-1, 0, 1]])
    assert column.dot(row).shape == (3, 3)
    assert numpy.array([1, 0, -1]).dot(numpy.array([1, 2, 1])) == 0


def test_other_channels_belong_to_other_kernels() -> None:
    """When kernel p changes, slice p of the output changes and no other."""
    x, w = numpy.arange(1, 9).reshape(1, 2, 4), numpy.arange(1, 13).reshape(3, 2, 2)
    before = conv(x, w)
    for p in range(3):
        changed = w.copy()
        changed[p] += 1
        different = (conv(x, changed) != before).any(axis=(0, 2))
        assert different.tolist() == [q == p for q in range(3)]


def test_a_1x1_in_front_saves_where_it_is_narrow() -> None:
    """r (C + k^2 O) < k^2 C O: 16 channels before 5 x 5 from 192 to 32."""
    assert 192 * 16 + 25 * 16 * 32 < 25 * 192 * 32
    assert weights((16, 192, 1, 1), (32, 16, 5, 5)) < weights((32, 192, 5, 5))


def test_as_wide_as_its_input_it_costs() -> None:
    assert weights((1, 1, 1, 1), (1, 1, 3, 3)) == 10 > weights((1, 1, 3, 3)) == 9


def test_a_small_kernel_cannot_join_what_is_far_apart() -> None:
    assert not any({0, 3} <= {a for _, a in taps(4, Window(3), i)} for i in range(2))
    assert {0, 3} <= {a for _, a in taps(4, Window(4), 0)}


def test_dilation_is_a_parameter_without_weights() -> None:
    assert shape("conv", (1, 1, 5, 5), (1, 1, 3, 3), dilation=2) == (1, 1, 1, 1)
    assert weights((1, 1, 3, 3)) == 9


def test_a_dilated_layer_is_one_layer() -> None:
    """Two layers of 3 x 3 would leave 1 of 5 pixels as well, and have 18 weights, not 9."""
    assert weights((1, 1, 3, 3), (1, 1, 3, 3)) == 18 != 9


def test_the_tensors_of_a_layer() -> None:
    m, n, d, p, u, v = 7, 6, 2, 3, 3, 2
    assert shape("conv", (1, d, m, n), (p, d, u, v)) == (1, p, m - u + 1, n - v + 1)
    assert weights((p, d, u, v), (p,)) == u * v * p * d + p


def test_ten_weights_shared_by_ten_units_leave_a_million_less_ten_with_their_own() -> None:
    assert 100 + (10**6 - 10) * 100 > 10 * 10


def test_shared_by_all_units_they_are_a_hundred() -> None:
    assert shape("conv", (1, 1, 1009, 1009), (1, 1, 10, 10)) == (1, 1, 1000, 1000)
    assert weights((1, 1, 10, 10)) == 100


def test_subsampling_is_a_small_part_of_the_products() -> None:
    assert 24 * 24 * 20 * 25 == 288_000
    assert 24 * 24 * 20 == 11_520


def test_a_convolution_and_1x1_are_a_small_network_over_each_patch() -> None:
    x = numpy.arange(24).reshape(1, 2, 3, 4) - 12
    w, v = numpy.arange(24).reshape(3, 2, 2, 2) - 11, numpy.arange(12).reshape(4, 3) - 5
    relu, linear = OPERATIONS["relu"].definition, OPERATIONS["linear"].definition
    y = OPERATIONS["pointwise_conv"].definition(relu(conv(x, w)), v)
    for r, c in numpy.ndindex(2, 3):
        patch = x[:, :, r : r + 2, c : c + 2].reshape(1, -1)
        assert (
            y[0, :, r, c].tolist() == linear(relu(linear(patch, w.reshape(3, -1))), v)[0].tolist()
        )

"""Named shapes of networks, and the arithmetic inside reports of training runs."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy
import pytest

from convspec import OPERATIONS, dropout, locally_connected
from convspec.window import Window, output_size

from ..laws.statement import same


def shape(operation: str, *shapes: tuple[int, ...], **attributes: object) -> tuple[int, ...]:
    return tuple(OPERATIONS[operation].shape(*shapes, **attributes))


def test_cifar_10_from_32x32x3_to_ten_scores() -> None:
    maps = shape("conv", (1, 3, 32, 32), (12, 3, 3, 3), padding="same_upper")
    assert maps == shape("relu", maps) == (1, 12, 32, 32)
    pooled = shape("max_pool", maps, kernel_size=2)
    assert pooled == (1, 12, 16, 16)
    assert shape("linear", (1, prod(pooled[1:])), (10, prod(pooled[1:]))) == (1, 10)


def test_without_padding_cifars_maps_would_be_30x30() -> None:
    assert shape("conv", (1, 3, 32, 32), (12, 3, 3, 3)) == (1, 12, 30, 30)


def test_a_score_vector_has_no_space_until_it_is_written_as_1x1() -> None:
    assert shape("linear", (1, 4), (10, 4)) == (1, 10)


def test_a_dense_layer_is_a_convolution_as_large_as_its_input() -> None:
    assert shape("conv", (1, 4, 3, 3), (10, 4, 3, 3)) == (1, 10, 1, 1)


def test_a_dense_layer_takes_one_size_and_a_convolution_any() -> None:
    for n in (5, 8):
        assert shape("conv", (1, 1, n, n), (1, 1, 3, 3)) == (1, 1, n - 2, n - 2)
    with pytest.raises(ValueError, match="weight"):
        shape("linear", (1, 64), (10, 25))


def test_one_convolution_of_mnist_has_20x12x12_features() -> None:
    maps = shape("conv", (10, 1, 28, 28), (20, 1, 5, 5))
    assert maps == (10, 20, 24, 24)
    assert shape("max_pool", maps, kernel_size=2) == (10, 20, 12, 12)
    assert 28 * 28 == 784


def test_a_second_one_has_40x4x4() -> None:
    maps = shape("conv", (10, 20, 12, 12), (40, 20, 5, 5))
    assert maps == (10, 40, 8, 8)
    assert shape("max_pool", maps, kernel_size=2) == (10, 40, 4, 4)


def test_the_two_dense_layers_of_mnist_have_79510_parameters() -> None:
    assert 784 * 100 + 100 + 100 * 10 + 10 == 79_510


def test_from_97_8_to_98_78_the_error_falls_by_45_percent() -> None:
    before, after = Fraction("2.2"), Fraction("1.22")
    assert round((before - after) / before, 3) == round(Fraction("0.445"), 3)


def test_four_shifts_and_the_original_are_five_times_as_many() -> None:
    assert 50_000 * (1 + 4) == 250_000


def test_one_pixel_is_no_image_of_28x28() -> None:
    """A picture replaced by one pixel has 1 number where the first layer needs 784."""
    with pytest.raises(ValueError, match="kernel 5"):
        shape("conv", (1, 1, 1, 1), (20, 1, 5, 5))


def test_a_picture_moved_by_one_pixel_is_one() -> None:
    image = numpy.arange(9).reshape(3, 3)
    moved = numpy.zeros_like(image)
    moved[:, 1:] = image[:, :-1]
    assert moved.shape == image.shape
    assert moved.tolist() == [[0, 0, 1], [0, 3, 4], [0, 6, 7]]


def test_an_epoch_of_50000_in_batches_of_10_is_5000_iterations() -> None:
    assert 50_000 // 10 == 5_000


def test_divided_by_a_fifth_or_a_half_a_rate_grows() -> None:
    assert Fraction("0.1") / Fraction("0.2") == Fraction(1, 2) > Fraction("0.1")
    assert Fraction("0.1") / Fraction("0.5") == Fraction(1, 5) > Fraction("0.1")


def test_multiplied_by_them_it_shrinks() -> None:
    assert Fraction("0.1") * Fraction("0.2") == Fraction(1, 50) < Fraction("0.1")


def test_dropout_removes_single_activations() -> None:
    x, mask = numpy.array([[1.0, 2.0, 3.0]]), numpy.array([[1, 0, 1]])
    assert dropout(x, mask, rate=0.5).tolist() == [[2.0, 0.0, 6.0]]


def test_deep_faces_maps() -> None:
    """152 -> 142 -> 71 -> 63 -> 55, where the pool keeps the last, incomplete window."""
    first = output_size(152, Window(11))
    pooled = output_size(first, Window(3, 2, ceil=True))
    second = output_size(pooled, Window(9))
    third = output_size(second, Window(9))
    assert (first, pooled, second, third) == (142, 71, 63, 55)


def test_without_the_incomplete_window_deep_face_pools_to_70() -> None:
    assert output_size(142, Window(3, 2)) == 70


def test_the_4096_features_are_the_seventh_layer() -> None:
    layers = ["conv", "max-pool", "conv", "local", "local", "local", "dense 4096", "dense 4030"]
    assert layers.index("dense 4096") + 1 == 7


def test_equal_filters_everywhere_make_a_local_layer_a_convolution() -> None:
    x, w = numpy.arange(5).reshape(1, 1, 5), numpy.array([[[2, 3]]])
    everywhere = numpy.broadcast_to(w[:, :, None], (1, 1, 4, 2))
    same(locally_connected(x, everywhere), OPERATIONS["conv"].definition(x, w))


def test_a_residual_connection_changes_nothing() -> None:
    """h(x) = x + (h(x) - x), for every h."""
    x = numpy.arange(-3, 4)
    for h in (numpy.square, numpy.abs, numpy.negative):
        same(x + (h(x) - x), h(x))


def test_five_halvings_leave_a_32nd() -> None:
    size = 224
    for _ in range(5):
        size = output_size(size, Window(2, 2))
    assert size == 224 // 32 == 7


def test_depth_grows_and_space_shrinks_where_nothing_is_padded() -> None:
    assert shape("conv", (1, 3, 9, 9), (8, 3, 3, 3)) == (1, 8, 7, 7)


def test_padded_and_with_fewer_kernels_it_is_the_other_way_round() -> None:
    assert shape("conv", (1, 3, 9, 9), (2, 3, 3, 3), padding="full") == (1, 2, 11, 11)


def test_225_halved_five_times_is_no_32nd() -> None:
    size = 225
    for _ in range(5):
        size = output_size(size, Window(2, 2))
    assert size == 7 != Fraction(225, 32)


def test_channels_are_no_layers() -> None:
    assert shape("conv", (1, 3, 5, 5), (64, 3, 3, 3)) == (1, 64, 3, 3)


def test_steps_to_one_percent_grow_as_the_rate_shrinks() -> None:
    """Descent on x^2 / 2, where a step multiplies x by 1 - rate: 1, 7 and 44 steps."""
    assert [steps(Fraction(rate)) for rate in ("1", "1/2", "1/10")] == [1, 7, 44]


def test_beyond_the_curvature_they_grow_again() -> None:
    assert steps(Fraction("19/10")) == 44 > steps(Fraction("1"))


def steps(rate: Fraction) -> int:
    x, taken = Fraction(1), 0
    while abs(x) > Fraction(1, 100):
        x, taken = x - rate * x, taken + 1
    return taken

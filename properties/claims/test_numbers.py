"""The documents' worked numbers, and the edges they are about."""

from __future__ import annotations

import numpy
import pytest

from convspec import conv, convolve, correlate
from convspec.window import Window, taps

from ..laws.statement import same

VERTICAL = numpy.array([[1, 0, -1]] * 3)
GREY = numpy.array([
    [3, 0, 1, 2, 7, 4],
    [1, 5, 8, 9, 3, 1],
    [2, 7, 2, 5, 1, 3],
    [0, 1, 3, 1, 7, 8],
    [4, 2, 1, 6, 2, 8],
    [2, 4, 5, 2, 3, 9],
])  # fmt: skip
HALVES = numpy.repeat([[10, 10, 10, 0, 0, 0]], 6, axis=0)
SOBEL = numpy.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def sliding(image: numpy.ndarray, kernel: numpy.ndarray) -> numpy.ndarray:
    return numpy.asarray(conv([[image]], [[kernel]])[0, 0])


def test_the_corner_of_the_grey_image_is_minus_5() -> None:
    """3 + 1 + 2 - 1 - 8 - 2 = -5."""
    assert sliding(GREY, VERTICAL)[0, 0] == -5


def test_with_a_flip_it_would_be_5() -> None:
    assert convolve(GREY, VERTICAL, "valid")[0, 0] == 5


def test_6x6_by_3x3_is_4x4() -> None:
    assert sliding(GREY, VERTICAL).shape == (4, 4)


def test_the_boundary_gives_30_and_everything_else_0() -> None:
    """10 and 0 in the halves, as in the lecture that the picture comes from: 3 * 10."""
    assert sliding(HALVES, VERTICAL).tolist() == [[0, 30, 30, 0]] * 4


@pytest.mark.parametrize("size", [6, 50])
def test_the_line_is_two_pixels_wide_however_large_the_image(size: int) -> None:
    image = numpy.repeat([[10] * (size // 2) + [0] * (size // 2)], 5, axis=0)
    assert numpy.count_nonzero(sliding(image, VERTICAL)[0]) == 2


def test_turned_by_90_degrees_the_filter_finds_horizontal_edges() -> None:
    turned = numpy.rot90(VERTICAL)
    assert not sliding(HALVES, turned).any()
    assert set(sliding(HALVES.T, turned).ravel().tolist()) - {0}


def test_a_flat_region_gives_zero() -> None:
    assert not sliding(numpy.full((5, 5), 7), SOBEL).any()


def test_zero_padding_makes_an_edge_of_a_flat_image() -> None:
    y = conv([[[[7, 7, 7]] * 3]], [[SOBEL]], padding=1)[0, 0]
    assert y[1].tolist() == [28, 0, -28]


def test_an_edge_with_unequal_sides_is_seen() -> None:
    assert sliding(numpy.array([[0, 0, 1]] * 3), SOBEL).tolist() == [[4]]


def test_a_line_with_equal_sides_is_not() -> None:
    assert sliding(numpy.array([[0, 1, 0]] * 3), SOBEL).tolist() == [[0]]


def test_a_feature_is_found_wherever_it_is() -> None:
    for r, c in numpy.ndindex(4, 4):
        image = numpy.zeros((6, 6), int)
        image[r : r + 3, c : c + 3] = SOBEL
        found = sliding(image, SOBEL)
        assert found[r, c] == (SOBEL**2).sum() == found.max()


def test_5x5_binary() -> None:
    image = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    kernel = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert sliding(numpy.array(image), numpy.array(kernel)).tolist() == [
        [4, 3, 4],
        [2, 4, 3],
        [2, 3, 4],
    ]


COUNTED = numpy.arange(1, 10).reshape(3, 3)
HORIZONTAL = numpy.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])


def test_3x3_same() -> None:
    wanted = [[-13, -20, -17], [-18, -24, -18], [13, 20, 17]]
    assert convolve(COUNTED, HORIZONTAL, "same").tolist() == wanted


def test_the_nine_products_of_its_corner() -> None:
    """h counted from its centre, column first: h[1, 1] meets x[-1, -1]."""
    total = 0
    for column, row in numpy.ndindex(3, 3):
        a, b = column - 1, row - 1
        inside = 0 <= -a < 3 and 0 <= -b < 3
        total += HORIZONTAL[1 + b, 1 + a] * (COUNTED[-b, -a] if inside else 0)
    assert total == 0 * 1 + 4 * (-2) + 5 * (-1) == -13


def test_without_the_turn_the_signs_change() -> None:
    assert correlate(COUNTED, HORIZONTAL, "same")[0, 0] == 13


def test_a_full_2x2_by_3x3_is_4x4() -> None:
    assert convolve(numpy.ones((2, 2)), numpy.ones((3, 3))).shape == (4, 4)


def test_same_and_valid_are_parts_of_full() -> None:
    full = convolve(COUNTED, HORIZONTAL)
    same(convolve(COUNTED, HORIZONTAL, "same"), full[1:4, 1:4])
    same(convolve(COUNTED, HORIZONTAL, "valid"), full[2:3, 2:3])


def test_channels_are_convolved_alone_and_added() -> None:
    rng = numpy.random.default_rng(0)
    image, kernel = rng.integers(-9, 10, (3, 5, 5)), rng.integers(-9, 10, (3, 2, 2))
    alone = [correlate(x, w, "valid") for x, w in zip(image, kernel, strict=True)]
    same(conv([image], [kernel])[0, 0], sum(alone))


def test_a_bias_is_added_once_and_not_for_every_kernel() -> None:
    assert conv([[[1], [1]]], [[[1], [1]]], [10]).tolist() == [[[12]]]


def test_a_larger_kernel_reads_pixels_further_away() -> None:
    for half in (0, 1, 2):
        window = Window(2 * half + 1, low=half, high=half)
        assert max(abs(a - 5) for _, a in taps(11, window, 5)) == half


def test_an_edge_pixel_is_at_no_centre() -> None:
    centres = {taps(5, Window(3), i)[1][1] for i in range(3)}
    assert centres == {1, 2, 3}


def test_with_padding_every_pixel_is() -> None:
    window = Window(3, low=1, high=1)
    centres = {a for i in range(5) for j, a in taps(5, window, i) if j == 1}
    assert centres == {0, 1, 2, 3, 4}


def test_96x96_has_89x89_patches_of_8x8_for_each_of_100_units() -> None:
    image, patches = numpy.zeros((1, 1, 96, 96), numpy.int8), numpy.zeros((100, 1, 8, 8), int)
    from convspec.convolution import conv_shape

    assert conv_shape(image.shape, patches.shape) == (1, 100, 89, 89)
    assert 96 - 8 + 1 == 89


def test_permuted_pixels_give_another_output() -> None:
    """Convolution does not see through a change of order: neighbours are part of its meaning."""
    order = [1, 0, 2]
    x, w = numpy.array([1, 2, 4]), numpy.array([1, 10])
    assert correlate(x[order], w, "valid").tolist() not in (
        correlate(x, w, "valid").tolist(),
        correlate(x, w, "valid")[::-1].tolist(),
    )


def test_a_dense_layer_does_not_care_about_the_order() -> None:
    order = [2, 0, 1]
    x, w = numpy.array([1, 2, 4]), numpy.array([[3, 5, 7]])
    assert (w[:, order] @ x[order]).tolist() == (w @ x).tolist()


LINE = numpy.array([[0, 0, 0], [0, 1, 1], [0, 1, 2]])
DIAGONAL = numpy.diag([4, 0, -4])


def test_one_becomes_minus_8_where_nothing_is_turned() -> None:
    """The picture is lost; these are the numbers of the one in common use."""
    assert correlate(LINE, DIAGONAL, "valid").tolist() == [[-8]]


def test_turned_it_becomes_8() -> None:
    assert convolve(LINE, DIAGONAL, "valid").tolist() == [[8]]


def test_cropped_output_cannot_be_undone() -> None:
    """5 x 5 to 2 x 2: 25 unknowns, 4 numbers; 1, 2 and 2, 1 have one sum."""
    assert conv([[[1, 2]]], [[[1, 1]]]).tolist() == conv([[[2, 1]]], [[[1, 1]]]).tolist()

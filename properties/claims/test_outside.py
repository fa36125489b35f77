"""What well-known teaching texts leave conditional, or get wrong."""

from __future__ import annotations

import numpy
import pytest

from convspec import conv, conv_transpose, convolve, max_pool
from convspec.window import Window, coverage, extent, output_size

from ..laws.statement import same


def test_with_same_padding_the_corner_is_still_read_less_often() -> None:
    """Three taps, padded by 1: the first pixel is read twice, the next three times."""
    assert coverage(5, Window(3, low=1, high=1)) == [2, 3, 3, 3, 2]


def test_only_full_padding_reads_all_pixels_equally() -> None:
    for pad in range(4):
        counted = coverage(5, Window(3, low=pad, high=pad))
        assert (len(set(counted)) == 1) == (pad >= 2)


def test_a_transposed_round_trip_keeps_the_shape_where_the_stride_divides() -> None:
    for n, k, s, p in ((10, 5, 3, 2), (9, 3, 2, 1), (7, 1, 3, 0)):
        assert (n + 2 * p - k) % s == 0
        y = conv(numpy.zeros((1, 1, n)), numpy.zeros((1, 1, k)), stride=s, padding=p)
        back = conv_transpose(y, numpy.zeros((1, 1, k)), stride=s, padding=p)
        assert back.shape[2] == n


def test_elsewhere_the_round_trip_loses_pixels() -> None:
    y = conv(numpy.zeros((1, 1, 2)), numpy.zeros((1, 1, 1)), stride=2)
    assert conv_transpose(y, numpy.zeros((1, 1, 1)), stride=2).shape[2] == 1


def test_an_odd_kernel_has_half_padding() -> None:
    for kernel in (1, 3, 5):
        assert output_size(7, Window(kernel, low=(kernel - 1) // 2, high=(kernel - 1) // 2)) == 7


def test_for_an_even_kernel_half_padding_loses_a_pixel() -> None:
    assert output_size(7, Window(2, low=(2 - 1) // 2, high=(2 - 1) // 2)) == 6


def test_a_moved_image_moves_the_map() -> None:
    """So what networks are called invariant to, they are equivariant to."""
    x = numpy.array([[[0, 0, 1, 0, 0, 0]]])
    moved = numpy.array([[[0, 0, 0, 1, 0, 0]]])
    w = numpy.array([[[1, 2]]])
    y, z = conv(x, w), conv(moved, w)
    assert y.tolist() != z.tolist()
    same(z[..., 1:], y[..., :-1])


def test_what_is_invariant_is_the_maximum_over_the_whole_map() -> None:
    w = numpy.array([[[1, 2]]])
    for place in range(1, 5):
        x = numpy.zeros((1, 1, 6), int)
        x[0, 0, place] = 1
        y = conv(x, w)
        assert max_pool(y, kernel_size=y.shape[2]).tolist() == [[[2]]]


def test_a_dilation_of_one_leaves_the_kernel_as_it_is() -> None:
    assert extent(Window(3, dilation=1)) == 3


def test_counted_from_zero_the_same_word_means_one_more() -> None:
    """'2-dilated' with zero holes at 0: two holes between taps, an extent of 7 instead of 5."""
    holes = 2
    assert extent(Window(3, dilation=holes + 1)) == 7 != extent(Window(3, dilation=holes))


def test_where_the_stride_divides_no_window_is_clipped() -> None:
    for n in range(1, 9):
        for k in range(1, n + 1):
            for s in (1, 2, 3):
                if (n - k) % s == 0:
                    windows = (Window(k, s), Window(k, s, ceil=True))
                    assert len({output_size(n, window) for window in windows}) == 1


def test_the_published_ceil_formula_counts_a_window_beyond_the_input() -> None:
    """n = 6, k = 1, s = 2, p = 0 with ceil: ceil(5 / 2) + 1 = 4, but the fourth begins at 6."""
    assert -(-(6 - 1) // 2) + 1 == 4
    assert output_size(6, Window(1, 2, ceil=True)) == 3
    assert 3 * 2 >= 6


def test_a_stride_that_does_not_divide_is_no_error() -> None:
    """10 pixels, 3 taps, stride 2: (10 - 3) / 2 + 1 = 4.5, and 4 windows fit."""
    assert (10 - 3) % 2 == 1
    assert conv(numpy.zeros((1, 1, 10)), numpy.zeros((1, 1, 3)), stride=2).shape[2] == 4


def test_what_it_costs_is_the_last_column() -> None:
    assert coverage(10, Window(3, 2)) == [1, 1, 2, 1, 2, 1, 2, 1, 1, 0]


def test_224_at_stride_4_with_11_taps_is_no_55() -> None:
    assert output_size(224, Window(11, 4)) == 54


def test_227_is() -> None:
    assert output_size(227, Window(11, 4)) == (227 - 11) // 4 + 1 == 55


def test_padding_of_the_emulating_convolution_is_k_minus_1_minus_p() -> None:
    for k in (1, 2, 3, 4):
        for p in range(k):
            x, w = numpy.arange(1, 6).reshape(1, 1, 5), numpy.arange(1, k + 1).reshape(1, 1, k)
            if 5 - 1 - 2 * p + k < 1:
                continue
            same(conv_transpose(x, w, padding=p), conv(x, w[..., ::-1], padding=k - 1 - p))


def test_beyond_k_minus_1_that_padding_is_negative() -> None:
    x, w = numpy.arange(1, 6).reshape(1, 1, 5), numpy.ones((1, 1, 1), int)
    assert conv_transpose(x, w, padding=1).tolist() == [[[2, 3, 4]]]
    with pytest.raises(ValueError, match="padding"):
        conv(x, w, padding=1 - 1 - 1)


def test_with_enough_zeros_a_product_of_transforms_is_the_convolution() -> None:
    f, g = numpy.array([1, 2, 3]), numpy.array([4, 5])
    transforms = numpy.fft.fft(f, 4) * numpy.fft.fft(g, 4)
    same(numpy.rint(numpy.fft.ifft(transforms).real).astype(int), convolve(f, g))


def test_without_them_the_ends_wrap_round() -> None:
    f, g = numpy.array([1, 2, 3]), numpy.array([4, 5])
    wrapped = numpy.rint(numpy.fft.ifft(numpy.fft.fft(f) * numpy.fft.fft(g, 3)).real)
    assert wrapped.tolist() == [4 + 15, 13, 22]
    assert convolve(f, g).tolist() == [4, 13, 22, 15]


def test_zeros_around_negative_numbers_would_win_the_maximum() -> None:
    padded = numpy.array([[[0, -3, -5, 0]]])
    assert max_pool(padded, kernel_size=2, stride=2).tolist() == [[[0, 0]]]


def test_padding_takes_no_part_in_a_maximum() -> None:
    x = numpy.array([[[-3, -5]]])
    assert max_pool(x, kernel_size=2, stride=2, padding=1).tolist() == [[[-3, -5]]]


def test_m_plus_n_products_do_for_a_kernel_of_rank_one() -> None:
    column, row = numpy.array([1, 2, 3]), numpy.array([4, 5])
    image = numpy.arange(30).reshape(5, 6)
    passes = convolve(convolve(image, column[:, None]), row[None])
    same(passes, convolve(image, numpy.outer(column, row)))


def test_for_others_no_two_passes_do() -> None:
    for column in numpy.ndindex(3, 3):
        for row in numpy.ndindex(3, 3):
            assert numpy.outer(column, row).tolist() != [[1, 0], [0, 1]]


def test_same_keeps_the_size_at_stride_one() -> None:
    for n in range(1, 7):
        assert conv([[[0] * n]], [[[1, 1]]], padding="same_upper").shape[2] == n


def test_same_at_stride_two_does_not() -> None:
    assert conv([[[0] * 4]], [[[1, 1]]], padding="same_upper", stride=2).shape[2] == 2

"""What convolution is: overlap, averages, indices, flips, and what is summed over what."""

from __future__ import annotations

import numpy
import pytest
import sympy

from convspec import conv, convolve, correlate, linear
from convspec.matrix import exact_matrix_of
from convspec.window import Window, coverage, output_size, start, taps

from ..laws.statement import same
from .proved import equal, proved, symbols


def test_the_convolution_of_two_indicators_counts_their_overlap() -> None:
    f, g = numpy.array([0, 1, 1, 1, 0]), numpy.array([1, 1])
    same(convolve(f, g), [0, 1, 2, 2, 1, 0])
    for t, value in enumerate(convolve(f, g)):
        turned = {t - j for j in range(2) if g[j]}
        assert value == len(turned & set(numpy.flatnonzero(f)))


def test_of_other_functions_it_is_no_area_of_overlap() -> None:
    """Both reach one position only, at height 2: the overlap has area 2, the convolution is 4."""
    assert convolve([2], [2]).tolist() == [4]


@proved
def test_an_indicator_divided_by_its_length_averages() -> None:
    x = symbols("x", (5,))
    averages = convolve(x, numpy.full(3, sympy.Rational(1, 3)), "valid")
    assert equal(averages, [sum(x[i : i + 3]) / 3 for i in range(3)])


def test_an_indicator_alone_sums() -> None:
    """The mean of 1 and 1 is 1; the indicator of two positions gives 2."""
    assert convolve([1, 1], [1, 1], "valid").tolist() == [2]


@proved
def test_convolution_commutes_for_all_values() -> None:
    f, g = symbols("f", (3, 2)), symbols("g", (2, 2))
    assert equal(convolve(f, g), convolve(g, f))


def test_the_kept_part_of_a_convolution_does_not_commute() -> None:
    """`same` keeps the size of the first operand; nor does correlation commute."""
    assert convolve([1, 2], [1], "same").shape != convolve([1], [1, 2], "same").shape
    assert correlate([1, 2], [1, 0]).tolist() != correlate([1, 0], [1, 2]).tolist()


def test_i_is_no_index_of_the_input() -> None:
    """One pixel and two taps have two outputs: i = 1 is no position of the input."""
    assert convolve([[1]], [[3, 4]]).tolist() == [[3, 4]]


@proved
def test_m_and_n_run_over_the_input_and_after_commuting_over_the_kernel() -> None:
    image, kernel = symbols("I", (2, 3)), symbols("K", (2, 2))

    def read(array: numpy.ndarray, *at: int) -> object:
        inside = all(0 <= a < n for a, n in zip(at, array.shape, strict=True))
        return array[at] if inside else 0

    for i, j in numpy.ndindex(3, 4):
        over_input = sum(
            image[m, n] * read(kernel, i - m, j - n) for m, n in numpy.ndindex(image.shape)
        )
        over_kernel = sum(
            read(image, i - m, j - n) * kernel[m, n] for m, n in numpy.ndindex(kernel.shape)
        )
        output = convolve(image, kernel)[i, j]
        assert equal([over_input, over_kernel], [output, output])


@proved
def test_the_sum_of_the_first_formula_is_convolve() -> None:
    f, g = symbols("f", (4,)), symbols("g", (3,))
    for n, value in enumerate(convolve(f, g)):
        terms = [f[n - m] * g[m] for m in range(3) if 0 <= n - m < 4]
        assert equal([value], [sum(terms)])


@proved
def test_indices_from_one_give_the_part_inside() -> None:
    """y_ij = sum w_uv x_(i-u+1, j-v+1) with indices from 1, for U <= i <= M and V <= j <= N."""
    x, w = symbols("x", (4, 3)), symbols("w", (2, 2))
    inside = convolve(x, w, "valid")
    for i in range(2, 5):
        for j in range(2, 4):
            terms = [w[u - 1, v - 1] * x[i - u, j - v] for u in range(1, 3) for v in range(1, 3)]
            assert equal([inside[i - 2, j - 2]], [sum(terms)])


@proved
def test_a_correlation_is_a_convolution_with_the_turned_kernel_for_all_values() -> None:
    x, w = symbols("x", (3, 3)), symbols("w", (2, 2))
    assert equal(correlate(x, w, "valid"), convolve(x, numpy.rot90(w, 2), "valid"))
    assert equal(correlate(x, w), convolve(x, numpy.rot90(w, 2)))


@proved
def test_what_networks_call_convolution_correlates() -> None:
    x, w = symbols("x", (3, 4)), symbols("w", (2, 2))
    assert equal(conv([[x]], [[w]])[0, 0], correlate(x, w, "valid"))


@proved
def test_a_layer_sums_over_input_maps_and_adds_one_bias_a_map() -> None:
    """Z^p = sum_d W^(p,d) correlated with X^d, plus b^p."""
    x, w, b = symbols("x", (1, 2, 3)), symbols("w", (2, 2, 2)), symbols("b", (2,))
    for p in range(2):
        summed = sum(correlate(x[0, d], w[p, d], "valid") for d in range(2))
        assert equal(conv(x, w, b)[0, p], summed + b[p])


def test_the_sum_over_maps_does_not_run_over_positions() -> None:
    """Two maps of one pixel: to sum over the one overlapping position leaves the second map out."""
    assert conv([[[3], [4]]], [[[1], [1]]]).tolist() == [[[7]]]


@proved
def test_the_sum_runs_over_the_connected_input_maps() -> None:
    """M_j chooses input maps: with zero weights elsewhere the layer sums over those it names."""
    x, w = symbols("x", (1, 3, 3)), symbols("w", (1, 3, 2))
    w[0, 1] = 0
    summed = sum(correlate(x[0, i], w[0, i], "valid") for i in (0, 2))
    assert equal(conv(x, w)[0, 0], summed)


@proved
def test_the_operation_is_the_sum_of_products_of_elements() -> None:
    x, w = symbols("x", (2, 2)), symbols("w", (2, 2))
    assert equal(conv([[x]], [[w]])[0, 0], [[(x * w).sum()]])


def test_it_is_no_product_of_matrices() -> None:
    """The product of the two matrices sums to 2, the products of their elements to 1."""
    window, kernel = numpy.array([[1, 1], [0, 0]]), numpy.array([[1, 0], [1, 0]])
    assert (window @ kernel).sum() == 2
    assert conv([[window]], [[kernel]]).tolist() == [[[[1]]]]


@proved
def test_a_dense_layer_is_a_product_with_a_matrix_of_m_n_weights() -> None:
    x, w = symbols("x", (1, 3)), symbols("w", (2, 3))
    assert equal(linear(x, w)[0], w @ x[0])
    assert w.size == 2 * 3


@proved
def test_a_dense_layer_uses_every_weight_once() -> None:
    """Numbered weights: each stands at one place of the matrix that takes inputs to outputs."""
    weight = numpy.arange(1, 7).reshape(2, 3)
    matrix = exact_matrix_of("linear", "input", (1, 3), weight=weight)
    assert sorted(numpy.ravel(matrix)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 2), (5, 3), (2, 4)])
def test_with_full_padding_every_tap_meets_every_pixel(n: int, k: int) -> None:
    window = Window(k, low=k - 1, high=k - 1)
    met = {pair for i in range(output_size(n, window)) for pair in taps(n, window, i)}
    assert met == {(j, a) for j in range(k) for a in range(n)}


def test_without_padding_the_first_tap_misses_the_last_pixel() -> None:
    met = {pair for i in range(output_size(2, Window(2))) for pair in taps(2, Window(2), i)}
    assert (0, 1) not in met


def test_the_window_moves_right_and_down_only() -> None:
    """Every start is one stride beyond the one before it."""
    for stride in (1, 2, 3):
        starts = [start(Window(3, stride), i) for i in range(4)]
        assert starts == sorted(starts)
        assert numpy.diff(starts).tolist() == [stride] * 3


def test_there_is_nothing_to_the_left_of_the_first_window() -> None:
    """From the upper left corner a step to the left reads position -1, which does not exist."""
    assert start(Window(3), 0) - 1 == -1


def test_pixels_near_the_edge_are_read_less_often() -> None:
    assert coverage(5, Window(3)) == [1, 2, 3, 2, 1]


@pytest.mark.parametrize(("n", "k"), [(1, 3), (4, 2), (5, 3), (3, 5)])
def test_full_padding_reads_every_pixel_k_times(n: int, k: int) -> None:
    assert coverage(n, Window(k, low=k - 1, high=k - 1)) == [k] * n


def test_one_input_pixel_meets_one_to_nine_weights() -> None:
    """The corner of a 5x5 image meets one of the nine weights, the centre all of them."""
    along = coverage(5, Window(3))
    assert numpy.outer(along, along)[0, 0] == 1
    assert numpy.outer(along, along)[2, 2] == 9


def test_nine_weights_make_all_the_outputs() -> None:
    matrix = exact_matrix_of(
        "conv", "input", (1, 1, 5, 5), weight=[[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]
    )
    assert set(numpy.ravel(matrix)) - {0} == set(range(1, 10))
    assert numpy.shape(matrix) == (9, 25)


def test_a_palindromic_kernel_does_not_show_the_flip() -> None:
    kernel = numpy.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    image = numpy.arange(25).reshape(5, 5)
    same(convolve(image, kernel, "valid"), correlate(image, kernel, "valid"))


def test_the_first_window_of_a_full_sum_holds_one_pixel() -> None:
    """The kernel's last tap on the image's first pixel."""
    window = Window(3, low=2, high=2)
    assert taps(2, window, 0) == [(2, 0)]
    assert output_size(2, window) == 4


def test_a_wider_kernel_or_a_stride_reads_the_edge_as_often_or_more() -> None:
    assert coverage(3, Window(3)) == [1, 1, 1]
    assert coverage(5, Window(1, 2)) == [1, 0, 1, 0, 1]


def test_a_true_full_convolution_begins_with_the_first_tap() -> None:
    assert convolve([1, 2], [3, 4, 5])[0] == 1 * 3
    assert correlate([1, 2], [3, 4, 5])[0] == 1 * 5


def test_t_is_what_a_convolution_is_a_function_of() -> None:
    """h = x * w has a value for each position t, not for each value of x."""
    h = convolve([1, 1], [3, 4])
    assert [int(h[t]) for t in range(3)] == [3, 7, 4]


def test_equal_values_of_x_have_different_values_of_h() -> None:
    """x is 1 at both positions, and h is 3 and 7 there: no function h(x)."""
    x, h = [1, 1], convolve([1, 1], [3, 4])
    assert x[0] == x[1]
    assert h[0] != h[1]


def test_a_wide_correlation_is_a_narrow_one_of_the_padded_input() -> None:
    x, w = numpy.array([1, 2, 3]), numpy.array([4, 5])
    same(correlate(x, w), correlate(numpy.pad(x, 1), w, "valid"))


def test_the_strongest_response_among_windows_of_one_length_is_the_kernels_own() -> None:
    """(3, 4), (4, 3), (5, 0) and (0, 5) have length 5: (3, 4) answers itself with 25."""
    windows = numpy.array([[[3, 4]], [[4, 3]], [[5, 0]], [[0, 5]]])
    assert conv(windows, [[[3, 4]]]).ravel().tolist() == [25, 24, 15, 20]


def test_a_brighter_window_answers_more_than_the_kernels_own() -> None:
    assert conv([[[1, 2, 9]]], [[[1, 2]]]).tolist() == [[[5, 20]]]

"""Transposed convolution, deconvolution, checkerboards and resize-convolution."""

from __future__ import annotations

import numpy
import pytest
import sympy

from convspec import conv, conv_transpose, convolve, insert_zeros, resize_conv, upsample
from convspec.matrix import exact_matrix_of
from convspec.window import Window, output_size, receptive_field, taps

from ..laws.statement import same
from .proved import equal, proved, symbols


def overlap(size: int, kernel: int, stride: int) -> list[int]:
    """How many inputs reach each output of a transposed convolution."""
    ones = conv_transpose(
        numpy.ones((1, 1, size), int), numpy.ones((1, 1, kernel), int), stride=stride
    )
    return [int(count) for count in ones[0, 0]]


def inside(counts: list[int], margin: int) -> list[int]:
    return counts[margin:-margin]


@proved
def test_every_pixel_spreads_its_kernel_and_overlaps_are_added() -> None:
    """9 values a pixel, set down two apart: that is the transposed convolution itself."""
    x, w = symbols("x", (1, 1, 2, 2)), symbols("w", (1, 1, 3, 3))
    spread = numpy.zeros((5, 5), dtype=object)
    for r, c in numpy.ndindex(2, 2):
        spread[2 * r : 2 * r + 3, 2 * c : 2 * c + 3] += x[0, 0, r, c] * w[0, 0]
    assert equal(conv_transpose(x, w, stride=2)[0, 0], spread)


def test_it_is_what_the_text_says_it_is_not() -> None:
    """One pixel of 1: the nine values are the kernel, and so is the transposed convolution."""
    w = numpy.arange(1, 10).reshape(1, 1, 3, 3)
    same(conv_transpose([[[[1]]]], w, stride=2), w)


def test_it_does_not_restore_the_values() -> None:
    x = numpy.array([[[1, 2, 3]]])
    w = numpy.array([[[1, 1]]])
    assert conv_transpose(conv(x, w), w).tolist() == [[[3, 8, 5]]]


def test_it_restores_the_size_where_the_stride_divides() -> None:
    for size in range(3, 12):
        for stride in (1, 2, 3):
            y = conv(numpy.zeros((1, 1, size)), numpy.zeros((1, 1, 3)), stride=stride)
            back = conv_transpose(y, numpy.zeros((1, 1, 3)), stride=stride)
            assert (back.shape[2] == size) == ((size - 3) % stride == 0)


def test_five_and_six_pixels_become_the_same_two() -> None:
    """So one of them does not come back: from 6 pixels at stride 2 the way back leads to 5."""
    w = numpy.zeros((1, 1, 3))
    assert conv(numpy.zeros((1, 1, 5)), w, stride=2).shape[2] == 2
    assert conv(numpy.zeros((1, 1, 6)), w, stride=2).shape[2] == 2
    assert conv_transpose(numpy.zeros((1, 1, 2)), w, stride=2).shape[2] == 5


@proved
def test_it_is_an_ordinary_convolution_of_a_padded_spread_input() -> None:
    x, w = symbols("x", (1, 1, 2, 2)), symbols("w", (1, 1, 3, 3))
    spread = insert_zeros(x, count=1)
    assert equal(conv_transpose(x, w, stride=2), conv(spread, w[..., ::-1, ::-1], padding=2))


@proved
def test_at_stride_1_it_is_the_full_convolution() -> None:
    x, w = symbols("x", (1, 1, 3)), symbols("w", (1, 1, 2))
    assert equal(conv_transpose(x, w)[0, 0], convolve(x[0, 0], w[0, 0]))


def test_at_stride_2_it_is_not() -> None:
    assert conv_transpose([[[1, 1]]], [[[1]]], stride=2).shape[2] == 3
    assert convolve([1, 1], [1]).shape == (2,)


def test_it_usually_enlarges() -> None:
    """Exactly where (n - 1)(s - 1) + k - 1 exceeds what the padding crops."""
    for n, k, s, p in numpy.ndindex(5, 4, 3, 3):
        n, k, s = n + 1, k + 1, s + 1
        size = (n - 1) * s + k - 2 * p
        if size >= 1:
            y = conv_transpose(numpy.zeros((1, 1, n)), numpy.zeros((1, 1, k)), stride=s, padding=p)
            assert y.shape[2] == size
            assert (size > n) == ((n - 1) * (s - 1) + k - 1 > 2 * p)


def test_cropped_it_can_shrink() -> None:
    """Three pixels, one tap, one cropped on either side: one pixel."""
    y = conv_transpose(numpy.zeros((1, 1, 3)), numpy.zeros((1, 1, 1)), padding=1)
    assert y.shape[2] == 1


def test_2x2_by_4x4_at_stride_3() -> None:
    """A pixel becomes 1 + 4 - 1 = 4 wide; row 1, column 4 adds red's (1, 4) and green's (1, 1)."""
    kernel = numpy.arange(16).reshape(1, 1, 4, 4) + 1
    red, green = 100, 1
    y = conv_transpose([[[[red, green], [0, 0]]]], kernel, stride=3)[0, 0]
    assert y.shape == (7, 7)
    assert y[0, 3] == red * kernel[0, 0, 0, 3] + green * kernel[0, 0, 0, 0]
    assert convolve([[red]], kernel[0, 0]).shape == (4, 4)


def test_3x3_spread_to_7x7_and_reduced_to_5x5() -> None:
    spread = numpy.pad(insert_zeros(numpy.ones((1, 1, 3, 3)), count=1)[0, 0], 1)
    assert spread.shape == (7, 7)
    assert conv([[spread]], numpy.ones((1, 1, 3, 3))).shape == (1, 1, 5, 5)


def test_full_convolution_enlarges_by_k_minus_1() -> None:
    for n in range(1, 6):
        for k in range(1, 5):
            assert convolve([0] * n, [0] * k).size == n + k - 1


@pytest.mark.parametrize(("kernel", "stride", "pattern"), [(3, 2, {1, 2}), (5, 2, {2, 3})])
def test_an_undivided_kernel_overlaps_unevenly(kernel: int, stride: int, pattern: set[int]) -> None:
    assert set(inside(overlap(9, kernel, stride), kernel)) == pattern


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (3, 3), (6, 3)])
def test_a_kernel_that_the_stride_divides_overlaps_evenly(kernel: int, stride: int) -> None:
    assert set(inside(overlap(9, kernel, stride), kernel)) == {kernel // stride}


def test_in_the_plane_unevenness_is_squared() -> None:
    along = inside(overlap(9, 3, 2), 3)
    plane = numpy.outer(along, along)
    w = numpy.ones((1, 1, 3, 3), int)
    whole = conv_transpose(numpy.ones((1, 1, 9, 9), int), w, stride=2)[0, 0]
    same(whole[3:-3, 3:-3], plane)
    assert max(along) / min(along) == 2
    assert plane.max() / plane.min() == 2**2


def test_the_outputs_are_not_twice_and_four_times_as_many() -> None:
    """Stride 2, size 3, one pixel: 3 outputs, not 2; in the plane 9, not 4."""
    assert len(overlap(1, 3, 2)) == 3


def test_some_outputs_have_twice_and_four_times_as_many_inputs_as_others() -> None:
    along = inside(overlap(9, 3, 2), 3)
    assert sorted(set(along)) == [1, 2]
    assert sorted(set(numpy.outer(along, along).ravel().tolist())) == [1, 2, 4]


def test_a_stack_repeats_the_pattern_on_more_scales() -> None:
    """Two layers of stride 2 and size 3: the pattern has period 4, not 2."""
    once = numpy.array(overlap(20, 3, 2))[None, None]
    twice = conv_transpose(once, numpy.ones((1, 1, 3), int), stride=2)[0, 0][12:-12]
    same(twice[4:], twice[:-4])
    assert (twice[2:] != twice[:-2]).any()


def test_the_printed_matrix_has_three_weights_at_stride_two() -> None:
    """Rows (a c), (b), (a c), (b): every input reaches three outputs, and 2 does not divide 3."""
    a, b, c = 2, 3, 5
    matrix = numpy.array(
        exact_matrix_of("conv_transpose", "input", (1, 1, 3), weight=[[[a, b, c]]], stride=2)
    )
    assert matrix[2:5].tolist() == [[c, a, 0], [0, b, 0], [0, c, a]]
    assert [sorted(filter(None, column)) for column in matrix.T.tolist()] == [[a, b, c]] * 3
    assert set(inside(overlap(9, 3, 2), 3)) == {1, 2}


def test_with_two_weights_at_stride_two_nothing_overlaps() -> None:
    """[[a, 0], [c, b]] needs a kernel of 2 or 4 taps for an even overlap at stride 2."""
    assert set(inside(overlap(9, 2, 2), 2)) == {1}
    assert set(inside(overlap(9, 4, 2), 4)) == {2}


@proved
def test_a_convolution_of_a_sum_is_the_sum_of_convolutions() -> None:
    a, b, c = symbols("a", (4,)), symbols("b", (4,)), symbols("c", (2,))
    assert equal(convolve(a + b, c), convolve(a, c) + convolve(b, c))


@proved
def test_nearest_resize_convolution_for_all_values() -> None:
    """Rows (a + b, c) and (a, b + c): the deconvolution's rows, and the same moved down by one."""
    a, b, c = sympy.symbols("a b c")
    x = symbols("x", (1, 1, 4))
    weight = numpy.array([[[a, b, c]]], dtype=object)
    y = resize_conv(x, weight, scale=2, kind="nearest", padding=1)[0, 0]
    for j in range(1, 3):
        before, here, after = x[0, 0, j - 1 : j + 2]
        assert equal([y[2 * j + 1]], [(a + b) * here + c * after])
        assert equal([y[2 * j]], [a * before + (b + c) * here])
        assert equal([y[2 * j + 1]], [(a * here + c * after) + b * here])
        assert equal([y[2 * j]], [b * here + (a * before + c * here)])


@proved
def test_linear_resize_convolution_for_all_values() -> None:
    """Rows (a + b/2, c + b/2) and (a/2, b + c/2 + a/2, c/2), where x stands at even positions."""
    a, b, c = sympy.symbols("a b c")
    x = symbols("x", (1, 1, 4))
    weight = numpy.array([[[a, b, c]]], dtype=object)
    u = upsample(x, scale=2, kind="linear", coordinates="asymmetric")
    y = conv(u, weight, padding=1)[0, 0]
    for j in range(1, 3):
        before, here, after = x[0, 0, j - 1 : j + 2]
        odd = (a + b / 2) * here + (c + b / 2) * after
        even = a / 2 * before + (b + c / 2 + a / 2) * here + c / 2 * after
        assert equal([y[2 * j]], [even])
        if j < 2:
            assert equal([y[2 * j + 1]], [odd])


def test_a_resize_convolution_ties_weights() -> None:
    """Nearest, three taps: two different rows, of sums of the same three weights."""
    x = numpy.eye(4, dtype=int)[:, None]
    y = resize_conv(x, [[[1, 10, 100]]], scale=2, kind="nearest", padding=1)
    rows = {tuple(sorted(filter(None, row))) for row in y[:, 0].T.tolist()[2:-2]}
    assert rows == {(1, 110), (11, 100)}


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_stack_sees_two_more_pixels_a_layer(depth: int) -> None:
    assert receptive_field([Window(3)] * depth).size == 2 * depth + 1


def test_after_a_stride_the_next_layer_sees_more() -> None:
    assert receptive_field([Window(3, stride=2), Window(3)]).size == 7
    assert receptive_field([Window(3), Window(3)]).size == 5


def test_deep_enough_a_stack_sees_everything() -> None:
    """Fifteen layers of 3x3 see 31 pixels, so more than a 28x28 image has."""
    assert receptive_field([Window(3)] * 14).size >= 28


def test_one_layer_does_not_see_everything() -> None:
    assert receptive_field([Window(3)]).size == 3 < 28


def test_a_dilated_kernel_sees_further_with_as_many_weights() -> None:
    weight = numpy.ones((1, 1, 3, 3), int)
    y = conv(numpy.eye(25, dtype=int).reshape(25, 1, 5, 5), weight, dilation=2)
    assert y.shape[2:] == (1, 1)
    assert int(y.sum()) == weight.size == 9
    assert receptive_field([Window(3, dilation=2)]).size == 5


def test_a_5x5_kernel_without_every_second_row_and_column_is_the_dilated_one() -> None:
    rng = numpy.random.default_rng(0)
    kernel, image = rng.integers(-9, 10, (5, 5)), rng.integers(-9, 10, (7, 7))
    kernel[1::2], kernel[:, 1::2] = 0, 0
    same(conv([[image]], [[kernel]]), conv([[image]], [[kernel[::2, ::2]]], dilation=2))


def test_strides_and_dilation_leave_the_count_of_products_an_output_alone() -> None:
    for stride in (1, 2):
        for dilation in (1, 2, 3):
            window = Window(3, stride, dilation=dilation)
            read = [len(taps(20, window, i)) for i in range(output_size(20, window))]
            assert set(read) == {3}


def _printed() -> tuple[sympy.Matrix, sympy.Matrix, sympy.Matrix, sympy.Matrix]:
    """The original, half of it one row lower, half of it one row higher, and the whole."""
    a, b, c = sympy.symbols("a b c")
    half = sympy.Rational(1, 2)
    original = sympy.Matrix([[a, c, 0], [0, b, 0], [0, a, c], [0, 0, b]])
    lower = half * sympy.Matrix([[b, 0, 0], [a, c, 0], [0, b, 0], [0, a, c]])
    higher = half * sympy.Matrix([[0, b, 0], [0, a, c], [0, 0, b], [0, 0, a]])
    whole = sympy.Matrix(
        [
            [a + b / 2, c + b / 2, 0],
            [a / 2, b + a / 2 + c / 2, c / 2],
            [0, a + b / 2, c + b / 2],
            [0, a / 2, b + a / 2 + c / 2],
        ]
    )
    return original, lower, higher, whole


def test_the_two_printed_increments_are_the_same_and_do_not_add_up() -> None:
    original, lower, _, whole = _printed()
    assert sympy.expand(original + 2 * lower - whole) != sympy.zeros(4, 3)


@proved
def test_with_the_second_increment_one_row_higher_they_do() -> None:
    original, lower, higher, whole = _printed()
    assert sympy.expand(original + lower + higher - whole) == sympy.zeros(4, 3)


def test_the_last_row_sent_to_the_first_is_another_row() -> None:
    a = [["a", "c", 0], [0, "b", 0], [0, "a", "c"], [0, 0, "b"]]
    lower = [["b", 0, 0], ["a", "c", 0], [0, "b", 0], [0, "a", "c"]]
    assert lower[1:] == a[:-1]
    assert lower[0] != a[-1]


def test_its_columns_have_to_turn_as_well() -> None:
    last = [0, 0, "b"]
    assert last[-1:] + last[:-1] == ["b", 0, 0]


def test_an_output_of_a_deconvolution_has_two_inputs() -> None:
    y = conv_transpose(numpy.eye(2, dtype=int)[:, None], [[[1, 2, 3]]], stride=2)[:, 0]
    assert numpy.count_nonzero(y[:, 2]) == 2


def test_its_entries_are_its_own() -> None:
    """Between neighbouring windows of outputs no entry is shared by a condition: three weights,
    three different entries.
    """
    y = conv_transpose([[[1]]], [[[1, 2, 3]]], stride=2)
    assert y.tolist() == [[[1, 2, 3]]]


@proved
def test_the_printed_two_by_two_matrices_are_each_others_transposes() -> None:
    a, b, c = sympy.symbols("a b c")
    assert sympy.Matrix([[a, c], [0, b]]) == sympy.Matrix([[a, 0], [c, b]]).T


@pytest.mark.parametrize("kind", ["nearest", "linear"])
def test_resized_ones_stay_even(kind: str) -> None:
    y = resize_conv(numpy.ones((1, 1, 5)), numpy.ones((1, 1, 3)), scale=2, kind=kind)
    assert set(y.ravel().tolist()) == {3.0}

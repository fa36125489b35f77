"""Sizes, for all integers: arguments by residues instead of examples, and where the formulas need
their floors.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from convspec import conv, max_pool
from convspec.window import (
    Window,
    coverage,
    extent,
    output_size,
    reach,
    start,
    transposed_size,
)

from .proved import floor, integers, proved

i, k, p, s, q, n, d, m = integers("i k p s q n d m")


def formula(size: int, kernel: int, padding: int, stride: int) -> Fraction:
    """(M - K + 2 P) / S + 1, as the documents print it."""
    return Fraction(size - kernel + 2 * padding, stride) + 1


def places(size: object, kernel: object, padding: object) -> object:
    """At stride 1: the starts from -p to n + p - k, where the kernel fits into the padded row."""
    first, last = -padding, size + padding - kernel
    return last - first + 1


def test_places_are_the_windows_that_fit() -> None:
    for size in range(1, 9):
        for kernel in range(1, 6):
            for padding in range(4):
                starts = range(-padding, size + padding - kernel + 1)
                assert max(0, places(size, kernel, padding)) == len(starts)
                if starts:
                    assert output_size(size, Window(kernel, 1, padding, padding)) == len(starts)


def test_a_kernel_that_does_not_fit_has_no_size() -> None:
    """i = 2, k = 3: the formula gives 0, and there is no call."""
    assert places(2, 3, 0) == 0
    with pytest.raises(ValueError, match="extent 3 exceeds the padded input"):
        output_size(2, Window(3))


@proved
def test_relationship_1() -> None:
    assert sympy.expand(places(i, k, 0) - ((i - k) + 1)) == 0


@proved
def test_relationship_2() -> None:
    assert sympy.expand(places(i, k, p) - ((i - k) + 2 * p + 1)) == 0


@proved
def test_relationship_3_for_every_odd_kernel() -> None:
    half = floor(2 * n + 1, 2, 1, n)
    assert sympy.expand(places(i, 2 * n + 1, half) - i) == 0


@proved
def test_relationship_4() -> None:
    assert sympy.expand(places(i, k, k - 1) - (i + (k - 1))) == 0


def test_as_printed_relationships_5_and_6_give_half_a_pixel() -> None:
    """|(4 - 3) / 2| + 1 and |(4 + 2 - 3) / 2| + 1."""
    assert abs(Fraction(4 - 3, 2)) + 1 == Fraction(3, 2)
    assert abs(Fraction(4 + 2 - 3, 2)) + 1 == Fraction(5, 2)


@proved
@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5])
def test_relationships_5_and_6_with_a_floor(stride: int) -> None:
    """Window j starts at j s and fits while j s <= i + 2 p - k.  Where that room is s q + r, with
    0 <= r < s, the last is j = q: q s <= s q + r < (q + 1) s.  The residues are all there are.
    """
    for residue in range(stride):
        room = stride * q + residue
        last = floor(room, stride, residue, q)
        assert sympy.simplify(room - last * stride) == residue >= 0
        assert sympy.simplify((last + 1) * stride - room) == stride - residue > 0


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_the_size_is_what_the_formula_floors_to(stride: int) -> None:
    for size in range(1, 12):
        for kernel in range(1, size + 3):
            found = output_size(size, Window(kernel, stride, 1, 1))
            assert found == formula(size, kernel, 1, stride) // 1


def test_without_a_floor_it_holds_where_the_stride_divides() -> None:
    for size in range(1, 12):
        for kernel in range(1, size + 1):
            for stride in (1, 2, 3):
                if (size - kernel) % stride == 0:
                    window = Window(kernel, stride)
                    assert output_size(size, window) == formula(size, kernel, 0, stride)


def test_without_a_floor_two_pixels_at_stride_two_are_one_and_a_half() -> None:
    assert formula(2, 1, 0, 2) == Fraction(3, 2)
    assert conv([[[1, 1]]], [[[1]]], stride=2).shape == (1, 1, 1)


@pytest.mark.parametrize(("i_", "k_", "s_", "p_", "o"), [
    (4, 3, 1, 0, 2),
    (5, 4, 1, 2, 6),
    (5, 3, 1, 1, 5),
    (5, 3, 1, 2, 7),
    (5, 3, 2, 0, 2),
    (5, 3, 2, 1, 3),
    (6, 3, 2, 1, 3),
])  # fmt: skip
def test_the_figures_of_the_guide(i_: int, k_: int, s_: int, p_: int, o: int) -> None:
    """Figures 2.1 to 2.7: 4 -> 2, 5 -> 6, 5 -> 5, 5 -> 7, 5 -> 2, 5 -> 3, 6 -> 3."""
    assert output_size(i_, Window(k_, s_, p_, p_)) == o


def test_in_figure_2_7_the_last_padded_row_is_not_covered() -> None:
    """Six pixels padded by 1: positions -1 to 6, of which the last window reads up to 5."""
    window = Window(3, 2, 1, 1)
    padded = range(-1, 7)
    outputs = range(output_size(6, window))
    assert reach(window, padded, outputs) == range(-1, 6)


def test_one_more_than_the_steps_to_the_right_edge() -> None:
    """Two steps of one, or one step of two: sizes 3 and 2."""
    assert output_size(5, Window(3)) == 1 + 2
    assert output_size(5, Window(3, stride=2)) == 1 + 1


@proved
def test_narrow_wide_and_equal_width() -> None:
    assert places(m, k, 0) == m - k + 1
    assert sympy.expand(places(m, k, k - 1)) == m + k - 1
    assert sympy.expand(places(m, 2 * n + 1, sympy.Rational(1, 2) * (2 * n))) == m


@proved
def test_no_padding_of_both_sides_keeps_the_size_of_an_even_kernel() -> None:
    """m + 2 p - 2 n + 1 = m asks for 2 p = 2 n - 1, which is odd."""
    side = sympy.Symbol("side")
    (needed,) = sympy.solve(sympy.Eq(places(m, 2 * n, side), m), side)
    assert sympy.expand(2 * needed) == 2 * n - 1
    assert (2 * n - 1).is_odd


def test_the_smallest_even_kernel_has_no_equal_width() -> None:
    sizes = [output_size(3, Window(2, low=pad, high=pad)) for pad in range(4)]
    assert sizes == [2, 4, 6, 8]


def test_half_padding_keeps_the_size() -> None:
    for kernel in (1, 3, 5, 7):
        assert output_size(9, Window(kernel, low=kernel // 2, high=kernel // 2)) == 9


def test_half_padding_at_stride_two_does_not_keep_it() -> None:
    assert output_size(2, Window(3, 2, 1, 1)) == 1


@proved
def test_without_padding_a_kernel_above_one_loses_k_minus_1() -> None:
    assert sympy.expand(i - places(i, k, 0)) == k - 1


def test_a_stride_divides_the_size_where_it_can() -> None:
    """With `same` padding ceil(n / s), which is n / s exactly where s divides n."""
    for size in range(1, 13):
        for stride in (1, 2, 3):
            x = [[[0] * size]]
            y = conv(x, [[[1, 1, 1]]], stride=stride, padding="same_upper")
            assert y.shape[2] == -(-size // stride)
            assert (y.shape[2] * stride == size) == (size % stride == 0)


def test_five_pixels_at_stride_two_are_no_half() -> None:
    assert conv([[[0] * 5]], [[[1, 1, 1]]], stride=2).shape[2] == 2 != Fraction(5, 2)


@proved
@pytest.mark.parametrize("window", [1, 2, 3, 4, 5])
def test_in_ceil_mode_windows_that_do_not_overlap_are_ceil_n_over_d(window: int) -> None:
    """n = d q - r with 0 <= r < d: q windows begin before n, since (q - 1) d < n <= q d."""
    for missing in range(window):
        size = window * q - missing
        assert sympy.expand(size - (q - 1) * window) == window - missing > 0
        assert sympy.expand(q * window - size) == missing >= 0


def test_ceil_mode_rounds_up() -> None:
    for size in range(1, 20):
        for window in range(1, size + 1):
            pooled = Window(window, window, ceil=True)
            assert output_size(size, pooled) == -(-size // window)


def test_without_ceil_mode_the_rest_is_left_out() -> None:
    assert max_pool([[[1, 2, 3]]], kernel_size=2).shape == (1, 1, 1)


@proved
def test_a_dilated_kernel_spans_d_times_k_minus_1_plus_1() -> None:
    """k taps have k - 1 gaps of d positions, and the last tap stands on one more."""
    assert sympy.expand((k - 1) * d + 1 - (k + (k - 1) * (d - 1))) == 0
    assert extent(Window(3, dilation=2)) == 5


@proved
def test_zeros_between_and_a_wide_kernel() -> None:
    """M elements and D zeros in each of M - 1 gaps, then K - 1 more: (D + 1)(M - 1) + K."""
    spread = m + d * (m - 1)
    assert sympy.expand(places(spread, k, k - 1) - ((d + 1) * (m - 1) + k)) == 0


def test_zeros_between_and_a_narrow_kernel_are_fewer() -> None:
    """M = 2, D = 1, K = 2: three elements, and a narrow kernel leaves 2 of the promised 4."""
    assert conv([[[1, 0, 1]]], [[[1, 1]]]).shape[2] == 2 != (1 + 1) * (2 - 1) + 2


def test_a_transposed_convolution_has_in_minus_1_times_s_plus_k() -> None:
    """The last of m kernels begins at (m - 1) s and has k elements."""
    assert transposed_size(2, Window(4, 3)) == (2 - 1) * 3 + 4 == 7
    for size in range(1, 5):
        for kernel in range(1, 5):
            for stride in range(1, 4):
                found = transposed_size(size, Window(kernel, stride))
                assert found == (size - 1) * stride + kernel


def test_full_same_and_valid() -> None:
    for size in range(1, 8):
        for kernel in range(1, size + 1):
            assert places(size, kernel, kernel - 1) == size + kernel - 1
            assert output_size(size, Window(kernel)) == size - kernel + 1
            both = kernel - 1
            same_size = Window(kernel, low=both // 2, high=both - both // 2)
            assert output_size(size, same_size) == size


def test_overlapping_windows_are_those_larger_than_their_stride() -> None:
    for kernel in range(1, 6):
        for stride in range(1, 6):
            counted = coverage(30, Window(kernel, stride))
            assert (max(counted) > 1) == (kernel > stride)


def test_cropped_a_transposed_convolution_is_smaller() -> None:
    assert transposed_size(2, Window(4, 3, 1, 1)) == 5 != (2 - 1) * 3 + 4


def test_a_dilated_single_tap_spans_one() -> None:
    assert extent(Window(1, dilation=2)) == 1


def test_a_kernel_without_dilation_spans_its_size() -> None:
    assert [extent(Window(kernel)) for kernel in (1, 2, 3, 5)] == [1, 2, 3, 5]


def test_a_dilated_kernel_spans_more_than_its_size() -> None:
    assert extent(Window(3, dilation=2)) == 5 != 3


def test_windows_without_overlap_may_leave_gaps() -> None:
    """Window 1 at stride 2: nothing is read twice, and the middle not at all."""
    assert coverage(3, Window(1, 2)) == [1, 0, 1]


def test_without_overlap_and_gaps_the_stride_is_the_window() -> None:
    for kernel in range(1, 6):
        for stride in range(1, 6):
            size = kernel + 3 * stride
            even = set(coverage(size, Window(kernel, stride))) == {1}
            assert even == (kernel == stride)


def test_arbitrary_padding_has_a_size_of_its_own() -> None:
    """Figure 2.2 of the guide: 5 pixels, 4 taps, any number p of zeros; at p = 2, 6."""
    sizes = [output_size(5, Window(4, low=p, high=p)) for p in range(4)]
    assert sizes == [2, 4, 6, 8]


def test_random_padding_would_have_no_size() -> None:
    """The size depends on p: a random p has as many sizes as values."""
    assert len({output_size(5, Window(4, low=p, high=p)) for p in range(4)}) == 4


def test_an_odd_kernel_is_centred_on_its_output_pixel() -> None:
    """Full, three taps: the centre of window i stands at i - 1."""
    window = Window(3, low=2, high=2)
    assert [start(window, i) + 1 for i in range(4)] == [-1, 0, 1, 2]


def test_an_even_kernel_has_no_centre() -> None:
    """The middle of two taps lies half a pixel off."""
    assert Fraction(2 - 1, 2).denominator == 2

"""`convspec.window` against a line of cells: every geometry of a small scope, derived by hand.

The witness never computes an index by formula.  It lays the padded axis out as a row of cells, puts
the kernel's marks on it, and slides it.  None is a cell of padding; any other cell is the input
position it holds.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import count, product
from typing import NamedTuple

import numpy
import pytest
from scipy import signal

from convspec.window import (
    ReceptiveField,
    Window,
    adaptive_positions,
    adaptive_range,
    coverage,
    dense_starts,
    divisor,
    extent,
    first_empty,
    joint_field,
    output_size,
    output_sizes,
    overlap,
    positions,
    resolve_padding,
    squared_distance,
    start,
    taps,
    transposed_size,
    window_taps,
    windows_over,
)

SIZES = range(1, 7)
KERNELS = range(1, 5)
STRIDES = range(1, 4)
PADDINGS = range(3)
DILATIONS = range(1, 4)

GEOMETRIES = [
    (n, Window(k, s, low, high, d, ceil))
    for n, k, s, low, high, d, ceil in product(
        SIZES, KERNELS, STRIDES, PADDINGS, PADDINGS, DILATIONS, (False, True)
    )
]


class Placement(NamedTuple):
    """One position of the kernel on the row: under each mark, the cell, or "beyond" the row."""

    offset: int
    cells: list[int | str | None]


def row(n: int, window: Window) -> list[int | None]:
    return [None] * window.low + list(range(n)) + [None] * window.high


def stencil(window: Window) -> list[bool]:
    """The kernel as marks and holes."""
    holes = [False] * (window.dilation - 1)
    marks: list[bool] = []
    for tap in range(window.kernel):
        marks += [*holes, True] if tap else [True]
    return marks


def placed(n: int, window: Window, offset: int) -> Placement:
    cells = row(n, window)
    under = [
        cells[offset + step] if offset + step < len(cells) else "beyond"
        for step, mark in enumerate(stencil(window))
        if mark
    ]
    return Placement(offset, under)


def placements(n: int, window: Window) -> list[Placement]:
    """Slide until the stencil would leave the row; with ceil, until the row's end is reached,
    but no window begins after the input.
    """
    length, span = len(row(n, window)), len(stencil(window))
    found = []
    for i in count():
        offset = i * window.stride
        fits = offset + span <= length
        if window.ceil:
            reached = bool(found) and found[-1].offset + span >= length
            if reached:
                break
        elif not fits:
            break
        found.append(placed(n, window, offset))
    if window.ceil and found[-1].offset >= window.low + n:
        found.pop()
    return found


FITTING = [(n, w) for n, w in GEOMETRIES if len(stencil(w)) <= len(row(n, w))]
OVERSIZED = [(n, w) for n, w in GEOMETRIES if len(stencil(w)) > len(row(n, w))]


def test_the_scope_is_the_one_described():
    assert len(GEOMETRIES) == 6 * 4 * 3 * 3 * 3 * 3 * 2
    assert len(FITTING) + len(OVERSIZED) == len(GEOMETRIES)
    assert FITTING
    assert OVERSIZED


def test_extent_is_the_length_of_the_stencil():
    for _, window in GEOMETRIES:
        assert extent(window) == len(stencil(window)), window


def test_output_size_counts_the_placements():
    for n, window in FITTING:
        assert output_size(n, window) == len(placements(n, window)), (n, window)


def test_a_kernel_beyond_the_row_has_no_output_size():
    for n, window in OVERSIZED:
        with pytest.raises(ValueError, match=rf"extent {extent(window)} exceeds .* {n} "):
            output_size(n, window)


def test_taps_are_the_input_cells_under_the_marks():
    for n, window in FITTING:
        for i, placement in enumerate(placements(n, window)):
            expected = [(j, a) for j, a in enumerate(placement.cells) if isinstance(a, int)]
            assert taps(n, window, i) == expected, (n, window, i)


def test_start_is_the_cell_under_the_first_mark():
    for n, window in FITTING:
        cells = row(n, window)
        for i, placement in enumerate(placements(n, window)):
            first_input = cells.index(0)
            assert start(window, i) == placement.offset - first_input, (n, window, i)


def test_windows_over_inverts_taps():
    for n, window in FITTING:
        readings = {(i, j, a) for i in range(output_size(n, window)) for j, a in taps(n, window, i)}
        inverted = [(i, j, a) for a in range(n) for i, j in windows_over(n, window, a)]
        assert len(inverted) == len(set(inverted)), (n, window)
        assert set(inverted) == readings, (n, window)


def test_windows_over_lists_outputs_in_ascending_order():
    for n, window in FITTING:
        for a in range(n):
            outputs = [i for i, _ in windows_over(n, window, a)]
            assert outputs == sorted(outputs), (n, window, a)


def test_coverage_counts_marks_on_each_input_cell():
    for n, window in FITTING:
        marked = [cell for placement in placements(n, window) for cell in placement.cells]
        assert coverage(n, window) == [marked.count(a) for a in range(n)], (n, window)


def test_divisor_counts_cells_without_the_overhang():
    for n, window in FITTING:
        for i, (_, cells) in enumerate(placements(n, window)):
            real = sum(isinstance(cell, int) for cell in cells)
            inside = sum(cell != "beyond" for cell in cells)
            assert divisor(n, window, i, count_include_pad=False) == real, (n, window, i)
            assert divisor(n, window, i, count_include_pad=True) == inside, (n, window, i)


def test_first_empty_is_the_first_window_over_padding_alone():
    seen = set()
    for n, window in FITTING:
        empty = [
            i
            for i, (_, cells) in enumerate(placements(n, window))
            if not any(isinstance(cell, int) for cell in cells)
        ]
        assert first_empty(n, window) == (empty[0] if empty else None), (n, window)
        seen.add(first_empty(n, window))
    assert {None, 0, 1} < seen


def test_ceil_differs_from_floor_only_by_one_window_at_the_end():
    for n, window in FITTING:
        if window.ceil:
            floor = output_size(n, window._replace(ceil=False))
            assert output_size(n, window) - floor in (-1, 0, 1), (n, window)


def test_ceil_mode_windows_all_begin_before_the_end_of_the_input():
    """Where padding is smaller than the kernel: otherwise even floor windows begin past it."""
    for n, window in FITTING:
        if window.ceil and window.high < extent(window):
            last = output_size(n, window) - 1
            assert start(window, last) < n, (n, window)


WORD_GEOMETRIES = list(product(SIZES, KERNELS, STRIDES, DILATIONS))


def test_same_is_the_least_padding_that_gives_the_rounded_up_quotient():
    for n, k, s, d in WORD_GEOMETRIES:
        bare = Window(k, s, dilation=d)
        wanted = -(-n // s)
        totals = (
            total
            for total in count()
            if n + total >= extent(bare) and output_size(n, bare._replace(low=total)) == wanted
        )
        total = next(totals)
        upper, lower = (resolve_padding(word, n, bare) for word in ("same_upper", "same_lower"))
        assert sum(upper) == sum(lower) == total, (n, k, s, d)
        assert upper[1] - upper[0] == total % 2, (n, k, s, d)
        assert lower == upper[::-1], (n, k, s, d)


def test_full_padding_admits_every_window_that_touches_the_input():
    """Slide over a far longer padding, and keep the windows between first and last contact."""
    for n, k, d in product(SIZES, KERNELS, DILATIONS):
        bare = Window(k, dilation=d)
        low, high = resolve_padding("full", n, bare)
        wide = bare._replace(low=20, high=20)
        contact = [i for i in range(output_size(n, wide)) if taps(n, wide, i)]
        full = bare._replace(low=low, high=high)
        assert output_size(n, full) == contact[-1] - contact[0] + 1, (n, k, d)
        assert taps(n, full, 0) == taps(n, wide, contact[0]), (n, k, d)


def test_valid_padding_is_none_at_all():
    for n, k, s, d in WORD_GEOMETRIES:
        assert resolve_padding("valid", n, Window(k, s, dilation=d)) == (0, 0)


def test_an_unknown_padding_word_is_refused():
    with pytest.raises(ValueError, match="padding word 'same': must be valid, same_upper"):
        resolve_padding("same", 5, Window(3))


def test_transposed_size_undoes_output_size():
    """The remainder that the stride dropped is what `output_padding` restores."""
    for n, window in FITTING:
        if not window.ceil:
            remainder = (len(row(n, window)) - len(stencil(window))) % window.stride
            size = output_size(n, window)
            assert transposed_size(size, window, remainder) == n, (n, window)


def test_transposed_size_is_the_span_of_the_scattered_stencils_less_the_padding():
    for n, window in GEOMETRIES:
        scattered = [
            i * window.stride + step
            for i in range(n)
            for step, mark in enumerate(stencil(window))
            if mark
        ]
        span = max(scattered) - min(scattered) + 1
        for extra in range(3):
            expected = span - window.low - window.high + extra
            assert transposed_size(n, window, extra) == expected, (n, window, extra)


def test_overlap_keeps_what_scipy_keeps():
    """On one axis, for every pair of sizes, the second operand longer than the first included."""
    for n, m in product(range(1, 8), repeat=2):
        f, g = 2 ** numpy.arange(n), 3 ** numpy.arange(m)
        full = signal.convolve(f, g, "full", method="direct")
        for mode in ("full", "same", "valid"):
            kept = overlap(mode, n, m)
            expected = signal.convolve(f, g, mode, method="direct")
            assert list(full[kept.start : kept.stop]) == list(expected), (mode, n, m)


def test_dense_starts_hold_every_start_and_every_contact():
    """Whatever the stride, no window begins elsewhere, and none that touches the input."""
    for n, window in FITTING:
        dense = dense_starts(n, window)
        starts = {start(window, i) for i in range(len(placements(n, window)))}
        wide = Window(window.kernel, 1, 30, 30, window.dilation)
        contacts = {start(wide, i) for i in range(output_size(n, wide)) if taps(n, wide, i)}
        assert starts | contacts <= set(dense), (n, window)
        assert min(dense) in starts | contacts, (n, window)


def test_adaptive_windows_cover_the_axis_in_equal_shares():
    """Window i holds the cells that share length with the i-th of `size` equal parts."""
    for n, size in product(range(1, 15), repeat=2):
        for i in range(size):
            left, right = Fraction(i * n, size), Fraction((i + 1) * n, size)
            shared = [a for a in range(n) if a + 1 > left and a < right]
            assert list(adaptive_range(n, size, i)) == shared, (n, size, i)


def test_adaptive_positions_are_the_product_of_the_axes():
    found = adaptive_positions((5, 4), (2, 3), (1, 2))
    assert found == [(a, b) for a in (2, 3, 4) for b in (2, 3)]


def test_dense_starts_end_with_the_last_that_touches_the_input_or_fits_the_padding():
    """By hand, on 3 cells: 4 cells of high padding let a kernel of 2 start at 5, not at 6."""
    assert dense_starts(3, Window(kernel=2, high=4)) == range(-1, 6)
    assert dense_starts(3, Window(kernel=2, high=2)) == range(-1, 4)
    assert dense_starts(3, Window(kernel=2, high=1)) == range(-1, 3)


def test_fields_of_several_jumps_have_no_joint_field():
    fields = [ReceptiveField(1, 2, 0), ReceptiveField(1, 1, 0), ReceptiveField(3, 2, 0)]
    with pytest.raises(ValueError, match=r"fields with jumps \[1, 2\]: must all have one jump"):
        joint_field(fields)


def test_squared_distance_is_measured_between_cells():
    """Between the cell of each mark and the middle of the stencil, as points of a grid."""
    for window in {w._replace(stride=1, low=0, high=0, ceil=False) for _, w in GEOMETRIES}:
        marks = [step for step, mark in enumerate(stencil(window)) if mark]
        middle = Fraction(marks[0] + marks[-1], 2)
        for j, step in enumerate(marks):
            assert squared_distance([window], [j]) == (step - middle) ** 2
            assert squared_distance([window, window], [j, 0]) == (
                (step - middle) ** 2 + (marks[0] - middle) ** 2
            )


def test_an_unknown_overlap_mode_is_refused():
    with pytest.raises(ValueError, match="mode='wide': must be full, same or valid"):
        overlap("wide", 4, 3)


def test_positions_are_every_index_in_c_order():
    for shape in [(), (3,), (2, 3), (2, 0, 3), (2, 1, 3, 2)]:
        assert list(positions(shape)) == list(numpy.ndindex(*shape))


def test_a_distance_without_axes_is_a_fraction_too():
    assert isinstance(squared_distance([], ()), Fraction)


def test_several_axes_are_the_product_of_single_ones():
    spatial = (4, 5, 3)
    axes = (Window(2, 2, 1, 0), Window(3, 1, 0, 2, 2), Window(2, 3, 1, 1))
    sizes = output_sizes(spatial, axes)
    assert sizes == (2, 3, 2)
    for position in numpy.ndindex(*sizes):
        single = [taps(n, w, i) for n, w, i in zip(spatial, axes, position, strict=True)]
        expected = {tuple(zip(*pairs, strict=True)) for pairs in product(*single)}
        found = window_taps(spatial, axes, position)
        assert len(found) == len(expected)
        assert set(found) == expected
        assert [choice for choice, _ in found] == sorted(choice for choice, _ in found)


def test_sizes_and_windows_must_match_in_number():
    with pytest.raises(ValueError, match="zip"):
        output_sizes((5, 5), (Window(3),))
    with pytest.raises(ValueError, match="zip"):
        window_taps((5, 5), (Window(3), Window(3)), (0,))
    with pytest.raises(ValueError, match="zip"):
        squared_distance([Window(3)], (0, 1))

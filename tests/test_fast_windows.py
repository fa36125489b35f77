"""The ranges of `window.py` that the vectorised twins work with are the taps of the definitions."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec.fast.blocks import blocks, pieces, size, slices
from convspec.window import (
    Window,
    common,
    of_taps,
    output_size,
    overlap,
    overlap_window,
    phases,
    readers,
    slice_within,
    span,
    tap_run,
    taps,
    turned,
    windows_over,
)


@st.composite
def axes(draw: st.DrawFn) -> tuple[int, Window]:
    n = draw(st.integers(1, 9))
    low, high = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    kernel = draw(st.integers(1, min(4, n + low + high)))
    widest = (n + low + high - 1) // (kernel - 1) if kernel > 1 else 3
    dilation = draw(st.integers(1, min(3, widest)))
    window = Window(kernel, draw(st.integers(1, 4)), low, high, dilation, draw(st.booleans()))
    return n, window


@st.composite
def part_of(draw: st.DrawFn, n: int) -> range:
    """A range of at least one of n positions."""
    first = draw(st.integers(0, n - 1))
    return range(first, draw(st.integers(first + 1, n)))


@given(axes(), st.data())
def test_runs_are_the_taps_of_every_output(axis: tuple[int, Window], data: st.DataObject) -> None:
    n, window = axis
    inputs, outputs = data.draw(part_of(n)), data.draw(part_of(output_size(n, window)))
    pairs = {(i, j, a) for i in outputs for j, a in taps(n, window, i) if a in inputs}
    found = [
        (i, j, a)
        for j in range(window.kernel)
        for i, a in zip(*tap_run(window, j, inputs, outputs), strict=True)
    ]
    assert len(found) == len(set(found))
    assert set(found) == pairs
    reading = {i for i, _, _ in pairs}
    span = readers(window, inputs, outputs)
    assert (min(reading), max(reading)) == (span[0], span[-1]) if reading else not span


@given(axes(), st.data())
def test_slices_pick_the_runs(axis: tuple[int, Window], data: st.DataObject) -> None:
    n, window = axis
    inputs, outputs = data.draw(part_of(n)), data.draw(part_of(output_size(n, window)))
    for j in range(window.kernel):
        writing, reading = tap_run(window, j, inputs, outputs)
        assert list(numpy.array(outputs)[slice_within(writing, outputs)]) == list(writing)
        assert list(numpy.array(inputs)[slice_within(reading, inputs)]) == list(reading)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@given(n=st.integers(1, 6), m=st.integers(1, 6))
def test_the_window_of_a_convolution_visits_its_products(mode: str, n: int, m: int) -> None:
    kept = overlap(mode, n, m)
    window = overlap_window(kept, n, m)
    assert output_size(n, window) == len(kept)
    for i, t in enumerate(kept):
        products = {(a, t - a) for a in range(n) if 0 <= t - a < m}
        assert {(a, m - 1 - j) for j, a in taps(n, window, i)} == products


@given(st.integers(0, 40), st.integers(0, 12))
def test_pieces_are_the_range_in_order(length: int, most: int) -> None:
    run = range(3, 3 + length)
    parts = list(pieces(run, most))
    assert [i for part in parts for i in part] == list(run)
    assert all(1 <= len(part) <= max(most, 1) for part in parts)
    lengths = {len(part) for part in parts[:-1]}
    assert len(lengths) <= 1


@given(st.lists(st.integers(0, 4), max_size=4), st.integers(0, 30))
def test_blocks_are_runs_of_the_box_in_order(shape: list[int], most: int) -> None:
    numbered = numpy.arange(int(numpy.prod(shape, dtype=int))).reshape(shape)
    visited: list[int] = []
    for box in blocks(tuple(map(range, shape)), most):
        assert 1 <= size(box) <= max(most, 1)
        visited.extend(numbered[slices(box)].flat)
    assert visited == list(range(numbered.size))


@given(axes(), st.data())
def test_the_span_holds_what_outputs_read(axis: tuple[int, Window], data: st.DataObject) -> None:
    n, window = axis
    outputs = data.draw(part_of(output_size(n, window)))
    held = span(window, outputs)
    padded = list(range(held.start, held.stop))
    first = tap_run(window, 0, held, outputs)
    last = tap_run(window, window.kernel - 1, held, outputs)
    assert first[0] == last[0] == outputs
    assert (padded[0], padded[-1]) == (first[1][0], last[1][-1])
    assert list(common(held, range(n))) == [a for a in padded if 0 <= a < n]


@given(axes(), st.data())
def test_some_taps_read_what_they_read_among_all(
    axis: tuple[int, Window], data: st.DataObject
) -> None:
    n, window = axis
    chosen = data.draw(part_of(window.kernel))
    for i in range(output_size(n, window)):
        alone = {(chosen[j], a) for j, a in taps(n, of_taps(window, chosen), i)}
        assert alone == {(j, a) for j, a in taps(n, window, i) if j in chosen}


@given(axes())
def test_phases_with_stride_1_read_what_the_window_reads(axis: tuple[int, Window]) -> None:
    n, window = axis
    outputs = range(output_size(n, window))
    held = span(window, outputs)
    found = {
        (i, range(window.kernel)[some][j], held[every][a])
        for some, every, alone in phases(window)
        for i in outputs
        for j, a in taps(len(held[every]), alone, i)
    }
    runs = (tap_run(window, j, held, outputs) for j in range(window.kernel))
    assert found == {(i, j, a) for j, run in enumerate(runs) for i, a in zip(*run, strict=True)}


@given(axes())
def test_the_turned_window_reads_the_outputs_that_read_an_input(axis: tuple[int, Window]) -> None:
    n, window = axis
    window = window._replace(stride=1, ceil=False)
    reading = turned(window)
    for a in range(n):
        backwards = {
            (i, window.kernel - 1 - j) for j, i in taps(output_size(n, window), reading, a)
        }
        assert backwards == set(windows_over(n, window, a))

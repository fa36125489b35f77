"""Runs of taps and spans of readers, against the single taps they summarise."""

from __future__ import annotations

from itertools import product

import numpy
import pytest
from scipy import signal

from convspec.window import (
    Window,
    output_size,
    overlap,
    overlap_window,
    reach,
    readers,
    slice_within,
    start,
    tap_run,
    taps,
)

GEOMETRIES = [
    (n, window)
    for n, k, s, low, high, d in product(
        range(1, 6), range(1, 4), range(1, 4), range(3), range(2), range(1, 4)
    )
    if (window := Window(k, s, low, high, d)) and d * (k - 1) + 1 <= n + low + high
]


def blocks(size: int) -> list[range]:
    """Every run of neighbours among `size` positions, the empty one included."""
    return [range(a, b) for a in range(size + 1) for b in range(a, size + 1)]


def test_a_tap_run_pairs_the_outputs_with_what_they_read_through_one_tap():
    for n, window in GEOMETRIES:
        for inputs, outputs in product(blocks(n), blocks(output_size(n, window))):
            for j in range(window.kernel):
                expected = [
                    (i, a)
                    for i in outputs
                    for tap, a in taps(n, window, i)
                    if tap == j and a in inputs
                ]
                reading, read = tap_run(window, j, inputs, outputs)
                pairs = list(zip(reading, read, strict=True))
                assert pairs == expected, (n, window, j, inputs, outputs)


def test_readers_span_the_outputs_whose_windows_reach_in():
    for n, window in GEOMETRIES:
        for inputs, outputs in product(blocks(n), blocks(output_size(n, window))):
            reading = [i for i in outputs if any(a in inputs for _, a in taps(n, window, i))]
            found = readers(window, inputs, outputs)
            if reading:
                assert (found[0], found[-1]) == (reading[0], reading[-1]), (n, window)
                assert found.step == 1
            else:
                assert not found, (n, window, inputs, outputs)


def test_reach_spans_the_inputs_that_the_windows_read():
    for n, window in GEOMETRIES[::5]:
        for inputs, outputs in product(blocks(n), blocks(output_size(n, window))):
            read = {a for i in outputs for _, a in taps(n, window, i) if a in inputs}
            found = reach(window, inputs, outputs)
            if read:
                assert found == range(min(read), max(read) + 1), (n, window, inputs, outputs)
            else:
                assert not found, (n, window, inputs, outputs)


def test_a_slice_within_a_block_picks_the_run():
    for block in (range(3, 12), range(12)):
        array = numpy.array(block)
        for first, last, step in product(block, block, range(1, 4)):
            run = range(first, last + 1, step)
            assert list(array[slice_within(run, block)]) == list(run), (block, run)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_an_overlap_window_slides_the_flipped_operand_as_scipy_does(mode):
    for n, m in product(range(1, 7), repeat=2):
        f, g = 2 ** numpy.arange(n), 3 ** numpy.arange(m)
        window = overlap_window(overlap(mode, n, m), n, m)
        found = [
            sum(f[a] * g[::-1][j] for j, a in taps(n, window, i))
            for i in range(output_size(n, window))
        ]
        assert found == list(signal.convolve(f, g, mode, method="direct")), (n, m)
        assert start(window, 0) == overlap(mode, n, m).start - (m - 1)

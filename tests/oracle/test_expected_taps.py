"""Tables of what every output reads, and of where every position is read, worked by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy

from convspec.oracle.expected.taps import (
    adaptive_taps,
    channel_taps,
    crossed,
    enlarged_axis,
    inverted,
    multiplied,
    sliding_taps,
    spread,
    summed,
)
from convspec.window import Window


def pairs():
    """Neighbours of three positions, one before the first: none 0, 0 1, 1 2."""
    return sliding_taps((3,), (Window(2, low=1),))


def test_windows_of_two_over_three_positions():
    read = pairs()
    assert read.reads.tolist() == [[3, 0, 1], [0, 1, 2]]
    assert read.size == 3
    # Position 0 is read by tap 0 of output 1 and tap 1 of output 0: places 1 and 3 of six.
    assert read.places.tolist() == [[1, 2, 5], [3, 4, 6]]


def test_the_places_of_a_position_ascend():
    read = inverted(numpy.tile([[0, 1]], 100), 2)
    assert read.places.T.tolist() == [list(range(0, 200, 2)), list(range(1, 200, 2))]


def test_positions_that_nothing_reads_have_one_row_of_no_place():
    assert inverted(numpy.array([[2, 2]]), 2).places.tolist() == [[2, 2]]
    assert inverted(numpy.array([[0]]), 2).places.tolist() == [[0, 1]]


def test_a_sum_over_taps_and_back():
    x = numpy.array([[[1.0, 10.0, 100.0]]])
    assert summed(x, pairs()).tolist() == [[[1.0, 11.0, 110.0]]]
    weights = numpy.array([[2.0], [3.0]])
    assert summed(x, pairs(), weights).tolist() == [[[3.0, 32.0, 320.0]]]
    products = numpy.array([[[[7.0, 1.0, 2.0], [4.0, 8.0, 16.0]]]])
    assert spread(products, pairs()).tolist() == [[[1.0 + 4.0, 2.0 + 8.0, 16.0]]]


def test_axes_are_crossed_tap_by_tap():
    axes = [numpy.array([[0, 1], [1, 2]]), numpy.array([[0, 1, 2], [3, 3, 0]])]
    # Rows 0 and 1 of two, columns 0 to 2 of three; 6 where either is none.
    assert crossed(axes, (2, 3)).tolist() == [
        [0, 1, 2, 3, 4, 5],
        [6, 6, 0, 6, 6, 3],
        [3, 4, 5, 6, 6, 6],
        [6, 6, 3, 6, 6, 6],
    ]


def test_weights_are_multiplied_tap_by_tap_in_their_own_numbers():
    axes = [numpy.array([[1, 2], [3, 4]]), numpy.array([[10, 20, 30]])]
    assert multiplied(axes).tolist() == [[10, 20, 30, 20, 40, 60], [30, 60, 90, 40, 80, 120]]
    third = Fraction(1, 3)
    assert multiplied([numpy.array([[third]], object)]).tolist() == [[third]]


def test_windows_of_different_lengths_are_filled_up():
    # Two windows share three positions: 0 1 and 1 2; three share four: 0 1, 1 2, 2 3.
    assert adaptive_taps((3,), (2,)).reads.tolist() == [[0, 1], [1, 2]]
    # Of five, three windows hold 0 1, 1 2 3 and 3 4.
    assert adaptive_taps((5,), (3,)).reads.tolist() == [[0, 1, 3], [1, 2, 4], [5, 3, 5]]
    positions, weights = enlarged_axis(2, 2, "linear", "half_pixel")
    assert positions.tolist() == [[0, 0, 0, 1], [2, 1, 1, 2]]
    assert weights.tolist() == [
        [1, Fraction(3, 4), Fraction(1, 4), 1],
        [0, Fraction(1, 4), Fraction(3, 4), 0],
    ]
    assert weights.dtype == object


def test_channels_are_read_within_their_window():
    assert channel_taps(3, Window(3, low=1, high=1)).reads.tolist() == [
        [0, 0, 1],
        [1, 1, 2],
        [3, 2, 3],
    ]

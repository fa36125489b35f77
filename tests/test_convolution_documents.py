"""The numbers that the documents print about convolution, each with its hand derivation."""

from __future__ import annotations

from typing import Any

import numpy
from scipy import signal

from convspec import conv, conv_vjp, convolve, convolve_vjp

VERTICAL_EDGE = numpy.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]])
HORIZONTAL_EDGE = numpy.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])


def plane(image: Any, kernel: Any, **attributes: Any) -> numpy.ndarray:
    """`conv` of one channel with one kernel."""
    return conv(numpy.array([[image]]), numpy.array([[kernel]]), **attributes)[0, 0]


def test_the_grey_image_has_minus_5_in_its_corner():
    """Document 002_69b25d8deda49794.txt, section 5.2: the 6x6 grey image.

    By hand: the filter sums three rows of (column j) - (column j + 2); the rows' differences
    are (2 -2 -6 -2), (-7 -4 5 8), (0 2 1 2), (-3 0 -4 -7), (3 -4 -1 -2), (-3 2 2 -7).
    """
    grey = [
        [3, 0, 1, 2, 7, 4],
        [1, 5, 8, 9, 3, 1],
        [2, 7, 2, 5, 1, 3],
        [0, 1, 3, 1, 7, 8],
        [4, 2, 1, 6, 2, 8],
        [2, 4, 5, 2, 3, 9],
    ]
    expected = [[-5, -4, 0, 8], [-10, -2, 2, 3], [0, -2, -4, -7], [-3, -2, -3, -16]]
    assert plane(grey, VERTICAL_EDGE).tolist() == expected
    assert signal.correlate2d(grey, VERTICAL_EDGE, "valid").tolist() == expected


def test_the_half_and_half_image_gives_30_at_its_edge():
    """Document 002_69b25d8deda49794.txt, section 5.2: 30 at the boundary, 0 elsewhere.

    By hand, with 10 on the left: 3 * (10 - 0) where the filter straddles the boundary.
    """
    half = [[10, 10, 10, 0, 0, 0]] * 6
    expected = [[0, 30, 30, 0]] * 4
    assert plane(half, VERTICAL_EDGE).tolist() == expected
    assert signal.correlate2d(half, VERTICAL_EDGE, "valid").tolist() == expected


def test_the_turned_filter_finds_horizontal_edges():
    """Document 002_69b25d8deda49794.txt, section 5.2: turn the filter by 90 degrees."""
    half = numpy.array([[10, 10, 10, 0, 0, 0]] * 6).T
    found = plane(half, numpy.rot90(VERTICAL_EDGE, -1))
    assert found.tolist() == [[0] * 4, [30] * 4, [30] * 4, [0] * 4]


def test_the_binary_image():
    """Document 002_69b25d8deda49794.txt, sections 5.7 and 5.18.1, and its kernel of crosses."""
    binary = [
        [1, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0],
    ]
    cross = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    expected = [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert plane(binary, cross).tolist() == expected
    assert convolve(binary, cross, "valid").tolist() == expected
    assert signal.convolve2d(binary, cross, "valid").tolist() == expected


def test_the_3x3_image_under_true_convolution():
    """Document 002_69b25d8deda49794.txt, sections 5.17.1 and 5.18.1: same, kernel turned.

    By hand, top left: x[0,1] * 0 + ... - 2 * x[1,0] - 1 * x[1,1] = -2 * 4 - 5 = -13.
    """
    image = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    expected = [[-13, -20, -17], [-18, -24, -18], [13, 20, 17]]
    assert convolve(image, HORIZONTAL_EDGE, "same").tolist() == expected
    assert signal.convolve2d(image, HORIZONTAL_EDGE, "same").tolist() == expected
    turned = numpy.rot90(HORIZONTAL_EDGE, 2)
    assert plane(image, turned, padding="same_upper").tolist() == expected


def test_full_convolution_of_2x2_with_3x3_has_4x4():
    """Document 002_69b25d8deda49794.txt, section 5.18.1: as n1 + n2 - 1 on one axis."""
    image, kernel = [[1, 2], [3, 4]], numpy.arange(9).reshape(3, 3)
    assert convolve(image, kernel).shape == (4, 4)
    assert (convolve(image, kernel) == signal.convolve2d(image, kernel)).all()


def test_5x5_with_3x3_at_stride_2_gives_2x2():
    """Document 002_69b25d8deda49794.txt, section 5.3.3.

    By hand, with image entries 5 r + c and a kernel of ones: each window sums to nine times
    its middle, which are 6, 8, 16 and 18.
    """
    image = numpy.arange(25).reshape(5, 5)
    assert plane(image, numpy.ones((3, 3), int), stride=2).tolist() == [[54, 72], [144, 162]]


def test_96x96_with_8x8_gives_89x89():
    """Document 002_69b25d8deda49794.txt, section 5.7."""
    image = numpy.zeros((96, 96), int)
    image[88, 88] = 1
    found = plane(image, numpy.arange(64).reshape(8, 8))
    assert found.shape == (89, 89)
    assert found[88, 88] == 0
    assert found[81, 81] == 63


def test_padding_keeps_the_size_of_5x5():
    """Document 003_c02f15fe185e1094.txt, section Padding; 3x3 without it."""
    image, kernel = numpy.ones((5, 5), int), numpy.ones((3, 3), int)
    assert plane(image, kernel).shape == (3, 3)
    assert plane(image, kernel, padding=1).tolist() == [
        [4, 6, 6, 6, 4],
        [6, 9, 9, 9, 6],
        [6, 9, 9, 9, 6],
        [6, 9, 9, 9, 6],
        [4, 6, 6, 6, 4],
    ]


def test_a_filter_sums_its_channels_and_adds_its_bias():
    """Document 003_c02f15fe185e1094.txt, section on several channels; Z = sum_d W X + b of
    document 004_1dc5a1365ae22fef.txt.
    """
    red, green, blue = [[[1, 2, 3]], [[10, 20, 30]], [[100, 200, 300]]]
    image = numpy.array([[red[0], green[0], blue[0]]])
    weight = [[[1, 0], [0, 1], [2, 0]], [[0, 0], [1, 1], [0, 0]]]
    found = conv(image, weight, [5, -1])
    assert found.tolist() == [[[1 + 20 + 200 + 5, 2 + 30 + 400 + 5], [29, 49]]]


def test_a_dilated_kernel_is_one_with_holes():
    """Document 002_69b25d8deda49794.txt, section 5.3.2: 3x3 at rate 2 as 5x5, 9 weights."""
    image = numpy.arange(49).reshape(7, 7) ** 2
    kernel = numpy.arange(1, 10).reshape(3, 3)
    holes = numpy.zeros((5, 5), int)
    holes[::2, ::2] = kernel
    assert (plane(image, kernel, dilation=2) == plane(image, holes)).all()


def test_one_axis_backward_is_correlation_with_the_weights():
    """Document 001_6504ba5330ae5ddc.txt, BackPropagation: delta' = delta * flip(w)."""
    delta, weights, signal_ = [1, 10, 100, 1000], [2, 3], [5, 6, 7]
    d_signal, _ = convolve_vjp(delta, signal_, weights)
    assert d_signal.tolist() == [2 + 30, 20 + 300, 200 + 3000]
    assert d_signal.tolist() == convolve(delta, weights[::-1], "valid").tolist()


def test_the_derivatives_of_narrow_correlation():
    """Document 004_1dc5a1365ae22fef.txt: dW = dY (x) X, dX = rot180(W) wide (x) dY."""
    x, w = numpy.arange(20).reshape(4, 5) % 7, numpy.array([[1, 2], [3, 5], [7, 11]])
    delta = numpy.arange(8).reshape(2, 4) ** 2
    d_x, d_w = conv_vjp([[delta]], [[x]], [[w]])
    assert (d_w[0, 0] == signal.correlate2d(x, delta, "valid")).all()
    assert (d_x[0, 0] == signal.convolve2d(w, delta, "full")).all()

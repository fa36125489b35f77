"""The numbers that the documents print about pooling, each with its hand derivation."""

from __future__ import annotations

import numpy
import pytest

from convspec import average_pool, average_pool_vjp, max_pool, max_pool_vjp


@pytest.mark.parametrize(("size", "stride", "bins"), [(5, 4, 3), (7, 6, 2), (13, 13, 1)])
def test_the_pyramid_over_13x13(size, stride, bins):
    """Document 002_69b25d8deda49794.txt, section 5.5.3, figure 4: 3x3, 2x2 and 1x1 bins.

    By hand, with entries 13 r + c the maximum of a window is its last row and column.
    """
    image = numpy.arange(169).reshape(1, 1, 13, 13)
    found = max_pool(image, kernel_size=size, stride=stride)
    last = [i * stride + size - 1 for i in range(bins)]
    assert found[0, 0].tolist() == [[13 * r + c for c in last] for r in last]
    assert last[-1] == 12


def test_20x20_pooled_by_10x10():
    """Document 002_69b25d8deda49794.txt, section 5.7: the sum over 10x10, by the count."""
    image = numpy.kron(numpy.array([[1, 2], [3, 4]]), numpy.ones((10, 10)))
    image[0, 0] += 100
    assert average_pool([[image]], kernel_size=10).tolist() == [[[[2, 2], [3, 4]]]]


def test_2x2_at_stride_2_keeps_a_quarter():
    """Document 002_69b25d8deda49794.txt, section 5.16: the largest, or the sum over 4."""
    image = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
    assert max_pool([[image]], kernel_size=2).tolist() == [[[[6, 8], [3, 4]]]]
    averages = [[[[13 / 4, 21 / 4], [2, 2]]]]
    assert average_pool([[image]], kernel_size=2).tolist() == averages


def test_overlapping_pooling_has_a_size_beyond_its_stride():
    """Document 002_69b25d8deda49794.txt, section 5.5.2."""
    found = max_pool([[[1, 2, 9, 4, 5]]], kernel_size=3, stride=2)
    assert found.tolist() == [[[9, 9]]]


def test_pooling_without_overlap_rounds_the_size_up():
    """Document 001_6504ba5330ae5ddc.txt, Pooling layer: H x W -> ceil(H / d) x ceil(W / d)."""
    for height, width, d in [(5, 7, 2), (6, 6, 3), (7, 4, 3), (1, 2, 1)]:
        image = numpy.zeros((1, 1, height, width))
        found = max_pool(image, kernel_size=d, ceil_mode=True)
        assert found.shape[2:] == (-(-height // d), -(-width // d))


def test_the_error_goes_back_to_the_remembered_maximum():
    """Document 001_6504ba5330ae5ddc.txt, BackPropagation, Pooling layer: the recorded index
    gets the whole error, the rest 0; a mean shares it, 1 / m each.
    """
    image = [[[[1, 8, 3, 4], [5, 2, 7, 6]]]]
    (d_image,) = max_pool_vjp([[[[10, 20]]]], image, kernel_size=2)
    assert d_image.tolist() == [[[[0, 10, 0, 0], [0, 0, 20, 0]]]]
    (d_image,) = average_pool_vjp([[[[10, 20]]]], image, kernel_size=2)
    assert d_image.tolist() == [[[[2.5, 2.5, 5, 5]] * 2]]

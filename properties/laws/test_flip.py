"""Convolution and correlation differ by a flip of the kernel, and by nothing else.

What deep learning calls convolution, `conv`, is the correlation of an image with a kernel, summed
over channels: the flip is missing, which a learned kernel does not mind.
"""

from __future__ import annotations

from typing import Any

import numpy
import scipy.ndimage
import scipy.signal
from hypothesis import strategies as st

from convspec.strategies import arrays, calls

from .statement import law, same


def flipped(kernel: Any) -> Any:
    """The kernel turned round on every spatial axis (rot180 in the plane)."""
    return numpy.flip(kernel, axis=tuple(range(2, kernel.ndim)))


@st.composite
def images_with_kernels(draw: Any, *, least: int = 1, most: int = 3, odd: bool = False) -> Any:
    """An image and a kernel of one rank, the kernel no larger than the image on any axis."""
    axes = draw(st.integers(least, most))
    kernel = tuple(draw(st.sampled_from([1, 3] if odd else [1, 2, 3])) for _ in range(axes))
    image = tuple(k + draw(st.integers(0, 3)) for k in kernel)
    return draw(arrays(image)), draw(arrays(kernel))


@law(case=calls("correlate"))
def test_correlation_is_convolution_with_the_flipped_kernel(implementation: Any, case: Any) -> None:
    """correlate(f, g) = convolve(f, flip(g)), in every mode."""
    f, g = case.operands.values()
    left = implementation.correlate(f, g, **case.attributes)
    same(left, implementation.convolve(f, numpy.flip(g), **case.attributes))


@law(case=calls("correlate"))
def test_exchanging_the_operands_of_a_correlation_flips_it(implementation: Any, case: Any) -> None:
    """correlate(g, f) = flip(correlate(f, g)), with every output kept (full)."""
    f, g = case.operands.values()
    same(implementation.correlate(g, f), numpy.flip(implementation.correlate(f, g)))


@law(case=calls("convolve"))
def test_flipping_both_operands_flips_the_convolution(implementation: Any, case: Any) -> None:
    """flip(f) * flip(g) = flip(f * g), with every output kept (full)."""
    f, g = case.operands.values()
    left = implementation.convolve(numpy.flip(f), numpy.flip(g))
    same(left, numpy.flip(implementation.convolve(f, g)))


@law(both=images_with_kernels())
def test_conv_of_one_channel_is_a_valid_correlation(implementation: Any, both: Any) -> None:
    """conv does not flip; the witnesses are correlate and SciPy's correlate."""
    image, kernel = both
    left = implementation.conv(image[None, None], kernel[None, None])[0, 0]
    same(left, scipy.signal.correlate(image, kernel, mode="valid", method="direct"))
    same(left, implementation.correlate(image, kernel, mode="valid"))


@law(both=images_with_kernels())
def test_conv_with_a_flipped_kernel_is_a_true_convolution(implementation: Any, both: Any) -> None:
    """conv(x, flip(w)) = x * w on the positions that are wholly inside (valid)."""
    image, kernel = both
    left = implementation.conv(image[None, None], flipped(kernel[None, None]))[0, 0]
    same(left, scipy.signal.convolve(image, kernel, mode="valid", method="direct"))


@law(both=images_with_kernels())
def test_full_padding_gives_the_full_correlation(implementation: Any, both: Any) -> None:
    """Padding k - 1 on both sides keeps every output: Relationship 4 of the documents, on data."""
    image, kernel = both
    padding = tuple((k - 1, k - 1) for k in kernel.shape)
    left = implementation.conv(image[None, None], kernel[None, None], padding=padding)[0, 0]
    same(left, scipy.signal.correlate(image, kernel, mode="full", method="direct"))


@law(both=images_with_kernels(odd=True))
def test_half_padding_of_an_odd_kernel_is_ndimages_correlation(
    implementation: Any, both: Any
) -> None:
    """Padding (k - 1) / 2 puts the centre of an odd kernel on every position of the image."""
    image, kernel = both
    padding = tuple((k // 2, k // 2) for k in kernel.shape)
    left = implementation.conv(image[None, None], kernel[None, None], padding=padding)[0, 0]
    same(left, scipy.ndimage.correlate(image, kernel, mode="constant"))


@law(both=images_with_kernels(least=2, most=2))
def test_conv_in_the_plane_is_correlate2d(implementation: Any, both: Any) -> None:
    """conv of one channel in the plane is scipy.signal.correlate2d, mode valid: no flip."""
    image, kernel = both
    left = implementation.conv(image[None, None], kernel[None, None])[0, 0]
    same(left, scipy.signal.correlate2d(image, kernel, mode="valid"))


@law(case=calls("convolve"), sign=st.sampled_from([1, -1]))
def test_a_symmetric_kernel_hides_the_flip(implementation: Any, case: Any, sign: int) -> None:
    """If flip(g) = g both operations agree; if flip(g) = -g, as for an edge filter (1, 0, -1),
    they are opposite.  A test with such a kernel alone cannot tell them apart.
    """
    f, g = case.operands.values()
    g = g + sign * numpy.flip(g)
    convolved = implementation.convolve(f, g, **case.attributes)
    same(convolved, sign * implementation.correlate(f, g, **case.attributes))


def test_the_smallest_kernel_that_shows_the_flip(implementation: Any) -> None:
    """One element against two that differ: no smaller pair can tell the operations apart."""
    same(implementation.convolve([1.0], [0.0, 1.0]), [0, 1])
    same(implementation.correlate([1.0], [0.0, 1.0]), [1, 0])
    same(implementation.conv([[[0.0, 1.0]]], [[[0.0, 1.0]]]), [[[1]]])

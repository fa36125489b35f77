"""Wide correlation: rot180(W) wide-correlated with X = rot180(X) wide-correlated with W.

Wide pads by kernel - 1 on every side.  Correlation turns one operand and convolution neither, so
that turning the kernel first makes it the true convolution, which commutes.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import scipy.signal
from hypothesis import strategies as st

from convspec.convolution import conv
from convspec.strategies import arrays

from .statement import law, same


def turned(array: Any) -> Any:
    """Every axis reversed: in the plane, a rotation by 180 degrees."""
    return numpy.flip(array)


@st.composite
def pairs(draw: Any) -> tuple[Any, Any]:
    """Two arrays of any sizes, either the larger."""
    found = draw(st.lists(st.tuples(*[st.integers(1, 4)] * 2), min_size=1, max_size=2))
    return draw(arrays(tuple(n for n, _ in found))), draw(arrays(tuple(m for _, m in found)))


def wide(implementation: Any, image: Any, kernel: Any) -> Any:
    """The kernel wide-correlated with the image: conv with the padding word full."""
    return implementation.conv(image[None, None], kernel[None, None], padding="full")[0, 0]


@law(both=pairs())
def test_a_turned_kernel_wide_correlated_with_an_image_is_the_converse(
    implementation: Any, both: Any
) -> None:
    """rot180(W) (x) X = rot180(X) (x) W, both wide: SciPy's convolution of the two."""
    w, x = both
    left, right = wide(implementation, x, turned(w)), wide(implementation, w, turned(x))
    same(left, right)
    same(left, scipy.signal.convolve(w, x, mode="full", method="direct"))


def test_without_the_turn_it_is_false(implementation: Any) -> None:
    """Smallest counterexample: a pixel 1 and the kernel 0, 1."""
    w, x = numpy.array([0.0, 1.0]), numpy.array([1.0])
    same(wide(implementation, x, w), [1, 0])
    same(wide(implementation, w, x), [0, 1])


def test_a_narrow_correlation_does_not_commute(implementation: Any) -> None:
    """Smallest counterexample: a kernel of two does not even fit into one pixel, while one does
    into two.
    """
    w, x = numpy.ones((1, 1, 2)), numpy.ones((1, 1, 1))
    assert implementation.conv(w, x).shape == (1, 1, 2)
    with pytest.raises(ValueError, match="has only 1"):
        conv(x, w)

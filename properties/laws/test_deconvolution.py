"""Deconvolution in the strict sense: undoing a convolution, which a transposed one does not.

In signal processing to deconvolve is to divide polynomials: `scipy.signal.deconvolve`.  The
layers called by that name multiply by the transposed matrix, and only restore the size.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import scipy.signal
from hypothesis import strategies as st

from convspec.strategies import arrays, calls

from .rewriting import run
from .statement import law, same


@st.composite
def signals(draw: Any) -> tuple[Any, Any]:
    """A signal, and a kernel whose first tap is 1 or -1, so that division stays in integers."""
    x = draw(arrays((draw(st.integers(1, 6)),)))
    rest = draw(arrays((draw(st.integers(0, 3)),), elements=st.integers(-2, 2)))
    return x, numpy.concatenate([[draw(st.sampled_from((1.0, -1.0)))], rest])


@law(both=signals())
def test_deconvolving_undoes_the_full_convolution(implementation: Any, both: Any) -> None:
    """deconvolve(x * w, w) = x without remainder, if the first tap is not 0."""
    x, w = both
    quotient, remainder = scipy.signal.deconvolve(implementation.convolve(x, w), w)
    same(quotient, x)
    same(remainder, numpy.zeros(len(x) + len(w) - 1))


def test_a_kernel_that_begins_with_0_cannot_be_divided_by(implementation: Any) -> None:
    """Smallest counterexample: of one tap 0, all products are 0.  A kernel 0, 1 only delays, and
    SciPy, which divides by the first tap, refuses it all the same: strip the 0, and the delay is
    back.
    """
    x, nothing, delay = numpy.array([5.0]), numpy.zeros(1), numpy.array([0.0, 1.0])
    same(implementation.convolve(x, nothing), implementation.convolve(2 * x, nothing))
    delayed = implementation.convolve(x, delay)
    same(delayed, [0, 5])
    with pytest.raises((ValueError, NotImplementedError)):
        scipy.signal.deconvolve(delayed, delay)
    same(scipy.signal.deconvolve(delayed, delay[1:])[0], [0, 5])


def test_a_cropped_convolution_cannot_be_divided(implementation: Any) -> None:
    """Smallest counterexample: mode valid, or a stride, makes two images one output."""
    ones, one = numpy.ones(2), numpy.ones((1, 1, 1))
    for x in ([1.0, 0.0], [0.0, 1.0]):
        same(implementation.convolve(x, ones, mode="valid"), [1])
    for x in ([[[1.0, 0.0]]], [[[1.0, 1.0]]]):
        same(implementation.conv(x, one, stride=2), [[[1]]])


@law(both=signals())
def test_a_transposed_convolution_is_what_deconvolving_divides(
    implementation: Any, both: Any
) -> None:
    """conv_transpose(x, w) is the convolution x * w: the product, of which deconvolving is the
    quotient.  The names say the opposite of each other.
    """
    x, w = both
    spread = implementation.conv_transpose(x[None, None], w[None, None])[0, 0]
    same(scipy.signal.deconvolve(spread, w)[0], x)


def test_a_transposed_convolution_does_not_undo(implementation: Any) -> None:
    """Smallest counterexample: one pixel 1 and the weight 2 make 2, and transposed 4, not 1."""
    x, w = numpy.ones((1, 1, 1)), numpy.full((1, 1, 1), 2.0)
    y = implementation.conv(x, w)
    same(implementation.conv_transpose(y, w), [[[4]]])
    same(scipy.signal.deconvolve(y[0, 0], w[0, 0])[0], [1])


@law(data=st.data(), k=st.integers(1, 3), outputs=st.integers(1, 4), s=st.integers(1, 3))
def test_it_restores_the_size_and_the_places(
    implementation: Any, data: Any, k: int, outputs: int, s: int
) -> None:
    """conv_transpose(conv(x)) has the shape of x where the stride leaves no rest, and it is
    A^T A x, which is symmetric: <x', A^T A x> = <x, A^T A x'>.
    """
    n = k + (outputs - 1) * s
    x, other = data.draw(arrays((1, 1, n))), data.draw(arrays((1, 1, n)))
    w = data.draw(arrays((1, 1, k)))

    def there_and_back(image: Any) -> Any:
        return implementation.conv_transpose(implementation.conv(image, w, stride=s), w, stride=s)

    assert there_and_back(x).shape == x.shape
    assert (there_and_back(x) * other).sum() == (there_and_back(other) * x).sum()


def test_the_documents_5x5_image_comes_back_in_size_only(implementation: Any) -> None:
    """5 by 5 with a 3 by 3 kernel at stride 2 gives 2 by 2; transposed, 5 by 5 again, in which
    the middle was counted four times.
    """
    x, w = numpy.ones((1, 1, 5, 5)), numpy.ones((1, 1, 3, 3))
    y = implementation.conv(x, w, stride=2)
    back = implementation.conv_transpose(y, w, stride=2)
    assert y.shape == (1, 1, 2, 2)
    assert back.shape == x.shape
    same(back[0, 0, 2], [18, 18, 36, 18, 18])


@law(data=st.data(), n=st.integers(1, 4), s=st.integers(1, 3))
def test_an_orthogonal_kernel_is_undone(implementation: Any, data: Any, n: int, s: int) -> None:
    """Where the rows of A are orthonormal, A A^T = 1: conv undoes conv_transpose.  A single 1
    within a kernel no longer than the stride is the simplest such kernel.
    """
    w = numpy.zeros((1, 1, s))
    w[0, 0, data.draw(st.integers(0, s - 1))] = data.draw(st.sampled_from((1.0, -1.0)))
    x = data.draw(arrays((1, 1, n)))
    same(implementation.conv(implementation.conv_transpose(x, w, stride=s), w, stride=s), x)


@law(data=st.data(), kernel=st.integers(1, 3), outputs=st.integers(1, 4))
def test_switches_put_the_maxima_back(
    implementation: Any, data: Any, kernel: int, outputs: int
) -> None:
    """The documents' other way: remember where each maximum was, and put it back there.  Pooling
    again gives the same maxima where they are not negative, for zeros fill the rest.
    """
    x = abs(data.draw(arrays((1, 2, kernel * outputs))))
    values, indices = implementation.max_pool_with_indices(x, kernel_size=kernel)
    back = implementation.max_unpool(values, indices, output_size=x.shape[2:])
    same(implementation.max_pool(back, kernel_size=kernel), values)
    assert ((back == x) | (back == 0)).all()


@law(case=calls("max_unpool"))
def test_a_switch_holds_what_was_put_there(implementation: Any, case: Any) -> None:
    """y[index] = the value, however many windows share the index, and 0 where none points."""
    values, indices = case.operands.values()
    y = run(implementation, case)
    for n, c in numpy.ndindex(values.shape[:2]):
        image, places = y[n, c].ravel(), indices[n, c].ravel()
        same(image[places], values[n, c].ravel())
        assert not numpy.delete(image, places).any()


def test_switches_do_not_put_back_negative_maxima(implementation: Any) -> None:
    """Smallest counterexample: -2, -1 has the maximum -1, and 0, -1 has 0."""
    x = numpy.array([[[-2.0, -1.0]]])
    values, indices = implementation.max_pool_with_indices(x, kernel_size=2)
    back = implementation.max_unpool(values, indices, output_size=(2,))
    same(back, [[[0, -1]]])
    same(implementation.max_pool(back, kernel_size=2), [[[0]]])

"""Convolution is the product of polynomials, and a product of spectra.

The coefficients of a product of polynomials are the convolution of their coefficients; evaluating
at roots of unity, that is taking Fourier transforms, turns the convolution into a plain product.
"""

from __future__ import annotations

from math import log2, prod
from typing import Any

import numpy
import scipy.fft
import sympy
from hypothesis import strategies as st

from convspec.strategies import arrays

from .statement import law, same

VARIABLES = sympy.symbols("x y z")


@st.composite
def pairs(draw: Any) -> tuple[Any, Any]:
    """Two arrays of one rank."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3))
    first, second = (tuple(s) for s in zip(*sizes, strict=True))
    return draw(arrays(first)), draw(arrays(second))


def polynomial(coefficients: Any) -> Any:
    """sum_a c_a x^a, in one variable an axis."""
    terms = {place: int(c) for place, c in numpy.ndenumerate(coefficients)}
    return sympy.Poly(terms, *VARIABLES[: coefficients.ndim])


@law(both=pairs())
def test_coefficients_of_a_product_are_a_convolution(implementation: Any, both: Any) -> None:
    """(sum_a f_a x^a) (sum_b g_b x^b) = sum_t (f * g)_t x^t; SymPy multiplies."""
    f, g = both
    assert polynomial(implementation.convolve(f, g)) == polynomial(f) * polynomial(g)


@law(first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_digits_of_a_product_are_a_convolution_before_the_carries(
    implementation: Any, first: int, second: int
) -> None:
    """The polynomials at x = 10: long multiplication is a convolution of digits."""
    f, g = (numpy.array([int(d) for d in str(n)], float) for n in (first, second))
    h = implementation.convolve(f, g)
    assert sum(int(c) * 10**t for t, c in enumerate(reversed(h))) == first * second


@law(both=pairs())
def test_a_fourier_transform_turns_convolution_into_a_product(
    implementation: Any, both: Any
) -> None:
    """F(f * g) = F(f) F(g), if both are zero-padded to at least n + m - 1 (else the ends wrap).

    Rounding the inverse transform to integers is exact.  A radix-2 transform of N = 2^t points
    errs by less than 8 t u of its norm (Higham, Accuracy and Stability, theorem 24.2, with
    weights good to u), so three of them and a product err by less than 32 t u N |f| |g|: under
    1/2 with a factor of 10^5 to spare for other ways to factor the transform.
    """
    f, g = both
    points = [2 ** (n + m - 1).bit_length() for n, m in zip(f.shape, g.shape, strict=True)]
    norms = numpy.linalg.norm(f) * numpy.linalg.norm(g)
    assert 32 * log2(prod(points)) * 2.0**-53 * prod(points) * norms < 0.5e-5
    spectrum = scipy.fft.fftn(f, points) * scipy.fft.fftn(g, points)
    wrapped = scipy.fft.ifftn(spectrum).real
    kept = tuple(slice(n + m - 1) for n, m in zip(f.shape, g.shape, strict=True))
    same(implementation.convolve(f, g), numpy.rint(wrapped[kept]))


@law(both=pairs())
def test_too_few_points_wrap_the_ends_round(implementation: Any, both: Any) -> None:
    """Without padding the product of spectra is the circular convolution: position t collects
    every full output at t, t + N, t + 2N, ...
    """
    f, g = both
    points = [max(n, m) for n, m in zip(f.shape, g.shape, strict=True)]
    wrapped = numpy.zeros(points)
    for place, value in numpy.ndenumerate(implementation.convolve(f, g)):
        wrapped[tuple(t % n for t, n in zip(place, points, strict=True))] += value
    spectrum = scipy.fft.fftn(f, points) * scipy.fft.fftn(g, points)
    same(wrapped, numpy.rint(scipy.fft.ifftn(spectrum).real))


def test_the_smallest_wrap(implementation: Any) -> None:
    """Two elements by two on two points: x times x is x^2, which falls back onto 1."""
    f = numpy.array([0.0, 1.0])
    same(implementation.convolve(f, f), [0, 0, 1])
    same(numpy.rint(scipy.fft.ifft(scipy.fft.fft(f) ** 2).real), [1, 0])

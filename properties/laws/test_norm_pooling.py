"""Pooling by norms and by distance: between the sum and the maximum, between average and centre.

Roots and powers round, so that these laws count roundings: a window of n taps makes fewer than
2 n + 2^4, a power and a root of a number being taken to be right within 2^2 of them each.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy
import scipy.signal
from hypothesis import strategies as st

from convspec.rounding import growth
from convspec.strategies import calls
from convspec.window import extent

from .exact import cotangents
from .rewriting import run, windows, with_input
from .statement import law, same


def slack(case: Any, y: Any) -> Any:
    """How far an output may be off, relative to itself."""
    taps = prod(case.attributes["kernel_size"])
    return growth(numpy.finfo(y.dtype).eps / 2, 2 * (2 * taps + 2**4))


@law(case=calls("lp_pool"))
def test_the_norm_to_its_power_is_a_sum_over_the_window(implementation: Any, case: Any) -> None:
    """lp_pool(x)^p = conv(|x|^p, ones), one group a channel, where every window is whole: for p = 2
    the root of the energy, for p = 1 the sum of absolute values.
    """
    enlarged = [(0, 0), (0, 0), *((0, extent(window) - 1) for _, window in windows(case))]
    x = numpy.pad(case.operands["input"], enlarged, constant_values=2)
    nothing = ((0, 0),) * len(windows(case))
    case = with_input(case, x, padding=nothing, ceil_mode=False)
    p, kernel = case.attributes["p"], case.attributes["kernel_size"]
    sliding = {name: case.attributes[name] for name in ("stride", "padding", "dilation")}
    ones = numpy.ones((x.shape[1], 1, *kernel))
    expected = implementation.conv(abs(x) ** p, ones, **sliding, groups=x.shape[1]) ** (1 / p)
    y = run(implementation, case)
    assert y.shape == expected.shape
    assert (abs(y - expected) <= slack(case, y) * expected).all()


@law(case=calls("lp_pool"), factor=st.integers(-4, 4))
def test_a_norm_is_homogeneous_and_even(implementation: Any, case: Any, factor: int) -> None:
    """lp_pool(a x) = |a| lp_pool(x), and the sign of no element matters."""
    x, y = case.operands["input"], run(implementation, case)
    scaled = run(implementation, with_input(case, factor * x))
    assert (abs(scaled - abs(factor) * y) <= slack(case, y) * abs(factor) * y).all()
    same(run(implementation, with_input(case, abs(x))), y)


@law(case=calls("lp_pool"))
def test_padding_of_a_norm_is_zeros(implementation: Any, case: Any) -> None:
    """The norms of x are the first of x with zeros around it: what is not there, be it padding or
    overhang, adds nothing, and nothing makes up for it.
    """
    margins = [(window.low, max(window.high, extent(window))) for _, window in windows(case)]
    image = numpy.pad(case.operands["input"], [(0, 0), (0, 0), *margins])
    nothing = ((0, 0),) * len(margins)
    wide = run(implementation, with_input(case, image, padding=nothing, ceil_mode=False))
    y = run(implementation, case)
    wide = wide[tuple(slice(n) for n in y.shape)]
    assert y.shape == wide.shape
    assert (abs(y - wide) <= slack(case, y) * wide).all()


@law(case=calls("lp_pool"), data=st.data())
def test_the_gradient_of_a_norm_along_its_input_is_the_norm(
    implementation: Any, case: Any, data: Any
) -> None:
    """Euler's identity for what is homogeneous of degree 1: <d_x, x> = <g, y>."""
    g, x = data.draw(cotangents(case)), case.operands["input"]
    (d_x,) = implementation.lp_pool_vjp(g, x, **case.attributes)
    y = run(implementation, case)
    roundings = 2 * (x.size + y.size + 2 * prod(case.attributes["kernel_size"]) + 2**4)
    loose = 2 * growth(numpy.finfo(y.dtype).eps / 2, roundings) * (abs(g) * y).sum()
    assert abs((d_x * x).sum() - (g * y).sum()) <= loose


@law(case=calls("lp_pool"))
def test_a_norm_lies_between_the_maximum_and_the_sum(implementation: Any, case: Any) -> None:
    """max |x| <= lp_pool(x) <= n^(1/p) max |x|, and it falls as p rises: from the sum at p = 1
    towards the maximum.
    """
    attributes = {name: v for name, v in case.attributes.items() if name != "p"}
    x, p = case.operands["input"], case.attributes["p"]
    top = implementation.max_pool(abs(x), **attributes)
    y = run(implementation, case)
    loose = 1 + slack(case, y)
    assert (top <= y * loose).all()
    assert (y <= top * prod(attributes["kernel_size"]) ** (1 / p) * loose).all()
    assert (run(implementation, with_input(case, x, p=p + 1)) <= y * loose).all()


@law(case=calls("lp_pool"))
def test_a_norm_obeys_the_triangle_inequality(implementation: Any, case: Any) -> None:
    """lp_pool(x + x') <= lp_pool(x) + lp_pool(x'), here for x' = x reversed along its channels."""
    x = case.operands["input"]
    other = x[:, ::-1] - 1
    ours, theirs = run(implementation, case), run(implementation, with_input(case, other))
    both = run(implementation, with_input(case, x + other))
    assert (both <= (ours + theirs) * (1 + slack(case, both))).all()


def weights(kernel: tuple[int, ...]) -> Any:
    """1 / (1 + distance to the centre), for every tap."""
    found = numpy.empty(kernel)
    for tap in product(*map(range, kernel)):
        distance = sum((j - (k - 1) / 2) ** 2 for j, k in zip(tap, kernel, strict=True)) ** 0.5
        found[tap] = 1 / (1 + distance)
    return found


@law(case=calls("distance_weighted_pool"))
def test_the_distance_weighted_average_is_a_quotient_of_correlations(
    implementation: Any, case: Any
) -> None:
    """Sums by SciPy of the weighted pixels, over the same of ones: only taps that exist count."""
    y = run(implementation, case)
    kernel = weights(case.attributes["kernel_size"])
    padding = [(window.low, window.high) for _, window in windows(case)]
    steps = tuple(slice(None, None, window.stride) for _, window in windows(case))
    x = case.operands["input"]

    def total(image: Any) -> Any:
        padded = numpy.pad(image, padding)
        return scipy.signal.correlate(padded, kernel, mode="valid", method="direct")[steps]

    count = total(numpy.ones(x.shape[2:]))
    for n, c in numpy.ndindex(x.shape[:2]):
        expected = total(x[n, c]) / count
        assert y[n, c].shape == expected.shape
        largest = abs(x[n, c]).max()
        assert (abs(y[n, c] - expected) <= slack(case, y) * largest).all()


@law(case=calls("distance_weighted_pool"))
def test_the_distance_weighted_average_stays_in_the_bounds_of_its_window(
    implementation: Any, case: Any
) -> None:
    """Never above max_pool, and never below -max_pool(-x)."""
    x, y = case.operands["input"], run(implementation, case)
    loose = slack(case, y) * abs(x).max(initial=0)
    assert (y <= implementation.max_pool(x, **case.attributes) + loose).all()
    assert (y >= -implementation.max_pool(-x, **case.attributes) - loose).all()


def test_the_centre_counts_most(implementation: Any) -> None:
    """Smallest example: 0, 1, 0 averages to a third, and weighed by distance to a half."""
    x = numpy.array([[[0.0, 12.0, 0.0]]])
    same(implementation.average_pool(x, kernel_size=3), [[[4]]])
    same(implementation.distance_weighted_pool(x, kernel_size=3), [[[6]]])

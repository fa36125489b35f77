"""Pooling by norms and by distance: simple norms, other libraries, derivatives, errors."""

import math
from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.norm_pooling import (
    distance_weighted_pool,
    distance_weighted_pool_shape,
    distance_weighted_pool_vjp,
    lp_pool,
    lp_pool_shape,
    lp_pool_vjp,
)
from convspec.pooling import average_pool, max_pool
from convspec.window import Window, squared_distance

U = 2.0**-53


def reals(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).normal(size=shape)


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-8, 9, shape)


GEOMETRIES = [
    ((2, 2, 6), {"kernel_size": (2,), "stride": (2,), "padding": ((0, 0),)}),
    (
        (1, 2, 7, 5),
        {"kernel_size": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1))},
    ),
    (
        (1, 2, 3, 3, 4),
        {"kernel_size": (2, 1, 3), "stride": (1, 2, 1), "padding": ((1, 1), (0, 0), (1, 1))},
    ),
]
DILATED = [
    (
        (2, 1, 8),
        {
            "kernel_size": (3,),
            "stride": (2,),
            "padding": ((0, 0),),
            "dilation": (2,),
            "ceil_mode": True,
        },
    ),
]


def windowed(x, sizes, *, kernel_size, stride, padding, dilation=None, ceil_mode=False, fill=0):
    """Every window of `x` as NumPy sees it, padded with `fill`: (N, C, *sizes, *kernel)."""
    rank = len(kernel_size)
    dilation = dilation or (1,) * rank
    spare = [(low, high + 20) for low, high in padding]
    padded = numpy.pad(x, [(0, 0), (0, 0), *spare], constant_values=fill)
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, kernel_size, strict=True)]
    axes = tuple(range(2, 2 + rank))
    view = numpy.lib.stride_tricks.sliding_window_view(padded, extents, axis=axes)
    steps = tuple(slice(None, o * s, s) for o, s in zip(sizes, stride, strict=True))
    return view[(..., *(slice(None, None, d) for d in dilation))][(slice(None),) * 2 + steps]


@pytest.mark.parametrize(("shape", "attributes"), GEOMETRIES + DILATED)
def test_norms_one_and_two_as_numpy_has_them(shape, attributes):
    x = integers(*shape)
    out = lp_pool_shape(shape, **attributes)
    seen = windowed(x, out[2:], **attributes)
    axes = tuple(range(len(shape), seen.ndim))
    numpy.testing.assert_array_equal(lp_pool(x, p=1, **attributes), abs(seen).sum(axis=axes))
    # A sum of squares below 2^53 and its root, correctly rounded, are the same in both.
    numpy.testing.assert_array_equal(
        lp_pool(x, **attributes), numpy.sqrt((seen * seen).sum(axis=axes))
    )
    assert max_pool(x, **attributes).shape == out


def test_pythagorean_windows_are_exact_in_every_arithmetic():
    x = [[[3, 4, 12], [8, 15, 0]]]
    for scalar in (int, float, Fraction):
        given = numpy.vectorize(scalar, otypes=[object])(x)
        assert lp_pool(given, kernel_size=2, stride=1)[0, :, 0].tolist() == [5, 17]
        assert lp_pool(given, kernel_size=3)[0, :, 0].tolist() == [13, 17]
    assert lp_pool(numpy.array(x, "int8"), kernel_size=3).dtype == numpy.float64
    assert lp_pool(numpy.array(x, "float32"), kernel_size=3).dtype == numpy.float32


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, Fraction(7, 2), 8])
def test_norms_decrease_with_p_down_to_the_maximum(p):
    """|x|_inf <= |x|_q <= |x|_p for q > p; each side is a rounded number."""
    x = reals(2, 2, 9)
    larger = lp_pool(x, p=p, kernel_size=4, stride=1)
    smaller = lp_pool(x, p=p + 1, kernel_size=4, stride=1)
    # Four terms: a power each, three additions and a root, every one within two ulps.
    slack = 1 + 2 * 16 * U
    assert (smaller <= larger * slack).all()
    assert (max_pool(abs(x), kernel_size=4, stride=1) <= smaller * slack).all()


def test_powers_beyond_the_largest_float_are_infinite():
    assert lp_pool([[[1e200, 1.0]]], kernel_size=2).item() == math.inf
    assert math.isnan(lp_pool([[[math.nan, 1.0]]], kernel_size=2).item())


@pytest.mark.parametrize("p", [1, 2, 3])
def test_derivatives_of_norms_are_sympys(p):
    x = numpy.array(sympy.symbols("x:3", real=True, nonzero=True), dtype=object).reshape(1, 1, 3)
    g = numpy.array(sympy.symbols("g:2"), dtype=object).reshape(1, 1, 2)
    options = {"p": p, "kernel_size": 2, "stride": 1}
    total = (g * lp_pool(x, **options)).sum()
    (d_x,) = lp_pool_vjp(g, x, **options)
    for d, symbol in zip(d_x.flat, x.flat, strict=True):
        difference = d - sympy.diff(total, symbol)
        at = dict(zip([*x.flat, *g.flat], map(sympy.Rational, (3, -4, 5, 7, 11)), strict=True))
        assert abs(sympy.N(difference.subs(at), 30)) < 1e-25


def test_the_subgradient_at_zero_is_zero():
    (d_x,) = lp_pool_vjp([[[5.0, 5.0]]], [[[0.0, 0.0, 0.0, 2.0]]], kernel_size=2)
    assert d_x.tolist() == [[[0, 0, 0, 5]]]
    (d_x,) = lp_pool_vjp([[[5]]], [[[Fraction(3), Fraction(-4)]]], kernel_size=2)
    assert d_x.tolist() == [[[3, -4]]]


def squared(window, tap):
    return sum((j - (k - 1) / 2) ** 2 for j, k in zip(tap, window, strict=True))


@pytest.mark.parametrize(("shape", "attributes"), GEOMETRIES)
def test_distance_weights_as_numpy_has_them(shape, attributes):
    x = reals(*shape)
    out = distance_weighted_pool_shape(shape, **attributes)
    kernel = attributes["kernel_size"]
    weights = numpy.empty(kernel)
    for tap in numpy.ndindex(*kernel):
        weights[tap] = 1 / (1 + math.sqrt(squared(kernel, tap)))
    axes = tuple(range(len(shape), 2 * len(shape) - 2))
    seen = windowed(x, out[2:], **attributes)
    there = windowed(numpy.ones_like(x), out[2:], **attributes)
    total = (there * weights).sum(axis=axes)
    magnitude = (abs(seen) * weights).sum(axis=axes) / total
    expected = (seen * weights).sum(axis=axes) / total
    # A weight is three roundings, a product one, two sums of n terms and a quotient, on each side.
    bound = 2 * (2 * math.prod(kernel) + 2 * 3 + 2) * U * magnitude
    actual = distance_weighted_pool(x, **attributes)
    assert actual.shape == out
    assert (abs(actual - expected) <= bound).all()
    # Its own adjoint: <g, P x> = <P' g, x>, the same count of roundings, then the pairing's.
    g = reals(*out, seed=1)
    (d_x,) = distance_weighted_pool_vjp(g, x, **attributes)
    assert abs((g * actual).sum() - (d_x * x).sum()) <= (bound.max() + 4 * x.size * U) * (
        abs(g).sum() * max(1.0, magnitude.max())
    )


def test_distance_weights_by_hand():
    """1 / (1 + sqrt 2), 1/2, 1 around the centre of a 3x3 window."""
    one_hot = numpy.zeros((9, 1, 3, 3))
    one_hot[numpy.arange(9), 0, numpy.arange(9) // 3, numpy.arange(9) % 3] = 1
    corner = math.sqrt(2) - 1
    total = 4 * corner + 3
    expected = numpy.array([corner, 0.5, corner, 0.5, 1, 0.5, corner, 0.5, corner]) / total
    actual = distance_weighted_pool(one_hot, kernel_size=3).ravel()
    assert (abs(actual - expected) <= 2 * 28 * U * expected).all()
    assert squared_distance([Window(2), Window(3, dilation=2)], (0, 0)) == Fraction(17, 4)


def test_distance_weights_are_rational_on_one_axis():
    x = numpy.array([[[Fraction(1), Fraction(4), Fraction(5)]]], dtype=object)
    y = distance_weighted_pool(x, kernel_size=3)
    assert y.tolist() == [[[Fraction(7, 2)]]]
    assert isinstance(y.item(), Fraction)
    edge = distance_weighted_pool(x, kernel_size=3, stride=1, padding=1)
    assert edge[0, 0, 0] == (1 + 4 * Fraction(1, 2)) / Fraction(3, 2)
    symbols = numpy.array(sympy.symbols("x:3"), dtype=object).reshape(1, 1, 3)
    a, b, c = symbols.flat
    assert (
        sympy.expand(distance_weighted_pool(symbols, kernel_size=3).item()) == a / 4 + b / 2 + c / 4
    )
    (d_x,) = distance_weighted_pool_vjp([[[a]]], symbols, kernel_size=3)
    assert d_x.tolist() == [[[a / 4, a / 2, a / 4]]]
    assert distance_weighted_pool([[[1, 2]]], kernel_size=1).dtype == numpy.float64


@pytest.mark.parametrize("kernel", [2, 3])
def test_a_constant_is_kept_by_the_distance_weighted_average(kernel):
    """Fractions: in exact arithmetic the weights sum to one, at the edges as well."""
    x = numpy.full((1, 1, 6), Fraction(5, 7), dtype=object)
    for y in distance_weighted_pool(x, kernel_size=kernel, stride=1, padding=1).flat:
        assert y == Fraction(5, 7)


def test_pooling_across_channels_is_pooling_along_a_moved_axis():
    """Maxout: channels moved into space, pooled in pairs, moved back."""
    x = integers(2, 6, 3, 4)
    moved = numpy.moveaxis(x[:, None], 2, 4)
    for pool, reduce in ((max_pool, numpy.max), (average_pool, numpy.mean)):
        pooled = pool(moved, kernel_size=(1, 1, 2))
        back = numpy.moveaxis(pooled, 4, 2)[:, 0]
        numpy.testing.assert_array_equal(back, reduce(x.reshape(2, 3, 2, 3, 4), axis=2))


X = numpy.zeros((1, 2, 5))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lp_pool(X, p=0.5, kernel_size=2), ValueError, r"p=0.5: must be at least 1; input"),
        (lambda: lp_pool(X, p=math.inf, kernel_size=2), ValueError, "p=inf: must be finite"),
        (lambda: lp_pool(X, p="2", kernel_size=2), TypeError, "p='2': must be a real number"),
        (lambda: lp_pool(X, p=True, kernel_size=2), TypeError, "p=True"),
        (lambda: lp_pool(X, kernel_size=6), ValueError, "spans 6 positions"),
        (lambda: lp_pool(X, kernel_size=1, padding=1), ValueError, "without any input element"),
        (lambda: lp_pool_vjp(X, X, kernel_size=2), ValueError, "cotangent has shape"),
        (lambda: distance_weighted_pool(X, kernel_size=0), ValueError, "kernel_size=0"),
        (lambda: distance_weighted_pool_vjp(X, X, kernel_size=2), ValueError, "cotangent has"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_root_that_is_no_whole_number():
    """By hand: 4^1.5 = 8, and 8^(2/3) = 4; a power each, of which a rounded exponent changes the
    second by a factor ln 8 < 3.
    """
    found = lp_pool([[[4.0, 0.0]]], p=1.5, kernel_size=2).item()
    assert abs(found - 4) <= 2 * (2 + 3 + 2) * U * 4

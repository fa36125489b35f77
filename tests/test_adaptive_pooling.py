"""Adaptive, global and pyramid pooling: the documents' 13x13 map, coverage, derivatives, errors."""

import math
from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.adaptive_pooling import (
    adaptive_average_pool,
    adaptive_average_pool_vjp,
    adaptive_max_pool,
    adaptive_max_pool_vjp,
    adaptive_pool_shape,
    spatial_pyramid_pool,
    spatial_pyramid_pool_shape,
    spatial_pyramid_pool_vjp,
)
from convspec.pooling import average_pool, max_pool
from convspec.window import adaptive_range

POOLS = [
    (adaptive_max_pool, adaptive_max_pool_vjp),
    (adaptive_average_pool, adaptive_average_pool_vjp),
]


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-99, 100, shape)


def fractions(x):
    return numpy.vectorize(Fraction, otypes=[object])(x)


@pytest.mark.parametrize(("level", "size", "stride"), [(3, 5, 4), (2, 7, 6), (1, 13, 13)])
def test_the_documents_13_by_13_map(level, size, stride):
    """sizeX = ceil(13 / n) and stride = floor(13 / n) are the adaptive windows at 13."""
    x = integers(1, 2, 13, 13)
    numpy.testing.assert_array_equal(
        adaptive_max_pool(x, output_size=level), max_pool(x, kernel_size=size, stride=stride)
    )
    numpy.testing.assert_array_equal(
        adaptive_average_pool(x, output_size=level),
        average_pool(x, kernel_size=size, stride=stride),
    )


def test_the_documents_question_about_14_by_14():
    """At 14 and n = 4 their rule leaves the last position out; the adaptive windows do not."""
    size, stride = math.ceil(14 / 4), 14 // 4
    assert (size, stride) == (4, 3)
    fixed = [range(i * stride, i * stride + size) for i in range(4)]
    assert max(map(max, fixed)) == 12
    adaptive = [adaptive_range(14, 4, i) for i in range(4)]
    assert adaptive == [range(4), range(3, 7), range(7, 11), range(10, 14)]


@pytest.mark.parametrize("n", range(1, 15))
@pytest.mark.parametrize("size", range(1, 17))
def test_adaptive_windows_cover_the_axis_in_order(n, size):
    ranges = [adaptive_range(n, size, i) for i in range(size)]
    assert set().union(*ranges) == set(range(n))
    assert all(len(one) for one in ranges)
    assert [one.start for one in ranges] == [math.floor(i * n / size) for i in range(size)]
    assert [one.stop for one in ranges] == [
        math.ceil(Fraction((i + 1) * n, size)) for i in range(size)
    ]
    # Mirrored, the windows are the same in the other order.
    assert [range(n - one.stop, n - one.start) for one in reversed(ranges)] == ranges


@pytest.mark.parametrize("size", [1, (2,), 3, (6,), (9,)])
def test_one_axis_window_by_window(size):
    x = integers(2, 3, 6)
    outputs = adaptive_pool_shape(x.shape, output_size=size)[2]
    for i in range(outputs):
        inside = x[..., i * 6 // outputs : -(-(i + 1) * 6 // outputs)]
        numpy.testing.assert_array_equal(
            adaptive_max_pool(x, output_size=size)[..., i], inside.max(axis=-1)
        )
        exact = fractions(inside).sum(axis=-1) / inside.shape[-1]
        numpy.testing.assert_array_equal(
            adaptive_average_pool(fractions(x), output_size=size)[..., i], exact
        )


@pytest.mark.parametrize("length", [1, 4, 9])
def test_max_over_time_takes_sequences_of_any_length(length):
    x = integers(2, 5, length)
    numpy.testing.assert_array_equal(adaptive_max_pool(x, output_size=1)[..., 0], x.max(axis=2))


@pytest.mark.parametrize("kind", ["max", "average"])
def test_pyramid_is_level_by_level_channel_by_channel(kind):
    x = integers(2, 3, 7, 5)
    pool = adaptive_max_pool if kind == "max" else adaptive_average_pool
    y = spatial_pyramid_pool(x, levels=[4, 1, 2], kind=kind)
    assert y.shape == (2, 3 * (16 + 1 + 4)) == spatial_pyramid_pool_shape(x.shape, levels=(4, 1, 2))
    first = 0
    for level in (4, 1, 2):
        for c in range(3):
            part = y[:, first : first + level**2]
            numpy.testing.assert_array_equal(
                part, pool(x, output_size=level)[:, c].reshape(2, level**2)
            )
            first += level**2


@pytest.mark.parametrize("size", [(13, 13), (1, 9), (30, 2)])
def test_pyramid_length_does_not_depend_on_the_input_size(size):
    """The documents' 21 features of each of 256 channels."""
    assert spatial_pyramid_pool_shape((1, 256, *size), levels=[1, 2, 4]) == (1, 21 * 256)


@pytest.mark.parametrize(("pool", "back"), POOLS)
@pytest.mark.parametrize("size", [2, (3, 5), (4, 1)])
def test_cotangents_pair_as_outputs_do(pool, back, size):
    """<g, P x> = <P' g, x>: both are linear where the maxima stay where they are."""
    x = fractions(integers(2, 2, 5, 4))
    y = pool(x, output_size=size)
    g = fractions(integers(*y.shape, seed=1))
    (d_x,) = back(g, x, output_size=size)
    assert d_x.shape == x.shape
    assert (g * y).sum() == (d_x * x).sum()
    # One output alone: its cotangent stays inside its window and sums to itself.
    alone = fractions(numpy.zeros(g.shape, int))
    alone[0, 1, 1, 0] = Fraction(1)
    (d_x,) = back(alone, x, output_size=size)
    assert d_x.sum() == 1
    assert not d_x[1].any()
    assert not d_x[:, 0].any()


@pytest.mark.parametrize("kind", ["max", "average"])
def test_pyramid_cotangents_pair_as_outputs_do(kind):
    x = fractions(integers(2, 2, 5, 4))
    y = spatial_pyramid_pool(x, levels=[3, 1], kind=kind)
    g = fractions(integers(*y.shape, seed=1))
    (d_x,) = spatial_pyramid_pool_vjp(g, x, levels=[3, 1], kind=kind)
    assert (g * y).sum() == (d_x * x).sum()


def test_symbols():
    x = numpy.array(sympy.symbols("x:3", real=True), dtype=object).reshape(1, 1, 3)
    a, b, c = x.flat
    assert adaptive_max_pool(x, output_size=2).tolist() == [[[sympy.Max(a, b), sympy.Max(b, c)]]]
    assert spatial_pyramid_pool(x, levels=[1]).tolist() == [[sympy.Max(a, b, c)]]
    g = numpy.array(sympy.symbols("g:2"), dtype=object).reshape(1, 1, 2)
    total = (g * adaptive_average_pool(x, output_size=2)).sum()
    (d_x,) = adaptive_average_pool_vjp(g, x, output_size=2)
    for d, symbol in zip(d_x.flat, x.flat, strict=True):
        assert sympy.expand(d - sympy.diff(total, symbol)) == 0


def test_ties_nans_dtypes_and_empty_batches():
    (d_x,) = adaptive_max_pool_vjp([[[7]]], [[[2, 5, 5]]], output_size=1)
    assert d_x.tolist() == [[[0, 7, 0]]]
    assert math.isnan(adaptive_max_pool([[[1.0, math.nan, 3.0]]], output_size=1).item())
    one = numpy.ones((0, 2, 3), "float32")
    assert spatial_pyramid_pool(one, levels=[2, 1]).shape == (0, 6)
    assert spatial_pyramid_pool(one, levels=[2, 1], kind="average").dtype == numpy.float32
    assert adaptive_average_pool(numpy.ones((1, 1, 3), "int16"), output_size=2).dtype == "float64"
    assert adaptive_max_pool(numpy.ones((1, 1, 3), "int16"), output_size=2).dtype == "int64"


X = numpy.zeros((1, 2, 5, 5))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: adaptive_max_pool(X, output_size=0),
            ValueError,
            "output_size=0: must be at least",
        ),
        (lambda: adaptive_max_pool(X, output_size=(1, 2, 3)), ValueError, "2 in all"),
        (lambda: adaptive_max_pool(X, output_size=2.0), TypeError, "output_size=2.0"),
        (lambda: adaptive_average_pool(X[0, 0], output_size=2), ValueError, "input has shape"),
        (lambda: adaptive_max_pool_vjp(X, X, output_size=2), ValueError, "cotangent has shape"),
        (lambda: adaptive_average_pool_vjp(X, X, output_size=2), ValueError, "cotangent has shape"),
        (lambda: spatial_pyramid_pool(X, levels=[]), ValueError, "levels=.*at least one level"),
        (lambda: spatial_pyramid_pool(X, levels=2), TypeError, "levels=2: must be a list"),
        (lambda: spatial_pyramid_pool(X, levels="12"), TypeError, "levels='12'"),
        (lambda: spatial_pyramid_pool(X, levels=[2, 0]), ValueError, "levels="),
        (lambda: spatial_pyramid_pool(X, levels=[2], kind="min"), ValueError, "kind='min'"),
        (lambda: spatial_pyramid_pool(X, levels=[2], kind=None), TypeError, "kind=None"),
        (lambda: spatial_pyramid_pool(X[0, 0], levels=[2]), ValueError, "input has shape"),
        (lambda: spatial_pyramid_pool_vjp(X, X, levels=[2]), ValueError, "cotangent has shape"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

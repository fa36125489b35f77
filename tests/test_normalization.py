"""Normalizations: by hand, other libraries, derivatives by SymPy, errors."""

import math
from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.normalization import (
    batch_norm,
    batch_norm_shape,
    batch_norm_vjp,
    local_response_normalization,
    local_response_normalization_shape,
    local_response_normalization_vjp,
    response_window,
)

U = 2.0**-53


def reals(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).normal(size=shape)


def symbols(name, *shape):
    return numpy.array(sympy.symbols(f"{name}:{math.prod(shape)}", positive=True)).reshape(shape)


def same_derivatives(total, operand, derivative, at):
    for d, symbol in zip(derivative.flat, operand.flat, strict=True):
        assert abs(sympy.N((d - sympy.diff(total, symbol)).subs(at), 30)) < 1e-25


def rational_point(*operands):
    free = [symbol for operand in operands for symbol in operand.flat]
    return {symbol: sympy.Rational(3 + 2 * i, 7) for i, symbol in enumerate(free)}


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 4), (2, 2, 3, 2), (0, 2, 1)])
def test_batch_norm_as_numpy_has_it(shape):
    x, channels = reals(*shape), shape[1]
    mean, scale, shift = (reals(channels, seed=i) for i in range(3))
    variance = reals(channels, seed=3) ** 2
    y = batch_norm(x, mean, variance, scale, shift, epsilon=0.01)
    tall = (slice(None), *(None,) * (len(shape) - 2))
    product = scale[tall] * (x - mean[tall]) / numpy.sqrt(variance + 0.01)[tall]
    expected = product + shift[tall]
    # The same roundings in the same order, or in another: seven of the product, one of the sum.
    assert (abs(y - expected) <= 2 * 8 * U * (abs(product) + abs(expected))).all()
    statistics = [(channels,)] * 4
    assert y.shape == batch_norm_shape(shape, *statistics, epsilon=0.01)


def test_batch_norm_with_the_statistics_of_its_batch_has_mean_zero_and_variance_one():
    x = numpy.vectorize(Fraction, otypes=[object])([[1], [4], [7], [0], [3], [3]])
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    assert (mean.item(), variance.item()) == (3, 5)
    y = batch_norm(x, mean, variance, [1], [0], epsilon=Fraction(4))
    assert y.mean() == 0
    assert (y**2).mean() == Fraction(5, 9)


def test_batch_norm_keeps_rationals_and_dtypes():
    half = numpy.array([[Fraction(1, 2)]], dtype=object)
    y = batch_norm(half, [0], [Fraction(1, 4)], [3], [1], epsilon=0)
    assert y.item() == 4
    one = numpy.ones((1, 1), "float32")
    assert batch_norm(one, *[one[0]] * 4, epsilon=0).dtype == numpy.float32
    assert batch_norm([[5]], [1], [3], [10], [0], epsilon=1).tolist() == [[20.0]]


def test_a_variance_of_unknown_sign_is_left_to_whoever_chose_the_symbol():
    v = sympy.Symbol("v")
    variance = numpy.array([v], dtype=object)
    assert batch_norm([[6]], [0], variance, [1], [0], epsilon=0).item() == 6 / sympy.sqrt(v)


def test_derivatives_of_batch_norm_are_sympys():
    x, g = symbols("x", 2, 2, 1), symbols("g", 2, 2, 1)
    channel = [symbols(name, 2) for name in "mvst"]
    total = (g * batch_norm(x, *channel, epsilon=Fraction(1, 3))).sum()
    gradients = batch_norm_vjp(g, x, *channel, epsilon=Fraction(1, 3))
    at = rational_point(x, g, *channel)
    for operand, d in zip((x, *channel), gradients, strict=True):
        assert d.shape == operand.shape
        same_derivatives(total, operand, d, at)


def test_local_response_by_hand():
    """Channels 1, 2, 3; a window of 3: energies 5, 14, 13, each over three, plus k."""
    x = numpy.array([[[1], [2], [3]]])
    options = {"size": 3, "alpha": Fraction(3), "beta": 1, "k": 1}
    given = numpy.vectorize(Fraction, otypes=[object])(x)
    y = local_response_normalization(given, **options)
    assert y.ravel().tolist() == [Fraction(1, 6), Fraction(2, 15), Fraction(3, 14)]
    assert local_response_normalization(x, **options).dtype == numpy.float64
    assert y.shape == local_response_normalization_shape(x.shape, **options)
    one = numpy.ones((0, 2, 1), "float32")
    assert local_response_normalization(one, **options).dtype == numpy.float32


def test_an_even_window_reaches_further_up():
    x = numpy.array([[[Fraction(1)], [Fraction(2)], [Fraction(3)]]])
    y = local_response_normalization(x, size=2, alpha=Fraction(2), beta=1, k=1)
    assert y.ravel().tolist() == [Fraction(1, 6), Fraction(2, 14), Fraction(3, 10)]
    window = response_window(x.shape, size=2, alpha=2, beta=1, k=1)
    assert (window.low, window.high) == (0, 1)


def test_derivatives_of_local_response_are_sympys():
    x, g = symbols("x", 1, 4, 1), symbols("g", 1, 4, 1)
    options = {"size": 3, "alpha": Fraction(1, 2), "beta": Fraction(3, 4), "k": 2}
    total = (g * local_response_normalization(x, **options)).sum()
    (d_x,) = local_response_normalization_vjp(g, x, **options)
    same_derivatives(total, x, d_x, rational_point(x, g))


X, C = numpy.zeros((2, 3, 4)), numpy.ones(3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: batch_norm(X[0, 0], C, C, C, C, epsilon=0), ValueError, "input has shape"),
        (lambda: batch_norm(X, C[:2], C, C, C, epsilon=0), ValueError, "mean has shape"),
        (lambda: batch_norm(X, C, C[:2], C, C, epsilon=0), ValueError, "variance has shape"),
        (lambda: batch_norm(X, C, C, C[:2], C, epsilon=0), ValueError, "scale has shape"),
        (lambda: batch_norm(X, C, C, C, C[:2], epsilon=0), ValueError, "shift has shape"),
        (lambda: batch_norm(X, C, C, C, C, epsilon=-1), ValueError, "epsilon=-1"),
        (lambda: batch_norm(X, C, C, C, C, epsilon="0"), TypeError, "epsilon='0'"),
        (lambda: batch_norm(X, C, -C, C, C, epsilon=1), ValueError, "variance holds -1.0 at 0"),
        (lambda: batch_norm_vjp(X[0], X, C, C, C, C, epsilon=0), ValueError, "cotangent has"),
        *(
            (
                lambda name=name, value=value: local_response_normalization(
                    X, **{"size": 3, "alpha": 1, "beta": 1, "k": 1, name: value}
                ),
                error,
                f"{name}={value!r}",
            )
            for name, value, error in (
                ("size", 0, ValueError),
                ("size", 2.0, TypeError),
                ("alpha", -1, ValueError),
                ("beta", -1, ValueError),
                ("k", 0, ValueError),
                ("k", None, TypeError),
            )
        ),
        (
            lambda: local_response_normalization(X[0, 0], size=1, alpha=1, beta=1, k=1),
            ValueError,
            "input has shape",
        ),
        (
            lambda: local_response_normalization_vjp(X[0], X, size=1, alpha=1, beta=1, k=1),
            ValueError,
            "cotangent has shape",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_variance_is_told_what_it_holds_beside_the_shapes():
    for call in (batch_norm, lambda *given, epsilon: batch_norm_vjp(X, *given, epsilon=epsilon)):
        with pytest.raises(ValueError, match="variance") as caught:
            call(X, C, numpy.array([1.0, -2.0, 1.0]), C, C, epsilon=1)
        assert str(caught.value) == (
            "variance holds -2.0 at 1: with epsilon=1 it must be larger than 0; "
            "input has shape (2, 3, 4), mean has shape (3,), variance has shape (3,), "
            "scale has shape (3,), shift has shape (3,)"
        )

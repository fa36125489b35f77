"""Activations and losses: identities, other libraries within counted ulps, derivatives, errors."""

import math
from fractions import Fraction

import numpy
import pytest
import scipy.special
import sympy

from convspec.activation import (
    dropout,
    dropout_shape,
    dropout_vjp,
    elementwise_shape,
    logistic,
    relu,
    relu_vjp,
    sigmoid,
    sigmoid_vjp,
    softmax,
    softmax_shape,
    softmax_vjp,
    tanh,
    tanh_vjp,
)
from convspec.loss import (
    cross_entropy,
    cross_entropy_shape,
    cross_entropy_vjp,
    l2_penalty,
    l2_penalty_shape,
    l2_penalty_vjp,
)

U = 2.0**-53
# Elementary functions are taken to be within this many ulps of the truth, ours and theirs. An
# assumption about the C library and about SciPy, not a theorem.
ULPS = 4


def reals(*shape, seed=0, scale=3.0):
    return numpy.random.default_rng([seed, *shape]).normal(size=shape) * scale


def symbols(name, *shape):
    return numpy.array(sympy.symbols(f"{name}:{math.prod(shape)}", real=True)).reshape(shape)


def same_derivatives(output, cotangent, operand, derivative):
    """The vjp and SymPy's derivative agree to 25 digits at a rational point."""
    total = sum(numpy.ravel(cotangent * output))
    free = [*operand.flat, *numpy.ravel(cotangent)]
    at = {symbol: sympy.Rational(3 + 2 * i, 7) * (-1) ** i for i, symbol in enumerate(free)}
    for d, symbol in zip(derivative.flat, operand.flat, strict=True):
        assert abs(sympy.N((d - sympy.diff(total, symbol)).subs(at), 30)) < 1e-25


def test_relu_of_every_scalar():
    assert relu([-3, 0, 5]).tolist() == [0, 0, 5]
    assert relu(numpy.array([-3, 5], "int8")).dtype == numpy.int64
    thirds = numpy.array([Fraction(-1, 3), Fraction(1, 3)], dtype=object)
    assert relu(thirds).tolist() == [0, Fraction(1, 3)]
    x = symbols("x", 1)
    assert relu(x).tolist() == [sympy.Max(0, x[0])]
    numpy.testing.assert_array_equal(
        relu([math.nan, -math.inf, math.inf, -0.0]), [math.nan, 0, math.inf, 0]
    )
    assert relu(numpy.zeros((2, 0, 3), "float32")).shape == elementwise_shape((2, 0, 3))


def test_relu_passes_cotangents_where_the_input_is_positive():
    (d_x,) = relu_vjp([1, 2, 3], [-1, 0, 1])
    assert d_x.tolist() == [0, 0, 3]
    x, g = symbols("x", 1), symbols("g", 1)
    (d_x,) = relu_vjp(g, x)
    assert d_x[0].subs(x[0], 2) == g[0]
    assert d_x[0].subs(x[0], -2) == 0


def test_sigmoid_and_tanh_are_scipys():
    x = numpy.concatenate([reals(200), [0.0, 36.0, -36.0, 700.0, -700.0]])
    for ours, theirs in ((sigmoid(x), scipy.special.expit(x)), (tanh(x), numpy.tanh(x))):
        # One exponential, one addition and one division, or one function, on either side.
        assert (abs(ours - theirs) <= 2 * (2 * ULPS + 2) * U * abs(theirs)).all()


def test_sigmoid_keeps_what_is_tiny_and_never_overflows():
    assert sigmoid([-math.inf, -1000.0, 1000.0, math.inf]).tolist() == [0, 0, 1, 1]
    assert 0 < sigmoid([-740.0])[0] < 1e-320
    assert math.isnan(sigmoid([math.nan])[0])


@pytest.mark.parametrize("x", [-2.5, -0.25, 0.0, 1.0, 3.75])
def test_symmetries(x):
    assert abs(sigmoid([x])[0] + sigmoid([-x])[0] - 1) <= (2 * ULPS + 4) * U
    assert tanh([-x])[0] == -tanh([x])[0]
    assert abs(tanh([x])[0] - (2 * sigmoid([2 * x])[0] - 1)) <= (4 * ULPS + 8) * U


@pytest.mark.parametrize(
    ("forward", "backward"), [(sigmoid, sigmoid_vjp), (tanh, tanh_vjp), (softmax, softmax_vjp)]
)
def test_derivatives_are_sympys(forward, backward):
    x, g = symbols("x", 1, 3), symbols("g", 1, 3)
    (d_x,) = backward(g, x)
    same_derivatives(forward(x), g, x, d_x)


def test_a_number_that_is_not_negative_goes_through_the_first_formula():
    for x in numpy.linspace(0, 1, 50).tolist():
        assert logistic(x) == 1 / (1 + math.exp(-x))


def test_derivatives_of_what_is_saturated_are_not_lost():
    """1 - tanh(x)^2 would be 0 here; 4 s(2x) s(-2x) is 4 exp(-2x) to the last digits."""
    (d_x,) = tanh_vjp([1.0], [30.0])
    assert abs(d_x[0] - 4 * math.exp(-60)) <= (6 * ULPS + 12) * U * d_x[0]
    (d_x,) = sigmoid_vjp([1.0], [60.0])
    assert abs(d_x[0] - math.exp(-60)) <= (6 * ULPS + 12) * U * d_x[0]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_is_scipys(axis):
    x = reals(3, 4, 5)
    ours, theirs = softmax(x, axis=axis), scipy.special.softmax(x, axis=axis)
    # Exponents of size up to 20 carry a rounding of the shift, which the exponential passes on.
    slack = 2 * (20 + 2 * ULPS + 5 + 2) * U
    assert (abs(ours - theirs) <= slack * theirs).all()
    assert (abs(ours.sum(axis=axis) - 1) <= slack).all()
    assert ours.shape == softmax_shape(x.shape, axis=axis)


def test_softmax_does_not_overflow_and_shifts_cancel():
    assert softmax([[1e308, 1e308]]).tolist() == [[0.5, 0.5]]
    assert softmax([[-math.inf, 0.0]]).tolist() == [[0, 1]]
    numpy.testing.assert_array_equal(softmax([[3, 1, 2]]), softmax([[1003, 1001, 1002]]))
    assert softmax(numpy.zeros((0, 2), "float32")).dtype == numpy.float32
    x = symbols("x", 1, 2)
    a, b = x.flat
    assert softmax(x)[0, 0] == sympy.exp(a) / (sympy.exp(a) + sympy.exp(b))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_the_cotangent_of_softmax_is_that_of_every_line_alone(axis):
    x, g = reals(2, 3, 4), reals(2, 3, 4, seed=1)
    (d_x,) = softmax_vjp(g, x, axis=axis)
    lines = (numpy.moveaxis(a, axis, -1).reshape(-1, x.shape[axis]) for a in (g, x))
    (expected,) = softmax_vjp(*lines)
    found = numpy.moveaxis(d_x, axis, -1).reshape(expected.shape)
    numpy.testing.assert_array_equal(found, expected)


def test_dropout_keeps_the_expectation():
    """Over all masks, each with its probability, the mean output is the input."""
    x = numpy.array([Fraction(1, 3), Fraction(-5), Fraction(2)], dtype=object)
    rate, mean = Fraction(1, 4), 0
    for bits in numpy.ndindex(2, 2, 2):
        chance = math.prod(1 - rate if bit else rate for bit in bits)
        mean = mean + chance * dropout(x, bits, rate=rate)
    assert mean.tolist() == x.tolist()


def test_dropout_by_hand():
    assert dropout([1, 2, 4], [1, 0, 1], rate=0.75).tolist() == [4, 0, 16]
    assert dropout([1.0, 2.0], [1, 1], rate=0).tolist() == [1, 2]
    assert dropout(numpy.ones(2, "float32"), numpy.ones(2), rate=0.5).dtype == numpy.float32
    assert math.isnan(dropout([math.inf], [0], rate=0.5)[0])
    assert dropout_shape((2, 3), (2, 3), rate=Fraction(1, 2)) == (2, 3)
    x, g = symbols("x", 2), symbols("g", 2)
    (d_x,) = dropout_vjp(g, x, [1, 0], rate=Fraction(1, 2))
    assert d_x.tolist() == [2 * g[0], 0]
    assert dropout(x, [1, 0], rate=Fraction(1, 2)).tolist() == [2 * x[0], 0]


def test_cross_entropy_is_the_log_likelihood_of_the_softmax():
    z, labels = reals(6, 4), numpy.array([0, 3, 1, 1, 2, 0])
    likelihoods = scipy.special.log_softmax(z, axis=1)[numpy.arange(6), labels]
    # Six terms below 30: the shift, exponential, sum and logarithm of each, then their mean.
    slack = 2 * 30 * (20 + 2 * ULPS + 4 + 6 + 2) * U
    assert abs(cross_entropy(z, labels) + likelihoods.mean()) <= slack
    assert cross_entropy(z, labels).shape == cross_entropy_shape(z.shape, labels.shape) == ()


def test_cross_entropy_of_certain_and_of_hopeless_predictions():
    assert cross_entropy([[1000.0, 0.0]], [0]) == 0
    assert cross_entropy([[1000.0, 0.0]], [1]) == 1000
    assert cross_entropy(numpy.zeros((3, 2), "float32"), [0, 1, 0]).dtype == numpy.float32
    assert abs(cross_entropy([[7, 7, 7, 7]], [2]) - math.log(4)) <= ULPS * U * 4


def test_derivatives_of_losses_are_sympys():
    z, g = symbols("z", 2, 2), symbols("g", 1).reshape(())
    labels = [1, 0]
    (d_z,) = cross_entropy_vjp(g, z, labels)
    same_derivatives(cross_entropy(z, labels), g, z, d_z)
    strength = Fraction(1, 10)
    (d_w,) = l2_penalty_vjp(g, z, strength=strength)
    same_derivatives(l2_penalty(z, strength=strength), g, z, d_w)


def test_l2_penalty_by_hand():
    """The documents' strength of 0.1."""
    w = numpy.array([[Fraction(3), Fraction(-4)]], dtype=object)
    assert l2_penalty(w, strength=Fraction(1, 10)).item() == Fraction(5, 4)
    assert l2_penalty([3, -4], strength=0.5) == 6.25
    assert l2_penalty(numpy.ones((0, 2), "float32"), strength=1).dtype == numpy.float32
    assert l2_penalty_shape((2, 3), strength=0) == ()
    assert l2_penalty_vjp(2, [3, -4], strength=0.5)[0].tolist() == [3, -4]


Z = numpy.zeros((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: relu(["a"]), TypeError, "input has dtype"),
        (lambda: relu_vjp([1], [1, 2]), ValueError, r"cotangent has shape \(1,\)"),
        (lambda: sigmoid_vjp([1], [1, 2]), ValueError, "cotangent has shape"),
        (lambda: tanh_vjp([1], [1, 2]), ValueError, "cotangent has shape"),
        (lambda: softmax(Z, axis=2), ValueError, "axis=2: must be less than the 2 axes"),
        (lambda: softmax(Z, axis=-3), ValueError, "axis=-3"),
        (lambda: softmax(Z, axis=1.0), TypeError, "axis=1.0"),
        (lambda: softmax(Z[:0], axis=0), ValueError, "axis=0: its size must be at least 1"),
        (lambda: softmax_vjp(Z[0], Z), ValueError, "cotangent has shape"),
        (lambda: dropout(Z, Z[0], rate=0.5), ValueError, r"mask has shape \(3,\)"),
        (lambda: dropout(Z, Z + 2, rate=0.5), ValueError, r"mask holds 2.0 at \(0, 0\)"),
        (lambda: dropout(Z, Z, rate=1), ValueError, "rate=1: must be less than 1"),
        (lambda: dropout(Z, Z, rate=-0.1), ValueError, "rate=-0.1: must be at least 0"),
        (lambda: dropout(Z, Z, rate="half"), TypeError, "rate='half'"),
        (lambda: dropout_vjp(Z[0], Z, Z, rate=0), ValueError, "cotangent has shape"),
        (lambda: cross_entropy(Z, [0]), ValueError, r"labels has shape \(1,\)"),
        (lambda: cross_entropy(Z, [0, 3]), ValueError, "labels holds 3 at 1: .*less than 3"),
        (lambda: cross_entropy(Z, [0, -1]), ValueError, "labels holds -1 at 1"),
        (lambda: cross_entropy(Z, [0.0, 1.0]), TypeError, "labels has dtype float64"),
        (lambda: cross_entropy(Z[:0], numpy.zeros(0, int)), ValueError, "mean over no items"),
        (lambda: cross_entropy(Z[0], 0), ValueError, "logits has shape"),
        (lambda: cross_entropy_vjp([1], Z, [0, 1]), ValueError, "cotangent has shape"),
        (lambda: l2_penalty(Z, strength=-1), ValueError, "strength=-1: must be at least 0"),
        (lambda: l2_penalty(Z, strength=None), TypeError, "strength=None"),
        (lambda: l2_penalty_vjp(Z, Z, strength=1), ValueError, "cotangent has shape"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_mask_is_told_what_it_holds_beside_the_shapes():
    mask = numpy.array([[0.0, 3.0, 1.0], [0.0, 0.0, 0.0]])
    for call in (dropout, lambda *given, rate: dropout_vjp(Z, *given, rate=rate)):
        with pytest.raises(ValueError, match="mask") as caught:
            call(Z, mask, rate=0.5)
        assert str(caught.value) == (
            "mask holds 3.0 at (0, 1): must hold 0 and 1 only; "
            "input has shape (2, 3), mask has shape (2, 3)"
        )


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0.0, 1.0], TypeError, "labels has dtype float64: must hold integers"),
        ([0, 3], ValueError, "labels holds 3 at 1: must be at least 0 and less than 3"),
    ],
)
def test_labels_are_told_what_they_hold_beside_the_shapes(labels, error, message):
    shapes = "logits has shape (2, 3), labels has shape (2,)"
    for call in (cross_entropy, lambda *given: cross_entropy_vjp(1, *given)):
        with pytest.raises(error, match="labels") as caught:
            call(Z, labels)
        assert str(caught.value) == f"{message}; {shapes}"

"""Activations and losses: what they leave alone, and what their gradients are.

Everything here but relu and dropout rounds; each law says how often, as u(n) = (1 + u)^n - 1, and
takes an exponential or a logarithm to be right within 2^4 roundings, which is an assumption about
libraries and no theorem.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy
import pytest
import scipy.special
import sympy
from hypothesis import strategies as st

from convspec.rounding import growth
from convspec.strategies import arrays, calls

from .exact import cotangents
from .rewriting import run, with_input
from .statement import law, same

# What an exponential, a logarithm or a hyperbolic tangent may be wrong by, in roundings.
ELEMENTARY = 2**4


def close(left: Any, right: Any, roundings: int, scale: float = 1.0) -> None:
    """Equal up to this many roundings of numbers up to `scale`."""
    left, right = numpy.asarray(left), numpy.asarray(right)
    assert left.shape == right.shape
    slack = growth(numpy.finfo(left.dtype).eps / 2, roundings) * max(1.0, scale)
    assert (abs(left - right) <= slack).all()


@law(case=calls("softmax"))
def test_softmax_sums_to_one(implementation: Any, case: Any) -> None:
    """All outputs are positive, and along the axis they sum to 1."""
    y, axis = run(implementation, case), case.attributes["axis"]
    total = y.sum(axis=axis)
    assert (y > 0).all()
    assert (y <= 1).all()
    close(total, numpy.ones(total.shape), 2 * ELEMENTARY + 2 * y.shape[axis])


@law(case=calls("softmax"), shift=st.integers(-1000, 1000))
def test_softmax_does_not_see_a_shift(implementation: Any, case: Any, shift: int) -> None:
    """softmax(x + c) = softmax(x), even where e^c would overflow; SciPy agrees."""
    x, axis = case.operands["input"], case.attributes["axis"]
    y = run(implementation, case)
    roundings = 4 * ELEMENTARY + 4 * x.shape[axis]
    close(run(implementation, with_input(case, x + shift)), y, roundings)
    close(y, scipy.special.softmax(x, axis=axis), roundings)


@law(case=calls("softmax"), data=st.data())
def test_the_gradient_of_softmax_does_not_see_a_shift_either(
    implementation: Any, case: Any, data: Any
) -> None:
    """It sums to 0 along the axis, since moving all scores together changes nothing."""
    axis = case.attributes["axis"]
    g, n = data.draw(cotangents(case)), case.operands["input"].shape[axis]
    (d_x,) = implementation.softmax_vjp(g, *case.operands.values(), axis=axis)
    total = d_x.sum(axis=axis)
    largest = n * float(abs(g).max(initial=0))
    close(total, numpy.zeros_like(total), 4 * ELEMENTARY + 4 * n, 2 * largest)


def test_softmax_sees_a_factor(implementation: Any) -> None:
    """Smallest counterexample: twice the difference is more than the difference."""
    x = numpy.array([[0.0, 1.0]])
    assert implementation.softmax(2 * x)[0, 1] > implementation.softmax(x)[0, 1] > 1 / 2


@law(case=calls("softmax"), data=st.data())
def test_softmax_keeps_the_order(implementation: Any, case: Any, data: Any) -> None:
    """A larger score is a larger share, equal ones are equal, and a permutation goes through."""
    y = numpy.moveaxis(run(implementation, case), case.attributes["axis"], -1)
    x = numpy.moveaxis(case.operands["input"], case.attributes["axis"], -1)
    above = x[..., :, None] > x[..., None, :]
    # Small integers are at least 1 apart, so that a share is e times the other.
    assert (y[..., :, None] > y[..., None, :])[above].all()
    order = list(data.draw(st.permutations(range(x.shape[-1]))))
    permuted = numpy.take(case.operands["input"], order, axis=case.attributes["axis"])
    moved = numpy.moveaxis(
        run(implementation, with_input(case, permuted)), case.attributes["axis"], -1
    )
    close(moved, y[..., order], 4 * ELEMENTARY + 4 * x.shape[-1])


@law(data=st.data(), size=st.integers(1, 5))
def test_softmax_of_two_is_a_sigmoid(implementation: Any, data: Any, size: int) -> None:
    """softmax(x, 0) = sigmoid(x), sigmoid(-x); and tanh(x) = 2 sigmoid(2 x) - 1."""
    x = data.draw(arrays((size, 1)))
    pair = numpy.concatenate([x, numpy.zeros_like(x)], axis=1)
    both = numpy.concatenate([implementation.sigmoid(x), implementation.sigmoid(-x)], axis=1)
    close(implementation.softmax(pair), both, 8 * ELEMENTARY)
    close(implementation.tanh(x), 2 * implementation.sigmoid(2 * x) - 1, 8 * ELEMENTARY)


@law(exponent=st.integers(0, 100))
def test_sigmoid_and_tanh_keep_to_their_limits(implementation: Any, exponent: int) -> None:
    """sigmoid(x) + sigmoid(-x) = 1 and tanh(x) = -tanh(-x) = 2 sigmoid(2 x) - 1 also where e^x is
    larger than any number: here for x = 2^n.
    """
    x = numpy.array([2.0**exponent])
    one = numpy.ones(1)
    close(implementation.sigmoid(x) + implementation.sigmoid(-x), one, 4 * ELEMENTARY)
    far = implementation.tanh(x)
    close(far, -implementation.tanh(-x), 2 * ELEMENTARY)
    close(far, 2 * implementation.sigmoid(2 * x) - 1, 8 * ELEMENTARY)


@law(case=calls("cross_entropy"))
def test_the_gradient_of_cross_entropy_is_softmax_minus_one_hot(
    implementation: Any, case: Any
) -> None:
    """(softmax(z) - one_hot(l)) / N: the error itself; every row sums to 0."""
    logits, labels = case.operands.values()
    items, classes = logits.shape
    (gradient,) = implementation.cross_entropy_vjp(numpy.array(1.0), logits, labels)
    expected = (implementation.softmax(logits) - numpy.eye(classes)[labels]) / items
    roundings = 4 * ELEMENTARY + 4 * classes
    close(gradient, expected, roundings)
    close(gradient.sum(axis=1), numpy.zeros(items), classes * roundings)


@law(case=calls("cross_entropy"), shift=st.integers(-1000, 1000))
def test_cross_entropy_is_the_mean_negative_log_likelihood(
    implementation: Any, case: Any, shift: int
) -> None:
    """-mean ln softmax(z)_label, which is not negative and does not see a shift of the scores."""
    logits, labels = case.operands.values()
    loss = run(implementation, case)
    chosen = scipy.special.log_softmax(logits, axis=1)[range(len(labels)), labels]
    roundings, scale = 8 * ELEMENTARY + 8 * logits.size, 32.0 + abs(shift)
    close(loss, numpy.asarray(-chosen.mean(), dtype=loss.dtype), roundings, scale)
    close(implementation.cross_entropy(logits + shift, labels), loss, roundings, scale)
    assert loss >= 0


def test_cross_entropy_by_sympy() -> None:
    """The derivative, once and for all: d/dz_j of ln sum e^z - z_0 is softmax_j - [j = 0]."""
    z = sympy.symbols("z0:3", real=True)
    total = sum(map(sympy.exp, z))
    for j, score in enumerate(z):
        derivative = sympy.diff(sympy.log(total) - z[0], score)
        assert sympy.simplify(derivative - (sympy.exp(score) / total - int(j == 0))) == 0


@law(case=calls("dropout"))
def test_dropout_is_its_mask_scaled(implementation: Any, case: Any) -> None:
    """y = 0 where the mask is 0, x / (1 - r) where it is 1; at rate 0 with everything kept, x."""
    x, mask = case.operands.values()
    y = run(implementation, case)
    assert not y[mask == 0].any()
    close(y[mask == 1], x[mask == 1] / (1 - case.attributes["rate"]), 4, 100.0)
    same(implementation.dropout(x, numpy.ones(x.shape, dtype=int), rate=0.0), x)


@pytest.mark.parametrize(("survivors", "of"), [(1, 2), (1, 4), (2, 2)])
@law(x=arrays((3,)))
def test_the_expectation_of_dropout_is_its_input(
    implementation: Any, survivors: int, of: int, x: Any
) -> None:
    """The mean over all masks, each as likely as independent draws with survival 1 - r make it, is
    x: exactly, for r = 1/2, 3/4 and 0 all numbers are binary.
    """
    rate = 1 - survivors / of
    expectation = numpy.zeros(3)
    for mask in product((0, 1), repeat=3):
        probability = prod(1 - rate if kept else rate for kept in mask)
        if probability:
            expectation += probability * implementation.dropout(x, numpy.array(mask), rate=rate)
    same(expectation, x)


def test_dropout_without_the_scale_would_shrink(implementation: Any) -> None:
    """Smallest counterexample: of one pixel 1, half of the masks keep 1, on average a half; so
    dropout hands on 2.
    """
    same(implementation.dropout(numpy.ones(1), numpy.array([1]), rate=0.5), [2])


def test_dropout_does_not_keep_the_variance(implementation: Any) -> None:
    """The expectation of the square is x^2 / (1 - r): only means are preserved."""
    kept = [implementation.dropout(numpy.ones(1), numpy.array([m]), rate=0.5)[0] for m in (0, 1)]
    assert numpy.mean(kept) == 1
    assert numpy.mean(numpy.square(kept)) == 2


@law(case=calls("relu"), factor=st.integers(0, 9))
def test_relu_is_homogeneous_and_idempotent(implementation: Any, case: Any, factor: int) -> None:
    """relu(a x) = a relu(x) for a >= 0, relu(relu(x)) = relu(x), relu(x) - relu(-x) = x."""
    x = case.operands["input"]
    y = run(implementation, case)
    same(y, numpy.maximum(x, 0))
    same(implementation.relu(factor * x), factor * y)
    same(implementation.relu(y), y)
    same(y - implementation.relu(-x), x)


def test_relu_of_a_negative_factor(implementation: Any) -> None:
    """Smallest counterexample: relu(-1) = 0 is not -relu(1)."""
    same(implementation.relu(numpy.array([-1.0])), [0])


def test_relu_hands_on_what_is_no_number(implementation: Any) -> None:
    """Smallest example: max(NaN, 0) is NaN, as every maximum with NaN; infinity stays, and minus
    infinity is 0.
    """
    x = numpy.array([numpy.nan, numpy.inf, -numpy.inf])
    same(implementation.relu(x), [numpy.nan, numpy.inf, 0])


@law(case=calls("max_pool"))
def test_relu_and_a_maximum_change_places(implementation: Any, case: Any) -> None:
    """relu(max_pool(x)) = max_pool(relu(x)): either order may be computed; of an average, no."""
    before = run(implementation, with_input(case, implementation.relu(case.operands["input"])))
    same(before, implementation.relu(run(implementation, case)))


def test_relu_and_an_average_do_not(implementation: Any) -> None:
    """Smallest counterexample: the pixels 2, -2 average to 0; their positive parts to 1."""
    x = numpy.array([[[2.0, -2.0]]])
    same(implementation.relu(implementation.average_pool(x, kernel_size=2)), [[[0]]])
    same(implementation.average_pool(implementation.relu(x), kernel_size=2), [[[1]]])


@law(case=calls("l2_penalty"))
def test_weight_decay_is_the_gradient_of_the_penalty(implementation: Any, case: Any) -> None:
    """strength / 2 * |w|^2, whose gradient is strength * w; twice the weights cost four times.

    A product or two more each: with a strength of 0.1 every one may round.
    """
    w, strength = case.operands["weight"], case.attributes["strength"]
    (gradient,) = implementation.l2_penalty_vjp(numpy.array(1.0), w, strength=strength)
    close(gradient, strength * w, 4, 16.0)
    cost = run(implementation, case)
    scale, roundings = float(8 * (w**2).sum()), 2 * w.size + 8
    close(implementation.l2_penalty(2 * w, strength=strength), 4 * cost, roundings, scale)
    close(2 * cost, numpy.asarray((gradient * w).sum()), roundings, scale)

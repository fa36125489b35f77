"""JAX's automatic differentiation against the definitions, once and twice.

JAX differentiates what is written here with its own functions and knows nothing of a `_vjp`.  On
integers nothing rounds and the two are equal; elsewhere they agree within the roundings of both.
`adapters/test_coverage.py` compares the windows of convolutions and pools in every geometry.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import pytest

import convspec
from convspec.operations import OPERATIONS
from convspec.rounding import growth

with warnings.catch_warnings():
    # What a framework says about its own dependencies when it is imported.
    warnings.simplefilter("ignore")
    jax = pytest.importorskip("jax", reason="JAX is an independent witness: needs convspec[jax]")
jax.config.update("jax_enable_x64", True)
lax, jnp = jax.lax, jax.numpy

U = 2.0**-53
LABELS = numpy.array([0, 3, 1, 1, 2])


class Call(NamedTuple):
    """A call of an operation, and the same in JAX; both sides of an output are sums of terms as
    large as `magnitude` at most, with so many `roundings` in all, none where nothing rounds.
    """

    operation: str
    operands: dict[str, Any]
    attributes: dict[str, Any]
    theirs: Callable[..., Any]
    roundings: int = 0
    magnitude: float = 1.0


def integers(*shape: int, seed: int = 0) -> Any:
    return numpy.random.default_rng(seed).integers(-9, 10, shape).astype(float)


def distinct(*shape: int) -> Any:
    """No two equal, so that no maximum is shared."""
    size = int(numpy.prod(shape))
    return numpy.random.default_rng(0).permutation(size).reshape(shape).astype(float)


def reals(*shape: int, seed: int = 0) -> Any:
    return numpy.random.default_rng(seed).uniform(-2, 2, shape)


SLIDING = {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "dilation": (1, 2)}


def sliding(x: Any, w: Any, groups: int = 1, **attributes: Any) -> Any:
    return lax.conv_general_dilated(
        x,
        w,
        window_strides=attributes["stride"],
        padding=attributes["padding"],
        rhs_dilation=attributes["dilation"],
        feature_group_count=groups,
    )


def convolved(x: Any, w: Any, b: Any) -> Any:
    return sliding(x, w, groups=2, **SLIDING) + b[:, None, None]


def transposed(x: Any, w: Any, b: Any) -> Any:
    """JAX's derivative of a convolution by its input, which is one more to be differentiated."""
    ones = jnp.zeros((2, 3, 8, 9))
    kept = {"stride": (2, 3), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    return jax.vjp(lambda y: sliding(y, w, **kept), ones)[1](x)[0] + b[:, None, None]


def separable(x: Any, depthwise: Any, pointwise: Any, b: Any) -> Any:
    between = sliding(x, depthwise, groups=4, **SLIDING)
    return jnp.einsum("ncyx,oc->noyx", between, pointwise) + b[:, None, None]


def windowed(start: float, reduce: Any) -> Any:
    def pooled(x: Any) -> Any:
        return lax.reduce_window(
            x, start, reduce, (1, 1, 2, 4), (1, 1, 1, 2), ((0, 0), (0, 0), (1, 0), (1, 2))
        )

    return pooled


POOLED = {"kernel_size": (2, 4), "stride": (1, 2), "padding": ((1, 0), (1, 2))}


def normalized(x: Any, mean: Any, variance: Any, scale: Any, shift: Any) -> Any:
    """By the formula: JAX has no function for it."""
    centred = (x - mean[:, None]) / jnp.sqrt(variance[:, None] + 0.25)
    return scale[:, None] * centred + shift[:, None]


def crossed(z: Any) -> Any:
    return -jax.nn.log_softmax(z)[jnp.arange(5), LABELS].mean()


def calls() -> list[Call]:
    x, weight = integers(2, 4, 6, 5), integers(6, 2, 3, 2, seed=1)
    bias = integers(6, seed=2)
    spread = {name: reals(5, seed=seed) for name, seed in (("scale", 2), ("shift", 3))}
    # Exponentials of 4 ulps, sums and quotients of up to 5 numbers of size 1.
    few: Any = {"roundings": 64, "magnitude": 9 * 4.0}
    return [
        Call(
            "conv",
            {"input": x, "weight": weight, "bias": bias},
            {**SLIDING, "groups": 2},
            convolved,
        ),
        Call(
            "conv_transpose",
            {
                "input": integers(2, 5, 3, 3),
                "weight": integers(5, 3, 3, 2, seed=1),
                "bias": integers(3, seed=2),
            },
            {"stride": (2, 3), "output_padding": (1, 1)},
            transposed,
        ),
        Call(
            "depthwise_separable_conv",
            {
                "input": x,
                "depthwise": integers(8, 1, 3, 2, seed=1),
                "pointwise": integers(3, 8, seed=2),
                "bias": integers(3, seed=3),
            },
            SLIDING,
            separable,
        ),
        Call("max_pool", {"input": distinct(2, 3, 5, 6)}, POOLED, windowed(-numpy.inf, lax.max)),
        Call(
            "average_pool",
            {"input": 8 * integers(2, 3, 5, 6)},
            {**POOLED, "count_include_pad": True},
            lambda x: windowed(0.0, lax.add)(x) / 8,
        ),
        Call(
            "linear",
            {"input": integers(3, 4), "weight": integers(2, 4), "bias": integers(2)},
            {},
            lambda x, w, b: x @ w.T + b,
        ),
        # No element is 0, where any slope from 0 to 1 is right.
        Call("relu", {"input": integers(3, 4) + 0.5}, {}, jax.nn.relu),
        Call("sigmoid", {"input": reals(3, 4)}, {}, jax.nn.sigmoid, **few),
        Call("tanh", {"input": reals(3, 4)}, {}, jnp.tanh, **few),
        Call("softmax", {"input": reals(3, 4)}, {}, lambda x: jax.nn.softmax(x, axis=1), **few),
        Call(
            "cross_entropy",
            {"logits": reals(5, 4), "labels": LABELS},
            {},
            lambda z, _: crossed(z),
            **few,
        ),
        # Statistics are operands like any other; slopes are below 2^5.
        Call(
            "batch_norm",
            {
                "input": reals(2, 5, 3),
                "mean": reals(5),
                "variance": reals(5, seed=1) ** 2,
                **spread,
            },
            {"epsilon": 0.25},
            normalized,
            roundings=64,
            magnitude=9 * 2.0**5 * 6,
        ),
        Call(
            "upsample",
            {"input": integers(2, 3, 4)},
            {"scale": 3},
            lambda x: jnp.repeat(x, 3, axis=2),
        ),
    ]


def agree(call: Call, ours: Any, theirs: Any) -> None:
    ours, theirs = numpy.asarray(ours), numpy.asarray(theirs)
    assert ours.shape == theirs.shape
    slack = 2 * growth(U, call.roundings) * call.magnitude if call.roundings else 0
    assert (abs(ours - theirs) <= slack).all()


def cotangent(call: Call, shape: Any) -> Any:
    """Multiples of the averages' divisor where nothing rounds."""
    return numpy.asarray(reals(*shape, seed=9) if call.roundings else 8 * integers(*shape, seed=9))


@pytest.mark.parametrize("call", calls(), ids=lambda call: call.operation)
def test_jax_agrees_forward_and_backward(call):
    row = OPERATIONS[call.operation]
    given = list(call.operands.values())
    ours = row.definition(*given, **call.attributes)
    floating = [array for array in given if array.dtype == float]
    discrete = [array for array in given if array.dtype != float]
    theirs, pull = jax.vjp(lambda *arrays: call.theirs(*arrays, *discrete), *floating)
    agree(call, ours, theirs)
    g = cotangent(call, ours.shape)
    gradients = row.vjp(g, *given, **call.attributes)
    assert len(gradients) == len(floating)
    for gradient, other in zip(gradients, pull(jnp.asarray(g)), strict=True):
        agree(call, gradient, other)


@pytest.mark.parametrize(
    "name",
    ["conv", "conv_transpose", "depthwise_separable_conv", "linear", "average_pool", "max_pool"],
)
def test_jax_differentiates_twice_what_is_made_of_products(name):
    """The vjp of a vjp: <u, d(g, x, w)> by JAX along every operand and the cotangent, against the
    definition of the same with one factor replaced by its direction.
    """
    (call,) = [call for call in calls() if call.operation == name]
    row, g = OPERATIONS[name], None
    names = [key for key in call.operands if key != "bias"]
    given = [call.operands[key] for key in names]
    zeros = [numpy.zeros_like(b) for key, b in call.operands.items() if key == "bias"]
    forward = row.definition(*given, **call.attributes)
    g = 8 * integers(*forward.shape, seed=9)
    moves = [8 * integers(*array.shape, seed=10 + n) for n, array in enumerate(given)]

    def paired(g: Any, *arrays: Any) -> Any:
        """sum over operands of <direction, cotangent of the operand>, by JAX."""
        pulled = jax.vjp(lambda *inner: call.theirs(*inner, *zeros), *arrays)[1](g)
        return sum((move * one).sum() for move, one in zip(moves, pulled, strict=True))

    by_g, *by_operands = jax.grad(paired, argnums=range(1 + len(given)))(
        jnp.asarray(g), *map(jnp.asarray, given)
    )
    # d/dg: the derivative of the output along all directions at once, a sum of one for each.
    if name == "max_pool":
        along = row.definition(given[0] * 2.0**20 + moves[0], **call.attributes) - 2.0**20 * forward
        assert not numpy.asarray(by_operands[0]).any()
    else:
        swapped = [[*given[:n], move, *given[n + 1 :]] for n, move in enumerate(moves)]
        along = sum(row.definition(*operands, **call.attributes) for operands in swapped)
    numpy.testing.assert_array_equal(along, by_g)
    if name == "average_pool":
        assert not numpy.asarray(by_operands[0]).any()
    elif len(given) > 1:
        # d/dx_m: the cotangent of operand m where another operand is replaced by its direction.
        for m, found in enumerate(by_operands):
            expected = 0
            for n, move in enumerate(moves):
                if n != m:
                    moved = [*given[:n], move, *given[n + 1 :]]
                    expected = expected + row.vjp(g, *moved, **call.attributes)[m]
            numpy.testing.assert_array_equal(expected, found)


def curved(function: Any, x: Any, v: Any) -> Any:
    """The second derivative of the sum of a function along v."""
    return jax.grad(lambda y: (jax.grad(lambda z: function(z).sum())(y) * v).sum())(jnp.asarray(x))


@pytest.mark.parametrize(
    ("name", "theirs", "curve"),
    [
        ("sigmoid", jax.nn.sigmoid, lambda y: y * (1 - y) * (1 - 2 * y)),
        ("tanh", jnp.tanh, lambda y: -2 * y * (1 - y * y)),
        ("relu", jax.nn.relu, lambda y: 0 * y),
    ],
)
def test_jax_agrees_on_the_curvature_of_an_activation(name, theirs, curve):
    """Either side: a function right within 8 ulps, and products of numbers up to 2."""
    x = reals(20) + 0.0
    ours = curve(getattr(convspec, name)(x))
    found = numpy.asarray(curved(theirs, x, numpy.ones(20)))
    assert (abs(ours - found) <= 2 * growth(U, 64) * 4).all()


def test_jax_agrees_on_the_curvature_of_cross_entropy():
    """diag(p) - p p^T over the number of items."""
    z, v = reals(5, 4), integers(5, 4, seed=1)
    p = convspec.softmax(z)
    ours = (p * v - p * (p * v).sum(axis=1, keepdims=True)) / 5
    found = numpy.asarray(curved(crossed, z, v))
    assert (abs(ours - found) <= 2 * growth(U, 64) * 2 * 9).all()


def test_jax_agrees_on_a_whole_network():
    """Convolution, sigmoid, mean, dense layer and cross-entropy; what comes back by the chain of
    `_vjp`s is JAX's gradient of the whole.  Numbers are below 2^5, sums of up to 2^6 of them.
    """
    x, w, b = reals(5, 2, 5, 4), reals(3, 2, 2, 3, seed=1), reals(3, seed=2)
    v, c = reals(4, 6, seed=3), reals(4, seed=4)

    def cost(x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
        z = lax.conv_general_dilated(x, w, (1, 1), "VALID") + b[:, None, None]
        means = jax.nn.sigmoid(z).reshape(5, 3, 2, 2, 1, 2).mean(axis=(3, 5))
        return crossed(means.reshape(5, 6) @ v.T + c)

    theirs = jax.grad(cost, argnums=range(5))(*map(jnp.asarray, (x, w, b, v, c)))
    z = convspec.conv(x, w, b)
    y = convspec.sigmoid(z)
    means = convspec.average_pool(y, kernel_size=2)
    features = convspec.flatten(means)
    (g,) = convspec.cross_entropy_vjp(1.0, convspec.linear(features, v, c), LABELS)
    g, d_v, d_c = convspec.linear_vjp(g, features, v, c)
    (g,) = convspec.average_pool_vjp(g.reshape(means.shape), y, kernel_size=2)
    (g,) = convspec.sigmoid_vjp(g, z)
    ours = (*convspec.conv_vjp(g, x, w, b), d_v, d_c)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert (abs(mine - numpy.asarray(other)) <= 2 * growth(U, 2**8) * 2.0**5).all()
        assert abs(mine).max() > 2.0**-10

"""Forward and backward: against operations called one by one, difference quotients and PyTorch."""

from __future__ import annotations

import numpy
import pytest

import convspec
from convspec import fast
from convspec.network import (
    Network,
    activations,
    backward,
    forward,
    initial,
    parameter_shapes,
    plan,
)
from convspec.network.layers import (
    average_pool,
    batch_norm,
    concatenated,
    conv,
    conv_transpose,
    crop,
    dropout,
    flatten,
    linear,
    locally_connected,
    max_pool_with_indices,
    max_unpool,
    relu,
    residual,
    sigmoid,
    softmax,
    take,
)

EVERYTHING = Network(
    "everything",
    (2, 6, 6),
    (
        conv(4, 3, padding=1, name="conv"),
        batch_norm(name="bn"),
        max_pool_with_indices(2, name="pool"),
        sigmoid(),
        concatenated("both", (take((0, 2)), conv(3, 1, name="c")), (average_pool(1), take((3,)))),
        residual("res", (conv(4, 3, padding=1, name="r"),), (conv(4, 1, name="s"),)),
        dropout(0.5, name="drop"),
        max_unpool("pool"),
        conv_transpose(2, 3, stride=2, name="up"),
        crop("input", 3),
        locally_connected(2, 5, name="local"),
        flatten(),
        linear(3, name="dense"),
        softmax(),
    ),
)


def random(shape, seed=0):
    return numpy.random.default_rng(seed).standard_normal(shape)


@pytest.fixture(scope="module")
def drawn():
    """Input, parameters, mask: no statistic or bias at its starting value."""
    generator = numpy.random.default_rng(1)
    parameters = {
        name: generator.uniform(0.5, 1.5, shape)
        if "bn" in name
        else generator.normal(size=shape) / max(1, numpy.sqrt(numpy.prod(shape[1:])))
        for name, shape in parameter_shapes(EVERYTHING).items()
    }
    masks = {"drop": generator.integers(0, 2, (2, 4, 3, 3)).astype(float)}
    return generator.normal(size=(2, 2, 6, 6)), parameters, masks


def test_a_forward_pass_is_its_operations_one_after_the_other(drawn):
    x, p, masks = drawn
    y = fast.conv(x, p["conv.weight"], p["conv.bias"], padding=1)
    names = ("mean", "variance", "scale", "shift")
    y = fast.batch_norm(y, *(p[f"bn.{name}"] for name in names), epsilon=1e-5)
    y, switches = fast.max_pool_with_indices(y, kernel_size=2)
    y = fast.sigmoid(y)
    left = fast.conv(y[:, [0, 2]], p["both.c.weight"], p["both.c.bias"])
    y = numpy.concatenate([left, y[:, [3]]], axis=1)
    y = fast.conv(y, p["res.r.weight"], p["res.r.bias"], padding=1) + fast.conv(
        y, p["res.s.weight"], p["res.s.bias"]
    )
    y = fast.dropout(y, masks["drop"], rate=0.5)
    y = fast.max_unpool(y, switches, output_size=(6, 6))
    y = fast.conv_transpose(y, p["up.weight"], p["up.bias"], stride=2)[:, :, 3:9, 3:9]
    y = fast.locally_connected(y, p["local.weight"], p["local.bias"])
    y = fast.softmax(fast.linear(fast.flatten(y), p["dense.weight"], p["dense.bias"]))
    numpy.testing.assert_array_equal(forward(EVERYTHING, p, x, masks=masks), y)


def test_every_gradient_is_its_difference_quotient(drawn):
    """Central differences of step h in a random direction are off by O(h^2) and by rounding of
    about 2^-52 / h: with h = 2^-16, less than 2^-20 of numbers around 1; the kinks of the maximum
    are further away than h.
    """
    x, parameters, masks = drawn
    g = random((2, 3))
    values = activations(EVERYTHING, parameters, x, masks=masks)
    gradients = backward(EVERYTHING, parameters, values, g)
    assert set(gradients) == {"input", *parameters}
    h = 2.0**-16
    for position, (name, gradient) in enumerate(gradients.items()):
        direction = random(gradient.shape, seed=position + 2)

        def along(step, name=name, direction=direction):
            moved = {**parameters, "input": x}
            moved[name] = moved[name] + step * direction
            return (g * forward(EVERYTHING, moved, moved["input"], masks=masks)).sum()

        quotient = (along(h) - along(-h)) / (2 * h)
        exact = (gradient * direction).sum()
        assert abs(quotient - exact) <= 2.0**-20 * max(1, abs(exact)), name
        # What flows through the network is large enough to show a mistake.
        assert abs(gradient).max() > 2.0**-12, name


def test_definitions_and_twins_run_the_same_network(drawn):
    x, parameters, masks = drawn
    x, masks = x[:1], {"drop": masks["drop"][:1]}
    slow = activations(EVERYTHING, parameters, x, operations=convspec, masks=masks)
    quick = activations(EVERYTHING, parameters, x, masks=masks)
    g = random((1, 3))
    ours = backward(EVERYTHING, parameters, slow, g, operations=convspec)
    theirs = backward(EVERYTHING, parameters, quick, g)
    assert slow.keys() == quick.keys()
    assert ours.keys() == theirs.keys()
    for name in slow:
        numpy.testing.assert_allclose(slow[name], quick[name], rtol=1e-9, atol=1e-12)
    for name in ours:
        numpy.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12)


def test_dropout_without_a_mask_is_the_identity(drawn):
    x, parameters, _ = drawn
    values = activations(EVERYTHING, parameters, x)
    assert values["drop"] is values["res.add"]
    gradients = backward(EVERYTHING, parameters, values, random((2, 3)))
    ones = {"drop": numpy.ones((2, 4, 3, 3))}
    doubled = activations(EVERYTHING, parameters, x, masks=ones)
    numpy.testing.assert_array_equal(doubled["drop"], 2 * values["drop"])
    assert gradients.keys() == {"input", *parameters}


def test_what_is_read_twice_gets_the_sum_of_its_cotangents():
    """x + x + 3 x, by two nested residual connections, in integers."""
    triple = conv(1, 1, bias=False, name="t")
    network = Network("test", (1, 2), (residual("outer", (residual("inner", (triple,)),)),))
    weights = {"outer.inner.t.weight": numpy.array([[[3]]])}
    x = numpy.array([[[1, 10]]])
    values = activations(network, weights, x)
    numpy.testing.assert_array_equal(values["outer.add"], 5 * x)
    gradients = backward(network, weights, values, numpy.array([[[1, 2]]]))
    numpy.testing.assert_array_equal(gradients["input"], [[[5, 10]]])
    numpy.testing.assert_array_equal(gradients["outer.inner.t.weight"], [[[21]]])


def test_a_missing_parameter_and_one_of_the_wrong_size_are_named():
    network = Network("test", (1, 4, 4), (flatten(), linear(2, bias=False, name="dense")))
    x = numpy.ones((1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"no 'dense.weight': must be an array of shape \(2, 16\)"):
        forward(network, {}, x)
    weights = {"dense.weight": numpy.ones((2, 16))}
    assert forward(network, weights, x).shape == (1, 2)
    with pytest.raises(
        ValueError, match=r"layer dense: weight has shape \(2, 16\): must be \(2, 9"
    ):
        forward(network, weights, numpy.ones((1, 1, 3, 3)))


def test_an_input_of_another_depth_is_refused_by_name():
    network = Network("test", (2, 4), (conv(1, 1, groups=2, name="split"),))
    with pytest.raises(ValueError, match="layer split: groups=2"):
        forward(network, initial(network, numpy.random.default_rng(0)), numpy.ones((1, 3, 4)))


def test_initial_weights_have_variance_two_over_their_terms():
    """In 4096 draws the variance is off by a tenth with a probability below 1e-5."""
    parts = (
        conv(64, 8, groups=2, name="a"),
        conv_transpose(80, 1, name="b"),
        locally_connected(1, 1, name="c"),
    )
    network = Network("test", (2, 15, 15), parts)
    started = initial(network, numpy.random.default_rng(0), "float64")
    assert {name: value.shape for name, value in started.items()} == parameter_shapes(network)
    for name, terms in (("a.weight", 64), ("b.weight", 64), ("c.weight", 80)):
        assert started[name].size >= 4096
        assert abs(started[name].var() * terms / 2 - 1) < 0.1
        assert abs(started[name].mean()) < 5 * numpy.sqrt(2 / terms / started[name].size)
    assert not started["a.bias"].any()
    network = Network("test", (2, 5), (batch_norm(name="n"),))
    started = initial(network, numpy.random.default_rng(0))
    assert started["n.variance"].tolist() == started["n.scale"].tolist() == [1, 1]
    assert started["n.mean"].tolist() == started["n.shift"].tolist() == [0, 0]
    assert all(value.dtype == numpy.float32 for value in started.values())


def test_pytorch_agrees_on_values_and_gradients():
    torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
    functional = torch.nn.functional
    network = Network(
        "test",
        (3, 9, 9),
        (
            conv(4, 3, stride=2, padding=1, name="a"),
            batch_norm(name="n"),
            relu(),
            residual("r", (conv(4, 3, padding=1, groups=2, name="b"), relu())),
            flatten(),
            linear(5, name="c"),
        ),
    )
    generator = numpy.random.default_rng(3)
    shapes = parameter_shapes(network)
    parameters = {name: generator.uniform(0.1, 1, shape) for name, shape in shapes.items()}
    x, g = generator.normal(size=(2, 3, 9, 9)), generator.normal(size=(2, 5))
    values = activations(network, parameters, x)
    gradients = backward(network, parameters, values, g)
    t = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    t_x = torch.tensor(x, requires_grad=True)
    y = functional.conv2d(t_x, t["a.weight"], t["a.bias"], stride=2, padding=1)
    statistics = (t["n.mean"].detach(), t["n.variance"].detach())
    y = functional.batch_norm(y, *statistics, t["n.scale"], t["n.shift"], eps=1e-5).relu()
    y = y + functional.conv2d(y, t["r.b.weight"], t["r.b.bias"], padding=1, groups=2).relu()
    y = functional.linear(y.flatten(1), t["c.weight"], t["c.bias"])
    y.backward(torch.tensor(g))
    numpy.testing.assert_allclose(values[plan(network)[-1].name], y.detach(), rtol=1e-11)
    numpy.testing.assert_allclose(gradients["input"], t_x.grad, rtol=1e-9, atol=1e-11)
    for name in parameters:
        if name not in ("n.mean", "n.variance"):
            numpy.testing.assert_allclose(gradients[name], t[name].grad, rtol=1e-9, atol=1e-11)

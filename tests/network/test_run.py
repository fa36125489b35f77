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
from tests.precise import differenced, precisely

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
    """Central differences of numbers of 60 digits, by the definitions, along a random direction of
    every parameter and the input; `tests/precise.py` has their bound.
    """
    x, parameters, masks = drawn
    x, masks = x[:1], {"drop": masks["drop"][:1].astype(int)}
    operands = {"input": precisely(x)}
    operands |= {name: precisely(value) for name, value in parameters.items()}
    g = precisely(random((1, 3)))

    def cost(operands):
        return (g * forward(EVERYTHING, operands, operands["input"], **options)).sum()

    options = {"operations": convspec, "masks": masks}
    values = activations(EVERYTHING, operands, operands["input"], **options)
    gradients = backward(EVERYTHING, operands, values, g, operations=convspec)
    assert set(gradients) == {"input", *parameters}
    for position, (name, gradient) in enumerate(gradients.items()):
        direction = precisely(random(gradient.shape, seed=position + 2))
        quotient, bound = differenced(
            lambda step, name=name, direction=direction: cost(
                {**operands, name: operands[name] + step * direction}
            )
        )
        assert bound < 1e-25
        assert abs(quotient - (gradient * direction).sum()) <= bound, name
        assert quotient != 0


def test_definitions_and_twins_run_the_same_network():
    """Without the layers that round, and on integers: equal, forward and backward."""
    rounds = ("batch_norm", "sigmoid", "softmax")
    kept = [part for part in EVERYTHING.parts if getattr(part, "operation", "") not in rounds]
    network = EVERYTHING._replace(parts=tuple(kept))
    assert len(kept) == len(EVERYTHING.parts) - 3
    generator = numpy.random.default_rng(1)
    parameters = {
        name: generator.integers(-2, 3, shape).astype(float)
        for name, shape in parameter_shapes(network).items()
    }
    x = generator.integers(-9, 10, (2, 2, 6, 6)).astype(float)
    masks = {"drop": generator.integers(0, 2, (2, 4, 3, 3))}
    g = generator.integers(-2, 3, (2, 3)).astype(float)
    found = []
    for operations in (convspec, fast):
        values = activations(network, parameters, x, operations=operations, masks=masks)
        gradients = backward(network, parameters, values, g, operations=operations)
        found.append((values, gradients))
    for slow, quick in zip(*found, strict=True):
        assert slow.keys() == quick.keys()
        for name, value in slow.items():
            # Small enough that no sum of them rounds.
            assert abs(value).max() < 2.0**40
            numpy.testing.assert_array_equal(value, quick[name], name)
    assert all(gradient.any() for gradient in found[0][1].values())


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
    """On integers, with deviations of 1, 2 or 4, nothing rounds, and all is equal."""
    torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
    functional = torch.nn.functional
    network = Network(
        "test",
        (3, 9, 9),
        (
            conv(4, 3, stride=2, padding=1, name="a"),
            batch_norm(name="n", epsilon=0.25),
            relu(),
            residual("r", (conv(4, 3, padding=1, groups=2, name="b"), relu())),
            flatten(),
            linear(5, name="c"),
        ),
    )
    generator = numpy.random.default_rng(3)
    shapes = parameter_shapes(network)
    parameters = {n: generator.integers(-2, 3, s).astype(float) for n, s in shapes.items()}
    parameters["n.variance"] = numpy.array([1.0, 4.0, 16.0, 4.0]) - 0.25
    x, g = (generator.integers(-9, 10, size).astype(float) for size in ((2, 3, 9, 9), (2, 5)))
    values = activations(network, parameters, x)
    gradients = backward(network, parameters, values, g)
    t = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    t_x = torch.tensor(x, requires_grad=True)
    y = functional.conv2d(t_x, t["a.weight"], t["a.bias"], stride=2, padding=1)
    statistics = (t["n.mean"].detach(), t["n.variance"].detach())
    y = functional.batch_norm(y, *statistics, t["n.scale"], t["n.shift"], eps=0.25).relu()
    y = y + functional.conv2d(y, t["r.b.weight"], t["r.b.bias"], padding=1, groups=2).relu()
    y = functional.linear(y.flatten(1), t["c.weight"], t["c.bias"])
    y.backward(torch.tensor(g))
    numpy.testing.assert_array_equal(values[plan(network)[-1].name], y.detach())
    numpy.testing.assert_array_equal(gradients["input"], t_x.grad)
    for name in parameters:
        if name not in ("n.mean", "n.variance"):
            numpy.testing.assert_array_equal(gradients[name], t[name].grad, name)
            assert gradients[name].any(), name

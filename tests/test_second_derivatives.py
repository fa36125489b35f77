"""The vjp of a vjp against PyTorch's derivative of its derivative."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.rounding import growth, unit_roundoff

torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")

U = unit_roundoff(53)
GEOMETRY = {"stride": 2, "padding": 1, "groups": 2}


def integers(shape, seed):
    return numpy.random.default_rng(seed).integers(-4, 5, shape).astype(float)


def by_torch(function, *operands):
    """What `function` of tensors makes of the operands, and the tensors, to be differentiated."""
    tensors = [torch.tensor(operand, requires_grad=True) for operand in operands]
    return function(*tensors), tensors


def test_the_derivatives_of_both_cotangents_of_a_convolution():
    x, w = integers((2, 4, 6, 5), 0), integers((6, 2, 3, 2), 1)
    g = integers(fast.conv(x, w, **GEOMETRY).shape, 2)
    u, v = integers(x.shape, 3), integers(w.shape, 4)

    def cost(g, x, w):
        return (g * torch.nn.functional.conv2d(x, w, **GEOMETRY)).sum()

    value, (t_g, t_x, t_w) = by_torch(cost, g, x, w)
    d_x, d_w = torch.autograd.grad(value, (t_x, t_w), create_graph=True)
    by_input = torch.autograd.grad((torch.tensor(u) * d_x).sum(), (t_g, t_w), retain_graph=True)
    by_weight = torch.autograd.grad((torch.tensor(v) * d_w).sum(), (t_g, t_x))
    ours = fast.conv(u, w, **GEOMETRY), fast.conv_vjp(g, u, w, **GEOMETRY)[1]
    for left, right in zip(ours, by_input, strict=True):
        numpy.testing.assert_array_equal(left, right.numpy())
    ours = fast.conv(x, v, **GEOMETRY), fast.conv_vjp(g, x, v, **GEOMETRY)[0]
    for left, right in zip(ours, by_weight, strict=True):
        numpy.testing.assert_array_equal(left, right.numpy())


@pytest.mark.parametrize(
    ("operation", "curve"),
    [
        ("sigmoid", lambda y: y * (1 - y) * (1 - 2 * y)),
        ("tanh", lambda y: -2 * y * (1 - y * y)),
    ],
)
def test_the_curvature_of_an_activation(operation, curve):
    """Either side: an exponential right within 4 ulps, which are 8 roundings, a sum and a quotient,
    then at most 8 products and differences of numbers up to 2; each of these errors is carried on
    by a factor of at most 2.  So 2^6 roundings of numbers up to 2.
    """
    x = numpy.random.default_rng(0).uniform(-3, 3, 20)
    value, (t_x,) = by_torch(getattr(torch, operation), x)
    (slope,) = torch.autograd.grad(value.sum(), t_x, create_graph=True)
    (curved,) = torch.autograd.grad(slope.sum(), t_x)
    ours = curve(getattr(fast, operation)(x))
    assert (abs(ours - curved.numpy()) <= 2 * growth(U, 2**6) * 2).all()
    assert abs(ours).max() > 2.0**-4


def test_the_curvature_of_cross_entropy():
    """diag(p) - p p^T over the number of items.  Either side: an exponential of 8 roundings, a sum
    of 5 and a quotient, products with |v| <= 4 and sums of 5 of them: below 2^6 roundings of
    numbers up to 4.
    """
    z, v = integers((2, 5), 0) / 2, integers((2, 5), 1)
    labels = numpy.array([3, 0])
    value, (t_z,) = by_torch(
        lambda z: torch.nn.functional.cross_entropy(z, torch.tensor(labels)), z
    )
    (slope,) = torch.autograd.grad(value, t_z, create_graph=True)
    (curved,) = torch.autograd.grad((slope * torch.tensor(v)).sum(), t_z)
    p = fast.softmax(z)
    ours = (p * v - p * (p * v).sum(axis=1, keepdims=True)) / 2
    assert (abs(ours - curved.numpy()) <= 2 * growth(U, 2**6) * 4).all()

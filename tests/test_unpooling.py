"""Unpooling with recorded switches: against max pooling, other libraries, repeated indices."""

import math
from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.pooling import max_pool_vjp, max_pool_with_indices
from convspec.unpooling import max_unpool, max_unpool_shape, max_unpool_vjp


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-99, 100, shape)


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ((2, 3, 7), {"kernel_size": 2}),
        ((2, 2, 6, 5), {"kernel_size": (2, 3), "stride": (1, 2), "padding": ((1, 0), (1, 1))}),
        ((1, 2, 4, 3, 4), {"kernel_size": 2, "stride": 1}),
    ],
)
def test_unpooling_a_max_pooling_keeps_the_maxima_and_clears_the_rest(shape, attributes):
    """Overlapping windows repeat an index, always with the value that is there."""
    x = integers(*shape)
    values, indices = max_pool_with_indices(x, **attributes)
    y = max_unpool(values, indices, output_size=shape[2:])
    assert y.shape == shape == max_unpool_shape(values.shape, indices.shape, output_size=shape[2:])
    won = max_pool_vjp(numpy.ones_like(values), x, **attributes)[0] > 0
    numpy.testing.assert_array_equal(y, numpy.where(won, x, 0))
    g = integers(*shape, seed=1)
    (d_values,) = max_unpool_vjp(g, values, indices, output_size=shape[2:])
    assert (g * y).sum() == (d_values * values).sum()


def test_disjoint_windows_make_unpooling_the_transpose_of_the_pooling():
    x = integers(2, 3, 6, 4)
    values, indices = max_pool_with_indices(x, kernel_size=2)
    (back,) = max_pool_vjp(values, x, kernel_size=2)
    numpy.testing.assert_array_equal(max_unpool(values, indices, output_size=(6, 4)), back)
    g = integers(2, 3, 6, 4, seed=1)
    (d_values,) = max_unpool_vjp(g, values, indices, output_size=(6, 4))
    flat = g.reshape(2, 3, 24)
    expected = numpy.take_along_axis(flat, indices.reshape(2, 3, 6), axis=2)
    numpy.testing.assert_array_equal(d_values, expected.reshape(values.shape))


def test_the_output_may_be_larger_than_what_was_pooled():
    y = max_unpool([[[7]]], [[[4]]], output_size=9)
    assert y.tolist() == [[[0, 0, 0, 0, 7, 0, 0, 0, 0]]]
    assert max_unpool([[[[7]]]], [[[[4]]]], output_size=(3, 3))[0, 0, 1, 1] == 7


def test_every_scalar_is_carried_as_it_is():
    a, b = sympy.symbols("a b")
    symbols = numpy.array([[[a, b, a]]], dtype=object)
    assert max_unpool(symbols, [[[2, 0, 2]]], output_size=3).tolist() == [[[b, 0, a]]]
    third = numpy.array([[[Fraction(1, 3)]]], dtype=object)
    assert max_unpool(third, [[[0]]], output_size=1).item() == Fraction(1, 3)
    nans = numpy.full((1, 1, 2), math.nan, "float32")
    y = max_unpool(nans, [[[1, 1]]], output_size=2)
    assert y.dtype == numpy.float32
    assert math.isnan(y[0, 0, 1])
    empty = numpy.zeros((0, 1, 2))
    assert max_unpool(empty, empty.astype(int), output_size=4).shape == (0, 1, 4)


def test_channels_and_items_have_volumes_of_their_own():
    values = integers(2, 2, 1)
    y = max_unpool(values, numpy.zeros((2, 2, 1), int), output_size=2)
    numpy.testing.assert_array_equal(y[..., :1], values)
    assert not y[..., 1].any()


def test_derivatives_are_sympys():
    v = numpy.array(sympy.symbols("v:2"), dtype=object).reshape(1, 1, 2)
    g = numpy.array(sympy.symbols("g:4"), dtype=object).reshape(1, 1, 4)
    indices = numpy.array([[[3, 0]]])
    total = (g * max_unpool(v, indices, output_size=4)).sum()
    (d_v,) = max_unpool_vjp(g, v, indices, output_size=4)
    assert d_v.ravel().tolist() == [sympy.diff(total, symbol) for symbol in v.flat]


def test_pytorch_agrees_where_no_index_repeats():
    torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
    x = integers(2, 3, 6, 4).astype("float64")
    values, indices = max_pool_with_indices(x, kernel_size=2)
    tensor = torch.tensor(values, requires_grad=True)
    y = torch.nn.functional.max_unpool2d(tensor, torch.tensor(indices), 2, output_size=(6, 4))
    numpy.testing.assert_array_equal(
        max_unpool(values, indices, output_size=(6, 4)), y.detach().numpy()
    )
    g = integers(2, 3, 6, 4, seed=1).astype("float64")
    y.backward(torch.tensor(g))
    (d_values,) = max_unpool_vjp(g, values, indices, output_size=(6, 4))
    numpy.testing.assert_array_equal(d_values, tensor.grad.numpy())


V = numpy.zeros((1, 2, 3))
I = numpy.zeros((1, 2, 3), int)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: max_unpool([[[1, 2]]], [[[1, 1]]], output_size=4), ValueError, "equal values"),
        (
            lambda: max_unpool([[[1.0, math.nan]]], [[[1, 1]]], output_size=4),
            ValueError,
            "repeated",
        ),
        (
            lambda: max_unpool(V, I + 4, output_size=4),
            ValueError,
            "indices holds 4 at .*less than 4",
        ),
        (lambda: max_unpool(V, I - 1, output_size=4), ValueError, "indices holds -1"),
        (lambda: max_unpool(V, I[:, :1], output_size=4), ValueError, "indices has shape"),
        (lambda: max_unpool(V, I.astype(float), output_size=4), TypeError, "dtype float64"),
        (lambda: max_unpool(V[0], I[0], output_size=4), ValueError, "values has shape"),
        (lambda: max_unpool(V, I, output_size=0), ValueError, "output_size=0"),
        (lambda: max_unpool(V, I, output_size=(4, 4)), ValueError, "1 in all"),
        (lambda: max_unpool_vjp(V, V, I, output_size=4), ValueError, "cotangent has shape"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


FLAT = "must be flat in output_size=(5,), at least 0 and less than 5"
REPEATED = "where values holds 1 and 2: a repeated index must carry equal values"


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        ([[[0.0, 1.0]]], TypeError, "indices has dtype float64: must hold integers"),
        ([[[0, 6]]], ValueError, f"indices holds 6 at (0, 0, 1): {FLAT}"),
        ([[[4, 4]]], ValueError, f"indices holds 4 at (0, 0, 0) and at (0, 0, 1), {REPEATED}"),
    ],
)
def test_indices_are_told_what_they_hold_beside_the_shapes(indices, error, message):
    shapes = "values has shape (1, 1, 2), indices has shape (1, 1, 2)"
    for function, cotangent in ((max_unpool, ()), (max_unpool_vjp, (numpy.zeros((1, 1, 5)),))):
        with pytest.raises(error, match="indices") as caught:
            function(*cotangent, [[[1, 2]]], indices, output_size=5)
        assert str(caught.value) == f"{message}; {shapes}"

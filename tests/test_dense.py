"""Dense layers and flattening: NumPy's matrix product, convolutions in disguise, derivatives."""

from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.convolution import conv
from convspec.dense import flatten, flatten_shape, flatten_vjp, linear, linear_shape, linear_vjp


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-8, 9, shape)


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_linear_is_numpys_matrix_product(batch):
    x, w, b = integers(batch, 4), integers(2, 4), integers(2)
    y = linear(x, w, b)
    numpy.testing.assert_array_equal(y, x @ w.T + b)
    assert y.shape == linear_shape(x.shape, w.shape, b.shape)
    g = integers(batch, 2, seed=1)
    d_x, d_w, d_b = linear_vjp(g, x, w, b)
    numpy.testing.assert_array_equal(d_x, g @ w)
    numpy.testing.assert_array_equal(d_w, g.T @ x)
    numpy.testing.assert_array_equal(d_b, g.sum(axis=0))
    assert len(linear_vjp(g, x, w)) == 2


def test_a_dense_layer_is_a_convolution_whose_kernel_covers_the_input():
    """And from 4x4 to 2x2 the documents count 64 weights."""
    x, w = integers(2, 3, 4, 4), integers(5, 3, 4, 4)
    dense = linear(flatten(x), w.reshape(5, -1))
    numpy.testing.assert_array_equal(dense, flatten(conv(x, w)))
    weight = (4, flatten_shape((1, 1, 4, 4))[1])
    assert linear_shape((1, 16), weight) == (1, 4)
    assert numpy.prod(weight) == 64


def test_flatten_is_in_c_order_and_back():
    x = integers(2, 3, 4, 5)
    y = flatten(x)
    numpy.testing.assert_array_equal(y, x.reshape(2, 60))
    assert y[1, (2 * 4 + 3) * 5 + 1] == x[1, 2, 3, 1]
    (d_x,) = flatten_vjp(y, x)
    numpy.testing.assert_array_equal(d_x, x)
    numpy.testing.assert_array_equal(flatten(numpy.asfortranarray(x)), y)
    assert flatten(numpy.zeros((0, 3, 2), "float32")).shape == (0, 6)
    assert flatten(x.astype("float32")).dtype == numpy.float32
    numpy.testing.assert_array_equal(flatten(y), y)


def test_fractions_and_symbols():
    third = numpy.array([[Fraction(1, 3), Fraction(1, 6)]], dtype=object)
    assert linear(third, [[1, 2]]).item() == Fraction(2, 3)
    x = numpy.array(sympy.symbols("x:2"), dtype=object).reshape(1, 2)
    w = numpy.array(sympy.symbols("w:4"), dtype=object).reshape(2, 2)
    b, g = numpy.array(sympy.symbols("b:2")), numpy.array([sympy.symbols("g:2")])
    total = (g * linear(x, w, b)).sum()
    for operand, d in zip((x, w, b), linear_vjp(g, x, w, b), strict=True):
        for one, symbol in zip(d.flat, operand.flat, strict=True):
            assert sympy.expand(one - sympy.diff(total, symbol)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear([1, 2], [[1, 2]]), r"input has shape \(2,\): must be \(N, D\)"),
        (lambda: linear(numpy.zeros((1, 0)), numpy.zeros((1, 0))), "D at least 1"),
        (lambda: linear([[1, 2]], [[1, 2, 3]]), r"weight has shape \(1, 3\).*D = 2"),
        (lambda: linear([[1, 2]], [1, 2]), r"weight has shape \(2,\)"),
        (lambda: linear([[1, 2]], [[1, 2]], [1, 2]), r"bias has shape \(2,\)"),
        (lambda: linear_vjp([[1, 2]], [[1, 2]], [[1, 2]]), "cotangent has shape"),
        (lambda: flatten([1, 2]), r"input has shape \(2,\)"),
        (lambda: flatten(numpy.zeros((2, 0))), "every size after the first"),
        (lambda: flatten_vjp([[1]], [[1, 2]]), "cotangent has shape"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

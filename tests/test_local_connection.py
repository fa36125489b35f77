"""Locally connected layers: convolution without sharing, and its counts in the documents."""

from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.convolution import conv, conv_vjp
from convspec.local_connection import (
    locally_connected,
    locally_connected_shape,
    locally_connected_vjp,
)


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-8, 9, shape)


GEOMETRIES = [
    ((2, 3, 5), (2,), {}),
    ((2, 2, 5, 4), (3, 2), {"stride": (1, 2), "padding": ((0, 1), (2, 0)), "dilation": (2, 1)}),
    ((1, 2, 3, 2, 3), (2, 2, 1), {"padding": 1, "stride": 2}),
    ((2, 1, 6), (4,), {"padding": "same_upper"}),
]


@pytest.mark.parametrize(("shape", "kernel", "attributes"), GEOMETRIES)
def test_equal_weights_everywhere_make_a_convolution(shape, kernel, attributes):
    x, w, b = integers(*shape), integers(3, shape[1], *kernel), integers(3)
    y = conv(x, w, b, **attributes)
    sizes = y.shape[2:]
    spread = numpy.empty((*w.shape[:2], *sizes, *kernel), dtype=w.dtype)
    spread[...] = w.reshape(*w.shape[:2], *(1,) * len(sizes), *kernel)
    bias = numpy.empty((3, *sizes), dtype=b.dtype)
    bias[...] = b.reshape(3, *(1,) * len(sizes))
    numpy.testing.assert_array_equal(locally_connected(x, spread, bias, **attributes), y)
    assert locally_connected_shape(x.shape, spread.shape, bias.shape, **attributes) == y.shape
    g = integers(*y.shape, seed=1)
    d_x, d_w, d_b = locally_connected_vjp(g, x, spread, bias, **attributes)
    shared_x, shared_w, shared_b = conv_vjp(g, x, w, b, **attributes)
    numpy.testing.assert_array_equal(d_x, shared_x)
    axes = tuple(range(2, 2 + len(sizes)))
    numpy.testing.assert_array_equal(d_w.sum(axis=axes), shared_w)
    numpy.testing.assert_array_equal(d_b.sum(axis=tuple(a - 1 for a in axes)), shared_b)


@pytest.mark.parametrize(("shape", "kernel", "attributes"), GEOMETRIES)
def test_each_output_position_is_a_convolution_with_its_own_weight(shape, kernel, attributes):
    x = integers(*shape)
    sizes = conv(x, integers(3, shape[1], *kernel), **attributes).shape[2:]
    w, b = integers(3, shape[1], *sizes, *kernel), integers(3, *sizes)
    y = locally_connected(x, w, b, **attributes)
    g = integers(*y.shape, seed=1)
    d_x, d_w, d_b = locally_connected_vjp(g, x, w, b, **attributes)
    total = numpy.zeros_like(x)
    for i in numpy.ndindex(*sizes):
        own, at = w[(slice(None), slice(None), *i)], (slice(None), slice(None), *i)
        numpy.testing.assert_array_equal(
            y[at], conv(x, own, b[(slice(None), *i)], **attributes)[at]
        )
        alone = numpy.zeros_like(g)
        alone[at] = g[at]
        from_x, from_w, from_b = conv_vjp(alone, x, own, b[(slice(None), *i)], **attributes)
        total += from_x
        numpy.testing.assert_array_equal(d_w[at], from_w)
        numpy.testing.assert_array_equal(d_b[(slice(None), *i)], from_b)
    numpy.testing.assert_array_equal(d_x, total)
    assert len(locally_connected_vjp(g, x, w, **attributes)) == 2


def test_derivatives_are_sympys():
    x = numpy.array(sympy.symbols("x:3"), dtype=object).reshape(1, 1, 3)
    w = numpy.array(sympy.symbols("w:4"), dtype=object).reshape(1, 1, 2, 2)
    b = numpy.array(sympy.symbols("b:2"), dtype=object).reshape(1, 2)
    g = numpy.array(sympy.symbols("g:2"), dtype=object).reshape(1, 1, 2)
    total = (g * locally_connected(x, w, b)).sum()
    for operand, d in zip((x, w, b), locally_connected_vjp(g, x, w, b), strict=True):
        expected = [sympy.diff(total, symbol) for symbol in operand.flat]
        assert [sympy.expand(a - e) for a, e in zip(d.flat, expected, strict=True)] == [0] * d.size


def test_without_sharing_weights_are_counted_once_a_position():
    """The documents' 152 by 152 faces: 16 kernels of 9 by 9 on 16 maps of 63 by 63."""
    weight = (16, 16, 55, 55, 9, 9)
    assert locally_connected_shape((1, 16, 63, 63), weight) == (1, 16, 55, 55)
    assert numpy.prod(weight) == 55 * 55 * numpy.prod((16, 16, 9, 9))


def test_an_empty_batch_fractions_and_dtypes():
    w = numpy.ones((1, 1, 2, 2))
    assert locally_connected(numpy.zeros((0, 1, 3)), w).shape == (0, 1, 2)
    d_b = locally_connected_vjp(
        numpy.zeros((0, 1, 2)), numpy.zeros((0, 1, 3)), w, numpy.ones((1, 2))
    )[2]
    numpy.testing.assert_array_equal(d_b, [[0, 0]])
    thirds = numpy.full((1, 1, 3), Fraction(1, 3), dtype=object)
    assert locally_connected(thirds, w.astype(int)).tolist() == [[[Fraction(2, 3)] * 2]]
    assert (
        locally_connected(numpy.ones((1, 1, 3), "float32"), w.astype("float32")).dtype == "float32"
    )


X, W = numpy.zeros((1, 2, 5)), numpy.zeros((3, 2, 3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: locally_connected(X[0], W), "input has shape"),
        (lambda: locally_connected(X, W[0]), r"weight has shape \(2, 3, 3\)"),
        (lambda: locally_connected(X, W[:, :1]), "with C = 2"),
        (lambda: locally_connected(X, W, stride=2), r"with the output sizes \(2,\)"),
        (lambda: locally_connected(X, W, numpy.zeros(3)), r"must be \(O, \*output\) = \(3, 3\)"),
        (lambda: locally_connected(X, W, dilation=3), "spans 7 positions"),
        (lambda: locally_connected(X, W, padding="circular"), "padding='circular'"),
        (lambda: locally_connected_vjp(X, X, W), r"cotangent has shape \(1, 2, 5\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

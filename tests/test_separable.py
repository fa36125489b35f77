"""Separable convolutions: the documents' examples, dense convolution as the witness, errors."""

from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.convolution import conv, conv_vjp
from convspec.separable import (
    depthwise_conv,
    depthwise_conv_shape,
    depthwise_conv_vjp,
    depthwise_separable_conv,
    depthwise_separable_conv_shape,
    depthwise_separable_conv_vjp,
    pointwise_conv,
    pointwise_conv_shape,
    pointwise_conv_vjp,
)
from convspec.spatially_separable import (
    spatially_separable_conv,
    spatially_separable_conv_shape,
    spatially_separable_conv_vjp,
)

SOBEL = numpy.outer([1, 2, 1], [1, 0, -1])


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-8, 9, shape)


def symbols(name, *shape):
    return numpy.array(sympy.symbols(f"{name}:{numpy.prod(shape)}"), dtype=object).reshape(shape)


def derivatives(output, cotangent, operand):
    """The vjp by SymPy: the derivative of <cotangent, output> by every symbol of the operand."""
    total = sum(g * y for g, y in zip(cotangent.flat, output.flat, strict=True))
    return numpy.array([sympy.diff(total, x) for x in operand.flat]).reshape(operand.shape)


def same(one, other):
    return one.shape == other.shape and all(
        sympy.expand(a - b) == 0 for a, b in zip(one.flat, other.flat, strict=True)
    )


def block_diagonal(weight, channels):
    """A depthwise weight (C m, 1, ...) as the dense weight (C m, C, ...) of `conv`."""
    outputs = weight.shape[0]
    dense = numpy.zeros((outputs, channels, *weight.shape[2:]), dtype=weight.dtype)
    for o in range(outputs):
        dense[o, o // (outputs // channels)] = weight[o, 0]
    return dense


ATTRIBUTES = [
    {},
    {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (1, 2)},
    {"padding": "same_upper", "stride": 2},
    {"padding": "full"},
]


@pytest.mark.parametrize("attributes", ATTRIBUTES)
@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_depthwise_is_dense_convolution_with_a_block_diagonal_weight(multiplier, attributes):
    x, w, b = integers(2, 3, 6, 5), integers(3 * multiplier, 1, 3, 2), integers(3 * multiplier)
    dense = block_diagonal(w, 3)
    y = depthwise_conv(x, w, b, **attributes)
    numpy.testing.assert_array_equal(y, conv(x, dense, b, **attributes))
    assert y.shape == depthwise_conv_shape(x.shape, w.shape, b.shape, **attributes)
    g = integers(*y.shape, seed=1)
    d_x, d_w, d_b = depthwise_conv_vjp(g, x, w, b, **attributes)
    dense_x, dense_w, dense_b = conv_vjp(g, x, dense, b, **attributes)
    numpy.testing.assert_array_equal(d_x, dense_x)
    own = dense_w[numpy.arange(len(w)), numpy.arange(len(w)) // multiplier]
    numpy.testing.assert_array_equal(d_w[:, 0], own)
    numpy.testing.assert_array_equal(d_b, dense_b)


def test_pointwise_is_the_same_linear_map_at_every_pixel():
    x, w, b = integers(2, 3, 2, 4), integers(5, 3), integers(5)
    y = pointwise_conv(x, w, b)
    expected = numpy.einsum("oc,nchw->nohw", w, x) + b[:, None, None]
    numpy.testing.assert_array_equal(y, expected)
    numpy.testing.assert_array_equal(y, conv(x, w[:, :, None, None], b))
    assert y.shape == pointwise_conv_shape(x.shape, w.shape, b.shape)
    g = integers(*y.shape, seed=1)
    witness = conv_vjp(g, x, w[:, :, None, None], b)
    for got, expected in zip(pointwise_conv_vjp(g, x, w, b), witness, strict=True):
        numpy.testing.assert_array_equal(got, expected.reshape(got.shape))
    assert len(pointwise_conv_vjp(g, x, w)) == 2


def test_pooling_across_channels_is_a_pointwise_convolution():
    """The documents' cccp layer: a weighted sum of feature maps at every position."""
    x = integers(1, 4, 3, 3)
    numpy.testing.assert_array_equal(
        pointwise_conv(x, numpy.ones((1, 4), dtype=int)), x.sum(axis=1, keepdims=True)
    )


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_depthwise_separable_is_dense_convolution_with_the_product_weight(attributes):
    x, w, v, b = integers(2, 3, 6, 5), integers(6, 1, 3, 2), integers(4, 6), integers(4)
    product = numpy.einsum("oe,eckl->ockl", v, block_diagonal(w, 3))
    y = depthwise_separable_conv(x, w, v, b, **attributes)
    numpy.testing.assert_array_equal(y, conv(x, product, b, **attributes))
    shapes = (x.shape, w.shape, v.shape, b.shape)
    assert y.shape == depthwise_separable_conv_shape(*shapes, **attributes)
    g = integers(*y.shape, seed=1)
    d_x, d_w, d_v, d_b = depthwise_separable_conv_vjp(g, x, w, v, b, **attributes)
    dense_x, dense_product, dense_b = conv_vjp(g, x, product, b, **attributes)
    numpy.testing.assert_array_equal(d_x, dense_x)
    numpy.testing.assert_array_equal(d_b, dense_b)
    by_channel = numpy.einsum("oe,ockl->eckl", v, dense_product)
    numpy.testing.assert_array_equal(d_w[:, 0], by_channel[numpy.arange(6), numpy.arange(6) // 2])
    numpy.testing.assert_array_equal(
        d_v, numpy.einsum("ockl,eckl->oe", dense_product, block_diagonal(w, 3))
    )
    assert len(depthwise_separable_conv_vjp(g, x, w, v, **attributes)) == 3


def test_the_documents_parameter_counts():
    """256 outputs from 3 channels: 795 weights in place of 6912."""
    depthwise, pointwise = numpy.zeros((3, 1, 3, 3)), numpy.zeros((256, 3))
    assert depthwise_separable_conv_shape((1, 3, 5, 5), depthwise.shape, pointwise.shape) == (
        1,
        256,
        3,
        3,
    )
    assert depthwise.size + pointwise.size == 795
    assert numpy.zeros((256, 3, 3, 3)).size == 6912


def test_sobel_is_two_passes_with_six_weights():
    numpy.testing.assert_array_equal(SOBEL, [[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    image = integers(2, 3, 7, 6)
    y = spatially_separable_conv(image, [[1, 2, 1], [1, 0, -1]])
    weight = numpy.tile(SOBEL, (3, 1, 1, 1))
    numpy.testing.assert_array_equal(y, depthwise_conv(image, weight))
    down = spatially_separable_conv(image, [[1, 2, 1], [1]])
    numpy.testing.assert_array_equal(y, spatially_separable_conv(down, [[1], [1, 0, -1]]))
    assert numpy.linalg.matrix_rank(SOBEL) == 1


@pytest.mark.parametrize("kernels", [(3,), (2, 3), (2, 1, 3)])
@pytest.mark.parametrize("attributes", [{}, {"stride": 2, "padding": 1}, {"padding": "same_lower"}])
def test_spatially_separable_is_depthwise_with_the_outer_product(kernels, attributes):
    rank = len(kernels)
    x = integers(2, 2, *(5, 4, 4)[:rank])
    factors = [integers(k, seed=7) for k in kernels]
    kernel = factors[0]
    for factor in factors[1:]:
        kernel = numpy.multiply.outer(kernel, factor)
    weight = numpy.stack([kernel[None]] * 2)
    y = spatially_separable_conv(x, factors, **attributes)
    numpy.testing.assert_array_equal(y, depthwise_conv(x, weight, **attributes))
    assert y.shape == spatially_separable_conv_shape(
        x.shape, [f.shape for f in factors], **attributes
    )
    g = integers(*y.shape, seed=1)
    d_x, *d_factors = spatially_separable_conv_vjp(g, x, factors, **attributes)
    numpy.testing.assert_array_equal(d_x, depthwise_conv_vjp(g, x, weight, **attributes)[0])
    # Linear in each factor, so the pairing with a factor is the pairing with the output.
    for factor, d_factor in zip(factors, d_factors, strict=True):
        assert (factor * d_factor).sum() == (g * y).sum()


def test_derivatives_are_sympys():
    x = symbols("x", 1, 2, 3)
    w, v, b = symbols("w", 4, 1, 2), symbols("v", 2, 4), symbols("b", 2)
    g = symbols("g", 1, 2, 2)
    operands = (x, w, v, b)
    output = depthwise_separable_conv(*operands)
    for operand, d in zip(operands, depthwise_separable_conv_vjp(g, *operands), strict=True):
        assert same(d, derivatives(output, g, operand))
    x, factors, g = (
        symbols("x", 1, 1, 3, 3),
        [symbols("p", 2), symbols("q", 3)],
        symbols("g", 1, 1, 2, 1),
    )
    output = spatially_separable_conv(x, factors)
    for operand, d in zip((x, *factors), spatially_separable_conv_vjp(g, x, factors), strict=True):
        assert same(d, derivatives(output, g, operand))


def test_fractions_stay_fractions_and_dtypes_are_kept():
    thirds = numpy.array([[[Fraction(1, 3), Fraction(2, 3)]]], dtype=object)
    assert spatially_separable_conv(thirds, [[1, 1]])[0, 0, 0] == 1
    assert pointwise_conv(thirds, [[3]]).tolist() == [[[1, 2]]]
    assert depthwise_conv(thirds, [[[3]]]).tolist() == [[[1, 2]]]
    one = numpy.ones((1, 1, 2), "float32")
    assert spatially_separable_conv(one, [one[0, 0]]).dtype == numpy.float32
    assert depthwise_separable_conv(one, one, one[0, :, :1]).dtype == numpy.float32
    assert depthwise_separable_conv(one[:0], one, one[0, :, :1]).shape == (0, 1, 1)


def test_the_step_between_is_not_rounded():
    """In float32 1 + 2^-24 would round to 1, and the difference would vanish."""
    x = numpy.array([[[1, 2.0**-24]]], "float32")
    depthwise = numpy.array([[[1, 1]], [[1, 0]]], "float32")
    pointwise = numpy.array([[1, -1]], "float32")
    assert depthwise_separable_conv(x, depthwise, pointwise).item() == 2.0**-24


X, W = numpy.zeros((1, 4, 5, 5)), numpy.zeros((8, 1, 3, 3))
BAD = [
    (lambda: depthwise_conv(X[0, 0], W), "input has shape"),
    (lambda: depthwise_conv(X, W[:6]), r"weight has shape \(6, 1, 3, 3\)"),
    (lambda: depthwise_conv(X, W.reshape(4, 2, 3, 3)), r"weight has shape \(4, 2, 3, 3\)"),
    (lambda: depthwise_conv(X, W[..., 0]), "weight has shape"),
    (lambda: depthwise_conv(X, W, numpy.zeros(4)), r"bias has shape \(4,\)"),
    (lambda: depthwise_conv(X, W, padding=-1), "padding=-1"),
    (lambda: depthwise_conv(X, W, dilation=3), "spans 7 positions"),
    (lambda: depthwise_conv_vjp(X, X, W), "cotangent has shape"),
    (lambda: pointwise_conv(X, W), "weight has shape"),
    (lambda: pointwise_conv(X, numpy.zeros((2, 3))), r"must be \(O, C\) with C = 4"),
    (lambda: pointwise_conv(X, numpy.zeros((2, 4)), numpy.zeros(3)), "bias has shape"),
    (lambda: pointwise_conv_vjp(X, X, numpy.zeros((2, 4))), "cotangent has shape"),
    (lambda: depthwise_separable_conv(X, W[:5], numpy.zeros((2, 8))), "depthwise has shape"),
    (lambda: depthwise_separable_conv(X, W, numpy.zeros((2, 4))), "pointwise has shape"),
    (lambda: depthwise_separable_conv(X, W, numpy.zeros((2, 8)), numpy.zeros(8)), "bias has shape"),
    (lambda: depthwise_separable_conv_vjp(X, X, W, numpy.zeros((2, 8))), "cotangent has shape"),
    (lambda: spatially_separable_conv(X, [[1, 2]]), "factors holds 1 kernels"),
    (lambda: spatially_separable_conv(X, [[1], [[2]]]), r"factors\[1\] has shape \(1, 1\)"),
    (lambda: spatially_separable_conv(X, [[1], numpy.zeros(0)]), r"factors\[1\] has shape \(0,\)"),
    (lambda: spatially_separable_conv(X, [[1], [1] * 6]), "spans 6 positions"),
    (lambda: spatially_separable_conv(X[0, 0], [[1]]), "input has shape"),
    (lambda: spatially_separable_conv_vjp(X, X, [[1], [1, 2]]), "cotangent has shape"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_factors_must_be_a_list():
    with pytest.raises(TypeError, match="factors=3"):
        spatially_separable_conv(X, 3)
    with pytest.raises(TypeError, match="factors"):
        spatially_separable_conv(X, "ab")


def test_pytorch_agrees():
    torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
    x, w, b = (integers(*s).astype("float64") for s in ((2, 3, 6, 5), (6, 1, 3, 2), (6,)))
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    options = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}
    y = torch.nn.functional.conv2d(*tensors, groups=3, **options)
    numpy.testing.assert_array_equal(depthwise_conv(x, w, b, **options), y.detach().numpy())
    g = integers(*y.shape, seed=1).astype("float64")
    y.backward(torch.tensor(g))
    for d, tensor in zip(depthwise_conv_vjp(g, x, w, b, **options), tensors, strict=True):
        numpy.testing.assert_array_equal(d, tensor.grad.numpy())

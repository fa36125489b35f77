"""Enlarging: the documents' matrices and sizes, other libraries, derivatives, errors."""

from fractions import Fraction
from itertools import product
from math import prod

import numpy
import pytest
import sympy

from convspec.convolution import conv, conv_vjp
from convspec.coordinates import interpolation_taps, source_coordinate
from convspec.rearrangement import (
    insert_zeros,
    insert_zeros_shape,
    insert_zeros_vjp,
    pixel_shuffle,
    pixel_shuffle_shape,
    pixel_shuffle_vjp,
)
from convspec.resize import (
    COORDINATES,
    KINDS,
    resize_conv,
    resize_conv_shape,
    resize_conv_vjp,
    upsample,
    upsample_shape,
    upsample_vjp,
)
from convspec.transposed_convolution import conv_transpose

VARIANTS = [("nearest", "half_pixel"), *product(["linear"], COORDINATES)]


def integers(*shape, seed=0):
    return numpy.random.default_rng([seed, *shape]).integers(-16, 17, shape)


def fractions(x):
    return numpy.vectorize(Fraction, otypes=[object])(x)


def symbols(name, *shape):
    return numpy.array(sympy.symbols(f"{name}:{prod(shape)}"), dtype=object).reshape(shape)


@pytest.mark.parametrize(("shape", "scale"), [((2, 3, 4), 3), ((1, 2, 2, 3), (3, 2))])
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_nearest_is_the_kronecker_product_with_ones(shape, scale, coordinates):
    """The documents' kron(x, ones), for which no coordinate needs to be chosen."""
    x = integers(*shape)
    scales = (scale,) * (len(shape) - 2) if isinstance(scale, int) else scale
    y = upsample(x, scale=scale, coordinates=coordinates)
    numpy.testing.assert_array_equal(y, numpy.kron(x, numpy.ones((1, 1, *scales), int)))
    assert y.dtype == numpy.int64
    assert y.shape == upsample_shape(shape, scale=scale)


def test_linear_weights_by_hand():
    rows = {
        "half_pixel": [
            [1, 0],
            [Fraction(3, 4), Fraction(1, 4)],
            [Fraction(1, 4), Fraction(3, 4)],
            [0, 1],
        ],
        "asymmetric": [[1, 0], [Fraction(1, 2), Fraction(1, 2)], [0, 1], [0, 1]],
        "align_corners": [
            [1, 0],
            [Fraction(2, 3), Fraction(1, 3)],
            [Fraction(1, 3), Fraction(2, 3)],
            [0, 1],
        ],
    }
    identity = fractions(numpy.eye(2, dtype=int))[:, None]
    for coordinates, matrix in rows.items():
        y = upsample(identity, scale=2, kind="linear", coordinates=coordinates)
        assert y[:, 0].T.tolist() == matrix


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_weights_are_non_negative_and_sum_to_one(n, scale, kind, coordinates):
    for i in range(n * scale):
        taps = interpolation_taps(n, scale, i, kind=kind, coordinates=coordinates)
        assert sum(weight for _, weight in taps) == 1
        assert all(0 < weight <= 1 and 0 <= a < n for a, weight in taps)
        if kind == "linear":
            mean = sum(a * weight for a, weight in taps)
            assert mean == source_coordinate(n, scale, i, coordinates)


@pytest.mark.parametrize("scale", [2, 3])
def test_linear_commutes_with_a_flip_where_the_coordinates_are_symmetric(scale):
    x = fractions(integers(1, 1, 4, 3))
    for coordinates in ("half_pixel", "align_corners"):
        options = {"scale": scale, "kind": "linear", "coordinates": coordinates}
        one, other = upsample(x[..., ::-1], **options), upsample(x, **options)[..., ::-1]
        numpy.testing.assert_array_equal(one, other)
    options = {"scale": scale, "kind": "linear", "coordinates": "asymmetric"}
    assert (upsample(x[..., ::-1], **options) != upsample(x, **options)[..., ::-1]).any()


@pytest.mark.parametrize(("kind", "coordinates"), VARIANTS)
def test_cotangents_of_upsample_pair_as_outputs_do(kind, coordinates):
    options = {"scale": (3, 2), "kind": kind, "coordinates": coordinates}
    x = fractions(integers(2, 2, 3, 4))
    y = upsample(x, **options)
    g = fractions(integers(*y.shape, seed=1))
    (d_x,) = upsample_vjp(g, x, **options)
    assert (g * y).sum() == (d_x * x).sum()
    one = fractions(numpy.arange(12).reshape(x[:1, :1].shape) == 5)
    alone = fractions(numpy.zeros(upsample_shape(one.shape, scale=(3, 2)), int))
    alone[0, 0, 4, 3] = Fraction(1)
    (d_one,) = upsample_vjp(alone, one, **options)
    assert (d_one * one).sum() == upsample(one, **options)[0, 0, 4, 3]


def test_upsampling_symbols_gives_the_documents_increments():
    """x_0 and the increments: 3/4 and 1/4 of either neighbour."""
    a, b = symbols("x", 2)
    x = numpy.array([[[a, b]]], dtype=object)
    y = upsample(x, scale=2, kind="linear")
    expected = [a, 3 * a / 4 + b / 4, a / 4 + 3 * b / 4, b]
    assert [sympy.expand(p - q) for p, q in zip(y.flat, expected, strict=True)] == [0] * 4


def test_infinities_reach_only_the_outputs_that_read_them():
    y = upsample([[[numpy.inf, 1.0]]], scale=2, kind="linear")
    numpy.testing.assert_array_equal(y, [[[numpy.inf, numpy.inf, numpy.inf, 1]]])


def test_the_documents_3_by_3_spread_to_7_by_7_and_reduced_to_5_by_5():
    x = integers(1, 1, 3, 3)
    spread = insert_zeros(x, count=2)
    assert spread.shape == (1, 1, 7, 7) == insert_zeros_shape(x.shape, count=2)
    numpy.testing.assert_array_equal(spread[..., ::3, ::3], x)
    assert numpy.count_nonzero(spread) == numpy.count_nonzero(x)
    assert conv(spread, numpy.ones((1, 1, 3, 3), int)).shape == (1, 1, 5, 5)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_inserting_zeros_and_a_full_convolution_is_transposed_convolution(count):
    """The documents' (D + 1)(M - 1) + K positions."""
    x, w = integers(2, 1, 4), integers(1, 1, 3)
    y = conv(insert_zeros(x, count=count), w[..., ::-1], padding="full")
    numpy.testing.assert_array_equal(y, conv_transpose(x, w, stride=count + 1))
    assert y.shape[2] == (count + 1) * (4 - 1) + 3


def test_inserting_zeros_differs_from_axis_to_axis_and_back():
    x = integers(2, 2, 3, 2)
    y = insert_zeros(x, count=(0, 3))
    assert y.shape == (2, 2, 3, 5)
    g = integers(*y.shape, seed=1)
    (d_x,) = insert_zeros_vjp(g, x, count=(0, 3))
    assert (g * y).sum() == (d_x * x).sum()
    numpy.testing.assert_array_equal(d_x, g[..., ::4])


@pytest.mark.parametrize(
    ("shape", "factor"), [((2, 6, 3), 3), ((1, 12, 2, 3), (2, 3)), ((1, 16, 2, 1, 2), 2)]
)
def test_shuffling_pixels_is_a_transposition(shape, factor):
    rank = len(shape) - 2
    factors = (factor,) * rank if isinstance(factor, int) else factor
    x = integers(*shape)
    y = pixel_shuffle(x, factor=factor)
    assert y.shape == pixel_shuffle_shape(shape, factor=factor)
    blocks = x.reshape(shape[0], shape[1] // prod(factors), *factors, *shape[2:])
    order = [0, 1, *(axis for l in range(rank) for axis in (2 + rank + l, 2 + l))]
    numpy.testing.assert_array_equal(y, blocks.transpose(order).reshape(y.shape))
    g = integers(*y.shape, seed=1)
    (d_x,) = pixel_shuffle_vjp(g, x, factor=factor)
    assert (g * y).sum() == (d_x * x).sum()
    numpy.testing.assert_array_equal(pixel_shuffle(d_x, factor=factor), g)


def test_sub_pixel_convolution_is_deconvolution_whose_stride_divides_the_kernel():
    """The documents' equivalence: kernel 4, stride 2, a kernel of 2 for each phase."""
    x, w = integers(1, 1, 5), integers(1, 1, 4)
    deconvolved = conv_transpose(x, w, stride=2)
    phases = numpy.stack([w[0, :, r::2][:, ::-1] for r in range(2)])
    shuffled = pixel_shuffle(conv(x, phases, padding="full"), factor=2)
    numpy.testing.assert_array_equal(shuffled, deconvolved)


def test_the_documents_matrix_of_the_nearest_resize_convolution():
    """Rows (a + b, c) and (a, b + c), shifted by one input for every second output."""
    a, b, c = sympy.symbols("a b c")
    w = numpy.array([[[a, b, c]]], dtype=object)
    identity = numpy.eye(4, dtype=int)[:, None]
    matrix = resize_conv(identity, w, scale=2)[:, 0].T
    expected = [
        [a + b, c, 0, 0],
        [a, b + c, 0, 0],
        [0, a + b, c, 0],
        [0, a, b + c, 0],
        [0, 0, a + b, c],
        [0, 0, a, b + c],
    ]
    assert [
        [sympy.expand(p - q) for p, q in zip(r, s, strict=True)]
        for r, s in zip(matrix.tolist(), expected, strict=True)
    ] == [[0] * 4] * 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [0, 2, ((1, 0), (0, 3)), "same_upper", "full"])
def test_resize_convolution_is_upsample_then_conv(kind, padding):
    x, w, b = fractions(integers(2, 2, 3, 2)), integers(3, 2, 2, 3), integers(3)
    options = {"scale": (2, 3), "kind": kind}
    between = upsample(x, **options)
    y = resize_conv(x, w, b, padding=padding, **options)
    numpy.testing.assert_array_equal(y, conv(between, w, b, padding=padding))
    shapes = (x.shape, w.shape, b.shape)
    assert y.shape == resize_conv_shape(*shapes, padding=padding, **options)
    g = fractions(integers(*y.shape, seed=1))
    d_x, d_w, d_b = resize_conv_vjp(g, x, w, b, padding=padding, **options)
    d_between, expected_w, expected_b = conv_vjp(g, between, w, b, padding=padding)
    numpy.testing.assert_array_equal(d_x, upsample_vjp(d_between, x, **options)[0])
    numpy.testing.assert_array_equal(d_w, expected_w)
    numpy.testing.assert_array_equal(d_b, expected_b)
    assert len(resize_conv_vjp(g, x, w, padding=padding, **options)) == 2


def test_derivatives_are_sympys():
    x, w, b = symbols("x", 1, 1, 2), symbols("w", 1, 1, 2), symbols("b", 1)
    y = resize_conv(x, w, b, scale=2, kind="linear")
    g = symbols("g", *y.shape)
    total = (g * y).sum()
    for operand, d in zip(
        (x, w, b), resize_conv_vjp(g, x, w, b, scale=2, kind="linear"), strict=True
    ):
        for one, symbol in zip(d.flat, operand.flat, strict=True):
            assert sympy.expand(one - sympy.diff(total, symbol)) == 0
    for forward, backward, options in (
        (upsample, upsample_vjp, {"scale": 3, "kind": "linear", "coordinates": "align_corners"}),
        (insert_zeros, insert_zeros_vjp, {"count": 1}),
        (pixel_shuffle, pixel_shuffle_vjp, {"factor": 1}),
    ):
        y = forward(x, **options)
        g = symbols("g", *y.shape)
        (d_x,) = backward(g, x, **options)
        for one, symbol in zip(d_x.flat, x.flat, strict=True):
            assert sympy.expand(one - sympy.diff((g * y).sum(), symbol)) == 0


def test_dtypes_and_empty_batches():
    x = numpy.ones((0, 4, 2, 2), "float32")
    for y in (
        upsample(x, scale=2),
        upsample(x, scale=2, kind="linear"),
        insert_zeros(x, count=1),
        pixel_shuffle(x, factor=2),
        resize_conv(x, numpy.ones((1, 4, 1, 1), "float32"), scale=2),
    ):
        assert y.dtype == numpy.float32
        assert y.shape[0] == 0
    assert upsample([[[1, 2]]], scale=2, kind="linear").dtype == numpy.float64
    assert resize_conv([[[1, 2]]], [[[1]]], scale=2, kind="linear").dtype == numpy.float64
    assert resize_conv([[[1, 2]]], [[[1]]], scale=2).dtype == numpy.int64


def test_pytorch_agrees():
    torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
    functional = torch.nn.functional
    x = integers(2, 4, 3, 5).astype("float64")
    for scale in (2, 4):  # half-pixel weights are then multiples of 1/64: exact in both
        for kind, name, align in (("nearest", "nearest", None), ("linear", "bilinear", False)):
            tensor = torch.tensor(x, requires_grad=True)
            y = functional.interpolate(tensor, scale_factor=scale, mode=name, align_corners=align)
            options = {"scale": scale, "kind": kind}
            numpy.testing.assert_array_equal(upsample(x, **options), y.detach().numpy())
            g = integers(*y.shape, seed=1).astype("float64")
            y.backward(torch.tensor(g))
            numpy.testing.assert_array_equal(upsample_vjp(g, x, **options)[0], tensor.grad.numpy())
    # From 3 to 6 and 5 to 10, the corners aligned: coordinates are multiples of 2/5 and 4/9.
    y = functional.interpolate(torch.tensor(x), scale_factor=2, mode="bilinear", align_corners=True)
    # A coordinate below 5 with two roundings shifts a weight by 10 u, between values up to 16; a
    # dozen roundings of sums and products follow, on two axes.
    bound = 2 * 2 * (10 + 12) * 16 * 2.0**-53
    ours = upsample(x, scale=2, kind="linear", coordinates="align_corners")
    assert abs(ours - y.numpy()).max() <= bound
    shuffled = functional.pixel_shuffle(torch.tensor(x), 2).numpy()
    numpy.testing.assert_array_equal(pixel_shuffle(x, factor=2), shuffled)


X, W = numpy.zeros((1, 4, 3, 3)), numpy.zeros((2, 4, 2, 2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: upsample(X, scale=0), ValueError, "scale=0: must be at least 1; input has shape"),
        (lambda: upsample(X, scale=1.5), TypeError, "scale=1.5"),
        (lambda: upsample(X, scale=(1, 2, 3)), ValueError, "2 in all"),
        (lambda: upsample(X, scale=2, kind="cubic"), ValueError, "kind='cubic'"),
        (lambda: upsample(X, scale=2, coordinates="corner"), ValueError, "coordinates='corner'"),
        (lambda: upsample(X, scale=2, coordinates=1), TypeError, "coordinates=1"),
        (lambda: upsample(X[0, 0], scale=2), ValueError, "input has shape"),
        (lambda: upsample_vjp(X, X, scale=2), ValueError, "cotangent has shape"),
        (lambda: insert_zeros(X, count=-1), ValueError, "count=-1: must be at least 0"),
        (lambda: insert_zeros(X[0, 0], count=1), ValueError, "input has shape"),
        (lambda: insert_zeros_vjp(X, X, count=1), ValueError, "cotangent has shape"),
        (lambda: pixel_shuffle(X, factor=3), ValueError, "factor=3: its product over the axes, 9"),
        (lambda: pixel_shuffle(X, factor=0), ValueError, "factor=0"),
        (lambda: pixel_shuffle(X[0, 0], factor=1), ValueError, "input has shape"),
        (lambda: pixel_shuffle_vjp(X, X, factor=2), ValueError, "cotangent has shape"),
        (lambda: resize_conv(X, W[:, :3], scale=2), ValueError, "weight has shape"),
        (lambda: resize_conv(X, W, W[0, 0, 0, :1], scale=2), ValueError, "bias has shape"),
        (lambda: resize_conv(X, W, scale=2, kind="area"), ValueError, "kind='area'"),
        (lambda: resize_conv(X, W, scale=2, padding=-1), ValueError, "padding=-1"),
        (lambda: resize_conv_vjp(X, X, W, scale=2), ValueError, "cotangent has shape"),
        (lambda: source_coordinate(2, 2, 0, "corner"), ValueError, "coordinates='corner'"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_corners_that_stay_where_they_are():
    """By hand: at scale 1 the second of two positions is the second, not half way."""
    assert source_coordinate(2, 1, 1, "align_corners") == 1


def test_a_factor_is_told_the_channels_that_it_has_to_divide():
    with pytest.raises(ValueError, match="factor") as caught:
        pixel_shuffle_shape((1, 4, 5, 6), factor=3)
    assert str(caught.value) == (
        "factor=3: its product over the axes, 9, must divide the input's 4 channels; "
        "input has shape (1, 4, 5, 6)"
    )

"""`conv_transpose`: the documents' numbers, and witnesses that share no code with it."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import numpy
import pytest
import sympy
from scipy import signal

from convspec import conv, conv_transpose, conv_transpose_vjp, conv_vjp
from convspec.transposed_convolution import conv_transpose_shape


class TestNumbersOfTheDocuments:
    def test_2x2_with_a_4x4_kernel_at_stride_3_gives_7x7(self):
        """Document 002_69b25d8deda49794.txt, section 5.17.2: paste four 4x4 maps 3 apart, and add.

        Its example: the output in row 1, column 4 is the red map's row 1, column 4 and the green
        map's row 1, column 1.
        """
        red, green, blue, black = 1, 10, 100, 1000
        kernel = numpy.arange(1, 17).reshape(4, 4)
        expected = numpy.zeros((7, 7), int)
        for pixel, row, column in [(red, 0, 0), (green, 0, 3), (blue, 3, 0), (black, 3, 3)]:
            expected[row : row + 4, column : column + 4] += pixel * kernel
        found = conv_transpose([[[[red, green], [blue, black]]]], [[kernel]], stride=3)[0, 0]
        assert found.tolist() == expected.tolist()
        assert found[0, 3] == red * kernel[0, 3] + green * kernel[0, 0]

    def test_3x3_spread_to_7x7_and_reduced_to_5x5(self):
        """Document 002_69b25d8deda49794.txt, section 5.17.2: a pixel on every second of 7x7
        cells, then a valid convolution with 3x3.

        A transposed convolution at stride 2 that crops 1 is this with the kernel turned.
        """
        image = numpy.arange(1, 10).reshape(3, 3)
        kernel = numpy.array([[1, 2, 3], [4, 5, 6], [7, 8, 10]])
        spread = numpy.zeros((7, 7), int)
        spread[1::2, 1::2] = image
        expected = signal.correlate2d(spread, kernel, "valid")
        assert expected.shape == (5, 5)
        assert (conv([[spread]], [[kernel]])[0, 0] == expected).all()
        turned = kernel[::-1, ::-1]
        found = conv_transpose([[image]], [[turned]], stride=2, padding=1)
        assert (found[0, 0] == expected).all()

    def test_the_transpose_of_5x5_to_2x2_goes_back_to_5x5_but_not_to_its_values(self):
        """Document 002_69b25d8deda49794.txt, section 5.3.3: 3x3, stride 2; not an inverse.

        By hand, image 5 r + c and a kernel of ones: the windows sum to 54, 72, 144, 162; the
        middle of the transposed output adds all four, 432, where the image had 12.
        """
        image, ones = numpy.arange(25).reshape(1, 1, 5, 5), numpy.ones((1, 1, 3, 3), int)
        reduced = conv(image, ones, stride=2)
        restored = conv_transpose(reduced, ones, stride=2)
        assert restored.shape == image.shape
        assert restored[0, 0].tolist() == [
            [54, 54, 126, 72, 72],
            [54, 54, 126, 72, 72],
            [198, 198, 432, 234, 234],
            [144, 144, 306, 162, 162],
            [144, 144, 306, 162, 162],
        ]

    def test_overlap_is_uneven_at_stride_2_with_size_5(self):
        """Document 002_69b25d8deda49794.txt, section 5.20.1: a constant image gets a checkerboard;
        and 5.20.2: none where the stride divides the size.
        """
        ones = numpy.ones((1, 1, 6), int)
        interior = conv_transpose(ones, numpy.ones((1, 1, 5), int), stride=2)[0, 0, 4:11]
        assert interior.tolist() == [3, 2, 3, 2, 3, 2, 3]
        even = conv_transpose(ones, numpy.ones((1, 1, 4), int), stride=2)[0, 0, 2:12]
        assert even.tolist() == [2] * 10

    def test_fractional_strides_insert_zeros(self):
        """Document 004_1dc5a1365ae22fef.txt: D zeros between elements give (D + 1)(M - 1) + K."""
        for zeros in range(4):
            found = conv_transpose([[[1, 10, 100]]], [[[1, 1]]], stride=zeros + 1)
            assert found.shape[2] == (zeros + 1) * (3 - 1) + 2


def integers(rng: numpy.random.Generator, shape: tuple[int, ...]) -> numpy.ndarray:
    """Integer-valued floats, so small that every sum here is exact in any order."""
    return rng.integers(-9, 10, shape).astype(float)


def random_call(
    rng: numpy.random.Generator, *, symmetric: bool = False
) -> tuple[tuple[numpy.ndarray, ...], dict[str, Any]]:
    """Operands and attributes of a valid `conv_transpose`, every axis its own."""
    rank = int(rng.integers(1, 4))
    groups = int(rng.integers(1, 4))
    spatial, kernel = rng.integers(1, 4, rank), rng.integers(1, 4, rank)
    stride, dilation = rng.integers(1, 4, rank), rng.integers(1, 4, rank)
    extra = rng.integers(0, numpy.maximum(stride, dilation))
    room = (spatial - 1) * stride + dilation * (kernel - 1) + extra
    low = rng.integers(0, (room // 2 if symmetric else room) + 1)
    high = low if symmetric else rng.integers(0, room - low + 1)
    share, multiple = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    x = integers(rng, (int(rng.integers(0, 3)), share * groups, *spatial))
    w = integers(rng, (share * groups, multiple, *kernel))
    operands = (x, w, integers(rng, (multiple * groups,)))[: int(rng.integers(2, 4))]
    attributes = {
        "stride": tuple(stride.tolist()),
        "padding": tuple(zip(low.tolist(), high.tolist(), strict=True)),
        "output_padding": tuple(extra.tolist()),
        "dilation": tuple(dilation.tolist()),
        "groups": groups,
    }
    return operands, attributes


def spread(array: numpy.ndarray, steps: tuple[int, ...]) -> numpy.ndarray:
    """`array` with steps - 1 zeros between neighbours."""
    sizes = [s * (n - 1) + 1 for s, n in zip(steps, array.shape, strict=True)]
    result = numpy.zeros(sizes)
    result[tuple(slice(None, None, s) for s in steps)] = array
    return result


def conv_transpose_by_scipy(x, w, bias=None, *, stride, padding, output_padding, dilation, groups):
    """Insert zeros, convolve fully, extend on the high side, crop."""
    share, multiple = x.shape[1] // groups, w.shape[1]
    outputs = []
    for item in x:
        planes = []
        for o in range(multiple * groups):
            group, within = divmod(o, multiple)
            full = sum(
                signal.convolve(
                    spread(item[c], stride), spread(w[c, within], dilation), method="direct"
                )
                for c in range(group * share, (group + 1) * share)
            )
            extended = numpy.pad(full, [(0, extra) for extra in output_padding])
            cropped = extended[
                tuple(
                    slice(low, n - high)
                    for n, (low, high) in zip(extended.shape, padding, strict=True)
                )
            ]
            planes.append(cropped if bias is None else cropped + bias[o])
        outputs.append(planes)
    return numpy.array(outputs)


def test_conv_transpose_is_spread_convolved_extended_and_cropped():
    rng = numpy.random.default_rng(30)
    for _ in range(120):
        operands, attributes = random_call(rng)
        found = conv_transpose(*operands, **attributes)
        if len(operands[0]):
            expected = conv_transpose_by_scipy(*operands, **attributes)
            assert numpy.array_equal(found, expected), attributes
        else:
            assert found.shape[0] == 0


def test_conv_transpose_is_the_cotangent_of_conv():
    """With `output_padding` the remainder of the stride, the sizes agree as well."""
    rng = numpy.random.default_rng(31)
    for n, k, s, d, low, high in rng.integers(
        [1, 1, 1, 1, 0, 0], [9, 5, 4, 4, 3, 3], (300, 6)
    ).tolist():
        room = n + low + high - d * (k - 1) - 1
        if room < 0:
            continue
        x, w = integers(rng, (2, 4, n)), integers(rng, (6, 2, k))
        attributes: dict[str, Any] = {
            "stride": s,
            "dilation": d,
            "padding": ((low, high),),
            "groups": 2,
        }
        cotangent = integers(rng, conv(x, w, **attributes).shape)
        expected, _ = conv_vjp(cotangent, x, w, **attributes)
        found = conv_transpose(cotangent, w, output_padding=room % s, **attributes)
        assert numpy.array_equal(found, expected), attributes


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is a witness; it has no build for here")


def test_conv_transpose_and_its_cotangents_are_those_of_torch(torch):
    """Exact: integers in float64; torch crops the same on both sides."""
    rng = numpy.random.default_rng(32)
    for _ in range(80):
        operands, attributes = random_call(rng, symmetric=True)
        leaves = [torch.tensor(operand, requires_grad=True) for operand in operands]
        function = getattr(torch.nn.functional, f"conv_transpose{leaves[0].dim() - 2}d")
        theirs = {**attributes, "padding": tuple(low for low, _ in attributes["padding"])}
        y = function(*leaves, **theirs)
        assert numpy.array_equal(conv_transpose(*operands, **attributes), y.detach().numpy()), (
            attributes
        )
        cotangent = integers(rng, tuple(y.shape))
        expected = torch.autograd.grad(y, leaves, torch.tensor(cotangent))
        found = conv_transpose_vjp(cotangent, *operands, **attributes)
        assert len(found) == len(expected)
        for ours, other in zip(found, expected, strict=True):
            assert numpy.array_equal(ours, other.numpy()), attributes


def test_output_padding_is_not_zero_filling():
    """By hand: full is 1 2 3; cropping 1 on each side leaves 2, and extending it brings 3 back."""
    assert conv_transpose([[[1]]], [[[1, 2, 3]]], stride=2, padding=1).tolist() == [[[2]]]
    extended = conv_transpose([[[1]]], [[[1, 2, 3]]], stride=2, padding=1, output_padding=1)
    assert extended.tolist() == [[[2, 3]]]


def test_output_padding_may_reach_the_dilation():
    """Smaller than the stride or than the dilation; by hand 4 0 5, and two positions beyond."""
    found = conv_transpose([[[1]]], [[[4, 5]]], dilation=3, output_padding=2)
    assert found.tolist() == [[[4, 0, 0, 5, 0, 0]]]


def test_positions_no_product_reaches_hold_the_bias():
    found = conv_transpose([[[1, 1]]], [[[2]]], [7], stride=3, output_padding=1)
    assert found.tolist() == [[[9, 7, 7, 9, 7]]]


def test_output_channels_are_concatenated_group_by_group():
    """By hand: group 0 spreads channel 0 with 1 and 2, group 1 channel 1 with 3 and 4."""
    found = conv_transpose([[[1], [10]]], [[[1], [2]], [[3], [4]]], groups=2)
    assert found.tolist() == [[[1], [2], [30], [40]]]


def test_spellings_of_the_same_attributes():
    rng = numpy.random.default_rng(33)
    x, w = integers(rng, (1, 2, 3, 3)), integers(rng, (2, 1, 3, 3))
    expected = conv_transpose(
        x, w, stride=(2, 2), padding=((1, 1), (1, 1)), output_padding=(1, 1), dilation=(1, 1)
    )
    for attributes in [
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"stride": [2, 2], "padding": [1, 1], "output_padding": [1, 1]},
        {"stride": numpy.int8(2), "padding": numpy.int8(1), "output_padding": numpy.array([1, 1])},
    ]:
        assert numpy.array_equal(conv_transpose(x, w, **attributes), expected), attributes


class TestScalars:
    """One definition, any kind of number."""

    def test_python_integers_beyond_64_bits(self):
        huge = 10**30
        y = conv_transpose([[[huge, 1]]], [[[huge, -1]]], [7])
        assert y.tolist() == [[[huge**2 + 7, 7, 6]]]

    def test_narrow_integers_do_not_wrap(self):
        x = numpy.full((1, 1, 2), 255, "uint8")
        y = conv_transpose(x, x)
        assert (y.dtype, y.tolist()) == (numpy.dtype("int64"), [[[255**2, 2 * 255**2, 255**2]]])

    def test_fractions_are_exact(self):
        third = Fraction(1, 3)
        assert conv_transpose([[[third, third]]], [[[third, 1]]]).tolist() == [
            [[Fraction(1, 9), Fraction(4, 9), third]]
        ]

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_floats_keep_their_dtype(self, dtype):
        x = numpy.ones((1, 1, 2), dtype)
        y = conv_transpose(x, x, numpy.ones(1, dtype))
        assert y.dtype == dtype
        gradients = conv_transpose_vjp(y, x, x, numpy.ones(1, dtype))
        assert {d.dtype for d in gradients} == {numpy.dtype(dtype)}

    def test_the_empty_batch(self):
        x, w = numpy.zeros((0, 2, 5)), numpy.ones((2, 3, 2))
        assert conv_transpose(x, w).shape == (0, 3, 6)
        d_x, d_w, d_b = conv_transpose_vjp(numpy.zeros((0, 3, 6)), x, w, numpy.ones(3))
        assert (d_x.shape, d_w.shape, d_b.tolist()) == ((0, 2, 5), (2, 3, 2), [0] * 3)

    def test_nan_and_infinity_reach_exactly_the_positions_they_are_spread_to(self):
        y = conv_transpose([[[numpy.nan, 0.0, numpy.inf]]], [[[1.0, 2.0]]], stride=2)[0, 0]
        assert numpy.isnan(y).tolist() == [True, True, False, False, False, False]
        assert (y == numpy.inf).tolist() == [False] * 4 + [True, True]


def test_derivatives_are_those_of_sympy():
    x = numpy.array(sympy.symbols("x0:8")).reshape(1, 2, 2, 2)
    w = numpy.array(sympy.symbols("w0:12")).reshape(2, 1, 2, 3)
    b = numpy.array(sympy.symbols("b0:2"))
    attributes = {
        "stride": (2, 1),
        "padding": ((1, 0), (1, 1)),
        "output_padding": (1, 0),
        "groups": 2,
    }
    y = conv_transpose(x, w, b, **attributes)
    g = numpy.array(sympy.symbols(f"g0:{y.size}")).reshape(y.shape)
    loss = sympy.expand((g * y).sum())
    for d, operand in zip(conv_transpose_vjp(g, x, w, b, **attributes), (x, w, b), strict=True):
        for found, symbol in zip(d.flat, operand.flat, strict=True):
            assert sympy.expand(found - sympy.diff(loss, symbol)) == 0


def ones(rank: int, dtype: str) -> numpy.ndarray:
    return numpy.ones((1,) * rank, dtype)


@pytest.mark.parametrize("wide", range(3))
def test_each_operand_counts_for_the_dtype(wide):
    """The result is as wide as the widest operand, whichever that is."""
    dtypes = ["float16"] * 3
    dtypes[wide] = "float32"
    found = conv_transpose(ones(3, dtypes[0]), ones(3, dtypes[1]), ones(1, dtypes[2]))
    assert found.dtype == "float32"


@pytest.mark.parametrize("dtypes", [("float32", "float16"), ("float16", "float32")])
def test_the_cotangent_of_a_bias_is_as_wide_as_the_widest_of_two(dtypes):
    cotangent, bias = ones(3, dtypes[0]), ones(1, dtypes[1])
    *_, d_bias = conv_transpose_vjp(cotangent, ones(3, "float16"), ones(3, "float16"), bias)
    assert d_bias.dtype == "float32"


def test_the_cotangent_of_a_bias_is_exact_beyond_64_bits():
    """A float64 would hold 2^63 for 2^63 + 1."""
    *_, d_bias = conv_transpose_vjp([[[2**63 + 1], [-1]]], [[[1]]], [[[1], [1]]], [0, 0])
    assert d_bias.tolist() == [2**63 + 1, -1]


def test_the_cotangents_of_three_outputs_come_from_their_own():
    """By hand: y = (4 x, 5 x, 6 x) at x = 10, with cotangents 1, 2 and 3."""
    d_input, d_weight = conv_transpose_vjp([[[1], [2], [3]]], [[[10]]], [[[4], [5], [6]]])
    assert d_input.tolist() == [[[1 * 4 + 2 * 5 + 3 * 6]]]
    assert d_weight.tolist() == [[[10], [20], [30]]]


class TestShapes:
    """What is computed from shapes alone."""

    def test_the_default_stride_is_1(self):
        assert conv_transpose_shape((1, 1, 2), (1, 1, 1)) == (1, 1, 2)

    def test_the_largest_size_is_allowed(self):
        """By hand: (2 - 1) s + 1."""
        found = conv_transpose_shape((1, 1, 2), (1, 1, 1), stride=sys.maxsize - 1)
        assert found == (1, 1, sys.maxsize)

    def test_an_input_without_spatial_axes_is_told_what_it_must_be(self):
        with pytest.raises(ValueError, match=r"^input has shape \(1, 2\): must be \(N, C, \*sp"):
            conv_transpose_shape((1, 2), (2, 1, 1))

    def test_a_bias_has_to_fit(self):
        with pytest.raises(ValueError, match=r"bias has shape \(3,\): must be .* = \(2,\)"):
            conv_transpose_shape((1, 1, 3), (1, 2, 1), (3,))

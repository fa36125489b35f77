"""`convolve`, `correlate` and `conv` against witnesses that share no code with them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
import pytest
import sympy
from scipy import ndimage, signal

from convspec import conv, conv_vjp, convolve, convolve_vjp, correlate, correlate_vjp
from convspec.convolution import conv_shape, conv_windows, convolve_shape
from convspec.window import Window

MODES = ("full", "same", "valid")


def integers(rng: numpy.random.Generator, shape: tuple[int, ...]) -> numpy.ndarray:
    """Integer-valued floats, so small that every sum here is exact in any order."""
    return rng.integers(-9, 10, shape).astype(float)


def random_sizes(rng: numpy.random.Generator, rank: int) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(1, 6, rank))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolve_and_correlate_are_those_of_scipy(rank, mode):
    """Also where the second operand is the longer one, and even, on some axis or on all."""
    rng = numpy.random.default_rng([rank, len(mode)])
    longer = 0
    for _ in range(40):
        n, m = random_sizes(rng, rank), random_sizes(rng, rank)
        if mode == "valid" and not (
            all(a >= b for a, b in zip(n, m, strict=True))
            or all(a <= b for a, b in zip(n, m, strict=True))
        ):
            with pytest.raises(ValueError, match="one operand to fit inside the other"):
                convolve(numpy.ones(n), numpy.ones(m), mode)
            continue
        f, g = integers(rng, n), integers(rng, m)
        longer += all(a < b for a, b in zip(n, m, strict=True))
        expected = signal.convolve(f, g, mode, method="direct")
        assert numpy.array_equal(convolve(f, g, mode), expected), (n, m)
        expected = signal.correlate(f, g, mode, method="direct")
        assert numpy.array_equal(correlate(f, g, mode), expected), (n, m)
    assert longer


def test_same_is_centred_to_the_left_of_the_middle():
    """By hand: of full = 4 11 20 30 20 11 4, SciPy's convention keeps four from (4 - 1) // 2."""
    x = [1, 2, 3, 4]
    assert correlate(x, x).tolist() == [4, 11, 20, 30, 20, 11, 4]
    assert correlate(x, x, "same").tolist() == [11, 20, 30, 20]


@pytest.mark.parametrize("mode", MODES)
def test_the_cotangents_of_convolve_and_correlate_are_adjoint(mode):
    """<h, A f> = <A' h, f> exactly, for each operand in turn, in the witness's arithmetic."""
    rng = numpy.random.default_rng(len(mode))
    for forward, backward in ((convolve, convolve_vjp), (correlate, correlate_vjp)):
        for n, m in [((4,), (3,)), ((2,), (5,)), ((3, 4), (2, 2)), ((2, 2), (3, 4))]:
            f, g = integers(rng, n), integers(rng, m)
            witness = getattr(signal, forward.__name__)(f, g, mode, method="direct")
            cotangent = integers(rng, witness.shape)
            d_f, d_g = backward(cotangent, f, g, mode)
            assert (d_f.shape, d_g.shape) == (n, m)
            for d, operand, place in ((d_f, f, 0), (d_g, g, 1)):
                for index in numpy.ndindex(*operand.shape):
                    unit = numpy.zeros_like(operand)
                    unit[index] = 1
                    pair = (unit, g) if place == 0 else (f, unit)
                    image = getattr(signal, forward.__name__)(*pair, mode, method="direct")
                    assert d[index] == (cotangent * image).sum()


def random_call(rng: numpy.random.Generator) -> tuple[tuple[numpy.ndarray, ...], dict[str, Any]]:
    """Operands and attributes of a valid `conv`, every axis its own."""
    rank = int(rng.integers(1, 4))
    groups = int(rng.integers(1, 4))
    kernel = rng.integers(1, 4, rank)
    dilation = rng.integers(1, 4, rank)
    low, high = rng.integers(0, 4, rank), rng.integers(0, 4, rank)
    least = numpy.maximum(1, dilation * (kernel - 1) + 1 - low - high)
    spatial = least + rng.integers(0, 4 if rank < 3 else 2, rank)
    share, multiple = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    x = integers(rng, (int(rng.integers(0, 3)), share * groups, *spatial))
    w = integers(rng, (multiple * groups, share, *kernel))
    operands = (x, w, integers(rng, (multiple * groups,)))[: int(rng.integers(2, 4))]
    attributes = {
        "stride": tuple(rng.integers(1, 4, rank).tolist()),
        "padding": tuple(zip(low.tolist(), high.tolist(), strict=True)),
        "dilation": tuple(dilation.tolist()),
        "groups": groups,
    }
    return operands, attributes


def conv_by_scipy(x, w, bias=None, *, stride, padding, dilation, groups):
    """Pad with zeros, stuff the kernel with zeros, correlate densely, subsample; group by group."""
    padded = numpy.pad(x, ((0, 0), (0, 0), *padding))
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    stuffed = numpy.zeros((*w.shape[:2], *extents))
    stuffed[(..., *(slice(None, None, d) for d in dilation))] = w
    planes = []
    for part, kernels in zip(
        numpy.split(padded, groups, 1), numpy.split(stuffed, groups, 0), strict=True
    ):
        for kernel in kernels:
            dense = [
                sum(
                    signal.correlate(channel, tap, "valid", method="direct")
                    for channel, tap in zip(item, kernel, strict=True)
                )
                for item in part
            ]
            planes.append([y[tuple(slice(None, None, s) for s in stride)] for y in dense])
    y = numpy.moveaxis(numpy.array(planes), 0, 1)
    return y if bias is None else y + bias.reshape(-1, *(1,) * len(stride))


def test_conv_is_padded_stuffed_dense_and_subsampled():
    rng = numpy.random.default_rng(20)
    for _ in range(120):
        operands, attributes = random_call(rng)
        if not len(operands[0]):
            continue
        expected = conv_by_scipy(*operands, **attributes)
        assert numpy.array_equal(conv(*operands, **attributes), expected), attributes


def test_conv_is_the_filter_of_ndimage():
    """An odd kernel at half padding; `ndimage.correlate` centres it the same way."""
    rng = numpy.random.default_rng(21)
    for size in [(5,), (6, 3), (4, 5, 3)]:
        x, w = integers(rng, size), integers(rng, (3,) * len(size))
        expected = ndimage.correlate(x, w, mode="constant", cval=0)
        assert numpy.array_equal(conv(x[None, None], w[None, None], padding=1)[0, 0], expected)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is a witness; it has no build for here")


def test_conv_and_its_cotangents_are_those_of_torch(torch):
    """Exact: integers in float64.  Torch pads symmetrically, so the witness pads beforehand."""
    rng = numpy.random.default_rng(22)
    for _ in range(80):
        operands, attributes = random_call(rng)
        leaves = [torch.tensor(operand, requires_grad=True) for operand in operands]
        x, *parameters = leaves
        flat = [p for pair in reversed(attributes["padding"]) for p in pair]
        function = getattr(torch.nn.functional, f"conv{x.dim() - 2}d")
        y = function(
            torch.nn.functional.pad(x, flat),
            *parameters,
            stride=attributes["stride"],
            dilation=attributes["dilation"],
            groups=attributes["groups"],
        )
        assert numpy.array_equal(conv(*operands, **attributes), y.detach().numpy()), attributes
        cotangent = integers(rng, tuple(y.shape))
        expected = torch.autograd.grad(y, leaves, torch.tensor(cotangent))
        found = conv_vjp(cotangent, *operands, **attributes)
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            assert numpy.array_equal(ours, theirs.numpy()), attributes


@pytest.mark.parametrize(
    ("word", "pairs"),
    [
        ("valid", ((0, 0), (0, 0))),
        ("same_upper", ((1, 2), (0, 1))),
        ("same_lower", ((2, 1), (1, 0))),
        ("full", ((3, 3), (2, 2))),
    ],
)
def test_a_padding_word_is_its_pairs(word, pairs):
    """By hand on 5x6 with 4x3 at stride (1, 2): totals 4 + 4 - 5 = 3 and 2 * 2 + 3 - 6 = 1."""
    rng = numpy.random.default_rng(23)
    x, w = integers(rng, (1, 1, 5, 6)), integers(rng, (1, 1, 4, 3))
    spelled = conv(x, w, stride=(1, 2), padding=pairs)
    assert numpy.array_equal(conv(x, w, stride=(1, 2), padding=word), spelled)
    assert spelled.shape[2:] == {"valid": (2, 2), "full": (8, 4)}.get(word, (5, 3))


def test_spellings_of_the_same_attributes():
    rng = numpy.random.default_rng(24)
    x, w = integers(rng, (2, 2, 5, 5)), integers(rng, (2, 1, 2, 2))
    expected = conv(x, w, stride=(2, 2), padding=((1, 1), (1, 1)), dilation=(2, 2), groups=2)
    for attributes in [
        {"stride": 2, "padding": 1, "dilation": 2, "groups": 2},
        {"stride": [2, 2], "padding": [1, 1], "dilation": numpy.array([2, 2]), "groups": 2},
        {
            "stride": numpy.int8(2),
            "padding": numpy.ones((2, 2), int),
            "dilation": 2,
            "groups": numpy.uint8(2),
        },
    ]:
        assert numpy.array_equal(conv(x, w, **attributes), expected), attributes


class TestScalars:
    """One definition, any kind of number."""

    def test_python_integers_beyond_64_bits(self):
        huge = 10**30
        y = conv([[[huge, 1, 2]]], [[[huge, -1]]], [7])
        assert y.dtype == object
        assert y.tolist() == [[[huge**2 - 1 + 7, huge - 2 + 7]]]

    def test_int64_operands_whose_result_does_not_fit(self):
        large = 2**62
        y = conv([[[large, large]]], [[[1, 1]]])
        assert (y.dtype, y.tolist()) == (object, [[[2**63]]])
        assert convolve([large], [4]).tolist() == [2**64]

    @pytest.mark.parametrize("narrow", ["int8", "uint8", "int16", "int32", "uint32", "int64"])
    def test_narrow_integers_do_not_wrap(self, narrow):
        top = int(numpy.iinfo(narrow).max)
        x, w = numpy.full((1, 1, 2), top, narrow), numpy.full((1, 1, 2), top, narrow)
        assert conv(x, w).tolist() == [[[2 * top**2]]]

    def test_signed_and_unsigned_64_bits_stay_integers(self):
        """NumPy's common type of the two is float64, which would round 2**62 + 1."""
        x = numpy.array([[[2**62 + 1]]], "int64")
        y = conv(x, numpy.array([[[1]]], "uint64"))
        assert (y.dtype, y.tolist()) == (numpy.dtype("int64"), [[[2**62 + 1]]])

    def test_a_list_of_integers_that_numpy_would_round(self):
        """NumPy makes floats of [2**63, -1], since neither int64 nor uint64 holds both."""
        assert conv([[[2**63 + 1, -1]]], [[[1]]]).tolist() == [[[2**63 + 1, -1]]]

    def test_fractions_are_exact(self):
        third = Fraction(1, 3)
        y = conv([[[third, third, third]]], [[[Fraction(1, 2), 1]]], [Fraction(1, 7)])
        assert y.tolist() == [[[Fraction(9, 14)] * 2]]
        assert convolve([third, 1], [third, -1]).tolist() == [Fraction(1, 9), 0, -1]

    def test_floats_are_rounded_once(self):
        """float16 cannot hold 1 + 2^-11 + 2^-12; two roundings on the way would give 1 or more."""
        x = numpy.array([[[1, 2**-11, 2**-12]]], "float16")
        assert conv(x, numpy.ones((1, 1, 3), "float16")).item() == 1 + 2**-10

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_floats_keep_their_dtype(self, dtype):
        x, w = numpy.ones((1, 1, 3), dtype), numpy.ones((1, 1, 2), dtype)
        assert conv(x, w).dtype == conv(x, w, numpy.ones(1, dtype)).dtype == dtype
        assert {d.dtype for d in conv_vjp(conv(x, w), x, w)} == {numpy.dtype(dtype)}
        assert convolve(x, w).dtype == correlate(x, w).dtype == dtype

    def test_mixed_floats_take_the_wider_dtype(self):
        x, w = numpy.ones((1, 1, 3), "float16"), numpy.ones((1, 1, 2), "float32")
        assert conv(x, w).dtype == "float32"
        assert conv(x, w, numpy.ones(1)).dtype == "float64"

    def test_bfloat16_stays_bfloat16(self):
        bfloat16 = pytest.importorskip(
            "ml_dtypes", reason="the extra bfloat16 is not installed"
        ).bfloat16
        y = conv(numpy.ones((1, 1, 3), bfloat16), numpy.full((1, 1, 2), 3, bfloat16))
        assert (y.dtype, y.tolist()) == (bfloat16, [[[6, 6]]])

    def test_integers_give_int64(self):
        x = numpy.ones((1, 1, 3), "int8")
        assert conv(x, x).dtype == convolve(x, x).dtype == "int64"

    def test_an_overflow_is_infinite_without_a_warning(self):
        x = numpy.full((1, 1, 1), 60000, "float16")
        assert conv(x, x).item() == numpy.inf

    def test_the_empty_batch(self):
        x, w = numpy.zeros((0, 2, 5)), numpy.ones((3, 2, 2))
        assert conv(x, w).shape == (0, 3, 4)
        d_x, d_w, d_b = conv_vjp(numpy.zeros((0, 3, 4)), x, w, numpy.ones(3))
        assert (d_x.shape, d_w.tolist(), d_b.tolist()) == ((0, 2, 5), [[[0] * 2] * 2] * 3, [0] * 3)


class TestSpecialValues:
    def test_nan_and_infinity_reach_exactly_the_windows_that_hold_them(self):
        x = numpy.zeros((1, 1, 8))
        x[0, 0, 2], x[0, 0, 6] = numpy.nan, numpy.inf
        y = conv(x, [[[1.0, 2.0]]], padding=1)[0, 0]
        assert numpy.isnan(y).tolist() == [a in (2, 3) for a in range(9)]
        assert (y == numpy.inf).tolist() == [a in (6, 7) for a in range(9)]

    def test_padding_multiplies_nothing_not_even_a_weight_of_nan(self):
        """A tap on padding does not exist, so 0 * NaN never happens."""
        y = conv([[[1.0, 1.0]]], [[[numpy.nan, 1.0]]], padding=((1, 0),))
        assert y[0, 0, 0] == 1
        assert numpy.isnan(y[0, 0, 1])

    def test_a_window_over_padding_alone_is_zero_or_its_bias(self):
        assert conv([[[3]]], [[[1]]], padding=1).tolist() == [[[0, 3, 0]]]
        assert conv([[[3]]], [[[1]]], [5], padding=1).tolist() == [[[5, 8, 5]]]

    def test_a_zero_of_either_sign_counts_as_zero(self):
        assert conv([[[-0.0]]], [[[1.0]]]).item() == 0 == convolve([-0.0], [1.0]).item()


class TestDerivatives:
    """Against SymPy's derivative of the definition on symbols."""

    def test_conv(self):
        x = numpy.array(sympy.symbols("x0:12")).reshape(1, 2, 3, 2)
        w = numpy.array(sympy.symbols("w0:8")).reshape(2, 1, 2, 2)
        b = numpy.array(sympy.symbols("b0:2"))
        attributes = {
            "stride": (2, 1),
            "padding": ((1, 1), (0, 1)),
            "dilation": (1, 1),
            "groups": 2,
        }
        y = conv(x, w, b, **attributes)
        g = numpy.array(sympy.symbols(f"g0:{y.size}")).reshape(y.shape)
        loss = sympy.expand((g * y).sum())
        for d, operand in zip(conv_vjp(g, x, w, b, **attributes), (x, w, b), strict=True):
            for found, symbol in zip(d.flat, operand.flat, strict=True):
                assert sympy.expand(found - sympy.diff(loss, symbol)) == 0

    @pytest.mark.parametrize("mode", MODES)
    def test_convolve_and_correlate(self, mode):
        f = numpy.array(sympy.symbols("f0:6")).reshape(3, 2)
        g = numpy.array(sympy.symbols("g0:4")).reshape(2, 2)
        for forward, backward in ((convolve, convolve_vjp), (correlate, correlate_vjp)):
            h = forward(f, g, mode)
            c = numpy.array(sympy.symbols(f"c0:{h.size}")).reshape(h.shape)
            loss = sympy.expand((c * h).sum())
            for d, operand in zip(backward(c, f, g, mode), (f, g), strict=True):
                for found, symbol in zip(d.flat, operand.flat, strict=True):
                    assert sympy.expand(found - sympy.diff(loss, symbol)) == 0

    def test_convolve_of_symbols_multiplies_polynomials(self):
        t = sympy.symbols("t")
        a, b = sympy.symbols("a0:3"), sympy.symbols("b0:4")
        product = sympy.expand(
            sum(c * t**i for i, c in enumerate(a)) * sum(c * t**i for i, c in enumerate(b))
        )
        for power, coefficient in enumerate(convolve(a, b)):
            assert sympy.expand(coefficient - product.coeff(t, power)) == 0


def ones(rank: int, dtype: str) -> numpy.ndarray:
    return numpy.ones((1,) * rank, dtype)


@pytest.mark.parametrize("wide", range(3))
def test_each_operand_counts_for_the_dtype(wide):
    """The result is as wide as the widest operand, whichever that is."""
    dtypes = ["float16"] * 3
    dtypes[wide] = "float32"
    assert conv(ones(3, dtypes[0]), ones(3, dtypes[1]), ones(1, dtypes[2])).dtype == "float32"
    cotangent, f, g = (ones(1, dtype) for dtype in dtypes)
    d_f, d_g = convolve_vjp(cotangent, f, g)
    assert convolve(f, g).dtype == ("float16" if wide == 0 else "float32")
    assert d_f.dtype == ("float16" if wide == 1 else "float32")
    assert d_g.dtype == ("float16" if wide == 2 else "float32")


@pytest.mark.parametrize("dtypes", [("float32", "float16"), ("float16", "float32")])
def test_the_cotangent_of_a_bias_is_as_wide_as_the_widest_of_two(dtypes):
    cotangent, bias = ones(3, dtypes[0]), ones(1, dtypes[1])
    *_, d_bias = conv_vjp(cotangent, ones(3, "float16"), ones(3, "float16"), bias)
    assert d_bias.dtype == "float32"


def test_the_cotangents_of_three_channels_go_to_their_own():
    """By hand: y = 4 a + 5 b + 6 c at (a, b, c) = (1, 2, 3).  With two channels, one too many
    before the first would still be the second.
    """
    d_input, d_weight = conv_vjp([[[1]]], [[[1], [2], [3]]], [[[4], [5], [6]]])
    assert d_input.tolist() == [[[4], [5], [6]]]
    assert d_weight.tolist() == [[[1], [2], [3]]]


class TestShapes:
    """What is computed from shapes alone."""

    def test_the_defaults_are_those_of_the_operations(self):
        assert convolve_shape((3,), (2,)) == (4,)
        assert conv_windows((1, 1, 3), (1, 1, 2)) == (Window(kernel=2),)

    def test_an_input_without_spatial_axes_is_told_what_it_must_be(self):
        with pytest.raises(ValueError, match=r"^input has shape \(1, 2\): must be \(N, C, \*sp"):
            conv_shape((1, 2), (1, 2, 1))

    def test_channels_of_a_group_are_counted_in_whole_numbers(self):
        with pytest.raises(ValueError, match=r"second size must be C // groups = 2; input"):
            conv_shape((1, 4, 3), (2, 3, 1), groups=2)

    def test_a_bias_has_to_fit(self):
        with pytest.raises(ValueError, match=r"bias has shape \(3,\): must be \(O,\) = \(2,\)"):
            conv_shape((1, 1, 3), (2, 1, 1), (3,))

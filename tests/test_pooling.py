"""Maximum and average pooling: the documents' numbers, and witnesses that share no code."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
import pytest
import sympy
from scipy import ndimage

from convspec import (
    average_pool,
    average_pool_vjp,
    max_pool,
    max_pool_vjp,
    max_pool_with_indices,
    max_pool_with_indices_vjp,
)
from convspec.pooling import pool_shape


def random_call(
    rng: numpy.random.Generator, *, symmetric: bool = False
) -> tuple[numpy.ndarray, dict[str, Any]]:
    """An input without ties and the attributes of a pooling, every axis its own; the padding is
    at most half the kernel, as torch asks.
    """
    rank = int(rng.integers(1, 4))
    kernel = rng.integers(1, 5, rank)
    dilation = rng.integers(1, 4, rank)
    extent = dilation * (kernel - 1) + 1
    low = rng.integers(0, kernel // 2 + 1)
    high = low if symmetric else rng.integers(0, kernel // 2 + 1)
    spatial = numpy.maximum(1, extent - low - high) + rng.integers(0, 5 if rank < 3 else 3, rank)
    shape = (int(rng.integers(0, 3)), int(rng.integers(1, 3)), *spatial)
    x = rng.permutation(int(numpy.prod(shape))).reshape(shape).astype(float)
    attributes = {
        "kernel_size": tuple(kernel.tolist()),
        "stride": tuple(rng.integers(1, 4, rank).tolist()),
        "padding": tuple(zip(low.tolist(), high.tolist(), strict=True)),
        "dilation": tuple(dilation.tolist()),
        "ceil_mode": bool(rng.integers(2)),
    }
    return x, attributes


def gathered(x, fill, *, kernel_size, stride, padding, dilation, ceil_mode):
    """The windows of `x` on an explicitly padded copy: one trailing axis per kernel axis.

    With `ceil_mode` the copy is so long on the high side that one more window fits, which is kept
    where the floor windows end before the padding does, unless it begins after the input.
    """
    wide = [(0, 0), (0, 0)]
    slices: list[slice] = [slice(None)] * 2
    for n, k, s, (low, high), d in zip(
        x.shape[2:], kernel_size, stride, padding, dilation, strict=True
    ):
        extent = d * (k - 1) + 1
        starts = [t for t in range(0, n + low + high, s) if t + extent <= n + low + high]
        if ceil_mode and starts[-1] + extent < n + low + high:
            starts.append(starts[-1] + s)
        if ceil_mode and starts[-1] >= low + n:
            starts.pop()
        wide.append((low, high + s))
        slices.append(slice(0, starts[-1] + 1, s))
    extents = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)]
    padded = numpy.pad(x, wide, constant_values=fill)
    views = numpy.lib.stride_tricks.sliding_window_view(
        padded, extents, axis=tuple(range(2, x.ndim))
    )
    return views[(*slices, *(slice(None, None, d) for d in dilation))]


def valid_calls(rng, count, **options):
    """`count` random calls; the definitions refuse the few that leave a window empty, and the
    witness must agree that they do.
    """
    calls = []
    while len(calls) < count:
        x, attributes = random_call(rng, **options)
        axes = tuple(range(-len(attributes["stride"]), 0))
        probe = numpy.zeros((1, 1, *x.shape[2:]))
        real = numpy.isfinite(gathered(probe, numpy.inf, **attributes)).any(axis=axes)
        if real.all():
            calls.append((x, attributes))
        else:
            for pool in (max_pool, max_pool_with_indices, average_pool):
                with pytest.raises(ValueError, match="without any input element"):
                    pool(x, **attributes)
    return calls


def test_max_pool_is_the_maximum_of_the_gathered_windows():
    rng = numpy.random.default_rng(40)
    for x, attributes in valid_calls(rng, 120):
        axes = tuple(range(-len(attributes["stride"]), 0))
        expected = gathered(x, -numpy.inf, **attributes).max(axis=axes)
        values, indices = max_pool_with_indices(x, **attributes)
        assert numpy.array_equal(max_pool(x, **attributes), expected), attributes
        assert numpy.array_equal(values, expected), attributes
        for n, c, *i in numpy.ndindex(*indices.shape):
            chosen = x[n, c].flat[indices[(n, c, *i)]]
            assert chosen == expected[(n, c, *i)], attributes
        assert indices.dtype == numpy.int64


@pytest.mark.parametrize("include", [False, True])
def test_average_pool_is_the_mean_of_the_gathered_windows(include):
    """On Fractions, exactly: sum over the real cells, count over those, or over all but overhang.

    Three copies are gathered: of the values, of ones for the input, of ones for input and padding.
    """
    rng = numpy.random.default_rng(41)
    for x, attributes in valid_calls(rng, 60):
        axes = tuple(range(-len(attributes["stride"]), 0))
        total = gathered(x, 0, **attributes).sum(axis=axes)
        if include:
            low_high = [(0, 0), (0, 0), *attributes["padding"]]
            ones = numpy.pad(numpy.ones_like(x), low_high, constant_values=1)
            unpadded = {**attributes, "padding": ((0, 0),) * len(axes)}
            kept = tuple(slice(0, n) for n in total.shape)
            number = gathered(ones, 0, **unpadded).sum(axis=axes)[kept]
        else:
            number = gathered(numpy.ones_like(x), 0, **attributes).sum(axis=axes)
        exact = numpy.vectorize(Fraction, otypes=[object])(x) if x.size else x.astype(object)
        found = average_pool(exact, **attributes, count_include_pad=include)
        expected = [Fraction(int(t)) / int(m) for t, m in zip(total.flat, number.flat, strict=True)]
        assert list(found.flat) == expected, attributes
        assert found.shape == total.shape


def test_the_filters_of_ndimage_are_poolings_at_stride_1():
    rng = numpy.random.default_rng(42)
    for size in [(6,), (5, 4), (3, 4, 5)]:
        x = rng.integers(-9, 0, size).astype(float)
        found = max_pool([[x]], kernel_size=3, stride=1, padding=1)[0, 0]
        expected = ndimage.maximum_filter(x, 3, mode="constant", cval=-numpy.inf)
        assert numpy.array_equal(found, expected)
        summed = ndimage.correlate(x, numpy.ones((3,) * len(size)), mode="constant")
        found = average_pool([[x]], kernel_size=3, stride=1, padding=1, count_include_pad=True)
        assert numpy.array_equal(found[0, 0], summed / 3 ** len(size))


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is a witness; it has no build for here")


def test_max_pool_its_indices_and_its_cotangent_are_those_of_torch(torch):
    rng = numpy.random.default_rng(43)
    for x, attributes in valid_calls(rng, 80, symmetric=True):
        if not len(x):
            continue
        leaf = torch.tensor(x, requires_grad=True)
        theirs = {**attributes, "padding": tuple(low for low, _ in attributes["padding"])}
        function = getattr(torch.nn.functional, f"max_pool{x.ndim - 2}d")
        y, found_at = function(leaf, **theirs, return_indices=True)
        values, indices = max_pool_with_indices(x, **attributes)
        assert numpy.array_equal(values, y.detach().numpy()), attributes
        assert numpy.array_equal(indices, found_at.numpy()), attributes
        cotangent = rng.integers(-9, 10, tuple(y.shape)).astype(float)
        (expected,) = torch.autograd.grad(y, [leaf], torch.tensor(cotangent))
        for backward in (max_pool_vjp, max_pool_with_indices_vjp):
            (found,) = backward(cotangent, x, **attributes)
            assert numpy.array_equal(found, expected.numpy()), attributes


@pytest.mark.parametrize("include", [False, True])
def test_average_pool_and_its_cotangent_are_those_of_torch(torch, include):
    """Both round a sum of integers once, in the division; the cotangent is a sum of at most 4^3
    quotients, each within u of exact, so within 65 u of the sum of their magnitudes.
    """
    rng = numpy.random.default_rng(44)
    bound = 65 * 2.0**-53
    for x, attributes in valid_calls(rng, 80, symmetric=True):
        if not len(x) or max(attributes.pop("dilation")) > 1:
            continue
        leaf = torch.tensor(x, requires_grad=True)
        theirs = {**attributes, "padding": tuple(low for low, _ in attributes["padding"])}
        function = getattr(torch.nn.functional, f"avg_pool{x.ndim - 2}d")
        y = function(leaf, **theirs, count_include_pad=include)
        ours = average_pool(x, **attributes, count_include_pad=include)
        assert numpy.array_equal(ours, y.detach().numpy()), attributes
        cotangent = rng.integers(-9, 10, tuple(y.shape)).astype(float)
        (expected,) = torch.autograd.grad(y, [leaf], torch.tensor(cotangent))
        (found,) = average_pool_vjp(cotangent, x, **attributes, count_include_pad=include)
        (scale,) = average_pool_vjp(abs(cotangent), x, **attributes, count_include_pad=include)
        assert (abs(found - expected.numpy()) <= 2 * bound * scale).all(), attributes


def test_the_cotangents_of_average_pool_are_those_of_sympy():
    for include in (False, True):
        x = numpy.array(sympy.symbols("x0:24")).reshape(1, 2, 3, 4)
        attributes = {
            "kernel_size": (2, 3),
            "stride": (2, 1),
            "padding": ((1, 0), (1, 1)),
            "ceil_mode": True,
            "count_include_pad": include,
        }
        y = average_pool(x, **attributes)
        g = numpy.array(sympy.symbols(f"g0:{y.size}")).reshape(y.shape)
        loss = sympy.expand((g * y).sum())
        (d_x,) = average_pool_vjp(g, x, **attributes)
        for found, symbol in zip(d_x.flat, x.flat, strict=True):
            assert sympy.expand(found - sympy.diff(loss, symbol)) == 0


class TestCeilMode:
    def test_the_last_window_is_dropped_where_it_would_begin_after_the_input(self):
        """By hand: 2 cells, size 1, stride 2; rounded up a second window would begin at 2."""
        found = max_pool([[[1, 2]]], kernel_size=1, stride=2, ceil_mode=True)
        assert found.tolist() == [[[1]]]

    def test_the_last_window_is_dropped_where_it_would_begin_in_the_high_padding(self):
        """By hand: 17 cells, size and stride 2, padding 1: 9 windows reach 18, the tenth begins
        at 17, past the input.
        """
        x = numpy.arange(17).reshape(1, 1, 17)
        found = max_pool(x, kernel_size=2, padding=1, ceil_mode=True)
        assert found.tolist() == [[[0, 2, 4, 6, 8, 10, 12, 14, 16]]]

    def test_the_overhang_does_not_count_even_with_padding(self):
        """By hand: 9 cells of 1, size 7, stride 3, padding 3.  Windows begin at -3, 0, 3 and 6; the
        last holds 6, 7, 8, the padding 9, 10, 11, and the overhang 12: 3 / 6.
        """
        found = average_pool(
            numpy.ones((1, 1, 9)),
            kernel_size=7,
            stride=3,
            padding=3,
            ceil_mode=True,
            count_include_pad=True,
        )
        assert found.tolist() == [[[4 / 7, 1, 6 / 7, 3 / 6]]]


class TestMaximum:
    def test_the_first_of_equal_maxima_is_the_one(self):
        values, indices = max_pool_with_indices([[[[2, 2], [2, 1]]]], kernel_size=2)
        assert (values.item(), indices.item()) == (2, 0)
        (d_x,) = max_pool_vjp([[[[7]]]], [[[[1, 2], [2, 2]]]], kernel_size=2)
        assert d_x.tolist() == [[[[0, 7], [0, 0]]]]

    def test_zeros_of_either_sign_tie(self):
        values, indices = max_pool_with_indices([[[-0.0, 0.0]]], kernel_size=2)
        assert (values.item(), indices.item()) == (0, 0)

    def test_a_window_with_nan_is_nan_at_its_first_nan(self):
        x = numpy.array([[[5, numpy.nan, 1, numpy.nan, 2, 3]]])
        values, indices = max_pool_with_indices(x, kernel_size=3, stride=1)
        assert numpy.isnan(values[0, 0]).tolist() == [True, True, True, True]
        assert indices.tolist() == [[[1, 1, 3, 3]]]
        assert numpy.array_equal(
            max_pool(x, kernel_size=2)[0, 0], [numpy.nan, numpy.nan, 3], equal_nan=True
        )

    def test_a_window_of_minus_infinities(self):
        values, indices = max_pool_with_indices(numpy.full((1, 1, 2), -numpy.inf), kernel_size=2)
        assert (values.item(), indices.item()) == (-numpy.inf, 0)

    def test_padding_never_wins(self):
        values, indices = max_pool_with_indices([[[-5, -3]]], kernel_size=3, stride=1, padding=1)
        assert values.tolist() == [[[-3, -3]]]
        assert indices.tolist() == [[[1, 1]]]

    def test_indices_count_in_the_unpadded_channel(self):
        """By hand: per channel of 2x3, whatever the batch, the channel and the padding."""
        x = numpy.zeros((2, 2, 2, 3))
        x[..., 1, 2] = 1
        _, indices = max_pool_with_indices(
            x, kernel_size=(2, 3), padding=((1, 0), (1, 1)), stride=1
        )
        assert (indices[:, :, 1, 1:] == 5).all()

    def test_a_maximum_of_several_windows_gathers_all_their_cotangents(self):
        (d_x,) = max_pool_vjp([[[1, 10, 100]]], [[[0, 0, 9, 0, 0]]], kernel_size=3, stride=1)
        assert d_x.tolist() == [[[0, 0, 111, 0, 0]]]


class TestScalars:
    """One definition, any kind of number."""

    def test_python_integers_beyond_64_bits(self):
        huge = 10**30
        assert max_pool([[[huge, huge + 1]]], kernel_size=2).tolist() == [[[huge + 1]]]

    def test_unsigned_integers_of_64_bits(self):
        x = numpy.array([[[2**64 - 1, 1]]], "uint64")
        assert max_pool(x, kernel_size=2).item() == 2**64 - 1

    def test_fractions_are_exact(self):
        x = [[[Fraction(1, 3), Fraction(1, 2)]]]
        assert max_pool(x, kernel_size=2).item() == Fraction(1, 2)
        assert average_pool(x, kernel_size=2).item() == Fraction(5, 12)
        (d_x,) = average_pool_vjp([[[Fraction(1)]]], x, kernel_size=2)
        assert d_x.tolist() == [[[Fraction(1, 2)] * 2]]

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_floats_keep_their_dtype(self, dtype):
        x = numpy.ones((1, 1, 4), dtype)
        for pool, backward in ((max_pool, max_pool_vjp), (average_pool, average_pool_vjp)):
            y = pool(x, kernel_size=2)
            assert y.dtype == dtype
            assert backward(y, x, kernel_size=2)[0].dtype == dtype

    def test_integers_give_integers_or_their_float64_mean(self):
        x = numpy.array([[[1, 2]]], "uint8")
        assert max_pool(x, kernel_size=2).dtype == "int64"
        y = average_pool(x, kernel_size=2)
        assert (y.dtype, y.item()) == (numpy.dtype("float64"), 1.5)
        assert average_pool_vjp(numpy.array([[[3]]]), x, kernel_size=2)[0].tolist() == [
            [[1.5, 1.5]]
        ]

    def test_a_mean_of_halves_is_not_summed_in_halves(self):
        """4096 ones in float16: a running sum in that type would stop at 2048."""
        y = average_pool(numpy.ones((1, 1, 4096), "float16"), kernel_size=4096)
        assert (y.dtype, y.item()) == (numpy.dtype("float16"), 1)

    def test_the_empty_batch(self):
        x = numpy.zeros((0, 2, 4))
        for pool, backward in ((max_pool, max_pool_vjp), (average_pool, average_pool_vjp)):
            assert pool(x, kernel_size=2).shape == (0, 2, 2)
            assert backward(numpy.zeros((0, 2, 2)), x, kernel_size=2)[0].shape == x.shape
        values, indices = max_pool_with_indices(x, kernel_size=2)
        assert values.shape == indices.shape == (0, 2, 2)

    def test_nan_and_infinity_reach_exactly_the_averages_that_hold_them(self):
        x = numpy.array([[[numpy.nan, 0, 0, 0, numpy.inf, 0]]])
        y = average_pool(x, kernel_size=2, stride=1)[0, 0]
        assert numpy.isnan(y).tolist() == [True, False, False, False, False]
        assert (y == numpy.inf).tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("word", "pairs"),
    [("valid", ((0, 0),)), ("same_upper", ((0, 1),)), ("same_lower", ((1, 0),))],
)
def test_a_padding_word_is_its_pairs(word, pairs):
    """By hand: 4 cells, size 3, stride 2: one position of padding gives two windows."""
    x = [[[4.0, 1.0, 2.0, 3.0]]]
    for pool in (max_pool, average_pool):
        spelled = pool(x, kernel_size=3, stride=2, padding=pairs)
        assert numpy.array_equal(pool(x, kernel_size=3, stride=2, padding=word), spelled)


def test_the_stride_is_the_kernel_size_unless_given():
    x = numpy.arange(12).reshape(1, 1, 3, 4)
    expected = max_pool(x, kernel_size=(3, 2), stride=(3, 2))
    assert numpy.array_equal(max_pool(x, kernel_size=(3, 2)), expected)
    assert expected.tolist() == [[[[9, 11]]]]


def test_windows_are_not_rounded_up_unless_asked():
    """By hand: 3 cells, size and stride 2, hold one whole window."""
    x, g = numpy.array([[[3.0, 1.0, 7.0]]]), numpy.array([[[4.0]]])
    assert max_pool(x, kernel_size=2).tolist() == [[[3]]]
    assert max_pool_with_indices(x, kernel_size=2)[1].tolist() == [[[0]]]
    assert average_pool(x, kernel_size=2).tolist() == [[[2]]]
    assert max_pool_vjp(g, x, kernel_size=2)[0].tolist() == [[[4, 0, 0]]]
    assert average_pool_vjp(g, x, kernel_size=2)[0].tolist() == [[[2, 2, 0]]]


def test_padding_does_not_count_unless_asked():
    """By hand: one window holds the cell and a position of padding on each side."""
    (d_x,) = average_pool_vjp([[[6.0]]], [[[1.0]]], kernel_size=3, padding=1)
    assert d_x.tolist() == [[[6]]]


@pytest.mark.parametrize("dtypes", [("float32", "float16"), ("float16", "float32")])
def test_a_cotangent_is_as_wide_as_the_widest_of_two(dtypes):
    g, x = (numpy.ones((1, 1, 1), dtype) for dtype in dtypes)
    for backward in (max_pool_vjp, average_pool_vjp):
        assert backward(g, x, kernel_size=1)[0].dtype == "float32"


def test_maxima_and_their_cotangents_are_exact_beyond_float64():
    """It holds 2^53 for 2^53 + 1."""
    odd = 2**53 + 1
    values, _ = max_pool_with_indices([[[odd, 1]]], kernel_size=2)
    assert values.item() == odd
    assert max_pool_vjp([[[odd]]], [[[2, 1]]], kernel_size=2)[0].tolist() == [[[odd, 0]]]


def test_the_shape_of_a_pooling_is_that_of_any_divisor():
    assert pool_shape((1, 1, 4), kernel_size=2, count_include_pad=True) == (1, 1, 2)


def test_what_an_input_and_a_cotangent_must_be_is_said():
    with pytest.raises(ValueError, match=r"^input has shape \(1, 2\): must be \(N, C, \*spatial\)"):
        max_pool(numpy.ones((1, 2)), kernel_size=1)
    expected = r"^cotangent has shape \(1, 1, 2\): must be the output shape = \(1, 1, 1\)"
    with pytest.raises(ValueError, match=expected):
        average_pool_vjp(numpy.ones((1, 1, 2)), numpy.ones((1, 1, 2)), kernel_size=2)

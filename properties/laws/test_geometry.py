"""Padding, stride, dilation: each is another way to write a dense, unpadded convolution.

Padding is zeros around the input, stride keeps some outputs of a dense pass, dilation is a kernel
with zeros between its taps.  For a maximum the neutral element is minus infinity, not zero.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import scipy.signal
from hypothesis import strategies as st

import convspec
from convspec.case import Case
from convspec.strategies import calls

from .exact import alike, exactly
from .rewriting import divisible, first, run, windows, with_input
from .statement import law, same
from .subjects import SLIDING


def around(image: Any, padding: Any, value: float = 0) -> Any:
    """The input with its padding written out."""
    return numpy.pad(image, [(0, 0), (0, 0), *padding], constant_values=value)


def stuffed(kernel: Any, dilation: Any) -> Any:
    """The kernel with d - 1 zeros between neighbouring taps."""
    sizes = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape[2:], strict=True)]
    spread = numpy.zeros((*kernel.shape[:2], *sizes))
    spread[(slice(None), slice(None), *(slice(None, None, d) for d in dilation))] = kernel
    return spread


def dense(case: Case) -> Case:
    """The call at stride 1."""
    return with_input(case, case.operands["input"], stride=(1,) * len(case.attributes["stride"]))


def every(strides: Any) -> Any:
    """The index that keeps one position in s on each spatial axis."""
    return (slice(None), slice(None), *(slice(None, None, s) for s in strides))


@law(case=calls("conv"))
def test_conv_is_scipys_correlation_of_the_rewritten_call(implementation: Any, case: Any) -> None:
    """The witness for every attribute at once: zeros written out around the input and between
    the taps, one dense SciPy correlation for each pair of channels, one output in s.
    """
    x, w, *bias = case.operands.values()
    attributes = case.attributes
    groups, share = attributes["groups"], w.shape[1]
    x, kernel = around(x, attributes["padding"]), stuffed(w, attributes["dilation"])
    y = run(implementation, case)
    for n, o in numpy.ndindex(y.shape[:2]):
        first = o * groups // len(w) * share
        total = sum(
            scipy.signal.correlate(x[n, first + c], kernel[o, c], mode="valid", method="direct")
            for c in range(share)
        )
        same(y[n, o], total[every(attributes["stride"])[2:]] + (bias[0][o] if bias else 0))


@law(case=calls("conv"))
def test_padding_is_zeros_around_the_input(implementation: Any, case: Any) -> None:
    """conv(x, padding p) = conv(x with its zeros written out, padding 0)."""
    nothing = ((0, 0),) * len(windows(case))
    written = around(case.operands["input"], case.attributes["padding"])
    left = run(implementation, case)
    same(left, run(implementation, with_input(case, written, padding=nothing)))


@law(case=calls("conv"))
def test_dilation_is_a_kernel_with_zeros_between_its_taps(implementation: Any, case: Any) -> None:
    """conv(x, w, dilation d) = conv(x, w with d - 1 zeros between taps, dilation 1)."""
    attributes = {**case.attributes, "dilation": (1,) * len(windows(case))}
    weight = stuffed(case.operands["weight"], case.attributes["dilation"])
    spread = Case("conv", {**case.operands, "weight": weight}, attributes)
    same(run(implementation, case), run(implementation, spread))


@law(case=calls("conv"))
def test_a_bias_is_added_last(implementation: Any, case: Any) -> None:
    """conv(x, w, b) = conv(x, w) + b, one number an output channel."""
    bias = numpy.arange(1.0, 1 + len(case.operands["weight"]))
    x, w = case.operands["input"], case.operands["weight"]
    plain = implementation.conv(x, w, **case.attributes)
    left = implementation.conv(x, w, bias, **case.attributes)
    same(left, plain + bias.reshape(-1, *(1,) * len(windows(case))))


@law(case=calls("conv"))
def test_an_output_that_meets_only_padding_is_the_bias(implementation: Any, case: Any) -> None:
    """Pad by one extent more than there is: the first outputs of an axis touch no input."""
    (axis, (_, window)), *_ = enumerate(windows(case))
    reach = window.dilation * (window.kernel - 1) + 1
    padding = list(case.attributes["padding"])
    padding[axis] = (reach, window.high)
    y = run(implementation, with_input(case, case.operands["input"], padding=tuple(padding)))
    bias = case.operands.get("bias", numpy.zeros(y.shape[1]))
    same(y[:, :, 0], numpy.broadcast_to(bias.reshape(-1, *(1,) * (y.ndim - 3)), y[:, :, 0].shape))


@pytest.mark.parametrize("word", ["same_upper", "same_lower", "valid", "full"])
@law(case=calls("conv"))
def test_a_padding_word_is_its_pairs(word: str, case: Any) -> None:
    """`same` gives ceil(n / s) outputs with total padding max(0, (ceil(n/s) - 1) s + e - n), the
    odd one on the high side (upper) or the low side (lower); `full` is e - 1 on each side.

    A law of the definition: implementations under test are always given the pairs.
    """
    # With its padding written out the kernel fits, as `valid` demands.
    x = around(case.operands["input"], case.attributes["padding"])
    pairs = []
    for (_, window), n in zip(windows(case), x.shape[2:], strict=True):
        reach = window.dilation * (window.kernel - 1) + 1
        total = max(0, (-(-n // window.stride) - 1) * window.stride + reach - n)
        half = (total // 2, total - total // 2)
        resolved = {"same_upper": half, "same_lower": half[::-1], "valid": (0, 0)}
        pairs.append(resolved.get(word, (reach - 1, reach - 1)))
    left = run(convspec, with_input(case, x, padding=word))
    same(left, run(convspec, with_input(case, x, padding=tuple(pairs))))


@law(case=calls("max_pool"))
def test_padding_of_a_maximum_is_minus_infinity(implementation: Any, case: Any) -> None:
    """max_pool(x, padding p) = max_pool(x with minus infinity written around it).

    With zeros it would be wrong wherever all inputs of a window are negative.  In ceil mode the
    written form may have one output more: its last window may begin in what was padding.
    """
    nothing = ((0, 0),) * len(windows(case))
    written = around(case.operands["input"], case.attributes["padding"], -numpy.inf)
    reached = run(implementation, case)
    bare = run(implementation, with_input(case, written, padding=nothing))
    same(reached, bare[tuple(slice(n) for n in reached.shape)])


def test_zero_is_not_neutral_for_a_maximum(implementation: Any) -> None:
    """Smallest counterexample: one negative pixel."""
    same(implementation.max_pool([[[-1.0]]], kernel_size=2, padding=((1, 0),)), [[[-1]]])


@law(case=calls("average_pool"))
def test_an_average_that_counts_padding_averages_zeros(implementation: Any, case: Any) -> None:
    """With count_include_pad, padding is as good as zeros written around the input, ceil mode as
    above.
    """
    case = divisible(case)
    written = around(case.operands["input"], case.attributes["padding"])
    counted = with_input(case, case.operands["input"], count_include_pad=True)
    nothing = ((0, 0),) * len(windows(case))
    reached = run(implementation, counted)
    bare = run(implementation, with_input(counted, written, padding=nothing))
    same(reached, bare[tuple(slice(n) for n in reached.shape)])


@pytest.mark.parametrize("operation", SLIDING)
@law(among=SLIDING, data=st.data())
def test_a_stride_keeps_one_dense_output_in_s(
    implementation: Any, operation: str, data: Any
) -> None:
    """op(x, stride s) = op(x, stride 1)[::s], for pools in floor mode, and where every dense window
    holds an input too: the padding stays below the kernel, without dilation.
    """
    case = exactly(data.draw(calls(operation)))
    if "kernel_size" in case.attributes:
        case = filled(case)
    strides = case.attributes["stride"]
    all_of_them = first(run(implementation, dense(case)))
    alike(operation, first(run(implementation, case)), all_of_them[every(strides)])


def filled(case: Case) -> Case:
    """The pool without dilation and ceil mode, with less padding than kernel, over an input that
    is no smaller than the kernel: every window at every stride then holds an element.
    """
    x, kernel = case.operands["input"], case.attributes["kernel_size"]
    padding = [
        (min(low, k - 1), min(high, k - 1))
        for k, (low, high) in zip(kernel, case.attributes["padding"], strict=True)
    ]
    plain = {"padding": tuple(padding), "dilation": (1,) * len(kernel), "ceil_mode": False}
    lacking = [(0, max(0, k - n)) for k, n in zip(kernel, x.shape[2:], strict=True)]
    larger = numpy.pad(x, [(0, 0), (0, 0), *lacking])
    known = {name: value for name, value in plain.items() if name in case.attributes}
    return with_input(case, larger, **known)


def test_a_strided_transposed_convolution_is_no_part_of_a_dense_one(implementation: Any) -> None:
    """Smallest counterexample: a stride spreads what it reads; two pixels become three outputs."""
    x, one = numpy.ones((1, 1, 2)), numpy.ones((1, 1, 1))
    same(implementation.conv_transpose(x, one, stride=2), [[[1, 0, 1]]])
    same(implementation.conv_transpose(x, one), [[[1, 1]]])

"""Transposed convolution: spread the input with zeros, pad it, and convolve truly.

It scatters where `conv` gathers, and it is the adjoint of `conv`: <y, conv(x)> =
<conv_transpose(y), x> for all x and y.
"""

from __future__ import annotations

from typing import Any

import numpy
import scipy.signal
from hypothesis import strategies as st

from convspec.strategies import arrays, calls
from convspec.window import extent, transposed_size

from .rewriting import run, spatial, windows, with_input
from .statement import law, same


def spread(array: Any, steps: Any) -> Any:
    """The array with step - 1 zeros between neighbours on each spatial axis."""
    sizes = [step * (n - 1) + 1 for step, n in zip(steps, array.shape[2:], strict=True)]
    wide = numpy.zeros((*array.shape[:2], *sizes))
    wide[(slice(None), slice(None), *(slice(None, None, step) for step in steps))] = array
    return wide


def crop(array: Any, attributes: dict[str, Any]) -> Any:
    """The full scattered range, extended by the output padding, then cropped by the padding."""
    extended = numpy.pad(array, [(0, more) for more in attributes["output_padding"]])
    return extended[
        tuple(
            slice(low, n - high)
            for n, (low, high) in zip(extended.shape, attributes["padding"], strict=True)
        )
    ]


@law(case=calls("conv_transpose"))
def test_it_is_scipys_true_convolution_of_spread_arrays(implementation: Any, case: Any) -> None:
    """The witness for every attribute at once: zeros between the pixels (stride) and between the
    taps (dilation), a full SciPy convolution for each pair of channels, then the crop.
    """
    x, w, *bias = case.operands.values()
    x, w = spread(x, case.attributes["stride"]), spread(w, case.attributes["dilation"])
    groups, share = case.attributes["groups"], w.shape[1]
    y = run(implementation, case)
    for n, o in numpy.ndindex(y.shape[:2]):
        inputs = len(w) // groups
        total = sum(
            scipy.signal.convolve(x[n, c], w[c, o % share], mode="full", method="direct")
            for c in range(o // share * inputs, (o // share + 1) * inputs)
        )
        same(y[n, o], crop(total, case.attributes) + (bias[0][o] if bias else 0))


@law(case=calls("conv_transpose"))
def test_it_is_conv_over_a_spread_input_with_the_flipped_kernel(
    implementation: Any, case: Any
) -> None:
    """Insert s - 1 zeros, pad by extent - 1, conv at stride 1 with the flipped kernel whose
    channel axes are exchanged within each group; then crop.
    """
    x, w = case.operands["input"], case.operands["weight"]
    groups = case.attributes["groups"]
    grouped = w.reshape(groups, len(w) // groups, *w.shape[1:]).swapaxes(1, 2)
    exchanged = numpy.flip(grouped.reshape(-1, *grouped.shape[2:]), spatial(w))
    reach = tuple((extent(window) - 1,) * 2 for _, window in windows(case))
    full = implementation.conv(
        spread(x, case.attributes["stride"]),
        exchanged,
        padding=reach,
        dilation=case.attributes["dilation"],
        groups=groups,
    )
    y = implementation.conv_transpose(x, w, **case.attributes)
    for n, o in numpy.ndindex(y.shape[:2]):
        same(y[n, o], crop(full[n, o], case.attributes))


@law(case=calls("conv"), data=st.data())
def test_it_is_the_adjoint_of_conv(implementation: Any, case: Any, data: Any) -> None:
    """<y, conv(x, w)> = <conv_transpose(y, w), x>, with the output padding that restores what
    the stride left over: (n + p - extent) mod s.
    """
    x, w = case.operands["input"], case.operands["weight"]
    forward = implementation.conv(x, w, **case.attributes)
    y = data.draw(arrays(forward.shape))
    rests = tuple(
        (n + window.low + window.high - extent(window)) % window.stride
        for n, window in windows(case)
    )
    back = implementation.conv_transpose(y, w, **case.attributes, output_padding=rests)
    assert back.shape == x.shape
    assert (y * forward).sum() == (back * x).sum()


def test_without_output_padding_the_size_does_not_come_back(implementation: Any) -> None:
    """Smallest counterexample: stride 2 takes one and two pixels alike to one output, so nothing
    but output padding can tell where it came from.
    """
    one = numpy.ones((1, 1, 1))
    assert implementation.conv(numpy.ones((1, 1, 2)), one, stride=2).shape == (1, 1, 1)
    assert implementation.conv_transpose(one, one, stride=2).shape == (1, 1, 1)
    restored = implementation.conv_transpose(one, one, stride=2, output_padding=1)
    same(restored, [[[1, 0]]])


def test_output_padding_is_not_zero_filling(implementation: Any) -> None:
    """Smallest counterexample: where the crop had cut products off, output padding brings them
    back; one pixel, kernel (1, 1), stride 2, crop 1 on the high side.
    """
    one, weight = numpy.ones((1, 1, 1)), numpy.ones((1, 1, 2))
    same(implementation.conv_transpose(one, weight, stride=2, padding=((0, 1),)), [[[1]]])
    extended = implementation.conv_transpose(
        one, weight, stride=2, padding=((0, 1),), output_padding=1
    )
    same(extended, [[[1, 1]]])


@law(case=calls("conv_transpose"))
def test_output_padding_takes_back_a_crop(implementation: Any, case: Any) -> None:
    """A high crop larger by q and an output padding of q cancel: both speak of the same end."""
    cropped, larger = [], []
    for (n, window), q in zip(windows(case), case.attributes["output_padding"], strict=True):
        whole = transposed_size(n, window._replace(low=0, high=0))
        low = min(window.low, whole - 1)
        high = min(window.high, whole - 1 - low)
        cropped.append((low, high))
        larger.append((low, high + q))
    x = case.operands["input"]
    plain = with_input(case, x, padding=tuple(cropped), output_padding=(0,) * len(cropped))
    same(
        run(implementation, with_input(case, x, padding=tuple(larger))), run(implementation, plain)
    )


@law(case=calls("conv_transpose"))
def test_at_stride_one_it_is_a_convolution_with_the_flipped_kernel(
    implementation: Any, case: Any
) -> None:
    """Crop p <= extent - 1 is padding extent - 1 - p: the transpose of a unit-stride convolution
    is a unit-stride convolution (Relationships 8 to 10), the flipped kernel's.
    """
    x, w = case.operands["input"][:, :1], case.operands["weight"][:1, :1]
    axes, crops, paddings = spatial(x), [], []
    for n, window in windows(case):
        reach = extent(window) - 1
        low = min(window.low, reach)
        high = min(window.high, reach, n + reach - low - 1)
        crops.append((low, high))
        paddings.append((reach - low, reach - high))
    dilation = case.attributes["dilation"]
    left = implementation.conv_transpose(x, w, padding=tuple(crops), dilation=dilation)
    right = implementation.conv(x, numpy.flip(w, axes), padding=tuple(paddings), dilation=dilation)
    same(left, right)


@law(case=calls("conv"), data=st.data())
def test_its_sum_is_the_product_of_sums(implementation: Any, case: Any, data: Any) -> None:
    """Without a crop every pixel meets every tap: sum(y) = sum_c sum(x_c) sum(w_c)."""
    outputs = data.draw(st.integers(1, 3))
    x = case.operands["input"]
    w = data.draw(arrays((x.shape[1], outputs, *case.operands["weight"].shape[2:])))
    y = implementation.conv_transpose(
        x, w, stride=case.attributes["stride"], dilation=case.attributes["dilation"]
    )
    assert y.shape[:2] == (len(x), outputs)
    sums = numpy.tensordot(x.sum(axis=spatial(x)), w.sum(axis=spatial(w)), axes=1)
    same(y.sum(axis=spatial(y)), sums)

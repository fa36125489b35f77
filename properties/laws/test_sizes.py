"""Sizes: how many windows fit, which positions they read, and how far a stack of them sees.

Relationships 1 to 6 stand in the documents; 7 to 15 are those of Dumoulin and Visin, "A guide to
convolution arithmetic for deep learning", arXiv:1603.07285, which the documents quote.  There one
size i, kernel k, stride s and padding p serve every axis and both sides; here they are the sizes
of one axis, and the laws are about `convspec.window`, where all index arithmetic lives.
"""

from __future__ import annotations

from typing import Any

import numpy
from hypothesis import strategies as st

from convspec.operations import OPERATIONS
from convspec.window import (
    Window,
    coverage,
    divisor,
    extent,
    first_empty,
    output_size,
    receptive_field,
    resolve_padding,
    start,
    taps,
    transposed_size,
    windows_over,
)

from .statement import law, same

small = st.integers(1, 12)
kernels = st.integers(1, 6)
strides = st.integers(1, 5)
paddings = st.integers(0, 6)


@st.composite
def sliding(draw: Any, *, ceil: bool | None = None) -> tuple[int, Window]:
    """A size and a window whose extent fits the padded input."""
    n, low, high = draw(small), draw(paddings), draw(paddings)
    kernel = draw(st.integers(1, min(6, n + low + high)))
    most = (n + low + high - 1) // (kernel - 1) if kernel > 1 else 4
    dilation = draw(st.integers(1, min(4, most)))
    rounding = draw(st.booleans()) if ceil is None else ceil
    return n, Window(kernel, draw(strides), low, high, dilation, rounding)


@st.composite
def fitting(draw: Any, *, padded: bool) -> tuple[int, int, int, int]:
    """i, k, s, p with k <= i + 2 p."""
    i, p = draw(small), draw(paddings) if padded else 0
    return i, draw(st.integers(1, min(6, i + 2 * p))), draw(strides), p


@law(drawn=fitting(padded=False))
def test_relationship_1_unit_stride_without_padding(drawn: Any) -> None:
    """o = (i - k) + 1 for s = 1, p = 0."""
    i, k, _, _ = drawn
    assert output_size(i, Window(k)) == (i - k) + 1


@law(drawn=fitting(padded=True))
def test_relationship_2_unit_stride_with_padding(drawn: Any) -> None:
    """o = (i - k) + 2 p + 1 for s = 1."""
    i, k, _, p = drawn
    assert output_size(i, Window(k, low=p, high=p)) == (i - k) + 2 * p + 1


@law(i=small, n=st.integers(0, 4))
def test_relationship_3_half_padding(i: int, n: int) -> None:
    """o = i for k = 2 n + 1, s = 1, p = floor(k / 2) = n: "same"."""
    window = Window(2 * n + 1, low=n, high=n)
    assert output_size(i, window) == i
    assert resolve_padding("same_upper", i, Window(2 * n + 1)) == (n, n)


def test_half_padding_of_an_even_kernel_is_not_same() -> None:
    """Smallest counterexample: k = 2, floor(k / 2) = 1: two outputs for one input."""
    assert output_size(1, Window(2, low=1, high=1)) == 2
    assert resolve_padding("same_upper", 1, Window(2)) == (0, 1)


@law(i=small, k=kernels)
def test_relationship_4_full_padding(i: int, k: int) -> None:
    """o = i + (k - 1) for p = k - 1, s = 1: "full"."""
    assert output_size(i, Window(k, low=k - 1, high=k - 1)) == i + (k - 1)
    assert resolve_padding("full", i, Window(k)) == (k - 1, k - 1)


@law(drawn=fitting(padded=False))
def test_relationship_5_strides_without_padding(drawn: Any) -> None:
    """o = floor((i - k) / s) + 1 for p = 0; the documents print |.| for the floor."""
    i, k, s, _ = drawn
    assert output_size(i, Window(k, s)) == (i - k) // s + 1


@law(drawn=fitting(padded=True))
def test_relationship_6_strides_and_padding(drawn: Any) -> None:
    """o = floor((i + 2 p - k) / s) + 1."""
    i, k, s, p = drawn
    assert output_size(i, Window(k, s, p, p)) == (i + 2 * p - k) // s + 1


@law(drawn=fitting(padded=False))
def test_relationship_7_pooling(drawn: Any) -> None:
    """o = floor((i - k) / s) + 1 for a pool: the arithmetic does not ask what is computed."""
    i, k, s, _ = drawn
    shape = (1, 1, i)
    for operation in ("max_pool", "average_pool"):
        assert OPERATIONS[operation].shape(shape, kernel_size=k, stride=s)[2] == (i - k) // s + 1
    assert OPERATIONS["conv"].shape(shape, (1, 1, k), stride=s)[2] == (i - k) // s + 1


def transpose_of(i: int, k: int, s: int, p: int) -> tuple[int, int]:
    """i' = the output size of the convolution, and o' = that of its transpose fed with i'."""
    window = Window(k, s, p, p)
    smaller = output_size(i, window)
    return smaller, transposed_size(smaller, window, (i + 2 * p - k) % s)


def stretched(i: int, s: int) -> int:
    """The size with s - 1 zeros between neighbours."""
    return s * (i - 1) + 1


@law(drawn=fitting(padded=False))
def test_relationship_8_transpose_of_no_padding_and_unit_stride(drawn: Any) -> None:
    """k' = k, s' = 1, p' = k - 1: o' = i' + (k - 1), the size that the convolution came from."""
    i, k, _, _ = drawn
    smaller, larger = transpose_of(i, k, 1, 0)
    assert larger == smaller + (k - 1) == i
    assert larger == output_size(smaller, Window(k, low=k - 1, high=k - 1))


@law(k=kernels, data=st.data())
def test_relationship_9_transpose_of_padding_and_unit_stride(k: int, data: Any) -> None:
    """k' = k, s' = 1, p' = k - p - 1, for p < k: o' = i' + (k - 1) - 2 p."""
    p = data.draw(st.integers(0, k - 1))
    i = data.draw(st.integers(max(1, k - 2 * p), 12))
    smaller, larger = transpose_of(i, k, 1, p)
    assert larger == smaller + (k - 1) - 2 * p == i
    assert larger == output_size(smaller, Window(k, low=k - p - 1, high=k - p - 1))


@law(i=small, n=st.integers(0, 4))
def test_relationship_10_transpose_of_half_padding(i: int, n: int) -> None:
    """k = 2 n + 1, p = n: o' = i'."""
    assert transpose_of(i, 2 * n + 1, 1, n) == (i, i)


@law(i=small, k=kernels)
def test_relationship_11_transpose_of_full_padding(i: int, k: int) -> None:
    """p = k - 1, p' = 0: o' = i' - (k - 1)."""
    smaller, larger = transpose_of(i, k, 1, k - 1)
    assert larger == smaller - (k - 1) == i
    assert larger == output_size(smaller, Window(k))


@law(k=kernels, s=strides, outputs=st.integers(1, 6))
def test_relationship_12_transpose_of_strides_without_padding(k: int, s: int, outputs: int) -> None:
    """i - k a multiple of s, p' = k - 1 over the stretched input: o' = s (i' - 1) + k."""
    i = k + (outputs - 1) * s
    smaller, larger = transpose_of(i, k, s, 0)
    assert larger == s * (smaller - 1) + k == i
    assert larger == output_size(stretched(smaller, s), Window(k, low=k - 1, high=k - 1))


@law(k=kernels, s=strides, outputs=st.integers(1, 6), data=st.data())
def test_relationship_13_transpose_of_strides_and_padding(
    k: int, s: int, outputs: int, data: Any
) -> None:
    """i + 2 p - k a multiple of s, p' = k - p - 1: o' = s (i' - 1) + k - 2 p."""
    padded = k + (outputs - 1) * s
    p = data.draw(st.integers(0, min(k - 1, (padded - 1) // 2)))
    smaller, larger = transpose_of(padded - 2 * p, k, s, p)
    assert larger == s * (smaller - 1) + k - 2 * p == padded - 2 * p
    inner = Window(k, low=k - p - 1, high=k - p - 1)
    assert larger == output_size(stretched(smaller, s), inner)


@law(drawn=fitting(padded=True))
def test_relationship_14_transpose_with_what_the_stride_left_over(drawn: Any) -> None:
    """a = (i + 2 p - k) mod s zeros more at the end: o' = s (i' - 1) + a + k - 2 p.

    a is the output padding: it tells apart the s input sizes that lead to one output size.
    """
    i, k, s, p = drawn
    a = (i + 2 * p - k) % s
    smaller, larger = transpose_of(i, k, s, p)
    assert larger == s * (smaller - 1) + a + k - 2 * p == i
    if p < k:
        inner = Window(k, low=k - p - 1, high=k - p - 1 + a)
        assert larger == output_size(stretched(smaller, s), inner)


@law(drawn=sliding(ceil=False))
def test_relationship_15_dilation(drawn: Any) -> None:
    """o = floor((i + 2 p - k - (k - 1)(d - 1)) / s) + 1, with one padding a side."""
    i, (k, s, low, high, d, _) = drawn
    assert output_size(i, drawn[1]) == (i + low + high - k - (k - 1) * (d - 1)) // s + 1


@law(drawn=sliding(ceil=False))
def test_the_output_size_counts_the_windows_that_fit(drawn: Any) -> None:
    """All the arithmetic at once: starts at multiples of s, from the first padded position, whose
    last tap still lies in the padded input.
    """
    n, window = drawn
    padded = range(-window.low, n + window.high)
    starts = [a for a in padded[:: window.stride] if a + extent(window) - 1 in padded]
    assert starts == [start(window, i) for i in range(output_size(n, window))]


@law(drawn=sliding(ceil=True))
def test_ceil_mode_counts_the_windows_that_begin_before_the_last_one_ends(drawn: Any) -> None:
    """ceil((n + low + high - extent) / s) + 1 counts the starts up to the first whose window
    reaches the end; that last one is dropped again if it starts at or past n + low.
    """
    n, window = drawn
    end = n + window.low + window.high
    starts = [0]
    while starts[-1] + extent(window) < end:
        starts.append(starts[-1] + window.stride)
    if starts[-1] >= n + window.low:
        starts.pop()
    assert output_size(n, window) == len(starts)


@law(drawn=sliding())
def test_taps_and_windows_over_are_inverse(drawn: Any) -> None:
    """Tap j of output i reads position a exactly when a is read by output i through tap j."""
    n, window = drawn
    read = {(i, j, a) for i in range(output_size(n, window)) for j, a in taps(n, window, i)}
    assert read == {(i, j, a) for a in range(n) for i, j in windows_over(n, window, a)}
    assert all(a == i * window.stride - window.low + j * window.dilation for i, j, a in read)


@law(drawn=sliding())
def test_coverage_counts_every_tap_once(drawn: Any) -> None:
    """sum of coverage = sum of taps."""
    n, window = drawn
    total = sum(len(taps(n, window, i)) for i in range(output_size(n, window)))
    assert sum(coverage(n, window)) == total
    assert len(coverage(n, window)) == n


@law(k=kernels, s=strides, data=st.data())
def test_strides_within_the_kernel_cover_and_a_multiple_of_them_covers_evenly(
    k: int, s: int, data: Any
) -> None:
    """Away from the edges a position is read floor(k / s) or ceil(k / s) times: always the same
    if s divides k (else a transposed convolution shows a checkerboard), not at all if s > k.
    """
    outputs = data.draw(st.integers(1, 6))
    n = k + (outputs - 1) * s
    inner = coverage(n, Window(k, s))[k - 1 : n - (k - 1)]
    assert set(inner) <= {k // s, -(-k // s)}
    if s > k and outputs > 1:
        assert 0 in coverage(n, Window(k, s))


@law(drawn=sliding(ceil=False), word=st.sampled_from(["same_upper", "same_lower"]))
def test_same_is_the_least_padding_for_ceil_n_over_s_outputs(drawn: Any, word: str) -> None:
    """o = ceil(n / s), and one pad fewer would not do; the odd pad goes to the side named."""
    n, window = drawn
    low, high = resolve_padding(word, n, window)
    padded = window._replace(low=low, high=high)
    assert output_size(n, padded) == -(-n // window.stride)
    assert high - low in ((0, 1) if word == "same_upper" else (0, -1))
    if low + high:
        fewer = padded._replace(low=low + high - 1, high=0)
        assert n + low + high - 1 < extent(window) or output_size(n, fewer) < output_size(n, padded)


@law(drawn=sliding())
def test_the_divisor_counts_taps_and_padding(drawn: Any) -> None:
    """Without padding counted, the taps that exist; with it, at least as many and at most k; all
    k where no window overhangs.
    """
    n, window = drawn
    for i in range(output_size(n, window)):
        bare = divisor(n, window, i, count_include_pad=False)
        counted = divisor(n, window, i, count_include_pad=True)
        assert bare == len(taps(n, window, i)) <= counted <= window.kernel
        overhang = start(window, i) + extent(window) - 1 >= n + window.high
        assert (counted == window.kernel) == (not overhang)
    empty = first_empty(n, window)
    assert (empty is None) == all(taps(n, window, i) for i in range(output_size(n, window)))


@st.composite
def stacks(draw: Any) -> tuple[int, list[Window]]:
    """One to three windows without padding, and an input that fits all of them."""
    stack = [
        Window(draw(st.integers(1, 3)), draw(st.integers(1, 3)), dilation=draw(st.integers(1, 2)))
        for _ in range(draw(st.integers(1, 3)))
    ]
    return receptive_field(stack).size + draw(st.integers(0, 5)), stack


def respond(implementation: Any, n: int, stack: list[Window]) -> Any:
    """Which outputs (columns) change when an input (row) does: positive weights cannot cancel."""
    y = numpy.eye(n).reshape(n, 1, n)
    for window in stack:
        y = implementation.conv(
            y,
            numpy.ones((1, 1, window.kernel)),
            stride=window.stride,
            padding=((window.low, window.high),),
            dilation=window.dilation,
        )
    return y[:, 0] > 0


@law(drawn=stacks())
def test_the_receptive_field_is_what_a_perturbation_reaches(
    implementation: Any, drawn: Any
) -> None:
    """Output i changes with input a only for start + i jump <= a < start + i jump + size, and with
    both ends of that range it does: r = 1 + sum (e_l - 1) S_{l-1}.
    """
    n, stack = drawn
    field = receptive_field(stack)
    reached = respond(implementation, n, stack)
    for i in range(reached.shape[1]):
        seen = numpy.flatnonzero(reached[:, i])
        assert seen[0] == field.start + i * field.jump
        assert seen[-1] == field.start + i * field.jump + field.size - 1


@law(drawn=stacks(), data=st.data())
def test_padding_moves_the_receptive_field_and_can_only_narrow_it(
    implementation: Any, drawn: Any, data: Any
) -> None:
    """With padding the field begins in the padding, and holds all that an output can see."""
    n, stack = drawn
    stack = [
        window._replace(low=data.draw(st.integers(0, 2)), high=data.draw(st.integers(0, 2)))
        for window in stack
    ]
    field = receptive_field(stack)
    reached = respond(implementation, n, stack)
    for a, i in numpy.argwhere(reached):
        first = field.start + i * field.jump
        assert first <= a < first + field.size


@law(stack=st.lists(sliding().map(lambda drawn: drawn[1]), min_size=2, max_size=4))
def test_receptive_fields_compose(stack: list[Window]) -> None:
    """The field of a stack is that of its first part, seen through the rest: sizes add in units
    of the jump, jumps multiply.
    """
    for cut in range(len(stack) + 1):
        first, rest = receptive_field(stack[:cut]), receptive_field(stack[cut:])
        whole = receptive_field(stack)
        assert whole.jump == first.jump * rest.jump
        assert whole.size == first.size + (rest.size - 1) * first.jump
        assert whole.start == first.start + rest.start * first.jump


@law(i=st.integers(1, 4), k=st.integers(1, 4), s=st.integers(1, 4))
def test_a_transposed_convolution_without_padding_has_no_other_size(
    implementation: Any, i: int, k: int, s: int
) -> None:
    """The documents' out = (in - 1) s + k."""
    y = implementation.conv_transpose(numpy.ones((1, 1, i)), numpy.ones((1, 1, k)), stride=s)
    same(y.shape, (1, 1, (i - 1) * s + k))

"""Upsampling: zeros between pixels, repeated pixels, interpolated pixels, and channels as pixels.

The documents' ways to a larger image, each as a matrix: a fractional stride spreads, nearest
repeats (the Kronecker product with ones), linear interpolates, a pixel shuffle rearranges.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.signal
import sympy
from hypothesis import strategies as st

from convspec.convolution import conv
from convspec.rearrangement import pixel_shuffle
from convspec.resize import resize_conv, upsample
from convspec.strategies import arrays, calls
from convspec.transposed_convolution import conv_transpose

from .exact import exactly
from .rewriting import run
from .statement import law, same


@law(size=st.integers(1, 6), zeros=st.integers(0, 3), kernel=st.integers(1, 4), data=st.data())
def test_a_fractional_stride_reaches_d_plus_1_times_m_minus_1_plus_k(
    implementation: Any, size: int, zeros: int, kernel: int, data: Any
) -> None:
    """D zeros between M elements, and a wide convolution with K taps: (D + 1)(M - 1) + K elements,
    those of a transposed convolution with stride D + 1.
    """
    x, w = data.draw(arrays((1, 1, size))), data.draw(arrays((1, 1, kernel)))
    spread = implementation.insert_zeros(x, count=zeros)
    wide = implementation.conv(spread, numpy.flip(w, 2), padding="full")
    assert wide.shape == (1, 1, (zeros + 1) * (size - 1) + kernel)
    same(wide, implementation.conv_transpose(x, w, stride=zeros + 1))
    # SciPy's polyphase filter inserts the zeros itself.
    same(wide[0, 0], scipy.signal.upfirdn(w[0, 0], x[0, 0], up=zeros + 1))


@law(case=calls("insert_zeros"))
def test_inserted_zeros_are_a_transposed_convolution_with_one_tap(
    implementation: Any, case: Any
) -> None:
    """insert_zeros(x, D) = conv_transpose(x, 1, stride = D + 1), one group a channel; taking every
    (D + 1)-th element gives x back.
    """
    x = case.operands["input"]
    steps = tuple(count + 1 for count in case.attributes["count"])
    one = numpy.ones((x.shape[1], 1, *(1,) * len(steps)))
    y = run(implementation, case)
    same(y, implementation.conv_transpose(x, one, stride=steps, groups=x.shape[1]))
    same(y[(..., *(slice(None, None, step) for step in steps))], x)
    assert numpy.count_nonzero(y) == numpy.count_nonzero(x)


@law(case=calls("upsample"))
def test_nearest_is_the_kronecker_product_with_ones(implementation: Any, case: Any) -> None:
    """The documents' kron(x, ones(s)), of every channel; the coordinates make no difference."""
    x, scale = case.operands["input"], case.attributes["scale"]
    y = implementation.upsample(x, **{**case.attributes, "kind": "nearest"})
    for n, c in numpy.ndindex(x.shape[:2]):
        same(y[n, c], numpy.kron(x[n, c], numpy.ones(scale)))


@law(case=calls("upsample"), data=st.data())
def test_sum_pooling_is_a_ones_kernel_then_subsampling(
    implementation: Any, case: Any, data: Any
) -> None:
    """The documents' down-sampling: conv with ones, of which every s-th output is kept, is the sum
    over every block; the Kronecker product with ones is its adjoint, and so up-samples
    sensitivities.
    """
    small, scale = case.operands["input"][:, :1], case.attributes["scale"]
    large = data.draw(
        arrays((*small.shape[:2], *(n * s for n, s in zip(small.shape[2:], scale, strict=True))))
    )
    ones = numpy.ones((1, 1, *scale))
    dense = implementation.conv(large, ones)
    pooled = dense[(..., *(slice(None, None, s) for s in scale))]
    same(pooled, implementation.conv(large, ones, stride=scale))
    blocks = large.reshape(
        (
            *large.shape[:2],
            *(side for pair in zip(small.shape[2:], scale, strict=True) for side in pair),
        )
    )
    same(pooled, blocks.sum(axis=tuple(range(3, blocks.ndim, 2))))
    repeated = implementation.upsample(small, scale=scale)
    assert (small * pooled).sum() == (repeated * large).sum()


@law(case=calls("upsample"))
def test_averaging_what_was_repeated_gives_it_back(implementation: Any, case: Any) -> None:
    """average_pool(nearest(x), kernel = stride = s) = x, and so max_pool."""
    x, scale = case.operands["input"], case.attributes["scale"]
    repeated = implementation.upsample(prod(scale) * x, scale=scale)
    same(implementation.average_pool(repeated, kernel_size=scale), prod(scale) * x)
    same(implementation.max_pool(repeated, kernel_size=scale), prod(scale) * x)


def test_averaging_what_was_interpolated_does_not(implementation: Any) -> None:
    """Smallest counterexample: linear upsampling of 0, 8 is 0, 2, 6, 8, whose averages are 1, 7."""
    x = numpy.array([[[0.0, 8.0]]])
    y = implementation.upsample(x, scale=2, kind="linear")
    same(y, [[[0, 2, 6, 8]]])
    same(implementation.average_pool(y, kernel_size=2), [[[1, 7]]])


@law(case=calls("upsample"))
def test_interpolation_is_ndimages(implementation: Any, case: Any) -> None:
    """Linear with aligned corners reads the input at i (n - 1) / (n s - 1), half-pixel at
    (i + 1/2) / s - 1/2 moved inside: SciPy's map_coordinates of order 1.

    Coordinates round twice in SciPy, weights once more and each axis adds a product and a sum: at
    most 8 roundings an axis of numbers up to the largest pixel times the size of the axis.
    """
    x, attributes = case.operands["input"], {**case.attributes, "kind": "linear"}
    y = implementation.upsample(x, **attributes)
    axes = []
    for n, s in zip(x.shape[2:], attributes["scale"], strict=True):
        i = numpy.arange(n * s)
        axes.append(
            {
                "half_pixel": numpy.clip((i + 0.5) / s - 0.5, 0, n - 1),
                "asymmetric": numpy.clip(i / s, 0, n - 1),
                "align_corners": i * (n - 1) / max(1, n * s - 1),
            }[attributes["coordinates"]]
        )
    places = numpy.meshgrid(*axes, indexing="ij")
    roundoff = numpy.finfo(y.dtype).eps / 2
    slack = 2 * 8 * len(axes) * max(x.shape[2:]) * roundoff * abs(x).max(initial=0)
    for n, c in numpy.ndindex(x.shape[:2]):
        witness = scipy.ndimage.map_coordinates(x[n, c], places, order=1, mode="nearest")
        assert y[n, c].shape == witness.shape
        assert (abs(y[n, c] - witness) <= slack).all()


@law(case=calls("upsample"))
def test_axes_are_enlarged_one_after_the_other(implementation: Any, case: Any) -> None:
    """Upsampling is separable: all axes at once = each alone, in turn."""
    case = exactly(case)
    y, scale = case.operands["input"], case.attributes["scale"]
    for axis, s in enumerate(scale):
        alone = tuple(s if other == axis else 1 for other in range(len(scale)))
        y = implementation.upsample(y, **{**case.attributes, "scale": alone})
    same(run(implementation, case), y)


@law(case=calls("resize_conv"))
def test_a_resize_convolution_is_upsampling_then_convolution(
    implementation: Any, case: Any
) -> None:
    """resize_conv(x, w, b) = conv(upsample(x), w, b), which sees no pixel more than once a tap."""
    case = exactly(case)
    x, *weights = case.operands.values()
    resizing = {name: case.attributes[name] for name in ("scale", "kind")}
    enlarged = implementation.upsample(x, **resizing)
    padding = case.attributes["padding"]
    same(run(implementation, case), implementation.conv(enlarged, *weights, padding=padding))


def columns(function: Any, size: int) -> sympy.Matrix:
    """The matrix of a linear function of one axis, with symbols for weights: its columns are the
    images of the unit vectors.
    """
    units = numpy.array(sympy.eye(size).tolist(), dtype=object)
    images = [function(unit[None, None])[0, 0] for unit in units]
    return sympy.Matrix([[image[row] for image in images] for row in range(len(images[0]))])


WEIGHTS = sympy.symbols("a b c")


def deconvolution(size: int) -> sympy.Matrix:
    """The documents' matrix of a deconvolution with stride 2 and kernel c, b, a, whose rows for
    inside positions read in turn (a, c) and (b); one row on either side is cropped.
    """
    a, b, c = WEIGHTS
    matrix = sympy.zeros(2 * size - 1, size)
    for position in range(2 * size - 1):
        if position % 2:
            matrix[position, position // 2] = a
            matrix[position, position // 2 + 1] = c
        else:
            matrix[position, position // 2] = b
    return matrix


def below(matrix: sympy.Matrix, rows: int) -> sympy.Matrix:
    """The matrix with its rows moved down, and zeros above."""
    moved = sympy.zeros(*matrix.shape)
    for row in range(matrix.rows):
        if 0 <= row - rows < matrix.rows:
            moved[row, :] = matrix[row - rows, :]
    return moved


def test_the_documents_deconvolution_matrix() -> None:
    """The rows (a, c), (b), (a, c), (b), ... are a transposed convolution, stride 2, kernel 3."""
    a, b, c = WEIGHTS
    kernel = numpy.array([[[c, b, a]]], dtype=object)
    found = columns(lambda x: conv_transpose(x, kernel, stride=2, padding=((1, 1),)), 4)
    assert found == deconvolution(4)


def test_nearest_resize_convolution_is_the_matrix_and_its_rows_moved_by_one() -> None:
    """The documents' 5.20: rows (a + b, c), (a, b + c), (a + b, c), ... are the rows of the
    deconvolution plus the same rows, one lower.  Up to the first and the last row, where the
    documents think of a ring.
    """
    a, b, c = WEIGHTS
    kernel = numpy.array([[[a, b, c]]], dtype=object)
    # The first two taps of an output that begins at an even position read the same pixel.
    found = columns(lambda x: resize_conv(x, kernel, scale=2), 4)
    rows = [[a + b, c], [a, b + c]]
    for row in range(found.rows):
        expected = sympy.zeros(1, 4)
        expected[0, row // 2], expected[0, row // 2 + 1] = rows[row % 2]
        assert found[row, :] == expected
    stacked = deconvolution(4) + below(deconvolution(4), 1)
    # Row 1 of the sum is (a + b, c): the interior of the sum is what the convolution gives.
    assert stacked[1:, :] == found[: stacked.rows - 1, :]


def test_linear_resize_convolution_adds_half_of_the_rows_above_and_below() -> None:
    """The documents' 5.20: the deconvolution plus half of its rows moved down by one and half of
    them moved up by one: b + a/2 + c/2 in the middle, (a + b/2, c + b/2) between.

    This is `linear` where new pixels lie half-way between old ones: the asymmetric coordinate.
    The documents' matrix marks one entry with a question mark: a/2 is right there.
    """
    a, b, c = WEIGHTS
    kernel = numpy.array([[[a, b, c]]], dtype=object)

    def between(x: Any) -> Any:
        enlarged = upsample(x, scale=2, kind="linear", coordinates="asymmetric")
        return conv(enlarged, kernel)

    found, base = columns(between, 5), deconvolution(5)
    summed = base + (below(base, 1) + below(base, -1)) / 2
    # Outputs begin at position 0 of the enlarged axis, so their middle tap is on position 1; the
    # last pixel has no neighbour to its right.
    inner = [sympy.nsimplify(entry) for entry in found[: summed.rows - 2, :]]
    assert inner == [sympy.expand(entry) for entry in summed[1:-1, :]]
    middle = summed[2, :]
    assert list(middle[:3]) == [a / 2, sympy.expand(b + a / 2 + c / 2), c / 2]


@law(
    sizes=st.tuples(*[st.integers(1, 3)] * 5),
    rank=st.integers(1, 2),
    data=st.data(),
)
def test_subpixel_convolution_is_a_deconvolution_whose_stride_divides_its_kernel(
    implementation: Any, sizes: Any, rank: int, data: Any
) -> None:
    """conv to r outputs per channel, then pixel_shuffle = conv_transpose with stride r and kernel
    r m: sub-kernel q of the convolution holds the taps q, q + r, ... of the long one, reversed.
    """
    inputs, outputs, r, m, n = sizes
    x = data.draw(arrays((1, inputs, *(n,) * rank)))
    long = data.draw(arrays((inputs, outputs, *(r * m,) * rank)))
    short = numpy.zeros((outputs * r**rank, inputs, *(m,) * rank))
    for number, phase in enumerate(numpy.ndindex((r,) * rank)):
        taps = long[(slice(None), slice(None), *(slice(q, None, r) for q in phase))]
        reversed_taps = numpy.flip(taps, tuple(range(2, 2 + rank)))
        short[number :: r**rank] = reversed_taps.swapaxes(0, 1)
    shuffled = implementation.pixel_shuffle(implementation.conv(x, short, padding=m - 1), factor=r)
    same(shuffled, implementation.conv_transpose(x, long, stride=r))


def test_the_documents_subpixel_matrix() -> None:
    """The documents' 5.20: the sub-kernels (a, c) and (0, b), laid out in turn, are the rows of the
    deconvolution with kernel c, b, a: filled up to four taps, which the stride of 2 divides.
    """
    a, b, c = WEIGHTS
    short = numpy.array([[[a, c]], [[0, b]]], dtype=object)
    found = columns(lambda x: pixel_shuffle(conv(x, short), factor=2), 4)
    assert found == deconvolution(4)[1:, :]
    filled = numpy.array([[[0, c, b, a]]], dtype=object)
    long = columns(lambda x: conv_transpose(x, filled, stride=2, padding=((3, 1),)), 4)
    assert found == long


def test_a_stride_that_does_not_divide_leaves_a_size_that_no_shuffle_has(
    implementation: Any,
) -> None:
    """Smallest counterexample: stride 2, kernel 1 makes one pixel of one, a shuffle two of one.  In
    general (n - 1) s + k is a multiple of s only if k is.
    """
    one = numpy.ones((1, 1, 1))
    assert implementation.conv_transpose(one, one, stride=2).shape == (1, 1, 1)
    assert implementation.pixel_shuffle(numpy.ones((1, 2, 1)), factor=2).shape == (1, 1, 2)


@law(case=calls("pixel_shuffle"))
def test_a_pixel_shuffle_only_moves(implementation: Any, case: Any) -> None:
    """Every element appears once, and every factor-th pixel from offset q is channel q of its
    block.
    """
    x, factor = case.operands["input"], case.attributes["factor"]
    y = run(implementation, case)
    for number, phase in enumerate(numpy.ndindex(factor)):
        pixels = (
            slice(None),
            slice(None),
            *(slice(q, None, f) for q, f in zip(phase, factor, strict=True)),
        )
        same(y[pixels], x[:, number :: prod(factor)])


@pytest.mark.parametrize("kind", ["nearest", "linear"])
def test_an_enlarged_image_is_not_a_wider_view(implementation: Any, kind: str) -> None:
    """Smallest counterexample: a kernel of 2 on one pixel enlarged to 2 sees that pixel alone."""
    y = implementation.resize_conv([[[5.0]]], [[[1.0, 10.0]]], scale=2, kind=kind)
    same(y, [[[55]]])


def test_the_kronecker_product_is_scipys_block_repetition(implementation: Any) -> None:
    """Smallest picture: 1, 2 becomes 1, 1, 2, 2; SciPy's block_diag of columns of ones is the
    matrix.
    """
    matrix = scipy.linalg.block_diag(numpy.ones((2, 1)), numpy.ones((2, 1)))
    same(implementation.upsample([[[1.0, 2.0]]], scale=2)[0, 0], matrix @ [1.0, 2.0])

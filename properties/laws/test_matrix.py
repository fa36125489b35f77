"""A convolution is a sparse matrix with few different entries, and its transpose is the other one.

Row (o, i) holds weight (o, c, j) in column (c, a) whenever output i reads input a through tap j.
SciPy's sparse matrices are the witness for both directions.
"""

from __future__ import annotations

from typing import Any

import numpy
import scipy.linalg
import scipy.sparse
from hypothesis import strategies as st

from convspec.case import Case
from convspec.matrix import counts, is_circulant, is_toeplitz, matrix_of
from convspec.strategies import arrays, calls
from convspec.window import extent, output_sizes

from .rewriting import windows
from .statement import law, same


def matrix(weight: Any, channels: int, sizes: tuple[int, ...], **attributes: Any) -> Any:
    """The sparse matrix of a convolution of one item: every tap of every output is one entry."""
    return matrix_of("conv", "input", (1, channels, *sizes), weight=weight, **attributes)


def of_case(case: Case) -> Any:
    x, w = case.operands["input"], case.operands["weight"]
    return matrix(w, x.shape[1], x.shape[2:], **case.attributes)


def without_bias(case: Case) -> Case:
    return case._replace(operands={name: case.operands[name] for name in ("input", "weight")})


def restored(case: Case) -> tuple[int, ...]:
    """The output padding that gives a transposed convolution the input size of this `conv`: what
    the stride left over.
    """
    return tuple(
        (n + window.low + window.high - extent(window)) % window.stride
        for n, window in windows(case)
    )


@law(case=calls("conv"))
def test_conv_is_a_sparse_matrix(implementation: Any, case: Any) -> None:
    """vec(conv(x, w)) = M vec(x), item by item, for every attribute at once."""
    case = without_bias(case)
    x = case.operands["input"]
    y = implementation.conv(*case.operands.values(), **case.attributes)
    # One row an item; an empty batch has no rows, and reshape cannot guess -1 for it.
    rows = x.reshape(len(x), numpy.prod(x.shape[1:], dtype=int))
    same(y.reshape(len(x), numpy.prod(y.shape[1:], dtype=int)), (of_case(case) @ rows.T).T)


@law(case=calls("conv"), data=st.data())
def test_conv_transpose_is_the_transposed_matrix(implementation: Any, case: Any, data: Any) -> None:
    """vec(conv_transpose(y, w)) = M^T vec(y), with the weights and attributes of the conv, and
    with the output padding that restores the input size.
    """
    case = without_bias(case)
    x, w = case.operands.values()
    m = of_case(case)
    shape = (len(x), len(w), *output_sizes(*zip(*windows(case), strict=True)))
    y = data.draw(arrays(shape))
    back = implementation.conv_transpose(y, w, **case.attributes, output_padding=restored(case))
    same(back.shape, x.shape)
    same(back.reshape(len(x), m.shape[1]), (m.T @ y.reshape(len(x), m.shape[0]).T).T)


def test_few_weights_make_many_entries(implementation: Any) -> None:
    """4 by 4 to 2 by 2 with a 3 by 3 kernel: a matrix of 64 entries, of which 36 are not zero,
    but only 9 are different: local windows and shared weights.
    """
    weight = numpy.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    m = matrix(weight, 1, (4, 4))
    assert counts(m) == (4, 16, 64, 36, 9)
    pixels = numpy.eye(16).reshape(16, 1, 4, 4)
    same(implementation.conv(pixels, weight).reshape(16, 4).T, m.toarray())


def test_the_transpose_is_not_the_inverse(implementation: Any) -> None:
    """Smallest counterexample: one pixel, one weight 2; there and back multiplies by 4.

    "Deconvolution" is a wrong name for it.
    """
    image, two = numpy.ones((1, 1, 1)), numpy.full((1, 1, 1), 2.0)
    same(implementation.conv_transpose(implementation.conv(image, two), two), [[[4]]])


def test_mostly_there_is_no_inverse(implementation: Any) -> None:
    """The kernel (1, 1) sends two different images of two pixels to the same output."""
    weight = numpy.ones((1, 1, 2))
    for image in ([1.0, 0.0], [0.0, 1.0]):
        same(implementation.conv(numpy.array([[image]]), weight), [[[1]]])


def measured(apply: Any, sizes: tuple[int, ...]) -> Any:
    """The matrix of a linear map of one channel, column by column from the unit vectors."""
    units = numpy.eye(int(numpy.prod(sizes)))
    return apply(units.reshape(len(units), 1, *sizes)).reshape(len(units), -1).T


@law(
    sides=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=2),
    data=st.data(),
)
def test_at_stride_1_it_is_block_toeplitz_and_on_a_period_block_circulant(
    implementation: Any, sides: Any, data: Any
) -> None:
    """An entry depends on the difference of the positions alone: on one axis constant diagonals, in
    the plane such blocks in such an arrangement; on a periodic image modulo the period.  On an
    axis of a kernel of one tap there is nothing to tell apart.
    """
    kernel, sizes = tuple(k for k, _ in sides), tuple(k + more for k, more in sides)
    weight = data.draw(arrays((1, 1, *kernel)))
    outputs = tuple(more + 1 for _, more in sides)
    m = measured(lambda x: implementation.conv(x, weight), sizes)
    same(m, matrix(weight, 1, sizes).toarray())
    assert is_toeplitz(m, outputs, sizes)
    reach = [(0, 0), (0, 0), *((0, k - 1) for k in kernel)]
    around = measured(
        lambda x: implementation.conv(numpy.pad(x, reach, mode="wrap"), weight), sizes
    )
    assert is_circulant(around, sizes)
    # SciPy's circulant matrix has the first column of the map, with the kernel turned round.
    if len(sizes) == 1:
        same(around, scipy.linalg.circulant(around[:, 0]))


def test_a_stride_or_zeros_at_the_edge_end_that(implementation: Any) -> None:
    """Smallest counterexamples: a stride of 2 on three pixels is not Toeplitz; one pad of zeros is,
    but does not come round.
    """
    one, two = numpy.ones((1, 1, 1)), numpy.array([[[1.0, 2.0]]])
    strided = measured(lambda x: implementation.conv(x, one, stride=2), (3,))
    same(strided, [[1, 0, 0], [0, 0, 1]])
    assert not is_toeplitz(strided, (2,), (3,))
    padded = measured(lambda x: implementation.conv(x, two, padding=((0, 1),)), (2,))
    same(padded, [[1, 2], [0, 1]])
    assert is_toeplitz(padded, (2,), (2,))
    assert not is_circulant(padded, (2,))


@law(data=st.data(), mode=st.sampled_from(["full", "same", "valid"]))
def test_one_axis_makes_a_toeplitz_matrix(implementation: Any, data: Any, mode: str) -> None:
    """f * g = T(f) g with T(f) constant along its diagonals: SciPy's convolution_matrix.

    SciPy's `same` has the size of the longer operand, so f is the longer one here.
    """
    m = data.draw(st.integers(1, 4))
    f, g = data.draw(arrays((m + data.draw(st.integers(0, 4)),))), data.draw(arrays((m,)))
    t = scipy.linalg.convolution_matrix(f, m, mode=mode)
    same(implementation.convolve(f, g, mode=mode), t @ g)


@law(first=arrays((3,)), second=arrays((2,)), image=arrays((5, 4)))
def test_a_kernel_of_rank_one_makes_a_kronecker_product(
    implementation: Any, first: Any, second: Any, image: Any
) -> None:
    """M(u v^T) = M(u) kron M(v): two passes, as matrices."""
    columns = matrix(first.reshape(1, 1, 3), 1, (5,))
    rows = matrix(second.reshape(1, 1, 2), 1, (4,))
    y = implementation.conv(image[None, None], numpy.outer(first, second)[None, None])
    same(y.ravel(), scipy.sparse.kron(columns, rows) @ image.ravel())

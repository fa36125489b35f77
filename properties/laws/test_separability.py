"""A kernel is two passes, one an axis, exactly when its rank is one.

Then k by k products an output become k + k.  A kernel of rank r is the sum of r such pairs and of
no fewer.
"""

from __future__ import annotations

from math import lcm
from typing import Any

import numpy
import scipy.ndimage
import sympy
from hypothesis import strategies as st

from convspec.strategies import arrays

from .statement import law, same


@st.composite
def images_with_factors(draw: Any) -> tuple[Any, list[Any]]:
    """An image and one factor an axis, no longer than the image there."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=2, max_size=3))
    image = draw(arrays(tuple(k + more for k, more in sizes)))
    return image, [draw(arrays((k,))) for k, _ in sizes]


def along(factor: Any, axis: int, rank: int) -> Any:
    """A factor as a kernel of that rank, spread along one axis."""
    return factor.reshape([-1 if other == axis else 1 for other in range(rank)])


def outer(factors: list[Any]) -> Any:
    """The kernel whose element at (i, j, ...) is the product of the factors' elements there."""
    kernel = numpy.ones((1,) * len(factors))
    for axis, factor in enumerate(factors):
        kernel = kernel * along(factor, axis, len(factors))
    return kernel


@law(drawn=images_with_factors())
def test_a_kernel_of_rank_one_is_one_pass_an_axis(implementation: Any, drawn: Any) -> None:
    """conv(x, u v^T) = conv(conv(x, u as a column), v as a row), and in any rank alike."""
    image, factors = drawn
    passes = image[None, None]
    witness = image
    for axis, factor in enumerate(factors):
        passes = implementation.conv(passes, along(factor, axis, image.ndim)[None, None])
        # Tap 0 of the witness's factor on the output position; what wraps is cropped below.
        witness = scipy.ndimage.correlate1d(
            witness, factor, axis=axis, mode="wrap", origin=-(len(factor) // 2)
        )
    same(implementation.conv(image[None, None], outer(factors)[None, None]), passes)
    same(passes[0, 0], witness[tuple(slice(n) for n in passes.shape[2:])])


@law(first=arrays((3,)), second=arrays((3,)), image=arrays((4, 4)))
def test_the_order_of_the_passes_does_not_matter(
    implementation: Any, first: Any, second: Any, image: Any
) -> None:
    """Columns then rows, or rows then columns."""
    column, row = first.reshape(1, 1, 3, 1), second.reshape(1, 1, 1, 3)
    conv, x = implementation.conv, image[None, None]
    same(conv(conv(x, column), row), conv(conv(x, row), column))


@law(column=arrays((3, 1)), row=arrays((1, 3)))
def test_two_passes_always_have_rank_one(implementation: Any, column: Any, row: Any) -> None:
    """The one kernel that two passes stand for is their full convolution, and its rank, for
    which SymPy is the witness, is at most one: all its 2 by 2 minors vanish.
    """
    kernel = implementation.convolve(column, row)
    same(kernel, column * row)
    assert sympy.Matrix(kernel.astype(int).tolist()).rank() <= 1


def test_the_smallest_kernel_that_is_no_two_passes(implementation: Any) -> None:
    """The 2 by 2 identity.  Two passes with (a, b) and (c, d) would need a c = b d = 1 and
    a d = b c = 0, though (a c)(b d) = (a d)(b c).
    """
    a, b, c, d = sympy.symbols("a b c d")
    assert sympy.solve([a * c - 1, b * d - 1, a * d, b * c], [a, b, c, d]) == []
    response = implementation.convolve(numpy.ones((1, 1)), numpy.eye(2))
    assert numpy.linalg.matrix_rank(response) == 2


@law(kernel=arrays((3, 3)), image=arrays((4, 5)))
def test_a_kernel_of_rank_r_is_a_sum_of_r_pairs_of_passes(
    implementation: Any, kernel: Any, image: Any
) -> None:
    """SymPy's rank factorization, kernel = columns times rows with r of each, in rationals.

    Scaled to integers, so that the sum over the r pairs is exact.
    """
    columns, rows = sympy.Matrix(kernel.astype(int).tolist()).rank_decomposition()
    scale = lcm(*[int(entry.q) for entry in rows])
    total = numpy.zeros((1, 1, 2, 3))
    for pair in range(columns.shape[1]):
        column = numpy.array(columns[:, pair].tolist(), float).reshape(1, 1, 3, 1)
        row = numpy.array((scale * rows[pair, :]).tolist(), float).reshape(1, 1, 1, 3)
        total = total + implementation.conv(implementation.conv(image[None, None], column), row)
    same(total, implementation.conv(image[None, None], scale * kernel[None, None]))

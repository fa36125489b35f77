"""The checkerboard: how unevenly a transposed convolution covers its output.

With kernel k and stride s an inner output position is reached by floor(k / s) or ceil(k / s)
inputs.  The counts are those of a transposed convolution of ones with a kernel of ones.
"""

from __future__ import annotations

from typing import Any

import numpy
from hypothesis import strategies as st

from convspec.window import Window, coverage, output_size

from .statement import law, same

kernels = st.integers(1, 6)
strides = st.integers(1, 5)


def overlap(implementation: Any, size: int, kernel: int, stride: int) -> Any:
    """How many inputs reach each output of one axis, the edges included."""
    ones = numpy.ones((1, 1, size))
    return implementation.conv_transpose(ones, numpy.ones((1, 1, kernel)), stride=stride)[0, 0]


def inner(counts: Any, kernel: int) -> Any:
    """The counts away from both ends, where as many inputs could reach as anywhere."""
    return counts[kernel - 1 : len(counts) - (kernel - 1)]


@law(k=kernels, s=strides)
def test_the_overlap_is_uneven_exactly_when_the_stride_does_not_divide_the_kernel(
    implementation: Any, k: int, s: int
) -> None:
    """All inner counts are equal if and only if s divides k; they are then k / s."""
    # Enough inputs for a whole period of the counts away from the ends.
    size = k + s + 2
    counts = inner(overlap(implementation, size, k, s), k)
    assert len(counts) >= s
    assert (len(set(counts)) == 1) == (k % s == 0)
    assert set(counts) == {k // s, -(-k // s)}


@law(k=kernels, s=strides, size=st.integers(1, 6))
def test_the_overlap_repeats_with_the_stride(
    implementation: Any, k: int, s: int, size: int
) -> None:
    """It is what `window.coverage` counts, and inner positions s apart have equal counts."""
    counts = overlap(implementation, size, k, s)
    window = Window(k, s)
    assert output_size(len(counts), window) == size
    same(counts, coverage(len(counts), window))
    middle = inner(counts, k)
    same(middle[s:], middle[: max(0, len(middle) - s)])


@law(axes=st.tuples(*[st.tuples(kernels, strides, st.integers(1, 3))] * 2))
def test_in_the_plane_the_overlap_is_the_product_of_the_axes(
    implementation: Any, axes: Any
) -> None:
    """counts[i, j] = counts[i] counts[j]: unevenness multiplies, 2 to 1 becomes 4 to 1."""
    (k, s, n), (q, t, m) = axes
    image, kernel = numpy.ones((1, 1, n, m)), numpy.ones((1, 1, k, q))
    plane = implementation.conv_transpose(image, kernel, stride=(s, t))[0, 0]
    rows, columns = overlap(implementation, n, k, s), overlap(implementation, m, q, t)
    same(plane, numpy.outer(rows, columns))


def test_the_documents_stride_2_and_size_3(implementation: Any) -> None:
    """Kernel 3 at stride 2: counts 1 and 2 in turn on an axis; 1, 2 and 4 in the plane."""
    same(inner(overlap(implementation, 5, 3, 2), 3), [2, 1, 2, 1, 2, 1, 2])
    plane = implementation.conv_transpose(
        numpy.ones((1, 1, 4, 4)), numpy.ones((1, 1, 3, 3)), stride=2
    )[0, 0, 2:-2, 2:-2]
    same(
        plane, [[4, 2, 4, 2, 4], [2, 1, 2, 1, 2], [4, 2, 4, 2, 4], [2, 1, 2, 1, 2], [4, 2, 4, 2, 4]]
    )


def test_the_documents_stride_2_and_size_5(implementation: Any) -> None:
    """The documents' figure: counts 2 and 3 in turn.  In the plane the largest over the smallest
    is the square of that on an axis, 9 / 4 of 3 / 2: the unevenness squared.
    """
    row = inner(overlap(implementation, 7, 5, 2), 5)
    same(row, [3, 2, 3, 2, 3, 2, 3, 2, 3])
    plane = implementation.conv_transpose(
        numpy.ones((1, 1, 6, 6)), numpy.ones((1, 1, 5, 5)), stride=2
    )[0, 0, 4:-4, 4:-4]
    assert set(plane.ravel()) == {4, 6, 9}


def test_the_smallest_checkerboard(implementation: Any) -> None:
    """Smallest counterexample to an even overlap: kernel 3, stride 2, two pixels, one position
    reached twice.  A stride of 2 with a kernel of 2 has none.
    """
    same(overlap(implementation, 2, 3, 2), [1, 1, 2, 1, 1])
    same(overlap(implementation, 2, 2, 2), [1, 1, 1, 1])


def stacked(implementation: Any, size: int, layers: list[tuple[int, int]]) -> Any:
    """What a stack of transposed convolutions with kernels of ones makes of ones."""
    y = numpy.ones((1, 1, size))
    for kernel, stride in layers:
        y = implementation.conv_transpose(y, numpy.ones((1, 1, kernel)), stride=stride)
    return y[0, 0]


layer = st.tuples(st.integers(1, 4), st.integers(1, 3))


@law(layers=st.lists(layer, min_size=2, max_size=3), size=st.integers(1, 3))
def test_stacked_layers_overlap_as_one_with_the_composed_kernel(
    implementation: Any, layers: Any, size: int
) -> None:
    """Stack (k, s), then (q, t): one layer with stride s t and kernel spread(k by t) * q."""
    kernel, stride = numpy.ones((1, 1, 1)), 1
    for k, s in layers:
        spread = implementation.insert_zeros(kernel, count=s - 1)
        kernel = implementation.conv_transpose(spread, numpy.ones((1, 1, k)))
        stride *= s
    once = implementation.conv_transpose(numpy.ones((1, 1, size)), kernel, stride=stride)
    same(stacked(implementation, size, layers), once[0, 0])


@law(layers=st.lists(layer, min_size=1, max_size=3))
def test_a_stack_is_even_exactly_when_its_composed_kernel_sums_evenly(
    implementation: Any, layers: Any
) -> None:
    """Inner counts are the sums of the composed kernel over the positions of each remainder by
    the whole stride: even if those sums are equal, and so if every stride divides its kernel.
    """
    kernel, stride = stacked(implementation, 1, layers), int(numpy.prod([s for _, s in layers]))
    sums = {kernel[phase::stride].sum() for phase in range(stride)}
    size = -(-2 * len(kernel) // stride) + 2
    counts = inner(stacked(implementation, size, layers), len(kernel))
    assert len(counts) >= stride
    assert set(counts) == sums
    if all(k % s == 0 for k, s in layers):
        assert len(sums) == 1


def test_a_layer_can_undo_the_checkerboard_of_another(implementation: Any) -> None:
    """The documents say that stacks can cancel it, and often compound it.  Smallest examples:
    kernel 1, stride 2 then kernel 2, stride 1 is even; kernel 3, stride 2 twice has more values.
    """
    even = [(1, 2), (2, 1)]
    assert set(inner(stacked(implementation, 6, even), 2)) == {1}
    assert set(inner(stacked(implementation, 4, even[:1]), 1)) == {0, 1}
    once, twice = stacked(implementation, 12, [(3, 2)]), stacked(implementation, 12, [(3, 2)] * 2)
    assert set(inner(once, 3)) == {1, 2}
    assert set(inner(twice, 9)) == {1, 2, 3}


@law(scale=st.integers(1, 4), kernel=st.integers(1, 4), size=st.integers(1, 5))
def test_a_resize_convolution_is_always_even(
    implementation: Any, scale: int, kernel: int, size: int
) -> None:
    """Ones enlarged by repetition are ones, and a kernel of ones sees k of them everywhere."""
    if size * scale < kernel:
        size = kernel
    ones, weight = numpy.ones((1, 1, size)), numpy.ones((1, 1, kernel))
    y = implementation.resize_conv(ones, weight, scale=scale)
    same(y, numpy.full(y.shape, float(kernel)))

"""Stacks of windows, and the sizes that the documents print: their relationships and figures."""

from __future__ import annotations

from itertools import product

import numpy
import pytest

from convspec import conv
from convspec.window import (
    ReceptiveField,
    Window,
    coverage,
    extent,
    output_size,
    receptive_field,
    taps,
    transposed_size,
)

SIZES = range(1, 7)
KERNELS = range(1, 5)
STRIDES = range(1, 4)


def composed_field(stack: list[Window], i: int) -> set[int]:
    """The positions, on an unbounded input, that output `i` of a stack depends on."""
    seen = {i}
    for window in reversed(stack):
        seen = {
            center * window.stride - window.low + step
            for center in seen
            for step in range(0, window.kernel * window.dilation, window.dilation)
        }
    return seen


LAYERS = [
    Window(1),
    Window(2, 2),
    Window(3, 1, 1, 1),
    Window(3, 2, 1, 0),
    Window(2, 3, 0, 1, 2),
    Window(4, 2, 2, 1, 3),
]


def test_receptive_field_is_the_span_of_the_composed_dependencies():
    for depth in range(4):
        for choice in product(LAYERS, repeat=depth):
            stack = list(choice)
            field = receptive_field(stack)
            for i in range(3):
                seen = composed_field(stack, i)
                assert min(seen) == field.start + i * field.jump, (stack, i)
                assert max(seen) - min(seen) + 1 == field.size, (stack, i)


def test_receptive_field_of_no_window_is_the_position_itself():
    assert receptive_field([]) == ReceptiveField(1, 1, 0)


@pytest.mark.parametrize("stack", list(product(LAYERS[1:], repeat=2)))
def test_receptive_field_is_where_a_perturbation_is_felt(stack):
    """Poke each input element of a two-layer network of ones, and see which outputs move."""
    n = 60
    pokes = numpy.eye(n, dtype=int)[:, None, :]
    for window in stack:
        weight = numpy.ones((1, 1, window.kernel), dtype=int)
        pokes = conv(
            pokes,
            weight,
            stride=window.stride,
            padding=[(window.low, window.high)],
            dilation=window.dilation,
        )
    felt = pokes[:, 0, :] > 0
    field = receptive_field(stack)
    interior = [
        i for i in range(felt.shape[1]) if 0 <= field.start + i * field.jump <= n - field.size
    ]
    assert interior
    for i in interior:
        (moved,) = felt[:, i].nonzero()
        assert moved[0] == field.start + i * field.jump
        assert moved[-1] - moved[0] + 1 == field.size


RELATIONS = {
    "1: no padding, unit stride": (
        [(i, k, 1, 0) for i in SIZES for k in KERNELS if k <= i],
        lambda i, k, s, p: (i - k) + 1,
    ),
    "2: padding, unit stride": (
        [(i, k, 1, p) for i in SIZES for k in KERNELS for p in range(4) if k <= i + 2 * p],
        lambda i, k, s, p: (i - k) + 2 * p + 1,
    ),
    "3: half padding": (
        [(i, k, 1, k // 2) for i in SIZES for k in KERNELS if k % 2],
        lambda i, k, s, p: i,
    ),
    "4: full padding": (
        [(i, k, 1, k - 1) for i in SIZES for k in KERNELS],
        lambda i, k, s, p: i + (k - 1),
    ),
    "5: no padding, any stride": (
        [(i, k, s, 0) for i in SIZES for k in KERNELS for s in STRIDES if k <= i],
        lambda i, k, s, p: (i - k) // s + 1,
    ),
    "6: padding, any stride": (
        [
            (i, k, s, p)
            for i, k, s, p in product(SIZES, KERNELS, STRIDES, range(4))
            if k <= i + 2 * p
        ],
        lambda i, k, s, p: (i + 2 * p - k) // s + 1,
    ),
}


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_relationships_of_the_documents(relation):
    """Document 002_69b25d8deda49794.txt, sections 5.19.1 to 5.19.4: Relationships 1 to 6."""
    geometries, formula = RELATIONS[relation]
    assert geometries
    for i, k, s, p in geometries:
        assert output_size(i, Window(k, s, p, p)) == formula(i, k, s, p), (i, k, s, p)


def test_the_transposed_size_of_the_documents():
    """Document 002_69b25d8deda49794.txt, section 5.17.2: out = (in - 1) s + k."""
    for n, k, s in product(SIZES, KERNELS, STRIDES):
        assert transposed_size(n, Window(k, s)) == (n - 1) * s + k


@pytest.mark.parametrize(
    ("figure", "i", "window", "o"),
    [
        ("2.1", 4, Window(3), 2),
        ("2.2", 5, Window(4, 1, 2, 2), 6),
        ("2.3", 5, Window(3, 1, 1, 1), 5),
        ("2.4", 5, Window(3, 1, 2, 2), 7),
        ("2.5", 5, Window(3, 2), 2),
        ("2.6", 5, Window(3, 2, 1, 1), 3),
        ("2.7", 6, Window(3, 2, 1, 1), 3),
    ],
)
def test_the_figures_of_the_documents(figure, i, window, o):
    """Document 002_69b25d8deda49794.txt, figures 2.1 to 2.7 of section 5.19."""
    assert output_size(i, window) == o, figure


def test_the_last_row_of_figure_2_7_is_not_covered():
    """Document 002_69b25d8deda49794.txt, figure 2.7: with i = 6 the padding below is unread.

    The padded axis has the cells . 0 1 2 3 4 5 . and the windows (. 0 1), (1 2 3), (3 4 5): every
    input cell is read, the last cell of padding is not.
    """
    window = Window(3, 2, 1, 1)
    windows = [taps(6, window, i) for i in range(3)]
    assert windows == [[(1, 0), (2, 1)], [(0, 1), (1, 2), (2, 3)], [(0, 3), (1, 4), (2, 5)]]
    assert coverage(6, window) == [1, 2, 1, 2, 1, 1]


def test_a_dilated_kernel_of_3_sees_what_a_kernel_of_5_sees():
    """Document 002_69b25d8deda49794.txt, section 5.3.2."""
    assert extent(Window(3, dilation=2)) == extent(Window(5)) == 5


def test_two_kernels_of_3_see_what_one_of_5_sees():
    """Document 002_69b25d8deda49794.txt, section 5.8."""
    assert receptive_field([Window(3), Window(3)]) == receptive_field([Window(5)])


def test_a_strided_layer_widens_the_field_of_the_next():
    """Document 003_c02f15fe185e1094.txt, section on the receptive field."""
    strided = receptive_field([Window(3, 2), Window(3)])
    assert (strided.size, receptive_field([Window(3), Window(3)]).size) == (7, 5)


def test_edges_are_read_less_often_than_the_interior():
    """Document 002_69b25d8deda49794.txt, section 5.12.1: narrow against wide convolution."""
    assert coverage(7, Window(3)) == [1, 2, 3, 3, 3, 2, 1]
    assert coverage(7, Window(3, 1, 2, 2)) == [3] * 7


def test_the_pyramid_of_14_misses_its_last_cell():
    """Document 002_69b25d8deda49794.txt, section 5.5.3: size 5, stride 4 on 14 cells."""
    assert coverage(14, Window(5, 4))[-2:] == [1, 0]
    assert coverage(13, Window(5, 4))[-1] == 1
    assert coverage(13, Window(7, 6))[-1] == 1

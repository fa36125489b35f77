"""Locality: what kernels make of constants, of edges, and of pixels out of their order.

A kernel that sums to zero finds nothing where the image is constant, so that what it finds is an
edge.  Zero padding makes edges of its own.  And all this means neighbours: permute the pixels,
and a convolution is none any more.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy
import pytest
import scipy.ndimage
from hypothesis import strategies as st

from convspec.strategies import arrays, calls
from convspec.window import output_size, taps

from .rewriting import run, spatial, windows, with_input
from .statement import law, same
from .test_linearity import without_bias

VERTICAL = numpy.array([[1.0, 0.0, -1.0]] * 3)[None, None]
SOBEL = numpy.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])[None, None]


def balanced(weight: Any) -> Any:
    """The kernels with their last tap changed so that each sums to zero."""
    axes = tuple(range(1, weight.ndim))
    changed = weight.copy()
    changed[(slice(None), *(-1,) * len(axes))] -= weight.sum(axis=axes)
    return changed


def whole(case: Any) -> Any:
    """The outputs all of whose taps lie inside the input, as an index."""
    axes = [
        [i for i in range(output_size(n, w)) if len(taps(n, w, i)) == w.kernel]
        for n, w in windows(case)
    ]
    return (slice(None), slice(None), *numpy.ix_(*axes))


@law(case=calls("conv"), level=st.integers(-9, 9))
def test_a_kernel_that_sums_to_zero_gives_zero_on_constants(
    implementation: Any, case: Any, level: int
) -> None:
    """conv(level, w) = level * sum(w), and so 0 for every such kernel, wherever no padding is
    read.
    """
    x, w = case.operands["input"], case.operands["weight"]
    constant = numpy.full(x.shape, float(level))
    for kernel in (w, balanced(w)):
        operands = {"input": constant, "weight": kernel}
        y = run(implementation, case._replace(operands=operands))[whole(case)]
        sums = kernel.sum(axis=tuple(range(1, w.ndim))).reshape(1, -1, *(1,) * len(spatial(x)))
        same(y, numpy.broadcast_to(level * sums, y.shape))
    assert not y.any()


@law(case=calls("conv"), level=st.integers(-9, 9))
def test_such_a_kernel_does_not_see_a_change_of_brightness(
    implementation: Any, case: Any, level: int
) -> None:
    """conv(x + level, w) = conv(x, w) if sum(w) = 0, away from padding."""
    operands = {"input": case.operands["input"], "weight": balanced(case.operands["weight"])}
    case = case._replace(operands=operands)
    brighter = with_input(case, operands["input"] + level)
    same(run(implementation, brighter)[whole(case)], run(implementation, case)[whole(case)])


def test_zero_padding_makes_an_edge(implementation: Any) -> None:
    """Smallest counterexample: the kernel 1, -1 on one constant pixel with a pad on each side
    answers at both ends.
    """
    y = implementation.conv([[[5.0]]], [[[1.0, -1.0]]], padding=1)
    same(y, [[[-5, 5]]])


def test_the_frame_that_zero_padding_draws(implementation: Any) -> None:
    """The Sobel filter on a constant image with one pad: nothing inside, and a frame of edges on
    the left and the right.  SciPy agrees; it draws none if it repeats the border instead.
    """
    image = numpy.full((4, 5), 3.0)
    y = implementation.conv(image[None, None], SOBEL, padding=1)[0, 0]
    same(y, scipy.ndimage.correlate(image, SOBEL[0, 0], mode="constant"))
    same(y[1:-1, 1:-1], numpy.zeros((2, 3)))
    same(y[:, 0], [9, 12, 12, 9])
    same(y[:, -1], [-9, -12, -12, -9])
    assert not scipy.ndimage.correlate(image, SOBEL[0, 0], mode="nearest").any()


@law(case=calls("conv"))
def test_what_zero_padding_adds_is_the_sum_of_the_taps_it_hides(
    implementation: Any, case: Any
) -> None:
    """On the constant 1 an output is the sum of the weights of the taps that exist: for a kernel
    that sums to zero, minus the sum of those that fall into the padding.
    """
    w = balanced(case.operands["weight"])
    ones = numpy.ones(case.operands["input"].shape)
    y = run(implementation, case._replace(operands={"input": ones, "weight": w}))
    for place in numpy.ndindex(y.shape[2:]):
        kept = [
            [j for j, _ in taps(n, window, i)]
            for i, (n, window) in zip(place, windows(case), strict=True)
        ]
        inside = w[(slice(None), slice(None), *numpy.ix_(*kept))].sum(axis=tuple(range(1, w.ndim)))
        same(y[(..., *place)], numpy.broadcast_to(inside, y.shape[:2]))


READING = ["convolve", "correlate", "conv", "conv_transpose", "average_pool"]


@pytest.mark.parametrize("operation", READING)
@law(data=st.data(), value=st.sampled_from((numpy.nan, numpy.inf, -numpy.inf)))
def test_what_is_not_finite_reaches_the_outputs_that_read_it(
    implementation: Any, operation: str, data: Any, value: float
) -> None:
    """And no others, which stay what they were.  Which outputs read a position, weights of one
    tell; a weight of zero makes NaN of an infinity, and no zero.
    """
    case = without_bias(data.draw(calls(operation)))
    name, *weights = case.operands
    x = case.operands[name]
    if x.size == 0:
        return
    place = tuple(data.draw(st.integers(0, n - 1)) for n in x.shape)
    spoilt, mark = x.copy(), numpy.zeros_like(x)
    spoilt[place], mark[place] = value, 1
    ones = {weight: numpy.ones_like(case.operands[weight]) for weight in weights}
    reading = run(implementation, case._replace(operands={name: mark, **ones})) != 0
    with numpy.errstate(invalid="ignore"):  # infinity times zero
        y = run(implementation, case._replace(operands={**case.operands, name: spoilt}))
    same(~numpy.isfinite(y), reading)
    same(y[~reading], run(implementation, case)[~reading])


def test_the_documents_vertical_edge_is_30_and_nothing_else(implementation: Any) -> None:
    """Half 10, half 0: a line of 30 where they meet, 0 elsewhere; turned by a quarter, the filter
    finds no vertical edge.
    """
    image = numpy.zeros((1, 1, 6, 6))
    image[..., :3] = 10
    same(implementation.conv(image, VERTICAL)[0, 0], [[0, 30, 30, 0]] * 4)
    horizontal = numpy.rot90(VERTICAL, axes=(2, 3))
    same(implementation.conv(image, horizontal), numpy.zeros((1, 1, 4, 4)))


@law(
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 3)),
    data=st.data(),
)
def test_a_dense_layer_does_not_care_in_which_order_its_pixels_come(
    implementation: Any, sizes: Any, data: Any
) -> None:
    """linear(x P, W P) = linear(x, W) for every permutation P of the pixels: a dense layer has no
    neighbours, and loses nothing.
    """
    width, outputs = sizes[0] + 2, sizes[1]
    x, w = data.draw(arrays((2, width))), data.draw(arrays((outputs, width)))
    order = list(data.draw(st.permutations(range(width))))
    same(implementation.linear(x[:, order], w[:, order]), implementation.linear(x, w))


def test_permuted_pixels_have_other_neighbours(implementation: Any) -> None:
    """Smallest counterexample: 0, 0, 1, 1 has one edge; with its middle pixels exchanged it has
    three, which no order of the outputs makes up for.
    """
    x, difference = numpy.array([[[0.0, 0.0, 1.0, 1.0]]]), [[[-1.0, 1.0]]]
    same(implementation.conv(x, difference), [[[0, 1, 0]]])
    same(implementation.conv(x[..., [0, 2, 1, 3]], difference), [[[1, -1, 1]]])


@law(width=st.integers(3, 5), data=st.data())
def test_only_a_mirror_keeps_all_neighbours(implementation: Any, width: int, data: Any) -> None:
    """Which pixels meet in some output of a kernel of two taps, before and after a permutation:
    the same pairs only if the order is kept or reversed.
    """
    order = list(data.draw(st.permutations(range(width))))

    def meetings(columns: Any) -> set[frozenset[int]]:
        # Image p is 1 at pixel p alone, so a column of outputs shows the pixels it reads.
        y = implementation.conv(numpy.eye(width)[:, None][..., columns], numpy.ones((1, 1, 2)))
        return {frozenset(map(int, numpy.flatnonzero(column))) for column in y[:, 0].T}

    kept = meetings(order) == meetings(list(range(width)))
    assert kept == (order in (sorted(order), sorted(order)[::-1]))


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_only_rotations_of_a_ring_commute_with_every_convolution(
    implementation: Any, shift: int
) -> None:
    """Of the 24 orders of four pixels on a ring, the 4 rotations commute with a convolution of the
    ring; others only where the kernel cannot tell, as with two taps on opposite pixels.
    """
    kernel = numpy.zeros((1, 1, shift + 1))
    kernel[..., 0] = 1
    kernel[..., shift] = 2

    def around(x: Any) -> Any:
        return implementation.conv(numpy.concatenate([x, x[..., :shift]], axis=2), kernel)

    x = numpy.eye(4)[:, None]
    commuting = [
        order
        for order in permutations(range(4))
        if (around(x[..., list(order)]) == around(x)[..., list(order)]).all()
    ]
    rotations = [tuple((numpy.arange(4) + r) % 4) for r in range(4)]
    assert set(rotations) <= set(commuting)
    # A step of 2 takes each pixel to its opposite, and pairs of opposites may change places too.
    assert len(commuting) == (8 if shift == 2 else 4)

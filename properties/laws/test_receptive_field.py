"""The receptive field: by perturbation, by formula, and by the support of the gradient.

What an output can see of the input of a stack is one range of positions, whichever way one asks:
which inputs change it, what the formula says, and where its gradient is not zero.
"""

from __future__ import annotations

from typing import Any

import numpy
from hypothesis import strategies as st

from convspec.window import Window, output_size, receptive_field

from .statement import law, same


@st.composite
def stacks(draw: Any) -> tuple[int, list[Window]]:
    """One to three windows, padded or not, and an input that every one of them fits."""
    stack = [
        Window(
            draw(st.integers(1, 3)),
            draw(st.integers(1, 2)),
            draw(st.integers(0, 1)),
            draw(st.integers(0, 1)),
            draw(st.integers(1, 2)),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    return receptive_field(stack).size + draw(st.integers(0, 4)), stack


def attributes(window: Window) -> dict[str, Any]:
    return {
        "stride": window.stride,
        "padding": ((window.low, window.high),),
        "dilation": window.dilation,
    }


def layers(implementation: Any, x: Any, stack: list[Window]) -> list[Any]:
    """The input of every layer and the last output: kernels of ones, which cannot cancel."""
    values = [x]
    for window in stack:
        ones = numpy.ones((1, 1, window.kernel))
        values.append(implementation.conv(values[-1], ones, **attributes(window)))
    return values


def gradient(implementation: Any, values: list[Any], stack: list[Window], i: int) -> Any:
    """The derivative of output i by the input, one layer after the other."""
    g = numpy.zeros_like(values[-1])
    g[0, 0, i] = 1
    for window, x in zip(reversed(stack), reversed(values[:-1]), strict=True):
        ones = numpy.ones((1, 1, window.kernel))
        g = implementation.conv_vjp(g, x, ones, **attributes(window))[0]
    return g[0, 0]


def seen(n: int, stack: list[Window], i: int) -> set[int]:
    """The positions that output i reads through the stack: its taps' taps."""
    positions = {i}
    sizes = [n]
    for window in stack:
        sizes.append(output_size(sizes[-1], window))
    for size, window in zip(reversed(sizes[:-1]), reversed(stack), strict=True):
        starts = (p * window.stride - window.low for p in positions)
        reached = {s + j * window.dilation for s in starts for j in range(window.kernel)}
        positions = {a for a in reached if 0 <= a < size}
    return positions


@law(drawn=stacks())
def test_perturbation_gradient_and_taps_agree(implementation: Any, drawn: Any) -> None:
    """The inputs whose change changes output i are those at which its gradient is not zero, and
    those that its taps read through the stack.
    """
    n, stack = drawn
    values = layers(implementation, numpy.zeros((1, 1, n)), stack)
    perturbed = layers(implementation, numpy.eye(n)[:, None], stack)[-1][:, 0]
    for i in range(values[-1].shape[2]):
        by_gradient = set(numpy.flatnonzero(gradient(implementation, values, stack, i)))
        by_perturbation = set(numpy.flatnonzero(perturbed[:, i]))
        assert by_gradient == by_perturbation == seen(n, stack, i)


@law(drawn=stacks())
def test_the_formula_bounds_it_and_is_reached_inside(implementation: Any, drawn: Any) -> None:
    """All of it lies in start + i jump <= a < start + i jump + size; where that range lies inside
    the input and no padding interferes, both its ends are seen, and all between them if no
    kernel has holes and no layer below the last leaves gaps: d = 1, s <= k.
    """
    n, stack = drawn
    field = receptive_field(stack)
    values = layers(implementation, numpy.zeros((1, 1, n)), stack)
    padded = any(window.low or window.high for window in stack)
    dense = all(window.dilation == 1 for window in stack) and all(
        window.stride <= window.kernel for window in stack[:-1]
    )
    for i in range(values[-1].shape[2]):
        first = field.start + i * field.jump
        support = numpy.flatnonzero(gradient(implementation, values, stack, i))
        assert all(first <= a < first + field.size for a in support)
        if not padded:
            assert support[0] == first
            assert support[-1] == first + field.size - 1
            if dense:
                assert len(support) == field.size


@law(drawn=stacks())
def test_a_pool_sees_as_far_as_a_convolution(implementation: Any, drawn: Any) -> None:
    """The formula knows windows and not what they do: with averages in place of the convolutions,
    the gradient has the same support.
    """
    n, stack = drawn
    stack = [window._replace(low=0, high=0) for window in stack]
    values = layers(implementation, numpy.zeros((1, 1, n)), stack)
    for i in range(values[-1].shape[2]):
        g = numpy.zeros_like(values[-1])
        g[0, 0, i] = 1
        for window, x in zip(reversed(stack), reversed(values[:-1]), strict=True):
            pool = {"kernel_size": window.kernel, **attributes(window)}
            (g,) = implementation.average_pool_vjp(g, x, **pool)
        expected = gradient(implementation, values, stack, i)
        same(numpy.flatnonzero(g), numpy.flatnonzero(expected))


def test_zero_weights_make_it_smaller_than_the_formula(implementation: Any) -> None:
    """Smallest counterexample: the formula counts taps, and a kernel 1, 0 does not use its last."""
    x, w = numpy.zeros((1, 1, 2)), numpy.array([[[1.0, 0.0]]])
    (found, _) = implementation.conv_vjp(numpy.ones((1, 1, 1)), x, w)
    same(found, [[[1, 0]]])
    assert receptive_field([Window(2)]).size == 2


def test_a_dilated_kernel_has_holes_in_its_field(implementation: Any) -> None:
    """Smallest example: kernel 2, dilation 2 spans 3 positions and sees 2 of them."""
    x, w = numpy.zeros((1, 1, 3)), numpy.ones((1, 1, 2))
    (found, _) = implementation.conv_vjp(numpy.ones((1, 1, 1)), x, w, dilation=2)
    same(found, [[[1, 0, 1]]])
    assert receptive_field([Window(2, dilation=2)]).size == 3


def test_the_documents_stride_makes_the_next_layer_see_further() -> None:
    """3 by 3 after 3 by 3 sees 5; after 3 by 3 at stride 2 it sees 7.  A 3 by 3 kernel with
    dilation 2 sees as much as a 5 by 5 one.
    """
    assert receptive_field([Window(3), Window(3)]).size == 5
    assert receptive_field([Window(3, stride=2), Window(3)]).size == 7
    assert receptive_field([Window(3, dilation=2)]).size == receptive_field([Window(5)]).size == 5


@law(depth=st.integers(1, 12), kernel=st.integers(1, 5))
def test_deep_units_reach_far(depth: int, kernel: int) -> None:
    """Sparse layers see everything in the end: L layers of k see L (k - 1) + 1 positions, with
    stride 2 in each (2^L - 1)(k - 1) + 1.
    """
    assert receptive_field([Window(kernel)] * depth).size == depth * (kernel - 1) + 1
    strided = receptive_field([Window(kernel, stride=2)] * depth)
    assert strided.size == (2**depth - 1) * (kernel - 1) + 1
    assert strided.jump == 2**depth


@law(drawn=stacks())
def test_the_central_pixels_weigh_most(implementation: Any, drawn: Any) -> None:
    """With kernels of ones, the gradient counts the paths from an input to an output; along the
    field of an unpadded, undilated stack at stride 1 it rises to the middle and falls again,
    and its sum is the product of the kernels.
    """
    _, stack = drawn
    plain = [Window(window.kernel) for window in stack]
    size = receptive_field(plain).size
    values = layers(implementation, numpy.zeros((1, 1, size)), plain)
    paths = gradient(implementation, values, plain, 0)
    same(paths, paths[::-1])
    assert (numpy.diff(paths[: (size + 1) // 2]) >= 0).all()
    assert paths.sum() == numpy.prod([window.kernel for window in plain])

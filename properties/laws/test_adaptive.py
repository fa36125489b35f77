"""As many outputs as asked for: adaptive, global and pyramid pooling, whatever the input's size.

Where the number of outputs divides the size they are ordinary pools; elsewhere windows overlap.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

from convspec.operations import OPERATIONS
from convspec.strategies import arrays, calls
from convspec.window import Window, adaptive_range, coverage, output_size, taps

from .exact import exactly
from .rewriting import run
from .statement import law, same
from .subjects import ADAPTIVE


@pytest.mark.parametrize("operation", ADAPTIVE)
@law(
    axes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=3),
    data=st.data(),
)
def test_it_is_ordinary_pooling_where_the_sizes_divide(
    implementation: Any, operation: str, axes: Any, data: Any
) -> None:
    """o divides n: kernel = stride = n / o."""
    outputs, kernel = tuple(o for o, _ in axes), tuple(k for _, k in axes)
    x = prod(kernel) * data.draw(arrays((1, 2, *(o * k for o, k in axes))))
    adaptive = getattr(implementation, operation)(x, output_size=outputs)
    same(adaptive, getattr(implementation, ADAPTIVE[operation])(x, kernel_size=kernel))


@pytest.mark.parametrize("operation", ADAPTIVE)
@law(data=st.data())
def test_as_many_outputs_as_positions_change_nothing(
    implementation: Any, operation: str, data: Any
) -> None:
    """o = n is the identity, o = 1 the global pool, in NumPy's words max or mean."""
    case = exactly(data.draw(calls(operation)))
    x, op = case.operands["input"], getattr(implementation, operation)
    same(op(x, output_size=x.shape[2:]), x)
    axes = tuple(range(2, x.ndim))
    everything = (x.max if operation == "adaptive_max_pool" else x.mean)(axis=axes, keepdims=True)
    same(op(x, output_size=1), everything)


@pytest.mark.parametrize("operation", ADAPTIVE)
@law(data=st.data())
def test_every_window_is_a_slice(implementation: Any, operation: str, data: Any) -> None:
    """y_i = max or mean of x[floor(i n / o) : ceil((i + 1) n / o)], on every axis."""
    case = exactly(data.draw(calls(operation)))
    x, outputs = case.operands["input"], case.attributes["output_size"]
    y = run(implementation, case)
    reduce = numpy.max if operation == "adaptive_max_pool" else numpy.mean
    for place in numpy.ndindex(outputs):
        window = tuple(
            slice(i * n // o, -(-(i + 1) * n // o))
            for i, n, o in zip(place, x.shape[2:], outputs, strict=True)
        )
        expected = reduce(x[(..., *window)], axis=tuple(range(2, x.ndim)))
        same(y[(..., *place)], expected)


@law(n=st.integers(1, 20), o=st.integers(1, 20))
def test_windows_cover_everything_and_overlap_by_at_most_one(n: int, o: int) -> None:
    """Their starts and ends do not decrease, none is empty, neighbours leave no gap; with o <= n
    they share one position at most, and none if o divides n.
    """
    ranges = [adaptive_range(n, o, i) for i in range(o)]
    assert {a for found in ranges for a in found} == set(range(n))
    for one, other in pairwise(ranges):
        shared = len(set(one) & set(other))
        assert other.start <= one.stop
        assert one.start <= other.start
        if o <= n:
            assert shared <= 1
            assert shared == 0 or n % o


def test_the_documents_13x13_map_pools_as_they_say() -> None:
    """Windows of ceil(a / n) at stride floor(a / n): 5 at 4, 7 at 6 and 13 at 13 for 13 by 13 are
    the adaptive windows of 3, 2 and 1.
    """
    for o, kernel, stride in ((3, 5, 4), (2, 7, 6), (1, 13, 13)):
        window = Window(kernel, stride)
        assert output_size(13, window) == o
        sliding = [[a for _, a in taps(13, window, i)] for i in range(o)]
        assert sliding == [list(adaptive_range(13, o, i)) for i in range(o)]


def test_the_documents_question_about_14x14(implementation: Any) -> None:
    """At 14 by 14 and 4 by 4, their windows of 4 at stride 3 (the documents print 5 at 4, which is
    only 3 windows) leave the last row and column out; the adaptive windows do not.
    """
    for kernel, stride, outputs in ((5, 4, 3), (4, 3, 4)):
        window = Window(kernel, stride)
        assert output_size(14, window) == outputs
        assert coverage(14, window)[-1] == 0
    assert adaptive_range(14, 4, 3)[-1] == 13
    x = numpy.zeros((1, 1, 14, 14))
    x[..., -1, -1] = 1
    same(implementation.max_pool(x, kernel_size=4, stride=3), numpy.zeros((1, 1, 4, 4)))
    assert implementation.adaptive_max_pool(x, output_size=4)[0, 0, 3, 3] == 1


@law(
    levels=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    sizes=st.tuples(*[st.integers(1, 6)] * 4),
    kind=st.sampled_from(("max", "average")),
    data=st.data(),
)
def test_a_pyramid_is_as_long_for_every_input(
    implementation: Any, levels: Any, sizes: Any, kind: str, data: Any
) -> None:
    """C * sum(level^2) numbers, whatever the height and the width."""
    for height, width in (sizes[:2], sizes[2:]):
        x = data.draw(arrays((1, 2, height, width)))
        y = implementation.spatial_pyramid_pool(x, levels=levels, kind=kind)
        assert y.shape == (1, 2 * sum(level**2 for level in levels))


@law(case=calls("spatial_pyramid_pool"))
def test_a_pyramid_is_its_levels_end_to_end(implementation: Any, case: Any) -> None:
    """Level by level the adaptive pools, flattened."""
    case = exactly(case)
    x, kind = case.operands["input"], case.attributes["kind"]
    pool = getattr(implementation, f"adaptive_{kind}_pool")
    levels = [
        implementation.flatten(pool(x, output_size=level)) for level in case.attributes["levels"]
    ]
    same(run(implementation, case), numpy.concatenate(levels, axis=1))


def test_the_documents_pyramid_has_21_features_a_channel() -> None:
    """1 by 1, 2 by 2 and 4 by 4 over 256 channels: 256 + 4 * 256 + 16 * 256 numbers."""
    shape = OPERATIONS["spatial_pyramid_pool"].shape
    for side in (13, 14, 27):
        assert shape((1, 256, side, side), levels=(1, 2, 4)) == (1, 21 * 256)


@law(length=st.integers(1, 12), data=st.data())
def test_the_maximum_over_time_takes_a_sequence_of_any_length(
    implementation: Any, length: int, data: Any
) -> None:
    """One number a channel for every length: adaptive_max_pool to 1 = max_pool over all of it, and
    to append what is no larger changes nothing.
    """
    x = data.draw(arrays((1, 3, length)))
    top = implementation.adaptive_max_pool(x, output_size=1)
    same(top, implementation.max_pool(x, kernel_size=length))
    same(top[..., 0], x.max(axis=2))
    longer = numpy.concatenate([x, x.min(axis=2, keepdims=True)], axis=2)
    same(implementation.adaptive_max_pool(longer, output_size=1), top)


@law(data=st.data(), sizes=st.tuples(*[st.integers(1, 4)] * 3))
def test_the_order_in_time_is_lost(implementation: Any, data: Any, sizes: Any) -> None:
    """The documents: where a word stood is lost; permute the time, and nothing changes."""
    x = data.draw(arrays((1, sizes[0], sizes[1] + sizes[2])))
    order = list(data.draw(st.permutations(range(x.shape[2]))))
    same(
        implementation.adaptive_max_pool(x[..., order], output_size=1),
        implementation.adaptive_max_pool(x, output_size=1),
    )

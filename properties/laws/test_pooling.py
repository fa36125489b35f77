"""Pooling: the maximum and the average of every window.

SciPy's maximum filter and correlation are the witnesses.  A maximum commutes with every monotone
map and composes with itself; an average is a convolution and composes only without overlap.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import strategies as st

from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.rounding import growth
from convspec.strategies import arrays, calls
from convspec.window import Window, coverage, divisor, extent, output_size, taps

from .exact import alike, exactly
from .rewriting import divisible, first, run, windows, with_input
from .statement import law, same
from .subjects import AVERAGING, having

MAXIMA = ["max_pool", "max_pool_with_indices", "adaptive_max_pool"]


def footprint(case: Case) -> Any:
    """1 at the taps of the dilated kernel, 0 between them."""
    marks = numpy.zeros([extent(window) for _, window in windows(case)])
    marks[tuple(slice(None, None, window.dilation) for _, window in windows(case))] = 1
    return marks


def surrounded(image: Any, case: Case, value: float) -> Any:
    """One channel with its padding written out, and with room for a window that overhangs."""
    return numpy.pad(
        image,
        [(window.low, window.high + window.stride) for _, window in windows(case)],
        constant_values=value,
    )


def sampled(filtered: Any, case: Case, shape: tuple[int, ...]) -> Any:
    """What a dense filter holds at the starts of the windows."""
    strided = filtered[tuple(slice(None, None, window.stride) for _, window in windows(case))]
    return strided[tuple(slice(n) for n in shape)]


@law(case=calls("max_pool"))
def test_max_pooling_is_a_maximum_filter_sampled_at_the_stride(
    implementation: Any, case: Any
) -> None:
    """The witness, with padding of minus infinity, for every attribute at once."""
    y = run(implementation, case)
    marks = footprint(case)
    # Its origin puts tap 0, not the centre, on the output position.
    origin = tuple(-(n // 2) for n in marks.shape)
    for n, c in numpy.ndindex(y.shape[:2]):
        image = surrounded(case.operands["input"][n, c], case, -numpy.inf)
        filtered = scipy.ndimage.maximum_filter(
            image, footprint=marks, mode="constant", cval=-numpy.inf, origin=origin
        )
        same(y[n, c], sampled(filtered, case, y.shape[2:]))


@law(case=calls("average_pool"))
def test_average_pooling_is_a_correlation_with_ones_divided_by_a_count(
    implementation: Any, case: Any
) -> None:
    """The witness: sums by SciPy over zero-padded data, counts by the same over ones: ones on
    the input, and on the padding too with count_include_pad, never on the overhang.

    A sum of small integers is exact; one division, or a rounded reciprocal an axis and one
    product each, leaves at most two roundings an axis.
    """
    y = run(implementation, case)
    marks = footprint(case)
    ones = numpy.ones([n for n, _ in windows(case)])
    if case.attributes["count_include_pad"]:
        ones = numpy.pad(ones, [(w.low, w.high) for _, w in windows(case)], constant_values=1)
        counted = numpy.pad(ones, [(0, window.stride) for _, window in windows(case)])
    else:
        counted = surrounded(ones, case, 0)
    count = scipy.signal.correlate(counted, marks, mode="valid", method="direct")
    count = sampled(count, case, y.shape[2:])
    roundoff = numpy.finfo(y.dtype).eps / 2
    for n, c in numpy.ndindex(y.shape[:2]):
        image = surrounded(case.operands["input"][n, c], case, 0)
        total = scipy.signal.correlate(image, marks, mode="valid", method="direct")
        expected = sampled(total, case, y.shape[2:]) / count
        slack = growth(roundoff, 2 * len(windows(case)) + 1) * abs(expected)
        assert y[n, c].shape == expected.shape
        assert (abs(y[n, c] - expected) <= slack).all()


@law(case=calls("max_pool"), data=st.data())
def test_a_maximum_commutes_with_monotone_maps(implementation: Any, case: Any, data: Any) -> None:
    """max_pool(phi(x)) = phi(max_pool(x)) for every nondecreasing phi, here any step function on
    the small integers that x holds.
    """
    steps = data.draw(st.lists(st.integers(0, 3), min_size=17, max_size=17))
    heights = numpy.cumsum(steps) - 20.0

    def phi(x: Any) -> Any:
        return heights[x.astype(int) + 8]

    left = run(implementation, with_input(case, phi(case.operands["input"])))
    same(left, phi(run(implementation, case)))


def test_a_maximum_does_not_commute_with_a_decreasing_map(implementation: Any) -> None:
    """Smallest counterexample: two pixels and x -> -x."""
    image = numpy.array([[[0.0, 1.0]]])
    same(implementation.max_pool(-image, kernel_size=2), [[[0]]])
    same(-implementation.max_pool(image, kernel_size=2), [[[-1]]])


@law(case=calls("max_pool"), data=st.data())
def test_maxima_of_maxima(implementation: Any, case: Any, data: Any) -> None:
    """pool(max(x, x')) = max(pool(x), pool(x')), and pool(x + x') <= pool(x) + pool(x')."""
    x = case.operands["input"]
    other = data.draw(arrays(x.shape))
    ours, theirs = run(implementation, case), run(implementation, with_input(case, other))
    joined = run(implementation, with_input(case, numpy.maximum(x, other)))
    same(joined, numpy.maximum(ours, theirs))
    assert (run(implementation, with_input(case, x + other)) <= ours + theirs).all()


def test_a_maximum_is_not_additive(implementation: Any) -> None:
    """Smallest counterexample: (1, 0) and (0, 1) have maxima 1 and 1, their sum only 1."""
    first, second = numpy.array([[[1.0, 0.0]]]), numpy.array([[[0.0, 1.0]]])
    pool = implementation.max_pool
    same(pool(first + second, kernel_size=2), [[[1]]])
    same(pool(first, kernel_size=2) + pool(second, kernel_size=2), [[[2]]])


@pytest.mark.parametrize("operation", AVERAGING)
@law(among=AVERAGING, data=st.data())
def test_a_constant_stays_a_constant(implementation: Any, operation: str, data: Any) -> None:
    """Constant in, constant out, at the edges too; an average must not count its padding."""
    case = data.draw(calls(operation))
    image = numpy.full(case.operands["input"].shape, -4.0)
    y = first(run(implementation, bare(with_input(case, image))))
    # Weights are quotients of numbers that round a few times; a window has fewer than 2^6 taps.
    roundings = 0 if OPERATIONS[operation].rounding == "exact" else 2**8
    assert (abs(y + 4) <= 4 * growth(numpy.finfo(y.dtype).eps / 2, roundings)).all()


def bare(case: Case) -> Case:
    """The call with padding not counted."""
    counted = {"count_include_pad": False} if case.operation.startswith("average_pool") else {}
    return case._replace(attributes={**case.attributes, **counted})


def test_an_average_that_counts_padding_darkens_the_edges(implementation: Any) -> None:
    """Smallest counterexample: one pixel 2 and one pad."""
    two = numpy.full((1, 1, 1), 2.0)
    attributes = {"kernel_size": 2, "padding": ((1, 0),)}
    same(implementation.average_pool(two, **attributes), [[[2]]])
    same(implementation.average_pool(two, **attributes, count_include_pad=True), [[[1]]])


@law(case=calls("average_pool"))
def test_the_average_lies_between_the_extremes(implementation: Any, case: Any) -> None:
    """-max_pool(-x) <= average_pool(x) <= max_pool(x), with padding not counted."""
    case = with_input(divisible(case), divisible(case).operands["input"], count_include_pad=False)
    attributes = {name: v for name, v in case.attributes.items() if name != "count_include_pad"}
    x = case.operands["input"]
    y = run(implementation, case)
    slack = growth(numpy.finfo(y.dtype).eps / 2, 2 * len(windows(case)) + 1) * abs(y)
    assert (y <= implementation.max_pool(x, **attributes) + slack).all()
    assert (y >= -implementation.max_pool(-x, **attributes) - slack).all()


@law(case=calls("average_pool"))
def test_counting_padding_only_changes_the_divisor(implementation: Any, case: Any) -> None:
    """average(counting) times its count = average(not counting) times the taps that exist."""
    case = divisible(case)
    x = case.operands["input"]
    y = {
        include: run(implementation, with_input(case, x, count_include_pad=include))
        for include in (True, False)
    }
    for place in numpy.ndindex(y[True].shape):
        counts = {
            include: prod(
                divisor(n, window, i, count_include_pad=include)
                for (n, window), i in zip(windows(case), place[2:], strict=True)
            )
            for include in (True, False)
        }
        left, right = (y[include][place] * counts[include] for include in (True, False))
        slack = growth(numpy.finfo(y[True].dtype).eps / 2, 2 * (2 * len(windows(case)) + 2))
        assert abs(left - right) <= slack * abs(right)


@law(case=calls("average_pool"))
def test_an_average_is_a_depthwise_convolution_with_equal_weights(
    implementation: Any, case: Any
) -> None:
    """average(x) = conv(x, ones, groups = C) / |kernel|, where all windows are whole: without
    ceil mode, and with padding counted.
    """
    case = divisible(case)
    attributes = {**case.attributes, "ceil_mode": False, "count_include_pad": True}
    x = numpy.pad(
        case.operands["input"],
        [(0, 0), (0, 0), *((window.low, window.high) for _, window in windows(case))],
    )
    attributes["padding"] = ((0, 0),) * len(windows(case))
    y = implementation.average_pool(x, **attributes)
    shared = {name: attributes[name] for name in ("stride", "padding", "dilation")}
    ones = numpy.ones((x.shape[1], 1, *attributes["kernel_size"]))
    total = implementation.conv(x, ones, **shared, groups=x.shape[1])
    size = prod(attributes["kernel_size"])
    slack = growth(numpy.finfo(y.dtype).eps / 2, 2 * len(windows(case)) + 1)
    assert y.shape == total.shape
    assert (abs(size * y - total) <= slack * abs(total)).all()


@st.composite
def stacks(draw: Any) -> tuple[Any, list[tuple[int, int]], list[tuple[int, int]]]:
    """An image, and on each axis the kernel and stride of two pools: the first without a gap
    between its windows, the second no larger than the output of the first.
    """
    first, second, sizes = [], [], []
    for _ in range(draw(st.integers(1, 2))):
        k, q = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        s, t = draw(st.integers(1, k)), draw(st.integers(1, 3))
        first.append((k, s))
        second.append((q, t))
        sizes.append(k + (q - 1) * s + draw(st.integers(0, 4)))
    return draw(arrays((1, 2, *sizes))), first, second


def attributes_of(pairs: list[tuple[int, int]]) -> dict[str, Any]:
    return {"kernel_size": tuple(k for k, _ in pairs), "stride": tuple(s for _, s in pairs)}


@law(drawn=stacks())
def test_two_max_pools_are_one(implementation: Any, drawn: Any) -> None:
    """Kernel k, stride s, then kernel q, stride t, is kernel k + (q - 1) s, stride s t, if the
    first leaves no gap: s <= k.
    """
    image, first, second = drawn
    pool = implementation.max_pool
    twice = pool(pool(image, **attributes_of(first)), **attributes_of(second))
    once = [(k + (q - 1) * s, s * t) for (k, s), (q, t) in zip(first, second, strict=True)]
    same(twice, pool(image, **attributes_of(once)))


def test_two_max_pools_with_a_gap_are_not_one(implementation: Any) -> None:
    """Smallest counterexample: kernel 1, stride 2 on three pixels never sees the middle one."""
    image, pool = numpy.array([[[0.0, 1.0, 0.0]]]), implementation.max_pool
    same(pool(pool(image, kernel_size=1, stride=2), kernel_size=2), [[[0]]])
    same(pool(image, kernel_size=3, stride=4), [[[1]]])


@law(kernel=st.integers(1, 4), stride=st.integers(1, 5), outputs=st.integers(1, 4), data=st.data())
def test_overlapping_windows_show_a_peak_more_than_once(
    implementation: Any, kernel: int, stride: int, outputs: int, data: Any
) -> None:
    """The documents' overlapping pooling, stride < kernel: a peak appears in each of the windows
    that share it, at most ceil(k / s); in exactly one without overlap, s = k, and in none where it
    lies in a gap, which takes s > k.
    """
    n = kernel + (outputs - 1) * stride
    peak = data.draw(st.integers(0, n - 1))
    x = numpy.zeros((1, 1, n))
    x[..., peak] = 1
    seen = implementation.max_pool(x, kernel_size=kernel, stride=stride).sum()
    assert seen == coverage(n, Window(kernel, stride))[peak]
    assert seen <= -(-kernel // stride)
    assert stride != kernel or seen == 1
    assert seen > 0 or stride > kernel


@law(sides=st.lists(st.tuples(*[st.integers(1, 3)] * 2), min_size=1, max_size=2), data=st.data())
def test_two_average_pools_without_overlap_are_one(
    implementation: Any, sides: Any, data: Any
) -> None:
    """With s = k tiles of tiles are tiles: kernel k then q, both side by side, is kernel k q.

    The image is a multiple of every divisor, so only reciprocals can round: at most two times an
    axis in each pool, and once in each sum.
    """
    first, second = tuple(k for k, _ in sides), tuple(q for _, q in sides)
    both = tuple(k * q for k, q in sides)
    sizes = tuple(n + data.draw(st.integers(0, n)) for n in both)
    image = prod(both) * data.draw(arrays((1, 2, *sizes)))
    pool = implementation.average_pool
    twice = pool(pool(image, kernel_size=first), kernel_size=second)
    once = pool(image, kernel_size=both)
    assert twice.shape == once.shape
    roundings = 2 * (2 * len(sides) + 1) + prod(second)
    slack = growth(numpy.finfo(once.dtype).eps / 2, roundings) * abs(image).max()
    assert (abs(twice - once) <= 2 * slack).all()


def test_two_overlapping_average_pools_are_not_one(implementation: Any) -> None:
    """Smallest counterexample: kernel 2 twice at stride 1 weighs three pixels 1, 2, 1."""
    image, pool = numpy.array([[[0.0, 12.0, 0.0]]]), implementation.average_pool
    same(pool(pool(image, kernel_size=2, stride=1), kernel_size=2, stride=1), [[[6]]])
    same(pool(image, kernel_size=3, stride=1), [[[4]]])


@law(case=calls("max_pool"))
def test_a_maximum_is_taken_axis_by_axis(implementation: Any, case: Any) -> None:
    """pool over all axes = pool over one axis after the other, each with its own attributes."""
    rank = len(windows(case))
    y = case.operands["input"]
    neutral = {"kernel_size": 1, "stride": 1, "padding": (0, 0), "dilation": 1}
    for axis in range(rank):
        attributes = {
            name: tuple(case.attributes[name][a] if a == axis else nothing for a in range(rank))
            for name, nothing in neutral.items()
        }
        y = implementation.max_pool(y, **attributes, ceil_mode=case.attributes["ceil_mode"])
    same(run(implementation, case), y)


@law(case=calls("max_pool_with_indices"), infinite=st.booleans())
def test_an_index_points_at_its_maximum(implementation: Any, case: Any, infinite: bool) -> None:
    """x[index] = the value, in the flat unpadded volume of its own channel and inside its own
    window, even where all of that is minus infinity; the values are those of max_pool.  Which of
    several equal maxima is left open.
    """
    x = case.operands["input"]
    x = numpy.where(x < 0, -numpy.inf, x) if infinite else x
    case = with_input(case, x)
    values, indices = run(implementation, case)
    assert indices.shape == values.shape
    assert numpy.issubdtype(indices.dtype, numpy.integer)
    assert (indices >= 0).all()
    for n, c in numpy.ndindex(values.shape[:2]):
        same(x[n, c].ravel()[indices[n, c]], values[n, c])
    for axis, (n, window) in enumerate(windows(case)):
        places = numpy.unravel_index(indices, x.shape[2:])[axis]
        for i in range(output_size(n, window)):
            read = {a for _, a in taps(n, window, i)}
            assert set(numpy.take(places, i, axis=2 + axis).flat) <= read
    same(values, run(implementation, case._replace(operation="max_pool")))


@pytest.mark.parametrize("operation", having("ceil_mode"))
@law(data=st.data())
def test_ceil_mode_only_adds_at_the_end(implementation: Any, operation: str, data: Any) -> None:
    """Where both are defined, the outputs of floor mode begin those of ceil mode, which has at
    most one more an axis.
    """
    case = exactly(data.draw(calls(operation)))
    # Without high padding no window starts past the input, so floor mode is defined as well.
    lows = tuple((0, 0) for _ in windows(case))
    image = numpy.pad(
        case.operands["input"],
        [(0, 0), (0, 0), *((0, extent(window)) for _, window in windows(case))],
        constant_values=-3,
    )
    y = {
        ceil: first(run(implementation, with_input(case, image, padding=lows, ceil_mode=ceil)))
        for ceil in (False, True)
    }
    assert all(0 <= b - a <= 1 for a, b in zip(y[False].shape, y[True].shape, strict=True))
    alike(operation, y[True][tuple(slice(n) for n in y[False].shape)], y[False])


def everything(case: Case) -> Any:
    """What NumPy makes of a whole channel."""
    x = case.operands["input"]
    rows = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    if case.operation == "lp_pool":
        return numpy.linalg.norm(rows, ord=case.attributes["p"], axis=2)
    if case.operation == "distance_weighted_pool":
        centred = [numpy.arange(n) - (n - 1) / 2 for n in x.shape[2:]]
        distance = numpy.sqrt(sum(axis**2 for axis in numpy.meshgrid(*centred, indexing="ij")))
        return numpy.average(rows, axis=2, weights=1 / (1 + distance.ravel()))
    return rows.mean(axis=2) if case.operation == "average_pool" else rows.max(axis=2)


@pytest.mark.parametrize("operation", having("kernel_size"))
@law(among=having("kernel_size"), data=st.data())
def test_a_window_over_everything_is_global_pooling(
    implementation: Any, operation: str, data: Any
) -> None:
    """kernel = input gives NumPy's max, mean, vector norm or weighted average of every channel."""
    case = data.draw(calls(operation))
    x = prod(case.operands["input"].shape[2:]) * case.operands["input"]
    exponent = {name: p for name, p in case.attributes.items() if name == "p"}
    whole = Case(operation, {"input": x}, {"kernel_size": x.shape[2:], **exponent})
    y = first(run(implementation, whole))
    assert y.shape == (*x.shape[:2], *(1,) * (x.ndim - 2))
    flat, expected = y.reshape(x.shape[:2]), everything(whole)
    # A power, product or quotient of each element, all their sums, and a root of 4 ulps.
    roundings = 0 if operation.startswith("max") else 2 * 6 * x[0:1, 0].size + 16
    slack = growth(numpy.finfo(y.dtype).eps / 2, roundings) * abs(x).max(initial=0)
    assert (abs(flat - expected) <= 2 * prod(x.shape[2:]) * slack).all()


@pytest.mark.parametrize("operation", [*MAXIMA, "lp_pool"])
@law(data=st.data())
def test_a_maximum_over_nan_is_nan(implementation: Any, operation: str, data: Any) -> None:
    """NaN at one position, the same in every channel, reaches exactly the outputs whose windows
    read it; as it does of a norm, whose limit the maximum is.
    """
    case = data.draw(calls(operation))
    x = case.operands["input"].copy()
    place = [data.draw(st.integers(0, n - 1)) for n in x.shape[2:]]
    x[(slice(None), slice(None), *place)] = numpy.nan
    y = first(run(implementation, with_input(case, x)))
    marked = first(run(implementation, with_input(case, numpy.isnan(x).astype(float))))
    same(numpy.isnan(y), marked == 1)
    clean = first(run(implementation, case))
    alike(operation, y[marked == 0], clean[marked == 0])


@pytest.mark.parametrize("operation", MAXIMA)
@law(data=st.data())
def test_a_maximum_of_minus_infinities_is_minus_infinity(
    implementation: Any, operation: str, data: Any
) -> None:
    """The map that sends the lower numbers to minus infinity and the others to themselves is
    monotone, and commutes with a maximum as others do.
    """
    case = data.draw(calls(operation))
    least = data.draw(st.integers(-7, 9))

    def phi(x: Any) -> Any:
        return numpy.where(x < least, -numpy.inf, x)

    y = first(run(implementation, with_input(case, phi(case.operands["input"]))))
    same(y, phi(first(run(implementation, case))))

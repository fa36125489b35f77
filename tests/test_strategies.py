"""The strategies reach every corner, shrink to the simplest call, and never draw an invalid one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from convspec.case import Case, call_windows, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.strategies import arrays, calls, extreme_floats, geometries
from convspec.window import extent, output_size, taps

# The operations of the first chapters; `test_strategies_b.py` has the others.
DRAWN = [
    *("convolve", "correlate", "conv", "conv_transpose"),
    *("max_pool", "max_pool_with_indices", "average_pool"),
]
NAMES = [*DRAWN, *(f"{name}_vjp" for name in DRAWN)]
SLIDING = [name for name in DRAWN if OPERATIONS[name].operands[0] == "input"]
POOLS = [name for name in SLIDING if "weight" not in OPERATIONS[name].operands]
CONVS = [name for name in SLIDING if name not in POOLS]

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def minimal(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    """The simplest value that satisfies the condition."""
    return find(
        strategy, condition, settings=settings(unhurried, max_examples=5000, derandomize=True)
    )


def find_any(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    """Some value that satisfies the condition: an error where none turns up, for it must not
    take luck to reach a corner.
    """
    hasty = settings(unhurried, max_examples=2000, derandomize=True, phases=[Phase.generate])
    return find(strategy, condition, settings=hasty)


def windows(operation: str, geometry: tuple[dict[str, Any], dict[str, Any]]) -> Any:
    return call_windows(forward_name(operation), *geometry)


def axes(operation: str, geometry: Any) -> list[tuple[int, Any]]:
    """The size of each axis and the window on it."""
    sizes = geometry[0]["input"][2:]
    return list(zip(sizes, windows(operation, geometry), strict=True))


def some_axis(operation: str, condition: Callable[[int, Any], bool]) -> Callable[[Any], bool]:
    return lambda geometry: any(condition(n, w) for n, w in axes(operation, geometry))


# The corners of one axis, as conditions on its size and window.
CORNERS: dict[str, Callable[[int, Any], bool]] = {
    "low padding apart from high": lambda n, w: 0 < w.low < w.high,
    "high padding apart from low": lambda n, w: 0 < w.high < w.low,
    "low padding alone": lambda n, w: w.low > 0 and w.high == 0,
    "high padding alone": lambda n, w: w.high > 0 and w.low == 0,
    "even kernel": lambda n, w: w.kernel in (2, 4),
    "even kernel of four": lambda n, w: w.kernel == 4,
    "stride beyond kernel": lambda n, w: w.stride > w.kernel > 1,
    "stride beyond extent": lambda n, w: w.stride > extent(w) and w.kernel > 1 and n > w.stride,
    "dilation with padding": lambda n, w: w.dilation > 1 and w.kernel > 1 and w.low > 0,
    "dilation apart from stride": lambda n, w: 1 < w.dilation < w.stride and w.kernel > 1,
    "dilation start off the grid": lambda n, w: w.kernel > 1 and w.low % w.dilation > 0,
    "one element": lambda n, w: n == 1 and w.kernel > 1,
    "the longest axis": lambda n, w: n == 8 and w.kernel > 1,
    "unit stride alone": lambda n, w: n > 4 and w.kernel > 1 and w[1:5] == (1, 0, 0, 1),
}
GATHERED = {
    "remainder": lambda n, w: (n + w.low + w.high - extent(w)) % w.stride > 0,
    "remainder hides data": lambda n, w: (
        w.high == 0 and 0 < (n + w.low - extent(w)) % w.stride < n and output_size(n, w) > 1
    ),
    "kernel larger than the input": lambda n, w: extent(w) > n > 1,
    "kernel equal to the input": lambda n, w: w.kernel == n > 1,
    "several strided outputs": lambda n, w: w.stride > 1 and output_size(n, w) > 2,
    "overlap with stride": lambda n, w: 1 < w.stride < w.kernel and output_size(n, w) > 2,
}


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("operation", SLIDING)
def test_every_corner_of_an_axis_is_reached(operation: str, corner: str) -> None:
    found = find_any(geometries(operation), some_axis(operation, CORNERS[corner]))
    assert some_axis(operation, CORNERS[corner])(found)


@pytest.mark.parametrize("corner", GATHERED)
@pytest.mark.parametrize("operation", [name for name in SLIDING if name != "conv_transpose"])
def test_every_corner_of_a_gathering_axis_is_reached(operation: str, corner: str) -> None:
    found = find_any(geometries(operation), some_axis(operation, GATHERED[corner]))
    assert some_axis(operation, GATHERED[corner])(found)


@pytest.mark.parametrize("operation", CONVS)
def test_padding_beyond_the_kernel_is_reached(operation: str) -> None:
    find_any(geometries(operation), some_axis(operation, lambda n, w: w.low > extent(w) > 1))
    find_any(geometries(operation), some_axis(operation, lambda n, w: w.high > extent(w) > 1))


def test_a_conv_window_without_any_element_is_reached() -> None:
    def empty(n: int, w: Any) -> bool:
        return any(not taps(n, w, i) for i in range(output_size(n, w)))

    find_any(geometries("conv"), some_axis("conv", empty))


@pytest.mark.parametrize("operation", POOLS)
def test_ceil_mode_reaches_overhang_and_dropped_windows(operation: str) -> None:
    def overhang(n: int, w: Any) -> bool:
        return w.ceil and output_size(n, w) > output_size(n, w._replace(ceil=False))

    def dropped(n: int, w: Any) -> bool:
        room = n + w.low + w.high - extent(w)
        return w.ceil and output_size(n, w) < -(-room // w.stride) + 1

    for condition in (overhang, dropped):
        find_any(geometries(operation), some_axis(operation, condition))
    find_any(
        geometries(operation), some_axis(operation, lambda n, w: overhang(n, w) and w.dilation > 1)
    )


def test_an_average_counts_padding_with_and_without_overhang() -> None:
    for include in (False, True):
        for ceil in (False, True):
            find_any(
                geometries("average_pool"),
                lambda g, include=include, ceil=ceil: (
                    g[1]["count_include_pad"] is include
                    and some_axis("average_pool", lambda n, w: w.low > 0 and w.ceil is ceil)(g)
                ),
            )


def test_output_padding_reaches_its_bound_by_stride_and_by_dilation() -> None:
    def extra(condition: Callable[[int, int, int], bool]) -> Callable[[Any], bool]:
        return lambda geometry: any(
            condition(*numbers)
            for numbers in zip(
                geometry[1]["output_padding"],
                geometry[1]["stride"],
                geometry[1]["dilation"],
                strict=True,
            )
        )

    for condition in (
        lambda p, s, d: p == s - 1 > d,
        lambda p, s, d: p == d - 1 > s - 1,
        lambda p, s, d: 0 < p < s,
    ):
        find_any(geometries("conv_transpose"), extra(condition))


@pytest.mark.parametrize("operation", CONVS)
def test_channels_and_groups_reach_every_kind(operation: str) -> None:
    def numbers(geometry: Any) -> tuple[int, int, int]:
        shapes, groups = geometry[0], geometry[1]["groups"]
        inputs = shapes["input"][1]
        outputs = shapes["weight"][0] if operation == "conv" else shapes["weight"][1] * groups
        return inputs, outputs, groups

    kinds: list[Callable[[int, int, int], bool]] = [
        lambda c, o, g: g == c == o > 1,  # depthwise
        lambda c, o, g: g == c and o == 2 * c > 2,  # depthwise with a multiplier
        lambda c, o, g: g > 1 and c // g > 1 and o // g > 1 and c != o,
        lambda c, o, g: c % 2 == 1 and c > 4,
        lambda c, o, g: o % 2 == 1 and o > 4,
        lambda c, o, g: g == 1 and c > 1 and o > 1,
    ]
    for kind in kinds:
        find_any(geometries(operation), lambda g, kind=kind: kind(*numbers(g)))
    find_any(geometries(operation), lambda g: "bias" in g[0])
    find_any(geometries(operation), lambda g: "bias" not in g[0])


@pytest.mark.parametrize("operation", SLIDING)
def test_every_batch_and_rank_is_reached(operation: str) -> None:
    for batch in range(4):
        find_any(geometries(operation), lambda g, batch=batch: g[0]["input"][0] == batch)
    for rank in (1, 2, 3):
        find_any(geometries(operation), lambda g, rank=rank: len(g[0]["input"]) == 2 + rank)


@pytest.mark.parametrize("operation", SLIDING)
def test_axes_differ_in_everything_at_once(operation: str) -> None:
    def differ(geometry: Any) -> bool:
        both = axes(operation, geometry)
        if len(both) != 2:
            return False
        (n, v), (m, w) = both
        names = ("kernel", "stride", "dilation", "low", "high")
        return n != m and all(getattr(v, name) != getattr(w, name) for name in names)

    find_any(geometries(operation), differ)


@pytest.mark.parametrize("operation", ["convolve", "correlate"])
def test_full_convolutions_reach_every_mode_and_order(operation: str) -> None:
    for mode in ("full", "same", "valid"):
        for sign in (1, -1):
            find_any(
                geometries(operation),
                lambda g, mode=mode, sign=sign: (
                    g[1]["mode"] == mode
                    and all(sign * n > sign * m for n, m in zip(g[0]["f"], g[0]["g"], strict=True))
                ),
            )
    # Neither inside the other: only `valid` forbids that.
    find_any(
        geometries(operation),
        lambda g: len({n > m for n, m in zip(g[0]["f"], g[0]["g"], strict=True) if n != m}) == 2,
    )


@pytest.mark.once
@pytest.mark.parametrize("operation", NAMES)
def test_the_minimum_is_the_simplest_call(operation: str) -> None:
    case = minimal(calls(operation), lambda _: True)
    for array in case.operands.values():
        assert array.size == 1
        assert not array.any()
    simplest = {
        "mode": "full",
        "kernel_size": (1,),
        "stride": (1,),
        "padding": ((0, 0),),
        "dilation": (1,),
        "groups": 1,
        "output_padding": (0,),
        "ceil_mode": False,
        "count_include_pad": False,
    }
    assert case.attributes == {name: simplest[name] for name in case.attributes}
    assert "bias" not in case.operands


@pytest.mark.parametrize("operation", SLIDING)
def test_one_demand_leaves_everything_else_simple(operation: str) -> None:
    """Shrinking moves one number at a time: only what the demand needs is large."""
    shapes, attributes = minimal(
        geometries(operation), some_axis(operation, lambda n, w: w.stride == 3 and w.low > 0)
    )
    assert attributes["stride"] == (3,)
    assert attributes["padding"][0][0] == 1
    assert attributes["dilation"] == (1,)
    assert shapes["input"][:2] == (1, 1)
    assert attributes["kernel_size" if operation in POOLS else "dilation"] in ((1,), (2,))


@pytest.mark.parametrize("operation", NAMES)
@given(data=st.data())
@settings(unhurried)
def test_every_call_is_accepted_with_the_shape_the_table_promises(
    operation: str, data: st.DataObject
) -> None:
    case: Case = data.draw(calls(operation))
    row = OPERATIONS[forward_name(operation)]
    shapes = {name: array.shape for name, array in case.operands.items()}
    forward = {name: shape for name, shape in shapes.items() if name != "cotangent"}
    assert case.attributes == normalised(operation, forward, case.attributes)
    promised = row.shape(*forward.values(), **case.attributes)
    if operation == row.name:
        results = row.definition(*case.operands.values(), **case.attributes)
        assert [numpy.shape(y) for y in (results if row.outputs > 1 else (results,))] == [
            promised
        ] * row.outputs
    else:
        assert shapes["cotangent"] == promised
        results = row.vjp(*case.operands.values(), **case.attributes)
        assert [result.shape for result in results] == list(forward.values())


@pytest.mark.parametrize("operation", NAMES)
def test_geometries_and_calls_agree_on_operands(operation: str) -> None:
    shapes, _ = find_any(geometries(operation), lambda g: min(map(min, g[0].values())) > 0)
    row = OPERATIONS[forward_name(operation)]
    order = (*(["cotangent"] if operation != row.name else []), *row.operands)
    assert list(shapes) == [name for name in order if name in shapes]
    assert set(order) - set(shapes) <= set(row.optional)


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(ValueError, match="operation='dense': must be one of convolve"):
        minimal(geometries("dense"), lambda _: True)


@given(arrays((40,), "int64"))
def test_elements_are_small_integers(x: Any) -> None:
    assert x.dtype == numpy.int64
    assert x.min() >= -7
    assert x.max() <= 8


def test_no_array_is_mostly_one_repeated_value() -> None:
    """A default fill repeats one value; elements drawn apart are mostly different."""

    def distinct(x: Any) -> bool:
        return len(numpy.unique(x)) > 12

    find_any(arrays((40,)), distinct)
    find_any(arrays((40,), elements=st.integers(0, 100)), distinct)
    drawn: list[Any] = []

    @settings(unhurried, max_examples=50, database=None, phases=[Phase.generate])
    @given(arrays((40,)))
    def collect(x: Any) -> None:
        drawn.append(len(numpy.unique(x)))

    collect()
    assert sorted(drawn)[len(drawn) // 2] > 10


def test_arrays_shrink_element_by_element() -> None:
    x = minimal(arrays((2, 3)), lambda x: x[1, 2] < -3)
    numpy.testing.assert_array_equal(x, [[0, 0, 0], [0, 0, -4]])


def test_unsigned_arrays_hold_no_sign() -> None:
    for value in range(16):
        find_any(arrays((3,), "uint8"), lambda x, value=value: value in x)
    assert minimal(arrays((3,), "uint8"), lambda x: x.min() > 0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_extreme_floats_reach_the_edges_of_their_dtype(dtype: str) -> None:
    info = numpy.finfo(dtype)
    conditions: list[Callable[[float], bool]] = [
        numpy.isnan,
        lambda x: x == numpy.inf,
        lambda x: x == -numpy.inf,
        lambda x: x == info.max,
        lambda x: x == info.smallest_subnormal,
        lambda x: x == -info.smallest_normal,
        lambda x: x == 1 + float(info.eps),
        lambda x: x == 0 and numpy.signbit(x),
    ]
    for condition in conditions:
        find_any(extreme_floats(dtype), condition)
    case = find_any(
        calls("conv", dtype=dtype, elements=extreme_floats(dtype)),
        lambda case: bool(numpy.isnan(case.operands["input"]).any()),
    )
    assert all(array.dtype == dtype for array in case.operands.values())
    assert minimal(extreme_floats(dtype), lambda _: True) == 0

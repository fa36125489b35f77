"""The strategies of the later chapters: every row of the table drawn, every corner reached."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convspec.case import call_windows, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.strategies import GEOMETRIES, calls, extreme_floats, geometries
from convspec.window import Window, adaptive_range, extent, output_size
from tests.test_strategies import DRAWN, find_any, minimal, unhurried

LATER = [name for name in GEOMETRIES if name not in DRAWN]
NAMES = [*LATER, *(f"{name}_vjp" for name in LATER)]


def shape_of(operand: Any) -> Any:
    return [one.shape for one in operand] if isinstance(operand, list) else operand.shape


def forward_shapes(case: Any) -> dict[str, Any]:
    return {n: shape_of(operand) for n, operand in case.operands.items() if n != "cotangent"}


def test_every_row_of_the_table_is_drawn() -> None:
    assert list(GEOMETRIES) == list(OPERATIONS)


@pytest.mark.parametrize("operation", NAMES)
@given(data=st.data())
@settings(unhurried)
def test_every_call_is_accepted_with_the_shape_the_table_promises(
    operation: str, data: st.DataObject
) -> None:
    case = data.draw(calls(operation))
    row = OPERATIONS[forward_name(operation)]
    forward = forward_shapes(case)
    assert case.attributes == normalised(operation, forward, case.attributes)
    promised = row.shape(*forward.values(), **case.attributes)
    if operation == row.name:
        assert row.definition(*case.operands.values(), **case.attributes).shape == promised
        return
    assert case.operands["cotangent"].shape == promised
    results = row.vjp(*case.operands.values(), **case.attributes)
    due = [shape for name, shape in forward.items() if name not in row.discrete]
    flat = [one for shape in due for one in (shape if isinstance(shape, list) else [shape])]
    assert [result.shape for result in results] == flat


@pytest.mark.parametrize("operation", NAMES)
def test_operands_come_in_order_and_in_the_dtype_asked_for(operation: str) -> None:
    case = find_any(calls(operation, dtype="float32"), lambda _: True)
    row = OPERATIONS[forward_name(operation)]
    order = [*(["cotangent"] if operation != row.name else []), *row.operands]
    assert list(case.operands) == [name for name in order if name in case.operands]
    assert set(order) - set(case.operands) <= set(row.optional)
    for name, operand in case.operands.items():
        for one in operand if name in row.lists else [operand]:
            assert one.dtype == ("int64" if name in row.discrete else "float32")


# The one call that everything shrinks to.
SIMPLEST = {
    "kernel_size": (1,),
    "stride": (1,),
    "padding": ((0, 0),),
    "dilation": (1,),
    "ceil_mode": False,
    "p": 1,
    "output_size": (1,),
    "levels": (1,),
    "scale": (1,),
    "count": (0,),
    "factor": (1,),
    "coordinates": "half_pixel",
    "axis": 0,
    "rate": 0.0,
    "strength": 1.0,
    "epsilon": 0.0,
    "size": 1,
    "alpha": 0.0,
    "beta": 0.0,
    "k": 1.0,
}


@pytest.mark.once
@pytest.mark.parametrize("operation", NAMES)
def test_the_minimum_is_the_simplest_call(operation: str) -> None:
    case = minimal(calls(operation), lambda _: True)
    kind = "max" if "pyramid" in operation else "nearest"
    assert case.attributes == {name: {**SIMPLEST, "kind": kind}[name] for name in case.attributes}
    for name, operand in case.operands.items():
        for one in operand if isinstance(operand, list) else [operand]:
            assert one.size == 1
            # Without an epsilon a variance cannot be 0.
            assert one.item() == (1 if name == "variance" else 0)
    assert "bias" not in case.operands


SLIDING = [
    "depthwise_conv",
    "depthwise_separable_conv",
    "spatially_separable_conv",
    "locally_connected",
    "resize_conv",
    "lp_pool",
    "distance_weighted_pool",
]
DILATED = ["depthwise_conv", "depthwise_separable_conv", "locally_connected", "lp_pool"]
STRIDED = [name for name in SLIDING if name != "resize_conv"]


def some_axis(operation: str, condition: Callable[[int, Window], bool]) -> Callable[[Any], bool]:
    """Whether a geometry has an axis with this size and window."""

    def holds(geometry: Any) -> bool:
        shapes, attributes = geometry
        sizes = shapes["input"][2:]
        if "scale" in attributes:
            sizes = tuple(n * s for n, s in zip(sizes, attributes["scale"], strict=True))
        sliding = call_windows(operation, shapes, attributes)
        return any(condition(n, window) for n, window in zip(sizes, sliding, strict=True))

    return holds


@pytest.mark.parametrize("operation", SLIDING)
def test_corners_of_every_window(operation: str) -> None:
    corners: list[Callable[[int, Window], bool]] = [
        lambda n, w: 0 < w.low < w.high,
        lambda n, w: 0 < w.high < w.low,
        lambda n, w: w.low > 0 and w.high == 0,
        lambda n, w: w.high > 0 and w.low == 0,
        lambda n, w: w.kernel == 4,
        lambda n, w: extent(w) > n > 1,
        lambda n, w: w.kernel == n > 1,
        lambda n, w: n == 8 and w.kernel > 1,
        lambda n, w: n > 4 and w.kernel > 1 and w[1:5] == (1, 0, 0, 1),
    ]
    for corner in corners:
        find_any(geometries(operation), some_axis(operation, corner))
    for rank in (1, 2, 3):
        find_any(geometries(operation), lambda g, rank=rank: len(g[0]["input"]) == 2 + rank)
    for batch in range(4):
        find_any(geometries(operation), lambda g, batch=batch: g[0]["input"][0] == batch)


@pytest.mark.parametrize("operation", STRIDED)
def test_corners_of_a_stride(operation: str) -> None:
    corners: list[Callable[[int, Window], bool]] = [
        lambda n, w: w.stride > w.kernel > 1,
        lambda n, w: 1 < w.stride < w.kernel and output_size(n, w) > 2,
        lambda n, w: (n + w.low + w.high - extent(w)) % w.stride > 0 and output_size(n, w) > 1,
    ]
    for corner in corners:
        find_any(geometries(operation), some_axis(operation, corner))


@pytest.mark.parametrize("operation", DILATED)
def test_corners_of_a_dilation(operation: str) -> None:
    corners: list[Callable[[int, Window], bool]] = [
        lambda n, w: w.dilation > 1 and w.kernel > 1 and w.low > 0,
        lambda n, w: w.kernel > 1 and w.low % w.dilation > 0,
        lambda n, w: 1 < w.dilation < w.stride and w.kernel > 1,
    ]
    for corner in corners:
        find_any(geometries(operation), some_axis(operation, corner))


def reached(operation: str, *conditions: Callable[[Any, Any], bool]) -> None:
    """Some geometry satisfies each condition on its shapes and attributes."""
    for condition in conditions:
        find_any(geometries(operation), lambda g, condition=condition: condition(*g))


@pytest.mark.parametrize("operation", [n for n in LATER if "bias" in OPERATIONS[n].operands])
def test_a_bias_is_given_and_is_left_out(operation: str) -> None:
    reached(operation, lambda s, a: "bias" in s, lambda s, a: "bias" not in s)


def test_channels_of_the_separable_convolutions() -> None:
    for operation, weight in (
        ("depthwise_conv", "weight"),
        ("depthwise_separable_conv", "depthwise"),
    ):
        reached(
            operation,
            lambda s, a, w=weight: s[w][0] == s["input"][1] == 3,
            lambda s, a, w=weight: s[w][0] == 2 * s["input"][1] > 2,
            lambda s, a, w=weight: s[w][0] == 3 * s["input"][1] == 3,
        )
    for operation in ("pointwise_conv", "linear"):
        reached(
            operation,
            lambda s, a: s["weight"][0] > s["weight"][1] > 1,
            lambda s, a: 1 < s["weight"][0] < s["weight"][1],
            lambda s, a: s["weight"][0] == s["weight"][1] > 1,
        )


def test_factors_differ_in_length() -> None:
    reached(
        "spatially_separable_conv",
        lambda s, a: len(set(s["factors"])) == 3,
        lambda s, a: len(s["factors"]) == 2 and s["factors"][0] < s["factors"][1],
    )


def test_norms_of_every_exponent() -> None:
    reached("lp_pool", *[lambda s, a, p=p: a["p"] == p and a["ceil_mode"] for p in (1, 2, 3, 1.5)])


@pytest.mark.parametrize("operation", ["adaptive_max_pool", "adaptive_average_pool"])
def test_adaptive_windows_divide_overlap_and_repeat(operation: str) -> None:
    def overlapping(n: int, o: int) -> bool:
        ranges = [adaptive_range(n, o, i) for i in range(o)]
        return any(a[-1] >= b[0] for a, b in pairwise(ranges))

    def some(condition: Callable[[int, int], bool]) -> Callable[[Any, Any], bool]:
        return lambda s, a: any(
            condition(n, o) for n, o in zip(s["input"][2:], a["output_size"], strict=True)
        )

    reached(
        operation,
        some(lambda n, o: n % o == 0 and 1 < o < n),
        some(lambda n, o: overlapping(n, o) and o < n),
        some(lambda n, o: o > n > 1),
        some(lambda n, o: o == n > 1),
        lambda s, a: len(set(a["output_size"])) == 3,
    )


def test_pyramids_of_every_kind() -> None:
    reached(
        "spatial_pyramid_pool",
        *[lambda s, a, k=k: a["kind"] == k and len(a["levels"]) > 1 for k in ("max", "average")],
        lambda s, a: a["levels"] == tuple(sorted(a["levels"])) and len(set(a["levels"])) == 3,
        lambda s, a: len(a["levels"]) == 3 and len(set(a["levels"])) == 2,
        lambda s, a: max(a["levels"]) > min(s["input"][2:]),
    )


def test_switches_repeat_and_leave_places_out() -> None:
    def condition(found: Callable[[Any, Any], bool]) -> Callable[[Any], bool]:
        return lambda case: (
            case.operands["values"].size > 0
            and found(case.operands["indices"][0, 0].ravel(), case.attributes["output_size"])
        )

    for kind in (
        lambda i, o: len(set(i)) < len(i) and len(set(i)) > 2,
        lambda i, o: len(set(i)) == len(i) > 2,
        lambda i, o: len(i) > prod(o) > 2,
        lambda i, o: set(i) == set(range(prod(o))) and prod(o) > 2,
        lambda i, o: list(i) != sorted(i),
        lambda i, o: len(o) > 1 and max(i) == prod(o) - 1 > 3,
    ):
        find_any(calls("max_unpool"), condition(kind))


@pytest.mark.parametrize("operation", ["upsample", "resize_conv"])
def test_scales_differ_from_axis_to_axis(operation: str) -> None:
    reached(
        operation,
        lambda s, a: len(set(a["scale"])) == 2 and min(a["scale"]) > 1,
        lambda s, a: 3 in a["scale"] and min(s["input"][2:]) > 1,
        lambda s, a: 1 in s["input"][2:] and min(a["scale"]) > 1,
        *[lambda s, a, k=k: a["kind"] == k for k in ("nearest", "linear")],
    )
    if operation == "upsample":
        words = ("half_pixel", "asymmetric", "align_corners")
        reached(
            operation,
            *[
                lambda s, a, w=w: (
                    a["coordinates"] == w and a["kind"] == "linear" and max(a["scale"]) > 2
                )
                for w in words
            ],
        )


def test_counts_and_factors_differ_from_axis_to_axis() -> None:
    reached("insert_zeros", lambda s, a: len(set(a["count"])) == 3, lambda s, a: 4 in a["count"])
    reached(
        "pixel_shuffle",
        lambda s, a: len(set(a["factor"])) == 2 and min(a["factor"]) > 1,
        lambda s, a: s["input"][1] > 2 * prod(a["factor"]) > 4,
    )


@pytest.mark.parametrize("operation", ["relu", "sigmoid", "tanh", "dropout", "l2_penalty"])
def test_elementwise_operations_take_any_shape(operation: str) -> None:
    (operand, *_) = OPERATIONS[operation].operands
    reached(operation, *[lambda s, a, r=r: len(s[operand]) == r for r in range(6)])
    reached(operation, lambda s, a: 0 in s[operand])


@pytest.mark.parametrize(
    "operation", ["flatten", "softmax", "batch_norm", "local_response_normalization"]
)
def test_layers_take_images_with_and_without_spatial_axes(operation: str) -> None:
    reached(operation, *[lambda s, a, r=r: len(s["input"]) == r for r in (2, 3, 4, 5)])
    reached(operation, lambda s, a: s["input"][0] == 0, lambda s, a: len(set(s["input"])) == 5)


def test_softmax_over_every_axis() -> None:
    reached("softmax", *[lambda s, a, axis=axis: a["axis"] == axis for axis in range(5)])
    reached("softmax", lambda s, a: s["input"][0] == 0 and a["axis"] > 1)


def test_masks_and_labels_hold_every_value() -> None:
    for value in (0, 1):
        find_any(calls("dropout"), lambda case, value=value: value in case.operands["mask"])
    find_any(calls("dropout"), lambda case: set(case.operands["mask"].flat) == {0, 1})
    find_any(calls("cross_entropy"), lambda case: len(set(case.operands["labels"])) == 4)
    find_any(
        calls("cross_entropy"),
        lambda case: case.operands["labels"].max() == case.operands["logits"].shape[1] - 1 == 5,
    )


def test_variances_are_positive_where_epsilon_is_not() -> None:
    find_any(
        calls("batch_norm"),
        lambda case: case.attributes["epsilon"] > 0 and 0 in case.operands["variance"],
    )
    find_any(
        calls("batch_norm"),
        lambda case: case.attributes["epsilon"] == 0 and len(set(case.operands["variance"])) > 2,
    )


def test_response_windows_are_even_odd_and_wider_than_the_channels() -> None:
    name = "local_response_normalization"
    reached(
        name,
        lambda s, a: a["size"] % 2 == 0 and a["size"] < s["input"][1] and a["alpha"] > 0,
        lambda s, a: a["size"] % 2 == 1 < a["size"] < s["input"][1] and a["alpha"] > 0,
        lambda s, a: a["size"] > s["input"][1] > 1,
        *[lambda s, a, b=b: a["beta"] == b and a["alpha"] == 1.0 for b in (0.0, 0.5, 0.75, 1.0)],
    )


@pytest.mark.parametrize("operation", LATER)
def test_elements_of_ones_own_reach_the_floating_operands(operation: str) -> None:
    row = OPERATIONS[operation]
    (name, *_) = row.operands

    def spoilt(case: Any) -> bool:
        return bool(numpy.isnan(case.operands[name]).any())

    find_any(calls(operation, elements=extreme_floats()), spoilt)

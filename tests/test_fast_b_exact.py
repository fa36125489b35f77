"""The other twins are their definitions: equal wherever nothing rounds, and in every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from inspect import signature
from typing import Any

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convspec import fast
from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.strategies import calls
from tests import test_fast
from tests.test_fast import (
    BLOCKS,
    FLOATS,
    SPECIAL,
    assert_exact,
    both,
    definition,
    odd_views,
    outputs,
)
from tests.valid_calls import BAD, BAD_HERE, shape_of, valid_call, wrong_shapes

EVERY = [name + suffix for name in OPERATIONS for suffix in ("", "_vjp")]
NAMES = [name for name in EVERY if name not in test_fast.NAMES]
# What is not a float they leave to the definitions; `test_the_dtype_table_of_the_definitions` and
# `test_left_to_the_definitions` are enough for that.
ON_FLOATS = {
    "lp_pool", "distance_weighted_pool", "sigmoid", "tanh", "softmax", "dropout",
    "cross_entropy", "l2_penalty", "batch_norm", "local_response_normalization",
}  # fmt: skip
EXACT = [name for name in NAMES if forward_name(name) not in ON_FLOATS]


def rounds(case: Case) -> bool:
    """Whether a call on floats rounds in another order than its definition, or by functions that
    are not the same.
    """
    name, kind = forward_name(case.operation), case.attributes.get("kind")
    if name == "batch_norm" and case.operation == name:
        return False  # the same operations in the same order
    if OPERATIONS[name].rounding == "elementary" or name == "l2_penalty":
        return True
    if name in {"upsample", "resize_conv"}:
        return kind == "linear"
    return averages_back(case)


def averages_back(case: Case) -> bool:
    """Whether a call sums quotients, which round even where the operands are integers."""
    if case.operation == "spatial_pyramid_pool_vjp":
        return case.attributes["kind"] == "average"
    return case.operation == "adaptive_average_pool_vjp"


def test_every_operation_has_a_twin() -> None:
    offered = {name for name in fast.__all__ if callable(getattr(fast, name))}
    assert offered == set(EVERY)
    for name in EVERY:
        assert signature(getattr(fast, name)) == signature(definition(name))
        assert getattr(fast, name) is not definition(name)


@pytest.mark.parametrize("name", [name for name in EXACT if name != "adaptive_average_pool_vjp"])
@given(data=st.data())
def test_equal_on_integers(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(["int64", "int8", "uint16", "uint64"]))
    case = data.draw(calls(name, dtype=dtype))
    assume(not averages_back(case))
    with data.draw(BLOCKS):
        assert_exact(case)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_equal_on_floats_that_are_small_integers(name: str, data: st.DataObject) -> None:
    case = data.draw(calls(name, dtype=data.draw(st.sampled_from(FLOATS))))
    with data.draw(BLOCKS):
        if rounds(case):
            list(both(case))
        else:
            assert_exact(case)


@pytest.mark.parametrize("name", EXACT)
@given(data=st.data())
def test_equal_on_fractions(name: str, data: st.DataObject) -> None:
    fractions = st.fractions(-9, 9, max_denominator=7)
    case = data.draw(calls(name, dtype=object, elements=fractions))
    with data.draw(BLOCKS):
        assert_exact(case)


@pytest.mark.parametrize("name", [name for name in EXACT if name != "adaptive_average_pool_vjp"])
@given(data=st.data())
def test_exact_beyond_the_machine_integers(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(sorted(test_fast.LARGE_INTEGERS)))
    case = data.draw(calls(name, dtype=dtype, elements=test_fast.LARGE_INTEGERS[dtype]))
    assume(not averages_back(case))
    with data.draw(BLOCKS):
        assert_exact(case)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(EXACT)))
@pytest.mark.parametrize("dtype", ["int64", object])
def test_left_to_the_definitions(name: str, dtype: Any) -> None:
    call = valid_call(name)
    operands = {key: numpy.asarray(value).astype(dtype) for key, value in call.operands.items()}
    if "labels" in operands:
        operands["labels"] = numpy.array([0, 2])
    assert_exact(Case(name, operands, call.attributes))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_special_values_reach_the_same_outputs(name: str, data: st.DataObject) -> None:
    """Those that are not finite are equal; the others are where nothing rounds."""
    case = data.draw(calls(name, dtype=data.draw(st.sampled_from(FLOATS)), elements=SPECIAL))
    with data.draw(BLOCKS):
        if not rounds(case):
            assert_exact(case)
            return
        for expected, actual in both(case):
            finite = numpy.isfinite(expected)
            assert numpy.array_equal(numpy.isfinite(actual), finite)
            assert numpy.array_equal(actual[~finite], expected[~finite], equal_nan=True)


def each(operands: dict[str, Any]) -> list[numpy.ndarray]:
    """Every array of a call, those of a list one by one."""
    return [
        array
        for operand in operands.values()
        for array in (operand if isinstance(operand, list) else [operand])
    ]


def odd_views_of_any_rank(array: numpy.ndarray) -> Iterator[numpy.ndarray]:
    """`odd_views`, which gives a single number an axis."""
    return (view.reshape(array.shape) if array.ndim == 0 else view for view in odd_views(array))


def in_layouts(operands: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same operands in other layouts."""
    every = zip(*map(odd_views_of_any_rank, each(operands)), strict=True)
    for views in every:
        left = iter(views)
        yield {
            name: [next(left) for _ in operand] if isinstance(operand, list) else next(left)
            for name, operand in operands.items()
        }


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_layouts_do_not_matter_and_arguments_stay(name: str, data: st.DataObject) -> None:
    case = data.draw(calls(name, dtype=data.draw(st.sampled_from(["float32", "int64"]))))
    expected = outputs(getattr(fast, name), case)
    for operands in in_layouts(case.operands):
        views = each(operands)
        for view in views:
            view.setflags(write=False)
        before = [view.copy() for view in views]
        actual = outputs(getattr(fast, name), case._replace(operands=operands))
        for one, other in zip(expected, actual, strict=True):
            assert numpy.array_equal(one, other)
            assert not any(numpy.shares_memory(other, view) for view in views)
            assert other.flags.writeable
        assert all(numpy.array_equal(*pair) for pair in zip(before, views, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_dtype_table_of_the_definitions(name: str) -> None:
    call = valid_call(name)
    row = OPERATIONS[forward_name(name)]
    first = next(iter(call.operands))
    for one in test_fast.DTYPES:
        for other in test_fast.DTYPES:
            operands = {
                key: value
                if key in row.discrete
                else [numpy.asarray(part).astype(other) for part in value]
                if isinstance(value, list)
                else numpy.asarray(value).astype(one if key == first else other)
                for key, value in call.operands.items()
            }
            list(both(Case(name, operands, call.attributes)))


def refusal(function: Any, operands: dict[str, Any], attributes: dict[str, Any]) -> Any:
    with pytest.raises((ValueError, TypeError)) as refused:
        function(*operands.values(), **attributes)
    return refused.type, str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_bad_attributes_are_refused_as_the_definition_refuses_them(name: str) -> None:
    call = valid_call(name)
    bad = [(key, value) for key in call.attributes for value in BAD[key]]
    for key, value in [*bad, *BAD_HERE.get(forward_name(name), [])]:
        attributes = {**call.attributes, key: value}
        expected = refusal(definition(name), call.operands, attributes)
        assert refusal(getattr(fast, name), call.operands, attributes) == expected


@pytest.mark.parametrize("name", NAMES)
def test_bad_shapes_are_refused_as_the_definition_refuses_them(name: str) -> None:
    call = valid_call(name)
    for key, value in call.operands.items():
        if isinstance(value, list):
            continue
        for shape in wrong_shapes(name, key):
            operands = {**call.operands, key: numpy.ones(shape, numpy.asarray(value).dtype)}
            expected = refusal(definition(name), operands, call.attributes)
            assert refusal(getattr(fast, name), operands, call.attributes) == expected
        operands = {**call.operands, key: numpy.asarray(value).astype(complex)}
        expected = refusal(definition(name), operands, call.attributes)
        assert refusal(getattr(fast, name), operands, call.attributes) == expected


UNUSABLE = [
    ("max_unpool", {"indices": numpy.array([[[[0, 3], [8, 12]]]])}),
    ("max_unpool", {"indices": numpy.array([[[[0, 3], [8, -1]]]])}),
    ("max_unpool", {"indices": numpy.array([[[[0.0, 3.0], [8.0, 1.0]]]])}),
    ("max_unpool", {"values": numpy.array([[[[1.0, 3.0], [8.0, 1.5]]]]),
                    "indices": numpy.array([[[[3, 5], [6, 3]]]])}),
    ("dropout", {"mask": numpy.array([[1, 0, 1], [0, 2, 1]])}),
    ("dropout", {"mask": numpy.array([[1, 0, numpy.nan], [0, 1, 1]])}),
    ("cross_entropy", {"labels": numpy.array([0, 3])}),
    ("cross_entropy", {"labels": numpy.array([0.0, 1.0])}),
    ("batch_norm", {"variance": numpy.array([1.0, -0.125, 1.0, 1.0])}),
    ("spatially_separable_conv", {"factors": 3}),
    ("spatially_separable_conv", {"factors": [numpy.ones(2)]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wrong"), UNUSABLE)
@pytest.mark.parametrize("suffix", ["", "_vjp"])
def test_unusable_operands_are_refused_as_the_definition_refuses_them(
    name: str, wrong: dict[str, Any], suffix: str
) -> None:
    call = valid_call(name + suffix)
    operands = {**call.operands, **wrong}
    expected = refusal(definition(name + suffix), operands, call.attributes)
    assert refusal(getattr(fast, name + suffix), operands, call.attributes) == expected


def test_an_infinite_weight_of_a_local_connection_on_padding_contributes_nothing() -> None:
    x, w = numpy.ones((1, 1, 2)), numpy.ones((1, 1, 3, 2))
    w[0, 0, 0, 0] = w[0, 0, 2, 1] = numpy.inf
    assert fast.locally_connected(x, w, padding=1).tolist() == [[[1.0, 2.0, 1.0]]]


def test_a_neighbour_of_weight_0_need_not_be_finite() -> None:
    x = numpy.array([[[1.0, numpy.inf]]])
    y = fast.upsample(x, scale=2, kind="linear", coordinates="asymmetric")
    assert y.tolist() == [[[1.0, numpy.inf, numpy.inf, numpy.inf]]]


def test_the_first_of_several_values_in_one_place_has_the_cotangent() -> None:
    values = numpy.array([[[numpy.nan, 4.0, numpy.nan]]])
    indices = numpy.array([[[1, 3, 1]]])
    g = numpy.array([[[1.0, 2.0, 3.0, 4.0]]])
    assert fast.max_unpool_vjp(g, values, indices, output_size=4)[0].tolist() == [[[2.0, 4.0, 0.0]]]


def test_objects_stay_what_they_are() -> None:
    half = numpy.array([[[Fraction(1, 2), Fraction(1, 3)]]], dtype=object)
    for name in ("adaptive_average_pool", "adaptive_max_pool"):
        assert isinstance(getattr(fast, name)(half, output_size=1).item(), Fraction)
    assert shape_of(fast.flatten(half)) == (1, 2)

"""The oracle's own values are the definition's, on integers and on NaN and infinities."""

from __future__ import annotations

from math import prod

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convspec.case import Case, call_windows, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.cases.scope import scope
from convspec.oracle.cases.tables import output_slices, strided, window_table
from convspec.oracle.reference import outputs_of, spec, trial
from convspec.oracle.rounding.bounds import slack
from convspec.oracle.trials.geometries import RECIPES
from convspec.strategies import calls
from convspec.window import output_sizes, window_taps
from tests.oracle.definitions import by_definition, exactly, is_equal

OPERATIONS_EXPECTED = [
    name for row in OPERATIONS for name in (row, f"{row}_vjp") if hasattr(expected, name)
]
# What has no blocks of its own is tested in `test_layers.py`.
IN_BLOCKS = [name for name in OPERATIONS_EXPECTED if forward_name(name) not in RECIPES]
SWEPT = {
    "conv": "conv",
    "conv_transpose": "conv_transpose",
    "max_pool": "pool",
    "max_pool_with_indices": "pool",
    "average_pool": "pool",
}
SPECIALS = (numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0)


def test_every_operation_that_is_swept_has_an_expected_value():
    assert set(OPERATIONS_EXPECTED) == {name for row in OPERATIONS for name in (row, f"{row}_vjp")}


def agrees(case):
    """Whether the oracle's value is the definition's on exact numbers, rounded where it divides."""
    right = by_definition(case.operation, exactly(case.operands), case.attributes)
    given_outputs = outputs_of(
        getattr(expected, case.operation)(*case.operands.values(), **case.attributes)
    )
    assert len(right) == len(given_outputs)
    if forward_name(case.operation) != "average_pool":
        return all(is_equal(a, b) for a, b in zip(given_outputs, right, strict=True))
    largest = abs(next(iter(case.operands.values()))).max(initial=0)
    off = abs(given_outputs[0] - right[0].astype(float)).max(initial=0)
    windows = prod(case.attributes["kernel_size"])
    return given_outputs[0].shape == right[0].shape and off <= windows * largest * 2.0**-52


@pytest.mark.parametrize("operation", IN_BLOCKS)
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_random_calls(operation, dtype):
    @settings(max_examples=80)
    @given(calls(operation, dtype=dtype))
    def holds(case):
        assert agrees(case)

    holds()


def axes_of(family, rank, every):
    """Every `every`-th row of the small scope of a family, as dictionaries, `rank` at a time."""
    within = scope(family, 1)
    fields = (*within.shared, *within.sliding)
    rows = within.axes[::every].tolist()
    axes = [dict(zip(fields, row, strict=True)) for row in rows]
    return [axes[i : i + rank] for i in range(0, len(axes) - rank + 1, rank)]


def scoped_case(operation, axes, rng, *, batch, ceil=False):
    """A case of the small scope: odd channels, groups where there are any."""
    name = forward_name(operation)
    spatial, kernel = tuple(a["size"] for a in axes), tuple(a["kernel"] for a in axes)
    given_attributes = {
        "stride": tuple(a["stride"] for a in axes),
        "padding": tuple((a["low"], a["high"]) for a in axes),
        "dilation": tuple(a["dilation"] for a in axes),
    }
    if "pool" in name:
        shapes = {"input": (batch, 2, *spatial)}
        given_attributes |= {"kernel_size": kernel, "ceil_mode": ceil}
        if name == "average_pool":
            given_attributes["count_include_pad"] = bool(axes[0]["low"] % 2)
    else:
        weight = (6, 1) if name == "conv" else (2, 3)
        shapes = {"input": (batch, 2, *spatial), "weight": (*weight, *kernel), "bias": (6,)}
        given_attributes["groups"] = 2
        if name == "conv_transpose":
            given_attributes["output_padding"] = tuple(a["output_padding"] for a in axes)
    attributes = normalised(name, shapes, given_attributes)
    if operation != name:
        shapes = {"cotangent": OPERATIONS[name].shape(*shapes.values(), **attributes), **shapes}
    operands = {n: rng.integers(-4, 5, size=shape) for n, shape in shapes.items()}
    return Case(operation, operands, attributes)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", SWEPT)
@pytest.mark.parametrize(("rank", "every"), [(1, 5), (2, 19)])
def test_the_small_scope(name, backward, rank, every):
    rng = numpy.random.default_rng(rank)
    operation = f"{name}_vjp" if backward else name
    ceils = (False, True) if "pool" in name else (False,)
    judged = 0
    for ceil in ceils:
        family = f"{SWEPT[name]}_ceil" if ceil else SWEPT[name]
        for axes in axes_of(family, rank, every):
            case = scoped_case(operation, axes, rng, batch=1, ceil=ceil)
            assert agrees(case), case
            judged += 1
    assert judged >= 8


@pytest.mark.parametrize(
    "operation", [n for n in IN_BLOCKS if "volve" not in n and "late" not in n]
)
def test_an_empty_batch(operation):
    name = forward_name(operation)
    shapes = {"input": (0, 2, 4, 3)}
    attributes = {"kernel_size": 2} if "pool" in name else {}
    if not attributes:
        shapes |= {"weight": (2, 2, 2, 2), "bias": (2,)}
    attributes = normalised(name, shapes, attributes)
    if operation != name:
        shapes = {"cotangent": OPERATIONS[name].shape(*shapes.values(), **attributes), **shapes}
    case = Case(operation, {n: numpy.zeros(s) for n, s in shapes.items()}, attributes)
    right = by_definition(operation, case.operands, attributes)
    found = outputs_of(getattr(expected, operation)(*case.operands.values(), **attributes))
    assert [a.shape for a in found] == [a.shape for a in right]
    assert all(is_equal(a, b) for a, b in zip(found, right, strict=True))


@pytest.mark.parametrize("operation", [n for n in IN_BLOCKS if not n.endswith("_vjp")])
def test_special_values_go_where_the_definition_sends_them(operation):
    special = st.sampled_from([*SPECIALS, 1.0, 2.0, -3.0])

    @settings(max_examples=40)
    @given(calls(operation), st.data())
    def holds(case, data):
        # The other operands stay finite: a non-finite weight on padding is an open point.
        first = next(iter(case.operands))
        x = case.operands[first].copy()
        for index in data.draw(st.lists(st.integers(0, max(0, x.size - 1)), max_size=4)):
            if x.size:
                x.flat[index] = data.draw(special)
        operands = {**case.operands, first: x}
        with numpy.errstate(all="ignore"):
            right = by_definition(operation, operands, case.attributes)
            found = outputs_of(getattr(expected, operation)(*operands.values(), **case.attributes))
            allowed = slack(case._replace(operands=operands), getattr(expected, operation))
        near = allowed or [None] * len(right)
        assert all(map(is_equal, found, right, near))

    holds()


@pytest.mark.parametrize("operation", ["max_pool", "max_pool_with_indices", "max_pool_vjp"])
def test_ties_go_to_the_first_maximum(operation):
    @settings(max_examples=40)
    @given(calls(operation), st.integers(1, 3))
    def holds(case, levels):
        tied = {**case.operands, "input": numpy.mod(case.operands["input"], levels)}
        assert agrees(case._replace(operands=tied))

    holds()


def test_a_plane_of_nothing_but_the_lowest():
    case = Case(
        "max_pool_with_indices",
        {"input": numpy.full((1, 1, 5), -numpy.inf)},
        normalised("max_pool", {"input": (1, 1, 5)}, {"kernel_size": 3, "padding": 1, "stride": 2}),
    )
    right = by_definition(case.operation, case.operands, case.attributes)
    found = expected.max_pool_with_indices(case.operands["input"], **case.attributes)
    assert all(is_equal(a, b) for a, b in zip(found, right, strict=True))
    assert found[1].tolist() == [[[0, 1, 3]]]


@pytest.mark.parametrize("rank", [1, 2])
def test_tables_read_what_the_windows_read(rank):
    for axes in axes_of("conv", rank, 37):
        spatial = tuple(a["size"] for a in axes)
        attributes = {
            "stride": tuple(a["stride"] for a in axes),
            "padding": tuple((a["low"], a["high"]) for a in axes),
            "dilation": tuple(a["dilation"] for a in axes),
        }
        kernel = tuple(a["kernel"] for a in axes)
        sliding = call_windows(
            "conv", {"input": (1, 1, *spatial), "weight": (1, 1, *kernel)}, attributes
        )
        sizes = output_sizes(spatial, sliding)
        tabulated = window_table(spatial, sliding)
        index = strided(tabulated, output_slices(tabulated, sliding, sizes))
        for flat, position in enumerate(numpy.ndindex(*sizes)):
            read = {
                (
                    int(numpy.ravel_multi_index(tap, kernel)),
                    int(numpy.ravel_multi_index(a, spatial)),
                )
                for tap, a in window_taps(spatial, sliding, position)
            }
            column = index[:, flat]
            assert {(k, int(a)) for k, a in enumerate(column) if a < tabulated.size} == read


def test_a_table_and_its_inverse():
    for axes in axes_of("conv", 2, 61):
        windows = call_windows(
            "conv",
            {
                "input": (1, 1, *(a["size"] for a in axes)),
                "weight": (1, 1, *(a["kernel"] for a in axes)),
            },
            {
                "padding": tuple((a["low"], a["high"]) for a in axes),
                "dilation": tuple(a["dilation"] for a in axes),
            },
        )
        tabulated = window_table(tuple(a["size"] for a in axes), windows)
        taps = numpy.arange(len(tabulated.reads))[:, None]
        assert (tabulated.reads[taps, tabulated.start_of] == numpy.arange(tabulated.size)).all()


def test_the_spec_offers_every_operation_and_its_vjp():
    namespace = spec()
    for name, row in OPERATIONS.items():
        assert callable(getattr(namespace, name))
        assert getattr(namespace, f"{name}_vjp") is getattr(expected, f"{name}_vjp")
        assert getattr(namespace, name) is not row.definition


def test_a_trial_of_an_average_may_round_and_nothing_else_may():
    x = numpy.ones((1, 1, 5), "float32")
    pool = {"kernel_size": 3}
    average = trial(
        Case("average_pool", {"input": x}, normalised("average_pool", {"input": x.shape}, pool)),
        spec(),
    )
    assert average.slack is not None
    # Five roundings of 2^-24 on sums of magnitude 1, and as many of the float64 reference.
    assert numpy.allclose(average.slack[0], 5 * 2.0**-24, rtol=1e-6)
    maximum = trial(
        Case("max_pool", {"input": x}, normalised("max_pool", {"input": x.shape}, pool)), spec()
    )
    assert maximum.slack is None
    whole = Case("average_pool", {"input": x.astype("int32")}, average.attributes)
    assert trial(whole, spec()).slack[0].max() < 1e-14

"""Exact data, and the sizes at which implementations switch algorithm."""

from __future__ import annotations

from math import prod

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec.case import forward_name, normalised
from convspec.oracle import expected
from convspec.oracle.cases.draws import amplitude, distinct, integers, one_hot, thinned
from convspec.oracle.cases.streams import FAMILIES
from convspec.oracle.check import element
from convspec.oracle.steps.thresholds import threshold_cases
from convspec.oracle.trials.geometries import RECIPES
from convspec.rounding import integer_bits
from tests.oracle.definitions import by_definition, exactly, is_equal

OPERATIONS = [
    *(name for name in FAMILIES if forward_name(name) not in RECIPES),
    *("convolve", "convolve_vjp", "correlate", "correlate_vjp"),
]
dtypes = st.sampled_from(["float16", "float32", "float64", "int8", "uint8", "int32"])


def rng():
    return numpy.random.default_rng(0)


@given(st.integers(1, 5000), dtypes, st.sampled_from([1, 2]))
def test_an_amplitude_is_the_largest_that_sums_exactly(terms, dtype, factors):
    dtype = numpy.dtype(dtype)
    largest, room = amplitude(terms, dtype, factors=factors), 2 ** integer_bits(dtype)
    assert 1 <= largest <= 256
    assert largest == 1 or (terms + 1) * largest**factors <= room
    assert largest == 256 or (terms + 1) * (largest + 1) ** factors > room


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "uint8"])
@pytest.mark.parametrize("largest", [1, 5, 9])
def test_integers_are_uniform_over_their_range(largest, dtype):
    dtype = numpy.dtype(dtype)
    drawn = integers(rng(), (4000,), largest, dtype)
    least = 0 if dtype.kind == "u" else -largest
    values, counts = numpy.unique(drawn, return_counts=True)
    assert drawn.dtype == dtype
    assert values.tolist() == list(range(least, largest + 1))
    mean = 4000 / (largest + 1 - least)
    assert abs(counts - mean).max() < 6 * mean**0.5


def test_a_channel_of_distinct_values_has_no_ties_and_batches_below_zero():
    drawn = distinct(rng(), (4, 3, 5, 2), numpy.dtype("float32"))
    flat = drawn.reshape(12, 10)
    assert all(len(set(plane)) == 10 for plane in flat.tolist())
    assert (drawn[::2] < 0).all()
    assert (drawn[1::2] >= 0).any()
    assert distinct(rng(), (2, 1, 4), numpy.dtype("uint8")).min() == 0


@pytest.mark.parametrize(("dtype", "count"), [("bfloat16", 771), ("float16", 3000)])
def test_a_narrow_dtype_has_distinct_values_where_it_lacks_integers(dtype, count):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
    drawn = distinct(rng(), (2, 1, count), element(dtype))
    assert drawn.dtype.name == dtype
    assert [len(numpy.unique(channel)) for channel in drawn[:, 0]] == [count, count]
    assert (drawn[0] < 0).all()
    assert numpy.isfinite(drawn.astype(float)).all()
    order = numpy.random.default_rng(0).permuted(numpy.tile(numpy.arange(count), (2, 1, 1)), axis=2)
    assert (numpy.argsort(drawn[1, 0]) == numpy.argsort(order[1, 0])).all()


def test_a_hot_element_in_every_plane_and_every_place():
    hot = one_hot((4, 3, 2, 3), numpy.dtype("float32"))
    assert set(hot.ravel().tolist()) == {-2, -1}
    places = hot.reshape(12, 6).argmax(axis=1)
    assert places.tolist() == [plane % 6 for plane in range(12)]
    assert set(one_hot((1, 2, 2), numpy.dtype("uint8")).ravel().tolist()) == {0, 1}


def test_thinned_arrays_keep_no_more_than_sums_exactly():
    ones = numpy.ones((3, 2, 50), "int8")
    kept = thinned(rng(), ones, numpy.dtype("int8"))
    assert kept.shape == ones.shape
    assert kept.dtype == ones.dtype
    assert kept.sum(axis=(0, 2)).tolist() == [63, 63]
    assert thinned(rng(), ones[:1], numpy.dtype("int8")) is not None
    few = numpy.ones((3, 2, 50), "float32")
    assert thinned(rng(), few, numpy.dtype("float32")) is few


@pytest.mark.parametrize("operation", OPERATIONS)
def test_threshold_cases_are_valid_and_exact(operation):
    cases = list(threshold_cases(operation, "quick", rng(), numpy.dtype("float32")))
    assert len(cases) > 10
    name = forward_name(operation)
    for case in cases:
        shapes = {n: x.shape for n, x in case.operands.items() if n != "cotangent"}
        assert normalised(name, shapes, case.attributes) == case.attributes
        if "max" in name and operation == name:
            continue
        absolute = [abs(x.astype(float)) for x in case.operands.values()]
        result = getattr(expected, operation)(*absolute, **case.attributes)
        sums = result if isinstance(result, tuple) else (result,)
        terms = prod(case.attributes["kernel_size"]) if name == "average_pool" else 1
        assert max(total.max(initial=0) for total in sums) * terms <= 2**24


@pytest.mark.parametrize(
    "operation", ["conv", "conv_transpose", "convolve", "max_pool", "average_pool"]
)
def test_threshold_cases_have_the_definitions_values(operation):
    cases = list(threshold_cases(operation, "quick", rng(), numpy.dtype("float32")))
    small = [case for case in cases if sum(x.size for x in case.operands.values()) < 260]
    for case in small[:: max(1, len(small) // 12)]:
        (right,) = by_definition(operation, exactly(case.operands), case.attributes)
        found = getattr(expected, operation)(*case.operands.values(), **case.attributes)
        if operation == "average_pool":
            assert numpy.allclose(found, right.astype(float), rtol=1e-14)
        else:
            assert is_equal(found, right)
    assert len(small) > 3


def test_thresholds_pass_vector_widths_and_switch_features_on_one_at_a_time():
    quick = list(threshold_cases("conv", "quick", rng(), numpy.dtype("float32")))
    channels = {case.operands["input"].shape[1] for case in quick}
    assert {5, 9, 17, 33} <= channels
    standard = list(threshold_cases("conv", "standard", rng(), numpy.dtype("float32")))
    assert {*range(1, 18), 31, 32, 33, 63, 64, 65} <= {
        case.operands["input"].shape[1] for case in standard
    }
    assert max(case.operands["input"].shape[-1] for case in standard) == 257
    for feature in ("stride", "padding", "dilation", "groups"):
        assert len({str(case.attributes[feature]) for case in quick}) > 1
    depthwise = [c for c in quick if c.attributes["groups"] == c.operands["input"].shape[1] > 1]
    assert {c.operands["weight"].shape[0] // c.attributes["groups"] for c in depthwise} >= {1, 2}


def test_the_largest_entry_is_capped_for_a_fast_algorithm():
    for case in threshold_cases("conv", "quick", rng(), numpy.dtype("float32"), 15):
        assert max(abs(x).max() for x in case.operands.values()) <= 15

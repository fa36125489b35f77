"""Certificates: right layers pass, wrong ones do not, and nothing is passed in silence."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convspec.fast
from convspec.case import Case, normalised
from convspec.oracle.certificate import projection
from convspec.oracle.certificate.exact import ESCAPE, EXACT, largest_output, plan
from convspec.oracle.certificate.form import form
from convspec.oracle.certificate.layer import Layer, certify
from convspec.oracle.certificate.projection import (
    combined,
    drawn,
    projected,
    projected_output,
    projected_with_norms,
)
from convspec.oracle.certificate.rounded import PROJECTIONS, REACH, SEEN
from convspec.oracle.deviations.small_cases import small_cases

FORMED = ("conv", "depthwise_conv", "pointwise_conv", "linear", "conv_transpose")


def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(0)


def layer(operation, shapes, attributes=None, dtype="int32", largest=9):
    """A layer of random whole numbers, with the output that the fast twin gives."""
    source = numpy.random.default_rng(1)
    operands = {
        name: source.integers(-largest, largest + 1, shape).astype(dtype)
        for name, shape in shapes.items()
    }
    case = Case(operation, operands, normalised(operation, shapes, attributes or {}))
    output = getattr(convspec.fast, operation)(*operands.values(), **case.attributes)
    return Layer("it", case, numpy.array(output))


LAYERS = {
    "plain": ("conv", {"input": (2, 3, 6, 7), "weight": (5, 3, 3, 2), "bias": (5,)}, {}),
    "strided": ("conv", {"input": (2, 4, 9), "weight": (5, 4, 1)}, {"stride": 2}),
    "much padding": ("conv", {"input": (1, 20, 3), "weight": (5, 20, 3)}, {"padding": 6}),
    "grouped": (
        "conv",
        {"input": (1, 4, 8, 8), "weight": (6, 2, 3, 3)},
        {"groups": 2, "padding": ((1, 0), (2, 1)), "dilation": 2},
    ),
    "three axes": ("conv", {"input": (1, 2, 3, 4, 5), "weight": (3, 2, 2, 2, 2)}, {}),
    "depthwise": ("depthwise_conv", {"input": (2, 3, 8), "weight": (6, 1, 3)}, {"stride": 2}),
    "pointwise": ("pointwise_conv", {"input": (2, 3, 4, 4), "weight": (5, 3)}, {}),
    "linear": ("linear", {"input": (3, 7), "weight": (4, 7), "bias": (4,)}, {}),
    "transposed": (
        "conv_transpose",
        {"input": (2, 4, 5, 3), "weight": (4, 3, 3, 2), "bias": (6,)},
        {"groups": 2, "stride": (2, 3), "padding": 1, "output_padding": (1, 0)},
    ),
    "no batch": ("conv", {"input": (0, 3, 6), "weight": (5, 3, 3)}, {}),
}


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_right_layer_of_whole_numbers_is_certified_exactly(name, dtype):
    found = certify(layer(*LAYERS[name], dtype), rng())
    assert (found.verdict, found.threshold) == ("certified", 0.0), found
    assert found.story.startswith("exactly")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_right_layer_of_real_numbers_is_certified_within_rounding(name, dtype):
    case = layer(*LAYERS[name], "float64").case
    operands = {key: (value / 7).astype(dtype) for key, value in case.operands.items()}
    output = getattr(convspec.fast, case.operation)(*operands.values(), **case.attributes)
    found = certify(Layer("it", case._replace(operands=operands), output), rng())
    assert found.verdict == "certified", found
    if output.size:
        assert 0 < found.threshold < (100 if dtype == "float16" else 1) * found.scale


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "no batch"])
def test_every_single_wrong_element_of_a_small_layer_is_seen(name):
    recorded = layer(*LAYERS[name])
    for place in numpy.ndindex(recorded.output.shape):
        output = recorded.output.copy()
        output[place] += 1
        found = certify(recorded._replace(output=output), rng())
        assert found.verdict == "refuted"
        assert f"[{place[0]}, :" in found.story


@pytest.mark.parametrize("operation", FORMED)
def test_what_a_projection_must_be_is_what_it_is(operation):
    """The identity itself, over small calls in great variety, on whole numbers."""
    judged = 0
    for case in small_cases(operation, 300):
        arrays = case.operands.values()
        if not all(a.dtype.kind in "if" and (a == numpy.rint(a)).all() for a in arrays):
            continue
        if not all(numpy.isfinite(a).all() for a in arrays):
            continue
        operands = {name: a.astype("int64") for name, a in case.operands.items()}
        output = getattr(convspec.fast, operation)(*operands.values(), **case.attributes)
        formed = form(case._replace(operands=operands), output)
        assert formed.due == output.shape
        r = drawn(rng(), 2, 50, formed.outputs)
        assert (projected(r, formed) == projected_output(r, formed)).all()
        judged += output.size > 0
    assert judged > 50


@pytest.mark.parametrize("planes", [1, 10**9])
@pytest.mark.parametrize("converted", [1, 10**9])
@pytest.mark.parametrize("name", LAYERS)
def test_work_in_pieces_comes_to_the_same(name, converted, planes, monkeypatch):
    recorded = layer(*LAYERS[name])
    formed = form(recorded.case, recorded.output)
    r = drawn(rng(), 3, 50, formed.outputs)
    _, norms = projected_with_norms(r, formed)
    monkeypatch.setattr(projection, "CONVERTED", converted)
    monkeypatch.setattr(projection, "PLANES", planes)
    assert (projected(r, formed) == projected_output(r, formed)).all()
    assert (projected_with_norms(r, formed)[1] == norms).all()


def test_norms_are_those_of_the_weight_the_windows_and_the_bias():
    x, w = numpy.array([[[3.0, 4.0, 0.0, 1.0]]]), numpy.array([[[1.0, 2.0]], [[0.0, 2.0]]])
    operands = {"input": x, "weight": w, "bias": numpy.array([6.0, 8.0])}
    call = {"stride": (1,), "padding": ((1, 0),), "dilation": (1,), "groups": 1}
    formed = form(Case("conv", operands, call), convspec.fast.conv(*operands.values(), **call))
    _, norms = projected_with_norms(numpy.ones((1, 2)), formed)
    windows = numpy.sqrt([9, 9 + 16, 16, 1])
    assert numpy.allclose(norms, 3 * windows + 10, rtol=1e-15)


@pytest.mark.parametrize("scale", [1.0, 1e-25])
def test_squares_of_narrow_numbers_are_never_less_than_they_are(scale):
    source = numpy.random.default_rng(0)
    for _ in range(50):
        rows = (scale * source.standard_normal((300, 7))).astype("float32")
        exact = [sum(Fraction(float(x)) ** 2 for x in column) for column in rows.T]
        for sums, due in ((numpy.zeros(7), exact), (numpy.zeros(()), [sum(exact)])):
            combined(numpy.zeros((1, 300)), rows, sums)
            for found, least in zip(sums.ravel(), due, strict=True):
                assert least <= Fraction(float(found)) <= (1 + 2.0**-12) * least + 2.0**-114


@given(st.integers(1, 4096), st.integers(1, 2**53))
def test_a_plan_is_exact_and_escapes_with_less_than_the_stated_probability(outputs, bound):
    chosen = plan(outputs, bound)
    if chosen is None:
        assert 2 * outputs * bound >= EXACT  # not even coefficients up to 2 would do
        return
    count, reach = chosen
    assert outputs * reach * bound < EXACT
    assert Fraction(1, 2 * reach + 1) ** count < Fraction(1, 2**ESCAPE)


def test_a_projection_escapes_as_often_as_is_stated():
    """A single error of 1 is missed by the coefficients that are 0: one in 2R + 1."""
    recorded = layer("linear", {"input": (1, 2), "weight": (3, 2)})
    formed = form(recorded.case, recorded.output)
    wrong = formed._replace(output=recorded.output + numpy.array([[0, 1, 0]]))
    count = 3000
    r = drawn(rng(), count, 1, 3)
    missed = (projected(r, wrong) == projected_output(r, wrong)).sum()
    assert abs(missed - count / 3) < 5 * sqrt(count * 2 / 9)


def test_coefficients_take_every_value_from_minus_their_reach_to_their_reach():
    values, counts = numpy.unique(drawn(rng(), 100, 2, 100), return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    assert counts.min() > 1800


def test_numbers_that_are_too_large_are_told():
    big = layer("linear", {"input": (1, 64), "weight": (3, 64)}, largest=2**23, dtype="int64")
    found = certify(big, rng())
    assert found.verdict == "uncertified"
    assert "too large" in found.story


def test_sums_that_a_float_cannot_hold_are_judged_within_rounding():
    shapes = {"input": (1, 64), "weight": (3, 64)}
    held = layer("linear", shapes, dtype="float32", largest=2**8)
    assert certify(held, rng()).story.startswith("exactly")
    beyond = layer("linear", shapes, dtype="float32", largest=2**10)
    assert largest_output(form(beyond.case, beyond.output)) is None
    assert certify(beyond, rng()).story.startswith("within rounding")


def test_an_output_beyond_what_can_be_is_wrong_however_large_it_is():
    recorded = layer(*LAYERS["plain"], "float64")
    for value in (1e300, numpy.inf, numpy.nan, 0.5):
        output = recorded.output.copy()
        output[1, 2, 3, 4] = value
        found = certify(recorded._replace(output=output), rng())
        assert found.verdict == "refuted"
        assert "[1, :, 3, 4] are not whole numbers of at most" in found.story


def real_layer(dtype="float32"):
    source = numpy.random.default_rng(3)
    x = source.standard_normal((2, 16, 10, 10)).astype(dtype)
    w = source.standard_normal((24, 16, 3, 3)).astype(dtype)
    shapes = {"input": x.shape, "weight": w.shape}
    case = Case("conv", {"input": x, "weight": w}, normalised("conv", shapes, {"padding": 1}))
    return Layer("it", case, convspec.fast.conv(x, w, **case.attributes))


def test_an_error_of_the_threshold_is_seen_and_one_far_below_passes():
    recorded = real_layer()
    threshold = certify(recorded, rng()).threshold
    for place in [(0, 0, 0, 0), (1, 23, 9, 9), (0, 7, 5, 2)]:
        output = recorded.output.copy()
        output[place] += 1.01 * threshold
        assert certify(recorded._replace(output=output), rng()).verdict == "refuted"
        output = recorded.output.copy()
        output[place] += threshold / SEEN / 2
        assert certify(recorded._replace(output=output), rng()).verdict == "certified"


def test_a_layer_rounded_to_half_precision_is_no_float32_layer():
    recorded = real_layer("float64")
    coarse = {name: a.astype("float16").astype(float) for name, a in recorded.case.operands.items()}
    output = convspec.fast.conv(*coarse.values(), **recorded.case.attributes)
    assert certify(recorded, rng()).verdict == "certified"
    assert certify(recorded._replace(output=output), rng()).verdict == "refuted"


def test_a_layer_computed_in_float32_is_no_float64_layer():
    recorded = real_layer("float64")
    narrow = [array.astype("float32") for array in recorded.case.operands.values()]
    output = convspec.fast.conv(*narrow, **recorded.case.attributes).astype("float64")
    assert certify(recorded._replace(output=output), rng()).verdict == "refuted"


def test_the_probability_of_missing_an_error_of_the_threshold_is_the_stated_one():
    assert (Fraction(1, int(SEEN)) + Fraction(1, REACH)) ** PROJECTIONS < Fraction(1, 2**ESCAPE)


def test_nan_where_none_can_be_is_wrong_and_nan_in_the_input_is_told():
    recorded = real_layer()
    output = recorded.output.copy()
    output[0, 3, 4, 5] = numpy.nan
    found = certify(recorded._replace(output=output), rng())
    assert found.verdict == "refuted"
    assert "[0, :, 4, 5] are off by inf" in found.story
    recorded.case.operands["input"][0, 0, 0, 0] = numpy.inf
    assert certify(recorded, rng()).verdict == "uncertified"


def test_what_may_overflow_is_not_certified():
    recorded = real_layer()
    operands = {name: a * numpy.float32(1e19) for name, a in recorded.case.operands.items()}
    found = certify(recorded._replace(case=recorded.case._replace(operands=operands)), rng())
    assert found.verdict == "uncertified"


def test_tiny_numbers_are_not_accused_for_being_flushed():
    recorded = real_layer()
    operands = {name: a * numpy.float32(1e-20) for name, a in recorded.case.operands.items()}
    case = recorded.case._replace(operands=operands)
    zero = numpy.zeros_like(recorded.output)
    assert certify(Layer("it", case, zero), rng()).verdict == "certified"


def test_shape_and_dtype_are_part_of_the_output():
    recorded = layer(*LAYERS["plain"], "float32")
    found = certify(recorded._replace(output=recorded.output[:, :, 1:]), rng())
    assert (found.verdict, found.story) == (
        "refuted",
        "the output has shape (2, 5, 3, 6): must be (2, 5, 4, 6)",
    )
    found = certify(recorded._replace(output=recorded.output.astype("float64")), rng())
    assert (found.verdict, found.story) == (
        "refuted",
        "the output has dtype float64 for operands of float32",
    )


def pooled(**changed):
    x = numpy.random.default_rng(0).integers(-9, 10, (2, 3, 6)).astype("float32")
    attributes = {"kernel_size": 2, **changed}
    case = Case("max_pool", {"input": x}, normalised("max_pool", {"input": x.shape}, attributes))
    return Layer("pool", case, convspec.fast.max_pool(x, **case.attributes))


def test_other_layers_are_computed_again():
    recorded = pooled()
    assert certify(recorded, rng()).verdict == "recomputed"
    recorded.output[1, 2, 0] += 1
    found = certify(recorded, rng())
    assert found.verdict == "refuted"
    assert "at (1, 2, 0)" in found.story


def test_whole_numbers_that_a_float_rounds_are_computed_again_within_rounding():
    shapes = {"input": (1, 8, 6), "depthwise": (8, 1, 3), "pointwise": (4, 8)}
    small = layer("depthwise_separable_conv", shapes, dtype="float32")
    assert certify(small, rng()).story == "equal"
    large = layer("depthwise_separable_conv", shapes, dtype="float32", largest=2**12)
    found = certify(large, rng())
    assert (found.verdict, found.story) == ("recomputed", "within rounding")


def test_what_is_too_large_is_not_certified_and_not_begun():
    x = numpy.zeros((1, 1, 8), "float32")
    attributes = {"kernel_size": 2**14, "padding": 2**13}
    case = Case("max_pool", {"input": x}, normalised("max_pool", {"input": x.shape}, attributes))
    output = numpy.zeros((1, 1, 1), "float32")
    assert certify(Layer("it", case, output), rng()).verdict == "uncertified"
    w = numpy.zeros((1, 1, 2**17), "float32")
    shapes = {"input": x.shape, "weight": w.shape}
    call = normalised("conv", shapes, {"padding": 2**16})
    found = certify(Layer("it", Case("conv", {"input": x, "weight": w}, call), output), rng())
    due = convspec.operations.OPERATIONS["conv"].shape(*shapes.values(), **call)
    assert (found.verdict, due) == ("refuted", (1, 1, 9))
    output = numpy.zeros(due, "float32")
    found = certify(Layer("it", Case("conv", {"input": x, "weight": w}, call), output), rng())
    assert found.verdict == "uncertified"


def test_an_operation_with_several_outputs_is_told():
    recorded = pooled()
    case = recorded.case._replace(operation="max_pool_with_indices")
    assert certify(recorded._replace(case=case), rng()).verdict == "uncertified"

"""Operations that are composed, resize, normalise or are elementary: expected values, bounds, and
mistakes that are found.
"""

from __future__ import annotations

import mpmath
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convspec import fast
from convspec.case import Case, flat, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle import check, expected
from convspec.oracle.cases.filling import filled, is_valid
from convspec.oracle.cases.scope import covering
from convspec.oracle.cases.streams import FAMILIES, exact_trials
from convspec.oracle.expected.numbers import precise as in_many_bits
from convspec.oracle.explanation.shrink import smallest
from convspec.oracle.reference import outputs_of
from convspec.oracle.rounding import precise
from convspec.oracle.rounding.bounds import rounds, slack
from convspec.oracle.rounding.precise import (
    Rounded,
    precisely_rounded,
    real_cases,
    reference,
)
from convspec.oracle.steps.accuracy import own_arithmetic
from convspec.oracle.steps.special import SATURATING, special_cases
from convspec.oracle.steps.thresholds import threshold_cases
from convspec.oracle.trials.geometries import RECIPES
from convspec.oracle.trials.trial import DRAWS, Setting
from convspec.rounding import bound, precision, smallest_normal
from convspec.strategies import calls
from tests.correct_layers import CORRECT, checked
from tests.oracle.definitions import by_definition, is_equal
from tests.oracle.implementations import offering
from tests.oracle.planted_layers import PLANTED

OPERATIONS_HERE = [name for row in RECIPES for name in (row, f"{row}_vjp")]
ROUNDED = [name for name in OPERATIONS_HERE if rounds(name)]
SPECIALS = (numpy.nan, numpy.inf, -numpy.inf)


def defined(operation, operands, attributes):
    """The definition's outputs, in double precision or exact."""
    with numpy.errstate(all="ignore"):
        outputs = by_definition(operation, grouped(operation, operands), attributes)
    return [numpy.asarray(output).astype(float) for output in outputs]


def assert_same(found, right, allowed=None):
    """Equal where nothing may round, else within what may: NaN and infinities as they are."""
    for one, other, near in zip(found, right, allowed or [None] * len(right), strict=True):
        assert is_equal(one, other, near), (one, other)


@pytest.mark.parametrize("operation", OPERATIONS_HERE)
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_expected_values_are_those_of_the_definition(operation, dtype):
    @settings(max_examples=25)
    @given(calls(operation, dtype=dtype))
    def holds(case):
        case = case._replace(operands=flat(case.operands))
        value = getattr(expected, operation)
        found = outputs_of(value(*grouped(operation, case.operands).values(), **case.attributes))
        allowed = slack(case, value)
        assert_same(found, defined(operation, case.operands, case.attributes), allowed)

    holds()


@pytest.mark.parametrize("operation", [name for name in RECIPES if name != "max_unpool"])
def test_special_values_go_where_the_definition_sends_them(operation):
    @settings(max_examples=25)
    @given(calls(operation), st.data())
    def holds(case, data):
        operands = flat(case.operands)
        first = next(iter(operands))
        x = operands[first] = operands[first].copy()
        for index in data.draw(st.lists(st.integers(0, max(0, x.size - 1)), max_size=4)):
            if x.size:
                x.flat[index] = data.draw(st.sampled_from(SPECIALS))
        case = case._replace(operands=operands)
        value = getattr(expected, operation)
        with numpy.errstate(all="ignore"):
            given_values = grouped(operation, operands).values()
            found = outputs_of(value(*given_values, **case.attributes))
            allowed = slack(case, value)
        assert_same(found, defined(operation, operands, case.attributes), allowed)

    holds()


@pytest.fixture
def two_draws(monkeypatch):
    """A literal definition need not see all sixteen draws of a batch to show the geometry right."""
    for rank in DRAWS:
        monkeypatch.setitem(DRAWS, rank, 2)


@pytest.mark.usefixtures("two_draws")
@pytest.mark.parametrize("operation", OPERATIONS_HERE)
def test_the_small_scope_is_that_of_the_definition(operation):
    families, trials = FAMILIES[operation]
    for rank in (1,) if forward_name(operation) in ("linear", "cross_entropy") else (1, 2):
        for family in families:
            for block in covering(family, rank, 80, 1)[0][:5]:
                few = block._replace(slides=block.slides[:2])
                setting = Setting(numpy.dtype("float64"), numpy.random.default_rng(rank))
                for due in trials(few, setting):
                    right = defined(operation, due.operands, due.attributes)
                    assert_same(due.expected, right, due.slack)


@pytest.mark.parametrize("operation", OPERATIONS_HERE)
def test_sweeps_hold_single_items_and_batches_and_valid_arguments(operation):
    setting = Setting(numpy.dtype("float32"), numpy.random.default_rng(0))
    trials = list(exact_trials(operation, "quick", 0, setting))[::5]
    assert all(is_valid(Case(operation, due.operands, due.attributes)) for due in trials)
    first = OPERATIONS[forward_name(operation)].operands[0]
    counts = {len(due.operands[first]) for due in trials}
    assert 1 in counts
    assert max(counts) > 1


@pytest.mark.parametrize("operation", RECIPES)
def test_thresholds_pass_vector_widths(operation):
    rng = numpy.random.default_rng(0)
    cases = list(threshold_cases(operation, "quick", rng, numpy.dtype("float32")))
    assert len(cases) > 10
    sizes = {size for case in cases for a in case.operands.values() for size in a.shape}
    assert max(sizes) > 33


@pytest.mark.parametrize("operation", SATURATING)
def test_large_arguments_are_tried_and_give_no_nan(operation):
    rng = numpy.random.default_rng(0)
    first = OPERATIONS[operation].operands[0]
    large = [
        case
        for case in special_cases(operation, rng, numpy.dtype("float32"), 1)
        if numpy.isfinite(case.operands[first]).all() and abs(case.operands[first]).max() >= 500
    ]
    assert len(large) > 2
    for case in large:
        assert all(
            numpy.isfinite(y).all() for y in defined(operation, case.operands, case.attributes)
        )


# Rounding.


def worst(operation, function, dtype, own=None):
    """The worst ratio of error to bound of a function in its dtype's own arithmetic."""
    dtype = numpy.dtype(dtype)
    arithmetic, ratio = own or own_arithmetic(dtype), 0.0
    for case in real_cases(operation, dtype, numpy.random.default_rng(0)):
        given_values = grouped(operation, case.operands).values()
        outputs = outputs_of(function(*given_values, **case.attributes))
        for seen in precisely_rounded(case, outputs):
            ratio = max(ratio, ratio_of(seen, arithmetic, dtype))
    return ratio


def ratio_of(seen: Rounded, arithmetic, dtype):
    allowed = bound(arithmetic, dtype, seen.roundings, seen.magnitude, seen.exact, seen.degree)
    allowed = allowed + 2 * seen.underflow * smallest_normal(dtype)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        ratios = numpy.where(seen.error == 0, 0.0, abs(seen.error) / allowed)
    return float(numpy.nan_to_num(ratios, nan=numpy.inf).max(initial=0.0))


@pytest.mark.parametrize("operation", ROUNDED)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_twins_lie_within_the_bound(operation, dtype):
    assert 0 <= worst(operation, getattr(fast, operation), dtype) <= 1


@pytest.mark.parametrize(
    ("operation", "function"),
    [pytest.param(operation, f, id=f"{operation}: {name}") for name, operation, f in CORRECT],
)
def test_correct_variants_are_not_accused(operation, function):
    variant = checked(operation, function)
    assert worst(operation, variant, "float32") <= 1
    assert worst(operation, variant, "float16") <= 1
    report = check(offering(**{operation: variant}), [operation], level="quick")[operation]
    assert report.status == "conforms", report.differences[0].message
    assert report.accuracy not in ("bfloat16", "fast algorithm")


@pytest.mark.parametrize("operation", [name for name in ROUNDED if name != "adaptive_max_pool_vjp"])
def test_a_result_in_half_the_digits_does_not(operation):
    def coarse(*operands, **attributes):
        outputs = outputs_of(getattr(fast, operation)(*operands, **attributes))
        return tuple(y.astype("float16").astype(y.dtype) for y in outputs)

    assert worst(operation, coarse, "float32") > 1


@pytest.mark.parametrize("operation", ROUNDED)
def test_the_reference_is_off_by_less_than_a_thousandth_of_the_bound(operation, monkeypatch):
    dtype = numpy.dtype("float64")
    rng = numpy.random.default_rng(3)
    for case in real_cases(operation, dtype, rng):
        pairs = reference(case)
        seen = precisely_rounded(case, tuple(high for high, _ in pairs))
        monkeypatch.setattr(precise, "BITS", 500)
        better = reference(case)
        monkeypatch.undo()
        for (high, low), (higher, lower), one in zip(pairs, better, seen, strict=True):
            off = abs((high - higher) + (low - lower))
            allowed = bound(
                own_arithmetic(dtype), dtype, one.roundings, one.magnitude, one.exact, one.degree
            )
            assert (off <= allowed / 1000).all()


def test_many_bits_are_many():
    with mpmath.workprec(200):
        third = in_many_bits(numpy.array([1.0]))[0] / 3
        assert abs(third * 3 - 1) < 2.0**-190
    assert precision(numpy.dtype("float64")) == 53


def test_a_note_says_that_elementary_functions_are_assumed_to_be_accurate():
    notes = check(fast, ["tanh"], level="quick", dtypes=["float32"])["tanh"].notes
    assert any("assuming elementary functions within 4 ulps" in note for note in notes)
    notes = check(fast, ["linear"], level="quick", dtypes=["float32"])["linear"].notes
    assert not any("assuming" in note for note in notes)


# Mistakes.


def test_every_operation_has_two_mistakes_of_its_own():
    for name in RECIPES:
        planted = [operation for _, operation, _ in PLANTED if forward_name(operation) == name]
        assert len(planted) >= 2, name


@pytest.mark.parametrize(
    ("operation", "planted"),
    [pytest.param(operation, planted, id=f"{operation}: {n}") for n, operation, planted in PLANTED],
)
def test_a_mistake_is_found_and_reproduced(operation, planted):
    implementation = offering(**{operation: planted})
    report = check(implementation, [operation], level="quick", dtypes=["float32"])[operation]
    kinds = {difference.kind for difference in report.differences}
    assert kinds & {"value", "gradient", "special", "shape", "raises"}
    smallest_case = min(
        sum(a.size for a in flat(d.case.operands).values()) for d in report.differences
    )
    assert smallest_case <= 64
    assert all(difference.reproducer for difference in report.differences)


def test_a_list_of_factors_is_taken_apart_and_put_together():
    operands = {"input": 1, "factors_0": 2, "factors_1": 3}
    assert grouped("spatially_separable_conv", operands) == {"input": 1, "factors": [2, 3]}
    assert flat({"input": 1, "factors": [2, 3]}) == operands

    def flipped(input, factors, **attributes):
        first, *others = factors
        return fast.spatially_separable_conv(input, [first[::-1], *others], **attributes)

    report = check(
        offering(spatially_separable_conv=flipped),
        ["spatially_separable_conv"],
        level="quick",
        dtypes=["float32"],
    )
    difference = report["spatially_separable_conv"].differences[0]
    factors = difference.case.operands["factors"]
    assert isinstance(factors, list)
    assert "[factors_0]" in difference.reproducer or "[factors_0, " in difference.reproducer
    assert all(factor.ndim == 1 for factor in factors)


def test_shrinking_keeps_labels_masks_and_places_valid():
    rng, dtype = numpy.random.default_rng(0), numpy.dtype("float32")
    shapes = {"logits": (3, 5), "labels": (3,)}
    operands = filled("cross_entropy", shapes, {}, rng, dtype)
    seen = []

    def fails(case):
        seen.append(is_valid(case))
        return True

    case = smallest(Case("cross_entropy", operands, {}), fails)
    assert all(seen)
    assert case.operands["logits"].shape == (1, 1)
    shape = (1, 1, 4)
    places = {"values": shape, "indices": shape}
    attributes = {"output_size": (6,)}
    operands = filled("max_unpool", places, attributes, rng, dtype)
    case = smallest(Case("max_unpool", operands, attributes), fails)
    assert all(seen)
    assert case.operands["values"].size == 1


@pytest.mark.parametrize("operation", ["dropout", "max_unpool", "batch_norm"])
def test_what_is_not_valid_is_told(operation):
    bad = {
        "dropout": ({"mask": numpy.array([2])}, {}),
        "max_unpool": (
            {"values": numpy.array([[[1.0, 2.0]]]), "indices": numpy.array([[[0, 0]]])},
            {"output_size": (3,)},
        ),
        "batch_norm": ({"variance": numpy.array([0.0])}, {}),
    }
    assert not is_valid(Case(operation, *bad[operation]))

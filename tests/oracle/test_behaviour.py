"""Behaviour: layouts, repeated calls and bad arguments, each seen to be noticed."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.case import Case, forward_name, grouped, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.call import callee
from convspec.oracle.cases.filling import filled
from convspec.oracle.cases.samples import SAMPLES
from convspec.oracle.reference import spec, trial
from convspec.oracle.steps.bad_calls import BAD_ARGUMENTS, bad_calls
from convspec.oracle.steps.behaviour import (
    empty_batch_findings,
    interruptions,
    layout_findings,
    layouts,
    repeat_findings,
)
from convspec.oracle.steps.refusals import accepts_findings
from tests.oracle.definitions import by_definition
from tests.oracle.implementations import everything, offering

SHAPES = {
    "conv": (
        {"input": (2, 2, 6, 5), "weight": (4, 1, 3, 2), "bias": (4,)},
        {"groups": 2, "padding": 1},
    ),
    "conv_transpose": ({"input": (2, 2, 3, 4), "weight": (2, 1, 2, 3)}, {"groups": 2, "stride": 2}),
    "convolve": ({"f": (5, 4), "g": (2, 3)}, {"mode": "same"}),
    "correlate": ({"f": (6,), "g": (3,)}, {"mode": "full"}),
    "max_pool": ({"input": (2, 3, 6)}, {"kernel_size": 2}),
    "max_pool_with_indices": ({"input": (1, 2, 5, 4)}, {"kernel_size": 2, "padding": 1}),
    "average_pool": ({"input": (2, 1, 7)}, {"kernel_size": 3, "ceil_mode": True}),
}
ALL = [n for name in SHAPES for n in (name, f"{name}_vjp")]


def case_of(operation):
    name = forward_name(operation)
    shapes, given = SHAPES[name]
    attributes = normalised(name, shapes, given)
    if operation != name:
        shapes = {"cotangent": OPERATIONS[name].shape(*shapes.values(), **attributes), **shapes}
    rng = numpy.random.default_rng(0)
    operands = {
        n: rng.permutation(numpy.prod(s)).reshape(s).astype("f4") for n, s in shapes.items()
    }
    return Case(operation, operands, attributes)


def right_of(case):
    return trial(case, spec())


def target(function, operation="conv"):
    return callee(offering(**{operation: function}), operation)


def test_layouts_hold_the_same_values_in_other_places():
    array = numpy.arange(24.0).reshape(2, 3, 4)
    seen = dict(layouts(array))
    assert len(seen) == 4
    assert all((view == array).all() and view.shape == array.shape for view in seen.values())
    assert all(view.strides != array.strides for view in seen.values())
    assert len(dict(layouts(numpy.arange(3.0)))) == 3


@pytest.mark.parametrize("operation", ALL)
def test_the_twins_behave(operation):
    function, case = everything()[operation], case_of(operation)
    for look in (
        lambda t: layout_findings(t, [case], right_of),
        lambda t: repeat_findings(t, [case]),
        lambda t: accepts_findings(t, [case]),
    ):
        judged, findings = look(target(function, operation))
        assert judged > 0
        assert findings == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_layout_that_is_misread_is_found(place):
    def conv(*operands, **attributes):
        read = [
            x if i != place or x.flags.c_contiguous else numpy.ascontiguousarray(x)[::-1]
            for i, x in enumerate(operands)
        ]
        return fast.conv(*read, **attributes)

    judged, findings = layout_findings(target(conv), [case_of("conv")], right_of)
    assert judged > len(findings) > 0
    assert {finding.kind for finding in findings} == {"layout"}
    assert findings[0].message.startswith(("input", "weight", "bias")[place])


def test_a_layout_that_is_refused_is_found_and_one_that_is_not_offered_is_not():
    def conv(*operands, **attributes):
        if not all(x.flags.c_contiguous for x in operands):
            raise refusal
        return fast.conv(*operands, **attributes)

    refusal = ValueError("contiguous arrays only")
    _, findings = layout_findings(target(conv), [case_of("conv")], right_of)
    assert "ValueError: contiguous arrays only" in findings[0].message
    assert findings[0].actual is None
    refusal = NotImplementedError()
    judged, findings = layout_findings(target(conv), [case_of("conv")], right_of)
    assert judged < 10
    assert findings == []


def overwriting():
    kept = {}

    def conv(*operands, **attributes):
        y = fast.conv(*operands, **attributes)
        buffer = kept.setdefault(y.shape, numpy.empty_like(y))
        buffer[...] = y
        return buffer

    return conv


def drifting():
    turn = iter(range(1000))
    return lambda *a, **k: fast.conv(*a, **k) + (next(turn) > 0)


def broken_after_another_call():
    last = []

    def conv(*operands, **attributes):
        stale = bool(last) and last[0] != attributes
        last[:] = [attributes]
        if stale:
            raise RuntimeError("compiled for another stride")
        return fast.conv(*operands, **attributes)

    return conv


def test_results_that_do_not_stay_or_do_not_come_again_are_found():
    for make, words in (
        (overwriting, "changed after it was returned"),
        (drifting, "another result the second time"),
        (broken_after_another_call, "another result the second time"),
    ):
        judged, findings = repeat_findings(target(make()), [case_of("conv")])
        assert judged == 1
        assert [finding.kind for finding in findings] == ["unstable"]
        assert words in findings[0].message
    overwritten = repeat_findings(target(overwriting()), [case_of("conv")])[1][0]
    assert (overwritten.actual[0] != overwritten.expected[0]).any()


def test_a_call_that_is_not_offered_is_not_judged():
    def lacks(*_, **__):
        raise NotImplementedError

    case = case_of("conv")
    assert repeat_findings(target(lacks), [case]) == (0, [])
    assert layout_findings(target(lacks), [case], right_of) == (0, [])
    assert accepts_findings(target(lambda input, weight: 0), [case]) == (0, [])


@pytest.mark.parametrize("operation", ALL)
def test_interruptions_are_valid_calls_that_differ(operation):
    case = case_of(operation)
    others = list(interruptions(case))
    assert len(others) >= 1
    for other in others:
        by_definition(operation, other.operands, other.attributes)
        assert other.attributes != case.attributes or any(
            (other.operands[n] != x).any() for n, x in case.operands.items()
        )


def sample_of(operation):
    shapes, given = SAMPLES[operation](2, (4, 3))
    attributes = normalised(operation, shapes, given)
    rng, dtype = numpy.random.default_rng(0), numpy.dtype("float32")
    return Case(operation, filled(operation, shapes, attributes, rng, dtype), attributes)


@pytest.mark.parametrize("operation", [*ALL, *SAMPLES])
def test_bad_calls_are_refused_by_the_definition(operation):
    case = sample_of(operation) if operation in SAMPLES else case_of(operation)
    names = []
    for name, bad in bad_calls(case):
        names.append(name)
        with pytest.raises((TypeError, ValueError)):
            by_definition(operation, grouped(operation, bad.operands), bad.attributes)
    assert len(names) == len(set(names))
    anything_goes = ("convolve", "correlate", "flatten", "relu", "sigmoid", "tanh")
    assert names or forward_name(operation) in anything_goes


def test_every_kind_of_bad_argument_occurs():
    cases = [*map(case_of, ALL), *map(sample_of, SAMPLES)]
    seen = {name for case in cases for name, _ in bad_calls(case)}
    assert seen == {*(name for name, _ in BAD_ARGUMENTS), "a kernel beyond the padded input"}


@pytest.mark.parametrize(
    "operation", ["conv", "conv_transpose", "max_pool", "conv_vjp", "convolve"]
)
def test_a_bad_argument_that_is_accepted_is_found(operation):
    def careless(*operands, **attributes):
        try:
            return everything()[operation](*operands, **attributes)
        except (TypeError, ValueError):
            return (operands[0],) * (len(operands) - 1) if "vjp" in operation else operands[0]

    judged, findings = accepts_findings(target(careless, operation), [case_of(operation)])
    assert {finding.kind for finding in findings} == {"accepts"}
    assert all(finding.message.endswith("was accepted") for finding in findings)
    assert judged >= len(findings) == len(list(bad_calls(case_of(operation))))


def test_a_bad_argument_that_is_never_passed_is_not_accepted():
    """A learner's signature lacks the attribute, and its default is left out."""
    x, w = numpy.arange(7, dtype="f4").reshape(1, 1, 7), numpy.ones((1, 1, 3), "f4")
    operands = {"input": x, "weight": w}
    case = Case("conv", operands, normalised("conv", {"input": x.shape, "weight": w.shape}, {}))
    learner = target(lambda input, weight: fast.conv(input, weight))
    judged, findings = accepts_findings(learner, [case])
    assert findings == []
    assert judged == 1  # a weight with a channel too many


def test_rubbish_for_a_bad_argument_is_no_refusal():
    """A call must be refused by an exception: None, or too few outputs, says nothing."""

    def conv(*operands, **attributes):
        try:
            return fast.conv(*operands, **attributes)
        except (TypeError, ValueError):
            return None

    _, findings = accepts_findings(target(conv), [case_of("conv")])
    assert {finding.kind for finding in findings} == {"accepts"}


# The last is a mean over its batch.
WITHOUT_BATCH = ("convolve", "correlate", "l2_penalty", "cross_entropy")


@pytest.mark.parametrize("operation", [*ALL, *SAMPLES, *(f"{name}_vjp" for name in SAMPLES)])
def test_an_empty_batch_after_another_call_is_judged(operation):
    """Of every operation with a batch that may be empty; no twin returns the last one."""
    name = forward_name(operation)
    case = case_of(operation) if name in SHAPES else sample_of(name)._replace(operation=operation)
    if name in SAMPLES and operation != name:
        shapes, _ = SAMPLES[name](2, (4, 3))
        rng, dtype = numpy.random.default_rng(0), numpy.dtype("float32")
        case = case._replace(operands=filled(operation, shapes, case.attributes, rng, dtype))
    twin = target(getattr(fast, operation), operation)
    judged, findings = empty_batch_findings(twin, [case], right_of)
    assert findings == []
    assert judged == (name not in WITHOUT_BATCH)


def test_a_last_result_for_an_empty_batch_is_found():
    last = []

    def softmax(input, *, axis):
        last.append(fast.softmax(input, axis=axis) if len(input) else last[-1])
        return last[-1]

    judged, findings = empty_batch_findings(
        target(softmax, "softmax"), [sample_of("softmax")], right_of
    )
    assert judged == 1
    assert [finding.kind for finding in findings] == ["unstable"]

"""Diagnosis: the planted deviation is named, mistakes without a name get a rule."""

from __future__ import annotations

import numpy
import pytest

import convspec.fast
from convspec.case import Case
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.explanation.diagnosis import diagnose, distinguish, mutating, separating_rule
from convspec.oracle.explanation.replay import agree, replay
from tests.deviations.planted import (
    ACCEPTING,
    BY_HAND,
    REMEMBERING,
    first_showing,
    judged_cases,
    wrong_on,
)

# One operation of each deviation, in turn the first, the second, ...: the kill matrix has them all.
SHOWING = [
    (name, deviation.operations[index % len(deviation.operations)])
    for index, (name, deviation) in enumerate(DEVIATIONS.items())
    if name not in {*ACCEPTING, *REMEMBERING, *BY_HAND}
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "operation"), SHOWING)
def test_the_planted_deviation_is_among_the_first(name, operation):
    planted = DEVIATIONS[name].edit(convspec.fast, operation)
    failing, passing = [], []
    for case, due, bounds in judged_cases(operation, 300, seed=1):
        outputs = replay(planted, case)
        if not agree(outputs, due, bounds):
            failing.append((case, outputs))
        elif agree(outputs, due, bounds) and len(passing) < 40:
            passing.append(case)
    if not failing:
        case = first_showing(name, operation)
        failing = [(case, wrong_on(name, case))]
    names = diagnose(failing[:6], passing)
    assert name in names
    left = distinguish(names, operation, lambda case: replay(planted, case))
    assert name in left
    assert left[0] == name or all(alike(name, other, operation) for other in left)


def alike(first: str, second: str, operation: str) -> bool:
    """Whether two deviations agree on many cases, so that nothing tells them apart."""
    return all(
        agree(wrong_on(first, case), wrong_on(second, case), bounds)
        for case, _, bounds in judged_cases(operation, 1000)
    )


def test_nothing_is_named_for_what_nobody_knows():
    case, due, _ = judged_cases("conv", 50)[30]
    assert diagnose([(case, tuple(output + 1 for output in due))], []) == []
    assert diagnose([], [case]) == []


def test_a_deviation_that_shows_on_a_passing_case_is_ruled_out():
    case = first_showing("stride ignored", "conv")
    outputs = wrong_on("stride ignored", case)
    assert "stride ignored" in diagnose([(case, outputs)], [])
    assert "stride ignored" not in diagnose([(case, outputs)], [case])


def changed(name, operation, operand):
    """Cases of which a call of a deviation changes an operand, and what it leaves."""
    for case, _, _ in judged_cases(operation, 60):
        left = {n: array.copy() for n, array in case.operands.items()}
        DEVIATIONS[name].edit(convspec.fast, operation)(*left.values(), **case.attributes)
        if (left[operand] != case.operands[operand]).any():
            yield case, left


def test_an_argument_that_changes_is_named():
    for name, operation, operand in (
        ("kernel flipped in place", "conv", "weight"),
        ("cotangent cleared after use", "conv_vjp", "cotangent"),
    ):
        case, left = next(changed(name, operation, operand))
        assert mutating(case, left) == [name]
        left[operand][...] += 1
        assert mutating(case, left) == []
        assert mutating(case, case.operands) == []


def test_a_stale_cache_is_named():
    x, w = numpy.arange(7.0).reshape(1, 1, 7), numpy.array([[[1.0, 2.0]]])
    attributes = {"stride": (1,), "padding": ((0, 0),), "dilation": (2,), "groups": 1}
    planted = DEVIATIONS["cache key lacks the dilation"].edit(convspec.fast, "conv")
    first = Case("conv", {"input": x, "weight": w}, attributes)
    second = first._replace(attributes={**attributes, "dilation": (3,)})
    replay(planted, first)
    outputs = replay(planted, second)
    assert diagnose([(second, outputs)], [first]) == ["cache key lacks the dilation"]


def test_the_dtype_does_not_hide_a_wrong_value():
    case = next(
        case
        for case, due, bounds in judged_cases("conv", 600)
        if case.operands["input"].dtype == numpy.float32
        and not agree(wrong_on("kernel flipped", case), due, bounds)
    )
    wide = tuple(output.astype(numpy.float64) for output in wrong_on("kernel flipped", case))
    assert "kernel flipped" in diagnose([(case, wide)], [])


def test_a_rule_says_when_two_features_meet():
    cases = [case for case, _, _ in judged_cases("conv", 1500)]
    failing = [c for c in cases if c.attributes["groups"] > 1 and max(c.attributes["stride"]) > 1]
    passing = [
        c for c in cases if not (c.attributes["groups"] > 1 and max(c.attributes["stride"]) > 1)
    ]
    assert separating_rule(failing, passing) == "only when stride > 1 and groups > 1"
    assert separating_rule(failing, []) == "in every case tried"
    assert separating_rule([], []) is None
    assert separating_rule(failing[:1], failing[:1]) is None


@pytest.mark.parametrize("operation", ["convolve", "max_pool", "conv_transpose_vjp"])
def test_a_rule_holds_for_all_that_fails_and_nothing_that_passes(operation):
    cases = [case for case, _, _ in judged_cases(operation, 400)]
    failing = [case for case in cases if next(iter(case.operands.values())).dtype == "float16"]
    passing = [case for case in cases if next(iter(case.operands.values())).dtype != "float16"]
    rule = separating_rule(failing, passing)
    assert rule is None or rule.startswith("only when ")

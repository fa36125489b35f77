"""Calls after others that resemble them: what is kept, and what is wrong without it."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.case import Case
from convspec.oracle.call import callee
from convspec.oracle.reference import spec
from convspec.oracle.steps.neighbours import (
    after_one_other,
    apart,
    differing,
    neighbour_findings,
    neighbours,
)
from tests.oracle.implementations import offering
from tests.oracle.test_behaviour import ALL, case_of

POOL = Case(
    "max_pool",
    {"input": numpy.arange(6, dtype="f4").reshape(1, 2, 3)},
    {
        "kernel_size": (2,),
        "stride": (1,),
        "padding": ((0, 0),),
        "dilation": (1,),
        "ceil_mode": False,
    },
)


def found(function, case=POOL):
    target = callee(offering(**{case.operation: function}), case.operation)
    return neighbour_findings(target, [case], spec())


def keeping(*names):
    """A result kept by its shapes and these attributes, whatever the numbers and the others."""
    kept = {}

    def max_pool(input, **attributes):
        y = fast.max_pool(input, **attributes)
        key = (input.shape, y.shape, *(str(attributes[name]) for name in names))
        return kept.setdefault(key, y).copy()

    return max_pool


@pytest.mark.parametrize("operation", ALL)
def test_the_twins_are_right_after_their_neighbours(operation):
    judged, findings = found(getattr(fast, operation), case_of(operation))
    assert judged > 1
    assert findings == []


def test_neighbours_hold_the_numbers_of_the_case():
    for other in neighbours(POOL):
        same = numpy.sort(other.operands["input"], axis=-1) == POOL.operands["input"]
        assert same.all()
        moved = (other.operands["input"] != POOL.operands["input"]).any()
        assert moved == (differing(POOL, other) == [])


def test_what_is_kept_is_blamed_on_the_call_before():
    _, findings = found(keeping("kernel_size", "stride", "padding", "dilation", "ceil_mode"))
    (finding,) = findings
    assert finding.kind == "unstable"
    assert finding.before == (POOL,)
    assert after_one_other(finding)
    assert finding.message.startswith("after a call that differs in its numbers alone: the output")
    assert finding.message.endswith("; it is what that call returned")


def test_an_attribute_that_is_not_looked_at_is_named():
    kept = {}

    def average_pool(input, **attributes):
        y = fast.average_pool(input, **attributes)
        return kept.setdefault((input.tobytes(), y.shape), y).copy()

    attributes = {**POOL.attributes, "padding": ((1, 1),), "count_include_pad": False}
    case = Case("average_pool", POOL.operands, attributes)
    _, findings = found(average_pool, case)
    (finding,) = (finding for finding in findings if finding.before)
    assert differing(case, finding.case) == ["count_include_pad"]
    told, _, _ = finding.message.partition(":")
    assert told == "after a call that differs in count_include_pad alone"


def test_what_is_wrong_by_itself_is_not_blamed_on_the_call_before():
    def max_pool(input, **attributes):
        y = fast.max_pool(input, **attributes)
        return y + 1 if attributes["ceil_mode"] else y

    _, findings = found(max_pool)
    assert [(finding.kind, finding.before) for finding in findings] == [("value", ())]
    assert "after" not in findings[0].message


def test_what_comes_and_goes_is_not_blamed_on_the_call_before():
    calls = []

    def max_pool(input, **attributes):
        calls.append(attributes)
        return fast.max_pool(input, **attributes) + (len(calls) == 2)

    _, findings = found(max_pool)
    assert [(finding.kind, finding.before) for finding in findings] == [("unstable", ())]


def test_sums_that_a_dtype_does_not_hold_are_not_judged():
    """Windows that do not overlap have numbers up to 2048; those of the neighbours do overlap."""

    def max_pool_vjp(cotangent, input, *, kernel_size, stride, **others):
        if others != {"padding": ((0, 0),), "dilation": (1,), "ceil_mode": False}:
            raise NotImplementedError
        d = numpy.zeros_like(input)
        for i in range(cotangent.shape[2]):
            window = input[0, 0, i * stride[0] :][: kernel_size[0]]
            d[0, 0, i * stride[0] + int(window.argmax())] += cotangent[0, 0, i]
        return (d,)

    operands = {
        "cotangent": numpy.array([[[2048, 2043, 2047]]], "float16"),
        "input": numpy.array([[[1, 2, 9, 3, 4, 8, 7]]], "float16"),
    }
    attributes = {**POOL.attributes, "kernel_size": (3,), "stride": (2,)}
    judged, findings = found(max_pool_vjp, Case("max_pool_vjp", operands, attributes))
    assert judged > 1
    assert findings == []


def test_what_equal_numbers_leave_open_is_not_judged():
    """Windows of one element know no ties; those of the neighbours do, and the last is taken."""

    def max_pool_vjp(cotangent, input, **attributes):
        backwards = {**attributes, "padding": tuple(p[::-1] for p in attributes["padding"])}
        (d,) = fast.max_pool_vjp(cotangent[..., ::-1], input[..., ::-1], **backwards)
        return (d[..., ::-1],)

    operands = {"cotangent": numpy.ones((1, 1, 4), "f4"), "input": numpy.ones((1, 1, 4), "f4")}
    attributes = {**POOL.attributes, "kernel_size": (1,)}
    _, findings = found(max_pool_vjp, Case("max_pool_vjp", operands, attributes))
    assert findings == []


def test_a_call_that_is_refused_is_not_judged():
    def max_pool(input, **attributes):
        if attributes != POOL.attributes:
            raise RuntimeError("another")
        return fast.max_pool(input, **attributes)

    judged, findings = found(max_pool)
    assert (judged, findings) == (1, [])


def test_a_call_apart_has_more_items():
    case = case_of("conv")
    more = apart(case, 3)
    assert more.operands["input"].shape == (5, *case.operands["input"].shape[1:])
    assert more.operands["weight"] is case.operands["weight"]
    assert not more.operands["input"][2:].any()

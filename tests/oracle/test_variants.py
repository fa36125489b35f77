"""Recognised variants: told from the spec and from each other, and applied where followed."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.oracle.call import callee
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.judge import judge
from convspec.oracle.reference import spec, trial
from convspec.oracle.steps.variants import (
    RULED,
    known_conventions,
    probes,
    under_variants,
    variants,
)
from tests.oracle.implementations import everything, offering

F32 = numpy.dtype("float32")
RECOGNISED = [
    (name, operation)
    for name, deviation in DEVIATIONS.items()
    if deviation.convention is not None and deviation.convention[0] in RULED
    for operation in deviation.operations
    if operation in everything()
]


def seen(operation, function, dtype=F32):
    with numpy.errstate(all="ignore"):
        return variants(operation, callee(offering(**{operation: function}), operation), dtype)


@pytest.mark.parametrize("operation", sorted({operation for _, operation in RECOGNISED}))
def test_the_twins_follow_the_spec(operation):
    found = seen(operation, everything()[operation])
    assert found.active == ()
    assert found.findings == ()
    assert found.values
    assert all(value == RULED[name] for name, value in found.values.items())


@pytest.mark.parametrize(("name", "operation"), RECOGNISED)
def test_a_variant_that_is_followed_is_recognised(name, operation):
    deviation = DEVIATIONS[name]
    found = seen(operation, deviation.edit(fast, operation))
    variant, value = deviation.convention
    assert found.values[variant] == value
    assert name in [active.name for active in found.active]
    assert len(found.findings) == len(found.active)


@pytest.mark.parametrize(("name", "operation"), RECOGNISED)
def test_the_probes_of_a_variant_tell_it_from_the_spec(name, operation):
    cases = probes(name, operation)
    assert 1 <= len(cases) <= 3
    for case in cases:
        right, wrong = trial(case, spec()), None
        operands = {n: x.copy() for n, x in case.operands.items()}
        try:
            with numpy.errstate(all="ignore"):
                wrong = DEVIATIONS[name].edit(spec(), operation)(
                    *operands.values(), **case.attributes
                )
        except (TypeError, ValueError):
            continue  # refused: that tells them apart too
        outputs = (
            tuple(map(numpy.asarray, wrong))
            if isinstance(wrong, tuple)
            else (numpy.asarray(wrong),)
        )
        assert judge(outputs, right.expected, right.slack, numpy.dtype("float64")) is not None


def test_one_that_follows_neither_is_given_no_value():
    found = seen("conv", lambda *a, **k: fast.conv(*a, **k) * 3 + 1)
    assert "kernel_orientation" not in found.values
    assert found.active == ()


def test_one_that_offers_or_answers_nothing_is_given_no_value():
    def lacks(*_, **__):
        raise NotImplementedError

    def fails(*_, **__):
        raise RuntimeError("no")

    assert seen("conv", lacks).values == {}
    assert seen("conv", fails).active == ()
    assert seen("conv", lambda *_, **__: None).active == ()


def test_the_spec_under_a_variant():
    flipped = next(
        d for d in DEVIATIONS.values() if d.convention == ("kernel_orientation", "flipped")
    )
    namespace = under_variants("conv", (flipped,))
    x, w = numpy.array([[[1.0, 2.0]]]), numpy.array([[[1.0, 10.0]]])
    plain = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
    assert spec().conv(x, w, **plain).tolist() == [[[21.0]]]
    assert namespace.conv(x, w, **plain).tolist() == [[[12.0]]]
    assert namespace.max_pool is spec().max_pool


def test_the_conventions_that_may_be_accepted():
    known = known_conventions()
    assert list(known) == list(RULED)
    for name, values in known.items():
        assert values[0] == RULED[name]
        assert len(values) == len(set(values)) >= 2

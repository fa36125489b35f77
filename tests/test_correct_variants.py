"""No false alarm: correct implementations of every style conform."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from convspec import fast
from convspec.oracle.check import check
from tests.alarms import swept
from tests.correct_variants import VARIANTS


def test_there_are_at_least_twenty():
    assert len(VARIANTS) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_conforms(name):
    variant = VARIANTS[name]
    offered = [operation for operation in vars(variant) if callable(getattr(variant, operation))]
    report = check(variant, offered, level="standard")
    told = [d.message for o in report.operations.values() for d in o.differences]
    assert report.status == "conforms", told
    assert all(operation.judged > 100 for operation in report.operations.values())


def test_ties_are_measured():
    assert (
        check(VARIANTS["last tie"], ["max_pool_with_indices"], level="quick")[
            "max_pool_with_indices"
        ].conventions["index_on_ties"]
        == "last"
    )
    assert (
        check(VARIANTS["ties split evenly"], ["max_pool_vjp"], level="quick")[
            "max_pool_vjp"
        ].conventions["gradient_on_ties"]
        == "split"
    )


def test_float64_inside_is_seen():
    """The class is the finest arithmetic that explains what is returned."""
    report = check(VARIANTS["float64 inside"], ["conv"], dtypes=["float32"])
    assert report["conv"].accuracy == "float64"


def test_small_errors_of_small_results_are_those_of_a_fast_algorithm():
    """An FFT is off by more than a thousandth where large terms cancel."""
    assert swept("FFT", 5, "standard").alarms == ()


def test_what_is_wrong_is_an_alarm(monkeypatch):
    off = SimpleNamespace(conv=lambda *a, **k: fast.conv(*a, **k) + 1)
    monkeypatch.setitem(VARIANTS, "off by one", off)
    row = swept("off by one", 0, "quick")
    assert row.judged
    assert row.alarms
    assert "value" in row.alarms[0]

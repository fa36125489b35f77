"""The convention atlas: its page is that of its reports, and its reports are what is measured."""

from __future__ import annotations

from types import SimpleNamespace

import numpy
import pytest

from atlas import measure, page
from atlas.meanings import MEANINGS
from atlas.targets import TARGETS
from convspec import conv, fast
from convspec.oracle import load
from convspec.oracle.steps.open_points import OPEN_POINTS
from convspec.oracle.steps.variants import RULED
from convspec.oracle.target import TargetError

REPORTS = page.reports()
EXACT = {"float32", "float64"}


def test_the_page_in_docs_is_that_of_the_reports():
    """`python -m atlas.page --write` renews it."""
    assert page.PAGE.read_text(encoding="utf-8") == page.page(REPORTS)


def test_the_short_form_is_that_of_the_reports():
    assert page.SHORT.read_text(encoding="utf-8") == page.short(REPORTS)


def test_every_convention_has_a_meaning_and_was_measured_somewhere():
    assert set(MEANINGS) == {*RULED, *OPEN_POINTS}
    assert {row.convention for report in REPORTS for row in report.rows} == set(MEANINGS)


def test_the_frameworks_are_measured():
    assert set(page.PORTED) <= {report.target for report in REPORTS}


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.target)
def test_every_claim_has_its_probe(report):
    assert report.rows
    for row in report.rows:
        assert row.probe.startswith(f"{row.operation}("), row
        assert row.value, row
        assert row.outcome, row
        assert row.dtypes, row
        assert bool(row.spec) == (row.convention in RULED), row
        if row.value == measure.NEITHER:
            assert row.outcome != row.spec, row


@pytest.mark.slow
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.target)
def test_a_report_is_what_the_probes_give_today(report):
    """`python -m atlas.measure NAME` renews it."""
    try:
        implementation = load(TARGETS[report.target].loads)
    except TargetError as error:
        pytest.skip(f"cannot be measured here: {error}")
    installed = getattr(implementation, "version", report.version)
    if str(installed) != report.version:
        pytest.skip(f"measured with {report.version}, and {installed} is installed")
    today = [page._row(row) for row in measure.measured(report.target)["measured"]]
    assert _claims(today) == _claims(report.rows)


def _claims(rows):
    """What is claimed in each type; how a coarser type rounds depends on the processor."""
    return {
        (row.operation, row.convention, row.value, dtype, row.probe)
        + ((row.outcome, row.spec) if dtype in EXACT else ())
        for row in rows
        for dtype in row.dtypes
    }


def _measured(monkeypatch, **functions):
    implementation = SimpleNamespace(dtypes=("float64",), version="1", **functions)
    monkeypatch.setattr(measure, "load", lambda target: implementation)
    rows = [page._row(row) for row in measure.measured("fast")["measured"]]
    return {(row.operation, row.convention): row for row in rows}


def test_a_planted_convention_is_measured_with_the_call_that_shows_it(monkeypatch):
    def flipped(input, weight, bias=None, **attributes):
        return conv(input, weight[:, :, ::-1], bias, **attributes)

    row = _measured(monkeypatch, conv=flipped)["conv", "kernel_orientation"]
    assert row.value == "flipped"
    assert row.outcome != row.spec


def test_what_follows_no_convention_says_so(monkeypatch):
    def odd(input, weight, bias=None, **attributes):
        return conv(input, weight, bias, **attributes) + 1

    row = _measured(monkeypatch, conv=odd)["conv", "kernel_orientation"]
    assert row.value == measure.NEITHER
    assert row.outcome != row.spec


def test_an_open_point_is_shown_by_the_call_that_decided(monkeypatch):
    def refusing(input, **attributes):
        if not input.shape[0]:
            raise ValueError("no items")
        return fast.max_pool(input, **attributes)

    rows = _measured(monkeypatch, max_pool=refusing)
    row = rows["max_pool", "empty_batch"]
    assert (row.value, row.outcome) == ("refused", "refused")
    assert row.probe == "max_pool(an empty array of shape (0, 1, 1, 3), kernel_size=(1, 2))"
    assert rows["max_pool", "nan_in_maximum"].value == "propagates"


def test_differences_are_those_of_float32():
    def report(name, value, dtype):
        row = measure.Row("conv", "sign_of_zero", value, (dtype,), "conv()", "0")
        return page.Report(name, "1", "3", (row,))

    one, other = report("one", "plus", "float32"), report("other", "minus", "float32")
    assert list(page.differences(one, other)) == [("conv", "Sign of zero", "plus", "minus")]
    assert list(page.differences(one, report("other", "plus", "float32"))) == []
    assert list(page.differences(one, report("other", "minus", "float64"))) == []


def test_an_array_without_elements_is_shown_by_its_shape():
    assert measure.shown_call("relu", {"0": numpy.zeros((0, 2))}, {}) == (
        "relu(an empty array of shape (0, 2))"
    )

"""Under coverage: of a property the first examples are traced, a whole check is not."""

from __future__ import annotations

from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import os
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

traced = []


@given(st.integers())
@settings(max_examples=40, database=None)
def test_property(number):
    traced.append(sys.gettrace() is not None)


def test_of_a_property_the_first_examples():
    assert traced[:20] == [True] * 20
    assert len(traced) == 40
    assert not any(traced[20:])


@pytest.mark.slow
def test_whole_check():
    assert sys.gettrace() is None
    assert "COVERAGE_PROCESS_CONFIG" not in os.environ


def test_others():
    assert sys.gettrace() is not None
    assert os.environ["COVERAGE_PROCESS_CONFIG"] == "whatever coverage says there"
"""
# A tracer that does nothing takes the place of coverage's, which may be tracing this test.
TRACED = """
import os, sys, pytest
sys.settrace(lambda *event: None)
os.environ["COVERAGE_PROCESS_CONFIG"] = "whatever coverage says there"
sys.exit(pytest.main(["-p", "no:cacheprovider", "test_traced.py"]))
"""


def test_what_is_traced(pytester, monkeypatch):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nmarkers = slow")
    pytester.makepyfile(test_traced=TESTS)
    pytester.runpython_c(TRACED).stdout.fnmatch_lines(["*4 passed*"])

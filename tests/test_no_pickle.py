"""No pickle is read anywhere, and loading a target runs that target alone."""

from __future__ import annotations

import pickle
import re
import sys
from pathlib import Path

import numpy
import pytest

import convspec
from convspec.oracle import check
from convspec.oracle.target import load

SOURCES = sorted(Path(convspec.__file__).parent.rglob("*.py"))
# What runs or unpickles what it is given.
FORBIDDEN = re.compile(
    r"\b(import (pickle|marshal|shelve|dill|cloudpickle|joblib)\b|from (pickle|marshal|shelve) "
    r"|allow_pickle\s*=\s*True|numpy\.load\(|np\.load\(|shell\s*=\s*True|os\.system\()"
)


@pytest.mark.parametrize("line", ["import pickle", "x = numpy.load(path)", "run(x, shell=True)"])
def test_the_search_finds_what_it_looks_for(line):
    assert FORBIDDEN.search(line)


def test_no_source_reads_a_pickle_or_asks_a_shell():
    assert len(SOURCES) > 100
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


def test_a_check_unpickles_nothing(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    report = check(load("fast"), ["convolve"], level="quick", isolate=True)
    assert report.status == "conforms"


def test_loading_a_file_runs_that_file_and_no_other(tmp_path):
    text = "open(__file__ + '.ran', 'x').close()\ndef conv(input, weight):\n    return 'own'\n"
    for name in ("mine", "other", "conftest", "setup", "__init__", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    before = list(sys.path)
    assert load(str(tmp_path / "mine.py")).conv(numpy.ones(1), None) == "own"
    assert [path.name for path in tmp_path.glob("*.ran")] == ["mine.py.ran"]
    assert sys.path[: len(before)] == before  # neighbours come last and shadow nothing

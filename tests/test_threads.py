"""How the processes of a check share the cores."""

import os
import sys
from pathlib import Path

import pytest

from convspec.oracle import check, load
from convspec.oracle.processes.threads import share_of_cores, sharing_cores

NAMES = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")
TELLING = """
import os
dtypes = ("float32",)
def {name}(f, g, mode):
    names = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")
    raise NotImplementedError(" ".join(str(os.environ.get(name)) for name in names))
"""


@pytest.fixture
def silent(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(("workers", "threads"), [(2, "4"), (3, "2"), (16, "1")])
def test_each_of_several_gets_its_share(silent, workers, threads):
    told = share_of_cores(workers)
    assert told == {"OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"}


def test_one_alone_has_them_all(silent):
    assert share_of_cores(1) == {"OMP_WAIT_POLICY": "PASSIVE"}


def test_what_the_user_says_stays(silent, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert share_of_cores(2) == {"OMP_WAIT_POLICY": "PASSIVE"}
    with sharing_cores(2):
        assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.parametrize("isolate", [True, False])
def test_the_processes_are_told(silent, monkeypatch, tmp_path, isolate):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = TELLING.format(name="convolve") + TELLING.format(name="correlate")
    Path("telling.py").write_text(text, encoding="utf-8")
    names = ["convolve", "correlate"]
    found = check(load("telling.py"), names, level="quick", workers=2, isolate=isolate)
    assert {found[name].unsupported_rule for name in names} == {"4 PASSIVE"}
    assert not os.environ.keys() & set(NAMES)

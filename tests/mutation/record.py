"""Which tests enter which functions of a module, and how long each takes: run once, unmutated."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from time import process_time
from types import FrameType
from typing import NamedTuple

import pytest

from tests.mutation.fork import FAILED, PASSED, preload, pytest_arguments
from tests.mutation.mutants import ROOT


class Record(NamedTuple):
    """The seconds of all tests, the tests of each function, shortest first, and the functions that
    are called before any test runs.
    """

    seconds: float
    tests: dict[str, list[str]]
    early: list[str]


class Recorder:
    """A pytest plugin that watches the calls of one file."""

    def __init__(self, path: str) -> None:
        self.file = str(ROOT / path)
        self.entered: set[str] = set()
        self.early: list[str] = []
        self.found: list[tuple[float, str, list[str]]] = []

    def watch(self, frame: FrameType, event: str, argument: object) -> None:
        """For `sys.setprofile`."""
        if event == "call" and frame.f_code.co_filename == self.file:
            self.entered.add(frame.f_code.co_name)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        sys.setprofile(self.watch)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        sys.setprofile(None)
        self.early = sorted(self.entered)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.entered = set()
        began = process_time()
        sys.setprofile(self.watch)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            self.found.append((process_time() - began, item.nodeid, sorted(self.entered)))


def record(path: str, tests: Sequence[str]) -> Record:
    """Run the tests on the module as it is.

    A mutant outside of every function may be noticed by any test: they stand under "".
    Raises `RuntimeError` where one fails: it would kill every mutant.
    """
    preload()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            recorder = Recorder(path)
            code = int(pytest.main(pytest_arguments(tests), plugins=[recorder]))
            with os.fdopen(write, "w") as pipe:
                json.dump([recorder.found, recorder.early], pipe)
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != PASSED:
        raise RuntimeError(f"pytest ends with {code}, without a mutant, on {' '.join(tests)}")
    return _sorted(*json.loads(text))


def _sorted(found: Sequence[tuple[float, str, list[str]]], early: list[str]) -> Record:
    tests: dict[str, list[str]] = {}
    for _, test, functions in sorted(found, key=lambda row: row[0]):
        for function in ("", *functions):
            tests.setdefault(function, []).append(test)
    return Record(sum(seconds for seconds, _, _ in found), tests, early)

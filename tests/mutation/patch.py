"""The quick way to put a mutant in place: once tests are collected, by the code of its function.

Whoever has imported the function then calls the mutant, and a child runs nothing but tests.  That
does not do for what runs while modules are imported, nor for methods: `fork.py` takes these.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType

import pytest

from tests.mutation.fork import FAILED, PASSED, end_at_failure, module_name, preload
from tests.mutation.fork import pytest_arguments as arguments
from tests.mutation.mutants import ROOT, Mutant

# How a child ends that could not put its mutant in place.
OTHERWISE = 98


class Patches:
    """A pytest plugin: where pytest would run the tests, it forks a child for each mutant."""

    def __init__(
        self, mutants: Iterable[Mutant], tests: Mapping[str, Sequence[str]], seconds: int
    ) -> None:
        self.mutants, self.tests, self.seconds = mutants, tests, seconds
        self.noticed: list[bool | None] = []
        self.child = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Go on to the tests only in a child."""
        items = {item.nodeid: item for item in session.items}
        gc.freeze()
        for mutant in self.mutants:
            if mutant.function not in self.tests:
                self.noticed.append(False)
                continue
            child = os.fork()
            if child == 0:
                self.child = True
                resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 1))
                put(mutant)
                session.items[:] = [items[test] for test in self.tests[mutant.function]]
                return None
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            self.noticed.append(None if code == OTHERWISE else code != PASSED)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """End at the first failure."""
        end_at_failure(call)


def put(mutant: Mutant) -> None:
    """Give the function of a mutant its code and its defaults, or end with `OTHERWISE`."""
    module = sys.modules.get(module_name(mutant.path))
    there = getattr(module, mutant.function, None)
    if not isinstance(there, FunctionType) or there.__module__ != module_name(mutant.path):
        os._exit(OTHERWISE)
    space = {"__name__": there.__module__}
    try:
        exec(compile(mutant.source, str(ROOT / mutant.path), "exec"), space)  # noqa: S102
        changed = space[mutant.function]
    except Exception:
        os._exit(OTHERWISE)
    assert isinstance(changed, FunctionType)
    there.__code__ = changed.__code__
    there.__defaults__, there.__kwdefaults__ = changed.__defaults__, changed.__kwdefaults__


def noticed_quickly(
    mutants: Iterable[Mutant], tests: Mapping[str, Sequence[str]], seconds: int
) -> list[bool | None]:
    """Whether a test of its function notices each mutant; None where that is for `fork.py` to say.

    In a process of its own: this one must not import convspec.
    """
    preload()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = FAILED
        patches = Patches(mutants, tests, seconds)
        try:
            code = int(pytest.main(arguments(tests[""]), plugins=[patches]))
            if not patches.child:
                with os.fdopen(write, "w") as pipe:
                    json.dump(patches.noticed, pipe)
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    found: list[bool | None] = json.loads(text)
    return found

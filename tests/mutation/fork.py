"""Tests on one mutant after the other, each in a process of its own that is forked from pytest.

The parent has started pytest and imported everything but convspec.  A child loads the text of its
mutant in place of the module, collects the tests, and runs them until one fails.  Nothing on disk
is changed, and a mutant costs little more than the tests that notice it.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest

from tests.mutation.mutants import ROOT, Mutant

# Whatever is installed, the spec is held by tests that run everywhere.
FRAMEWORKS = ("torch", "jax", "tensorflow", "onnx", "onnxruntime")
# Imported before the fork, so that a child has them already.
PRELOADED = (
    *("hypothesis.extra.numpy", "mpmath", "numpy", "rich.table", "sympy"),
    *("scipy.ndimage", "scipy.signal", "scipy.sparse"),
)
OPTIONS = [
    # The same examples every time, until the first failure, without a word.
    *("-x", "--hypothesis-profile=quick", "-p", "no:terminal", "-p", "no:cacheprovider"),
    *("-o", "addopts=--doctest-modules --strict-markers", "-p", "no:xdist"),
    # Rewriting its assertions, as pytest does for a plugin, would load convspec from disk.
    "--assert=plain",
    # The laws on the definitions alone: `fast` is no part of the spec.
    "--implementation=spec",
]
# What a mutant may take: one that never ends is found by that.
SECONDS, BYTES = 5, 8 << 30
# How a child ends: no test failed; one did; there was none; the mutant was not loaded.
PASSED, FAILED, NONE, UNSEEN = 0, 1, 5, 99


class Outcome(NamedTuple):
    """Whether a test failed, and the seconds of processor time until then."""

    noticed: bool
    seconds: float


class MutantLoader(SourceFileLoader):
    """Loads the text of a mutant as the module at its path."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(module_name(mutant.path), str(ROOT / mutant.path))
        self.mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.mutant.source, self.path, "exec", dont_inherit=True)

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """The module of the mutant; all others are left to Python."""
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None


def module_name(path: str) -> str:
    """The module that lies at a path of the repository.

    >>> module_name("convspec/window.py"), module_name("convspec/oracle/expected/__init__.py")
    ('convspec.window', 'convspec.oracle.expected')
    """
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


class Forks:
    """A pytest plugin: where pytest would collect tests, it forks a child for each mutant."""

    def __init__(self, mutants: Iterable[Mutant | None], seconds: int) -> None:
        self.mutants, self.seconds = mutants, seconds
        self.outcomes: list[Outcome] = []
        self.child = False
        self.loader: MutantLoader | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Return only in a child, which goes on to collect and run."""
        gc.freeze()  # a child's collections leave alone what it has from its parent
        for mutant in self.mutants:
            before = _children_seconds()
            child = os.fork()
            if child == 0:
                self._enter(mutant)
                return
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            if code in (NONE, UNSEEN):
                pytest.exit("no test loads the module", returncode=code)
            self.outcomes.append(Outcome(code != PASSED, _children_seconds() - before))
        pytest.exit("every mutant has met its tests", returncode=PASSED)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run first the tests that are named after the function."""
        if self.loader is not None:
            function = re.compile(rf"\b{self.loader.mutant.function}\b")
            items.sort(key=lambda item: function.search(item.nodeid) is None)

    def _enter(self, mutant: Mutant | None) -> None:
        self.child = True
        sys.modules.update(dict.fromkeys(FRAMEWORKS))  # type: ignore[arg-type]
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        if mutant is not None:
            assert module_name(mutant.path) not in sys.modules
            self.loader = MutantLoader(mutant)
            sys.meta_path.insert(0, self.loader)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """End at the first failure, without a report: writing one takes longer than most tests."""
        skipped = pytest.skip.Exception
        failed = call.excinfo is not None and not isinstance(call.excinfo.value, skipped)
        if self.child and failed:
            self.leave(FAILED)

    def leave(self, code: int) -> None:
        """End a child."""
        if code == PASSED and self.loader is not None:
            module = sys.modules.get(self.loader.name)
            if getattr(module, "__loader__", None) is not self.loader:
                code = UNSEEN
        os._exit(code)


def outcomes(
    mutants: Iterable[Mutant | None], tests: Sequence[str], seconds: int = SECONDS
) -> list[Outcome]:
    """What the tests say of each mutant; None stands for the module as it is.

    Raises `RuntimeError` where no test loads the module.
    """
    for name in PRELOADED:
        import_module(name)
    forks = Forks(mutants, seconds)
    code = -1
    try:
        code = int(pytest.main([*OPTIONS, *tests], plugins=[forks]))
    finally:
        if forks.child:
            forks.leave(code & 0xFF)
    if code != PASSED:
        raise RuntimeError(f"pytest ends with {code} on {tests}")
    return forks.outcomes


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

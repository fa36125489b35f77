"""Tests on one mutant after the other, each in a process of its own that is forked from pytest.

The parent has started pytest and imported everything but convspec.  A child loads the text of its
mutant in place of the module, collects the tests that enter the function, and runs them until one
fails.  Nothing on disk is changed, and a mutant costs little more than the test that notices it.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

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
# The memory that a mutant may map.
BYTES = 8 << 30
# How a child ends: no test failed; one did; there was none; the mutant was not loaded.
PASSED, FAILED, NONE, UNSEEN = 0, 1, 5, 99


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


class Absent:
    """Refuses to import the frameworks.  None in `sys.modules` would do so as well, but SciPy looks
    there for the frameworks that are in use.
    """

    @staticmethod
    def find_spec(name: str, path: object, target: object = None) -> ModuleSpec | None:
        """None, so that Python goes on looking, for everything else."""
        if name.partition(".")[0] in FRAMEWORKS:
            raise ModuleNotFoundError(f"{name} is kept out", name=name)
        return None


def module_name(path: str) -> str:
    """The module that lies at a path of the repository.

    >>> module_name("convspec/window.py"), module_name("convspec/oracle/expected/__init__.py")
    ('convspec.window', 'convspec.oracle.expected')
    """
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


class Forks:
    """A pytest plugin: where pytest would collect tests, it forks a child for each mutant."""

    def __init__(
        self, mutants: Iterable[Mutant], tests: Mapping[str, Sequence[str]], seconds: int
    ) -> None:
        self.mutants, self.tests, self.seconds = mutants, tests, seconds
        self.noticed: list[bool] = []
        self.loader: MutantLoader | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Return only in a child, which goes on to collect and run."""
        gc.freeze()  # a child's collections leave alone what it has from its parent
        for mutant in self.mutants:
            if mutant.function not in self.tests:
                self.noticed.append(False)
                continue
            child = os.fork()
            if child == 0:
                self._enter(mutant, session.config)
                return
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code in (NONE, UNSEEN):
                pytest.exit("no test loads the module", returncode=code)
            self.noticed.append(code != PASSED)
        pytest.exit("every mutant has met its tests", returncode=PASSED)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that enter the function, the shortest first."""
        if self.loader is not None:
            order = {test: i for i, test in enumerate(self.tests[self.loader.mutant.function])}
            items[:] = [item for item in items if item.nodeid in order]
            items.sort(key=lambda item: order[item.nodeid])

    def _enter(self, mutant: Mutant, config: pytest.Config) -> None:
        assert module_name(mutant.path) not in sys.modules
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        self.loader = MutantLoader(mutant)
        sys.meta_path.insert(0, self.loader)
        config.args = sorted({test.split("::")[0] for test in self.tests[mutant.function]})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """End at the first failure."""
        end_at_failure(call)

    def leave(self, code: int) -> None:
        """End a child."""
        assert self.loader is not None
        module = sys.modules.get(self.loader.name)
        if code == PASSED and getattr(module, "__loader__", None) is not self.loader:
            code = UNSEEN
        os._exit(code)


def end_at_failure(call: pytest.CallInfo[None]) -> None:
    """End this process without a report: writing one takes longer than most tests."""
    skipped = pytest.skip.Exception
    if call.excinfo is not None and not isinstance(call.excinfo.value, skipped):
        os._exit(FAILED)


def noticed(
    mutants: Iterable[Mutant], tests: Mapping[str, Sequence[str]], seconds: int
) -> list[bool]:
    """Whether a test of its function notices each mutant; `seconds` of a processor for one.

    Raises `RuntimeError` where no test loads the module.
    """
    preload()
    forks = Forks(mutants, tests, seconds)
    code = FAILED
    try:
        code = int(pytest.main(pytest_arguments(tests[""]), plugins=[forks]))
    finally:
        if forks.loader is not None:
            forks.leave(code)
    if code != PASSED:
        raise RuntimeError(f"pytest ends with {code}")
    return forks.noticed


def preload() -> None:
    """Import what tests need, and keep out what they can do without."""
    for name in PRELOADED:
        import_module(name)
    if Absent not in sys.meta_path:
        sys.meta_path.insert(0, Absent)


def pytest_arguments(tests: Sequence[str]) -> list[str]:
    """The options of every run, and the files of the tests."""
    return [*OPTIONS, *sorted({test.split("::")[0] for test in tests})]

"""The explanations of equivalent mutants, and the page, without running a mutant."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.mutation.equivalent import Explanation, explanations, gone, key, unexplained, unused
from tests.mutation.page import PAGE, Score, page, stored

ROOT = Path(__file__).parent.parent.parent
MODULES = tomllib.loads(Path(__file__).with_name("modules.toml").read_text())
PATHS = [row["path"] for row in MODULES.values()]

ENTRY = Explanation("m.py", "f", "-    return a < b\n+    return a <= b\n", "a is never b")


def test_a_survivor_without_an_explanation_is_a_hole():
    other = ENTRY._replace(change="-    return a < b\n+    return a > b\n")
    assert unexplained([ENTRY, other], [ENTRY]) == [other]
    assert unexplained([ENTRY._replace(function="g")], [ENTRY]) != []


def test_an_explanation_without_a_survivor_is_stale():
    assert unused([], [ENTRY]) == [ENTRY]
    assert unused([ENTRY], [ENTRY]) == []


def test_a_change_is_the_same_at_another_indentation():
    assert key(ENTRY) == key(ENTRY._replace(change="-return a < b\n+return a <= b"))
    assert key(ENTRY) != key(ENTRY._replace(change="-return a < b\n+return a <  b"))


def test_an_explanation_of_a_line_that_is_gone_is_seen():
    assert not gone(ENTRY, "def f(a, b):\n    return a < b\n")
    assert gone(ENTRY, "def f(a, b):\n    return a <= b\n")


@pytest.mark.parametrize(
    "entry", explanations(), ids=lambda entry: f"{entry.path}-{entry.function}"
)
def test_every_explanation_is_about_a_line_of_a_module_that_is_run(entry):
    """What this misses, a run does not: that the mutant is still alive."""
    assert entry.path in PATHS
    assert entry.why.strip()
    assert not gone(entry, (ROOT / entry.path).read_text())


def test_no_mutant_is_explained_twice():
    keys = [key(entry) for entry in explanations()]
    assert len(set(keys)) == len(keys)


def test_every_test_that_mutants_meet_exists():
    for row in MODULES.values():
        for given in (row["path"], *(test for tests in row["rounds"] for test in tests)):
            assert (ROOT / given).exists(), given


def test_the_page_is_what_the_last_runs_found():
    assert PAGE.read_text() == page(list(stored().values()), PATHS)


def test_the_page_counts_by_hand_and_says_what_was_not_run():
    found = page([Score("b.py", 10, 7, 2, 1), Score("a.py", 4, 4, 0, 0)], ["a.py", "b.py", "c.py"])
    assert "| `a.py` | 4 | 4 | 0 | 0 | 100.0 % |\n| `b.py` | 10 | 7 | 2 | 1 | 87.5 % |" in found
    assert "| all of them | 14 | 11 | 2 | 1 | 91.7 % |" in found
    assert found.endswith("Not run yet: `c.py`.\n")

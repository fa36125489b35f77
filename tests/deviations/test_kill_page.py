"""The kill matrix in docs: it is about this catalogue, and nothing survives on it."""

from __future__ import annotations

import re

from convspec.oracle.deviations import DEVIATIONS
from tests.kill_page import LEVELS, PAGE, stored


def test_the_page_in_docs_is_about_this_catalogue():
    """`python -m tests.kill_matrix --write NAME ...` renews what has changed."""
    runs = stored()
    rows = [row for run in runs.values() for row in run]
    catalogue = {(name, o) for name, d in DEVIATIONS.items() for o in d.operations}
    for level in LEVELS:
        assert {(row.name, row.operation) for row in rows if row.level == level} == catalogue
    listed = re.findall(
        r"^\| (.+?) \| (?:mistake|convention) \| (\w+) \|", PAGE.read_text(), re.MULTILINE
    )
    assert set(listed) == catalogue


def test_nothing_survives_on_the_page_in_docs():
    rows = [row for run in stored().values() for row in run if row.level == "standard"]
    assert rows
    assert [row.name for row in rows if not row.killed] == []

"""`docs/networks.md` says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convspec.network import plan, totals
from convspec.network.architectures import ARCHITECTURES

PAGE = Path(__file__).parents[2] / "docs" / "networks.md"


@pytest.fixture(scope="module")
def text():
    if not PAGE.exists():
        pytest.skip("the documentation is not installed")
    return PAGE.read_text(encoding="utf-8")


def test_the_table_lists_every_architecture_with_its_parameters(text):
    rows = re.findall(r"^\| `([^`]+)` \| ([\d,]+) \|", text, re.MULTILINE)
    counts = {name: f"{totals(plan(make())).parameters:,}" for name, make in ARCHITECTURES.items()}
    assert dict(rows) == counts
    assert [name for name, _ in rows] == [*ARCHITECTURES]


def test_the_example_runs(text):
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found: dict = {}
    exec(example, found)  # noqa: S102 - our own page
    assert f"totals(steps).parameters  # {totals(found['steps']).parameters}\n" in example

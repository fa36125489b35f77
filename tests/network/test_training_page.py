"""`docs/training.md` is what its record says, and the record what the course promises."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from convspec.network import plan, totals
from convspec.network.digits import BEST, recipes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page():
    script = ROOT / "examples" / "digits" / "page.py"
    if not script.exists() or not (ROOT / "docs").exists():
        pytest.skip("examples and the documentation are not installed")
    specification = spec_from_file_location("page", script)
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def course(page):
    return json.loads((ROOT / "docs" / "training.json").read_text(encoding="utf-8"))


def test_the_page_is_drawn_from_its_record(page, course):
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert text == page.page(course)
    for picture in ("curves", "effects"):
        drawn = (ROOT / "docs" / f"training-{picture}.svg").read_text(encoding="utf-8")
        assert f"(training-{picture}.svg)" in text
        assert all(name in drawn for name in course["recipes"])


def test_every_recipe_was_measured_as_it_is_now(course):
    assert [*course["recipes"]] == [*recipes()]
    assert course["held out"] == 599
    for name, recipe in recipes().items():
        row = course["recipes"][name]
        assert row["parameters"] == totals(plan(recipe.network)).parameters
        assert len(row["wrong"]) == len(row["costs"]) == len(row["seconds"]) == 5
        assert {len(curve) for curve in row["wrong"] + row["costs"]} == {recipe.settings.epochs}


def test_the_best_recipe_reached_98_percent_within_two_minutes_a_seed(page, course):
    assert page.mean_accuracy(course, BEST) >= 0.98
    assert max(course["recipes"][BEST]["seconds"]) < 120


def test_true_convolutions_learned_the_flipped_kernels_and_the_same_function(course):
    """Exactly: they multiply and add the same numbers in the same order."""
    assert len(course["flip"]) == 5
    for row in course["flip"]:
        assert row["flipped"] == {"kernels": 0, "predictions": 0, "wrong": row["wrong"]}
        assert row["same"]["kernels"] > 0


def test_changes_are_paired_by_seed(page):
    """By hand: of 10 images 4 and 2 are wrong, then 1 and 1: 3 and 1 better, 2 in the mean; the
    standard error of the mean is sqrt(2) / sqrt(2) images.
    """
    rows = {"a": {"wrong": [[9, 4], [9, 2]]}, "b": {"wrong": [[5, 1], [5, 1]]}}
    course = {"held out": 10, "recipes": rows}
    assert page.ends(course, "a") == [0.6, 0.8]
    assert page.told(*page.change(course, "a", "b")) == "+20.00 ± 10.00"

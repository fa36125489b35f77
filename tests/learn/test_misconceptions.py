"""Misconceptions, written by hand as learners would, are called by their names."""

from __future__ import annotations

from time import process_time

import pytest

from convspec.learn.misconceptions import misconceptions
from convspec.oracle.deviations import DEVIATIONS
from tests.learn.trying import FILES, tried

# The file, the step it breaks at, and what is believed in it.
BELIEVED = {
    "flipped": ("valid", "the flip"),
    "without_floor": ("stride", "forgetting floor"),
    "float_size": ("valid", "forgetting floor"),
    "same_symmetric": ("padding", "SAME as symmetric everywhere"),
}


@pytest.mark.parametrize("name", BELIEVED)
def test_a_misconception_is_named_within_five_seconds(name):
    begun = process_time()
    found = tried(FILES / f"{name}.py")
    assert (found["step"], found["misconception"]["name"]) == BELIEVED[name]
    assert process_time() - begun < 5


def test_every_misconception_is_written_by_hand():
    assert {name for _, name in BELIEVED.values()} == {m.name for m in misconceptions()}


def test_deviations_of_misconceptions_are_in_the_catalogue():
    for misconception in misconceptions():
        assert set(misconception.deviations) <= DEVIATIONS.keys()

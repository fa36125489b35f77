"""Misconceptions, written by hand as learners would, are called by their names."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from convspec.learn.misconceptions import misconceptions
from convspec.oracle.deviations import DEVIATIONS
from tests.learn.trying import FILES, tried

# The file, the step that it is tried from and breaks at, and what is believed in it.
BELIEVED = {
    "flipped": ("valid", "valid", "the flip"),
    "without_floor": ("valid", "stride", "forgetting floor"),
    "float_size": ("valid", "valid", "forgetting floor"),
    "past_the_end": ("valid", "stride", "forgetting floor"),
    "same_symmetric": ("valid", "padding", "SAME as symmetric everywhere"),
    "same_low": ("valid", "padding", "SAME as symmetric everywhere"),
    "same_half": ("same", "same", "SAME as symmetric everywhere"),
    "dilation_holes": ("valid", "valid", "dilation off by one"),
    "dilation_extent": ("dilation", "dilation", "dilation off by one"),
    "depthwise_only": ("separable", "separable", "depthwise for depthwise-separable"),
    "inverse": ("transposed", "transposed", "transposed as inverse"),
    "inverse_law": ("transposition-law", "transposition-law", "transposed as inverse"),
    "direct_unflipped": (
        "transposed",
        "transposed",
        "the direct convolution with the unflipped kernel",
    ),
    "output_padding_zeros": ("transposed", "transposed", "output_padding as appended zeros"),
    "zero_padded_maximum": ("max-pool", "max-pool", "max pooling padded by zeros"),
    "maximum_from_zero": ("max-pool", "max-pool", "max pooling padded by zeros"),
    "gradient_to_ties": (
        "max-pool-gradient",
        "max-pool-gradient",
        "one gradient for each of the ties",
    ),
    "average_of_zeros": ("average-pool", "average-pool", "the divisor of an average"),
    "average_with_overhang": ("average-pool", "average-pool", "the divisor of an average"),
    "invariance": ("shift-law", "shift-law", "invariance for equivariance"),
    "centred_field": ("receptive-field", "receptive-field", "receptive field centre"),
    "field_from_zero": ("receptive-field", "receptive-field", "receptive field centre"),
}


@pytest.mark.parametrize("name", BELIEVED)
def test_a_misconception_is_named(name):
    begin, step, believed = BELIEVED[name]
    found = tried(FILES / f"{name}.py", begin)
    assert (found["step"], found["outcome"]) == (step, "Wrong")
    assert found["misconception"] is not None, found
    assert found["misconception"]["name"] == believed


@pytest.mark.slow
@pytest.mark.parametrize("name", BELIEVED)
def test_naming_it_takes_less_than_five_seconds_of_the_processor(name):
    """From the command line, imports and both processes included."""
    begin, _, believed = BELIEVED[name]
    program = "from convspec.cli import main; main()"
    words = [sys.executable, "-c", program, "learn", str(FILES / f"{name}.py"), "--from", begin]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert believed.lower() in " ".join(run.stdout.split()).lower()
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5


def test_every_misconception_is_written_by_hand():
    assert {name for _, _, name in BELIEVED.values()} == {m.name for m in misconceptions()}


def test_deviations_of_misconceptions_are_in_the_catalogue():
    for misconception in misconceptions():
        assert set(misconception.deviations) <= DEVIATIONS.keys()

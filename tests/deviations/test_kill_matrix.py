"""The kill matrix in small: one deviation of each theme is found and named.

All of them are examined by `python -m tests.kill_matrix`, in a tox environment of its own.
"""

from __future__ import annotations

import pytest

from convspec.oracle.deviations import DEVIATIONS
from tests.kill_page import page, told
from tests.planting import Row, examined, is_open

ONE_OF_EACH_THEME = {
    "kernel flipped": "conv",
    "dilation in the size rule only": "conv",
    "groups take turns over the output channels": "conv_transpose",
    "1x1 path ignores the stride": "conv",
    "crop shifted by one": "conv_transpose",
    "overhang counted in the divisor": "average_pool",
    "indices count the padded width": "max_pool_with_indices",
    "gradient of the maximum assigned, not added": "max_pool_vjp",
    "weight gradient of the last batch item only": "conv_vjp",
    "same has the longer operand's size": "convolve",
    "NaN kept only at the start of a window": "max_pool",
    "strides of the weight ignored": "conv",
    "kernel flipped in place": "conv",
    "tail of the input channels left out": "conv",
    "stride 0 accepted": "average_pool",
}


# Found, but not named from the few findings at which this check stops: rounding shows on real data,
# and a stale result depends on the calls before it.
FOUND = {"result truncated toward zero": "correlate", "stale output for an empty batch": "max_pool"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUND)
def test_is_found(name):
    assert examined(name, FOUND[name], "quick").killed


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH_THEME)
def test_is_found_and_named(name):
    row = examined(name, ONE_OF_EACH_THEME[name], "quick")
    assert row.killed
    assert row.named, row.diagnoses


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "operation"),
    [(name, d.operations[0]) for name, d in DEVIATIONS.items() if is_open(d)],
)
def test_an_open_point_is_measured_and_not_failed(name, operation):
    row = examined(name, operation, "quick")
    assert row.killed
    assert row.kinds == ("measured",)


ROWS = [
    Row("kernel flipped", "conv", "quick", False, "", (), 900, 90.0, (), ()),
    Row("stride ignored", "conv", "quick", True, "exact sweep", ("value",), 9, 2.5, ("x",), ()),
    Row(
        "kernel flipped",
        "conv",
        "standard",
        True,
        "search",
        ("value",),
        4000,
        912.34,
        ("kernel flipped",),
        ("another",),
    ),
]


def test_the_page_says_what_survives_and_what_finds_it():
    lines = page(ROWS, ["NumPy 2"]).splitlines()
    assert "Measured with NumPy 2." in lines
    assert (
        "| kernel flipped | convention | conv | SURVIVES | killed | search | 4000 | 912.3 "
        "| right, 1 more fit |"
    ) in lines
    assert (
        "| stride ignored | mistake | conv | killed | not run | exact sweep | 9 | 2.5 | x |"
    ) in lines


def test_the_summary_counts_what_it_is_given():
    quick, standard, names, time = told(ROWS)
    assert quick == "At `quick`: 1 of 2 (50.0 %) killed, 1 of 1 (100.0 %) of the mistakes."
    assert standard == "At `standard`: 1 of 1 (100.0 %) killed, 0 of 0 of the mistakes."
    assert names == "The diagnosis names 1 of 2 (50.0 %) first."
    assert time == "The first wrong outcome is seen after 457.4 ms, in the median."

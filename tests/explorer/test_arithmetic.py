"""The arithmetic of the explorer, checked as any other implementation is."""

import re
import shutil

import numpy
import pytest

from convspec.oracle import check
from convspec.oracle.target import load
from tests.test_exec import ROOT, needs_node

PAGE = ROOT / "docs" / "explorer"
PROGRAM = ROOT / "examples" / "javascript" / "explorer.mjs"
OPERATIONS = ["conv", "conv_transpose", "max_pool", "average_pool"]

pytestmark = needs_node


def run(program, operations=OPERATIONS):
    return check(load(f"exec:node {program}"), operations, level="quick")


def with_a_mistake(right, wrong, place):
    """The program in a tree of its own, with one line of the page's arithmetic changed."""
    source = (PAGE / "arithmetic.js").read_text(encoding="utf-8")
    assert source.count(right) == 1
    shutil.copytree(PROGRAM.parent, place / "examples" / "javascript")
    (place / "docs" / "explorer").mkdir(parents=True)
    changed = place / "docs" / "explorer" / "arithmetic.js"
    changed.write_text(source.replace(right, wrong), encoding="utf-8")
    return place / "examples" / "javascript" / PROGRAM.name


def test_it_refuses_with_a_message():
    target = load(f"exec:node {PROGRAM}")
    x = numpy.ones((1, 1, 4), "float32")
    valid = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "kernel_size": (2,)}
    assert target.max_pool(x, ceil_mode=False, **valid).shape == (1, 1, 3)
    with pytest.raises(RuntimeError, match=r"spans 5 positions, .* has only 4"):
        target.max_pool(x, ceil_mode=False, **{**valid, "kernel_size": (5,)})
    with pytest.raises(RuntimeError, match="window 0 of axis 0 holds no element"):
        target.max_pool(x, ceil_mode=False, **{**valid, "padding": ((2, 0),)})


@pytest.mark.slow
def test_it_conforms():
    report = run(PROGRAM)
    assert report.status == "conforms"
    for name in OPERATIONS:
        assert report[name].judged > 1000
        assert not report[name].unsupported


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "right", "wrong", "name"),
    [
        (
            "conv",
            "[j, i * stride - low + j * dilation]",
            "[j, i * stride - low + j]",
            "dilation in the size rule only",
        ),
        (
            "conv",
            "Math.floor(o / (O / groups)) * share",
            "(o % groups) * share",
            "group of an output channel by remainder",
        ),
        (
            "conv_transpose",
            "[j, (a + low - j * dilation) / stride]",
            "[kernel - 1 - j, (a + low - j * dilation) / stride]",
            "kernel flipped in the transposed convolution",
        ),
        ("max_pool", "Math.max(a, b))", "Math.max(a, b), 0)", "maximum started from zero"),
        (
            "average_pool",
            "include ? a < n + window.high",
            "include ? true",
            "overhang counted in the divisor",
        ),
    ],
)
def test_a_mistake_in_it_is_found(tmp_path, operation, right, wrong, name):
    report = run(with_a_mistake(right, wrong, tmp_path), [operation])
    assert report.status == "differs"
    assert name in [difference.diagnosis for difference in report[operation].differences]


def test_the_page_loads_nothing_from_elsewhere():
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\s\"')]+", text))
        # The names of XML namespaces are no addresses to load from.
        assert addresses <= {
            "http://www.w3.org/1998/Math/MathML",
            "http://www.w3.org/2000/svg",
        }


def test_the_page_names_every_file_and_each_is_there():
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r'<script defer src="([^"]+)"', page)
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    files = {file.name for file in PAGE.iterdir()}
    assert sorted([*scripts, *sheets, "index.html"]) == sorted(files)

"""The worked examples in other languages: what their pages say to do, done."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy
import pytest

from convspec.oracle import check
from convspec.oracle.target import load

ROOT = Path(__file__).parents[1]
OPERATIONS = ["conv", "conv_vjp", "max_pool"]


def node_version():
    if shutil.which("node") is None:
        return 0
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.match(r"v(\d+)", told)[1])


needs_node = pytest.mark.skipif(node_version() < 20, reason="needs Node 20 or later")
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, cc")


def commands(page):
    """The lines of a page that begin with a prompt."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^\$ (.+)$", text, re.MULTILINE)


def with_a_mistake(source, right, wrong, place):
    """A copy of an example with one line changed."""
    text = (ROOT / "examples" / source).read_text(encoding="utf-8")
    assert text.count(right) == 1
    for neighbour in (ROOT / "examples" / source).parent.iterdir():
        shutil.copy(neighbour, place)
    copy = place / Path(source).name
    copy.write_text(text.replace(right, wrong), encoding="utf-8")
    return copy


def compiled(source, place):
    """The program that the page's command makes of a source file."""
    (command,) = (line for line in commands("exec-c.md") if line.startswith("cc "))
    words = shlex.split(command)
    assert words[-2:] == ["conv.c", "-lm"]
    shutil.copy(source, place / "source.c")
    subprocess.run([*words[:-2], "source.c", "-lm"], cwd=place, check=True)
    return place / "conv"


def run(program):
    return check(load(f"exec:{program}"), OPERATIONS, level="quick")


def conforms(report):
    return report.status == "conforms" and all(
        operation.judged > 1000 and not operation.unsupported
        for operation in report.operations.values()
    )


def named(report, operation):
    return [difference.diagnosis for difference in report[operation].differences]


def refusals(program):
    """What an example says to bad values of attributes, each once a valid call has gone well."""
    target = load(f"exec:{program}")
    x, w = numpy.ones((1, 1, 4, 4), "float32"), numpy.ones((1, 1, 2, 2), "float32")
    valid = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 1}
    for name, value in [("stride", (1.5, 1)), ("padding", "a \\ b"), ("groups", (1, 1))]:
        assert target.conv(x, w, **valid).shape == (1, 1, 3, 3)
        with pytest.raises(RuntimeError) as refused:
            target.conv(x, w, **{**valid, name: value})
        yield name, str(refused.value)


@needs_node
def test_the_example_in_javascript_refuses_with_a_message():
    said = dict(refusals(f"node {ROOT / 'examples/javascript/conv.mjs'}"))
    assert "stride [1.5,1] must be 2 positive integers" in said["stride"]
    assert r'padding "a \\ b" must be 2 pairs of integers' in said["padding"]
    assert "groups [1,1] must be a positive integer" in said["groups"]


@needs_cc
def test_the_example_in_c_refuses_with_a_message(tmp_path):
    said = dict(refusals(compiled(ROOT / "examples/c/conv.c", tmp_path)))
    assert said == {
        "stride": "stride must be whole numbers, and begins with [1.5",
        "padding": r'padding must be whole numbers, and begins with "a \\ b"',
        "groups": "groups must be whole numbers, and begins with [1,1",
    }


@pytest.mark.slow
@needs_node
def test_the_example_in_javascript_conforms():
    assert conforms(run(f"node {ROOT / 'examples/javascript/conv.mjs'}"))


@pytest.mark.slow
@needs_node
@pytest.mark.parametrize(
    ("operation", "right", "wrong", "name"),
    [
        ("conv", "w0 + w, x0 + x", "w0 + ws - 1 - w, x0 + x", "kernel flipped"),
        ("max_pool", "fill(-Infinity)", "fill(0)", "maximum started from zero"),
    ],
)
def test_a_mistake_in_javascript_is_named(tmp_path, operation, right, wrong, name):
    copy = with_a_mistake("javascript/conv.mjs", right, wrong, tmp_path)
    report = run(f"node {copy}")
    assert report.status == "differs"
    assert name in named(report, operation)


@pytest.mark.slow
@needs_cc
def test_the_example_in_c_conforms(tmp_path):
    assert conforms(run(compiled(ROOT / "examples/c/conv.c", tmp_path)))


@pytest.mark.slow
@needs_cc
def test_a_mistake_in_c_is_named(tmp_path):
    right, wrong = "+ j * given->dilation[axis];", "+ j;"
    copy = with_a_mistake("c/conv.c", right, wrong, tmp_path)
    report = run(compiled(copy, tmp_path))
    assert "dilation in the size rule only" in named(report, "conv")
    assert report["max_pool"].status == "differs"


@pytest.mark.slow
@needs_cc
def test_a_segmentation_fault_in_c_costs_its_cases_and_no_more(tmp_path):
    right = "  if (!must(x && x->axes > 2 && given->kernel_axes"
    wrong = f"  if (given->stride[0] == 3) *(volatile char *)0 = 0;\n{right}"
    copy = with_a_mistake("c/conv.c", right, wrong, tmp_path)
    report = run(compiled(copy, tmp_path))
    assert {name: operation.status for name, operation in report.operations.items()} == {
        "conv": "conforms",
        "conv_vjp": "conforms",
        "max_pool": "crashed",
    }
    (found,) = report["max_pool"].differences
    assert "ended by SIGSEGV" in found.message
    assert found.case.attributes["stride"][0] == 3


@pytest.mark.parametrize("page", ["exec-javascript.md", "exec-c.md"])
def test_the_pages_name_files_that_are_there(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)

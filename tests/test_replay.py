"""`convspec replay`: the arithmetic of a stored difference, and what a hostile file is told."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner

from convspec.case import Case
from convspec.cli import main
from convspec.oracle.call import Returned, Unsupported
from convspec.oracle.processes.calling import CallEndedError, called, called_apart
from convspec.oracle.recorded.stored import MOST_SIZE, StoredError, read_report
from convspec.oracle.report import Difference, OperationReport, Report

CONV = Case(
    "conv",
    {"input": numpy.array([[[2.0, 3.0]]], "float32"), "weight": numpy.array([[[5.0]]], "float32")},
    {"stride": (1,), "padding": ((1, 0),), "dilation": (1,), "groups": 1},
)
RIGHT = (numpy.array([[[0.0, 10.0, 15.0]]], "float32"),)
WRONG = (numpy.array([[[0.0, 10.0, 16.0]]], "float32"),)
ENDING = """
import os, time
isolate = True

def conv(input, weight, **attributes):
    os.kill(os.getpid(), 9)

def relu(input):
    time.sleep(60)
"""


def stored(tmp_path, *differences, target="mine.py"):
    """A report in a file, with these differences."""
    found = OperationReport("conv", 1, 0, None, None, {}, differences, ())
    report = Report(target, None, "3.13.0", "quick", 0, 0.0, {"conv": found})
    path = tmp_path / "report.json"
    path.write_text(report.to_json(), encoding="utf-8")
    return path


def difference(**changes):
    default = Difference("conv-value-1", "value", CONV, RIGHT, WRONG, "wrong at 1 of 3 places")
    return default._replace(**changes)


def replay(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def test_what_is_read_is_what_was_written(tmp_path):
    pairs = {
        "input": numpy.array([[[numpy.inf, -numpy.inf, numpy.nan]]]),
        "weight": CONV.operands["weight"],
    }
    case = CONV._replace(operands=pairs)
    target, (read,) = read_report(stored(tmp_path, difference(case=case, actual="ValueError: no")))
    assert target == "mine.py"
    assert read.case.attributes == CONV.attributes
    for name, array in case.operands.items():
        numpy.testing.assert_array_equal(read.case.operands[name], array)
        assert read.case.operands[name].dtype == array.dtype
    numpy.testing.assert_array_equal(read.expected[0], RIGHT[0])
    assert (read.actual, read.message) == ("ValueError: no", "wrong at 1 of 3 places")


def test_the_first_wrong_element_is_shown_term_by_term(tmp_path):
    result = replay(stored(tmp_path, difference()))
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    told = lines[lines.index("How the spec computes element [0, 0, 2]:") :]
    assert told[1:3] == [
        "input[0, 0, 1] * weight[0, 0, 0] 3 * 5 = 15 sum 15",
        "expected 15.0, returned 16.0",
    ]


def test_a_window_and_its_padding_are_shown(tmp_path):
    case = Case(
        "average_pool",
        {"input": numpy.array([[[2.0, 4.0]]])},
        {"kernel_size": (3,), "stride": (1,), "padding": ((1, 0),), "count_include_pad": True},
    )
    right = (numpy.array([[[2.0]]]),)
    result = replay(stored(tmp_path, difference(case=case, expected=right, actual=(right[0] + 1,))))
    assert "6 / 3 = 2" in result.output
    assert "on padding, where there is nothing: input[0, 0, -1]" in result.output
    case = case._replace(operation="max_pool", attributes=dict(case.attributes))
    del case.attributes["count_include_pad"]
    result = replay(stored(tmp_path, difference(case=case, expected=right, actual=(right[0] + 1,))))
    assert "chosen from the window: 2, 4" in result.output


@pytest.mark.parametrize(
    ("changes", "target", "code", "said"),
    [
        ({}, "fast", 0, "Now fast returns what is expected."),
        ({"expected": WRONG}, "fast", 1, "Now fast differs."),
        ({"expected": "a ValueError"}, "fast", 1, "Now fast differs."),
        (
            {"expected": "a ValueError", "case": CONV._replace(attributes={"stride": (0,)})},
            "fast",
            0,
            "Now fast returns what is expected.",
        ),
        ({}, "average.py", 2, "Now average.py does not offer this call."),
        ({}, "ending.py", 3, "Now ending.py did not come back."),
    ],
)
def test_a_target_is_called_again(tmp_path, monkeypatch, changes, target, code, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("ending.py").write_text(ENDING, encoding="utf-8")
    Path("average.py").write_text("def average_pool(input): ...\n", encoding="utf-8")
    result = replay(stored(tmp_path, difference(**changes)), target)
    assert result.exit_code == code, result.output
    assert said in result.output


def test_what_the_report_names_is_not_run(tmp_path):
    (tmp_path / "mine.py").write_text("raise SystemExit('run')\n", encoding="utf-8")
    path = stored(tmp_path, difference(reproducer="raise SystemExit('run')"))
    assert replay(path).exit_code == 0


def test_a_difference_is_chosen_by_its_id(tmp_path):
    path = stored(tmp_path, difference(), difference(id="conv-value-2"))
    assert "conv-value-1" not in replay(path, "--difference", "conv-value-2").output
    result = replay(path, "--difference", "conv-value-3")
    assert result.exit_code == 2
    assert result.stderr.endswith("must be one of conv-value-1, conv-value-2\n")


def test_a_report_without_differences_says_so(tmp_path):
    result = replay(stored(tmp_path))
    assert result.exit_code == 0
    assert "the report of mine.py holds no differences" in result.output


def test_a_terminal_is_not_written_to_by_the_file(tmp_path):
    result = replay(stored(tmp_path, difference(message="\x1b[2J\x07", id="\x1b]0;x")))
    assert "\x1b]0" not in result.output
    assert "\x1b[2J" not in result.output


def at(*keys, value):
    def change(report):
        holder = report["operations"]["conv"]["differences"][0]
        for key in keys[:-1]:
            holder = holder[key]
        holder[keys[-1]] = value

    return change


def array(**changes):
    return {"dtype": "float32", "shape": [1, 1, 2], "values": [2.0, 3.0], **changes}


INPUT = ("case", "operands", "input")
HOSTILE = {
    "another format": (lambda report: report.update(format=2), "must be a report of format 1"),
    "no operations": (lambda report: report.update(operations=[]), "must be a report of format 1"),
    "an operation of another kind": (
        lambda report: report["operations"].update(conv=3),
        "'conv': must be an object with a list of differences",
    ),
    "a difference without a case": (at("case", value=None), "case: must be an object"),
    "an operation that is none": (
        at("case", "operation", value="__import__('os')"),
        "is no operation",
    ),
    "a private name": (at("case", "operation", value="conv_vjp_vjp"), "is no operation"),
    "an operand too many": (at("case", "operands", "more", value=array()), "conv takes input"),
    "an attribute that is none": (
        at("case", "attributes", "__class__", value=1),
        "attributes: must be an object with some of stride",
    ),
    "attributes of another kind": (at("case", "attributes", value=[]), "attributes: must be"),
    "a dtype that runs code": (at(*INPUT, value=array(dtype="O")), "dtype 'O': must be one of"),
    "too few values": (at(*INPUT, value=array(values=[1.0])), "1 values: shape [1, 1, 2] takes 2"),
    "a giant shape": (at(*INPUT, value=array(shape=[2**62, 2**62])), "2 values: shape"),
    "a giant empty shape": (at(*INPUT, value=array(shape=[0, 2**62], values=[])), "too big"),
    "a negative size": (at(*INPUT, value=array(shape=[-1, -2])), "must be a list of sizes"),
    "text among values": (at(*INPUT, value=array(values=["1", "2"])), "values: must be numbers"),
    "an integer beyond its dtype": (
        at(*INPUT, value=array(dtype="int8", values=[1, 300])),
        "values:",
    ),
    "a list for an array": (at(*INPUT, value=[array()]), "input: must be an array"),
    "endless padding": (
        at("case", "attributes", "padding", value=[[0, 10**9]]),
        f"1000000000: the most is {MOST_SIZE}",
    ),
    "much work": (at("case", "attributes", "padding", value=[[0, 2048]]), None),
    "outputs of another kind": (at("expected", value=7), "expected: must be text or a list"),
    "no text": (at("message", value=7), "message: must be text"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_report_is_refused_in_one_line(tmp_path, name):
    change, said = HOSTILE[name]
    path = stored(tmp_path, difference())
    report = json.loads(path.read_text(encoding="utf-8"))
    change(report)
    path.write_text(json.dumps(report), encoding="utf-8")
    result = replay(path)
    if said is None:
        assert result.exit_code == 0
        return
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"convspec: {path}: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_case_that_would_run_for_long_is_refused(tmp_path):
    wide = {
        "input": numpy.zeros((1, 1, 64, 64), "float32"),
        "weight": numpy.zeros((1, 1, 64, 64), "float32"),
    }
    attributes = {"padding": ((2000, 2000), (2000, 2000))}
    path = stored(tmp_path, difference(case=Case("conv", wide, attributes)))
    with pytest.raises(StoredError, match="products are too many"):
        read_report(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON object"),
        (b"[1]", "is no JSON object but a list"),
        (b'{"format": 1, "format": 1}', "'format' is there twice"),
        (b'{"format": NaN}', "NaN is no JSON"),
        (b"\xff\xfe", "is no JSON object"),
        (b"[" * 100_000, "is no JSON object"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, content, said):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    result = replay(path)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("place", ["absent.json", "."])
def test_a_file_that_is_none_is_refused(tmp_path, place):
    result = replay(tmp_path / place)
    assert result.exit_code == 2
    assert "no such file" in result.stderr


def test_a_target_that_cannot_be_loaded_is_one_line(tmp_path):
    result = replay(stored(tmp_path, difference()), "absent.py")
    assert (result.exit_code, result.stderr) == (2, "convspec: absent.py: no such file\n")


def test_a_call_apart(tmp_path):
    path = tmp_path / "ending.py"
    path.write_text(ENDING, encoding="utf-8")
    (outputs,) = called_apart("fast", CONV, 60.0).outputs
    numpy.testing.assert_array_equal(outputs, RIGHT[0])
    with pytest.raises(CallEndedError, match="ended in the call"):
        called_apart(str(path), CONV, 60.0)
    with pytest.raises(CallEndedError, match="did not return within 3 s"):
        called_apart(str(path), Case("relu", {"input": numpy.zeros(1)}, {}), 3.0)


def test_a_call_leaves_the_case_as_it_is():
    class Changing:
        def relu(self, input):
            input[...] = 7
            return input

    case = Case("relu", {"input": numpy.zeros(1)}, {})
    before = deepcopy(case)
    assert isinstance(called(Changing(), case), Returned)
    assert case.operands == before.operands
    assert isinstance(called(Changing(), CONV), Unsupported)

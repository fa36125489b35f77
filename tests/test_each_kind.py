"""Every kind of difference, planted: its case is small, its program fails on what is planted alone,
and a replay tells it from what is right.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from convspec.cli import main
from convspec.oracle import check
from convspec.oracle.call import ENDINGS
from convspec.oracle.processes.isolation import Limits
from convspec.oracle.target import load

ROOT = Path(__file__).parents[1]
RIGHT = """
import os, signal, time
import numpy
from convspec import fast

dtypes = ("float32",)
isolate = {isolate}
kept, calls = {{}}, []


def {operation}(*operands, **attributes):
    y = fast.{operation}(*operands, **attributes)
    {fault}
    return y
"""

# The kind, the operation, and what it does before it returns `y`.
PLANTED = {
    "shape": ("shape", "relu", "y = y[..., :-1]"),
    "dtype": ("dtype", "relu", "y = y.astype('float64')"),
    "no array": ("dtype", "relu", "y = None"),
    "value": ("value", "relu", "y = y + (y > 3)"),
    "special": ("special", "relu", "y = numpy.nan_to_num(y)"),
    "gradient": ("gradient", "relu_vjp", "y = (y[0] * 2,)"),
    "accuracy": ("accuracy", "linear", "y = numpy.where(y % 1 == 0, y, y * numpy.float32(1.05))"),
    "raises": ("raises", "relu", "if y.shape[-1] == 3: raise RuntimeError('three')"),
    "layout": ("layout", "relu", "y += not operands[0].flags.c_contiguous"),
    "layout of one operand of a list": (
        "layout",
        "spatially_separable_conv",
        "if not all(f.flags.c_contiguous for f in operands[1]): raise RuntimeError('a view')",
    ),
    "mutates": ("mutates", "linear", "operands[1][...] *= 2"),
    "a result that changes later": (
        "unstable",
        "relu",
        "buffer = kept.setdefault(y.shape, y); buffer[...] = y; y = buffer",
    ),
    "the last result for an empty batch": (
        "unstable",
        "relu",
        "kept['last'] = y if len(y) else kept.get('last', y); y = kept['last']",
    ),
    "the result of the same numbers with another attribute": (
        "unstable",
        "local_response_normalization",
        "y = kept.setdefault(operands[0].tobytes(), y)",
    ),
    "the first result of a shape": ("unstable", "relu", "y = kept.setdefault(y.shape, y).copy()"),
    "the last result where it has the same shape": (
        "unstable",
        "max_pool",
        "y = kept.get(y.shape, y).copy(); kept.clear(); kept[y.shape] = y.copy()",
    ),
    "wrong from the second call on": (
        "unstable",
        "relu",
        "key = operands[0].tobytes(); y = y + (key in kept); kept[key] = True",
    ),
    "now and then": ("unstable", "relu", "calls.append(1); y = y + (len(calls) % 19 == 0)"),
    "crash": ("crash", "relu", "if y.shape[-1] == 3: os.kill(os.getpid(), signal.SIGSEGV)"),
    "hang": ("hang", "relu", "if y.shape[-1] == 3: time.sleep(600)"),
}
ACCEPTING = """
import numpy
from convspec import fast

dtypes = ("float32",)


def softmax(input, *, axis):
    return fast.softmax(input, axis=axis) if axis < input.ndim else input
"""


def source(operation, fault, *, isolate=False):
    return RIGHT.format(operation=operation, fault=fault, isolate=isolate)


def ran(program, directory):
    """How a program ends that finds convspec and whatever is in a directory."""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    made = subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return made.returncode, made.stderr


def replayed(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def found(directory, operation, **options):
    """The first difference, and the file with the report that holds it."""
    report = check(load("mine.py"), [operation], level="quick", **options)
    file = directory / "report.json"
    file.write_text(report.to_json(), encoding="utf-8")
    return report[operation].differences[0], file


def elements(case):
    arrays = [a for value in case.operands.values() for a in _several(value)]
    return sum(array.size for array in arrays)


def _several(value):
    return value if isinstance(value, list) else [value]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "operation", "fault"),
    [planted for planted in PLANTED.values() if planted[0] not in ENDINGS],
    ids=[name for name, planted in PLANTED.items() if planted[0] not in ENDINGS],
)
def test_a_planted_difference_is_small_and_its_program_fails_on_it_alone(
    place, kind, operation, fault
):
    Path("mine.py").write_text(source(operation, fault), encoding="utf-8")
    difference, file = found(place, operation)
    assert difference.kind == kind
    assert elements(difference.case) <= (48 if "19" in fault else 12), difference.case
    code, said = ran(difference.reproducer, place)
    assert code == 1
    assert "Error" in said
    assert "SyntaxError" not in said
    again = replayed(file, "mine.py", "--difference", difference.id)
    assert again.exit_code == 1, again.output
    assert "Now mine.py differs." in again.output
    Path("mine.py").write_text(source(operation, "pass"), encoding="utf-8")
    assert ran(difference.reproducer, place) == (0, "")
    again = replayed(file, "mine.py", "--difference", difference.id)
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    "name", ["the first result of a shape", "the last result where it has the same shape"]
)
def test_a_result_of_an_earlier_call_is_named(place, name):
    _, operation, fault = PLANTED[name]
    Path("mine.py").write_text(source(operation, fault), encoding="utf-8")
    difference, _ = found(place, operation)
    assert difference.diagnosis == "earlier result returned again"
    assert difference.message.endswith("; it is what that call returned")
    assert len(difference.before) == 1


def test_a_bad_argument_that_is_accepted(place):
    Path("mine.py").write_text(ACCEPTING, encoding="utf-8")
    difference, file = found(place, "softmax")
    assert difference.kind == "accepts"
    assert elements(difference.case) == 1
    code, said = ran(difference.reproducer, place)
    assert code == 1
    assert "a bad argument was accepted" in said
    assert replayed(file, "mine.py").exit_code == 1
    assert replayed(file, "fast").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENDINGS)
def test_a_call_that_does_not_come_back(place, kind):
    _, operation, fault = PLANTED[kind]
    Path("mine.py").write_text(source(operation, fault, isolate=True), encoding="utf-8")
    difference, file = found(place, operation, isolate=Limits(seconds=2, memory=2**30))
    assert difference.kind == kind
    if kind == "crash":
        assert ran(difference.reproducer, place)[0] == -11
        assert replayed(file, "mine.py").exit_code == 3
    assert replayed(file, "fast").exit_code == 0


def test_a_layout_is_kept_from_the_worker_to_the_replay(place):
    """Through the report of a worker, through JSON, and into the process of a replay."""
    text = source("relu", PLANTED["layout"][2], isolate=True)
    Path("mine.py").write_text(text, encoding="utf-8")
    difference, file = found(place, "relu")
    assert difference.kind == "layout"
    assert not difference.case.operands["input"].flags.c_contiguous
    assert replayed(file, "mine.py").exit_code == 1
    assert '"layout": ' in file.read_text(encoding="utf-8")

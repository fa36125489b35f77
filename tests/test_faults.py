"""Faults injected on purpose: each ends in the right verdict, and nothing else is lost.

The faults below are those of a function in this process; `test_isolation.py` has those that end a
process or fill its memory, and `test_program.py` those of a program behind a pipe, each by itself.
A check of all operations at once is here, with a fault of another kind in each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest

from convspec import fast
from convspec.cli.check import exit_code
from convspec.oracle import check
from convspec.oracle.processes.isolation import Limits
from convspec.oracle.target import load

PROGRAM = Path(__file__).with_name("exec_program.py")
AT_CALL = 100


class SilentError(Exception):
    """An exception that raises when it is asked what it says."""

    def __str__(self):
        raise RuntimeError("no comment")


class StrangeError(BaseException):
    """Neither an Exception nor an exit."""


class NoArray:
    """What raises whatever is done with it."""

    def __array__(self, *_, **__):
        raise StrangeError("no numbers here")

    def __repr__(self):
        raise StrangeError("no text either")


class Mute:
    """An array of objects that cannot be shown."""

    def __repr__(self):
        raise SystemExit


def raising(error):
    def fault(right, operands, attributes):
        raise error

    return fault


def returning(change):
    return lambda right, operands, attributes: change(right(*operands, **attributes))


def result_in_the_input(right, operands, attributes):
    y = right(*operands, **attributes)
    flat = operands[0].reshape(-1)
    flat[: y.size] = y.reshape(-1)[: flat.size]
    return y


def input_zeroed(right, operands, attributes):
    y = right(*operands, **attributes)
    operands[0][...] = 0
    return y


def in_one_buffer():
    """Every result of a shape in the same array: earlier ones change later."""
    kept = {}

    def fault(right, operands, attributes):
        y = right(*operands, **attributes)
        buffer = kept.setdefault((y.shape, y.dtype), numpy.empty_like(y))
        buffer[...] = y
        return buffer

    return fault


def recursing(right, operands, attributes):
    return recursing(right, operands, attributes)


# A fault: what the function does from its hundredth call on, and the kind of difference it is.
FAULTS = {
    "raises an exception": (raising(ZeroDivisionError("0")), "raises"),
    "raises what is no Exception": (raising(StrangeError("?")), "raises"),
    "raises what has no text": (raising(SilentError()), "raises"),
    "raises with a very long text": (raising(ValueError("x" * 10**6)), "raises"),
    "leaves the process": (raising(SystemExit(3)), "raises"),
    "stops a generator": (raising(GeneratorExit()), "raises"),
    "runs out of memory": (raising(MemoryError()), "raises"),
    "recurses for ever": (recursing, "raises"),
    "returns NaN": (returning(lambda y: y * numpy.float32("nan")), "value"),
    "returns what was never written": (returning(lambda y: y * 0), "value"),
    "returns another dtype": (returning(lambda y: y.astype("float64")), "dtype"),
    "returns objects": (returning(lambda y: y.astype(object)), "dtype"),
    "returns complex numbers": (returning(lambda y: y + 0j), "dtype"),
    "returns a record": (returning(lambda y: numpy.zeros(3, "i4,f4")), "dtype"),
    "returns None": (returning(lambda _: None), "dtype"),
    "returns a text": (returning(lambda _: "done"), "dtype"),
    "returns what cannot be shown": (returning(lambda _: numpy.array([Mute()])), "dtype"),
    "returns another shape": (returning(lambda y: y[..., :-1]), "shape"),
    "returns an axis more": (returning(lambda y: y[None]), "shape"),
    "returns uneven lists": (returning(lambda _: [[1], [1, 2]]), "shape"),
    "returns what is no array": (returning(lambda _: NoArray()), "shape"),
    "returns a tuple": (returning(lambda y: (y, y)), "shape"),
    "claims a giant array": (
        returning(lambda _: numpy.broadcast_to(numpy.float32(0), (2**40,))),
        "shape",
    ),
    "returns its own input": (lambda right, operands, attributes: operands[0], "shape"),
    "writes into its input": (input_zeroed, "mutates"),
    "returns its result in the input": (result_in_the_input, "mutates"),
    "returns a view that changes later": (in_one_buffer(), "unstable"),
}


def faulty(fault):
    """Fast twins, `correlate` with a fault from its hundredth call on."""
    calls = 0

    def correlate(f, g, mode="full"):
        nonlocal calls
        calls += 1
        right = fast.correlate(f, g, mode)
        return right if calls < AT_CALL else fault(fast.correlate, (f, g), {"mode": mode})

    return SimpleNamespace(correlate=correlate, convolve=fast.convolve, name="faulty")


@pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_a_difference_and_the_rest_is_judged(fault, kind):
    report = check(faulty(fault), ["correlate", "convolve"], level="quick", dtypes=["float32"])
    kinds = {difference.kind for difference in report["correlate"].differences}
    assert kind in kinds
    assert report["correlate"].status == "differs"
    assert report["correlate"].judged > AT_CALL / 2  # changed data end a stream at once
    assert report["convolve"].status == "conforms"
    assert report["convolve"].judged > 400
    assert exit_code(report) == 1
    assert json.loads(report.to_json())["operations"]["correlate"]["differences"]


def test_an_output_that_shares_its_input_and_is_right_is_right():
    def max_pool(input, **attributes):
        y = fast.max_pool(input, **attributes)
        same = y.shape == input.shape and numpy.array_equal(y, input)
        return input if same else y

    pool = SimpleNamespace(max_pool=max_pool)
    assert check(pool, ["max_pool"], level="quick", dtypes=["float32"]).status == "conforms"


def test_an_interrupt_from_the_keyboard_ends_the_check():
    with pytest.raises(KeyboardInterrupt):
        check(faulty(raising(KeyboardInterrupt())), ["correlate"], level="quick")


# What a program sends back at its hundredth call, once.
PROGRAM_FAULTS = ["garbage", "print", "giant-frame", "truncated-frame", "closed-output"]


@pytest.mark.parametrize("fault", PROGRAM_FAULTS)
def test_what_a_program_sends_costs_one_case(fault, tmp_path):
    command = f"exec:{sys.executable} {PROGRAM} {fault} {AT_CALL} {tmp_path / 'done'}"
    report = check(load(command), ["average_pool"], level="quick")
    (found,) = report["average_pool"].differences
    assert (found.kind, found.cases) == ("crash", 1)
    assert report["average_pool"].judged > 800
    assert exit_code(report) == 3


EACH_OF_THEM = """
import os, signal, time
from convspec import fast
isolate, dtypes = True, ("float32",)
def once(name):
    if os.path.exists(name):
        return False
    open(name, "x").close()
    return True
def convolve(f, g, mode="full"):
    if f.size > 20 and once("convolve"):
        os.kill(os.getpid(), signal.SIGSEGV)
    return fast.convolve(f, g, mode)
def convolve_vjp(cotangent, f, g, mode="full"):
    if f.size > 20 and once("convolve_vjp"):
        time.sleep(600)
    return fast.convolve_vjp(cotangent, f, g, mode)
def correlate(f, g, mode="full"):
    return fast.correlate(f, g, mode) * 2
correlate_vjp = fast.correlate_vjp
"""


def test_a_fault_in_each_operation_and_none_is_lost(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Path("mine.py").write_text(EACH_OF_THEM, encoding="utf-8")
    due = {
        "correlate": "differs",
        "convolve": "crashed",
        "convolve_vjp": "crashed",
        "correlate_vjp": "conforms",
    }
    limits = Limits(seconds=5, memory=2**30)
    report = check(load("mine.py"), list(due), level="quick", isolate=limits)
    assert {name: report[name].status for name in due} == due
    kinds = [d.kind for name in ("convolve", "convolve_vjp") for d in report[name].differences]
    assert kinds == ["crash", "hang"]
    assert all(report[name].judged > 100 for name in due)
    assert exit_code(report) == 1
    # No directory and no journal stays behind.
    left = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert left == {"convolve", "convolve_vjp", "mine.py"}

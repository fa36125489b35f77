"""The parts of an examination: together they are the whole, whoever does them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import pytest

from convspec.oracle.cases import streams
from convspec.oracle.cases.scope import every
from convspec.oracle.cases.streams import deal, dealt_out
from convspec.oracle.evidence import Plan
from convspec.oracle.parts import PARTS, joined, parts_of
from convspec.oracle.processes.sharing import examine_shared
from convspec.oracle.record import pack
from convspec.oracle.report import OperationReport
from convspec.oracle.trials.trial import Setting
from tests.test_sharing import Backwards

SMALL = frozenset({"no padding", "no dilation", "stride 1"})
# Wrong at a single geometry of two axes.
CONFINED = """
from convspec import fast

def conv(input, weight, *rest, stride, padding, dilation, groups):
    y = fast.conv(
        input, weight, *rest, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    alone = (groups, stride, dilation, padding) == (1, (1, 1), (1, 1), ((0, 0), (0, 0)))
    if alone and (*input.shape[1:], *weight.shape[2:]) == (1, 7, 5, 4, 3) and not rest:
        return y + 1
    return y
"""


@pytest.fixture
def confined(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(streams.EVERY_WITHIN, 2, SMALL)
    Path("confined.py").write_text(CONFINED, encoding="utf-8")
    return "confined.py"


def geometry(operands, attributes):
    shapes = operands["input"].shape[2:], operands["weight"].shape[2:]
    return *shapes, *(attributes[name] for name in ("stride", "padding", "dilation"))


def test_every_geometry_is_dealt_out_once(confined):
    (whole,) = dealt_out("conv", "exhaustive")
    due = sum(len(block.slides) for block in every(*whole))
    setting = Setting(numpy.dtype("f4"), numpy.random.default_rng(0))
    met = [
        geometry(trial.operands, trial.attributes)
        for number in range(1, PARTS + 1)
        for trial in deal("conv", "exhaustive", number, PARTS, setting)
    ]
    assert len(met) == len(set(met)) == due == 26**2


def test_what_is_not_dealt_out_is_one_part():
    assert parts_of("conv", "standard") == ("conv",)
    assert parts_of("linear", "exhaustive") == ("linear",)
    assert len(set(parts_of("conv_vjp", "exhaustive"))) == PARTS + 1


def test_a_mistake_at_one_geometry_is_met_whoever_meets_it(confined):
    deals = parts_of("conv", "exhaustive")[1:]
    plan = Plan("exhaustive", 0, (numpy.dtype("f4"),), {}, None, None)

    def found(executor):
        reports = examine_shared(executor, confined, deals, plan, None, None)
        (whole,) = joined(["conv"], "exhaustive", reports).values()
        return whole._replace(seconds=0, seconds_inside=0)

    with ThreadPoolExecutor(2) as pool:
        shared = found(pool)
    assert shared.judged == 26**2
    (difference,) = shared.differences
    operands = difference.case.operands
    assert (operands["input"].shape[2:], operands["weight"].shape[2:]) == ((7, 5), (4, 3))
    alone = found(Backwards(len(deals)))
    assert pack(alone) == pack(shared)


def report(name, judged, **changed):
    return OperationReport(name, judged, 1, None, "float32", {}, (), ("a",))._replace(**changed)


def test_reports_of_parts_are_added_up():
    parts = {name: report(name, 2) for name in parts_of("conv", "exhaustive")}
    parts["conv"] = report("conv", 2, accuracies={"float32": "float32", "float64": "float64"})
    parts["conv.3"] = report(
        "conv.3",
        5,
        accuracy="bfloat16",
        accuracies={"float32": "bfloat16"},
        notes=("a", "b"),
        crashed=True,
    )
    whole = joined(["conv", "linear"], "exhaustive", parts)
    assert list(whole) == ["conv"]
    assert whole["conv"] == report(
        "conv",
        2 * PARTS + 5,
        unsupported=PARTS + 1,
        accuracy="bfloat16",
        accuracies={"float32": "bfloat16", "float64": "float64"},
        notes=("a", "b"),
        crashed=True,
    )

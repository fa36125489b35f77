"""`tox -e bench`: a ratio beyond its limit fails it, and what it writes is what it measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy
import pytest

pytest.importorskip("torch", reason="the rival of most rows, where installed")
pytest.importorskip("onnx", reason="the rival of one row, where installed")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def bench(monkeypatch):
    if not (ROOT / "benchmarks").exists():
        pytest.skip("benchmarks are not installed")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    names = [path.stem for path in (ROOT / "benchmarks").glob("*.py")]
    for name in names:
        sys.modules.pop(name, None)
    import bench

    yield bench
    for name in names:
        sys.modules.pop(name, None)


def run(bench, monkeypatch, capsys, ratio):
    rows = [bench.Row("start-up", "a row", ratio), bench.Row("no such limit", "another", 100.0)]
    monkeypatch.setattr(bench, "GROUPS", {"it": lambda: rows})
    return bench.main([]), capsys.readouterr().out


def test_a_ratio_beyond_its_limit_fails(bench, monkeypatch, capsys):
    limit = bench.LIMITS["start-up"]
    code, shown = run(bench, monkeypatch, capsys, 1.01 * limit)
    assert code == 1
    assert f"| {limit:g} | over |" in shown
    code, shown = run(bench, monkeypatch, capsys, limit)
    assert code == 0
    assert f"| {limit:g} | within |" in shown


def test_a_row_may_have_its_limit_from_the_run(bench, monkeypatch, capsys):
    rows = [bench.Row("start-up", "a row", 0.25, limit=0.2, beside=" (PyTorch 0.15)")]
    monkeypatch.setattr(bench, "GROUPS", {"it": lambda: rows})
    assert bench.main([]) == 1
    assert "| a row (PyTorch 0.15) | 0.25 | 0.2 | over |" in capsys.readouterr().out


def test_twenty_times_is_asked_unless_pytorch_itself_is_slower(bench):
    import twins

    assert twins.against_evaluator("", 0.04, 0.01).limit == 1 / 20
    assert twins.against_evaluator("", 0.04, 0.5).limit == 1.2 * 0.5


def test_an_unknown_group_is_no_run(bench, capsys):
    assert bench.main(["nothing"]) == 2
    assert "usage" in capsys.readouterr().err


def test_only_a_whole_run_is_written(bench):
    assert bench.main(["start-up", "--write"]) == 2


def test_a_ratio_is_that_of_the_fastest_after_a_call_that_warms_up(bench, monkeypatch):
    import measuring

    clock = [0.0]
    costs = {"ours": iter([1.0, 3.0, 9.0]), "theirs": iter([1.0, 4.0, 2.0])}

    def spend(name):
        clock[0] += next(costs[name])

    monkeypatch.setattr(measuring, "process_time", lambda: clock[0])
    assert measuring.ratio(lambda: spend("ours"), lambda: spend("theirs"), 2) == 1.5


def test_what_is_written_is_what_was_measured(bench, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="it draws the runs, where installed")
    rows = [bench.Row("start-up", "a row", 1.25), bench.Row("no such limit", "another", 100.0)]
    monkeypatch.setattr(bench, "GROUPS", {"it": lambda: rows})
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    assert bench.main(["--write"]) == 0
    assert bench.table(rows) in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert [row["ratio"] for row in told] == [1.25, 100.0]
    assert [row["limit"] for row in told] == [bench.LIMITS["start-up"], None]


def test_a_run_is_added_to_those_before_it_and_drawn(bench, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="it draws the runs, where installed")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    history = tmp_path / "docs" / "benchmarks-history.jsonl"
    for found, layer in ((1.25, "of 3x3"), (1.5, "of 7x7")):
        rows = [
            bench.Row("start-up", f"a row: worst, {layer}", found),
            bench.Row("-", "another", 9),
        ]
        monkeypatch.setattr(bench, "GROUPS", {"it": lambda rows=rows: rows})
        bench.main(["--write"])
    runs = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    assert [run["ratios"]["a row: worst"]["ratio"] for run in runs] == [1.25, 1.5]
    for run in runs:
        assert run["ratios"]["a row: worst"]["limit"] == bench.LIMITS["start-up"]
        assert run["ratios"]["another"]["limit"] is None
        assert run["commit"]
        assert run["processor"]
        assert run["versions"]["NumPy"] == numpy.__version__
    drawn = (tmp_path / "docs" / "benchmarks-history.svg").read_text(encoding="utf-8")
    assert ">a row: worst<" in drawn
    assert ">another<" not in drawn


def test_the_guard_measures_again_before_it_fails(bench, monkeypatch, capsys):
    import guard

    limit = bench.LIMITS["start-up"]
    measured = []

    def group(*ratios):
        left = iter(ratios)

        def rows():
            measured.append(next(left))
            yield bench.Row("start-up", "a row", measured[-1])

        return rows

    within, once, over = (limit,), (3 * limit, limit), (3 * limit, 2 * limit, 4 * limit)
    for ratios, code in ((within, 0), (once, 0), (over, 1)):
        measured.clear()
        monkeypatch.setattr(guard, "GROUPS", (group(*ratios),))
        assert guard.main() == code
        assert measured == list(ratios)
    assert f"| {2 * limit:.3g} | {limit:g} | over |" in capsys.readouterr().out

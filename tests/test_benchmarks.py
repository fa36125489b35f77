"""`tox -e bench`: a ratio beyond its limit fails it, and what it writes is what it measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

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
    rows = [bench.Row("start-up", "a row", 1.25), bench.Row("no such limit", "another", 100.0)]
    monkeypatch.setattr(bench, "GROUPS", {"it": lambda: rows})
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    assert bench.main(["--write"]) == 0
    assert bench.table(rows) in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert [row["ratio"] for row in told] == [1.25, 100.0]
    assert [row["limit"] for row in told] == [bench.LIMITS["start-up"], None]


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

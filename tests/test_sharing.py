"""A check shared among workers: the report is that of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from convspec.oracle import check, load
from convspec.oracle.processes.isolation import Limits
from convspec.oracle.processes.resumption import run_directory
from convspec.oracle.processes.sharing import Job, done
from convspec.oracle.record import path_of
from convspec.oracle.report import plain

OPERATIONS = ["convolve", "correlate"]
WRONG = """
import os
from convspec import fast

convolve = fast.correlate

def correlate(f, g, mode):
    if f.ndim > 1:
        raise NotImplementedError("one axis only")
    if g.shape[0] == 3:
        raise RuntimeError("not today")
    return fast.correlate(f, g, mode)
"""
CRASHING = WRONG.replace("== 3", "== f.shape[0] == 3").replace(
    'raise RuntimeError("not today")', "os.abort()"
)


@pytest.fixture
def wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("wrong.py").write_text(WRONG, encoding="utf-8")
    return "wrong.py"


def told(report):
    """A report as JSON, without what the clock says."""
    return timeless(json.loads(report.to_json()))


def timeless(value):
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if not k.startswith("seconds")}
    return [timeless(entry) for entry in value] if isinstance(value, list) else value


def checked(target, operations=OPERATIONS, **options):
    return check(load(target), operations, level="quick", dtypes=["float32"], **options)


class Backwards(Executor):
    """Does so many jobs in one go, the last that was asked for first."""

    def __init__(self, count):
        self.count, self.waiting = count, []

    def submit(self, function, /, job):
        future = Future()
        self.waiting.append((future, function, job))
        if len(self.waiting) == self.count:
            for told_later, do, what in reversed(self.waiting):
                told_later.set_result(do(what))
        return future


def test_the_report_is_the_same_however_many_work_on_it(wrong):
    alone = told(checked(wrong))
    assert alone["status"] == "differs"
    kinds = {d["kind"] for o in alone["operations"].values() for d in o["differences"]}
    assert {"value", "raises"} <= kinds
    assert told(checked(wrong, workers=3)) == alone
    for several in (1, 3):
        with Backwards(len(OPERATIONS)) as pool, ThreadPoolExecutor(several) as threads:
            assert told(checked(wrong, executor=pool)) == alone
            assert told(checked(wrong, executor=threads)) == alone
    said = []
    assert told(checked(wrong, workers=2, progress=lambda *line: said.append(line))) == alone
    assert sorted(line[0] for line in said) == sorted(OPERATIONS)
    assert [line[1:] for line in said] == [("finished", n, 2) for n in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        assert told(checked(wrong, executor=pool)) == alone


def test_isolation_holds_in_every_worker(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("crashing.py").write_text(CRASHING, encoding="utf-8")
    limits = Limits(60.0, 2**33)
    found = checked("crashing.py", isolate=limits, workers=2)
    assert {d.kind for d in found["correlate"].differences} == {"crash"}
    assert found["correlate"].judged > 20
    assert {d.kind for d in found["convolve"].differences} >= {"value"}


def test_without_isolation_a_crash_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("crashing.py").write_text(CRASHING, encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"crashing\.py: a worker ended; isolate it"):
        checked("crashing.py", ["correlate"], isolate=False, workers=2)


class Dying(Executor):
    """Does one job and then fails, as where the machine goes down."""

    def __init__(self):
        self.jobs = []

    def submit(self, function, /, job):
        self.jobs.append(job)
        future = Future()
        if len(self.jobs) == 1:
            future.set_result(function(job))
        else:
            future.set_exception(OSError("the power is out"))
        return future


def test_what_is_finished_is_not_done_again(wrong):
    dying = Dying()
    with pytest.raises(OSError, match="power"):
        checked(wrong, executor=dying, resume=False)
    assert [job.operation for job in dying.jobs] == OPERATIONS
    again = Dying()
    try:
        checked(wrong, executor=again, resume=True)
        finished = True
    except OSError:
        finished = False
    # The failure may be seen before or after the job that was done is kept.
    kept = {job.operation for job in dying.jobs} - {job.operation for job in again.jobs}
    assert len(kept) == finished
    with ThreadPoolExecutor(1) as pool:
        resumed = told(checked(wrong, executor=pool, resume=True))
    assert resumed == told(checked(wrong))


def test_a_report_that_is_kept_is_taken(wrong):
    made = checked(wrong)
    identity = {"a": "check"}
    with run_directory(identity, resume=None) as directory:
        job = Job(wrong, "correlate", "quick", 0, ("float32",), {}, None, None)
        path_of(directory, "correlate").write_bytes(done(job))
        from convspec.oracle.evidence import Plan
        from convspec.oracle.processes.sharing import examine_shared

        dying = Dying()
        plan = Plan("quick", 0, (), {}, None, None)
        found = examine_shared(dying, wrong, ["correlate"], plan, None, directory)
    assert dying.jobs == []
    assert plain(found["correlate"].differences[0]._asdict()) == plain(
        made["correlate"].differences[0]._asdict()
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 0}, "workers=0: must be at least 1"),
        ({"workers": 2}, "need an implementation made by load"),
        ({"executor": Dying()}, "need an implementation made by load"),
    ],
)
def test_what_cannot_be_shared_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        check(object(), ["conv"], **options)


@pytest.mark.skipif(find_spec("distributed") is None, reason="needs convspec[dask]")
def test_a_dask_cluster_by_its_address(wrong):
    program = """
import sys
from distributed import LocalCluster

from convspec.cli import main

if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        arguments = ["check", sys.argv[1], "--level", "quick", "--dtype", "float32"]
        address = cluster.scheduler_address
        sys.argv[1:] = [*arguments, "--operation", "correlate", "--workers", address]
        main()
"""
    Path("program.py").write_text(program, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "program.py", str(Path(wrong).resolve())],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert result.returncode == 1, result.stderr
    assert "RuntimeError: not today" in result.stdout


KILLED = """
import os, signal
from pathlib import Path
from convspec import fast

calls = 0
FLAG = Path(__file__).with_name("killed")

def convolve(f, g, mode):
    return fast.convolve(f, g, mode)

def correlate(f, g, mode):
    global calls
    calls += 1
    if calls == 100 and not FLAG.exists():
        FLAG.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return fast.correlate(f, g, mode) + (f.shape == (3,))
"""


@pytest.mark.skipif(find_spec("distributed") is None, reason="needs convspec[dask]")
def test_a_worker_of_a_cluster_that_is_killed_half_way_costs_nothing(wrong):
    """Nothing is lost, and nothing counted twice."""
    Path("killed.py").write_text(KILLED, encoding="utf-8")
    program = """
import sys
from distributed import Client, LocalCluster

from convspec.oracle import check, load

if __name__ == "__main__":
    workers = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**workers) as cluster, Client(cluster) as client:
        names = ["convolve", "correlate"]
        options = {"level": "quick", "dtypes": ["float32"], "isolate": False}
        found = check(load(sys.argv[1]), names, executor=client.get_executor(), **options)
        print(found.to_json())
"""
    Path("program.py").write_text(program, encoding="utf-8")
    target = str(Path("killed.py").resolve())
    result = subprocess.run(
        [sys.executable, "program.py", target],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert result.returncode == 0, result.stderr
    assert Path("killed").exists()
    assert timeless(json.loads(result.stdout)) == told(checked(target, isolate=False))

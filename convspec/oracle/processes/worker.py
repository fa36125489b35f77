"""The process beside an implementation: it examines operations and leaves a report of each.

What it is to do stands in `job.json` of the directory it is given; it writes where it is to the
journal there, claims an operation that no other worker has, and leaves a report of each that it
has finished.  After an operation that may have harmed the process it asks for another in its
place.  Whatever ends it in the middle of a call is seen by the parent (see `isolation`),
which starts it again with that call on the list of calls that are not made.
"""

from __future__ import annotations

import json
import os
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy

from convspec.oracle.call import ENDINGS, Callee, CrashError
from convspec.oracle.check import element
from convspec.oracle.evidence import Plan
from convspec.oracle.examination import examine
from convspec.oracle.processes.journal import Journal, fingerprint, open_journal
from convspec.oracle.record import keep, write
from convspec.oracle.report import OperationReport
from convspec.oracle.target import load

# What a call that ended a worker left: its number, its fingerprint, its kind and its story.
Ended = tuple[int, int, str, str]


def main(directory: str) -> None:
    """Do the job in a directory; an error of the check itself goes to the file `error` there."""
    place = Path(directory)
    try:
        _end_with_the_parent()
        _work(place, json.loads((place / "job.json").read_text(encoding="utf-8")))
    except BaseException:
        write(place / "error", traceback.format_exc().encode())
        raise


def _work(place: Path, job: dict[str, Any]) -> None:
    journal = open_journal(place / "position")
    implementation = load(job["target"])
    _limit_memory(job["memory"])
    reports, claims = Path(job["reports"]), Path(job["claims"])
    for operation in job["operations"]:
        if operation != job["mine"] and not _claimed(claims / operation):
            continue
        journal.begin(operation)
        plan = Plan(
            job["level"],
            job["seed"],
            tuple(map(element, job["dtypes"])),
            job["conventions"],
            job["require_accuracy"],
            journal.say,
            _watched(journal, [tuple(ended) for ended in job["ended"].get(operation, [])]),
        )
        with numpy.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = examine(implementation, job["target"], operation, plan)
        keep(reports, report)
        if _may_harm(report):
            (place / "anew").touch()
            return
    (place / "done").touch()


def _may_harm(report: OperationReport) -> bool:
    """Whether calls of an operation may have written where they should not: bad arguments that
    were taken, or a call that ended a process.  What is examined next must not suffer for it.
    """
    return any(found.kind in ("accepts", *ENDINGS) for found in report.differences)


def _claimed(path: Path) -> bool:
    """Whether what a file stands for is now ours, for it was nobody's before."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _watched(journal: Journal, ended: list[Ended]) -> Callable[[Callee], Callee]:
    """Calls that are counted in the journal, and not made where they ended a worker before."""
    known = {number: (mark, kind, story) for number, mark, kind, story in ended}

    def watch(target: Callee) -> Callee:
        count = 0

        def function(*operands: Any, **attributes: Any) -> Any:
            nonlocal count
            count += 1
            mark = fingerprint(operands, attributes)
            if known.get(count, (None,))[0] == mark:
                raise CrashError(*known[count][1:])
            journal.enter(count, mark)
            try:
                return target.function(*operands, **attributes)
            finally:
                journal.leave()

        return target._replace(function=function)

    return watch


def _limit_memory(size: int) -> None:
    """Let the process map no more than `size` bytes beyond what it has mapped by now."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):  # not every system has such limits
        return
    most = pages * os.sysconf("SC_PAGE_SIZE") + size
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _end_with_the_parent() -> None:
    """End when the pipe from the parent closes; the implementation gets an empty input instead."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        os.read(pipe, 1)
        os._exit(1)

    Thread(target=wait, daemon=True).start()

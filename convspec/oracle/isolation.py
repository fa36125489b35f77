"""An implementation in a process of its own: what crashes or hangs there costs one case.

The worker (see `worker`) examines one operation after another.  When it dies, or stays in one
call for too long, the journal tells which call it was.  That call is put on a list, and the worker
is started again: the same calls come in the same order, and when it is that call's turn it counts
as a crash or a hang, with its arrays, without being made.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from time import monotonic
from typing import Any, NamedTuple

from convspec.oracle.call import ENDINGS
from convspec.oracle.evidence import Plan
from convspec.oracle.journal import Journal, Position, open_journal
from convspec.oracle.process import Child, end, ending, kill, said, start
from convspec.oracle.record import keep, kept, path_of, write
from convspec.oracle.report import OperationReport

# The worker imports what the parent would; the directory of the target stays out of the way.
_START = (
    "import json, sys; "
    "sys.path[:] = json.load(open(sys.argv[1] + '/job.json', encoding='utf-8'))['path']; "
    "from convspec.oracle.worker import main; main(sys.argv[1])"
)
LOOK_SECONDS = 0.02
# How often a worker may end in one operation before that is given up: once for every call that
# may crash or hang, and as often again where it does not end at the same call the second time.
MOST_ENDS = 2 * sum(ENDINGS.values())


class Limits(NamedTuple):
    """What one call may take: seconds, and bytes beyond what is mapped before the first call."""

    seconds: float
    memory: int


def default_limits() -> Limits:
    """A minute a call, and half of the machine's memory.

    >>> default_limits().seconds
    60.0
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        memory = 2**33
    return Limits(60.0, memory)


class _Death(NamedTuple):
    """How a worker ended, and where."""

    position: Position
    kind: str
    story: str


def examine_isolated(
    target: str, operations: Sequence[str], plan: Plan, limits: Limits, directory: Path
) -> dict[str, OperationReport]:
    """The reports of some operations of a target, examined in workers.

    `directory` keeps what is finished: an operation whose report is there is not examined again.
    Raises `RuntimeError` where the check itself fails, or the target cannot be loaded again.
    """
    ended = _read_ended(directory)
    while left := [name for name in operations if not path_of(directory, name).exists()]:
        death = _worker(target, left, plan, limits, directory, ended)
        if death is None:
            continue
        position = death.position
        calls = ended.setdefault(position.operation, [])
        calls.append((position.number, position.fingerprint, death.kind, death.story))
        if len(calls) >= MOST_ENDS:
            keep(directory, _given_up(position.operation, death, len(calls)))
        write(directory / "ended.json", json.dumps(ended).encode())
    found = {name: kept(directory, name) for name in operations}
    return {name: report for name, report in found.items() if report is not None}


def _read_ended(directory: Path) -> dict[str, list[Any]]:
    path = directory / "ended.json"
    ended: dict[str, list[Any]] = json.loads(path.read_bytes()) if path.exists() else {}
    return ended


def _given_up(operation: str, death: _Death, times: int) -> OperationReport:
    note = f"given up after the worker had ended {times} times; at last it {death.story}"
    return OperationReport(operation, 0, 0, None, None, {}, (), (note,), crashed=True)


def _worker(
    target: str,
    operations: Sequence[str],
    plan: Plan,
    limits: Limits,
    directory: Path,
    ended: dict[str, list[Any]],
) -> _Death | None:
    """Run one worker to its end; None where it finished every operation."""
    job = {
        "path": sys.path,
        "target": target,
        "operations": list(operations),
        "level": plan.level,
        "seed": plan.seed,
        "dtypes": [dtype.name for dtype in plan.dtypes],
        "conventions": plan.conventions,
        "require_accuracy": plan.require_accuracy,
        "memory": limits.memory,
        "ended": ended,
    }
    write(directory / "job.json", json.dumps(job).encode())
    (directory / "error").unlink(missing_ok=True)
    journal = open_journal(directory / "position")
    journal.begin("")
    # The order of sets of texts, and so of calls, must not change from one worker to the next.
    child = start(
        [sys.executable, "-P", "-c", _START, str(directory)],
        environment={"PYTHONHASHSEED": "0", "HYPOTHESIS_STORAGE_DIRECTORY": str(directory)},
        talks=False,
    )
    try:
        late = _watch(child, journal, plan, limits.seconds)
        position = journal.read()
        if (directory / "error").exists():
            raise RuntimeError((directory / "error").read_text(encoding="utf-8").strip())
        if all(path_of(directory, name).exists() for name in operations):
            return None
        if not position.operation:
            raise RuntimeError(f"{target}: a process of its own {ending(child)} before any call")
        if late:
            story = f"the call did not return within {limits.seconds:g} s{said(child)}"
            return _Death(position, "hang", story)
        when = "in" if position.inside else "after"
        return _Death(position, "crash", f"the process {ending(child)} ({when} the call)")
    finally:
        kill(child)
        end(child)
        journal.memory.close()


def _watch(child: Child, journal: Journal, plan: Plan, seconds: float) -> bool:
    """Wait until a worker has ended; True if it was in one call for too long and had to be."""
    seen, since = journal.read(), monotonic()
    while True:
        with suppress(TimeoutExpired):
            child.process.wait(LOOK_SECONDS)
            return False
        now = journal.read()
        if plan.progress is not None and now.operation and now[3:] != seen[3:]:
            plan.progress(now.operation, now.step, now.done, now.total)
        if (now.number, now.operation, now.inside) != (seen.number, seen.operation, seen.inside):
            since = monotonic()
        elif now.inside and monotonic() - since > seconds:
            kill(child)
            return True
        seen = now

"""An implementation in a process of its own: what crashes or hangs there costs one case.

The worker (see `worker`) examines one operation after another, those that no other worker has
claimed.  When it dies, or stays in one call for too long, the journal tells which call it was.
That call is put on a list, and the worker is started again: the same calls come in the same order,
and when it is that call's turn it counts as a crash or a hang, with its arrays, without being made.

A worker in which the check itself raises is started again as well, with every call: for an error of
the check comes again, and one that does not is damage that the implementation did to its process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from tempfile import TemporaryDirectory
from threading import Event, Lock
from time import monotonic
from typing import Any, NamedTuple

from convspec.oracle.call import ENDINGS
from convspec.oracle.evidence import Plan
from convspec.oracle.processes.journal import Journal, Position, open_journal
from convspec.oracle.processes.process import GRACE, Child, end, ending, kill, said, start
from convspec.oracle.processes.threads import share_of_cores
from convspec.oracle.record import keep, kept, path_of, write
from convspec.oracle.report import OperationReport

# The worker imports what the parent would; the directory of the target stays out of the way.
_START = (
    "import json, sys; "
    "sys.path[:] = json.load(open(sys.argv[1] + '/job.json', encoding='utf-8'))['path']; "
    "from convspec.oracle.processes.worker import main; main(sys.argv[1])"
)
LOOK_SECONDS = 0.02
# How often a worker may end in one operation before that is given up: once for every call that
# may crash or hang, and as often again where it does not end at the same call the second time.
MOST_ENDS = 2 * sum(ENDINGS.values())
_ERROR = "error"


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


class _Check(NamedTuple):
    """What the workers of a check have in common: `reports` is where they leave what is finished,
    `claims` where each notes which operation is its own; `ended` are the calls that ended a worker,
    `errors` the last lines of what the check itself raised in an operation.
    """

    target: str
    operations: Sequence[str]
    plan: Plan
    limits: Limits
    workers: int
    reports: Path
    claims: Path
    ended: dict[str, list[Any]]
    errors: dict[str, str]
    changing: Lock
    over: Event


class _Death(NamedTuple):
    """How a worker ended, and where: a crash, a hang, or an error of the check itself."""

    position: Position
    kind: str
    story: str


def examine_isolated(
    target: str,
    operations: Sequence[str],
    plan: Plan,
    limits: Limits,
    directory: Path,
    workers: int = 1,
) -> dict[str, OperationReport]:
    """The reports of some operations of a target, examined in so many workers at a time.

    `directory` keeps what is finished: an operation whose report is there is not examined again.
    Raises `RuntimeError` where the check itself fails twice, or the target cannot be loaded again.
    """
    for name in operations:
        kept(directory, name)  # a damaged report goes, so that its operation is examined
    with TemporaryDirectory(prefix="convspec-") as claims, ThreadPoolExecutor(workers) as watchers:
        common = (_read_ended(directory), dict[str, str](), Lock(), Event())
        check = _Check(target, operations, plan, limits, workers, directory, Path(claims), *common)
        try:
            for watched in as_completed(
                watchers.submit(_examined, check, number) for number in range(workers)
            ):
                watched.result()
        finally:
            check.over.set()
    found = {name: kept(directory, name) for name in operations}
    return {
        name: _noted(report, check.errors.get(name))
        for name, report in found.items()
        if report is not None
    }


def _examined(check: _Check, number: int) -> None:
    """One worker after another, until none is left to do."""
    place = check.reports / f"worker-{number}"
    place.mkdir(exist_ok=True)
    mine = ""
    while not check.over.is_set():
        death = _worker(check, place, mine)
        if death is None:
            if not (place / "anew").exists():
                return
            mine = ""
            continue
        position, mine = death.position, death.position.operation
        if death.kind == _ERROR:
            _once(check, death)
            continue
        with check.changing:
            calls = check.ended.setdefault(mine, [])
            calls.append((position.number, position.fingerprint, death.kind, death.story))
            if len(calls) >= MOST_ENDS:
                keep(check.reports, _given_up(mine, death, len(calls)))
            write(check.reports / "ended.json", json.dumps(check.ended).encode())


def _once(check: _Check, death: _Death) -> None:
    """Remember an error of the check itself; raise it before any call, and the second time in an
    operation.
    """
    operation = death.position.operation
    with check.changing:
        if not operation or operation in check.errors:
            raise RuntimeError(death.story)
        check.errors[operation] = death.story.rpartition("\n")[2]


def _noted(report: OperationReport, error: str | None) -> OperationReport:
    if error is None:
        return report
    note = (
        f"the check itself raised {error}, and did not when every call was made again: "
        "an implementation that writes beyond its memory can cause that"
    )
    return report._replace(notes=(*report.notes, note))


def _read_ended(directory: Path) -> dict[str, list[Any]]:
    """The calls that have ended a worker; none where the file is damaged, so that they do again."""
    try:
        ended = json.loads((directory / "ended.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    well = isinstance(ended, dict) and all(map(_calls, ended.values()))
    return ended if well else {}


def _calls(value: Any) -> bool:
    """Whether a value of JSON is a list of calls: number, fingerprint, kind and story."""
    kinds = (int, int, str, str)
    return isinstance(value, list) and all(
        isinstance(call, list) and len(call) == len(kinds) and all(map(isinstance, call, kinds))
        for call in value
    )


def _given_up(operation: str, death: _Death, times: int) -> OperationReport:
    note = f"given up after the worker had ended {times} times; at last it {death.story}"
    return OperationReport(operation, 0, 0, None, None, {}, (), (note,), crashed=True)


def _worker(check: _Check, place: Path, mine: str) -> _Death | None:
    """Run one worker to its end; None where it found nothing more to do, or left the file `anew`,
    for the rest is to be done in another.  `mine` is the operation in which the one before ended.
    """
    for name in ("error", "done", "anew"):
        (place / name).unlink(missing_ok=True)
    left = [name for name in check.operations if not path_of(check.reports, name).exists()]
    if not left:
        return None
    with check.changing:
        write(place / "job.json", json.dumps(_job(check, left, mine)).encode())
    journal = open_journal(place / "position")
    journal.begin("")
    # The order of sets of texts, and so of calls, must not change from one worker to the next.
    child = start(
        [sys.executable, "-P", "-c", _START, str(place)],
        environment={
            "PYTHONHASHSEED": "0",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(place),
            **share_of_cores(check.workers),
        },
        talks=False,
    )
    try:
        late = _watch(child, journal, check, place)
        position = journal.read()
        if (place / "error").exists():
            return _Death(position, _ERROR, (place / "error").read_text(encoding="utf-8").strip())
        if check.over.is_set() or any((place / name).exists() for name in ("done", "anew")):
            return None
        if not position.operation:
            raise RuntimeError(
                f"{check.target}: a process of its own {ending(child)} before any call"
            )
        if late:
            story = f"the call did not return within {check.limits.seconds:g} s{said(child)}"
            return _Death(position, "hang", story)
        when = "in" if position.inside else "after"
        return _Death(position, "crash", f"the process {ending(child)} ({when} the call)")
    finally:
        kill(child)
        end(child)
        journal.memory.close()


def _job(check: _Check, operations: Sequence[str], mine: str) -> dict[str, Any]:
    plan = check.plan
    return {
        "path": sys.path,
        "target": check.target,
        "operations": operations,
        "mine": mine,
        "reports": str(check.reports),
        "claims": str(check.claims),
        "level": plan.level,
        "seed": plan.seed,
        "dtypes": [dtype.name for dtype in plan.dtypes],
        "conventions": plan.conventions,
        "require_accuracy": plan.require_accuracy,
        "memory": check.limits.memory,
        "ended": check.ended,
    }


def _watch(child: Child, journal: Journal, check: _Check, place: Path) -> bool:
    """Wait until a worker has ended; True if it was in one call for too long and had to be.

    One that is done and does not end, because the implementation left a thread there, is not waited
    for.
    """
    seen, since = journal.read(), monotonic()
    while not check.over.is_set():
        done = (place / "done").exists()
        with suppress(TimeoutExpired):
            child.process.wait(GRACE if done else LOOK_SECONDS)
            return False
        if done:
            return False
        now = journal.read()
        if check.plan.progress is not None and now.operation and now[3:] != seen[3:]:
            check.plan.progress(now.operation, now.step, now.done, now.total)
        if (now.number, now.operation, now.inside) != (seen.number, seen.operation, seen.inside):
            since = monotonic()
        elif now.inside and monotonic() - since > check.limits.seconds:
            kill(child)
            return True
        seen = now
    return False

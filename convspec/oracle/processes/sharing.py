"""A check shared among workers: one operation a job, on any executor of `concurrent.futures`.

What is examined, in which order and with which data depends on the operation alone, so the report
is the same however many there are.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy

from convspec.oracle.evidence import Plan
from convspec.oracle.examination import examine
from convspec.oracle.processes.isolation import Limits, examine_isolated
from convspec.oracle.processes.threads import sharing_cores
from convspec.oracle.record import keep, kept, pack, unpack
from convspec.oracle.report import OperationReport
from convspec.oracle.target import load


class Job(NamedTuple):
    """All that it takes to examine an operation somewhere else; `limits` isolate it there."""

    target: str
    operation: str
    level: str
    seed: int
    dtypes: tuple[str, ...]
    conventions: dict[str, str]
    require_accuracy: str | None
    limits: Limits | None


def done(job: Job) -> bytes:
    """The report of a job, as `record.pack` stores it."""
    from convspec.oracle.check import element

    elements = tuple(map(element, job.dtypes))
    plan = Plan(job.level, job.seed, elements, job.conventions, job.require_accuracy, None)
    if job.limits is not None:
        with TemporaryDirectory(prefix="convspec-") as directory:
            names = (job.operation,)
            found = examine_isolated(job.target, names, plan, job.limits, Path(directory))
            return pack(found[job.operation])
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pack(examine(load(job.target), job.target, job.operation, plan))


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """Processes on this machine that start afresh, as a target that has threads needs it."""
    with (
        sharing_cores(workers),
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        yield pool


def examine_shared(
    executor: Executor,
    target: str,
    operations: Sequence[str],
    plan: Plan,
    limits: Limits | None,
    directory: Path | None,
) -> dict[str, OperationReport]:
    """The reports of some operations of a target, examined wherever the executor runs its jobs.

    `directory` keeps what is finished: an operation whose report is there is not examined again.
    Raises `RuntimeError` where a worker ends, and whatever a check raises there.
    """
    dtypes = tuple(dtype.name for dtype in plan.dtypes)
    found = {name: kept(directory, name) for name in operations} if directory else {}
    jobs = {}
    for name in operations:
        if found.get(name) is None:
            options = (plan.level, plan.seed, dtypes, plan.conventions, plan.require_accuracy)
            jobs[executor.submit(done, Job(target, name, *options, limits))] = name
    try:
        for count, future in enumerate(as_completed(jobs), start=1):
            name = jobs[future]
            finished = unpack(future.result())
            if directory:
                keep(directory, finished)
            found[name] = finished
            if plan.progress is not None:
                plan.progress(name, "finished", count, len(jobs))
    except BrokenProcessPool:
        raise RuntimeError(
            f"{target}: a worker ended; isolate it, so that the rest goes on"
        ) from None
    finally:
        for future in jobs:
            future.cancel()
    return {name: report for name in operations if (report := found.get(name)) is not None}

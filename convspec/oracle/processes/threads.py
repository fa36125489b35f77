"""How processes of ours share the cores of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def share_of_cores(workers: int) -> dict[str, str]:
    """What the environment of each of some processes says about threads, where it says nothing yet.

    OpenMP's threads wait for the next call in a loop that keeps busy the core on which another
    process computes; told to be passive, they sleep.  Several processes share the cores.
    """
    told = {"OMP_WAIT_POLICY": "PASSIVE"}
    if workers > 1:
        told["OMP_NUM_THREADS"] = str(max(1, _cores() // workers))
    return {name: value for name, value in told.items() if name not in os.environ}


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # a system where processes are not bound to cores
        return os.cpu_count() or 1


@contextmanager
def sharing_cores(workers: int) -> Iterator[None]:
    """Processes that are started meanwhile share the cores."""
    told = share_of_cores(workers)
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            os.environ.pop(name, None)

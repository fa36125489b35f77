"""A learner's file tried in a process of its own, where a call that hangs can be ended.

The process sends JSON for everything that happens; what it calls comes before the call is made.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy

# How long one call may take, reading the file, and what convspec does in between.
CALL_SECONDS = 2.0
READ_SECONDS = 20.0
OWN_SECONDS = 100.0


def events(path: Path, steps: Sequence[str]) -> Iterator[Any]:
    """What happens while a file is tried on some steps, up to the first that is not right.

    Each event is a dictionary: `loaded`, the error or None; `step`, one that begins; `outcome`,
    with its fields; or `ended`, `hang` or `crash`, with the `call` that did not come back: its
    arguments, `reading` for the file itself, or None outside of both.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, str(path), tuple(steps)), daemon=True)
    process.start()
    there.close()
    call = None
    try:
        while True:
            if not here.poll(_limit(call)):
                yield {"ended": "hang", "call": call}
                return
            try:
                event = json.loads(here.recv_bytes())
            except EOFError:
                yield {"ended": "crash", "call": call}
                return
            call = event.pop("call", None)
            if "finished" in event:
                return
            if event:
                yield event
    finally:
        process.kill()
        process.join()
        here.close()


def _limit(call: Any) -> float:
    if call is None:
        return OWN_SECONDS
    return READ_SECONDS if call == "reading" else CALL_SECONDS


def _work(connection: Connection, path: str, steps: tuple[str, ...]) -> None:
    """Try the steps, in the process that runs the file."""
    from convspec.learn.walk import walk

    def say(**event: Any) -> None:
        connection.send_bytes(json.dumps(event).encode())

    # Who interrupts the parent ends both; and what is saved twice in a second is read twice.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.dont_write_bytecode = True
    with suppress(BrokenPipeError), warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        walk(say, path, steps)
        say(finished=True)

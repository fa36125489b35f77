"""A program beside the checker: started without a shell, its log drained, its end put in words."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from subprocess import PIPE, Popen, TimeoutExpired
from threading import Thread
from typing import IO, NamedTuple

TAIL = 2**14
LINES_SHOWN = 4
# What begins the reason why a program ended itself; a blank line ends it.
_REASON = re.compile(r"check failed|assertion|fatal|terminate called", re.IGNORECASE)
# Where the program was when it wrote its log, which is the same whatever was wrong.
_STACK = re.compile(r"\W*((@|#\d+) +0x|(begin|end|check failure)? ?stack trace)", re.IGNORECASE)
# "F1126 12:24:28.889281    5112 simplifier.cc:586] ...", as Google's logs begin.
_STAMP = re.compile(r"^[DIWEF]\d{4} \d\d:\d\d:\d\d[.\d]* +\d+ ")
# How long a program that was told to end, or whose log is closing, is waited for.
GRACE = 2.0


class Child(NamedTuple):
    """A running program, the end of what it has written to standard error, and its reader."""

    process: Popen[bytes]
    log: bytearray
    reader: Thread


def start(
    words: Sequence[str], *, environment: Mapping[str, str] | None = None, talks: bool = True
) -> Child:
    """Start a program, in a session of its own so that it can be ended with its children.

    Its standard input is a pipe, and so is its standard output if it `talks`; otherwise that goes
    where ours goes.  Raises `OSError` where there is no such program.
    """
    process = Popen(
        words,
        stdin=PIPE,
        stdout=PIPE if talks else None,
        stderr=PIPE,
        env=None if environment is None else {**os.environ, **environment},
        start_new_session=True,
    )
    log = bytearray()
    assert process.stderr is not None
    reader = Thread(target=_drain, args=(process.stderr, log), daemon=True)
    reader.start()
    return Child(process, log, reader)


def _drain(stream: IO[bytes], log: bytearray) -> None:
    """Read a log to its end and keep the last of it, so that its writer never waits."""
    with suppress(ValueError, OSError):  # closed while it was read
        while piece := os.read(stream.fileno(), TAIL):
            log += piece
            del log[:-TAIL]


def kill(child: Child) -> None:
    """End a program at once, and every program it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.process.pid, signal.SIGKILL)
        else:
            child.process.kill()


def end(child: Child) -> None:
    """Close a program's input, which asks it to end; make it if it does not; let go of it."""
    process = child.process
    if process.stdin is not None:
        with suppress(OSError):  # it may have ended before it read everything
            process.stdin.close()
    with suppress(TimeoutExpired):
        process.wait(GRACE)
    kill(child)
    process.wait()
    child.reader.join(GRACE)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def ending(child: Child) -> str:
    """How a program that has ended did so, and the last it said.

    >>> import sys
    >>> child = start([sys.executable, "-c", "import sys; sys.exit('no luck')"])
    >>> end(child)
    >>> ending(child)
    'ended with status 1; it said: no luck'
    """
    child.process.wait()
    child.reader.join(GRACE)
    status = child.process.returncode
    how = f"ended with status {status}" if status >= 0 else f"was ended by {_signal(-status)}"
    return how + said(child)


def said(child: Child) -> str:
    """The reason that a program's log gives, or else its last lines, as the end of a sentence.

    Empty where there are none.  The trace of a stack is left out, and when a line was written:
    what is said of the same call is to be the same.
    """
    log = bytes(child.log).decode("utf-8", "replace")
    kept = (_STAMP.sub("", line) for line in log.split("\n") if not _STACK.match(line))
    lines = [" ".join(line.split()) for line in kept]
    reasons = [number for number, line in enumerate(lines) if _REASON.search(line)]
    if reasons:
        shown = list(takewhile(bool, lines[reasons[-1] :]))[:LINES_SHOWN]
    else:
        shown = list(filter(None, lines))[-LINES_SHOWN:]
    return f"; it said: {' | '.join(shown)}" if shown else ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

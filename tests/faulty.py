"""`convspec.fast` with faults to order: the environment says which, and when.

FAULTY is the fault, FAULTY_STRIDE the stride (of every axis) of the calls that show it, or
FAULTY_CALL the number of the call from which on they do; FAULTY_FILE a file that the first such
call makes and all others look for, so that there is one; and FAULTY_COUNT a file that every call
of `conv` adds a byte to, and that is locked for as long as a process has this module.
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

import numpy

from convspec import fast

FAULT, COUNT = os.environ.get("FAULTY"), os.environ.get("FAULTY_COUNT")
STRIDE, CALL = os.environ.get("FAULTY_STRIDE"), os.environ.get("FAULTY_CALL")
FILE = os.environ.get("FAULTY_FILE")
dtypes = ("float32",)
isolate = True
calls, poisoned = 0, False
if COUNT:
    alive = Path(COUNT).open("ab")  # noqa: SIM115 - it stays open
    fcntl.flock(alive, fcntl.LOCK_SH)


def conv(input, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    if COUNT:
        with Path(COUNT).open("ab") as file:
            file.write(b".")
    if _due(stride) and FAULT:
        FAULTS[FAULT]()
        if poisoned:
            return numpy.zeros((1, 1, 1), input.dtype)
    return fast.conv(
        input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def max_pool(input, **attributes):
    if poisoned:
        _abort()
    return fast.max_pool(input, **attributes)


def _due(stride):
    global calls
    calls += 1
    if STRIDE and any(step != int(STRIDE) for step in stride):
        return False
    if CALL and calls < int(CALL):
        return False
    if FILE:
        if Path(FILE).exists():
            return False
        Path(FILE).touch()
    return True


def _bomb():
    """More memory than there may be, a little at a time."""
    held = []
    while True:
        held.append(numpy.ones(2**22))


def _poison():
    """Harm that shows in a later call, of another operation."""
    global poisoned
    poisoned = True


def _meddle():
    """Harm to what is the checker's own, which raises there."""

    def broken(operation, operands):
        raise BufferError("the shape is no shape")

    sys.modules["convspec.oracle.call"].output_count = broken


def _abort():
    print("assertion failed: kernel != 0", file=sys.stderr, flush=True)
    os.abort()


FAULTS = {
    "abort": _abort,
    "poison": _poison,
    "meddle": _meddle,
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda: os._exit(0),
    "leave": lambda: sys.exit(0),
    "hang": lambda: time.sleep(600),
    "bomb": _bomb,
    "giant": lambda: numpy.ones(2**40),
}

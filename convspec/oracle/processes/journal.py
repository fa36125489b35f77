"""Where a worker is: a small memory-mapped file that outlives it.

It holds the number of the call under way, counted from 1 within an operation, whether the
implementation is in it, a fingerprint of its shapes and attributes, and a text that says which
operation and step it belongs to.  A call costs two stores to memory.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

import numpy

SIZE = 1024
_CALL = Struct("<QQQ")
_LENGTH = Struct("<Q")
_INSIDE = Struct("<Q")


class Position(NamedTuple):
    """A call of a worker; number 0 is before the first one."""

    number: int
    inside: bool
    fingerprint: int
    operation: str
    step: str
    done: int
    total: int


class Journal(NamedTuple):
    """A journal file, mapped into memory."""

    memory: mmap.mmap

    def begin(self, operation: str) -> None:
        """The next call is the first one of an operation."""
        _CALL.pack_into(self.memory, 0, 0, 0, 0)
        self.say(operation, "beginning", 0, 1)

    def say(self, operation: str, step: str, done: int, total: int) -> None:
        """Note which step the calls belong to."""
        text = "\n".join((operation, step, str(done), str(total))).encode()
        room = SIZE - _CALL.size - _LENGTH.size
        _LENGTH.pack_into(self.memory, _CALL.size, len(text[:room]))
        begin = _CALL.size + _LENGTH.size
        self.memory[begin : begin + len(text[:room])] = text[:room]

    def enter(self, number: int, fingerprint: int) -> None:
        """The implementation is called."""
        _CALL.pack_into(self.memory, 0, number, 1, fingerprint)

    def leave(self) -> None:
        """The implementation has returned, or raised."""
        _INSIDE.pack_into(self.memory, 8, 0)

    def read(self) -> Position:
        """Where the worker is; a text that is just being written reads as the step beginning."""
        number, inside, fingerprint = _CALL.unpack_from(self.memory, 0)
        (length,) = _LENGTH.unpack_from(self.memory, _CALL.size)
        begin = _CALL.size + _LENGTH.size
        words = self.memory[begin : begin + min(length, SIZE)].decode("utf-8", "replace")
        operation, step, done, total = (*words.split("\n"), "", "", "", "")[:4]
        counts = [int(count) if count.isdecimal() else 0 for count in (done, total)]
        return Position(number, bool(inside), fingerprint, operation, step, counts[0], counts[1])


def open_journal(path: Path) -> Journal:
    """The journal in a file, which is made if it is not there.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     journal = open_journal(Path(directory, "position"))
    ...     journal.begin("conv")
    ...     journal.enter(1, 7)
    ...     journal.read()
    ...     journal.memory.close()
    Position(number=1, inside=True, fingerprint=7, operation='conv', step='beginning', done=0, \
total=1)
    """
    if not path.exists() or path.stat().st_size != SIZE:
        path.write_bytes(bytes(SIZE))
    with path.open("r+b") as file:
        return Journal(mmap.mmap(file.fileno(), SIZE))


def fingerprint(operands: tuple[Any, ...], attributes: dict[str, Any]) -> int:
    """A number that calls of the same shapes, dtypes and attributes share, in this process and in
    any other with the same PYTHONHASHSEED.
    """
    shapes = tuple(map(_shape, operands))
    # Before Python 3.12 the hash of None differs from one process to the next.
    if None not in attributes.values():
        try:
            return hash((shapes, *attributes.items())) % 2**64
        except TypeError:  # a list among the attributes
            pass
    return crc32(repr((shapes, attributes)).encode())


def _shape(operand: Any) -> Any:
    if isinstance(operand, list | tuple):
        return tuple(map(_shape, operand))
    if isinstance(operand, numpy.ndarray):
        return operand.shape, operand.dtype.str
    return type(operand).__name__

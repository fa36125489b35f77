"""Programs in other languages: `exec:COMMAND` is an implementation behind a pipe.

The program is started once.  A request is a frame (see `wire`) whose metadata hold `convspec`
("1"), `id`, `operation` and `attributes`, and whose arrays are the operands; the response's
metadata hold `id`, `status` (`ok`, `unsupported` or `error`) and `message`, and its arrays are
`output`, `output_1` and so on.  The first request is `describe`; its response's metadata hold
`name`, `version`, `operations` and `dtypes`, the last two as JSON lists.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from inspect import Parameter, Signature, signature
from math import inf
from subprocess import TimeoutExpired
from threading import Thread
from time import monotonic, sleep
from typing import Any
from weakref import finalize

import numpy

from convspec.arguments import Array
from convspec.case import forward_name
from convspec.operations import OPERATIONS
from convspec.oracle.call import CrashError
from convspec.oracle.processes.process import GRACE, Child, end, ending, kill, said, start
from convspec.oracle.processes.wire import (
    DTYPES,
    WireError,
    attributes_text,
    decode,
    encode,
    read_frame,
    write_frame,
)

PROTOCOL = "1"
CALL_SECONDS = 60.0
# How often the time limit is looked at.
LOOK_SECONDS = 0.05

Response = tuple[dict[str, Array], dict[str, str]]


class ProgramError(CrashError):
    """The program ended, hung or answered with garbage; `kind` is `crash` or `hang`."""


class Program:
    """The implementation that a program offers: a function for each operation it names.

    A function raises `NotImplementedError` where the program answers `unsupported`,
    `RuntimeError` where it answers `error`, and `ProgramError` where it does not answer; then
    the program is started again for the next call.
    """

    name: str
    version: str | None
    dtypes: tuple[str, ...]

    def __init__(self, words: list[str], seconds: float = CALL_SECONDS) -> None:
        self._words = words
        self._seconds = seconds
        self._requests = 0
        self._running: list[_Running] = []
        finalize(self, _end_all, self._running)
        described = self._ask("describe", {}, {})[1]
        if described.get("status", "ok") != "ok":
            raise ProgramError("crash", f"describe: {described.get('message') or 'refused'}")
        self.name = described.get("name") or words[0]
        self.version = described.get("version")
        self.dtypes = _names(described, "dtypes", tuple(DTYPES))
        for operation in _names(described, "operations", _operations()):
            setattr(self, operation, _function(operation, self._call))

    def _call(self, operation: str, operands: dict[str, Any], attributes: dict[str, Any]) -> Any:
        arrays = _named_arrays(operands)
        found, metadata = self._ask(operation, arrays, attributes)
        status, message = metadata.get("status"), metadata.get("message", "")
        if status == "unsupported":
            raise NotImplementedError(message or "unsupported")
        if status == "error":
            raise RuntimeError(message or "the program answered with an error and no message")
        outputs = _outputs(found)
        alone = len(outputs) == 1 and not operation.endswith("_vjp")
        return outputs[0] if alone else outputs

    def _ask(
        self, operation: str, arrays: dict[str, Array], attributes: dict[str, Any]
    ) -> Response:
        """One request and its response; the program is ended if it gives none that is valid."""
        self._requests += 1
        identity = str(self._requests)
        head = {"convspec": PROTOCOL, "id": identity, "operation": operation}
        request = encode(arrays, {**head, "attributes": attributes_text(attributes)})
        if not self._running:
            self._running.append(_start(self._words))
        running = self._running[0]
        try:
            response = decode(running.exchange(request, self._seconds))
            _check(response, identity, operation)
        except WireError as error:
            message = f"the program sent no valid response: {error}{said(running.child)}"
            self._give_up()
            raise ProgramError("crash", message) from None
        except BaseException:
            self._give_up()
            raise
        return response

    def _give_up(self) -> None:
        kill(self._running[0].child)
        _end_all(self._running)


class _Running:
    """A started program, and the time by which it has to answer."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._due = inf
        self._late = False
        Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        """Kill the program when it is late, and what it started, which ends the reading and writing
        that waits: a program that has ended may have left its pipes to another.
        """
        output = self.child.process.stdout
        assert output is not None
        while not output.closed:
            if monotonic() > self._due:
                self._late = True
                kill(self.child)
            sleep(LOOK_SECONDS)

    def exchange(self, request: bytes, seconds: float) -> bytes:
        """Send a frame and receive the next one."""
        output = self.child.process.stdout
        assert output is not None
        self._due = monotonic() + seconds
        try:
            self._send(request)
            response = read_frame(output)
        except WireError:
            if not self._late:
                raise
            response = None
        finally:
            self._due = inf
        if response is not None:
            return response
        if self._late:
            message = f"the program did not answer within {seconds:g} s{said(self.child)}"
            raise ProgramError("hang", message)
        raise ProgramError("crash", f"the program {_ending(self.child)}")

    def _send(self, request: bytes) -> None:
        """Send a frame; a program that has ended unasked may have said something all the same."""
        process = self.child.process
        assert process.stdin is not None
        try:
            write_frame(process.stdin, request)
        except BrokenPipeError:
            try:
                process.wait(GRACE)
            except TimeoutExpired:
                message = f"the program closed its input{said(self.child)}"
                raise ProgramError("crash", message) from None


def _ending(child: Child) -> str:
    """How a program came to say nothing more."""
    try:
        child.process.wait(GRACE)
    except TimeoutExpired:
        return f"closed its output{said(child)}"
    return ending(child)


def _start(words: list[str]) -> _Running:
    try:
        return _Running(start(words))
    except (OSError, ValueError) as error:
        raise ProgramError("crash", f"the program cannot be started: {error}") from None


def _end_all(running: list[_Running]) -> None:
    while running:
        end(running.pop().child)


def _check(response: Response, identity: str, operation: str) -> None:
    """Whether a response belongs to the request and has a status."""
    metadata = response[1]
    if metadata.get("id") != identity:
        raise WireError(f"id {str(metadata.get('id'))[:60]!r}: must be {identity!r}")
    status = metadata.get("status", "ok" if operation == "describe" else None)
    if status not in ("ok", "unsupported", "error"):
        raise WireError(f"status {str(status)[:60]!r}: must be ok, unsupported or error")
    if status == "ok" and operation != "describe":
        _outputs(response[0])


def _outputs(arrays: dict[str, Array]) -> tuple[Array, ...]:
    """The arrays `output`, `output_1`, … in order."""
    due = [f"output_{number}" if number else "output" for number in range(len(arrays))]
    if not arrays or arrays.keys() != set(due):
        shown = ", ".join(sorted(arrays))[:200] or "none"
        raise WireError(f"arrays {shown}: must be output, output_1, …")
    return tuple(arrays[name] for name in due)


def _named_arrays(operands: dict[str, Any]) -> dict[str, Array]:
    """Operands by name, an absent one left out, the arrays of a list numbered."""
    arrays: dict[str, Array] = {}
    for name, value in operands.items():
        if isinstance(value, list | tuple):
            arrays |= {f"{name}_{index}": numpy.asarray(one) for index, one in enumerate(value)}
        elif value is not None:
            arrays[name] = numpy.asarray(value)
    return arrays


def _operations() -> tuple[str, ...]:
    return tuple(name for row in OPERATIONS for name in (row, f"{row}_vjp"))


def _names(described: dict[str, str], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """A JSON list of known names among the metadata of a description."""
    try:
        names = json.loads(described.get(key, ""))
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ProgramError("crash", f"{key}: {described.get(key)!r:.60}: must be a JSON list")
    for name in names:
        if name not in known:
            raise ProgramError("crash", f"{key}: {name[:60]!r} is none of {', '.join(known)}")
    return tuple(names)


def _function(operation: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The function of one operation, with the signature that the spec gives it."""
    row = OPERATIONS[forward_name(operation)]
    accepted = _accepted(operation, row)

    def function(*positional: Any, **keywords: Any) -> Any:
        given = accepted.bind(*positional, **keywords).arguments
        operands = {name: given.pop(name) for name in list(given) if _is_operand(name, row)}
        return call(operation, operands, given)

    function.__name__ = operation
    function.__signature__ = accepted  # type: ignore[attr-defined]
    return function


def _is_operand(name: str, row: Any) -> bool:
    return name == "cotangent" or name in row.operands


def _accepted(operation: str, row: Any) -> Signature:
    """The signature that the spec gives an operation, without annotations, which mean nothing here;
    a derivative that hands its attributes on takes those of its operation.
    """
    forward = signature(row.definition).parameters.values()
    own = signature(row.definition if operation == row.name else row.vjp).parameters.values()
    named = [p for p in own if p.kind is not Parameter.VAR_KEYWORD]
    if len(named) < len(own):
        named += [p for p in forward if not _is_operand(p.name, row)]
    return Signature([p.replace(annotation=Parameter.empty) for p in named])


def load_program(command: str) -> Program:
    """The implementation of the program that a command line starts, without a shell.

    Raises `ProgramError` where it cannot be started or does not describe itself.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ProgramError("crash", f"{command!r}: {error}") from None
    if not words:
        raise ProgramError("crash", "exec: must be followed by a command")
    return Program(words)

"""A learner's file tried in a process of its own, where a call that hangs can be ended.

The process sends a line of JSON for everything that happens: a step that begins, a call that is
about to be made, and how the step came out.
"""

from __future__ import annotations

import json
import multiprocessing
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy

from convspec.oracle.call import Callee
from convspec.oracle.deviations.edits import operand_names

# How long one call may take, and what happens between two, such as reading the file.
CALL_SECONDS = 2.0
OWN_SECONDS = 20.0
PRINTED = 20


def events(path: Path, steps: Sequence[str], seconds: float = CALL_SECONDS) -> Iterator[Any]:
    """What happens while a file is tried on some steps, up to the first that is not right.

    Each event is a dictionary: `loaded`, the error or None; `step`, one that begins; `outcome`,
    with its fields; or `ended`, `hang` or `crash`, with the `call` that did not come back.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, str(path), tuple(steps)), daemon=True)
    process.start()
    there.close()
    call = None
    try:
        while True:
            limit = OWN_SECONDS if call is None else seconds
            if not here.poll(limit):
                yield {"ended": "hang", "call": call, "seconds": limit}
                return
            try:
                event = json.loads(here.recv_bytes())
            except EOFError:
                process.join()
                yield {"ended": "crash", "call": call, "status": process.exitcode}
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


def _work(connection: Connection, path: str, steps: tuple[str, ...]) -> None:
    """Try the steps, in the process that runs the file."""

    def say(**event: Any) -> None:
        connection.send_bytes(json.dumps(event).encode())

    with suppress(BrokenPipeError), warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        walk(say, path, steps)
        say(finished=True)


def walk(say: Callable[..., None], path: str, steps: Sequence[str]) -> None:
    """Read a file and try it on some steps, up to the first that is not right, and say so."""
    from convspec.learn.outcome import Right
    from convspec.learn.step import ladder
    from convspec.learn.trying import attempt
    from convspec.oracle.target import TargetError, import_file

    printed = StringIO()
    with redirect_stdout(printed):
        say()
        try:
            module = import_file(path, Path(path))
        except TargetError as error:
            say(loaded=str(error))
            return
        say(loaded=None)
        for name in steps:
            say(step=name)
            outcome = attempt(ladder()[name], module, path, _watch(name, say, printed))
            text = "" if isinstance(outcome, Right) else printed.getvalue()
            say(outcome=type(outcome).__name__, **_told(outcome), printed=_last(text))
            if not isinstance(outcome, Right):
                return


def _told(outcome: Any) -> dict[str, Any]:
    fields: dict[str, Any] = outcome._asdict()
    misconception = fields.get("misconception")
    if misconception is not None:
        fields["misconception"] = misconception._asdict()
    return fields


def _watch(step: str, say: Callable[..., None], printed: StringIO) -> Callable[[Callee], Callee]:
    """Announces the calls of a function, and keeps what the last of them printed."""
    from convspec.learn.step import ladder

    names = operand_names(ladder()[step].function)

    def watched(target: Callee) -> Callee:
        def function(*operands: Any, **keywords: Any) -> Any:
            given = {**dict(zip(names, operands, strict=False)), **keywords}
            arrays = {n: v.tolist() for n, v in given.items() if isinstance(v, numpy.ndarray)}
            attributes = {n: v for n, v in given.items() if n not in arrays}
            say(call={"operands": arrays, "attributes": attributes})
            printed.seek(0)
            printed.truncate()
            try:
                return target.function(*operands, **keywords)
            finally:
                say()

        return target._replace(function=function)

    return watched


def _last(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(lines[-PRINTED:])

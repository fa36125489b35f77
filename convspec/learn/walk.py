"""The steps tried on a learner's file one after the other, in the process that runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from traceback import extract_tb
from typing import Any

import numpy

from convspec.learn.kinds import tried
from convspec.learn.outcome import Right
from convspec.learn.step import ladder
from convspec.oracle.call import Callee
from convspec.oracle.target import TargetError, import_file

PRINTED = 20

Say = Callable[..., None]


def walk(say: Say, path: str, steps: Sequence[str]) -> None:
    """Read a file and try it on some steps, up to the first that is not right.

    `say` is told of everything that happens by keywords; see `apart.events`.
    """
    printed, raised = StringIO(), list[int]()
    with redirect_stdout(printed), redirect_stderr(printed):
        say(call="reading")
        try:
            module = import_file(path, Path(path))
        except TargetError as error:
            say(loaded=str(error))
            return
        say(loaded=None)
        for name in steps:
            say(step=name)
            outcome = tried(ladder()[name], module, path, _watch(say, path, printed, raised))
            if isinstance(outcome, Right):
                say(outcome="Right", **outcome._asdict())
                continue
            text = "\n".join(printed.getvalue().splitlines()[-PRINTED:])
            line = raised[-1] if raised else None
            say(outcome=type(outcome).__name__, **_told(outcome), printed=text, line=line)
            return


def _told(outcome: Any) -> dict[str, Any]:
    fields: dict[str, Any] = outcome._asdict()
    misconception = fields.get("misconception")
    if misconception is not None:
        fields["misconception"] = misconception._asdict()
    return fields


def _watch(say: Say, path: str, printed: StringIO, raised: list[int]) -> Callable[[Callee], Callee]:
    """Announces the calls of a function, and keeps what the last of them printed, and in which
    line of the file it raised an exception, if it did.
    """

    def watched(target: Callee) -> Callee:
        def function(*operands: Any, **keywords: Any) -> Any:
            named = {name: _plain(value) for name, value in keywords.items()}
            say(call={"operands": [_plain(value) for value in operands], "keywords": named})
            printed.seek(0)
            printed.truncate()
            raised.clear()
            try:
                return target.function(*operands, **keywords)
            except BaseException as error:
                frames = extract_tb(error.__traceback__)
                here = Path(path).absolute()
                raised.extend(f.lineno for f in frames if f.lineno and Path(f.filename) == here)
                raise
            finally:
                say()

        return target._replace(function=function)

    return watched


def _plain(value: Any) -> Any:
    """A value as JSON has it; a function by its name."""
    if isinstance(value, numpy.ndarray):
        return value.tolist()
    return value.__name__ if callable(value) else value

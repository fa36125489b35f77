"""What happened while a learner's file was tried, told step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill, indent
from typing import Any

import numpy

from convspec.case import Case
from convspec.cli.words import KINDS
from convspec.draw.picture import call_text
from convspec.learn.step import Step, ladder

WIDTH = 96
UNREADABLE = 2


def told(
    events: Iterable[Any], file: Path, names: list[str], hint: int
) -> Iterator[tuple[str, int]]:
    """Lines to print, each with the exit status that it stands for."""
    step = ladder()[names[0]]
    for event in events:
        if event.get("loaded"):
            yield event["loaded"], UNREADABLE
            return
        if "step" in event:
            step = ladder()[event["step"]]
        elif event.get("outcome") == "Right":
            yield f"  right  {step.name}", 0
        elif "outcome" in event:
            yield from _all_of(
                _missing(step, event) if event["outcome"] == "Missing" else _wrong(step, event)
            )
            yield from _all_of(_hints(step, file, hint))
            return
        elif "ended" in event:
            yield from _all_of(_ended(step, event))
            return
    yield "\nEvery step is right.", 0


def _all_of(lines: Iterator[str]) -> Iterator[tuple[str, int]]:
    return ((line, 1) for line in lines)


def _missing(step: Step, event: Any) -> Iterator[str]:
    yield f"  next   {step.name}: {event['what']}"
    yield ""
    yield fill(f"{step.title[0].upper()}{step.title[1:]}. {' '.join(step.task.split())}", WIDTH)
    yield ""
    yield indent(step.formula, "  ")
    yield ""
    yield f"Write: {step.signature}"


def _wrong(step: Step, event: Any) -> Iterator[str]:
    yield f"  wrong  {step.name}: {KINDS[event['kind']]} {event['often']}"
    yield ""
    known = event["misconception"]
    if known:
        yield fill(
            f"{known['name'][0].upper()}{known['name'][1:]}. {' '.join(known['text'].split())}",
            WIDTH,
        )
        yield ""
    if event["mistake"]:
        yield fill(f"What your {step.function} does: {event['instead']}", WIDTH)
        yield f'  convspec mistake "{event["mistake"]}" tells more.'
        yield ""
    yield "The smallest call that shows it:"
    yield ""
    yield indent(event["picture"], "  ")
    if event["printed"]:
        yield ""
        yield "In it, your file printed:"
        yield indent(event["printed"], "  ")


def _hints(step: Step, file: Path, count: int) -> Iterator[str]:
    yield ""
    for number, hint in enumerate(step.hints[:count], start=1):
        yield fill(f"Hint {number} of {len(step.hints)}: {hint}", WIDTH)
    if count < len(step.hints):
        more = " --hint" * (count + 1)
        yield f"For {'a' if not count else 'the next'} hint: convspec learn {file}{more}"


def _ended(step: Step, event: Any) -> Iterator[str]:
    """A call that did not come back; between calls, nothing is known but that."""
    call = event["call"]
    if call is None:
        yield f"  wrong  {KINDS[event['ended']]} while the file is read"
        return
    yield f"  wrong  {step.name}: {KINDS[event['ended']]}"
    yield ""
    operands = {name: numpy.array(values) for name, values in call["operands"].items()}
    case = Case(step.function, operands, call["attributes"])
    yield f"{call_text(case)}, where"
    for name, array in operands.items():
        yield f"  {name} = {array.tolist()}"

"""What happened while a learner's file was tried, told step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import fill, indent
from typing import Any

from convspec.cli.words import KINDS
from convspec.learn.step import Step, ladder

WIDTH = 96
LEFT, UNREADABLE = 1, 2
# What a step comes to that is wrong, in a learner's words; of laws there are two ways more.
WRONG = {
    **KINDS,
    "raises": "it raises an exception",
    "hang": "it does not end",
    "crash": "it ends the process",
    "law": "it does not hold where everything is right",
    "unnoticed": "it holds where something is wrong",
}

SHOWN = {
    "law": "For instance, with",
    "unnoticed": "It could notice with",
    "raises": "The call:",
}


def told(
    events: Iterable[Any], names: list[str], hint: int, arguments: str
) -> Iterator[tuple[str, int]]:
    """Lines to print, each with the exit status that it stands for; `hint` is how many hints to
    give, and `arguments` what came after `convspec learn`.
    """
    step = ladder()[names[0]]
    for event in events:
        if event.get("loaded"):
            yield event["loaded"], UNREADABLE
            return
        if "step" in event:
            step = ladder()[event["step"]]
        elif event.get("outcome") == "Right":
            yield f"  right  {step.name:{wide(names)}}  {event['tried']}", 0
        elif "outcome" in event or "ended" in event:
            tell = _ended if "ended" in event else _TELL[event["outcome"]]
            for line in (*tell(step, event), *_hints(step, hint, arguments)):
                yield line, LEFT
            return
    yield "\nThat was the last step: everything is right.", 0


def wide(names: list[str]) -> int:
    """The width of a column of names."""
    return max(map(len, names))


def _paragraph(title: str, text: str) -> str:
    return fill(f"{title[0].upper()}{title[1:]}. {' '.join(text.split())}", WIDTH)


def _missing(step: Step, event: Any) -> Iterator[str]:
    yield f"  next   {step.name}: {event['what']}"
    yield ""
    yield from _asked(step)


def _asked(step: Step) -> Iterator[str]:
    """What the learner is to write."""
    yield _paragraph(step.title, step.task)
    yield ""
    yield indent(step.formula, "  ")
    yield ""
    yield f"Write: {step.signature}"


def _wrong(step: Step, event: Any) -> Iterator[str]:
    often = f", {event['often']}" if event["often"] else ""
    yield f"  wrong  {step.name}: {WRONG[event['kind']]}{often}"
    yield ""
    known, missed = event["misconception"], event["kind"] == "unnoticed"
    if known:
        yield _paragraph(known["name"], known["text"])
        yield ""
    if event["mistake"]:
        who = "A function that it takes for right" if missed else f"What your {step.function} does"
        yield fill(f"{who}: {event['instead']}", WIDTH)
        yield f'  convspec mistake "{event["mistake"]}" tells more.'
        yield ""
    yield SHOWN.get(event["kind"], "The smallest call that shows it:")
    yield ""
    yield indent(event["picture"], "  ")
    if event["line"]:
        yield ""
        yield f"That is in line {event['line']} of your file."
    if event["printed"] and not missed:
        yield ""
        yield "In that call your file printed:"
        yield indent(event["printed"], "  ")
    yield ""
    yield from _asked(step)


def _ended(step: Step, event: Any) -> Iterator[str]:
    """A call that did not come back, or the file itself."""
    call = event["call"]
    if call is None or call == "reading":
        when = "between two calls" if call is None else "while the file is read"
        yield f"  wrong  {WRONG[event['ended']]} {when}"
        return
    yield f"  wrong  {step.name}: {WRONG[event['ended']]}"
    yield ""
    given = [*map(repr, call["operands"]), *(f"{n}={v!r}" for n, v in call["keywords"].items())]
    yield fill(f"{step.function}({', '.join(given)})", WIDTH, subsequent_indent="    ")


def _hints(step: Step, count: int, arguments: str) -> Iterator[str]:
    yield ""
    for number, hint in enumerate(step.hints[:count], start=1):
        yield fill(f"Hint {number} of {len(step.hints)}: {hint}", WIDTH)
    if count < len(step.hints):
        more = " --hint" * (count + 1)
        yield f"For {'a' if not count else 'the next'} hint: convspec learn {arguments}{more}"


_TELL = {"Missing": _missing, "Wrong": _wrong}

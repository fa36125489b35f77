"""`convspec mistake NAME`: a known mistake or convention, explained at its smallest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from difflib import get_close_matches
from textwrap import fill

import click

UNKNOWN = 2
WIDTH = 80
LAWS = "convspec.properties.laws"


@click.command("mistake")
@click.argument("name", required=False)
@click.option("--operation", metavar="NAME", help="One of the operations that it occurs in.")
def command(name: str | None, operation: str | None) -> None:
    """Explain the mistake NAME: what is done instead, where it shipped, how to see it.

    Without NAME, list them all.
    """
    from convspec.oracle.deviations import DEVIATIONS

    if name is None:
        for line in _listed():
            click.echo(line)
        return
    if name not in DEVIATIONS:
        _fail(name, "mistake", list(DEVIATIONS))
    deviation = DEVIATIONS[name]
    if operation is not None and operation not in deviation.operations:
        _fail(operation, f"operation of {name!r}", list(deviation.operations))
    for line in _explained(name, operation or deviation.operations[0]):
        click.echo(line)


def _fail(given: str, what: str, known: list[str]) -> None:
    """One line on what was meant, perhaps."""
    close = get_close_matches(given, known, n=3, cutoff=0.4)
    shorter = [name for name in known if given.lower() in name.lower()][:3]
    meant = list(dict.fromkeys([*close, *shorter]))[:4]
    hint = f"did you mean {' or '.join(map(repr, meant))}?" if meant else "see convspec mistake"
    click.echo(f"convspec: {given!r} is no {what}; {hint}", err=True)
    sys.exit(UNKNOWN)


def _listed() -> Iterator[str]:
    from convspec.oracle.deviations import DEVIATIONS

    width = max(map(len, DEVIATIONS))
    for name, deviation in DEVIATIONS.items():
        yield f"{name:{width}}  {', '.join(deviation.operations)}"


def _explained(name: str, operation: str) -> Iterator[str]:
    """Everything known about a deviation, seen in one operation."""
    from convspec.oracle.deviations import DEVIATIONS

    deviation = DEVIATIONS[name]
    yield f"{name} ({deviation.kind}, in {', '.join(deviation.operations)})"
    yield ""
    yield fill(deviation.sentence, WIDTH)
    if deviation.convention is not None:
        yield f"As a convention: {'='.join(deviation.convention)}."
    yield fill(f"Nobody notices with {deviation.hidden}.", WIDTH)
    yield ""
    yield "Where it shipped:" if deviation.threads else "No public thread of it is known here."
    for thread in deviation.threads:
        repository, _, number = thread.partition("#")
        yield f"  https://github.com/{repository}/issues/{number}"
    yield ""
    yield from _law(name)
    yield ""
    yield from _picture(name, operation)


def _law(name: str) -> Iterator[str]:
    """The law that the deviation breaks, and how to run it."""
    from convspec.oracle.deviations.laws import LAWS_BROKEN
    from convspec.oracle.deviations.without_laws import WITHOUT_LAW

    if name in WITHOUT_LAW:
        yield fill(f"No law sees it, for {WITHOUT_LAW[name]}; `convspec check` does.", WIDTH)
        return
    law = LAWS_BROKEN[name]
    file, _, test = law.partition("::")
    yield f"The law that it breaks: {test.removeprefix('test_').replace('_', ' ')}."
    yield f"  pytest --pyargs {LAWS}.{file.removesuffix('.py')} -k {test} --implementation TARGET"


def _picture(name: str, operation: str) -> Iterator[str]:
    """The smallest call that shows the deviation, drawn."""
    from convspec.case import grouped
    from convspec.draw.text import draw
    from convspec.oracle.deviations import DEVIATIONS
    from convspec.oracle.explanation.pictures import picture

    shown = picture(DEVIATIONS[name], operation)
    if shown is None:
        yield "No small call shows it."
        return
    yield "At its smallest, `expected` being right and `actual` the mistake:"
    if shown.before:
        yield shown.before
    yield ""
    together = grouped(shown.case.operation, shown.case.operands)
    case = shown.case._replace(operands=together)
    for line in draw(case, shown.right, shown.wrong, width=WIDTH - 2).splitlines():
        yield f"  {line}".rstrip()

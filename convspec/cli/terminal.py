"""The report for people: one line an operation, then every difference with its smallest case."""

from __future__ import annotations

from textwrap import fill

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from convspec.cli.words import KINDS, circumstances, explained, offered, once, sections, verdict
from convspec.draw.text import draw
from convspec.oracle.report import Difference, Report

COLOURS = {"conforms": "green", "differs": "red", "crashed": "red", "unsupported": "yellow"}


def show(report: Report, console: Console) -> None:
    """Print a report."""
    console.print(Text(verdict(report), style=f"bold {COLOURS[report.status]}"))
    _say(circumstances(report), console)
    console.print()
    table = _table(report)
    if table.row_count:
        console.print(table)
    absent = [o.name for o in report.operations.values() if not offered(o)]
    if absent:
        _say(f"Not offered: {', '.join(absent)}", console)
    differences = once(report)
    for position, (operation, difference, dtypes) in enumerate(differences, start=1):
        console.print()
        heading = f"Difference {position} of {len(differences)}: {operation}"
        accepted = " (accepted)" if difference.accepted else ""
        console.print(Text(f"{heading}: {KINDS[difference.kind]}{accepted}", "bold"))
        _show_difference(difference, dtypes, console)
    for title, told in sections(report):
        console.print()
        console.print(Text(title, "bold"))
        for names, group in told:
            for indent, text in (("  ", names), *(("    ", line) for line in group)):
                _say(text, console, indent)


def _say(text: str, console: Console, indent: str = "") -> None:
    """A sentence, broken where the page ends."""
    filled = fill(text, console.width, initial_indent=indent, subsequent_indent=indent)
    console.print(Text(filled), soft_wrap=True)


def _table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("operation", "status", "judged", "unsupported", "accuracy"):
        justify: JustifyMethod = "right" if heading in ("judged", "unsupported") else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    for operation in report.operations.values():
        if not offered(operation):
            continue
        table.add_row(
            operation.name,
            Text(operation.status, style=COLOURS[operation.status]),
            str(operation.judged),
            str(operation.unsupported),
            operation.accuracy or "",
        )
    return table


def _show_difference(difference: Difference, dtypes: str, console: Console) -> None:
    for line in explained(difference, dtypes):
        _say(line, console)
    console.print()
    picture = draw(
        difference.case,
        difference.expected,
        difference.actual,
        width=max(40, min(console.width, 100) - 2),
    )
    _verbatim("Smallest failing case:", picture, console)
    if difference.reproducer:
        console.print()
        _verbatim("To reproduce:", difference.reproducer, console)


def _verbatim(title: str, text: str, console: Console) -> None:
    """Text whose columns and brackets mean something: neither wrapped nor taken for markup."""
    console.print(title)
    for line in text.rstrip().splitlines():
        console.print(Text(f"  {line}" if line else ""), soft_wrap=True)

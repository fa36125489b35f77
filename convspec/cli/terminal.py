"""The report for people: one line an operation, then every difference with its smallest case."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from convspec.draw.text import draw

KINDS = {
    "shape": "the result has the wrong shape",
    "dtype": "the result has the wrong dtype",
    "value": "the result has wrong values",
    "accuracy": "the result is off by more than rounding can explain",
    "special": "NaN or infinity does not reach exactly the results it should",
    "gradient": "the gradient is wrong",
    "raises": "a valid call is refused",
    "accepts": "a bad argument is not refused",
    "unstable": "the same call gives different results",
    "mutates": "an argument is changed",
    "layout": "the result depends on how the arguments lie in memory or are batched",
    "crash": "the process crashes",
    "hang": "the call does not end",
}
VERDICTS = {
    "conforms": ("conforms to the spec in everything it offers", "green"),
    "differs": ("differs from the spec", "red"),
    "crashed": ("crashed", "red"),
    "unsupported": ("offers nothing that could be judged", "yellow"),
}


def show(report: Any, console: Console) -> None:
    """Print a report."""
    verdict, colour = VERDICTS[report.status]
    console.print(Text(f"{_named(report)} {verdict}", style=f"bold {colour}"))
    console.print(
        f"Python {report.python}, level {report.level}, seed {report.seed}, {report.seconds:.1f} s"
    )
    console.print()
    console.print(_table(report))
    for operation in report.operations.values():
        _show_notes(operation, console)
    differences = [(o, d) for o in report.operations.values() for d in o.differences]
    for position, (operation, difference) in enumerate(differences, start=1):
        console.print()
        heading = f"Difference {position} of {len(differences)}: {operation.name}"
        console.print(Text(f"{heading}: {KINDS.get(difference.kind, difference.kind)}", "bold"))
        _show_difference(difference, console)


def _named(report: Any) -> str:
    return " ".join(str(word) for word in (report.target, report.version) if word)


def _table(report: Any) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("operation", "status", "judged", "unsupported", "accuracy", "conventions"):
        number = heading in ("judged", "unsupported")
        table.add_column(heading, justify="right" if number else "left")
    for operation in report.operations.values():
        style = VERDICTS[operation.status][1]
        conventions = [f"{name}={value}" for name, value in operation.conventions.items()]
        table.add_row(
            operation.name,
            Text(operation.status, style=style),
            str(operation.judged),
            str(operation.unsupported),
            operation.accuracy or "",
            Text("\n".join(conventions)),
        )
    return table


def _show_notes(operation: Any, console: Console) -> None:
    notes = list(operation.notes)
    if operation.unsupported and operation.unsupported_rule:
        notes.insert(0, f"unsupported: {operation.unsupported_rule}")
    for note in notes:
        console.print(Text(f"{operation.name}: {note}"))


def _show_difference(difference: Any, console: Console) -> None:
    for line in _explained(difference):
        console.print(Text(line))
    console.print()
    picture = draw(
        difference.case,
        difference.expected,
        difference.actual,
        width=max(40, min(console.width, 100)),
    )
    _verbatim("Smallest failing case:", picture, console)
    if difference.reproducer:
        console.print()
        _verbatim("To reproduce:", difference.reproducer, console)


def _explained(difference: Any) -> list[str]:
    """What is known about a difference, in sentences."""
    lines = [difference.message] if difference.message else []
    if difference.diagnosis:
        lines.append(f"It behaves like: {difference.diagnosis}. {_sentence(difference.diagnosis)}")
        if difference.ties:
            lines.append(f"These explain it as well: {', '.join(difference.ties)}.")
    elif difference.rule:
        lines.append(f"No known mistake explains it. It fails where {difference.rule}.")
    else:
        lines.append("No known mistake explains it.")
    return lines


def _sentence(name: str) -> str:
    from convspec.oracle.deviations import DEVIATIONS

    return DEVIATIONS[name].sentence if name in DEVIATIONS else ""


def _verbatim(title: str, text: str, console: Console) -> None:
    """Text whose columns and brackets mean something: neither wrapped nor taken for markup."""
    console.print(title)
    for line in text.rstrip().splitlines():
        console.print(Text(f"  {line}" if line else ""), soft_wrap=True)

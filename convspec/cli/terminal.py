"""The report for people: one line an operation, then every difference with its smallest case."""

from __future__ import annotations

from textwrap import fill

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from convspec.draw.text import draw
from convspec.oracle.report import Difference, OperationReport, Report

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
DIAGNOSED = ("shape", "value", "special", "gradient")
VERDICTS = {
    "conforms": ("conforms to the spec in everything it offers", "green"),
    "differs": ("differs from the spec", "red"),
    "crashed": ("crashed", "red"),
    "unsupported": ("offers nothing that could be judged", "yellow"),
}


def show(report: Report, console: Console) -> None:
    """Print a report."""
    verdict, colour = VERDICTS[report.status]
    console.print(Text(f"{_named(report)} {verdict}", style=f"bold {colour}"))
    console.print(
        f"Python {report.python}, level {report.level}, seed {report.seed}, {report.seconds:.1f} s"
    )
    console.print()
    table = _table(report)
    if table.row_count:
        console.print(table)
    absent = [o.name for o in report.operations.values() if not _offered(o)]
    if absent:
        _say(f"Not offered: {', '.join(absent)}", console)
    differences = _once(report)
    for position, (operation, difference, dtypes) in enumerate(differences, start=1):
        console.print()
        heading = f"Difference {position} of {len(differences)}: {operation}"
        accepted = " (accepted)" if difference.accepted else ""
        console.print(Text(f"{heading}: {KINDS[difference.kind]}{accepted}", "bold"))
        _show_difference(difference, dtypes, console)
    for title, said in SECTIONS.items():
        _show_section(
            title, [(o.name, line) for o in report.operations.values() for line in said(o)], console
        )


def _once(report: Report) -> list[tuple[str, Difference, str]]:
    """Every difference with its operation and dtypes; what only the dtype tells apart, once."""
    found: dict[tuple[str, str], list[Difference]] = {}
    for operation in report.operations.values():
        for difference in operation.differences:
            found.setdefault((operation.name, difference.id), []).append(difference)
    return [
        (name, alike[0], " and ".join(d.dtype for d in alike if d.dtype))
        for (name, _), alike in found.items()
    ]


def _named(report: Report) -> str:
    return " ".join(str(word) for word in (report.target, report.version) if word)


def _offered(operation: OperationReport) -> bool:
    """Whether the implementation has a function of this name that was called or crashed."""
    return bool(operation.judged or operation.unsupported or operation.crashed)


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
        if not _offered(operation):
            continue
        table.add_row(
            operation.name,
            Text(operation.status, style=VERDICTS[operation.status][1]),
            str(operation.judged),
            str(operation.unsupported),
            operation.accuracy or "",
        )
    return table


def _conventions(operation: OperationReport) -> list[str]:
    return [f"{name}: {value}" for name, value in operation.conventions.items()]


def _unsupported(operation: OperationReport) -> list[str]:
    rule = operation.unsupported_rule
    return [rule] if operation.unsupported and rule else []


def _notes(operation: OperationReport) -> list[str]:
    return list(operation.notes)


SECTIONS = {
    "Not supported, and so not judged": _unsupported,
    "What it does where conventions differ": _conventions,
    "How far the check went": _notes,
}


def _show_section(title: str, lines: list[tuple[str, str]], console: Console) -> None:
    """Every line once, under the operations of which it is said."""
    told: dict[str, list[str]] = {}
    for operation, line in lines:
        told.setdefault(line, []).append(operation)
    grouped: dict[str, list[str]] = {}
    for line, operations in told.items():
        grouped.setdefault(", ".join(operations), []).append(line)
    if grouped:
        console.print()
        console.print(Text(title, "bold"))
    for names, group in grouped.items():
        for indent, text in (("  ", names), *(("    ", line) for line in group)):
            _say(text, console, indent)


def _show_difference(difference: Difference, dtypes: str, console: Console) -> None:
    for line in _explained(difference, dtypes):
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


def _explained(difference: Difference, dtypes: str) -> list[str]:
    """What is known about a difference, in sentences."""
    count = "one case fails" if difference.cases == 1 else f"{difference.cases} cases fail"
    where = f"In {dtypes}, {count}" if dtypes else count.capitalize()
    lines = [f"{where} like this. {difference.message}".rstrip()]
    if difference.diagnosis:
        lines.append(f"It behaves like: {difference.diagnosis}. {_sentence(difference.diagnosis)}")
        if difference.ties:
            lines.append(f"These explain it as well: {', '.join(difference.ties)}.")
        if difference.rule:
            lines.append(f"Not everywhere: {difference.rule}.")
    elif difference.rule:
        lines.append(f"No known mistake explains it. Where it fails: {difference.rule}.")
    elif difference.kind in DIAGNOSED:
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

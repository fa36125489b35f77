"""The reports as a page: `python -m atlas.reports_page --write` makes docs/reports.md of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import shorten
from typing import Any

from atlas.reports import FOLDER, kept
from atlas.targets import TARGETS, file_name

PAGE = FOLDER.with_suffix(".md")
HEAD = """# Reports of checks

The implementations that convspec has a target for, checked: all operations that a target offers,
forward and gradients, in every type that it offers unless types are named below, at level `quick`.
*Known* are differences that somebody has looked at ([how](check.md)).  What of them contradicts the
package's documentation, or the package itself, is in [defects.md](defects.md), and who does what
where the spec leaves a choice in [atlas.md](atlas.md).

The whole report of each is the file named in the table: every difference with its smallest case,
which `convspec replay` shows and tries again.  `python -m atlas.reports NAME` makes one again, and
`python -m atlas.reports_page --write` this page.

cuDNN was not measured, which takes a GPU.  On one, `python -m atlas.reports torch:cuda` checks it,
and `python -m atlas.measure torch:cuda` measures its conventions; both pages then have it.
"""
# The statuses of a report, told apart further by whether somebody has looked at what differs.
CONFORMS, KNOWN, DIFFERS = "conforms", "known differences", "differs"
# So much of a message is shown in a table.
LETTERS = 100

Reports = Mapping[str, dict[str, Any]]


def page(reports: Reports) -> str:
    """The whole page."""
    lines = [HEAD, *_versions(reports), *_missing(reports), *_operations(reports)]
    for name, report in reports.items():
        lines += _implementation(name, report)
    return "\n".join(lines) + "\n"


def _versions(reports: Reports) -> Iterator[str]:
    yield "| implementation | version | Python | NumPy | status | judged | report |"
    yield "|---|---|---|---|---|---|---|"
    for name, report in reports.items():
        offered = _offered(report)
        judged = sum(operation["judged"] for operation in offered)
        cells = (
            *(name, report["version"] or "", report["python"], report["numpy"]),
            *(_gravest(map(status, offered)), str(judged), f"`docs/reports/{file_name(name)}`"),
        )
        yield f"| {' | '.join(cells)} |"


def _missing(reports: Reports) -> Iterator[str]:
    """The targets without a report."""
    missing = [name for name in TARGETS if name not in reports]
    if missing:
        yield f"\nThere is no report yet of {', '.join(missing)}."


def _offered(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations that were called at all."""
    return [
        operation
        for operation in report["operations"].values()
        if operation["judged"] or operation["unsupported"] or operation["crashed"]
    ]


def status(operation: dict[str, Any]) -> str:
    """What was found about an operation, in a word or two.

    >>> status({"status": "conforms", "differences": [{"accepted": True}]})
    'known differences'
    """
    if operation["status"] == CONFORMS and operation["differences"]:
        return KNOWN
    told: str = operation["status"]
    return told


def _gravest(statuses: Iterable[str]) -> str:
    found = set(statuses)
    order = (DIFFERS, "crashed", KNOWN, CONFORMS)
    return next((one for one in order if one in found), "unsupported")


def _operations(reports: Reports) -> Iterator[str]:
    """Of every operation, who conforms."""
    yield "\n## Who conforms\n"
    yield "| operation | conforms | known differences alone | differs or crashed |"
    yield "|---|---|---|---|"
    found: dict[str, dict[str, list[str]]] = {}
    for name, report in reports.items():
        for operation in _offered(report):
            by_status = found.setdefault(operation["name"], {})
            by_status.setdefault(status(operation), []).append(name)
    for operation, by_status in found.items():
        worse = [*by_status.get(DIFFERS, ()), *by_status.get("crashed", ())]
        columns = (by_status.get(CONFORMS, ()), by_status.get(KNOWN, ()), worse)
        yield f"| {operation} | {' | '.join(', '.join(column) for column in columns)} |"


def _implementation(name: str, report: dict[str, Any]) -> Iterator[str]:
    """Every operation that one implementation offers."""
    yield f"\n## {name} {report['version'] or ''}\n"
    yield "| operation | status | judged | unsupported | accuracy | differences |"
    yield "|---|---|---|---|---|---|"
    for operation in _offered(report):
        counts = (str(operation[count]) for count in ("judged", "unsupported"))
        said = "; ".join(dict.fromkeys(map(_difference, operation["differences"])))
        cells = (operation["name"], status(operation), *counts, _accuracy(operation), said)
        yield f"| {' | '.join(cells)} |"


def _accuracy(operation: dict[str, Any]) -> str:
    """The accuracy class of each type."""
    return ", ".join(f"{dtype}: {name}" for dtype, name in operation["accuracies"].items())


def _difference(difference: dict[str, Any]) -> str:
    """A difference by the name of what explains it, or else by what it is, and where."""
    told = difference["diagnosis"] or shorten(difference["message"], LETTERS, placeholder=" ...")
    types = f" in {difference['dtype']}" if difference["dtype"] else ""
    mark = "" if difference["accepted"] else ", not known"
    return _cell(f"{difference['kind']}{types}{mark}: {told}")


def _cell(text: str) -> str:
    """A text that stays within its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def main(arguments: Sequence[str]) -> int:
    """Print the page, or write it."""
    text = page(kept())
    if list(arguments) == ["--write"]:
        draft = PAGE.with_suffix(".draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(PAGE)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

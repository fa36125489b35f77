"""What a run of the kill matrix found, as data and as a page: docs/kill-matrix.json and .md."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from convspec.oracle.deviations import DEVIATIONS
from tests.planting import Row

LEVELS = ("quick", "standard")
DATA = Path(__file__).parent.parent / "docs" / "kill-matrix.json"
PAGE = DATA.with_suffix(".md")
HEAD = """# Kill matrix

Does `convspec check` find bugs?  Each known way of being wrong or different (a *deviation*) is
planted alone in an otherwise correct implementation, which offers that one operation and is then
checked until the first thing that is wrong.

*Step* is the step of the check that found it: the *probes* of recognised variants, the *exact
sweep*, *thresholds*, *rounding*, *special values*, *ties*, *behaviour*, *search*; what is found
among *open points* is measured and never failed.  *Calls* and *ms* are the calls of the
implementation and the milliseconds of processor time until the first wrong outcome was seen, at the
first level that found it.  *Diagnosis* is the name that the first difference was given: *right*
where it is the planted one, with the number of others that fit as well; *a rule* where no name was
found.  `standard` only has to see what `quick` has named.

Renewed by `python -m tests.kill_matrix --write`.
"""


def summary(rows: Sequence[Row]) -> list[str]:
    """What a run comes to, a line a level."""
    lines = []
    for level in dict.fromkeys(row.level for row in rows):
        there = [row for row in rows if row.level == level]
        killed = [row for row in there if row.killed]
        mistakes = [row for row in there if DEVIATIONS[row.name].kind == "mistake"]
        lines.append(
            f"At `{level}`: {share(len(killed), len(there))} killed, "
            f"{share(sum(row.killed for row in mistakes), len(mistakes))} of the mistakes."
        )
    return lines


def share(part: int, whole: int) -> str:
    """A count among others, and in percent.

    >>> share(1, 3)
    '1 of 3 (33.3 %)'
    """
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "0 of 0"


def told(rows: Sequence[Row]) -> list[str]:
    """The summary, and how soon what is wrong is seen."""
    found = first_kills(rows)
    if not found:
        return summary(rows)
    times = median(row.milliseconds for row in found)
    return [
        *summary(rows),
        f"The diagnosis names {share(sum(row.named for row in found), len(found))} first.",
        f"The first wrong outcome is seen after {times:.1f} ms, in the median.",
    ]


def first_kills(rows: Iterable[Row]) -> list[Row]:
    """Of each deviation in its operation, the row of the first level that found it."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.killed:
            first.setdefault((row.name, row.operation), row)
    return list(first.values())


def page(rows: Sequence[Row], runs: Sequence[str]) -> str:
    """The rows as Markdown, with what they come to."""
    by_pair = {(row.name, row.operation): row for row in rows}
    by_pair |= {(row.name, row.operation): row for row in first_kills(rows)}
    levels = {(row.name, row.operation, row.level): row.killed for row in rows}
    lines = [
        HEAD,
        f"Measured with {' and '.join(runs)}.",
        "",
        *(f"- {line}" for line in told(rows)),
        "",
        "| deviation | kind | operation | quick | standard | step | calls | ms | diagnosis |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, operation), row in by_pair.items():
        found = (_found(levels.get((name, operation, level))) for level in LEVELS)
        cells = (
            name,
            DEVIATIONS[name].kind,
            operation,
            *found,
            row.step or "-",
            str(row.calls),
            f"{row.milliseconds:.1f}",
            _diagnosis(row),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _found(killed: bool | None) -> str:
    return "not run" if killed is None else "killed" if killed else "SURVIVES"


def _diagnosis(row: Row) -> str:
    if row.named:
        ties = f", {len(row.ties)} more fit" if row.ties else ""
        return f"right{ties}"
    return (row.diagnoses[0] or "a rule") if row.diagnoses else "-"


def renew(found: Sequence[Row]) -> None:
    """Store rows among those of earlier runs, without those that have left the catalogue, and
    write the page anew.
    """
    versions = f"convspec {version('convspec')}, NumPy {version('numpy')}"
    this_run = f"{versions}, Python {platform.python_version()}"
    known = {_key(row): (row, run) for run, rows in stored().items() for row in rows}
    known |= {_key(row): (row, this_run) for row in found}
    rows = [known[key] for key in _due() if key in known]
    by_run: dict[str, list[Row]] = {}
    for row, run in rows:
        by_run.setdefault(run, []).append(row)
    _replaced(DATA, _text(by_run))
    _replaced(PAGE, page([row for row, _ in rows], list(by_run)))


def stored() -> dict[str, list[Row]]:
    """The rows of docs/kill-matrix.json, by the versions that they were measured with."""
    if not DATA.exists():
        return {}
    runs = json.loads(DATA.read_text())
    return {run: [_row(entry) for entry in entries] for run, entries in runs.items()}


def _row(entry: dict[str, Any]) -> Row:
    tuples = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Row(**{**entry, **tuples})


def _key(row: Row) -> tuple[str, str, str]:
    return row.name, row.operation, row.level


def _due() -> list[tuple[str, str, str]]:
    """What the page is about: level by level, in the order of the catalogue."""
    return [
        (name, operation, level)
        for level in LEVELS
        for name, deviation in DEVIATIONS.items()
        for operation in deviation.operations
    ]


def _text(runs: dict[str, list[Row]]) -> str:
    """JSON with a line a row, so that a difference between two runs can be read."""
    told = {
        run: ",\n".join(f"  {json.dumps(row._asdict())}" for row in rows)
        for run, rows in runs.items()
    }
    entries = ",\n".join(f"{json.dumps(run)}: [\n{rows}\n]" for run, rows in told.items())
    return f"{{\n{entries}\n}}\n"


def _replaced(path: Path, text: str) -> None:
    """Write a file in one step."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)

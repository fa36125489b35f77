"""Differences that somebody has looked at and accepted: rows of a TOML file.

    [[difference]]
    operation = "average_pool"
    kind = "raises"
    says = "smaller than kernel size"
    reason = "avg_pool3d compares the kernel with the input before padding it"

A row names the operation and the kind, says which difference of that kind it means (by its
`diagnosis`, or by what its message `says`), and gives the reason why it is accepted.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from convspec.oracle.report import Difference, OperationReport, Report


class Known(NamedTuple):
    """An accepted difference; `diagnosis` and `says` are None where a row does not ask for them."""

    operation: str
    kind: str
    reason: str
    diagnosis: str | None = None
    says: str | None = None


def read(path: Path) -> tuple[Known, ...]:
    """The rows of a file of known differences.

    Raises `ValueError` naming the file and the row where it is not such a file.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no TOML file: {error}") from None
    rows = content.pop("difference", [])
    if content or not isinstance(rows, list):
        raise ValueError(f"{path}: must hold [[difference]] tables and nothing else")
    return tuple(_row(row, f"{path}: [[difference]] number {n}") for n, row in enumerate(rows, 1))


def _row(row: Any, where: str) -> Known:
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise ValueError(f"{where}: every value must be text")
    unknown = row.keys() - set(Known._fields)
    missing = {"operation", "kind", "reason"} - row.keys()
    if unknown:
        raise ValueError(f"{where}: {', '.join(sorted(unknown))}: no such key")
    if missing:
        raise ValueError(f"{where}: {', '.join(sorted(missing))} must be given")
    if not row.get("diagnosis") and not row.get("says"):
        raise ValueError(f"{where}: diagnosis or says must tell which difference is meant")
    return Known(**row)


def matches(known: Known, operation: str, difference: Difference) -> bool:
    """Whether a row means this difference.

    >>> import numpy
    >>> from convspec.case import Case
    >>> found = Difference("1", "raises", Case("conv", {}, {}), (), (), "RuntimeError: too small")
    >>> matches(Known("conv", "raises", "it is so", says="too small"), "conv", found)
    True
    """
    return (
        (known.operation, known.kind) == (operation, difference.kind)
        and known.diagnosis in (None, difference.diagnosis)
        and (known.says or "") in difference.message
    )


def with_known(report: Report, rows: tuple[Known, ...]) -> Report:
    """The report with its known differences accepted, and a note where a row meets nothing."""
    operations = {name: _accepted(found, rows) for name, found in report.operations.items()}
    return report._replace(operations=operations)


def _accepted(found: OperationReport, rows: tuple[Known, ...]) -> OperationReport:
    mine = [row for row in rows if row.operation == found.name]
    differences = tuple(
        d._replace(accepted=d.accepted or any(matches(row, found.name, d) for row in mine))
        for d in found.differences
    )
    stale = tuple(
        f"known, but not seen: {row.kind}, {row.diagnosis or row.says} ({row.reason})"
        for row in mine
        if not any(matches(row, found.name, d) for d in found.differences)
    )
    return found._replace(differences=differences, notes=(*found.notes, *stale))

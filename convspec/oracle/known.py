"""Differences that somebody has looked at and accepted: rows of a TOML file.

    [[difference]]
    operation = "average_pool"
    kind = "raises"
    says = "smaller than kernel size"
    reason = "avg_pool3d compares the kernel with the input before padding it"
    seen = "2.13.0"

A row names the operation and the kind, says which difference of that kind it means (by its
`diagnosis`, or by what its message `says`), and gives the reason why it is accepted.  It may add
`where` it is, in the words of the rules that reports give ("the kernel is 1x1 and padding > 0"),
the version in which the difference was `seen`, how it was `verified` without convspec, and where
`only` it shows, such as on some processors.  A row that meets no difference is stale, and the
report says so.

A row that would mean every difference of its kind is refused: it would hide the next one.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from convspec.oracle.explanation.rule import holds, statements
from convspec.oracle.report import Difference, OperationReport, Report

# Kinds whose messages hold numbers, sizes or a signal, and so do not say what is wrong.
_OF_NUMBERS = ("value", "special", "gradient", "shape", "unstable", "crash", "hang")
# What may stand in every message of another kind.
_IN_EVERY_MESSAGE = {
    "accepts": re.compile(r"[ :]*(was )?(accepted)?[ :]*"),
    "raises": re.compile(r"\w*(Error|Exception)?[ :]*"),
}


class Known(NamedTuple):
    """An accepted difference; what a row does not give is None."""

    operation: str
    kind: str
    reason: str
    diagnosis: str | None = None
    says: str | None = None
    where: str | None = None
    seen: str | None = None
    verified: str | None = None
    only: str | None = None


def read(path: Path) -> tuple[Known, ...]:
    """The rows of a file of known differences.

    Raises `ValueError` naming the file and the row where it is not such a file.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
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
    known = Known(**row)
    if _means_all(known):
        raise ValueError(
            f"{where}: says = {known.says!r}: what is said of kind {known.kind} does not tell one "
            f"mistake from another: diagnosis or where must be given as well"
        )
    if known.where is not None:
        try:
            statements(known.where)
        except ValueError as error:
            raise ValueError(f"{where}: where = {error}") from None
    return known


def _means_all(known: Known) -> bool:
    """Whether a row means every difference of its kind, whatever is wrong."""
    if known.diagnosis or known.where:
        return False
    said = _IN_EVERY_MESSAGE.get(known.kind)
    return known.kind in _OF_NUMBERS or bool(said and said.fullmatch(known.says or ""))


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
        and (known.where is None or holds(known.where, difference.case))
    )


def stale(report: Report, rows: tuple[Known, ...]) -> tuple[Known, ...]:
    """The rows of examined operations that mean none of their differences.

    One that shows `only` somewhere is never stale: it may be that this is not the place.
    """
    return tuple(
        row
        for row in rows
        if row.only is None
        and (found := report.operations.get(row.operation)) is not None
        and not any(matches(row, found.name, d) for d in found.differences)
    )


def with_known(report: Report, rows: tuple[Known, ...]) -> Report:
    """The report with its known differences accepted, and a note where a row meets nothing."""
    left = stale(report, rows)
    operations = {name: _accepted(found, rows, left) for name, found in report.operations.items()}
    return report._replace(operations=operations)


def _accepted(
    found: OperationReport, rows: tuple[Known, ...], left: tuple[Known, ...]
) -> OperationReport:
    mine = [row for row in rows if row.operation == found.name]
    differences = tuple(
        d._replace(accepted=d.accepted or any(matches(row, found.name, d) for row in mine))
        for d in found.differences
    )
    notes = tuple(map(_stale_note, filter(left.__contains__, mine)))
    return found._replace(differences=differences, notes=(*found.notes, *notes))


def _stale_note(row: Known) -> str:
    known = f"known in {row.seen}" if row.seen else "known"
    return f"{known}, but not seen: {row.kind}, {row.diagnosis or row.says} ({row.reason})"

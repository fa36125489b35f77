"""The records of the defect list, as their TOML files hold them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
JUDGEMENTS = ("bug", "undocumented", "convention")


class Defect(NamedTuple):
    """A defect: its name is that of its program, `expected` and `actual` are what that prints.

    A *bug* contradicts the package's documentation, which is quoted with its source in
    `documentation`, or what the package itself does elsewhere, told in `itself`.  Where the source
    is a page of the web, `read` says in which file of the package's repository the quoted words
    were read.
    """

    name: str
    title: str
    operation: str
    judgement: str
    case: str
    expected: str
    actual: str
    diagnosis: str
    documentation: str = ""
    source: str = ""
    read: str = ""
    itself: str = ""
    known: str = ""
    only: str = ""


class Listing(NamedTuple):
    """The defects of one package in the version in which each has been seen.

    `rules` says which documentation it is held to, where that is not its own alone.
    """

    name: str
    package: str
    version: str
    title: str
    defects: tuple[Defect, ...]
    rules: str = ""

    def program(self, defect: Defect) -> Path:
        """The program that reproduces a defect."""
        return HERE / self.name / f"{defect.name}.py"


def listings() -> tuple[Listing, ...]:
    """Every listing, in the order of their names."""
    return tuple(read(path) for path in sorted(HERE.glob("*.toml")))


def read(path: Path) -> Listing:
    """One listing.

    Raises `ValueError` that names the file and the defect where a record is not complete.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = content.pop("defect", [])
    defects = tuple(_defect(row, path) for row in rows)
    if len({defect.name for defect in defects}) != len(defects):
        raise ValueError(f"{path}: two defects have the same name")
    return Listing(path.stem, **content, defects=defects)


def _defect(row: dict[str, str], path: Path) -> Defect:
    where = f"{path}: defect {row.get('name', row)!r}"
    try:
        defect = Defect(**row)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None
    if defect.judgement not in JUDGEMENTS:
        raise ValueError(f"{where}: judgement={defect.judgement!r}: must be one of {JUDGEMENTS}")
    if bool(defect.documentation) != bool(defect.source):
        raise ValueError(f"{where}: a quotation needs its source, and a source its quotation")
    if ("https://" in defect.source) != bool(defect.read):
        raise ValueError(f"{where}: read: a quotation from the web, and no other, says where")
    if defect.judgement == "bug" and not (defect.documentation or defect.itself):
        raise ValueError(f"{where}: a bug contradicts its documentation or itself: say which")
    return defect

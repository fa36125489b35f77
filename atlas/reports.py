"""Check implementations and keep what was found: `python -m atlas.reports NAME ...`.

Each is checked at level `quick`, forward and gradients, in every type that it offers, its known
differences being accepted, and the whole JSON report is kept in docs/reports.  The names are those
of `atlas.targets`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from atlas.targets import KNOWN_FOLDER, TARGETS, file_name, target
from convspec.oracle import check, load
from convspec.oracle.known import read, with_known

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reports"
CLOCK = ("seconds", "seconds_inside")


def checked(name: str) -> dict[str, Any]:
    """The report of a check of one implementation, as its JSON has it."""
    loads, known_file = target(name)
    report = check(load(loads), level="quick")
    known = read(ROOT / KNOWN_FOLDER / f"{known_file}.toml") if known_file else ()
    content: dict[str, Any] = json.loads(with_known(report, known).to_json())
    return content


def text(report: dict[str, Any]) -> str:
    """A report as JSON, an operation and a difference a line, so that two of them can be compared.

    How long it took is left at 0, because that belongs to the machine.

    >>> print(text({"status": "conforms", "seconds": 2.5, "operations": {
    ...     "conv": {"name": "conv", "seconds": 1.5, "differences": [{"id": "a"}, {"id": "b"}]}}}))
    {"status": "conforms", "seconds": 0, "operations": {
    "conv": {"name": "conv", "seconds": 0, "differences": [
      {"id": "a"},
      {"id": "b"}]}
    }}
    """
    operations = ",\n".join(
        f'"{name}": {_last(_timeless(operation), "differences", _listed)}'
        for name, operation in report["operations"].items()
    )
    return _last(_timeless(report), "operations", lambda _: f"{{\n{operations}\n}}") + "\n"


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {name: 0 if name in CLOCK else value for name, value in record.items()}


def _last(record: dict[str, Any], name: str, written: Callable[[Any], str]) -> str:
    """A record as JSON in one line, but for the entry `name`, which comes last."""
    head = json.dumps({key: value for key, value in record.items() if key != name})
    return f'{head[:-1]}, "{name}": {written(record[name])}}}'


def _listed(differences: list[dict[str, Any]]) -> str:
    lines = [f"\n  {json.dumps(one)}" for one in differences]
    return f"[{','.join(lines)}]"


def kept() -> dict[str, dict[str, Any]]:
    """Every report that is kept, by the name of the implementation."""
    paths = {name: FOLDER / file_name(name) for name in TARGETS}
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if path.exists()
    }


def keep(name: str, report: dict[str, Any]) -> Path:
    """Write a report where it is kept, in one step."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / file_name(name)
    draft = path.with_suffix(".draft")
    draft.write_text(text(report), encoding="utf-8")
    draft.replace(path)
    return path


def main(names: Sequence[str]) -> int:
    """Check the named implementations and keep their reports."""
    for name in names:
        report = checked(name)
        print(f"{name}: {report['status']}: {keep(name, report).name}", flush=True)
    return int(not names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The atlas as a page: `python -m atlas.page --write` makes docs/atlas.md of docs/atlas, and the
short form that `convspec explain` reads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from atlas.meanings import MEANINGS, ruling
from atlas.measure import FOLDER, Row
from atlas.reports import kept as kept_reports
from atlas.settings import settings

PAGE = FOLDER.with_suffix(".md")
SHORT = FOLDER.parent.parent / "convspec" / "adapters" / "atlas.json"
PORTED = ("torch", "onnxruntime", "openvino", "opencv", "tensorflow", "jax")
HEAD = """# Convention atlas

What implementations do where they may differ, measured.  Every value below comes from the call
printed above it, the smallest that tells the conventions apart, made on that version; "depends on
the case" means that no single convention explains all of the calls that were tried, of which one
that differs from the spec is shown.  An implementation is missing where it does not offer the call.

A report for each implementation is kept in `docs/atlas`.  `python -m atlas.measure NAME` measures
one again, in seconds; `python -m atlas.page --write` renews this page.
"""


class Report(NamedTuple):
    """What was measured of one target."""

    target: str
    version: str
    python: str
    rows: tuple[Row, ...]


def reports() -> tuple[Report, ...]:
    """Every report that is kept, in the order of the targets' names."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(_row(entry) for entry in content.pop("measured"))
        found.append(Report(**content, rows=rows))
    return tuple(sorted(found))


def _row(entry: dict[str, Any]) -> Row:
    return Row(**{**entry, "dtypes": tuple(entry["dtypes"])})


def page(kept: Sequence[Report]) -> str:
    """The whole page."""
    lines = [HEAD, *_versions(kept), *_summary(kept)]
    for convention in MEANINGS:
        lines += _convention(convention, kept)
    return "\n".join([*lines, *_accuracy(), *settings(), *_porting(kept)]) + "\n"


def _versions(kept: Sequence[Report]) -> Iterator[str]:
    yield "| implementation | version | Python |"
    yield "|---|---|---|"
    for report in kept:
        yield f"| {report.target} | {report.version} | {report.python} |"


def _summary(kept: Sequence[Report]) -> Iterator[str]:
    """Who does what, without the evidence."""
    yield "\n## Who does what\n"
    yield "| convention | value | implementations |"
    yield "|---|---|---|"
    for convention in MEANINGS:
        told = f"[{_title(convention)}](#{_anchor(convention)})"
        for value, who in _by_value(convention, kept).items():
            yield f"| {told} | {value} | {who} |"
            told = ""


def _by_value(convention: str, kept: Sequence[Report]) -> dict[str, str]:
    """The implementations of each value; with operations and types where not all do the same."""
    values: dict[str, list[str]] = {}
    for report in kept:
        rows = [row for row in report.rows if row.convention == convention]
        single = len({row.value for row in rows}) == 1
        for value in dict.fromkeys(row.value for row in rows):
            where = _where([row for row in rows if row.value == value])
            values.setdefault(value, []).append(report.target + ("" if single else f" ({where})"))
    return {value: ", ".join(values[value]) for value in sorted(values)}


def _where(rows: Iterable[Row]) -> str:
    operations: dict[str, list[str]] = {}
    for row in rows:
        operations.setdefault(row.operation, []).extend(row.dtypes)
    return "; ".join(f"{name} in {', '.join(types)}" for name, types in operations.items())


def _convention(convention: str, kept: Sequence[Report]) -> Iterator[str]:
    yield f"\n## {_title(convention)}\n"
    yield f"{MEANINGS[convention]} {ruling(convention)}"
    probes: dict[tuple[str, str], list[tuple[Report, Row]]] = {}
    for report in kept:
        for row in report.rows:
            if row.convention == convention:
                probes.setdefault((row.probe, row.spec), []).append((report, row))
    for (probe, spec), shown in sorted(probes.items(), key=lambda entry: entry[0]):
        yield f"\n`{probe}`" + (f": the spec has `{spec}`" if spec else "") + "\n"
        yield "| implementation | types | value | gives |"
        yield "|---|---|---|---|"
        for report, row in shown:
            types = ", ".join(row.dtypes)
            yield f"| {report.target} | {types} | {row.value} | `{row.outcome}` |"


def _accuracy() -> Iterator[str]:
    """The accuracy classes that the kept reports of checks have measured."""
    yield "\n## Accuracy classes\n"
    yield (
        "The finest arithmetic that explains how each operation rounds in each type, from the "
        "[reports of checks](reports.md); [how](rounding.md).  No output contradicts it, and that "
        "is all: results in float16 that were summed in float32 do not contradict float64.  What "
        "rounds nothing, such as a maximum, has none, nor has an operation with wrong values."
    )
    yield "\n| implementation | type | arithmetic | operations |"
    yield "|---|---|---|---|"
    for name, report in kept_reports().items():
        found: dict[tuple[str, str], list[str]] = {}
        for operation in report["operations"].values():
            for place in operation["accuracies"].items():
                found.setdefault(place, []).append(operation["name"])
        for (dtype, arithmetic), operations in sorted(found.items()):
            yield f"| {name} | {dtype} | {arithmetic} | {', '.join(operations)} |"


def _porting(kept: Sequence[Report]) -> Iterator[str]:
    """Of each two frameworks, the conventions in which they differ."""
    yield "\n## From one to another\n"
    yield (
        "What changes in numbers when a model moves, in float32, where both offer the call.  The "
        "words for another configuration are printed by `convspec explain`."
    )
    known = {report.target: report for report in kept}
    for one, other in combinations([name for name in PORTED if name in known], 2):
        yield f"\n### {one} and {other}\n"
        differing = list(differences(known[one], known[other]))
        if not differing:
            yield "No difference was measured."
            continue
        yield f"| operation | convention | {one} | {other} |"
        yield "|---|---|---|---|"
        yield from (f"| {' | '.join(row)} |" for row in differing)


def differences(one: Report, other: Report) -> Iterator[tuple[str, str, str, str]]:
    """Operation, convention and both values, wherever two implementations differ in float32."""
    ours, theirs = (
        {(row.operation, row.convention): row.value for row in report.rows if _single(row)}
        for report in (one, other)
    )
    for key, value in ours.items():
        if key in theirs and theirs[key] != value:
            yield (key[0], _title(key[1]), value, theirs[key])


def short(kept: Sequence[Report]) -> str:
    """Convention, operation, value: the implementations, in float32, as JSON."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for report in kept:
        for row in filter(_single, report.rows):
            operations = found.setdefault(row.convention, {})
            values = operations.setdefault(row.operation, {})
            values.setdefault(row.value, []).append(report.target)
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _single(row: Row) -> bool:
    return "float32" in row.dtypes


def _title(convention: str) -> str:
    return convention.replace("_", " ").capitalize()


def _anchor(convention: str) -> str:
    return convention.replace("_", "-")


def main(arguments: Sequence[str]) -> int:
    """Print the page, or write it."""
    kept = reports()
    if list(arguments) == ["--write"]:
        for path, text in ((PAGE, page(kept)), (SHORT, short(kept))):
            draft = path.with_suffix(".draft")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
    else:
        print(page(kept))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a night of checks costs, from measured rates: `python benchmarks/farm.py TARGET ...`.

Each target is checked at `quick`, operation by operation, in one process and one thread.  Writes
docs/farm.json and the table of docs/farm.md, target by target: what another environment has
measured stays.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

from convspec.cli.files import write
from convspec.oracle import check, load

FOLDER = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- measured -->", "<!-- end of what is measured -->"
OPERATIONS = ("correlate", "conv", "conv_vjp", "conv_transpose", "max_pool", "average_pool")
# How many times more calls than `quick` a level makes, as docs/check.md says.
LEVELS = {"quick": 1, "standard": 5, "exhaustive": 100}


def rates(target: str) -> dict[str, Any]:
    """Of every operation that the target offers, the cases judged, and the processor's seconds."""
    found = {}
    for operation in OPERATIONS:
        begun = process_time()
        report = check(load(target), [operation], level="quick", isolate=False)[operation]
        if report.judged:
            found[operation] = {"judged": report.judged, "seconds": process_time() - begun}
    return {"version": load(target).version, "operations": found}


def table(measured: dict[str, Any]) -> str:
    """Cases per processor second, and the processor minutes of all these operations, by level."""
    lines = [
        f"| implementation | {' | '.join((*OPERATIONS, *LEVELS))} |",
        "|---|" + "---:|" * (len(OPERATIONS) + len(LEVELS)),
    ]
    for target, run in measured.items():
        cells = []
        for name in OPERATIONS:
            at = run["operations"].get(name)
            cells.append(f"{at['judged'] / at['seconds']:.0f}" if at else "")
        whole = sum(at["seconds"] for at in run["operations"].values()) / 60
        cells += [f"{times * whole:.2g}" for times in LEVELS.values()]
        lines.append(f"| {target} {run['version']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(targets: Sequence[str]) -> int:
    """Measure the targets, and renew the table."""
    file, page = FOLDER / "farm.json", FOLDER / "farm.md"
    measured = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for target in targets:
        measured[target] = rates(target)
        write(file, json.dumps(measured, indent=1) + "\n")
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write(page, f"{before}{BEGIN}\n\n{table(measured)}\n\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The kill matrix: does `check` find every deviation, and name it?

Run as `python -m tests.kill_matrix`: prints the table, writes it to docs/kill-matrix.md, and
exits 1 if a mistake survives.  A deviation that survives is a hole in the oracle.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from types import SimpleNamespace
from typing import NamedTuple

import numpy

import convspec.fast
from convspec.oracle.check import DEFAULT_DTYPES, element
from convspec.oracle.deviations import DEVIATIONS, Deviation
from convspec.oracle.evidence import Plan
from convspec.oracle.examination import examine
from convspec.oracle.variants import RULED

PAGE = Path(__file__).parent.parent / "docs" / "kill-matrix.md"

# What shows in one dtype only is checked in that dtype; None stands for the oracle's own choice.
DTYPES: dict[str, tuple[str, ...]] = {
    "average accumulated in the storage dtype": ("float16",),
    "integer average truncated": ("int32",),
    "integer maximum turned into floats by padding": ("int32",),
}
# Coarse arithmetic is a class of its own and not a difference, unless a finer one is required.
REQUIRED: dict[str, str] = {
    "operands truncated to bfloat16": "float32",
    "operands rounded to TF32": "float32",
    "float64 computed in float32": "float64",
    "result truncated toward zero": "float32",
    "average by a single-precision reciprocal": "float64",
    "average accumulated in the storage dtype": "float32",
}


class Row(NamedTuple):
    """One deviation in one operation at one level: whether it was found, how, and named."""

    name: str
    operation: str
    level: str
    killed: bool
    by: tuple[str, ...]
    judged: int
    milliseconds: float
    diagnoses: tuple[str | None, ...]

    @property
    def named(self) -> bool:
        """Whether the first difference carries the planted name."""
        return bool(self.diagnoses) and self.diagnoses[0] == self.name


def examined(name: str, operation: str, level: str) -> Row:
    """A check of an implementation that offers nothing but the deviating function, up to the first
    thing that is wrong.
    """
    deviation = DEVIATIONS[name]
    planted = SimpleNamespace(**{operation: deviation.edit(convspec.fast, operation)})
    required = REQUIRED.get(name)
    dtypes = DTYPES.get(name, None if required is None else (required,))
    begun = perf_counter()
    elements = tuple(map(element, dtypes or DEFAULT_DTYPES))
    plan = Plan(level, 0, elements, {}, required, None, stop_at_first=True)
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = examine(planted, name, operation, plan)
    elapsed = 1000 * (perf_counter() - begun)
    by = tuple(difference.kind for difference in found.differences)
    diagnoses = tuple(difference.diagnosis for difference in found.differences)
    if is_open(deviation):
        variant, value = deviation.convention or ("", "")
        killed = found.conventions.get(variant) == value
        by, diagnoses = (("measured",), (name,)) if killed else (by, diagnoses)
    else:
        killed = found.status == "differs"
    return Row(name, operation, level, killed, by, found.judged, elapsed, diagnoses)


def is_open(deviation: Deviation) -> bool:
    """Whether the design leaves a convention free, so that it is measured and never failed."""
    return deviation.convention is not None and deviation.convention[0] not in RULED


def rows(level: str, pairs: Sequence[tuple[str, str]], workers: int) -> Iterator[Row]:
    """Every given deviation in its operation, at one level."""
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(_examined_pair, level=level), pairs)


def _examined_pair(pair: tuple[str, str], level: str) -> Row:
    try:
        return examined(*pair, level)
    except Exception as error:  # a check that breaks down has found nothing, and the rest goes on
        return Row(*pair, level, False, (f"check raised {error!r}"[:200],), 0, 0.0, ())


def page(found: Sequence[Row]) -> str:
    """The table as Markdown, with what it comes to."""
    lines = [
        "# Kill matrix",
        "",
        "Each deviation is planted alone in an otherwise correct implementation, which is then",
        "checked. *By* lists the kinds of the differences found, in their order; *measured* is an",
        "open point, which is reported and never failed. *Named* says whether the diagnosis of the",
        "first difference is the planted deviation. `standard` examines what `quick` left alive.",
        "Written by `python -m tests.kill_matrix`.",
        "",
    ]
    for level in dict.fromkeys(row.level for row in found):
        at_level = [row for row in found if row.level == level]
        killed = [row for row in at_level if row.killed]
        named = sum(row.named for row in killed)
        lines += [
            f"At `{level}`: {len(killed)} of {len(at_level)} killed, {named} of those named.",
            f"A check takes {median(row.milliseconds for row in at_level):.0f} ms, in the median.",
            "",
        ]
    lines += [
        "| deviation | kind | operation | level | killed | by | cases | ms | named |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        by = ", ".join(f"{kind} x{n}" if n > 1 else kind for kind, n in Counter(row.by).items())
        cells = (
            row.name,
            DEVIATIONS[row.name].kind,
            row.operation,
            row.level,
            "yes" if row.killed else "NO",
            by or "-",
            str(row.judged),
            f"{row.milliseconds:.0f}",
            "yes" if row.named else (row.diagnoses[0] or "-") if row.diagnoses else "-",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine, print what survives, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="deviations, all by default")
    parser.add_argument(
        "--level",
        action="append",
        choices=("quick", "standard"),
        help="each level examines what the ones before it left alive; both by default",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    names = chosen.names or list(DEVIATIONS)
    left = [(name, operation) for name in names for operation in DEVIATIONS[name].operations]
    found: list[Row] = []
    for level in chosen.level or ("quick", "standard"):
        survived = []
        for row in rows(level, left, chosen.workers):
            found.append(row)
            if not row.killed:
                survived.append((row.name, row.operation))
            if not row.killed or not row.named:
                what = f"named {row.diagnoses}" if row.killed else f"SURVIVES {row.by}"
                print(f"{row.level}: {row.name} in {row.operation}: {what}", flush=True)
        left = survived
    written = page(found)
    if not chosen.names:
        PAGE.parent.mkdir(exist_ok=True)
        draft = PAGE.with_suffix(".draft")
        draft.write_text(written)
        draft.replace(PAGE)
    print("\n".join(line for line in written.splitlines() if line.startswith("At ")))
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())

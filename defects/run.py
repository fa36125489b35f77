"""Run the programs of the defect list: does each defect still show?

`python -m defects.run NAME [DEFECT ...]` exits 0 where every one does, or cannot show on this
machine, and 1 where an entry is stale or wrong.  It needs the package that is listed, NumPy, and
nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version

from defects.quotation import stands
from defects.records import HERE, Defect, Listing, read

SECONDS = 300
NOT_HERE = 77  # the exit status of a program that needs another processor


def verdict(listing: Listing, defect: Defect) -> tuple[bool, str]:
    """Whether the entry stands, and what its program said.

    A program exits with 0 where the defect is there, having printed what is expected and what
    came out; with 1 and a line that begins with `stale` where it is gone; and with 77 where it
    cannot show on this machine, which its record must have said.
    """
    try:
        run = subprocess.run(
            [sys.executable, listing.program(defect)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"did not end within {SECONDS} seconds"
    last = (run.stderr.strip() or run.stdout.strip()).rpartition("\n")[2]
    if run.returncode == NOT_HERE and defect.only:
        return True, f"cannot show here: {last}"
    if run.returncode == 1 and last.startswith("stale"):
        return False, f"stale: {defect.actual} no longer, but {defect.expected}"
    if run.returncode:
        return False, f"the program failed with {run.returncode}: {last}"
    said = _printed(run.stdout)
    if said != {"expected": defect.expected, "actual": defect.actual}:
        return False, f"changed: {said}, where the entry has {defect.expected}, {defect.actual}"
    return True, defect.actual


def _printed(text: str) -> dict[str, str]:
    """The values of the lines `expected: ...` and `actual: ...`."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs if name in ("expected", "actual")}


def main(arguments: Sequence[str]) -> int:
    """Run the programs of one listing, all or the named ones, and print a line for each."""
    environment, *chosen = arguments
    name = environment.removeprefix("defects-")  # so that tox can give its own name
    listing = read(HERE / f"{name}.toml")
    unknown = set(chosen) - {defect.name for defect in listing.defects}
    if unknown:
        raise SystemExit(f"no such defect of {name}: {', '.join(sorted(unknown))}")
    installed = version(listing.package)
    print(f"{listing.package} {installed}, listed for {listing.version}")
    found = []
    for defect in listing.defects:
        if chosen and defect.name not in chosen:
            continue
        good, said = verdict(listing, defect)
        if not stands(defect, listing.program(defect).read_text(encoding="utf-8")):
            good, said = False, f"stale: {defect.source} no longer says “{defect.documentation}”"
        found.append(good)
        print(f"{'there' if good else 'NOT AS LISTED'}: {defect.name}: {said}", flush=True)
    return int(not found or not all(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

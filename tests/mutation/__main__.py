"""Meet every mutant with its tests, and compare what survives with what has been looked at.

`python -m tests.mutation [NAME ...]` runs the modules of `modules.toml`, or those named.  It fails
on a survivor that `equivalent.toml` does not explain, and on an explanation that no survivor needs.
What it found is written to docs/mutation.json and docs/mutation.md.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutation.equivalent import Explanation, explanations, unexplained, unused
from tests.mutation.fork import noticed
from tests.mutation.mutants import ROOT, Mutant, mutants
from tests.mutation.page import Score, renew
from tests.mutation.patch import noticed_quickly
from tests.mutation.record import Record, record

MODULES = Path(__file__).with_name("modules.toml")


class Module(NamedTuple):
    """A module under mutation, and the tests of each round."""

    name: str
    path: str
    rounds: Sequence[Sequence[str]]


def modules() -> dict[str, Module]:
    """The table of `modules.toml`."""
    table = tomllib.loads(MODULES.read_text())
    return {name: Module(name, **row) for name, row in table.items()}


def survivors(module: Module) -> tuple[int, list[Mutant]]:
    """How many mutants a module has, and those that no test notices.

    A mutant may take ten times what all tests take on the module itself, and a little more.
    """
    left = list(mutants(module.path))
    total = len(left)
    for tests in module.rounds:
        if left:
            whole = record(module.path, tests)
            controls = unchanged(module.path, left)
            found = tried(module.name, [*controls, *left], whole)
            noisy = [
                control.function for control, seen in zip(controls, found, strict=False) if seen
            ]
            if noisy:
                raise RuntimeError(f"unchanged, but noticed by {' '.join(tests)}: {noisy}")
            found = found[len(controls) :]
            left = [mutant for mutant, seen in zip(left, found, strict=True) if not seen]
    return total, left


def unchanged(path: str, left: Sequence[Mutant]) -> list[Mutant]:
    """The module itself as a mutant of nothing, and of each function: put in place in the same ways
    as the mutants, it must not be noticed.
    """
    source = (ROOT / path).read_text()
    functions = dict.fromkeys(["", *(mutant.function for mutant in left)])
    return [Mutant(path, function, "", source) for function in functions]


def tried(name: str, everyone: Sequence[Mutant], whole: Record) -> list[bool]:
    """Whether a test notices each mutant: the quick way where that is possible."""
    seconds = 5 + int(10 * whole.seconds)
    quick = [m for m in everyone if m.function and m.function not in whole.early]
    found = iter(noticed_quickly(told(name, quick), whole.tests, seconds) if quick else [])
    seen = {m: next(found) for m in quick}
    slow = [m for m in everyone if seen.get(m) is None]
    seen.update(zip(slow, noticed(slow, whole.tests, seconds), strict=True))
    return [bool(seen[m]) for m in everyone]


def told(name: str, everyone: Sequence[Mutant]) -> Iterator[Mutant]:
    """Each of the mutants, with a line on how far that is now and then."""
    began = time.monotonic()
    for done, mutant in enumerate(everyone):
        if done % 50 == 0:
            minutes = (time.monotonic() - began) / 60
            print(f"{name}: {done} of {len(everyone)}, {minutes:.0f} min", flush=True)
        yield mutant


def examined(module: Module, known: Sequence[Explanation]) -> tuple[Score, list[str]]:
    """The score of a module, and what is wrong with it."""
    total, left = survivors(module)
    here = [entry for entry in known if entry.path == module.path]
    open_ = unexplained(left, here)
    stale = unused(left, here)
    score = Score(module.path, total, total - len(left), len(left) - len(open_), len(open_))
    return score, [
        *(f"no test notices, in {m.path}, {m.function}:\n{m.change}" for m in open_),
        *(f"no survivor needs, of {e.path}, {e.function}:\n{e.change}" for e in stale),
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the modules named, or all; 1 where something is unexplained or stale."""
    table = modules()
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(table))
    names = parser.parse_args(arguments).names or list(table)
    known = explanations()
    wrong = 0
    for name in names:
        if name not in table:
            parser.error(f"{name} is no module of modules.toml")
        score, found = examined(table[name], known)
        renew(score, [row.path for row in table.values()])
        wrong += len(found)
        print(f"{name}: {score.killed} of {score.mutants} killed, {score.equivalent} equivalent")
        print("\n".join(found), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

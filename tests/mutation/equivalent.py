"""The mutants that no test can tell from the module, each with the reason: `equivalent.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

FILE = Path(__file__).with_name("equivalent.toml")


class Place(Protocol):
    """What tells one mutant from another: where it is, and which lines change into which."""

    @property
    def path(self) -> str: ...

    @property
    def function(self) -> str: ...

    @property
    def change(self) -> str: ...


class Explanation(NamedTuple):
    """A mutant, and why it computes the same."""

    path: str
    function: str
    change: str
    why: str


def explanations() -> list[Explanation]:
    """Everything in `equivalent.toml`."""
    return [Explanation(**row) for row in tomllib.loads(FILE.read_text()).get("equivalent", [])]


def key(place: Place) -> tuple[str, str, str]:
    """What an explanation and its mutant have in common; how far lines are indented is left out."""
    lines = (f"{line[:1]}{line[1:].strip()}" for line in place.change.strip().splitlines())
    return place.path, place.function, "\n".join(lines)


def unexplained(left: Sequence[Place], known: Sequence[Explanation]) -> list[Place]:
    """The survivors without an explanation."""
    explained = {key(entry) for entry in known}
    return [mutant for mutant in left if key(mutant) not in explained]


def unused(left: Sequence[Place], known: Sequence[Explanation]) -> list[Explanation]:
    """The explanations without a survivor."""
    there = {key(mutant) for mutant in left}
    return [entry for entry in known if key(entry) not in there]


def gone(entry: Explanation, source: str) -> bool:
    """Whether a line that an explanation is about is no longer in its module."""
    there = {line.strip() for line in source.splitlines()}
    lines = entry.change.strip().splitlines()
    return any(line[1:].strip() not in there for line in lines if line.startswith("-"))

"""Misconceptions by name: what is believed, what is so, and how one is recognised."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Misconception(NamedTuple):
    """`deviations` of the catalogue show it, or an exception whose text `raises` matches."""

    name: str
    text: str
    deviations: tuple[str, ...] = ()
    raises: str = ""


@cache
def misconceptions() -> tuple[Misconception, ...]:
    """Every misconception that has a name.

    >>> misconceptions()[0].name
    'the flip'
    """
    path = files("convspec.learn").joinpath("misconceptions.toml")
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["misconception"]
    return tuple(
        Misconception(
            row["name"],
            row["text"].strip(),
            tuple(row.get("deviations", ())),
            row.get("raises", ""),
        )
        for row in rows
    )


def called(name: str) -> Misconception:
    """The misconception of a name.

    >>> called("the flip").deviations[0]
    'kernel flipped'
    """
    return next(known for known in misconceptions() if known.name == name)


def of_deviations(names: Iterable[str]) -> tuple[str, Misconception] | None:
    """The first of several deviations that is a misconception, and which.

    >>> of_deviations(["kernel flipped"])[1].name
    'the flip'
    """
    for name in names:
        for known in misconceptions():
            if name in known.deviations:
                return name, known
    return None


def of_exception(message: str) -> Misconception | None:
    """The misconception that an exception tells of.

    >>> of_exception("TypeError: 'float' object cannot be interpreted as an integer").name
    'forgetting floor'
    """
    known = (m for m in misconceptions() if m.raises and re.search(m.raises, message))
    return next(known, None)

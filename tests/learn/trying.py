"""A learner's file tried in this process, as `convspec learn` tries it in another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy

from convspec.cli import lesson
from convspec.learn.step import ladder
from convspec.learn.walk import walk

FILES = Path(__file__).parent / "files"


def happened(path: Path, begin: str | None = None) -> list[dict[str, Any]]:
    """The events of trying a file."""
    found: list[dict[str, Any]] = []
    names = list(ladder())
    with numpy.errstate(all="ignore"):
        walk(
            lambda **event: found.append(event), str(path), names[names.index(begin or names[0]) :]
        )
    return [event for event in found if event and "call" not in event]


def tried(path: Path, begin: str | None = None) -> dict[str, Any]:
    """What the last step that was tried came to, with its name under `step`."""
    return {name: value for event in happened(path, begin) for name, value in event.items()}


def read(path: Path, hints: int = 0) -> tuple[str, int]:
    """What a learner reads who asks for some hints, and the exit status."""
    told = [*lesson.told(happened(path), list(ladder()), hints, str(path))]
    return "\n".join(line for line, _ in told), max(code for _, code in told)

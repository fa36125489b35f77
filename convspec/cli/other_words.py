"""A call in the words of each framework, and where implementations disagree about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def in_other_words(case: Any) -> Iterator[str]:
    """The lines that `convspec explain` ends with; none where no framework has the operation."""
    from convspec.adapters.disagreements import disagreements
    from convspec.adapters.words import words

    said = words(case)
    if said:
        yield "\nIn other words:"
        width = max(map(len, said))
        yield from (f"  {framework:{width}}  {call}" for framework, call in said.items())
    differing = disagreements(case)
    if differing:
        yield "\nWhere implementations disagree, in float32 as measured:"
    for convention, values in differing.items():
        told = "; ".join(f"{value} ({', '.join(who)})" for value, who in values.items())
        yield f"  {convention}: {told}"

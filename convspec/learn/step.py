"""A step of the ladder as data: what is asked for, in words, and the calls it is tried on."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Scope(NamedTuple):
    """The values that each size and attribute of a step's calls may take; every axis its own.

    `inputs` and `outputs` are channels of one group; `values` says how numbers are drawn.
    """

    rank: tuple[int, ...] = (1,)
    batch: tuple[int, ...] = (1,)
    groups: tuple[int, ...] = (1,)
    inputs: tuple[int, ...] = (1,)
    outputs: tuple[int, ...] = (1,)
    size: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    kernel: tuple[int, ...] = (1, 2, 3)
    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    output_padding: tuple[int, ...] = (0,)
    ceil_mode: tuple[bool, ...] = (False,)
    count_include_pad: tuple[bool, ...] = (False,)
    bias: tuple[bool, ...] = (False,)
    values: str = "integers"


class Step(NamedTuple):
    """One exercise: `function` is what the learner writes, `signature` how its first line reads.

    `kind` is `operation` for one of the spec's, `function` for a function of integers, `property`
    for a law.  `only` names the operand whose gradient alone is judged, where not every one is.
    """

    name: str
    title: str
    function: str
    signature: str
    task: str
    formula: str
    hints: tuple[str, ...]
    scope: Scope
    kind: str = "operation"
    only: str = ""


@cache
def ladder() -> dict[str, Step]:
    """Every step by its name, in the order of the ladder.

    >>> next(iter(ladder()))
    'valid'
    """
    text = files("convspec.learn").joinpath("ladder.toml").read_text(encoding="utf-8")
    return {row["name"]: _step(row) for row in tomllib.loads(text)["step"]}


def _step(row: dict[str, Any]) -> Step:
    scope = {name: _choices(values) for name, values in row.get("scope", {}).items()}
    told = {name: row[name].strip() for name in ("task", "formula")}
    return Step(**{**row, **told, "hints": tuple(row["hints"]), "scope": Scope(**scope)})


def _choices(values: Any) -> Any:
    """Lists of TOML as tuples, pairs inside them too."""
    return tuple(map(_choices, values)) if isinstance(values, list) else values

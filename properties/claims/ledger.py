"""The ledger as data: `claims()` reads it, `faults()` says where statements and proofs disagree."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any, NamedTuple

# What each verdict has to show, and what it may show besides.
PARTS = {
    "holds": (("statement",), ()),
    "holds-if": (("condition", "without"), ()),
    "refuted": (("counterexample", "correction"), ()),
    "imprecise": (("figure",), ()),
    "empirical": ((), ("arithmetic",)),
}
# The parts that a single example decides.
BY_EXAMPLE = ("without", "counterexample", "figure", "arithmetic")
# The sentence that a verdict owes its reader.
OWES = {"holds-if": "condition", "refuted": "correction", "imprecise": "figure"}


class Claim(NamedTuple):
    """A statement of a source, its verdict, and the tests that decide it, by what they show.

    `explanation` is the condition of what holds only under one, the corrected statement of what
    is refuted, the true figure of what is imprecise, and empty otherwise.
    """

    id: str
    source: str
    section: str
    statement: str
    formula: str
    verdict: str
    explanation: str
    proofs: dict[str, tuple[str, ...]]


@cache
def claims() -> dict[str, Claim]:
    """Every claim by its id, in the order of the sources.

    Raises `ValueError` where an entry is malformed.

    >>> claims()["convolution-commutes"].verdict
    'holds-if'
    """
    text = (files(__package__) / "claims.toml").read_text(encoding="utf-8")
    found: dict[str, Claim] = {}
    for row in tomllib.loads(text)["claim"]:
        claim = _claim(dict(row))
        if claim.id in found:
            raise ValueError(f"claim {claim.id!r} is there twice")
        found[claim.id] = claim
    return found


def _claim(row: dict[str, Any]) -> Claim:
    where = f"claim {row.get('id')!r}"
    verdict = row.get("verdict", "")
    if verdict not in PARTS:
        raise ValueError(f"{where}: verdict {verdict!r}: must be one of {', '.join(PARTS)}")
    owed = OWES.get(verdict)
    due = {"id", "source", "section", "statement", "formula", "verdict", "proofs"} | (
        {owed} if owed else set()
    )
    if row.keys() != due:
        raise ValueError(f"{where}: {', '.join(sorted(row.keys() ^ due))}: missing or superfluous")
    needed, allowed = PARTS[verdict]
    if not set(needed) <= row["proofs"].keys() <= {*needed, *allowed}:
        raise ValueError(f"{where}: a claim that {verdict} proves {', '.join(needed) or 'nothing'}")
    proofs = {part: tuple(tests) for part, tests in row.pop("proofs").items()}
    if not all(proofs.values()):
        raise ValueError(f"{where}: a part without a test")
    explanation = row.pop(owed) if owed else ""
    return Claim(**row, explanation=explanation, proofs=proofs)


def test_of(reference: str) -> Callable[..., None]:
    """The test function that `theme/test_file.py::test_name` stands for.

    Raises `ValueError` where there is none.
    """
    place, separator, name = reference.partition("::")
    package = __package__.rpartition(".")[0]
    module = place.removesuffix(".py").replace("/", ".")
    try:
        test: Callable[..., None] = getattr(import_module(f"{package}.{module}"), name)
    except (ImportError, AttributeError):
        raise ValueError(f"{reference}: there is no such test") from None
    if not (separator and name.startswith("test_") and callable(test)):
        raise ValueError(f"{reference}: there is no such test")
    return test


test_of.__test__ = False  # type: ignore[attr-defined]


def is_proved(claim: Claim) -> bool:
    """Whether every part of a claim that speaks of all values is decided for all of them by one of
    its tests; otherwise the claim is checked.  That something fails, one example decides.
    """
    general = [tests for part, tests in claim.proofs.items() if part not in BY_EXAMPLE]
    return bool(general) and all(
        any(getattr(test_of(test), "proved", False) for test in tests) for tests in general
    )


def own_proofs() -> Iterator[str]:
    """Every test of this package, as a reference."""
    for module in iter_modules(import_module(__package__).__path__):
        if module.name.startswith("test_") and module.name != "test_ledger":
            loaded = import_module(f"{__package__}.{module.name}")
            for name in vars(loaded):
                if name.startswith("test_"):
                    yield f"claims/{module.name}.py::{name}"


def faults() -> list[str]:
    """What is wrong: a test that is not there, a test that serves two parts of one claim, a proof
    that no claim names.
    """
    found, named = [], set()
    for claim in claims().values():
        tests = [reference for part in claim.proofs.values() for reference in part]
        named.update(tests)
        for reference in dict.fromkeys(tests):
            if tests.count(reference) > 1:
                found.append(f"{claim.id}: {reference} serves two parts")
            try:
                test_of(reference)
            except ValueError as error:
                found.append(f"{claim.id}: {error}")
    return found + [f"{test}: no claim names it" for test in own_proofs() if test not in named]

"""`convspec claims [ID]`: what the source documents state, with verdicts and proofs."""

from __future__ import annotations

from importlib import import_module
from inspect import getsource
from textwrap import indent
from typing import Any

import click
import numpy

from convspec.cli.refusal import no_such

LEDGER = "convspec.properties.claims.ledger"
SHOWN = "convspec.properties.claims.shown"
WIDTH = 130

# How each part of a proof is introduced.
PARTS = {
    "statement": "What proves it",
    "condition": "Under the condition",
    "without": "Without it",
    "counterexample": "The counterexample",
    "correction": "What is right",
    "figure": "The true figure",
    "arithmetic": "The arithmetic inside it",
}
VERDICTS = {
    "holds": "holds",
    "holds-if": "holds if",
    "refuted": "refuted; what is right",
    "imprecise": "imprecise; in truth",
    "empirical": "empirical: the result of a training run, not judged",
}


@click.command("claims")
@click.argument("id", required=False)
def command(id: str | None) -> None:  # noqa: A002 - the name that the usage line shows
    """List the claims; with ID, show one with its proofs and the commands that rerun them."""
    ledger = import_module(LEDGER)
    claims = ledger.claims()
    if id is None:
        _list(ledger, claims)
    elif id in claims:
        _show(ledger, claims[id])
    else:
        raise no_such("claim", id, claims, "convspec claims")


def _list(ledger: Any, claims: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("claim", "verdict", "", "statement"):
        table.add_column(heading, overflow="fold")
    for claim in claims.values():
        table.add_row(claim.id, claim.verdict, _strength(ledger, claim), claim.statement)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(width=WIDTH, highlight=False, markup=False)
    console.print(table)


def _strength(ledger: Any, claim: Any) -> str:
    if claim.verdict == "empirical":
        return ""
    return "proved" if ledger.is_proved(claim) else "checked"


def _show(ledger: Any, claim: Any) -> None:
    strength = _strength(ledger, claim)
    verdict = VERDICTS[claim.verdict] + (f" {claim.explanation}" if claim.explanation else "")
    click.echo(f"{claim.statement}\n  {claim.source}, {claim.section}")
    if claim.formula:
        click.echo(f"  {claim.formula}")
    click.echo(f"\nVerdict: {verdict}" + (f" ({strength})" if strength else ""))
    for part, tests in claim.proofs.items():
        click.echo(f"\n{PARTS[part]}:")
        for reference in tests:
            test = ledger.test_of(reference)
            click.echo("\n" + indent(getsource(test).rstrip(), "    "))
            click.echo(f"\n  pytest --pyargs {_address(reference)}")
        for line in _picture(ledger, tests):
            click.echo(line)


def _picture(ledger: Any, tests: tuple[str, ...]) -> list[str]:
    """The smallest case that the tests of a part are about, drawn; nothing where there is none."""
    from convspec.draw.geometry import geometry
    from convspec.draw.picture import call_text
    from convspec.draw.reading import reading
    from convspec.operations import OPERATIONS

    smallest_case = import_module(SHOWN).smallest_case
    found = [smallest_case(ledger.test_of(test)) for test in tests]
    cases = [case for case in found if case is not None]
    if not cases:
        return []
    case = min(cases, key=lambda case: sum(map(numpy.size, case.operands.values())))
    output = OPERATIONS[case.operation].definition(*case.operands.values(), **case.attributes)
    first = output[0] if isinstance(output, tuple) else output
    drawn = [f"The smallest case: {call_text(case)}", "", *geometry(case)]
    drawn += reading(case, (0,) * first.ndim)
    return [
        "",
        *(f"  {line}".rstrip() for line in [*drawn, "", f"gives {first.tolist()}"]),
    ]


def _address(reference: str) -> str:
    """What pytest calls a test of the installed package.

    >>> _address("claims/test_sizes.py::test_relationship_1")
    'convspec.properties.claims.test_sizes::test_relationship_1'
    """
    place, _, name = reference.partition("::")
    return f"convspec.properties.{place.removesuffix('.py').replace('/', '.')}::{name}"

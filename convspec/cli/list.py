"""`convspec list`: the operations, the targets and the deviations there are."""

from __future__ import annotations

import click


@click.command("list")
@click.argument("what", type=click.Choice(["operations", "targets", "deviations"]), required=False)
def command(what: str | None) -> None:
    """List what there is, or only the operations, targets or deviations."""
    sections = {"operations": _operations, "targets": _targets, "deviations": _deviations}
    for name in [what] if what else sections:
        if not what:
            click.echo(f"{name}:")
        for line in sections[name]():
            click.echo(line if what else f"  {line}")


def _operations() -> list[str]:
    from convspec.operations import OPERATIONS

    return [name for row in OPERATIONS for name in (row, f"{row}_vjp")]


def _targets() -> list[str]:
    """The bundled targets and the installed ones, with what is missing."""
    from importlib.util import find_spec

    from convspec.oracle.target import BUNDLED, installed_targets

    missing = {
        name: f"  (not installed: {bundled.install})"
        for name, bundled in BUNDLED.items()
        if any(find_spec(package) is None for package in bundled.needs)
    }
    return [f"{name}{missing.get(name, '')}" for name in [*BUNDLED, *installed_targets()]]


def _deviations() -> list[str]:
    from convspec.oracle.deviations import DEVIATIONS

    return [f"{name} ({d.kind}): {d.sentence}" for name, d in DEVIATIONS.items()]

"""`convspec vectors DIR`: recorded vectors, for implementations that never meet convspec."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import click

from convspec.cli.check import operation_names

RIGHT, DIFFERS, UNUSABLE, CRASHED = 0, 1, 2, 3
SHOWN = 5
# What `exhaustive` goes through is too much to be recorded.
RECORDED = ("quick", "standard")
NAMED = 12


@click.command("vectors")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--operation",
    "operations",
    multiple=True,
    metavar="NAME",
    callback=operation_names,
    help="Only this operation; may be repeated.",
)
@click.option("--level", type=click.Choice(RECORDED), default="quick", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["safetensors", "onnx"]),
    default="safetensors",
    show_default=True,
    help="One safetensors file an operation and index.json, or the layout of ONNX backend tests.",
)
def command(directory: Path, form: str, level: str, seed: int, operations: Any) -> NoReturn:
    """Record vectors in DIRECTORY, which must be absent or empty.

    They are the same, byte for byte, whenever level and seed are. `convspec replay DIRECTORY
    TARGET` calls an implementation on them.
    """
    from convspec.oracle.check import checkable_operations
    from convspec.oracle.recorded.directories import write_directory
    from convspec.oracle.recorded.vector_files import vector_files

    names = operations or checkable_operations()
    if form == "onnx":
        names, produced = _onnx(names, level, seed)
    else:
        produced = vector_files(names, level, seed)
    try:
        count, size = write_directory(directory, produced)
    except OSError as error:
        click.echo(f"convspec: {directory}: {error.strerror or error}", err=True)
        sys.exit(UNUSABLE)
    told = ", ".join(names) if len(names) <= NAMED else f"{len(names)} operations"
    click.echo(f"{directory}: {count} files, {size / 1e6:.2f} MB: {told}")
    sys.exit(RIGHT)


def _onnx(names: Iterable[str], level: str, seed: int) -> tuple[list[str], Any]:
    """The operations that ONNX has, and their files."""
    try:
        from convspec.adapters.onnx_vectors import EXPRESSIBLE, onnx_files
    except ModuleNotFoundError as error:
        raise click.UsageError(
            f"--format onnx needs {error.name}: pip install 'convspec[onnx]'"
        ) from None
    known = [name for name in names if name in EXPRESSIBLE]
    if not known:
        raise click.UsageError(f"--format onnx has {', '.join(EXPRESSIBLE)} only")
    return known, onnx_files(known, level, seed)


def replayed(directory: Path, target: str) -> int:
    """Call a target on recorded vectors and say what came of it; the process's exit code."""
    from convspec.oracle.processes.calling import CallEndedError, apart
    from convspec.oracle.recorded.vector_check import tally
    from convspec.oracle.recorded.vector_files import read_vectors
    from convspec.oracle.target import load

    implementation = load(target)
    alone = bool(getattr(implementation, "isolate", False))
    codes = set()
    for operation, cases in read_vectors(directory):
        if not callable(getattr(implementation, operation, None)):
            continue
        try:
            if alone:
                found = apart(_tally_of, target, cases, seconds=60.0 * len(cases))
            else:
                found = tally(implementation, cases)
        except CallEndedError as error:
            click.echo(f"{operation}: {error}")
            codes.add(CRASHED)
            continue
        codes.add(_said(operation, found))
    if not codes - {UNUSABLE}:
        click.echo("convspec: nothing in it is offered, so nothing was judged", err=True)
    return next((code for code in (DIFFERS, CRASHED, RIGHT) if code in codes), UNUSABLE)


def _tally_of(target: str, cases: Any) -> Any:
    from convspec.oracle.recorded.vector_check import tally
    from convspec.oracle.target import load

    return tally(load(target), cases)


def _said(operation: str, found: Any) -> int:
    unsupported = f", {found.unsupported} not offered" if found.unsupported else ""
    click.echo(f"{operation}: {found.right} right, {len(found.wrong)} wrong{unsupported}")
    for name, story in found.wrong[:SHOWN]:
        click.echo(f"  {name}: {' '.join(story.split())}")
    if len(found.wrong) > SHOWN:
        click.echo(f"  and {len(found.wrong) - SHOWN} more")
    if found.wrong:
        return DIFFERS
    return RIGHT if found.right else UNUSABLE

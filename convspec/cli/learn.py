"""`convspec learn FILE`: the exercises, one after the other, up to the first that breaks."""

from __future__ import annotations

import sys
from pathlib import Path
from time import sleep

import click

from convspec.cli.refusal import Refused, no_such

LOOK_SECONDS = 0.3
WIDTH = 80


@click.command("learn")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--new", is_flag=True, help="Write FILE, to start from; one that is there stays.")
@click.option("--hint", count=True, help="Show a hint for the step; repeat it for the next one.")
@click.option("--from", "begin", metavar="STEP", help="Begin at this step.")
@click.option("--watch", is_flag=True, help="Try FILE again whenever it is saved.")
def command(file: Path | None, new: bool, hint: int, begin: str | None, watch: bool) -> None:  # noqa: FBT001 - click passes them by name
    """Try the exercises on FILE in order, and tell the first thing that breaks.

    Without FILE, list the steps. FILE defines functions such as `conv`; --new writes one to start
    from. Exits with 0 when every step is right, 1 when one is left, 2 when FILE cannot be read.
    """
    from convspec.learn.step import ladder

    if begin is not None and begin not in ladder():
        raise no_such("step", begin, ladder(), "convspec learn")
    if file is None:
        if new or watch or hint:
            raise click.UsageError("Missing argument 'FILE'.")
        _list()
        return
    if new:
        _write_new(file)
        return
    if not file.is_file():
        raise Refused(f"{file}: no such file; `convspec learn {file} --new` writes one")
    names = list(ladder())
    names = names[names.index(begin or names[0]) :]
    arguments = f"{file} --from {begin}" if begin else str(file)
    stamp, status = _stamp(file), _tried(file, names, hint, arguments)
    while watch and status:
        while _stamp(file) in (stamp, None):
            sleep(LOOK_SECONDS)
        click.echo(f"\n{'-' * WIDTH}\n")
        stamp, status = _stamp(file), _tried(file, names, hint, arguments)
    sys.exit(status)


def _list() -> None:
    from convspec.learn.step import ladder

    width = max(map(len, ladder()))
    for step in ladder().values():
        click.echo(f"{step.name:{width}}  {step.title}")


def _write_new(file: Path) -> None:
    from convspec.cli.files import write
    from convspec.learn.start import START

    if file.suffix != ".py":
        raise Refused(f"{file}: the name of a Python file must end in .py")
    if file.exists():
        raise Refused(f"{file} is there already, and stays as it is")
    try:
        write(file, START)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror or error}") from error
    click.echo(f"{file} is written: open it in an editor, and try it by\n  convspec learn {file}")


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when a file is saved; None while an editor replaces it."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _tried(file: Path, names: list[str], hint: int, arguments: str) -> int:
    """Try the steps and tell what comes of it; the exit status."""
    from convspec.cli.lesson import told
    from convspec.learn.apart import events

    status = 0
    for line, code in told(events(file, names), names, hint, arguments):
        click.echo(line)
        status = max(status, code)
    return status

"""`convspec check TARGET`: compare an implementation with the spec."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import click

CONFORMS, DIFFERS, NOT_JUDGED, CRASHED, INTERRUPTED = 0, 1, 2, 3, 130
LEVELS = ("quick", "standard", "exhaustive")
DTYPES = ("float64", "float32", "float16", "bfloat16")


def _conventions(
    _: click.Context, __: click.Parameter, given: tuple[str, ...]
) -> dict[str, str] | None:
    """`NAME=VALUE …` as a dictionary, every name and value being one that the oracle knows."""
    from convspec.oracle.steps.variants import known_conventions

    chosen = {}
    for text in given:
        name, _sign, value = text.partition("=")
        known = known_conventions()
        if name not in known:
            raise click.BadParameter(
                f"{text!r}: must be NAME=VALUE, with NAME one of {', '.join(known)}"
            )
        if value not in known[name]:
            raise click.BadParameter(f"{text!r}: {name} must be one of {', '.join(known[name])}")
        chosen[name] = value
    return chosen or None


def _known_rows(_: click.Context, __: click.Parameter, path: Path | None) -> Any:
    """The rows of a file of known differences."""
    from convspec.oracle.known import read

    try:
        return read(path) if path else ()
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _accuracy(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """An accuracy class that the oracle tells apart."""
    from convspec.rounding import ACCURACIES

    if name is not None and name not in ACCURACIES:
        raise click.BadParameter(f"{name!r}: must be one of {', '.join(ACCURACIES)}")
    return name


def _workers(_: click.Context, __: click.Parameter, given: str) -> int | str:
    """A number of processes, or the address of a scheduler."""
    if "://" in given:
        if find_spec("distributed") is None:
            raise click.BadParameter(f"{given}: needs Dask: pip install 'convspec[dask]'")
        return given
    if not given.isdecimal() or int(given) < 1:
        raise click.BadParameter(
            f"{given!r}: must be a number from 1 on, or an address such as tcp://host:8786"
        )
    return int(given)


REPORTS = (".json", ".xml", ".html")


def _report_files(
    _: click.Context, __: click.Parameter, paths: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Paths that reports can be written to: found out before the check, not after it."""
    for path in paths:
        if path.suffix not in REPORTS:
            raise click.BadParameter(f"{path}: must end in {', '.join(REPORTS)}")
        directory = path.resolve().parent
        if not directory.is_dir():
            raise click.BadParameter(f"{path}: there is no directory {directory}")
        if not os.access(directory, os.W_OK):
            raise click.BadParameter(f"{path}: nothing can be written to {directory}")
    return paths


def _listed(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> list[str] | None:
    """What was given, or None, which stands for everything."""
    return list(given) or None


def operation_names(
    _: click.Context, __: click.Parameter, given: tuple[str, ...]
) -> list[str] | None:
    """Names of operations that the oracle judges; None, for all, where none is given."""
    from convspec.oracle.check import checkable_operations

    known = checkable_operations()
    for name in given:
        if name not in known:
            raise click.BadParameter(f"{name!r}: must be one of {', '.join(known)}")
    return list(given) or None


@click.command("check")
@click.argument("target")
@click.option(
    "--operation",
    "operations",
    multiple=True,
    metavar="NAME",
    callback=operation_names,
    help="Only this operation; may be repeated.",
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    type=click.Choice(DTYPES),
    callback=_listed,
    metavar="NAME",
    help=f"Only this dtype ({', '.join(DTYPES)}); may be repeated.",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="standard",
    show_default=True,
    help="How much of the small scope to cover.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Where random data start.")
@click.option(
    "--workers",
    default="1",
    show_default=True,
    metavar="N|ADDRESS",
    callback=_workers,
    help="How many processes share the work, or the address of a Dask scheduler whose workers do.",
)
@click.option(
    "--convention",
    "conventions",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_conventions,
    help="Judge under another convention than the spec's; may be repeated.",
)
@click.option(
    "--known",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_known_rows,
    help="A TOML file of differences that are known and do not count.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="A known difference that was not seen fails.",
)
@click.option(
    "--require-accuracy",
    metavar="CLASS",
    callback=_accuracy,
    help="Coarser arithmetic than this is a difference.",
)
@click.option(
    "--isolate/--no-isolate",
    default=None,
    help="Run TARGET in a process of its own, where a crash costs one case; native packages are.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where a check with the same options was killed.",
)
@click.option(
    "--report",
    "report_files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_report_files,
    help="Write the report to this file, .json, .xml (JUnit) or .html; may be repeated.",
)
def command(
    target: str,
    report_files: tuple[Path, ...],
    known: Any,
    workers: int | str,
    *,
    strict: bool,
    **options: Any,
) -> NoReturn:
    """Compare TARGET with the spec.

    TARGET is fast, numpy, scipy, ndimage or torch, a package.module or path/to/file.py, each
    optionally followed by :object, a name that an installed package offers, or exec:COMMAND for
    a program in any language.

    Exits with 0 when everything offered conforms, 1 on a difference (with --strict also where a
    known one was not seen), 2 when TARGET cannot be loaded or nothing could be judged, 3 when the
    implementation crashed or hung.
    """
    from convspec.oracle import check
    from convspec.oracle.known import stale, with_known
    from convspec.oracle.target import ArgumentError, TargetError, load

    # The target may change the directory, close the output, and leave threads running.
    directory = Path.cwd()
    restored, before = _output(), set(threading.enumerate())
    try:
        implementation = load(target)
        with _progress() as progress, _sharing(workers) as sharing:
            found = check(implementation, progress=progress, **sharing, **options)
            report = with_known(found, known)
        restored()
        code = exit_code(report) if _show(report, report_files, directory) else NOT_JUDGED
        sys.stdout.flush()
    except KeyboardInterrupt:
        _leave(INTERRUPTED, before)
    except (ArgumentError, TargetError) as error:
        click.echo(f"convspec: {error}", err=True)
        _leave(NOT_JUDGED, before)
    except BrokenPipeError:  # nobody reads any longer
        raise
    except Exception:  # whatever it was, it must not pass for a difference
        traceback.print_exc()
        click.echo("convspec: the check itself failed, so nothing was judged", err=True)
        _leave(NOT_JUDGED, before)
    unseen = strict and stale(report, known)
    _leave(DIFFERS if unseen and code != NOT_JUDGED else code, before)


def _output() -> Callable[[], None]:
    """What restores the output of this process as it is now."""
    stream = sys.stdout
    try:
        number = os.dup(1)
    except OSError:  # there is none
        return lambda: None

    def restored() -> None:
        sys.stdout = stream
        os.dup2(number, 1)
        os.close(number)

    return restored


def _leave(code: int, before: set[threading.Thread]) -> NoReturn:
    """End the process without waiting for threads that the target has left running."""
    left = [thread for thread in threading.enumerate() if thread not in before]
    if any(not thread.daemon for thread in left):
        click.echo("convspec: the target has left threads running", err=True)
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def _sharing(workers: int | str) -> Iterator[dict[str, Any]]:
    """How `check` is told who shares the work."""
    if isinstance(workers, int):
        yield {"workers": workers}
        return
    from distributed import Client

    from convspec.oracle.target import ArgumentError

    try:
        client = Client(workers, timeout=10)
    except (OSError, ValueError) as error:
        raise ArgumentError(f"--workers {workers}: {error}") from None
    with client:
        yield {"executor": client.get_executor()}


def exit_code(report: Any) -> int:
    """What the process ends with: a difference outweighs a crash, and a crash what conforms.

    >>> from types import SimpleNamespace as Record
    >>> exit_code(Record(status="conforms", operations={"conv": Record(status="crashed")}))
    3
    """
    statuses = {report.status, *(operation.status for operation in report.operations.values())}
    codes = {"differs": DIFFERS, "crashed": CRASHED, "conforms": CONFORMS}
    return next((code for status, code in codes.items() if status in statuses), NOT_JUDGED)


def _show(report: Any, report_files: tuple[Path, ...], directory: Path) -> bool:
    """Write the report to the files, show it, and say whether every file could be written."""
    from rich.console import Console

    from convspec.cli.files import write
    from convspec.cli.terminal import show

    written = True
    for path in report_files:
        try:
            write(directory / path, _as_text(report, path.suffix))
        except OSError as error:
            click.echo(f"convspec: {path} cannot be written: {error}", err=True)
            written = False
    show(report, Console(highlight=False))
    return written


def _as_text(report: Any, suffix: str) -> str:
    """A report in the format that a file's name asks for."""
    from convspec.cli.junit import junit
    from convspec.cli.page import page

    if suffix == ".xml":
        return junit(report)
    return page(report) if suffix == ".html" else str(report.to_json())


@contextmanager
def _progress() -> Iterator[Callable[[str, str, int, int], None] | None]:
    """A progress bar on standard error, where somebody is watching it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def progress(operation: str, step: str, done: int, total: int) -> None:
            bar.update(task, description=f"{operation}: {step}", completed=done, total=total)

        yield progress

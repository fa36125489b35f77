"""`convspec replay PATH [TARGET]`: stored differences, or recorded vectors, once more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

RIGHT, DIFFERS, UNUSABLE, CRASHED = 0, 1, 2, 3
SECONDS = 60.0


@click.command("replay")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("target", required=False)
@click.option("--difference", "wanted", metavar="ID", help="Only the difference of this id.")
def command(path: Path, target: str | None, wanted: str | None) -> NoReturn:
    """Show the arithmetic of the first wrong element of every difference in PATH, a report that
    `check --report FILE.json` wrote; with TARGET, call that on the same arguments again.

    Where PATH is a directory that `vectors` wrote, call TARGET (by default, the spec) on every
    vector in it.

    Nothing that PATH names is run: only TARGET, as you name it.

    Exits with 0 when TARGET, if there is one, now returns what is expected, 1 where it does not,
    2 when PATH or TARGET cannot be used, 3 when TARGET crashed or hung.
    """
    from convspec.cli.vectors import replayed
    from convspec.oracle.recorded.stored import StoredError
    from convspec.oracle.target import TargetError

    try:
        if path.is_dir() and wanted is None:
            sys.exit(replayed(path, target or "spec"))
        sys.exit(_report(path, target, wanted))
    except (StoredError, TargetError) as error:
        _refuse(str(error))


def _report(path: Path, target: str | None, wanted: str | None) -> int:
    """Replay the differences of a report; what the process should end with."""
    from convspec.oracle.recorded.stored import StoredError, read_report
    from convspec.oracle.target import load

    name, differences = read_report(path)
    implementation = load(target) if target else None
    chosen = [d for d in differences if wanted in (None, d.id)]
    if wanted and not chosen:
        ids = ", ".join(d.id for d in differences) or "none"
        raise StoredError(f"{path}: --difference {wanted}: must be one of {ids}")
    if not chosen:
        click.echo(f"{path}: the report of {_printable(name)} holds no differences")
    codes = [_replayed(difference, implementation, target) for difference in chosen]
    return next((code for code in (DIFFERS, CRASHED, UNUSABLE) if code in codes), RIGHT)


def _refuse(message: str) -> NoReturn:
    click.echo(f"convspec: {_printable(message)}", err=True)
    sys.exit(UNUSABLE)


def _printable(text: str) -> str:
    """Text without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def _replayed(difference: Any, implementation: Any, target: str | None) -> int:
    """Show one difference; what the process should end with on its account."""
    from convspec.cli.words import KINDS

    actual, code = difference.actual, RIGHT
    heading = f"{difference.id}: {KINDS.get(difference.kind, difference.kind)}"
    click.echo(click.style(_printable(heading), bold=True))
    click.echo(_printable(difference.message))
    if target is not None:
        actual, code = _called(difference, implementation, target)
    click.echo()
    for line in _shown(difference, actual):
        click.echo(_printable(line))
    if target is not None:
        verdicts = {
            RIGHT: "returns what is expected",
            DIFFERS: "differs",
            UNUSABLE: "does not offer this call",
            CRASHED: "did not come back",
        }
        click.echo(f"\nNow {_printable(target)} {verdicts[code]}.")
    click.echo()
    return code


def _shown(difference: Any, actual: Any) -> list[str]:
    """The picture of a case, and the terms of its first wrong element."""
    from convspec.draw.picture import first_wrong, several
    from convspec.draw.terms import terms
    from convspec.draw.text import draw

    case, expected = difference.case, difference.expected
    lines = [draw(case, expected, actual)]
    outputs, results = several(expected), several(actual)
    wrong = first_wrong(outputs, results)
    if wrong is None or isinstance(outputs, str) or isinstance(results, str):
        return lines
    index = ", ".join(map(str, wrong.element))
    where = f"output {wrong.output}, " if len(outputs) > 1 else ""
    lines += ["", f"How the spec computes {where}element [{index}]:"]
    try:
        lines += terms(case, wrong.output, wrong.element)
    except (TypeError, ValueError) as error:  # the case was bad in a way that was no difference
        return [*lines, f"  it refuses the case: {error}"]
    due, found = outputs[wrong.output][wrong.element], results[wrong.output][wrong.element]
    return [*lines, f"  expected {due}, returned {found}"]


def _called(difference: Any, implementation: Any, target: str) -> tuple[Any, int]:
    """What the target returns now, and whether that is what is expected."""
    from convspec.oracle.call import Failed, Returned
    from convspec.oracle.explanation.again import IN_SEVERAL_CALLS
    from convspec.oracle.processes.calling import CallEndedError, called, called_apart

    isolated = bool(getattr(implementation, "isolate", False))
    isolated = isolated or difference.kind in ("crash", "hang")
    try:
        if difference.kind in IN_SEVERAL_CALLS:
            return _several_calls(difference, implementation, target, isolated=isolated)
        if isolated:
            outcome = called_apart(target, difference.case, SECONDS)
        else:
            outcome = called(implementation, difference.case)
    except CallEndedError as error:
        return str(error), CRASHED
    if isinstance(outcome, Returned):
        return outcome.outputs, _verdict(difference, outcome.outputs)
    if isinstance(outcome, Failed):
        refused = isinstance(difference.expected, str) and outcome.kind == "raises"
        return outcome.message, RIGHT if refused else DIFFERS
    return f"not offered: {outcome.reason}", UNUSABLE


def _several_calls(
    difference: Any, implementation: Any, target: str, *, isolated: bool
) -> tuple[Any, int]:
    """What shows only in several calls, or in the arguments, looked for once more."""
    from convspec.oracle.call import Unsupported
    from convspec.oracle.explanation.again import load_and_show, shown
    from convspec.oracle.processes.calling import apart

    asked = (difference.kind, difference.case, difference.before)
    if isolated:
        found = apart(load_and_show, target, *asked, seconds=SECONDS)
    else:
        found = shown(implementation, *asked)
    if isinstance(found, Unsupported):
        return f"not offered: {found.reason}", UNUSABLE
    if found is None:
        return difference.expected, RIGHT
    return (found.message if found.actual is None else found.actual), DIFFERS


def _verdict(difference: Any, outputs: Any) -> int:
    from convspec.oracle.explanation.replay import agree, rounding_bounds

    if isinstance(difference.expected, str):
        return DIFFERS
    bounds = rounding_bounds(difference.case)
    strict = difference.kind == "dtype"
    return RIGHT if agree(outputs, difference.expected, bounds, dtypes=strict) else DIFFERS

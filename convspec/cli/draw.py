"""`convspec draw OPERATION NAME=VALUE …`: a picture of what an output reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from convspec.cli.calls import SYNTAX, case_of, element_of


@click.command("draw", epilog=SYNTAX)
@click.argument("operation")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--element", metavar="INDEX", help="The output element to draw, such as 0,0,1.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an SVG picture to this file instead of text to the terminal.",
)
@click.option(
    "--animate",
    type=click.Choice(["outputs", "inputs"]),
    help="Let the outputs, or the inputs, take turns in the SVG picture.",
)
@click.option("--matrix", is_flag=True, help="With --animate: also the matrix of the operation.")
def command(
    operation: str,
    words: tuple[str, ...],
    element: str | None,
    output: Path | None,
    animate: str | None,
    *,
    matrix: bool,
) -> None:
    """Draw which elements of its operands an output of OPERATION is computed from.

    \b
    convspec draw conv input=1,1,5,5 weight=1,1,3,3 padding=1 --output conv.svg
    convspec draw conv input=1,1,4,4 weight=1,1,3,3 --animate outputs --output conv.svg
    """
    from convspec.draw.picture import call_text
    from convspec.draw.reading import reading

    if animate and (output is None or element):
        raise click.UsageError("--animate shows every element, and needs --output FILE.svg")
    if matrix and not animate:
        raise click.UsageError("--matrix needs --animate")
    case = case_of(operation, words)
    index = element_of(case, element)
    if output is None:
        lines = reading(case, index)
        if not lines:
            raise click.UsageError(f"{operation}: what an element of it reads is not drawn yet")
        click.echo(call_text(case))
        click.echo("\n".join(lines))
        return
    if output.suffix != ".svg":
        raise click.BadParameter(f"{output}: must end in .svg", param_hint="--output")
    _write(output, _picture(case, index, animate, matrix=matrix))


def _picture(case: Any, index: tuple[int, ...], animate: str | None, *, matrix: bool) -> str:
    from convspec.draw.animation import animation
    from convspec.draw.picture import call_text
    from convspec.draw.reading import reading_slices
    from convspec.draw.svg import svg

    if animate is None:
        shown = ", ".join(map(str, index))
        return svg(reading_slices(case, index), f"[{shown}] of {call_text(case)}")
    try:
        return animation(case, turns=animate, matrix=matrix)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None


def _write(output: Path, picture: str) -> None:
    from convspec.cli.files import write

    try:
        write(output, picture)
    except OSError as error:
        click.echo(f"convspec: {output} cannot be written: {error.strerror or error}", err=True)
        sys.exit(2)

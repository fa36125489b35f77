"""`convspec explain OPERATION NAME=VALUE …`: what a call computes, and from what."""

from __future__ import annotations

import click

from convspec.cli.calls import SYNTAX, case_of, element_of, spatial_words


@click.command("explain", epilog=SYNTAX, context_settings={"ignore_unknown_options": True})
@click.argument("operation")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE | --NAME VALUE]...")
@click.option("--element", metavar="INDEX", help="The output element to explain, such as 0,0,1.")
def command(operation: str, words: tuple[str, ...], element: str | None) -> None:
    """Explain OPERATION at a geometry: sizes, what each output reads, one output in full, and the
    call in the words of each framework, with where they disagree.

    \b
    convspec explain conv input=1,1,5 weight=1,1,3 stride=2 padding=1
    convspec explain max_pool input=1,1,4,4 kernel_size=2 --element 0,0,1,1
    convspec explain conv --input 5x5 --kernel 3x3 --stride 2 --padding 1

    With --input and --kernel, only the sizes of space are given; there is one channel.
    """
    from convspec.cli.other_words import in_other_words
    from convspec.draw.geometry import geometry
    from convspec.draw.picture import call_text
    from convspec.draw.reading import reading
    from convspec.draw.rows import rows
    from convspec.draw.terms import terms
    from convspec.operations import OPERATIONS

    case = case_of(operation, spatial_words(operation, words))
    index = element_of(case, element)
    definition = OPERATIONS[operation].definition
    click.echo(call_text(case))
    click.echo(_formula(definition.__doc__ or ""))
    for line in ("", *geometry(case)):
        click.echo(line)
    shown = ", ".join(map(str, index))
    for line in (*reading(case, index), *rows(case)):
        click.echo(line)
    click.echo(f"\nElement [{shown}], with 1, 2, 3, ... for the elements of each operand:")
    for line in terms(case, 0, index):
        click.echo(line)
    for line in in_other_words(case):
        click.echo(line)


def _formula(docstring: str) -> str:
    """The first sentence of a definition, with the formula that completes it.

    >>> _formula("The sum,\\n\\n    $$ y = a + b $$\\n\\n    of both.")
    'The sum,\\n\\n  $$ y = a + b $$'
    """
    first, *others = (" ".join(part.split()) for part in docstring.strip().split("\n\n"))
    return f"{first}\n\n  {others[0]}" if others and first.endswith(",") else first

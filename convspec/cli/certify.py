"""`convspec certify DIR`: whether each recorded output of a network is that of its input."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from convspec.cli.refusal import Refused

if TYPE_CHECKING:
    from convspec.oracle.certificate.finding import Finding

RIGHT, DIFFERS, UNUSABLE = 0, 1, 2
WORDS = {
    "certified": "certified by projections",
    "recomputed": "computed again",
    "refuted": "wrong",
    "uncertified": "not certified",
}


@click.command("certify")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), help="Draw as in the run that printed this.")
def command(directory: Path, seed: int | None) -> NoReturn:
    """Check the layers recorded in DIRECTORY, each on its own.

    Convolutions and linear layers are checked by random projections, drawn anew in every run;
    other layers are computed again.  Exits with 0 where every layer that could be judged is right,
    1 where one is wrong, 2 where DIRECTORY cannot be used or nothing could be judged.
    """
    from numpy.random import SeedSequence, default_rng

    from convspec.oracle.certificate.layer import certify
    from convspec.oracle.certificate.recording import read_recording
    from convspec.oracle.recorded.stored import StoredError

    drawn = SeedSequence(seed)
    rng = default_rng(drawn)
    counts: Counter[str] = Counter()
    try:
        recorded = read_recording(directory)
        click.echo(f"{recorded.source}; seed {drawn.entropy}")
        for layer in recorded.layers:
            found = certify(layer, rng)
            counts[found.verdict] += 1
            click.echo(told(found))
    except StoredError as error:
        raise Refused(str(error)) from None
    for name in recorded.left_out:
        click.echo(f"{name}: not recorded")
    summary = [f"{counts[verdict]} {word}" for verdict, word in WORDS.items() if counts[verdict]]
    if recorded.left_out:
        summary.append(f"{len(recorded.left_out)} not recorded")
    click.echo(", ".join(summary))
    if counts["refuted"]:
        sys.exit(DIFFERS)
    sys.exit(RIGHT if counts["certified"] or counts["recomputed"] else UNUSABLE)


def told(found: Finding) -> str:
    """A finding in a line.

    >>> from convspec.oracle.certificate.finding import Finding
    >>> told(Finding("fc", "linear", "certified", "within rounding", 0.5, 8.0))
    'fc (linear): certified by projections, within rounding; sees an error of 0.5, largest output 8'
    """
    line = f"{found.name} ({found.operation}): {WORDS[found.verdict]}, {found.story}"
    if found.threshold is None:
        return line
    seen = f"an error of {found.threshold:.3g}" if found.threshold else "every error"
    return f"{line}; sees {seen}, largest output {found.scale:.6g}"

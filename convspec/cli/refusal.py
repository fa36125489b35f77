"""A question without an answer, told in one line and with exit code 2."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import click


class Refused(click.ClickException):
    """What was asked for cannot be shown; the message says why."""

    exit_code = 2


def no_such(kind: str, name: str, known: Iterable[str], listing: str) -> Refused:
    """That no `kind` has a name: the closest names there are, or what lists them all.

    >>> no_such("network", "vgg", ["vgg16", "lenet5"], "convspec summary").message
    "no network is called 'vgg': did you mean vgg16?"
    >>> no_such("network", "x", ["vgg16"], "convspec summary").message
    "no network is called 'x': `convspec summary` lists them"
    """
    close = get_close_matches(name.lower(), list(known), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"`{listing}` lists them"
    return Refused(f"no {kind} is called {name!r}: {hint}")

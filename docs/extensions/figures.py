"""The pictures of the pages: what `convspec draw` draws, its caption, and the command itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from IPython.display import HTML

from convspec.case import Case
from convspec.cli.calls import case_of
from convspec.draw.animation import animation
from convspec.draw.stack import stack
from convspec.window import Window


def animated(
    call: str | Case, caption: str, *, turns: str = "outputs", matrix: bool = False
) -> HTML:
    """A call, as words of `convspec draw` or as a case, whose outputs or inputs take turns."""
    if isinstance(call, Case):
        return _figure(animation(call, turns=turns, matrix=matrix), escape(caption))
    operation, *words = call.split()
    picture = animation(case_of(operation, tuple(words)), turns=turns, matrix=matrix)
    shown = " --matrix" * matrix
    command = f"convspec draw {call} --animate {turns}{shown} --output {operation}.svg"
    return _figure(picture, f"{escape(caption)} <code>{escape(command)}</code>")


def stacked(n: int, windows: Sequence[Window], caption: str) -> HTML:
    """A stack of windows over `n` positions."""
    return _figure(stack(n, windows), escape(caption))


def _figure(picture: str, caption: str) -> HTML:
    width = re.search(r'width="(\d+)"', picture)
    assert width is not None
    return HTML(
        f'<figure class="picture" style="--width: {width.group(1)}px"><div class="wide" '
        f'tabindex="0" role="group" aria-label="Picture, may be scrolled">{picture}</div>'
        f"<figcaption>{caption}</figcaption>"
        '<label class="pause"><input type="checkbox"> Pause</label></figure>'
    )

"""Grids as one SVG picture that needs nothing else, still or as a sequence of frames.

Colours are custom properties, so that a page which embeds a picture can set its own; alone, a
picture follows the reader's light or dark.  Frames follow one another by CSS, and only for readers
who have not asked for reduced motion; the others see one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import NamedTuple

from convspec.draw.grid import PADDING, Cell, Slice

SIDE, GAP, LINE, LETTER = 36, 28, 22, 8
SECONDS = 0.8
STYLE = """
.convspec-picture { max-width: 100%; height: auto }
.convspec-picture { --ink: #222; --paper: #fff; --line: #767676; --mark: #fd8 }
@media (prefers-color-scheme: dark) {
  .convspec-picture { --ink: #eee; --paper: #1c1c1c; --line: #8a8a8a; --mark: #7a5200 }
}
.convspec-picture text { font: 15px sans-serif; text-anchor: middle; fill: var(--ink) }
.convspec-picture .said { text-anchor: start }
.convspec-picture rect { fill: var(--paper); stroke: var(--line) }
.convspec-picture .padding { stroke-dasharray: 3 }
.convspec-picture .mark { fill: var(--mark); stroke: var(--line) }
"""
MOTION = """
.convspec-picture .frame {{ opacity: 0 }}
@media (prefers-reduced-motion: reduce) {{ .convspec-picture .still {{ opacity: 1 }} }}
@media (prefers-reduced-motion: no-preference) {{
  .convspec-picture .of-{count} {{ animation: convspec-{count} {seconds:g}s step-end infinite }}
}}
@keyframes convspec-{count} {{ 0% {{ opacity: 1 }} {share:.4g}%, 100% {{ opacity: 0 }} }}
"""


class Frame(NamedTuple):
    """What one frame marks, a set of (row, column) in each slice, and the line below it."""

    marked: list[set[tuple[int, int]]]
    line: str


def svg(
    shown: Sequence[Slice],
    title: str,
    frames: Sequence[Frame] = (),
    *,
    still: int = 0,
    below: bool = False,
) -> str:
    """The slices beside each other, or one `below` the other, under a title, marked cells in
    colour; with `frames`, their marks one after the other, and frame number `still` where nothing
    may move.

    >>> picture = svg([Slice("x", [[Cell("<", True)]], "")], "a & b")
    >>> picture.count("<rect"), "a &amp; b" in picture, "&lt;" in picture
    (1, True, True)
    >>> svg([Slice("x", [[Cell("1", False)]], "")], "", [Frame([{(0, 0)}], "1")] * 2).count("of-2")
    3
    """
    longest = max(map(len, [title, *(frame.line for frame in frames)]))
    sizes = [_size(each) for each in shown]
    least = min(LETTER * longest, 60 * LETTER) + 2 * GAP
    beside = GAP + sum(wide + GAP for wide, _ in sizes)
    width = max(least, *(wide + 2 * GAP for wide, _ in sizes), 0 if below else beside)
    titles = wrap(title, (width - 2 * GAP) // LETTER + 1)
    places = _places(sizes, LINE * (len(titles) + 2), below=below)
    ends = [top + tall for (_, top), (_, tall) in zip(places, sizes, strict=True)]
    bottom = max(ends, default=0) + (LINE + 6 if frames else 0)
    share = 100 / max(1, len(frames))
    moving = MOTION.format(count=len(frames), seconds=SECONDS * len(frames), share=share)
    cells = [_grid(each, *place) for each, place in zip(shown, places, strict=True)]
    size = (
        f'width="{width}" height="{bottom + LINE // 2}" viewBox="0 0 {width} {bottom + LINE // 2}"'
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="convspec-picture" role="img" {size}>',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}{moving if frames else ''}</style>",
        *(_said(line, GAP, LINE * (number + 1)) for number, line in enumerate(titles)),
        *(rectangle for rectangles, _ in cells for rectangle in rectangles),
        *(
            _frame(frame, number, len(frames), places, bottom, still=number == still)
            for number, frame in enumerate(frames)
        ),
        *(text for _, texts in cells for text in texts),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _size(shown: Slice) -> tuple[int, int]:
    """Width and height of a slice, its title above it left out."""
    columns = max((len(row) for row in shown.rows), default=0)
    words = max(map(len, (shown.title, *shown.note.splitlines())))
    height = len(shown.rows) * SIDE + LINE * len(shown.note.splitlines())
    return max(columns * SIDE, LETTER * words), height


def _places(sizes: Sequence[tuple[int, int]], top: int, *, below: bool) -> list[tuple[int, int]]:
    """The left and upper edge of each slice."""
    places, left = [], GAP
    for wide, tall in sizes:
        places.append((left, top))
        if below:
            top += tall + LINE + LINE // 2
        else:
            left += wide + GAP
    return places


def _grid(shown: Slice, left: int, top: int) -> tuple[list[str], list[str]]:
    """The rectangles of a slice, and its texts, which lie above what frames mark."""
    rectangles, texts = [], [_said(shown.title, left, top - 8)]
    for i, row in enumerate(shown.rows):
        for j, cell in enumerate(row):
            rectangle, text = _cell(cell, left + j * SIDE, top + i * SIDE)
            rectangles.append(rectangle)
            texts.append(text)
    end = top + len(shown.rows) * SIDE
    for number, line in enumerate(shown.note.splitlines(), 1):
        texts.append(_said(line, left, end + LINE * number - 4))
    return rectangles, texts


def _said(line: str, x: int, y: int) -> str:
    return f'<text class="said" x="{x}" y="{y}">{escape(line)}</text>'


def _in_a_cell(text: str) -> str:
    """A fraction that is too long for a cell, rounded to five characters; the line below the
    picture has it in full.

    >>> _in_a_cell("0.0630636"), _in_a_cell("123.456"), _in_a_cell("123456")
    ('0.063', '123.5', '123456')
    """
    whole, _, fraction = text.removeprefix("-").partition(".")
    if len(text) <= 5 or not (whole.isdecimal() and fraction.isdecimal()):
        return text
    return f"{float(text):.{max(0, 4 - len(whole))}f}"


def _cell(cell: Cell, x: int, y: int) -> tuple[str, str]:
    kinds = ["mark"] * cell.marked + ["padding"] * (cell.text == PADDING)
    named = f' class="{" ".join(kinds)}"' if kinds else ""
    text = "" if cell.text == PADDING else escape(_in_a_cell(cell.text))
    # Long numbers are drawn in less height, rather than into the next cell.
    narrow = f' textLength="{SIDE - 4}" lengthAdjust="spacingAndGlyphs"' if len(text) > 4 else ""
    return (
        f'<rect{named} x="{x}" y="{y}" width="{SIDE}" height="{SIDE}"/>',
        f'<text x="{x + SIDE // 2}" y="{y + SIDE // 2 + 5}"{narrow}>{text}</text>',
    )


def _frame(
    frame: Frame,
    number: int,
    count: int,
    places: Sequence[tuple[int, int]],
    bottom: int,
    *,
    still: bool,
) -> str:
    """The cells that a frame marks as one path, and its line."""
    squares = [
        f"M{left + j * SIDE} {top + i * SIDE}h{SIDE}v{SIDE}h-{SIDE}z"
        for (left, top), marked in zip(places, frame.marked, strict=True)
        for i, j in sorted(marked)
    ]
    kinds = f"frame of-{count}" + " still" * still
    return (
        f'<g class="{kinds}" style="animation-delay: {SECONDS * number:g}s">'
        f'<path class="mark" d="{"".join(squares)}"/>{_said(frame.line, GAP, bottom - 4)}</g>'
    )

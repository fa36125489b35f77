"""Grids as one SVG picture that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from convspec.draw.grid import PADDING, Cell, Slice

SIDE, GAP, TITLE = 40, 30, 24
STYLE = (
    "text { font: 15px sans-serif; text-anchor: middle; fill: #222 } .title { text-anchor: start } "
    "rect { fill: #fff; stroke: #888 } .mark { fill: #fd8 } .padding { stroke-dasharray: 3 } "
    "@media (prefers-color-scheme: dark) { text { fill: #eee } .on { fill: #222 } "
    "rect { fill: #222 } .mark { fill: #fd8 } }"
)


def svg(shown: Sequence[Slice], title: str) -> str:
    """The slices beside each other, marked cells in colour, under a title.

    >>> picture = svg([Slice("x", [[Cell("<", True)]], "")], "a & b")
    >>> picture.count("<rect"), "a &amp; b" in picture, "&lt;" in picture
    (1, True, True)
    """
    parts, left, bottom = [], GAP, 0
    for each in shown:
        columns = max((len(row) for row in each.rows), default=0)
        parts += _grid(each, left)
        left += max(columns * SIDE, 9 * len(each.title)) + GAP
        bottom = max(bottom, len(each.rows))
    height = 3 * TITLE + bottom * SIDE + GAP
    width = max(left, 9 * len(title) + 2 * GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{GAP}" y="{TITLE}">{escape(title)}</text>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _grid(shown: Slice, left: int) -> list[str]:
    top = 3 * TITLE
    lines = [f'<text class="title" x="{left}" y="{top - 8}">{escape(shown.title)}</text>']
    for i, row in enumerate(shown.rows):
        for j, cell in enumerate(row):
            lines.append(_cell(cell, left + j * SIDE, top + i * SIDE))
    if shown.note:
        y = top + len(shown.rows) * SIDE + 20
        lines.append(f'<text class="title" x="{left}" y="{y}">{escape(shown.note)}</text>')
    return lines


def _cell(cell: Cell, x: int, y: int) -> str:
    classes = ["mark"] * cell.marked + ["padding"] * (cell.text == PADDING)
    text = "" if cell.text == PADDING else escape(cell.text)
    middle = f'x="{x + SIDE // 2}" y="{y + SIDE // 2 + 5}"'
    kind = ' class="on"' if cell.marked else ""
    return (
        f'<rect class="{" ".join(classes)}" x="{x}" y="{y}" width="{SIDE}" height="{SIDE}"/>'
        f"<text{kind} {middle}>{text}</text>"
    )

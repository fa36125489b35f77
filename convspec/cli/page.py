"""The report as one HTML page that needs nothing else: it can be attached, mailed and archived.

No script, and nothing from another host; a content security policy says so to the browser.  Every
text goes through `_text`, so that names and messages of an implementation stay texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from convspec.cli.words import (
    KINDS,
    circumstances,
    explained,
    offered,
    once,
    sections,
    verdict,
)
from convspec.draw.grid import PADDING, Cell, Slice
from convspec.draw.picture import picture
from convspec.oracle.report import Difference, Report

STYLE = """
:root { color-scheme: light dark; --line: #8886; --mark: #fc06; --good: #080; --bad: #c00; }
@media (prefers-color-scheme: dark) { :root { --good: #5d5; --bad: #f77; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.conforms { color: var(--good); } .differs, .crashed { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }
.count { text-align: right; }
.grids { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; margin: 1rem 0; }
figure { margin: 0; max-width: 100%; overflow-x: auto; }
figcaption { font-size: .85rem; }
.grid td { border: 1px solid var(--line); min-width: 1.4rem; padding: .1rem .35rem; }
.grid td { text-align: right; }
.grid .mark { background: var(--mark); font-weight: bold; }
.grid .padding { border-style: dashed; color: #888; }
pre { border: 1px solid var(--line); overflow-x: auto; padding: .6rem; font-size: .85rem; }
dd { margin: 0 0 .4rem 1.2rem; overflow-wrap: anywhere; } p { overflow-wrap: anywhere; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """The report as the text of an HTML file.

    >>> text = page(Report("<script>", None, "3.13.0", "quick", 0, 0.0, {}))
    >>> "<script>" in text, "&lt;script&gt; offers nothing" in text
    (False, True)
    """
    title = _text(verdict(report))
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style></head>",
        f'<body><h1 class="{report.status}">{title}</h1>',
        f"<p>{_text(circumstances(report))}</p>",
        *_operations(report),
        *_differences(report),
        *_sections(report),
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Text as HTML shows it; what is no character, or none that can be shown, is replaced."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
    return escape(shown)


def _operations(report: Report) -> Iterator[str]:
    shown = [operation for operation in report.operations.values() if offered(operation)]
    if shown:
        yield '<div class="wide"><table><thead><tr><th>operation<th>status<th class="count">judged'
        yield '<th class="count">unsupported<th>accuracy</tr></thead><tbody>'
        for o in shown:
            yield (
                f'<tr><td>{_text(o.name)}<td class="{o.status}">{o.status}'
                f'<td class="count">{o.judged}<td class="count">{o.unsupported}'
                f"<td>{_text(o.accuracy or '')}</tr>"
            )
        yield "</tbody></table></div>"
    absent = [o.name for o in report.operations.values() if not offered(o)]
    if absent:
        yield f"<p>Not offered: {_text(', '.join(absent))}</p>"


def _differences(report: Report) -> Iterator[str]:
    found = once(report)
    for position, (operation, difference, dtypes) in enumerate(found, start=1):
        accepted = " (accepted)" if difference.accepted else ""
        heading = f"Difference {position} of {len(found)}: {operation}: {KINDS[difference.kind]}"
        yield f'<section id="{_text(difference.id)}"><h2>{_text(heading)}{accepted}</h2>'
        yield from (f"<p>{_text(line)}</p>" for line in explained(difference, dtypes))
        yield from _picture(difference)
        if difference.reproducer:
            yield "<details><summary>To reproduce</summary>"
            yield f"<pre><code>{_text(difference.reproducer)}</code></pre></details>"
        yield "</section>"


def _picture(difference: Difference) -> Iterator[str]:
    """The smallest failing case, as tables."""
    shown = picture(difference.case, difference.expected, difference.actual)
    yield f"<p>Smallest failing case: <code>{_text(shown.call)}</code></p>"
    yield from _grids(shown.operands)
    yield from (f"<p>{_text(line)}</p>" for line in shown.said)
    if shown.marked:
        yield "<p>Marked: this element and what it is computed from.</p>"
    yield from _grids(shown.compared)


def _grids(shown: Iterable[Slice]) -> Iterator[str]:
    yield '<div class="grids">'
    for each in shown:
        yield f"<figure><figcaption>{_text(each.title)}</figcaption>"
        yield '<table class="grid"><tbody>'
        yield from (f"<tr>{''.join(map(_cell, row))}</tr>" for row in each.rows)
        yield f"</tbody></table>{_text(each.note)}</figure>"
    yield "</div>"


def _cell(cell: Cell) -> str:
    classes = ["mark"] * cell.marked + ["padding"] * (cell.text == PADDING)
    attribute = f' class="{" ".join(classes)}"' if classes else ""
    return f"<td{attribute}>{_text(cell.text)}</td>"


def _sections(report: Report) -> Iterator[str]:
    for title, told in sections(report):
        yield f"<h2>{_text(title)}</h2><dl>"
        for names, lines in told:
            yield f"<dt>{_text(names)}</dt>"
            yield from (f"<dd>{_text(line)}</dd>" for line in lines)
        yield "</dl>"

"""Check a built site: `python -m tests.docs.site docs/_build/html`.

Prints every fault with its page and exits with 1 where there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.docs.checks import CHECKS, styles_from_elsewhere
from tests.docs.page import Element, parse


@cache
def read(file: Path) -> Element:
    return parse(file.read_text(encoding="utf-8"))


@cache
def targets(file: Path) -> frozenset[str]:
    """What links may point at inside a page."""
    found = (
        value
        for each in read(file).elements()
        for name, value in each.attributes.items()
        if name == "id" or (name == "name" and each.tag == "a")
    )
    return frozenset(found)


def broken_links(site: Path, file: Path) -> Iterator[str]:
    """Links inside the site to a file or a place that is not there; others are not followed."""
    for each in read(file).elements():
        for name in ("href", "src"):
            link = urlsplit(each.attributes.get(name, ""))
            if link.scheme or link.netloc or not (link.path or link.fragment):
                continue
            target = (file.parent / unquote(link.path)).resolve() if link.path else file
            if target.is_dir():
                target /= "index.html"
            if not target.is_relative_to(site) or not target.exists():
                yield f"<{each.tag}> leads to {link.path}, which is not there"
            # A fragment with & is no place: it is what a script reads its settings from.
            elif target.suffix == ".html" and link.fragment and "&" not in link.fragment:
                yield from _missing(target, unquote(link.fragment))


def _missing(page: Path, place: str) -> Iterator[str]:
    if place not in targets(page):
        yield f"a link leads to {page.name}#{place}, which is not there"


def faults(site: Path) -> Iterator[str]:
    """Everything that is wrong with the pages and styles of a site."""
    site = site.resolve()
    pages = sorted(site.rglob("*.html"))
    if not pages:
        yield f"{site} holds no page"
    for file in pages:
        if "_static" in file.relative_to(site).parts:
            continue
        where = file.relative_to(site)
        for check in CHECKS:
            yield from (f"{where}: {fault}" for fault in check(read(file)))
        yield from (f"{where}: {fault}" for fault in broken_links(site, file))
    for file in sorted(site.rglob("*.css")):
        for fault in styles_from_elsewhere(file.read_text(encoding="utf-8")):
            yield f"{file.relative_to(site)}: {fault}"


def main() -> int:
    found = list(faults(Path(sys.argv[1])))
    for fault in found:
        print(fault)
    print(f"{len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

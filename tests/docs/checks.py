"""What is wrong with a page: each check yields a sentence for every fault that it finds.

Links to other sites are not followed; what a page *loads* must not come from one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.docs.page import Element

# Attributes that make a browser load something; of `link` only some relations do.
LOADING = {"src", "srcset", "data", "poster", "xlink:href"}
RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "prefetch", "preconnect"}
ELSEWHERE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])\s*((?:https?:)?//[^)"']+)""")


def loaded_from_elsewhere(page: Element) -> Iterator[str]:
    """Scripts, styles, fonts and images that another host would have to serve."""
    for each in page.elements():
        for name, value in each.attributes.items():
            loads = name in LOADING or (
                name == "href" and (each.tag in ("use", "image") or _is_loaded_link(each))
            )
            if loads and ELSEWHERE.match(value):
                yield f"<{each.tag}> loads {value}"
        styles = [each.attributes.get("style", "")]
        if each.tag == "style":
            styles += [child for child in each.children if isinstance(child, str)]
        for style in styles:
            yield from styles_from_elsewhere(style)


def _is_loaded_link(element: Element) -> bool:
    return element.tag == "link" and bool(
        RELATIONS & set(element.attributes.get("rel", "").lower().split())
    )


def styles_from_elsewhere(style: str) -> Iterator[str]:
    """What a style sheet would load from another host."""
    for match in IN_STYLES.finditer(style):
        yield f"a style loads {match.group(1)}"


def without_language(page: Element) -> Iterator[str]:
    """A page whose language a screen reader is not told."""
    for each in page.elements():
        if each.tag == "html" and not each.attributes.get("lang"):
            yield "<html> has no lang"


def headings_out_of_order(page: Element) -> Iterator[str]:
    """Not exactly one first heading, or a heading that skips a level."""
    levels = [
        (int(each.tag[1]), " ".join(each.text().split()))
        for each in page.elements()
        if re.fullmatch("h[1-6]", each.tag)
    ]
    firsts = [text for level, text in levels if level == 1]
    if len(firsts) != 1:
        yield f"{len(firsts)} headings of level 1"
    for (above, _), (level, text) in pairwise(levels):
        if level > above + 1:
            yield f"heading {text!r} of level {level} follows one of level {above}"


def pictures_without_words(page: Element) -> Iterator[str]:
    """Images without `alt`, drawings without a title."""
    for each in page.elements():
        if each.tag == "img" and "alt" not in each.attributes:
            yield f"<img src={each.attributes.get('src')}> has no alt"
        if each.tag == "svg" and each.attributes.get("role") == "img" and not _named(each):
            yield "<svg role=img> has no title"


def _named(element: Element) -> bool:
    if element.attributes.get("aria-label") or element.attributes.get("aria-labelledby"):
        return True
    return any(each.tag == "title" and each.text().strip() for each in element.elements())


def controls_without_labels(page: Element) -> Iterator[str]:
    """Form fields that nothing names."""
    labelled = {each.attributes.get("for") for each in page.elements() if each.tag == "label"}
    for each in page.elements():
        if each.tag not in ("input", "select", "textarea"):
            continue
        attributes = each.attributes
        if attributes.get("type") in ("hidden", "submit") or each.within("label"):
            continue
        if not attributes.get("aria-label") and attributes.get("id", "?") not in labelled:
            yield f"<{each.tag} name={attributes.get('name')}> has no label"


def links_without_words(page: Element) -> Iterator[str]:
    """Links and buttons that a screen reader cannot name."""
    for each in page.elements():
        if each.tag not in ("a", "button") or (each.tag == "a" and "href" not in each.attributes):
            continue
        pictured = any(
            inner.attributes.get("alt") or (inner.tag == "svg" and _named(inner))
            for inner in each.elements()
        )
        named = each.attributes.get("aria-label") or each.attributes.get("title")
        if not (each.text().strip() or pictured or named):
            yield f"<{each.tag}> {each.attributes} has no words"


def ids_used_twice(page: Element) -> Iterator[str]:
    """Targets that are not unique."""
    ids = Counter(each.attributes["id"] for each in page.elements() if "id" in each.attributes)
    yield from (f"id {name!r} is there {count} times" for name, count in ids.items() if count > 1)


CHECKS: tuple[Callable[[Element], Iterator[str]], ...] = (
    loaded_from_elsewhere,
    without_language,
    headings_out_of_order,
    pictures_without_words,
    controls_without_labels,
    links_without_words,
    ids_used_twice,
)

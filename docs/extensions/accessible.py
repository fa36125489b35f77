"""What the theme leaves out for readers who use a keyboard or a screen reader.

Code and tables that are wider than the page can be scrolled by keyboard only if they can be
focused, and a heading by role has to say of which level it is.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

FOCUSED = {
    '<div class="highlight"><pre>': '<div class="highlight"><pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}


def mend(
    app: Sphinx,  # noqa: ARG001 - Sphinx calls it with these
    pagename: str,  # noqa: ARG001
    templatename: str,  # noqa: ARG001
    context: dict[str, Any],
    doctree: Any,  # noqa: ARG001
) -> None:
    for before, after in FOCUSED.items():
        context["body"] = context.get("body", "").replace(before, after)
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(
        'role="heading">', 'role="heading" aria-level="2">'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    # After the theme has written its navigation.
    app.connect("html-page-context", mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What pages need for readers who use a keyboard or a screen reader.

Code and tables that are wider than the page can be scrolled by keyboard only if they can be
focused, and a heading by role has to say of which level it is.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

BETWEEN_TAGS = re.compile(r">[^<]+")
CHINESE = re.compile("[\u4e00-\u9fff]+")
FOCUSED = {
    '<div class="highlight"><pre>': '<div class="highlight"><pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}


def spoken(body: str) -> str:
    """Chinese words marked as such, so that a screen reader pronounces them as Chinese.

    >>> spoken('<dt id="卷积">convolution 卷积</dt>')
    '<dt id="卷积">convolution <span lang="zh">卷积</span></dt>'
    """
    return BETWEEN_TAGS.sub(
        lambda text: CHINESE.sub(r'<span lang="zh">\g<0></span>', text[0]), body
    )


def mend(
    app: Sphinx,  # noqa: ARG001 - Sphinx calls it with these
    pagename: str,  # noqa: ARG001
    templatename: str,  # noqa: ARG001
    context: dict[str, Any],
    doctree: Any,  # noqa: ARG001
) -> None:
    body = context.get("body", "")
    for before, after in FOCUSED.items():
        body = body.replace(before, after)
    context["body"] = spoken(body)
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(
        'role="heading">', 'role="heading" aria-level="2">'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    # After the theme has written its navigation.
    app.connect("html-page-context", mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

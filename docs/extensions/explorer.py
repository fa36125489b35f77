"""The explorer is a folder of its own, which the site takes as it is.

In the sources a link to it is a link to a file, which Sphinx would offer for download; in the site
it leads to the copy.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

PAGE = "explorer/index.html"


def lead_to_it(app: Sphinx, doctree: nodes.document) -> None:
    """Turn every download of the explorer's page into a link."""
    up = "../" * app.env.docname.count("/")
    for download in [*doctree.findall(addnodes.download_reference)]:
        if download["reftarget"].removeprefix("../").lstrip("/") == PAGE:
            link = nodes.reference("", "", *download.children, refuri=up + PAGE, internal=True)
            download.replace_self(link)


def copy(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        folder = Path(PAGE).parent
        shutil.copytree(Path(app.srcdir) / folder, Path(app.outdir) / folder, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    # Before the files to be downloaded are collected.
    app.connect("doctree-read", lead_to_it, priority=100)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

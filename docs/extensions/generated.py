"""The pages that are written from data as the site is built: see `PAGES`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import api
import code_map
import ledger
from sphinx.application import Sphinx

FOLDER = "generated"
PAGES = {"api.md": api.page, "code.md": code_map.page, "ledger.md": ledger.page}


def write(app: Sphinx) -> None:
    """Every page into `generated/`, rewritten only where it has changed."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        text = page()
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

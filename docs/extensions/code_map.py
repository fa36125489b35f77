"""The map of the code: every file of the package with the first sentence of its docstring."""

from __future__ import annotations

import ast
from itertools import takewhile
from pathlib import Path

import convspec

ROOT = Path(convspec.__file__).parent
# In the direction of the imports: a part knows the parts above it and none below.
PARTS = {
    "The spec": ".",
    "The fast twins": "fast",
    "Strategies": "strategies",
    "Networks": "network",
    "The oracle": "oracle",
    "Pictures": "draw",
    "Adapters": "adapters",
    "Exercises": "learn",
    "The command line": "cli",
}

INTRODUCTION = """# The code

Every file of the package, with what it says of itself. A part may import from the parts above it
and never from one below, but for `plugin.py`, which stands beside the command line;
`lint-imports` keeps it so (`pyproject.toml` has the contracts). Beside the package lie
`properties/`, the laws and claims as tests; `tests/`; `defects/`, one program a difference found
in other software; `atlas/`, which measures what others do; `benchmarks/` and `examples/`.
"""


def page() -> str:
    """The map as Markdown."""
    lines = [INTRODUCTION]
    for heading, name in PARTS.items():
        folder = ROOT / name
        inside = sorted(file.parent for file in folder.glob("*/**/__init__.py"))
        lines += [f"## {heading}", ""]
        for package in (folder, *(inside if name != "." else ())):
            lines += part(package)
    return "\n".join(lines) + "\n"


def part(folder: Path) -> list[str]:
    """One package: its own sentence, then a line for each of its files."""
    name = folder.relative_to(ROOT.parent).as_posix()
    rows = [
        f"- `{file.name}`: {sentence(file)}"
        for file in sorted(folder.glob("*.py"))
        if not file.name.startswith("__")
    ]
    return [f"**`{name}/`** {sentence(folder / '__init__.py')}", "", *rows, ""]


def sentence(file: Path) -> str:
    """The first paragraph of a file's docstring, in one line.

    >>> sentence(ROOT / "window.py")
    'One axis of a sliding window: every piece of index arithmetic in convspec.'
    """
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(takewhile(bool, told.splitlines())).rstrip(",")

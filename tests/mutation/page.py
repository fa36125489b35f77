"""What a run of the mutants came to, as data and as a page: docs/mutation.json and .md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent.parent.parent / "docs" / "mutation.json"
PAGE = DATA.with_suffix(".md")
HEAD = """# Mutation testing of the spec

Do the tests hold the spec in place?  Each small change of a definition (a *mutant*: an operator
exchanged, a number one larger, an argument left out, a condition negated, a value replaced by None)
is made alone, and must make a test fail.

*Killed* are the mutants that a test notices, among them those that never end.  *Equivalent* are
those that no test can notice because they compute the same; each has its reason in
`tests/mutation/equivalent.toml`, where a reason that is no longer needed is an error.  *Holes* are
the others: a test is missing.  The *score* is the share of the killed ones among all that are not
equivalent.

Not mutated are docstrings, annotations and the words of error messages (the values that a message
names are), nor the `strict` of a `zip`, which asserts what has been checked before.  mutmut, whose
mutants these are, also passes over decorated functions, the cached tables among them, and calls of
`len` and `isinstance`: no score counts those.  `tests/mutation/modules.toml` says which tests meet
the mutants.

Renewed by `tox -e mutation`, or `tox -e mutation -- NAME` for one module.
"""


class Score(NamedTuple):
    """Of one module: its mutants, and what became of them."""

    path: str
    mutants: int
    killed: int
    equivalent: int
    holes: int


def share(score: Score) -> str:
    """The killed ones among those that can be.

    >>> share(Score("convspec/window.py", 10, 7, 2, 1))
    '87.5 %'
    """
    return f"{100 * score.killed / (score.mutants - score.equivalent):.1f} %"


def stored() -> dict[str, Score]:
    """The scores of docs/mutation.json, by path."""
    if not DATA.exists():
        return {}
    return {row["path"]: Score(**row) for row in json.loads(DATA.read_text())}


def page(scores: Sequence[Score], paths: Sequence[str]) -> str:
    """The page, with the modules in the order of `paths`, and which of them have not been run."""
    found = {score.path: score for score in scores}
    there = [found[path] for path in paths if path in found]
    whole = Score("all", *(sum(column) for column in list(zip(*there, strict=True))[1:]))
    lines = [
        "| module | mutants | killed | equivalent | holes | score |",
        "|---|---|---|---|---|---|",
    ]
    for score in [*there, whole]:
        name = f"`{score.path}`" if score is not whole else "all of them"
        counts = " | ".join(str(count) for count in score[1:])
        lines.append(f"| {name} | {counts} | {share(score)} |")
    left = [f"`{path}`" for path in paths if path not in found]
    last = f"\nNot run yet: {', '.join(left)}.\n" if left else ""
    return f"{HEAD}\n" + "\n".join(lines) + f"\n{last}"


def renew(score: Score, paths: Sequence[str]) -> None:
    """Put the score of one module in its place, in both files."""
    kept = {**stored(), score.path: score}
    scores = [kept[path] for path in paths if path in kept]
    _write(DATA, json.dumps([row._asdict() for row in scores], indent=1) + "\n")
    _write(PAGE, page(scores, paths))


def _write(path: Path, text: str) -> None:
    """In one step: a run that is cut off leaves the file as it was."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)

"""The defect list as a page: `python -m defects.page --write` makes docs/defects.md anew."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from defects.records import HERE, JUDGEMENTS, Defect, Listing, listings

PAGE = HERE.parent / "docs" / "defects.md"
HEAD = """# Defects found

What `convspec check` found in other software, each reduced by hand to a program of its own that
needs that package and NumPy alone (and onnx, where it takes a model to ask).  *Bug* is said only
where the package contradicts its own documentation, which is then quoted, or itself: another rank,
layout, type or batch of the same function.  What no documentation rules is *undocumented*, and what
is a choice with its reasons is a *convention*.

`tox -e defects-torch`, and so on, installs a package in the version listed here and runs its
programs.  A program exits with 0 where the defect is there; where a newer version has mended it,
it says that the entry is stale, and fails.  So it does where the quoted sentence has gone from the
docstring that is installed, or from ONNX's operator of the set that the program imports; where a
page of the web is quoted, the file is named in which that was read.

Renewed by `python -m defects.page --write`.
"""


def page(lists: Sequence[Listing]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_summary(lists), *(line for one in lists for line in _listing(one))])


def _summary(lists: Sequence[Listing]) -> Iterator[str]:
    yield f"| package | version | {' | '.join(JUDGEMENTS)} |"
    yield "|---|---|" + "---|" * len(JUDGEMENTS)
    total: Counter[str] = Counter()
    for listing in lists:
        counts = Counter(defect.judgement for defect in listing.defects)
        total += counts
        yield f"| {listing.title} | {listing.version} | {_cells(counts)} |"
    yield f"| together | | {_cells(total)} |"


def _cells(counts: Counter[str]) -> str:
    return " | ".join(str(counts[judgement]) for judgement in JUDGEMENTS)


def _listing(listing: Listing) -> Iterator[str]:
    yield f"\n## {listing.title} {listing.version}"
    if listing.rules:
        yield f"\n{listing.rules}"
    ordered = sorted(listing.defects, key=lambda defect: JUDGEMENTS.index(defect.judgement))
    for defect in ordered:
        yield from _defect(listing, defect)


def _defect(listing: Listing, defect: Defect) -> Iterator[str]:
    program = f"defects/{listing.name}/{defect.name}.py"
    yield f"\n### {defect.title}\n"
    yield f"*{defect.judgement.capitalize()}*, `{defect.operation}`. {defect.diagnosis}\n"
    yield f"- case: {defect.case}"
    yield f"- expected: `{defect.expected}`"
    yield f"- actual: `{defect.actual}`"
    if defect.documentation:
        source = f"{defect.source}, in {defect.read}" if defect.read else defect.source
        yield f"- documentation: {_quoted(defect.documentation)} ({source})"
    if defect.itself:
        yield f"- against itself: {defect.itself}"
    if defect.only:
        yield f"- only on {defect.only}"
    yield f"- program: [{program}](../{program})"


def _quoted(sentence: str) -> str:
    """A quotation, or a formula in LaTeX as it stands in its source."""
    return f"`{sentence}`" if "\\" in sentence else f"“{sentence}”"


def main(arguments: Sequence[str]) -> int:
    """Print the page, or write it."""
    text = page(listings()) + "\n"
    if list(arguments) == ["--write"]:
        draft = PAGE.with_suffix(".draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(PAGE)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The ledger as a page: what the source documents state, the refuted first, with every proof."""

from __future__ import annotations

from collections import Counter
from inspect import getsource
from textwrap import dedent

from convspec.properties.claims.ledger import Claim, claims, is_proved, test_of

# In the order of the page: how each verdict is headed, and what its explanation is.
VERDICTS = {
    "refuted": ("Refuted", "What is right"),
    "imprecise": ("Imprecise", "In truth"),
    "holds-if": ("True under a condition", "The condition"),
    "holds": ("True", ""),
    "empirical": ("Results of training, not judged", ""),
}
PARTS = {
    "statement": "What proves it",
    "condition": "Under the condition",
    "without": "Without it",
    "counterexample": "The counterexample",
    "correction": "What is right",
    "figure": "The true figure",
    "arithmetic": "The arithmetic inside it",
}

INTRODUCTION = """# Ledger

Every checkable statement of the source documents, and of a few teaching texts, with a verdict and
the tests that decide it. *Proved* is what a test decides for all values, by symbols or by going
through every case; *checked* is what it tries on many. That something fails, one example decides.
`convspec claims ID` shows the same for one statement, and the command that runs its tests.
"""


def page() -> str:
    """The ledger as Markdown."""
    found = claims()
    counts = Counter(claim.verdict for claim in found.values())
    lines = [INTRODUCTION, "| verdict | statements |", "|---|---|"]
    lines += [f"| [{VERDICTS[name][0]}](#{name}) | {counts[name]} |" for name in VERDICTS]
    lines += [f"| together | {len(found)} |"]
    for verdict, (heading, _) in VERDICTS.items():
        lines += ["", f"({verdict})=", f"## {heading}", ""]
        for claim in found.values():
            if claim.verdict == verdict:
                lines += entry(claim)
    return "\n".join(lines) + "\n"


def entry(claim: Claim) -> list[str]:
    """One statement: what is said and where, what is true, and the tests."""
    _, explained = VERDICTS[claim.verdict]
    strength = "proved" if is_proved(claim) else "checked"
    told = "" if claim.verdict == "empirical" else f", {strength}"
    lines = [f"({claim.id})=", f"### {plain(claim.statement).removesuffix('.')}", ""]
    if claim.formula:
        lines += [f"$$ {claim.formula} $$", ""]
    lines += [f"`{claim.id}`{told}. Source: `{claim.source}`, {plain(claim.section)}.", ""]
    if claim.explanation:
        lines += [f"**{explained}:** {plain(claim.explanation)}.", ""]
    if claim.proofs:
        lines += ["<details><summary>Tests</summary>", ""]
        for part, references in claim.proofs.items():
            lines += [f"{PARTS[part]}:", ""]
            for reference in references:
                lines += ["```python", dedent(getsource(test_of(reference))).rstrip(), "```", ""]
        lines += ["</details>", ""]
    return lines


def plain(sentence: str) -> str:
    """A sentence of the ledger, whose stars and underscores are multiplication and indices."""
    return sentence.replace("*", r"\*").replace("_", r"\_").replace("<", r"\<")

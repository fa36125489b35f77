"""The mutants of a module: small changes, each made alone, by mutmut's operators.

An operator is exchanged, a number is one larger, an argument is left out or becomes None, an
assigned value becomes None, a condition is negated or fixed, a string is changed.

Not mutated are docstrings, annotations, and the words of an error message: a string in a `raise`.
What a message puts between braces is mutated, so that it has to name the right value.  Nor is the
`strict` of a `zip`, which asserts what has been checked before.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import libcst
from libcst import matchers
from mutmut.mutation.file_mutation import create_mutations, deep_replace

ROOT = Path(__file__).parent.parent.parent


class Mutant(NamedTuple):
    """A changed module: its path in the repository, the function, the change, the whole text."""

    path: str
    function: str
    change: str
    source: str


def mutants(path: str) -> Iterator[Mutant]:
    """Every mutant of the module at `path` that differs from the others."""
    source = (ROOT / path).read_text()
    module, mutations, _, _ = create_mutations(path, source)
    words = {id(node) for node in _message_words(module)}
    # Only the statement with the mutation is rendered anew: that of a whole module takes long.
    place = {id(node): i for i, part in enumerate(module.body) for node in _walk(part)}
    texts = [module.code_for_node(part) for part in module.body]
    head = "".join(module.code_for_node(line) for line in module.header)
    seen = {source}
    for mutation in mutations:
        if id(mutation.original_node) in words:
            continue
        here = place[id(mutation.original_node)]
        part = deep_replace(module.body[here], mutation.original_node, mutation.mutated_node)
        assert isinstance(part, libcst.CSTNode)
        changed = module.code_for_node(part)
        text = head + "".join([*texts[:here], changed, *texts[here + 1 :]])
        if text not in seen and _lax(changed) != _lax(texts[here]):
            seen.add(text)
            owner = mutation.contained_by_top_level_function
            function = owner.name.value if isinstance(owner, libcst.FunctionDef) else ""
            yield Mutant(path, function, change(source, text), text)


def _lax(text: str) -> str:
    """A statement without the `strict` of its calls, or the comma that is left of it."""
    return re.sub(r",\s*(strict=\w+)?\s*\)", ")", text)


def _walk(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _message_words(module: libcst.Module) -> Iterator[libcst.CSTNode]:
    for statement in matchers.findall(module, matchers.Raise()):
        yield from matchers.findall(statement, matchers.SimpleString())


def change(before: str, after: str) -> str:
    r"""The lines that differ, those of before marked by a minus and those of after by a plus.

    >>> change("a = 1\nb = 2\n", "a = 1\nb = 3\n")
    '-b = 2\n+b = 3\n'
    """
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "".join(f"{line}\n" for line in list(lines)[2:] if not line.startswith("@@"))

"""What the pages show of the source itself.

`definition` shows an object of convspec, its docstring read as Markdown.  On a page it registers
nothing; with `:api:` it is where references to the object lead.  With `:code:` the lines of the
function follow, without its docstring.  `law` shows a property, `test_sizes::test_...`.
"""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.directives.code import container_wrapper
from sphinx.util.docutils import SphinxDirective


def markdown(docstring: str) -> list[str]:
    """A docstring as Markdown: its doctests become blocks of code.

    >>> markdown("One.\\n\\n>>> f(1)\\n1\\n\\nTwo.")
    ['One.', '', '```pycon', '>>> f(1)', '1', '```', '', 'Two.']
    """
    lines: list[str] = []
    inside = False
    for line in [*inspect.cleandoc(docstring).splitlines(), ""]:
        if line.startswith(">>>") and not inside:
            lines.append("```pycon")
            inside = True
        elif not line and inside:
            lines.append("```")
            inside = False
        lines.append(line)
    return lines[:-1]


def body(function: Any) -> str:
    """The lines of a function without its docstring, which the page shows already."""
    source = dedent(inspect.getsource(function))
    lines = source.splitlines()
    statement = ast.parse(source).body[0]
    assert isinstance(statement, ast.FunctionDef)
    first = statement.body[0]
    if ast.get_docstring(statement) is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines)


def signature(item: Any) -> str:
    """The signature without annotations: the docstring says what the arguments may be.

    >>> signature(signature)
    '(item)'
    """
    found = inspect.signature(item)
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


class Definition(SphinxDirective):
    """`{definition} convspec.convolution.conv`."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"code": directives.flag, "api": directives.flag}

    def run(self) -> list[nodes.Node]:
        path = self.arguments[0]
        module, _, name = path.rpartition(".")
        item = getattr(import_module(module), name)
        kind = "class" if inspect.isclass(item) else "function"
        lines = [f"```````{{py:{kind}}} {path}{signature(item)}"]
        if "api" not in self.options:
            lines += [":no-index:"]
        lines += ["", *markdown(item.__doc__ or ""), "```````"]
        found = self.parse_text_to_nodes("\n".join(lines))
        if "code" in self.options:
            text = body(item)
            found.append(nodes.literal_block(text, text, language="python"))
        self.env.note_dependency(inspect.getfile(item))
        return found


LAWS = Path(__file__).parents[2] / "properties" / "laws"


def law_source(reference: str) -> str:
    """The source of a property, decorators included.

    Raises `ValueError` where there is none of that name.
    """
    module, _, name = reference.partition("::")
    text = (LAWS / f"{module}.py").read_text(encoding="utf-8")
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            first = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : statement.end_lineno])
    raise ValueError(f"{reference}: no such law in {LAWS}")


class Law(SphinxDirective):
    """`{law} test_sizes::test_relationship_1_unit_stride_without_padding`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        reference = self.arguments[0]
        self.env.note_dependency(str(LAWS / f"{reference.partition('::')[0]}.py"))
        try:
            text = law_source(reference)
        except (OSError, ValueError) as error:
            raise self.error(str(error)) from None
        block = nodes.literal_block(text, text, language="python")
        caption = f"`properties/laws/{reference.partition('::')[0]}.py`"
        return [container_wrapper(self, block, caption)]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("definition", Definition)
    app.add_directive("law", Law)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

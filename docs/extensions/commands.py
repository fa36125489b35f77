"""`command`: a command line of convspec with what it prints, run as the page is built."""

from __future__ import annotations

import shlex
from typing import Any, ClassVar

from click.testing import CliRunner
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from convspec.cli import main


def printed(line: str, status: int) -> str:
    """What a command line prints, on either stream.

    Raises `ValueError` where it is none of convspec's or ends with another status.

    >>> printed("convspec --version", 0).startswith("convspec")
    True
    """
    program, *arguments = shlex.split(line)
    if program != "convspec":
        raise ValueError(f"{line!r}: must be a command line of convspec")
    result = CliRunner().invoke(main, arguments)
    if result.exit_code != status:
        raise ValueError(f"{line!r} ended with {result.exit_code}, not {status}: {result.output}")
    return result.output.rstrip()


class Command(SphinxDirective):
    """`{command} convspec explain …`; `:status:` where it does not end with 0."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {"status": directives.nonnegative_int}

    def run(self) -> list[nodes.Node]:
        line = " ".join(self.arguments[0].split())
        try:
            output = printed(line, self.options.get("status", 0))
        except ValueError as error:
            raise self.error(str(error)) from None
        text = f"$ {line}\n{output}"
        return [nodes.literal_block(text, text, language="console")]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("command", Command)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

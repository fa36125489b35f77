"""The command line: `convspec VERB …`, one verb a file, imported when it is called.

Showing what verbs there are must cost nothing, so this file knows their one-line help and no more.
"""

from __future__ import annotations

from importlib import import_module

import click

from convspec import __version__

VERBS = {
    "check": "Compare an implementation with the spec.",
    "replay": "Differences or recorded vectors once more, with the arithmetic.",
    "vectors": "Record vectors for implementations that never meet convspec.",
    "explain": "What an operation computes at a geometry, and from what.",
    "draw": "A picture of what an output is computed from.",
    "list": "What there is: operations, targets, deviations.",
    "claims": "What the source documents state, each with its verdict and proofs.",
    "certify": "Whether the recorded layers of a network are right.",
    "summary": "The layers of a network, with their sizes and counts.",
    "learn": "Write a convolution of your own, step by step.",
    "mistake": "A known mistake at its smallest, and where it shipped.",
}


class Verbs(click.Group):
    """A group of commands whose modules are imported only when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs, in the order of the help."""
        return [*VERBS]  # once convspec.cli.list is imported, `list` here is that module

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a verb: `command` in the file of that name."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"convspec.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The verbs with their help, without importing one."""
        with formatter.section("Verbs"):
            formatter.write_dl([*VERBS.items()])


@click.group(cls=Verbs, subcommand_metavar="VERB ...")
@click.version_option(__version__, prog_name="convspec")
def main() -> None:
    """Convolution and pooling: a spec, and whether implementations follow it."""

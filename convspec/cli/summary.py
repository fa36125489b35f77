"""`convspec summary NAME`: the layers of a network, with their sizes and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convspec.cli.refusal import Refused, no_such

if TYPE_CHECKING:
    from rich.table import Table

    from convspec.network import Network, Step

# Wide enough for every table where the output is no terminal.
WIDTH = 130

# The attributes that are shown, each with the value at which it goes without saying.
SHOWN = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 1,
    "levels": (),
    "scale": 1,
    "rate": 0,
}


@click.command("summary")
@click.argument("name", required=False)
@click.option("--size", type=click.IntRange(min=1), help="Height and width of the input.")
def command(name: str | None, size: int | None) -> None:
    """Show the layers of a network; without NAME, list the networks."""
    from convspec.network.architectures import ARCHITECTURES

    if name is None:
        for known in ARCHITECTURES:
            click.echo(known)
        return
    if name not in ARCHITECTURES:
        raise no_such("network", name, ARCHITECTURES, "convspec summary")
    from convspec.network import plan

    network = ARCHITECTURES[name]()
    sizes = network.input[1:] if size is None else (size,) * (len(network.input) - 1)
    try:
        steps = plan(network, (network.input[0], *sizes))
    except ValueError as error:
        raise Refused(str(error)) from None
    _show(network, steps)


def _show(network: Network, steps: tuple[Step, ...]) -> None:
    from rich.console import Console

    from convspec.network import totals

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(_table(network, steps))
    found = totals(steps)
    console.print(
        f"{found.parameters:,} parameters, {found.parameters - found.biases:,} without biases; "
        f"{found.multiply_adds:,} multiply-adds",
        highlight=False,
    )


def _table(network: Network, steps: tuple[Step, ...]) -> Table:
    from rich.table import Table

    from convspec.network import totals

    table = Table(title=network.name, title_justify="left", box=None, pad_edge=False)
    table.add_column("layer", overflow="fold")
    table.add_column("operation", overflow="fold")
    for heading in ("output", "weights", "biases", "multiply-adds", "field"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in steps:
        found = totals([step])
        counts = (found.parameters - found.biases, found.biases, found.multiply_adds)
        table.add_row(
            step.name,
            _operation(step),
            _by(step.shape[1:]),
            *(f"{count:,}" if count else "" for count in counts),
            _by([field.size for field in step.fields]) if step.fields else "",
        )
    return table


def _operation(step: Step) -> str:
    """The operation with its kernel and what is unusual about it."""
    words = [step.operation]
    kernel = next((s for o, s in step.parameters.items() if o in ("weight", "depthwise")), ())
    attributes = dict(step.attributes)
    rank = len(step.shape) - 2
    if rank and len(kernel) > 2:
        words.append(_by(kernel[-rank:]))
    if "kernel_size" in attributes:
        words.append(_by(attributes.pop("kernel_size")))
    told = [f"{key} {_short(value)}" for key, value in attributes.items() if _unusual(key, value)]
    return ", ".join([" ".join(words), *told])


def _unusual(key: str, value: Any) -> bool:
    return key in SHOWN and value not in (None, SHOWN[key])


def _short(value: Any) -> str:
    return _by(value) if isinstance(value, tuple) else str(value)


def _by(sizes: Any) -> str:
    return str(sizes) if isinstance(sizes, int) else "x".join(map(str, sizes))

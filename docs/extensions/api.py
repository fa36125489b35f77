"""The API reference: every public function and class of the modules that a program may use."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from definitions import markdown

SPEC = (
    *("window", "coordinates", "convolution", "transposed_convolution", "separable"),
    *("spatially_separable", "local_connection", "pooling", "norm_pooling", "adaptive_pooling"),
    *("unpooling", "resize", "rearrangement", "dense", "activation", "loss", "normalization"),
)
TOOLS = (
    *("oracle", "operations", "case", "matrix", "symbolic", "rounding", "strategies"),
    *("network", "network.layers", "draw.animation", "draw.stack"),
)
MODULES = tuple(f"convspec.{name}" for name in (*SPEC, *TOOLS))


def public(module: Any) -> list[str]:
    """The functions and classes that a module defines, in its order.

    >>> from convspec import window
    >>> public(window)[:3]
    ['Window', 'ReceptiveField', 'extent']
    """
    return [
        name
        for name, item in vars(module).items()
        if (inspect.isfunction(item) or inspect.isclass(item))
        and item.__module__.startswith(module.__name__)
        and not name.startswith("_")
    ]


def page() -> str:
    """The reference as Markdown."""
    lines = ["# API reference", "", "Each function as its docstring tells it."]
    for name in MODULES:
        module = import_module(name)
        # The heading of a module's text, and what follows it.
        lines += ["", f"## `{name}`", "", *markdown(module.__doc__ or ""), ""]
        for item in public(module):
            lines += [f"```{{definition}} {name}.{item}", ":api:", "```", ""]
    return "\n".join(lines) + "\n"

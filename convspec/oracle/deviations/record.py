"""What a deviation is: one known way of being wrong or different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

Function = Callable[..., Any]
Edit = Callable[[Any, str], Function]


class Deviation(NamedTuple):
    """A known mistake or convention, as a small edit of a correct implementation.

    `edit(spec, operation)` takes any namespace of correct functions and the name of one of
    `operations`, and returns the deviating function of the same signature; it relies on
    normalised attributes, all of them present.  `sentence` says what is done instead of the right
    thing, `hidden` the geometries or data on which nobody notices, `threads` where it shipped in
    public.  `convention` is `(variant, value)` where the design names a variant, else None.
    """

    name: str
    operations: tuple[str, ...]
    kind: Literal["mistake", "convention"]
    sentence: str
    hidden: str
    edit: Edit
    threads: tuple[str, ...] = ()
    convention: tuple[str, str] | None = None

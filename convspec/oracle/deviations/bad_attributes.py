"""Bad attributes of operations that slide no ordinary window, taken for good ones."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy

from convspec.case import forward_name
from convspec.oracle.deviations.edits import fitted, rewriting, spatial
from convspec.oracle.deviations.families import taking, with_layers
from convspec.oracle.deviations.record import Deviation, Function


def each_number(value: Any, change: Callable[[Any], Any]) -> Any:
    """`change` applied to every number in nested sequences; anything else is left alone."""
    if isinstance(value, list | tuple):
        return tuple(each_number(entry, change) for entry in value)
    return change(value) if isinstance(value, Real) else value


def at_least(attribute: str, least: int) -> Callable[..., dict[str, Any]]:
    """An attribute with its integers raised to `least`."""

    def raised(value: Any) -> Any:
        return max(value, least) if isinstance(value, Integral) else value

    return lambda **a: {attribute: each_number(a[attribute], raised)}


def known_word(attribute: str, words: dict[str, str] | str, known: tuple[str, ...]) -> Any:
    """An attribute with a word that it does not know replaced: by one word, or by that of each
    operation.
    """

    def edit(spec: Any, operation: str) -> Function:
        instead = words if isinstance(words, str) else words[forward_name(operation)]

        def change(**arguments: Any) -> dict[str, Any]:
            return {} if arguments[attribute] in known else {attribute: instead}

        return rewriting(change)(spec, operation)

    return edit


def _bounded(attribute: str, bound: Callable[[Any], Any]) -> Callable[..., dict[str, Any]]:
    """A number moved into the range that it must lie in."""
    return lambda **a: {attribute: bound(a[attribute])}


def _last_axis(input: Any, axis: Any, **_: Any) -> dict[str, Any]:
    return {"axis": min(axis, numpy.ndim(input) - 1)} if isinstance(axis, Integral) else {}


def _whole_blocks(input: Any, factor: Any, **_: Any) -> dict[str, Any]:
    """The channels that make whole blocks, or one block at least."""
    block = int(numpy.prod(factor))
    whole = max(1, numpy.shape(input)[1] // block) * block
    shape = (len(input), whole, *spatial(input))
    return {"input": fitted(input, shape)}


KINDS = {
    "upsample": "nearest",
    "resize_conv": "nearest",
    "spatial_pyramid_pool": "max",
}

BAD_ATTRIBUTES = tuple(
    Deviation(
        name=name,
        operations=with_layers((), taking(attribute)),
        kind="mistake",
        sentence=sentence,
        hidden="good arguments",
        edit=edit,
    )
    for name, attribute, sentence, edit in (
        (
            "scale 0 accepted",
            "scale",
            "Takes scales below 1 for 1.",
            rewriting(at_least("scale", 1)),
        ),
        (
            "negative count accepted",
            "count",
            "Takes negative counts of zeros for 0.",
            rewriting(at_least("count", 0)),
        ),
        (
            "factors that do not divide accepted",
            "factor",
            "Leaves out the channels that make no whole block.",
            rewriting(_whole_blocks),
        ),
        (
            "output size 0 accepted",
            "output_size",
            "Takes output sizes below 1 for 1.",
            rewriting(at_least("output_size", 1)),
        ),
        (
            "level 0 accepted",
            "levels",
            "Takes levels below 1 for 1.",
            rewriting(at_least("levels", 1)),
        ),
        (
            "size 0 accepted",
            "size",
            "Takes a response window of size 0 for one of size 1.",
            rewriting(at_least("size", 1)),
        ),
        (
            "unknown kind accepted",
            "kind",
            "Takes any kind it does not know for its default.",
            known_word("kind", KINDS, ("nearest", "linear", "max", "average")),
        ),
        (
            "unknown coordinates accepted",
            "coordinates",
            "Takes any coordinates it does not know for half-pixel ones.",
            known_word("coordinates", "half_pixel", ("half_pixel", "asymmetric", "align_corners")),
        ),
        (
            "p below 1 accepted",
            "p",
            "Takes a p below 1, with which there is no norm, for 1.",
            rewriting(_bounded("p", lambda p: max(p, 1))),
        ),
        (
            "rate 1 accepted",
            "rate",
            "Takes a rate that leaves no survivors for 0.",
            rewriting(_bounded("rate", lambda rate: rate if rate < 1 else 0.0)),
        ),
        (
            "negative epsilon accepted",
            "epsilon",
            "Takes a negative epsilon for 0.",
            rewriting(_bounded("epsilon", lambda epsilon: max(epsilon, 0.0))),
        ),
        (
            "negative strength accepted",
            "strength",
            "Takes a negative strength for 0.",
            rewriting(_bounded("strength", lambda strength: max(strength, 0.0))),
        ),
        (
            "axis beyond the last accepted",
            "axis",
            "Takes an axis that is not there for the last one.",
            rewriting(_last_axis),
        ),
    )
)

"""One configuration in each framework's own words: the call that computes it, or why there is none.

Nothing is imported to say so.  The operands are called what the spec calls them, in the spec's
layout; where a framework has another, the call says how it is brought there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec.case import Case

# Spatial axes that frameworks have functions for, at most.
AXES = 3

Words = Callable[[Case], str]


class NotSaidError(Exception):
    """A framework has no words for a configuration; the message is the reason."""


def words(case: Case) -> dict[str, str]:
    """The call of every framework that has one for this operation, by the framework's name.

    Where a framework has the operation but not this configuration, the reason is given instead.

    >>> import numpy
    >>> operands = {"f": numpy.ones(5), "g": numpy.ones(2)}
    >>> words(Case("convolve", operands, {"mode": "same"}))["NumPy"]
    "numpy.convolve(f, g, mode='same')"
    """
    from convspec.adapters import (
        words_graphs,
        words_images,
        words_mlx,
        words_signals,
        words_tensors,
    )

    said = {}
    for module in (words_tensors, words_graphs, words_signals, words_images, words_mlx):
        for framework, by_operation in module.WORDS.items():
            if case.operation in by_operation:
                said[framework] = _said(by_operation[case.operation], case)
    return said


def _said(tell: Words, case: Case) -> str:
    try:
        return tell(case)
    except NotSaidError as reason:
        return f"not offered: {reason}"


def call_words(function: str, operands: list[str], settings: dict[str, Any]) -> str:
    """A call with what is not None among its settings.

    >>> call_words("pool", ["input"], {"stride": 2, "padding": None})
    'pool(input, stride=2)'
    """
    given = {name: value for name, value in settings.items() if value is not None}
    told = [*operands, *(f"{name}={value!r}" for name, value in given.items())]
    return f"{function}({', '.join(told)})"


def unless(value: Any, usual: Any) -> Any:
    """A setting, or None where it has its usual value."""
    return None if value == usual else value


def rank_of(case: Case) -> int:
    """How many spatial axes the first operand has."""
    dimensions: int = next(iter(case.operands.values())).ndim
    return dimensions - 2


def dimensions(case: Case) -> int:
    """The spatial axes of a call, for frameworks that have functions for up to three."""
    if rank_of(case) > AXES:
        raise NotSaidError(f"there are at most {AXES} spatial axes")
    return rank_of(case)


def ones(case: Case) -> tuple[int, ...]:
    """A one for every spatial axis: the usual stride and dilation."""
    return (1,) * rank_of(case)


def one_for_both_sides(case: Case) -> tuple[int, ...]:
    """The padding of each axis, where it is the same on both sides."""
    if any(low != high for low, high in case.attributes["padding"]):
        raise NotSaidError("one padding stands for both sides of an axis")
    return tuple(low for low, _ in case.attributes["padding"])

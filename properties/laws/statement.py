"""How a law is stated: `@law(strategies)` above it, `same(left, right)` at its end."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

import numpy
from hypothesis import HealthCheck, given, settings

# A law about more operations than this shares the examples of so many among them.
SHARES = 4


def law(
    *, among: Sized = (), **strategies: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`hypothesis.given` without a deadline: a literal definition is slow by design.

    A law that is stated of each `among` many operations gets as many examples in all as one about
    four, and a quarter of the usual number for each at least: what it says is one thing.
    """
    usual = settings.default.max_examples
    examples = max(usual // SHARES, SHARES * usual // max(SHARES, len(among)), 1)
    unhurried = settings(
        deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples
    )

    def state(test: Callable[..., None]) -> Callable[..., None]:
        stated = unhurried(given(**strategies)(test))
        # What it is made of, for whoever wants to state it of something else.
        vars(stated).update(statement=test, strategies=strategies)
        return stated

    return state


def same(left: Any, right: Any) -> None:
    """Equal shapes and equal values: the laws' numbers are integers so small that every order
    of summation gives the same one.
    """
    left, right = numpy.asarray(left), numpy.asarray(right)
    assert left.shape == right.shape, f"shapes {left.shape} and {right.shape}"
    numpy.testing.assert_array_equal(left, right)

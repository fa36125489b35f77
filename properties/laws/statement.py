"""How a law is stated: `@law(strategies)` above it, `same(left, right)` at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from hypothesis import HealthCheck, given, settings

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def law(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`hypothesis.given` without a deadline: a literal definition is slow by design."""

    def state(test: Callable[..., None]) -> Callable[..., None]:
        return unhurried(given(**strategies)(test))

    return state


def same(left: Any, right: Any) -> None:
    """Equal shapes and equal values: the laws' numbers are integers so small that every order
    of summation gives the same one.
    """
    left, right = numpy.asarray(left), numpy.asarray(right)
    assert left.shape == right.shape, f"shapes {left.shape} and {right.shape}"
    numpy.testing.assert_array_equal(left, right)

"""The three kinds of exercise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec.learn import functions, graded, operations
from convspec.learn.outcome import Outcome
from convspec.learn.step import Step
from convspec.oracle.call import Callee


def tried(step: Step, implementation: Any, name: str, watch: Callable[[Callee], Callee]) -> Outcome:
    """What trying a step comes to; `name` is that of the learner's file, `watch` sees each call."""
    if step.kind == "function":
        return functions.attempt(step, implementation, watch)
    if step.kind == "property":
        return graded.attempt(step, implementation, watch)
    return operations.attempt(step, implementation, name, watch)

"""Each generic law runs on every operation it applies to: of those left out, it is false.

A law that iterates over the table says which rows it leaves out.  Here every one that it leaves
out shows a counterexample, found by Hypothesis on the definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

import properties.laws
from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.oracle.target import load
from convspec.plugin import Implementation
from convspec.strategies import calls
from properties.laws.exact import exactly
from properties.laws.rewriting import run
from properties.laws.test_batch import (
    BATCHED,
    CHANNELWISE,
    channel,
    has_channels,
    has_items,
    outputs,
    part,
)
from properties.laws.test_linearity import LINEAR, combined
from tests.test_strategies import find_any

SPEC = Implementation("spec", load("spec"))


def law_tests() -> Iterator[tuple[str, Any]]:
    """Every law, by name."""
    for module in iter_modules(properties.laws.__path__):
        if module.name.startswith("test_"):
            loaded = import_module(f"properties.laws.{module.name}")
            for name, value in vars(loaded).items():
                if name.startswith("test_"):
                    yield f"{module.name}::{name}", value


def test_every_operation_has_laws_of_its_own() -> None:
    """Besides those about every row, some law's source calls each operation by name."""
    (folder,) = properties.laws.__path__
    sources = {
        path.name: path.read_text(encoding="utf-8")
        for path in Path(folder).glob("test_*.py")
        if path.name not in ("test_table.py", "test_batch.py")
    }
    for operation in OPERATIONS:
        uses = (f".{operation}(", f'"{operation}"', f"{operation}_vjp(")
        found = [name for name, text in sources.items() if any(use in text for use in uses)]
        assert found, operation


def test_every_law_is_stated_as_a_theorem() -> None:
    """A docstring says what holds, or what the smallest counterexample is."""
    laws = dict(law_tests())
    assert len(laws) > 200
    assert [name for name, law in laws.items() if not law.__doc__] == []


def test_the_laws_of_every_row_run_on_every_row() -> None:
    from properties.laws import test_table

    for name, law in vars(test_table).items():
        if name.startswith("test_"):
            (mark,) = [mark for mark in law.pytestmark if mark.args[0] == "operation"]
            assert list(mark.args[1]) == list(OPERATIONS)


OTHER_OPERANDS = [
    (name, operand)
    for name, row in OPERATIONS.items()
    for operand in row.operands
    if (name, operand) not in LINEAR and operand not in (*row.lists, *row.discrete)
]


@pytest.mark.parametrize(("operation", "operand"), OTHER_OPERANDS)
def test_an_operation_is_linear_in_nothing_else(operation: str, operand: str) -> None:
    def bent(drawn: Any) -> bool:
        case, factor = drawn
        if operand not in case.operands:
            return False
        x = case.operands[operand]
        other = numpy.roll(x, 1) + 1.0
        left, right = combined(SPEC, exactly(case), operand, factor, other)
        return bool((abs(left - right) > 1e-3).any())

    find_any(st.tuples(calls(operation), st.integers(2, 3)), bent)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in BATCHED])
def test_the_operations_without_a_batch_have_none(operation: str) -> None:
    def joined(case: Case) -> bool:
        (first, *_) = case.operands.values()
        together = run(SPEC, case)
        return together.ndim == 0 or len(together) != len(first)

    find_any(calls(operation), joined)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in CHANNELWISE])
def test_the_operations_that_mix_channels_do(operation: str) -> None:
    """Some channel alone gives another output, or is no valid call at all."""

    def mixed(case: Case) -> bool:
        if not has_channels(case) or not min(map(numpy.size, outputs(run(SPEC, case)))):
            return False
        together = run(SPEC, case)
        if operation in ("convolve", "correlate", "l2_penalty"):
            return True  # no batch, and so no channels either
        try:
            alone = run(SPEC, channel(case, 0))
        except (ValueError, IndexError):
            return True
        return (
            together.ndim < 2
            or together[:, :1].shape != alone.shape
            or bool((abs(together[:, :1] - alone) > 1e-3).any())
        )

    find_any(calls(operation), mixed)


def test_the_conditions_of_the_batch_laws_leave_most_calls_in() -> None:
    """They are about shapes without axes and about a softmax over the batch, no more."""
    for operation in BATCHED:
        find_any(
            calls(operation),
            lambda case: has_items(case) and len(part(case, slice(0, 1)).operands) > 0,
        )
        if not any(word in operation for word in ("relu", "sigmoid", "tanh", "dropout", "softmax")):
            case = find_any(calls(operation), lambda _: True)
            assert has_items(case)

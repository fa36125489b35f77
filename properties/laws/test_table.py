"""The table: every operation and its cotangents have the shapes it promises, and change nothing.

These laws hold of every row, so that a new operation gets them with its row.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

from convspec.operations import OPERATIONS
from convspec.strategies import calls

from .rewriting import run
from .statement import law


def flat(arrays: Any) -> list[Any]:
    """The arrays of a call, those of its lists one by one."""
    return [one for array in arrays for one in (array if isinstance(array, list) else [array])]


def shape_of(operand: Any) -> Any:
    return [one.shape for one in operand] if isinstance(operand, list) else operand.shape


@pytest.mark.parametrize("operation", OPERATIONS)
@law(data=st.data())
def test_an_output_has_the_shape_of_the_table_and_the_dtype_of_its_input(
    implementation: Any, operation: str, data: Any
) -> None:
    """The shape that the table computes from shapes and attributes; a floating dtype is kept."""
    case = data.draw(calls(operation))
    row = OPERATIONS[operation]
    y = run(implementation, case)
    outputs = y if row.outputs > 1 else (y,)
    assert len(outputs) == row.outputs
    due = row.shape(*map(shape_of, case.operands.values()), **case.attributes)
    assert [one.shape for one in outputs] == [due] * row.outputs
    assert outputs[0].dtype.kind == "f"


@pytest.mark.parametrize("operation", OPERATIONS)
@law(data=st.data())
def test_a_cotangent_has_the_shape_of_its_operand(
    implementation: Any, operation: str, data: Any
) -> None:
    """One for every floating operand, in order; indices, labels and masks have none."""
    case = data.draw(calls(f"{operation}_vjp"))
    row = OPERATIONS[operation]
    gradients = run(implementation, case)
    floating = flat(
        array
        for name, array in case.operands.items()
        if name != "cotangent" and name not in row.discrete
    )
    assert [one.shape for one in gradients] == [one.shape for one in floating]


@pytest.mark.parametrize("operation", OPERATIONS)
@law(data=st.data())
def test_a_call_repeats_and_leaves_its_arguments_alone(
    implementation: Any, operation: str, data: Any
) -> None:
    """The same call gives the same numbers again, and the operands are what they were."""
    case = data.draw(calls(operation))
    before = deepcopy(list(case.operands.values()))
    first, second = run(implementation, case), run(implementation, case)
    row = OPERATIONS[operation]
    for one, other in zip(
        *((y if row.outputs > 1 else (y,)) for y in (first, second)), strict=True
    ):
        numpy.testing.assert_array_equal(one, other)
    for one, other in zip(flat(case.operands.values()), flat(before), strict=True):
        numpy.testing.assert_array_equal(one, other)

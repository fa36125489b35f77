"""The table: every operation and its cotangents have the shapes it promises, and change nothing.

These laws hold of every row, so that a new operation gets them with its row.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.strategies import calls

from .exact import cotangents, exactly
from .rewriting import run, shape_of
from .statement import law


def flat(arrays: Any) -> list[Any]:
    """The arrays of a call, those of its lists one by one."""
    return [one for array in arrays for one in (array if isinstance(array, list) else [array])]


@pytest.mark.parametrize("operation", OPERATIONS)
@law(among=OPERATIONS, data=st.data())
def test_an_output_has_the_shape_of_the_table_and_the_dtype_of_its_input(
    implementation: Any, operation: str, data: Any
) -> None:
    """The shape that the table computes from shapes and attributes; a floating dtype is kept, but
    that an implementation without float64 gets and gives float32.
    """
    dtype = data.draw(st.sampled_from(("float64", "float32")))
    case = data.draw(calls(operation, dtype=dtype))
    row = OPERATIONS[operation]
    y = run(implementation, case)
    outputs = y if row.outputs > 1 else (y,)
    assert len(outputs) == row.outputs
    due = row.shape(*map(shape_of, case.operands.values()), **case.attributes)
    assert [one.shape for one in outputs] == [due] * row.outputs
    assert outputs[0].dtype in (dtype, "float32")


def backward(implementation: Any, case: Case, g: Any) -> tuple[Any, ...]:
    """The cotangents of the operands of a call."""
    vjp = getattr(implementation, f"{case.operation}_vjp")
    found: tuple[Any, ...] = vjp(g, *case.operands.values(), **case.attributes)
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
@law(among=OPERATIONS, data=st.data(), factor=st.integers(-3, 3))
def test_cotangents_have_the_shapes_of_their_operands_and_are_linear(
    implementation: Any, operation: str, data: Any, factor: int
) -> None:
    """One for every floating operand, in order; indices, labels and masks have none.  And vjp(a g +
    g') = a vjp(g) + vjp(g'), also where the operation itself is not linear.

    Where something rounds, 2^8 times in all, with an epsilon of 1 no slope of these calls exceeds
    2^16: a sum over fewer than 2^9 outputs of products of a scale, a deviation and a half.
    """
    case, row = exactly(data.draw(calls(operation))), OPERATIONS[operation]
    if "epsilon" in case.attributes:
        case = case._replace(attributes={"epsilon": 1.0})
    g = data.draw(cotangents(case))
    other = numpy.asarray(numpy.roll(numpy.flip(g), 1))
    mixed, ours, theirs = (
        backward(implementation, case, each) for each in (factor * g + other, g, other)
    )
    floating = flat(array for name, array in case.operands.items() if name not in row.discrete)
    assert [one.shape for one in ours] == [one.shape for one in floating]
    largest = float(abs(g).max(initial=0)) * (abs(factor) + 1)
    for left, one, two in zip(mixed, ours, theirs, strict=True):
        slack = 2.0 ** (8 + 16) * numpy.finfo(one.dtype).eps * largest
        slack = slack if row.rounding == "elementary" else 0.0
        assert (abs(left - (factor * one + two)) <= slack).all()


@pytest.mark.parametrize("operation", OPERATIONS)
@law(among=OPERATIONS, data=st.data())
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

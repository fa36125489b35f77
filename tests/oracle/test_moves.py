"""Real numbers through selections and moves, and calls after calls that resemble them."""

from __future__ import annotations

import numpy
import pytest

import convspec.fast
from convspec.operations import OPERATIONS
from convspec.oracle.call import callee
from convspec.oracle.reference import spec
from convspec.oracle.runner import run
from convspec.oracle.steps.moves import moves, only_moves
from tests.planting import seen

MOVING = [
    operation for name in OPERATIONS for operation in (name, f"{name}_vjp") if only_moves(operation)
]


def test_every_selection_and_every_move_is_here():
    assert {"max_pool", "max_unpool_vjp", "flatten", "relu_vjp", "insert_zeros"} <= {*MOVING}
    assert "adaptive_max_pool_vjp" not in MOVING  # which adds where windows overlap


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", MOVING)
def test_a_correct_implementation_moves_every_bit(operation, dtype):
    element = numpy.dtype(dtype)
    trials = moves(operation, spec(), element, numpy.random.default_rng(0))
    tally = run(operation, callee(convspec.fast, operation), trials, element)
    assert tally.judged == 3
    assert tally.findings == []


@pytest.mark.parametrize("operation", ["flatten", "max_pool", "max_unpool_vjp", "relu"])
def test_float64_that_goes_through_float32_is_seen_by_the_bits_that_are_lost(operation):
    found = seen("float64 computed in float32", operation, "quick")
    assert (found.killed, found.step) == (True, "rounding")


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("cache key lacks the stride", "lp_pool"),
        ("cache key lacks the padding", "depthwise_conv"),
    ],
)
def test_a_plan_that_the_first_call_made_is_seen_in_the_next_one(name, operation):
    found = seen(name, operation, "quick")
    assert found.killed


@pytest.mark.parametrize("operation", ["linear", "depthwise_conv", "locally_connected"])
def test_an_adder_that_truncates_is_seen_in_one_sum(operation):
    found = seen("result truncated toward zero", operation, "quick")
    assert (found.killed, found.step) == (True, "rounding")

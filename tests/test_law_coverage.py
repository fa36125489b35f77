"""Each generic law runs on every operation it applies to: of those left out, it is false.

A law that iterates over the table says which rows it leaves out.  Here every one that it leaves
out shows a counterexample, found by Hypothesis on the definitions.

What is stated of one operation by name, such as the padding, the dilation and the bias of `conv`,
is not repeated for those that other laws say to be that operation with other operands.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import properties.laws
from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.oracle.target import load
from convspec.plugin import Implementation
from convspec.strategies import calls
from properties.laws import COURSE
from properties.laws.conftest import pytest_collection_modifyitems
from properties.laws.exact import exactly
from properties.laws.rewriting import run
from properties.laws.subjects import ADAPTIVE, BIASED, LINEAR, having
from properties.laws.test_batch import (
    BATCHED,
    CHANNELWISE,
    channel,
    has_channels,
    has_items,
    outputs,
    part,
)
from properties.laws.test_linearity import combined
from properties.laws.test_second_derivatives import BILINEAR
from tests.test_strategies import find_any
from tests.valid_calls import shape_of, valid_call

SPEC = Implementation("spec", load("spec"))


def law_tests() -> Iterator[tuple[str, Any]]:
    """Every law, by name."""
    for module in iter_modules(properties.laws.__path__):
        if module.name.startswith("test_"):
            loaded = import_module(f"properties.laws.{module.name}")
            for name, value in vars(loaded).items():
                if name.startswith("test_"):
                    yield f"{module.name}::{name}", value


def test_the_course_has_every_chapter_once() -> None:
    files = [m.name for m in iter_modules(properties.laws.__path__) if m.name.startswith("test_")]
    assert sorted(COURSE) == sorted(files)


def test_laws_run_in_the_order_of_the_course() -> None:
    """Other tests, before, between and after, stay where they are."""
    laws = [f"properties.laws.{name}" for name in sorted(COURSE)]
    given = ["tests.one", *laws[:5], "tests.two", *laws[5:], "tests.three"]
    items: list[Any] = [SimpleNamespace(module=SimpleNamespace(__name__=name)) for name in given]
    pytest_collection_modifyitems([*items, SimpleNamespace()])
    pytest_collection_modifyitems(items)
    ran = [item.module.__name__ for item in items]
    assert [ran[place] for place in (0, 6, -1)] == ["tests.one", "tests.two", "tests.three"]
    assert [name for name in ran if name in laws] == [f"properties.laws.{name}" for name in COURSE]


def test_every_law_is_stated_as_a_theorem() -> None:
    """A docstring says what holds, or what the smallest counterexample is."""
    laws = dict(law_tests())
    assert len(laws) > 200
    assert [name for name, law in laws.items() if not law.__doc__] == []


# Operations whose outputs have no spatial axes, whatever the call.
WITHOUT_SPACE = ("linear", "cross_entropy", "l2_penalty")
WITH_INPUT = [name for name, row in OPERATIONS.items() if "input" in row.operands]

# What each law that names operations could be about: all that have what it speaks of.
DOMAINS = {
    "test_adaptive::test_it_is_ordinary_pooling_where_the_sizes_divide": ADAPTIVE,
    "test_adaptive::test_as_many_outputs_as_positions_change_nothing": ADAPTIVE,
    "test_adaptive::test_every_window_is_a_slice": ADAPTIVE,
    "test_batch::test_the_items_of_a_batch_never_meet": OPERATIONS,
    "test_batch::test_an_empty_batch_gives_an_empty_batch": OPERATIONS,
    "test_batch::test_every_channel_is_treated_alone": OPERATIONS,
    "test_channels::test_groups_are_convolutions_side_by_side": having("groups"),
    "test_channels::test_groups_are_a_block_diagonal_weight": having("groups"),
    "test_convolution::test_both_distribute_over_addition": having("mode"),
    "test_convolution::test_scalars_move_through": having("mode"),
    "test_convolution::test_modes_are_parts_of_the_full_one": having("mode"),
    "test_equivariance::test_windows_move_with_periodic_images": having("stride"),
    "test_equivariance::test_the_interior_moves_by_multiples_of_the_stride": having("stride"),
    "test_equivariance::test_transposing_everything_transposes_the_output": OPERATIONS,
    "test_equivariance::test_mirroring_everything_mirrors_the_output": OPERATIONS,
    "test_geometry::test_a_stride_keeps_one_dense_output_in_s": having("stride"),
    "test_gradients::test_differences_of_a_linear_map_are_its_gradient": OPERATIONS,
    "test_gradients::test_the_gradient_of_a_bias_is_the_sum_of_the_cotangent": BIASED,
    "test_gradients::test_weights_that_sum_to_1_hand_on_the_whole_cotangent": WITH_INPUT,
    "test_gradients::test_a_maximum_hands_its_cotangent_to_its_maxima": [
        *having("kernel_size"),
        *ADAPTIVE,
    ],
    "test_linearity::test_a_cotangent_is_the_adjoint": dict.fromkeys(name for name, _ in LINEAR),
    "test_locality::test_what_is_not_finite_reaches_the_outputs_that_read_it": (
        *("convolve", "correlate", "conv", "conv_transpose", "average_pool"),
    ),
    "test_pooling::test_a_constant_stays_a_constant": WITH_INPUT,
    "test_pooling::test_a_maximum_over_nan_is_nan": [*having("kernel_size"), *ADAPTIVE],
    "test_pooling::test_a_maximum_of_minus_infinities_is_minus_infinity": [
        *having("kernel_size"),
        *ADAPTIVE,
    ],
    "test_pooling::test_ceil_mode_only_adds_at_the_end": having("ceil_mode"),
    "test_pooling::test_a_window_over_everything_is_global_pooling": having("kernel_size"),
    "test_second_derivatives::test_the_vjp_of_a_vjp_is_one_of_the_three_directions": BILINEAR,
    "test_second_derivatives::test_the_curvature_of_a_squared_error": BILINEAR,
    "test_second_derivatives::test_the_curvature_of_an_activation": ("relu", "sigmoid", "tanh"),
    "test_table::test_an_output_has_the_shape_of_the_table_and_the_dtype_of_its_input": OPERATIONS,
    "test_table::test_cotangents_have_the_shapes_of_their_operands_and_are_linear": OPERATIONS,
    "test_table::test_a_call_repeats_and_leaves_its_arguments_alone": OPERATIONS,
}
# Shown below to be false of the operations they leave out.
SHOWN_BELOW = ("test_batch::",)


def subjects() -> Iterator[tuple[str, Any, list[str]]]:
    """Every law that runs on each of some operations, and these."""
    for name, law in law_tests():
        for mark in getattr(law, "pytestmark", ()):
            if mark.name == "parametrize" and mark.args[0] == "operation":
                yield name, law, list(mark.args[1])


SUBJECTS = {name: operations for name, _, operations in subjects()}
LAWS = {name: law for name, law, _ in subjects()}
LEFT_OUT = [
    (name, operation)
    for name, domain in DOMAINS.items()
    for operation in domain
    if operation not in SUBJECTS.get(name, ())
    and not name.startswith(SHOWN_BELOW)
    and not ("test_equivariance" in name and operation in WITHOUT_SPACE)
]


def test_every_law_that_names_operations_says_which_it_could_be_about() -> None:
    assert SUBJECTS.keys() == DOMAINS.keys()
    for name, operations in SUBJECTS.items():
        assert len(set(operations)) == len(operations)
        assert set(operations) <= set(DOMAINS[name]), name


def test_every_operation_has_laws_of_its_own() -> None:
    """Besides those about every row and about batches, some law calls each operation by name."""
    (folder,) = properties.laws.__path__
    sources = {
        path.name: path.read_text(encoding="utf-8")
        for path in Path(folder).glob("test_*.py")
        if path.name not in ("test_table.py", "test_batch.py")
    }
    named = {
        operation
        for name, operations in SUBJECTS.items()
        if not name.startswith(("test_table", "test_batch")) and DOMAINS[name] is not OPERATIONS
        for operation in operations
    }
    for operation in OPERATIONS.keys() - named:
        uses = (f".{operation}(", f'"{operation}"', f"{operation}_vjp(")
        assert [name for name, text in sources.items() if any(use in text for use in uses)]


@pytest.mark.parametrize(("name", "operation"), LEFT_OUT)
def test_a_law_is_false_of_the_operations_it_leaves_out(name: str, operation: str) -> None:
    """Stated of one of them, it fails: some output is another, or there is no such call."""
    law = LAWS[name]
    generous = settings(
        max_examples=300,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    stated = generous(given(**law.strategies)(law.statement))
    with pytest.raises((AssertionError, ValueError)):
        stated(implementation=SPEC, operation=operation)


@pytest.mark.parametrize("operation", WITHOUT_SPACE)
def test_the_operations_without_space_have_none(operation: str) -> None:
    call = valid_call(operation)
    shapes = map(shape_of, call.operands.values())
    assert len(OPERATIONS[operation].shape(*shapes, **call.attributes)) < 3


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

"""Every bad argument is a ValueError or a TypeError that names it, its value and the shapes.

The walk is generated from the table of operations: each operand, each attribute, each way of being
wrong, for the operation and for its `_vjp`.  A row without a valid call below, or an attribute
without bad values, fails the walk.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy
import pytest

import convspec
from convspec.operations import OPERATIONS
from tests.valid_calls import (
    BAD,
    BAD_HERE,
    IMAGE,
    NAMES,
    VALID,
    Call,
    valid_call,
    wrong_shapes,
)

NO_NUMBERS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "texts": lambda shape: numpy.full(shape, "1"),
    "booleans": lambda shape: numpy.ones(shape, bool),
    "complex": lambda shape: numpy.ones(shape, complex),
    "dates": lambda shape: numpy.zeros(shape, "datetime64[s]"),
    "records": lambda shape: numpy.zeros(shape, [("value", float)]),
    "objects: None": lambda shape: numpy.full(shape, None),
    "objects: texts": lambda shape: numpy.full(shape, "1", dtype=object),
    "objects: booleans": lambda shape: numpy.full(shape, True, dtype=object),
    "objects: complex": lambda shape: numpy.full(shape, 1j, dtype=object),
    "objects: arrays": lambda shape: _filled(shape, numpy.ones(2)),
    "ragged lists": lambda shape: [[1, 2], [3]],
    "a text": lambda shape: "input",
    "a set": lambda shape: {1, 2},
    "a function": lambda shape: len,
}


def _filled(shape: tuple[int, ...], element: Any) -> numpy.ndarray:
    array = numpy.empty(shape, dtype=object)
    for index in numpy.ndindex(*shape):
        array[index] = element
    return array


def refusal(call: Call, operands: dict[str, Any], attributes: dict[str, Any]) -> str:
    """The message of the ValueError or TypeError that this call must raise, nothing derived."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call.function(*operands.values(), **attributes)
    assert type(caught.value) in (ValueError, TypeError)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_the_valid_call_is_valid(name):
    """Otherwise every refusal below might be for another reason."""
    call = valid_call(name)
    assert call.function(*call.operands.values(), **call.attributes) is not None
    assert getattr(convspec, name) is call.function


def attribute_names(name: str) -> list[str]:
    """From the signature of the definition: that of a `_vjp` may leave it to the operation."""
    row = OPERATIONS[name.removesuffix("_vjp")]
    return [given for given in signature(row.definition).parameters if given not in row.operands]


BAD_ATTRIBUTES = [
    pytest.param(name, attribute, value, id=f"{name}-{attribute}={value!r}")
    for name in NAMES
    for attribute, value in [
        *((given, value) for given in attribute_names(name) for value in BAD[given]),
        *BAD_HERE.get(name.removesuffix("_vjp"), ()),
    ]
]


@pytest.mark.parametrize(("name", "attribute", "value"), BAD_ATTRIBUTES)
def test_a_bad_attribute_is_named_with_its_value_and_the_shapes(name, attribute, value):
    call = valid_call(name)
    message = refusal(call, call.operands, {**call.attributes, attribute: value})
    # A kernel that does not fit is called the kernel, be it a weight or a kernel_size.
    spoken = "kernel" if attribute == "kernel_size" else attribute
    assert re.search(rf"\b{spoken}", message), message
    assert repr(value) in message, message
    for shape in call.shapes():
        assert shape in message, message


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_attribute_is_named(name):
    call = valid_call(name)
    message = refusal(call, call.operands, {**call.attributes, "strides": 1})
    assert "strides" in message


POOLS = [name for name in NAMES if "kernel_size" in attribute_names(name)]


@pytest.mark.parametrize("name", POOLS)
def test_a_missing_kernel_size_is_named(name):
    call = valid_call(name)
    rest = {key: value for key, value in call.attributes.items() if key != "kernel_size"}
    assert "kernel_size" in refusal(call, call.operands, rest)


@pytest.mark.parametrize("name", POOLS)
def test_padding_that_leaves_a_window_empty_is_named(name):
    call = valid_call(name)
    attributes = {**call.attributes, "kernel_size": 1, "stride": 1, "padding": 1}
    message = refusal(call, call.operands, attributes)
    assert "padding (1, 1) on spatial axis 0 leaves the window at output position 0" in message
    assert str(IMAGE) in message


BAD_ARRAYS = [
    pytest.param(name, operand, kind, id=f"{name}-{operand}-{kind}")
    for name in NAMES
    for operand in valid_call(name).operands
    if operand not in OPERATIONS[name.removesuffix("_vjp")].lists
    for kind in NO_NUMBERS
]


@pytest.mark.parametrize(("name", "operand", "kind"), BAD_ARRAYS)
def test_what_holds_no_numbers_is_named_with_its_shape(name, operand, kind):
    call = valid_call(name)
    value = NO_NUMBERS[kind](numpy.shape(call.operands[operand]))
    message = refusal(call, {**call.operands, operand: value}, call.attributes)
    assert message.startswith(f"{operand} "), message
    if kind == "ragged lists":
        assert "must be rectangular" in message
    else:
        assert f"shape {numpy.shape(value)}" in message
        assert "must hold integers, floats or number-like objects" in message


@pytest.mark.parametrize("name", NAMES)
def test_none_stands_only_for_an_optional_operand(name):
    call = valid_call(name)
    row = OPERATIONS[name.removesuffix("_vjp")]
    for operand in call.operands:
        operands = {**call.operands, operand: None}
        if operand in row.lists:
            assert refusal(call, operands, call.attributes).startswith(f"{operand}=None")
        elif operand in row.optional:
            assert call.function(*operands.values(), **call.attributes) is not None
        else:
            message = refusal(call, operands, call.attributes)
            assert re.match(rf"{operand}\b", message), message


BAD_SHAPES = [
    pytest.param(name, operand, shape, id=f"{name}-{operand}-{shape}")
    for name in NAMES
    for operand in valid_call(name).operands
    if operand not in OPERATIONS[name.removesuffix("_vjp")].lists
    for shape in wrong_shapes(name, operand)
]


@pytest.mark.parametrize(("name", "operand", "shape"), BAD_SHAPES)
def test_a_wrong_shape_is_named_beside_the_others(name, operand, shape):
    call = valid_call(name)
    dtype = call.operands[operand].dtype
    changed = call._replace(operands={**call.operands, operand: numpy.ones(shape, dtype)})
    message = refusal(changed, changed.operands, call.attributes)
    assert f"{operand} has shape {shape}" in message, message
    for other in changed.shapes():
        assert other in message, message


@pytest.mark.parametrize("name", ["spatially_separable_conv", "spatially_separable_conv_vjp"])
@pytest.mark.parametrize(
    "factors",
    [
        3, "ab", {1, 2}, {1: [1], 2: [1]}, numpy.array(1), [], [[1, 2]], [[1], [1], [1]], [[], [1]],
        [[[1, 2]], [1]], [1, [1]], ["ab", [1]], [[True], [1]], [[1j], [1]], [None, [1]],
        [[1], [[1], 2]],
    ],
    ids=repr,
)  # fmt: skip
def test_bad_factors_are_named(name, factors):
    call = valid_call(name)
    message = refusal(call, {**call.operands, "factors": factors}, call.attributes)
    assert message.startswith("factors"), message


def test_a_kernel_beyond_the_padded_input_is_refused():
    message = refusal(
        valid_call("conv"),
        {"input": numpy.ones((1, 1, 5, 3)), "weight": numpy.ones((1, 1, 2, 4))},
        {"padding": ((0, 0), (0, 0)), "stride": 2},
    )
    assert message == (
        "kernel 4 with dilation 1 spans 4 positions on spatial axis 1, but the input with padding "
        "(0, 0) has only 3; input has shape (1, 1, 5, 3), weight has shape (1, 1, 2, 4)"
    )


@pytest.mark.parametrize("name", ["conv_transpose", "conv_transpose_vjp"])
def test_padding_that_crops_the_last_position_is_refused(name):
    """By hand, on the first axis: of (4 - 1) + 2 = 5 positions, cropping 5 leaves none."""
    call = valid_call(name)
    operands = {**call.operands, "input": numpy.ones((2, 4, 4, 6))}
    message = refusal(call, operands, {"padding": ((2, 3), (0, 0)), "groups": 2})
    assert "padding=((2, 3), (0, 0)) crops the output to (0, 8)" in message
    assert "input has shape (2, 4, 4, 6), weight has shape (4, 3, 2, 3)" in message
    forward = valid_call("conv_transpose")
    operands = {**forward.operands, "input": numpy.ones((2, 4, 4, 6))}
    kept = forward.function(*operands.values(), padding=((2, 2), (0, 0)), groups=2)
    assert kept.shape == (2, 6, 1, 8)


@pytest.mark.parametrize("name", ["convolve", "correlate", "convolve_vjp", "correlate_vjp"])
def test_valid_mode_needs_one_operand_inside_the_other(name):
    call = valid_call(name)
    operands = {**call.operands, "f": numpy.ones((4, 2)), "g": numpy.ones((2, 3))}
    message = refusal(call, operands, {"mode": "valid"})
    assert "mode='valid' needs one operand to fit inside the other" in message
    assert "f has shape (4, 2), g has shape (2, 3)" in message


def test_every_operation_has_a_valid_call_and_every_attribute_its_bad_values():
    assert set(VALID) == set(OPERATIONS)
    assert {given for name in OPERATIONS for given in attribute_names(name)} <= set(BAD)

"""Every bad argument is a ValueError or a TypeError that names it, its value and the shapes.

The walk is generated from the table of operations: each operand, each attribute, each way of being
wrong, for the operation and for its `_vjp`.  A row without a valid call below, or an attribute
without bad values, fails the walk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any, NamedTuple

import numpy
import pytest

import convspec
from convspec.operations import OPERATIONS

IMAGE, POOLING = (
    (2, 4, 5, 6),
    {"kernel_size": (2, 3), "stride": (2, 1), "padding": ((1, 0), (1, 1))},
)

# A valid call of each operation on two axes: shapes of all operands, and attributes.
VALID: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, Any]]] = {
    "convolve": ({"f": (4, 5), "g": (2, 3)}, {"mode": "valid"}),
    "correlate": ({"f": (4, 5), "g": (2, 3)}, {"mode": "same"}),
    "conv": (
        {"input": IMAGE, "weight": (6, 2, 2, 3), "bias": (6,)},
        {"stride": (2, 1), "padding": ((1, 0), (1, 1)), "dilation": (1, 2), "groups": 2},
    ),
    "conv_transpose": (
        {"input": IMAGE, "weight": (4, 3, 2, 3), "bias": (6,)},
        {"stride": (2, 1), "padding": ((1, 0), (1, 1)), "output_padding": (1, 0), "groups": 2},
    ),
    "max_pool": ({"input": IMAGE}, POOLING),
    "max_pool_with_indices": ({"input": IMAGE}, POOLING),
    "average_pool": ({"input": IMAGE}, POOLING),
}

NEITHER_INTEGER_NOR_INTEGERS = [
    1.0, 1.5, float("nan"), 1j, "1", "", b"\x01\x01", True, numpy.True_, {1, 2}, {1: 1, 2: 2},
    numpy.array(1), object, (1.0, 1), (1, True), (1, "1"), (1, None), [[1, 1], [1, 1]],
]  # fmt: skip
LENGTHS = [(), (1,), (1, 1, 1)]
FLAGS = [0, 1, "yes", None, 1.0, [True], numpy.array(True)]

# Attribute -> values that are wrong for every operation that has it.
BAD: dict[str, list[Any]] = {
    "stride": [0, -1, (1, 0), (-2, 1), numpy.int8(0), *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "dilation": [0, -1, (1, 0), (-2, 1), None, *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "groups": [0, -1, 3, 2**70, None, *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "output_padding": [-1, 2, (0, 1), (2, 0), None, *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "kernel_size": [0, -1, (2, 0), 9, 10**30, None, *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "padding": [
        *[-1, (0, -1), ((0, -1), (0, 0)), None, 10**30, "same", "FULL", "SAME_UPPER"],
        *NEITHER_INTEGER_NOR_INTEGERS[:-1],  # two pairs are right here
        *[*LENGTHS, ((1, 1),), ((1, 1),) * 3, ((1,), (1,)), ((1, 1, 1),) * 2, (1, (1, 1))],
        *[((1, 1.0), (0, 0)), (("a", "b"), ("c", "d")), (((1, 1), (1, 1)),) * 2, ("ab", "cd")],
    ],
    "ceil_mode": FLAGS,
    "count_include_pad": FLAGS,
    "mode": ["wide", "FULL", "", None, 0, b"full", ["full"], True],
}

# Values that are wrong for one operation, and right for another.
BAD_HERE: dict[str, list[tuple[str, Any]]] = {
    "conv": [("stride", None), ("dilation", 9), ("dilation", 10**30)],
    "conv_transpose": [
        ("stride", None), ("stride", 10**30), ("dilation", 10**30), ("padding", 9),
        ("padding", "valid"), ("padding", "same_upper"), ("padding", "full"),
    ],
    **{
        pool: [("padding", "full"), ("padding", 3), ("dilation", 9), ("dilation", 10**30)]
        for pool in ("max_pool", "max_pool_with_indices", "average_pool")
    },
}  # fmt: skip

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


class Call(NamedTuple):
    """A function of the spec with valid arguments; a `_vjp` takes `cotangent` first."""

    name: str
    function: Callable[..., Any]
    operands: dict[str, Any]
    attributes: dict[str, Any]

    def shapes(self) -> list[str]:
        return [str(numpy.shape(v)) for name, v in self.operands.items() if name != "cotangent"]


def valid_call(name: str) -> Call:
    forward = name.removesuffix("_vjp")
    row = OPERATIONS[forward]
    shapes, attributes = VALID[forward]
    operands = {operand: numpy.ones(shapes[operand]) for operand in row.operands}
    if name == forward:
        return Call(name, row.definition, operands, attributes)
    cotangent = numpy.ones(row.shape(*shapes.values(), **attributes))
    return Call(name, row.vjp, {"cotangent": cotangent, **operands}, attributes)


NAMES = [name + suffix for name in OPERATIONS for suffix in ("", "_vjp")]


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


@pytest.mark.parametrize("name", [name for name in NAMES if "pool" in name])
def test_a_missing_kernel_size_is_named(name):
    call = valid_call(name)
    rest = {key: value for key, value in call.attributes.items() if key != "kernel_size"}
    assert "kernel_size" in refusal(call, call.operands, rest)


@pytest.mark.parametrize("name", [name for name in NAMES if "pool" in name])
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
    for kind in NO_NUMBERS
]


@pytest.mark.parametrize(("name", "operand", "kind"), BAD_ARRAYS)
def test_what_holds_no_numbers_is_named_with_its_shape(name, operand, kind):
    call = valid_call(name)
    value = NO_NUMBERS[kind](call.operands[operand].shape)
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
        if operand in row.optional:
            assert call.function(*operands.values(), **call.attributes) is not None
        else:
            assert refusal(call, operands, call.attributes).startswith(f"{operand} ")


# The sizes that other operands fix, whatever the attributes.
FIXED = {("weight", 0), ("weight", 1), ("bias", 0)}


def wrong_shapes(name: str, operand: str) -> Iterator[tuple[int, ...]]:
    """Too few axes, one too many, and each size in turn 0 or one too large where that is wrong."""
    shape = valid_call(name).operands[operand].shape
    yield ()
    yield shape[:-1]
    yield (*shape, 1)
    for axis, size in enumerate(shape):
        if not (operand == "input" and axis == 0):
            yield (*shape[:axis], 0, *shape[axis + 1 :])
        if (operand, axis) in FIXED or operand == "cotangent":
            yield (*shape[:axis], size + 1, *shape[axis + 1 :])
    if operand == "input" and "pool" not in name:
        yield (shape[0], shape[1] + 1, *shape[2:])


BAD_SHAPES = [
    pytest.param(name, operand, shape, id=f"{name}-{operand}-{shape}")
    for name in NAMES
    for operand in valid_call(name).operands
    for shape in wrong_shapes(name, operand)
]


@pytest.mark.parametrize(("name", "operand", "shape"), BAD_SHAPES)
def test_a_wrong_shape_is_named_beside_the_others(name, operand, shape):
    call = valid_call(name)
    changed = call._replace(operands={**call.operands, operand: numpy.ones(shape)})
    message = refusal(changed, changed.operands, call.attributes)
    assert f"{operand} has shape {shape}" in message, message
    for other in changed.shapes():
        assert other in message, message


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

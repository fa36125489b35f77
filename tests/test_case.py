"""Cases: normalised attributes say the same call, whatever the spelling."""

from __future__ import annotations

from inspect import Parameter

import numpy
import pytest

from convspec.case import Case, attribute_defaults, call_windows, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.window import Window
from tests.valid_calls import NAMES, VALID, filled, shape_of


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_and_vjp_has_its_forward_name(name):
    assert forward_name(name) in OPERATIONS


def test_defaults_come_from_the_signature():
    assert attribute_defaults("conv_vjp") == {
        "stride": 1,
        "padding": 0,
        "dilation": 1,
        "groups": 1,
    }
    assert attribute_defaults("max_pool")["kernel_size"] is Parameter.empty


@pytest.mark.parametrize(
    "attributes",
    [
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"stride": [2, 2], "padding": [1, 1], "output_padding": [1, 1], "groups": 1},
        {"stride": numpy.int64(2), "padding": numpy.ones((2, 2), int), "output_padding": (1, 1)},
        {"stride": (2, 2), "padding": ((1, 1), (1, 1)), "output_padding": numpy.int8(1)},
    ],
)
def test_every_spelling_of_conv_transpose_is_the_same(attributes):
    shapes = {"input": (1, 2, 3, 3), "weight": (2, 2, 3, 3)}
    found = normalised("conv_transpose", shapes, attributes)
    assert found == {
        "stride": (2, 2),
        "padding": ((1, 1), (1, 1)),
        "output_padding": (1, 1),
        "dilation": (1, 1),
        "groups": 1,
    }
    assert all(type(entry) is int for entry in (*found["stride"], *found["output_padding"]))


def test_a_pooling_gets_its_stride_and_its_pairs():
    found = normalised(
        "average_pool_vjp", {"input": (1, 1, 5, 6)}, {"kernel_size": 3, "padding": "same_lower"}
    )
    assert found == {
        "kernel_size": (3, 3),
        "stride": (3, 3),
        "padding": ((1, 0), (0, 0)),
        "dilation": (1, 1),
        "ceil_mode": False,
        "count_include_pad": False,
    }


def test_a_mode_is_all_that_convolve_has():
    assert normalised("convolve", {"f": (3,), "g": (2,)}, {"mode": "same"}) == {"mode": "same"}
    assert normalised("correlate_vjp", {"f": (3,), "g": (2,)}, {}) == {"mode": "full"}


def test_a_word_becomes_pairs_that_compute_the_same():
    rng = numpy.random.default_rng(60)
    x, w = rng.integers(-9, 9, (1, 2, 7, 6)), rng.integers(-9, 9, (3, 2, 4, 3))
    conv = OPERATIONS["conv"].definition
    for word in ("valid", "same_upper", "same_lower", "full"):
        given = {"padding": word, "stride": (3, 2), "dilation": (1, 2)}
        pairs = normalised("conv", {"input": x.shape, "weight": w.shape}, given)
        assert numpy.array_equal(conv(x, w, **given), conv(x, w, **pairs)), word


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_normalising_twice_changes_nothing_and_the_call_computes_the_same(name):
    row = OPERATIONS[name]
    rng = numpy.random.default_rng(61)
    operands = filled(name, lambda shape: rng.integers(-9, 9, shape))
    shapes = {operand: shape_of(value) for operand, value in operands.items()}
    _, attributes = VALID[name]
    once = normalised(name, shapes, attributes)
    assert normalised(name, shapes, once) == once
    assert set(once) == set(attribute_defaults(name))
    spelled = row.definition(*operands.values(), **attributes)
    regular = row.definition(*operands.values(), **once)
    if row.outputs == 1:
        spelled, regular = (spelled,), (regular,)
    for ours, theirs in zip(spelled, regular, strict=True):
        assert numpy.array_equal(ours, theirs)


def test_a_missing_kernel_size_stays_an_error():
    with pytest.raises(TypeError, match="kernel_size"):
        normalised("max_pool", {"input": (1, 1, 4)}, {})


def test_a_bad_attribute_stays_an_error():
    with pytest.raises(ValueError, match="stride=0: must be at least 1; input has shape"):
        normalised("conv", {"input": (1, 1, 4), "weight": (1, 1, 2)}, {"stride": 0})


def test_the_windows_of_a_call():
    shapes = {"input": (1, 2, 5), "weight": (2, 2, 3), "bias": (2,)}
    assert call_windows("conv", shapes, {"stride": 2}) == (Window(3, 2),)
    assert call_windows("conv_transpose", shapes, {"padding": 1}) == (Window(3, 1, 1, 1),)
    pooling = {"kernel_size": 2, "ceil_mode": True, "count_include_pad": True}
    expected = (Window(2, 2, ceil=True),)
    assert call_windows("average_pool", {"input": (1, 2, 5)}, pooling) == expected


def test_a_case_is_a_plain_record():
    operands = {"f": numpy.ones(2), "g": numpy.ones(1)}
    case = Case("convolve", operands, {"mode": "full"})
    assert case == ("convolve", operands, {"mode": "full"})

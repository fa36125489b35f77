"""The oracle's own values on calls small enough to look at, beside the definition's."""

from __future__ import annotations

from math import inf, prod

import numpy
import pytest

from convspec.case import Case, flat, grouped, normalised
from convspec.operations import OPERATIONS
from convspec.oracle import expected
from convspec.oracle.reference import outputs_of
from convspec.oracle.rounding.bounds import slack
from tests.oracle.definitions import is_equal


def numbers(*shape):
    """Integers from -5 to 5 in an order without a pattern, zeros and equal ones among them."""
    return (numpy.arange(prod(shape)) * 7 % 11 - 5).astype("float32").reshape(shape)


def pooled(**attributes):
    given = {"kernel_size": (2, 3), "stride": (2, 1), "padding": ((1, 0), (1, 1))}
    return {"input": numbers(2, 2, 5, 4)}, {**given, **attributes}


LOWEST = {"input": numpy.full((1, 1, 3), -inf, "float32")}
LARGE = {"input": numpy.array([[-1000.0, 1000.0]], "float32")}
CALLS = [
    (
        "conv",
        {"input": numbers(2, 4, 5), "weight": numbers(6, 2, 3), "bias": numbers(6)},
        {"stride": (2,), "padding": ((1, 2),), "groups": 2},
    ),
    ("conv", {"input": numbers(1, 2, 3, 4), "weight": numbers(2, 2, 2, 3)}, {}),
    ("conv", {"input": numbers(1, 1, 5), "weight": numbers(1, 1, 2)}, {"dilation": (2,)}),
    (
        "conv_transpose",
        {"input": numbers(2, 4, 3), "weight": numbers(4, 3, 2), "bias": numbers(6)},
        {"stride": (3,), "padding": ((0, 1),), "output_padding": (1,), "groups": 2},
    ),
    ("conv_transpose", {"input": numbers(1, 2, 2, 3), "weight": numbers(2, 1, 3, 2)}, {}),
    (
        "conv_transpose",
        {"input": numbers(1, 1, 4), "weight": numbers(1, 1, 3)},
        {"stride": (2,), "padding": ((2, 1),)},
    ),
    *(
        (name, {"f": f, "g": g}, mode)
        for name in ("convolve", "correlate")
        for f, g, mode in (
            (numbers(5), numbers(3), {}),
            (numbers(5), numbers(3), {"mode": "valid"}),
            (numbers(3, 4), numbers(2, 3), {"mode": "same"}),
        )
    ),
    ("max_pool", *pooled()),
    ("max_pool_with_indices", *pooled()),
    ("max_pool_with_indices", LOWEST, {"kernel_size": (2,), "padding": ((1, 0),)}),
    ("average_pool", *pooled()),
    ("average_pool", *pooled(count_include_pad=True, ceil_mode=True)),
    ("lp_pool", *pooled()),
    ("lp_pool", *pooled(p=3.0)),
    ("lp_pool", {"input": numpy.array([[[0.0, 0.0, 3.0, -4.0]]])}, {"kernel_size": (2,)}),
    ("lp_pool", {"input": numpy.array([[[1e-200, 0.0]]])}, {"kernel_size": (2,)}),
    ("distance_weighted_pool", *pooled()),
    ("adaptive_max_pool", {"input": numbers(2, 3, 5, 4)}, {"output_size": (3, 2)}),
    ("adaptive_max_pool", LOWEST, {"output_size": (2,)}),
    ("adaptive_average_pool", {"input": numbers(2, 3, 5, 4)}, {"output_size": (3, 2)}),
    ("spatial_pyramid_pool", {"input": numbers(2, 3, 5, 4)}, {"levels": (1, 3)}),
    (
        "spatial_pyramid_pool",
        {"input": numbers(2, 3, 5, 4)},
        {"levels": (1, 2, 3), "kind": "average"},
    ),
    ("upsample", {"input": numbers(2, 2, 3, 2)}, {"scale": (2, 3)}),
    ("upsample", {"input": numbers(2, 2, 3, 2)}, {"scale": (2, 3), "kind": "linear"}),
    (
        "upsample",
        {"input": numbers(2, 2, 3, 2)},
        {"scale": (2, 3), "kind": "linear", "coordinates": "align_corners"},
    ),
    *(
        (
            "resize_conv",
            {"input": numbers(1, 2, 3), "weight": numbers(2, 2, 2), **bias},
            {"scale": (2,), "kind": "linear", "padding": ((1, 0),)},
        )
        for bias in ({}, {"bias": numbers(2)})
    ),
    ("insert_zeros", {"input": numbers(2, 1, 3, 2)}, {"count": (1, 2)}),
    ("pixel_shuffle", {"input": numbers(2, 12, 2, 3)}, {"factor": (2, 3)}),
    (
        "max_unpool",
        {"values": numpy.array([[[5.0, 5.0, 7.0]]]), "indices": numpy.array([[[3, 3, 0]]])},
        {"output_size": (4,)},
    ),
    (
        "max_unpool",
        {"values": numbers(1, 2, 1, 2), "indices": numpy.array([[[[0, 3]], [[2, 1]]]])},
        {"output_size": (2, 2)},
    ),
    (
        "max_unpool",
        {
            "values": numpy.array([[[5.0, 7.0, 5.0], [1.0, 2.0, 3.0]]]),
            "indices": numpy.array([[[3, 0, 3], [1, 2, 0]]]),
        },
        {"output_size": (4,)},
    ),
    ("flatten", {"input": numbers(2, 3, 2, 2)}, {}),
    (
        "depthwise_conv",
        {"input": numbers(2, 3, 4), "weight": numbers(6, 1, 2), "bias": numbers(6)},
        {"padding": ((1, 0),)},
    ),
    *(
        (name, {**operands, **bias}, attributes)
        for bias in ({}, {"bias": numbers(2)})
        for name, operands, attributes in (
            ("pointwise_conv", {"input": numbers(2, 3, 4, 2), "weight": numbers(2, 3)}, {}),
            (
                "depthwise_separable_conv",
                {
                    "input": numbers(2, 3, 4),
                    "depthwise": numbers(6, 1, 2),
                    "pointwise": numbers(2, 6),
                },
                {"stride": (2,)},
            ),
            ("linear", {"input": numbers(3, 4), "weight": numbers(2, 4)}, {}),
        )
    ),
    (
        "spatially_separable_conv",
        {"input": numbers(2, 3, 4, 5), "factors": [numbers(2), numbers(3)]},
        {"padding": ((1, 0), (0, 1))},
    ),
    (
        "spatially_separable_conv",
        {"input": numbers(1, 2, 3, 4, 2), "factors": [numbers(2), numbers(3), numbers(2)]},
        {},
    ),
    (
        "locally_connected",
        {"input": numbers(2, 2, 4), "weight": numbers(3, 2, 3, 2), "bias": numbers(3, 3)},
        {},
    ),
    (
        "locally_connected",
        {"input": numbers(1, 2, 3, 5), "weight": numbers(2, 2, 2, 3, 2, 3)},
        {},
    ),
    (
        "locally_connected",
        {"input": numbers(2, 2, 3), "weight": numbers(3, 2, 3, 2)},
        {"padding": ((1, 0),)},
    ),
    *((name, {"input": numbers(2, 4)}, {}) for name in ("relu", "sigmoid", "tanh")),
    *((name, LARGE, {}) for name in ("sigmoid", "tanh", "softmax")),
    ("softmax", {"input": numbers(2, 3, 2)}, {}),
    ("softmax", {"input": numbers(2, 3, 2)}, {"axis": 2}),
    ("softmax", {"input": numbers(0, 3)}, {}),
    ("dropout", {"input": numbers(2, 2), "mask": numpy.array([[1, 0], [0, 1]])}, {"rate": 0.25}),
    ("cross_entropy", {"logits": numbers(3, 4), "labels": numpy.array([0, 3, 1])}, {}),
    ("l2_penalty", {"weight": numbers(2, 3)}, {"strength": 0.5}),
    (
        "batch_norm",
        {
            "input": numbers(2, 3, 4),
            "mean": numbers(3),
            "variance": numpy.array([1.0, 2.0, 3.0]),
            "scale": numbers(3) + 1,
            "shift": numbers(3) - 1,
        },
        {"epsilon": 0.5},
    ),
    (
        "local_response_normalization",
        {"input": numbers(2, 5, 2)},
        {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 2.0},
    ),
    (
        "local_response_normalization",
        {"input": numbers(1, 5, 2, 3)},
        {"size": 4, "alpha": 0.5, "beta": 0.75, "k": 2.0},
    ),
]


def in_double_precision(operand):
    """An operand, or each of a list, in float64 where it is in float32."""
    if isinstance(operand, list):
        return [in_double_precision(part) for part in operand]
    return operand.astype(float) if operand.dtype.kind == "f" else operand


def assert_same(found, right, operation, operands, attributes):
    """Equal where nothing rounds, and else as near as two correct results in float64 are."""
    given = flat(operands)
    shapes = {name: numpy.shape(array) for name, array in given.items() if name != "cotangent"}
    case = Case(operation, given, normalised(operation, grouped(operation, shapes), attributes))
    allowed = slack(case, getattr(expected, operation)) or [None] * len(right)
    for one, other, near in zip(found, right, allowed, strict=True):
        assert one.dtype in (numpy.float64, numpy.intp)
        assert is_equal(one, other, near)


@pytest.mark.parametrize(
    ("operation", "operands", "attributes"), CALLS, ids=[name for name, *_ in CALLS]
)
def test_a_value_and_its_cotangents_are_those_of_the_definition(operation, operands, attributes):
    row = OPERATIONS[operation]
    doubled = {name: in_double_precision(operand) for name, operand in operands.items()}
    right = outputs_of(row.definition(*doubled.values(), **attributes))
    found = outputs_of(getattr(expected, operation)(*operands.values(), **attributes))
    assert_same(found, right, operation, doubled, attributes)
    # Odd numbers, none of them 0, and other ones than those of the input.
    back, g = f"{operation}_vjp", 2 * numbers(*numpy.shape(right[0])) + 1
    doubled = {"cotangent": in_double_precision(g), **doubled}
    right = outputs_of(row.vjp(*doubled.values(), **attributes))
    found = outputs_of(getattr(expected, back)(g, *operands.values(), **attributes))
    assert_same(found, right, back, doubled, attributes)

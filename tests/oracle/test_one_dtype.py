"""A mistake in one half type, at one value of one attribute, is found at `standard`."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from convspec import fast
from convspec.oracle import check
from tests.oracle.implementations import offering


def confined(operation, dtype, attribute, value):
    """The fast twin, whose first result is wrong by 1 where an axis has this value, in a dtype."""

    def function(*operands, **attributes):
        result = getattr(fast, operation)(*operands, **attributes)
        given = attributes[attribute]
        there = value in (given if isinstance(given, tuple) else (given,))
        if operands[0].dtype.name != dtype or not there:
            return result
        if isinstance(result, tuple):
            return (result[0] + result[0].dtype.type(1), *result[1:])
        return result + result.dtype.type(1)

    return function


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ml_dtypes") is None, reason="needs convspec[bfloat16]")
@pytest.mark.parametrize(
    ("operation", "dtype", "attribute", "value"),
    [
        ("conv", "float16", "stride", 2),
        ("conv", "bfloat16", "dilation", 3),
        ("conv_vjp", "bfloat16", "padding", (2, 1)),
        ("conv_transpose", "float16", "output_padding", 2),
        ("conv_transpose_vjp", "bfloat16", "stride", 3),
        ("max_pool_vjp", "float16", "kernel_size", 4),
        ("average_pool", "bfloat16", "ceil_mode", True),
        ("depthwise_conv", "float16", "dilation", 2),
        ("upsample", "bfloat16", "coordinates", "align_corners"),
    ],
)
def test_a_mistake_in_one_dtype_at_one_value_is_found(operation, dtype, attribute, value):
    function = confined(operation, dtype, attribute, value)
    planted = offering(**{operation: function})
    report = check(planted, [operation], dtypes=["float32", dtype])
    assert report[operation].status == "differs"
    assert {found.dtype for found in report[operation].differences} == {dtype}
    without = check(planted, [operation], dtypes=["float32"], level="quick")
    assert without[operation].status == "conforms"

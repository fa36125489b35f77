"""What a package lacks is unsupported, what it would repeat is refused, and results stay."""

import numpy
import pytest

import convspec
from tests.adapters.compiled import adapter, agree, case


@pytest.mark.parametrize(
    ("target", "operation", "rank", "change", "reason"),
    [
        ("onnxruntime", "max_pool", 1, {"padding": ((4, 0),)}, "less than its kernel"),
        ("opencv", "max_pool_with_indices", 1, {}, "two dimensions"),
        ("jax", "conv_transpose", 2, {}, "no groups"),
        ("skimage", "max_pool", 1, {}, "the stride is the kernel"),
        ("skimage", "max_pool", 1, {"stride": (4,)}, "neither padding nor dilation"),
        ("jax", "max_pool", 2, {}, "no ceil mode"),
        ("jax", "average_pool", 2, {}, "no ceil mode"),
        ("mlx", "conv", 3, {}, "no kernel for this type or grouping"),
        ("mlx", "conv_transpose", 2, {}, "no groups"),
        ("mlx", "conv_transpose", 2, {"groups": 1}, "both sides"),
        ("mlx", "max_pool", 2, {}, "neither ceil mode nor dilation"),
        ("mlx", "average_pool", 1, {"padding": ((1, 1),), "count_include_pad": False}, "count"),
        ("paddle", "max_pool", 2, {}, "no dilation"),
        ("paddle", "average_pool", 2, {}, "no dilation"),
        ("tensorflow", "conv", 2, {}, "not both"),
        ("tensorflow", "conv", 3, {"dilation": (1, 1, 1)}, "no groups"),
        ("tensorflow", "conv_transpose", 2, {}, "no groups"),
        ("tensorflow", "conv_transpose", 2, {"groups": 1}, "two words alone"),
        ("tensorflow", "max_pool", 1, {}, "no ceil mode"),
        (
            "tensorflow",
            "average_pool",
            1,
            {"ceil_mode": False, "count_include_pad": False},
            "no amount of padding",
        ),
        (
            "openvino:float32",
            "average_pool",
            1,
            {"padding": ((4, 0),), "count_include_pad": False},
            "less than the kernel",
        ),
    ],
)
def test_what_a_package_lacks_is_unsupported(target, operation, rank, change, reason):
    operands, attributes = case(operation, rank, "float32")
    with pytest.raises(NotImplementedError, match=reason):
        getattr(adapter(target), operation)(*operands, **{**attributes, **change})


def test_onnxruntime_has_no_double_convolution():
    operands, attributes = case("conv", 1, "float64")
    with pytest.raises(NotImplementedError, match="no kernel for this type"):
        adapter("onnxruntime").conv(*operands, **attributes)


@pytest.mark.parametrize("target", ["openvino:float32", "jax"])
def test_a_bias_that_would_repeat_is_refused(target):
    operands, attributes = case("conv", 1, "float32")
    operands[2] = operands[2][:1]
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        adapter(target).conv(*operands, **attributes)


@pytest.mark.parametrize(
    "target", ["onnxruntime", "onnx-reference", "openvino:float32", "opencv", "jax", "tensorflow"]
)
def test_a_missing_bias_and_views_are_taken_and_results_kept(target):
    implementation = adapter(target)
    (input, weight, _), attributes = case("conv", 2, "float32", ("stride", "groups"))
    expected = convspec.conv(input, weight, **attributes)
    flipped = numpy.flip(numpy.flip(input).copy())
    actual = implementation.conv(flipped, weight, **attributes)
    agree(numpy.asarray(actual), expected)
    implementation.conv(input + 1, weight, **attributes)
    agree(numpy.asarray(actual), expected)

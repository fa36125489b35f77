"""The least that the adapter of each compiled framework must offer, so that one that gives up
cannot look conforming: with all switched on that its package has.
"""

import pytest

import convspec
from convspec.oracle.target import operations_offered
from tests.adapters.compiled import NEEDS, adapter, agree, case, integers

ALL = [1, 2, 3]
BOTH = ["float32", "float64"]
NARROW = ["float32"]
HALF = ["float16", "float32"]
EVERY = ["float64", "float32", "float16", "bfloat16"]
POOLED = ("padding", "dilation", "ceil_mode")
TRANSPOSED = ("groups", "padding", "output_padding", "dilation")
# Target, operation, ranks, dtypes, and what the package lacks.
COVERED = [
    ("onnxruntime", "conv", ALL, HALF, ()),
    ("onnxruntime", "conv_transpose", ALL, HALF, ()),
    ("onnxruntime", "max_pool", ALL, [*HALF, "float64"], ()),
    ("onnxruntime", "max_pool_with_indices", ALL, [*HALF, "float64"], ()),
    ("onnxruntime", "average_pool", ALL, HALF, ()),
    ("onnx-reference", "conv", ALL, BOTH, ()),
    ("onnx-reference", "conv_transpose", ALL, BOTH, ("groups",)),
    ("onnx-reference", "max_pool", ALL, BOTH, ()),
    ("onnx-reference", "max_pool_with_indices", ALL, BOTH, ()),
    ("onnx-reference", "average_pool", ALL, BOTH, ("padding", "ceil_mode")),
    ("openvino:float32", "conv", ALL, NARROW, ()),
    ("openvino:float32", "conv_transpose", ALL, NARROW, ()),
    ("openvino:float32", "max_pool", ALL, NARROW, ()),
    ("openvino:float32", "max_pool_with_indices", ALL, NARROW, ()),
    ("openvino:float32", "average_pool", ALL, NARROW, ("ceil_mode",)),
    ("opencv", "conv", ALL, NARROW, ()),
    ("opencv", "conv_transpose", ALL, NARROW, ()),
    ("opencv", "max_pool", ALL, NARROW, ()),
    ("opencv", "average_pool", ALL, NARROW, ("ceil_mode",)),
    ("jax", "conv", ALL, EVERY, ()),
    ("jax", "conv_transpose", ALL, EVERY, ("groups",)),
    ("jax", "max_pool", ALL, EVERY, ("ceil_mode",)),
    ("jax", "average_pool", ALL, EVERY, ("ceil_mode",)),
    ("mlx", "conv", [1, 2], HALF, ()),
    ("mlx", "conv", [3], HALF, ("groups",)),
    ("mlx", "conv_transpose", ALL, HALF, TRANSPOSED[:3]),
    ("mlx", "max_pool", ALL, [*HALF, "float64"], POOLED),
    ("mlx", "average_pool", ALL, [*HALF, "float64"], POOLED),
    ("paddle", "conv", ALL, BOTH, ()),
    ("paddle", "conv_transpose", ALL, BOTH, ()),
    ("paddle", "max_pool", ALL, BOTH, ("dilation",)),
    ("paddle", "average_pool", ALL, BOTH, ("dilation", "padding", "ceil_mode")),
    ("tensorflow", "conv", [1, 2], EVERY, ("stride",)),
    ("tensorflow", "conv", [1, 2], EVERY, ("dilation",)),
    ("tensorflow", "conv", [3], EVERY, ("stride", "groups")),
    ("tensorflow", "conv_transpose", ALL, EVERY, TRANSPOSED),
    ("tensorflow", "max_pool", [1, 2], EVERY, ("dilation", "ceil_mode")),
    ("tensorflow", "max_pool", [3], ["float32", "bfloat16"], ("dilation", "ceil_mode")),
    ("tensorflow", "average_pool", [1, 2], EVERY, ("dilation", "ceil_mode")),
    ("tensorflow", "average_pool", [3], ["float32", "bfloat16"], ("dilation", "ceil_mode")),
]
CASES = [
    (target, operation, rank, dtype, lacks)
    for target, operation, ranks, dtypes, lacks in COVERED
    for rank in ranks
    for dtype in dtypes
]
NAMES = ["target", "operation", "rank", "dtype", "lacks"]


@pytest.mark.parametrize(NAMES, CASES)
def test_operations_are_covered(target, operation, rank, dtype, lacks):
    implementation = adapter(target)  # which brings NumPy its bfloat16
    operands, attributes = case(operation, rank, dtype, lacks)
    actual = getattr(implementation, operation)(*operands, **attributes)
    expected = getattr(convspec, operation)(*operands, **attributes)
    agree(actual, expected)


DIFFERENTIATED = {"jax", "mlx", "paddle", "tensorflow"}


@pytest.mark.parametrize(NAMES, [row for row in CASES if row[0] in DIFFERENTIATED])
def test_gradients_are_covered(target, operation, rank, dtype, lacks):
    implementation = adapter(target)
    if (target, operation) == ("jax", "max_pool"):
        lacks = (*lacks, "dilation")  # JAX differentiates no dilated maximum
    if (target, operation) == ("tensorflow", "conv") and dtype != "float32":
        lacks = (*lacks, "groups")  # which oneDNN alone differentiates
    operands, attributes = case(operation, rank, dtype, lacks)
    shape = getattr(convspec, operation)(*operands, **attributes).shape
    # Multiples of every divisor, so that shares of an average are integers.
    cotangent = 64 * integers(*shape, dtype=dtype)
    name = f"{operation}_vjp"
    actual = getattr(implementation, name)(cotangent, *operands, **attributes)
    agree(tuple(actual), getattr(convspec, name)(cotangent, *operands, **attributes))


# Operations with tests of their own, beside those of COVERED.
APART = {
    "jax": {"convolve", "correlate"},
    "mlx": {"convolve"},
    "opencv": {"correlate", "max_pool_with_indices"},
    "paddle": {"max_pool_with_indices"},
    "skimage": {"average_pool", "correlate", "max_pool", "upsample"},
}


@pytest.mark.parametrize("target", NEEDS)
def test_every_operation_that_is_offered_has_its_least(target):
    # `openvino` is `openvino:float32` but for its precision.
    named = {"openvino": "openvino:float32"}.get(target, target)
    stated = {row[1] for row in COVERED if row[0] == named} | APART.get(target, set())
    if target in DIFFERENTIATED:
        undifferentiated = {"convolve"} if target == "mlx" else set()
        stated |= {f"{operation}_vjp" for operation in stated - undifferentiated}
    assert set(operations_offered(adapter(target))) == stated

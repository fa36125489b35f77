"""The adapters of compiled frameworks, and calls to try them on, few and exact.

What the whole space holds is the oracle's business.  A package that is not installed is skipped by
the name of its extra.
"""

import warnings

import numpy
import pytest

import convspec
from convspec.case import normalised
from convspec.oracle.target import load

SEED = 20240301

# The module that a target needs, and the extra that installs it.
NEEDS = {
    "onnxruntime": ("onnxruntime", "onnxruntime"),
    "onnx-reference": ("onnx", "onnx"),
    "openvino:float32": ("openvino", "openvino"),
    "openvino": ("openvino", "openvino"),
    "opencv": ("cv2", "opencv"),
    "jax": ("jax", "jax"),
    "mlx": ("mlx", "mlx"),
    "paddle": ("paddle", "paddle"),
    "tensorflow": ("tensorflow", "tensorflow"),
    "skimage": ("skimage", "skimage"),
}


def adapter(target):
    module, extra = NEEDS[target]
    with warnings.catch_warnings():
        # What a framework says about its own dependencies when it is imported.
        warnings.simplefilter("ignore")
        pytest.importorskip(module, reason=f"needs convspec[{extra}]")
        return load(target)


# Entries whose sums of products are exact in a half type.
LARGEST = {"float16": 2, "bfloat16": 1}


def integers(*shape, dtype="float32"):
    largest = LARGEST.get(dtype, 9)
    return numpy.random.default_rng(SEED).integers(-largest, largest + 1, shape).astype(dtype)


def distinct(*shape, dtype="float32"):
    """No two equal: which of several maxima receives a cotangent is an open point."""
    values = numpy.random.default_rng(SEED).permutation(numpy.prod(shape)).reshape(shape)
    if dtype == "bfloat16":  # it holds few integers; what follows 1 in it are 1, 1.0078125, ...
        return (values + 0x3F80).astype("uint16").view(dtype)
    return values.astype(dtype)


def agree(actual, expected):
    actual = actual if isinstance(actual, tuple) else (actual,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert isinstance(a, numpy.ndarray)
        assert a.dtype == e.dtype
        numpy.testing.assert_array_equal(a, e)


def case(operation, rank, dtype, lacks=()):
    """Operands and attributes with everything switched on but what `lacks` names."""
    size, kernel = (7, 6, 5)[:rank], (4, 2, 2)[:rank]
    groups = 1 if "groups" in lacks else 2
    attributes = {
        "stride": (3, 1, 2)[:rank],
        "padding": ((1, 2), (0, 1), (1, 0))[:rank],
        "dilation": (1, 2, 1)[:rank],
    }
    if "conv" in operation:
        shape = (6, 4 // groups) if operation == "conv" else (4, 6 // groups)
        shapes = [(2, 4, *size), (*shape, *kernel), (6,)]
        operands = [integers(*shape, dtype=dtype) for shape in shapes]
        attributes["groups"] = groups
        if operation == "conv_transpose":
            attributes["output_padding"] = (2, 0, 1)[:rank]
    else:
        # Sums of integers, and sixteenths of them, are exact; maxima must not be equal.
        drawn = integers if operation == "average_pool" else distinct
        operands = [drawn(2, 3, *size, dtype=dtype)]
        attributes |= {"kernel_size": kernel, "ceil_mode": True}
        if operation == "average_pool":
            attributes["count_include_pad"] = True
            if "ceil_mode" not in lacks:
                attributes["padding"] = ((1, 1), (1, 1), (0, 1))[:rank]
    attributes = {name: value for name, value in attributes.items() if name not in lacks}
    names = convspec.OPERATIONS[operation].operands
    shapes = {name: array.shape for name, array in zip(names, operands, strict=False)}
    return operands, normalised(operation, shapes, attributes)

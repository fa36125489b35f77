"""The definitions against ONNX's node vectors for the operations beyond convolution and pooling.

LpPool, the global pools, MaxUnpool, Resize in the modes defined here, DepthToSpace,
BatchNormalization, LRN, Softmax, Dropout at inference, Relu, Sigmoid, Tanh and Flatten.  (ONNX
has no vector of GlobalLpPool.)  Moves and selections are compared exactly; the others within the
roundings of both sides, which are single precision at worst.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import Any, NamedTuple

import numpy
import pytest

import convspec

pytest.importorskip("onnx", reason="the vectors are those of the package onnx, not installed here")

U = 2.0**-24
# At least these many, as of onnx 1.23: a later version may add some, none may vanish.
AT_LEAST = {
    "LpPool": 8,
    "GlobalAveragePool": 2,
    "GlobalMaxPool": 2,
    "MaxUnpool": 2,
    "Resize": 6,
    "DepthToSpace": 2,
    "BatchNormalization": 2,
    "LRN": 2,
    "Softmax": 7,
    "Dropout": 6,
    "Relu": 1,
    "Sigmoid": 2,
    "Tanh": 2,
    "Flatten": 2,
}


class Vector(NamedTuple):
    """One data set of one node: `attributes` as ONNX spells them, absent inputs None."""

    name: str
    attributes: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]


def gathered() -> dict[str, list[Vector]]:
    from onnx.backend.test.case.node import collect_testcases
    from onnx.helper import get_attribute_value

    with warnings.catch_warnings():
        # Collecting computes the vectors of every operator; some overflow on purpose.
        warnings.simplefilter("ignore", RuntimeWarning)
        cases = collect_testcases()
    found: dict[str, list[Vector]] = {operator: [] for operator in AT_LEAST}
    for case in cases:
        node, *others = case.model.graph.node
        if others or node.op_type not in AT_LEAST or case.name.endswith("_training_mode"):
            continue
        attributes = {item.name: get_attribute_value(item) for item in node.attribute}
        for inputs, outputs in case.data_sets:
            given = iter(inputs)
            slots = [next(given) if name else None for name in node.input]
            found[node.op_type].append(Vector(case.name, attributes, slots, outputs))
    return found


@pytest.fixture(scope="module")
def vectors() -> dict[str, list[Vector]]:
    return gathered()


def within(actual, expected, roundings, magnitude=None):
    """Equal but for so many single-precision roundings of the magnitude, on each side."""
    size = abs(numpy.asarray(expected, float)) if magnitude is None else magnitude
    difference = abs(numpy.asarray(actual, float) - numpy.asarray(expected, float))
    assert numpy.shape(actual) == numpy.shape(expected)
    assert (difference <= 2 * roundings * U * size).all()


def test_lp_pool(vectors):
    assert len(vectors["LpPool"]) >= AT_LEAST["LpPool"]
    for vector in vectors["LpPool"]:
        (x,), given = vector.inputs, vector.attributes
        rank = x.ndim - 2
        padding = {b"SAME_UPPER": "same_upper", b"SAME_LOWER": "same_lower"}.get(
            given.get("auto_pad", b"NOTSET")
        )
        pads = given.get("pads", [0] * 2 * rank)
        kernel = given["kernel_shape"]
        y = convspec.lp_pool(
            x,
            p=given.get("p", 2),
            kernel_size=kernel,
            stride=given.get("strides", 1),
            dilation=given.get("dilations", 1),
            padding=padding or list(zip(pads[:rank], pads[rank:], strict=True)),
            ceil_mode=bool(given.get("ceil_mode", 0)),
        )
        # A power of each element, their sum and a root of it, of at most 4 ulps each.
        within(y, vector.outputs[0], prod(kernel) + 8)


def test_global_pools(vectors):
    for operator, pool in (
        ("GlobalAveragePool", convspec.adaptive_average_pool),
        ("GlobalMaxPool", convspec.adaptive_max_pool),
    ):
        assert len(vectors[operator]) >= AT_LEAST[operator]
        for vector in vectors[operator]:
            (x,) = vector.inputs
            y, n = pool(x, output_size=1), prod(x.shape[2:])
            if operator == "GlobalMaxPool":
                numpy.testing.assert_array_equal(y, vector.outputs[0])
            else:
                within(y, vector.outputs[0], n + 1, abs(x).max())


def test_max_unpool(vectors):
    """ONNX reads an index in the shape that the attributes imply, and puts the result into a
    larger output_shape where one is given.  Here an index is flat in the output itself, so that
    what is given is unpooled in the implied shape first.
    """
    assert len(vectors["MaxUnpool"]) >= AT_LEAST["MaxUnpool"]
    for vector in vectors["MaxUnpool"]:
        values, indices = vector.inputs[:2]
        kernel, strides = vector.attributes["kernel_shape"], vector.attributes["strides"]
        implied = [
            (n - 1) * s + k for n, s, k in zip(values.shape[2:], strides, kernel, strict=True)
        ]
        y = convspec.max_unpool(values, indices.astype(int), output_size=implied)
        (expected,) = vector.outputs
        padded = numpy.zeros(expected.shape, expected.dtype)
        padded[tuple(slice(n) for n in y.shape)] = y
        numpy.testing.assert_array_equal(padded, expected)


def enlarges_a_whole_number_of_times(vector):
    """Whether a vector of Resize is one of `upsample`: by nearest as ONNX has it by default, which
    at whole scales reads floor(i / s), or linear in one of the three coordinates.
    """
    (before, after), given = (vector.inputs[0].shape, vector.outputs[0].shape), vector.attributes
    pairs = list(zip(before, after, strict=True))
    if any(m % n for n, m in pairs) or before == after:
        return False
    coordinates = given.get("coordinate_transformation_mode", b"half_pixel")
    if given.get("mode", b"nearest") == b"nearest":
        return "nearest_mode" not in given and coordinates == b"half_pixel"
    known = (b"half_pixel", b"asymmetric", b"align_corners")
    return given["mode"] == b"linear" and coordinates in known


def test_resize(vectors):
    chosen = [vector for vector in vectors["Resize"] if enlarges_a_whole_number_of_times(vector)]
    assert len(chosen) >= AT_LEAST["Resize"]
    kinds = set()
    for vector in chosen:
        (x,), (expected,) = vector.inputs[:1], vector.outputs
        scale = [m // n for n, m in zip(x.shape, expected.shape, strict=True)]
        assert scale[:2] == [1, 1]
        kind = vector.attributes.get("mode", b"nearest").decode()
        mode = vector.attributes.get("coordinate_transformation_mode", b"half_pixel").decode()
        y = convspec.upsample(x, scale=scale[2:], kind=kind, coordinates=mode)
        # A coordinate and its weights on two axes, and a sum of four products.
        within(y, expected, 0 if kind == "nearest" else 16, abs(x).max())
        kinds.add((kind, mode))
    assert kinds >= {
        ("nearest", "half_pixel"),
        ("linear", "half_pixel"),
        ("linear", "align_corners"),
    }


def test_depth_to_space(vectors):
    """CRD is the pixel shuffle; DCR keeps the channel last in its block, and is one on permuted
    channels.
    """
    assert len(vectors["DepthToSpace"]) >= AT_LEAST["DepthToSpace"]
    for vector in vectors["DepthToSpace"]:
        (x,), factor = vector.inputs, vector.attributes["blocksize"]
        if vector.attributes.get("mode", b"DCR") == b"DCR":
            blocks = x.reshape(len(x), factor * factor, -1, *x.shape[2:])
            x = blocks.swapaxes(1, 2).reshape(x.shape)
        y = convspec.pixel_shuffle(x, factor=factor)
        numpy.testing.assert_array_equal(y, vector.outputs[0])


def test_batch_normalization(vectors):
    assert len(vectors["BatchNormalization"]) >= AT_LEAST["BatchNormalization"]
    for vector in vectors["BatchNormalization"]:
        x, scale, shift, mean, variance = vector.inputs
        epsilon = vector.attributes.get("epsilon", 1e-5)
        y = convspec.batch_norm(x, mean, variance, scale, shift, epsilon=epsilon)
        tall = (slice(None), *(None,) * (x.ndim - 2))
        slope = abs(scale / numpy.sqrt(variance + epsilon))[tall]
        magnitude = slope * (abs(x) + abs(mean[tall])) + abs(shift[tall])
        within(y, vector.outputs[0], 8, magnitude)


def test_local_response_normalization(vectors):
    assert len(vectors["LRN"]) >= AT_LEAST["LRN"]
    for vector in vectors["LRN"]:
        (x,), given = vector.inputs, vector.attributes
        y = convspec.local_response_normalization(
            x,
            size=given["size"],
            alpha=given.get("alpha", 1e-4),
            beta=given.get("beta", 0.75),
            k=given.get("bias", 1.0),
        )
        within(y, vector.outputs[0], given["size"] + 8)


def test_softmax(vectors):
    assert len(vectors["Softmax"]) >= AT_LEAST["Softmax"]
    for vector in vectors["Softmax"]:
        (x,), axis = vector.inputs, vector.attributes.get("axis", -1)
        spread = (x.max(axis=axis) - x.min(axis=axis)).max()
        # The shift rounds, which the exponential passes on in proportion to its argument.
        y = convspec.softmax(x, axis=axis)
        within(y, vector.outputs[0], min(float(spread), 104) + x.shape[axis] + 12)


def test_dropout_at_inference_keeps_everything(vectors):
    """No element is dropped, so none is scaled, whatever the ratio of the training."""
    at_inference = [v for v in vectors["Dropout"] if not (len(v.inputs) == 3 and v.inputs[2])]
    assert len(at_inference) >= AT_LEAST["Dropout"]
    for vector in at_inference:
        x = vector.inputs[0]
        kept = numpy.ones(x.shape, int)
        numpy.testing.assert_array_equal(convspec.dropout(x, kept, rate=0), vector.outputs[0])
        for mask in vector.outputs[1:]:
            assert mask.all()


def test_activations_and_flattening(vectors):
    for operator, function, roundings in (
        ("Relu", convspec.relu, 0),
        ("Sigmoid", convspec.sigmoid, 8),
        ("Tanh", convspec.tanh, 4),
    ):
        assert len(vectors[operator]) >= AT_LEAST[operator]
        for vector in vectors[operator]:
            within(function(vector.inputs[0]), vector.outputs[0], roundings)
    batched = [v for v in vectors["Flatten"] if v.attributes.get("axis", 1) == 1]
    assert len(batched) >= AT_LEAST["Flatten"]
    for vector in batched:
        numpy.testing.assert_array_equal(convspec.flatten(vector.inputs[0]), vector.outputs[0])

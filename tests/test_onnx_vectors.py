"""The definitions against ONNX's own node vectors for Conv, ConvTranspose, MaxPool, AveragePool.

Each vector is translated to a call of the definition and compared: exactly, but for averages,
where both sides round.  Nothing is left out; where translation takes more than other names, the
function that does it says why.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest

from convspec import average_pool, conv, conv_transpose, max_pool_with_indices
from convspec.window import Window, transposed_size

pytest.importorskip("onnx", reason="the vectors are those of the package onnx, not installed here")

# At least these many, as of onnx 1.23: a later version may add some, none may vanish.
AT_LEAST = {"Conv": 6, "ConvTranspose": 11, "MaxPool": 19, "AveragePool": 20}

PADDING_WORDS = {b"SAME_UPPER": "same_upper", b"SAME_LOWER": "same_lower", b"VALID": "valid"}

# The one vector whose numbers are decimals somebody printed; see its test.
PRINTED = "test_averagepool_2d_ceil_last_window_starts_on_pad"


class Vector(NamedTuple):
    """One data set of one node: `attributes` as ONNX spells them."""

    name: str
    operator: str
    attributes: dict[str, Any]
    inputs: list[numpy.ndarray]
    outputs: list[numpy.ndarray]


@pytest.fixture(scope="module")
def vectors() -> list[Vector]:
    from onnx.backend.test.case.node import collect_testcases
    from onnx.helper import get_attribute_value

    with warnings.catch_warnings():
        # Collecting computes the vectors of every operator; some overflow on purpose.
        warnings.simplefilter("ignore", RuntimeWarning)
        cases = collect_testcases()
    found = []
    for case in cases:
        node, *others = case.model.graph.node
        if node.op_type in AT_LEAST:
            assert not others, case.name
            attributes = {item.name: get_attribute_value(item) for item in node.attribute}
            for inputs, outputs in case.data_sets:
                found.append(Vector(case.name, node.op_type, attributes, inputs, outputs))
    return found


@pytest.fixture(scope="module")
def recorded() -> list[Vector]:
    """The convolutions among the models that onnx ships with inputs and outputs recorded from
    PyTorch's unit tests: weights of every value, where the node vectors have kernels of ones, and
    cannot tell a kernel from its reflection.
    """
    import onnx
    from onnx.backend import test

    found = []
    for path in sorted(Path(test.__file__).parent.glob("data/pytorch-converted/*/model.onnx")):
        graph = onnx.load(path).graph
        if [node.op_type for node in graph.node] not in (["Conv"], ["ConvTranspose"]):
            continue
        (node,) = graph.node
        given = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
        data = path.parent / "test_data_set_0"
        image, output = (
            onnx.numpy_helper.to_array(onnx.load_tensor(data / name))
            for name in ("input_0.pb", "output_0.pb")
        )
        inputs = [given.get(name, image) for name in node.input]
        attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        found.append(Vector(path.parent.name, node.op_type, attributes, inputs, [output]))
    return found


def of(vectors: list[Vector], operator: str) -> list[Vector]:
    return [vector for vector in vectors if vector.operator == operator]


def translated(vector: Vector) -> dict[str, Any]:
    """ONNX's attributes as ours; a name this does not know is an error, not an omission."""
    rest = dict(vector.attributes)
    rank = vector.inputs[0].ndim - 2
    # ONNX's stride is 1 unless given, for poolings as well.
    ours: dict[str, Any] = {"stride": tuple(rest.pop("strides", (1,) * rank))}
    word = rest.pop("auto_pad", b"NOTSET")
    if word != b"NOTSET":
        ours["padding"] = PADDING_WORDS[word]
    if "pads" in rest:
        pads = rest.pop("pads")
        ours["padding"] = tuple(zip(pads[:rank], pads[rank:], strict=True))
    for theirs, name, kind in [
        ("dilations", "dilation", tuple),
        ("group", "groups", int),
        ("output_padding", "output_padding", tuple),
        ("ceil_mode", "ceil_mode", bool),
        ("count_include_pad", "count_include_pad", bool),
    ]:
        if theirs in rest:
            ours[name] = kind(rest.pop(theirs))
    kernel = rest.pop("kernel_shape", None)
    if vector.operator.endswith("Pool"):
        ours["kernel_size"] = tuple(kernel)
    elif kernel is not None:
        assert tuple(kernel) == vector.inputs[1].shape[2:], vector.name
    # What the tests below translate themselves.
    assert set(rest) <= {"output_shape", "storage_order"}, (vector.name, rest)
    return ours


def test_no_vector_has_vanished(vectors):
    found = Counter(vector.operator for vector in vectors)
    assert {name: min(found[name], AT_LEAST[name]) for name in AT_LEAST} == AT_LEAST
    assert len({vector.name for vector in vectors}) == len(vectors)


def test_conv(vectors):
    """Integers below 2^24 in float32, so equality is exact."""
    for vector in of(vectors, "Conv"):
        found = conv(*vector.inputs, **translated(vector))
        assert found.dtype == vector.outputs[0].dtype, vector.name
        assert numpy.array_equal(found, vector.outputs[0]), vector.name


def pads_of_a_size(vector: Vector, ours: dict[str, Any], sizes: list[int]) -> dict[str, Any]:
    """What `output_shape`, or an `auto_pad` of SAME, stands for, which our attributes spell out.

    ONNX crops the total by which the natural size exceeds the one asked for, the odd one on the
    high side for SAME_UPPER; where the natural size is too small, the range is extended, which is
    what `output_padding` does.
    """
    upper = vector.attributes.get("auto_pad") == b"SAME_UPPER"
    extra = list(ours.get("output_padding", [0] * len(sizes)))
    padding = []
    for axis, (n, k, size) in enumerate(
        zip(vector.inputs[0].shape[2:], vector.inputs[1].shape[2:], sizes, strict=True)
    ):
        dilation = ours["dilation"][axis] if "dilation" in ours else 1
        window = Window(k, ours["stride"][axis], dilation=dilation)
        surplus = transposed_size(n, window, extra[axis]) - size
        extra[axis] += max(0, -surplus)
        less, more = max(0, surplus) // 2, -(-max(0, surplus) // 2)
        padding.append((less, more) if upper else (more, less))
    return {**ours, "padding": tuple(padding), "output_padding": tuple(extra)}


def test_conv_transpose(vectors):
    """Small integers in float32, so equality is exact.

    SAME at stride s means size n s; by hand for the vector convtranspose_autopad_same, whose rows
    0 1 2 spread by ones of size 3 at stride 2 are 0 0 1 1 3 2 2: seven, of which SAME_UPPER drops
    the last, and the vector has 0 0 1 1 3 2.
    """
    for vector in of(vectors, "ConvTranspose"):
        ours = translated(vector)
        if isinstance(ours.get("padding"), str):
            assert ours["padding"].startswith("same"), vector.name
            spatial = vector.inputs[0].shape[2:]
            ours = pads_of_a_size(
                vector, ours, [n * s for n, s in zip(spatial, ours["stride"], strict=True)]
            )
        elif "output_shape" in vector.attributes:
            ours = pads_of_a_size(vector, ours, vector.attributes["output_shape"])
        found = conv_transpose(*vector.inputs, **ours)
        assert numpy.array_equal(found, vector.outputs[0]), vector.name


def test_recorded_convolutions(recorded):
    """Products of any values, summed in float32 in some order: with n terms, the bias included, and
    M the sum of their magnitudes, the result is off by at most ((1 + u)^n - 1) M, and the
    definition rounds once more.
    """
    unit = 2.0**-24
    found = Counter(vector.operator for vector in recorded)
    assert found["Conv"] >= 26
    assert found["ConvTranspose"] >= 2
    for vector in recorded:
        function = conv if vector.operator == "Conv" else conv_transpose
        ours = translated(vector)
        y = function(*vector.inputs, **ours)
        wide = [abs(value.astype(float)) for value in vector.inputs]
        channels = vector.inputs[0].shape[1] // ours["groups"]
        terms = channels * int(numpy.prod(vector.inputs[1].shape[2:])) + 1
        growth = (1 + unit) ** (terms + 1) - 1
        assert y.shape == vector.outputs[0].shape, vector.name
        difference = abs(y.astype(float) - vector.outputs[0])
        assert (difference <= growth * function(*wide, **ours)).all(), vector.name


def test_max_pool_and_its_indices(vectors):
    """A selection, so equality is exact.

    `storage_order` 1 counts indices with the first axis fastest, in which ours are rewritten.
    """
    with_indices = 0
    for vector in of(vectors, "MaxPool"):
        (image,) = vector.inputs
        values, indices = max_pool_with_indices(image, **translated(vector))
        assert numpy.array_equal(values, vector.outputs[0]), vector.name
        for expected in vector.outputs[1:]:
            with_indices += 1
            order = "F" if vector.attributes.get("storage_order") else "C"
            place = numpy.unravel_index(indices, image.shape[2:])
            found = numpy.ravel_multi_index(place, image.shape[2:], order=order)
            assert numpy.array_equal(found, expected), vector.name
    assert with_indices >= 2


def test_average_pool(vectors):
    """ONNX sums at most K terms in float32, in some order, and divides; the definition rounds the
    exact mean once.  With u = 2^-24 the two differ by at most ((1 + u)^(K + 2) - 1) mean |x|.
    """
    unit = 2.0**-24
    for vector in of(vectors, "AveragePool"):
        if vector.name == PRINTED:
            continue
        (image,) = vector.inputs
        ours = translated(vector)
        found = average_pool(image, **ours)
        magnitude = average_pool(abs(image.astype(float)), **ours)
        growth = (1 + unit) ** (int(numpy.prod(ours["kernel_size"])) + 2) - 1
        assert found.shape == vector.outputs[0].shape, vector.name
        difference = abs(found.astype(float) - vector.outputs[0])
        assert (difference <= growth * magnitude).all(), vector.name


def test_the_average_that_was_printed_to_four_decimals(vectors):
    """Where the vector and the definition disagree, the definition is right.

    Input 2x2, size 3, stride 3, padding 1, rounded up: a second window would begin at 2, past the
    input, so there is one, over -1..1 on both axes, holding all four elements, and with padding
    counted it divides by 9.  Its second channel is 0.8816 + 0.4353 + 0.5772 + 0.6623 = 2.5564, and
    2.5564 / 9 = 0.28404...; the vector says 0.2841.  Its authors printed input and output to four
    decimals, so its output is that of an input which differs by up to 0.00005 in each element:
    4 * 0.00005 / 9 of the mean, besides 0.00005 of its own.  (Four float32 elements and a float32
    output, all below 1, add less than 6 * 2^-24.)
    """
    (vector,) = (vector for vector in vectors if vector.name == PRINTED)
    (image,) = vector.inputs
    found = average_pool(image, **translated(vector)).astype(float)
    by_hand = numpy.array([1.3595, 2.5564, 3.2150]).reshape(1, 3, 1, 1) / 9
    assert (abs(found - by_hand) <= 6 * 2.0**-24).all()
    difference = abs(found - vector.outputs[0])
    assert (difference <= 0.00005 + 4 * 0.00005 / 9 + 6 * 2.0**-24).all()
    assert difference[0, 1, 0, 0] > 0.00005

"""The texts that the explorer writes for frameworks, run, and compared with the spec."""

import json
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy
import pytest

from convspec.matrix import matrix_of
from tests.explorer.configurations import configurations, expected
from tests.explorer.test_arithmetic import OPERATIONS, PAGE
from tests.test_exec import needs_node

SAID = Path(__file__).with_name("said.mjs")
# The frameworks whose last axis is that of the channels.
CHANNELS_LAST = ("tensorflow",)
PACKAGES = {
    "pytorch": "torch",
    "onnx": "onnxruntime",
    "jax": "jax",
    "tensorflow": "tensorflow",
}
COUNT = 60

pytestmark = needs_node


@cache
def said(operation):
    """Random configurations, and what the page says of each."""
    drawn = configurations(operation, 0, COUNT)
    text = json.dumps([fragment for fragment, _ in drawn])
    ran = subprocess.run(
        ["node", SAID, PAGE], input=text, capture_output=True, text=True, check=True
    )
    return [(case, what) for (_, case), what in zip(drawn, json.loads(ran.stdout), strict=True)]


def is_close(actual, due):
    """Whether sums of small integers are exact and averages rounded as float32 rounds.

    An average is one sum, exact here, and a division; where a framework has none, two averages
    are divided: four roundings at most.
    """
    u = 2.0**-24
    bound = ((1 + u) ** 4 - 1) * numpy.abs(due)
    return actual.shape == due.shape and bool(numpy.all(numpy.abs(actual - due) <= bound))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_page_computes_what_the_spec_computes(operation):
    for case, what in said(operation):
        due = expected(case)
        output = numpy.array(what["output"]["data"], "float32").reshape(what["output"]["shape"])
        assert is_close(output, due), what["fragment"]


@pytest.mark.parametrize("operation", ["conv", "conv_transpose"])
def test_the_matrix_of_the_page_is_that_of_the_spec(operation):
    for case, what in said(operation):
        shape, weight = case.operands["input"].shape, case.operands["weight"]
        due = matrix_of(case.operation, "input", shape, weight=weight, **case.attributes)
        due = due.toarray()
        numpy.testing.assert_array_equal(numpy.array(what["matrix"]), due)


def refused_by_onnx_runtime(case):
    """Output padding that only the dilation bounds, padding of a pool not below its kernel."""
    if case.operation == "conv_transpose":
        pairs = zip(case.attributes["output_padding"], case.attributes["stride"], strict=True)
        return any(extra >= stride for extra, stride in pairs)
    if "kernel_size" in case.attributes:
        pairs = zip(case.attributes["padding"], case.attributes["kernel_size"], strict=True)
        return any(max(sides) >= kernel for sides, kernel in pairs)
    return False


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("framework", PACKAGES)
def test_a_snippet_computes_what_the_spec_computes(framework, operation):
    if find_spec(PACKAGES[framework]) is None:
        pytest.skip(f"needs {PACKAGES[framework]}")
    ran = 0
    for case, what in said(operation):
        notes = what["snippets"][framework]["notes"]
        refused = framework == "onnx" and refused_by_onnx_runtime(case)
        assert refused == any("ONNX Runtime refuses" in note for note in notes)
        if refused:
            continue
        names = {"print": lambda _: None}
        exec(what["snippets"][framework]["code"], names)  # noqa: S102 - our own text, under test
        output = numpy.asarray(names["y"])
        if framework in CHANNELS_LAST:
            output = numpy.moveaxis(output, -1, 1)
        assert is_close(output, expected(case)), what["snippets"][framework]["code"]
        ran += 1
    assert ran > COUNT / 2


@pytest.mark.parametrize("operation", ["max_pool", "average_pool"])
def test_what_is_said_of_shape_inference_is_so(operation):
    onnx = pytest.importorskip("onnx")
    noted = []
    for case, what in said(operation):
        code = what["snippets"]["onnx"]["code"]
        names = {}
        # The model alone: without a session, which refuses some of them.
        exec(code[: code.index("session =")].replace("import onnxruntime", ""), names)  # noqa: S102
        inferred = onnx.shape_inference.infer_shapes(names["model"]).graph.output[0]
        shape = tuple(size.dim_value for size in inferred.type.tensor_type.shape.dim)
        noted.append(any("shape inference" in note for note in what["snippets"]["onnx"]["notes"]))
        assert (shape != expected(case).shape) == noted[-1], what["fragment"]
    assert 0 < sum(noted) < len(noted)

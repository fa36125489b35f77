"""Any backend of ONNX is an implementation."""

import pytest

import convspec
from convspec.oracle.target import TargetError, load
from tests.adapters.compiled import agree, case

BACKEND = """
from unittest import SkipTest

import numpy
from onnx.backend.base import Backend, BackendRep
from onnx.reference import ReferenceEvaluator


class Representation(BackendRep):
    def __init__(self, model):
        self.evaluator = ReferenceEvaluator(model)

    def run(self, inputs, **options):
        return tuple(self.evaluator.run(None, dict(zip(self.evaluator.input_names, inputs))))


class Reference(Backend):
    @classmethod
    def is_compatible(cls, model, device="CPU", **options):
        return model.graph.node[0].op_type != "AveragePool"

    @classmethod
    def prepare(cls, model, device="CPU", **options):
        if model.graph.node[0].op_type == "MaxPool":
            raise SkipTest("no maxima here")
        return Representation(model)

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"
"""


@pytest.fixture
def backend(tmp_path):
    pytest.importorskip("onnx", reason="needs convspec[onnx]")
    file = tmp_path / "runtime.py"
    file.write_text(BACKEND, encoding="utf-8")
    return file


def test_any_onnx_backend_is_an_implementation(backend):
    implementation = load(f"onnx:{backend}:Reference")
    assert implementation.name == f"onnx:{backend}:Reference"
    operands, attributes = case("conv", 2, "float32")
    agree(implementation.conv(*operands, **attributes), convspec.conv(*operands, **attributes))


def test_what_an_onnx_backend_declines_is_unsupported(backend):
    implementation = load(f"onnx:{backend}:Reference")
    for operation, reason in [("average_pool", "not compatible"), ("max_pool", "no maxima here")]:
        operands, attributes = case(operation, 2, "float32")
        with pytest.raises(NotImplementedError, match=reason):
            getattr(implementation, operation)(*operands, **attributes)


def test_what_is_no_onnx_backend_is_said_in_one_line(backend):
    with pytest.raises(TargetError, match="it has no is_compatible"):
        load(f"onnx:{backend}:Representation")
    with pytest.raises(TargetError, match="there is no Absent"):
        load(f"onnx:{backend}:Absent")

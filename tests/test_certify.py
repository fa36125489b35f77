"""`convspec certify`: recordings, the command, and what is recorded from PyTorch."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy
import pytest
from click.testing import CliRunner

import convspec.fast
from convspec.case import Case
from convspec.cli import main
from convspec.oracle.certificate.layer import Layer
from convspec.oracle.certificate.recording import (
    INDEX,
    LARGEST_ATTRIBUTE,
    read_recording,
    recording_files,
    write_recording,
)
from convspec.oracle.processes.wire import encode
from convspec.oracle.recorded.stored import StoredError


def network():
    """A convolution, a relu and a linear layer, on whole numbers."""
    source = numpy.random.default_rng(0)
    x, w, v = (
        source.integers(-5, 6, shape).astype("float32") for shape in ((2, 3, 6), (4, 3, 3), (5, 24))
    )
    y = convspec.fast.conv(x, w, padding=1)
    z = convspec.fast.relu(y)
    flat = z.reshape(2, -1)
    return [
        Layer("first", Case("conv", {"input": x, "weight": w}, {"padding": 1}), y),
        Layer("relu", Case("relu", {"input": y}, {}), z),
        Layer("last", Case("linear", {"input": flat, "weight": v}, {}), flat @ v.T),
    ]


def told(name, how, largest):
    """The line of a layer that was certified exactly."""
    seen = f"sees every error, largest output {largest}"
    return f"{name}: certified by projections, exactly, by {how}; {seen}"


def run(*arguments):
    return CliRunner().invoke(main, ["certify", *map(str, arguments)])


@pytest.fixture
def recorded(tmp_path):
    directory = tmp_path / "recording"
    write_recording(directory, network(), source="a test", left_out=["x + y"])
    return directory


def test_a_right_network_is_certified(recorded):
    result = run(recorded, "--seed", 7)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "a test; seed 7",
        told("first (conv)", f"1 projection with coefficients up to {2**39}", 56),
        "relu (relu): computed again, equal",
        told("last (linear)", f"2 projections with coefficients up to {2**19}", 843),
        "x + y: not recorded",
        "2 certified by projections, 1 computed again, 1 not recorded",
    ]


@pytest.mark.parametrize("number", range(3))
def test_one_wrong_element_of_a_layer_is_found(number, tmp_path):
    layers = network()
    layers[number].output[1, 2] += 1
    write_recording(tmp_path / "wrong", layers, source="a test")
    result = run(tmp_path / "wrong")
    assert result.exit_code == 1, result.output
    assert f"{layers[number].name} ({layers[number].case.operation}): wrong" in result.output


def test_every_run_draws_anew_and_says_what(recorded):
    seeds = {run(recorded).output.splitlines()[0] for _ in range(2)}
    assert len(seeds) == 2
    (seed,) = (line.rpartition(" ")[2] for line in [*seeds][:1])
    assert run(recorded, "--seed", seed).output.splitlines()[0] in seeds


def test_nothing_judged_is_no_success(tmp_path):
    layer = network()[0]
    layer.case.operands["input"][0, 0, 0] = numpy.nan
    write_recording(tmp_path / "nan", [layer], source="a test")
    result = run(tmp_path / "nan")
    assert (result.exit_code, "not certified" in result.output) == (2, True)


def test_what_is_read_is_what_was_written(recorded):
    found = read_recording(recorded)
    assert (found.source, found.left_out) == ("a test", ("x + y",))
    for read, written in zip(found.layers, network(), strict=True):
        assert read.name == written.name
        assert (read.output == written.output).all()
        assert read.case.operands.keys() == written.case.operands.keys()
        for name, array in written.case.operands.items():
            assert (read.case.operands[name] == array).all()
    first = next(read_recording(recorded).layers)
    assert first.case.attributes == {
        "stride": (1,),
        "padding": ((1, 1),),
        "dilation": (1,),
        "groups": 1,
    }


def changed_index(directory, change):
    index = json.loads((directory / INDEX).read_text(encoding="utf-8"))
    (directory / INDEX).write_text(json.dumps(change(index) or index), encoding="utf-8")


def first(**changed):
    return lambda index: index["layers"][0].update(changed)


INDICES = {
    "another format": (lambda index: index.update(format=2), "of format 1"),
    "a key more": (lambda index: index.update(more=1), "of format 1"),
    "no layers": (lambda index: index.update(layers=[]), "layers: must be a list of 1 to"),
    "left out nothing": (lambda index: index.update(left_out=None), "left_out, source: must be"),
    "control characters": (lambda index: index.update(source="\x1b[2J"), "left_out, source"),
    "a layer that is none": (lambda index: index.update(layers=[1]), "layer 1: must be an object"),
    "no such operation": (first(operation="shell"), "layer 1: 'shell' is no operation"),
    "an unhashable operation": (first(operation=[]), "layer 1: [] is no operation"),
    "another place": (first(file="../1.safetensors"), "must be 1.safetensors"),
    "a number for a name": (first(name=1), "layer 1: name: must be a text"),
    "another digest": (first(sha256="0"), "is not the file that the index was written for"),
    "no such attribute": (first(attributes={"strides": 1}), "with some of stride, padding"),
    "attributes of a list": (first(attributes=[]), "with some of stride, padding"),
    "a huge step": (
        first(attributes={"stride": LARGEST_ATTRIBUTE + 1}),
        f"up to {LARGEST_ATTRIBUTE}",
    ),
    "many steps": (first(attributes={"stride": [1] * 100}), "must be at most 64"),
    "a step of text": (first(attributes={"stride": "one"}), "layer 1: conv: stride"),
    "a step of nothing": (first(attributes={"stride": 0}), "layer 1: conv: stride"),
    "a nested step": (first(attributes={"padding": {"low": 1}}), "layer 1: conv: padding"),
    "no list": (lambda index: [index], "it is no JSON object but a list"),
}


@pytest.mark.parametrize("name", INDICES)
def test_a_hostile_index_is_refused_in_one_line(name, recorded):
    change, told = INDICES[name]
    changed_index(recorded, change)
    result = run(recorded)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {recorded / INDEX}: ")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def replaced(directory, arrays):
    """A directory whose first layer has other tensors, digest and all."""
    content = encode(arrays, {})
    (directory / "1.safetensors").write_bytes(content)
    changed_index(directory, first(sha256=sha256(content).hexdigest()))


X, W, Y = numpy.zeros((1, 3, 6)), numpy.zeros((4, 3, 3)), numpy.zeros((1, 4, 6))
TENSORS = {
    "no output": ({"input": X, "weight": W}, "output is missing"),
    "no weight": ({"input": X, "output": Y}, "conv takes input, weight, bias"),
    "one more": ({"input": X, "weight": W, "output": Y, "more": X}, "conv takes"),
    "a list": ({"input": X, "weight_0": W, "output": Y}, "conv takes"),
    "booleans": ({"input": X > 0, "weight": W, "output": Y}, "BOOL"),
    "no axes": ({"input": X.sum(), "weight": W, "output": Y}, "layer 1: conv: input"),
    "other channels": ({"input": X[:, :2], "weight": W, "output": Y}, "layer 1: conv: "),
}


@pytest.mark.parametrize("name", TENSORS)
def test_hostile_tensors_are_refused_in_one_line(name, recorded):
    arrays, told = TENSORS[name]
    replaced(recorded, {key: numpy.asarray(array) for key, array in arrays.items()})
    result = run(recorded)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_links_and_bytes_that_are_no_tensors_are_refused(recorded, tmp_path):
    (recorded / "2.safetensors").write_bytes(b"12345678")
    with pytest.raises(StoredError, match=r"2\.safetensors is not the file"):
        list(read_recording(recorded).layers)
    (recorded / "1.safetensors").rename(tmp_path / "elsewhere")
    (recorded / "1.safetensors").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoredError, match=r"1\.safetensors is a link"):
        list(read_recording(recorded).layers)
    with pytest.raises(StoredError, match="no such file"):
        read_recording(tmp_path / "nowhere")


def test_an_operand_that_is_a_list_is_recorded(tmp_path):
    x, factors = numpy.ones((1, 2, 5, 5)), [numpy.ones(3), numpy.ones(2)]
    case = Case("spatially_separable_conv", {"input": x, "factors": factors}, {})
    output = convspec.fast.spatially_separable_conv(x, factors)
    write_recording(tmp_path / "it", [Layer("separable", case, output)], source="a test")
    assert run(tmp_path / "it").exit_code == 0
    changed = [*recording_files([Layer("separable", case, output + 1)], source="a test")]
    for name, content in changed:
        (tmp_path / "it" / name).write_bytes(content)
    assert run(tmp_path / "it").exit_code == 1


def test_a_directory_that_holds_something_is_left_alone(recorded):
    before = sorted(path.name for path in recorded.iterdir())
    with pytest.raises(OSError, match="is not empty"):
        write_recording(recorded, network(), source="again")
    assert sorted(path.name for path in recorded.iterdir()) == before


# What PyTorch says of a convolution whose padding is one more on the high side.
@pytest.mark.filterwarnings("ignore:Using padding='same'")
class TestPyTorch:
    """What `convspec.adapters.torch_recording` records."""

    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch", reason="an optional extra")

    @pytest.fixture
    def record(self, torch):
        from convspec.adapters.torch_recording import record

        return record

    @pytest.fixture
    def model(self, torch):
        nn = torch.nn
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, (3, 2), padding="same", groups=4, dilation=(2, 1)),
            nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True),
            nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
            nn.AvgPool2d(2, count_include_pad=False),
            nn.GELU(),
            nn.Dropout(),
            nn.AdaptiveAvgPool2d((2, None)),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 5),
            nn.Sigmoid(),
        ).eval()

    def test_every_layer_it_knows_is_right_and_the_others_are_named(
        self, torch, record, model, tmp_path
    ):
        record(model, torch.randn(2, 3, 17, 17), tmp_path / "it")
        result = run(tmp_path / "it")
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert lines[0].startswith("Sequential, PyTorch ")
        assert lines[-1] == "4 certified by projections, 6 computed again, 4 not recorded"
        assert "7: GELU: not recorded" in lines
        assert "9: AdaptiveAvgPool2d: not recorded" in lines
        assert "11: Flatten: not recorded" in lines
        assert "what the network computes outside of modules: not recorded" in lines

    def test_what_goes_in_is_recorded_as_it_was(self, torch, record, model, tmp_path):
        record(model, torch.randn(2, 3, 17, 17), tmp_path / "it")
        _, rectified, *_ = read_recording(tmp_path / "it").layers
        assert rectified.case.operation == "relu"
        assert rectified.case.operands["input"].min() < 0 <= rectified.output.min()

    def test_a_module_that_computes_something_else_is_found(self, torch, record, model, tmp_path):
        right = model[3].forward
        model[3].forward = lambda x: right(x.flip(-1))
        record(model, torch.randn(2, 3, 17, 17), tmp_path / "it")
        result = run(tmp_path / "it")
        assert result.exit_code == 1
        assert "\n3 (conv): wrong, the outputs at [" in result.output
        assert result.output.count("): wrong, ") == 1

    def test_a_network_in_training_is_refused(self, torch, record, model, tmp_path):
        with pytest.raises(ValueError, match="must be in evaluation mode"):
            record(model.train(), torch.randn(2, 3, 17, 17), tmp_path / "it")

    def test_nothing_stays_on_the_network(self, torch, record, model, tmp_path):
        record(model, torch.randn(2, 3, 17, 17), tmp_path / "it")
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


class TestOnnx:
    """What `convspec.adapters.onnx_recording` records."""

    @pytest.fixture
    def onnx(self):
        return pytest.importorskip("onnx", reason="an optional extra")

    @pytest.fixture
    def model(self, onnx):
        helper, source = onnx.helper, numpy.random.default_rng(0)
        weights = {
            "w": source.standard_normal((6, 2, 3, 3)),
            "b": source.standard_normal(6),
            "v": source.standard_normal((6, 4, 2, 2)),
            "u": source.standard_normal((5, 4)),
        }
        tensors = [
            onnx.numpy_helper.from_array(array.astype("float32"), name)
            for name, array in weights.items()
        ]
        sliding = {"strides": [2, 1], "pads": [1, 0, 2, 1], "dilations": [1, 2]}
        nodes = [
            helper.make_node("Conv", ["x", "w", "b"], ["c"], "first", group=2, **sliding),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2], strides=[2, 1]),
            helper.make_node("ConvTranspose", ["m", "v"], ["t"], strides=[2, 2]),
            helper.make_node("GlobalAveragePool", ["t"], ["g"]),
            helper.make_node("Flatten", ["g"], ["f"]),
            helper.make_node("Gemm", ["f", "u"], ["y"], "last", transB=1),
        ]
        shape = onnx.helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "small",
            [shape("x", onnx.TensorProto.FLOAT, [2, 4, 9, 8])],
            [shape("y", onnx.TensorProto.FLOAT, None)],
            tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return model

    def run_model(self, model, feeds):
        from onnx.reference import ReferenceEvaluator

        return ReferenceEvaluator(model).run(None, feeds)

    def test_every_node_it_knows_is_right_and_the_others_are_named(self, model, tmp_path):
        from convspec.adapters.onnx_recording import record

        x = numpy.random.default_rng(1).standard_normal((2, 4, 9, 8)).astype("float32")
        record(model, {"x": x}, tmp_path / "it", self.run_model)
        result = run(tmp_path / "it")
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert lines[0].startswith("ONNX model small, operator set 17; seed ")
        assert lines[-2] == "node 6: Flatten: not recorded"
        assert lines[-1] == "3 certified by projections, 3 computed again, 1 not recorded"
        assert len(model.graph.output) == 1

    def test_a_wrong_node_is_found(self, model, tmp_path):
        from convspec.adapters.onnx_recording import record

        def wrong(model, feeds):
            outputs = self.run_model(model, feeds)
            outputs[0] = outputs[0][..., ::-1]
            outputs[1] = numpy.maximum(outputs[0], 0)
            return outputs

        x = numpy.random.default_rng(1).standard_normal((2, 4, 9, 8)).astype("float32")
        record(model, {"x": x}, tmp_path / "it", wrong)
        result = run(tmp_path / "it")
        assert result.exit_code == 1
        assert "\nfirst (conv): wrong" in result.output

"""A configuration in each framework's words: run there, the words give what the spec does."""

from __future__ import annotations

from importlib import import_module

import numpy
import pytest
from click.testing import CliRunner

from convspec.adapters.disagreements import disagreements
from convspec.adapters.words import words
from convspec.cli import main
from convspec.cli.calls import case_of
from convspec.operations import OPERATIONS

CONV = [
    "input=2,2,5 weight=3,2,2",
    "input=1,2,7 weight=3,2,2 bias=3 stride=2 padding=1",
    "input=1,1,5,6 weight=1,1,2,3 padding=1:0,0:2",
    "input=1,1,5,6 weight=1,1,2,3 stride=2,1 padding=1:1,2:2",
    "input=1,1,7 weight=1,1,3 dilation=2 padding=2",
    "input=1,4,6 weight=4,2,3 bias=4 groups=2",
    "input=1,1,3,4,3 weight=2,1,2,2,2 bias=2 padding=1",
]
TRANSPOSED = [
    "input=2,2,4 weight=2,3,2",
    "input=1,2,4 weight=2,3,3 bias=3 stride=2 padding=1 output_padding=1",
    "input=1,1,3,4 weight=1,2,2,3 stride=2,1 padding=1:0,0:1",
    "input=1,1,3 weight=1,1,2 dilation=3 stride=2",
    "input=1,4,3 weight=4,2,2 bias=4 groups=2 stride=2",
]
POOL = [
    "input=2,2,6 kernel_size=2",
    "input=1,1,5,6 kernel_size=2 stride=2,1 padding=1,0",
    "input=1,1,7 kernel_size=2 stride=2 padding=1 ceil_mode=true",
    "input=1,1,5,5 kernel_size=2 stride=1 padding=0:1,1:0",
    "input=1,1,6 kernel_size=2 dilation=2 stride=1",
    "input=1,1,3,4,4 kernel_size=2 stride=1",
    "input=1,1,5,4 kernel_size=2",
    "input=1,1,5 kernel_size=2 ceil_mode=true",
]
SIGNAL = ["f=5 g=3", "f=5 g=2 mode=same", "f=2 g=5 mode=same", "f=4 g=2 mode=valid"]
IMAGE = ["f=4,5 g=2,3 mode=same", "f=4,5 g=3,2", "f=1,2 g=2,1"]
CONFIGURATIONS = {
    "conv": CONV,
    "conv_transpose": TRANSPOSED,
    "max_pool": POOL,
    "max_pool_with_indices": POOL,
    "average_pool": [*POOL, "input=1,1,6 kernel_size=2 padding=1 count_include_pad=true"],
    "convolve": SIGNAL + IMAGE,
    "correlate": SIGNAL + IMAGE,
}


def torch(call, operands):
    module = import_module("torch")
    tensors = {name: module.from_numpy(array) for name, array in operands.items()}
    return eval(call, {"torch": module, **tensors})  # noqa: S307 - words of convspec's own


def jax(call, operands):
    module = import_module("jax")
    import_module("jax.scipy.signal")
    return eval(call, {"jax": module, **operands})  # noqa: S307 - words of convspec's own


def tensorflow(call, operands):
    return eval(call, {"tf": import_module("tensorflow"), **operands})  # noqa: S307 - as above


def arrays(call, operands):
    import_module("scipy.ndimage")
    modules = {"numpy": numpy, "scipy": import_module("scipy")}
    import_module("scipy.signal")
    return eval(call, {**modules, **operands})  # noqa: S307 - as above


def images(call, operands):
    module = import_module("skimage")
    return eval(call, {"numpy": numpy, "skimage": module, **operands})  # noqa: S307 - as above


def onnx(call, operands):
    """By ONNX Runtime: the reference evaluator fails on some of these, see docs/defects.md."""
    runtime = import_module("onnxruntime")
    parser = import_module("onnx.parser")
    call, _, remark = call.partition("  # ")
    given = ", ".join(f"float{list(array.shape)} {name}" for name, array in operands.items())
    sizes = "ABCDE"[: next(iter(operands.values())).ndim]
    outputs = call.partition(" = ")[0].split(", ")
    types = {"y": "float", "indices": "int64"}
    declared = ", ".join(f"{types[name]}[{', '.join(sizes)}] {name}" for name in outputs)
    text = f'<ir_version: 8, opset_import: ["": 19]> graph ({given}) => ({declared}) {{ {call} }}'
    model = parser.parse_model(text).SerializeToString()
    found = runtime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, operands)
    if not remark:
        return found
    assert remark == "indices count through all items and channels"
    batch, channels, *spatial = operands["input"].shape
    planes = numpy.arange(batch * channels).reshape(batch, channels, *(1 for _ in spatial))
    return found[0], found[1] - planes * numpy.prod(spatial)


def mlx(call, operands):
    import_module("mlx.nn")
    core = import_module("mlx.core")
    core.set_default_device(core.cpu)
    tensors = {name: core.array(array) for name, array in operands.items()}
    return eval(call, {"mlx": import_module("mlx"), **tensors})  # noqa: S307 - as above


def openvino(call, operands):
    module, opset16 = import_module("openvino"), import_module("openvino.opset16")
    inputs = {name: opset16.parameter(list(a.shape), a.dtype.type) for name, a in operands.items()}
    node = eval(call, {"opset16": opset16, **inputs})  # noqa: S307 - as above
    model = module.Model(node.outputs(), list(inputs.values()))
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = module.Core().compile_model(model, "CPU", settings)
    found = compiled(list(operands.values()))
    return tuple(found[place] for place in range(len(compiled.outputs)))


RUN = {
    "PyTorch": ("torch", torch),
    "JAX": ("jax", jax),
    "TensorFlow": ("tensorflow", tensorflow),
    "ONNX": ("onnxruntime", onnx),
    "OpenVINO": ("openvino", openvino),
    "NumPy": ("numpy", arrays),
    "SciPy": ("scipy", arrays),
    "scipy.ndimage": ("scipy", arrays),
    "scikit-image": ("skimage", images),
    "MLX": ("mlx", mlx),
}


def said(operation, text):
    case = case_of(operation, tuple(text.split()))
    small = {name: (array % 7).astype("float32") for name, array in case.operands.items()}
    return case._replace(operands=small), words(case)


@pytest.mark.parametrize("framework", RUN)
@pytest.mark.parametrize("operation", CONFIGURATIONS)
def test_the_words_give_what_the_spec_does(operation, framework):
    """Small integers, and averages over one, two, four or eight of them: nothing rounds."""
    module, run = RUN[framework]
    if not any(framework in said(operation, text)[1] for text in CONFIGURATIONS[operation]):
        assert framework not in words(said(operation, CONFIGURATIONS[operation][0])[0])
        return
    pytest.importorskip(module)
    made = 0
    for text in CONFIGURATIONS[operation]:
        case, calls = said(operation, text)
        if calls[framework].startswith("not offered: "):
            continue
        found = run(calls[framework], case.operands)
        expected = OPERATIONS[operation].definition(*case.operands.values(), **case.attributes)
        several = isinstance(expected, tuple)
        parts = found if isinstance(found, tuple | list) else (found,)
        values = expected if several else (expected,)
        assert len(parts) >= len(values), calls[framework]
        for part, value in zip(parts, values, strict=False):
            numpy.testing.assert_array_equal(numpy.asarray(part), value, calls[framework])
        made += 1
    assert made


@pytest.mark.parametrize(
    ("operation", "text", "framework", "reason"),
    [
        ("conv_transpose", TRANSPOSED[2], "PyTorch", "one padding stands for both sides"),
        ("max_pool", "input=1,1,5 kernel_size=3 padding=2 stride=1", "PyTorch", "at most half"),
        ("average_pool", POOL[4], "PyTorch", "no dilation"),
        ("conv", "input=1,1,2,2,2,2 weight=1,1,1,1,1,1", "PyTorch", "at most 3 spatial axes"),
        ("conv_transpose", TRANSPOSED[4], "JAX", "no groups"),
        ("max_pool", POOL[2], "JAX", "no ceil mode"),
        ("convolve", "f=1,2 g=2,1", "JAX", "smaller than the other on every axis"),
        ("conv", CONV[5], "TensorFlow", "groups"),
        ("conv", "input=1,1,9 weight=1,1,2 stride=2 dilation=2", "TensorFlow", "not both"),
        ("max_pool", POOL[2], "TensorFlow", "no ceil mode"),
        ("max_pool", "input=1,1,9 kernel_size=2 dilation=2", "TensorFlow", "not both"),
        ("average_pool", POOL[1], "TensorFlow", "no amount of padding"),
        ("average_pool", "input=1,1,5 kernel_size=2 padding=2 dilation=4", "OpenVINO", "less than"),
        ("convolve", "f=2,2 g=1,1", "NumPy", "one axis"),
        ("convolve", "f=2 g=5 mode=same", "NumPy", "longer operand"),
        ("convolve", "f=5 g=2", "scipy.ndimage", "mode same"),
        ("max_pool", POOL[1], "scikit-image", "the stride is the kernel"),
        ("max_pool", "input=1,1,4 kernel_size=2 padding=1", "scikit-image", "neither padding"),
        ("average_pool", POOL[7], "scikit-image", "filled up with zeros"),
        ("correlate", "f=5 g=2 mode=same", "scikit-image", "odd sizes"),
        ("correlate", "f=5 g=2", "scikit-image", "modes same"),
        ("correlate", "f=2 g=5 mode=valid", "scikit-image", "inside the image"),
        ("conv", "input=1,2,2,2,2 weight=2,1,1,1,1 groups=2", "MLX", "no groups in three"),
        ("conv", "input=1,1,2,2,2,2 weight=1,1,1,1,1,1", "MLX", "at most 3 spatial axes"),
        ("conv_transpose", TRANSPOSED[2], "MLX", "one padding stands for both sides"),
        ("conv_transpose", TRANSPOSED[4], "MLX", "no groups"),
        ("conv_transpose", "input=1,1,3 weight=1,1,1 stride=2 padding=1", "MLX", "as large as the"),
        ("max_pool", POOL[2], "MLX", "neither ceil mode nor dilation"),
        ("max_pool", POOL[4], "MLX", "neither ceil mode nor dilation"),
        ("average_pool", POOL[1], "MLX", "count their padding"),
        ("convolve", "f=2,2 g=1,1", "MLX", "one axis"),
        ("convolve", "f=2 g=5 mode=same", "MLX", "longer operand"),
    ],
)
def test_what_is_not_offered_has_its_reason(operation, text, framework, reason):
    call = words(case_of(operation, tuple(text.split())))[framework]
    assert call.startswith("not offered: ")
    assert reason in call


def test_an_operation_that_no_framework_was_asked_about_has_no_words():
    assert words(case_of("relu", ("input=1,1,3",))) == {}


@pytest.mark.parametrize(
    ("operation", "text", "convention", "shows"),
    [
        ("max_pool", "input=1,1,5 kernel_size=2 ceil_mode=true", "ceil last window", True),
        ("max_pool", "input=1,1,5 kernel_size=2", "ceil last window", False),
        ("max_pool", "input=1,1,5 kernel_size=2", "nan in maximum", True),
        ("conv", "input=1,1,5 weight=1,1,2 padding=1", "non finite weight on padding", True),
        ("conv", "input=1,1,5 weight=1,1,2", "non finite weight on padding", False),
        ("convolve", "f=3 g=4 mode=same", "same size", True),
        ("convolve", "f=4 g=3 mode=same", "same size", False),
        ("convolve", "f=5 g=2 mode=same", "even kernel centre", True),
        ("convolve", "f=5 g=3 mode=same", "even kernel centre", False),
        (
            "conv_transpose",
            "input=1,1,3 weight=1,1,2 stride=2 output_padding=1",
            "output padding bound",
            True,
        ),
        ("conv_transpose", "input=1,1,3 weight=1,1,2", "output padding bound", False),
        ("average_pool", "input=1,1,3 kernel_size=2 padding=1", "empty window", False),
    ],
)
def test_a_convention_is_told_where_it_can_show(operation, text, convention, shows):
    assert (convention in disagreements(case_of(operation, tuple(text.split())))) is shows


def test_explain_ends_with_the_words_and_the_disagreements():
    shown = CliRunner().invoke(main, ["explain", "max_pool", "input=1,1,5", "kernel_size=2"])
    assert shown.exit_code == 0, shown.output
    _, _, tail = shown.output.partition("In other words:\n")
    assert "  PyTorch       torch.nn.functional.max_pool1d(input, (2,))\n" in tail
    assert "  ONNX          y = MaxPool <kernel_shape = [2], strides = [2]> (input)\n" in tail
    assert "  nan in maximum: " in tail.partition("Where implementations disagree")[2]

"""Recorded vectors in the layout of ONNX backend tests, run by what runs those."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner

from convspec.cli import main

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vectors") / "onnx"
    result = CliRunner().invoke(main, ["vectors", str(directory), "--format", "onnx"])
    assert result.exit_code == 0, result.output
    return directory


def loaded(directory: Path, word: str):
    """The tensors of a test's data set, in order."""
    paths = sorted(directory.glob(f"test_data_set_0/{word}_*.pb"))
    return [onnx.numpy_helper.to_array(onnx.load_tensor(str(path))) for path in paths]


def compare(directory: Path, outputs):
    for found, expected in zip(outputs, loaded(directory, "output"), strict=True):
        assert found.dtype == expected.dtype
        if directory.name.endswith("rounded"):
            # As ONNX's own runner of backend tests has it.
            numpy.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)
        else:
            numpy.testing.assert_array_equal(found, expected)


def test_the_models_are_valid_and_the_reference_evaluates_them(recorded):
    from onnx.reference import ReferenceEvaluator

    # Where it pads, it multiplies infinity by zero, so special values are left to others.
    directories = sorted(recorded.glob("test_conv_[0-9]*_exact"))[::10]
    assert len(directories) > 10
    for directory in directories:
        model = onnx.load(str(directory / "model.onnx"))
        onnx.checker.check_model(model, full_check=True)
        names = [value.name for value in model.graph.input]
        inputs = dict(zip(names, loaded(directory, "input"), strict=True))
        compare(directory, ReferenceEvaluator(model).run(None, inputs))


# What ONNX Runtime refuses or does differently; see convspec/adapters/known/onnxruntime.toml.
def refuses(directory: Path, error: Exception) -> bool:
    if "Pad should be smaller than kernel" in str(error):
        return True
    model = onnx.load(str(directory / "model.onnx"))
    attributes = {one.name: list(one.ints) for one in model.graph.node[0].attribute if one.ints}
    extra, steps = (attributes.get(name, [0]) for name in ("output_padding", "strides"))
    return any(e >= s for e, s in zip(extra, steps, strict=False))


def is_maximum(directory: Path) -> bool:
    return directory.name.startswith("test_max_pool") and directory.name.endswith("special")


def forgets_nan(directory: Path) -> bool:
    return is_maximum(directory) and any(numpy.isnan(x).any() for x in loaded(directory, "input"))


def starts_from_the_lowest(directory: Path) -> bool:
    """In float32, of nothing but -infinity."""
    return is_maximum(directory) and all(
        x.dtype == "float32" and numpy.isneginf(x).all() for x in loaded(directory, "input")
    )


LISTED = (forgets_nan, starts_from_the_lowest)


def test_onnx_runtime_runs_them(recorded):
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    equal, refused, different = 0, 0, []
    for directory in sorted(recorded.iterdir()):
        try:
            session = runtime.InferenceSession(
                str(directory / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            names = [value.name for value in session.get_inputs()]
            inputs = dict(zip(names, loaded(directory, "input"), strict=True))
            outputs = session.run(None, inputs)
        except Exception as error:
            if not refuses(directory, error):
                raise
            refused += 1
            continue
        try:
            compare(directory, outputs)
            equal += 1
        except AssertionError:
            different.append(directory)
    assert [one for one in different if not any(why(one) for why in LISTED)] == []
    assert all(any(map(why, different)) for why in LISTED)
    assert equal > 500
    assert refused < 300

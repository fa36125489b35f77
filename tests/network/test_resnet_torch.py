"""ResNet-50, layer by layer, against PyTorch: `benchmarks/resnet50.py` without its clock."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy
import pytest

from convspec import fast

pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "resnet50.py"


@pytest.fixture(scope="module")
def benchmark():
    if not SCRIPT.exists():
        pytest.skip("benchmarks are not installed")
    specification = spec_from_file_location("resnet50", SCRIPT)
    module = module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        specification.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_layer_agrees_with_pytorch_within_the_rounding_bound(benchmark):
    units = benchmark.compare()
    assert len(units) == 176
    assert max(units.values()) <= 1
    # The layers that round are compared, not skipped.
    assert sum(value > 0 for value in units.values()) >= 53


def test_weights_rounded_to_half_precision_are_seen(benchmark, monkeypatch):
    """The bound is tight enough to tell."""
    exact = fast.conv

    def rounded(input, weight, bias=None, **attributes):
        return exact(input, weight.astype(numpy.float16).astype(weight.dtype), bias, **attributes)

    assert max(benchmark.compare(size=32).values()) <= 1
    monkeypatch.setattr(fast, "conv", rounded)
    worst = benchmark.compare(size=32)
    assert worst["conv1"] > 1
    assert worst["conv2_1.conv1"] > 1

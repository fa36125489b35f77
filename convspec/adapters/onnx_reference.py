"""ONNX's own reference evaluator, which computes with NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnx
from onnx.reference import ReferenceEvaluator

from convspec.adapters.onnx_models import implementation
from convspec.arguments import Array


def _prepare(model: Any) -> Callable[[list[Array]], Sequence[Array]]:
    evaluator = ReferenceEvaluator(model)

    def run(arrays: list[Array]) -> Sequence[Array]:
        names = evaluator.input_names
        outputs: Sequence[Array] = evaluator.run(None, dict(zip(names, arrays, strict=True)))
        return outputs

    return run


operations = implementation(
    _prepare,
    name="onnx-reference",
    version=onnx.__version__,
    dtypes=("float32", "float64"),
    isolate=False,
)

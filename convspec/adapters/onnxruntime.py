"""ONNX Runtime on the CPU, one session for each geometry.

A session has one thread: starting more costs far more than what is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from convspec.adapters.onnx_models import implementation
from convspec.arguments import Array

_FATAL = 4  # what is logged; errors are raised as well


def _prepare(model: Any) -> Callable[[list[Array]], Sequence[Array]]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except errors.NotImplemented as error:
        raise NotImplementedError("ONNX Runtime has no kernel for this type or rank") from error
    except errors.Fail as error:
        if "Pad should be smaller than kernel" in str(error):
            reason = "ONNX Runtime pads a pool by less than its kernel"
            raise NotImplementedError(reason) from error
        raise
    names = [entry.name for entry in session.get_inputs()]

    def run(arrays: list[Array]) -> Sequence[Array]:
        outputs: Sequence[Array] = session.run(None, dict(zip(names, arrays, strict=True)))
        return outputs

    return run


operations = implementation(
    _prepare,
    name="onnxruntime",
    version=onnxruntime.__version__,
    dtypes=("float32", "float64", "float16"),
    isolate=True,
)

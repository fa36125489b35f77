"""Any `onnx.backend.base.Backend`: the interface through which ONNX tests its runtimes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from unittest import SkipTest

from convspec.adapters.onnx_models import implementation
from convspec.arguments import Array


def of_backend(backend: Any, name: str) -> SimpleNamespace:
    """The operations as a backend computes them on its CPU, on models that it finds compatible."""

    def prepare(model: Any) -> Callable[[list[Array]], Sequence[Array]]:
        if not backend.is_compatible(model, "CPU"):
            raise NotImplementedError(f"{name} is not compatible with this model")
        try:
            representation = backend.prepare(model, "CPU")
        except SkipTest as error:  # how ONNX's own tests are told that a model is not for a backend
            raise NotImplementedError(f"{name}: {error}") from error

        def run(arrays: list[Array]) -> Sequence[Array]:
            outputs: Sequence[Array] = representation.run(arrays)
            return outputs

        return run

    version = str(getattr(backend, "__version__", "unknown"))
    dtypes = ("float32", "float64")
    return implementation(prepare, name=name, version=version, dtypes=dtypes, isolate=True)

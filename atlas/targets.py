"""The implementations that the atlas is made of."""

from __future__ import annotations

from typing import NamedTuple

KNOWN_FOLDER = "convspec/adapters/known"


class Target(NamedTuple):
    """What convspec loads, and which file of known differences is its own, if any."""

    loads: str
    known: str = ""


# By the names they have in the pages.  The example in C is compiled first, as docs/exec-c.md says.
TARGETS = {
    "fast": Target("fast"),
    "numpy": Target("numpy", "numpy"),
    "scipy": Target("scipy", "scipy"),
    "scipy:direct": Target("scipy:direct"),
    "scipy:fft": Target("scipy:fft", "scipy"),
    "scipy:convolve2d": Target("scipy:convolve2d"),
    "scipy:correlate2d": Target("scipy:correlate2d", "scipy_correlate2d"),
    "ndimage": Target("ndimage", "ndimage"),
    "skimage": Target("skimage", "skimage"),
    "torch": Target("torch", "torch"),
    "torch:cuda": Target("torch:cuda", "torch"),
    "onnxruntime": Target("onnxruntime", "onnxruntime"),
    "onnx-reference": Target("onnx-reference", "onnx-reference"),
    "jax": Target("jax", "jax"),
    "tensorflow": Target("tensorflow", "tensorflow"),
    "mlx": Target("mlx", "mlx"),
    "paddle": Target("paddle", "paddle"),
    "openvino": Target("openvino", "openvino"),
    "openvino:float32": Target("openvino:float32", "openvino_float32"),
    "opencv": Target("opencv", "opencv"),
    "javascript": Target("exec:node examples/javascript/conv.mjs"),
    "c": Target("exec:examples/c/conv"),
}


def target(name: str) -> Target:
    """The target of that name.

    Raises `SystemExit` naming those there are.

    >>> target("scipy:fft")
    Target(loads='scipy:fft', known='scipy')
    """
    if name not in TARGETS:
        raise SystemExit(f"{name!r}: must be one of {', '.join(TARGETS)}")
    return TARGETS[name]


def file_name(name: str) -> str:
    """The name of the file that is kept of an implementation.

    >>> file_name("openvino:float32")
    'openvino-float32.json'
    """
    return f"{name.replace(':', '-')}.json"

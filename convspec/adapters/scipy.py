"""SciPy's `scipy.signal`: the module itself with method "auto", and one object for each way.

`scipy:direct` and `scipy:fft` are `convolve` and `correlate` by that method, `scipy:convolve2d` and
`scipy:correlate2d` the two-dimensional functions of those names.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import scipy
import scipy.signal

from convspec.arguments import Array

name = "scipy"
version = scipy.__version__
dtypes = ("float64", "float32")


def convolve(f: Array, g: Array, mode: str = "full") -> Any:
    """`scipy.signal.convolve`, which chooses between the sum and the FFT by size."""
    return scipy.signal.convolve(f, g, mode)


def correlate(f: Array, g: Array, mode: str = "full") -> Any:
    """`scipy.signal.correlate`, which chooses between the sum and the FFT by size."""
    return scipy.signal.correlate(f, g, mode)


def _by_method(method: str) -> SimpleNamespace:
    def convolve(f: Array, g: Array, mode: str = "full") -> Any:
        return scipy.signal.convolve(f, g, mode, method=method)

    def correlate(f: Array, g: Array, mode: str = "full") -> Any:
        return scipy.signal.correlate(f, g, mode, method=method)

    return SimpleNamespace(
        name=f"scipy:{method}",
        version=version,
        dtypes=dtypes,
        convolve=convolve,
        correlate=correlate,
    )


def _check_rank(f: Array, g: Array) -> None:
    if f.ndim == g.ndim != 2:
        raise NotImplementedError("scipy.signal.convolve2d and correlate2d take two axes")


def _convolve2d(f: Array, g: Array, mode: str = "full") -> Any:
    _check_rank(f, g)
    return scipy.signal.convolve2d(f, g, mode)


def _correlate2d(f: Array, g: Array, mode: str = "full") -> Any:
    _check_rank(f, g)
    return scipy.signal.correlate2d(f, g, mode)


auto = _by_method("auto")
direct = _by_method("direct")
fft = _by_method("fft")
convolve2d = SimpleNamespace(
    name="scipy:convolve2d", version=version, dtypes=dtypes, convolve=_convolve2d
)
correlate2d = SimpleNamespace(
    name="scipy:correlate2d", version=version, dtypes=dtypes, correlate=_correlate2d
)

r"""Conditions in a layer's own dtype that suffice for its output to be right.

Whoever computes a layer again in float64 spends most of the time on moving numbers.  These look at
an output in blocks that stay in a cache, convert nothing, and never refute: where a condition is
not met, the layer is computed again.

A normalization $y = \gamma (x - \mu) / s + \beta$ is right within 14 roundings of
$M = |\gamma / s|\,(|x| + |\mu|) + |\beta|$ (docs/rounding.md).  Let $a = \gamma / s$ and
$c = \beta - a \mu$, computed in float64 and stored in the layer's dtype, with unit roundoff $u$.
On no way to $\hat a x + \hat c$ lie more than 6 roundings, those in float64 among them: a sum, a
root (which halves what that sum is off by), a quotient, then a product and a sum or a storing, and
last a sum.  Its difference to $y$ is rounded once, by a share of itself; and $m$, which is $M$
rounded at most 3 times on its way, is all but $M$.  Therefore

$$ \bigl|(\hat a x + \hat c) - y\bigr| \le 7 u\, m $$

suffices: $7 u\,m\,(1 + 2u) + ((1 + u)^6 - 1)\, M < 14 u M$.  What is subnormal and flushed is
allowed for more than that often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, call_windows
from convspec.oracle.certificate.whole import LOOKED_AT
from convspec.oracle.expected.elementary import deviations
from convspec.rounding import precision, unit_roundoff
from convspec.window import Window, slice_within, tap_run

DTYPES = ("float32", "float64")
# Of the 14 roundings that a normalization may make, so many are left to the layer.
LEFT = 7
# Elements of NumPy's buffer.
SHORT = 512


def is_surely_right(case: Case, output: Array) -> bool:
    """Whether a recorded output of the due shape is right beyond doubt; False says nothing.

    >>> x = numpy.array([[-1.0, 2.0]])
    >>> is_surely_right(Case("relu", {"input": x}, {}), numpy.array([[0.0, 2.0]]))
    True
    """
    condition = _CONDITIONS.get(case.operation)
    if condition is None or not output.size:
        return False
    arrays = [*case.operands.values(), output]
    if output.dtype.name not in DTYPES or any(a.dtype != output.dtype for a in arrays):
        return False
    with numpy.errstate(all="ignore"), _short_buffers():
        return all(condition(output, **case.operands, **case.attributes))


@contextmanager
def _short_buffers() -> Iterator[None]:
    """Rows are multiplied by a column where they lie: NumPy would copy the column into a buffer,
    once for every element, if several rows had room in one.
    """
    before = numpy.setbufsize(SHORT)
    try:
        yield
    finally:
        numpy.setbufsize(before)


def _flatten(output: Array, input: Array) -> Iterator[bool]:
    for x, y in _blocks(input, output):
        yield bool((x == y).all())


def _relu(output: Array, input: Array) -> Iterator[bool]:
    found = numpy.empty(LOOKED_AT, output.dtype)
    for x, y in _blocks(input, output):
        yield bool((numpy.maximum(x, 0, out=found[: len(x)]) == y).all())


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    flat = [array.reshape(-1) for array in arrays]
    for first in range(0, flat[0].size, LOOKED_AT):
        yield tuple(each[first : first + LOOKED_AT] for each in flat)


def _batch_norm(
    output: Array,
    input: Array,
    mean: Array,
    variance: Array,
    scale: Array,
    shift: Array,
    *,
    epsilon: float,
) -> Iterator[bool]:
    u, dtype = unit_roundoff(precision(output.dtype)), output.dtype
    slope = scale.astype(numpy.float64) / deviations(variance, epsilon)
    offset = slope * mean
    a, c, steepness, least = (
        column.astype(dtype)[:, None]
        for column in (
            slope,
            shift - offset,
            LEFT * u * abs(slope),
            LEFT * u * (abs(offset) + abs(shift)),
        )
    )
    channels = output.shape[1]
    for x, y in zip(input, output, strict=True):
        x, y = x.reshape(channels, -1), y.reshape(channels, -1)
        step = max(1, LOOKED_AT // x.shape[1])
        buffers = numpy.empty((2, min(step, channels), x.shape[1]), dtype)
        for first in range(0, channels, step):
            rows = slice(first, first + step)
            off, allowed = buffers[:, : channels - first]
            numpy.multiply(x[rows], a[rows], out=off)
            off += c[rows]
            off -= y[rows]
            numpy.abs(off, out=off)
            numpy.abs(x[rows], out=allowed)
            allowed *= steepness[rows]
            allowed += least[rows]
            yield bool((off <= allowed).all())


def _max_pool(output: Array, input: Array, **attributes: Any) -> Iterator[bool]:
    sliding = call_windows("max_pool", {"input": input.shape}, attributes)
    for x, y in zip(input, output, strict=True):
        for axis, window in enumerate(sliding, start=1):
            x = _maxima(x, axis, window, y.shape[axis])
        yield bool((x == y).all())


def _maxima(x: Array, axis: int, window: Window, size: int) -> Array:
    """The largest element of every window along one axis: a window is a product of its axes."""
    before = (slice(None),) * axis
    found = numpy.full((*x.shape[:axis], size, *x.shape[axis + 1 :]), -numpy.inf, x.dtype)
    inputs, outputs = range(x.shape[axis]), range(size)
    for tap in range(window.kernel):
        written, read = tap_run(window, tap, inputs, outputs)
        place = found[(*before, slice_within(written, outputs))]
        numpy.maximum(place, x[(*before, slice_within(read, inputs))], out=place)
    return found


_CONDITIONS: dict[str, Callable[..., Iterator[bool]]] = {
    "flatten": _flatten,
    "relu": _relu,
    "batch_norm": _batch_norm,
    "max_pool": _max_pool,
}

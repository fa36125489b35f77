"""Implementations for the oracle to judge: correct ones that round in their own ways."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy
import scipy.signal

from convspec import fast
from convspec.operations import OPERATIONS
from tests.oracle.arithmetic import to_bits

CORE = (
    "convolve",
    "correlate",
    "conv",
    "conv_transpose",
    "max_pool",
    "max_pool_with_indices",
    "average_pool",
)


def offering(**functions: Any) -> SimpleNamespace:
    """An implementation with these functions and no others."""
    return SimpleNamespace(name="planted", **functions)


def everything() -> dict[str, Any]:
    """Every core operation and vjp of the fast twins, by name."""
    return {n: getattr(fast, n) for name in CORE for n in (name, f"{name}_vjp")}


def after(change, function):
    """`function` on operands that `change` has been applied to."""

    def wrapped(*operands, **attributes):
        return function(*(change(x) for x in operands), **attributes)

    return wrapped


def inside(dtype, function):
    """`function` computed in another dtype, its results stored in that of the operands."""

    def wrapped(*operands, **attributes):
        result = function(*(x.astype(dtype) for x in operands), **attributes)
        if isinstance(result, tuple):
            return tuple(part.astype(operands[0].dtype) for part in result)
        return result.astype(operands[0].dtype)

    return wrapped


def with_operands_of(bits, function):
    """`function` on operands rounded to so many bits."""
    return after(lambda x: to_bits(x, bits), function)


def fft_convolve(f, g, mode="full"):
    """`convolve` by FFT, centred as the spec says."""
    full = scipy.signal.fftconvolve(f, g, "full")
    kept = {
        "full": [(0, n + m - 1) for n, m in zip(f.shape, g.shape, strict=True)],
        "same": [((m - 1) // 2, (m - 1) // 2 + n) for n, m in zip(f.shape, g.shape, strict=True)],
        "valid": [(min(n, m) - 1, max(n, m)) for n, m in zip(f.shape, g.shape, strict=True)],
    }[mode]
    return full[tuple(slice(*keep) for keep in kept)].astype(f.dtype)


# The matrices of F(2, 3) and F(4, 3): Lavin and Gray, arXiv:1509.09308.
WINOGRAD = {
    2: (
        [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, -1, -1]],
    ),
    4: (
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        [
            [1 / 4, 0, 0],
            [-1 / 6, -1 / 6, -1 / 6],
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    ),
}


def winograd_conv(tile):
    """`conv` by Winograd F(tile x tile, 3 x 3) where it applies, plain elsewhere."""

    def conv(input, weight, bias=None, *, stride, padding, dilation, groups):
        shapes = [x.shape for x in (input, weight, bias) if x is not None]
        OPERATIONS["conv"].shape(
            *shapes, stride=stride, padding=padding, dilation=dilation, groups=groups
        )  # refuses what is no valid call
        plain = weight.shape[2:] == (3, 3) and stride == dilation == (1, 1) and groups == 1
        if not plain:
            return fast.conv(
                input,
                weight,
                bias,
                stride=stride,
                padding=padding,
                dilation=dilation,
                groups=groups,
            )
        b, g, a = (numpy.array(m, input.dtype) for m in WINOGRAD[tile])
        height, width = (
            n + low + high - 2 for n, (low, high) in zip(input.shape[2:], padding, strict=True)
        )
        rows, columns = -(-height // tile), -(-width // tile)
        x = numpy.zeros((*input.shape[:2], rows * tile + 2, columns * tile + 2), input.dtype)
        (top, _), (left, _) = padding
        x[:, :, top : top + input.shape[2], left : left + input.shape[3]] = input
        u = g @ weight @ g.T
        y = numpy.zeros((len(input), len(weight), rows * tile, columns * tile), input.dtype)
        for i in range(0, rows * tile, tile):
            for j in range(0, columns * tile, tile):
                v = b @ x[:, :, i : i + tile + 2, j : j + tile + 2] @ b.T
                m = numpy.einsum("nchw,ochw->nohw", v, u)
                y[:, :, i : i + tile, j : j + tile] = a @ m @ a.T
        y = y[:, :, :height, :width]
        return y if bias is None else y + bias[:, None, None]

    return conv

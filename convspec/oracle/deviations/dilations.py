"""Dilation off by one: what lies between two taps, and how far a kernel reaches."""

from __future__ import annotations

from typing import Any

from convspec.arguments import Array
from convspec.oracle.deviations.edits import afterwards, fitted, rewriting, spatial
from convspec.oracle.deviations.record import Deviation


def _one_more(dilation: Any, **_: Any) -> dict[str, Any]:
    return {"dilation": tuple(d + 1 for d in dilation)}


def _of_longer_kernels(output: Array, input: Any, weight: Any, **attributes: Any) -> Any:
    """The places where d k positions would fit, of those where the kernel does."""
    strides, pairs, dilations = (attributes[name] for name in ("stride", "padding", "dilation"))
    axes = zip(spatial(input), spatial(weight), strides, pairs, dilations, strict=True)
    sizes = [(n + sum(pair) - d * k) // s + 1 for n, k, s, pair, d in axes]
    if min(sizes) < 1:
        raise ValueError(f"dilation={dilations}: the kernel exceeds the padded input")
    return fitted(output, (*output.shape[:2], *sizes))


DILATIONS = (
    Deviation(
        name="dilation taken for the gap between taps",
        operations=("conv",),
        kind="mistake",
        sentence="Skips `dilation` positions between two taps, where the next tap is `dilation` "
        "positions on.",
        hidden="kernels of one element",
        edit=rewriting(_one_more),
    ),
    Deviation(
        name="extent taken for dilation times kernel",
        operations=("conv",),
        kind="mistake",
        sentence="Lets the kernel span d k positions where it spans d (k - 1) + 1, so that the "
        "last places are left out.",
        hidden="dilation 1, or a stride's remainder that swallows it",
        edit=afterwards(_of_longer_kernels),
    ),
)

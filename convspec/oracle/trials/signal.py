"""Trials of `convolve` and `correlate` and their vjps: every pair of sizes, every mode."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy

from convspec.arguments import Shape
from convspec.oracle import expected
from convspec.oracle.cases.draws import amplitude, integers
from convspec.oracle.trials.trial import Setting, Trial, reach

MODES = ("full", "same", "valid")
LARGEST_RANK_3 = 3


def size_pairs(budget: int, seed: int) -> list[tuple[Shape, Shape]]:
    """Pairs of operand shapes: all of rank 1 up to 8, and random ones of ranks 2 and 3."""
    pairs: list[tuple[Shape, Shape]] = [((n,), (m,)) for n, m in product(range(1, 9), repeat=2)]
    rng = numpy.random.default_rng([seed, 1])
    while len(pairs) * len(MODES) < budget:
        rank = int(rng.choice([2, 2, 3]))
        top = 9 if rank == 2 else LARGEST_RANK_3 + 2
        f, g = (tuple(rng.integers(1, top, size=rank).tolist()) for _ in range(2))
        pairs.append((f, g))
    return pairs


def _modes(f: Shape, g: Shape) -> Iterator[str]:
    """The modes that are defined for these shapes."""
    contains = all(n >= m for n, m in zip(f, g, strict=True))
    inside = all(n <= m for n, m in zip(f, g, strict=True))
    yield from (mode for mode in MODES if mode != "valid" or contains or inside)


def forward_trials(
    name: str, pairs: list[tuple[Shape, Shape]], setting: Setting
) -> Iterator[Trial]:
    """Trials of `convolve` or `correlate`."""
    value: Any = getattr(expected, name)
    for f_shape, g_shape in pairs:
        terms = min(prod(f_shape), prod(g_shape))
        largest = reach(setting, amplitude(terms, setting.dtype))
        f = integers(setting.rng, f_shape, largest, setting.dtype)
        g = integers(setting.rng, g_shape, largest, setting.dtype)
        for mode in _modes(f_shape, g_shape):
            yield Trial({"f": f, "g": g}, {"mode": mode}, (value(f, g, mode),))


def vjp_trials(name: str, pairs: list[tuple[Shape, Shape]], setting: Setting) -> Iterator[Trial]:
    """Trials of `convolve_vjp` or `correlate_vjp`."""
    value: Any = getattr(expected, name)
    shape: Any = getattr(expected, name.removesuffix("_vjp"))
    for f_shape, g_shape in pairs:
        largest = reach(setting, amplitude(max(prod(f_shape), prod(g_shape)), setting.dtype))
        f = integers(setting.rng, f_shape, largest, setting.dtype)
        g = integers(setting.rng, g_shape, largest, setting.dtype)
        for mode in _modes(f_shape, g_shape):
            cotangent = integers(setting.rng, shape(f, g, mode).shape, largest, setting.dtype)
            operands = {"cotangent": cotangent, "f": f, "g": g}
            yield Trial(operands, {"mode": mode}, value(cotangent, f, g, mode))

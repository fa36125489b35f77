"""Which exact trials an operation gets, in which order, and what they cover."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from convspec.case import forward_name
from convspec.oracle.scope import Block, Coverage, Restriction, covering
from convspec.oracle.trials import convolution, pooling, signal, transposed_convolution
from convspec.oracle.trials.trial import Setting, Trial

BUDGETS = {"quick": 480, "standard": 2400, "exhaustive": 48_000}
# The share of the budget that goes to each rank.
RANKS = {1: 0.2, 2: 0.6, 3: 0.2}

BlockTrials = Callable[[Block, Setting], Iterator[Trial]]

FAMILIES: dict[str, tuple[tuple[str, ...], BlockTrials]] = {
    "conv": (("conv",), convolution.conv_trials),
    "conv_vjp": (("conv",), convolution.conv_vjp_trials),
    "conv_transpose": (("conv_transpose",), transposed_convolution.conv_transpose_trials),
    "conv_transpose_vjp": (("conv_transpose",), transposed_convolution.conv_transpose_vjp_trials),
    "max_pool": (("pool", "pool_ceil"), pooling.max_pool_trials),
    "max_pool_vjp": (("pool", "pool_ceil"), pooling.max_pool_vjp_trials),
    "max_pool_with_indices": (("pool", "pool_ceil"), pooling.max_pool_with_indices_trials),
    "max_pool_with_indices_vjp": (("pool", "pool_ceil"), pooling.max_pool_vjp_trials),
    "average_pool": (("pool", "pool_ceil"), pooling.average_pool_trials),
    "average_pool_vjp": (("pool", "pool_ceil"), pooling.average_pool_vjp_trials),
}
SIGNALS = ("convolve", "correlate")


class Strength(NamedTuple):
    """What a sweep covers at one rank of one family."""

    family: str
    rank: int
    coverage: Coverage


def is_swept(operation: str) -> bool:
    """Whether an operation has exact trials of its own."""
    return operation in FAMILIES or forward_name(operation) in SIGNALS


def exact_trials(
    operation: str,
    level: str,
    seed: int,
    setting: Setting,
    restriction: Restriction = frozenset(),
) -> Iterator[Trial]:
    """The exact sweep of an operation, within a restriction of its scope."""
    if forward_name(operation) in SIGNALS:
        pairs = signal.size_pairs(BUDGETS[level], seed)
        trials = signal.vjp_trials if operation.endswith("_vjp") else signal.forward_trials
        yield from trials(operation, pairs, setting)
        return
    families, block_trials = FAMILIES[operation]
    for rank, budget in _budgets(level, len(families), restriction):
        for family in families:
            for block in covering(family, rank, budget, seed, restriction)[0]:
                yield from block_trials(block, setting)


def strengths(
    operation: str, level: str, seed: int, restriction: Restriction = frozenset()
) -> list[Strength]:
    """What the exact sweep of an operation covers."""
    if operation not in FAMILIES:
        return []
    families, _ = FAMILIES[operation]
    return [
        Strength(family, rank, covering(family, rank, budget, seed, restriction)[1])
        for rank, budget in _budgets(level, len(families), restriction)
        for family in families
    ]


def _budgets(level: str, families: int, restriction: Restriction) -> list[tuple[int, int]]:
    """The number of cases each rank gets, of each family."""
    ranks = {rank: share for rank, share in RANKS.items() if f"not rank {rank}" not in restriction}
    whole = BUDGETS[level] / (sum(ranks.values()) * families)
    return [(rank, int(whole * share)) for rank, share in ranks.items()]

"""Which exact trials an operation gets, in which order, and what they cover."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from convspec.arguments import Array
from convspec.case import Case, forward_name
from convspec.oracle.cases.filling import degree, filled
from convspec.oracle.cases.scope import Block, Coverage, Restriction, covering, every
from convspec.oracle.reference import spec, trial
from convspec.oracle.rounding.bounds import may_round
from convspec.oracle.trials import convolution, pooling, signal, transposed_convolution
from convspec.oracle.trials.geometries import FLAT, RECIPES, Geometries
from convspec.oracle.trials.trial import Setting, Trial

BUDGETS = {"quick": 480, "standard": 2400, "exhaustive": 48_000}
# What is composed of these, or slides no window, has a smaller scope.
FEWER = {"quick": 120, "standard": 600, "exhaustive": 12_000}
# The share of the budget that goes to each rank.
RANKS = {1: 0.2, 2: 0.6, 3: 0.2}
# What `exhaustive` has beside its sample: every geometry of these families at each rank, within a
# restriction that leaves no more of them than can be gone through.
EVERY = ("conv", "pool", "pool_ceil")
EVERY_WITHIN: dict[int, Restriction] = {
    1: frozenset(),
    2: frozenset({"equal padding on both sides"}),
}
# Ranks at which that is dealt out, to be gone through by several processes.
DEALT_OUT = (2,)

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


def _case_by_case(operation: str, geometries: Geometries) -> BlockTrials:
    """Trials that share nothing: each with arrays of its own."""
    namespace = spec()

    def trials(block: Block, setting: Setting) -> Iterator[Trial]:
        for shapes, attributes in geometries(block):
            operands = filled(
                operation, shapes, attributes, setting.rng, setting.dtype, setting.largest
            )
            if setting.drawn is not None and _is_bilinear(operation, operands, attributes):
                setting.drawn.add(max(int(abs(a).max(initial=1)) for a in operands.values()))
            yield trial(Case(operation, operands, attributes), namespace)

    return trials


for _name, (_families, _geometries) in RECIPES.items():
    for _operation in (_name, f"{_name}_vjp"):
        FAMILIES[_operation] = (_families, _case_by_case(_operation, _geometries))

SIGNALS = ("convolve", "correlate")


class Strength(NamedTuple):
    """What a sweep covers at one rank of one family."""

    family: str
    rank: int
    coverage: Coverage


def _is_bilinear(operation: str, operands: dict[str, Array], attributes: dict[str, Any]) -> bool:
    """Whether a case is exact and a bilinear form, of which a draw misses few."""
    name = forward_name(operation)
    shapes = {n: array.shape for n, array in operands.items() if n != "cotangent"}
    return not may_round(name, attributes) and degree(name, shapes) == 2


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
    for rank, budget in _budgets(operation, level, restriction):
        for family in families:
            for block in covering(family, rank, budget, seed, restriction)[0]:
                yield from block_trials(block, setting)
    for family, rank, within in gone_through(operation, level, restriction):
        if rank not in DEALT_OUT:
            for block in every(family, rank, within):
                yield from block_trials(block, setting)


def dealt_out(operation: str, level: str) -> list[tuple[str, int, Restriction]]:
    """What of `gone_through` is too much for one process, and no part of `exact_trials`."""
    return [each for each in gone_through(operation, level) if each[1] in DEALT_OUT]


def deal(operation: str, level: str, number: int, parts: int, setting: Setting) -> Iterator[Trial]:
    """One deal of so many, numbered from 1: every so manyth block of what is dealt out."""
    for family, rank, within in dealt_out(operation, level):
        for block in islice(every(family, rank, within), number - 1, None, parts):
            yield from FAMILIES[operation][1](block, setting)


def gone_through(
    operation: str, level: str, restriction: Restriction = frozenset()
) -> list[tuple[str, int, Restriction]]:
    """The families of which a sweep has every geometry: family, rank, and the restriction.

    >>> len(gone_through("conv", "exhaustive")), gone_through("conv", "standard")
    (2, [])
    """
    if level != "exhaustive" or operation not in FAMILIES:
        return []
    return [
        (family, rank, within | restriction)
        for family in FAMILIES[operation][0]
        for rank, within in EVERY_WITHIN.items()
        if family in EVERY and f"not rank {rank}" not in restriction
    ]


def strengths(
    operation: str, level: str, seed: int, restriction: Restriction = frozenset()
) -> list[Strength]:
    """What the exact sweep of an operation covers."""
    if operation not in FAMILIES:
        return []
    families, _ = FAMILIES[operation]
    return [
        Strength(family, rank, covering(family, rank, budget, seed, restriction)[1])
        for rank, budget in _budgets(operation, level, restriction)
        for family in families
    ]


def _budgets(operation: str, level: str, restriction: Restriction) -> list[tuple[int, int]]:
    """The number of cases each rank gets, of each family."""
    name, families = forward_name(operation), len(FAMILIES[operation][0])
    shares = {1: 1.0} if name in FLAT else RANKS
    ranks = {rank: share for rank, share in shares.items() if f"not rank {rank}" not in restriction}
    budget = (FEWER if name in RECIPES else BUDGETS)[level]
    whole = budget / (sum(ranks.values()) * families) if ranks else 0
    return [(rank, int(whole * share)) for rank, share in ranks.items()]

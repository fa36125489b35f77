"""The small scope holds exactly the valid axes, and its coverage is counted as it is."""

from __future__ import annotations

from itertools import chain, combinations, product

import numpy
import pytest

from convspec.case import normalised
from convspec.operations import OPERATIONS
from convspec.oracle.cases.scope import (
    AXIS_RESTRICTIONS,
    CALL_RESTRICTIONS,
    SLICES_PER_BLOCK,
    Coverage,
    _sampled,
    covering,
    every,
    scope,
)
from convspec.oracle.cases.streams import (
    BUDGETS,
    EVERY,
    EVERY_WITHIN,
    RANKS,
    exact_trials,
    gone_through,
    strengths,
)
from convspec.oracle.trials.trial import Setting

FAMILIES = ("conv", "conv_transpose", "pool", "pool_ceil")
OF_FAMILY = {
    "conv": "conv",
    "conv_transpose": "conv_transpose",
    "pool": "max_pool",
    "pool_ceil": "max_pool",
}


def accepted(family, axis):
    """Whether the definition accepts a call of one axis, whatever the oracle thinks."""
    name = OF_FAMILY[family]
    given = {
        "stride": axis["stride"],
        "padding": ((axis["low"], axis["high"]),),
        "dilation": axis["dilation"],
    }
    if name == "max_pool":
        shapes = {"input": (1, 1, axis["size"])}
        given |= {"kernel_size": axis["kernel"], "ceil_mode": family == "pool_ceil"}
    else:
        shapes = {"input": (1, 1, axis["size"]), "weight": (1, 1, axis["kernel"])}
        if name == "conv_transpose":
            given["output_padding"] = axis["output_padding"]
    try:
        shape = OPERATIONS[name].shape(*shapes.values(), **given)
        normalised(name, shapes, given)
    except ValueError:
        return False
    return min(shape) >= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_valid_axes_are_those_that_the_definition_accepts(family):
    within = scope(family, 1)
    fields = (*within.shared, *within.sliding)
    ranges = {
        "size": range(1, 9),
        "kernel": range(1, 5),
        "dilation": range(1, 4),
        "stride": range(1, 4),
        "low": range(3),
        "high": range(3),
        "output_padding": range(3),
    }
    brute = [
        row
        for row in product(*(ranges[name] for name in fields))
        if accepted(family, dict(zip(fields, row, strict=True)))
    ]
    assert within.axes.tolist() == [list(row) for row in brute]


def test_counts():
    assert len(scope("conv").axes) == 2049
    assert len(scope("conv", 2, frozenset({"equal padding on both sides"})).axes) == 675


def test_the_axes_of_volumes_are_shorter():
    rows = scope("conv", 3).axes
    assert rows[:, :3].max(axis=0).tolist() == [5, 3, 2]
    whole = scope("conv", 2).axes
    small = whole[(whole[:, 0] <= 5) & (whole[:, 1] <= 3) & (whole[:, 2] <= 2)]
    assert numpy.array_equal(rows, small)


@pytest.mark.parametrize("name", AXIS_RESTRICTIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_restriction_of_the_axes_keeps_those_that_obey_it(family, name):
    whole, less = scope(family, 1), scope(family, 1, frozenset({name}))
    fields = (*whole.shared, *whole.sliding)
    says = {
        "equal padding on both sides": lambda a: a["low"] == a["high"],
        "padding up to half the kernel": lambda a: (
            a["low"] <= a["kernel"] / 2 and a["high"] <= a["kernel"] / 2
        ),
        "no padding": lambda a: a["low"] == 0 and a["high"] == 0,
        "no dilation": lambda a: a["dilation"] == 1,
        "stride 1": lambda a: a["stride"] == 1,
    }[name]
    obeying = [row for row in whole.axes.tolist() if says(dict(zip(fields, row, strict=True)))]
    assert 0 < len(obeying) < len(whole.axes)
    assert less.axes.tolist() == obeying


def test_a_restriction_of_the_call():
    assert scope("conv", 1, frozenset({"one group"})).call["groups"] == range(1, 2)
    assert scope("conv", 1, frozenset({"no bias"})).call["bias"] == range(1)
    # A pooling has neither.
    assert scope("pool", 1, frozenset(CALL_RESTRICTIONS)).call == scope("pool", 1).call


def rows_of(family, blocks):
    """Every case of the blocks as one row of its features, axis by axis, then the call's."""
    within = scope(family)
    for block in blocks:
        for slide in block.slides:
            axes = [
                [axis[name] for name in within.shared] + [slid[name] for name in within.sliding]
                for axis, slid in zip(block.axes, slide, strict=True)
            ]
            yield tuple(chain.from_iterable(axes)) + tuple(block.call[name] for name in within.call)


def shown(rows, strength):
    """The combinations of feature values that rows show, literally."""
    rows = list(rows)
    return {
        (places, tuple(row[place] for place in places))
        for row in rows
        for places in combinations(range(len(rows[0])), strength)
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_feasible_combinations_are_counted_literally_at_rank_1(family):
    within = scope(family, 1)
    axes = shown(map(tuple, within.axes.tolist()), 1), shown(map(tuple, within.axes.tolist()), 2)
    width = within.axes.shape[1]
    call = [[(width + i, v) for v in values] for i, values in enumerate(within.call.values())]
    triples = len(shown(map(tuple, within.axes.tolist()), 3))
    pairs_of_call = [p for a, b in combinations(call, 2) for p in product(a, b)]
    triples_of_call = [p for a, b, c in combinations(call, 3) for p in product(a, b, c)]
    singles_of_call = list(chain.from_iterable(call))
    values = len(axes[0]) + len(singles_of_call)
    pairs = len(axes[1]) + len(axes[0]) * len(singles_of_call) + len(pairs_of_call)
    triples += (
        len(axes[1]) * len(singles_of_call)
        + len(axes[0]) * len(pairs_of_call)
        + len(triples_of_call)
    )
    assert covering(family, 1, 64, 0)[1].feasible == (values, pairs, triples)


def test_feasible_combinations_of_a_tiny_scope_are_counted_literally(monkeypatch):
    """Two axes and a call of two values each: every valid call is written out."""
    tiny = scope("conv")._replace(
        axes=numpy.array([[1, 1, 1, 1, 0, 0], [2, 1, 1, 2, 0, 0], [2, 2, 1, 1, 1, 0]]),
        call={"groups": range(1, 3), "bias": range(2)},
    )
    monkeypatch.setattr("convspec.oracle.cases.scope.scope", lambda *_: tiny)
    covering.cache_clear()
    blocks, coverage = covering("conv", 2, 64, 0)
    covering.cache_clear()
    rows = [
        (*a, *b, *call)
        for a, b in product(map(tuple, tiny.axes.tolist()), repeat=2)
        for call in product(range(1, 3), range(2))
    ]
    assert coverage.feasible == tuple(len(shown(rows, strength)) for strength in (1, 2, 3))
    assert coverage.reached == tuple(
        len(shown(rows_of_tiny(tiny, blocks), strength)) for strength in (1, 2, 3)
    )


def rows_of_tiny(tiny, blocks):
    for block in blocks:
        for slide in block.slides:
            axes = [
                [*(axis[n] for n in tiny.shared), *(slid[n] for n in tiny.sliding)]
                for axis, slid in zip(block.axes, slide, strict=True)
            ]
            yield tuple(chain.from_iterable(axes)) + tuple(block.call.values())


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
def test_reached_combinations_are_counted_literally(family, rank):
    blocks, coverage = covering(family, rank, 120, 1)
    rows = list(rows_of(family, blocks))
    assert coverage.reached == tuple(len(shown(rows, strength)) for strength in (1, 2, 3))
    assert all(r <= f for r, f in zip(coverage.reached, coverage.feasible, strict=True))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_is_accepted_by_the_definition(family, rank):
    blocks, _ = covering(family, rank, 240, 2)
    for block in blocks:
        assert 1 <= len(block.slides) <= SLICES_PER_BLOCK
        assert len(set(map(str, block.slides))) == len(block.slides)
        for slide in block.slides:
            for axis, slid in zip(block.axes, slide, strict=True):
                assert accepted(family, {**axis, **slid})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_restricted_sweep_keeps_to_its_restriction(family):
    restriction = frozenset({"equal padding on both sides", "no dilation", "one group", "no bias"})
    for block in covering(family, 2, 240, 0, restriction)[0]:
        assert all(axis["dilation"] == 1 for axis in block.axes)
        assert block.call.get("groups", 1) == 1
        assert block.call.get("bias", 0) == 0
        assert all(slid["low"] == slid["high"] for slide in block.slides for slid in slide)


def test_blocks_come_in_covering_order():
    """The cases kept show more pairs than as many random ones do."""
    blocks, coverage = covering("conv", 2, 240, 0)
    _, many = covering("conv", 2, 2400, 0)
    assert coverage.reached[1] < many.reached[1]
    assert coverage.reached[0] == coverage.feasible[0]
    assert len(blocks) == 240 // SLICES_PER_BLOCK
    within = scope("conv", 2)
    rng = numpy.random.default_rng(0)
    call, axes = _sampled(within, 2, len(blocks), rng)
    flat = axes.reshape(len(blocks) * SLICES_PER_BLOCK, -1)
    unordered = numpy.concatenate([flat, numpy.repeat(call, SLICES_PER_BLOCK, axis=0)], axis=1)
    for strength in (2, 3):
        kept = shown(rows_of("conv", blocks), strength)
        assert len(kept) > len(shown(map(tuple, unordered.tolist()), strength))


def test_every_seed_has_a_sweep_of_its_own_and_the_same_again():
    first, again, other = (
        [block.slides for block in covering("pool", 2, 240, seed)[0]] for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_the_strength_of_a_level():
    quick, standard = strengths("conv", "quick", 0), strengths("conv", "standard", 0)
    assert [s.rank for s in quick] == list(RANKS)
    for less, more in zip(quick, standard, strict=True):
        assert isinstance(less.coverage, Coverage)
        assert less.coverage.reached[1] <= more.coverage.reached[1]
        assert less.coverage.feasible == more.coverage.feasible
        assert more.coverage.reached[0] == more.coverage.feasible[0]
    assert BUDGETS["quick"] < BUDGETS["standard"] < BUDGETS["exhaustive"]


PLAIN = frozenset({"equal padding on both sides", "no dilation", "stride 1"})


@pytest.mark.parametrize("family", EVERY)
@pytest.mark.parametrize(("rank", "within"), [(1, frozenset()), (2, PLAIN)])
def test_every_geometry_comes_once(family, rank, within):
    """All rows of the scope on every axis, independently, and no call twice."""
    fields = (*scope(family, rank).shared, *scope(family, rank).sliding)
    seen = [
        tuple(tuple({**axis, **more}[name] for name in fields) for axis, more in both)
        for block in every(family, rank, within)
        for both in (tuple(zip(block.axes, slide, strict=True)) for slide in block.slides)
    ]
    rows = [tuple(row) for row in scope(family, rank, within).axes.tolist()]
    assert len(seen) == len(set(seen)) == len(rows) ** rank
    assert set(seen) == set(product(rows, repeat=rank))


def test_exhaustive_goes_through_every_geometry(monkeypatch):
    """A mistake at a single one of them is met, whatever the sample beside them holds."""
    assert len(scope("conv", 2, EVERY_WITHIN[2]).axes) ** 2 == 455_625
    assert not gone_through("conv", "standard")
    monkeypatch.setitem(BUDGETS, "exhaustive", 8)
    one_axis = frozenset({"not rank 2", "not rank 3"})
    assert gone_through("conv", "exhaustive", one_axis) == [("conv", 1, one_axis)]
    met = {}
    for level in ("quick", "exhaustive"):
        setting = Setting(numpy.dtype("f4"), numpy.random.default_rng(0))
        met[level] = {
            (
                *trial.operands["input"].shape[2:],
                *trial.operands["weight"].shape[2:],
                *trial.attributes["dilation"],
                *trial.attributes["stride"],
                *trial.attributes["padding"][0],
            )
            for trial in exact_trials("conv", level, 0, setting, one_axis)
        }
    assert met["exhaustive"] == {tuple(row) for row in scope("conv", 1).axes.tolist()}
    assert met["quick"] < met["exhaustive"]

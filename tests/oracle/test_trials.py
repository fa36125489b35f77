"""Every trial of the exact sweep carries what the definition gives, from data that cannot round."""

from __future__ import annotations

from itertools import islice

import numpy
import pytest

from convspec.case import call_windows, forward_name
from convspec.oracle import expected
from convspec.oracle.cases.scope import covering
from convspec.oracle.cases.streams import FAMILIES, SIGNALS, exact_trials, is_swept, strengths
from convspec.oracle.expected import divisors
from convspec.oracle.trials import signal
from convspec.oracle.trials.geometries import RECIPES
from convspec.oracle.trials.trial import DRAWS, Setting
from convspec.rounding import integer_bits, precision
from tests.oracle.definitions import by_definition, exactly, is_equal

DTYPES = ("float32", "float64", "float16", "int32", "int8", "uint8")
# What has no blocks of its own is tested in `test_layers.py`.
BLOCKS = [name for name in FAMILIES if forward_name(name) not in RECIPES]
SIGNAL_OPERATIONS = ("convolve", "correlate", "convolve_vjp", "correlate_vjp")


@pytest.fixture(autouse=True)
def two_draws(monkeypatch):
    """A literal definition need not see all sixteen draws of a batch to show the geometry right."""
    for rank in DRAWS:
        monkeypatch.setitem(DRAWS, rank, 2)


def setting(dtype, seed=0):
    return Setting(numpy.dtype(dtype), numpy.random.default_rng(seed))


def some_trials(operation, rank, dtype, seed, blocks=2, cases=2):
    """A few cases of a few blocks of each family of an operation."""
    families, block_trials = FAMILIES[operation]
    for family in families:
        for block in covering(family, rank, 8 * 12, seed)[0][:blocks]:
            few = block._replace(slides=block.slides[:cases])
            yield from block_trials(few, setting(dtype, seed))


def assert_defined(operation, trial):
    """The expected outputs are the definition's on exact numbers, or within their slack."""
    right = by_definition(operation, exactly(trial.operands), trial.attributes)
    assert len(right) == len(trial.expected)
    for number, (given, value) in enumerate(zip(trial.expected, right, strict=True)):
        assert given.shape == value.shape
        if trial.slack is None:
            assert is_equal(given, value), (operation, trial.attributes)
        else:
            off = abs(given.astype(float) - value.astype(float))
            # The reference divides in float64, and has its own share of the slack for that.
            first = next(iter(trial.operands.values())).dtype
            share = 0.5 if first.kind in "iu" else 1 / (1 + 2.0 ** (53 - precision(first)))
            assert (off <= 1.01 * share * trial.slack[number]).all(), (operation, trial.attributes)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("operation", BLOCKS)
def test_expected_outputs_are_those_of_the_definition(operation, rank):
    for number, dtype in enumerate(DTYPES):
        blocks = 2 if rank < 3 else 1
        for trial in some_trials(operation, rank, dtype, seed=number, blocks=blocks):
            assert_defined(operation, trial)


@pytest.mark.parametrize("operation", SIGNAL_OPERATIONS)
def test_expected_signals_are_those_of_the_definition(operation):
    stream = signal.vjp_trials if operation.endswith("_vjp") else signal.forward_trials
    pairs = signal.size_pairs(480, 0)
    rank_1 = pairs[:64:7]
    higher = [pair for pair in pairs if len(pair[0]) > 1][:6]
    for dtype in DTYPES:
        for trial in stream(operation, [*rank_1, *higher], setting(dtype)):
            assert_defined(operation, trial)


def units(operation, trial):
    """The sums of absolute terms, which no partial sum of any order exceeds, in whole units."""
    absolute = {name: abs(array.astype(float)) for name, array in trial.operands.items()}
    result = getattr(expected, operation)(*absolute.values(), **trial.attributes)
    sums = result if isinstance(result, tuple) else (result,)
    if forward_name(operation) != "average_pool":
        return sums
    # Shares of an average are multiples of 1 over the largest divisor, a power of two.
    spatial = trial.operands["input"].shape[2:]
    sliding = call_windows(
        "average_pool", {"input": trial.operands["input"].shape}, trial.attributes
    )
    include = trial.attributes["count_include_pad"]
    return (sums[0] * divisors(spatial, sliding, count_include_pad=include).max(),)


SUMS = [
    *(name for name in BLOCKS if "max" not in name),
    "max_pool_vjp",
    "max_pool_with_indices_vjp",
    *SIGNAL_OPERATIONS,
]


@pytest.mark.parametrize("operation", SUMS)
@pytest.mark.parametrize("dtype", [*DTYPES, "int16"])
def test_no_partial_sum_can_round_or_overflow(operation, dtype, monkeypatch):
    for rank, draws in {1: 16, 2: 16, 3: 4}.items():
        monkeypatch.setitem(DRAWS, rank, draws)
    average = forward_name(operation) == "average_pool"
    # Averages of integers are floats.
    element = numpy.dtype("float64" if average and "int" in dtype else dtype)
    for trial in islice(exact_trials(operation, "quick", 3, setting(dtype)), 0, None, 5):
        if trial.slack is None:
            largest = max(total.max(initial=0) for total in units(operation, trial))
            assert largest <= 2 ** integer_bits(element), (operation, trial.attributes)


@pytest.mark.parametrize("operation", [*BLOCKS, *SIGNAL_OPERATIONS])
def test_a_sweep_has_both_single_items_and_batches(operation):
    assert is_swept(operation)
    trials = list(islice(exact_trials(operation, "quick", 0, setting("float32")), 0, None, 7))
    first = {next(iter(trial.operands.values())).shape[0] for trial in trials}
    assert 1 in first
    assert max(first) > 1


def test_what_the_strengths_are_of():
    assert strengths("convolve", "quick", 0) == []
    assert {s.rank for s in strengths("conv", "quick", 0)} == {1, 2, 3}
    assert SIGNALS == ("convolve", "correlate")


def test_entries_survive_bfloat16():
    trials = islice(exact_trials("conv", "quick", 0, setting("float64")), 0, None, 9)
    arrays = [array for trial in trials for array in trial.operands.values()]
    assert max(abs(array).max() for array in arrays) == 256
    assert all((array == numpy.rint(array)).all() for array in arrays)


def test_a_fast_algorithm_gets_small_entries():
    small = Setting(numpy.dtype("float32"), numpy.random.default_rng(0), largest=15)
    for operation in ("conv", "conv_vjp", "conv_transpose", "conv_transpose_vjp", "convolve"):
        for trial in islice(exact_trials(operation, "quick", 0, small), 0, None, 37):
            assert max(abs(array).max() for array in trial.operands.values()) <= 15

"""What judging costs: the time of a whole exact sweep over the time spent inside PyTorch.

In one thread; the two times are taken in the same run, so the machine's speed cancels.
"""

from __future__ import annotations

from time import perf_counter

import numpy

from convspec.oracle import load
from convspec.oracle.call import callee
from convspec.oracle.cases.streams import deal, exact_trials
from convspec.oracle.parts import PARTS
from convspec.oracle.runner import run
from convspec.oracle.trials.trial import Setting

# What PyTorch offers of each operation, so that no time goes into calls that it refuses.
SYMMETRIC = frozenset({"equal padding on both sides"})
POOLS = SYMMETRIC | {"padding up to half the kernel"}
OFFERED = {
    "conv": frozenset(),
    "conv_transpose": SYMMETRIC,
    "max_pool": POOLS,
    "max_pool_with_indices": POOLS,
    "average_pool": POOLS | {"no dilation", "not rank 3"},
}


def timed_sweep(operation: str, dtype: str) -> tuple[float, float]:
    """Seconds of the whole sweep, and of the calls in it, after a sweep that warms caches up."""
    target = callee(load("torch"), operation)
    assert target is not None
    element = numpy.dtype(dtype)
    restriction = OFFERED[operation.removesuffix("_vjp")]
    for _ in range(2):
        setting = Setting(element, numpy.random.default_rng(0))
        begun = perf_counter()
        trials = exact_trials(operation, "standard", 0, setting, restriction)
        tally = run(operation, target, trials, element)
        whole = perf_counter() - begun
        if tally.found or not tally.judged:
            raise SystemExit(f"{operation}: {tally.found} findings in {tally.judged} cases")
    return whole, tally.seconds_inside


def ratio_of_a_deal() -> float:
    """The same of one deal of the exhaustive level, whose calls all differ in their sizes."""
    target, element = callee(load("torch"), "conv"), numpy.dtype("float32")
    setting = Setting(element, numpy.random.default_rng(0))
    begun = perf_counter()
    tally = run("conv", target, deal("conv", "exhaustive", 1, PARTS, setting), element)
    whole = perf_counter() - begun
    if tally.found or not tally.judged:
        raise SystemExit(f"conv: {tally.found} findings in {tally.judged} cases")
    return whole / tally.seconds_inside


def ratio_of_all() -> float:
    """The ratio of every operation that slides a window, printed, and of all together."""
    whole_of_all = inside_of_all = 0.0
    print(f"{'operation':<28}{'dtype':<10}ratio")
    for operation in (derived for name in OFFERED for derived in (name, f"{name}_vjp")):
        for dtype in ("float32", "float64"):
            whole, inside = timed_sweep(operation, dtype)
            whole_of_all, inside_of_all = whole_of_all + whole, inside_of_all + inside
            print(f"{operation:<28}{dtype:<10}{whole / inside:.2f}")
    return whole_of_all / inside_of_all

"""Batch and channels: what an operation may mix, and what it must keep apart.

The items of a batch never meet, except in a loss, which is their mean.  Channels never meet in
pooling, resizing and batch normalization; they do in a convolution, a softmax over them and a
local response normalization.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.strategies import calls

from .exact import alike, exactly
from .rewriting import run
from .statement import law, same

# No batch at all, or one that is averaged or summed over.
WITHOUT_ITEMS = ("convolve", "correlate", "cross_entropy", "l2_penalty")
BATCHED = [name for name in OPERATIONS if name not in WITHOUT_ITEMS]
# The operands of which every item has its own; the others are shared.
OF_AN_ITEM = ("input", "values", "indices", "mask")

CHANNELWISE = [
    *("max_pool", "max_pool_with_indices", "max_unpool", "average_pool", "lp_pool"),
    *("distance_weighted_pool", "adaptive_max_pool", "adaptive_average_pool"),
    *("upsample", "insert_zeros", "spatially_separable_conv"),
    *("relu", "sigmoid", "tanh", "dropout", "batch_norm"),
]
# The operands of which every channel has its own.
OF_A_CHANNEL = (*OF_AN_ITEM, "mean", "variance", "scale", "shift")


def part(case: Case, item: slice) -> Case:
    """The call on some items of its batch."""
    operands = {
        name: array[item] if name in OF_AN_ITEM else array for name, array in case.operands.items()
    }
    return case._replace(operands=operands)


def channel(case: Case, c: int) -> Case:
    """The call on one channel."""
    operands = {}
    for name, array in case.operands.items():
        whole = name not in OF_A_CHANNEL
        per_channel = (
            array if whole else array[c : c + 1] if array.ndim == 1 else array[:, c : c + 1]
        )
        operands[name] = per_channel
    return case._replace(operands=operands)


def outputs(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def has_items(case: Case) -> bool:
    """Whether the first axis is a batch: there is one, and it is not what a softmax sums over."""
    first = next(iter(case.operands.values()))
    return first.ndim > 0 and case.attributes.get("axis") != 0


def has_channels(case: Case) -> bool:
    """Whether the second axis holds channels."""
    return next(iter(case.operands.values())).ndim > 1


@pytest.mark.parametrize("operation", BATCHED)
@law(among=BATCHED, data=st.data())
def test_the_items_of_a_batch_never_meet(implementation: Any, operation: str, data: Any) -> None:
    """op of a batch = the op of each item alone, in the same order; of an empty batch, nothing."""
    case = exactly(data.draw(calls(operation)))
    assume(has_items(case))
    together = outputs(run(implementation, case))
    count = len(next(iter(case.operands.values())))
    assert [len(y) for y in together] == [count] * len(together)
    for n in range(count):
        alone = outputs(run(implementation, part(case, slice(n, n + 1))))
        for y, one in zip(together, alone, strict=True):
            alike(operation, y[n : n + 1], one)


@pytest.mark.parametrize("operation", BATCHED)
@law(among=BATCHED, data=st.data())
def test_an_empty_batch_gives_an_empty_batch(
    implementation: Any, operation: str, data: Any
) -> None:
    """N = 0 in, N = 0 out, every other size as ever."""
    case = data.draw(calls(operation))
    assume(has_items(case))
    y, none = run(implementation, case), run(implementation, part(case, slice(0)))
    for one, other in zip(outputs(y), outputs(none), strict=True):
        assert other.shape == (0, *one.shape[1:])


def test_a_mean_over_the_batch_joins_its_items(implementation: Any) -> None:
    """Smallest counterexample: two items, of which the loss of both is the mean and no list."""
    logits = numpy.array([[0.0], [0.0]])
    assert numpy.shape(implementation.cross_entropy(logits, [0, 0])) == ()


@pytest.mark.parametrize("operation", CHANNELWISE)
@law(among=CHANNELWISE, data=st.data())
def test_every_channel_is_treated_alone(implementation: Any, operation: str, data: Any) -> None:
    """op(x)[:, c] = op(x[:, c]): no vector width, tail or neighbour shows."""
    case = exactly(data.draw(calls(operation)))
    assume(has_channels(case))
    together = outputs(run(implementation, case))
    for c in range(together[0].shape[1]):
        alone = outputs(run(implementation, channel(case, c)))
        for y, one in zip(together, alone, strict=True):
            alike(operation, y[:, c : c + 1], one)


def test_a_convolution_sums_over_channels(implementation: Any) -> None:
    """Smallest counterexample: two channels of one pixel make one."""
    same(implementation.conv([[[1.0], [2.0]]], [[[1.0], [1.0]]]), [[[3]]])

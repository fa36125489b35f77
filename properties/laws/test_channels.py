"""Channels: sums over input channels, a row of kernels an output channel, groups apart.

Along channels a convolution is a matrix product; `groups` makes that matrix block-diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import scipy.linalg
import scipy.signal
from hypothesis import strategies as st

from convspec.case import Case
from convspec.strategies import arrays, calls

from .rewriting import run
from .statement import law, same
from .subjects import having


def group_of(case: Case, group: int) -> Case:
    """The call that one group of a grouped call amounts to."""
    count = case.attributes["groups"]
    x, w = case.operands["input"], case.operands["weight"]
    inputs = slice(group * x.shape[1] // count, (group + 1) * x.shape[1] // count)
    rows = slice(group * len(w) // count, (group + 1) * len(w) // count)
    operands = {"input": x[:, inputs], "weight": w[rows]}
    if "bias" in case.operands:
        share = len(case.operands["bias"]) // count
        operands["bias"] = case.operands["bias"][group * share : (group + 1) * share]
    return Case(case.operation, operands, {**case.attributes, "groups": 1})


@pytest.mark.parametrize("operation", having("groups"))
@law(data=st.data())
def test_groups_are_convolutions_side_by_side(
    implementation: Any, operation: str, data: Any
) -> None:
    """op(x, w, groups G) = the G ungrouped results, concatenated in order (not interleaved)."""
    case = data.draw(calls(operation))
    apart = [run(implementation, group_of(case, g)) for g in range(case.attributes["groups"])]
    same(run(implementation, case), numpy.concatenate(apart, axis=1))


@pytest.mark.parametrize("operation", having("groups"))
@law(data=st.data())
def test_groups_are_a_block_diagonal_weight(implementation: Any, operation: str, data: Any) -> None:
    """op(x, w, groups G) = op(x, W) with W zero outside the blocks that belong to a group.

    SciPy's block_diag builds W, one tap at a time.
    """
    case = data.draw(calls(operation))
    w, groups = case.operands["weight"], case.attributes["groups"]
    blocks = numpy.moveaxis(w.reshape(groups, -1, *w.shape[1:]), (0, 1, 2), (-3, -2, -1))
    full = numpy.zeros((*w.shape[2:], len(w), groups * w.shape[1]))
    for tap in numpy.ndindex(w.shape[2:]):
        full[tap] = scipy.linalg.block_diag(*blocks[tap])
    full = numpy.moveaxis(full, (-2, -1), (0, 1))
    operands = {**case.operands, "weight": full}
    ungrouped = Case(operation, operands, {**case.attributes, "groups": 1})
    same(run(implementation, case), run(implementation, ungrouped))


@law(case=calls("conv"), data=st.data())
def test_output_channels_come_in_the_order_of_the_weights(
    implementation: Any, case: Any, data: Any
) -> None:
    """Permute the kernels (and the bias with them), and the outputs are permuted; within a
    group, for the groups read different inputs.
    """
    groups = case.attributes["groups"]
    outputs = len(case.operands["weight"])
    share = outputs // groups
    order = [
        group * share + o
        for group in range(groups)
        for o in data.draw(st.permutations(range(share)))
    ]
    operands = {
        name: array if name == "input" else array[order] for name, array in case.operands.items()
    }
    same(run(implementation, case._replace(operands=operands)), run(implementation, case)[:, order])


@law(case=calls("conv"))
def test_input_channels_are_summed(implementation: Any, case: Any) -> None:
    """conv over C channels is the sum of C convolutions over one channel each."""
    operands = {name: case.operands[name] for name in ("input", "weight")}
    case = group_of(Case("conv", operands, case.attributes), 0)
    x, w = case.operands.values()
    total = sum(
        implementation.conv(x[:, c : c + 1], w[:, c : c + 1], **case.attributes)
        for c in range(x.shape[1])
    )
    same(run(implementation, case), total)


@law(sizes=st.tuples(*[st.integers(1, 5)] * 4), data=st.data())
def test_a_pointwise_convolution_is_a_matrix_product(
    implementation: Any, sizes: Any, data: Any
) -> None:
    """A 1 by 1 kernel multiplies the channels of every pixel by the same O by C matrix."""
    outputs, inputs, height, width = sizes
    matrix = data.draw(arrays((outputs, inputs)))
    x = data.draw(arrays((2, inputs, height, width)))
    left = implementation.conv(x, matrix[:, :, None, None])
    same(left, numpy.tensordot(matrix, x, axes=(1, 1)).swapaxes(0, 1))


@law(sizes=st.tuples(*[st.integers(1, 3)] * 2), data=st.data())
def test_a_depthwise_convolution_is_one_correlation_a_channel(
    implementation: Any, sizes: Any, data: Any
) -> None:
    """groups = C: output m c + j correlates input channel c with its j-th kernel; m of them in a
    row belong to one channel.
    """
    channels, multiplier = sizes
    x = data.draw(arrays((1, channels, 4, 3)))
    w = data.draw(arrays((channels * multiplier, 1, 2, 3)))
    y = implementation.conv(x, w, groups=channels)
    for o, kernel in enumerate(w[:, 0]):
        same(y[0, o], scipy.signal.correlate2d(x[0, o // multiplier], kernel, mode="valid"))


def test_a_bias_breaks_linearity(implementation: Any) -> None:
    """Smallest counterexample: one pixel, one weight and bias 1: twice the input is not twice
    the output.
    """
    one = numpy.ones((1, 1, 1))
    same(implementation.conv(one, one, [1.0]), [[[2]]])
    same(implementation.conv(2 * one, one, [1.0]), [[[3]]])

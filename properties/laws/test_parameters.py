"""Parameter counts: dense, local and shared connections, with the documents' figures.

The counts are read off the operations themselves: an operand's size is a count of weights, and
the table's output shapes say how many outputs share them.
"""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
from hypothesis import strategies as st

from convspec.operations import OPERATIONS
from convspec.strategies import calls
from convspec.window import Window, output_size, taps

from .statement import law

shape_of = {name: row.shape for name, row in OPERATIONS.items()}


def weights(output: Any, operation: str, image: Any, *operands: Any, **attributes: Any) -> int:
    """How many weights a call has, once it is valid and gives this output."""
    assert shape_of[operation](image, *operands, **attributes) == output
    return sum(map(prod, operands))


def connections(n: int, window: Window) -> int:
    """How many pairs of an input and an output touch each other on an axis."""
    return sum(len(taps(n, window, i)) for i in range(output_size(n, window)))


@law(case=calls("locally_connected"))
def test_dense_local_and_shared_connections_need_fewer_and_fewer_weights(case: Any) -> None:
    """m n for dense, k n for local, k for shared weights; the outputs are the same in number."""
    x, local = case.operands["input"].shape, case.operands["weight"].shape
    rank = len(x) - 2
    shared = (*local[:2], *local[2 + rank :])
    y = shape_of["locally_connected"](x, local, **case.attributes)
    assert shape_of["conv"](x, shared, **case.attributes) == y
    outputs, dense = prod(y[2:]), prod(x[1:]) * prod(y[1:])
    assert shape_of["linear"]((1, prod(x[1:])), (prod(y[1:]), prod(x[1:]))) == (1, prod(y[1:]))
    assert prod(local) == outputs * prod(shared)
    taps_within = prod(min(k, n) for k, n in zip(shared[2:], x[2:], strict=True))
    if taps_within == prod(shared[2:]):
        assert prod(shared) <= prod(local) <= dense


def test_a_5x5_image_to_a_3x3_one() -> None:
    """The documents: dense 25 by 9 = 225 weights, shared 9."""
    assert weights((1, 9), "linear", (1, 25), (9, 25)) == 225
    assert weights((1, 1, 3, 3), "conv", (1, 1, 5, 5), (1, 1, 3, 3)) == 9


def test_a_4x4_image_to_a_2x2_one() -> None:
    """The documents: the dense matrix has 64 entries; the convolution has 9 weights, which stand
    in 36 of them.
    """
    assert weights((1, 4), "linear", (1, 16), (4, 16)) == 64
    assert weights((1, 1, 2, 2), "conv", (1, 1, 4, 4), (1, 1, 3, 3)) == 9
    assert connections(4, Window(3)) ** 2 == 36


def test_a_million_hidden_units_over_a_million_pixels() -> None:
    """The documents: dense 10^12 weights, local with 10 by 10 windows 10^8, shared 10^2; with 100
    kernels 10^4.
    """
    image, units = (1, 1, 1000, 1000), (1, 1, 1000, 1000)
    same = {"padding": "same_upper"}
    assert weights((1, 10**6), "linear", (1, 10**6), (10**6, 10**6)) == 10**12
    local = (1, 1, 1000, 1000, 10, 10)
    assert weights(units, "locally_connected", image, local, **same) == 10**8
    assert weights(units, "conv", image, (1, 1, 10, 10), **same) == 10**2
    assert weights((1, 100, 1000, 1000), "conv", image, (100, 1, 10, 10), **same) == 10**4


def test_the_first_layer_of_alexnet() -> None:
    """The documents: 55 * 55 * 96 = 290400 units of 364 parameters would be 105705600; shared,
    34848 weights, with 96 biases 34944.
    """
    image, y = (1, 3, 227, 227), (1, 96, 55, 55)
    local, biases = (96, 3, 55, 55, 11, 11), (96, 55, 55)
    assert prod(y) == 290400
    assert weights(y, "locally_connected", image, local, biases, stride=4) == 105705600
    assert weights(y, "conv", image, (96, 3, 11, 11), stride=4) == 34848
    assert weights(y, "conv", image, (96, 3, 11, 11), (96,), stride=4) == 34944


def test_two_3x3_layers_against_one_5x5() -> None:
    """The documents' 3 * 3 * 2 + 1 against 5 * 5 * 1 + 1 count one bias for two layers; with one
    each it is 20 against 26.
    """
    first = weights((1, 1, 5, 5), "conv", (1, 1, 7, 7), (1, 1, 3, 3), (1,))
    second = weights((1, 1, 3, 3), "conv", (1, 1, 5, 5), (1, 1, 3, 3), (1,))
    assert first + second == 20
    assert first + second - 1 == 3 * 3 * 2 + 1
    assert weights((1, 1, 3, 3), "conv", (1, 1, 7, 7), (1, 1, 5, 5), (1,)) == 26


def test_a_bottleneck_of_64_channels() -> None:
    """The documents: 589824 weights against 69632, less than an eighth, and not the ninth they
    say.
    """
    image = (1, 256, 8, 8)
    direct = (256, 256, 3, 3)
    narrow = [(64, 256, 1, 1), (64, 64, 3, 3), (256, 64, 1, 1)]
    for weight in narrow:
        image = shape_of["conv"](image, weight, padding="same_upper")
    assert image == shape_of["conv"]((1, 256, 8, 8), direct, padding="same_upper")
    assert prod(direct) == 589824
    assert sum(map(prod, narrow)) == 69632
    assert 8 < prod(direct) / sum(map(prod, narrow)) < 9


def test_depthwise_separable_weights() -> None:
    """The documents: 3 * 3 * 3 * 256 = 6912 weights against 3 * 3 * 3 + 3 * 256 = 795."""
    image, y = (1, 3, 8, 8), (1, 256, 6, 6)
    assert weights(y, "conv", image, (256, 3, 3, 3)) == 6912
    assert weights(y, "depthwise_separable_conv", image, (3, 1, 3, 3), (256, 3)) == 795


def test_the_sobel_filter_needs_6_weights_instead_of_9() -> None:
    """The documents' spatially separable kernel, [1, 2, 1] by [1, 0, -1]."""
    image, y = (1, 1, 5, 5), (1, 1, 3, 3)
    assert shape_of["spatially_separable_conv"](image, [(3,), (3,)]) == y
    assert sum(map(prod, [(3,), (3,)])) == 6
    assert weights(y, "conv", image, (1, 1, 3, 3)) == 9


@pytest.mark.parametrize(
    ("reduced", "weights"),
    [(False, 387072), (True, 157184)],
)
def test_the_inception_module_3a(reduced: bool, weights: int) -> None:
    """The documents: 1 by 1, 3 by 3 and 5 by 5 over 28 by 28 by 192; with 1 by 1 layers before
    the large kernels the weights fall, to two fifths and not to the third they say.
    """
    branches = [[(64, 192, 1, 1)], [(128, 192, 3, 3)], [(32, 192, 5, 5)]]
    if reduced:
        branches[1] = [(96, 192, 1, 1), (128, 96, 3, 3)]
        branches[2] = [(16, 192, 1, 1), (32, 16, 5, 5)]
    depths = []
    for branch in branches:
        image = (1, 192, 28, 28)
        for weight in branch:
            image = shape_of["conv"](image, weight, padding="same_upper")
        assert image[2:] == (28, 28)
        depths.append(image[1])
    assert sum(prod(weight) for branch in branches for weight in branch) == weights
    # The pool beside them passes its 192 channels on, unless a 1 by 1 layer makes them 32.
    pooled = (1, 192, 28, 28)
    if reduced:
        pooled = shape_of["conv"](pooled, (32, 192, 1, 1))
    assert sum(depths) + pooled[1] == (256 if reduced else 416)


def test_one_first_hidden_unit_over_100x100x3() -> None:
    """The documents: 30000 weights."""
    assert shape_of["flatten"]((1, 3, 100, 100)) == (1, 30000)


@law(
    kernel=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    depths=st.tuples(*[st.integers(1, 5)] * 2),
)
def test_a_convolution_has_i_o_k_weights(kernel: Any, depths: Any) -> None:
    """I * O * K weights and O biases, whatever the size of the image; its depth is O."""
    inputs, outputs = depths
    operands = (outputs, inputs, *kernel), (outputs,)
    for more in (0, 3):
        image, y = (
            (1, inputs, *(k + more for k in kernel)),
            (1, outputs, *(more + 1 for _ in kernel)),
        )
        assert weights(y, "conv", image, *operands) == inputs * outputs * prod(kernel) + outputs

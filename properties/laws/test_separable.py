"""Separable and local connections: convolutions with constraints, and without one.

Each of them is `conv` with a weight of a special form, or, for local connections, with the one
constraint lifted that makes a convolution: that every position has the same weights.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy
import scipy.linalg
import sympy
from hypothesis import strategies as st

from convspec.strategies import arrays, calls
from convspec.window import output_size

from .rewriting import run, windows
from .statement import law, same


@law(case=calls("depthwise_conv"))
def test_depthwise_is_grouped_with_one_group_a_channel(implementation: Any, case: Any) -> None:
    """depthwise_conv(x, w) = conv(x, w, groups = C)."""
    channels = case.operands["input"].shape[1]
    grouped = implementation.conv(*case.operands.values(), **case.attributes, groups=channels)
    same(run(implementation, case), grouped)


@law(case=calls("depthwise_conv"))
def test_depthwise_is_a_convolution_whose_weight_is_diagonal_in_channels(
    implementation: Any, case: Any
) -> None:
    """conv with the weight that is zero between different channels, block_diag for each tap."""
    x, w, *bias = case.operands.values()
    channels = x.shape[1]
    full = numpy.zeros((len(w), channels, *w.shape[2:]))
    for tap in numpy.ndindex(w.shape[2:]):
        columns = w[(slice(None), 0, *tap)].reshape(channels, -1, 1)
        full[(slice(None), slice(None), *tap)] = scipy.linalg.block_diag(*columns)
    same(run(implementation, case), implementation.conv(x, full, *bias, **case.attributes))


@law(case=calls("depthwise_separable_conv"))
def test_depthwise_separable_is_a_convolution_with_a_weight_of_low_rank(
    implementation: Any, case: Any
) -> None:
    """conv with W_oc = sum_q v_{o, c m + q} w_{c m + q}: for each input channel a matrix, outputs
    by taps, of rank at most m.
    """
    x, depthwise, pointwise, *bias = case.operands.values()
    channels = x.shape[1]
    multiplier = len(depthwise) // channels
    kernels = depthwise.reshape(channels, multiplier, *depthwise.shape[2:])
    mixing = pointwise.reshape(len(pointwise), channels, multiplier)
    weight = numpy.einsum("ocq,cq...->oc...", mixing, kernels)
    y = run(implementation, case)
    same(y, implementation.conv(x, weight, *bias, **case.attributes))
    for c in range(channels):
        matrix = sympy.Matrix(weight[:, c].reshape(len(weight), -1).astype(int))
        assert matrix.rank() <= multiplier


@law(case=calls("depthwise_separable_conv"))
def test_depthwise_separable_is_depthwise_then_pointwise(implementation: Any, case: Any) -> None:
    """No bias and no activation between the two."""
    x, depthwise, pointwise, *bias = case.operands.values()
    between = implementation.depthwise_conv(x, depthwise, **case.attributes)
    same(run(implementation, case), implementation.pointwise_conv(between, pointwise, *bias))


def test_not_every_convolution_is_depthwise_separable() -> None:
    """Smallest counterexample: one channel, two outputs, two taps and the identity between them:
    rank 2, where a multiplier of 1 gives 1.
    """
    a, b, v, w = sympy.symbols("a b v w")
    made = sympy.Matrix([[v * a, v * b], [w * a, w * b]])
    assert made.det() == 0
    assert sympy.eye(2).det() == 1


@law(case=calls("spatially_separable_conv"))
def test_spatially_separable_is_a_convolution_with_an_outer_product(
    implementation: Any, case: Any
) -> None:
    """conv, one group a channel, with the kernel f1 (x) f2 (x) ...: NumPy's multiply.outer."""
    x, factors = case.operands["input"], case.operands["factors"]
    kernel = reduce(numpy.multiply.outer, factors)
    weight = numpy.broadcast_to(kernel, (x.shape[1], 1, *kernel.shape))
    y = implementation.conv(x, weight, **case.attributes, groups=x.shape[1])
    same(run(implementation, case), y)


@law(case=calls("spatially_separable_conv"))
def test_spatially_separable_is_one_pass_an_axis(implementation: Any, case: Any) -> None:
    """Each factor along its own axis, with its own stride and padding, one after the other."""
    y, rank = case.operands["input"], len(case.operands["factors"])
    one = numpy.ones(1)
    for axis, factor in enumerate(case.operands["factors"]):
        alone = [factor if other == axis else one for other in range(rank)]
        stride = tuple(case.attributes["stride"][a] if a == axis else 1 for a in range(rank))
        padding = tuple(case.attributes["padding"][a] if a == axis else (0, 0) for a in range(rank))
        y = implementation.spatially_separable_conv(y, alone, stride=stride, padding=padding)
    same(run(implementation, case), y)


@law(case=calls("conv"))
def test_local_connections_with_equal_weights_are_a_convolution(
    implementation: Any, case: Any
) -> None:
    """locally_connected(x, w at every position, b at every position) = conv(x, w, b)."""
    x, w, *bias = case.operands.values()
    x, w, bias = x[:, : w.shape[1]], w[:1], [b[:1] for b in bias]
    attributes = {name: v for name, v in case.attributes.items() if name != "groups"}
    sizes = tuple(output_size(n, window) for n, window in windows(case))
    everywhere = w.reshape(*w.shape[:2], *(1,) * len(sizes), *w.shape[2:])
    everywhere = numpy.broadcast_to(everywhere, (*w.shape[:2], *sizes, *w.shape[2:]))
    shifts = [numpy.broadcast_to(b.reshape(-1, *(1,) * len(sizes)), (1, *sizes)) for b in bias]
    local = implementation.locally_connected(x, everywhere, *shifts, **attributes)
    same(local, implementation.conv(x, w, *bias, **attributes))


@law(case=calls("locally_connected"))
def test_each_position_has_a_convolution_of_its_own(implementation: Any, case: Any) -> None:
    """Output i is that of the convolution with the weights of position i."""
    x, w, *bias = case.operands.values()
    rank = x.ndim - 2
    y = run(implementation, case)
    for place in list(numpy.ndindex(y.shape[2:]))[:6]:
        at = (slice(None), slice(None), *place)
        here = [b[(slice(None), *place)] for b in bias]
        own = implementation.conv(x, w[at], *here, **case.attributes)
        assert own.shape == y.shape
        assert w[at].ndim == 2 + rank
        same(y[at], own[at])


def test_local_connections_do_not_move_with_the_image(implementation: Any) -> None:
    """Smallest counterexample: weights 1 and 2 on two pixels; moved, the image is weighed anew."""
    x, w = numpy.array([[[1.0, 0.0]]]), numpy.array([[[[1.0], [2.0]]]])
    same(implementation.locally_connected(x, w), [[[1, 0]]])
    same(implementation.locally_connected(x[..., ::-1], w), [[[0, 2]]])


@law(data=st.data(), sizes=st.tuples(*[st.integers(1, 4)] * 2))
def test_a_window_over_everything_is_a_dense_layer(
    implementation: Any, data: Any, sizes: Any
) -> None:
    """One output position: locally_connected, conv and linear of the flattened input are one."""
    x, w = data.draw(arrays((2, 2, *sizes))), data.draw(arrays((3, 2, *sizes)))
    dense = implementation.linear(implementation.flatten(x), w.reshape(3, -1))
    same(implementation.conv(x, w)[..., 0, 0], dense)
    same(implementation.locally_connected(x, w[:, :, None, None])[..., 0, 0], dense)

"""Kernels of size 1: the same linear map of channels at every pixel.

The documents' 1 by 1 convolution, also called cascaded cross-channel pooling (cccp): it mixes
channels, adds them and removes them, and knows nothing of neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy
import sympy
from hypothesis import strategies as st

from convspec.strategies import arrays, calls

from .rewriting import run
from .statement import law, same


@law(case=calls("pointwise_conv"))
def test_it_is_the_same_linear_map_at_every_pixel(implementation: Any, case: Any) -> None:
    """y[:, :, i] = W x[:, :, i] + b for every pixel i: `linear`, one pixel after the other."""
    x, weight, *bias = case.operands.values()
    y = run(implementation, case)
    for place in numpy.ndindex(x.shape[2:]):
        at = (slice(None), slice(None), *place)
        same(y[at], implementation.linear(x[at], weight, *bias))


@law(case=calls("pointwise_conv"))
def test_it_is_a_convolution_with_kernels_of_one_tap(implementation: Any, case: Any) -> None:
    """pointwise_conv(x, W, b) = conv(x, W[:, :, 1, ..., 1], b)."""
    x, weight, *bias = case.operands.values()
    kernel = weight.reshape(*weight.shape, *(1,) * (x.ndim - 2))
    same(run(implementation, case), implementation.conv(x, kernel, *bias))


@law(case=calls("pointwise_conv"), data=st.data())
def test_two_of_them_are_a_matrix_product(implementation: Any, case: Any, data: Any) -> None:
    """V (W x) = (V W) x: without an activation between, a cascade is one layer."""
    x, weight = case.operands["input"], case.operands["weight"]
    outer = data.draw(arrays((data.draw(st.integers(1, 4)), len(weight))))
    twice = implementation.pointwise_conv(implementation.pointwise_conv(x, weight), outer)
    same(twice, implementation.pointwise_conv(x, outer @ weight))


@law(case=calls("pointwise_conv"), data=st.data())
def test_it_does_not_care_where_a_pixel_stands(implementation: Any, case: Any, data: Any) -> None:
    """Permute the pixels in any way, and the outputs are permuted in that way: a kernel of one tap
    uses no locality.
    """
    x, weight, *bias = case.operands.values()
    row = x.reshape(*x.shape[:2], -1) if x.size else x.reshape(0, x.shape[1], 1)
    order = list(data.draw(st.permutations(range(row.shape[2]))))
    y = implementation.pointwise_conv(row, weight, *bias)
    same(implementation.pointwise_conv(row[..., order], weight, *bias), y[..., order])


@law(case=calls("depthwise_conv"), data=st.data())
def test_it_commutes_with_a_kernel_shared_by_all_channels(
    implementation: Any, case: Any, data: Any
) -> None:
    """Mixing channels and convolving each with one kernel may change places: one acts on channels,
    the other on pixels.
    """
    x, kernel = case.operands["input"], case.operands["weight"][:1]
    weight = data.draw(arrays((data.draw(st.integers(1, 3)), x.shape[1])))

    def shared(image: Any) -> Any:
        repeated = numpy.repeat(kernel, image.shape[1], axis=0)
        return implementation.depthwise_conv(image, repeated, **case.attributes)

    same(
        implementation.pointwise_conv(shared(x), weight),
        shared(implementation.pointwise_conv(x, weight)),
    )


@law(sizes=st.tuples(*[st.integers(1, 4)] * 3), data=st.data())
def test_it_cannot_bring_back_a_channel_that_it_removed(
    implementation: Any, sizes: Any, data: Any
) -> None:
    """With m channels between, V (W x) has at most m independent outputs, whatever V and W: SymPy's
    rank of the map, read off an image whose pixel c is 1 in channel c.
    """
    inputs, between, outputs = sizes
    inner = data.draw(arrays((between, inputs)))
    outer = data.draw(arrays((outputs, between)))
    narrow = implementation.pointwise_conv(numpy.eye(inputs)[None], inner)
    found = implementation.pointwise_conv(narrow, outer)[0]
    same(found, outer @ inner)
    assert sympy.Matrix(found.astype(int).tolist()).rank() <= between


def test_the_smallest_bottleneck(implementation: Any) -> None:
    """Two channels through one: different images, which no layer after it can tell apart."""
    for x in ([[[1.0], [0.0]]], [[[0.0], [1.0]]]):
        same(implementation.pointwise_conv(x, [[1.0, 1.0]]), [[[1]]])

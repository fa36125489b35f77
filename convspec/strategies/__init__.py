"""Hypothesis strategies for calls of every operation: valid by construction, never filtered.

A *geometry* is the shapes and attributes of a call; a *call* adds the arrays.  Every axis draws
its own size, kernel, stride, dilation and padding, the low side apart from the high side, so
that no two numbers of a call agree except by chance.  Each number is drawn from the values that
the ones before it leave possible: nothing is thrown away, and nothing valid in scope is missed.

Everything shrinks to the simplest call: one spatial axis, one element, kernel 1, stride 1,
dilation 1, no padding, one channel, one group, batch 1, no bias, every number 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st
from numpy.typing import DTypeLike

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.strategies import convolutions, layers, poolings
from convspec.strategies.arrays import arrays, extreme_floats
from convspec.strategies.axes import Draw, Geometry
from convspec.strategies.operands import OPERANDS, any_operands

__all__ = ["GEOMETRIES", "arrays", "calls", "extreme_floats", "geometries"]

# What draws the geometry of each operation.
GEOMETRIES: dict[str, Callable[[], st.SearchStrategy[Geometry]]] = {
    "convolve": convolutions.full_convolution,
    "correlate": convolutions.full_convolution,
    "conv": convolutions.conv,
    "conv_transpose": convolutions.conv_transpose,
    "depthwise_conv": convolutions.depthwise_conv,
    "pointwise_conv": convolutions.pointwise_conv,
    "depthwise_separable_conv": convolutions.depthwise_separable_conv,
    "spatially_separable_conv": convolutions.spatially_separable_conv,
    "locally_connected": convolutions.locally_connected,
    "max_pool": poolings.pool,
    "max_pool_with_indices": poolings.pool,
    "max_unpool": poolings.max_unpool,
    "average_pool": partial(poolings.pool, counts=True),
    "lp_pool": partial(poolings.pool, norm=True),
    "distance_weighted_pool": poolings.distance_weighted_pool,
    "adaptive_max_pool": poolings.adaptive_pool,
    "adaptive_average_pool": poolings.adaptive_pool,
    "spatial_pyramid_pool": poolings.spatial_pyramid_pool,
    "upsample": layers.upsample,
    "insert_zeros": layers.insert_zeros,
    "pixel_shuffle": layers.pixel_shuffle,
    "resize_conv": convolutions.resize_conv,
    "linear": convolutions.linear,
    "flatten": layers.flatten,
    "relu": layers.elementwise,
    "sigmoid": layers.elementwise,
    "tanh": layers.elementwise,
    "softmax": layers.softmax,
    "dropout": layers.dropout,
    "cross_entropy": layers.cross_entropy,
    "l2_penalty": layers.l2_penalty,
    "batch_norm": layers.batch_norm,
    "local_response_normalization": layers.local_response_normalization,
}


@st.composite
def geometries(draw: Draw, operation: str) -> Geometry:
    """Valid shapes and normalised attributes of a call, `(shapes by operand, attributes)`.

    An optional operand may be absent; the shapes of a `_vjp` begin with its cotangent's; of a
    list of arrays there is a list of shapes.
    Shrinks to one spatial axis, size 1, kernel 1, stride 1, dilation 1, no padding, one channel,
    one group, batch 1, no bias; `mode` to full, flags to False.

    >>> from hypothesis import find
    >>> find(geometries("conv"), lambda geometry: max(geometry[1]["stride"]) > 1)
    ({'input': (1, 1, 1), 'weight': (1, 1, 1)}, \
{'stride': (2,), 'padding': ((0, 0),), 'dilation': (1,), 'groups': 1})
    """
    name = forward_name(operation)
    if name not in GEOMETRIES:
        raise ValueError(f"operation={operation!r}: must be one of {', '.join(GEOMETRIES)}")
    shapes, attributes = draw(GEOMETRIES[name]())
    if operation == name:
        return shapes, attributes
    cotangent = OPERATIONS[name].shape(*shapes.values(), **attributes)
    return {"cotangent": cotangent, **shapes}, attributes


@st.composite
def calls(
    draw: Draw,
    operation: str,
    *,
    dtype: DTypeLike = "float64",
    elements: st.SearchStrategy[Any] | None = None,
) -> Case:
    """Valid calls of an operation or of its `_vjp`, with arrays of this dtype.

    Without `elements` every number is a small integer, so that every order of summation gives
    the same exact value.  Labels, switches and masks are int64, and variances are positive.
    Shrinks the geometry first, then every number towards 0.

    >>> from hypothesis import find
    >>> find(calls("max_pool"), lambda case: case.operands["input"].max() > 2)
    Case(operation='max_pool', operands={'input': array([[[3.]]])}, \
attributes={'kernel_size': (1,), 'stride': (1,), 'padding': ((0, 0),), 'dilation': (1,), \
'ceil_mode': False})
    """
    shapes, attributes = draw(geometries(operation))
    operands = OPERANDS.get(forward_name(operation), any_operands)
    make = partial(arrays, dtype=dtype, elements=elements)
    return Case(operation, operands(draw, shapes, attributes, make), attributes)

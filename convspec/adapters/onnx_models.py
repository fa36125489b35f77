"""Operations of the spec as ONNX models, and an implementation from whatever runs such a model.

A model holds one node, and every operand is an input of it.  ONNX pads axis by axis with all low
sides first, and counts indices of maxima through the whole tensor instead of one channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy
import onnx
from onnx import helper

from convspec.arguments import Array, Shape

# The oldest operator set in which every pooling has dilations.
OPERATOR_SET = helper.make_opsetid("", 19)
# Sessions kept: more than one step of a check comes back to.
SESSIONS = 256

Pairs = Sequence[tuple[int, int]]
# From a model to a function of its inputs that returns its outputs.
Prepare = Callable[[Any], Callable[[list[Array]], Sequence[Array]]]

_NODES = {
    "conv": ("Conv", ("output",)),
    "conv_transpose": ("ConvTranspose", ("output",)),
    "max_pool": ("MaxPool", ("output",)),
    "max_pool_with_indices": ("MaxPool", ("output", "indices")),
    "average_pool": ("AveragePool", ("output",)),
}
_NAMES = {
    "kernel_size": "kernel_shape",
    "stride": "strides",
    "dilation": "dilations",
    "groups": "group",
    "output_padding": "output_padding",
    "ceil_mode": "ceil_mode",
    "count_include_pad": "count_include_pad",
}
_INTEGERS = {"indices": onnx.TensorProto.INT64}


def model(operation: str, shapes: tuple[Shape, ...], dtype: str, attributes: dict[str, Any]) -> Any:
    """The ONNX model of one call: operands of these shapes and one dtype, in order.

    >>> made = model("max_pool", ((1, 1, 4),), "float32", {"kernel_size": (2,)})
    >>> made.graph.node[0].op_type, made.graph.node[0].attribute[0].name
    ('MaxPool', 'kernel_shape')
    """
    operator, outputs = _NODES[operation]
    element = helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype))
    inputs = [f"operand_{place}" for place in range(len(shapes))]
    unknown = [None] * len(shapes[0])  # the sizes of an output, as many as those of the input
    node = helper.make_node(operator, inputs, outputs, **_attributes(**attributes))
    graph = helper.make_graph(
        [node],
        operation,
        [
            helper.make_tensor_value_info(name, element, shape)
            for name, shape in zip(inputs, shapes, strict=True)
        ],
        [
            helper.make_tensor_value_info(name, _INTEGERS.get(name, element), unknown)
            for name in outputs
        ],
    )
    made = helper.make_model_gen_version(graph, opset_imports=[OPERATOR_SET])
    made.ir_version = helper.find_min_ir_version_for([OPERATOR_SET])
    return made


def _attributes(padding: Pairs = (), **attributes: Any) -> dict[str, Any]:
    given = {_NAMES[name]: value for name, value in attributes.items()}
    if padding:
        given["pads"] = [low for low, _ in padding] + [high for _, high in padding]
    return given


def implementation(
    prepare: Prepare, *, name: str, version: str, dtypes: tuple[str, ...], isolate: bool
) -> SimpleNamespace:
    """The operations as computed by what `prepare` makes of their models, once for all calls
    that differ in nothing but numbers.  `isolate` asks for a process of its own.
    """

    @lru_cache(maxsize=SESSIONS)
    def prepared(operation: str, shapes: tuple[Shape, ...], dtype: str, **attributes: Any) -> Any:
        return prepare(model(operation, shapes, dtype, attributes))

    def outputs(operation: str, *operands: Array | None, **attributes: Any) -> Sequence[Array]:
        arrays = [array for array in operands if array is not None]
        shapes = tuple(array.shape for array in arrays)
        return prepared(operation, shapes, arrays[0].dtype.name, **attributes)(arrays)  # type: ignore[no-any-return]

    def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
        return outputs("conv", input, weight, bias, **attributes)[0]

    def conv_transpose(
        input: Array, weight: Array, bias: Array | None = None, **attributes: Any
    ) -> Array:
        return outputs("conv_transpose", input, weight, bias, **attributes)[0]

    def max_pool(input: Array, **attributes: Any) -> Array:
        return outputs("max_pool", input, **attributes)[0]

    def max_pool_with_indices(input: Array, **attributes: Any) -> tuple[Array, Array]:
        values, indices = outputs("max_pool_with_indices", input, **attributes)
        return values, _within_channel(indices, input.shape)

    def average_pool(input: Array, **attributes: Any) -> Array:
        return outputs("average_pool", input, **attributes)[0]

    return SimpleNamespace(
        name=name,
        version=version,
        dtypes=dtypes,
        isolate=isolate,
        conv=conv,
        conv_transpose=conv_transpose,
        max_pool=max_pool,
        max_pool_with_indices=max_pool_with_indices,
        average_pool=average_pool,
    )


def _within_channel(indices: Array, shape: Shape) -> Array:
    batch, channels, *spatial = shape
    planes = numpy.arange(batch * channels, dtype=indices.dtype) * prod(spatial)
    within: Array = indices - planes.reshape(batch, channels, *(1,) * len(spatial))
    return within

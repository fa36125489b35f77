"""A case: an operation, its arrays and its attributes, in the one form every check uses.

Normalised attributes hold one entry per spatial axis, `padding` as `(low, high)` pairs, `stride`
explicit, and every attribute of the operation present.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from typing import Any, NamedTuple

from convspec.activation import softmax_axis
from convspec.adaptive_pooling import pyramid_levels
from convspec.arguments import per_axis
from convspec.convolution import conv_windows
from convspec.local_connection import locally_connected_windows
from convspec.norm_pooling import distance_weighted_pool_windows, lp_pool_windows
from convspec.operations import OPERATIONS
from convspec.pooling import pool_windows
from convspec.resize import resize_conv_windows
from convspec.separable import depthwise_conv_windows, depthwise_separable_conv_windows
from convspec.spatially_separable import spatially_separable_conv_windows
from convspec.transposed_convolution import conv_transpose_windows
from convspec.window import Window

# The operands that have an item for each of the batch.
BATCHED = ("cotangent", "input", "values", "indices", "logits", "labels", "mask")


class Case(NamedTuple):
    """One call: `operation`, its `operands` in order (absent optional ones left out), and its
    normalised `attributes`.  The operands of a `_vjp` begin with `cotangent`.  An operand is an
    array, or a list of arrays where the table of operations says so.
    """

    operation: str
    operands: dict[str, Any]
    attributes: dict[str, Any]


def has_batch(name: str, operand: Any) -> bool:
    """Whether the first axis of an operand is that of the batch.

    >>> import numpy
    >>> has_batch("input", numpy.zeros((2, 1, 3))), has_batch("cotangent", numpy.zeros(()))
    (True, False)
    """
    return name in BATCHED and operand.ndim > 0


def flat(operands: dict[str, Any]) -> dict[str, Any]:
    """Operands with every list of arrays taken apart, `factors` into `factors_0`, `factors_1`, ….

    >>> flat({"input": 1, "factors": [2, 3]})
    {'input': 1, 'factors_0': 2, 'factors_1': 3}
    """
    apart: dict[str, Any] = {}
    for name, value in operands.items():
        parts = enumerate(value) if isinstance(value, list) else ()
        apart |= {f"{name}_{i}": part for i, part in parts} or {name: value}
    return apart


def grouped(operation: str, operands: dict[str, Any]) -> dict[str, Any]:
    """The inverse of `flat`: operands as the operation takes them.

    >>> grouped("spatially_separable_conv", {"input": 1, "factors_0": 2, "factors_1": 3})
    {'input': 1, 'factors': [2, 3]}
    """
    lists = OPERATIONS[forward_name(operation)].lists
    together: dict[str, Any] = {}
    for name, value in operands.items():
        stem, _, number = name.rpartition("_")
        if stem in lists and number.isdigit():
            together.setdefault(stem, []).append(value)
        else:
            together[name] = value
    return together


def forward_name(operation: str) -> str:
    """The operation that a `_vjp` belongs to; any other name is its own.

    >>> forward_name("conv_vjp"), forward_name("conv")
    ('conv', 'conv')
    """
    return operation.removesuffix("_vjp")


@cache
def attribute_defaults(operation: str) -> dict[str, Any]:
    """The attributes of an operation with their defaults; `Parameter.empty` where there is none.

    >>> attribute_defaults("convolve")
    {'mode': 'full'}
    """
    row = OPERATIONS[forward_name(operation)]
    return {
        name: parameter.default
        for name, parameter in signature(row.definition).parameters.items()
        if name not in row.operands
    }


# The windows of every operation that slides one over its input, or, transposed, over its output.
_WINDOWS: dict[str, Callable[..., tuple[Window, ...]]] = {
    "conv": conv_windows,
    "depthwise_conv": depthwise_conv_windows,
    "depthwise_separable_conv": depthwise_separable_conv_windows,
    "spatially_separable_conv": spatially_separable_conv_windows,
    "locally_connected": locally_connected_windows,
    "resize_conv": resize_conv_windows,
    "max_pool": pool_windows,
    "max_pool_with_indices": pool_windows,
    "average_pool": pool_windows,
    "lp_pool": lp_pool_windows,
    "distance_weighted_pool": distance_weighted_pool_windows,
}

# Attributes with one integer per spatial axis, besides those of windows, and the least of each.
_PER_AXIS = {"output_padding": 0, "output_size": 1, "scale": 1, "count": 0, "factor": 1}


def call_windows(
    operation: str, shapes: dict[str, Any], attributes: dict[str, Any]
) -> tuple[Window, ...]:
    """The windows of a call of a sliding operation, from its operands' shapes.

    >>> call_windows("max_pool", {"input": (1, 1, 4)}, {"kernel_size": 2})
    (Window(kernel=2, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    operands = [shapes[name] for name in OPERATIONS[operation].operands if name in shapes]
    if operation == "conv_transpose":
        return conv_transpose_windows(*operands, **attributes)[0]
    attributes = {name: v for name, v in attributes.items() if name != "count_include_pad"}
    return _WINDOWS[operation](*operands, **attributes)


def normalised(
    operation: str, shapes: dict[str, Any], attributes: dict[str, Any]
) -> dict[str, Any]:
    """Every attribute of a call in its normalised form, from its operands' shapes; those of a
    list of arrays are a list of shapes.

    >>> normalised("conv", {"input": (1, 1, 5), "weight": (1, 1, 4)}, {"padding": "same_upper"})
    {'stride': (1,), 'padding': ((1, 2),), 'dilation': (1,), 'groups': 1}
    >>> normalised("upsample", {"input": (1, 1, 5, 4)}, {"scale": 2})
    {'scale': (2, 2), 'kind': 'nearest', 'coordinates': 'half_pixel'}
    """
    name = forward_name(operation)
    row = OPERATIONS[name]
    complete = {**attribute_defaults(name), **attributes}
    given = {key: value for key, value in complete.items() if value is not Parameter.empty}
    regular: dict[str, Any] = {}
    if name in _WINDOWS or name == "conv_transpose":
        sliding = call_windows(name, shapes, given)
        regular = {
            "kernel_size": tuple(w.kernel for w in sliding),
            "stride": tuple(w.stride for w in sliding),
            "padding": tuple((w.low, w.high) for w in sliding),
            "dilation": tuple(w.dilation for w in sliding),
        }
    else:
        row.shape(*(shapes[operand] for operand in row.operands if operand in shapes), **given)
    first = shapes[row.operands[0]]
    for key in given.keys() & _PER_AXIS.keys():
        regular[key] = per_axis(key, given[key], len(first) - 2, least=_PER_AXIS[key], shapes="")
    if "levels" in given:
        regular["levels"] = pyramid_levels(first, given["levels"], given["kind"])
    if "axis" in given:
        regular["axis"] = softmax_axis(first, given["axis"])
    return {key: regular.get(key, value) for key, value in complete.items()}

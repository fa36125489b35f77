"""A case: an operation, its arrays and its attributes, in the one form every check uses.

Normalised attributes hold one entry per spatial axis, `padding` as `(low, high)` pairs, `stride`
explicit, and every attribute of the operation present.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any, NamedTuple

from convspec.arguments import Array, Shape, per_axis
from convspec.convolution import conv_windows
from convspec.operations import OPERATIONS
from convspec.pooling import pool_windows
from convspec.transposed_convolution import conv_transpose_windows
from convspec.window import Window


class Case(NamedTuple):
    """One call: `operation`, its `operands` in order (absent optional ones left out), and its
    normalised `attributes`.  The operands of a `_vjp` begin with `cotangent`.
    """

    operation: str
    operands: dict[str, Array]
    attributes: dict[str, Any]


def forward_name(operation: str) -> str:
    """The operation that a `_vjp` belongs to; any other name is its own.

    >>> forward_name("conv_vjp"), forward_name("conv")
    ('conv', 'conv')
    """
    return operation.removesuffix("_vjp")


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


def call_windows(
    operation: str, shapes: dict[str, Shape], attributes: dict[str, Any]
) -> tuple[Window, ...]:
    """The windows of a call of a sliding operation, from its operands' shapes.

    >>> call_windows("max_pool", {"input": (1, 1, 4)}, {"kernel_size": 2})
    (Window(kernel=2, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    operands = [shapes[name] for name in OPERATIONS[operation].operands if name in shapes]
    if operation == "conv":
        return conv_windows(*operands, **attributes)
    if operation == "conv_transpose":
        return conv_transpose_windows(*operands, **attributes)[0]
    attributes = {name: v for name, v in attributes.items() if name != "count_include_pad"}
    return pool_windows(*operands, **attributes)


def normalised(
    operation: str, shapes: dict[str, Shape], attributes: dict[str, Any]
) -> dict[str, Any]:
    """Every attribute of a call in its normalised form.

    >>> normalised("conv", {"input": (1, 1, 5), "weight": (1, 1, 4)}, {"padding": "same_upper"})
    {'stride': (1,), 'padding': ((1, 2),), 'dilation': (1,), 'groups': 1}
    """
    name = forward_name(operation)
    complete = {**attribute_defaults(name), **attributes}
    if "stride" not in complete:
        return complete
    given = {key: value for key, value in complete.items() if value is not Parameter.empty}
    sliding = call_windows(name, shapes, given)
    regular = {
        "kernel_size": tuple(w.kernel for w in sliding),
        "stride": tuple(w.stride for w in sliding),
        "padding": tuple((w.low, w.high) for w in sliding),
        "dilation": tuple(w.dilation for w in sliding),
    }
    if "output_padding" in complete:
        regular["output_padding"] = per_axis(
            "output_padding", complete["output_padding"], len(sliding), least=0, shapes=""
        )
    return {key: regular.get(key, value) for key, value in complete.items()}

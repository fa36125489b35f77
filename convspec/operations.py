"""The one table of operations: laws and oracle iterate over it, so a new row gets every check.

Operations do not know about the table; the table does not know who implements, checks or rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from convspec.arguments import Shape
from convspec.convolution import (
    conv,
    conv_shape,
    conv_vjp,
    convolve,
    convolve_shape,
    convolve_vjp,
    correlate,
    correlate_vjp,
)
from convspec.pooling import (
    average_pool,
    average_pool_vjp,
    max_pool,
    max_pool_vjp,
    max_pool_with_indices,
    max_pool_with_indices_vjp,
    pool_shape,
)
from convspec.transposed_convolution import (
    conv_transpose,
    conv_transpose_shape,
    conv_transpose_vjp,
)


class Operation(NamedTuple):
    """One operation of the spec.

    `operands` names its arrays in order, `optional` those that may be None, `linear_in` those it
    is linear in when the others are held fixed (a bias is affine and not among them), `shape`
    maps operand shapes and attributes to the output shape, and `rounding` says what rounds:
    `exact` (selections and moves), `products` (sums of products, judged by a theorem) or
    `elementary` (roots and exponentials, judged under a stated assumption).
    """

    name: str
    definition: Callable[..., Any]
    shape: Callable[..., Shape]
    operands: tuple[str, ...]
    linear_in: tuple[str, ...]
    vjp: Callable[..., tuple[Any, ...]]
    rounding: str
    optional: tuple[str, ...] = ()
    outputs: int = 1


OPERATIONS: dict[str, Operation] = {
    row.name: row
    for row in (
        Operation(
            name="convolve",
            definition=convolve,
            vjp=convolve_vjp,
            shape=convolve_shape,
            operands=("f", "g"),
            linear_in=("f", "g"),
            rounding="products",
        ),
        Operation(
            name="correlate",
            definition=correlate,
            vjp=correlate_vjp,
            shape=convolve_shape,
            operands=("f", "g"),
            linear_in=("f", "g"),
            rounding="products",
        ),
        Operation(
            name="conv",
            definition=conv,
            vjp=conv_vjp,
            shape=conv_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="conv_transpose",
            definition=conv_transpose,
            vjp=conv_transpose_vjp,
            shape=conv_transpose_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="max_pool",
            definition=max_pool,
            vjp=max_pool_vjp,
            shape=pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="exact",
        ),
        Operation(
            name="max_pool_with_indices",
            definition=max_pool_with_indices,
            vjp=max_pool_with_indices_vjp,
            shape=pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="exact",
            outputs=2,
        ),
        Operation(
            name="average_pool",
            definition=average_pool,
            vjp=average_pool_vjp,
            shape=pool_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="products",
        ),
    )
}

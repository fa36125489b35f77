"""The one table of operations: laws and oracle iterate over it, so a new row gets every check.

Operations do not know about the table; the table does not know who implements, checks or rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from convspec import (
    activation,
    adaptive_pooling,
    convolution,
    dense,
    local_connection,
    loss,
    norm_pooling,
    normalization,
    pooling,
    rearrangement,
    resize,
    separable,
    spatially_separable,
    transposed_convolution,
    unpooling,
)
from convspec.arguments import Shape


class Operation(NamedTuple):
    """One operation of the spec.

    `operands` names its arrays in order, `optional` those that may be None, `lists` those that are
    a list of arrays, `discrete` those that hold indices, labels or a mask and have no cotangent,
    and `linear_in` those it is linear in, whatever the attributes, when the others are held fixed
    (a bias is affine and not among them).  `shape` maps operand shapes and attributes to the output
    shape.  `rounding` says what rounds: `exact` (selections and moves), `products` (sums of
    products, judged by a theorem) or `elementary` (roots, powers and exponentials, judged under a
    stated assumption).
    """

    name: str
    definition: Callable[..., Any]
    shape: Callable[..., Shape]
    operands: tuple[str, ...]
    linear_in: tuple[str, ...]
    vjp: Callable[..., tuple[Any, ...]]
    rounding: str
    optional: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    discrete: tuple[str, ...] = ()
    outputs: int = 1


OPERATIONS: dict[str, Operation] = {
    row.name: row
    for row in (
        Operation(
            name="convolve",
            definition=convolution.convolve,
            vjp=convolution.convolve_vjp,
            shape=convolution.convolve_shape,
            operands=("f", "g"),
            linear_in=("f", "g"),
            rounding="products",
        ),
        Operation(
            name="correlate",
            definition=convolution.correlate,
            vjp=convolution.correlate_vjp,
            shape=convolution.convolve_shape,
            operands=("f", "g"),
            linear_in=("f", "g"),
            rounding="products",
        ),
        Operation(
            name="conv",
            definition=convolution.conv,
            vjp=convolution.conv_vjp,
            shape=convolution.conv_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="conv_transpose",
            definition=transposed_convolution.conv_transpose,
            vjp=transposed_convolution.conv_transpose_vjp,
            shape=transposed_convolution.conv_transpose_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="depthwise_conv",
            definition=separable.depthwise_conv,
            vjp=separable.depthwise_conv_vjp,
            shape=separable.depthwise_conv_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="pointwise_conv",
            definition=separable.pointwise_conv,
            vjp=separable.pointwise_conv_vjp,
            shape=separable.pointwise_conv_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="depthwise_separable_conv",
            definition=separable.depthwise_separable_conv,
            vjp=separable.depthwise_separable_conv_vjp,
            shape=separable.depthwise_separable_conv_shape,
            operands=("input", "depthwise", "pointwise", "bias"),
            optional=("bias",),
            linear_in=("input", "depthwise", "pointwise"),
            rounding="products",
        ),
        Operation(
            name="spatially_separable_conv",
            definition=spatially_separable.spatially_separable_conv,
            vjp=spatially_separable.spatially_separable_conv_vjp,
            shape=spatially_separable.spatially_separable_conv_shape,
            operands=("input", "factors"),
            lists=("factors",),
            linear_in=("input",),
            rounding="products",
        ),
        Operation(
            name="locally_connected",
            definition=local_connection.locally_connected,
            vjp=local_connection.locally_connected_vjp,
            shape=local_connection.locally_connected_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="max_pool",
            definition=pooling.max_pool,
            vjp=pooling.max_pool_vjp,
            shape=pooling.pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="exact",
        ),
        Operation(
            name="max_pool_with_indices",
            definition=pooling.max_pool_with_indices,
            vjp=pooling.max_pool_with_indices_vjp,
            shape=pooling.pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="exact",
            outputs=2,
        ),
        Operation(
            name="max_unpool",
            definition=unpooling.max_unpool,
            vjp=unpooling.max_unpool_vjp,
            shape=unpooling.max_unpool_shape,
            operands=("values", "indices"),
            discrete=("indices",),
            linear_in=("values",),
            rounding="exact",
        ),
        Operation(
            name="average_pool",
            definition=pooling.average_pool,
            vjp=pooling.average_pool_vjp,
            shape=pooling.pool_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="products",
        ),
        Operation(
            name="lp_pool",
            definition=norm_pooling.lp_pool,
            vjp=norm_pooling.lp_pool_vjp,
            shape=norm_pooling.lp_pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="elementary",
        ),
        Operation(
            name="distance_weighted_pool",
            definition=norm_pooling.distance_weighted_pool,
            vjp=norm_pooling.distance_weighted_pool_vjp,
            shape=norm_pooling.distance_weighted_pool_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="elementary",
        ),
        Operation(
            name="adaptive_max_pool",
            definition=adaptive_pooling.adaptive_max_pool,
            vjp=adaptive_pooling.adaptive_max_pool_vjp,
            shape=adaptive_pooling.adaptive_pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="exact",
        ),
        Operation(
            name="adaptive_average_pool",
            definition=adaptive_pooling.adaptive_average_pool,
            vjp=adaptive_pooling.adaptive_average_pool_vjp,
            shape=adaptive_pooling.adaptive_pool_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="products",
        ),
        Operation(
            name="spatial_pyramid_pool",
            definition=adaptive_pooling.spatial_pyramid_pool,
            vjp=adaptive_pooling.spatial_pyramid_pool_vjp,
            shape=adaptive_pooling.spatial_pyramid_pool_shape,
            operands=("input",),
            linear_in=(),
            rounding="products",
        ),
        Operation(
            name="upsample",
            definition=resize.upsample,
            vjp=resize.upsample_vjp,
            shape=resize.upsample_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="products",
        ),
        Operation(
            name="insert_zeros",
            definition=rearrangement.insert_zeros,
            vjp=rearrangement.insert_zeros_vjp,
            shape=rearrangement.insert_zeros_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="exact",
        ),
        Operation(
            name="pixel_shuffle",
            definition=rearrangement.pixel_shuffle,
            vjp=rearrangement.pixel_shuffle_vjp,
            shape=rearrangement.pixel_shuffle_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="exact",
        ),
        Operation(
            name="resize_conv",
            definition=resize.resize_conv,
            vjp=resize.resize_conv_vjp,
            shape=resize.resize_conv_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="linear",
            definition=dense.linear,
            vjp=dense.linear_vjp,
            shape=dense.linear_shape,
            operands=("input", "weight", "bias"),
            optional=("bias",),
            linear_in=("input", "weight"),
            rounding="products",
        ),
        Operation(
            name="flatten",
            definition=dense.flatten,
            vjp=dense.flatten_vjp,
            shape=dense.flatten_shape,
            operands=("input",),
            linear_in=("input",),
            rounding="exact",
        ),
        Operation(
            name="relu",
            definition=activation.relu,
            vjp=activation.relu_vjp,
            shape=activation.elementwise_shape,
            operands=("input",),
            linear_in=(),
            rounding="exact",
        ),
        Operation(
            name="sigmoid",
            definition=activation.sigmoid,
            vjp=activation.sigmoid_vjp,
            shape=activation.elementwise_shape,
            operands=("input",),
            linear_in=(),
            rounding="elementary",
        ),
        Operation(
            name="tanh",
            definition=activation.tanh,
            vjp=activation.tanh_vjp,
            shape=activation.elementwise_shape,
            operands=("input",),
            linear_in=(),
            rounding="elementary",
        ),
        Operation(
            name="softmax",
            definition=activation.softmax,
            vjp=activation.softmax_vjp,
            shape=activation.softmax_shape,
            operands=("input",),
            linear_in=(),
            rounding="elementary",
        ),
        Operation(
            name="dropout",
            definition=activation.dropout,
            vjp=activation.dropout_vjp,
            shape=activation.dropout_shape,
            operands=("input", "mask"),
            discrete=("mask",),
            linear_in=("input",),
            rounding="products",
        ),
        Operation(
            name="cross_entropy",
            definition=loss.cross_entropy,
            vjp=loss.cross_entropy_vjp,
            shape=loss.cross_entropy_shape,
            operands=("logits", "labels"),
            discrete=("labels",),
            linear_in=(),
            rounding="elementary",
        ),
        Operation(
            name="l2_penalty",
            definition=loss.l2_penalty,
            vjp=loss.l2_penalty_vjp,
            shape=loss.l2_penalty_shape,
            operands=("weight",),
            linear_in=(),
            rounding="products",
        ),
        Operation(
            name="batch_norm",
            definition=normalization.batch_norm,
            vjp=normalization.batch_norm_vjp,
            shape=normalization.batch_norm_shape,
            operands=("input", "mean", "variance", "scale", "shift"),
            linear_in=(),
            rounding="elementary",
        ),
        Operation(
            name="local_response_normalization",
            definition=normalization.local_response_normalization,
            vjp=normalization.local_response_normalization_vjp,
            shape=normalization.local_response_normalization_shape,
            operands=("input",),
            linear_in=(),
            rounding="elementary",
        ),
    )
}

"""The vectorised twins: every operation of the spec, computed with NumPy and BLAS.

An implementation like any other, with the definitions' signatures, result dtypes and errors, and
checked like any other.  On integers and Fractions a twin equals its definition exactly; floats
are summed in their own precision (16 bits in float32, rounded once), in another order than the
definition's; roots, exponentials and weights of their own are computed in float64 and rounded
once.  What is neither float nor a sum of products is left to the definitions (see `floating`).
Besides its results a call holds at most `blocks.SCRATCH` bytes at a time.

Its `dtypes` are those that NumPy has of its own accord.
"""

from __future__ import annotations

from convspec import __version__ as version
from convspec.fast.activation import (
    dropout,
    dropout_vjp,
    relu,
    relu_vjp,
    sigmoid,
    sigmoid_vjp,
    softmax,
    softmax_vjp,
    tanh,
    tanh_vjp,
)
from convspec.fast.adaptive_pooling import (
    adaptive_average_pool,
    adaptive_average_pool_vjp,
    adaptive_max_pool,
    adaptive_max_pool_vjp,
    spatial_pyramid_pool,
    spatial_pyramid_pool_vjp,
)
from convspec.fast.convolution import (
    conv,
    conv_vjp,
    convolve,
    convolve_vjp,
    correlate,
    correlate_vjp,
)
from convspec.fast.dense import flatten, flatten_vjp, linear, linear_vjp
from convspec.fast.local_connection import locally_connected, locally_connected_vjp
from convspec.fast.loss import cross_entropy, cross_entropy_vjp, l2_penalty, l2_penalty_vjp
from convspec.fast.norm_pooling import (
    distance_weighted_pool,
    distance_weighted_pool_vjp,
    lp_pool,
    lp_pool_vjp,
)
from convspec.fast.normalization import (
    batch_norm,
    batch_norm_vjp,
    local_response_normalization,
    local_response_normalization_vjp,
)
from convspec.fast.pooling import (
    average_pool,
    average_pool_vjp,
    max_pool,
    max_pool_vjp,
    max_pool_with_indices,
    max_pool_with_indices_vjp,
)
from convspec.fast.rearrangement import (
    insert_zeros,
    insert_zeros_vjp,
    pixel_shuffle,
    pixel_shuffle_vjp,
)
from convspec.fast.resize import resize_conv, resize_conv_vjp, upsample, upsample_vjp
from convspec.fast.separable import (
    depthwise_conv,
    depthwise_conv_vjp,
    depthwise_separable_conv,
    depthwise_separable_conv_vjp,
    pointwise_conv,
    pointwise_conv_vjp,
)
from convspec.fast.spatially_separable import spatially_separable_conv, spatially_separable_conv_vjp
from convspec.fast.transposed_convolution import conv_transpose, conv_transpose_vjp
from convspec.fast.unpooling import max_unpool, max_unpool_vjp

name = "convspec.fast"
dtypes = ("float16", "float32", "float64")

__all__ = [
    "adaptive_average_pool",
    "adaptive_average_pool_vjp",
    "adaptive_max_pool",
    "adaptive_max_pool_vjp",
    "average_pool",
    "average_pool_vjp",
    "batch_norm",
    "batch_norm_vjp",
    "conv",
    "conv_transpose",
    "conv_transpose_vjp",
    "conv_vjp",
    "convolve",
    "convolve_vjp",
    "correlate",
    "correlate_vjp",
    "cross_entropy",
    "cross_entropy_vjp",
    "depthwise_conv",
    "depthwise_conv_vjp",
    "depthwise_separable_conv",
    "depthwise_separable_conv_vjp",
    "distance_weighted_pool",
    "distance_weighted_pool_vjp",
    "dropout",
    "dropout_vjp",
    "dtypes",
    "flatten",
    "flatten_vjp",
    "insert_zeros",
    "insert_zeros_vjp",
    "l2_penalty",
    "l2_penalty_vjp",
    "linear",
    "linear_vjp",
    "local_response_normalization",
    "local_response_normalization_vjp",
    "locally_connected",
    "locally_connected_vjp",
    "lp_pool",
    "lp_pool_vjp",
    "max_pool",
    "max_pool_vjp",
    "max_pool_with_indices",
    "max_pool_with_indices_vjp",
    "max_unpool",
    "max_unpool_vjp",
    "name",
    "pixel_shuffle",
    "pixel_shuffle_vjp",
    "pointwise_conv",
    "pointwise_conv_vjp",
    "relu",
    "relu_vjp",
    "resize_conv",
    "resize_conv_vjp",
    "sigmoid",
    "sigmoid_vjp",
    "softmax",
    "softmax_vjp",
    "spatial_pyramid_pool",
    "spatial_pyramid_pool_vjp",
    "spatially_separable_conv",
    "spatially_separable_conv_vjp",
    "tanh",
    "tanh_vjp",
    "upsample",
    "upsample_vjp",
    "version",
]

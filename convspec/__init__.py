"""convspec: one definition of convolution, pooling and the operations built on them.

This module is the map of public names; each is imported from its chapter on first use, so that
importing convspec costs almost nothing beyond NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_CHAPTERS = {
    "convolution": (
        "convolve",
        "correlate",
        "conv",
        "convolve_vjp",
        "correlate_vjp",
        "conv_vjp",
    ),
    "transposed_convolution": (
        "conv_transpose",
        "conv_transpose_vjp",
    ),
    "separable": (
        "depthwise_conv",
        "pointwise_conv",
        "depthwise_separable_conv",
        "depthwise_conv_vjp",
        "pointwise_conv_vjp",
        "depthwise_separable_conv_vjp",
    ),
    "spatially_separable": (
        "spatially_separable_conv",
        "spatially_separable_conv_vjp",
    ),
    "local_connection": (
        "locally_connected",
        "locally_connected_vjp",
    ),
    "pooling": (
        "max_pool",
        "max_pool_with_indices",
        "average_pool",
        "max_pool_vjp",
        "max_pool_with_indices_vjp",
        "average_pool_vjp",
    ),
    "unpooling": (
        "max_unpool",
        "max_unpool_vjp",
    ),
    "norm_pooling": (
        "lp_pool",
        "distance_weighted_pool",
        "lp_pool_vjp",
        "distance_weighted_pool_vjp",
    ),
    "adaptive_pooling": (
        "adaptive_max_pool",
        "adaptive_average_pool",
        "spatial_pyramid_pool",
        "adaptive_max_pool_vjp",
        "adaptive_average_pool_vjp",
        "spatial_pyramid_pool_vjp",
    ),
    "resize": ("upsample", "resize_conv", "upsample_vjp", "resize_conv_vjp"),
    "rearrangement": (
        "insert_zeros",
        "pixel_shuffle",
        "insert_zeros_vjp",
        "pixel_shuffle_vjp",
    ),
    "dense": (
        "linear",
        "flatten",
        "linear_vjp",
        "flatten_vjp",
    ),
    "activation": (
        "relu",
        "sigmoid",
        "tanh",
        "softmax",
        "dropout",
        "relu_vjp",
        "sigmoid_vjp",
        "tanh_vjp",
        "softmax_vjp",
        "dropout_vjp",
    ),
    "loss": (
        "cross_entropy",
        "l2_penalty",
        "cross_entropy_vjp",
        "l2_penalty_vjp",
    ),
    "normalization": (
        "batch_norm",
        "local_response_normalization",
        "batch_norm_vjp",
        "local_response_normalization_vjp",
    ),
    "operations": ("OPERATIONS",),
    "matrix": (
        "matrix_of",
        "exact_matrix_of",
        "is_toeplitz",
        "is_circulant",
        "periodic_padding",
    ),
    "symbolic": (
        "symbolic_call",
        "symbolic_vjp",
        "jacobian",
        "latex_output",
        "latex_values",
    ),
}
_HOME = {name: chapter for chapter, names in _CHAPTERS.items() for name in names}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - the names are strings, computed


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'convspec' has no attribute {name!r}")
    return getattr(import_module(f"convspec.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""The twins of `convspec.spatially_separable`: a depthwise convolution with the product kernel.

Which is what the definition's formula says, special values included; taking the kernel apart
would round between the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy
from numpy.typing import ArrayLike

from convspec import spatially_separable
from convspec.arguments import Array, Padding, PerAxis, array, check_shape
from convspec.fast.arithmetic import OBJECT, Arithmetic, arithmetic, jointly, narrowed
from convspec.fast.blocks import blocks, slices, whole
from convspec.fast.products import input_product, output_product, weight_product
from convspec.fast.tiles import tile_size
from convspec.spatially_separable import kernels_of, spatially_separable_conv_windows
from convspec.window import output_sizes


def spatially_separable_conv(
    input: ArrayLike,
    factors: Sequence[ArrayLike],
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
) -> Array:
    """`convspec.spatially_separable_conv`.

    >>> spatially_separable_conv([[[[1, 2], [3, 5]]]], [[1, 2], [1, -1]])
    array([[[[-5]]]])
    """
    input, vectors = array("input", input), kernels_of(factors)
    sliding = spatially_separable_conv_windows(
        input.shape, [vector.shape for vector in vectors], stride=stride, padding=padding
    )
    how = arithmetic((input, *vectors), _taps(vectors))
    sizes = output_sizes(input.shape[2:], sliding)
    weight = _shared(_kernel(vectors, how), input.shape[1])
    y = output_product(input[:, :, None], weight, None, sliding, sizes, how)
    return narrowed(y[:, :, 0], input, *vectors)


def spatially_separable_conv_vjp(
    cotangent: ArrayLike,
    input: ArrayLike,
    factors: Sequence[ArrayLike],
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
) -> tuple[Array, ...]:
    """`convspec.spatially_separable_conv_vjp`: the cotangent of the product kernel, times the
    other factors.

    >>> spatially_separable_conv_vjp([[[[1]]]], [[[[1, 2], [3, 5]]]], [[1, 2], [1, -1]])
    (array([[[[ 1, -1],
             [ 2, -2]]]]), array([-1, -2]), array([ 7, 12]))
    """
    cotangent, input, vectors = (
        array("cotangent", cotangent),
        array("input", input),
        kernels_of(factors),
    )
    kernels = [vector.shape for vector in vectors]
    sliding = spatially_separable_conv_windows(input.shape, kernels, stride=stride, padding=padding)
    shape = (*input.shape[:2], *output_sizes(input.shape[2:], sliding))
    shapes = f"input has shape {input.shape}, factors have shapes {kernels}"
    check_shape("cotangent", cotangent, shape, "the output shape", shapes=shapes)
    operands = (cotangent, input, *vectors)
    if not all(vector.dtype == OBJECT or numpy.isfinite(vector).all() for vector in vectors):
        # Times something infinite, a sum is not the sum of the products.
        return spatially_separable.spatially_separable_conv_vjp(
            cotangent, input, vectors, stride=stride, padding=padding
        )
    how = jointly(
        arithmetic((cotangent, *vectors), _taps(vectors), others=operands),
        *(
            arithmetic(
                (cotangent, input, *_but(vectors, m)),
                cotangent.size * _taps(vectors),
                others=operands,
            )
            for m in range(len(vectors))
        ),
    )
    weight = _shared(_kernel(vectors, how), input.shape[1])
    x, g = input[:, :, None], cotangent[:, :, None]
    d_x = input_product(g, weight, None, sliding, input.shape[2:], how)[:, :, 0]
    d_kernel = numpy.zeros([k for (k,) in kernels], dtype=how.compute)
    unrounded = Arithmetic(how.compute, how.compute)
    with numpy.errstate(all="ignore"):
        for (channels,) in blocks(whole(x.shape[1:2]), tile_size(how.compute, d_kernel.size)):
            index = slices((range(len(x)), channels))
            shares = weight_product(g[index], x[index], sliding, d_kernel.shape, unrounded)
            d_kernel += shares.sum(axis=(0, 1, 2))
        d_factors = [_contracted(d_kernel, vectors, m, how) for m in range(len(vectors))]
    return tuple(narrowed(d, *operands) for d in (d_x, *d_factors))


def _taps(vectors: Sequence[Array]) -> int:
    taps = 1
    for vector in vectors:
        taps *= vector.size
    return taps


def _but(vectors: Sequence[Array], m: int) -> list[Array]:
    return [*vectors[:m], *vectors[m + 1 :]]


def _kernel(vectors: Sequence[Array], how: Arithmetic) -> Array:
    """The outer product of the factors, unrounded beyond what is computed with."""
    with numpy.errstate(all="ignore"):
        kernel: Array = reduce(
            numpy.multiply.outer, (vector.astype(how.compute) for vector in vectors)
        )
    return kernel


def _shared(kernel: Array, channels: int) -> Array:
    """One kernel for every channel, as `products` take it: `(C, 1, 1, *kernel)`."""
    return numpy.broadcast_to(kernel, (channels, 1, 1, *kernel.shape))


def _contracted(d_kernel: Array, vectors: Sequence[Array], m: int, how: Arithmetic) -> Array:
    r"""$\sum_{j: j_m = q} \bar w_j \prod_{l \ne m} f^{(l)}_{j_l}$ for every $q$."""
    others = [
        vector.astype(how.compute) if l != m else numpy.ones(1, dtype=how.compute)
        for l, vector in enumerate(vectors)
    ]
    products: Array = d_kernel * reduce(numpy.multiply.outer, others)
    axes = tuple(l for l in range(d_kernel.ndim) if l != m)
    return products.sum(axis=axes).astype(how.output) if axes else products.astype(how.output)

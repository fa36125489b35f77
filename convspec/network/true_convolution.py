"""Operations whose `conv` is a true convolution, for the experiment that training does not mind.

A true convolution meets its input with the kernel turned round on every spatial axis, and so its
weights get a gradient that is turned round.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy

from convspec.arguments import Array


def flipped(weight: Array) -> Array:
    """A weight `(O, C, *kernel)` with its kernels turned round.

    >>> flipped(numpy.array([[[1, 2, 3]]]))
    array([[[3, 2, 1]]])
    """
    return numpy.flip(weight, axis=tuple(range(2, weight.ndim)))


def true_convolution(operations: Any) -> SimpleNamespace:
    """The operations of a module, the convolutions among them true ones.

    >>> from convspec import fast
    >>> x, w = numpy.array([[[0, 0, 1]]]), numpy.array([[[1, 2]]])
    >>> fast.conv(x, w), true_convolution(fast).conv(x, w)
    (array([[[0, 2]]]), array([[[0, 1]]]))
    """

    def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Any:
        return operations.conv(input, flipped(weight), bias, **attributes)

    def conv_vjp(
        cotangent: Array,
        input: Array,
        weight: Array,
        bias: Array | None = None,
        **attributes: Any,
    ) -> Any:
        d_input, d_weight, *d_bias = operations.conv_vjp(
            cotangent, input, flipped(weight), bias, **attributes
        )
        return (d_input, flipped(d_weight), *d_bias)

    return SimpleNamespace(**{**vars(operations), "conv": conv, "conv_vjp": conv_vjp})

r"""The one form of every layer that a projection can judge,

$$ y_{n,\gamma,o,i} = b_{\gamma,o} +
   \sum_{c,j} w_{\gamma,o,c,j}\, x_{n,\gamma,c,\,i s - p + j d}, $$

`conv`, `depthwise_conv`, `pointwise_conv` and `linear`; and of `conv_transpose`, whose windows
slide over the output instead.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy

from convspec.arguments import Array, Shape
from convspec.case import Case, call_windows
from convspec.transposed_convolution import conv_transpose_windows
from convspec.window import Window, output_sizes


class Form(NamedTuple):
    """A layer with its groups on an axis of their own: `input (N, C, *spatial)`,
    `weight (G, O // G, C // G, *kernel)`, `bias (O,)`, `output (N, O, *sizes)`.
    """

    input: Array
    weight: Array
    bias: Array
    output: Array
    sliding: tuple[Window, ...]
    sizes: Shape
    transposed: bool

    @property
    def outputs(self) -> int:
        """The number of output channels, O."""
        return prod(self.weight.shape[:2])

    @property
    def due(self) -> Shape:
        """The shape that the output must have."""
        return (len(self.input), self.outputs, *self.sizes)

    @property
    def terms(self) -> int:
        """At most so many products make up one output."""
        return prod(self.weight.shape[2:])


def form(case: Case, output: Array) -> Form | None:
    """The form of a layer of known shapes; None for an operation that is not of it.

    >>> x, w = numpy.zeros((1, 4, 8)), numpy.zeros((6, 2, 3))
    >>> call = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 2}
    >>> form(Case("conv", {"input": x, "weight": w}, call), numpy.zeros((1, 6, 6))).weight.shape
    (2, 3, 2, 3)
    """
    if case.operation not in _FORMED:
        return None
    x, w = case.operands["input"], case.operands["weight"]
    shapes = {"input": x.shape, "weight": w.shape}
    groups, sizes, transposed = case.attributes.get("groups", 1), x.shape[2:], False
    if case.operation == "conv_transpose":
        sliding, sizes = conv_transpose_windows(x.shape, w.shape, **case.attributes)
        transposed = True
    elif case.operation in ("conv", "depthwise_conv"):
        sliding = call_windows(case.operation, shapes, case.attributes)
        sizes = output_sizes(x.shape[2:], sliding)
        groups = x.shape[1] if case.operation == "depthwise_conv" else groups
    else:
        sliding = (Window(1),) * (x.ndim - 2)
        w = w.reshape(*w.shape, *(1,) * (x.ndim - 2))
    split = w.reshape(groups, -1, *w.shape[1:])
    split = split.swapaxes(1, 2) if transposed else split
    bias = case.operands.get("bias", numpy.zeros(split.shape[0] * split.shape[1], output.dtype))
    return Form(x, split, bias, output, sliding, sizes, transposed)


_FORMED = ("conv", "depthwise_conv", "pointwise_conv", "linear", "conv_transpose")

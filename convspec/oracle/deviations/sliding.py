"""Windows laid out as an array, for mistakes inside a window.

Index arithmetic stays in `convspec.window`; a mistake in it comes as another `read` or `size`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.window import Window, output_size, taps

Reading = Callable[[int, Window, int], list[tuple[int, int]]]


def windows_of(
    kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any, **_: Any
) -> tuple[Window, ...]:
    """The windows that a pooling's normalised attributes describe.

    >>> windows_of((2,), (1,), ((0, 0),), (1,), ceil_mode=False)
    (Window(kernel=2, stride=1, low=0, high=0, dilation=1, ceil=False),)
    """
    axes = zip(kernel_size, stride, padding, dilation, strict=True)
    return tuple(Window(k, s, low, high, d, ceil_mode) for k, s, (low, high), d in axes)


def lowest(dtype: Any) -> Any:
    """The least value of a dtype: -inf where there is one.

    >>> lowest(numpy.dtype("int8")), lowest(numpy.dtype("float32"))
    (-128, -inf)
    """
    dtype = numpy.dtype(dtype)
    return int(numpy.iinfo(dtype).min) if dtype.kind in "iu" else -numpy.inf


def gathered(
    input: Any,
    *,
    fill: Any = None,
    read: Reading = taps,
    size: Callable[[int, Window], int] = output_size,
    **attributes: Any,
) -> Array:
    """Every window's elements, `(N, C, *output, taps)`, with `fill` where a tap does not exist:
    by default the least value of the dtype.

    >>> gathered(numpy.array([[[1, 2]]]), fill=0, kernel_size=(2,), stride=(1,),
    ...          padding=((1, 0),), dilation=(1,), ceil_mode=False)
    array([[[[0, 1],
             [1, 2]]]])
    """
    input = numpy.asarray(input)
    fill = lowest(input.dtype) if fill is None else fill
    sliding = windows_of(**attributes)
    rank = len(sliding)
    values = numpy.pad(input, [(0, 0), (0, 0)] + [(0, 1)] * rank, constant_values=fill)
    for axis, (n, window) in enumerate(zip(input.shape[2:], sliding, strict=True)):
        table = numpy.full((size(n, window), window.kernel), n)
        for i in range(len(table)):
            for j, a in read(n, window, i):
                table[i, j] = a
        values = numpy.take(values, table, axis=2 + 2 * axis)
    order = (0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 3 + 2 * rank, 2))
    values = values.transpose(order)
    count = prod(values.shape[2 + rank :])
    windows: Array = values.reshape(*values.shape[: 2 + rank], count)
    return windows


def maximum(windows: Array) -> Any:
    """The maximum of each window of `gathered`.

    >>> maximum(numpy.array([[[[0, 1], [1, 2]]]]))
    array([[[1, 2]]])
    """
    return windows.max(axis=-1)


def divisors(
    sizes: Sequence[int],
    sliding: Sequence[Window],
    count: Callable[[int, Window, int], int],
) -> Array:
    """A divisor for every output position: the product over the axes of `count(n, window, i)`.

    >>> divisors((2,), (Window(2, low=1),), lambda n, window, i: len(taps(n, window, i)))
    array([1, 2])
    """
    axes = [
        numpy.array([count(n, window, i) for i in range(output_size(n, window))])
        for n, window in zip(sizes, sliding, strict=True)
    ]
    return numpy.asarray(reduce(numpy.multiply.outer, axes))


def exists(input: Any, **attributes: Any) -> Array:
    """Which taps of each window exist, laid out as `gathered` does.

    >>> exists(numpy.array([[[1, 2]]]), kernel_size=(2,), stride=(1,), padding=((1, 0),),
    ...        dilation=(1,), ceil_mode=False)
    array([[[[False,  True],
             [ True,  True]]]])
    """
    return gathered(numpy.ones(numpy.shape(input), dtype=bool), fill=False, **attributes)


def flat_positions(input: Any, **attributes: Any) -> Array:
    """The flat index of each tap in the unpadded spatial volume, -1 where it does not exist.

    >>> flat_positions(numpy.array([[[1, 2]]]), kernel_size=(2,), stride=(1,),
    ...                padding=((1, 0),), dilation=(1,), ceil_mode=False)
    array([[[[-1,  0],
             [ 0,  1]]]])
    """
    shape = numpy.shape(input)
    volume = numpy.arange(int(numpy.prod(shape[2:]))).reshape(shape[2:])
    return gathered(numpy.broadcast_to(volume, shape), fill=-1, **attributes)


def maxima(input: Any, **attributes: Any) -> Array:
    """Which taps hold the maximum of their window, all of them on ties and every NaN.

    >>> maxima(numpy.array([[[2, 2, 1]]]), kernel_size=(3,), stride=(1,), padding=((0, 0),),
    ...        dilation=(1,), ceil_mode=False)
    array([[[[ True,  True, False]]]])
    """
    values = gathered(input, **attributes)
    best = values.max(axis=-1, keepdims=True)
    best_taps: Array = exists(input, **attributes) & ((values == best) | (values != values))
    return best_taps

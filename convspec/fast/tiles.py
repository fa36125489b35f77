"""Parts of a sliding operation: some of its outputs with what they read, or some of its inputs
with the outputs that read them, each a smaller sliding operation of its own.

They bound what passes between the steps of an operation that has several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from convspec.arguments import Shape
from convspec.fast.blocks import Box, buffer_size
from convspec.window import Window, part, reach, readers


def tile_size(dtype: numpy.dtype[Any], each: int) -> int:
    """How many positions a tile has where every one of them takes `each` elements.

    A quarter of a buffer for all of them, since the products within make blocks of their own.
    """
    return max(1, buffer_size(dtype) // 4 // max(each, 1))


def output_tile(
    sliding: Sequence[Window], spatial: Shape, outputs: Box
) -> tuple[Box, tuple[Window, ...]]:
    """What these outputs read, and the windows that slide over that alone.

    >>> output_tile([Window(3, stride=2, low=1)], (5,), (range(1, 2),))
    ((range(1, 4),), (Window(kernel=3, stride=2, low=0, high=0, dilation=1, ceil=False),))
    """
    reading = tuple(
        reach(window, range(n), run)
        for window, n, run in zip(sliding, spatial, outputs, strict=True)
    )
    return reading, tuple(map(part, sliding, reading, outputs))


def input_tile(
    sliding: Sequence[Window], sizes: Shape, inputs: Box
) -> tuple[Box, tuple[Window, ...]]:
    """The outputs that read these inputs, and the windows that slide over these alone.

    >>> input_tile([Window(3, stride=2)], (2,), (range(3, 5),))
    ((range(1, 2),), (Window(kernel=3, stride=2, low=1, high=0, dilation=1, ceil=False),))
    """
    reading = tuple(
        readers(window, run, range(n))
        for window, n, run in zip(sliding, sizes, inputs, strict=True)
    )
    return reading, tuple(map(part, sliding, inputs, reading))

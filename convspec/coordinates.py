r"""Where the positions of an enlarged axis come from: the index arithmetic of `resize`.

`window.py` says what a window reads as it slides; this is its counterpart for axes that grow by
a whole factor $s$, where output position $i$ of $n s$ lies between input positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import floor, prod


def source_coordinate(n: int, scale: int, i: int, coordinates: str) -> Fraction:
    r"""Where output position $i$ of an axis enlarged $s$ times lies on the input axis,

    $$ \text{half pixel: } \frac{i + 1/2}{s} - \frac12, \qquad
       \text{asymmetric: } \frac{i}{s}, \qquad
       \text{align corners: } \frac{i\,(n - 1)}{n s - 1}, $$

    moved into $[0, n - 1]$.  An axis of one position stays at 0.

    >>> [str(source_coordinate(2, 2, i, "half_pixel")) for i in range(4)]
    ['0', '1/4', '3/4', '1']
    """
    if coordinates == "half_pixel":
        coordinate = Fraction(2 * i + 1, 2 * scale) - Fraction(1, 2)
    elif coordinates == "asymmetric":
        coordinate = Fraction(i, scale)
    elif coordinates == "align_corners":
        coordinate = Fraction(i * (n - 1), max(1, n * scale - 1))
    else:
        raise ValueError(
            f"coordinates={coordinates!r}: must be half_pixel, asymmetric or align_corners"
        )
    return min(max(coordinate, Fraction(0)), Fraction(n - 1))


def interpolation_taps(
    n: int, scale: int, i: int, *, kind: str, coordinates: str
) -> list[tuple[int, int | Fraction]]:
    r"""The pairs `(input position, weight)` that output position `i` of an enlarged axis reads.

    `nearest` reads $\lfloor i / s \rfloor$ alone; `linear` the two neighbours of the source
    coordinate, each weighted by its nearness, and none whose weight is 0.

    >>> interpolation_taps(2, 2, 3, kind="nearest", coordinates="half_pixel")
    [(1, 1)]
    >>> interpolation_taps(2, 2, 1, kind="linear", coordinates="half_pixel")
    [(0, Fraction(3, 4)), (1, Fraction(1, 4))]
    """
    if kind == "nearest":
        return [(i // scale, 1)]
    coordinate = source_coordinate(n, scale, i, coordinates)
    low = floor(coordinate)
    share = coordinate - low
    return [(a, weight) for a, weight in ((low, 1 - share), (low + 1, share)) if weight]


def subpixel_source(position: Sequence[int], factors: Sequence[int]) -> tuple[tuple[int, ...], int]:
    r"""Input position and channel of its block that fill one position of a pixel shuffle,

    $$ b \mapsto \bigl(\lfloor b / f \rfloor,\; \textstyle\sum_m (b_m \bmod f_m)
       \prod_{l > m} f_l \bigr). $$

    >>> subpixel_source((3, 4), (2, 3))
    ((1, 1), 4)
    """
    channel = 0
    for b, factor in zip(position, factors, strict=True):
        channel = channel * factor + b % factor
    return tuple(b // factor for b, factor in zip(position, factors, strict=True)), channel


def interpolation_weights(
    spatial: Sequence[int],
    scales: Sequence[int],
    position: Sequence[int],
    *,
    kind: str,
    coordinates: str,
) -> list[tuple[tuple[int, ...], int | Fraction]]:
    """`interpolation_taps` on several axes: each weight is the product of its axes' weights.

    >>> [(a, str(w)) for a, w in interpolation_weights(
    ...     (1, 2), (1, 2), (0, 1), kind="linear", coordinates="half_pixel"
    ... )]
    [((0, 0), '3/4'), ((0, 1), '1/4')]
    """
    axes = (
        interpolation_taps(n, scale, i, kind=kind, coordinates=coordinates)
        for n, scale, i in zip(spatial, scales, position, strict=True)
    )
    return [
        (tuple(a for a, _ in choice), prod(weight for _, weight in choice))
        for choice in product(*axes)
    ]

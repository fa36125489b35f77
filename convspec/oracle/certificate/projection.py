r"""Projections over output channels (Freivalds): with coefficients $r$,

$$ \sum_o r_o\, (y_o - b_o) = \operatorname{conv}\Bigl(x, \sum_o r_o w_o\Bigr), $$

so that a layer of $O$ output channels is judged by a convolution of one.  Groups need no care: the
kernel of the projection has for every input channel the sum over the outputs of its own group.
Everything is computed in float64, but for the squares of float32 numbers,
whose sums are stretched.

Source: R. Freivalds, Probabilistic machines can use less running time, IFIP Congress 1977.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod, sqrt
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.oracle.certificate.form import Form
from convspec.rounding import growth, smallest_normal, unit_roundoff
from convspec.window import Window, slice_within, tap_run

Index = tuple[Any, ...]

# Elements that are converted at once, so that they are multiplied while they lie in a cache: in
# float64 three quarters of a mebibyte, which leaves room for what they are multiplied by.
CONVERTED = 3 * 2**15
# Elements of what taps read, and of a buffer of products, one plane a tap and projection.
LAID_OUT = PLANES = 2**21
# Up to so many projections are vectors times a matrix each, and up to so many a narrow matrix.
FEW, SOME = 3, 16


def drawn(rng: numpy.random.Generator, count: int, reach: int, channels: int) -> Array:
    """Coefficients of `count` projections, integers uniform from `-reach` to `reach`.

    >>> drawn(numpy.random.default_rng(0), 2, 1, 3).shape
    (2, 3)
    """
    return rng.integers(-reach, reach, size=(count, channels), endpoint=True).astype(float)


def projected_output(r: Array, layer: Form) -> Array:
    """The projections `r (k, O)` of the recorded output: `(N, k, *sizes)`."""
    found = numpy.empty((len(layer.output), len(r), *layer.sizes))
    for y, place in zip(layer.output, found, strict=True):
        place[...] = combined(r, y.reshape(len(y), -1)).reshape(place.shape)
    return found


def projected(r: Array, layer: Form) -> Array:
    """What those projections must be: `(N, k, *sizes)`."""
    return slide(_kernels(r, layer), layer.input, layer) + _constant(r, layer)


def projected_with_norms(r: Array, layer: Form) -> tuple[Array, Array]:
    r"""`projected`, and $\|W\|_F \|x_\text{window}\|_2 + \|\beta\|_2$ at every position,
    `(N, 1, *sizes)`.
    """
    weight = numpy.zeros(())
    kernels = _kernels(r, layer, weight)
    pixels = numpy.zeros((len(layer.input), 1, *layer.input.shape[2:]))
    found = slide(kernels, layer.input, layer, pixels) + _constant(r, layer)
    windows = slide(numpy.ones((1, 1, kernels.shape[2])), pixels, layer)
    bias = layer.bias.astype(numpy.float64)
    norms: Array = numpy.sqrt(weight * windows) + sqrt(bias @ bias)
    return found, norms


def _constant(r: Array, layer: Form) -> Array:
    return (r @ layer.bias.astype(numpy.float64)).reshape(-1, *(1,) * len(layer.sizes))


def _kernels(r: Array, layer: Form, squares: Array | None = None) -> Array:
    """The kernels of the projections: `(k, C, taps)`."""
    groups, outputs, channels = layer.weight.shape[:3]
    rows = layer.weight.reshape(groups, outputs, -1)
    split = r.reshape(len(r), groups, outputs).swapaxes(0, 1)
    found = combined(split, rows, squares)
    return found.swapaxes(0, 1).reshape(len(r), groups * channels, -1)


def combined(coefficients: Array, rows: Array, squares: Array | None = None) -> Array:
    """`coefficients (…, k, R)` times `rows (…, R, M)` of whatever dtype, in float64.

    The squares of all rows are added to `squares`, summed to its shape: `(M,)` or `()`.

    >>> combined(numpy.array([[1.0, 2.0]]), numpy.array([[3], [-4]], "int8"))
    array([[-5.]])
    """
    count, number, positions = coefficients.shape[-2], *rows.shape[-2:]
    across = FEW < count <= SOME
    total = numpy.zeros((*rows.shape[:-2], *((positions, count) if across else (count, positions))))
    step = max(1, CONVERTED // max(1, prod(rows.shape[:-2]) * positions))
    buffer = numpy.empty((*rows.shape[:-2], min(step, number), positions))
    for first in range(0, number, step):
        given = rows[..., first : first + step, :]
        block = buffer[..., : given.shape[-2], :]
        block[...] = given
        chosen = coefficients[..., first : first + step]
        if across:
            total += block.swapaxes(-1, -2) @ chosen.swapaxes(-1, -2)
        elif count > SOME:
            total += chosen @ block
        else:
            for row in range(count):
                total[..., row, :] += (chosen[..., row : row + 1, :] @ block)[..., 0, :]
        if squares is not None:
            _add_squares(given if given.dtype == numpy.float32 else block, squares)
    return numpy.ascontiguousarray(total.swapaxes(-1, -2)) if across else total


def _add_squares(block: Array, squares: Array) -> None:
    """Add a block's squares, or no less: each sum of float32 numbers is stretched by what it may
    have lost in rounding, and has the smallest normal number for every square that was flushed.
    """
    terms = len(block) if squares.ndim else block.size
    found: Any = (
        numpy.ones(terms, block.dtype) @ numpy.square(block)
        if squares.ndim
        else numpy.vdot(block, block)
    )
    if block.dtype == numpy.float32:
        stretched = 1 + growth(unit_roundoff(24), terms + 2)
        found = stretched * (found.astype(numpy.float64) + terms * smallest_normal(block.dtype))
    squares += found


def slide(kernels: Array, input: Array, layer: Form, squares: Array | None = None) -> Array:
    """The convolution of an input with `kernels (k, C, taps)`: `(N, k, *sizes)`.

    Either what the taps read is laid out and multiplied once, or every position of the input is
    multiplied for all taps at once, and the products are added where they belong: whichever moves
    less.  The sums over channels of the squares of the input are added to `squares`.
    """
    count, channels = kernels.shape[:2]
    total = numpy.zeros((len(input), count, *layer.sizes))
    moved = count * prod(input.shape[2:]) * (2 + channels / 32)
    slide_item = _by_reading if channels * prod(layer.sizes) <= moved else _by_planes
    for number, (x, place) in enumerate(zip(input, total, strict=True)):
        sums = None if squares is None else squares[number].reshape(-1)
        slide_item(kernels, x, place, layer, sums)
    return total


def _by_reading(
    kernels: Array, x: Array, total: Array, layer: Form, squares: Array | None = None
) -> None:
    count, channels = kernels.shape[:2]
    walk = taps(layer)
    step = max(1, LAID_OUT // max(1, channels * prod(layer.sizes)))
    for first in range(0, len(walk), step):
        rows = _laid_out(walk[first : first + step], x, layer)
        chosen = kernels[:, :, first : first + step].swapaxes(1, 2).reshape(count, -1)
        whole = squares if len(walk) == 1 and rows.size == x.size else None
        found = combined(chosen, rows.reshape(chosen.shape[1], -1), whole)
        total += found.reshape(total.shape)
    if squares is not None and whole is None:
        combined(numpy.zeros((0, channels)), x.reshape(channels, -1), squares)


def _laid_out(walk: tuple[tuple[int, Index, Index], ...], x: Array, layer: Form) -> Array:
    """What some taps read, zeros outside of the input: `(taps, C, *sizes)`."""
    if len(walk) == 1:
        part = x[walk[0][1]]
        if part.shape[1:] == layer.sizes:
            return part
    rows = numpy.zeros((len(walk), len(x), *layer.sizes), x.dtype)
    for row, (_, read, written) in zip(rows, walk, strict=True):
        row[written] = x[read]
    return rows


def _by_planes(
    kernels: Array, x: Array, total: Array, layer: Form, squares: Array | None = None
) -> None:
    count, channels = kernels.shape[:2]
    positions = x.reshape(channels, -1)
    step = max(1, PLANES // max(1, count * positions.shape[1]))
    walk = taps(layer)
    for first in range(0, len(walk), step):
        chosen = numpy.moveaxis(kernels[:, :, first : first + step], 2, 0)
        planes = combined(chosen.reshape(-1, channels), positions, squares if not first else None)
        planes = planes.reshape(len(chosen), count, *x.shape[1:])
        for plane, (_, read, written) in zip(planes, walk[first:], strict=False):
            total[written] += plane[read]


def taps(layer: Form) -> tuple[tuple[int, Index, Index], ...]:
    """Every tap's number, what it reads of an item of the input, and what it adds to."""
    return _taps(layer.sliding, layer.input.shape[2:], layer.sizes, layer.transposed)


@lru_cache(maxsize=64)
def _taps(
    sliding: tuple[Window, ...],
    inputs: Shape,
    outputs: Shape,
    transposed: bool,  # noqa: FBT001 - a part of a cache's key
) -> tuple[tuple[int, Index, Index], ...]:
    long, short = (outputs, inputs) if transposed else (inputs, outputs)
    axes = [
        [
            (slice_within(window, range(m)), slice_within(inner, range(n)))
            for window, inner in (
                tap_run(along, j, range(n), range(m)) for j in range(along.kernel)
            )
        ]
        for along, n, m in zip(sliding, long, short, strict=True)
    ]
    found = []
    for number, choice in enumerate(product(*axes)):
        windows = (slice(None), *(first for first, _ in choice))
        inside = (slice(None), *(second for _, second in choice))
        found.append((number, windows, inside) if transposed else (number, inside, windows))
    return tuple(found)

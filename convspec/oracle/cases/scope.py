r"""The small scope, and the order in which a budget of cases covers it.

Every axis of a call takes every size 1 to 8, kernel 1 to 4, stride 1 to 3, padding 0 to 2 on each
side and dilation 1 to 3, independently of the others.  A budget visits it in a covering order:
cases that show a new pair of feature values come first, then those that show a new triple.  What
share of all feasible values, pairs and triples was reached is counted, not assumed.

Cases come in blocks that share their arrays (sizes, kernel, dilation, channels) and differ in how
the window slides (stride, padding), because one dense result then serves a whole block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import combinations, product
from math import prod
from typing import NamedTuple

import numpy

from convspec.arguments import Array
from convspec.window import Window, extent, first_empty, transposed_size

SIZES = range(1, 9)
KERNELS = range(1, 5)
STRIDES = range(1, 4)
PADDINGS = range(3)
DILATIONS = range(1, 4)
OUTPUT_PADDINGS = range(3)
SCALES = range(1, 5)

CHANNELS = {"groups": range(1, 4), "inputs": range(1, 4), "outputs": range(1, 4)}
FLAGS = {"bias": range(2), "single": range(2)}
SLICES_PER_BLOCK = 8


class Scope(NamedTuple):
    """The features of one axis and of the call, and which axes are valid.

    `shared` are the axis features that a block of cases has in common, `sliding` those in which
    its cases differ; `axes` lists every valid axis, one row of `shared + sliding` values each.
    """

    shared: tuple[str, ...]
    sliding: tuple[str, ...]
    axes: Array
    call: dict[str, range]


class Block(NamedTuple):
    """Cases that share their arrays: per-axis `shared` values, the call's own values, and one
    entry of `slides` a case, each holding the `sliding` values of every axis.
    """

    axes: tuple[dict[str, int], ...]
    call: dict[str, int]
    slides: list[tuple[dict[str, int], ...]]


class Coverage(NamedTuple):
    """Feasible and reached combinations of feature values, by strength 1, 2 and 3, and the number
    of cases.
    """

    reached: tuple[int, int, int]
    feasible: tuple[int, int, int]
    cases: int


def _valid_conv(size: int, kernel: int, dilation: int, _: int, low: int, high: int) -> bool:
    return extent(Window(kernel, dilation=dilation)) <= size + low + high


def _valid_pool(
    size: int, kernel: int, dilation: int, stride: int, low: int, high: int, *, ceil: bool
) -> bool:
    window = Window(kernel, stride, low, high, dilation, ceil)
    fits = extent(window) <= size + low + high
    return fits and first_empty(size, window) is None


def _valid_transposed(
    size: int, kernel: int, dilation: int, stride: int, low: int, high: int, extra: int
) -> bool:
    window = Window(kernel, stride, low, high, dilation)
    return extra < max(stride, dilation) and transposed_size(size, window, extra) >= 1


# What an implementation may leave out, each by the name of what is left.
Restriction = frozenset[str]
AXIS_RESTRICTIONS: dict[str, Callable[[dict[str, int]], bool]] = {
    "equal padding on both sides": lambda axis: axis.get("low", 0) == axis.get("high", 0),
    "padding up to half the kernel": lambda axis: (
        2 * max(axis.get("low", 0), axis.get("high", 0)) <= axis.get("kernel", 1)
    ),
    "no padding": lambda axis: axis.get("low", 0) == axis.get("high", 0) == 0,
    "no dilation": lambda axis: axis.get("dilation", 1) == 1,
    "stride 1": lambda axis: axis.get("stride", 1) == 1,
}
CALL_RESTRICTIONS: dict[str, tuple[str, int]] = {
    "one group": ("groups", 1),
    "no bias": ("bias", 0),
}
RANK_RESTRICTIONS = {f"not rank {rank}": rank for rank in (1, 2, 3)}


# The axes of a call of rank 3 are shorter: three long ones cost more than they show.
VOLUME = {"size": 5, "kernel": 3, "dilation": 2, "output": 5, "scale": 2, "count": 2}


@lru_cache(maxsize=64)
def scope(family: str, rank: int = 2, restriction: Restriction = frozenset()) -> Scope:
    """The small scope of a family, one of `SCOPES`, at a rank.

    >>> len(scope("conv").axes)
    2049
    >>> len(scope("conv", 2, frozenset({"equal padding on both sides"})).axes)
    675
    """
    whole = _scope(family)
    fields = (*whole.shared, *whole.sliding)
    obeyed = [AXIS_RESTRICTIONS[name] for name in restriction if name in AXIS_RESTRICTIONS]
    rows = [
        row
        for row in whole.axes.tolist()
        if (rank < 3 or _in_volume(fields, row))
        and all(obeys(dict(zip(fields, row, strict=True))) for obeys in obeyed)
    ]
    call = dict(whole.call)
    for name, (feature, value) in CALL_RESTRICTIONS.items():
        if name in restriction and feature in call:
            call[feature] = range(value, value + 1)
    return whole._replace(axes=numpy.array(rows), call=call)


def scope_size(family: str, rank: int, restriction: Restriction = frozenset()) -> int:
    """How many calls the small scope holds, arrays aside.

    >>> scope_size("conv", 2) == 2049**2 * 3**3 * 2**2
    True
    """
    within = scope(family, rank, restriction)
    geometries: int = len(within.axes) ** rank
    return geometries * prod(map(len, within.call.values()))


def _in_volume(fields: tuple[str, ...], row: list[int]) -> bool:
    axis = zip(fields, row, strict=True)
    return all(value <= VOLUME[field] for field, value in axis if field in VOLUME)


@lru_cache(maxsize=32)
def _scope(family: str) -> Scope:
    return SCOPES[family]()


def _rows(valid: Callable[..., bool], *ranges: range) -> Array:
    return numpy.array([row for row in product(*ranges) if valid(*row)])


_SHARED, _SLIDING = ("size", "kernel", "dilation"), ("stride", "low", "high")
_WINDOW = (SIZES, KERNELS, DILATIONS, STRIDES, PADDINGS, PADDINGS)
_PLAIN = (SIZES, KERNELS, range(1, 2), STRIDES, PADDINGS, PADDINGS)


def _conv(**call: range) -> Scope:
    return Scope(_SHARED, _SLIDING, _rows(_valid_conv, *_WINDOW), call)


def _factored() -> Scope:
    return Scope(_SHARED, _SLIDING, _rows(_valid_conv, *_PLAIN), _FEW)


def _conv_transpose() -> Scope:
    rows = _rows(_valid_transposed, *_WINDOW, OUTPUT_PADDINGS)
    sliding = ("low", "high", "output_padding")
    return Scope((*_SHARED, "stride"), sliding, rows, {**CHANNELS, **FLAGS})


def _pool(*, ceil: bool = False, dilated: bool = True, **call: range) -> Scope:
    ranges = _WINDOW if dilated else _PLAIN
    call = {"channels": range(1, 4), "single": range(2), **call}
    if dilated:
        call["ceil"] = range(int(ceil), int(ceil) + 1)
    return Scope(_SHARED, _SLIDING, _rows(partial(_valid_pool, ceil=ceil), *ranges), call)


def _resize_conv() -> Scope:
    def valid(size: int, scale: int, kernel: int, low: int, high: int) -> bool:
        return _valid_conv(size * scale, kernel, 1, 1, low, high)

    fields = ("size", "scale", "kernel", "low", "high")
    rows = _rows(valid, SIZES, SCALES[:3], KERNELS, PADDINGS, PADDINGS)
    call = {"linear": range(2), "inputs": range(1, 4), "outputs": range(1, 4), **FLAGS}
    return Scope(fields, (), rows, call)


def _axes(*fields: str, **call: range) -> Scope:
    """Axes on which every combination of values is valid."""
    rows = _rows(lambda *_: True, *(_FIELDS[field] for field in fields))
    return Scope(fields, (), rows, call)


_BATCH = {"single": range(2)}
_FEW = {"channels": range(1, 4), **_BATCH}
# As many channels as one vector of any width holds, and one more.
_MANY = {"channels": range(1, 18), **_BATCH}
_DENSE = {"inputs": range(1, 18), "outputs": range(1, 18), **FLAGS}
_FIELDS = {"size": SIZES, "output": SIZES, "scale": SCALES, "count": range(4), "values": SIZES[:4]}

SCOPES: dict[str, Callable[[], Scope]] = {
    "conv": partial(_conv, **CHANNELS, **FLAGS),
    "conv_transpose": _conv_transpose,
    "pool": partial(_pool, include_pad=range(2)),
    "pool_ceil": partial(_pool, ceil=True, include_pad=range(2)),
    "depthwise": partial(_conv, channels=range(1, 4), multiplier=range(1, 4), **FLAGS),
    "separable": partial(
        _conv, channels=range(1, 4), multiplier=range(1, 4), outputs=range(1, 4), **FLAGS
    ),
    "factored": _factored,
    "unshared": partial(_conv, inputs=range(1, 4), outputs=range(1, 4), **FLAGS),
    "norm": partial(_pool, p=range(4)),
    "norm_ceil": partial(_pool, ceil=True, p=range(4)),
    "nearness": partial(_pool, dilated=False),
    "adaptive": partial(_axes, "size", "output", **_FEW),
    "pyramid": partial(_axes, "size", levels=range(6), average=range(2), **_FEW),
    "unpool": partial(_axes, "values", "output", repeated=range(2), **_FEW),
    "resize": partial(_axes, "size", "scale", linear=range(2), coordinates=range(3), **_FEW),
    "resize_conv": _resize_conv,
    "zeros": partial(_axes, "size", "count", **_FEW),
    "pixels": partial(_axes, "size", "scale", **_FEW),
    "positions": partial(_axes, "size", **_DENSE),
    "dense": partial(_axes, "size", **_DENSE),
    "elements": partial(_axes, "size", **_MANY, setting=range(4)),
}


def slices_of(within: Scope) -> int:
    """How many cases share the arrays of a block."""
    return SLICES_PER_BLOCK if within.sliding else 1


def _sampled(
    within: Scope, rank: int, blocks: int, rng: numpy.random.Generator
) -> tuple[Array, Array]:
    """Random blocks: call values `(B, features)`, and axis rows `(B, slides, rank, features)`.

    A block draws its shared values evenly from those that exist, then its slides from those
    that are valid for them.
    """
    width = len(within.shared)
    _, first, counts = numpy.unique(
        within.axes[:, :width], axis=0, return_index=True, return_counts=True
    )
    # `axes` is sorted, so the rows that share their first values lie together.
    chosen = rng.integers(len(first), size=(blocks, 1, rank))
    offset = rng.random((blocks, slices_of(within), rank)) * counts[chosen]
    rows = within.axes[first[chosen] + offset.astype(numpy.int64)]
    call = numpy.stack(
        [rng.choice(list(values), size=blocks) for values in within.call.values()], axis=1
    )
    return call, rows


def _codes(rows: Array, bases: Array, strength: int) -> Array:
    """A number for each combination of `strength` features of each row, distinct overall."""
    features = range(rows.shape[1])
    combos = numpy.array(list(combinations(features, strength)), int).reshape(-1, strength)
    code = numpy.zeros((len(rows), len(combos)), dtype=numpy.int64)
    for member in range(strength):
        column = combos[:, member]
        code = code * bases[column] + rows[:, column]
    sizes = bases[combos].prod(axis=1)
    apart: Array = code + (numpy.cumsum(sizes) - sizes)
    return apart


def _new_at(codes: Array) -> Array:
    """How many combinations each row is the first to show."""
    first = numpy.full(int(codes.max()) + 1, -1)
    numbers = numpy.repeat(numpy.arange(len(codes)), codes.shape[1])
    first[codes.ravel()[::-1]] = numbers[::-1]
    return numpy.bincount(first[first >= 0], minlength=len(codes))


def _feasible(within: Scope, rank: int, strength: int) -> int:
    """How many combinations of `strength` feature values some valid call shows.

    Axes are independent of each other and of the call, so a combination is feasible when its
    part on every axis is.
    """
    bases = within.axes.max(axis=0) + 1
    axis = [len(numpy.unique(_codes(within.axes, bases, size))) for size in range(1, 4)]
    sizes = [len(values) for values in within.call.values()]
    call = [
        sum(int(numpy.prod([sizes[i] for i in c])) for c in combinations(range(len(sizes)), size))
        for size in range(1, 4)
    ]
    # Coefficients of a product of polynomials: one factor an axis, one for the call.
    total = numpy.array([1, 0, 0, 0])
    for part in [*[axis] * rank, call]:
        total = numpy.convolve(total, [1, *part])[:4]
    return int(total[strength])


@lru_cache(maxsize=128)
def covering(
    family: str, rank: int, budget: int, seed: int, restriction: Restriction = frozenset()
) -> tuple[list[Block], Coverage]:
    """About `budget` cases of a family at a rank, in blocks, and the coverage they reach."""
    within = scope(family, rank, restriction)
    rng = numpy.random.default_rng([seed, rank, sum(map(ord, family))])
    slices = slices_of(within)
    wanted = max(1, budget // slices)
    call, axes = _sampled(within, rank, 3 * wanted, rng)
    flat = axes.reshape(len(axes) * slices, -1)
    rows = numpy.concatenate([flat, numpy.repeat(call, slices, axis=0)], axis=1)
    bases = rows.max(axis=0) + 1
    new_pairs = _new_at(_codes(rows, bases, 2)).reshape(len(axes), -1).sum(axis=1)
    new_triples = _new_at(_codes(rows, bases, 3)).reshape(len(axes), -1).sum(axis=1)
    chosen = numpy.lexsort((-new_triples, -new_pairs))[:wanted]
    kept = rows.reshape(len(axes), slices, -1)[chosen].reshape(-1, rows.shape[1])
    reached = [len(numpy.unique(_codes(kept, bases, t))) for t in (1, 2, 3)]
    feasible = [_feasible(within, rank, t) for t in (1, 2, 3)]
    blocks = [_block(within, call[b], axes[b]) for b in chosen]
    cases = sum(len(block.slides) for block in blocks)
    return blocks, Coverage(tuple(reached), tuple(feasible), cases)  # type: ignore[arg-type]


def every(family: str, rank: int, restriction: Restriction) -> Iterator[Block]:
    """All geometries of a family at a rank, axes independent, the call's own values at their least.

    >>> blocks = every("conv", 1, frozenset())
    >>> sum(len(block.slides) for block in blocks)
    2049
    """
    within = scope(family, rank, restriction)
    width = len(within.shared)
    slides: dict[tuple[int, ...], list[dict[str, int]]] = {}
    for row in within.axes.tolist():
        sliding = dict(zip(within.sliding, row[width:], strict=True))
        slides.setdefault(tuple(row[:width]), []).append(sliding)
    least = {feature: min(values) for feature, values in within.call.items()}
    for axes in product(slides, repeat=rank):
        yield Block(
            axes=tuple(dict(zip(within.shared, axis, strict=True)) for axis in axes),
            call=least,
            slides=list(product(*(slides[axis] for axis in axes))),
        )


def _block(within: Scope, call: Array, axes: Array) -> Block:
    width = len(within.shared)
    slides = {tuple(map(tuple, slide)): None for slide in axes[:, :, width:].tolist()}
    return Block(
        axes=tuple(
            dict(zip(within.shared, row, strict=True)) for row in axes[0, :, :width].tolist()
        ),
        call=dict(zip(within.call, call.tolist(), strict=True)),
        slides=[
            tuple(dict(zip(within.sliding, values, strict=True)) for values in slide)
            for slide in slides
        ],
    )

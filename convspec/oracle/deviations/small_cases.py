"""Small calls in great variety, the simplest first: where deviations show and part ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Any

import numpy

from convspec.arguments import Array, Shape
from convspec.case import BATCHED, Case, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.cases.filling import filled
from convspec.oracle.cases.samples import Geometry
from convspec.oracle.cases.scope import covering
from convspec.oracle.deviations.edits import POOLS, SIGNALS
from convspec.oracle.steps.special import SATURATING
from convspec.oracle.trials.geometries import FLAT, RECIPES

# How many geometries of a rank there are to choose from.
BUDGET = 800
# What is added to an operand with special values: most of it stays.
SPOTS = (*(0.0,) * 9, numpy.nan, numpy.inf, -numpy.inf)
SELECTING = ("relu", "adaptive_max_pool")


@lru_cache(maxsize=64)
def small_cases(operation: str, count: int, seed: int = 0) -> tuple[Case, ...]:
    """`count` valid cases of an operation, those of the fewest features first.

    >>> small_cases("convolve", 50)[0].operands["f"].ndim
    1
    """
    source = Random(seed)
    return tuple(sorted(islice(_cases(operation, source), count), key=size))


def size(case: Case) -> int:
    """How much there is to a case: its elements, and everything that is not as simple as can be."""
    elements: int = sum(array.size + 2 * array.ndim for array in case.operands.values())
    plain: int = sum(array.dtype == numpy.float64 for array in case.operands.values())
    features = sum(_features(value) for value in case.attributes.values())
    return elements + 3 * features + 2 * (len(case.operands) - plain)


def _features(value: Any) -> int:
    if isinstance(value, tuple):
        return sum(map(_features, value))
    return int(value) if isinstance(value, int) else int(value != "full")


def _cases(operation: str, source: Random) -> Iterator[Case]:
    row = OPERATIONS[forward_name(operation)]
    if row.name in RECIPES:
        yield from _layered(operation, source)
        return
    geometry = _GEOMETRIES.get(row.name, _convolution)
    while True:
        shapes, attributes = geometry(row.name, source)
        try:
            output = row.shape(*shapes.values(), **attributes)
        except ValueError:
            continue
        if operation != row.name:
            shapes = {"cotangent": output, **shapes}
        draw, dtype = source.choice(_DRAWS), source.choice(_DTYPES)
        view = source.choice((_plain, _plain, _plain, _fortran, _offset))
        operands = {name: view(draw(source, shape, dtype)) for name, shape in shapes.items()}
        yield Case(operation, operands, attributes)


def _layered(operation: str, source: Random) -> Iterator[Case]:
    """Calls of what is composed, resizes, normalises or is elementary, from the sweep's scope but
    in batches of three at most.
    """
    name = forward_name(operation)
    families, geometries = RECIPES[name]
    while True:
        rank = 1 if name in FLAT else source.choice((1, 1, 2, 2, 3))
        block = source.choice(covering(source.choice(families), rank, BUDGET, 0)[0])
        shapes, given = source.choice([*geometries(block)])
        if name not in FLAT:
            batch = source.choice((1, 1, 2, 3))
            shapes |= {n: (batch, *shapes[n][1:]) for n in BATCHED if n in shapes}
        attributes = normalised(name, shapes, given)
        dtype = numpy.dtype(source.choice(("float64", "float64", "float32")))
        operands = filled(operation, shapes, attributes, _generator(source), dtype)
        _altered(name, operands, source)
        view = source.choice(VIEWS_AMONG_PLAIN)
        yield Case(operation, {n: view(array) for n, array in operands.items()}, attributes)


def _altered(name: str, operands: dict[str, Array], source: Random) -> None:
    """Now and then numbers that are nowhere negative, not whole, or rounded; a cotangent of ones,
    NaN and infinities, and arguments whose exponentials overflow.
    """
    first = next(iter(operands))
    changes: tuple[Callable[[Array], Array], ...] = (
        numpy.abs,
        lambda array: array / 4,
        lambda array: array / 7,
    )
    for change in (c for c in changes if source.random() < 0.1):
        for operand in operands.keys() - OPERATIONS[name].discrete:
            operands[operand] = change(operands[operand])
    if first == "cotangent" and source.random() < 0.1:
        operands[first] = numpy.ones_like(operands[first])
    if name in SELECTING and source.random() < 0.1:
        operands["input"] = numpy.where(operands["input"] == 1, numpy.nan, operands["input"])
    if name in SATURATING and source.random() < 0.1:
        argument = OPERATIONS[name].operands[0]
        operands[argument] = operands[argument] * 125
    if first == "cotangent" or source.random() < 0.9:
        return
    spots = _generator(source).choice(SPOTS, size=operands[first].shape)
    operands[first] = operands[first] + spots.astype(operands[first].dtype)
    if "mask" in operands:  # whether a dropped infinity is 0 times it is left open
        operands["mask"] = operands["mask"] | ~numpy.isfinite(operands[first])


def _often(source: Random, simple: Any, *others: Any) -> Any:
    return simple if source.random() < 0.5 else source.choice(others)


def _axes(source: Random, rank: int, simple: Any, *others: Any) -> tuple[Any, ...]:
    """One value an axis: all simple, all the same, or each its own."""
    if source.random() < 0.4:
        return (simple,) * rank
    if source.random() < 0.3:
        return (source.choice(others),) * rank
    return tuple(source.choice((simple, *others)) for _ in range(rank))


def _sliding(source: Random, rank: int) -> dict[str, Any]:
    pairs = [(low, high) for low in range(3) for high in range(3)]
    if source.random() < 0.1:
        pairs.append((4, 4))
    return {
        "stride": _axes(source, rank, 1, 2, 3),
        "padding": _axes(source, rank, (0, 0), *pairs),
        "dilation": _axes(source, rank, 1, 2, 3),
    }


def _sizes(source: Random, rank: int) -> Shape:
    if source.random() < 0.02:
        return (source.choice((200, 258, 300)), *(3,) * (rank - 1))
    return tuple(source.randint(1, 8) for _ in range(rank))


def _convolution(operation: str, source: Random) -> Geometry:
    rank = source.choice((1, 1, 2, 2, 3))
    batch = _often(source, 1, 0, 2, 3)
    groups, inputs, outputs = (_often(source, 1, 2, 3) for _ in range(3))
    if groups == 1 and source.random() < 0.15:
        inputs, outputs = source.choice(((6, 1), (9, 5), (33, 2), (3, 17)))
    sizes = _sizes(source, rank)
    kernel = _axes(source, rank, 1, 2, 3, 4) if source.random() < 0.8 else sizes
    attributes = {**_sliding(source, rank), "groups": groups}
    shapes = {"input": (batch, groups * inputs, *sizes)}
    if operation == "conv":
        shapes["weight"] = (groups * outputs, inputs, *kernel)
    else:
        shapes["weight"] = (groups * inputs, outputs, *kernel)
        attributes["output_padding"] = _axes(source, rank, 0, 0, 1, 2)
    if source.random() < 0.4:
        shapes["bias"] = (groups * outputs,)
    return shapes, attributes


def _pooling(operation: str, source: Random) -> Geometry:
    rank = source.choice((1, 1, 2, 2, 3))
    shape = (_often(source, 1, 0, 2, 3), _often(source, 1, 2, 3), *_sizes(source, rank))
    kernel = _axes(source, rank, 2, 1, 3, 4)
    if source.random() < 0.05:
        shape, kernel = (1, 1, 9, 9), (9, 8)
        rank = 2
    attributes = {"kernel_size": kernel, **_sliding(source, rank)}
    if source.random() < 0.2:
        attributes["stride"] = kernel
    attributes["ceil_mode"] = source.random() < 0.4
    if operation == "average_pool":
        attributes["count_include_pad"] = source.random() < 0.4
    return {"input": shape}, attributes


def _signal(operation: str, source: Random) -> Geometry:
    rank = source.choice((1, 1, 2, 3))
    f, g = ([source.randint(1, 5) for _ in range(rank)] for _ in range(2))
    return {"f": tuple(f), "g": tuple(g)}, {"mode": _often(source, "full", "same", "valid")}


_GEOMETRIES: dict[str, Callable[[str, Random], Geometry]] = {
    **dict.fromkeys(POOLS, _pooling),
    **dict.fromkeys(SIGNALS, _signal),
}


def _generator(source: Random) -> numpy.random.Generator:
    return numpy.random.default_rng(source.getrandbits(32))


def _integers(source: Random, shape: Shape, dtype: str) -> Array:
    return _generator(source).integers(-9, 10, size=shape).astype(dtype)


def _distinct(source: Random, shape: Shape, dtype: str) -> Array:
    count = int(numpy.prod(shape))
    reach = max(60, count)
    values = _generator(source).permutation(2 * reach)[:count] - reach
    return values.astype(dtype).reshape(shape)


def _negative(source: Random, shape: Shape, dtype: str) -> Array:
    return -numpy.abs(_integers(source, shape, dtype)) - numpy.ones(shape, dtype)


def _ties(source: Random, shape: Shape, dtype: str) -> Array:
    return numpy.sign(_integers(source, shape, dtype))


def _real(source: Random, shape: Shape, dtype: str) -> Array:
    return _generator(source).uniform(-2, 2, size=shape).astype(dtype)


def _special(source: Random, shape: Shape, dtype: str) -> Array:
    values = _integers(source, shape, dtype)
    for place in range(values.size if values.dtype.kind == "f" else 0):
        if source.random() < 0.25:
            values.flat[place] = source.choice((numpy.nan, numpy.inf, -numpy.inf))
    return values


def _subnormal(source: Random, shape: Shape, dtype: str) -> Array:
    values = _integers(source, shape, dtype)
    return values * numpy.finfo(dtype).smallest_subnormal if values.dtype.kind == "f" else values


def _minus_infinity(source: Random, shape: Shape, dtype: str) -> Array:
    return numpy.full(shape, -numpy.inf if numpy.dtype(dtype).kind == "f" else -1, dtype=dtype)


def _ones(source: Random, shape: Shape, dtype: str) -> Array:
    return numpy.ones(shape, dtype=dtype)


_DRAWS = (
    _integers,
    _integers,
    _integers,
    _distinct,
    _distinct,
    _negative,
    _ties,
    _real,
    _special,
    _subnormal,
    _minus_infinity,
    _ones,
)
_DTYPES = ("float64", "float64", "float64", "float32", "float32", "float16", "int64", "int8")


def _plain(array: Array) -> Array:
    return array


def _fortran(array: Array) -> Array:
    return numpy.asarray(array, order="F")


def _offset(array: Array) -> Array:
    if not array.ndim:
        return array
    longer = numpy.zeros((*array.shape[:-1], array.shape[-1] + 1), array.dtype)
    longer[..., 1:] = array
    return longer[..., 1:]


def _spaced(array: Array) -> Array:
    return numpy.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array


_VIEWS = (_fortran, _offset, _spaced)
VIEWS_AMONG_PLAIN = (_plain, _plain, _plain, _plain, *_VIEWS)

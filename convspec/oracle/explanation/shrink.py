"""The smallest failing case: sizes, attributes and numbers reduced one at a time.

A failing case of the sweep is known as arrays, not as a choice of random draws, so it cannot be
handed to Hypothesis to shrink.  What is tried here is what its strategies shrink towards: fewer
axes' worth of data, kernel 1, stride 1, no padding, one channel, and small numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, flat, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle.cases.filling import is_valid

MOST_ATTEMPTS = 1500
MOST_ELEMENTS = 96


def smallest(case: Case, fails: Callable[[Case], bool], attempts: int = MOST_ATTEMPTS) -> Case:
    """The smallest case that still fails, by greedy reduction; the order of tries is fixed."""
    left = attempts
    progress = True
    while progress and left > 0:
        progress = False
        for smaller in _reductions(case):
            left -= 1
            if left <= 0:
                break
            if is_valid(smaller) and fails(smaller):
                case, progress = smaller, True
                break
    return case


def _reductions(case: Case) -> Iterator[Case]:
    yield from _fewer_operands(case)
    yield from _fitting(case, _fewer_axes(case))
    yield from _fitting(case, _smaller_arrays(case))
    yield from _fitting(case, _simpler_attributes(case))
    yield from _fitting(case, _two_at_once(case))
    yield from _plainer_numbers(case)


def _fewer_operands(case: Case) -> Iterator[Case]:
    for name in OPERATIONS[forward_name(case.operation)].optional:
        if name in case.operands:
            yield case._replace(operands={k: v for k, v in case.operands.items() if k != name})


def _spatial_rank(case: Case) -> tuple[int, int]:
    """How many axes come before the spatial ones, and how many those are."""
    name = forward_name(case.operation)
    before = 0 if name in ("convolve", "correlate") else 2
    return before, case.operands[OPERATIONS[name].operands[0]].ndim - before


def _fewer_axes(case: Case) -> Iterator[tuple[dict[str, Array], dict[str, Any]]]:
    """The same call with one spatial axis less, its first position kept."""
    before, rank = _spatial_rank(case)
    for axis in range(rank if rank > 1 else 0):
        together = grouped(case.operation, case.operands)
        for name, value in together.items():
            if isinstance(value, list):
                together[name] = [*value[:axis], *value[axis + 1 :]]
        operands = {
            name: array.take(0, axis=before + axis) if array.ndim == before + rank else array
            for name, array in flat(together).items()
        }
        attributes = {
            name: (*value[:axis], *value[axis + 1 :])
            if isinstance(value, tuple) and len(value) == rank
            else value
            for name, value in case.attributes.items()
        }
        yield operands, attributes


def _fitting(
    case: Case, candidates: Iterator[tuple[dict[str, Array], dict[str, Any]]]
) -> Iterator[Case]:
    """The candidates that the spec accepts, the cotangent cut to the new output."""
    row = OPERATIONS[forward_name(case.operation)]
    for operands, attributes in candidates:
        given = {name: array.shape for name, array in operands.items() if name != "cotangent"}
        try:
            shape = row.shape(*grouped(row.name, given).values(), **attributes)
        except (TypeError, ValueError):
            continue
        if "cotangent" in operands:
            operands = {**operands, "cotangent": numpy.resize(operands["cotangent"], shape)}
        yield Case(case.operation, operands, attributes)


def _less(size: int, least: int = 1) -> Iterator[int]:
    """Smaller sizes to try, the boldest first."""
    tried = [least, size // 2, size - 1]
    yield from (n for i, n in enumerate(tried) if least <= n < size and n not in tried[:i])


def _cut(array: Array, axis: int, size: int, *, end: bool) -> Array:
    keep = slice(array.shape[axis] - size, None) if end else slice(size)
    return array[(slice(None),) * axis + (keep,)]


def _smaller_arrays(case: Case) -> Iterator[tuple[dict[str, Array], dict[str, Any]]]:
    """Operands with one size reduced, and every size that must follow it."""
    for together in _linked_axes(case):
        (name, axis), *_ = together
        full = case.operands[name].shape[axis]
        least = 1 if axis else min(1, full)
        for size in _less(full, least):
            for end in (False, True):
                operands = dict(case.operands)
                for operand, place in together:
                    operands[operand] = _cut(operands[operand], place, size, end=end)
                yield operands, case.attributes
    yield from _fewer_groups(case)


def _linked_axes(case: Case) -> list[list[tuple[str, int]]]:
    """Axes of operands that change size together."""
    name, operands = forward_name(case.operation), case.operands
    first = OPERATIONS[name].operands[0]
    rank = operands[first].ndim
    if name in ("conv", "conv_transpose") and "weight" in operands:
        spatial = [[(operand, axis)] for axis in range(2, rank) for operand in ("input", "weight")]
        bias = [("bias", 0)] if "bias" in operands else []
        single = case.attributes.get("groups", 1) == 1
        if name == "conv":
            channels = [[("input", 1), ("weight", 1)], [("weight", 0), *bias]] if single else []
        else:
            channels = [[("input", 1), ("weight", 0)]] if single else []
            channels += [[("weight", 1), *bias]] if single else []
        return [[("input", 0)], *channels, *spatial]
    every = [
        (operand, axis)
        for operand, array in operands.items()
        if operand != "cotangent"
        for axis in range(array.ndim)
    ]
    # Which sizes must follow which is for the spec to say: those that agree may have to.
    sizes = {place: operands[place[0]].shape[place[1]] for place in every}
    alike = [[place for place in every if sizes[place] == size] for size in set(sizes.values())]
    pairs = [[one, two] for one, two in combinations(every, 2) if sizes[one] == sizes[two]]
    return [[place] for place in every] + [group for group in alike if len(group) > 2] + pairs


def _fewer_groups(case: Case) -> Iterator[tuple[dict[str, Array], dict[str, Any]]]:
    """Grouped convolutions with fewer groups, or fewer channels a group."""
    groups = case.attributes.get("groups", 1)
    if groups == 1 or "weight" not in case.operands:
        return
    x, w = case.operands["input"], case.operands["weight"]
    transposed = forward_name(case.operation) == "conv_transpose"
    share = w.shape[0] // groups
    inputs = x.shape[1] // groups
    for fewer in _less(groups):
        operands = {
            **case.operands,
            "input": x[:, : fewer * inputs],
            "weight": w[: fewer * share],
        }
        if "bias" in operands:
            outputs = fewer * (w.shape[1] if transposed else share)
            operands["bias"] = operands["bias"][:outputs]
        yield operands, {**case.attributes, "groups": fewer}
    if not transposed:
        for size in _less(inputs):
            operands = {**case.operands, "input": x[:, : groups * size], "weight": w[:, :size]}
            yield operands, case.attributes
        for size in _less(share):
            operands = {**case.operands, "weight": w[: groups * size]}
            if "bias" in operands:
                operands["bias"] = operands["bias"][: groups * size]
            yield operands, case.attributes
    else:
        for size in _less(w.shape[1]):
            operands = {**case.operands, "weight": w[:, :size]}
            if "bias" in operands:
                operands["bias"] = operands["bias"][: groups * size]
            yield operands, case.attributes
        for size in _less(share):
            operands = {
                **case.operands,
                "input": x[:, : groups * size],
                "weight": w[: groups * size],
            }
            yield operands, case.attributes


def _simpler_attributes(
    case: Case, *names: str
) -> Iterator[tuple[dict[str, Array], dict[str, Any]]]:
    """Attributes with one entry nearer to its simplest value: any of them, or one of `names`."""
    for name in names or case.attributes:
        value = case.attributes[name]
        for simpler in _simpler(value, 0 if "padding" in name else 1):
            yield case.operands, {**case.attributes, name: simpler}
        default = attribute_defaults(case.operation).get(name)
        if isinstance(value, bool | str) and value != default:
            yield case.operands, {**case.attributes, name: default}


def _two_at_once(case: Case) -> Iterator[tuple[dict[str, Array], dict[str, Any]]]:
    """Reductions that the spec, or the mistake, allows only together: of two attributes (less
    padding with less dilation), and of the kernel on every axis (a square stays one).
    """
    for one, two in combinations(case.attributes, 2):
        for operands, changed in _simpler_attributes(case, one):
            for _, attributes in _simpler_attributes(case._replace(attributes=changed), two):
                yield operands, attributes
    before, rank = _spatial_rank(case)
    weight = case.operands.get("weight", case.operands.get("g"))
    if rank > 1 and weight is not None and min(weight.shape[before:], default=0) > 1:
        name = "weight" if "weight" in case.operands else "g"
        smaller = weight[(..., *(slice(size - 1) for size in weight.shape[before:]))]
        yield {**case.operands, name: smaller}, case.attributes


def _simpler(value: Any, least: int) -> Iterator[Any]:
    if isinstance(value, tuple):
        for index, entry in enumerate(value):
            for simpler in _simpler(entry, least):
                yield (*value[:index], simpler, *value[index + 1 :])
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _less(value, least)


def _plainer_numbers(case: Case) -> Iterator[Case]:
    """Arrays with one number replaced by 0, 1 or -1; whole arrays first."""
    for name, array in case.operands.items():
        if array.size > MOST_ELEMENTS:
            continue
        for plain in (numpy.zeros_like(array), numpy.ones_like(array), _counting(array)):
            if not _plainer_or_same(array, plain):
                yield case._replace(operands={**case.operands, name: plain})
        for index in numpy.ndindex(array.shape):
            for simple in (0, 1) if array.dtype.kind == "u" else (0, 1, -1):
                if array[index] == simple:
                    break
                changed = array.copy()
                changed[index] = simple
                yield case._replace(operands={**case.operands, name: changed})


def _counting(array: Array) -> Array:
    return numpy.arange(1, array.size + 1).astype(array.dtype).reshape(array.shape)


def _complexity(array: Array) -> tuple[int, float]:
    """How hard an array is to read: the count of its non-zero numbers, and their size."""
    finite = numpy.nan_to_num(array.astype(float), posinf=1e300, neginf=1e300, nan=1e300)
    return int((finite != 0).sum()), float(abs(finite).sum())


def _plainer_or_same(array: Array, than: Array) -> bool:
    return _complexity(array) <= _complexity(than)

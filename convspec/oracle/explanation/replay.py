"""Running a function on a case again, and telling whether two results are the same."""

from __future__ import annotations

from typing import Any

import numpy

import convspec.fast
from convspec.arguments import Array
from convspec.case import Case, flat, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle.call import copies
from convspec.oracle.deviations.record import Function
from convspec.oracle.judge import same_values
from convspec.oracle.rounding.bounds import distances
from convspec.oracle.trials.geometries import RECIPES
from convspec.rounding import growth, precision, unit_roundoff

Outputs = tuple[Array, ...] | str
Bounds = tuple[Array, ...] | None


def returned(outputs: Any) -> Outputs:
    """Outputs as a tuple of arrays; an exception as its text.

    >>> returned([1, 2])
    (array([1, 2]),)
    """
    if isinstance(outputs, str):
        return outputs
    if isinstance(outputs, tuple):
        return tuple(map(numpy.asarray, outputs))
    return (numpy.asarray(outputs),)


def replay(function: Function, case: Case) -> Outputs:
    """What a function returns for a case, whose arrays are as before afterwards."""
    case = case._replace(operands=flat(case.operands))
    before = copies(case.operands)
    try:
        with numpy.errstate(all="ignore"):
            operands = grouped(case.operation, case.operands).values()
            outputs = returned(function(*operands, **case.attributes))
        kept: Outputs = tuple(numpy.array(output) for output in outputs)
    except Exception as error:  # a deviation may well refuse what the spec takes
        kept = f"{type(error).__name__}: {error}"
    for name, array in case.operands.items():
        if array.flags.writeable and not same_values(array, before[name]):
            array[...] = before[name]
    return kept


def right(case: Case) -> Outputs:
    """What a correct implementation returns for a case."""
    return replay(getattr(convspec.fast, case.operation), case)


def agree(first: Outputs, second: Outputs, bounds: Bounds, *, dtypes: bool = True) -> bool:
    """Equal in shape and values, as far as rounding lets one tell, and in floating dtype unless
    `dtypes` do not matter; two exceptions agree whatever they say.

    >>> agree((numpy.ones(1),), (numpy.ones(1, "float32"),), None, dtypes=False)
    True
    """
    if isinstance(first, str) or isinstance(second, str):
        return isinstance(first, str) and isinstance(second, str)
    if len(first) != len(second):
        return False
    near = bounds if bounds is not None and len(bounds) == len(first) else (None,) * len(first)
    if dtypes and not all(map(_same_dtype, first, second)):
        return False
    return all(map(_agree, first, second, near))


def _same_dtype(first: Array, second: Array) -> bool:
    """Any integer dtype is as good as another."""
    integers = first.dtype.kind in "iu" and second.dtype.kind in "iu"
    return integers or first.dtype == second.dtype


def _agree(first: Array, second: Array, bound: Array | None) -> bool:
    if first.shape != second.shape:
        return False
    if same_values(first, second):
        return True
    if bound is None or bound.shape != first.shape:
        return False
    with numpy.errstate(all="ignore"):
        distance = abs(first.astype(float) - second.astype(float))
        near = (distance <= bound) | (first == second) | ((first != first) & (second != second))
    return bool(near.all())


def rounding_bounds(case: Case) -> Bounds:
    """How far two correct results of a case may lie apart; None where nothing rounds.

    Sums of products of integers are exact as long as the dtype holds every partial sum.  Any
    other sum of n terms of total magnitude M, in either of two orders, lies within
    ((1+u)^(n+2) - 1) M of the exact one, two roundings for a divisor and for storing; no output
    sums more terms than the largest operand has elements.
    A step of the dtype's subnormal numbers comes on top for each term.
    """
    case = case._replace(operands=flat(case.operands))
    row = OPERATIONS[forward_name(case.operation)]
    if row.name in RECIPES:  # of a call that is refused there is nothing to round
        return None if isinstance(right(case), str) else distances(case)
    arrays = list(case.operands.values())
    if row.rounding == "exact" or not all(numpy.isfinite(array).all() for array in arrays):
        return None
    absolute = {name: abs(array.astype(float)) for name, array in case.operands.items()}
    magnitude = right(case._replace(operands=absolute))
    if isinstance(magnitude, str):
        return None
    dtypes = [array.dtype for array in arrays if array.dtype.kind == "f"]
    coarsest = min(dtypes, key=precision, default=numpy.dtype(numpy.float64))
    most = max((float(values.max(initial=0)) for values in magnitude), default=0.0)
    if row.name != "average_pool" and all(map(_whole, arrays)) and most <= 2 ** precision(coarsest):
        return None
    terms = max(array.size for array in arrays) + 2
    relative = growth(unit_roundoff(precision(coarsest)), terms)
    step = float(numpy.finfo(coarsest).smallest_subnormal)
    return tuple(2 * (relative * values + terms * step) for values in magnitude)


def _whole(array: Array) -> bool:
    return bool(array.dtype.kind in "iu" or (array == numpy.rint(array)).all())

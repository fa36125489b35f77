"""The definitions run on exact numbers: what every shortcut of the oracle is compared with."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy

from convspec.case import forward_name
from convspec.operations import OPERATIONS

exact = numpy.vectorize(Fraction, otypes=[object])


def exactly(operands: dict[str, Any]) -> dict[str, Any]:
    """Finite operands as Fractions."""
    return {
        name: exact(array.astype(float)) if array.size else array.astype(object)
        for name, array in operands.items()
    }


def by_definition(
    operation: str, operands: dict[str, Any], attributes: dict[str, Any]
) -> tuple[Any, ...]:
    """The outputs of the definition, always as a tuple."""
    row = OPERATIONS[forward_name(operation)]
    function = row.definition if operation == row.name else row.vjp
    result = function(*operands.values(), **attributes)
    return result if isinstance(result, tuple) else (result,)


def is_equal(actual: Any, expected: Any, allowed: Any = None) -> bool:
    """Equal shapes, and equal values or such as may lie apart; any NaN equals any NaN."""
    actual, expected = numpy.asarray(actual), numpy.asarray(expected)
    if actual.shape != expected.shape:
        return False
    same = (actual == expected) | ((actual != actual) & (expected != expected))
    if allowed is not None:
        with numpy.errstate(invalid="ignore"):
            same = same | (abs(actual - expected) <= allowed)
    return bool(numpy.all(same))

"""The arithmetic of one output element: the terms that a definition adds up, in its order.

A definition runs on any scalar.  Given scalars that remember what they were made of, it returns
outputs that tell how they came about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.window import positions


class Term(NamedTuple):
    """One term of a sum: what it is made of, by name and in numbers, its value, and the sum up to
    it.
    """

    names: str
    numbers: str
    value: Any
    total: Any


class Arithmetic(NamedTuple):
    """An element as the sum of its terms, and what becomes of the sum (`/ 4`, say)."""

    terms: list[Term]
    rest: str
    value: Any


def arithmetic(case: Case, output: int, element: tuple[int, ...]) -> Arithmetic:
    """How the definition computes one element of one output of a case.

    Where it takes a root, an exponential or the like of its operands, what they were made of is
    forgotten, and the element is a term of its own.

    >>> operands = {"input": numpy.array([[[5, 6]]]), "weight": numpy.array([[[2, -1]]])}
    >>> for term in arithmetic(Case("conv", operands, {}), 0, (0, 0, 0)).terms:
    ...     print(*term, sep=" | ")
    input[0, 0, 0] * weight[0, 0, 0] | 5 * 2 | 10 | 10
    input[0, 0, 1] * weight[0, 0, 1] | 6 * -1 | -6 | 4
    """
    row = OPERATIONS[forward_name(case.operation)]
    function = row.definition if case.operation == row.name else row.vjp
    operands = {
        name: _known(row.discrete, name, operand) for name, operand in case.operands.items()
    }
    found = function(*operands.values(), **case.attributes)
    outputs = found if isinstance(found, tuple) else (found,)
    return _of(numpy.asarray(outputs[output], object)[element])


def _known(discrete: tuple[str, ...], name: str, operand: Any) -> Any:
    if isinstance(operand, list | tuple):
        return [_known(discrete, f"{name}_{number}", each) for number, each in enumerate(operand)]
    return operand if name in discrete else traced(name, operand)


def traced(name: str, array: Array) -> Array:
    """An array whose elements know their names."""
    numbers = numpy.asarray(array, numpy.float64 if array.dtype.kind == "V" else None)
    elements = numpy.empty(array.shape, object)
    for index in positions(array.shape):
        elements[index] = Traced(numbers[index].item(), (name, index))
    return elements


class Traced:
    """A number that remembers what it was made of: a name and an index, or an operator between
    two numbers.
    """

    __slots__ = ("made", "value")

    def __init__(self, value: Any, made: tuple[Any, ...]) -> None:
        self.value = value
        self.made = made

    def __add__(self, other: Any) -> Any:
        return self if _is_zero(other) else Traced(self.value + value_of(other), ("+", self, other))

    def __radd__(self, other: Any) -> Any:
        return self if _is_zero(other) else Traced(value_of(other) + self.value, ("+", other, self))

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return other + -self

    def __neg__(self) -> Any:
        return -1 * self

    def __mul__(self, other: Any) -> Any:
        return Traced(self.value * value_of(other), ("*", self, other))

    def __rmul__(self, other: Any) -> Any:
        return Traced(value_of(other) * self.value, ("*", other, self))

    def __truediv__(self, other: Any) -> Any:
        return Traced(self.value / value_of(other), ("/", self, other))

    def __rtruediv__(self, other: Any) -> Any:
        return Traced(value_of(other) / self.value, ("/", other, self))

    def __pow__(self, exponent: Any) -> Any:
        return Traced(self.value ** value_of(exponent), ("**", self, exponent))

    def __abs__(self) -> Any:
        return Traced(abs(self.value), ("abs", self))

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == value_of(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < value_of(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > value_of(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= value_of(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= value_of(other))

    def __hash__(self) -> int:
        return hash(self.value)


def value_of(number: Any) -> Any:
    """The number itself, without what it was made of."""
    return number.value if isinstance(number, Traced) else number


def _is_zero(number: Any) -> bool:
    """Whether a number is the bare 0 that a sum starts from."""
    return not isinstance(number, Traced) and number == 0


def _of(number: Any) -> Arithmetic:
    rest = ""
    while isinstance(number, Traced) and number.made[0] == "/" and _is_sum(number.made[1]):
        rest = f" / {_written(number.made[2], names=False)}{rest}"
        number = number.made[1]
    total: Any = None
    terms = []
    for part in _parts(number):
        value = value_of(part)
        total = value if total is None else total + value
        terms.append(Term(_written(part), _written(part, names=False), value, total))
    return Arithmetic(terms, rest, terms[-1].total if terms else 0)


def _is_sum(number: Any) -> bool:
    return isinstance(number, Traced) and number.made[0] == "+"


def _parts(number: Any) -> Iterator[Any]:
    """The terms of a sum from the first to the last; without recursion, for sums are long."""
    left = [number]
    while left:
        part = left.pop()
        if _is_sum(part):
            left += [part.made[2], part.made[1]]
        else:
            yield part


def _written(number: Any, *, names: bool = True) -> str:
    """A number as what it was made of: names with indices, or numbers."""
    if not isinstance(number, Traced):
        return shown(number)
    operator, *parts = number.made
    if operator == "abs":
        return f"|{_written(parts[0], names=names)}|"
    if operator in ("*", "/", "**"):
        sides = (_factor(part, names=names) for part in parts)
        return f" {operator} ".join(sides)
    if operator == "+":
        return " + ".join(_written(part, names=names) for part in _parts(number))
    (index,) = parts
    return f"{operator}[{', '.join(map(str, index))}]" if names else shown(number.value)


def _factor(number: Any, *, names: bool) -> str:
    text = _written(number, names=names)
    compound = isinstance(number, Traced) and number.made[0] in ("+", "/")
    return f"({text})" if compound else text


def shown(value: Any) -> str:
    """A number in full, and a whole one without a point.

    >>> shown(3.0), shown(0.1), shown(2**60)
    ('3', '0.1', '1152921504606846976')
    """
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value)

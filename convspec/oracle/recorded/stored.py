"""Cases from a file that somebody else may have written: nothing in it is trusted.

Whatever is wrong is a `StoredError` of one line that names the file.  No size is believed that
would cost more than a moment: a case of a report is a small one.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, forward_name
from convspec.operations import OPERATIONS, Operation
from convspec.oracle.layouts import LAYOUTS, laid_out
from convspec.oracle.processes.wire import (
    DTYPES,
    WireError,
    array_dtype,
    json_object,
    normalised_value,
)
from convspec.oracle.report import FORMAT, Outputs

MOST_BYTES = 2**28
# A size of a case, or an integer among its attributes; and the products that an output comes to.
MOST_SIZE = 2048
MOST_WORK = 2**25
MOST_AXES = 16
MOST_ENTRIES = 64


class StoredError(ValueError):
    """A file that holds no cases; the message is one line that says where and why."""


class StoredDifference(NamedTuple):
    """A difference as a report holds it; see `report.Difference`."""

    id: str
    kind: str
    case: Case
    expected: Outputs
    actual: Outputs
    message: str
    before: tuple[Case, ...]


def read_file(path: Path) -> bytes:
    """The content of a file that is one, and not too large."""
    try:
        if not path.is_file():
            raise StoredError(f"{path}: no such file")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise StoredError(f"{path}: {size} bytes: the most is {MOST_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise StoredError(f"{path}: {error.strerror or error}") from None


def read_report(path: Path) -> tuple[str, list[StoredDifference]]:
    """The target of a report written by `check --report FILE.json`, and its differences."""
    content = read_file(path)
    try:
        report = json_object(content, "it")
        if report.get("format") != FORMAT or not isinstance(report.get("operations"), dict):
            raise StoredError(f"must be a report of format {FORMAT}")
        found = []
        for name, operation in report["operations"].items():
            told = operation.get("differences") if isinstance(operation, dict) else None
            if not isinstance(told, list):
                raise StoredError(f"{_quoted(name)}: must be an object with a list of differences")
            found += [
                _difference(one, f"{_quoted(name)}, difference {n}")
                for n, one in enumerate(told, start=1)
            ]
        return _text(report, "target", "it"), found
    except (StoredError, WireError) as error:
        raise StoredError(f"{path}: {error}") from None


def _quoted(value: Any) -> str:
    return repr(value)[:60]


def _text(holder: Any, key: str, where: str) -> str:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, str):
        raise StoredError(f"{where}: {key}: must be text")
    return value


def _difference(told: Any, where: str) -> StoredDifference:
    texts = [_text(told, key, where) for key in ("id", "kind", "message")]
    case = _case(told.get("case"), f"{where}: case")
    outputs = [_outputs(told.get(key), f"{where}: {key}") for key in ("expected", "actual")]
    others = told.get("before", [])
    if not isinstance(others, list) or len(others) > MOST_ENTRIES:
        raise StoredError(f"{where}: before: must be a list of at most {MOST_ENTRIES} cases")
    before = tuple(_case(one, f"{where}: before") for one in others)
    return StoredDifference(texts[0], texts[1], case, outputs[0], outputs[1], texts[2], before)


def _case(case: Any, where: str) -> Case:
    if not isinstance(case, dict) or not isinstance(case.get("operands"), dict):
        raise StoredError(f"{where}: must be an object with operands")
    operands = {
        name: _operand(value, f"{where}: {_quoted(name)}")
        for name, value in case["operands"].items()
    }
    return checked_case(_text(case, "operation", where), operands, case.get("attributes"), where)


def _outputs(value: Any, where: str) -> Outputs:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise StoredError(f"{where}: must be text or a list of arrays")
    return tuple(_array(one, where) for one in value)


def _operand(value: Any, where: str) -> Any:
    if isinstance(value, list) and len(value) <= MOST_AXES:
        return [_laid_out(one, where) for one in value]
    return _laid_out(value, where)


def _laid_out(told: Any, where: str) -> Array:
    """An array that may name its layout in memory."""
    if not isinstance(told, dict) or "layout" not in told:
        return _array(told, where)
    name = told["layout"]
    if not isinstance(name, str) or name not in LAYOUTS:
        raise StoredError(f"{where}: layout {_quoted(name)}: must be one of {', '.join(LAYOUTS)}")
    array = _array({key: value for key, value in told.items() if key != "layout"}, where)
    return laid_out(array, name) if array.size else array


def _array(told: Any, where: str) -> Array:
    """An array of a report: its dtype, shape and values."""
    if not isinstance(told, dict) or told.keys() != {"dtype", "shape", "values"}:
        raise StoredError(f"{where}: must be an object of dtype, shape and values")
    dtype, shape, values = told["dtype"], told["shape"], told["values"]
    if dtype not in DTYPES:
        raise StoredError(f"{where}: dtype {_quoted(dtype)}: must be one of {', '.join(DTYPES)}")
    sizes = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or len(shape) > MOST_AXES or not isinstance(values, list):
        raise StoredError(f"{where}: shape and values: must be a list of sizes and one of numbers")
    if len(values) != prod(shape):
        raise StoredError(f"{where}: {len(values)} values: shape {shape} takes {prod(shape)}")
    numbers = [normalised_value(value) for value in values]
    if not all(isinstance(number, int | float) for number in numbers):
        raise StoredError(f"{where}: values: must be numbers, or the texts inf, -inf and nan")
    try:
        element = array_dtype(dtype)
        with numpy.errstate(all="ignore"):
            return numpy.array(numbers, _wide(element)).astype(element).reshape(shape)
    except (OverflowError, ValueError) as error:
        raise StoredError(f"{where}: values: {error}") from None


def _wide(dtype: numpy.dtype[Any]) -> numpy.dtype[Any]:
    """A dtype of Python's numbers; from there each goes to its own."""
    return dtype if dtype.kind in "iu" else numpy.dtype(numpy.float64)


def checked_case(operation: str, operands: dict[str, Any], attributes: Any, where: str) -> Case:
    """A case whose names are those of its operation and whose sizes are moderate; its arguments
    may be bad ones.
    """
    row = OPERATIONS.get(forward_name(operation))
    if row is None or operation not in (row.name, f"{row.name}_vjp"):
        raise StoredError(f"{where}: {_quoted(operation)} is no operation")
    taken = row.operands if operation == row.name else ("cotangent", *row.operands)
    given = [name for name in taken if name in operands or name not in row.optional]
    if list(operands) != given:
        raise StoredError(
            f"{where}: operands {_quoted(list(operands))}: {operation} takes {', '.join(taken)}"
        )
    for name, operand in operands.items():
        due = "a list of arrays" if name in row.lists else "an array"
        if isinstance(operand, list) != (name in row.lists):
            raise StoredError(f"{where}: {name}: must be {due}")
    known = attribute_defaults(operation)
    if not isinstance(attributes, dict) or not attributes.keys() <= known.keys():
        raise StoredError(f"{where}: attributes: must be an object with some of {', '.join(known)}")
    case = Case(operation, operands, {k: normalised_value(v) for k, v in attributes.items()})
    _check_work(row, case, where)
    return case


def _check_work(row: Operation, case: Case, where: str) -> None:
    """Refuse a case whose definition would run for long."""
    shapes = {name: _shape(operand) for name, operand in case.operands.items()}
    leaves = [*_leaves(shapes.values()), *_leaves(case.attributes.values())]
    sizes = [abs(leaf) for leaf in leaves if isinstance(leaf, int | float) and leaf == leaf]
    most = max(sizes, default=0)
    if most > MOST_SIZE and most != numpy.inf:
        raise StoredError(f"{where}: a size or an attribute is {most}: the most is {MOST_SIZE}")
    if len(leaves) > 4 * MOST_ENTRIES:
        raise StoredError(f"{where}: {len(leaves)} sizes and attributes are too many")
    forward = [shapes[name] for name in row.operands if name in shapes]
    try:
        output = row.shape(*forward, **case.attributes)
    except (TypeError, ValueError):
        return  # a bad argument, which the definition refuses as well
    terms = max([_volume(case.attributes.get("kernel_size")), *map(_per_output, forward[1:])])
    work = prod(output) * terms
    if max(work, prod(forward[0])) > MOST_WORK:
        raise StoredError(f"{where}: {work} products are too many to go through")


def _shape(operand: Any) -> Any:
    return [each.shape for each in operand] if isinstance(operand, list) else operand.shape


def _leaves(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += _leaves(value) if isinstance(value, tuple | list) else [value]
    return found


def _volume(sizes: Any) -> int:
    return prod(leaf for leaf in _leaves([sizes]) if isinstance(leaf, int))


def _per_output(shape: Any) -> int:
    """How many elements of a second operand an output may take part with."""
    if isinstance(shape, list):
        return prod(map(_per_output, shape))
    return prod(shape[1:])

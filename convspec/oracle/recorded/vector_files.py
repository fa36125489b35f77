"""Recorded vectors as files: one safetensors file an operation, and `index.json`.

An array is a number in the index and a name in the file.  Whole numbers are stored in the smallest
integer dtype that holds them; `operands` and `results` of an operation say which dtypes they stand
for.  The reader trusts nothing: whatever is wrong is a `StoredError` of one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy

import convspec
from convspec.arguments import Array
from convspec.case import forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle.processes.wire import WireError, attributes_text, decode, encode, json_object
from convspec.oracle.recorded.stored import MOST_ENTRIES, StoredError, checked_case, read_file
from convspec.oracle.recorded.vectors import DTYPE, NOTES, Vector, vectors

FORMAT = 1
INDEX = "index.json"
SCHEMA = "vectors.schema.json"
_WHOLE = tuple(map(numpy.dtype, ("int8", "int16", "int32", "int64")))


def vector_files(operations: Iterable[str], level: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the files, the index last; the same ones for the same arguments."""
    entries = []
    for operation in operations:
        numbers = _Numbers({}, {})
        cases = [
            _told(f"{operation}-{count}", vector, numbers)
            for count, vector in enumerate(vectors(operation, level, seed), start=1)
        ]
        content = encode(dict(sorted(numbers.arrays.items(), key=lambda item: int(item[0]))), {})
        name = f"{operation}.safetensors"
        yield name, content
        entries.append(_entry(operation, sha256(content).hexdigest(), cases))
    yield SCHEMA, files("convspec.oracle.recorded").joinpath(SCHEMA).read_bytes()
    yield INDEX, _index(entries, level, seed).encode()


def _index(entries: list[str], level: str, seed: int) -> str:
    """The index, with a case a line."""
    head = {
        "format": FORMAT,
        "convspec": convspec.__version__,
        "level": level,
        "seed": seed,
        "notes": NOTES,
    }
    beginning = json.dumps(head, indent=1).removesuffix("\n}")
    told = ",\n".join(entries)
    return f'{beginning},\n "operations": {{\n{told}\n }}\n}}\n'


def _entry(operation: str, digest: str, cases: list[str]) -> str:
    row = OPERATIONS[forward_name(operation)]
    backward = operation != row.name
    names = ("cotangent", *row.operands) if backward else row.operands
    indexed = not backward and row.outputs == 2
    head = {
        "file": f"{operation}.safetensors",
        "sha256": digest,
        "operands": {name: "int64" if name in row.discrete else DTYPE.name for name in names},
        "results": [DTYPE.name, "int64"] if indexed else [DTYPE.name],
    }
    beginning = json.dumps(head, separators=(",", ":")).removesuffix("}")
    told = ",\n".join(cases)
    return f'  "{operation}": {beginning},"cases":[\n{told}\n  ]}}'


class _Numbers(NamedTuple):
    """Arrays by number, and the number of each content."""

    arrays: dict[str, Array]
    known: dict[tuple[str, tuple[int, ...], bytes], int]

    def of(self, array: Array) -> int:
        compact = _compact(array)
        key = (compact.dtype.str, compact.shape, compact.tobytes())
        number = self.known.setdefault(key, len(self.known))
        self.arrays[str(number)] = compact
        return number


def _compact(array: Array) -> Array:
    """The same values in the smallest dtype of those that vectors use."""
    finite = array.dtype.kind in "iu" or bool(numpy.isfinite(array).all())
    candidates = (*_WHOLE, DTYPE) if finite else (DTYPE,)
    for dtype in candidates:
        with numpy.errstate(all="ignore"):
            smaller = array.astype(dtype)
            if numpy.array_equal(smaller.astype(array.dtype), array, equal_nan=dtype == DTYPE):
                return smaller
    return array.astype(numpy.float64)


def _told(name: str, vector: Vector, numbers: _Numbers) -> str:
    operands = {
        key: [numbers.of(each) for each in operand]
        if isinstance(operand, list)
        else numbers.of(operand)
        for key, operand in grouped(vector.case.operation, vector.case.operands).items()
    }
    told: dict[str, Any] = {
        "id": name,
        "operands": operands,
        "attributes": json.loads(attributes_text(vector.case.attributes)),
    }
    if vector.refused is None:
        told["expected"] = [numbers.of(value) for value in vector.expected]
    else:
        told["refused"] = vector.refused
    if vector.bounds is not None:
        told["bounds"] = [numbers.of(_rounded_up(bound)) for bound in vector.bounds]
    told["flags"] = list(vector.flags)
    return json.dumps(told, separators=(",", ":"), allow_nan=False)


def _rounded_up(bound: Array) -> Array:
    """A bound in single precision, which takes half the room and forbids nothing that it allows.

    >>> bool(_rounded_up(numpy.array(0.1)) >= 0.1)
    True
    """
    single = numpy.asarray(bound, numpy.float32)
    return numpy.where(single < bound, numpy.nextafter(single, numpy.float32(numpy.inf)), single)


class StoredVector(NamedTuple):
    """A vector as the files hold it; see `vectors.Vector`."""

    id: str
    vector: Vector


def read_vectors(directory: Path) -> Iterator[tuple[str, list[StoredVector]]]:
    """Every operation of recorded vectors with its cases.

    Raises `StoredError`, before or between operations, where they are not what they should be.
    """
    path = directory / INDEX
    try:
        index = json_object(_content(directory, INDEX), "it")
        if index.get("format") != FORMAT or not isinstance(index.get("operations"), dict):
            raise StoredError(f"must be an index of vectors, of format {FORMAT}")
        for operation, entry in index["operations"].items():
            yield operation, _operation(directory, operation, entry)
    except (StoredError, WireError) as error:
        told = str(error)
        raise StoredError(told if told.startswith(f"{path}: ") else f"{path}: {told}") from None


def _content(directory: Path, name: str) -> bytes:
    """A file of the directory itself: a link may lead anywhere."""
    path = directory / name
    if path.is_symlink():
        raise StoredError(f"{name} is a link")
    return read_file(path)


def _operation(directory: Path, operation: str, entry: Any) -> list[StoredVector]:
    row = OPERATIONS.get(forward_name(operation))
    if row is None or operation not in (row.name, f"{row.name}_vjp"):
        raise StoredError(f"{repr(operation)[:60]} is no operation")
    due = {"file", "sha256", "operands", "results", "cases"}
    if not isinstance(entry, dict) or entry.keys() != due or not isinstance(entry["cases"], list):
        raise StoredError(f"{operation}: must be an object of {', '.join(sorted(due))}")
    if entry["file"] != f"{operation}.safetensors":
        shown = repr(entry["file"])[:60]
        raise StoredError(f"{operation}: file {shown}: must be {operation}.safetensors")
    content = _content(directory, f"{operation}.safetensors")
    if sha256(content).hexdigest() != entry["sha256"]:
        raise StoredError(f"{operation}.safetensors is not the file that the index was written for")
    arrays, _ = decode(content)
    dtypes = _Dtypes(_dtypes(entry["operands"], operation), _results(entry["results"], operation))
    return [
        _vector(case, f"{operation}, case {count}", operation, arrays, dtypes)
        for count, case in enumerate(entry["cases"], start=1)
    ]


class _Dtypes(NamedTuple):
    """What the operands and the outputs of an operation stand for."""

    operands: dict[str, str]
    results: list[str]


def _dtypes(value: Any, operation: str) -> dict[str, str]:
    if not isinstance(value, dict) or not set(value.values()) <= {"float32", "int64"}:
        raise StoredError(f"{operation}: operands: must say float32 or int64 of each")
    return value


def _results(value: Any, operation: str) -> list[str]:
    if not isinstance(value, list) or not value or not set(map(str, value)) <= {"float32", "int64"}:
        raise StoredError(f"{operation}: results: must list float32 or int64")
    return value


def _vector(
    told: Any, where: str, operation: str, arrays: dict[str, Array], dtypes: _Dtypes
) -> StoredVector:
    if not isinstance(told, dict) or not isinstance(told.get("id"), str):
        raise StoredError(f"{where}: must be an object with an id")
    where = f"{operation}, {told['id'][:60]!r}"
    unknown = told.keys() - {
        "id",
        "operands",
        "attributes",
        "expected",
        "refused",
        "bounds",
        "flags",
    }
    if unknown:
        raise StoredError(f"{where}: {repr(min(unknown))[:60]}: no such key")
    if not isinstance(told.get("operands"), dict) or len(told["operands"]) > MOST_ENTRIES:
        raise StoredError(f"{where}: operands: must be an object")
    operands = {
        name: _referred(value, arrays, dtypes.operands.get(name), f"{where}: {name[:60]!r}")
        for name, value in told["operands"].items()
    }
    case = checked_case(operation, operands, told.get("attributes"), where)
    flags = told.get("flags")
    if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
        raise StoredError(f"{where}: flags: must be a list of texts")
    refused = told.get("refused")
    if isinstance(refused, str) and "expected" not in told:
        return StoredVector(told["id"], Vector(case, (), None, refused, tuple(flags)))
    expected = _outputs(told.get("expected"), arrays, f"{where}: expected")
    results = [*dtypes.results, *[dtypes.results[-1]] * len(expected)]
    expected = tuple(
        value if value.dtype == numpy.float64 else value.astype(result)
        for value, result in zip(expected, results, strict=False)
    )
    bounds = _outputs(told["bounds"], arrays, f"{where}: bounds") if "bounds" in told else None
    if bounds is not None and [b.shape for b in bounds] != [e.shape for e in expected]:
        raise StoredError(f"{where}: bounds: must have the shapes of the expected outputs")
    return StoredVector(told["id"], Vector(case, expected, bounds, None, tuple(flags)))


def _outputs(value: Any, arrays: dict[str, Array], where: str) -> tuple[Array, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_ENTRIES:
        raise StoredError(f"{where}: must be a list of numbers of arrays")
    return tuple(_referred(number, arrays, None, where) for number in value)


def _referred(value: Any, arrays: dict[str, Array], dtype: str | None, where: str) -> Any:
    """The array of a number, or the arrays of a list of them."""
    if isinstance(value, list) and len(value) <= MOST_ENTRIES:
        return [_referred(number, arrays, dtype, where) for number in value]
    if type(value) is not int or str(value) not in arrays:
        raise StoredError(f"{where}: {repr(value)[:60]}: no such array")
    array = arrays[str(value)]
    return array if dtype is None else array.astype(dtype)

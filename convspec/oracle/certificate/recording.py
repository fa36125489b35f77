"""Recordings of a network's layers: a directory with one safetensors file a layer, and
`index.json`.

    {"format": 1, "source": text, "left_out": [text, …], "layers": [
      {"name": text, "operation": "conv", "attributes": {…}, "file": "1.safetensors",
       "sha256": hex}, …]}

A file's tensors are called after the operands of the operation, and `output`; further ones are
`factors_0`, `factors_1`, … of a list.  Attributes are as the operation takes them, and may be left
out at their defaults.  `left_out` says what of the network was not recorded.  The reader trusts
nothing: whatever is wrong is a `StoredError` of one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, flat, grouped, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.certificate.layer import Layer
from convspec.oracle.processes.wire import (
    WireError,
    attributes_text,
    decode,
    encode,
    json_object,
    normalised_value,
)
from convspec.oracle.recorded.directories import write_directory
from convspec.oracle.recorded.stored import MOST_ENTRIES, StoredError, read_file

FORMAT = 1
INDEX = "index.json"
MOST_LAYERS = 4096
LONGEST_NAME = 200
# Of sizes and steps; a definition that walks so far is done in a moment.
LARGEST_ATTRIBUTE = 2**14
_ENTRY = {"name", "operation", "attributes", "file", "sha256"}


class Recorded(NamedTuple):
    """A recording: where it comes from, what it leaves out, and its layers, read one at a time."""

    source: str
    left_out: tuple[str, ...]
    layers: Iterator[Layer]


def recording_files(
    layers: Iterable[Layer], *, source: str, left_out: Iterable[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """The names and contents of a recording's files, the index last."""
    entries = []
    for number, (name, case, output) in enumerate(layers, start=1):
        content = encode({**flat(case.operands), "output": output}, {})
        file = f"{number}.safetensors"
        yield file, content
        entries.append(
            {
                "name": name,
                "operation": case.operation,
                "attributes": json.loads(attributes_text(case.attributes)),
                "file": file,
                "sha256": sha256(content).hexdigest(),
            }
        )
    index = {"format": FORMAT, "source": source, "left_out": [*left_out], "layers": entries}
    yield INDEX, (json.dumps(index, indent=1, allow_nan=False) + "\n").encode()


def write_recording(
    directory: Path, layers: Iterable[Layer], *, source: str, left_out: Iterable[str] = ()
) -> None:
    """Write a recording into a directory that is absent or empty; raises `OSError`."""
    write_directory(directory, recording_files(layers, source=source, left_out=left_out))


def read_recording(directory: Path) -> Recorded:
    """A recording, whose index is checked at once and whose layers are as they are read.

    Raises `StoredError` where it is not what it should be.
    """
    path = directory / INDEX
    try:
        index = json_object(_content(directory, INDEX), "it")
        entries, left_out = index.get("layers"), index.get("left_out")
        if index.get("format") != FORMAT or index.keys() != {
            "format",
            "source",
            "left_out",
            "layers",
        }:
            raise StoredError(f"must be the index of a recording, of format {FORMAT}")
        if not isinstance(entries, list) or not 0 < len(entries) <= MOST_LAYERS:
            raise StoredError(f"layers: must be a list of 1 to {MOST_LAYERS}")
        if not isinstance(left_out, list) or not all(map(_is_name, (*left_out, index["source"]))):
            raise StoredError(f"left_out, source: must be texts of at most {LONGEST_NAME}")
        for number, entry in enumerate(entries, start=1):
            _check_entry(entry, number)
    except (StoredError, WireError) as error:
        raise _located(path, error) from None
    return Recorded(index["source"], tuple(left_out), _layers(directory, entries))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME and value.isprintable()


def _content(directory: Path, name: str) -> bytes:
    """A file of the directory itself: a link may lead anywhere."""
    path = directory / name
    if path.is_symlink():
        raise StoredError(f"{name} is a link")
    return read_file(path)


def _located(path: Path, error: Exception) -> StoredError:
    told = str(error)
    return StoredError(told if told.startswith(f"{path}: ") else f"{path}: {told}")


def _check_entry(entry: Any, number: int) -> None:
    where = f"layer {number}"
    if not isinstance(entry, dict) or entry.keys() != _ENTRY:
        raise StoredError(f"{where}: must be an object of {', '.join(sorted(_ENTRY))}")
    if not _is_name(entry["name"]):
        raise StoredError(f"{where}: name: must be a text of at most {LONGEST_NAME}")
    if not isinstance(entry["operation"], str) or entry["operation"] not in OPERATIONS:
        raise StoredError(f"{where}: {repr(entry['operation'])[:60]} is no operation")
    if entry["file"] != f"{number}.safetensors":
        shown = repr(entry["file"])[:60]
        raise StoredError(f"{where}: file {shown}: must be {number}.safetensors")
    known = attribute_defaults(entry["operation"])
    if not isinstance(entry["attributes"], dict) or not entry["attributes"].keys() <= known.keys():
        raise StoredError(f"{where}: attributes: must be an object with some of {', '.join(known)}")
    leaves = _leaves(entry["attributes"])
    numbers = [abs(leaf) for leaf in leaves if isinstance(leaf, int | float)]
    if len(leaves) > MOST_ENTRIES or max(numbers, default=0) > LARGEST_ATTRIBUTE:
        raise StoredError(
            f"{where}: attributes: must be at most {MOST_ENTRIES}, up to {LARGEST_ATTRIBUTE}"
        )


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        entries = value.values() if isinstance(value, dict) else value
        return [leaf for entry in entries for leaf in _leaves(entry)]
    return [value]


def _layers(directory: Path, entries: list[dict[str, Any]]) -> Iterator[Layer]:
    for number, entry in enumerate(entries, start=1):
        try:
            yield _layer(directory, entry)
        except (StoredError, WireError) as error:
            where = StoredError(f"layer {number}: {error}")
            raise _located(directory / INDEX, where) from None


def _layer(directory: Path, entry: dict[str, Any]) -> Layer:
    content = _content(directory, entry["file"])
    if sha256(content).hexdigest() != entry["sha256"]:
        raise StoredError(f"{entry['file']} is not the file that the index was written for")
    arrays, _ = decode(content)
    if any(array.dtype.kind == "b" for array in arrays.values()):
        raise StoredError(f"{entry['file']}: dtype BOOL: a layer is of numbers")
    if "output" not in arrays:
        raise StoredError(f"{entry['file']}: output is missing")
    output = arrays.pop("output")
    operands = _operands(entry["operation"], arrays)
    attributes = {name: normalised_value(value) for name, value in entry["attributes"].items()}
    shapes = {
        name: [each.shape for each in value] if isinstance(value, list) else value.shape
        for name, value in operands.items()
    }
    try:
        complete = normalised(entry["operation"], shapes, attributes)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StoredError(f"{entry['operation']}: {str(error)[:200]}") from None
    return Layer(entry["name"], Case(entry["operation"], operands, complete), output)


def _operands(operation: str, arrays: dict[str, Array]) -> dict[str, Any]:
    """The operands in their order, all of them there and none besides."""
    row = OPERATIONS[operation]
    given = grouped(operation, dict(sorted(arrays.items())))
    due = [name for name in row.operands if name in given or name not in row.optional]
    if sorted(given) != sorted(due):
        raise StoredError(
            f"tensors {repr(sorted(given))[:100]}: {operation} takes {', '.join(row.operands)}"
        )
    if any(isinstance(given[name], list) != (name in row.lists) for name in due):
        raise StoredError(f"{', '.join(row.lists) or 'no operand'} must be a list of arrays")
    return {name: given[name] for name in due}

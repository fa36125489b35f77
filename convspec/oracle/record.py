"""What was found about an operation, as one file: a worker leaves it there, a later run finds it.

The file is a safetensors file: every array of the report under a number, and the rest of it as
JSON text in the bytes of an array called `report`, where `{"array": number}` stands for an array,
with its `layout` in memory where that is not C order.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.layouts import laid_out, layout_of
from convspec.oracle.processes.wire import DTYPES, attributes_of, attributes_text, decode, encode
from convspec.oracle.report import Difference, OperationReport


def pack(report: OperationReport) -> bytes:
    """A report as the bytes of a safetensors file.

    >>> report = OperationReport("conv", 3, 0, None, "float32", {}, (), ("a note",),
    ...     accuracies={"float64": "float32"})
    >>> unpack(pack(report)) == report
    True
    """
    arrays: dict[str, Array] = {}
    told = {
        **report._asdict(),
        "differences": [_told(difference, arrays) for difference in report.differences],
    }
    text = json.dumps(told).encode()
    return encode({**arrays, "report": numpy.frombuffer(text, numpy.uint8)}, {})


def unpack(data: bytes) -> OperationReport:
    """The report that `pack` stored.

    Raises `WireError` for bytes that are no safetensors file.
    """
    arrays, _ = decode(data)
    told = json.loads(arrays["report"].tobytes())
    found = {
        **told,
        "differences": tuple(_difference(one, arrays) for one in told["differences"]),
        "notes": tuple(told["notes"]),
    }
    return OperationReport(**found)


def _told(difference: Difference, arrays: dict[str, Array]) -> dict[str, Any]:
    return {
        **difference._asdict(),
        "case": _told_case(difference.case, arrays),
        "before": [_told_case(case, arrays) for case in difference.before],
        "expected": _numbered(difference.expected, arrays),
        "actual": _numbered(difference.actual, arrays),
    }


def _told_case(case: Case, arrays: dict[str, Array]) -> dict[str, Any]:
    return {
        "operation": case.operation,
        "operands": _numbered(case.operands, arrays),
        "attributes": attributes_text(case.attributes),
    }


def _difference(told: dict[str, Any], arrays: dict[str, Array]) -> Difference:
    outputs = {key: _restored(told[key], arrays) for key in ("expected", "actual")}
    found: dict[str, Any] = {k: v if isinstance(v, str) else tuple(v) for k, v in outputs.items()}
    found["case"] = _case(told["case"], arrays)
    found["before"] = tuple(_case(one, arrays) for one in told["before"])
    return Difference(**{**told, **found, "ties": tuple(told["ties"])})


def _case(told: dict[str, Any], arrays: dict[str, Array]) -> Case:
    operands = _restored(told["operands"], arrays)
    return Case(told["operation"], operands, attributes_of(told["attributes"]))


def _numbered(value: Any, arrays: dict[str, Array]) -> Any:
    """A value with its arrays moved to `arrays`; one that has no place there becomes text."""
    if isinstance(value, numpy.ndarray):
        if value.dtype.name not in DTYPES:
            return f"an array of {value.dtype}: {value}"
        number = str(len(arrays))
        arrays[number] = value
        layout = layout_of(value)
        return {"array": number} if layout is None else {"array": number, "layout": layout}
    if isinstance(value, dict):
        return {name: _numbered(entry, arrays) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        parts = [_numbered(entry, arrays) for entry in value]
        texts = [part for part in parts if isinstance(part, str)]
        return "; ".join(texts) if texts else parts
    return value


def _restored(value: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(value, list):
        return [_restored(entry, arrays) for entry in value]
    if isinstance(value, dict) and "array" in value:
        array = arrays[value["array"]]
        return laid_out(array, value["layout"]) if "layout" in value else array
    if isinstance(value, dict):
        return {name: _restored(entry, arrays) for name, entry in value.items()}
    return value


def path_of(directory: Path, operation: str) -> Path:
    """Where the report of an operation is kept."""
    return directory / f"{operation}.safetensors"


def keep(directory: Path, report: OperationReport) -> None:
    """Store a report in a directory."""
    write(path_of(directory, report.name), pack(report))


def kept(directory: Path, operation: str) -> OperationReport | None:
    """The stored report of an operation; None where there is none, or what is there is none."""
    path = path_of(directory, operation)
    try:
        return unpack(path.read_bytes()) if path.exists() else None
    except (ValueError, KeyError, TypeError, AttributeError):  # damaged: examined once more
        path.unlink(missing_ok=True)
        return None


def write(path: Path, content: bytes) -> None:
    """Replace the content of a file in one step, so that nobody ever sees half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

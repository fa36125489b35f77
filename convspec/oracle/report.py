"""What a check found, as data: for the terminal, for JSON, and for whoever asks in Python."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy

import convspec
from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.call import ENDINGS
from convspec.oracle.layouts import layout_of

FORMAT = 1
Outputs = tuple[Array, ...] | str


class Difference(NamedTuple):
    """An observed disagreement with the spec, minimised.

    `expected` and `actual` hold one array an output, or a sentence where there is no array (an
    exception, or a call that should have been refused).  `diagnosis` names the deviation that
    reproduces the wrong outputs, `ties` others that do so as well; where none does, `rule` says
    which geometries fail.  `accepted` marks a convention that the caller agreed to.  `before` are
    the calls after which alone the case goes wrong.
    """

    id: str
    kind: str
    case: Case
    expected: Outputs
    actual: Outputs
    message: str
    diagnosis: str | None = None
    ties: tuple[str, ...] = ()
    rule: str | None = None
    cases: int = 1
    dtype: str = ""
    reproducer: str = ""
    accepted: bool = False
    before: tuple[Case, ...] = ()


class OperationReport(NamedTuple):
    """What a check found about one operation; `accuracies` are the classes by dtype, of which
    `accuracy` is the coarsest.
    """

    name: str
    judged: int
    unsupported: int
    unsupported_rule: str | None
    accuracy: str | None
    conventions: dict[str, str]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    crashed: bool = False
    seconds: float = 0.0
    seconds_inside: float = 0.0
    accuracies: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it

    @property
    def status(self) -> str:
        """`conforms`, `differs`, `crashed`, or `unsupported` where nothing could be judged."""
        kinds = {difference.kind for difference in self.differences if not difference.accepted}
        if kinds - ENDINGS.keys():
            return "differs"
        if self.crashed or kinds:
            return "crashed"
        return "conforms" if self.judged else "unsupported"


class Report(NamedTuple):
    """What a check found about an implementation, and the versions of what took part: `version`
    is the implementation's own.
    """

    target: str
    version: str | None
    python: str
    level: str
    seed: int
    seconds: float
    operations: dict[str, OperationReport]
    numpy: str = numpy.__version__
    convspec: str = convspec.__version__

    @property
    def status(self) -> str:
        """The gravest of the operations' statuses; `unsupported` only where nothing was judged."""
        statuses = {operation.status for operation in self.operations.values()}
        for status in ("differs", "crashed", "conforms"):
            if status in statuses:
                return status
        return "unsupported"

    def __getitem__(self, key: Any) -> Any:
        """The report of an operation, by name."""
        if not isinstance(key, str):
            return tuple(self)[key]
        if key not in self.operations:
            raise KeyError(f"{key!r} was not checked; checked: {', '.join(self.operations)}")
        return self.operations[key]

    def to_json(self) -> str:
        """The whole report as JSON text, as `report.schema.json` beside this file describes it;
        arrays become their dtype, shape and values.
        """
        return json.dumps(_plain_report(self), indent=2, allow_nan=False) + "\n"


def _plain_report(report: Report) -> dict[str, Any]:
    head = {name: value for name, value in report._asdict().items() if name != "operations"}
    operations = {
        name: {
            **{key: plain(value) for key, value in operation._asdict().items()},
            "status": operation.status,
            "differences": [_plain_difference(d) for d in operation.differences],
        }
        for name, operation in report.operations.items()
    }
    return {"format": FORMAT, **head, "status": report.status, "operations": operations}


def _plain_difference(difference: Difference) -> dict[str, Any]:
    return {key: plain(value) for key, value in difference._asdict().items()}


def _operand(value: Any) -> Any:
    """An operand as JSON has it, with the name of its memory layout where that is not C order."""
    if isinstance(value, list):
        return [_operand(one) for one in value]
    name = layout_of(value)
    return plain(value) if name is None else {**plain(value), "layout": name}


def plain(value: Any) -> Any:
    """A value as JSON has it: non-finite numbers, and whatever JSON lacks, as text.

    >>> plain(numpy.array([1.0, float("inf")]))
    {'dtype': 'float64', 'shape': [2], 'values': [1.0, 'inf']}
    """
    if isinstance(value, Case):
        return {
            "operation": value.operation,
            "operands": {name: _operand(array) for name, array in value.operands.items()},
            "attributes": plain(value.attributes),
        }
    if isinstance(value, numpy.ndarray):
        return {
            "dtype": value.dtype.name,
            "shape": list(value.shape),
            "values": [plain(x) for x in value.ravel().tolist()],
        }
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, bool | numpy.bool_):
        return bool(value)
    if isinstance(value, numpy.integer):
        return int(value)
    if isinstance(value, float | numpy.floating):
        return float(value) if numpy.isfinite(value) else str(float(value))
    return value if value is None or isinstance(value, int | str) else str(value)

"""Measure the conventions of implementations, each by its smallest distinguishing case.

`python -m atlas.measure NAME ...` writes docs/atlas/NAME.json for each of those in
`atlas.targets`, without which nothing is said of it in docs/atlas.md.
"""

from __future__ import annotations

import json
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from atlas.targets import file_name, target
from convspec import __version__
from convspec.case import Case
from convspec.oracle import load
from convspec.oracle.call import Callee, Failed, Outcome, Returned, call, callee, copies
from convspec.oracle.check import element
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.reference import spec
from convspec.oracle.steps.open_points import OPEN_POINTS
from convspec.oracle.steps.variants import RULED, probes, variants

FOLDER = Path(__file__).parent.parent / "docs" / "atlas"
NEITHER = "depends on the case"


class Row(NamedTuple):
    """A convention of an operation in some types: its value, the call that shows it, what that call
    gave, and what the definition gives where the spec rules it.
    """

    operation: str
    convention: str
    value: str
    dtypes: tuple[str, ...]
    probe: str
    outcome: str
    spec: str = ""


def measured(name: str) -> dict[str, Any]:
    """Every convention of an implementation, with the versions it was measured in."""
    implementation = load(target(name).loads)
    dtypes = [element(name) for name in getattr(implementation, "dtypes", ("float32", "float64"))]
    rows: dict[tuple[str, ...], Row] = {}
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for operation in operations():
            function = callee(implementation, operation)
            for dtype in dtypes if function else ():
                for row in _rows(operation, function, dtype):
                    key = (row.operation, row.convention, row.value, row.probe, row.outcome)
                    known = rows.get(key, row._replace(dtypes=()))
                    rows[key] = known._replace(dtypes=(*known.dtypes, dtype.name))
    return {
        "target": name,
        "version": str(getattr(implementation, "version", __version__)),
        "python": platform.python_version(),
        "measured": [row._asdict() for row in sorted(rows.values())],
    }


def operations() -> tuple[str, ...]:
    """The operations that have conventions at all."""
    names = {name for deviation in _conventions() for name in deviation.operations}
    names |= {name for taken, _ in OPEN_POINTS.values() for name in taken}
    return tuple(sorted(names))


def _conventions() -> Iterator[Any]:
    for deviation in DEVIATIONS.values():
        if deviation.convention is not None and deviation.convention[0] in RULED:
            yield deviation


def _rows(operation: str, function: Any, dtype: Any) -> Iterator[Row]:
    yield from _ruled(operation, function, dtype)
    yield from _open(operation, function, dtype)


def _ruled(operation: str, function: Callee, dtype: Any) -> Iterator[Row]:
    """The variants that the spec rules: one row each."""
    values = variants(operation, function, dtype).values
    cases: dict[str, list[Case]] = {}
    for deviation in _conventions():
        if operation in deviation.operations:
            cases.setdefault(deviation.convention[0], []).extend(probes(deviation.name, operation))
    for name, probing in cases.items():
        rows = [
            _shown_case(operation, name, values.get(name, NEITHER), function, dtype, case)
            for case in probing
        ]
        offered = [row for row in rows if row is not None]
        # Where no convention explains all cases, the first that the spec does not, either.
        differing = [row for row in offered if row.value == NEITHER and row.outcome != row.spec]
        yield from (differing or offered)[:1]


def _shown_case(
    operation: str, name: str, value: str, function: Callee, dtype: Any, case: Case
) -> Row | None:
    """The row of a convention by one case, or None where the call is not offered."""
    operands = {key: array.astype(dtype) for key, array in case.operands.items()}
    outcome = call(function, operation, copies(operands), case.attributes)
    if not isinstance(outcome, Returned | Failed):
        return None
    definition = callee(spec(), operation)
    assert definition is not None
    ruled = call(definition, operation, copies(operands), case.attributes)
    probe = shown_call(operation, operands, case.attributes)
    return Row(operation, name, value, (), probe, shown(outcome), shown(ruled))


def _open(operation: str, function: Callee, dtype: Any) -> Iterator[Row]:
    """The open points: the probe's last call is the one that decided."""
    if dtype.kind != "f":  # the probes need NumPy's own description of the type
        return
    for name, (taken, probe) in OPEN_POINTS.items():
        if operation not in taken:
            continue
        made: list[str] = []
        value = probe(operation, _noting(function, operation, made), dtype)
        if value is not None and made:
            call_text, _, outcome = made[-1].partition(" -> ")
            yield Row(operation, name, value, (), call_text, outcome)


def _noting(function: Callee, operation: str, made: list[str]) -> Callee:
    """The same function, which writes down every call and what came of it."""

    def noted(*operands: Any, **attributes: Any) -> Any:
        given = {str(place): array for place, array in enumerate(operands)}
        text = shown_call(operation, given, attributes)
        try:
            result = function.function(*operands, **attributes)
        except BaseException:  # noted whatever it is, and raised again
            made.append(f"{text} -> refused")
            raise
        parts = result if isinstance(result, tuple | list) else (result,)
        made.append(f"{text} -> {shown(Returned(tuple(map(numpy.asarray, parts))))}")
        return result

    return function._replace(function=noted)


def shown_call(operation: str, operands: dict[str, Any], attributes: dict[str, Any]) -> str:
    """A call as one would write it, without what has its usual value.

    >>> shown_call("conv", {"0": numpy.ones((1, 1, 2))}, {"stride": (1,), "padding": ((1, 0),)})
    'conv([[[1, 1]]], padding=((1, 0),))'
    """
    told = [_numbers(array) for array in operands.values()]
    told += [f"{name}={value!r}" for name, value in attributes.items() if not _usual(name, value)]
    return f"{operation}({', '.join(told)})"


def _usual(name: str, value: Any) -> bool:
    if name in ("stride", "dilation"):
        return all(step == 1 for step in value)
    if name in ("padding", "output_padding"):
        return not numpy.any(value)
    return value is False or (name == "groups" and value == 1)


def shown(outcome: Outcome) -> str:
    """What came of a call, in one line.

    >>> shown(Returned((numpy.array([1.0, numpy.nan]),)))
    '[1, nan]'
    """
    if not isinstance(outcome, Returned):
        return "refused"
    return " and ".join(map(_numbers, outcome.outputs))


def _numbers(array: Any) -> str:
    values = numpy.asarray(array)
    if values.size == 0:
        return f"an empty array of shape {values.shape}"
    floats = values.astype(float) if values.dtype.kind not in "iu" else values
    formatter: Any = {"float_kind": lambda value: f"{value:.6g}", "int_kind": str}
    text = numpy.array2string(floats, separator=", ", formatter=formatter, max_line_width=10**6)
    return " ".join(text.split())


def text(report: dict[str, Any]) -> str:
    """A report as JSON, a line a row, so that two of them can be compared."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in report["measured"])
    head = {name: value for name, value in report.items() if name != "measured"}
    return f'{json.dumps(head)[:-1]}, "measured": [\n{rows}\n]}}\n'


def main(names: Sequence[str]) -> int:
    """Measure the named implementations and keep what was found."""
    for name in names:
        path = FOLDER / file_name(name)
        draft = path.with_suffix(".draft")
        draft.write_text(text(measured(name)), encoding="utf-8")
        draft.replace(path)
        print(f"{name}: {path.name}")
    return int(not names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

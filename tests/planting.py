"""A deviation planted in an otherwise correct implementation, and what a check finds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from time import process_time
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy

import convspec.fast
from convspec.oracle.call import callee
from convspec.oracle.check import DEFAULT_DTYPES, element
from convspec.oracle.deviations import DEVIATIONS, Deviation
from convspec.oracle.evidence import Plan
from convspec.oracle.examination import examine
from convspec.oracle.report import OperationReport
from convspec.oracle.steps.open_points import open_points
from convspec.oracle.steps.variants import RULED

# What shows in one dtype only is checked in that dtype; None stands for the oracle's own choice.
DTYPES: dict[str, tuple[str, ...]] = {
    "average accumulated in the storage dtype": ("float16",),
    "integer average truncated": ("int32",),
    "pairs of products saturate at 16 bits": ("int32",),
    "integer maximum turned into floats by padding": ("int32",),
}
# Coarse arithmetic is a class of its own and not a difference, unless a finer one is required.
REQUIRED: dict[str, str] = {
    "operands truncated to bfloat16": "float32",
    "operands rounded to TF32": "float32",
    "float64 computed in float32": "float64",
    "result truncated toward zero": "float32",
    "average by a single-precision reciprocal": "float64",
    "average accumulated in the storage dtype": "float32",
}
Function = Callable[..., Any]


class Row(NamedTuple):
    """One deviation in one operation at one level: whether it was found, and how.

    `step` is the step of the check that found it, `calls` how many calls of the implementation
    that took, and `milliseconds` how much processor time, until the first wrong outcome was seen;
    `diagnoses` belong to the differences in their order, `ties` are the other names that the first
    one has.
    """

    name: str
    operation: str
    level: str
    killed: bool
    step: str
    kinds: tuple[str, ...]
    calls: int
    milliseconds: float
    diagnoses: tuple[str | None, ...]
    ties: tuple[str, ...]

    @property
    def named(self) -> bool:
        """Whether the first difference carries the planted name."""
        return bool(self.diagnoses) and self.diagnoses[0] == self.name


class SeenError(Exception):
    """Raised to end an examination once something is wrong for sure, without its diagnosis."""


class Watch:
    """Where an examination is, how often it has called the implementation, and when it first saw
    something wrong; with `stop` it ends there.
    """

    def __init__(self, *, stop: bool = False) -> None:
        self.stop = stop
        self.step = "probes"
        self.calls = 0
        self.begun = process_time()
        self.first: tuple[int, float] | None = None

    def counted(self, function: Function) -> Function:
        """The function, its calls counted."""

        @wraps(function)
        def counting(*operands: Any, **attributes: Any) -> Any:
            self.calls += 1
            return function(*operands, **attributes)

        return counting

    def progress(self, _operation: str, label: str, _done: int, _total: int) -> None:
        """A step begins, so that nothing is wrong so far."""
        self.step, self.first = label.rpartition(", ")[0], None

    def noticed(self, how: str) -> None:
        """Something is wrong."""
        if self.first is None:
            self.first = self.calls, 1000 * (process_time() - self.begun)
        if how == "sure" and self.stop:
            raise SeenError


def examined(
    name: str, operation: str, level: str, function: Function | None = None, seed: int = 0
) -> Row:
    """A check of an implementation that offers nothing but the deviating function (or another
    one in its place), up to the first thing that is wrong.
    """
    deviation = DEVIATIONS[name]
    watch = Watch()
    planted = function or deviation.edit(convspec.fast, operation)
    found = report(name, operation, level, watch.counted(planted), watch, seed)
    if function is None and is_open(deviation):
        killed = (*found.conventions.items(),).count(deviation.convention) == 1
        return _row(name, operation, level, watch, killed=killed, step="open points")
    kinds = tuple(difference.kind for difference in found.differences)
    diagnoses = tuple(difference.diagnosis for difference in found.differences)
    ties = found.differences[0].ties if found.differences else ()
    row = _row(name, operation, level, watch, killed=found.status == "differs", step=watch.step)
    return row._replace(kinds=kinds, diagnoses=diagnoses, ties=ties)


def seen(name: str, operation: str, level: str, function: Function | None = None) -> Row:
    """As `examined`, without a diagnosis: only whether something is wrong."""
    deviation = DEVIATIONS[name]
    watch = Watch(stop=True)
    planted = watch.counted(function or deviation.edit(convspec.fast, operation))
    if function is None and is_open(deviation):  # what is measured is so at every level
        target = callee(SimpleNamespace(**{operation: planted}), operation)
        assert target is not None
        points = open_points(operation, target, element("float32"))
        killed = (*points.items(),).count(deviation.convention) == 1
        return _row(name, operation, level, watch, killed=killed, step="open points")
    try:
        report(name, operation, level, planted, watch, 0)
    except SeenError:
        return _row(name, operation, level, watch, killed=True, step=watch.step)
    return _row(name, operation, level, watch, killed=False, step="")


def _row(name: str, operation: str, level: str, watch: Watch, *, killed: bool, step: str) -> Row:
    calls, milliseconds = watch.first or (watch.calls, 1000 * (process_time() - watch.begun))
    where = step if killed else ""
    measured = where == "open points"
    kinds = ("measured",) if measured else ()
    diagnoses = (name,) if measured else ()
    return Row(name, operation, level, killed, where, kinds, calls, milliseconds, diagnoses, ())


def report(
    name: str, operation: str, level: str, planted: Function, watch: Watch, seed: int
) -> OperationReport:
    """The check itself, in the dtypes and at the accuracy at which the deviation can show."""
    required = REQUIRED.get(name)
    dtypes = DTYPES.get(name, None if required is None else (required,))
    elements = tuple(map(element, dtypes or DEFAULT_DTYPES))
    plan = Plan(
        level,
        seed,
        elements,
        {},
        required,
        watch.progress,
        stop_at_first=True,
        noticed=watch.noticed,
    )
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return examine(SimpleNamespace(**{operation: planted}), name, operation, plan)


def is_open(deviation: Deviation) -> bool:
    """Whether the design leaves a convention free, so that it is measured and never failed."""
    return deviation.convention is not None and deviation.convention[0] not in RULED

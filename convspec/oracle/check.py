"""`check`: does an implementation compute what the spec says?"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy

import convspec
from convspec.operations import OPERATIONS
from convspec.oracle.call import told
from convspec.oracle.cases.streams import BUDGETS
from convspec.oracle.evidence import Plan, Progress
from convspec.oracle.examination import examinable, examine
from convspec.oracle.parts import joined, parts_of
from convspec.oracle.processes.isolation import Limits, default_limits, examine_isolated
from convspec.oracle.processes.resumption import files_fingerprint, run_directory
from convspec.oracle.processes.sharing import examine_shared, processes
from convspec.oracle.record import keep, kept
from convspec.oracle.report import OperationReport, Report
from convspec.oracle.steps.variants import known_conventions
from convspec.oracle.target import ArgumentError, target_of
from convspec.rounding import ACCURACIES, PRECISION

DEFAULT_DTYPES = ("float32", "float64")


def checkable_operations() -> tuple[str, ...]:
    """Every operation that `check` judges, each `_vjp` after its operation.

    >>> checkable_operations()[:2]
    ('convolve', 'convolve_vjp')
    """
    names = (name for row in OPERATIONS for name in (row, f"{row}_vjp"))
    return tuple(name for name in names if examinable(name))


def check(
    implementation: Any,
    operations: Iterable[str] | None = None,
    *,
    level: str = "standard",
    seed: int = 0,
    dtypes: Iterable[str] | None = None,
    conventions: Mapping[str, str] | None = None,
    require_accuracy: str | None = None,
    progress: Progress | None = None,
    isolate: bool | Limits | None = None,
    resume: bool | None = None,
    workers: int = 1,
    executor: Executor | None = None,
) -> Report:
    """Check an implementation against the spec.

    `implementation` is any object with functions named like the operations; `operations` are
    the names to check, all by default; `level` is `quick`, `standard` or `exhaustive`;
    `conventions` accepts variants by name and value; `require_accuracy` is the coarsest accuracy
    class allowed.  Raises `ValueError` for a name that is not known.

    With `isolate` the implementation runs in a process of its own, where a crash or a hang costs
    one case; it must have been made by `load`.  None isolates where the implementation's own
    attribute `isolate` asks for it, as those of native packages do.  `resume` keeps the reports of
    finished operations until the check is done: False begins anew, True goes on where a check of
    the same target, level, seed, dtypes and conventions was killed, None keeps nothing.

    Operations are shared among `workers` processes, or by any `concurrent.futures.Executor`, such
    as that of a Dask client; the implementation must then have been made by `load`, which is done
    again in each.  The report is the same.

    >>> from convspec import fast
    >>> check(fast, ["max_pool"], level="quick").status
    'conforms'
    """
    names = _chosen("operations", operations, checkable_operations())
    if level not in BUDGETS:
        raise ArgumentError(f"level={level!r}: must be one of {', '.join(BUDGETS)}")
    if require_accuracy is not None and require_accuracy not in ACCURACIES:
        known = ", ".join(ACCURACIES)
        raise ArgumentError(f"require_accuracy={require_accuracy!r}: must be one of {known}")
    for variant, value in (conventions or {}).items():
        (chosen,) = _chosen("conventions", variant, tuple(known_conventions()))
        _chosen(f"conventions: {variant}", value, tuple(known_conventions()[chosen]))
    elements = _elements(implementation, dtypes)
    plan = Plan(level, seed, elements, dict(conventions or {}), require_accuracy, progress)
    name = target_of(implementation) or _shown_name(implementation)
    limits = _limits(implementation, isolate=isolate)
    if workers < 1:
        raise ArgumentError(f"workers={workers!r}: must be at least 1")
    shared = executor is not None or workers > 1
    if shared and target_of(implementation) is None:
        raise ArgumentError(
            "workers, executor: need an implementation made by load, to load it there"
        )
    begun = perf_counter()
    with (
        run_directory(_identity(implementation, name, plan), resume=resume) as directory,
        nullcontext(executor) if not shared or executor or limits else processes(workers) as pool,
    ):
        kept_in = None if resume is None else directory
        parts = tuple(part for operation in names for part in parts_of(operation, level))
        if pool is not None:
            reports = examine_shared(pool, name, parts, plan, limits, kept_in)
        elif limits is not None:
            reports = examine_isolated(name, parts, plan, limits, directory, workers)
        else:
            reports = _examined(implementation, name, parts, plan, kept_in)
    return Report(
        target=name,
        version=_text(getattr(implementation, "version", None)),
        python=platform.python_version(),
        level=level,
        seed=seed,
        seconds=perf_counter() - begun,
        operations=joined(names, level, reports),
    )


def _examined(
    implementation: Any, name: str, operations: Iterable[str], plan: Plan, directory: Path | None
) -> dict[str, OperationReport]:
    """The reports of some operations, examined in this process unless `directory` keeps them."""
    reports = {}
    # Infinities and NaN are among the data on purpose, and a warning is no difference.
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for operation in operations:
            report = kept(directory, operation) if directory else None
            if report is None:
                report = examine(implementation, name, operation, plan)
            if directory:
                keep(directory, report)
            reports[operation] = report
    return reports


def _limits(implementation: Any, *, isolate: bool | Limits | None) -> Limits | None:
    """The limits of a process of its own; None where there is to be none."""
    named = target_of(implementation) is not None
    if isolate is None:
        isolate = named and bool(getattr(implementation, "isolate", False))
    if isolate is False:
        return None
    if not named:
        raise ArgumentError("isolate: needs an implementation made by load, to load it once more")
    return default_limits() if isolate is True else isolate


def _identity(implementation: Any, name: str, plan: Plan) -> dict[str, Any]:
    """All that the reports of a check depend on."""
    return {
        "convspec": convspec.__version__,
        "python": platform.python_version(),
        "target": name,
        "files": files_fingerprint(name),
        "directory": str(Path.cwd()),
        "version": _text(getattr(implementation, "version", None)),
        "level": plan.level,
        "seed": plan.seed,
        "dtypes": [dtype.name for dtype in plan.dtypes],
        "conventions": plan.conventions,
        "require_accuracy": plan.require_accuracy,
    }


def _chosen(name: str, given: Iterable[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return known
    chosen = (given,) if isinstance(given, str) else tuple(given)
    for entry in chosen:
        if entry not in known:
            raise ArgumentError(f"{name}: {entry!r} is none of {', '.join(known)}")
    return chosen


def _elements(implementation: Any, dtypes: Iterable[str] | None) -> tuple[numpy.dtype[Any], ...]:
    """The dtypes asked for, else those that the implementation names."""
    declared = getattr(implementation, "dtypes", DEFAULT_DTYPES)
    if isinstance(declared, ModuleType):  # numpy.dtypes is no list of names
        declared = DEFAULT_DTYPES
    given = declared if dtypes is None else dtypes
    try:
        names = (given,) if isinstance(given, str) else tuple(given)
    except Exception:  # whatever the implementation's own code raises
        raise ArgumentError(f"dtypes={told(given, repr)}: must be a list of names") from None
    if not names:
        raise ArgumentError("dtypes: must name at least one, such as float32")
    return tuple(map(element, names))


def element(name: str) -> numpy.dtype[Any]:
    """The NumPy dtype of a name; bfloat16 comes from the ml_dtypes package.

    >>> element("float32")
    dtype('float32')
    """
    scalar: Any = name
    try:
        if name == "bfloat16":
            import ml_dtypes

            scalar = ml_dtypes.bfloat16
        dtype: numpy.dtype[Any] = numpy.dtype(scalar)
    except TypeError:
        raise ArgumentError(f"dtypes: {name!r} is no dtype of NumPy") from None
    except ImportError:
        raise ArgumentError("dtypes: bfloat16 needs the package ml_dtypes") from None
    if dtype.kind not in "iu" and dtype.name not in PRECISION:
        floats = ", ".join(PRECISION)
        raise ArgumentError(f"dtypes: {name!r} must be an integer dtype or one of {floats}")
    return dtype


def _shown_name(implementation: Any) -> str:
    name = getattr(implementation, "name", None) or getattr(implementation, "__name__", None)
    return told(name or type(implementation).__name__)


def _text(value: Any) -> str | None:
    return None if value is None else told(value)

"""`check`: does an implementation compute what the spec says?"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterable, Mapping
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy

from convspec.operations import OPERATIONS
from convspec.oracle.examination import Plan, Progress, examinable, examine
from convspec.oracle.report import Report
from convspec.oracle.streams import BUDGETS
from convspec.oracle.target import target_of
from convspec.oracle.variants import known_conventions
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
) -> Report:
    """Check an implementation against the spec.

    `implementation` is any object with functions named like the operations; `operations` are
    the names to check, all by default; `level` is `quick`, `standard` or `exhaustive`;
    `conventions` accepts variants by name and value; `require_accuracy` is the coarsest accuracy
    class allowed.  Raises `ValueError` for a name that is not known.

    >>> from convspec import fast
    >>> check(fast, ["max_pool"], level="quick").status
    'conforms'
    """
    names = _chosen("operations", operations, checkable_operations())
    if level not in BUDGETS:
        raise ValueError(f"level={level!r}: must be one of {', '.join(BUDGETS)}")
    if require_accuracy is not None and require_accuracy not in ACCURACIES:
        known = ", ".join(ACCURACIES)
        raise ValueError(f"require_accuracy={require_accuracy!r}: must be one of {known}")
    for variant, value in (conventions or {}).items():
        (chosen,) = _chosen("conventions", variant, tuple(known_conventions()))
        _chosen(f"conventions: {variant}", value, tuple(known_conventions()[chosen]))
    elements = _elements(implementation, dtypes)
    plan = Plan(level, seed, elements, dict(conventions or {}), require_accuracy, progress)
    name = target_of(implementation) or _shown_name(implementation)
    begun = perf_counter()
    # Infinities and NaN are among the data on purpose, and a warning is no difference.
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reports = {operation: examine(implementation, name, operation, plan) for operation in names}
    return Report(
        target=name,
        version=_text(getattr(implementation, "version", None)),
        python=platform.python_version(),
        level=level,
        seed=seed,
        seconds=perf_counter() - begun,
        operations=reports,
    )


def _chosen(name: str, given: Iterable[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if given is None:
        return known
    chosen = (given,) if isinstance(given, str) else tuple(given)
    for entry in chosen:
        if entry not in known:
            raise ValueError(f"{name}: {entry!r} is none of {', '.join(known)}")
    return chosen


def _elements(implementation: Any, dtypes: Iterable[str] | None) -> tuple[numpy.dtype[Any], ...]:
    """The dtypes asked for, else those that the implementation names."""
    declared = getattr(implementation, "dtypes", DEFAULT_DTYPES)
    if isinstance(declared, ModuleType):  # numpy.dtypes is no list of names
        declared = DEFAULT_DTYPES
    given = declared if dtypes is None else dtypes
    names = (given,) if isinstance(given, str) else tuple(given)
    if not names:
        raise ValueError("dtypes: must name at least one, such as float32")
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
        raise ValueError(f"dtypes: {name!r} is no dtype of NumPy") from None
    except ImportError:
        raise ValueError("dtypes: bfloat16 needs the package ml_dtypes") from None
    if dtype.kind not in "iu" and dtype.name not in PRECISION:
        floats = ", ".join(PRECISION)
        raise ValueError(f"dtypes: {name!r} must be an integer dtype or one of {floats}")
    return dtype


def _shown_name(implementation: Any) -> str:
    name = getattr(implementation, "name", None) or getattr(implementation, "__name__", None)
    return str(name or type(implementation).__name__)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)

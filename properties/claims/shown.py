"""The smallest case that a proof is about: read off the calls that the proof makes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy
from hypothesis import seed

from convspec.case import Case, flat, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.steps.search import alone
from convspec.window import Window, coverage, output_size, taps

# Functions of one axis of a window, each called with a size and a window first.
OF_AXES = (output_size, coverage, taps)


def smallest_case(test: Callable[..., None]) -> Case | None:
    """The smallest valid call of an operation that a test makes while it runs, or, of a test about
    sizes alone, a `conv` or a `max_pool` with its smallest window; None where it makes none.

    A test with parameters runs with the first of them, a law on the definitions; one that draws its
    own examples draws the same ones every time.
    """
    calls: list[Case] = []
    names = test.__globals__
    kept = {name: names[name] for name in names if _recorder(names[name], calls)}
    try:
        names.update({name: _recorder(value, calls) for name, value in kept.items()})
        with alone():
            _repeatable(test)(**_first_parameters(test), **_definitions(test, calls))
    finally:
        names.update(kept)
    return min(calls, key=_telling_size, default=None)


def _repeatable(test: Callable[..., None]) -> Callable[..., None]:
    """A test that, where it draws examples, draws the same ones whenever it runs."""
    return seed(0)(test) if hasattr(test, "hypothesis") else test


def _definitions(test: Callable[..., None], calls: list[Case]) -> dict[str, Any]:
    """The implementation that a law asks for: the definitions, each noting its calls."""
    if "implementation" not in inspect.signature(test).parameters:
        return {}
    functions = {name: _recorder(row.definition, calls) for name, row in OPERATIONS.items()}
    derivatives = {f"{name}_vjp": row.vjp for name, row in OPERATIONS.items()}
    return {"implementation": SimpleNamespace(**functions, **derivatives)}


def _first_parameters(test: Callable[..., None]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            names, values = mark.args
            names = (names,) if isinstance(names, str) else tuple(names)
            first = values[0] if len(names) > 1 else (values[0],)
            given.update(zip(names, first, strict=True))
    return given


def _recorder(function: Any, calls: list[Case]) -> Callable[..., Any] | None:
    """`function`, noting each call as a case; None where it is no function that makes cases."""
    case_of = next(
        (_case_of(row) for row in OPERATIONS.values() if row.definition is function), None
    )
    if any(function is known for known in OF_AXES):
        case_of = _window_case
    if case_of is None:
        return None

    @functools.wraps(function)
    def recording(*operands: Any, **attributes: Any) -> Any:
        result = function(*operands, **attributes)
        calls.append(case_of(*operands, **attributes))
        return result

    return recording


def _case_of(row: Any) -> Callable[..., Case]:
    def case(*given: Any, **more: Any) -> Case:
        arguments = inspect.signature(row.definition).bind(*given, **more).arguments
        operands = {
            name: [numpy.asarray(a) for a in value] if name in row.lists else numpy.asarray(value)
            for name, value in arguments.items()
            if name in row.operands and value is not None
        }
        attributes = {name: v for name, v in arguments.items() if name not in row.operands}
        shapes = {
            name: [a.shape for a in value] if isinstance(value, list) else value.shape
            for name, value in operands.items()
        }
        return Case(row.name, operands, normalised(row.name, shapes, attributes))

    return case


def _window_case(n: int, window: Window, *_: Any) -> Case:
    """The window over 1, 2, ..., n: of a `max_pool` under ceil, otherwise of a `conv`."""
    attributes = {
        "stride": (window.stride,),
        "padding": ((window.low, window.high),),
        "dilation": (window.dilation,),
    }
    operands = {"input": numpy.arange(1, n + 1)[None, None]}
    if window.ceil:
        pooled = {"kernel_size": (window.kernel,), **attributes, "ceil_mode": True}
        return Case("max_pool", operands, pooled)
    operands["weight"] = numpy.ones((1, 1, window.kernel), int)
    return Case("conv", operands, {**attributes, "groups": 1})


def _telling_size(case: Case) -> tuple[bool, int]:
    """Small cases first, of those whose arrays are neither empty nor zero."""
    arrays = flat(case.operands).values()
    return not all(array.any() for array in arrays), sum(array.size for array in arrays)

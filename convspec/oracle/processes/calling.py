"""One call of an implementation, here or in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import numpy

from convspec.case import Case, flat
from convspec.oracle.call import Outcome, Unsupported, call, callee
from convspec.oracle.layouts import laid_out, layout_of
from convspec.oracle.target import load


class CallEndedError(Exception):
    """The process of a call ended, or did not come back in time."""


def called(implementation: Any, case: Case) -> Outcome:
    """What a call came to, on arrays of its own that lie in memory as the case's do.

    >>> from convspec import fast
    >>> called(fast, Case("relu", {"input": numpy.array([-1.0, 2.0])}, {}))
    Returned(outputs=(array([0., 2.]),))
    """
    target = callee(implementation, case.operation)
    if target is None:
        return Unsupported(f"the implementation has no {case.operation}")
    with numpy.errstate(all="ignore"):
        return call(target, case.operation, _faithful(case.operands), case.attributes)


def _faithful(operands: dict[str, Any]) -> dict[str, Any]:
    """Copies of operands in the same layouts."""
    return {name: _copy(value) for name, value in operands.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, list):
        return [_copy(one) for one in value]
    return laid_out(value, layout_of(value))


def called_apart(target: str, case: Case, seconds: float) -> Outcome:
    """`called` in a fresh process, which loads the target; see `apart` for how it may end."""
    layouts = {name: layout_of(array) for name, array in flat(case.operands).items()}
    outcome: Outcome = apart(_load_and_call, target, case, layouts, seconds=seconds)
    return outcome


def apart(function: Callable[..., Any], *arguments: Any, seconds: float) -> Any:
    """What a function returns in a fresh process.

    Raises `CallEndedError` where that process ends or takes longer than `seconds`.
    """
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    future = pool.submit(function, *arguments)
    try:
        return future.result(timeout=seconds)
    except BrokenProcessPool:
        raise CallEndedError("the process ended in the call") from None
    except TimeoutError:
        for process in (pool._processes or {}).values():
            process.kill()
        raise CallEndedError(f"the call did not return within {seconds:g} s") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _load_and_call(target: str, case: Case, layouts: dict[str, str | None]) -> Outcome:
    # An array comes to another process in C order.
    operands = {name: laid_out(a, layouts[name]) for name, a in flat(case.operands).items()}
    return called(load(target), case._replace(operands=operands))

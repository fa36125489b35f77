"""Calls that did not come back, as differences."""

from __future__ import annotations

from collections.abc import Sequence

from convspec.arguments import Array
from convspec.case import Case
from convspec.oracle.explanation.differences import Context, differences
from convspec.oracle.reference import trial
from convspec.oracle.report import Difference
from convspec.oracle.runner import Finding


def crash_differences(context: Context, passing: Sequence[Case]) -> list[Difference]:
    """One difference for the calls that crashed, in whichever step, and one for those that hung;
    bad arguments, which the spec refuses, apart.
    """
    crashes = context.target.crashes
    dtypes = [next(iter(crash.case.operands.values())).dtype.name for crash in crashes]
    findings = [
        Finding(crash.kind, crash.message, crash.case, None, _due(context, crash.case), None)
        for crash in crashes
    ]
    together = context._replace(dtype=", ".join(dict.fromkeys(dtypes)))
    return differences(together, findings, passing)


def _due(context: Context, case: Case) -> tuple[Array, ...]:
    """What is right for a case; nothing where the spec refuses it."""
    try:
        return trial(case, context.namespace).expected
    except (TypeError, ValueError):
        return ()

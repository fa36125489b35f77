"""Misconceptions that no deviation of the catalogue shows, known by what the result satisfies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from convspec.learn.misconceptions import Misconception, called
from convspec.oracle import expected
from convspec.oracle.runner import Finding


def believed(function: str, findings: Sequence[Finding]) -> Misconception | None:
    """What most of the findings show to be believed, if anything."""
    values = [finding for finding in findings if finding.kind == "value"]
    if function != "conv_transpose" or not values:
        return None
    inverting = sum(map(_inverts, values))
    return called("transposed as inverse") if 2 * inverting > len(values) else None


def _inverts(finding: Finding) -> bool:
    r"""Whether the result $y$ solves $A y = x$, $A$ being conv's matrix, as nearly as can be: in
    the sense of least squares, $A^T (A y - x) = 0$.
    """
    case = finding.case
    assert finding.actual is not None  # a wrong value is one
    y, x, weight = finding.actual[0], case.operands["input"], case.operands["weight"]
    given = {name: v for name, v in case.attributes.items() if name != "output_padding"}
    again = expected.conv(y, weight, **given)
    with numpy.errstate(all="ignore"):
        left = expected.conv_transpose(again - x, weight, **case.attributes)
        scale = expected.conv_transpose(abs(x), abs(weight), **case.attributes).max(initial=1)
        return bool((abs(left) <= 1e-6 * scale).all())

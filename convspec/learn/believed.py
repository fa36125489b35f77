"""Misconceptions that no deviation of the catalogue shows, known by what the result satisfies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from convspec.learn.misconceptions import Misconception, called
from convspec.oracle import expected
from convspec.oracle.explanation.rule import STATEMENTS, features
from convspec.oracle.runner import Finding

# So many cases are no coincidence.
FEW = 5


def believed(function: str, findings: Sequence[Finding]) -> Misconception | None:
    """What most of the findings show to be believed, if anything."""
    values = [finding for finding in findings if finding.kind == "value"]
    if function == "conv_transpose" and 2 * sum(map(_inverts, values)) > len(values):
        return called("transposed as inverse")
    if function == "conv" and len(findings) >= FEW and all(map(_has_remainder, findings)):
        return called("forgetting floor")
    return None


def _has_remainder(finding: Finding) -> bool:
    """Whether the stride does not divide what it steps through, on some axis."""
    statement = next(s for s in STATEMENTS if s.text == "the stride leaves a remainder")
    return statement.holds(features(finding.case))


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

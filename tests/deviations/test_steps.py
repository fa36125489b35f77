"""Every step of the oracle alone finds some deviation: without the step, that one survives.

The numbers are those of the design: gradients, its step 6, are swept like everything else, and
what is theirs alone is what happens on ties.
"""

from __future__ import annotations

from typing import Any

import pytest

import convspec.fast
from convspec.oracle import examination
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.edits import only
from convspec.oracle.steps.order import STEPS
from tests.planting import seen


def _corner(groups: int, stride: Any, dilation: Any, **_: Any) -> bool:
    return groups == 3 and (3, 3) in zip(stride, dilation, strict=True)


def _one_axis(stride: Any, dilation: Any, **_: Any) -> bool:
    """Not the calls whose neighbours behaviour looks at, which are the largest."""
    return len(stride) == 1 and max(dilation) == 1


# A deviation that nothing but the step finds at `quick`; the sweep's shows in a corner alone, for
# elsewhere the steps after it would find it too.
ONLY_KILLER: dict[str, tuple[str, str, Any]] = {
    "exact sweep": ("dilation ignored", "conv", _corner),  # 2
    "thresholds": ("positions past 255 wrap", "conv", None),  # 3
    "rounding": ("result rounded to three decimals", "conv", None),  # 4
    "special values": ("NaN taken for zero", "conv", None),  # 5
    "ties": ("gradient lost on ties", "max_pool_vjp", None),  # 6
    "behaviour": ("stride 0 accepted", "conv", None),  # 7
    "search": ("strides past 3 taken for 3", "conv", _one_axis),  # 8
}


def test_every_step_is_here():
    assert list(ONLY_KILLER) == list(STEPS)


@pytest.mark.parametrize("step", ONLY_KILLER)
def test_a_deviation_is_found_by_this_step_alone(step, monkeypatch):
    name, operation, corner = ONLY_KILLER[step]
    edit = DEVIATIONS[name].edit
    function = (edit if corner is None else only(corner, edit))(convspec.fast, operation)
    found = seen(name, operation, "quick", function)
    assert (found.killed, found.step) == (True, step)
    left = {label: run for label, run in STEPS.items() if label != step}
    monkeypatch.setattr(examination, "STEPS", left)
    assert not seen(name, operation, "quick", function).killed

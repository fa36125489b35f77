"""Where implementations disagree about a configuration, as measured: docs/atlas.md in short."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy

from convspec.case import Case

Concerns = Callable[[Case], bool]


def disagreements(case: Case) -> dict[str, dict[str, list[str]]]:
    """Of each convention that concerns a case, the values there are and who follows each; nothing
    where all that was measured agree.

    >>> case = Case("conv", {}, {"padding": ((0, 0),), "stride": (1,)})
    >>> disagreements(case)["sign of zero"]["minus"]
    ['jax']
    """
    found = {}
    for convention, by_operation in _measured().items():
        values = by_operation.get(case.operation, {})
        if len(values) > 1 and _CONCERNS.get(convention, _always)(case):
            found[convention.replace("_", " ")] = values
    return found


def _measured() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Convention, operation, value: the implementations, in float32."""
    text = files("convspec.adapters").joinpath("atlas.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _always(_: Case) -> bool:
    return True


def _padded(case: Case) -> bool:
    return bool(numpy.any(case.attributes["padding"]))


def _rounded_up(case: Case) -> bool:
    return bool(case.attributes["ceil_mode"])


def _not_counted(case: Case) -> bool:
    return _padded(case) and not case.attributes["count_include_pad"]


def _extended(case: Case) -> bool:
    return bool(numpy.any(case.attributes["output_padding"]))


def _same_of_shorter(case: Case) -> bool:
    first, second = (operand.shape for operand in case.operands.values())
    return case.attributes["mode"] == "same" and any(map(int.__gt__, second, first))


def _same_of_even(case: Case) -> bool:
    *_, second = case.operands.values()
    return case.attributes["mode"] == "same" and any(size % 2 == 0 for size in second.shape)


def _never(_: Case) -> bool:
    return False


# What a configuration must have for a convention to show; others may always show, by the data.
_CONCERNS: dict[str, Concerns] = {
    "ceil_last_window": _rounded_up,
    "kernel_beyond_input_under_ceil": _rounded_up,
    "average_divisor": _not_counted,
    "non_finite_weight_on_padding": _padded,
    "output_padding": _extended,
    "output_padding_bound": _extended,
    "same_size": _same_of_shorter,
    "even_kernel_centre": _same_of_even,
    "empty_window": _never,  # the definitions refuse such a geometry
}

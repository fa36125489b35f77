"""Every forward mistake of the catalogue, planted in layers of whole numbers: wherever it changes
the output, the certificate refutes the layer.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy
import pytest

import convspec.fast
from convspec.case import Case, forward_name, grouped, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.certificate.layer import Layer, certify
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.edits import SIGNALS
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.deviations.special_values import SPECIAL_VALUES
from convspec.oracle.deviations.validation import VALIDATION
from convspec.oracle.explanation.replay import agree, replay, right
from convspec.oracle.steps.behaviour import emptied, interruptions

COUNT = 160
MOST_SHOWN = 8
RESEMBLED = 20
PAIRS = [
    (name, operation)
    for name, deviation in DEVIATIONS.items()
    for operation in deviation.operations
    if operation == forward_name(operation) and OPERATIONS[operation].outputs == 1
]


@cache
def whole_cases(operation):
    """Calls on finite whole numbers, with what is right: small ones, those that resemble them, some
    of many channels, and empty batches.
    """
    small = small_cases(operation, COUNT)
    empty = [case for case in map(emptied, small[-RESEMBLED:]) if case]
    cases = [*small, *wide_cases(operation), *large(small[:RESEMBLED]), *neighbours(small), *empty]
    found = []
    for case in cases:
        arrays = case.operands.values()
        if all(numpy.isfinite(a).all() and (a == numpy.rint(a)).all() for a in arrays):
            due = right(case)
            if not isinstance(due, str):
                found.append((case, due))
    return found


def large(cases):
    """The same with whole numbers that float64 holds and float32 does not."""
    for case in cases:
        name, array = next(iter(case.operands.items()))
        if array.dtype == numpy.float64:
            yield case._replace(operands={**case.operands, name: array + (2**25 + 1)})


def neighbours(cases):
    """Each of the last, largest, cases, then what differs from it in one attribute alone."""
    for case in cases[-RESEMBLED:]:
        yield from (case, *interruptions(case))


def wide_cases(operation):
    """Where thresholds lie: many channels, long axes, large strides, odd batches."""
    source = numpy.random.default_rng(0)
    if operation in SIGNALS:
        f, g = source.integers(-5000, 5001, 40) + 0.0, source.integers(-5000, 5001, 5) + 0.0
        yield Case(operation, {"f": f, "g": g}, {"mode": "full"})
        return
    for shape in ((3, 70, 12), (1, 35, 5, 5), (2, 3, 300), (5, 6, 9, 9)):
        for given in GIVEN.get(operation, ({},)):
            shapes = {"input": shape, **WEIGHTS.get(operation, lambda s: {})(shape)}
            for dtype, most in (("float64", 4), ("float32", 4), ("float64", 5000), ("int32", 199)):
                operands = {
                    name: source.integers(-most, most + 1, size).astype(dtype)
                    for name, size in shapes.items()
                }
                try:
                    yield Case(operation, operands, normalised(operation, shapes, given))
                except (TypeError, ValueError):
                    continue


GIVEN = {
    "conv": ({}, {"padding": 1}, {"stride": 4, "padding": 2}, {"dilation": 2}, {"stride": 2}),
    "conv_transpose": ({}, {"padding": 1}, {"stride": 4}, {"stride": 2, "output_padding": 1}),
    "max_pool": ({"kernel_size": 3}, {"kernel_size": 2, "stride": 4}, {"kernel_size": 9}),
    "average_pool": (
        {"kernel_size": 4, "padding": 2},
        {"kernel_size": 4, "padding": 2, "count_include_pad": True},
        {"kernel_size": 2, "stride": 4},
        {"kernel_size": 128},
    ),
}
WEIGHTS = {
    "conv": lambda s: {"weight": (20, s[1], *(2,) * (len(s) - 2)), "bias": (20,)},
    "conv_transpose": lambda s: {"weight": (s[1], 20, *(2,) * (len(s) - 2)), "bias": (20,)},
}


def planted(name, operation):
    """The deviating function, one for all calls: it may have a memory."""
    function = DEVIATIONS[name].edit(convspec.fast, operation)

    def output(case):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return replay(function, case)

    return output


def showing(name, operation):
    """The cases whose output a deviation changes, with what it gives instead."""
    output = planted(name, operation)
    for case, due in whole_cases(operation):
        wrong = output(case)
        if not isinstance(wrong, str) and not agree(wrong, due, None, dtypes=False):
            yield case, wrong[0], due[0]


def is_decided(finding, case):
    """Whether whole numbers decide about a right output: it is exact, or was computed in float64,
    whose rounding is far below the distances that count.
    """
    wide = all(a.dtype not in ("float16", "float32") for a in case.operands.values())
    return finding.story.startswith(("exactly", "equal")) or (
        finding.verdict == "recomputed" and wide
    )


def far_apart(wrong, due):
    """Further than rounding in float64 can bring what small whole numbers give."""
    return wrong.shape != due.shape or not numpy.allclose(wrong, due, rtol=1e-9, atol=1e-9)


def recorded(name, case, output):
    """The layer, its lists of arrays together."""
    together = grouped(case.operation, case.operands)
    return Layer(name, case._replace(operands=together), output)


CHANGES_AN_ARGUMENT = ("cleared after use", "in place", "written over the input")
# What no output of whole numbers shows.
NOT_SHOWN = {
    **{
        name: "changes an argument alone"
        for name in DEVIATIONS
        if name.endswith(CHANGES_AN_ARGUMENT)
    },
    **{each.name: "takes NaN, infinities or subnormal numbers" for each in SPECIAL_VALUES},
    **{each.name: "is about calls that are to be refused" for each in VALIDATION},
    "output padding bound by the stride alone": "is about calls that are refused",
    "bias sized by the weight's first axis": "is about calls that are refused",
    "longer second operand refused": "refuses, and returns nothing",
    "empty batch refused": "refuses, and returns nothing",
    "maximum started from the lowest finite number": "takes infinities",
    "NaN ignored in a maximum": "takes NaN",
    "NaN kept only at the start of a window": "takes NaN",
    "NaN ignored in the tail of the channels": "takes NaN",
    "NaN taken for zero by relu": "takes NaN",
    "NaN ignored in an adaptive maximum": "takes NaN",
    "empty window gives -inf": "lies outside the spec",
    "empty window gives the lowest finite number": "lies outside the spec",
    "empty window gives zero": "lies outside the spec",
    "empty window gives NaN": "lies outside the spec",
    "result truncated toward zero": "changes no result that a float holds",
    "result rounded to three decimals": "changes no whole number",
    "average accumulated in the storage dtype": "changes nothing that a float holds",
    "always float64": "changes the dtype alone",
    "output overwritten by the next call": "changes what an earlier call returned",
    "integer maximum turned into floats by padding": "changes the dtype alone",
}
# Operations that divide, or multiply by a fraction: there whole numbers do not stay whole.
FRACTIONS = (
    *(name for name, row in OPERATIONS.items() if row.rounding == "elementary"),
    *("average_pool", "adaptive_average_pool", "spatial_pyramid_pool"),
    *("upsample", "resize_conv", "dropout", "l2_penalty"),
)
SHOWN_ALL_THE_SAME = {("result rounded to three decimals", name) for name in FRACTIONS}
NOT_SHOWN_THERE = {
    ("operands truncated to bfloat16", name): "is 1 where a whole number needs more bits"
    for name in ("sigmoid", "tanh")
}


def why_not_shown(name, operation):
    """Why no output of whole numbers shows a mistake in an operation; None where one must."""
    if (name, operation) in SHOWN_ALL_THE_SAME:
        return None
    return NOT_SHOWN.get(name) or NOT_SHOWN_THERE.get((name, operation))


@pytest.mark.once
@pytest.mark.parametrize(("name", "operation"), PAIRS)
def test_a_planted_mistake_is_refuted_wherever_it_shows(name, operation):
    rng = numpy.random.default_rng(0)
    shown = 0
    for case, wrong, due in showing(name, operation):
        if is_decided(certify(recorded(name, case, due), rng), case) and far_apart(wrong, due):
            found = certify(recorded(name, case, wrong), rng)
            assert found.verdict == "refuted", (case, found)
            shown += 1
        if shown == MOST_SHOWN:
            break
    reason = why_not_shown(name, operation)
    assert (shown == 0) == bool(reason), (shown, reason)


@pytest.mark.parametrize("name", ["always float64", "always float32"])
@pytest.mark.parametrize("operation", ["conv", "conv_transpose", "max_pool"])
def test_another_dtype_is_refuted(name, operation):
    """What no value shows, the dtype does."""
    seen, output = set(), planted(name, operation)
    for case, due in whole_cases(operation):
        (wrong,) = output(case)
        if wrong.dtype != due[0].dtype and due[0].dtype.kind == "f":
            seen.add(certify(recorded(name, case, wrong), numpy.random.default_rng(0)).verdict)
    assert seen == {"refuted"}

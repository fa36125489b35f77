"""Every step is the only one to see some mistake: switched off, the mistake conforms."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.oracle import check, examination
from convspec.oracle.cases.scope import covering
from convspec.oracle.examination import STEPS
from tests.oracle.implementations import offering


def altered(function, when, change):
    """A correct function whose result is changed for some calls."""

    def planted(*operands, **attributes):
        y = function(*operands, **attributes)
        return change(y, operands) if when(*operands, **attributes) else y

    return planted


def plus_one(y, _):
    return y + y.dtype.type(1)


def a_block_of_the_sweep(operands_of_rank=2):
    """The geometry that a block of the quick sweep of `conv` has, and hardly any other call."""
    blocks = covering("conv", operands_of_rank, 288, 0)[0]
    axes = max(
        (b.axes for b in blocks), key=lambda axes: sum(a["size"] * a["kernel"] for a in axes)
    )
    return tuple(tuple(axis[name] for axis in axes) for name in ("size", "kernel", "dilation"))


def wrong_at_one_geometry():
    sizes, kernel, dilation = a_block_of_the_sweep()

    def when(input, weight, *_, **attributes):
        return (input.shape[2:], weight.shape[2:], attributes["dilation"]) == (
            sizes,
            kernel,
            dilation,
        )

    return altered(fast.conv, when, plus_one)


def wrong_at_33_channels():
    return altered(fast.conv, lambda input, *_, **__: input.shape[1] == 33, plus_one)


def wrong_on_fractions():
    def when(input, *_, **__):
        return bool((numpy.isfinite(input) & (input != numpy.rint(input))).any())

    return altered(fast.conv, when, lambda y, _: y * y.dtype.type(1 + 2.0**-4))


def nan_taken_for_zero():
    def conv(input, *operands, **attributes):
        return fast.conv(numpy.nan_to_num(input, posinf=0, neginf=0), *operands, **attributes)

    return conv


def has_ties(input):
    planes = input.reshape(-1, numpy.prod(input.shape[2:], dtype=int))
    return any(len(numpy.unique(plane)) < len(plane) for plane in planes)


def half_a_cotangent_on_ties():
    def when(_, input, **__):
        return has_ties(input)

    return altered(fast.max_pool_vjp, when, lambda y, _: (y[0] * y[0].dtype.type(0.5),))


def index_of_the_first_element_on_ties():
    def change(y, _):
        return y[0], numpy.zeros_like(y[1])

    return altered(fast.max_pool_with_indices, lambda input, **_: has_ties(input), change)


def wrong_on_views():
    def when(*operands, **_):
        return not all(x.flags.c_contiguous for x in operands)

    return altered(fast.conv, when, plus_one)


def a_result_that_the_next_call_overwrites():
    kept = {}

    def conv(*operands, **attributes):
        y = fast.conv(*operands, **attributes)
        buffer = kept.setdefault((y.shape, y.dtype.name), numpy.empty_like(y))
        buffer[...] = y
        return buffer

    return conv


def anything_goes():
    def conv(input, weight, bias=None, **attributes):
        try:
            return fast.conv(input, weight, bias, **attributes)
        except (TypeError, ValueError):
            return numpy.zeros((len(input), len(weight), *(1,) * (input.ndim - 2)), input.dtype)

    return conv


def wrong_at_stride_4():
    """On one axis, not dilated: not the calls whose neighbours behaviour looks at, the largest."""

    def is_wrong(*_, stride, dilation, **__):
        return len(stride) == 1 and stride[0] >= 4 and dilation == (1,)

    return altered(fast.conv, is_wrong, plus_one)


PLANTED = [
    ("exact sweep", "conv", wrong_at_one_geometry, "value"),
    ("thresholds", "conv", wrong_at_33_channels, "value"),
    ("rounding", "conv", wrong_on_fractions, "accuracy"),
    ("special values", "conv", nan_taken_for_zero, "special"),
    ("ties", "max_pool_vjp", half_a_cotangent_on_ties, "gradient"),
    ("ties", "max_pool_with_indices", index_of_the_first_element_on_ties, "value"),
    ("behaviour", "conv", wrong_on_views, "layout"),
    ("behaviour", "conv", a_result_that_the_next_call_overwrites, "unstable"),
    ("behaviour", "conv", anything_goes, "accepts"),
    ("search", "conv", wrong_at_stride_4, "value"),
]


def checked(operation, function):
    implementation = offering(**{operation: function})
    return check(implementation, [operation], level="quick", dtypes=["float32"])


def test_every_step_has_a_mistake_of_its_own():
    assert {step for step, *_ in PLANTED} == set(STEPS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "operation", "plant", "kind"),
    PLANTED,
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_mistake_that_one_step_alone_sees(step, operation, plant, kind, monkeypatch):
    report = checked(operation, plant())
    assert report.status == "differs"
    assert {difference.kind for difference in report[operation].differences} == {kind}
    assert report[operation].differences[0].reproducer
    without = {label: run for label, run in STEPS.items() if label != step}
    monkeypatch.setattr(examination, "STEPS", without)
    assert checked(operation, plant()).status == "conforms"

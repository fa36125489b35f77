"""The inner loop: what it counts, keeps, skips and notices."""

from __future__ import annotations

from itertools import islice

import numpy
import pytest

from convspec import fast
from convspec.oracle.call import callee
from convspec.oracle.cases.streams import exact_trials
from convspec.oracle.runner import (
    ALL_PASSING_KEPT,
    ENOUGH_FINDINGS,
    FINDINGS_KEPT,
    PASSING_KEPT,
    REFUSED_KEPT,
    run,
)
from convspec.oracle.trials.trial import Setting, Trial
from tests.oracle.implementations import offering

F32 = numpy.dtype("float32")


def stream(operation="conv", count=200, dtype=F32):
    setting = Setting(dtype, numpy.random.default_rng(0))
    return islice(exact_trials(operation, "quick", 0, setting), count)


def ran(function, operation="conv", count=200, dtype=F32, **options):
    target = callee(offering(**{operation: function}), operation)
    return run(operation, target, stream(operation, count, dtype), dtype, **options)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int8"])
@pytest.mark.parametrize(
    "operation", ["conv", "conv_vjp", "max_pool_with_indices", "average_pool", "average_pool_vjp"]
)
def test_what_is_right_passes(operation, dtype):
    tally = ran(getattr(fast, operation), operation, dtype=numpy.dtype(dtype))
    assert tally.judged == 200
    assert tally.found == 0
    assert tally.findings == []
    assert tally.unsupported == {}
    assert tally.mutated is None
    assert tally.seconds_inside > 0
    assert ALL_PASSING_KEPT <= len(tally.passing) <= PASSING_KEPT


def plus(function, more):
    return lambda *a, **k: (function(*a, **k) + more).astype(a[0].dtype)


def test_what_is_wrong_is_found_and_enough_is_enough():
    tally = ran(plus(fast.conv, 1), count=400)
    assert (tally.judged, tally.found) == (ENOUGH_FINDINGS, ENOUGH_FINDINGS)
    assert len(tally.findings) == FINDINGS_KEPT
    assert {finding.kind for finding in tally.findings} == {"value"}
    assert tally.passing == []
    finding = tally.findings[0]
    assert (finding.actual[0] == finding.expected[0] + 1).all()


def test_a_result_in_a_shared_buffer_is_kept_as_it_was():
    buffer = {}

    def conv(*operands, **attributes):
        y = fast.conv(*operands, **attributes) + 1
        kept = buffer.setdefault(y.shape, numpy.empty_like(y))
        kept[...] = y
        return kept

    tally = ran(conv)
    assert all((f.actual[0] == f.expected[0] + 1).all() for f in tally.findings)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda y: y[:, :, :-1] if y.shape[2] > 1 else y[None], "shape"),
        (lambda y: y[0], "shape"),
        (lambda y: (y, y), "shape"),
        (lambda y: y.astype("float64"), "dtype"),
        (lambda y: y.astype(int), "dtype"),
        (lambda y: y.tolist(), "dtype"),
        (lambda y: y.astype(object), "dtype"),
        (lambda y: y.astype(str), "dtype"),
        (lambda y: None, "dtype"),
        (lambda y: y * numpy.float32("nan"), "value"),
        (lambda y: y / 0 * 0 + 1, "value"),
        (lambda y: [[1], [1, 2]], "shape"),
    ],
)
def test_kinds(spoil, kind):
    with numpy.errstate(all="ignore"):
        tally = ran(lambda *a, **k: spoil(fast.conv(*a, **k)), count=8)
    assert tally.found == tally.judged == 8
    assert {finding.kind for finding in tally.findings} == {kind}


def test_a_tuple_of_a_single_output_is_one_axis_more():
    assert {f.kind for f in ran(lambda *a, **k: (fast.conv(*a, **k),), count=8).findings} == {
        "shape"
    }


def test_a_list_of_lists_is_an_array_of_float64():
    tally = ran(lambda *a, **k: fast.conv(*a, **k).tolist(), count=40, dtype=numpy.dtype("float64"))
    assert tally.found == 0


def test_a_float_index_is_a_difference_of_dtype():
    def pool(input, **attributes):
        values, index = fast.max_pool_with_indices(input, **attributes)
        return values, index.astype(values.dtype)

    tally = ran(pool, "max_pool_with_indices", count=16)
    assert {finding.kind for finding in tally.findings} == {"dtype"}
    assert tally.found == 16


def test_too_few_outputs():
    tally = ran(lambda *a, **k: fast.conv_vjp(*a, **k)[:1], "conv_vjp", count=8)
    assert {finding.kind for finding in tally.findings} == {"shape"}
    assert len(tally.findings[0].actual) == 1


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyError("x")])
def test_an_exception_is_a_difference_and_the_loop_goes_on(error):
    def conv(*operands, **attributes):
        if attributes["groups"] > 1:
            raise error
        return fast.conv(*operands, **attributes)

    tally = ran(conv)
    assert 0 < tally.found < tally.judged == 200
    assert {finding.kind for finding in tally.findings} == {"raises"}
    assert all(f.case.attributes["groups"] > 1 and f.actual is None for f in tally.findings)


def test_an_interrupt_from_the_keyboard_ends_the_loop():
    def conv(*operands, **attributes):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(conv)


def test_what_is_not_offered_is_counted_by_reason_and_not_judged():
    def conv(input, weight, *, stride, padding, dilation):
        if input.ndim == 4:
            raise NotImplementedError("planes")
        return fast.conv(input, weight, stride=stride, padding=padding, dilation=dilation)

    tally = ran(conv, count=480)
    assert set(tally.unsupported) == {"bias is not taken", "groups is not taken", "planes"}
    assert tally.judged + sum(tally.unsupported.values()) == len(list(stream(count=480)))
    assert tally.found == 0
    assert {case.operands["input"].ndim for case in tally.refused} == {3, 4, 5}


class Overwrites:
    """Changes an argument, on some calls."""

    def __init__(self, when, name=0):
        self.when, self.name, self.calls = when, name, 0

    def __call__(self, *operands, **attributes):
        y = fast.conv(*operands, **attributes)
        if self.when(attributes):
            operands[self.name][...] = 7
        return y


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "when",
    [
        lambda a: True,
        lambda a: a["stride"][0] == 3,
        lambda a: a["groups"] == 3 and a["dilation"][0] == 2,
    ],
)
def test_an_argument_that_a_call_changes_is_noticed_with_the_call(when, place):
    tally = ran(Overwrites(when, place))
    assert tally.judged <= 200
    assert tally.mutated is not None
    assert when(tally.mutated.attributes)
    # The case is as it was before the call: another call of it changes it again.
    operands = {name: array.copy() for name, array in tally.mutated.operands.items()}
    Overwrites(when, place)(*operands.values(), **tally.mutated.attributes)
    assert any((operands[n] != array).any() for n, array in tally.mutated.operands.items())


def test_a_change_in_the_last_trial_is_noticed():
    assert ran(Overwrites(lambda a: True), count=1).mutated is not None


def test_a_change_that_happens_once_is_noticed_all_the_same():
    first = []
    tally = ran(Overwrites(lambda a: not first and not first.append(1)))
    assert tally.mutated is not None


def test_nan_in_the_arguments_is_no_change():
    x = numpy.array([[[numpy.nan, 1.0]]])
    attributes = {
        "kernel_size": (1,),
        "stride": (1,),
        "padding": ((0, 0),),
        "dilation": (1,),
        "ceil_mode": False,
    }
    trial = Trial({"input": x}, attributes, (x,))
    target = callee(fast, "max_pool")
    tally = run("max_pool", target, iter([trial, trial]), numpy.dtype("float64"))
    assert (tally.judged, tally.found, tally.mutated) == (2, 0, None)


def test_a_view_of_the_input_is_as_good_as_a_copy():
    def max_pool(input, **attributes):
        plain = set(attributes["kernel_size"]) == {1} and set(attributes["stride"]) == {1}
        return (
            input
            if plain and not any(map(any, attributes["padding"]))
            else fast.max_pool(input, **attributes)
        )

    assert ran(max_pool, "max_pool").found == 0


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1000, 1999])
def test_of_refused_cases_an_even_sample_is_kept(count):
    def refuses(*_, **__):
        raise NotImplementedError("not here")

    trials = [
        Trial({"input": numpy.ones((1, 1, 1))}, {"number": number}, (numpy.ones(1),))
        for number in range(count)
    ]
    target = callee(offering(max_pool=refuses), "max_pool")._replace(keywords=None)
    tally = run("max_pool", target, iter(trials), F32)
    assert tally.unsupported == {"not here": count}
    kept = [case.attributes["number"] for case in tally.refused]
    assert min(count, REFUSED_KEPT) / 2 <= len(kept) <= REFUSED_KEPT
    step = 1 if count <= REFUSED_KEPT else kept[1]
    assert kept == list(range(0, count, step))

"""Ties among maxima, and NaN and infinities: what each step accepts and what it finds."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.oracle.call import callee
from convspec.oracle.reference import spec, trials
from convspec.oracle.runner import run
from convspec.oracle.steps.special import GEOMETRIES, special_cases
from convspec.oracle.steps.ties import gradient_findings, index_findings, tie_cases
from tests.oracle.definitions import by_definition, is_equal
from tests.oracle.implementations import fft_convolve, offering

F32 = numpy.dtype("float32")


def rng():
    return numpy.random.default_rng(0)


def indices(function, dtype=F32):
    target = callee(offering(max_pool_with_indices=function), "max_pool_with_indices")
    return index_findings(target, tie_cases("max_pool_with_indices", rng(), dtype))


def gradients(function, dtype=F32):
    target = callee(offering(max_pool_vjp=function), "max_pool_vjp")
    return gradient_findings(target, tie_cases("max_pool_vjp", rng(), dtype))


def last_index(input, **attributes):
    """The last of several maxima: the first after adding a slope that grows along the input."""
    slope = numpy.arange(numpy.prod(input.shape[2:])).reshape(input.shape[2:]) * 2.0**-20
    lowest = numpy.isneginf(input)
    sloped = numpy.where(lowest, -1e6, input.astype(float)) + slope
    _, index = fast.max_pool_with_indices(sloped, **attributes)
    return fast.max_pool(input, **attributes), index


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("function", [fast.max_pool_with_indices, last_index])
def test_any_of_several_maxima_may_be_found(function, dtype):
    judged, findings = indices(function, numpy.dtype(dtype))
    assert judged == (5 if dtype == "int32" else 10)
    assert findings == []


def with_index(change):
    def pool(input, **attributes):
        values, index = fast.max_pool_with_indices(input, **attributes)
        return values, change(index, input)

    return pool


@pytest.mark.parametrize(
    "change",
    [
        lambda index, x: numpy.zeros_like(index),
        lambda index, x: index + 1,
        lambda index, x: -index,
        lambda index, x: numpy.where(index == index.max(), numpy.prod(x.shape[2:]), index),
        lambda index, x: numpy.full_like(index, -1),
        lambda index, x: index % x.shape[-1],
    ],
)
def test_an_index_outside_its_window_or_off_its_maximum(change):
    _, findings = indices(with_index(change))
    assert findings
    assert {finding.kind for finding in findings} == {"value"}


def test_an_index_one_past_the_input_is_found_where_a_window_is_padded():
    """A tap on padding reads nothing, and must not be taken for the element past the last."""

    def change(index, x):
        size = numpy.prod(x.shape[2:])
        last = (index == size - 1) if x.shape == (1, 1, 5, 5) else numpy.zeros(index.shape, bool)
        return numpy.where(last, size, index)

    x = numpy.zeros((1, 1, 5, 5), "f4")
    x[..., 4, 4] = 1
    attributes = {
        "kernel_size": (3, 3),
        "stride": (2, 2),
        "padding": ((1, 1), (1, 1)),
        "dilation": (1, 1),
        "ceil_mode": False,
    }
    case = next(tie_cases("max_pool_with_indices", rng(), F32))
    case = case._replace(operands={"input": x}, attributes=attributes)
    target = callee(offering(max_pool_with_indices=with_index(change)), "max_pool_with_indices")
    assert len(index_findings(target, iter([case]))[1]) == 1


def test_a_wrong_maximum_with_its_right_index():
    def smallest(input, **attributes):
        values, index = fast.max_pool_with_indices(-input, **attributes)
        return -values, index

    assert {finding.kind for finding in indices(smallest)[1]} == {"value"}


def test_indices_of_another_shape_or_dtype():
    _, findings = indices(with_index(lambda index, x: index[..., :1]))
    assert {finding.kind for finding in findings} == {"shape"}
    assert indices(with_index(lambda index, x: index.astype(float)))[1] == []  # the sweep's to find
    narrow = indices(
        lambda input, **a: tuple(y[..., :1] for y in fast.max_pool_with_indices(input, **a))
    )
    assert {finding.kind for finding in narrow[1]} == {"shape"}


def test_indices_that_are_not_offered():
    def lacks(input, **_):
        raise NotImplementedError

    assert indices(lacks) == (0, [])
    assert gradients(lambda *_, **__: lacks(0)) == (0, [])


def averaged(count):
    """The mean of gradients under random orders of the ties: shares that need not be equal."""

    def max_pool_vjp(cotangent, input, **attributes):
        d = numpy.zeros(input.shape)
        for turn in range(count):
            nudge = numpy.random.default_rng(turn).random(input.shape) * 2.0**-8
            part = fast.max_pool_vjp(cotangent.astype(float), input + nudge, **attributes)[0]
            d += part.astype(float) / count
        return (d.astype(input.dtype),)

    return max_pool_vjp


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("function", [fast.max_pool_vjp, averaged(1), averaged(3), averaged(7)])
def test_a_gradient_may_be_shared_in_any_way(function, dtype):
    judged, findings = gradients(function, numpy.dtype(dtype))
    assert judged > 50
    assert findings == []


def scaled(change):
    def max_pool_vjp(cotangent, input, **attributes):
        return (change(fast.max_pool_vjp(cotangent, input, **attributes)[0], cotangent, input),)

    return max_pool_vjp


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d, g, x: d * 2, "received 2 times"),
        (lambda d, g, x: d * numpy.float32(1 + 2.0**-12), "received 1.00024 times"),
        (lambda d, g, x: numpy.roll(d, 1, axis=-1), "no maximum of its window"),
        (lambda d, g, x: d + (x == x.min()), "no maximum of its window"),
        (lambda d, g, x: -d, "negative share"),
        (lambda d, g, x: numpy.flip(d, axis=0), "no maximum of its window"),
    ],
)
def test_a_gradient_that_is_no_gradient(change, words):
    _, findings = gradients(scaled(change))
    assert findings
    assert {finding.kind for finding in findings} == {"gradient"}
    assert any(words in finding.message for finding in findings)


def test_a_gradient_that_is_not_linear():
    def change(d, g, x):
        return d if abs(g).sum() <= 1 else d * 2

    _, findings = gradients(scaled(change))
    assert "is not the sum of the cotangents" in findings[0].message


def test_a_gradient_of_another_shape_is_left_to_the_sweep():
    assert gradients(lambda g, x, **a: (x[..., :1],)) == (0, [])


def test_a_linear_gradient_that_stops_being_offered():
    calls = []

    def late(cotangent, input, **attributes):
        calls.append(1)
        if abs(cotangent).sum() > 1:
            raise NotImplementedError
        return fast.max_pool_vjp(cotangent, input, **attributes)

    judged, findings = gradients(late)
    assert judged > 50
    assert findings == []


@pytest.mark.parametrize("operation", GEOMETRIES)
def test_special_cases_are_those_of_the_definition(operation):
    seen = set()
    for case in special_cases(operation, rng(), numpy.dtype("float64"), 2):
        first, *others = case.operands.values()
        assert not numpy.isfinite(first).all()
        assert all(numpy.isfinite(other).all() for other in others)
        seen |= set(map(str, first[~numpy.isfinite(first)]))
        if first.size > 300:
            continue  # a literal definition takes its time
        with numpy.errstate(all="ignore"):
            right = by_definition(operation, case.operands, case.attributes)
            found = next(trials(iter([case]), spec())).expected
        if operation != "average_pool":
            assert all(is_equal(a, b) for a, b in zip(found, right, strict=True))
    assert seen == {"nan", "inf", "-inf"}


@pytest.mark.parametrize("operation", ["max_pool_with_indices", "conv", "average_pool"])
def test_no_specials_among_integers_and_for_other_operations(operation):
    assert list(special_cases(operation, rng(), numpy.dtype("int32"), 2)) == []
    assert list(special_cases(f"{operation}_vjp", rng(), F32, 2)) == []


def special_run(operation, function, repeats=6):
    target = callee(offering(**{operation: function}), operation)
    cases = special_cases(operation, rng(), F32, repeats)
    with numpy.errstate(all="ignore"):
        return run(operation, target, trials(cases, spec()), F32)


@pytest.mark.parametrize("operation", GEOMETRIES)
def test_the_twins_pass_them(operation):
    assert special_run(operation, getattr(fast, operation)).found == 0


def test_special_values_leave_the_last_of_several_maxima_alone():
    def last(input, **attributes):
        _, index = last_index(numpy.where(numpy.isnan(input), numpy.inf, input), **attributes)
        return fast.max_pool(input, **attributes), index

    def no_infinity_beside(case):
        return not (
            numpy.isnan(case.operands["input"]).any()
            and numpy.isposinf(case.operands["input"]).any()
        )

    tally = special_run("max_pool_with_indices", last)
    assert not [f for f in tally.findings if no_infinity_beside(f.case)]


@pytest.mark.parametrize(
    ("operation", "function"),
    [
        ("convolve", fft_convolve),
        ("conv", lambda x, *o, **a: fast.conv(numpy.nan_to_num(x), *o, **a)),
        ("max_pool", lambda x, **a: fast.max_pool(numpy.where(numpy.isnan(x), -numpy.inf, x), **a)),
        ("max_pool", lambda x, **a: fast.max_pool(numpy.maximum(x, numpy.float32(-1e30)), **a)),
        ("average_pool", lambda x, **a: fast.average_pool(numpy.nan_to_num(x), **a)),
    ],
)
def test_what_loses_or_spreads_them_is_found(operation, function):
    assert special_run(operation, function).found > 0

"""Minimal cases are what one would write by hand."""

from __future__ import annotations

from itertools import islice

import numpy
import pytest

from convspec import fast
from convspec.case import Case, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.call import callee
from convspec.oracle.cases.streams import exact_trials
from convspec.oracle.explanation.shrink import smallest
from convspec.oracle.reference import spec
from convspec.oracle.runner import run
from convspec.oracle.steps.search import is_open, judged_finding
from convspec.oracle.trials.trial import Setting
from tests.oracle.definitions import by_definition
from tests.oracle.implementations import offering

F32 = numpy.dtype("float32")


def minimal(operation, function, *, rank=None):
    """The smallest case that the first failing one of the sweep is reduced to."""
    target = callee(offering(**{operation: function}), operation)
    stream = exact_trials(operation, "quick", 0, Setting(F32, numpy.random.default_rng(0)))
    if rank is not None:
        stream = (t for t in stream if next(iter(t.operands.values())).ndim == rank + 2)
    findings = run(operation, target, islice(stream, 600), F32).findings
    first = findings[len(findings) // 2]  # some failing case, and not the plainest

    def fails(case):
        seen = judged_finding(target, case, spec())
        return not isinstance(seen, bool | None) and seen.kind == first.kind and not is_open(seen)

    assert fails(first.case)
    found = smallest(first.case, fails)
    assert fails(found)
    return found


def shapes(case):
    return {name: array.shape for name, array in case.operands.items()}


def plain(case, **changed):
    """Whether every attribute is at its simplest, but for those named."""
    expected = {
        "stride": (1,),
        "padding": ((0, 0),),
        "dilation": (1,),
        "groups": 1,
        "output_padding": (0,),
        "ceil_mode": False,
        "count_include_pad": False,
        **changed,
    }
    return all(value == expected[n] for n, value in case.attributes.items() if n in expected)


def with_attributes(function, **fixed):
    """A function that takes some attributes for others."""

    def planted(*operands, **attributes):
        new = {n: value(attributes) if callable(value) else value for n, value in fixed.items()}
        return function(*operands, **{**attributes, **new})

    return planted


def test_a_flipped_kernel():
    def conv(input, weight, *bias, **attributes):
        return fast.conv(
            input, numpy.flip(weight, tuple(range(2, weight.ndim))), *bias, **attributes
        )

    case = minimal("conv", conv)
    assert shapes(case) == {"input": (1, 1, 2), "weight": (1, 1, 2)} or (
        # One element is enough where padding supplies the others.
        shapes(case) == {"input": (1, 1, 1), "weight": (1, 1, 2)}
        and sum(case.attributes["padding"][0]) == 1
    )
    assert len(set(case.operands["weight"].ravel().tolist())) == 2


def test_a_stride_that_is_ignored():
    case = minimal(
        "conv", with_attributes(fast.conv, stride=lambda a: tuple(1 for _ in a["stride"]))
    )
    assert case.operands["weight"].size == 1
    assert case.attributes["stride"] == (2,)
    assert case.operands["input"].size + sum(case.attributes["padding"][0]) == 2


def test_padding_on_the_wrong_side():
    swapped = with_attributes(fast.conv, padding=lambda a: tuple((h, l) for l, h in a["padding"]))
    case = minimal("conv", swapped)
    assert shapes(case) == {"input": (1, 1, 1), "weight": (1, 1, 1)}
    assert sorted(case.attributes["padding"][0]) == [0, 1]
    assert {n: x.item() for n, x in case.operands.items()} == {"input": 1, "weight": 1}


def test_a_dilation_that_is_ignored():
    case = minimal(
        "conv", with_attributes(fast.conv, dilation=lambda a: tuple(1 for _ in a["dilation"]))
    )
    assert case.operands["weight"].shape == (1, 1, 2)
    assert plain(
        case, dilation=(2,), padding=case.attributes["padding"], stride=case.attributes["stride"]
    )
    assert case.operands["input"].size + sum(case.attributes["padding"][0]) == 3


def test_groups_in_reverse():
    def conv(input, weight, *bias, **attributes):
        return fast.conv(
            input[:, ::-1] if attributes["groups"] > 1 else input, weight, *bias, **attributes
        )

    case = minimal("conv", conv)
    assert shapes(case) == {"input": (1, 2, 1), "weight": (2, 1, 1)}
    assert plain(case, groups=2)


def test_a_bias_that_is_forgotten():
    case = minimal("conv", lambda input, weight, bias=None, **a: fast.conv(input, weight, **a))
    assert {n: x.tolist() for n, x in case.operands.items()} == {
        "input": [[[0]]],
        "weight": [[[0]]],
        "bias": [1],
    }
    assert plain(case)


def test_a_batch_of_which_one_item_is_computed():
    def conv(input, *operands, **attributes):
        y = fast.conv(input, *operands, **attributes)
        y[1:] = 0
        return y

    case = minimal("conv", conv)
    assert shapes(case) == {"input": (2, 1, 1), "weight": (1, 1, 1)}
    assert case.operands["input"].ravel().tolist() == [0, 1]
    assert plain(case)


def test_padding_that_takes_part_in_a_maximum():
    def max_pool(input, *, padding, **attributes):
        pad = [(0, 0), (0, 0), *padding]
        none = tuple((0, 0) for _ in padding)
        return fast.max_pool(numpy.pad(input, pad), padding=none, **attributes)

    case = minimal("max_pool", max_pool)
    assert shapes(case) == {"input": (1, 1, 1)}
    assert case.attributes["kernel_size"] == (2,)
    assert sum(case.attributes["padding"][0]) == 1
    assert case.operands["input"].item() < 0


def test_ceil_mode_that_is_ignored():
    case = minimal("max_pool", with_attributes(fast.max_pool, ceil_mode=False))
    (low, high), (n,) = case.attributes["padding"][0], case.operands["input"].shape[2:]
    assert case.attributes["ceil_mode"] is True
    assert (case.attributes["kernel_size"], case.attributes["stride"]) == ((2,), (2,))
    assert (n + low, high) == (3, 0)


def test_an_average_over_the_whole_kernel():
    def average_pool(input, **attributes):
        return fast.average_pool(input, **{**attributes, "count_include_pad": True})

    case = minimal("average_pool", average_pool)
    assert shapes(case) == {"input": (1, 1, 1)}
    assert case.attributes["kernel_size"] == (2,)
    assert sum(case.attributes["padding"][0]) == 1
    assert case.operands["input"].item() == 1


def test_output_padding_that_is_ignored():
    case = minimal(
        "conv_transpose",
        with_attributes(
            fast.conv_transpose, output_padding=lambda a: tuple(0 for _ in a["stride"])
        ),
    )
    assert shapes(case) == {"input": (1, 1, 1), "weight": (1, 1, 1)}
    assert case.attributes["output_padding"] == (1,)
    assert max(*case.attributes["stride"], *case.attributes["dilation"]) == 2


def test_a_convolution_that_does_not_flip():
    case = minimal("convolve", fast.correlate)
    assert sorted(array.size for array in case.operands.values()) == [1, 2]
    assert case.attributes == {"mode": "full"}


def test_axes_that_are_swapped():
    def conv(input, weight, *bias, **attributes):
        return fast.conv(
            input,
            weight.swapaxes(2, 3) if weight.shape[2] == weight.shape[3] else weight,
            *bias,
            **attributes,
        )

    def planes(input, *operands, **attributes):
        return (
            conv(input, *operands, **attributes)
            if input.ndim == 4
            else fast.conv(input, *operands, **attributes)
        )

    case = minimal("conv", planes, rank=2)
    assert case.operands["weight"].shape == (1, 1, 2, 2)
    assert int((case.operands["weight"] != 0).sum()) <= 2


def test_a_bias_gradient_that_is_a_mean():
    def conv_vjp(cotangent, *operands, **attributes):
        *others, d = fast.conv_vjp(cotangent, *operands, **attributes)
        return (*others, d / len(cotangent)) if len(operands) == 3 else (*others, d)

    case = minimal("conv_vjp", conv_vjp)
    assert shapes(case) == {
        "cotangent": (2, 1, 1),
        "input": (2, 1, 1),
        "weight": (1, 1, 1),
        "bias": (1,),
    }
    assert case.operands["cotangent"].ravel().tolist() in ([0, 1], [1, 0])
    assert plain(case)


def test_a_gradient_without_its_stride():
    def conv_vjp(cotangent, input, weight, *bias, **attributes):
        d = list(fast.conv_vjp(cotangent, input, weight, *bias, **attributes))
        if attributes["stride"][0] > 1:
            d[0] = d[0] * 0
        return tuple(d)

    case = minimal("conv_vjp", conv_vjp)
    assert shapes(case) == {"cotangent": (1, 1, 1), "input": (1, 1, 1), "weight": (1, 1, 1)}
    assert plain(case, stride=(2,))
    assert [case.operands[n].item() for n in ("cotangent", "input", "weight")] == [1, 0, 1]


CASES = {
    "conv": (
        {"input": (3, 4, 5, 4), "weight": (6, 2, 2, 3), "bias": (6,)},
        {"groups": 2, "padding": 1, "dilation": (2, 1)},
    ),
    "conv_transpose": (
        {"input": (2, 6, 3), "weight": (6, 2, 3), "bias": (6,)},
        {"groups": 3, "stride": 2, "output_padding": 1},
    ),
    "convolve": ({"f": (5, 4), "g": (2, 3)}, {"mode": "same"}),
    "max_pool": ({"input": (2, 3, 6)}, {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    "average_pool": (
        {"input": (2, 1, 7)},
        {"kernel_size": 3, "padding": 1, "count_include_pad": True},
    ),
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_every_reduction_is_a_valid_call(name, backward):
    sizes, given = CASES[name]
    attributes = normalised(name, sizes, given)
    operation = f"{name}_vjp" if backward else name
    if backward:
        sizes = {"cotangent": OPERATIONS[name].shape(*sizes.values(), **attributes), **sizes}
    rng = numpy.random.default_rng(0)
    case = Case(
        operation, {n: rng.integers(1, 9, s).astype("f4") for n, s in sizes.items()}, attributes
    )
    tried = []

    def fails(smaller):
        tried.append(smaller)
        by_definition(operation, smaller.operands, smaller.attributes)
        return (
            len(tried) % 3 == 0
        )  # some of them "fail", so that reductions of reductions are tried

    smallest(case, fails, attempts=250)
    assert len(tried) > 12


def test_all_that_always_fails_is_reduced_to_nothing():
    sizes, given = CASES["conv"]
    case = Case(
        "conv", {n: numpy.full(s, 7.0) for n, s in sizes.items()}, normalised("conv", sizes, given)
    )
    found = smallest(case, lambda _: True)
    assert {n: x.tolist() for n, x in found.operands.items()} == {
        "input": [[[0]]],
        "weight": [[[0]]],
    }
    assert found.attributes == normalised("conv", {"input": (1, 1, 1), "weight": (1, 1, 1)}, {})
    assert forward_name(found.operation) == "conv"


def test_what_never_fails_again_stays_and_attempts_are_counted():
    sizes, given = CASES["conv_transpose"]
    case = Case(
        "conv_transpose",
        {n: numpy.full(s, 7.0) for n, s in sizes.items()},
        normalised("conv_transpose", sizes, given),
    )
    assert smallest(case, lambda _: False) is case
    tried = []
    smallest(case, lambda smaller: bool(tried.append(smaller)), attempts=10)
    assert len(tried) == 9
    empty = Case(
        "max_pool",
        {"input": numpy.zeros((0, 1, 1))},
        normalised("max_pool", {"input": (0, 1, 1)}, {"kernel_size": 1}),
    )
    assert smallest(empty, lambda _: True).operands["input"].shape == (0, 1, 1)

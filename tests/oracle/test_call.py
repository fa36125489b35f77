"""Calling an implementation: what it offers, how it is called, and what came of it."""

from __future__ import annotations

from functools import partial
from types import ModuleType, SimpleNamespace

import numpy
import pytest

from convspec.oracle.call import (
    Callee,
    Failed,
    Returned,
    Unsupported,
    arguments,
    as_outputs,
    call,
    callee,
    output_count,
)
from tests.oracle.implementations import offering

X, W, B = numpy.ones((1, 1, 3)), numpy.ones((1, 1, 2)), numpy.ones(1)
PLAIN = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
POOL = {
    "kernel_size": (2,),
    "stride": (2,),
    "padding": ((0, 0),),
    "dilation": (1,),
    "ceil_mode": False,
}


def given(function, operation="conv", operands=None, **attributes):
    """What a function is called with, for a plain call with some attributes changed."""
    operands = {"input": X, "weight": W} if operands is None else operands
    target = callee(offering(**{operation: function}), operation)
    return arguments(target, operation, operands, {**PLAIN, **attributes})


def test_the_function_of_an_object_a_module_an_instance_and_a_class():
    class Layers:
        def conv(self, input, weight, stride=1):
            return input

        conv_transpose = 3

    module = ModuleType("layers")
    module.conv = lambda input, weight: input
    assert callee(module, "conv").positional == ("input", "weight")
    instance = callee(Layers(), "conv")
    assert instance.positional == ("input", "weight", "stride")
    assert instance.keywords == {"input", "weight", "stride"}
    assert callee(Layers(), "conv_transpose") is None
    assert callee(Layers(), "max_pool") is None
    assert callee(SimpleNamespace(conv=partial(Layers().conv, stride=2)), "conv") is not None


def test_a_function_without_a_signature_is_called_with_everything():
    class Opaque:
        @property
        def __signature__(self):
            raise ValueError("none")

        def __call__(self, *operands, **attributes):
            return len(operands), sorted(attributes)

    target = callee(offering(conv=Opaque()), "conv")
    assert target == Callee(target.function, None, None, [])
    placed, keywords = arguments(target, "conv", {"input": X, "weight": W, "bias": B}, PLAIN)
    assert len(placed) == 3
    assert keywords == PLAIN
    assert callee(offering(conv=dict.fromkeys), "conv") is not None


def test_a_learners_signature_lacks_attributes_at_their_default():
    placed, keywords = given(lambda input, weight: 0)
    assert [x is y for x, y in zip(placed, (X, W), strict=True)] == [True, True]
    assert keywords == {}
    assert given(lambda x, w, stride=1: 0)[1] == {"stride": (1,)}


@pytest.mark.parametrize(
    "changed",
    [{"stride": (2,)}, {"padding": ((0, 1),)}, {"dilation": (2,)}, {"groups": 2}],
)
def test_an_attribute_that_is_not_at_its_default_must_be_taken(changed):
    (name,) = changed
    assert given(lambda input, weight: 0, **changed) == Unsupported(f"{name} is not taken")
    assert given(lambda input, weight, **kw: 0, **changed)[1] == {**PLAIN, **changed}
    # A positional-only parameter cannot be named.
    assert isinstance(
        given(lambda x, w, stride, padding, dilation, groups, /: 0, **changed), Unsupported
    )


def test_attributes_with_other_defaults():
    def pool(input, kernel_size):
        return 0

    target = callee(offering(max_pool=pool, average_pool=pool), "max_pool")
    operands = {"input": X}
    assert arguments(target, "max_pool", operands, POOL)[1] == {"kernel_size": (2,)}
    for changed in ({"stride": (1,)}, {"ceil_mode": True}):
        assert isinstance(arguments(target, "max_pool", operands, {**POOL, **changed}), Unsupported)
    included = {**POOL, "count_include_pad": True}
    assert arguments(target, "average_pool", operands, included) == Unsupported(
        "count_include_pad is not taken"
    )
    transposed = {**PLAIN, "output_padding": (0,)}
    plain = callee(offering(conv_transpose=lambda x, w: 0), "conv_transpose")
    both = {"input": X, "weight": W}
    assert arguments(plain, "conv_transpose", both, transposed)[1] == {}
    transposed["output_padding"] = (1,)
    assert isinstance(arguments(plain, "conv_transpose", both, transposed), Unsupported)
    signal = callee(offering(convolve=lambda f, g: 0), "convolve")
    two = {"f": X.ravel(), "g": W.ravel()}
    assert arguments(signal, "convolve", two, {"mode": "full"})[1] == {}
    assert isinstance(arguments(signal, "convolve", two, {"mode": "same"}), Unsupported)


WITH_BIAS = {"input": X, "weight": W, "bias": B}


@pytest.mark.parametrize(
    ("function", "places"),
    [
        (lambda x, w, b=None, **kw: 0, 3),
        (lambda input, weight, bias: 0, 3),
        (lambda *operands, **kw: 0, 3),
        (lambda x, w, *, bias=None: 0, 2),
        (lambda x, w, stride=1, bias=None: 0, 2),
        (lambda x, w, **kw: 0, 2),
    ],
)
def test_a_bias_goes_where_there_is_a_place_for_it(function, places):
    placed, keywords = given(function, operands=WITH_BIAS)
    assert len(placed) == places
    assert ("bias" in keywords) == (places == 2)


@pytest.mark.parametrize("function", [lambda x, w: 0, lambda x, w, stride=1: 0])
def test_a_bias_that_is_not_taken(function):
    assert given(function, operands=WITH_BIAS) == Unsupported("bias is not taken")


def test_too_few_places():
    assert given(lambda x: 0) == Unsupported("2 operands are not taken")
    assert given(lambda: 0) == Unsupported("2 operands are not taken")


def test_the_cotangent_comes_first():
    function = offering(conv_vjp=lambda cotangent, input, weight, bias=None, **kw: 0)
    operands = {"cotangent": X, **WITH_BIAS}
    placed, _ = arguments(callee(function, "conv_vjp"), "conv_vjp", operands, PLAIN)
    assert [x is y for x, y in zip(placed, operands.values(), strict=True)] == [True] * 4


def test_how_many_outputs():
    assert output_count("conv", WITH_BIAS) == 1
    assert output_count("max_pool_with_indices", {"input": X}) == 2
    assert output_count("conv_vjp", {"cotangent": X, "input": X, "weight": W}) == 2
    assert output_count("conv_vjp", {"cotangent": X, **WITH_BIAS}) == 3
    assert output_count("max_pool_with_indices_vjp", {"cotangent": X, "input": X}) == 1


class NoArray:
    """Numbers that will not become an array."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("still on the device")


@pytest.mark.parametrize(
    ("result", "count", "kind", "words"),
    [
        (None, 1, "dtype", "returned None"),
        ("text", 1, "dtype", "'text'"),
        (numpy.array(["a"]), 1, "dtype", "<U1"),
        (numpy.array([None, 1]), 1, "dtype", "holds no real numbers"),
        (numpy.zeros(40, object), 1, "dtype", "an array of object"),
        (numpy.array([1j]), 1, "dtype", "no real numbers"),
        (numpy.array([True]), 1, "dtype", "no real numbers"),
        (numpy.zeros(2, [("a", "f4")]), 1, "dtype", "no real numbers"),
        ([[1, 2], [3]], 1, "shape", "no array"),
        (NoArray(), 1, "shape", "RuntimeError: still on the device"),
        (X, 2, "shape", "no tuple where 2 are due"),
        ((X,), 2, "shape", "1 outputs where 2 are due"),
        ((X, X, X), 2, "shape", "3 outputs where 2 are due"),
        ((X, None), 2, "dtype", "None"),
    ],
)
def test_what_is_no_output(result, count, kind, words):
    outcome = as_outputs("conv_vjp" if count > 1 else "conv", result, count)
    assert isinstance(outcome, Failed)
    assert outcome.kind == kind
    assert words in outcome.message


@pytest.mark.parametrize("result", [X, X.tolist(), [[[1, 1, 1]]], memoryview(X), 3])
def test_what_is_an_output(result):
    outcome = as_outputs("conv", result, 1)
    assert isinstance(outcome, Returned)
    assert (outcome.outputs[0] == numpy.asarray(result)).all()


def test_a_single_cotangent_comes_in_a_tuple():
    for result in ((X,), [X]):
        assert as_outputs("max_pool_vjp", result, 1).outputs[0].shape == X.shape
    alone = as_outputs("max_pool_vjp", X, 1)
    assert alone == Failed("shape", "returned no tuple where 1 is due")
    assert as_outputs("max_pool_vjp", (X, X), 1).kind == "shape"


def raising(error):
    def conv(input, weight, bias=None, **attributes):
        raise error

    return conv


class Panic(BaseException):
    """What a native extension may raise past `Exception`."""


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        TypeError("an unexpected keyword argument of its own making"),
        TypeError("helper() got an unexpected keyword argument 'axes'"),
        ZeroDivisionError(),
        AssertionError("x" * 2000),
        MemoryError(),
        RecursionError(),
        StopIteration(),
        GeneratorExit(),
        SystemExit(3),
        Panic("at the native side"),
    ],
)
def test_an_exception_on_a_valid_case_is_a_difference(error):
    outcome = call(callee(offering(conv=raising(error)), "conv"), "conv", WITH_BIAS, PLAIN)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "raises"
    assert outcome.message.startswith(type(error).__name__)
    assert len(outcome.message) <= 500


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotImplementedError("only 2-D"), "only 2-D"),
        (NotImplementedError(), "NotImplementedError"),
        (
            TypeError("conv() got an unexpected keyword argument 'dilation'"),
            "conv() got an unexpected keyword argument 'dilation'",
        ),
    ],
)
def test_what_says_that_it_is_not_offered_is_unsupported(error, reason):
    outcome = call(callee(offering(conv=raising(error)), "conv"), "conv", WITH_BIAS, PLAIN)
    assert outcome == Unsupported(reason)


def test_an_interrupt_from_the_keyboard_ends_the_check():
    target = callee(offering(conv=raising(KeyboardInterrupt())), "conv")
    with pytest.raises(KeyboardInterrupt):
        call(target, "conv", WITH_BIAS, PLAIN)


def test_a_call_from_beginning_to_end():
    target = callee(offering(conv=lambda input, weight: input[..., :2] * 2), "conv")
    assert call(target, "conv", {"input": X, "weight": W}, PLAIN).outputs[0].tolist() == [[[2, 2]]]
    assert isinstance(call(target, "conv", WITH_BIAS, PLAIN), Unsupported)

"""The accuracy class is the arithmetic that was used: no finer, no coarser."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.case import normalised
from convspec.oracle import check
from convspec.oracle.call import callee
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.reference import spec
from convspec.oracle.steps.accuracy import GEOMETRIES, INDEPENDENT, accuracy
from convspec.oracle.steps.rounding_probes import probes
from tests.oracle.arithmetic import cut_to_bits, to_bits
from tests.oracle.implementations import (
    after,
    fft_convolve,
    inside,
    offering,
    winograd_conv,
)

ROUNDED = [n for name in GEOMETRIES for n in (name, f"{name}_vjp")]


def judged(operation, function, dtype, *, required=None, seed=0):
    target = callee(offering(**{operation: function}), operation)
    rng = numpy.random.default_rng(seed)
    with numpy.errstate(all="ignore"):
        return accuracy(operation, target, spec(), numpy.dtype(dtype), rng, required)


def class_of(operation, function, dtype, **more):
    return judged(operation, function, dtype, **more).name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", ROUNDED)
def test_an_arithmetic_of_its_own_dtype(operation, dtype):
    seen = judged(operation, inside(dtype, getattr(fast, operation)), dtype)
    assert seen.name == dtype
    small = len(list(probes(operation, numpy.dtype(dtype)))) + (operation in INDEPENDENT)
    assert seen.judged == 2 * len(GEOMETRIES[operation.removesuffix("_vjp")]) + small
    assert 0 < seen.ratio <= 1
    assert seen.findings == ()


@pytest.mark.parametrize("operation", ROUNDED)
def test_float64_inside(operation):
    for dtype in ("float32", "float16"):
        assert class_of(operation, inside("float64", getattr(fast, operation)), dtype) == "float64"


@pytest.mark.parametrize("operation", ROUNDED)
def test_float32_inside_a_half_type(operation):
    seen = class_of(operation, inside("float32", getattr(fast, operation)), "float16")
    # Products of float16 are exact in float32, and their sums nearly so: float64 explains them.
    assert seen in ("float64", "float32")


@pytest.mark.parametrize("cut", [to_bits, cut_to_bits])
@pytest.mark.parametrize(("bits", "name"), [(11, "tf32"), (8, "bfloat16")])
@pytest.mark.parametrize("operation", ["convolve", "conv", "conv_vjp", "conv_transpose"])
def test_narrow_operands(operation, bits, name, cut):
    narrow = after(lambda x: cut(x, bits), getattr(fast, operation))
    assert class_of(operation, narrow, "float32") == name


def test_one_narrow_operand_is_enough():
    def conv(input, weight, bias=None, **attributes):
        return fast.conv(input, to_bits(weight, 8), bias, **attributes)

    assert class_of("conv", conv, "float32") == "bfloat16"


def sequential_half(input, weight, bias=None, *, stride, padding, dilation, groups):
    """Every product and every sum rounded to float16."""
    if weight[0].size > 30:
        raise NotImplementedError("slow")
    ones = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    total = None
    for tap in numpy.ndindex(weight.shape[1:]):
        one = numpy.zeros_like(weight)
        one[(slice(None), *tap)] = weight[(slice(None), *tap)]
        term = fast.conv(input.astype("float64"), one.astype("float64"), **ones)
        term = term.astype("float16")
        total = term if total is None else total + term
    return total if bias is None else total + bias.reshape(-1, *(1,) * (input.ndim - 2))


def test_float16_accumulation():
    assert class_of("conv", sequential_half, "float16") == "float16"


def test_an_average_summed_in_float16_is_a_class_and_no_difference():
    """Sums of ones stall at 2048, within the bound of float16: who needs better asks for it."""
    stalls = DEVIATIONS["average accumulated in the storage dtype"].edit(fast, "average_pool")
    whole = normalised("average_pool", {"input": (1, 1, 4096)}, {"kernel_size": 4096})
    assert stalls(input=numpy.ones((1, 1, 4096), "float16"), **whole) == 0.5
    for required, status in ((None, "conforms"), ("float32", "differs")):
        report = check(
            offering(average_pool=stalls),
            ["average_pool"],
            dtypes=["float16"],
            require_accuracy=required,
        )
        assert report["average_pool"].status == status
        assert report["average_pool"].accuracy == "float16"
        kinds = {difference.kind for difference in report["average_pool"].differences}
        assert kinds == (set() if required is None else {"accuracy"})


def test_float16_accumulation_of_float32_is_no_float32():
    def conv(input, weight, bias=None, **attributes):
        half = [x if x is None else x.astype("float16") for x in (input, weight, bias)]
        return sequential_half(*half, **attributes).astype("float32")

    assert class_of("conv", conv, "float32") not in ("float64", "float32", "tf32")


def test_narrow_operands_of_a_half_type_are_no_fast_algorithm():
    narrow = after(lambda x: to_bits(x, 8), inside("float64", fast.conv))
    assert class_of("conv", narrow, "float16") == "bfloat16"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_fft_is_a_fast_algorithm(dtype):
    assert class_of("convolve", fft_convolve, dtype) == "fast algorithm"


@pytest.mark.parametrize(
    ("tile", "names"), [(2, {"float32", "fast algorithm"}), (4, {"fast algorithm"})]
)
def test_winograd(tile, names):
    assert class_of("conv", winograd_conv(tile), "float32") in names


@pytest.mark.slow
def test_winograd_conforms_as_a_fast_algorithm_but_for_special_values():
    report = check(offering(conv=winograd_conv(4)), ["conv"], level="quick", dtypes=["float32"])
    assert {d.kind for d in report["conv"].differences} == {"special"}  # NaN fills its tile
    assert report["conv"].accuracy == "fast algorithm"


@pytest.mark.slow
def test_an_fft_conforms_as_a_fast_algorithm_but_for_special_values():
    report = check(offering(convolve=fft_convolve), ["convolve"], level="quick")
    assert {d.kind for d in report["convolve"].differences} == {"special"}
    assert report["convolve"].accuracy == "fast algorithm"


def wrong_in_the_last_half(input, weight, bias=None, **attributes):
    """Sums that are off by a relative 2^-5: no arithmetic explains it."""
    y = fast.conv(input, weight, bias, **attributes)
    return (y * (1 + 2.0**-5)).astype(y.dtype)


def test_what_no_arithmetic_explains_is_a_finding():
    seen = judged("conv", wrong_in_the_last_half, "float32")
    assert seen.name is None
    (finding,) = seen.findings
    assert finding.kind == "accuracy"
    assert "off where float32 arithmetic does not round" in finding.message
    assert finding.case.operation == "conv"


@pytest.mark.parametrize(
    ("required", "conforms"),
    [("float64", False), ("float32", False), ("tf32", True), ("bfloat16", True), (None, True)],
)
def test_a_required_accuracy(required, conforms):
    narrow = after(lambda x: to_bits(x, 11), fast.conv)
    report = check(
        offering(conv=narrow),
        ["conv"],
        level="quick",
        dtypes=["float32"],
        require_accuracy=required,
    )
    assert (report.status == "conforms") == conforms
    assert report["conv"].accuracy == "tf32"
    kinds = [difference.kind for difference in report["conv"].differences]
    assert kinds == ([] if conforms else ["accuracy"])
    if not conforms:
        assert required in report["conv"].differences[0].message


def test_float64_is_required_of_float64_and_not_of_float32():
    """A required class is the coarsest allowed: float32 sums of float64 operands are coarser."""
    narrow = inside("float32", fast.conv)
    assert judged("conv", narrow, "float64", required="float64").findings
    assert not judged("conv", narrow, "float64", required="float32").findings


def test_nothing_to_judge():
    def refuses(*_, **__):
        raise NotImplementedError

    seen = judged("conv", refuses, "float32")
    assert seen == (0, None, 0.0, (), ())
    assert judged("max_pool", fast.max_pool, "float32").judged == 0


def test_outputs_of_other_shapes_and_dtypes_are_left_to_the_sweep():
    assert class_of("conv", lambda *a, **k: fast.conv(*a, **k)[..., :1], "float32") is None
    assert class_of("conv", lambda *a, **k: fast.conv(*a, **k).astype(int), "float32") is None


def test_outputs_that_are_no_numbers_have_no_accuracy():
    seen = judged("conv", lambda *a, **k: fast.conv(*a, **k) * numpy.float32("nan"), "float32")
    assert seen.name is None
    assert seen.findings

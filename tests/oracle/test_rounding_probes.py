"""Probes of one product or one sum, and the lean of errors: what they say, of whom."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest

from convspec import fast
from convspec.oracle import check
from convspec.oracle.steps.leaning import SIGNIFICANCE, chance, leaning
from convspec.oracle.steps.rounding_probes import OTHERS, probes
from convspec.rounding import precision
from tests.correct_variants import VARIANTS
from tests.oracle.arithmetic import cut_to_bits, fractions, to_bits
from tests.oracle.implementations import after, fft_convolve, inside, offering, winograd_conv
from tests.oracle.test_accuracy import judged

PROBED = ("convolve", "correlate", "conv", "conv_transpose", *OTHERS)


def notes(operation, function, dtype="float32"):
    return " / ".join(judged(operation, function, dtype).notes)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("operation", PROBED)
def test_probes_are_exact_in_wider_arithmetic_and_rounded_up_in_their_own(operation, dtype):
    function, dtype = getattr(fast, operation), numpy.dtype(dtype)
    found = list(probes(operation, dtype))
    assert {probe.roundings for probe in found} == {0, 1}
    for probe in found:
        operands = probe.case.operands.values()
        (high,), (low,) = map(fractions, probe.exact)
        assert high + low > probe.suspect
        if dtype != "float64":
            wide = function(*(x.astype(float) for x in operands), **probe.case.attributes)
            assert fractions(wide) == [high + low]
        own = function(*operands, **probe.case.attributes)
        rounded_up = probe.suspect + 2.0 ** (1 - precision(dtype))
        assert fractions(own) == [Fraction(rounded_up) if probe.roundings else high + low]


def test_a_result_rounded_to_some_decimals_is_shown():
    def printed(*operands, **attributes):
        return fast.conv(*operands, **attributes).round(3)

    found = judged("conv", printed, "float64")
    assert found.name is None
    assert found.findings
    assert "float64: weight is lost where it is small: 2^-11 * 1 gives 0" in found.notes


def truncating_sum(input, weight, bias=None, **attributes):
    """Float32 products summed with every sum cut to 24 bits."""
    flat = fast.conv(input[:0], weight, bias, **attributes)  # refuses what is no valid call
    total = numpy.zeros((len(input), *flat.shape[1:]), float)
    for channel in range(weight.shape[1]):
        if attributes["groups"] == 1:
            x, w = input[:, channel : channel + 1], weight[:, channel : channel + 1]
        else:
            x, w = input, weight
        for tap in numpy.ndindex(weight.shape[2:]):
            one = numpy.zeros_like(w)
            one[(..., *tap)] = w[(..., *tap)]
            term = fast.conv(x.astype(float), one.astype(float), **attributes)
            total = cut_to_bits(total + cut_to_bits(term, 24), 24)
    if bias is not None:
        total = cut_to_bits(total + bias.reshape(-1, *(1,) * (input.ndim - 2)), 24)
    return total.astype(input.dtype)


def test_an_adder_that_truncates_is_shown():
    told = notes("conv", truncating_sum)
    assert "float32: the sum is truncated: 1 + 3 * 2^-25 gives 1" in told
    assert "the sum with the bias is truncated" in told
    assert "400 of 400 independent sums of one sign lie below the exact value" in told
    assert "no proof" in told
    assert judged("conv", truncating_sum, "float32").name == "tf32"
    assert judged("conv", truncating_sum, "float32", required="float32").findings


@pytest.mark.parametrize("bits", [8, 11, 23])
@pytest.mark.parametrize("operation", PROBED)
def test_a_narrow_operand_is_shown(operation, bits):
    first = {"convolve": "f", "correlate": "f"}.get(operation, "input")

    def narrow(x, *others, **attributes):
        return getattr(fast, operation)(to_bits(x, bits), *others, **attributes)

    told = notes(operation, narrow)
    assert f"float32: {first} loses bits: (1 + 2^-23) * 1 gives 1" in told
    assert told.count("loses bits") == 1
    assert "truncated" not in told


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("operation", [*PROBED, "average_pool"])
def test_rounding_to_nearest_is_under_no_suspicion(operation, dtype):
    assert notes(operation, getattr(fast, operation), dtype) == ""
    assert notes(operation, inside("float64", getattr(fast, operation)), dtype) == ""


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "name", ["sums forwards", "sums pairwise", "fused multiply-add", "compensated sums"]
)
def test_no_order_of_summation_is_under_suspicion(name, seed):
    for dtype in ("float16", "float32", "float64"):
        assert judged("conv", VARIANTS[name].conv, dtype, seed=seed).notes == ()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fast_algorithm_is_under_no_suspicion(dtype):
    assert notes("convolve", fft_convolve, dtype) == ""
    assert notes("conv", winograd_conv(4), dtype) == ""
    assert judged("convolve", fft_convolve, dtype).name == "fast algorithm"


def test_truncated_averages_lean():
    def truncated(input, **attributes):
        double = fast.average_pool(input.astype(float), **attributes)
        return cut_to_bits(double, 24).astype(input.dtype)

    assert "lie below the exact value" in notes("average_pool", truncated)


def test_the_notes_reach_the_report():
    narrow = after(lambda x: cut_to_bits(x, 8), fast.conv)
    report = check(offering(conv=narrow), ["conv"], level="quick", dtypes=["float32"])
    assert report.status == "conforms"
    assert any("input loses bits" in note for note in report["conv"].notes)


def test_the_chance_of_a_lopsided_count():
    assert chance(0, 0) == 1
    assert chance(0, 1) == 1
    assert chance(0, 21) == 2 / 2**21
    assert chance(7, 3) == chance(3, 7)
    assert sum(chance(k, 8 - k) == 1 for k in range(9)) == 1
    errors = numpy.full(21, -1.0)
    assert leaning(errors) is not None
    assert leaning(errors[:20]) is None
    assert leaning(numpy.array([0.0] * 100)) is None
    assert leaning(numpy.full(50, numpy.nan)) is None
    assert 2 / 2**21 < SIGNIFICANCE <= 2 / 2**20

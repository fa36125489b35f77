"""Conditions that suffice: they hold of right layers, and of no layer that is wrong."""

from __future__ import annotations

import numpy
import pytest

import convspec.fast
from convspec.case import Case, normalised
from convspec.oracle.certificate import layer as layers
from convspec.oracle.certificate import sufficient
from convspec.oracle.certificate.layer import Layer, certify
from convspec.oracle.certificate.sufficient import LEFT, is_surely_right
from convspec.rounding import precision, unit_roundoff

SHAPES = {
    "flatten": {"input": (2, 3, 4, 5)},
    "relu": {"input": (2, 3, 40)},
    "max_pool": {"input": (2, 3, 9, 8)},
    "batch_norm": {"input": (2, 5, 6, 7)}
    | dict.fromkeys(("mean", "variance", "scale", "shift"), (5,)),
}
GIVEN = {
    "flatten": [{}],
    "relu": [{}],
    "max_pool": [
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": (2, 3), "stride": (1, 2), "ceil_mode": True},
        {"kernel_size": 2, "dilation": (3, 1), "stride": 1},
    ],
    "batch_norm": [{"epsilon": 1e-5}, {"epsilon": 0.5}],
}
LAYERS = [(operation, given) for operation, several in GIVEN.items() for given in several]


def right(operation, given, dtype):
    source = numpy.random.default_rng(0)
    shapes = SHAPES[operation]
    operands = {name: source.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    if "variance" in operands:
        operands["variance"] = abs(operands["variance"])
    case = Case(operation, operands, normalised(operation, shapes, given))
    output = getattr(convspec.fast, operation)(*operands.values(), **case.attributes)
    return case, numpy.array(output)


@pytest.mark.parametrize("looked_at", [1, 7, 2**17])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("operation", "given"), LAYERS)
def test_every_wrong_element_of_a_right_layer_is_seen(
    operation, given, dtype, looked_at, monkeypatch
):
    monkeypatch.setattr(sufficient, "LOOKED_AT", looked_at)
    case, output = right(operation, given, dtype)
    assert is_surely_right(case, output)
    for place in numpy.ndindex(output.shape):
        for wrong in (output[place] + 0.01, numpy.nan, numpy.inf, -numpy.inf):
            changed = output.copy()
            changed[place] = wrong
            assert not is_surely_right(case, changed), place


@pytest.mark.parametrize(("operation", "given"), LAYERS)
def test_right_layers_are_not_computed_again_and_wrong_ones_are(operation, given, monkeypatch):
    def refused(*_):
        raise AssertionError("it is computed again")

    case, output = right(operation, given, "float32")
    rng = numpy.random.default_rng(0)
    monkeypatch.setattr(layers, "judge", refused)
    assert certify(Layer("it", case, output), rng).verdict == "recomputed"
    output.flat[-1] += 1
    with pytest.raises(AssertionError, match="computed again"):
        certify(Layer("it", case, output), rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_suffices_for_a_normalization_is_within_what_it_may_round(dtype):
    """At the very edge of the condition, a computation in 50 digits says that it is right."""
    from fractions import Fraction
    from math import isqrt

    case, output = right("batch_norm", {"epsilon": 1e-5}, dtype)
    x, mean, variance, scale, shift = case.operands.values()
    u = Fraction(unit_roundoff(precision(output.dtype)))
    digits = 10**50
    pushed = seen = 0
    for place in numpy.ndindex(output.shape):
        c = place[1]
        square = Fraction(float(variance[c])) + Fraction(1e-5)
        root = Fraction(isqrt(int(square * digits**2)), digits)
        slope = Fraction(float(scale[c])) / root
        offset = slope * Fraction(float(mean[c]))
        due = slope * Fraction(float(x[place])) - offset + Fraction(float(shift[c]))
        magnitude = abs(slope * Fraction(float(x[place]))) + abs(offset)
        magnitude += abs(Fraction(float(shift[c])))
        for share in range(1, 2 * LEFT + 4):
            changed = output.copy()
            changed[place] = output.dtype.type(float(due + share * u * magnitude))
            if is_surely_right(case, changed):
                off = abs(Fraction(float(changed[place])) - due)
                assert off <= ((1 + u) ** 14 - 1) * magnitude
                seen += 1
            else:
                pushed += 1
    assert seen
    assert pushed


def test_nothing_is_said_of_other_dtypes_and_mixed_ones():
    case, output = right("relu", {}, "float32")
    for dtype in ("float16", "int32"):
        other = case._replace(operands={"input": numpy.ones((2, 3), dtype)})
        assert not is_surely_right(other, numpy.ones((2, 3), dtype))
    assert not is_surely_right(case, output.astype("float64"))


def test_the_buffers_of_numpy_are_as_before():
    before = numpy.getbufsize()
    case, output = right("batch_norm", {"epsilon": 1e-5}, "float32")
    is_surely_right(case, output)
    output[0] = numpy.nan
    is_surely_right(case, output)
    assert numpy.getbufsize() == before

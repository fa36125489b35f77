r"""The other twins on floats: as close to their definitions as their arithmetic promises.

With unit roundoff $u$, a result of $n$ roundings, each in a product, quotient, or sum of terms,
is within $\gamma_n M$ of the exact one, $\gamma_n = n u / (1 - n u)$, where $M$ is the sum of the
magnitudes of the terms (Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1).  Two
results are within $2 \gamma_n M$ of each other.

For `exp`, `log`, `tanh` and `power` there is no theorem, but an assumption: NumPy's, and those of
the C library behind `math`, are within 4 ulp, the bound that NumPy's own tests hold its vectorised
functions to.  An ulp is at most $2u$ of the value, so that each call counts as 8 roundings.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, prod
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec import activation, fast
from convspec.case import Case, forward_name
from convspec.strategies import calls
from tests.test_fast import BLOCKS, FLOATS, both, definition, outputs
from tests.test_fast_b_exact import NAMES

ULPS = 8  # roundings that an elementary function counts as
Scale = tuple[int, tuple[Any, ...]]


def in_float64(case: Case) -> dict[str, Any]:
    return {
        name: [part.astype("float64") for part in operand]
        if isinstance(operand, list)
        else operand.astype("float64")
        if operand.dtype.kind == "f"
        else operand
        for name, operand in case.operands.items()
    }


def magnitudes(case: Case) -> tuple[Any, ...]:
    """The sum of the magnitudes of all terms, where the definition sums products."""
    absolute = {
        name: list(map(abs, operand)) if isinstance(operand, list) else abs(operand)
        for name, operand in in_float64(case).items()
    }
    return outputs(definition(case.operation), case._replace(operands=absolute))


def every_element(case: Case) -> int:
    """More roundings than any one output of a sum of products can have.

    Each element of an operand takes part in a product or two, with a weight or two, and in a sum;
    each tap of a window likewise.
    """
    sizes = (
        numpy.size(p) for o in case.operands.values() for p in (o if isinstance(o, list) else [o])
    )
    return 4 * (sum(sizes) + prod(case.attributes.get("kernel_size", ())) + 4)


def products(case: Case) -> Scale:
    return every_element(case), magnitudes(case)


def sigmoid(case: Case) -> Scale:
    """An exponential above and below, a sum, a quotient."""
    return 2 * ULPS + 2, (definition("sigmoid")(in_float64(case)["input"]),)


def sigmoid_vjp(case: Case) -> Scale:
    """Two logistic functions, and at most three products (one of them with 4, which is exact)."""
    return 2 * (2 * ULPS + 2) + 3, magnitudes_of_result(case)


def magnitudes_of_result(case: Case) -> tuple[Any, ...]:
    found = outputs(definition(case.operation), case._replace(operands=in_float64(case)))
    return tuple(map(abs, found))


def tanh(case: Case) -> Scale:
    return ULPS, (abs(definition("tanh")(in_float64(case)["input"])),)


def softmax(case: Case) -> Scale:
    """Arguments of exponentials are the same; an exponential above and below, a sum, a quotient."""
    x, axis = in_float64(case)["input"], case.attributes["axis"]
    return 2 * ULPS + x.shape[axis] + 1, (activation.softmax(x, axis=axis),)


def softmax_vjp(case: Case) -> Scale:
    operands, axis = in_float64(case), case.attributes["axis"]
    g, x = abs(operands["cotangent"]), operands["input"]
    y = activation.softmax(x, axis=axis)
    one = 2 * ULPS + x.shape[axis] + 1
    return 2 * one + x.shape[axis] + 3, (y * (g + (g * y).sum(axis=axis, keepdims=True)),)


def cross_entropy(case: Case) -> Scale:
    """A relative error of the sum of exponentials is an absolute one of its logarithm."""
    operands = in_float64(case)
    z, labels = operands["logits"], operands["labels"]
    largest = z.max(axis=1, keepdims=True)
    logarithms = numpy.log(numpy.exp(z - largest).sum(axis=1))
    own = numpy.take_along_axis(largest - z, labels[:, None], axis=1)[:, 0]
    terms = numpy.asarray((1 + logarithms + own).mean())
    return 2 * ULPS + sum(z.shape) + 4, (terms,)


def cross_entropy_vjp(case: Case) -> Scale:
    operands = in_float64(case)
    z, labels, g = operands["logits"], operands["labels"], abs(operands["cotangent"])
    y = activation.softmax(z, axis=1) + (labels[:, None] == numpy.arange(z.shape[1]))
    return 2 * ULPS + z.shape[1] + 5, (g * y / len(z),)


def lp_pool(case: Case) -> Scale:
    """A power of each, a sum, a root, whose relative error is that of the sum divided by p."""
    return 2 * ULPS + prod(case.attributes["kernel_size"]) + 1, magnitudes(case)


def lp_pool_vjp(case: Case) -> Scale:
    """The quotient by the norm, raised to p - 1, a product, and a sum over the outputs."""
    quotient = lp_pool(case)[0] + 1
    power = ceil(case.attributes["p"]) * quotient + ULPS
    return power + 2 + case.operands["cotangent"].size, magnitudes(case)


def batch_norm(case: Case) -> Scale:
    """The same operations in the same order, in float64 as well."""
    return 0, magnitudes_of_result(case)


def batch_norm_vjp(case: Case) -> Scale:
    """Products and quotients of a few factors, summed; the centred input is the same."""
    operands = in_float64(case)
    c = operands["mean"].reshape(-1, *(1,) * (operands["input"].ndim - 2))
    absolute = {
        **operands,
        "cotangent": abs(operands["cotangent"]),
        "input": abs(operands["input"] - c),
        "mean": numpy.zeros_like(operands["mean"]),
        "scale": abs(operands["scale"]),
    }
    found = outputs(definition("batch_norm_vjp"), case._replace(operands=absolute))
    return operands["input"].size + 8, tuple(map(abs, found))


def local_response(case: Case) -> tuple[int, Any, Any]:
    r"""Roundings of a sum of squares; $|x|$ and $S^{-\beta}$ at every element."""
    x, a = abs(in_float64(case)["input"]), case.attributes
    low, high = (a["size"] - 1) // 2, a["size"] // 2
    squares = numpy.zeros_like(x)
    for c in range(x.shape[1]):
        squares[:, c] = (x[:, max(0, c - low) : c + high + 1] ** 2).sum(axis=1)
    return a["size"] + 5, x, a["k"] + a["alpha"] * squares / a["size"]


def local_response_normalization(case: Case) -> Scale:
    terms, x, energy = local_response(case)
    beta = case.attributes["beta"]
    return ceil(beta) * terms + ULPS + 1, (x * energy**-beta,)


def local_response_normalization_vjp(case: Case) -> Scale:
    terms, x, energy = local_response(case)
    a, g = case.attributes, abs(in_float64(case)["cotangent"])
    low, high = (a["size"] - 1) // 2, a["size"] // 2
    falling = 2 * a["alpha"] * a["beta"] * g * x * energy ** (-a["beta"] - 1) / a["size"]
    total = g * energy ** -a["beta"]
    for c in range(x.shape[1]):
        read = slice(max(0, c - low), c + high + 1)
        total[:, read] += falling[:, [c]] * x[:, read]
    return ceil(a["beta"] + 1) * terms + ULPS + 6 + a["size"], (total,)


SCALES: dict[str, Callable[[Case], Scale]] = {
    "sigmoid": sigmoid,
    "sigmoid_vjp": sigmoid_vjp,
    "tanh": tanh,
    "tanh_vjp": sigmoid_vjp,
    "softmax": softmax,
    "softmax_vjp": softmax_vjp,
    "cross_entropy": cross_entropy,
    "cross_entropy_vjp": cross_entropy_vjp,
    "lp_pool": lp_pool,
    "lp_pool_vjp": lp_pool_vjp,
    "batch_norm": batch_norm,
    "batch_norm_vjp": batch_norm_vjp,
    "local_response_normalization": local_response_normalization,
    "local_response_normalization_vjp": local_response_normalization_vjp,
}
# Those with their own precision rather than float64: sums of products that pass through `conv`.
OWN_PRECISION = {
    "depthwise_conv", "pointwise_conv", "depthwise_separable_conv", "spatially_separable_conv",
    "locally_connected", "adaptive_average_pool", "spatial_pyramid_pool", "upsample",
    "resize_conv", "linear",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_floats_within_the_rounding_bound(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(FLOATS))
    unit_interval = st.integers(-(2**11), 2**11).map(lambda i: i / 2**11)
    case = data.draw(calls(name, dtype=dtype, elements=unit_interval))
    with data.draw(BLOCKS):
        assert_close(case, dtype)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax", "cross_entropy"])
@pytest.mark.parametrize("suffix", ["", "_vjp"])
@given(data=st.data())
def test_far_from_0(name: str, suffix: str, data: st.DataObject) -> None:
    """Where exponentials overflow and underflow unless they are taken with care."""
    dtype = data.draw(st.sampled_from(FLOATS))
    width: Any = 8 * numpy.dtype(dtype).itemsize
    far = st.integers(-1000, 1000).map(float) | st.floats(-1000, 1000, width=width)
    assert_close(data.draw(calls(name + suffix, dtype=dtype, elements=far)), dtype)


def assert_close(case: Case, dtype: str) -> None:
    roundings, scales = SCALES.get(case.operation, products)(case)
    # Sums of 16 bits are kept in float32.
    own = forward_name(case.operation) in OWN_PRECISION and dtype != "float64"
    info, compute = numpy.finfo(dtype), numpy.finfo("float32" if own else "float64")
    unit = float(compute.eps) / 2
    growth = roundings * unit / (1 - roundings * unit)
    for (expected, actual), scale in zip(both(case), scales, strict=True):
        apart = 2 * growth * scale
        if dtype != "float64":
            # Both are stored once more, each half an ulp of what it stores away.
            apart = apart + float(info.eps) * (abs(expected.astype("float64")) + apart)
        # Every rounding below the smallest normal is off by less than a subnormal.
        apart = apart + float(info.smallest_subnormal)
        apart = apart + roundings * float(compute.smallest_subnormal)
        distance = abs(actual.astype("float64") - expected.astype("float64"))
        assert (distance <= apart).all()


def test_exact_sums_of_float16() -> None:
    """Ones summed in float16 stall at 2048; these sums are kept in float32 or float64."""
    many, one = numpy.ones((1, 4096), "float16"), numpy.ones((1, 1), "float16")
    row, column = many[None], many.reshape(1, 4096, 1)
    assert fast.linear(many, many).item() == 4096
    assert fast.linear_vjp(many.T, many.T, one)[1].item() == 4096
    assert fast.pointwise_conv(column, many).item() == 4096
    assert fast.depthwise_conv(row, row).item() == 4096
    assert fast.depthwise_separable_conv(row, row, one).item() == 4096
    assert fast.spatially_separable_conv(row, [many[0]]).item() == 4096
    assert fast.locally_connected(row, row[:, :, None]).item() == 4096
    assert fast.resize_conv(row, row, scale=1).item() == 4096
    assert fast.adaptive_average_pool(row, output_size=1).item() == 1
    assert fast.lp_pool(row, p=1, kernel_size=4096).item() == 4096
    assert fast.l2_penalty(many, strength=2.0).item() == 4096
    assert fast.distance_weighted_pool(row, kernel_size=4096).item() == 1
    (shared,) = fast.upsample_vjp(row, row[:, :, :1], scale=4096)
    assert shared.item() == 4096
    (shared,) = fast.adaptive_max_pool_vjp(row, row[:, :, :1], output_size=4096)
    assert shared.item() == 4096
    _, *statistics = fast.batch_norm_vjp(row, row, *[one[0]] * 4, epsilon=0)
    assert statistics[3].item() == 4096


def test_nothing_is_rounded_between_two_steps() -> None:
    """2049 is no float16: 2049 - 2048 is 1 only where the first step's sum is not rounded."""
    half = numpy.float16
    x = numpy.array([[[2048, 1], [2048, 0]]], half)
    w, v = numpy.ones((2, 1, 2), half), numpy.array([[1, -1]], half)
    assert fast.depthwise_separable_conv(x, w, v).item() == 1
    g, x = numpy.array([[[2048], [1]]], half), numpy.ones((1, 1, 1), half)
    w, v = numpy.array([[[1]], [[-1]]], half), numpy.array([[1, 1], [1, 0]], half)
    assert fast.depthwise_separable_conv_vjp(g, x, w, v)[0].item() == 1
    # A sixteenth of the way from 2048 to 2056 lies 2048.5, which is no float16 either.
    x = numpy.array([[[2048, 2056], [2048, 2048]]], half)
    y = fast.resize_conv(x, numpy.array([[[1], [-1]]], half), scale=8, kind="linear")
    assert y[0, 0, 4] == 0.5

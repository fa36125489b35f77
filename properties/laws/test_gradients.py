"""Gradients: what `_vjp` returns is the transposed derivative, exactly.

A convolution is bilinear: linear in its input, linear in its weight.  Difference quotients of a
linear map have no truncation error, so on integers they are derivatives, without tolerance.  A
maximum is linear wherever no two candidates change places.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.rounding import growth
from convspec.strategies import arrays, calls
from convspec.window import extent

from .rewriting import divisible, run, windows
from .statement import law, same

BILINEAR = ["convolve", "correlate", "conv", "conv_transpose"]
POOLS = ["max_pool", "average_pool"]


def forward(implementation: Any, case: Case, **changed: Any) -> Any:
    """The operation behind a `_vjp` call, with some operands changed."""
    name = forward_name(case.operation)
    operands = {key: x for key, x in case.operands.items() if key != "cotangent"}
    y = run(implementation, Case(name, {**operands, **changed}, case.attributes))
    return y[0] if OPERATIONS[name].outputs > 1 else y


def divisible_vjp(case: Case) -> Case:
    """The call with input and cotangent such that averages and their shares are exact."""
    name = forward_name(case.operation)
    if name != "average_pool":
        return case
    scaled = {
        key: divisible(Case(name, {"input": x}, case.attributes)).operands["input"]
        for key, x in case.operands.items()
    }
    return case._replace(operands=scaled)


def inner(left: Any, right: Any) -> float:
    """<left, right>, exact for small integers."""
    return float((left.astype(float) * right.astype(float)).sum())


@pytest.mark.parametrize("operation", BILINEAR)
@law(data=st.data())
def test_central_differences_of_a_bilinear_map_are_its_gradient(
    implementation: Any, operation: str, data: Any
) -> None:
    """(L(x + v) - L(x - v)) / 2 = <grad L, v> for L = <g, op(x, ...)>, in every operand and
    every direction v: central differences of a linear map are exact at any step, so at step 1.
    """
    case = data.draw(calls(f"{operation}_vjp"))
    g = case.operands["cotangent"]
    names = [name for name in case.operands if name != "cotangent"]
    gradients = run(implementation, case)
    assert len(gradients) == len(names)
    for name, gradient in zip(names, gradients, strict=True):
        x = case.operands[name]
        assert gradient.shape == x.shape
        v = data.draw(arrays(x.shape))
        ahead = inner(g, forward(implementation, case, **{name: x + v}))
        behind = inner(g, forward(implementation, case, **{name: x - v}))
        assert (ahead - behind) / 2 == inner(gradient, v)


@pytest.mark.parametrize("operation", [*BILINEAR, *POOLS, "max_pool_with_indices"])
@law(data=st.data())
def test_gradients_are_linear_in_the_cotangent(
    implementation: Any, operation: str, data: Any
) -> None:
    """vjp(a g + g') = a vjp(g) + vjp(g'): also where the operation itself is not linear."""
    case = divisible_vjp(data.draw(calls(f"{operation}_vjp")))
    g = case.operands["cotangent"]
    a = data.draw(st.integers(-3, 3))
    other = numpy.roll(numpy.flip(g), 1)
    mixed = run(
        implementation, case._replace(operands={**case.operands, "cotangent": a * g + other})
    )
    ours = run(implementation, case)
    theirs = run(implementation, case._replace(operands={**case.operands, "cotangent": other}))
    for left, first, second in zip(mixed, ours, theirs, strict=True):
        same(left, a * first + second)


@pytest.mark.parametrize("operation", ["conv", "conv_transpose"])
@law(data=st.data())
def test_the_gradient_of_a_bias_is_the_sum_of_the_cotangent(
    implementation: Any, operation: str, data: Any
) -> None:
    """d_bias_o = sum of the cotangent over batch and positions, and is there only with a bias."""
    case = data.draw(calls(f"{operation}_vjp"))
    g = case.operands["cotangent"]
    operands = {name: case.operands[name] for name in ("cotangent", "input", "weight")}
    assert len(run(implementation, case._replace(operands=operands))) == 2
    operands["bias"] = numpy.zeros(g.shape[1])
    *_, d_bias = run(implementation, case._replace(operands=operands))
    same(d_bias, g.sum(axis=(0, *range(2, g.ndim))))


@law(case=calls("conv_vjp"))
def test_the_gradient_of_the_input_is_a_transposed_convolution(
    implementation: Any, case: Any
) -> None:
    """d_input = conv_transpose(g, w) with output padding for what the stride left over."""
    g, w = case.operands["cotangent"], case.operands["weight"]
    rests = tuple(
        (n + window.low + window.high - extent(window)) % window.stride
        for n, window in windows(case)
    )
    left = run(implementation, case)[0]
    same(left, implementation.conv_transpose(g, w, **case.attributes, output_padding=rests))


@law(case=calls("conv_transpose_vjp"))
def test_the_gradient_of_a_transposed_convolution_is_a_convolution(
    implementation: Any, case: Any
) -> None:
    """d_input = conv(g, w); where output padding exceeds the stride, conv has outputs to spare."""
    g, x, w = (case.operands[name] for name in ("cotangent", "input", "weight"))
    attributes = {name: v for name, v in case.attributes.items() if name != "output_padding"}
    full = implementation.conv(g, w, **attributes)
    same(run(implementation, case)[0], full[tuple(slice(n) for n in x.shape)])


@law(case=calls("conv_vjp"))
def test_the_gradient_of_the_weight_is_a_convolution_with_stride_and_dilation_exchanged(
    implementation: Any, case: Any
) -> None:
    """d_weight = conv(x, g, stride d, dilation s) with batch and channels exchanged, one group;
    an empty batch, which cannot become channels, has gradient 0.
    """
    g, x, w = (case.operands[name] for name in ("cotangent", "input", "weight"))
    g, x, w = g[:, :1], x[:, : w.shape[1]], w[:1]
    attributes = {**case.attributes, "groups": 1}
    left = implementation.conv_vjp(g, x, w, **attributes)[1]
    if len(x) == 0:
        same(left, numpy.zeros(w.shape))
        return
    full = implementation.conv(
        x.swapaxes(0, 1),
        g.swapaxes(0, 1),
        stride=attributes["dilation"],
        padding=attributes["padding"],
        dilation=attributes["stride"],
    ).swapaxes(0, 1)
    same(left, full[tuple(slice(n) for n in w.shape)])


@pytest.mark.parametrize("operation", POOLS)
@law(data=st.data())
def test_pooling_hands_on_the_whole_cotangent(
    implementation: Any, operation: str, data: Any
) -> None:
    """sum(d_input) = sum(g): a pool's weights sum to 1 (padding counted, some would be lost)."""
    case = divisible_vjp(data.draw(calls(f"{operation}_vjp")))
    counted = {"count_include_pad": False} if operation == "average_pool" else {}
    case = case._replace(attributes={**case.attributes, **counted})
    (d_input,) = run(implementation, case)
    assert d_input.sum() == case.operands["cotangent"].sum()


@law(case=calls("average_pool_vjp"), data=st.data())
def test_the_average_is_linear_and_its_gradient_the_transpose(
    implementation: Any, case: Any, data: Any
) -> None:
    """<g, average(v)> = <d_input, v> for every v, wherever the gradient was taken."""
    case = divisible_vjp(case)
    (d_input,) = run(implementation, case)
    v = data.draw(arrays(d_input.shape))
    v = divisible(Case("average_pool", {"input": v}, case.attributes)).operands["input"]
    averaged = forward(implementation, case, input=v)
    assert inner(case.operands["cotangent"], averaged) == inner(d_input, v)


@law(case=calls("max_pool_vjp"), data=st.data())
def test_central_differences_of_a_maximum_without_ties_are_its_gradient(
    implementation: Any, case: Any, data: Any
) -> None:
    """Where inputs differ by at least 3, steps of 1 change no maximum's place: the pool is linear
    there, and (L(x + v) - L(x - v)) / 2 = <d_input, v>, exactly.
    """
    shape = case.operands["input"].shape
    order = data.draw(st.permutations(range(int(numpy.prod(shape)))))
    x = 3 * numpy.array(order, float).reshape(shape)
    v = numpy.sign(data.draw(arrays(shape)))
    g = case.operands["cotangent"]
    (d_input,) = run(implementation, case._replace(operands={"cotangent": g, "input": x}))
    ahead = inner(g, forward(implementation, case, input=x + v))
    behind = inner(g, forward(implementation, case, input=x - v))
    assert (ahead - behind) / 2 == inner(d_input, v)


@pytest.mark.parametrize("operation", ["max_pool", "max_pool_with_indices"])
@law(data=st.data())
def test_a_maximum_hands_its_cotangent_to_its_maxima(
    implementation: Any, operation: str, data: Any
) -> None:
    """A one-hot cotangent becomes weights that are not negative, sum to 1, and vanish off the
    maxima of that window; on ties any such split is a subgradient.
    """
    case = data.draw(calls(f"{operation}_vjp"))
    x = case.operands["input"]
    y = forward(implementation, case)
    if y.size == 0:
        same(run(implementation, case)[0], x)
        return
    place = numpy.unravel_index(data.draw(st.integers(0, y.size - 1)), y.shape)
    hot = numpy.zeros(y.shape)
    hot[place] = 1
    (weights,) = run(implementation, case._replace(operands={"cotangent": hot, "input": x}))
    assert weights.shape == x.shape
    assert (weights >= 0).all()
    # A split among t maxima, such as thirds, is t quotients and t - 1 sums, each rounded once.
    assert abs(weights.sum() - 1) <= growth(numpy.finfo(weights.dtype).eps / 2, 2 * x.size)
    reached = numpy.argwhere(weights)
    assert (x[tuple(reached.T)] == y[place]).all()
    assert (reached[:, :2] == place[:2]).all()
    for axis, (_, window) in enumerate(windows(case)):
        offsets = reached[:, 2 + axis] + window.low - place[2 + axis] * window.stride
        assert (offsets % window.dilation == 0).all()
        assert ((offsets >= 0) & (offsets < extent(window))).all()


@law(case=calls("max_pool_with_indices_vjp"))
def test_indices_take_no_part_in_the_gradient(implementation: Any, case: Any) -> None:
    """The cotangent of max_pool_with_indices belongs to its values."""
    same(
        run(implementation, case)[0],
        run(implementation, case._replace(operation="max_pool_vjp"))[0],
    )

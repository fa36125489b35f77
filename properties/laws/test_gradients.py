"""Gradients: what `_vjp` returns is the transposed derivative, exactly.

A convolution is bilinear: linear in its input, linear in its weight.  Difference quotients of a
linear map have no truncation error, so on integers they are derivatives, without tolerance.  A
maximum is linear wherever no two candidates change places.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy
import pytest
from hypothesis import strategies as st

from convspec.case import Case, forward_name
from convspec.operations import OPERATIONS
from convspec.rounding import growth
from convspec.strategies import arrays, calls
from convspec.window import adaptive_range, extent, taps

from .exact import another, cotangents, exactly
from .rewriting import first, run, windows, with_input
from .statement import law, same
from .subjects import AVERAGING, BIASED, LINEAR


def forward(implementation: Any, case: Case, **changed: Any) -> Any:
    """The operation behind a `_vjp` call, with some operands changed."""
    name = forward_name(case.operation)
    operands = {key: x for key, x in case.operands.items() if key != "cotangent"}
    y = run(implementation, Case(name, {**operands, **changed}, case.attributes))
    return y[0] if OPERATIONS[name].outputs > 1 else y


def inner(left: Any, right: Any) -> float:
    """<left, right>, exact for small integers."""
    return float((left.astype(float) * right.astype(float)).sum())


def arrays_of(case: Case) -> Iterator[tuple[str, int | None]]:
    """The floating arrays of a call: the operand, and the place of each in a list of arrays."""
    for name, value in case.operands.items():
        if name not in OPERATIONS[case.operation].discrete:
            places = range(len(value)) if isinstance(value, list) else [None]
            yield from ((name, place) for place in places)


def step(case: Case, name: str, place: int | None, data: Any) -> tuple[Case, Any]:
    """The call with one of its arrays moved, and by what."""
    if place is None:
        v = another(case, name, data)
        moved = case.operands[name] + v
    else:
        factors = case.operands[name]
        v = data.draw(arrays(factors[place].shape))
        moved = [*factors[:place], factors[place] + v, *factors[place + 1 :]]
    return case._replace(operands={**case.operands, name: moved}), v


@pytest.mark.parametrize("operation", dict.fromkeys(name for name, _ in LINEAR))
@law(among=LINEAR, data=st.data())
def test_differences_of_a_linear_map_are_its_gradient(
    implementation: Any, operation: str, data: Any
) -> None:
    """L(x + v) - L(x) = <grad L, v> for L = <g, op(x, ...)>, in every operand in which the
    operation is linear, or affine as in a bias, and in every direction v: a difference of a linear
    map has no truncation error, so step 1 is as good as any.

    Distances are irrational: there the products, sums and quotients of a call and of an inner
    product round less than 2^12 times, numbers whose absolute values sum to `total` at most.
    """
    case = exactly(data.draw(calls(operation)))
    g = data.draw(cotangents(case))
    vjp = getattr(implementation, f"{operation}_vjp")
    gradients = vjp(g, *case.operands.values(), **case.attributes)
    here = first(run(implementation, case))
    for (name, place), gradient in zip(arrays_of(case), gradients, strict=True):
        moved, v = step(case, name, place, data)
        ahead = first(run(implementation, moved))
        total = abs(g).sum() * max(abs(ahead).max(initial=0), abs(here).max(initial=0))
        rounds = OPERATIONS[operation].rounding == "elementary"
        slack = 2**12 * numpy.finfo(here.dtype).eps * float(2 * total) if rounds else 0.0
        assert gradient.shape == v.shape
        assert abs(inner(g, ahead) - inner(g, here) - inner(gradient, v)) <= slack


@pytest.mark.parametrize("operation", BIASED)
@law(among=BIASED, data=st.data())
def test_the_gradient_of_a_bias_is_the_sum_of_the_cotangent(
    implementation: Any, operation: str, data: Any
) -> None:
    """d_bias_o = sum of the cotangent over all that share it, batch and positions (a local bias
    is shared by the batch alone), and it is there only with a bias.
    """
    case = data.draw(calls(f"{operation}_vjp"))
    g = case.operands["cotangent"]
    operands = {name: array for name, array in case.operands.items() if name != "bias"}
    without = run(implementation, case._replace(operands=operands))
    shared = (0,) if operation == "locally_connected" else (0, *range(2, g.ndim))
    expected = g.sum(axis=shared)
    operands["bias"] = numpy.zeros(expected.shape)
    *others, d_bias = run(implementation, case._replace(operands=operands))
    assert len(others) == len(without) == len(operands) - 2
    same(d_bias, expected)


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


@pytest.mark.parametrize("operation", AVERAGING)
@law(among=AVERAGING, data=st.data())
def test_weights_that_sum_to_1_hand_on_the_whole_cotangent(
    implementation: Any, operation: str, data: Any
) -> None:
    """sum(d_input) = sum(g) where a constant stays a constant (padding counted, some would be
    lost).
    """
    case = exactly(data.draw(calls(operation)))
    if operation == "average_pool":
        case = with_input(case, case.operands["input"], count_include_pad=False)
    g = data.draw(cotangents(case))
    vjp = getattr(implementation, f"{operation}_vjp")
    d_input, *_ = vjp(g, *case.operands.values(), **case.attributes)
    # Of distances: a quotient for each output and tap, of which fewer than 2^6 meet, and both sums.
    roundings = 2**10 if operation == "distance_weighted_pool" else 0
    slack = growth(numpy.finfo(d_input.dtype).eps / 2, roundings) * abs(g).sum()
    assert abs(d_input.sum() - g.sum()) <= slack


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


def read_by(case: Case, axis: int, i: int) -> set[int]:
    """The positions of an axis that output position i of a pool reads."""
    n = case.operands["input"].shape[2 + axis]
    if "output_size" in case.attributes:
        return set(adaptive_range(n, case.attributes["output_size"][axis], i))
    return {a for _, a in taps(n, windows(case)[axis][1], i)}


@pytest.mark.parametrize("operation", ["max_pool", "max_pool_with_indices", "adaptive_max_pool"])
@law(data=st.data())
def test_a_maximum_hands_its_cotangent_to_its_maxima(
    implementation: Any, operation: str, data: Any
) -> None:
    """A one-hot cotangent becomes weights that are not negative, sum to 1, and vanish off the
    maxima of that window; on ties any such split is a subgradient.
    """
    case = data.draw(calls(operation))
    x, y = case.operands["input"], first(run(implementation, case))
    vjp = getattr(implementation, f"{operation}_vjp")
    if y.size == 0:
        same(vjp(y, x, **case.attributes)[0], x)
        return
    place = numpy.unravel_index(data.draw(st.integers(0, y.size - 1)), y.shape)
    hot = numpy.zeros(y.shape)
    hot[place] = 1
    (weights,) = vjp(hot, x, **case.attributes)
    assert weights.shape == x.shape
    assert (weights >= 0).all()
    # A split among t maxima, such as thirds, is t quotients and t - 1 sums, each rounded once.
    assert abs(weights.sum() - 1) <= growth(numpy.finfo(weights.dtype).eps / 2, 2 * x.size)
    reached = numpy.argwhere(weights)
    assert (x[tuple(reached.T)] == y[place]).all()
    assert (reached[:, :2] == place[:2]).all()
    for axis in range(x.ndim - 2):
        assert set(reached[:, 2 + axis]) <= read_by(case, axis, place[2 + axis])


@law(case=calls("spatial_pyramid_pool"), data=st.data())
def test_the_gradient_of_a_pyramid_is_the_sum_of_its_levels(
    implementation: Any, case: Any, data: Any
) -> None:
    """Each level hands back its own part of the cotangent, as the adaptive pool that it is."""
    case = exactly(case)
    x, kind = case.operands["input"], case.attributes["kind"]
    g = data.draw(cotangents(case))
    vjp = getattr(implementation, f"adaptive_{kind}_pool_vjp")
    total, begin = numpy.zeros(x.shape), 0
    for level in case.attributes["levels"]:
        shape = (*x.shape[:2], *(level,) * (x.ndim - 2))
        size = prod(shape[1:])
        (d_x,) = vjp(g[:, begin : begin + size].reshape(shape), x, output_size=level)
        total, begin = total + d_x, begin + size
    same(implementation.spatial_pyramid_pool_vjp(g, x, **case.attributes)[0], total)


@law(case=calls("max_pool_with_indices_vjp"))
def test_indices_take_no_part_in_the_gradient(implementation: Any, case: Any) -> None:
    """The cotangent of max_pool_with_indices belongs to its values."""
    same(
        run(implementation, case)[0],
        run(implementation, case._replace(operation="max_pool_vjp"))[0],
    )

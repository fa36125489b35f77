"""Second derivatives: the derivative of what a `_vjp` returns.

A `_vjp` is a function of the cotangent and the operands, and has derivatives itself.  Of a
bilinear operation it is made of the three directions of one form, <g, conv(x, w)>, so its
derivatives are these again, exactly; of a nonlinear one they are symmetric, as every matrix of
second derivatives is.  Newton's method needs them, and training with a penalty on gradients.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import sympy
from hypothesis import strategies as st

from convspec.case import Case
from convspec.strategies import arrays, calls

from .rewriting import run
from .statement import law, same
from .test_gradients import forward, inner

# Correlations are convolutions of a flipped operand, and left out.
BILINEAR = ["convolve", "conv", "conv_transpose"]
WITH_WEIGHTS = ["conv", "conv_transpose"]


def changed(implementation: Any, case: Case, **operands: Any) -> Any:
    """What the `_vjp` returns with some operands changed, those of the two factors alone."""
    kept = {name: x for name, x in case.operands.items() if name != "bias"}
    return run(implementation, case._replace(operands={**kept, **operands}))[:2]


def factors(case: Case) -> tuple[str, str]:
    """The names of the two operands that the operation is linear in."""
    names = [name for name in case.operands if name not in ("cotangent", "bias")]
    return names[0], names[1]


@pytest.mark.parametrize("operation", BILINEAR)
@law(data=st.data())
def test_the_vjp_of_a_vjp_is_one_of_the_three_directions(
    implementation: Any, operation: str, data: Any
) -> None:
    """With B(g, x, w) = <g, op(x, w)>, the first cotangent, d_x(g, w), has for a direction u in x
    the vjp  <u, d_x(g, w)> = <g, op(u, w)>: op(u, w) in g, and d_w(g, u) in w.  Likewise the
    second, with a direction v in w: op(x, v) in g, and d_x(g, v) in x.
    """
    case = data.draw(calls(f"{operation}_vjp"))
    first, second = factors(case)
    case = case._replace(operands={n: x for n, x in case.operands.items() if n != "bias"})
    g, x, w = case.operands["cotangent"], case.operands[first], case.operands[second]
    u, v, h = (data.draw(arrays(operand.shape)) for operand in (x, w, g))

    d_x, d_w = changed(implementation, case)
    moved_x, moved_w = changed(implementation, case, cotangent=g + h)
    assert inner(u, moved_x) - inner(u, d_x) == inner(
        h, forward(implementation, case, **{first: u})
    )
    assert inner(v, moved_w) - inner(v, d_w) == inner(
        h, forward(implementation, case, **{second: v})
    )
    moved_x, _ = changed(implementation, case, **{second: w + v})
    same(moved_x - d_x, changed(implementation, case, **{second: v})[0])
    _, moved_w = changed(implementation, case, **{first: x + u})
    same(moved_w - d_w, changed(implementation, case, **{first: u})[1])


@pytest.mark.parametrize("operation", ["convolve", "conv"])
@law(data=st.data())
def test_the_matrix_of_second_derivatives_is_symmetric_with_zeros_on_its_diagonal(
    implementation: Any, operation: str, data: Any
) -> None:
    """Nothing is quadratic in the input or in the weight: d_x does not depend on x, nor d_w on w.
    The mixed blocks are each other's transposes: <u, d_x(g, v)> = <v, d_w(g, u)>.
    """
    case = data.draw(calls(f"{operation}_vjp"))
    first, second = factors(case)
    x, w = case.operands[first], case.operands[second]
    u, v = data.draw(arrays(x.shape)), data.draw(arrays(w.shape))
    d_x, d_w = changed(implementation, case)
    same(changed(implementation, case, **{first: u})[0], d_x)
    same(changed(implementation, case, **{second: v})[1], d_w)
    mixed = changed(implementation, case, **{second: v})[0]
    transposed = changed(implementation, case, **{first: u})[1]
    assert inner(u, mixed) == inner(v, transposed)


@pytest.mark.parametrize("operation", WITH_WEIGHTS)
@law(data=st.data())
def test_the_curvature_of_a_squared_error(implementation: Any, operation: str, data: Any) -> None:
    """C = |op(x, w) - t|^2 / 2 is quadratic in w, so that half the difference of its gradients at
    w + v and w - v is its second derivative along v: d_w(op(x, v), x).  It is never negative:
    <v, H v> = |op(x, v)|^2.
    """
    case = data.draw(calls(f"{operation}_vjp"))
    case = case._replace(operands={n: x for n, x in case.operands.items() if n != "bias"})
    w, target = case.operands["weight"], case.operands["cotangent"]
    v = data.draw(arrays(w.shape))

    def gradient(weight: Any) -> Any:
        error = forward(implementation, case, weight=weight) - target
        return changed(implementation, case, cotangent=error, weight=weight)[1]

    along = forward(implementation, case, weight=v)
    curved = changed(implementation, case, cotangent=along)[1]
    same((gradient(w + v) - gradient(w - v)) / 2, curved)
    assert inner(v, curved) == inner(along, along) >= 0


@law(case=calls("max_pool_vjp"), data=st.data())
def test_a_maximum_has_no_curvature(implementation: Any, case: Any, data: Any) -> None:
    """Where no two candidates change places, d_x does not depend on x; and its vjp in the
    cotangent reads a direction u at the maxima: <u, d_x(g)> = <g, u at the maxima>.
    """
    shape = case.operands["input"].shape
    size = int(numpy.prod(shape))
    x = 3.0 * numpy.array(data.draw(st.permutations(range(size))), float).reshape(shape)
    g, u = case.operands["cotangent"], numpy.sign(data.draw(arrays(shape)))
    (d_x,) = run(implementation, case._replace(operands={"cotangent": g, "input": x}))
    (moved,) = run(implementation, case._replace(operands={"cotangent": g, "input": x + u}))
    same(moved, d_x)
    y = forward(implementation, case, input=x)
    read = forward(implementation, case, input=x + u) - y
    assert inner(u, d_x) == inner(g, read)


# Central differences with step h of a smooth function are off by at most h^2 / 6 times its third
# derivative, and by what rounding does to two values, each up to 2^5 roundings of numbers up to
# 1, over 2 h.  With h = 2^-17 in double precision: 2^-34 / 6 times at most 8 and 2^5 2^-53 2^17.
STEP = 2.0**-17
SLACK = 2.0**-33 + 2.0**-31


def in_double(gradient: Any) -> None:
    if gradient.dtype != numpy.float64:
        pytest.skip("difference quotients of rounded numbers say nothing in less than float64")


# The second derivative, and the largest of the third: of a sigmoid 1/8, of tanh 2.
CURVES = {
    "sigmoid": lambda y: y * (1 - y) * (1 - 2 * y),
    "tanh": lambda y: -2 * y * (1 - y * y),
}


@pytest.mark.parametrize("operation", CURVES)
@law(x=arrays((3,)))
def test_the_curvature_of_an_activation(implementation: Any, operation: str, x: Any) -> None:
    """sigma'' = sigma (1 - sigma)(1 - 2 sigma), tanh'' = -2 tanh (1 - tanh^2): the derivative of
    what the vjp returns, by central differences.
    """
    x, ones = x / 2, numpy.ones(3)
    vjp = getattr(implementation, f"{operation}_vjp")
    (ahead,), (behind,) = vjp(ones, x + STEP), vjp(ones, x - STEP)
    in_double(ahead)
    expected = CURVES[operation](getattr(implementation, operation)(x))
    assert (abs((ahead - behind) / (2 * STEP) - expected) <= SLACK).all()


@law(logits=arrays((1, 3)), u=arrays((1, 3)), v=arrays((1, 3)))
def test_the_curvature_of_cross_entropy(implementation: Any, logits: Any, u: Any, v: Any) -> None:
    """H = diag(p) - p p^T with p = softmax(z): symmetric, never negative, zero along (1, ..., 1),
    and the same whatever the label.
    """
    z, u, v = logits / 4, numpy.sign(u), numpy.sign(v)
    p = implementation.softmax(z)
    in_double(p)

    def curved(direction: Any, label: int) -> Any:
        one, labels = numpy.array(1.0), numpy.array([label])
        (ahead,) = implementation.cross_entropy_vjp(one, z + STEP * direction, labels)
        (behind,) = implementation.cross_entropy_vjp(one, z - STEP * direction, labels)
        return (ahead - behind) / (2 * STEP)

    for label in range(3):
        exact = p * v - p * inner(p, v)
        assert (abs(curved(v, label) - exact) <= SLACK).all()
    assert abs(inner(u, curved(v, 0)) - inner(v, curved(u, 1))) <= 6 * SLACK
    assert inner(v, curved(v, 2)) >= -3 * SLACK
    assert (abs(curved(numpy.ones((1, 3)), 0)) <= SLACK).all()


def test_the_curvature_of_cross_entropy_by_sympy() -> None:
    """d^2/dz_i dz_j of ln sum e^z - z_0 is p_i [i = j] - p_i p_j."""
    z = sympy.symbols("z0:3", real=True)
    total = sum(map(sympy.exp, z))
    p = [sympy.exp(score) / total for score in z]
    cost = sympy.log(total) - z[0]
    for i in range(3):
        for j in range(3):
            claimed = p[i] * (int(i == j) - p[j])
            assert sympy.simplify(sympy.diff(cost, z[i], z[j]) - claimed) == 0

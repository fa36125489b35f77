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
from convspec.operations import OPERATIONS
from convspec.strategies import arrays, calls

from .exact import cotangents, exactly
from .rewriting import run
from .statement import law, same
from .test_gradients import forward, inner

# Linear in each of two operands; the derivatives of these are linear in three.
BILINEAR = [name for name, row in OPERATIONS.items() if len(row.linear_in) == 2]


def vjp_call(data: Any, operation: str) -> tuple[Case, str, str]:
    """A call of a bilinear operation's `_vjp`, without a bias, in which nothing rounds, and the
    names of its two factors.
    """
    case = exactly(data.draw(calls(operation)))
    first, second = OPERATIONS[operation].linear_in
    operands = {name: case.operands[name] for name in (first, second)}
    case = case._replace(operands=operands)
    operands = {"cotangent": data.draw(cotangents(case)), **operands}
    return Case(f"{operation}_vjp", operands, case.attributes), first, second


def changed(implementation: Any, case: Case, **operands: Any) -> Any:
    """What the `_vjp` returns with some operands changed."""
    return run(implementation, case._replace(operands={**case.operands, **operands}))


@pytest.mark.parametrize("operation", BILINEAR)
@law(data=st.data())
def test_the_vjp_of_a_vjp_is_one_of_the_three_directions(
    implementation: Any, operation: str, data: Any
) -> None:
    """With B(g, x, w) = <g, op(x, w)>, the first cotangent d_x(g, w) moves by d_x(h, w) along h and
    by d_x(g, v) along v, and does not depend on x; likewise the second.  So the matrix of second
    derivatives has zeros on its diagonal, and its mixed blocks are each other's transposes:
    <u, d_x(g, v)> = <v, d_w(g, u)> = <g, op>, with one factor moved along u or v.
    """
    case, first, second = vjp_call(data, operation)
    g, x, w = case.operands.values()
    u, v, h = (data.draw(arrays(operand.shape)) for operand in (x, w, g))
    d_x, d_w = changed(implementation, case)
    along_x = changed(implementation, case, **{first: u})
    along_w = changed(implementation, case, **{second: v})
    same(along_x[0], d_x)
    same(along_w[1], d_w)
    same(changed(implementation, case, **{second: w + v})[0] - d_x, along_w[0])
    same(changed(implementation, case, **{first: x + u})[1] - d_w, along_x[1])
    assert inner(u, along_w[0]) == inner(v, along_x[1])
    moved = changed(implementation, case, cotangent=g + h)
    read = forward(implementation, case, **{first: u})
    assert inner(u, moved[0]) - inner(u, d_x) == inner(h, read)
    read = forward(implementation, case, **{second: v})
    assert inner(v, moved[1]) - inner(v, d_w) == inner(h, read)


@pytest.mark.parametrize("operation", BILINEAR)
@law(data=st.data())
def test_the_curvature_of_a_squared_error(implementation: Any, operation: str, data: Any) -> None:
    """C = |op(x, w) - t|^2 / 2 is quadratic in w, so that half the difference of its gradients at
    w + v and w - v is its second derivative along v: d_w(op(x, v), x).  It is never negative:
    <v, H v> = |op(x, v)|^2.
    """
    case, _, second = vjp_call(data, operation)
    target, _, w = case.operands.values()
    v = data.draw(arrays(w.shape))

    def gradient(weight: Any) -> Any:
        error = forward(implementation, case, **{second: weight}) - target
        return changed(implementation, case, cotangent=error, **{second: weight})[1]

    along = forward(implementation, case, **{second: v})
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


# The second derivative; of the third the largest is 1/8 for a sigmoid and 2 for tanh.
CURVES = {
    "relu": lambda y: 0 * y,
    "sigmoid": lambda y: y * (1 - y) * (1 - 2 * y),
    "tanh": lambda y: -2 * y * (1 - y * y),
}


@pytest.mark.parametrize("operation", CURVES)
@law(x=arrays((3,)))
def test_the_curvature_of_an_activation(implementation: Any, operation: str, x: Any) -> None:
    """sigma'' = sigma (1 - sigma)(1 - 2 sigma), tanh'' = -2 tanh (1 - tanh^2), relu'' = 0 off 0:
    the derivative of what the vjp returns, by central differences.
    """
    x, ones = x / 2 + 1 / 4, numpy.ones(3)
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

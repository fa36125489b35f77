"""Back-propagation as the documents derive it: layer by layer, from the sensitivity of the output.

The sensitivity of a layer is the derivative of the cost by what goes into its activation,
delta = dC / dz.  Through a convolution it goes as a convolution with the rotated kernel, through a
pool by being enlarged; what a layer learns is the correlation of its input with its sensitivity.
Every law here is one line of that derivation, on integers and without tolerance, unless an
exponential rounds.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy
import scipy.signal
import sympy
from hypothesis import strategies as st

import convspec
from convspec.rounding import growth
from convspec.strategies import arrays

from .statement import law, same
from .test_activation import ELEMENTARY, close
from .test_flip import flipped


@st.composite
def layers(draw: Any, *, strided: bool = False, maps: int = 1) -> Any:
    """An image `x`, a kernel `w`, a stride, and the sensitivity `g` of the valid convolution."""
    axes = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    sizes = tuple(k + draw(st.integers(0, 3)) for k in kernel)
    stride = tuple(draw(st.integers(1, 3)) if strided else 1 for _ in kernel)
    outputs = tuple((n - k) // s + 1 for n, k, s in zip(sizes, kernel, stride, strict=True))
    inputs, depth = (draw(st.integers(1, maps)) for _ in range(2))
    x = draw(arrays((draw(st.integers(1, 2)), inputs, *sizes)))
    w = draw(arrays((depth, inputs, *kernel)))
    return x, w, stride, draw(arrays((len(x), depth, *outputs)))


def full(kernel: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The padding that keeps every output: k - 1 on both sides."""
    return tuple((k - 1, k - 1) for k in kernel)


@law(layer=layers())
def test_the_input_has_the_full_convolution_of_sensitivity_and_kernel(
    implementation: Any, layer: Any
) -> None:
    """Forward a correlation, backward a true convolution: delta_x = delta * w, every output kept;
    that is the correlation with the kernel rotated by 180 degrees, padded with k - 1 zeros.
    """
    x, w, _, g = layer
    (d_x, _) = implementation.conv_vjp(g, x, w)
    for item, sensitivity in zip(d_x[:, 0], g[:, 0], strict=True):
        same(item, implementation.convolve(sensitivity, w[0, 0]))
        same(item, scipy.signal.convolve(sensitivity, w[0, 0], method="direct"))
    same(d_x, implementation.conv(g, flipped(w), padding=full(w.shape[2:])))


def test_without_the_rotation_it_is_wrong(implementation: Any) -> None:
    """Smallest counterexample: one output that reads two inputs with weights 0 and 1 is sensitive
    to the second; correlated with the kernel as it is, to the first.
    """
    w = numpy.array([[[0.0, 1.0]]])
    (d_x, _) = implementation.conv_vjp(numpy.ones((1, 1, 1)), numpy.zeros((1, 1, 2)), w)
    same(d_x, [[[0, 1]]])
    same(implementation.conv(numpy.ones((1, 1, 1)), w, padding=((1, 1),)), [[[1, 0]]])


@law(layer=layers(maps=3))
def test_the_sensitivities_of_all_maps_add_up(implementation: Any, layer: Any) -> None:
    """delta_d = sum over the maps p of rot180(w_pd) with delta_p, fully: one convolution whose
    kernel is rotated and has its two channel axes exchanged.
    """
    x, w, _, g = layer
    (d_x, _) = implementation.conv_vjp(g, x, w)
    same(d_x, implementation.conv(g, flipped(w).swapaxes(0, 1), padding=full(w.shape[2:])))
    by_pairs = numpy.zeros(x.shape)
    for n, p, d in numpy.ndindex(len(x), *w.shape[:2]):
        by_pairs[n, d] += implementation.convolve(g[n, p], w[p, d])
    same(d_x, by_pairs)


@law(layer=layers(strided=True))
def test_a_stride_puts_zeros_between_the_sensitivities(implementation: Any, layer: Any) -> None:
    """s - 1 zeros between neighbours, then as with stride 1; inputs past the last window get 0."""
    x, w, stride, g = layer
    (d_x, _) = implementation.conv_vjp(g, x, w, stride=stride)
    widened = implementation.insert_zeros(g, count=tuple(s - 1 for s in stride))
    within = implementation.conv(widened, flipped(w), padding=full(w.shape[2:]))
    rest = [(0, n - m) for n, m in zip(x.shape[2:], within.shape[2:], strict=True)]
    same(d_x, numpy.pad(within, [(0, 0), (0, 0), *rest]))


@law(layer=layers(strided=True))
def test_a_weight_learns_from_every_input_it_met(implementation: Any, layer: Any) -> None:
    """dC/dw_j = sum over the positions u of delta_u p_u, with p_u the input that w_j met there,
    every s-th one from j on; the items of a batch add up.
    """
    x, w, stride, g = layer
    (_, d_w) = implementation.conv_vjp(g, x, w, stride=stride)
    for j in numpy.ndindex(*w.shape[2:]):
        met = tuple(
            slice(first, first + (o - 1) * s + 1, s)
            for first, o, s in zip(j, g.shape[2:], stride, strict=True)
        )
        assert d_w[(0, 0, *j)] == (g[:, 0] * x[(slice(None), 0, *met)]).sum()


@law(layer=layers(maps=3))
def test_the_gradient_of_a_weight_is_the_correlation_of_input_and_sensitivity(
    implementation: Any, layer: Any
) -> None:
    """dC/dw_pd = x_d correlated with delta_p, valid: no rotation here."""
    x, w, _, g = layer
    (_, d_w) = implementation.conv_vjp(g, x, w)
    for p, d in numpy.ndindex(*w.shape[:2]):
        items = range(len(x))
        valid = [implementation.correlate(x[n, d], g[n, p], mode="valid") for n in items]
        witness = [scipy.signal.correlate(x[n, d], g[n, p], "valid", "direct") for n in items]
        same(d_w[p, d], sum(valid))
        same(d_w[p, d], sum(witness))


@st.composite
def pooled(draw: Any) -> Any:
    """A size of windows that do not overlap, an image of distinct numbers, a sensitivity."""
    size = tuple(draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, 2))))
    outputs = tuple(draw(st.integers(1, 3)) for _ in size)
    shape = (1, draw(st.integers(1, 2)), *(d * o for d, o in zip(size, outputs, strict=True)))
    order = draw(st.permutations(range(prod(shape))))
    g = draw(arrays((*shape[:2], *outputs)))
    return size, numpy.array(order, dtype=float).reshape(shape), g


@law(drawn=pooled())
def test_a_mean_spreads_its_sensitivity_evenly(implementation: Any, drawn: Any) -> None:
    """up(delta) / d^r: enlarged by d, which is a Kronecker product with ones, and divided by the
    size of the window.
    """
    size, x, g = drawn
    g = prod(size) * g
    (d_x,) = implementation.average_pool_vjp(g, x, kernel_size=size)
    same(d_x, implementation.upsample(g, scale=size, kind="nearest") / prod(size))
    same(d_x, numpy.kron(g, numpy.ones((1, 1, *size))) / prod(size))


def test_a_mean_without_the_division_hands_on_too_much(implementation: Any) -> None:
    """Smallest counterexample to the documents' rule that every element gets the sensitivity: a
    window of 2 whose elements both grow by 1 has a mean that grows by 1, and not by 2.
    """
    (d_x,) = implementation.average_pool_vjp(
        numpy.ones((1, 1, 1)), numpy.zeros((1, 1, 2)), kernel_size=2
    )
    grown = implementation.average_pool(numpy.ones((1, 1, 2)), kernel_size=2)
    assert d_x.sum() == grown.sum() == 1


@law(drawn=pooled())
def test_a_maximum_hands_its_sensitivity_to_the_recorded_index(
    implementation: Any, drawn: Any
) -> None:
    """The sensitivity goes where the forward pass found the maximum; everything else gets 0."""
    size, x, g = drawn
    (d_x,) = implementation.max_pool_vjp(g, x, kernel_size=size)
    enlarged = implementation.upsample(g, scale=size, kind="nearest")
    largest = implementation.upsample(
        implementation.max_pool(x, kernel_size=size), scale=size, kind="nearest"
    )
    same(d_x, numpy.where(x == largest, enlarged, 0))
    _, indices = implementation.max_pool_with_indices(x, kernel_size=size)
    same(d_x, implementation.max_unpool(g, indices, output_size=x.shape[2:]))


@law(drawn=pooled())
def test_the_sensitivity_below_a_pool(implementation: Any, drawn: Any) -> None:
    """delta = f'(u) times up(delta above), element by element, for a layer of f = sigmoid and a
    mean; f' = f (1 - f).
    """
    size, u, g = drawn
    u = u / 8 - 1
    y = implementation.sigmoid(u)
    (above,) = implementation.average_pool_vjp(g, y, kernel_size=size)
    (delta,) = implementation.sigmoid_vjp(above, u)
    enlarged = numpy.kron(g, numpy.ones((1, 1, *size))) / prod(size)
    close(delta, (y * (1 - y) * enlarged).astype(delta.dtype), 4 * ELEMENTARY, abs(g).max())


@law(x=arrays((4,)), depth=st.integers(1, 8))
def test_sigmoids_weaken_a_sensitivity_and_relus_do_not(
    implementation: Any, x: Any, depth: int
) -> None:
    """A sigmoid's derivative is at most 1/4, so behind L of them at most 4^-L arrives; behind L
    relus an element that is positive has its sensitivity whole, another none.
    """
    (slope,) = implementation.sigmoid_vjp(numpy.ones(4), x)
    rounded = 1 + growth(numpy.finfo(slope.dtype).eps / 2, 4 * ELEMENTARY)
    assert (slope <= rounded / 4).all()
    g, values = numpy.ones(4), [x]
    for _ in range(depth):
        values.append(implementation.relu(values[-1]))
    for value in reversed(values[:-1]):
        (g,) = implementation.relu_vjp(g, value)
    same(g, x > 0)


@law(layer=layers(), steps=st.integers(1, 2))
def test_training_does_not_mind_the_flip(implementation: Any, layer: Any, steps: int) -> None:
    """Descent on |y - t|^2 / 2 from flipped kernels: one network correlates, the other truly
    convolves, and after every step their kernels are each other's flips and their outputs equal.
    What is learned is a function, and the kernel is written one way or the other.

    The rate is 1/16, so that nothing rounds.
    """
    x, w, _, target = layer
    x, w = numpy.sign(x[0, 0]), numpy.sign(w[0, 0])
    target = target[0, 0]
    v = numpy.flip(w)
    for _ in range(steps):
        ours = implementation.correlate(x, w, mode="valid")
        theirs = implementation.convolve(x, v, mode="valid")
        same(ours, theirs)
        w = w - implementation.correlate_vjp(ours - target, x, w, mode="valid")[1] / 16
        v = v - implementation.convolve_vjp(theirs - target, x, v, mode="valid")[1] / 16
        same(v, numpy.flip(w))


SHAPES = {"x": (1, 1, 4), "w": (1, 1, 2), "b": (1,), "v": (2, 2), "c": (2,)}


def symbolic_cost() -> tuple[dict[str, Any], Any]:
    """Symbols, and from the definitions the cost of a convolution, a sigmoid, a mean at stride 1, a
    dense layer and the cross-entropy.
    """
    operands = {
        letter: numpy.array(sympy.symbols(f"{letter}:{prod(shape)}")).reshape(shape)
        for letter, shape in SHAPES.items()
    }
    z = convspec.conv(operands["x"], operands["w"], operands["b"])
    y = convspec.average_pool(convspec.sigmoid(z), kernel_size=2, stride=1)
    logits = convspec.linear(convspec.flatten(y), operands["v"], operands["c"])
    cost = sympy.log(sum(map(sympy.exp, logits[0]))) - logits[0, 1]
    return operands, cost


@cache
def exact_gradients() -> tuple[dict[str, Any], dict[str, Any]]:
    """Numbers for the symbols, multiples of 1/4, and the derivatives there to 30 digits."""
    operands, cost = symbolic_cost()
    generator = numpy.random.default_rng(0)
    at = {name: generator.integers(-4, 5, s.shape) / 4 for name, s in operands.items()}
    values = {
        symbol: sympy.Rational(number)
        for name, symbols in operands.items()
        for symbol, number in zip(symbols.flat, at[name].flat, strict=True)
    }
    exact = {
        name: [sympy.diff(cost, symbol).subs(values).evalf(30) for symbol in symbols.flat]
        for name, symbols in operands.items()
    }
    return at, {name: numpy.array(e, float).reshape(SHAPES[name]) for name, e in exact.items()}


def test_a_whole_network_by_sympy(implementation: Any) -> None:
    """SymPy's derivative of the cost by every input, weight and bias, to 30 digits, is what goes
    back through the layers, up to 2^8 roundings of numbers up to the largest of them.
    """
    at, expected = exact_gradients()
    z = implementation.conv(at["x"], at["w"], at["b"])
    y = implementation.sigmoid(z)
    features = implementation.flatten(implementation.average_pool(y, kernel_size=2, stride=1))
    logits = implementation.linear(features, at["v"], at["c"])
    found = {}
    (g,) = implementation.cross_entropy_vjp(numpy.array(1.0), logits, numpy.array([1]))
    (g, found["v"], found["c"]) = implementation.linear_vjp(g, features, at["v"], at["c"])
    (g,) = implementation.average_pool_vjp(g.reshape(1, 1, 2), y, kernel_size=2, stride=1)
    (g,) = implementation.sigmoid_vjp(g, z)
    found["x"], found["w"], found["b"] = implementation.conv_vjp(g, at["x"], at["w"], at["b"])
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        close(gradient, expected[name].astype(gradient.dtype), 2**8)

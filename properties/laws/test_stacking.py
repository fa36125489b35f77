"""Stacks of convolutions: what two layers without anything between them can say.

Conv after conv is one conv with the true convolution of the kernels, summed over the channels
between them; so a stack is linear, sees further, and has fewer weights than it has taps.
"""

from __future__ import annotations

from typing import Any

import numpy
import scipy.signal
import sympy
from hypothesis import strategies as st

from convspec.operations import OPERATIONS
from convspec.strategies import arrays

from .statement import law, same


def composed(first: Any, second: Any) -> Any:
    """The kernel of conv(., first) followed by conv(., second): for every pair of channels the
    sum of SciPy's full convolutions over the channels between.
    """
    shape = tuple(a + b - 1 for a, b in zip(first.shape[2:], second.shape[2:], strict=True))
    kernel = numpy.zeros((second.shape[0], first.shape[1], *shape))
    for o, c in numpy.ndindex(kernel.shape[:2]):
        for between in range(len(first)):
            kernel[o, c] += scipy.signal.convolve(
                first[between, c], second[o, between], mode="full", method="direct"
            )
    return kernel


@law(
    channels=st.tuples(*[st.integers(1, 2)] * 3),
    more=st.tuples(*[st.integers(0, 2)] * 2),
    data=st.data(),
)
def test_two_stacked_3x3_are_one_5x5(
    implementation: Any, channels: Any, more: Any, data: Any
) -> None:
    """conv(conv(x, w), v) = conv(x, w * v) with a 5 by 5 kernel, at stride 1 without padding, bias
    or activation between.
    """
    inputs, between, outputs = channels
    x = data.draw(arrays((1, inputs, 5 + more[0], 5 + more[1])))
    w, v = data.draw(arrays((between, inputs, 3, 3))), data.draw(arrays((outputs, between, 3, 3)))
    twice = implementation.conv(implementation.conv(x, w), v)
    same(twice, implementation.conv(x, composed(w, v)))


@law(
    kernels=st.tuples(*[st.integers(1, 3)] * 2),
    steps=st.tuples(*[st.integers(1, 3)] * 2),
    data=st.data(),
)
def test_two_strided_layers_are_one(
    implementation: Any, kernels: Any, steps: Any, data: Any
) -> None:
    """Stride s, then stride t, is stride s t, with zeros between the taps of the second kernel:
    kernel k + (q - 1) s.
    """
    (k, q), (s, t) = kernels, steps
    x = data.draw(arrays((1, 1, k + (q - 1) * s + data.draw(st.integers(0, 6)))))
    w, v = data.draw(arrays((1, 1, k))), data.draw(arrays((1, 1, q)))
    twice = implementation.conv(implementation.conv(x, w, stride=s), v, stride=t)
    wide = numpy.zeros((1, 1, s * (q - 1) + 1))
    wide[..., ::s] = v
    same(twice, implementation.conv(x, composed(w, wide), stride=s * t))


def test_not_every_5x5_is_two_stacked_3x3() -> None:
    """A kernel is a polynomial in two variables, and stacking multiplies them.  x^4 + y, whose
    degrees of 4 and 1 fit a 5 by 5 kernel, has no factors, over whatever numbers: of two, one would
    be without y, and divide the coefficient 1 of y.  So one layer would be a constant, and the
    other of degree 4, which no 3 by 3 kernel is.  SymPy agrees, over rationals and with a root of
    any of the numbers that could occur.

    Where one channel lies between: 18 numbers make a variety of at most 17 dimensions, for a factor
    moves from one layer to the other; SymPy's rank of the derivative.
    """
    x, y = sympy.symbols("x y")
    kernel = sympy.Poly(x**4 + y, x, y)
    assert kernel.is_irreducible
    assert len(sympy.factor_list(x**4 + y, x, y, extension=[sympy.sqrt(2), sympy.I])[1]) == 1
    layers = sympy.symbols("a0:9"), sympy.symbols("b0:9")
    powers = [x**i * y**j for i in range(3) for j in range(3)]
    stacked = sympy.Poly(sympy.prod(sympy.Add(*map(sympy.Mul, w, powers)) for w in layers), x, y)
    weights = [*layers[0], *layers[1]]
    slopes = sympy.Matrix([[sympy.diff(c, w) for w in weights] for c in stacked.coeffs()])
    somewhere = dict(zip(weights, sympy.primerange(2, 62), strict=True))
    assert slopes.shape == (25, 18)
    assert slopes.subs(somewhere).rank() == 17


def test_the_smallest_kernel_that_is_no_stack() -> None:
    """On one axis, two kernels of 2 make every kernel of 3 with a real root: 1, 0, 1 has none."""
    x = sympy.Symbol("x", real=True)
    a, b, c, d = sympy.symbols("a b c d", real=True)
    product = sympy.Poly((a * x + b) * (c * x + d), x).all_coeffs()
    equations = [found - due for found, due in zip(product, (1, 0, 1), strict=True)]
    assert sympy.solve(equations, (a, b, c, d), dict=True) == []
    assert sympy.roots(sympy.Poly(x**2 + 1, x), filter="R") == {}


def test_more_channels_between_make_every_5x5(implementation: Any) -> None:
    """With 25 channels between, nothing is lost: the first layer shifts, the second weighs.

    A shift by up to 4 takes both layers: every 5 by 5 place is a 3 by 3 place plus another.
    """
    kernel = numpy.arange(25.0).reshape(5, 5) - 12
    first, second = numpy.zeros((25, 1, 3, 3)), numpy.zeros((1, 25, 3, 3))
    for n, (i, j) in enumerate(numpy.ndindex(5, 5)):
        first[n, 0, i // 2, j // 2] = 1
        second[0, n, i - i // 2, j - j // 2] = kernel[i, j]
    x = numpy.random.default_rng(0).integers(-9, 10, (1, 1, 7, 6)).astype(float)
    twice = implementation.conv(implementation.conv(x, first), second)
    same(twice, implementation.conv(x, kernel[None, None]))


def test_an_activation_between_ends_it(implementation: Any) -> None:
    """Smallest counterexample: relu between two layers of one weight is not even linear."""
    one = numpy.ones((1, 1, 1))

    def stack(x: Any) -> Any:
        return implementation.conv(implementation.relu(implementation.conv(x, one)), one)

    same(stack(one) + stack(-one), [[[1]]])
    same(stack(one - one), [[[0]]])


@law(sizes=st.tuples(*[st.integers(1, 3)] * 5), data=st.data())
def test_patches_through_a_linear_feature_extractor_are_a_convolution(
    implementation: Any, sizes: Any, data: Any
) -> None:
    """Cut out every patch, put it through the same linear map, write its features where it began:
    conv, with the rows of the map as kernels.
    """
    features, channels, kernel, *more = sizes
    x = data.draw(arrays((1, channels, kernel + more[0], kernel + more[1])))
    weight = data.draw(arrays((features, channels, kernel, kernel)))
    learnt = weight.reshape(features, -1)
    patches = numpy.lib.stride_tricks.sliding_window_view(x[0], (kernel, kernel), axis=(1, 2))
    rows = patches.transpose(1, 2, 0, 3, 4).reshape(*patches.shape[1:3], -1)
    same(implementation.conv(x, weight)[0], numpy.moveaxis(rows @ learnt.T, -1, 0))


def test_an_autoencoder_of_8x8_patches_sees_89x89_of_them_in_96x96(implementation: Any) -> None:
    """The documents' figures: 96 - 8 + 1 = 89, for each of 100 features; here for one of them, put
    to every patch.
    """
    rng = numpy.random.default_rng(0)
    x = rng.integers(0, 4, (1, 1, 96, 96)).astype(float)
    w = rng.integers(-3, 4, (1, 1, 8, 8)).astype(float)
    patches = numpy.lib.stride_tricks.sliding_window_view(x[0, 0], (8, 8))
    assert patches.shape == (89, 89, 8, 8)
    y = implementation.conv(x, w)
    same(y[0, 0], patches.reshape(89, 89, 64) @ w.ravel())
    assert OPERATIONS["conv"].shape(x.shape, (100, 1, 8, 8)) == (1, 100, 89, 89)

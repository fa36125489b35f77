"""Back-propagation as the documents write it: which formula is the derivative, and which is not.

The witness is SymPy's derivative of the definition.
"""

from __future__ import annotations

from typing import Any

import numpy
import sympy

from convspec import (
    average_pool,
    average_pool_vjp,
    conv,
    conv_vjp,
    convolve,
    convolve_vjp,
    correlate,
    linear,
    max_pool_vjp,
    max_unpool,
)

from .proved import equal, proved, symbols


def pulled_back(cotangent: Any, output: Any, variables: Any) -> Any:
    """The derivative of sum(cotangent * output) by every variable."""
    total = (numpy.asarray(cotangent) * output).sum()
    flat = [sympy.diff(total, variable) for variable in variables.ravel()]
    return numpy.array(flat, dtype=object).reshape(variables.shape)


@proved
def test_the_sensitivity_of_a_correlation_is_the_wide_one_with_the_turned_kernel() -> None:
    x, w, delta = symbols("x", (3, 3)), symbols("w", (2, 2)), symbols("g", (2, 2))
    wanted = pulled_back(delta, correlate(x, w, "valid"), x)
    assert equal(wanted, correlate(delta, numpy.rot90(w, 2)))
    assert equal(wanted, convolve(delta, w))


@proved
def test_the_sensitivity_of_a_convolution_is_a_convolution_with_the_turned_kernel() -> None:
    """delta^(l-1) = delta^l * flip(w) where the layer is a true convolution."""
    x, w, delta = symbols("x", (4,)), symbols("w", (2,)), symbols("g", (3,))
    wanted = pulled_back(delta, convolve(x, w, "valid"), x)
    assert equal(wanted, convolve(delta, w[::-1]))
    assert equal(wanted, convolve_vjp(delta, x, w, "valid")[0])


def test_after_a_correlation_it_is_not() -> None:
    """One output of two taps: the kernel itself comes back, not its mirror image."""
    (d_input, _) = conv_vjp([[[1]]], [[[0, 0]]], [[[3, 4]]])
    assert d_input[0, 0].tolist() == [3, 4] != convolve([1], [4, 3]).tolist()


def test_the_printed_chain_ends_in_another_sum() -> None:
    """sum_i delta_(n-i+1) w_i with delta = (1), w = (3, 4) is (3, 4); delta * flip(w) is (4, 3)."""
    delta, w = [1], [3, 4]
    summed = [sum(delta[n - i] * w[i] for i in range(2) if n - i == 0) for n in range(2)]
    assert summed == [3, 4]
    assert convolve(delta, w[::-1]).tolist() == [4, 3]


@proved
def test_both_chains_put_right() -> None:
    """Correlation forward: sum_i delta_(n-i+1) w_i = (delta * w)_n; convolution forward:
    sum_i delta_(n+i-1) w_i = (delta * flip(w))_n, read where the layer's outputs are.
    """
    x, w, delta = symbols("x", (4,)), symbols("w", (2,)), symbols("g", (3,))

    def at(index: int) -> Any:
        return delta[index] if 0 <= index < 3 else 0

    after_correlation = [sum(at(n - i) * w[i] for i in range(2)) for n in range(4)]
    assert equal(after_correlation, convolve(delta, w))
    assert equal(after_correlation, pulled_back(delta, correlate(x, w, "valid"), x))
    after_convolution = [sum(at(n - 1 + i) * w[i] for i in range(2)) for n in range(4)]
    assert equal(after_convolution, convolve(delta, w[::-1]))
    assert equal(after_convolution, pulled_back(delta, convolve(x, w, "valid"), x))


def test_correlating_both_ways_is_wrong() -> None:
    """Without any flip, forward and backward: (1, 0) comes back where (0, 1) had been read."""
    (d_input, _) = conv_vjp([[[1]]], [[[0, 0]]], [[[0, 1]]])
    assert d_input[0, 0].tolist() == [0, 1] != correlate([1], [0, 1]).tolist()


@proved
def test_the_gradient_of_the_kernel_is_a_narrow_correlation() -> None:
    x, w, delta = symbols("x", (3, 4)), symbols("w", (2, 2)), symbols("g", (2, 3))
    wanted = pulled_back(delta, correlate(x, w, "valid"), w)
    assert equal(wanted, correlate(x, delta, "valid"))


@proved
def test_the_gradient_of_a_weight_sums_what_it_was_multiplied_with() -> None:
    """dJ/dk_j = sum_u delta_u x_(u s + j), at strides 1 and 2."""
    x, w = symbols("x", (1, 1, 5)), symbols("w", (1, 1, 2))
    for stride in (1, 2):
        y = conv(x, w, stride=stride)
        delta = symbols("g", y.shape)
        sums = [
            sum(delta[0, 0, u] * x[0, 0, u * stride + j] for u in range(y.shape[2]))
            for j in range(2)
        ]
        assert equal(pulled_back(delta, y, w)[0, 0], sums)


def test_at_stride_two_the_narrow_correlation_is_another_sum() -> None:
    """Three pixels, one tap, stride 2: the weight met pixels 0 and 2, not 0 and 1."""
    (_, d_weight) = conv_vjp([[[1, 1]]], [[[5, 6, 7]]], [[[1]]], stride=2)
    assert d_weight.tolist() == [[[12]]]
    assert correlate([5, 6, 7], [1, 1], "valid").tolist()[0] == 11


@proved
def test_training_with_a_flip_is_training_the_mirrored_kernel() -> None:
    """The same step in mirrored coordinates: d(flip w) = flip(d w), so descent stays mirrored."""
    x, w, delta = symbols("x", (4,)), symbols("w", (2,)), symbols("g", (3,))
    flipping = pulled_back(delta, convolve(x, w[::-1], "valid"), w)
    plain = pulled_back(delta, correlate(x, w, "valid"), w)
    assert equal(convolve(x, w[::-1], "valid"), correlate(x, w, "valid"))
    assert equal(flipping, plain)


@proved
def test_a_layer_hands_on_the_sum_over_its_output_maps() -> None:
    """delta^(l,d) = sum_p rot180(W^(l+1,p,d)) wide-correlated with delta^(l+1,p), times f'."""
    x, w, delta = symbols("x", (1, 2, 3)), symbols("w", (2, 2, 2)), symbols("g", (1, 2, 2))
    z = symbols("z", (1, 2, 3))
    f = numpy.vectorize(sympy.tanh, otypes=[object])
    y = conv(f(z), w)
    wanted = pulled_back(delta, y, z)
    for channel in range(2):
        summed = sum(correlate(delta[0, p], w[p, channel, ::-1]) for p in range(2))
        slopes = [sympy.diff(sympy.tanh(value), value) for value in z[0, channel]]
        assert equal(wanted[0, channel], summed * numpy.array(slopes))
    assert equal(conv_vjp(delta, x, w)[0].shape, z.shape)


def test_turning_the_product_instead_of_the_kernel_is_wrong() -> None:
    """rot180(W wide-correlated with delta), as the bracket is printed: mirrored on one axis."""
    w, delta = numpy.array([1, 0]), numpy.array([1, 2])
    printed = correlate(delta, w)[::-1]
    right = correlate(delta, w[::-1])
    assert right.tolist() == [1, 2, 0] != printed.tolist()


@proved
def test_the_slope_multiplies_the_upsampled_sensitivity() -> None:
    """delta^l = f'(u) times up(delta^(l+1)) / m, element by element, for a mean over m = 2."""
    u, delta = symbols("u", (1, 1, 4)), symbols("g", (1, 1, 2))
    f = numpy.vectorize(sympy.tanh, otypes=[object])
    wanted = pulled_back(delta, average_pool(f(u), kernel_size=2), u)
    slopes = numpy.array([sympy.diff(sympy.tanh(value), value) for value in u[0, 0]])
    assert equal(wanted[0, 0], slopes * numpy.repeat(delta[0, 0], 2) / 2)


def test_the_slope_of_their_product_is_something_else() -> None:
    """f(u) = u^3 at u = 1, and a sensitivity of 2: f'(1) 2 = 6, but f'(1 * 2) = 12."""
    u = sympy.Symbol("u")
    slope = sympy.diff(u**3, u)
    assert slope.subs(u, 1) * 2 == 6
    assert slope.subs(u, 1 * 2) == 12


@proved
def test_a_mean_passes_on_one_mth() -> None:
    x, delta = symbols("x", (1, 1, 2, 2)), symbols("g", (1, 1, 1, 1))
    wanted = pulled_back(delta, average_pool(x, kernel_size=2), x)
    assert equal(wanted, numpy.full((1, 1, 2, 2), delta[0, 0, 0, 0] / 4))


def test_filling_the_block_with_the_value_itself_is_four_times_too_much() -> None:
    (d_input,) = average_pool_vjp([[[[8]]]], [[[[0, 0], [0, 0]]]], kernel_size=2)
    assert d_input.tolist() == [[[[2, 2], [2, 2]]]] != [[[[8, 8], [8, 8]]]]


def test_the_slope_of_a_maximum_is_one_at_its_place() -> None:
    for largest in range(3):
        x = numpy.array([[[1, 2, 3]]])
        x[0, 0, largest] = 9
        (d_input,) = max_pool_vjp([[[1]]], x, kernel_size=3)
        assert d_input[0, 0].tolist() == [int(j == largest) for j in range(3)]


def test_at_a_tie_the_slopes_would_add_up_to_two() -> None:
    """max(5 + h, 5 + h) grows by h, not by 2 h: ones at both places are no subgradient."""
    claimed = [1 if value == 5 else 0 for value in (5, 5)]
    assert sum(claimed) == 2
    (d_input,) = max_pool_vjp([[[1]]], [[[5, 5]]], kernel_size=2)
    assert d_input.sum() == 1


def test_a_sensitivity_goes_to_the_recorded_place() -> None:
    x = numpy.array([[[1, 8, 3, 4]]])
    (d_input,) = max_pool_vjp([[[10, 20]]], x, kernel_size=2)
    assert d_input.tolist() == max_unpool([[[10, 20]]], [[[1, 3]]], output_size=4).tolist()


@proved
def test_the_kernel_turned_by_180_degrees_has_negated_indices() -> None:
    """Indices counted from the centre: w_(-x,-y) is rot180(w) at (x, y)."""
    w = symbols("w", (3, 3))
    turned = numpy.rot90(w, 2)
    assert all(turned[1 + a, 1 + b] == w[1 - a, 1 - b] for a in (-1, 0, 1) for b in (-1, 0, 1))


@proved
def test_a_dense_layer_hands_back_its_transposed_matrix_times_slopes() -> None:
    """delta^(l-1) = (W^T delta^l) f'(u^(l-1)), the product element by element."""
    u, w, delta = symbols("u", (2,)), symbols("w", (3, 2)), symbols("g", (3,))
    f = numpy.vectorize(sympy.tanh, otypes=[object])
    wanted = pulled_back(delta, w @ f(u), u)
    slopes = numpy.array([sympy.diff(sympy.tanh(value), value) for value in u])
    assert equal(wanted, (w.T @ delta) * slopes)


def test_a_convolution_of_the_two_has_another_size() -> None:
    """Read as the convolution that the star meant before, the sizes do not even agree."""
    assert convolve([1, 2], [3, 4]).shape != (2,)


def test_a_slope_after_the_pool_has_the_pools_size() -> None:
    """f' of what the pool returns has two elements where up(delta) has four."""
    pooled = average_pool(numpy.zeros((1, 1, 4)), kernel_size=2)
    assert pooled.shape[2] == 2 != numpy.repeat([1, 2], 2).size


@proved
def test_a_slope_after_the_pool_comes_before_the_upsampling() -> None:
    """delta^l = up(f'(pooled) delta^(l+1)) / m where f follows the pool."""
    x, delta = symbols("x", (1, 1, 4)), symbols("g", (1, 1, 2))
    pooled = average_pool(x, kernel_size=2)
    f, v = numpy.vectorize(sympy.tanh, otypes=[object]), sympy.Symbol("v")
    slopes = numpy.array([sympy.diff(sympy.tanh(v), v).subs(v, e) for e in pooled[0, 0]])
    wanted = pulled_back(delta, f(pooled), x)
    assert equal(wanted[0, 0], numpy.repeat(slopes * delta[0, 0], 2) / 2)


@proved
def test_a_dense_weight_gradient_is_a_product_of_two_elements() -> None:
    delta, x, w = symbols("g", (1, 2)), symbols("x", (1, 3)), symbols("w", (2, 3))
    assert equal(pulled_back(delta, linear(x, w), w), numpy.outer(delta, x))


def test_after_a_stride_the_wide_correlation_is_too_short() -> None:
    """Two outputs of one tap at stride 2: 1, 0, 1 comes back, and the wide one has 1, 1."""
    (d_input, _) = conv_vjp([[[1, 1]]], [[[0, 0, 0]]], [[[1]]], stride=2)
    assert d_input.tolist() == [[[1, 0, 1]]]
    assert correlate([1, 1], [1]).tolist() == [1, 1]


def test_counted_from_zero_negated_indices_stay_where_they_are() -> None:
    """w[-0, -0] is w[0, 0], and the turned kernel has w[1, 1] there."""
    w = numpy.array([[1, 2], [3, 4]])
    assert w[-0, -0] == 1 != numpy.rot90(w, 2)[0, 0]


def test_pieces_of_d_by_d_fill_the_image_where_d_divides() -> None:
    for size in (2, 4, 6):
        y = average_pool(numpy.zeros((1, 1, size)), kernel_size=2)
        assert y.shape[2] * 2 == size


def test_pieces_of_d_by_d_are_too_many_where_it_does_not() -> None:
    y = average_pool(numpy.zeros((1, 1, 3)), kernel_size=2, ceil_mode=True)
    assert y.shape[2] * 2 == 4 != 3

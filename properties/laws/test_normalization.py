"""Normalization: what batch norm does not see, and what local response normalization bounds."""

from __future__ import annotations

from typing import Any

import numpy
from hypothesis import strategies as st

from convspec.rounding import growth
from convspec.strategies import arrays, calls

from .exact import cotangents
from .rewriting import run, with_input
from .statement import law, same


def close(left: Any, right: Any, roundings: int) -> None:
    """Equal up to this many roundings of numbers up to the largest."""
    left, right = numpy.asarray(left), numpy.asarray(right)
    assert left.shape == right.shape
    scale = max(abs(left).max(initial=1), abs(right).max(initial=1))
    slack = growth(numpy.finfo(left.dtype).eps / 2, roundings) * scale
    assert (abs(left - right) <= slack).all()


def along_channels(vector: Any, image: Any) -> Any:
    """A vector with an entry a channel, shaped to be multiplied with an image."""
    return vector.reshape(1, -1, *(1,) * (image.ndim - 2))


@law(case=calls("batch_norm"), factor=st.sampled_from((1, 2, 4, 8)), data=st.data())
def test_batch_norm_does_not_see_an_affine_map_of_its_input(
    implementation: Any, case: Any, factor: int, data: Any
) -> None:
    """bn(a x + c; a mu + c, a^2 sigma^2, a^2 epsilon) = bn(x; mu, sigma^2, epsilon) for a > 0: the
    scale and the shift of a convolution before it do not matter.

    Powers of two scale exactly, and so does adding small integers.
    """
    x, mean, variance, scale, shift = case.operands.values()
    more = data.draw(arrays(mean.shape))
    moved = implementation.batch_norm(
        factor * x + along_channels(more, x),
        factor * mean + more,
        factor**2 * variance,
        scale,
        shift,
        epsilon=factor**2 * case.attributes["epsilon"],
    )
    close(moved, run(implementation, case), 32)


def test_batch_norm_with_a_fixed_epsilon_sees_a_factor(implementation: Any) -> None:
    """Smallest counterexample: epsilon 1 and variance 3 divide by 2; twice the deviation is not
    divided by 4, for 1 + 4 * 3 = 13 is not 16.
    """
    one, nothing = numpy.ones(1), numpy.zeros(1)
    x = numpy.ones((1, 1, 1))
    same(implementation.batch_norm(x, nothing, 3 * one, one, nothing, epsilon=1.0), [[[0.5]]])
    twice = implementation.batch_norm(2 * x, nothing, 12 * one, one, nothing, epsilon=1.0)
    assert twice > 0.5


@law(case=calls("batch_norm"))
def test_batch_norm_is_an_affine_map_of_each_channel(implementation: Any, case: Any) -> None:
    """y = g x + (beta - g mu) with g = gamma / sqrt(sigma^2 + epsilon): a depthwise convolution
    with one tap and a bias, into which it can be folded.
    """
    x, mean, variance, scale, shift = case.operands.values()
    g = scale / numpy.sqrt(variance + case.attributes["epsilon"])
    folded = along_channels(g, x) * x + along_channels(shift - g * mean, x)
    found = run(implementation, case)
    # Folding may cancel: both sides are sums of terms as large as these.
    largest = abs(along_channels(g, x)) * (abs(x) + abs(along_channels(mean, x)))
    slack = growth(numpy.finfo(found.dtype).eps / 2, 32) * (
        1 + largest + abs(along_channels(shift, x))
    )
    assert (abs(found - folded) <= slack).all()


@law(data=st.data(), sizes=st.tuples(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3)))
def test_the_batchs_own_statistics_give_mean_0_and_variance_1(
    implementation: Any, data: Any, sizes: Any
) -> None:
    """With the mean and the variance of the batch itself, scale 1, shift 0 and epsilon 0, every
    channel has mean 0 and variance 1; with others, mean shift and variance scale^2.

    The statistics round once a term and the variance twice; the condition of a variance is at most
    the largest square over it, below 2^8 * n for integers up to 8 that differ.
    """
    x = data.draw(arrays(sizes))
    x[0, :, 0], x[1, :, 0] = 1, 2  # no channel is constant
    axes = (0, 2)
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    one, nothing = numpy.ones(sizes[1]), numpy.zeros(sizes[1])
    y = implementation.batch_norm(x, mean, variance, one, nothing, epsilon=0.0)
    count = sizes[0] * sizes[2]
    slack = growth(numpy.finfo(y.dtype).eps / 2, 8 * count + 32) * 2**8 * count
    assert (abs(y.mean(axis=axes)) <= slack).all()
    assert (abs(y.var(axis=axes) - 1) <= slack).all()


def per_channel(array: Any) -> Any:
    """The sum over everything but the channels."""
    return array.sum(axis=tuple(axis for axis in range(array.ndim) if axis != 1))


def within(left: Any, right: Any, terms: Any, roundings: int) -> None:
    """Equal up to this many roundings of sums of numbers with these absolute values."""
    slack = 2 * growth(numpy.finfo(left.dtype).eps / 2, roundings) * terms
    assert (abs(left - right) <= slack).all()


@law(case=calls("batch_norm"), data=st.data())
def test_the_gradient_of_batch_norm_does_not_see_a_shift_either(
    implementation: Any, case: Any, data: Any
) -> None:
    """bn(x + c; mu + c) = bn(x; mu) in every channel, so that d_mu = -sum(d_x)."""
    g, x = data.draw(cotangents(case)), case.operands["input"]
    d_x, d_mean, *_ = implementation.batch_norm_vjp(g, *case.operands.values(), **case.attributes)
    within(d_mean, -per_channel(d_x), per_channel(abs(d_x)), 2 * x.size + 32)


@law(case=calls("batch_norm"), data=st.data())
def test_the_gradient_of_batch_norm_does_not_see_a_factor_either(
    implementation: Any, case: Any, data: Any
) -> None:
    """bn(mu + a (x - mu); a^2 (sigma^2 + epsilon)) is the same for all a: its derivative at a = 1,
    sum(d_x (x - mu)) + 2 (sigma^2 + epsilon) d_sigma^2, is 0.
    """
    g = data.draw(cotangents(case))
    x, mean, variance, *_ = case.operands.values()
    gradients = implementation.batch_norm_vjp(g, *case.operands.values(), **case.attributes)
    d_x, _, d_variance, *_ = gradients
    radial = per_channel(d_x * (x - along_channels(mean, x)))
    terms = per_channel(abs(d_x) * (abs(x) + abs(along_channels(mean, x))))
    spread = 2 * (variance + case.attributes["epsilon"])
    within(radial, -spread * d_variance, terms, 2 * x.size + 32)


@law(case=calls("batch_norm"), data=st.data())
def test_batch_norm_is_linear_in_scale_and_shift_together(
    implementation: Any, case: Any, data: Any
) -> None:
    """Euler's identity, in every channel: gamma d_gamma + beta d_beta = <g, y>."""
    g = data.draw(cotangents(case))
    x, mean, variance, scale, shift = case.operands.values()
    gradients = implementation.batch_norm_vjp(g, *case.operands.values(), **case.attributes)
    *_, d_scale, d_shift = gradients
    slope = scale / numpy.sqrt(variance + case.attributes["epsilon"])
    sizes = abs(along_channels(slope, x)) * (abs(x) + abs(along_channels(mean, x)))
    terms = per_channel(abs(g) * (sizes + abs(along_channels(shift, x))))
    left = scale * d_scale + shift * d_shift
    within(left, per_channel(g * run(implementation, case)), terms, 2 * x.size + 64)


@law(case=calls("local_response_normalization"))
def test_local_response_normalization_shrinks_and_keeps_the_sign(
    implementation: Any, case: Any
) -> None:
    """0 <= y / x <= k^-beta, since the energy of a window only adds to k."""
    x, y = case.operands["input"], run(implementation, case)
    most = abs(x) * float(case.attributes["k"]) ** -case.attributes["beta"]
    slack = growth(numpy.finfo(y.dtype).eps / 2, 64)
    assert (abs(y) <= most * (1 + slack)).all()
    same(numpy.sign(y), numpy.sign(x))


@law(case=calls("local_response_normalization"))
def test_one_channel_bounds_itself(implementation: Any, case: Any) -> None:
    """|y| <= sqrt(m / alpha) at beta = 1/2, however large x is: an element is part of its own
    energy, alpha x^2 / m.
    """
    x = 2.0**20 * case.operands["input"]
    alpha, m = 0.5, case.attributes["size"]
    y = run(implementation, with_input(case, x, beta=0.5, alpha=alpha))
    slack = growth(numpy.finfo(y.dtype).eps / 2, 64)
    assert (abs(y) <= numpy.sqrt(m / alpha) * (1 + slack)).all()


@law(case=calls("local_response_normalization"), data=st.data())
def test_among_silent_channels_it_is_a_function_of_one_number(
    implementation: Any, case: Any, data: Any
) -> None:
    """y = x (k + alpha x^2 / m)^-beta where all other channels are 0: the size m divides, also
    where fewer channels than that exist.
    """
    alpha, beta, k, m = (case.attributes[name] for name in ("alpha", "beta", "k", "size"))
    x = numpy.zeros_like(case.operands["input"])
    c = data.draw(st.integers(0, x.shape[1] - 1))
    x[:, c] = case.operands["input"][:, c]
    close(run(implementation, with_input(case, x)), x * (k + alpha / m * x**2) ** -beta, 64)


@law(channels=st.integers(1, 6), size=st.integers(1, 8), data=st.data())
def test_a_channel_is_heard_as_far_as_the_window_reaches(
    implementation: Any, channels: int, size: int, data: Any
) -> None:
    """Channel c hears c - floor((m - 1) / 2) to c + floor(m / 2), one more above than below if m is
    even: of equal channels, those change that hear the one that falls silent.
    """
    e = data.draw(st.integers(0, channels - 1))
    loud = numpy.ones((1, channels, 1))
    silent = loud.copy()
    silent[:, e] = 0
    lrn = implementation.local_response_normalization
    before, after = (lrn(x, size=size, alpha=1.0, beta=1.0, k=1.0) for x in (loud, silent))
    # One term of at most 8 less under the fraction: far more than a rounding.
    changed = abs(after - before)[0, :, 0] > growth(numpy.finfo(before.dtype).eps / 2, 64)
    heard = range(e - size // 2, e + (size - 1) // 2 + 1)
    assert changed.tolist() == [c in heard for c in range(channels)]


@law(case=calls("local_response_normalization"), data=st.data())
def test_the_gradient_of_a_response_along_its_input(
    implementation: Any, case: Any, data: Any
) -> None:
    """With E the energies, y = x E^-beta: along x the energies but for k grow twice as fast, so
    that <d_x, x> = (1 - 2 beta) <g, y> + 2 beta k <g, x E^-(beta + 1)>.
    """
    g, x = data.draw(cotangents(case)), case.operands["input"]
    beta, k = case.attributes["beta"], case.attributes["k"]
    (d_x,) = implementation.local_response_normalization_vjp(g, x, **case.attributes)
    y = run(implementation, case)
    weaker = run(implementation, with_input(case, x, beta=beta + 1))
    right = (1 - 2 * beta) * (g * y).sum() + 2 * beta * k * (g * weaker).sum()
    terms = (1 + 2 * beta) * abs(g * y).sum() + 2 * beta * k * abs(g * weaker).sum()
    within((d_x * x).sum(), right, terms, 2 * x.size + 128)


@law(case=calls("local_response_normalization"))
def test_without_alpha_or_beta_it_is_a_factor(implementation: Any, case: Any) -> None:
    """alpha = 0: x k^-beta; beta = 0: x."""
    x, attributes = case.operands["input"], case.attributes
    same(run(implementation, with_input(case, x, beta=0.0)), x)
    plain = run(implementation, with_input(case, x, alpha=0.0))
    close(plain, x * float(attributes["k"]) ** -attributes["beta"], 64)


@law(case=calls("local_response_normalization"), factor=st.sampled_from((2.0, 4.0, 0.5)))
def test_scaling_the_input_is_scaling_alpha(implementation: Any, case: Any, factor: float) -> None:
    """lrn(a x; alpha) = a lrn(x; a^2 alpha): exact in the input, for a is a power of two."""
    x = case.operands["input"]
    alpha = case.attributes["alpha"]
    left = run(implementation, with_input(case, factor * x))
    right = factor * run(implementation, with_input(case, x, alpha=factor**2 * alpha))
    close(left, right, 64)


def test_more_energy_nearby_means_less_response(implementation: Any) -> None:
    """Smallest example: a neighbouring channel that answers as well takes from this one; in a
    window of one channel it does not.
    """
    alone = numpy.array([[[1.0], [0.0]]])
    crowd = numpy.array([[[1.0], [1.0]]])
    attributes = {"alpha": 1.0, "beta": 1.0, "k": 1.0}
    lrn = implementation.local_response_normalization
    assert lrn(crowd, size=3, **attributes)[0, 0] < lrn(alone, size=3, **attributes)[0, 0]
    same(lrn(crowd, size=1, **attributes)[0, 0], lrn(alone, size=1, **attributes)[0, 0])

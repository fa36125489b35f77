"""True convolution is a commutative product; correlation, which does not flip, is not.

$(f * g)_t = \\sum_a f_a g_{t - a}$ multiplies signals the way multiplication combines polynomials,
so it has the rules of a product.  `correlate` slides without flipping and loses most of them: the
smallest counterexamples stand beside the laws.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import scipy.signal
from hypothesis import strategies as st

from convspec.strategies import arrays, calls

from .statement import law, same
from .subjects import having

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
signals = shapes.flatmap(arrays)


@st.composite
def several(draw: Any, count: int, *, alike: int = 1) -> list[Any]:
    """`count` arrays of one rank; the last `alike` of them of one shape."""
    rank = draw(st.integers(1, 3))
    sizes = st.tuples(*[st.integers(1, 4 if rank < 3 else 3)] * rank)
    drawn = [draw(sizes) for _ in range(count - alike + 1)]
    drawn += [drawn[-1]] * (alike - 1)
    return [draw(arrays(shape)) for shape in drawn]


@st.composite
def nested(draw: Any) -> tuple[Any, Any]:
    """Two arrays, either of which may lie inside the other."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=3))
    inner, outer = tuple(n for n, _ in sizes), tuple(n + more for n, more in sizes)
    shapes = draw(st.permutations([inner, outer]))
    return draw(arrays(shapes[0])), draw(arrays(shapes[1]))


@law(case=calls("convolve"))
def test_convolution_is_scipys(implementation: Any, case: Any) -> None:
    """The witness: SciPy's direct convolution, in every mode, with the same centre.  For `same`
    SciPy, too, keeps the size of the first operand, whichever is longer.
    """
    f, g = case.operands.values()
    witness = scipy.signal.convolve(f, g, **case.attributes, method="direct")
    same(implementation.convolve(f, g, **case.attributes), witness)


@law(case=calls("correlate"))
def test_correlation_is_scipys(implementation: Any, case: Any) -> None:
    """correlate(f, g, mode) is scipy.signal.correlate in every mode."""
    f, g = case.operands.values()
    witness = scipy.signal.correlate(f, g, **case.attributes, method="direct")
    same(implementation.correlate(f, g, **case.attributes), witness)


@law(both=several(2))
def test_convolution_commutes(implementation: Any, both: Any) -> None:
    """f * g = g * f, with every output kept (full)."""
    f, g = both
    same(implementation.convolve(f, g), implementation.convolve(g, f))


@law(both=nested())
def test_convolution_commutes_where_one_lies_inside_the_other(
    implementation: Any, both: Any
) -> None:
    """f * g = g * f also in mode valid; in mode same, which keeps the first operand's size, the
    two sides already differ in shape.
    """
    f, g = both
    left = implementation.convolve(f, g, mode="valid")
    same(left, implementation.convolve(g, f, mode="valid"))


def test_correlation_does_not_commute(implementation: Any) -> None:
    """Exchanging the operands reverses the lags.  Smallest counterexample: one element against
    two that differ.
    """
    f, g = numpy.array([1.0]), numpy.array([0.0, 1.0])
    same(implementation.correlate(f, g), [1, 0])
    same(implementation.correlate(g, f), [0, 1])


@law(three=several(3))
def test_convolution_is_associative(implementation: Any, three: Any) -> None:
    """(f * g) * h = f * (g * h), with every output kept (full)."""
    f, g, h = three
    convolve = implementation.convolve
    same(convolve(convolve(f, g), h), convolve(f, convolve(g, h)))


def test_convolution_that_crops_is_not_associative(implementation: Any) -> None:
    """Mode same throws away what a later kernel would have brought back.  Smallest
    counterexample: one element, moved out by [0, 0, 1] and back by [1, 0, 0].
    """
    f, out, back = (numpy.array(x, float) for x in ([1], [0, 0, 1], [1, 0, 0]))
    convolve = implementation.convolve
    same(convolve(convolve(f, out, mode="same"), back, mode="same"), [0])
    same(convolve(f, convolve(out, back, mode="same"), mode="same"), [1])


def test_correlation_is_not_associative(implementation: Any) -> None:
    """Smallest counterexample: f and g one element, h two."""
    f, g, h = (numpy.array(x, float) for x in ([1], [0, 1], [1]))
    correlate = implementation.correlate
    same(correlate(correlate(f, f), g), [1, 0])
    same(correlate(f, correlate(f, g)), [0, 1])
    same(correlate(correlate(f, g), h), correlate(f, correlate(g, h)))


@law(three=several(3))
def test_correlations_nest_through_a_convolution(implementation: Any, three: Any) -> None:
    """What correlation has instead of associativity: correlating with g and then with h is
    correlating once with g * h.
    """
    f, g, h = three
    correlate = implementation.correlate
    same(correlate(correlate(f, g), h), correlate(f, implementation.convolve(g, h)))


@pytest.mark.parametrize("operation", having("mode"))
@law(three=several(3, alike=2))
def test_both_distribute_over_addition(implementation: Any, operation: str, three: Any) -> None:
    """f * (g + h) = f * g + f * h, and (g + h) * f = g * f + h * f."""
    f, g, h = three
    product = getattr(implementation, operation)
    same(product(f, g + h), product(f, g) + product(f, h))
    same(product(g + h, f), product(g, f) + product(h, f))


@pytest.mark.parametrize("operation", having("mode"))
@law(both=several(2), factor=st.integers(-4, 4))
def test_scalars_move_through(implementation: Any, operation: str, both: Any, factor: int) -> None:
    """(a f) * g = a (f * g) = f * (a g)."""
    f, g = both
    product = getattr(implementation, operation)
    same(product(factor * f, g), factor * product(f, g))
    same(product(f, factor * g), factor * product(f, g))


def unit(shape: tuple[int, ...], place: tuple[int, ...]) -> Any:
    """1 at one place of an array of zeros."""
    delta = numpy.zeros(shape)
    delta[place] = 1
    return delta


@law(f=signals)
def test_one_is_the_unit_of_convolution(implementation: Any, f: Any) -> None:
    """f * [1] = f = [1] * f."""
    one = numpy.ones((1,) * f.ndim)
    same(implementation.convolve(f, one), f)
    same(implementation.convolve(one, f), f)


@law(f=signals)
def test_one_is_no_left_unit_of_correlation(implementation: Any, f: Any) -> None:
    """Correlating with [1] from the right keeps f; from the left it reverses every axis."""
    one = numpy.ones((1,) * f.ndim)
    same(implementation.correlate(f, one), f)
    same(implementation.correlate(one, f), numpy.flip(f))


@law(data=st.data(), f=signals)
def test_a_shifted_unit_shifts(implementation: Any, data: Any, f: Any) -> None:
    """f * delta_s is f moved s positions towards the end; the correlation with delta_s moves it
    m - 1 - s, which is the other way as s grows.
    """
    size = tuple(data.draw(st.integers(1, 4)) for _ in f.shape)
    place = tuple(data.draw(st.integers(0, m - 1)) for m in size)
    moved = numpy.zeros([n + m - 1 for n, m in zip(f.shape, size, strict=True)])
    moved[tuple(slice(s, s + n) for s, n in zip(place, f.shape, strict=True))] = f
    same(implementation.convolve(f, unit(size, place)), moved)
    mirrored = tuple(m - 1 - s for s, m in zip(place, size, strict=True))
    same(implementation.correlate(f, unit(size, mirrored)), moved)


@law(both=several(2))
def test_sums_multiply(implementation: Any, both: Any) -> None:
    """sum(f * g) = sum(f) sum(g): every product of two elements appears exactly once."""
    f, g = both
    assert implementation.convolve(f, g).sum() == f.sum() * g.sum()
    assert implementation.correlate(f, g).sum() == f.sum() * g.sum()


@pytest.mark.parametrize("operation", having("mode"))
@law(both=several(2))
def test_modes_are_parts_of_the_full_one(implementation: Any, operation: str, both: Any) -> None:
    """`same` keeps the centred n of the n + m - 1, from (m - 1) // 2 on; `valid` those from
    min(n, m) - 1 up to max(n, m).
    """
    f, g = both
    product = getattr(implementation, operation)
    full = product(f, g)
    sizes = list(zip(f.shape, g.shape, strict=True))
    centred = tuple(slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in sizes)
    same(product(f, g, mode="same"), full[centred])
    if all(n >= m for n, m in sizes) or all(n <= m for n, m in sizes):
        inner = tuple(slice(min(n, m) - 1, max(n, m)) for n, m in sizes)
        same(product(f, g, mode="valid"), full[inner])

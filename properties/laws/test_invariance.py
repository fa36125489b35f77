"""Invariance: when a pooled output does not notice that its input moved.

The documents say that most outputs of a pool do not change under a small shift.  An output stays
exactly when its window, one step aside, has the same maximum; how many do is measured here.
"""

from __future__ import annotations

from typing import Any

import numpy
import scipy.ndimage
from hypothesis import strategies as st

from convspec.strategies import arrays

from .statement import law, same


@st.composite
def moving(draw: Any) -> tuple[Any, int, int, int]:
    """A row, a kernel, a stride, and a shift that leaves at least one window whole."""
    kernel, stride, shift = (
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        draw(st.integers(0, 3)),
    )
    return (
        draw(arrays((1, 1, kernel + shift + draw(st.integers(0, 8))))),
        kernel,
        stride,
        shift,
    )


def both(implementation: Any, drawn: Any) -> tuple[Any, Any]:
    """The pool of a row, and of the row seen `shift` pixels later."""
    x, kernel, stride, shift = drawn
    pool = implementation.max_pool
    size = x.shape[2] - shift
    attributes = {"kernel_size": kernel, "stride": stride}
    return pool(x[..., :size], **attributes), pool(x[..., shift:], **attributes)


@law(drawn=moving())
def test_an_output_stays_exactly_when_no_maximum_enters_or_leaves(
    implementation: Any, drawn: Any
) -> None:
    """y_i is unchanged if and only if max(what entered) and max(what left) are both at most the
    maximum of what stayed, or equal to each other.
    """
    x, kernel, stride, shift = drawn
    before, after = both(implementation, drawn)
    for i in range(before.shape[2]):
        first = i * stride
        window = x[0, 0, first : first + kernel + shift]
        left, entered = window[: min(shift, kernel)], window[max(shift, kernel) :]
        stayed = window[shift:kernel].max(initial=-numpy.inf)
        rivals = (
            max(stayed, left.max(initial=-numpy.inf)),
            max(stayed, entered.max(initial=-numpy.inf)),
        )
        assert (before[0, 0, i] == after[0, 0, i]) == (rivals[0] == rivals[1])


@law(drawn=moving())
def test_a_shift_is_bounded_by_the_larger_windows(implementation: Any, drawn: Any) -> None:
    """The larger of an output and its successor is the maximum over the union of their windows, a
    kernel longer by the shift, if the shift leaves no gap between them: shift <= kernel.
    """
    x, kernel, stride, shift = drawn
    shift = min(shift, kernel)
    before, after = both(implementation, (x, kernel, stride, shift))
    union = implementation.max_pool(x, kernel_size=kernel + shift, stride=stride)
    count = min(before.shape[2], union.shape[2])
    same(numpy.maximum(before, after)[..., :count], union[..., :count])


def test_a_shift_that_leaves_a_gap_is_not_bounded(implementation: Any) -> None:
    """Smallest counterexample: kernel 1 moved by 2 never sees the pixel between."""
    x = numpy.array([[[0.0, 1.0, 0.0]]])
    before, after = both(implementation, (x, 1, 1, 2))
    same(numpy.maximum(before, after), [[[0]]])
    same(implementation.max_pool(x, kernel_size=3), [[[1]]])


@law(
    size=st.integers(1, 5),
    kernel=st.integers(1, 4),
    peak=st.integers(0, 3),
    shift=st.integers(0, 3),
)
def test_one_peak_is_not_noticed_while_it_stays_in_its_window(
    implementation: Any, size: int, kernel: int, peak: int, shift: int
) -> None:
    """A single peak over a lower plain, pooled with stride = kernel: nothing changes exactly as
    long as the peak stays in its window.
    """
    x = numpy.zeros((1, 1, kernel * (size + 6)))
    moved = x.copy()
    x[0, 0, peak], moved[0, 0, peak + shift] = 1, 1
    before = implementation.max_pool(x, kernel_size=kernel)
    after = implementation.max_pool(moved, kernel_size=kernel)
    assert (before == after).all() == (peak // kernel == (peak + shift) // kernel)


def test_the_smallest_shift_that_is_noticed(implementation: Any) -> None:
    """Smallest counterexample: the documents' claim for all inputs fails for one pixel that moves
    from one window into the next.
    """
    pool = implementation.max_pool
    same(pool([[[0.0, 1.0, 0.0, 0.0]]], kernel_size=2), [[[1, 0]]])
    same(pool([[[0.0, 0.0, 1.0, 0.0]]], kernel_size=2), [[[0, 1]]])


@law(x=arrays((1, 1, 7)))
def test_a_global_maximum_is_invariant_to_every_rotation(implementation: Any, x: Any) -> None:
    """One window over everything cannot tell any order of the pixels from another."""
    top = implementation.adaptive_max_pool(x, output_size=1)
    for shift in range(7):
        same(implementation.adaptive_max_pool(numpy.roll(x, shift, 2), output_size=1), top)


@law(x=arrays((1, 1, 12)), kernel=st.sampled_from((1, 2, 3, 4)))
def test_an_average_changes_unless_what_enters_equals_what_leaves(
    implementation: Any, x: Any, kernel: int
) -> None:
    """Average pooling, moved by one: y_i stays exactly when x_{i s + k} = x_{i s}."""
    x = 12 * x
    before = implementation.average_pool(x[..., :-1], kernel_size=kernel)
    after = implementation.average_pool(x[..., 1:], kernel_size=kernel)
    for i in range(before.shape[2]):
        leaves, enters = x[0, 0, i * kernel], x[0, 0, (i + 1) * kernel]
        assert (before[0, 0, i] == after[0, 0, i]) == (leaves == enters)


def changed(implementation: Any, image: Any, kernel: int) -> float:
    """The fraction of outputs that change when the image moves by one pixel along a row."""
    pool = implementation.max_pool
    before = pool(image[..., :-1], kernel_size=kernel, stride=1)
    after = pool(image[..., 1:], kernel_size=kernel, stride=1)
    return float((before != after).mean())


def test_the_measured_fraction_on_noise_is_the_exact_one(implementation: Any) -> None:
    """On pixels of k by k windows in independent noise without ties, a step of one changes an
    output exactly when the maximum of k (k + 1) pixels is in the column that leaves or in the one
    that enters: with probability 2 / (k + 1).  So most outputs stay only for k of at least 4.

    Outputs far apart are independent; Hoeffding's bound over the (k + 1)^2 ways to pick outputs
    with disjoint windows, at a risk of 10^-9.
    """
    rng = numpy.random.default_rng(0)
    noise = rng.permutation(96 * 96).reshape(1, 1, 96, 96) * 1.0
    for kernel in (1, 2, 3, 5):
        independent = ((97 - kernel) // (kernel + 1)) * ((96 - kernel) // (kernel + 1))
        slack = numpy.sqrt(numpy.log(2 * (kernel + 1) ** 2 / 1e-9) / (2 * independent))
        fraction = changed(implementation, noise, kernel)
        assert abs(fraction - 2 / (kernel + 1)) <= slack


def test_the_documents_claim_holds_on_smooth_images_for_large_features(implementation: Any) -> None:
    """An image of plateaus changes only at their edges: with plateaus of 8 by 8 and a 2 by 2
    window, at 1 column in 8, so most outputs stay; the same image unpooled changes as much, so
    that this is the image's doing and not the pool's.
    """
    rng = numpy.random.default_rng(0)
    plateaus = numpy.kron(rng.permutation(144).reshape(12, 12) * 1.0, numpy.ones((8, 8)))[
        None, None
    ]
    assert changed(implementation, plateaus, 2) < 1 / 2
    assert changed(implementation, plateaus, 1) < 1 / 2
    filtered = scipy.ndimage.maximum_filter(plateaus[0, 0], size=2, origin=-1)[:-1, :-1]
    same(implementation.max_pool(plateaus, kernel_size=2, stride=1)[0, 0], filtered)

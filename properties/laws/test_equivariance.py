"""Equivariance: move, transpose or turn the input, and the output moves, transposes or turns.

Each law has conditions, and they are what people forget: translations commute with a window only
where no edge interferes and only by multiples of the stride; transpositions and reflections only
if the kernel and every attribute go along.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import scipy.ndimage
from hypothesis import strategies as st

from convspec.case import Case
from convspec.strategies import arrays, calls
from convspec.window import Window, extent, output_size, taps, transposed_size

from .exact import alike, exactly
from .rewriting import (
    first,
    mirrored,
    mirrored_output,
    rank_of,
    reordered,
    reordered_output,
    run,
    spatial,
    windows,
    with_input,
)
from .statement import law, same
from .subjects import SLIDING, SPATIAL


@st.composite
def circular(draw: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """An image, a kernel no larger than it on any axis, and a shift."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=2))
    kernel, image = tuple(k for k, _ in sizes), tuple(k + more for k, more in sizes)
    shift = tuple(draw(st.integers(0, n)) for n in image)
    return draw(arrays((1, 1, *image))), draw(arrays((1, 1, *kernel))), shift


def continued(image: Any, kernel: Any) -> Any:
    """The image continued periodically by k - 1 on the high side of each axis."""
    return numpy.pad(image, [(0, k - 1) for k in kernel.shape], mode="wrap")


@law(drawn=circular())
def test_periodic_images_may_move_by_anything(implementation: Any, drawn: Any) -> None:
    """T conv(x) = conv(T x) for every translation T, at stride 1 on a periodic image."""
    image, weight, shift = drawn
    axes = spatial(image)
    moved = implementation.conv(continued(numpy.roll(image, shift, axes), weight), weight)
    still = implementation.conv(continued(image, weight), weight)
    same(moved, numpy.roll(still, shift, axes))
    # The witness continues the image by itself; its origin puts tap 0 on the output position.
    origin = tuple(-(k // 2) for k in weight.shape[2:])
    witness = scipy.ndimage.correlate(image[0, 0], weight[0, 0], mode="wrap", origin=origin)
    same(still[0, 0], witness)


@pytest.mark.parametrize("operation", SLIDING)
@law(among=SLIDING, data=st.data())
def test_windows_move_with_periodic_images(implementation: Any, operation: str, data: Any) -> None:
    """T op(x) = op(T x) for every translation T, at stride 1 on a periodic image, whatever a
    window does with its elements.
    """
    case = exactly(data.draw(calls(operation)))
    rank, x = len(windows(case)), case.operands["input"]
    dense = {"stride": (1,) * rank, "padding": ((0, 0),) * rank, "ceil_mode": False}
    dense = {name: value for name, value in dense.items() if name in case.attributes}
    reach = [(0, extent(window) - 1) for _, window in windows(case)]
    shift = tuple(data.draw(st.integers(0, n)) for n in x.shape[2:])

    def around(image: Any) -> Any:
        continued = numpy.pad(image, [(0, 0), (0, 0), *reach], mode="wrap")
        return first(run(implementation, with_input(case, continued, **dense)))

    moved = numpy.roll(around(x), shift, spatial(x))
    alike(operation, around(numpy.roll(x, shift, spatial(x))), moved)


def whole(n: int, window: Window) -> list[int]:
    """The output positions whose taps all lie inside the input."""
    return [i for i in range(output_size(n, window)) if len(taps(n, window, i)) == window.kernel]


@pytest.mark.parametrize("operation", SLIDING)
@law(among=SLIDING, data=st.data())
def test_the_interior_moves_by_multiples_of_the_stride(
    implementation: Any, operation: str, data: Any
) -> None:
    """Push the input t strides towards the end: outputs whose whole window was inside the image
    reappear t positions later.  What the edges do to the others is no translation.
    """
    case = exactly(data.draw(calls(operation)))
    steps = [data.draw(st.integers(0, 2)) for _ in windows(case)]
    amounts = [t * window.stride for t, (_, window) in zip(steps, windows(case), strict=True)]
    image = case.operands["input"]
    pushed = numpy.pad(image, [(0, 0), (0, 0), *((a, 0) for a in amounts)], constant_values=3)
    interior = [whole(n, window) for n, window in windows(case)]
    later = [[i + t for i in axis] for axis, t in zip(interior, steps, strict=True)]
    everything = (slice(None), slice(None))
    before = first(run(implementation, case))[(*everything, *numpy.ix_(*interior))]
    after = first(run(implementation, with_input(case, pushed)))
    alike(operation, after[(*everything, *numpy.ix_(*later))], before)


def test_a_shift_that_is_no_multiple_of_the_stride_is_not_followed(implementation: Any) -> None:
    """Smallest counterexample: stride 2 on two pixels keeps the first and loses the second, so
    the image [1, 0] vanishes when it moves by one.
    """
    one, image = numpy.ones((1, 1, 1)), numpy.array([[[1.0, 0.0]]])
    moved = numpy.roll(image, 1, axis=2)
    same(implementation.conv(image, one, stride=2), [[[1]]])
    same(implementation.conv(moved, one, stride=2), [[[0]]])
    same(implementation.max_pool(image, kernel_size=1, stride=2), [[[1]]])
    same(implementation.max_pool(moved, kernel_size=1, stride=2), [[[0]]])


def test_zero_padding_breaks_translation_at_the_edge(implementation: Any) -> None:
    """Smallest counterexample: kernel (1, 1) and one pad on the low side of two pixels.  The
    output of [1, 0] is [1, 1]; moved by one, it is not [1, 1] moved by one, but [0, 1].
    """
    weight, image = numpy.ones((1, 1, 2)), numpy.array([[[1.0, 0.0]]])
    same(implementation.conv(image, weight, padding=((1, 0),)), [[[1, 1]]])
    moved = numpy.roll(image, 1, axis=2)
    same(implementation.conv(moved, weight, padding=((1, 0),)), [[[0, 1]]])


@pytest.mark.parametrize("operation", SPATIAL)
@law(among=SPATIAL, data=st.data())
def test_transposing_everything_transposes_the_output(
    implementation: Any, operation: str, data: Any
) -> None:
    """op(x^T, w^T, attributes exchanged) = op(x, w)^T: no axis is treated like another."""
    case = exactly(data.draw(calls(operation)))
    order = tuple(data.draw(st.permutations(range(rank_of(case)))))
    left = first(run(implementation, reordered(case, order)))
    alike(operation, left, reordered_output(first(run(implementation, case)), order))


def test_transposing_the_image_alone_is_not_enough(implementation: Any) -> None:
    """Smallest counterexample: a kernel of 1 by 2, so that even the shapes differ."""
    image, weight = numpy.ones((1, 1, 2, 2)), numpy.ones((1, 1, 1, 2))
    assert implementation.conv(image, weight).shape == (1, 1, 2, 1)
    assert implementation.conv(image.swapaxes(2, 3), weight).swapaxes(2, 3).shape == (1, 1, 1, 2)


def balanced(case: Case) -> Case:
    """The call with as little changed as makes both ends of every axis alike.

    A gathering window must end where the padded input ends, without a remainder: a convolution
    pads more, a pool drops what no whole window reaches.  For `conv_transpose`, output padding,
    which belongs to the high end alone, is taken off the high crop.  The centre of mode same, and
    the coordinate without a half, belong to the low end: full, and half-pixel, take their place.
    """
    changed: dict[str, Any] = {}
    if case.attributes.get("mode") == "same":
        changed["mode"] = "full"
    if case.attributes.get("coordinates") == "asymmetric":
        changed["coordinates"] = "half_pixel"
    if "stride" not in case.attributes:
        return case._replace(attributes={**case.attributes, **changed})
    padding, sizes, more = [], [], []
    extras = case.attributes.get("output_padding", (0,) * len(windows(case)))
    for (n, window), extra in zip(windows(case), extras, strict=True):
        low, high, size = window.low, window.high, n
        room = n + low + high - extent(window)
        if case.operation == "conv_transpose":
            high = max(0, high - extra)
            low = min(low, transposed_size(n, window._replace(low=0, high=high)) - 1)
        elif "kernel_size" in case.attributes:
            last = min(output_size(n, window) - 1, room // window.stride)
            rest = room - last * window.stride
            high, size = max(0, high - rest), n - max(0, rest - high)
        else:
            high += -room % window.stride
        padding.append((low, high))
        sizes.append(slice(size))
        more.append((0, int(room % window.stride > 0)))
    image = case.operands["input"][(slice(None), slice(None), *sizes)]
    changed["padding"] = tuple(padding)
    if "output_padding" in case.attributes:
        changed["output_padding"] = (0,) * len(padding)
    if case.operation == "locally_connected":
        case = case._replace(operands=with_more_positions(case.operands, more))
    return with_input(case, image, **changed)


def with_more_positions(operands: dict[str, Any], more: list[tuple[int, int]]) -> dict[str, Any]:
    """Local weights and biases for so many output positions more on each axis."""
    kernel = [(0, 0)] * len(more)
    padding = {"weight": [(0, 0), (0, 0), *more, *kernel], "bias": [(0, 0), *more]}
    return {
        name: array if name == "input" else numpy.pad(array, padding[name], mode="edge")
        for name, array in operands.items()
    }


@pytest.mark.parametrize("operation", SPATIAL)
@law(among=SPATIAL, data=st.data())
def test_mirroring_everything_mirrors_the_output(
    implementation: Any, operation: str, data: Any
) -> None:
    """op(flip x, flip w, paddings exchanged) = flip(op(x, w)), if the stride leaves no remainder.

    Two mirrors are a rotation by 180 degrees, a mirror and a transposition one by 90 degrees:
    with the law above, these are all the symmetries of the square.
    """
    case = exactly(balanced(data.draw(calls(operation))))
    axes = [axis for axis in range(rank_of(case)) if data.draw(st.booleans())]
    left = first(run(implementation, mirrored(case, axes)))
    alike(operation, left, mirrored_output(case, first(run(implementation, case)), axes))


def test_a_remainder_breaks_the_mirror(implementation: Any) -> None:
    """Smallest counterexample: stride 2 on two pixels reads the first, and never the second."""
    one, image = numpy.ones((1, 1, 1)), numpy.array([[[1.0, 0.0]]])
    same(implementation.conv(image, one, stride=2), [[[1]]])
    same(implementation.conv(numpy.flip(image, 2), one, stride=2), [[[0]]])


@law(both=circular())
def test_a_quarter_turn_of_image_and_kernel_turns_the_output(
    implementation: Any, both: Any
) -> None:
    """conv(rot90 x, rot90 w) = rot90 conv(x, w), in the plane, at stride 1 without padding."""
    image, weight, _ = both
    if image.ndim == 3:  # a row is a picture one pixel high
        image, weight = image[:, :, None], weight[:, :, None]
    turned = implementation.conv(numpy.rot90(image, axes=(2, 3)), numpy.rot90(weight, axes=(2, 3)))
    same(turned, numpy.rot90(implementation.conv(image, weight), axes=(2, 3)))

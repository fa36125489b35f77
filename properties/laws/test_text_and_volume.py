"""One axis, three axes, and the axis of channels: text, volumes, and pooling across channels.

Nothing new is needed for any of them: text is one axis of one-hot channels, a volume or a film is
one axis more, and channels become an axis by moving them.
"""

from __future__ import annotations

from typing import Any

import numpy
import scipy.ndimage
import scipy.signal
from hypothesis import strategies as st

from convspec.strategies import arrays

from .statement import law, same


def one_hot(words: Any, vocabulary: int) -> Any:
    """A text as an image: a channel for each word of the vocabulary, `(1, V, length)`."""
    return numpy.eye(vocabulary)[:, words][None]


@st.composite
def texts(draw: Any) -> tuple[Any, int]:
    """Some words, and the size of their vocabulary."""
    vocabulary = draw(st.integers(1, 5))
    return numpy.array(
        draw(st.lists(st.integers(0, vocabulary - 1), min_size=3, max_size=8))
    ), vocabulary


@law(drawn=texts(), width=st.integers(1, 4), data=st.data())
def test_an_embedding_is_a_convolution_over_one_hot_text(
    implementation: Any, drawn: Any, width: int, data: Any
) -> None:
    """To look a word up in a table E is a convolution with a kernel of one tap, E transposed, and
    `pointwise_conv` of the one-hot text.
    """
    words, vocabulary = drawn
    table = data.draw(arrays((vocabulary, width)))
    looked_up = table[words].T[None]
    same(implementation.conv(one_hot(words, vocabulary), table.T[:, :, None]), looked_up)
    same(implementation.pointwise_conv(one_hot(words, vocabulary), table.T), looked_up)


@law(drawn=texts(), outputs=st.integers(1, 3), data=st.data())
def test_a_kernel_over_one_hot_text_adds_a_row_for_every_word(
    implementation: Any, drawn: Any, outputs: int, data: Any
) -> None:
    """With three taps, an output is the sum of three look-ups, one table a tap."""
    words, vocabulary = drawn
    weight = data.draw(arrays((outputs, vocabulary, 3)))
    y = implementation.conv(one_hot(words, vocabulary), weight)
    for i in range(len(words) - 2):
        same(y[0, :, i], sum(weight[:, words[i + j], j] for j in range(3)))


@law(drawn=texts(), width=st.integers(1, 3), data=st.data())
def test_the_gradient_of_an_embedding_adds_up_by_word(
    implementation: Any, drawn: Any, width: int, data: Any
) -> None:
    """Rows of the table get the cotangents of the places where their word stood: numpy.add.at."""
    words, vocabulary = drawn
    table, g = data.draw(arrays((vocabulary, width))), data.draw(arrays((1, width, len(words))))
    text = one_hot(words, vocabulary)
    (_, gradient) = implementation.conv_vjp(g, text, table.T[:, :, None])
    expected = numpy.zeros((vocabulary, width))
    numpy.add.at(expected, words, g[0].T)
    same(gradient[:, :, 0].T, expected)


@law(drawn=texts())
def test_word_order_is_what_a_wider_kernel_sees(implementation: Any, drawn: Any) -> None:
    """Counts of words, summed over time after a kernel of one tap, do not change with their order;
    a kernel of two taps tells one word after another from the reverse.
    """
    words, vocabulary = drawn
    count = implementation.conv(one_hot(words, vocabulary), numpy.eye(vocabulary)[:, :, None])
    back = implementation.conv(one_hot(words[::-1], vocabulary), numpy.eye(vocabulary)[:, :, None])
    same(count.sum(axis=2), back.sum(axis=2))
    same(count.sum(axis=2)[0], numpy.bincount(words, minlength=vocabulary))
    pair = numpy.array([[[1.0, 0.0], [0.0, 1.0]]])
    same(implementation.conv(one_hot([0, 1], 2), pair), [[[2]]])
    same(implementation.conv(one_hot([1, 0], 2), pair), [[[0]]])


@st.composite
def volumes(draw: Any) -> tuple[Any, Any]:
    """A volume with channels, and a kernel that fits."""
    kernel = tuple(draw(st.integers(1, 2)) for _ in range(3))
    channels = draw(st.integers(1, 2))
    sizes = tuple(k + draw(st.integers(0, 2)) for k in kernel)
    return draw(arrays((1, channels, *sizes))), draw(arrays((2, channels, *kernel)))


@law(drawn=volumes())
def test_a_convolution_of_volumes_is_scipys(implementation: Any, drawn: Any) -> None:
    """The documents' 3-D convolution: every window of (height, width, length) and all channels."""
    x, w = drawn
    y = implementation.conv(x, w)
    for o in range(2):
        parts = [
            scipy.signal.correlate(x[0, c], w[o, c], mode="valid", method="direct")
            for c in range(x.shape[1])
        ]
        same(y[0, o], sum(parts))


@law(drawn=volumes())
def test_a_convolution_of_volumes_is_a_sum_of_convolutions_of_slices(
    implementation: Any, drawn: Any
) -> None:
    """y[a] = sum over j of the plane convolution of slice a + j with slice j of the kernel."""
    x, w = drawn
    y = implementation.conv(x, w)
    for a in range(y.shape[2]):
        slices = [implementation.conv(x[:, :, a + j], w[:, :, j]) for j in range(w.shape[2])]
        same(y[:, :, a], sum(slices))


@law(drawn=volumes())
def test_a_kernel_as_long_as_the_volume_takes_its_slices_for_channels(
    implementation: Any, drawn: Any
) -> None:
    """The documents' difference between 2-D and 3-D: if the kernel spans the whole first axis, that
    axis is summed away, and its slices are as good as channels.
    """
    x, w = drawn
    x = x[:, :, : w.shape[2]]
    flat = implementation.conv(x.reshape(1, -1, *x.shape[3:]), w.reshape(len(w), -1, *w.shape[3:]))
    same(implementation.conv(x, w)[:, :, 0], flat)


@law(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3)),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    data=st.data(),
)
def test_pooling_across_channels_is_pooling_along_an_axis(
    implementation: Any, sizes: Any, kernel: int, stride: int, data: Any
) -> None:
    """Move the channels into space, pool, and move them back: the maxima of neighbouring channels
    at every pixel, as SciPy's filter along that axis.
    """
    channels = sizes[0] + kernel - 1
    x = data.draw(arrays((1, channels, *sizes[1:])))
    pooled = implementation.max_pool(x[:, None], kernel_size=(kernel, 1, 1), stride=(stride, 1, 1))[
        :, 0
    ]
    filtered = scipy.ndimage.maximum_filter1d(x, kernel, axis=1, origin=-(kernel // 2))
    same(pooled, filtered[:, : channels - kernel + 1 : stride])


@law(sizes=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)), data=st.data())
def test_maxout_is_a_pool_over_blocks_of_channels(
    implementation: Any, sizes: Any, data: Any
) -> None:
    """With stride = kernel the blocks do not overlap: NumPy's maximum, or mean, over blocks of
    channels; a weighted sum over all of them is `pointwise_conv`.
    """
    blocks, size, width = sizes
    x = data.draw(arrays((2, blocks * size, width)))
    pooled = implementation.max_pool(x[:, None], kernel_size=(size, 1))[:, 0]
    same(pooled, x.reshape(2, blocks, size, width).max(axis=2))
    averaged = implementation.average_pool(size * x[:, None], kernel_size=(size, 1))[:, 0]
    same(averaged, x.reshape(2, blocks, size, width).sum(axis=2))
    total = implementation.pointwise_conv(x, numpy.ones((1, blocks * size)))
    same(total[:, 0], x.sum(axis=1))

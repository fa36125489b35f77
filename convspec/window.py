r"""One axis of a sliding window: every piece of index arithmetic in convspec.

An axis of size $n$ is read by a window with $k$ taps, stride $s$, dilation $d$ and padding
$(p_\text{low}, p_\text{high})$.  Output position $i$ reads, through tap $j$, input position

$$ a = i\,s - p_\text{low} + j\,d, \qquad 0 \le j < k, $$

whenever $0 \le a < n$.  Nothing is ever padded: a tap outside the input simply does not exist.
Several axes are independent, so several windows are a product of single ones.

Glossary: *extent* is the span of a kernel, holes included; a *tap* is one kernel element; a
*start* is the position of tap 0, which lies in the padding when it is negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import gcd
from typing import NamedTuple


class Window(NamedTuple):
    """A window that slides along one axis.

    >>> Window(kernel=3, stride=2, low=1, high=1)
    Window(kernel=3, stride=2, low=1, high=1, dilation=1, ceil=False)
    """

    kernel: int
    stride: int = 1
    low: int = 0
    high: int = 0
    dilation: int = 1
    ceil: bool = False


class ReceptiveField(NamedTuple):
    """What one output position of a stack of windows sees of the input of the stack.

    `size` positions, of which output position 0 sees those from `start` on (negative: in the
    padding); neighbouring outputs see fields `jump` positions apart.
    """

    size: int
    jump: int
    start: int


def extent(window: Window) -> int:
    """Positions spanned by the kernel, $d (k - 1) + 1$.

    >>> extent(Window(kernel=3, dilation=2))
    5
    """
    return window.dilation * (window.kernel - 1) + 1


def output_size(n: int, window: Window) -> int:
    r"""Number of output positions,

    $$ o = \left\lfloor \frac{n + p_\text{low} + p_\text{high} - d (k - 1) - 1}{s}
       \right\rfloor + 1, $$

    with $\lceil \cdot \rceil$ in its place when `ceil` is set, less one if the last window
    would then start at or past $n + p_\text{low}$, that is, beyond the input.

    Raises `ValueError` where the extent exceeds the padded input.
    Source: Relationships 1 to 6 of Dumoulin and Visin, arXiv:1603.07285.

    >>> output_size(5, Window(kernel=3, stride=2, low=1, high=1))
    3
    >>> output_size(6, Window(kernel=3, stride=2)), output_size(6, Window(3, 2, ceil=True))
    (2, 3)
    """
    room = n + window.low + window.high - extent(window)
    if room < 0:
        raise ValueError(
            f"the kernel's extent {extent(window)} exceeds the padded input "
            f"{window.low} + {n} + {window.high}"
        )
    if not window.ceil:
        return room // window.stride + 1
    size = -(-room // window.stride) + 1
    return size - 1 if (size - 1) * window.stride >= n + window.low else size


def start(window: Window, i: int) -> int:
    r"""Input position of tap 0 at output position $i$: $i s - p_\text{low}$.

    >>> start(Window(kernel=3, stride=2, low=1), 0)
    -1
    """
    return i * window.stride - window.low


def dense_starts(n: int, window: Window) -> range:
    """Every start from which the kernel touches the input or fits the padding.

    Whatever the stride, the starts of all output positions lie in this range.

    >>> dense_starts(3, Window(kernel=2)), dense_starts(3, Window(kernel=2, low=2))
    (range(-1, 3), range(-2, 3))
    """
    lowest = -max(window.low, extent(window) - 1)
    return range(lowest, max(n, n + window.high - extent(window) + 1))


def taps(n: int, window: Window, i: int) -> list[tuple[int, int]]:
    """The pairs `(tap, input position)` that output position `i` reads.

    >>> taps(5, Window(kernel=3, stride=2, low=1, high=1), 0)
    [(1, 0), (2, 1)]
    """
    first = start(window, i)
    positions = ((j, first + j * window.dilation) for j in range(window.kernel))
    return [(j, a) for j, a in positions if 0 <= a < n]


def windows_over(n: int, window: Window, a: int) -> list[tuple[int, int]]:
    """The pairs `(output position, tap)` that read input position `a`: `taps`, inverted.

    >>> windows_over(5, Window(kernel=3, stride=2, low=1, high=1), 1)
    [(0, 2), (1, 0)]
    """
    reading = []
    for j in reversed(range(window.kernel)):
        i, rest = divmod(a + window.low - j * window.dilation, window.stride)
        if rest == 0 and 0 <= i < output_size(n, window):
            reading.append((i, j))
    return reading


def coverage(n: int, window: Window) -> list[int]:
    """How many windows read each input position.

    >>> coverage(5, Window(kernel=3))
    [1, 2, 3, 2, 1]
    """
    return [len(windows_over(n, window, a)) for a in range(n)]


def periodic_positions(n: int, window: Window) -> list[int]:
    r"""The input position that each position of a periodically continued axis repeats,

    $$ (a - p_\text{low}) \bmod n, \qquad 0 \le a < p_\text{low} + n + p_\text{high}. $$

    >>> periodic_positions(3, Window(kernel=2, low=1, high=2))
    [2, 0, 1, 2, 0, 1]
    """
    return [a % n for a in range(-window.low, n + window.high)]


def divisor(n: int, window: Window, i: int, *, count_include_pad: bool) -> int:
    r"""Number of positions an average divides by at output position $i$.

    The taps that exist; with `count_include_pad` also those that fall on padding, up to
    $n + p_\text{high}$ but never in the overhang of a ceil-mode window.

    >>> window = Window(kernel=3, stride=2, low=1, ceil=True)
    >>> divisor(5, window, 0, count_include_pad=False)
    2
    >>> divisor(5, window, 0, count_include_pad=True)
    3
    """
    if not count_include_pad:
        return len(taps(n, window, i))
    positions = (start(window, i) + j * window.dilation for j in range(window.kernel))
    return sum(a < n + window.high for a in positions)


def first_empty(n: int, window: Window) -> int | None:
    """The first output position whose window holds no input position, or None.

    >>> first_empty(3, Window(kernel=1, low=1)), first_empty(3, Window(kernel=2, low=1))
    (0, None)
    """
    for i in range(output_size(n, window)):
        if not taps(n, window, i):
            return i
    return None


def resolve_padding(word: str, n: int, window: Window) -> tuple[int, int]:
    r"""The pair `(low, high)` that a padding word stands for on an axis of size `n`.

    `valid` is none; `full` is extent - 1 on both sides, so that every window holding at least
    one input position exists; `same_upper` and `same_lower` are the total

    $$ \max\bigl(0, (\lceil n / s \rceil - 1) s + d (k - 1) + 1 - n\bigr) $$

    which gives $\lceil n / s \rceil$ outputs, its odd one on the high or on the low side.

    >>> resolve_padding("same_upper", 5, Window(kernel=4)), resolve_padding("full", 5, Window(3))
    ((1, 2), (2, 2))
    """
    if word == "valid":
        return (0, 0)
    if word == "full":
        return (extent(window) - 1, extent(window) - 1)
    if word not in ("same_upper", "same_lower"):
        raise ValueError(f"padding word {word!r}: must be valid, same_upper, same_lower or full")
    outputs = -(-n // window.stride)
    total = max(0, (outputs - 1) * window.stride + extent(window) - n)
    less, more = total // 2, total - total // 2
    return (less, more) if word == "same_upper" else (more, less)


def transposed_size(n: int, window: Window, output_padding: int = 0) -> int:
    r"""Output size of a transposed convolution,

    $$ (n - 1) s - p_\text{low} - p_\text{high} + d (k - 1) + 1 + p_\text{output}. $$

    Source: Relationships 7 to 15 of Dumoulin and Visin, arXiv:1603.07285.

    >>> transposed_size(2, Window(kernel=4, stride=3))
    7
    """
    crop = window.low + window.high
    return (n - 1) * window.stride - crop + extent(window) + output_padding


def turned(window: Window) -> Window:
    r"""The window that slides over the outputs of one with stride 1: with the kernel flipped, it
    reads from every input position the outputs that read it.

    $$ a = i - p_\text{low} + j\,d \iff i = a - (d (k - 1) - p_\text{low}) + (k - 1 - j)\,d $$

    >>> turned(Window(kernel=3, low=1, dilation=2))
    Window(kernel=3, stride=1, low=3, high=4, dilation=2, ceil=False)
    """
    span = extent(window) - 1
    return window._replace(low=span - window.low, high=span - window.high)


def receptive_field(stack: Sequence[Window]) -> ReceptiveField:
    r"""Receptive field of a stack of windows, the first one nearest to the input:

    $$ r = 1 + \sum_l (e_l - 1)\, S_{l-1}, \qquad S_l = \prod_{m \le l} s_m, \qquad
       \text{start} = -\sum_l p_{\text{low},l}\, S_{l-1}, $$

    with $e_l$ the extent of window $l$ and $S_l$ the jump after it.

    >>> receptive_field([Window(kernel=3), Window(kernel=3)])
    ReceptiveField(size=5, jump=1, start=0)
    >>> receptive_field([Window(kernel=3, stride=2, low=1, high=1), Window(kernel=3, low=1)])
    ReceptiveField(size=7, jump=2, start=-3)
    """
    size, jump, first = 1, 1, 0
    for window in stack:
        size += (extent(window) - 1) * jump
        first -= window.low * jump
        jump *= window.stride
    return ReceptiveField(size, jump, first)


def joint_field(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    """The field of an output computed from several that lie side by side: the smallest range that
    holds all of theirs.

    Raises `ValueError` where their jumps differ: then no one range follows every output.

    >>> joint_field([ReceptiveField(1, 2, 0), ReceptiveField(5, 2, -2)])
    ReceptiveField(size=5, jump=2, start=-2)
    """
    jumps = {field.jump for field in fields}
    if len(jumps) != 1:
        raise ValueError(f"fields with jumps {sorted(jumps)}: must all have one jump")
    first = min(field.start for field in fields)
    stop = max(field.start + field.size for field in fields)
    return ReceptiveField(stop - first, jumps.pop(), first)


def field_through(field: ReceptiveField, window: Window) -> ReceptiveField:
    """The field of a window that slides over outputs which have a field themselves: they are the
    outputs of one window, as large as the field.

    >>> field_through(ReceptiveField(size=3, jump=2, start=-1), Window(kernel=3, low=1))
    ReceptiveField(size=7, jump=2, start=-3)
    """
    return receptive_field([Window(field.size, field.jump, low=-field.start), window])


def overlap(mode: str, n: int, m: int) -> range:
    """The positions of the full convolution of sizes `n` and `m` that a mode keeps.

    `full` keeps all `n + m - 1`; `same` the centred `n`; `valid` the `|n - m| + 1` where the
    shorter operand lies wholly inside the longer.

    >>> overlap("full", 4, 3), overlap("same", 4, 3), overlap("valid", 4, 3)
    (range(0, 6), range(1, 5), range(2, 4))
    """
    if mode == "full":
        return range(n + m - 1)
    if mode == "same":
        return range((m - 1) // 2, (m - 1) // 2 + n)
    if mode == "valid":
        return range(min(n, m) - 1, max(n, m))
    raise ValueError(f"mode={mode!r}: must be full, same or valid")


def overlap_window(kept: range, n: int, m: int) -> Window:
    """The window with which a flipped operand of size `m` slides over one of size `n` in a
    convolution, so that output position `i` is position `kept[i]` of the full convolution.

    The padding is negative where windows lying wholly inside are not kept.

    >>> overlap_window(overlap("full", 4, 3), 4, 3)
    Window(kernel=3, stride=1, low=2, high=2, dilation=1, ceil=False)
    """
    return Window(kernel=m, low=m - 1 - kept.start, high=kept.stop - n)


def tap_run(window: Window, j: int, inputs: range, outputs: range) -> tuple[range, range]:
    """The positions among `outputs` that read one of `inputs` through tap `j`, and what they read.

    The two ranges pair off in order; `inputs` and `outputs` have step 1.  It is `taps` for one
    tap and many outputs, where `taps` is for one output and many taps.

    >>> tap_run(Window(kernel=3, stride=2, low=1, high=1), 0, range(5), range(3))
    (range(1, 3), range(1, 4, 2))
    """
    shift = start(window, 0) + j * window.dilation
    first = max(outputs.start, -((shift - inputs.start) // window.stride))
    last = min(outputs.stop - 1, (inputs.stop - 1 - shift) // window.stride)
    if last < first:
        return outputs[:0], inputs[:0]
    read = range(first * window.stride + shift, last * window.stride + shift + 1, window.stride)
    return range(first, last + 1), read


def readers(window: Window, inputs: range, outputs: range) -> range:
    """The span of the positions among `outputs` whose windows reach into `inputs`.

    >>> readers(Window(kernel=3, stride=2, low=1, high=1), range(2, 4), range(3))
    range(1, 3)
    """
    runs = (tap_run(window, j, inputs, outputs)[0] for j in range(window.kernel))
    reading = [run for run in runs if run]
    if not reading:
        return outputs[:0]
    return range(min(run.start for run in reading), max(run.stop for run in reading))


def reach(window: Window, inputs: range, outputs: range) -> range:
    """The span of the positions among `inputs` that the windows of `outputs` read.

    >>> reach(Window(kernel=3, stride=2, low=1, high=1), range(5), range(1, 2))
    range(1, 4)
    """
    runs = (tap_run(window, j, inputs, outputs)[1] for j in range(window.kernel))
    read = [run for run in runs if run]
    if not read:
        return inputs[:0]
    return range(min(run.start for run in read), max(run[-1] for run in read) + 1)


def part(window: Window, inputs: range, outputs: range) -> Window:
    """The window that slides over `inputs` alone, its output position 0 the first of `outputs`.

    >>> taps(3, part(Window(kernel=3, stride=2, low=1), range(1, 4), range(1, 2)), 0)
    [(0, 0), (1, 1), (2, 2)]
    """
    return window._replace(low=inputs.start - start(window, outputs.start))


def slice_within(run: range, block: range) -> slice:
    """The slice that picks the positions `run` from an array that holds the positions `block`.

    >>> slice_within(range(5, 10, 2), range(4, 12))
    slice(1, 6, 2)
    """
    return slice(run.start - block.start, run.stop - block.start, run.step)


def span(window: Window, outputs: range) -> range:
    """The positions from the first to the last that `outputs` read, padding included.

    >>> span(Window(kernel=3, stride=2, low=1), range(2))
    range(-1, 4)
    """
    return range(start(window, outputs[0]), start(window, outputs[-1]) + extent(window))


def common(run: range, other: range) -> range:
    """The positions that two ranges of step 1 have in common.

    >>> common(range(-1, 4), range(5)), common(range(5, 7), range(5))
    (range(0, 4), range(5, 5))
    """
    first = max(run.start, other.start)
    return range(first, max(first, min(run.stop, other.stop)))


def of_taps(window: Window, taps: range) -> Window:
    """The window that has only these of the taps.

    >>> of_taps(Window(kernel=3, low=1), range(1, 3))
    Window(kernel=2, stride=1, low=0, high=0, dilation=1, ceil=False)
    """
    return window._replace(kernel=len(taps), low=window.low - taps.start * window.dilation)


def phases(window: Window) -> Iterator[tuple[slice, slice, Window]]:
    """A window with stride $s$ as several with stride 1: some of its taps, the positions of the
    span that they read, every $s$-th, and the window that slides over those alone.

    >>> for taps, positions, alone in phases(Window(kernel=3, stride=2)):
    ...     print(taps, positions, alone.kernel, alone.dilation)
    slice(0, 3, 2) slice(0, None, 2) 2 1
    slice(1, 3, 2) slice(1, None, 2) 1 1
    """
    apart = window.stride // gcd(window.stride, window.dilation)
    for j in range(min(apart, window.kernel)):
        taps = slice(j, window.kernel, apart)
        kernel = len(range(window.kernel)[taps])
        alone = Window(kernel, dilation=apart * window.dilation // window.stride)
        yield taps, slice(j * window.dilation, None, window.stride), alone


def positions(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every index of an array of this shape, in C order.

    >>> list(positions((1, 2)))
    [(0, 0), (0, 1)]
    """
    return product(*map(range, shape))


def output_sizes(spatial: Sequence[int], windows: Sequence[Window]) -> tuple[int, ...]:
    """`output_size` on every axis.

    >>> output_sizes((5, 6), (Window(3), Window(3, stride=2)))
    (3, 2)
    """
    return tuple(output_size(n, w) for n, w in zip(spatial, windows, strict=True))


def window_taps(
    spatial: Sequence[int], windows: Sequence[Window], position: Sequence[int]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """`taps` on several axes: the pairs `(tap, input position)`, each an index tuple.

    >>> window_taps((3, 3), (Window(2), Window(1)), (1, 2))
    [((0, 0), (1, 2)), ((1, 0), (2, 2))]
    """
    axes = (taps(n, w, i) for n, w, i in zip(spatial, windows, position, strict=True))
    return [(tuple(j for j, _ in choice), tuple(a for _, a in choice)) for choice in product(*axes)]


def adaptive_range(n: int, size: int, i: int) -> range:
    r"""The positions of window $i$ of `size` windows that share an axis of $n$ positions,

    $$ \lfloor i\,n / o \rfloor \le a < \lceil (i + 1)\, n / o \rceil. $$

    None is empty, together they cover the axis, and neighbours overlap where $o$ does not
    divide $n$.

    >>> [adaptive_range(13, 3, i) for i in range(3)]
    [range(0, 5), range(4, 9), range(8, 13)]
    """
    return range(i * n // size, -(-(i + 1) * n // size))


def adaptive_positions(
    spatial: Sequence[int], sizes: Sequence[int], position: Sequence[int]
) -> list[tuple[int, ...]]:
    """`adaptive_range` on several axes: the input positions of one window, in C order.

    >>> adaptive_positions((3, 2), (2, 2), (1, 0))
    [(1, 0), (2, 0)]
    """
    return list(product(*map(adaptive_range, spatial, sizes, position)))


def squared_distance(sliding: Sequence[Window], tap: Sequence[int]) -> Fraction:
    r"""Square of the Euclidean distance from a tap to the centre of its window,

    $$ \sum_\text{axes} d^2 \left(j - \frac{k - 1}{2}\right)^2 . $$

    >>> squared_distance([Window(3), Window(2)], (0, 1))
    Fraction(5, 4)
    """
    return sum(
        (
            Fraction(w.dilation * (2 * j - w.kernel + 1), 2) ** 2
            for w, j in zip(sliding, tap, strict=True)
        ),
        start=Fraction(0),
    )

"""A stack of windows on one axis: what an output of the last sees of every layer before it."""

from __future__ import annotations

from collections.abc import Sequence

from convspec.draw.grid import PADDING, Cell, Slice
from convspec.draw.svg import Frame, svg
from convspec.window import Window, output_size, receptive_field, start, taps


def stack(n: int, windows: Sequence[Window]) -> str:
    """An SVG picture of a stack over an axis of `n` positions, the input at the bottom; the outputs
    of the last layer take turns.

    Raises `ValueError` where a window does not fit what lies below it.

    >>> picture = stack(5, [Window(kernel=3), Window(kernel=3)])
    >>> "output 0 of layer 2 sees input 0 to 4" in picture
    True
    """
    sizes = [n]
    for window in windows:
        sizes.append(output_size(sizes[-1], window))
    layers = [
        _layer(number, size, windows[number] if number < len(windows) else None)
        for number, size in enumerate(sizes)
    ]
    frames = [_seen(sizes, windows, i) for i in range(sizes[-1])]
    field = receptive_field(windows)
    title = (
        f"receptive field: {field.size} positions, {field.jump} apart, the first from {field.start}"
    )
    return svg(layers[::-1], title, frames, still=len(frames) // 2, below=True)


def _layer(number: int, size: int, above: Window | None) -> Slice:
    """The positions of a layer, with the padding that the window above it slides over."""
    low, high = (above.low, above.high) if above else (0, 0)
    cells = [
        Cell(str(a) if 0 <= a < size else PADDING, marked=False) for a in range(-low, size + high)
    ]
    return Slice(f"layer {number}" if number else "input", [cells], "", origin=(0, -low))


def _seen(sizes: Sequence[int], windows: Sequence[Window], i: int) -> Frame:
    """What output `i` sees of each layer, from the last to the input, with the padding it meets."""
    inside, marked = {i}, [{(0, i)}]
    for window, size in reversed(list(zip(windows, sizes[:-1], strict=True))):
        met = {start(window, o) + j * window.dilation for o in inside for j in range(window.kernel)}
        inside = {a for o in inside for _, a in taps(size, window, o)}
        drawn = range(-window.low, size + window.high)
        marked.append({(0, a + window.low) for a in met if a in drawn})
    told = f"{min(inside)} to {max(inside)}" if inside else "nothing"
    return Frame(marked, f"output {i} of layer {len(windows)} sees input {told}")

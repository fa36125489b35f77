"""The sizes of a call, and what each output position reads, axis by axis, as text."""

from __future__ import annotations

from convspec.case import Case, call_windows
from convspec.draw.grid import PADDING
from convspec.operations import OPERATIONS
from convspec.window import Window, extent, output_size, start, taps, transposed_size

# Of a longer axis the first positions are shown.
LONGEST = 12


def geometry(case: Case) -> list[str]:
    """Lines: the shape of the output, then for each axis of a sliding operation its size in
    numbers and the input positions that each output reads; a dot is padding.

    >>> import numpy
    >>> operands = {"input": numpy.zeros((1, 1, 5)), "weight": numpy.zeros((1, 1, 3))}
    >>> attributes = {"stride": (2,), "padding": ((1, 1),), "dilation": (1,), "groups": 1}
    >>> print("\\n".join(geometry(Case("conv", operands, attributes))))
    output (1, 1, 3)
    <BLANKLINE>
    axis 0: (5 + 1 + 1 - 3) // 2 + 1 = 3
      output 0 reads  . 0 1
      output 1 reads  1 2 3
      output 2 reads  3 4 .
    """
    row = OPERATIONS[case.operation]
    shapes = {
        name: [each.shape for each in operand] if isinstance(operand, list) else operand.shape
        for name, operand in case.operands.items()
    }
    output = row.shape(*shapes.values(), **case.attributes)
    lines = [f"output {output}"]
    try:
        sliding = call_windows(case.operation, shapes, case.attributes)
    except KeyError:  # no windows slide
        return lines
    spatial = shapes["input"][2:]
    if case.operation == "resize_conv":  # its windows slide over the enlarged input
        spatial = tuple(n * s for n, s in zip(spatial, case.attributes["scale"], strict=True))
    transposed = case.operation == "conv_transpose"
    for axis, (n, window) in enumerate(zip(spatial, sliding, strict=True)):
        lines += ["", f"axis {axis}: {_size(n, window, output[2 + axis], transposed=transposed)}"]
        if transposed:
            lines += _written(n, window, output[2 + axis])
        else:
            lines += _read(n, window)
    return lines


def _size(n: int, window: Window, size: int, *, transposed: bool) -> str:
    """The output size of an axis, worked out."""
    if transposed:
        extra = size - transposed_size(n, window)
        crop = f" - {window.low} - {window.high}" if window.low or window.high else ""
        more = f" + {extra}" if extra else ""
        return f"({n} - 1) * {window.stride}{crop} + {extent(window)}{more} = {size}"
    padded = f"{n} + {window.low} + {window.high} - {extent(window)}"
    if not window.ceil:
        return f"({padded}) // {window.stride} + 1 = {size}"
    floor = output_size(n, window._replace(ceil=False))
    told = f"ceil(({padded}) / {window.stride}) + 1 = {size}"
    return told if size != floor else f"{told}, as without ceil_mode"


def _read(n: int, window: Window) -> list[str]:
    """What every output position reads of an axis."""
    size = output_size(n, window)
    shown = range(min(size, LONGEST))
    wide = len(str(n - 1))
    lines = []
    for i in shown:
        inside = dict(taps(n, window, i))
        cells = [str(inside.get(j, PADDING)).rjust(wide) for j in range(window.kernel)]
        lines.append(f"  output {i:>{len(str(shown.stop - 1))}} reads  {' '.join(cells)}")
    return [*lines, f"  ... up to output {size - 1}"] if size > LONGEST else lines


def _written(n: int, window: Window, size: int) -> list[str]:
    """Where every input position adds to the output of a transposed convolution."""
    shown = range(min(n, LONGEST))
    wide = len(str(size - 1))
    lines = []
    for i in shown:
        inside = dict(taps(size, window, i))
        cells = [str(inside.get(j, PADDING)).rjust(wide) for j in range(window.kernel)]
        first = "" if start(window, i) >= 0 else "  (a dot is cropped)"
        lines.append(f"  input {i} adds to  {' '.join(cells)}{first}")
    return [*lines, f"  ... up to input {n - 1}"] if n > LONGEST else lines

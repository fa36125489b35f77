"""A failing case as text: see `picture` for what is shown; marked elements are in brackets."""

from __future__ import annotations

from textwrap import wrap

from convspec.case import Case
from convspec.draw.grid import block, side_by_side
from convspec.draw.picture import Output, picture


def draw(
    case: Case, expected: Output, actual: Output, *, width: int = 80, word: str = "actual"
) -> str:
    """The case, what was expected of it and what came out, called by a word of the caller's; a
    `str` output tells of an exception.

    >>> import numpy
    >>> x, w = numpy.array([[[1, 2, 3]]]), numpy.array([[[1, 0]]])
    >>> case = Case("conv", {"input": x, "weight": w}, {"stride": (1,), "padding": ((0, 0),)})
    >>> print(draw(case, numpy.array([[[1, 2]]]), numpy.array([[[2, 3]]])))
    conv(input (1, 1, 3), weight (1, 1, 2))
    <BLANKLINE>
      input[0, 0]    weight[0, 0]
      [1][2] 3       [1][0]
    <BLANKLINE>
    2 of 2 elements differ; first [0, 0, 0]: expected 1, actual 2
    In brackets: this element and what it is computed from.
    <BLANKLINE>
      expected[0, 0]    actual[0, 0]    actual - expected [0, 0]
      [1] 2             [2] 3           [1] 1
    """
    shown = picture(case, expected, actual, word=word)
    said = [wrapped(line, width) for line in shown.said]
    operands = side_by_side([block(each) for each in shown.operands], width)
    lines = [wrapped(shown.call, width), "", *operands, "", *said]
    if shown.marked:
        lines.append("In brackets: this element and what it is computed from.")
    compared = side_by_side([block(each) for each in shown.compared], width)
    return "\n".join([*lines, "", *compared] if compared else lines)


def wrapped(line: str, width: int) -> str:
    """A sentence on lines of at most `width`, those after the first indented."""
    return "\n".join(wrap(line, width, subsequent_indent="    ", break_on_hyphens=False))

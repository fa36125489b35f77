"""Pictures: what is marked is what an element is computed from, and everything fits."""

from fractions import Fraction

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convspec
from convspec import strategies
from convspec.case import Case, normalised
from convspec.draw.grid import Block, side_by_side
from convspec.draw.marks import marks
from convspec.draw.text import draw

OPERATIONS = ["convolve", "correlate", "conv", "conv_transpose", "max_pool", "average_pool"]


def inside(array, index):
    return all(0 <= i < n for i, n in zip(index, array.shape, strict=True))


@given(st.data())
@settings(max_examples=60)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_marked_elements_are_those_an_element_depends_on(operation, data):
    """An element of an operand is marked exactly when its cotangent can be other than zero."""
    case = data.draw(strategies.calls(operation))
    ones = {name: numpy.ones(array.shape) for name, array in case.operands.items()}
    output = numpy.asarray(getattr(convspec, operation)(*ones.values(), **case.attributes))
    if output.size == 0:
        return
    index = numpy.unravel_index(data.draw(st.integers(0, output.size - 1)), output.shape)
    if operation == "max_pool":
        operation = "average_pool"
    cotangent = numpy.zeros(output.shape)
    cotangent[index] = 1.0
    gradients = getattr(convspec, f"{operation}_vjp")(cotangent, *ones.values(), **case.attributes)
    found = marks(case, tuple(int(i) for i in index))
    for (name, array), gradient in zip(ones.items(), gradients, strict=True):
        marked = {i for i in found.get(name, set()) if inside(array, i)}
        reached = {tuple(map(int, i)) for i in numpy.argwhere(gradient)}
        if name == "weight" and operation == "conv":
            # Taps on padding are marked in the kernel as they are in the input.
            assert reached <= marked
        else:
            assert reached == marked


def picture(operation, operands, change, **attributes):
    shapes = {name: array.shape for name, array in operands.items() if name != "cotangent"}
    attributes = normalised(operation, shapes, attributes)
    expected = getattr(convspec, operation)(*operands.values(), **attributes)
    return draw(Case(operation, operands, attributes), expected, change(expected))


def last_plus_one(output):
    if isinstance(output, tuple):
        return (*output[:-1], last_plus_one(output[-1]))
    output = output.copy()
    output.flat[-1] += 1
    return output


def test_a_window_over_padding_is_drawn_with_dots():
    operands = {
        "input": numpy.arange(1, 10).reshape(1, 1, 3, 3),
        "weight": numpy.array([[[[1, 2], [3, 4]]]]),
    }
    assert picture("conv", operands, last_plus_one, padding=1, stride=3).splitlines() == [
        "conv(input (1, 1, 3, 3), weight (1, 1, 2, 2), stride=3, padding=1)",
        "",
        "  input[0, 0]     weight[0, 0]",
        "   1  2  3  .     [1][2]",
        "   4  5  6  .     [3][4]",
        "   7  8 [9][.]",
        "   .  . [.][.]",
        "",
        "1 of 4 elements differ; first [0, 0, 1, 1]: expected 9, actual 10",
        "In brackets: this element and what it is computed from.",
        "",
        "  expected[0, 0]    actual[0, 0]    actual - expected [0, 0]",
        "    4   9             4   9          0  0",
        "   14 [ 9]           14 [10]         0 [1]",
    ]


def test_one_axis_is_one_line_and_only_the_channels_of_the_group_are_shown():
    operands = {
        "input": numpy.arange(12).reshape(1, 4, 3),
        "weight": numpy.arange(8).reshape(2, 2, 2),
        "bias": numpy.array([5, 6]),
    }
    lines = picture("conv", operands, last_plus_one, groups=2, padding=((0, 1),)).splitlines()
    assert lines[0] == (
        "conv(input (1, 4, 3), weight (2, 2, 2), bias (2,), padding=((0, 1),), groups=2)"
    )
    assert lines[2:4] == [
        "  input[0, 2]     input[0, 3]         weight[1, 0]    weight[1, 1]    bias",
        "   6  7 [8][.]      9  10 [11][ .]    [4][5]          [6][7]           5 [6]",
    ]


def test_of_three_axes_the_slice_with_the_element_is_shown():
    operands = {"input": numpy.arange(8).reshape(1, 1, 2, 2, 2)}
    text = picture("max_pool", operands, last_plus_one, kernel_size=(1, 2, 2))
    assert "  input[0, 0, 1]\n  [4][5]\n  [6][7]\n" in text
    assert "first [0, 0, 1, 0, 0]: expected 7, actual 8" in text


def test_of_many_slices_the_first_are_shown():
    operands = {"input": numpy.ones((1, 5, 2)), "weight": numpy.ones((1, 5, 2))}
    text = picture("conv", operands, last_plus_one)
    assert "input[0, 2]" in text
    assert "input[0, 3]" not in text
    assert "and 2 more slices" in text


def test_of_a_large_array_the_part_around_the_element_is_shown():
    operands = {
        "input": numpy.arange(1200).reshape(1, 1, 30, 40),
        "weight": numpy.ones((1, 1, 2, 2)),
    }
    text = picture("conv", operands, last_plus_one)
    assert "(rows 21 to 29 of 30, columns 31 to 39 of 40)" in text
    assert "[1199]" in text
    assert max(map(len, text.splitlines())) <= 80


def test_gradients_are_named_after_their_operands():
    operands = {
        "cotangent": numpy.array([[[1, 2]]]),
        "input": numpy.array([[[1, 2, 3]]]),
        "weight": numpy.array([[[1, 1]]]),
    }
    text = picture("conv_vjp", operands, last_plus_one)
    assert "d_weight: 1 of 2 elements differ; first [0, 0, 1]: expected 8, actual 9" in text
    assert "In brackets" not in text


def test_indices_are_named():
    operands = {"input": numpy.array([[[1, 2, 3]]])}
    text = picture("max_pool_with_indices", operands, last_plus_one, kernel_size=2)
    assert "indices: 1 of 1 elements differ; first [0, 0, 0]: expected 1, actual 2" in text
    text = picture("max_pool_with_indices", operands, lambda output: output[:1], kernel_size=2)
    assert "expected 2 outputs, actual 1" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda output: output[..., :1], "shape differs: expected (1, 1, 2), actual (1, 1, 1)"),
        (
            lambda output: output.astype("float64"),
            "dtype differs: expected float32, actual float64",
        ),
        (lambda output: output, "every value agrees"),
        (
            lambda output: "ValueError: stride is too large",
            "actual: ValueError: stride is too large",
        ),
        (lambda output: output * numpy.nan, "expected 3, actual nan"),
        (lambda output: numpy.nextafter(output, 9), "expected 3.0, actual 3.0000002"),
        (lambda output: output + numpy.float32(1e-3), "expected 3, actual 3.001"),
    ],
)
def test_what_differs_is_said(change, said):
    operands = {
        "input": numpy.array([[[1, 2, 3]]], dtype="float32"),
        "weight": numpy.array([[[1, 1]]], dtype="float32"),
    }
    assert said in picture("conv", operands, change)


def test_a_call_that_should_have_been_refused():
    operands = {"input": numpy.array([[[1, 2]]]), "weight": numpy.array([[[1]]])}
    attributes = {"stride": (0,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
    text = draw(Case("conv", operands, attributes), "ValueError: stride=0", numpy.array([[[1, 2]]]))
    assert "stride=0)" in text
    assert "expected: ValueError: stride=0" in text
    assert "  actual[0, 0]\n" in text


def test_an_empty_batch_and_exact_numbers_are_drawn():
    operands = {"input": numpy.zeros((0, 1, 4))}
    text = picture("max_pool", operands, lambda output: output[..., :1], kernel_size=2)
    assert "no elements, shape (0, 1, 4)" in text
    operands = {"f": numpy.array([Fraction(1, 3)]), "g": numpy.array([2])}
    assert "expected 2/3, actual 5/3" in picture("convolve", operands, last_plus_one)


def test_a_narrow_page_stacks_what_does_not_fit():
    blocks = [Block("wide" * 5, ["1"]), Block("also wide", ["2"])]
    assert side_by_side(blocks, 20) == ["  " + "wide" * 5, "  1", "", "  also wide", "  2"]

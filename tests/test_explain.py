"""`convspec explain` and `convspec draw`: every operation, the picture, and what is refused."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy
import pytest
from click.testing import CliRunner

from convspec.cli import main
from convspec.matrix import matrix_of
from convspec.operations import OPERATIONS
from tests.valid_calls import VALID

# Its indices must fit its values, which a shape cannot say.
EXPLAINED = [name for name in OPERATIONS if name != "max_unpool"]


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def written(value):
    """A value as it is given on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(
            ":".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value
        )
    return str(value)


def words_of(operation):
    operands, attributes = VALID[operation]
    words = []
    for name, value in operands.items():
        shapes = (
            value
            if isinstance(value, list)
            else [numpy.shape(value) if isinstance(value, numpy.ndarray) else value]
        )
        words.append(f"{name}={'/'.join(map(written, shapes))}")
    return [*words, *(f"{name}={written(value)}" for name, value in attributes.items())]


@pytest.mark.parametrize("operation", EXPLAINED)
def test_every_operation_is_explained(operation):
    result = run("explain", operation, *words_of(operation))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith(f"{operation}(")
    assert any(line.startswith("output (") for line in lines)
    assert lines[-1].startswith("  ")


FORMULA = (
    r"  $$ y_{n,o,i} = b_o + \sum_{c} \sum_{j} x_{n,\; \gamma C/G + c,\; i s - p + j d}\; "
    r"w_{o,c,j}, \qquad \gamma = \lfloor o G / O \rfloor, $$"
)


def test_sizes_taps_and_terms_of_an_output():
    result = run("explain", "conv", "input=1,1,5", "weight=1,1,3", "stride=2", "padding=1:0")
    lines = result.output.splitlines()
    assert lines[: lines.index("In other words:")] == [
        "conv(input (1, 1, 5), weight (1, 1, 3), stride=2, padding=((1, 0),))",
        "The convolution of deep learning, a cross-correlation over any number of spatial axes,",
        "",
        FORMULA,
        "",
        "output (1, 1, 2)",
        "",
        "axis 0: (5 + 1 + 0 - 3) // 2 + 1 = 2",
        "  output 0 reads  . 0 1",
        "  output 1 reads  1 2 3",
        "",
        "Element [0, 0, 1] reads what is in brackets:",
        "",
        "  input[0, 0]        weight[0, 0]",
        "   1 [2][3][4] 5     [1][2][3]",
        "",
        "matrix, a row for each output and a column for each element of input:",
        "  2 3 . . .",
        "  . 1 2 3 .",
        "",
        "Element [0, 0, 1], with 1, 2, 3, ... for the elements of each operand:",
        "  input[0, 0, 1] * weight[0, 0, 0]  2 * 1  =   2   sum  2",
        "  input[0, 0, 2] * weight[0, 0, 1]  3 * 2  =   6   sum  8",
        "  input[0, 0, 3] * weight[0, 0, 2]  4 * 3  =  12   sum 20",
        "",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "conv_transpose input=1,1,3 weight=1,1,3 stride=2 padding=1 output_padding=1",
            "axis 0: (3 - 1) * 2 - 1 - 1 + 3 + 1 = 6",
        ),
        ("conv_transpose input=1,1,3 weight=1,1,3", "axis 0: (3 - 1) * 1 + 3 = 5"),
        (
            "max_pool input=1,1,6 kernel_size=3 stride=2 ceil_mode=true",
            "axis 0: ceil((6 + 0 + 0 - 3) / 2) + 1 = 3",
        ),
        ("max_pool input=1,1,4 kernel_size=2 ceil_mode=true", "= 2, as without ceil_mode"),
        ("conv input=1,1,40 weight=1,1,1", "  ... up to output 39"),
        ("conv_transpose input=1,1,40 weight=1,1,1", "  ... up to input 39"),
        ("conv input=1,1,5 weight=1,1,3 --element 0,0,0", "Element [0, 0, 0] reads"),
        ("resize_conv input=1,1,3 weight=1,1,2 scale=2", "axis 0: (6 + 0 + 0 - 2) // 1 + 1 = 5"),
    ],
)
def test_what_is_said_of_a_geometry(words, said):
    result = run("explain", *words.split())
    assert result.exit_code == 0, result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("spatial", "whole"),
    [
        (
            "conv --input 5x5 --kernel 3x3 --stride 2 --padding 1",
            "conv input=1,1,5,5 weight=1,1,3,3 stride=2 padding=1",
        ),
        ("conv --input=6 --kernel=2 padding=1:0", "conv input=1,1,6 weight=1,1,2 padding=1:0"),
        (
            "max_pool --input 6x5 --kernel 3x2 --ceil-mode true",
            "max_pool input=1,1,6,5 kernel_size=3,2 ceil_mode=true",
        ),
        (
            "spatial_pyramid_pool --input 4x4 --levels 1,2 --kind max",
            "spatial_pyramid_pool input=1,1,4,4 levels=1,2 kind=max",
        ),
    ],
)
def test_sizes_of_space_alone_are_one_item_and_one_channel(spatial, whole):
    result = run("explain", *spatial.split())
    assert result.exit_code == 0, result.output
    assert result.output == run("explain", *whole.split()).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("conv --input 5 --kernel", "--kernel needs a value"),
        ("conv --input 5 --kernl 3", "kernl: conv takes input, weight"),
        ("cnov --input 5 --kernel 3", "cnov: must be one of"),
    ],
)
def test_wrong_sizes_of_space_are_told(words, said):
    result = run("explain", *words.split())
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_the_matrix_is_printed_where_there_is_one():
    output = run("explain", "conv", *["--input", "2x3", "--kernel", "2x2", "bias=1"]).output
    matrix = matrix_of("conv", "input", (1, 1, 2, 3), weight=[[[[1, 2], [3, 4]]]]).toarray()
    first = output.splitlines().index(
        "matrix, a row for each output and a column for each element of input:"
    )
    printed = [line.split() for line in output.splitlines()[first + 1 : first + 3]]
    assert printed == [[str(m) if m else "." for m in row] for row in matrix.tolist()]
    assert "matrix" not in run("explain", "max_pool", *["--input", "4", "--kernel", "2"]).output
    large = run("explain", "conv", *["--input", "40", "--kernel", "2"]).output
    assert "a matrix of shape (39, 40): at most 36 on a side are drawn" in large


@pytest.mark.parametrize("verb", ["explain", "draw"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cnov", "cnov: must be one of convolve, correlate"),
        ("conv", "conv needs input=SHAPE"),
        ("conv input", "'input': must be NAME=VALUE"),
        ("conv input=1,1,x weight=1,1,1", "input=1,1,x: must be a shape"),
        (
            "conv input=1,1,5 weight=1,1,3 strife=2",
            "strife: conv takes input, weight, bias, stride",
        ),
        ("conv input=1,1,2 weight=1,1,3", "on spatial axis 0, but the input"),
        ("conv input=1,1,5 weight=1,1,3 stride=0", "stride=0: must be at least 1"),
        ("conv input=1,1,5 weight=1,1,3 padding=wide", "padding='wide'"),
        ("conv input=1,1,99999999 weight=1,1,3", "99999999 elements are too many to show"),
        ("conv input=1,1,5 weight=1,1,3 padding=999999999", "999999999: the most is"),
        ("conv input=1,1,5 weight=1,1,3 --element 0,0,3", "must be an index of the output"),
        ("conv input=1,1,5 weight=1,1,3 --element x", "--element=x: must be a shape"),
        ("max_unpool values=1,1,2 indices=1,1,2 output_size=4", "indices"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(verb, words, said):
    result = run(verb, *words.split())
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_picture_as_text():
    result = run(
        "draw",
        "max_pool",
        "input=1,1,3",
        "kernel_size=2",
        "stride=1",
        "padding=1:0",
        "--element",
        "0,0,0",
    )
    assert result.output.splitlines()[-2:] == ["  input[0, 0]", "  [.][1] 2  3"]


def test_a_picture_as_svg(tmp_path):
    path = tmp_path / "conv.svg"
    result = run(
        "draw",
        "conv",
        "input=1,1,5,5",
        "weight=1,1,3,3",
        "padding=1",
        "--element",
        "0,0,0,0",
        "--output",
        path,
    )
    assert result.exit_code == 0, result.output
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - it is our own
    space = "{http://www.w3.org/2000/svg}"
    cells = root.findall(f"{space}rect")
    assert len(cells) == 36 + 9
    assert sum("mark" in cell.get("class", "") for cell in cells) == 9 + 9
    assert sum("padding" in cell.get("class", "") for cell in cells) == 11
    assert "href" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("conv input=1,1,5 weight=1,1,3 --animate outputs", "needs --output FILE.svg"),
        ("conv input=1,1,5 weight=1,1,3 --matrix --output conv.svg", "--matrix needs --animate"),
        (
            "linear input=1,25 weight=2,25 --animate outputs --output linear.svg",
            "with axes of up to 25 would be drawn",
        ),
        (
            "max_pool input=1,1,4 kernel_size=2 --animate outputs --matrix --output pool.svg",
            "operation='max_pool': must be one of convolve",
        ),
        ("conv input=1,1,5 weight=1,1,3 --output conv.png", "must end in .svg"),
        ("conv input=1,1,5 weight=1,1,3 --output no/where.svg", "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_refused(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("draw", *words.split())
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())

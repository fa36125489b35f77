"""The gallery: what its captions say is what the spec says, and it shows every kind of picture."""

import ast
import re
from pathlib import Path

import pytest

from convspec.cli.calls import case_of
from convspec.draw.animation import result_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "gallery.md", *sorted((DOCS / "chapters").glob("*.md"))]


def pictures(page):
    """The calls that a page draws, each with its caption and how it is drawn."""
    cells = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for cell in cells:
        source = "\n".join(line for line in cell.splitlines() if not line.startswith((":", "%")))
        for node in ast.walk(ast.parse(source)):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id == "animated" and isinstance(node.args[0], ast.Constant):
                call, caption = (argument.value for argument in node.args)
                yield call, caption, {each.arg: each.value.value for each in node.keywords}


SIZES = r"\b(\d+) (?:becomes|stays) (\d+)"
DRAWN = [picture for page in PAGES for picture in pictures(page)]
SAID = [(call, *said) for call, caption, _ in DRAWN for said in re.findall(SIZES, caption)]


@pytest.mark.parametrize(("call", "before", "after"), SAID)
def test_the_sizes_of_a_caption_are_those_of_the_call(call, before, after):
    operation, *words = call.split()
    case = case_of(operation, tuple(words))
    assert case.operands["input"].shape[-1] == int(before)
    assert result_of(case).shape[-1] == int(after)


def test_many_captions_tell_sizes():
    assert len(SAID) >= 15


KINDS = {
    "no padding": r"^conv input=1,1,4,4 weight=1,1,3,3$",
    "arbitrary padding": r"^conv .*weight=1,1,4,4 padding=2$",
    "half padding": r"^conv .*weight=1,1,3,3 padding=1$",
    "full padding": r"^conv .*padding=full$",
    "padding words with an even kernel": r"^conv .*2,2 padding=same_(upper|lower)$",
    "strides": r"^conv .*3,3 stride=2$",
    "strides and padding": r"^conv input=1,1,5,5 .*stride=2 padding=1$",
    "strides, padding and an odd size over": r"^conv input=1,1,6,6 .*stride=2 padding=1$",
    "axes of their own": r"^conv .*stride=1,3",
    "dilation": r"^conv .*dilation=2$",
    "transposed, no padding": r"^conv_transpose .*weight=1,1,3,3$",
    "transposed, arbitrary padding": r"^conv_transpose .*weight=1,1,4,4 padding=2$",
    "transposed, half padding": r"^conv_transpose .*weight=1,1,3,3 padding=1$",
    "transposed, full padding": r"^conv_transpose .*weight=1,1,3,3 padding=2$",
    "transposed, strides": r"^conv_transpose input=1,1,2,2 .*stride=2$",
    "transposed, strides and padding": r"^conv_transpose .*stride=2 padding=1$",
    "transposed, output padding": r"^conv_transpose .*output_padding=1$",
    "transposed, dilation": r"^conv_transpose .*dilation=2$",
    "groups": r"^conv .*groups=2$",
    "depthwise": r"^depthwise_conv ",
    "pooling with ceil": r"^max_pool .*ceil_mode=true$",
    "pyramid": r"^spatial_pyramid_pool ",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_gallery_shows_every_kind(kind):
    calls = [call for call, _, _ in pictures(DOCS / "gallery.md")]
    assert any(re.search(KINDS[kind], call) for call in calls)


def test_the_gallery_shows_matrices_stacks_and_the_checkerboard():
    drawn = list(pictures(DOCS / "gallery.md"))
    with_matrix = {call.split()[0] for call, _, how in drawn if how.get("matrix")}
    assert {"conv", "conv_transpose"} <= with_matrix
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert text.count("stacked(") >= 2
    assert "counted(stride=2)" in text

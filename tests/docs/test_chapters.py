"""Every file of the spec has a chapter, and every chapter has all that a chapter needs."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

import convspec
from convspec.draw.svg import STYLE

DOCS = Path(__file__).parents[2] / "docs"
CHAPTERS = sorted(file.stem for file in (DOCS / "chapters").glob("*.md"))
PARTS = [
    *("Definition", "Picture", "Worked numbers", "Laws"),
    *("When a condition is dropped", "Exercises"),
]
CELL = "```{code-cell}"


@cache
def chapter(name):
    return (DOCS / "chapters" / f"{name}.md").read_text(encoding="utf-8")


def parts(name):
    """The sections of a chapter by their headings."""
    pieces = re.split(r"^## (.*)$", chapter(name), flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def test_every_file_of_the_spec_has_a_chapter():
    """The files that `convspec` names as chapters, but for the table and the tools on top of it."""
    files = {"window", *convspec._CHAPTERS} - {"operations", "matrix", "symbolic"}
    assert files <= set(CHAPTERS)


@pytest.mark.parametrize("name", [name for name in convspec._CHAPTERS if name in CHAPTERS])
def test_a_chapter_defines_every_operation_of_its_file(name):
    """Derivatives are in the reference; the chapter shows what they are derivatives of."""
    for operation in convspec._CHAPTERS[name]:
        if not operation.endswith("_vjp"):
            assert f"```{{definition}} convspec.{name}.{operation}\n" in chapter(name)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_its_parts_in_order(name):
    assert list(parts(name)) == PARTS


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_part_has_what_it_is_for(name):
    found = parts(name)
    assert "{definition}" in found["Definition"]
    assert re.search(r"\b(animated|stacked)\(", found["Picture"])
    assert CELL in found["Worked numbers"]
    assert "{law}" in found["Laws"]
    assert CELL in found["When a condition is dropped"]
    assert re.search(r"^1\. ", found["Exercises"], flags=re.MULTILINE)


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_index_lists_it(name):
    assert f"\nchapters/{name}\n" in (DOCS / "index.md").read_text(encoding="utf-8")


def luminance(colour):
    """The relative luminance of WCAG 2, of `#rgb` or `#rrggbb`."""
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def palettes(style):
    """Each set of colours that a style sheet gives to pictures."""
    blocks = re.findall(r"\{ (--ink.*?) \}", style)
    return [dict(re.findall(r"--(\w+): (#\w+)", block)) for block in blocks]


def test_contrast_is_computed_as_wcag_says():
    assert round(contrast("#000", "#ffffff"), 2) == 21
    assert round(contrast("#777", "#fff"), 2) == 4.48


def test_pictures_can_be_read_in_light_and_in_dark():
    """4.5 for text and 3 for lines, which is level AA of WCAG 2."""
    found = palettes(STYLE)
    assert len(found) == 2
    for palette in found:
        assert contrast(palette["ink"], palette["paper"]) >= 4.5
        assert contrast(palette["ink"], palette["mark"]) >= 4.5
        assert contrast(palette["line"], palette["paper"]) >= 3


def test_the_site_gives_pictures_their_own_colours():
    sheet = (DOCS / "_static" / "pictures.css").read_text(encoding="utf-8")
    assert palettes(sheet) == palettes(STYLE)


def test_the_index_lists_every_page():
    listed = (DOCS / "index.md").read_text(encoding="utf-8").splitlines()
    pages = {file.stem for file in DOCS.glob("*.md")} - {"index"}
    assert pages <= set(listed), "add it to a toctree of docs/index.md"
    assert [page for page in pages if listed.count(page) > 1] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_steps_that_a_chapter_sends_to_are_there(name):
    ladder = tomllib.loads((files("convspec.learn") / "ladder.toml").read_text(encoding="utf-8"))
    steps = {step["name"] for step in ladder["step"]}
    assert set(re.findall(r"--from ([\w-]+)", chapter(name))) <= steps

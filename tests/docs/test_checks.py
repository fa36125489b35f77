"""Every check of the site finds what it is for, and leaves alone what is right."""

import pytest

from tests.docs import checks, site
from tests.docs.page import parse

WRONG = {
    checks.loaded_from_elsewhere: [
        '<script src="https://a.example/b.js"></script>',
        '<link rel="stylesheet" href="//a.example/b.css">',
        '<img alt="" src="HTTP://a.example/b.png">',
        '<svg><image href="https://a.example/b.png"/></svg>',
        "<style>body { background: url( 'https://a.example/b.png') }</style>",
        '<p style="background: url(//a.example/b.png)"></p>',
        '<style>@import "https://a.example/b.css";</style>',
    ],
    checks.without_language: ["<html><body></body></html>"],
    checks.headings_out_of_order: [
        "<p>none</p>",
        "<h1>one</h1><h1>two</h1>",
        "<h1>one</h1><h3>three</h3>",
    ],
    checks.pictures_without_words: [
        '<img src="a.png">',
        '<svg role="img"><rect/></svg>',
        '<svg role="img"><title> </title></svg>',
    ],
    checks.controls_without_labels: [
        '<input name="a">',
        '<label for="b">B</label><input id="a">',
        "<select></select>",
    ],
    checks.links_without_words: ['<a href="a"></a>', '<a href="a"><svg></svg></a>', "<button/>"],
    checks.ids_used_twice: ['<p id="a"></p><p id="a"></p>'],
}
RIGHT = """
<!doctype html><html lang="en"><head>
<link rel="stylesheet" href="a.css"><link rel="license" href="https://a.example/">
</head><body><h1>One <a href="https://a.example/">leads away</a></h1><h2 id="two">Two</h2>
<h3>Three</h3><h2 id="three">Four</h2><img src="a.png" alt="">
<svg role="img"><title>drawn</title></svg><a href="b" title="words"></a>
<label><input type="checkbox"> Pause</label><label for="x">X</label><input id="x">
<a href="c"><img src="c.png" alt="words"></a><input type="hidden"></body></html>
"""


@pytest.mark.parametrize(
    ("check", "html"), [(check, html) for check, pages in WRONG.items() for html in pages]
)
def test_what_is_wrong_is_found(check, html):
    assert list(check(parse(html)))


@pytest.mark.parametrize("check", checks.CHECKS)
def test_what_is_right_is_left_alone(check):
    assert list(check(parse(RIGHT))) == []


def test_every_check_is_tried():
    assert set(WRONG) == set(checks.CHECKS)


@pytest.mark.parametrize(
    ("link", "faults"),
    [
        ("b.html#there", 0),
        ("b.html", 0),
        ("#here", 0),
        ("folder/", 0),
        ("https://a.example/nothing", 0),
        ("b.html#size=5&stride=2", 0),
        ("b.html#gone", 1),
        ("gone.html", 1),
        ("#gone", 1),
        ("../outside.html", 1),
    ],
)
def test_links_lead_somewhere(link, faults, tmp_path):
    (tmp_path / "outside.html").touch()
    pages = tmp_path / "site"
    (pages / "folder").mkdir(parents=True)
    (pages / "folder" / "index.html").touch()
    (pages / "b.html").write_text('<p id="there"></p>', encoding="utf-8")
    file = pages / "a.html"
    file.write_text(f'<p id="here"></p><a href="{link}">link</a>', encoding="utf-8")
    assert len(list(site.broken_links(pages, file))) == faults


def test_a_site_is_checked_page_by_page_with_its_styles(tmp_path):
    (tmp_path / "a.html").write_text(RIGHT.replace("h3>", "h5>"), encoding="utf-8")
    (tmp_path / "b.css").write_text("p { background: url(//a.example/b) }", encoding="utf-8")
    found = list(site.faults(tmp_path))
    assert any(fault.startswith("a.html: heading 'Three'") for fault in found)
    assert "b.css: a style loads //a.example/b" in found


def test_an_empty_folder_is_no_site(tmp_path):
    assert list(site.faults(tmp_path)) == [f"{tmp_path} holds no page"]

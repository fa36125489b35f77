"""The report as a file: what a machine reads, what a CI server shows, what a browser opens."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from html.parser import HTMLParser
from importlib.resources import files
from types import SimpleNamespace
from xml.etree import ElementTree

import jsonschema
import numpy
import pytest

import convspec
from convspec import fast
from convspec.case import Case
from convspec.cli.files import write
from convspec.cli.junit import junit
from convspec.cli.page import page
from convspec.cli.words import KINDS
from convspec.oracle import check
from convspec.oracle.report import Difference, OperationReport, Report
from convspec.rounding import ACCURACIES

HOSTILE = (
    "</pre><script src='http://evil.example/x.js'>alert(1)</script>&\"' \x1b[31m\x00 ]]> \ud800"
)
CONV = Case(
    "conv",
    {"input": numpy.array([[[1.0, 2.0]]]), "weight": numpy.array([[[3.0]]])},
    {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1},
)


def flipped(input, weight):
    return fast.conv(input, numpy.flip(weight, tuple(range(2, weight.ndim))))


@pytest.fixture(scope="module")
def differing():
    """A real report: a mistake, what is absent, what conforms."""
    mine = SimpleNamespace(conv=flipped, average_pool=fast.average_pool, name="mine")
    operations = ["conv", "conv_vjp", "average_pool"]
    return check(mine, operations, level="quick", dtypes=["float32"])


def hostile(**changes):
    difference = Difference(
        id="conv-value-1",
        kind="value",
        case=CONV,
        expected=(numpy.array([[[3.0, numpy.nan]]]),),
        actual=(numpy.array([[[3.0, 7.0]]]),),
        message=HOSTILE,
        diagnosis=HOSTILE,
        ties=(HOSTILE,),
        rule=HOSTILE,
        reproducer=HOSTILE,
    )._replace(**changes)
    found = OperationReport(
        "conv", 3, 1, HOSTILE, "float32", {"tie_index": HOSTILE}, (difference,), (HOSTILE,)
    )
    return Report(HOSTILE, HOSTILE, "3.13.0", "quick", 0, 1.5, {"conv": found})


def schema():
    text = files("convspec.oracle").joinpath("report.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def validate(report):
    told = json.loads(report.to_json(), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(schema()).validate(told)
    return told


def test_the_schema_is_a_schema_and_knows_every_kind():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$defs"]["difference"]["properties"]["kind"]["enum"] == list(KINDS)


def test_the_schema_knows_every_accuracy_class():
    known = schema()["$defs"]["operation"]["properties"]["accuracy"]["enum"]
    assert known == [*ACCURACIES, None]


def test_a_real_report_is_what_the_schema_says(differing):
    told = validate(differing)
    assert told["status"] == "differs"
    assert told["operations"]["conv"]["differences"]
    assert (told["numpy"], told["convspec"]) == (numpy.__version__, convspec.__version__)
    for change in ({"level": "thorough"}, {"seed": "0"}, {"python": None}, {"more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**told, **change}, schema())


@pytest.mark.parametrize(
    "array",
    [
        numpy.array([1.5, numpy.inf, -numpy.inf, numpy.nan], "float16"),
        numpy.array([2**64 - 1], numpy.uint64),
        numpy.array([1, 2**70, Fraction(1, 3)], object),
        numpy.array([1.25], numpy.longdouble),
        numpy.zeros(1, "V8"),
        numpy.zeros((0, 3)),
    ],
)
def test_whatever_comes_back_can_be_written(array):
    told = validate(hostile(expected=(array,), actual=(array,)))
    (written,) = told["operations"]["conv"]["differences"][0]["actual"]
    assert written["shape"] == list(array.shape)
    assert len(written["values"]) == array.size


def test_bfloat16_can_be_written():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
    array = numpy.array([1.5, numpy.inf, -numpy.inf, numpy.nan], ml_dtypes.bfloat16)
    told = validate(hostile(expected=(array,), actual=(array,)))
    (written,) = told["operations"]["conv"]["differences"][0]["actual"]
    assert written["dtype"] == "bfloat16"
    assert len(written["values"]) == array.size


def test_an_operand_that_is_a_list_of_arrays_can_be_written():
    operands = {"input": numpy.ones((1, 1, 3)), "factors": [numpy.ones(2)]}
    case = Case("spatially_separable_conv", operands, {"stride": (1,), "padding": ((0, 0),)})
    found = hostile(case=case)
    told = validate(found)
    written = told["operations"]["conv"]["differences"][0]["case"]["operands"]["factors"]
    assert written == [{"dtype": "float64", "shape": [2], "values": [1.0, 1.0]}]
    assert "factors[0] (2,)" in page(found)


def parsed(text):
    return ElementTree.fromstring(text)  # noqa: S314 - it is our own


def test_junit_counts_what_it_holds(differing):
    suites = parsed(junit(differing))
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    cases = suite.findall("testcase")
    differences = sum(len(o.differences) for o in differing.operations.values())
    assert len(cases) == len(differing.operations) + differences
    for element in (suites, suite):
        counted = {
            "tests": len(cases),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        assert {name: int(element.attrib[name]) for name in counted} == counted
        assert float(element.attrib["time"]) > 0
    outcomes = {case.attrib["name"]: [child.tag for child in case] for case in cases}
    assert outcomes["conv"] == ["failure"]
    assert outcomes["conv_vjp"] == ["skipped"]
    assert outcomes["average_pool"] == []
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in cases}) == len(cases)
    told = {p.attrib["name"]: p.attrib["value"] for p in suite.iter("property")}
    assert told["numpy"] == numpy.__version__
    failures = [c[0] for c in cases if "[conv-" in c.attrib["name"]]
    failure = failures[0]
    assert [f.attrib["type"] for f in failures] == [d.kind for d in differing["conv"].differences]
    assert "It behaves like:" in failure.text
    assert "import numpy" in failure.text


@pytest.mark.parametrize(
    ("changes", "outcomes"),
    [
        ({}, ["failure", "failure"]),
        ({"accepted": True}, ["skipped"]),
        ({"kind": "crash"}, ["error", "error"]),
    ],
)
def test_what_a_difference_is_in_junit(changes, outcomes):
    suites = parsed(junit(hostile(**changes)))
    assert [child.tag for case in suites.iter("testcase") for child in case] == outcomes


def test_junit_holds_any_text():
    text = junit(hostile())
    told = parsed(text).find(".//testcase/failure[@type='value']")
    assert "<script src='http://evil.example/x.js'>" in told.attrib["message"]
    text.encode("utf-8")


class Reader(HTMLParser):
    """What a browser would load or run, and whether every element is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


ALLOWED = (
    "html head meta title style body section h1 h2 p div table thead tbody tr th td figure "
    "figcaption details summary pre code dl dt dd"
)


ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_runs_nothing_loads_nothing_and_shows_every_text(kind):
    text = page(hostile(kind=kind))
    read = Reader(text)
    assert set(read.tags) <= set(ALLOWED.split())
    assert {name for name, _ in read.attributes} <= ATTRIBUTES
    style = re.search("<style>(.*)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert "evil.example" in "".join(read.texts)
    assert "\x1b" not in text
    assert "\x00" not in text
    text.encode("utf-8")


def test_the_page_is_for_phones_and_the_dark(differing):
    text = page(differing)
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in text
    # What may be wider than a phone scrolls by itself.
    for rule in (".wide { overflow-x: auto; }", "pre { border: 1px solid var(--line); overflow-x"):
        assert rule in text


def test_the_page_pictures_the_smallest_case(differing):
    text = page(differing)
    difference = differing["conv"].differences[0]
    first = text[: text.index("</section>")]
    assert first.count('<table class="grid">') == 5  # two operands, expected, actual, difference
    assert '<td class="mark">' in text
    assert f'<section id="{difference.id}">' in text
    assert "mine differs from the spec" in text
    assert f"NumPy {numpy.__version__}" in text


def test_a_window_on_padding_is_pictured():
    case = CONV._replace(attributes={**CONV.attributes, "padding": ((1, 0),)})
    right = (numpy.array([[[0.0, 3.0, 6.0]]]),)
    text = page(hostile(case=case, expected=right, actual=(right[0] + 1,)))
    assert '<td class="mark padding">.</td>' in text


def test_writing_replaces_the_file_in_one_step(tmp_path, differing):
    for name, text in (("r.xml", junit(differing)), ("r.html", page(differing))):
        write(tmp_path / name, "before")
        write(tmp_path / name, text)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.xml"]

"""The defect list: its records are complete, its page is theirs, and its runner tells the truth."""

from __future__ import annotations

import configparser
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from convspec.operations import OPERATIONS
from defects import page, quotation, run
from defects.records import HERE, Defect, Listing, listings, read

ROOT = HERE.parent
LISTINGS = listings()
DEFECTS = [(listing, defect) for listing in LISTINGS for defect in listing.defects]


def named(value):
    return value.name


def test_the_page_in_docs_is_that_of_the_records():
    """`python -m defects.page --write` renews it."""
    assert page.PAGE.read_text(encoding="utf-8") == page.page(LISTINGS) + "\n"


def test_every_defect_has_a_program_and_every_program_a_defect():
    programs = {path.relative_to(HERE) for path in HERE.glob("*/*.py")}
    assert programs == {one.program(defect).relative_to(HERE) for one, defect in DEFECTS}


@pytest.mark.parametrize(("listing", "defect"), DEFECTS, ids=named)
def test_a_program_imports_its_package_and_numpy_alone(listing, defect):
    text = listing.program(defect).read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    # A model for ONNX Runtime or OpenCV is written with onnx.
    modules = {
        "opencv-python-headless": {"cv2", "onnx"},
        "onnxruntime": {"onnxruntime", "onnx"},
        "scikit-image": {"skimage"},
    }
    own = modules.get(listing.package, {listing.package})
    assert imported & own
    assert imported <= own | {"numpy", "os", "pathlib", "signal", "subprocess", "sys", "warnings"}


@pytest.mark.parametrize(("listing", "defect"), DEFECTS, ids=named)
def test_a_defect_is_of_an_operation_and_differs_from_what_is_expected(listing, defect):
    assert defect.operation.removesuffix("_vjp") in OPERATIONS
    assert defect.expected != defect.actual


@pytest.mark.parametrize(("listing", "defect"), DEFECTS, ids=named)
def test_a_reference_to_a_known_difference_is_found_there(listing, defect):
    if defect.known:
        name, _, text = defect.known.partition(": ")
        known = ROOT / "convspec" / "adapters" / "known" / f"{name}.toml"
        assert text in known.read_text(encoding="utf-8")


@pytest.mark.parametrize("listing", LISTINGS, ids=named)
def test_tox_installs_the_version_that_is_listed(listing):
    tox = configparser.RawConfigParser()
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    (section,) = (name for name in tox.sections() if name.startswith("testenv:defects-{"))
    assert listing.name in section.removeprefix("testenv:defects-{").removesuffix("}").split(",")
    pins = tox[section]["deps"].split("\n")
    assert f"{listing.name}: {listing.package}=={listing.version}" in pins


@pytest.mark.slow
@pytest.mark.parametrize("listing", LISTINGS, ids=named)
def test_the_defects_of_what_is_installed_here_are_there(listing):
    try:
        installed = version(listing.package)
    except PackageNotFoundError:
        pytest.skip(f"{listing.package} is not installed; tox -e defects-{listing.name} has it")
    if installed.partition("+")[0] != listing.version:
        pytest.skip(f"{listing.package} {installed} is installed, {listing.version} is listed")
    for defect in listing.defects:
        good, said = run.verdict(listing, defect)
        assert good, f"{defect.name}: {said}"
        program = listing.program(defect).read_text(encoding="utf-8")
        assert quotation.stands(defect, program), defect.documentation


def test_a_quotation_that_is_not_in_its_source_does_not_stand():
    """The source is a docstring here; lines and indents do not matter."""
    entry = ENTRY._replace(source="defects.quotation.stands", documentation="quoted\n   sentence")
    assert quotation.stands(entry, "")
    assert not quotation.stands(entry._replace(documentation="quoted sentence of another"), "")


def test_an_operator_is_quoted_from_the_set_that_the_program_imports():
    """The sentence came with operator set 22."""
    pytest.importorskip("onnx", reason="needs convspec[onnx]")
    entry = ENTRY._replace(
        source="operator MaxPool of ONNX",
        documentation="Sliding windows that would start in the right padded region are ignored.",
    )
    assert quotation.stands(entry, 'opset_import: ["": 22]')
    assert not quotation.stands(entry, 'opset_import: ["": 21]')


ENTRY = Defect("made_up", "title", "conv", "bug", "case", "1", "2", "why", itself="it does")


def verdict_of(program: str, monkeypatch, tmp_path: Path, **changed: str):
    monkeypatch.setattr("defects.records.HERE", tmp_path)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "made_up.py").write_text(program, encoding="utf-8")
    listing = Listing("none", "none", "1", "None", (ENTRY,))
    return run.verdict(listing, ENTRY._replace(**changed))


def test_a_defect_that_shows_stands(monkeypatch, tmp_path):
    program = "print('expected: 1')\nprint('actual: 2')"
    assert verdict_of(program, monkeypatch, tmp_path) == (True, "2")


def test_a_defect_that_is_gone_is_stale(monkeypatch, tmp_path):
    program = "import sys\nprint('expected: 1')\nprint('actual: 1')\nsys.exit('stale: it is gone')"
    assert verdict_of(program, monkeypatch, tmp_path) == (False, "stale: 2 no longer, but 1")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print('expected: 1')\nprint('actual: 3')", "changed"),
        ("print('expected: 3')\nprint('actual: 2')", "changed"),
        ("print('actual: 2')", "changed"),
        ("import none_such", "failed with 1"),
        ("import os\nos.abort()", "failed with -6"),
        ("import sys\nsys.exit(77)", "failed with 77"),
    ],
)
def test_a_program_that_says_something_else_does_not_stand(program, said, monkeypatch, tmp_path):
    good, text = verdict_of(program, monkeypatch, tmp_path)
    assert not good
    assert said in text


def test_what_needs_another_processor_must_say_so(monkeypatch, tmp_path):
    program = "import sys\nprint('no such instructions')\nsys.exit(77)"
    only = "processors with such instructions"
    good, text = verdict_of(program, monkeypatch, tmp_path, only=only)
    assert good
    assert text == "cannot show here: no such instructions"


def test_a_program_that_hangs_does_not_stand(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "SECONDS", 0.2)
    good, text = verdict_of("import time\ntime.sleep(60)", monkeypatch, tmp_path)
    assert not good
    assert "did not end" in text


HEADER = 'package = "none"\nversion = "1"\ntitle = "None"\n'
ROW = "[[defect]]\n" + "".join(
    f'{key} = "{value}"\n' for key, value in ENTRY._asdict().items() if value
)


def test_a_listing_is_read(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text(HEADER + ROW, encoding="utf-8")
    assert read(path) == Listing("none", "none", "1", "None", (ENTRY,))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('itself = "it does"', "", "contradicts its documentation or itself"),
        ('itself = "it does"', 'documentation = "it does not"', "needs its source"),
        (
            'itself = "it does"',
            'documentation = "it does not"\nsource = "https://it.org"',
            "a quotation from the web",
        ),
        ('itself = "it does"', 'itself = "it does"\nread = "a file"', "a quotation from the web"),
        ('judgement = "bug"', 'judgement = "odd"', "judgement='odd'"),
        ('expected = "1"\n', "", "missing 1 required"),
        ('expected = "1"', 'expected = "1"\nother = "1"', "unexpected keyword argument 'other'"),
    ],
)
def test_an_incomplete_record_is_refused(old, new, message, tmp_path):
    path = tmp_path / "none.toml"
    assert old in ROW
    path.write_text(HEADER + ROW.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read(path)


def test_a_name_stands_for_one_defect(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text(HEADER + ROW + ROW, encoding="utf-8")
    with pytest.raises(ValueError, match="same name"):
        read(path)

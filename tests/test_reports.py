"""The kept reports of checks: they are whole, and the page is theirs."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from atlas import reports, reports_page
from atlas.targets import KNOWN_FOLDER, TARGETS, file_name
from convspec.oracle import load
from convspec.oracle.check import DEFAULT_DTYPES
from convspec.oracle.target import TargetError

KEPT = reports.kept()


def test_the_page_in_docs_is_that_of_the_reports():
    """`python -m atlas.reports_page --write` renews it."""
    assert reports_page.PAGE.read_text(encoding="utf-8") == reports_page.page(KEPT)


def test_every_file_is_a_report_of_a_target():
    assert {path.name for path in reports.FOLDER.iterdir()} == {file_name(name) for name in KEPT}


@pytest.mark.parametrize("name", TARGETS)
def test_the_known_differences_of_a_target_are_there(name):
    known = TARGETS[name].known
    assert not known or (reports.ROOT / KNOWN_FOLDER / f"{known}.toml").exists()


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_report_is_a_report(name):
    schema = files("convspec.oracle").joinpath("report.schema.json").read_text(encoding="utf-8")
    jsonschema.validate(KEPT[name], json.loads(schema))
    assert (KEPT[name]["target"], KEPT[name]["level"]) == (TARGETS[name].loads, "quick")
    path = reports.FOLDER / file_name(name)
    assert path.read_text(encoding="utf-8") == reports.text(KEPT[name])


@pytest.mark.parametrize("name", KEPT)
def test_the_accuracy_of_an_operation_is_the_coarsest_of_its_types(name):
    for operation in KEPT[name]["operations"].values():
        classes = set(operation["accuracies"].values())
        assert (operation["accuracy"] in classes) if classes else operation["accuracy"] is None


@pytest.mark.parametrize("name", KEPT)
def test_a_report_is_in_every_type_that_its_target_offers(name):
    try:
        implementation = load(TARGETS[name].loads)
    except TargetError as error:
        pytest.skip(str(error))
    found = set()
    for operation in KEPT[name]["operations"].values():
        found.update(operation["accuracies"])
        for difference in operation["differences"]:
            found.update(difference["dtype"].split(", "))
    assert found >= set(getattr(implementation, "dtypes", DEFAULT_DTYPES))


def test_a_target_without_a_report_is_named():
    assert "There is no report yet of" not in reports_page.page(dict.fromkeys(TARGETS, report()))
    (line,) = (x for x in reports_page.page({"fast": report()}).split("\n") if "no report" in x)
    assert line.endswith(", ".join(name for name in TARGETS if name != "fast") + ".")


def report(**changes):
    """What a report says of one operation that differs in nothing."""
    operation = {
        "name": "conv",
        "status": "conforms",
        "judged": 5,
        "unsupported": 0,
        "crashed": False,
        "accuracies": {"float32": "tf32"},
        "differences": [],
    }
    head = {"version": "1", "python": "3", "numpy": "2"}
    return {**head, "operations": {"conv": {**operation, **changes}}}


def row(text):
    """The row of the only operation in the table of its implementation."""
    return text.rpartition("\n| conv ")[2]


def test_a_conforming_operation_has_its_accuracy():
    text = reports_page.page({"one": report()})
    assert "| one | 1 | 3 | 2 | conforms | 5 | `docs/reports/one.json` |" in text
    assert row(text) == "| conforms | 5 | 0 | float32: tf32 |  |\n"


@pytest.mark.parametrize(
    ("accepted", "status", "said", "told"),
    [
        (True, "conforms", "known differences", "value in float32: a\\|b"),
        (False, "differs", "differs", "value in float32, not known: a\\|b"),
    ],
)
def test_a_difference_is_told(accepted, status, said, told):
    found = {"kind": "value", "dtype": "float32", "accepted": accepted, "message": "a|b"}
    differing = report(status=status, differences=[{**found, "diagnosis": None}])
    text = reports_page.page({"one": differing, "two": report()})
    assert f"| one | 1 | 3 | 2 | {said} |" in text
    assert f"| {said} | 5 | 0 | float32: tf32 | {told} |" in text
    columns = "two | one |  " if accepted else "two |  | one "
    assert f"| conv | {columns}|" in text


def test_what_was_never_called_is_left_out():
    text = reports_page.page({"one": report(judged=0, status="unsupported"), "two": report()})
    assert "| conv | two |  |  |" in text

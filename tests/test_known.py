"""Known differences: what a row means, and what is no file of them."""

import warnings
from importlib.resources import files
from importlib.util import find_spec

import numpy
import pytest

from convspec.case import Case
from convspec.oracle import check, load
from convspec.oracle.check import checkable_operations
from convspec.oracle.known import Known, matches, read, stale, with_known
from convspec.oracle.report import Difference, OperationReport, Report

WINDOW = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
CASE = Case("conv", {"input": numpy.zeros((1, 1, 3)), "weight": numpy.zeros((1, 1, 2))}, WINDOW)


def difference(kind="value", message="the last row is wrong", diagnosis=None):
    return Difference("1", kind, CASE, (), (), message, diagnosis)


def report(*differences):
    operation = OperationReport("conv", 1, 0, None, None, {}, differences, ())
    return Report("mine", None, "3.11", "quick", 0, 0.0, {"conv": operation})


def row(**changes):
    known = Known("conv", "value", "it was always so", says="last row", where="padding = 0")
    return known._replace(**changes)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_row_by_row(tmp_path):
    text = """
[[difference]]
operation = "conv"
kind = "value"
says = "last row"
where = "padding = 0"
reason = "it was always so"

[[difference]]
operation = "conv"
kind = "shape"
diagnosis = "kernel flipped"
reason = "documented"
"""
    assert read(write(tmp_path / "known.toml", text)) == (
        row(),
        Known("conv", "shape", "documented", diagnosis="kernel flipped"),
    )
    assert read(write(tmp_path / "empty.toml", "")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[difference", "no TOML file"),
        ("a = " + 5000 * "[", "no TOML file"),
        ("other = 1", r"must hold \[\[difference\]\] tables"),
        ("[difference]\nkind = 'value'", r"must hold \[\[difference\]\] tables"),
        ("[[difference]]\nkind = 1", "number 1: every value must be text"),
        ("difference = [1]", "number 1: every value must be text"),
        ("[[difference]]\nkind = 'value'\nsays = 'x'", "number 1: operation, reason must be given"),
        ("[[difference]]\nkinds = 'value'", "number 1: kinds: no such key"),
        (
            "[[difference]]\noperation = 'conv'\nkind = 'value'\nreason = 'so'",
            "number 1: diagnosis or says must tell",
        ),
    ],
)
def test_another_file_is_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=said) as error:
        read(write(tmp_path / "known.toml", text))
    assert "known.toml" in str(error.value)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("value", "is nan instead of"),
        ("shape", "has shape"),
        ("crash", "SIGFPE"),
        ("accepts", "was accepted"),
        ("accepts", " accepted"),
        ("raises", "ValueError: "),
        ("raises", "Error"),
    ],
)
def test_a_row_that_means_every_difference_of_its_kind_is_refused(tmp_path, kind, says):
    text = f"[[difference]]\noperation = 'conv'\nkind = '{kind}'\nreason = 'so'\nsays = '{says}'"
    said = f"says = '{says}': what is said of kind {kind} does not tell one mistake from another"
    with pytest.raises(ValueError, match=f"number 1: {said}: diagnosis or where must be given"):
        read(write(tmp_path / "known.toml", text))
    for more in ("diagnosis = 'kernel flipped'", "where = 'the kernel is 1x1'"):
        assert len(read(write(tmp_path / "known.toml", f"{text}\n{more}"))) == 1


def test_a_place_that_no_rule_speaks_of_is_refused(tmp_path):
    text = (
        "[[difference]]\noperation = 'conv'\nkind = 'value'\nreason = 'so'\nsays = 'row'\n"
        "where = 'padding = 0 and on Sundays'"
    )
    with pytest.raises(ValueError, match="where = 'on Sundays': must be one of 'stride > 1', "):
        read(write(tmp_path / "known.toml", text))


@pytest.mark.parametrize(
    ("kind", "says"),
    [("accepts", "stride 0 was accepted"), ("raises", "ValueError: no"), ("layout", "reversed")],
)
def test_a_message_that_says_what_is_wrong_is_enough(tmp_path, kind, says):
    text = f"[[difference]]\noperation = 'conv'\nkind = '{kind}'\nreason = 'so'\nsays = '{says}'"
    assert read(write(tmp_path / "known.toml", text)) == (Known("conv", kind, "so", says=says),)


@pytest.mark.parametrize(
    ("where", "met"),
    [
        ("padding = 0", True),
        ("padding = 0 and the kernel is larger than 1x1", True),
        ("padding = 0 and the kernel is 1x1", False),
        ("padding > 0", False),
    ],
)
def test_a_row_means_what_is_where_it_says(where, met):
    assert matches(row(where=where), "conv", difference()) is met


def test_arguments_that_make_no_window_are_nowhere():
    bad = CASE._replace(attributes={**WINDOW, "stride": (1, 1)})
    assert not matches(row(), "conv", difference()._replace(case=bad))
    still = CASE._replace(attributes={**WINDOW, "stride": (0,)})
    assert matches(row(where="stride = 0"), "conv", difference()._replace(case=still))


@pytest.mark.parametrize(
    ("known", "found", "status"),
    [
        (row(), difference(), "conforms"),
        (row(kind="shape"), difference(), "differs"),
        (row(operation="max_pool"), difference(), "differs"),
        (row(says="first row"), difference(), "differs"),
        (row(says=None, diagnosis="kernel flipped"), difference(), "differs"),
        (row(says=None, diagnosis="kernel flipped"), difference(diagnosis="other"), "differs"),
        (
            row(says=None, diagnosis="kernel flipped"),
            difference(diagnosis="kernel flipped"),
            "conforms",
        ),
        (row(diagnosis="kernel flipped"), difference(diagnosis="kernel flipped"), "conforms"),
    ],
)
def test_a_row_accepts_only_the_difference_it_means(known, found, status):
    assert report(found).status == "differs"
    assert with_known(report(found), (known,)).status == status


def test_every_difference_must_be_known():
    found = with_known(report(difference(), difference(kind="shape")), (row(),))
    assert [d.accepted for d in found["conv"].differences] == [True, False]
    assert found.status == "differs"


def test_what_was_accepted_before_stays_accepted():
    accepted = difference(kind="shape")._replace(accepted=True)
    assert with_known(report(accepted), ()).status == "conforms"


def test_a_row_that_meets_nothing_is_noted():
    (note,) = with_known(report(), (row(), row(operation="max_pool")))["conv"].notes
    assert note == "known, but not seen: value, last row (it was always so)"
    (note,) = with_known(report(), (row(seen="2.0"),))["conv"].notes
    assert note.startswith("known in 2.0, but not seen: value")
    assert with_known(report(difference()), (row(),))["conv"].notes == ()


def test_a_row_is_stale_where_its_operation_was_examined_and_it_shows_everywhere():
    assert stale(report(), (row(),)) == (row(),)
    assert stale(report(difference()), (row(),)) == ()
    assert stale(report(), (row(operation="max_pool"),)) == ()
    there = row(only="big-endian processors")
    assert stale(report(), (there,)) == ()
    assert with_known(report(), (there,))["conv"].notes == ()
    assert with_known(report(difference()), (there,)).status == "conforms"


SHIPPED = {
    "numpy": "numpy",
    "ndimage": "ndimage",
    "scipy": "scipy:fft",
    "scipy_correlate2d": "scipy:correlate2d",
    "torch": "torch",
}
# Compiled frameworks need minutes: their own tox environments hold them to these files.
IN_TOX = (
    "jax",
    "mlx",
    "onnx-reference",
    "onnxruntime",
    "opencv",
    "openvino",
    "openvino_float32",
    "paddle",
    "skimage",
    "tensorflow",
)


# What is in these files shows in one of them; in which others is the business of tox.
DTYPES = ("float64", "float32")


def shipped():
    return files("convspec.adapters").joinpath("known")


def test_every_shipped_file_is_tried():
    assert {path.name for path in shipped().iterdir()} == {
        f"{name}.toml" for name in (*SHIPPED, *IN_TOX)
    }


@pytest.mark.parametrize("name", IN_TOX)
def test_a_file_for_a_tox_environment_can_be_read(name):
    rows = read(shipped().joinpath(f"{name}.toml"))
    assert rows
    assert {known.operation for known in rows} <= set(checkable_operations())


@pytest.mark.parametrize("name", [*SHIPPED, *IN_TOX])
def test_a_shipped_row_says_in_which_version_and_how_it_was_seen(name):
    """Packages change; how it is seen is told without convspec."""
    rows = read(shipped().joinpath(f"{name}.toml"))
    assert [row for row in rows if not (row.seen and row.verified)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_accepts_what_its_target_does_and_nothing_stale(name):
    if name == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    rows = read(shipped().joinpath(f"{name}.toml"))
    operations = list(dict.fromkeys(known.operation for known in rows if known.only is None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = check(load(SHIPPED[name]), operations, level="quick", dtypes=DTYPES)
    assert {operation.status for operation in found.operations.values()} == {"differs"}
    accepted = with_known(found, rows)
    assert accepted.status == "conforms"
    assert not any("known, but" in note for o in accepted.operations.values() for note in o.notes)

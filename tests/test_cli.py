"""The command line: options, exit codes, and what a reader sees."""

import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner
from rich.console import Console

import convspec.oracle
from convspec.case import Case
from convspec.cli import VERBS, main
from convspec.cli import check as verb
from convspec.cli.files import write
from convspec.cli.terminal import show
from convspec.cli.words import KINDS
from convspec.oracle.report import Difference, OperationReport, Report
from convspec.oracle.target import ArgumentError

ROOT = Path(__file__).parents[1]
CONV = Case(
    "conv",
    {"input": numpy.array([[[1.0, 0.0]]]), "weight": numpy.array([[[1.0, 0.0]]])},
    {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1},
)


def difference(**changes):
    default = Difference(
        id="conv-1",
        kind="value",
        case=CONV,
        expected=(numpy.array([[[1.0]]]),),
        actual=(numpy.array([[[0.0]]]),),
        message="Output 0 is wrong.",
        cases=17,
        reproducer="import numpy\nprint('[bold]')\n",
    )
    return default._replace(**changes)


def operation(name="conv", **changes):
    default = OperationReport(name, 1234, 0, None, "float32", {}, (), ())
    return default._replace(**changes)


def report(*operations):
    found = {record.name: record for record in operations or (operation(),)}
    return Report("mine.py", "1.0", "3.11.7", "standard", 0, 1.25, found)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the command line on a file that offers conv; `found` stands for what the check finds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("mine.py").write_text("def conv(input, weight): ...\n", encoding="utf-8")

    def run(*arguments, found=None):
        calls = []

        def check(implementation, **options):
            calls.append((implementation, options))
            if isinstance(found, BaseException):
                raise found
            return found or report()

        monkeypatch.setattr(convspec.oracle, "check", check, raising=False)
        result = CliRunner().invoke(main, arguments)
        result.calls = calls
        return result

    return run


def printed(found, width=80):
    console = Console(width=width, record=True, file=open("/dev/null", "w"), highlight=False)  # noqa: PTH123, SIM115
    with console.file:
        show(found, console)
    return console.export_text()


def test_help_names_every_verb():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, sentence in VERBS.items():
        assert name in result.output
        assert sentence in result.output


def test_every_verb_has_help():
    for name in VERBS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0, result.output
        assert f"main {name} " in result.output


def test_an_unknown_verb_is_wrong_usage():
    assert CliRunner().invoke(main, ["chekc"]).exit_code == 2


def test_version():
    assert CliRunner().invoke(main, ["--version"]).output == (
        f"convspec, version {convspec.__version__}\n"
    )


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (report(operation()), 0),
        (report(operation(), operation("max_pool", judged=0)), 0),
        (report(operation(differences=(difference(accepted=True),))), 0),
        (report(operation(differences=(difference(),))), 1),
        (report(operation(differences=(difference(),)), operation("max_pool", crashed=True)), 1),
        (report(operation(crashed=True, differences=(difference(),))), 1),
        (report(operation(judged=0)), 2),
        (report(operation(crashed=True)), 3),
        (report(operation(), operation("max_pool", crashed=True)), 3),
        (RuntimeError("a mistake of our own"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(run, found, code):
    assert run("check", "mine.py", found=found).exit_code == code


def test_an_argument_that_cannot_be_used_is_one_line(run):
    result = run("check", "mine.py", found=ArgumentError("resume=True: another check is under way"))
    assert result.exit_code == 2
    assert result.stderr == "convspec: resume=True: another check is under way\n"


def test_a_scheduler_needs_dask(run, monkeypatch):
    monkeypatch.setattr(verb, "find_spec", lambda name: None)
    result = run("check", "mine.py", "--workers", "tcp://localhost:8786")
    assert result.exit_code == 2
    assert "needs Dask: pip install 'convspec[dask]'" in " ".join(result.stderr.split())


def test_a_failure_of_the_check_itself_is_told_as_such(run):
    result = run("check", "mine.py", found=RuntimeError("a mistake of our own"))
    assert "RuntimeError: a mistake of our own" in result.stderr
    assert "the check itself failed" in result.stderr
    assert result.stdout == ""


def test_a_target_that_cannot_be_loaded_is_one_line_on_standard_error(run):
    result = run("check", "absent.py")
    assert result.exit_code == 2
    assert result.stderr == "convspec: absent.py: no such file\n"
    assert result.stdout == ""
    assert result.calls == []


def test_without_options_everything_is_checked(run):
    ((implementation, options),) = run("check", "mine.py").calls
    assert callable(implementation.conv)
    assert options == {
        "operations": None,
        "dtypes": None,
        "level": "standard",
        "seed": 0,
        "conventions": None,
        "require_accuracy": None,
        "isolate": None,
        "resume": False,
        "workers": 1,
        "progress": None,
    }


def test_options_reach_the_check(run):
    given = "--operation conv --operation conv_vjp --dtype float32 --level quick --seed 7 "
    given += "--workers 2 --convention kernel_orientation=flipped --require-accuracy float32 "
    given += "--isolate --resume"
    result = run("check", "mine.py", *given.split())
    assert result.exit_code == 0, result.output
    ((_, options),) = result.calls
    assert options == {
        "operations": ["conv", "conv_vjp"],
        "dtypes": ["float32"],
        "level": "quick",
        "seed": 7,
        "conventions": {"kernel_orientation": "flipped"},
        "require_accuracy": "float32",
        "isolate": True,
        "resume": True,
        "workers": 2,
        "progress": None,
    }


def test_known_differences_do_not_count(run, tmp_path):
    row = (
        "[[difference]]\noperation = 'conv'\nkind = 'value'\nsays = {!r}\n"
        "where = 'padding = 0'\nreason = 'so'\n"
    )
    found = report(operation(differences=(difference(),)))
    for said, code in (("Output 0", 0), ("Output 1", 1)):
        (tmp_path / "known.toml").write_text(row.format(said), encoding="utf-8")
        result = run("check", "mine.py", "--known", "known.toml", found=found)
        assert result.exit_code == code, result.output
    assert "known, but not seen: value, Output 1 (so)" in result.output
    result = run("check", "mine.py", "--known", "known.toml")
    assert result.exit_code == 0
    result = run("check", "mine.py", "--known", "known.toml", "--strict")
    assert result.exit_code == 1
    unjudged = report(operation(judged=0, unsupported=1))
    result = run("check", "mine.py", "--known", "known.toml", "--strict", found=unjudged)
    assert result.exit_code == 2
    (tmp_path / "known.toml").write_text("nonsense", encoding="utf-8")
    result = run("check", "mine.py", "--known", "known.toml")
    assert result.exit_code == 2
    assert "known.toml: no TOML file" in " ".join(result.stderr.split())
    assert result.calls == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--require-accuracy exact", "'exact': must be one of float64, "),
        ("--operation cnov", "'cnov': must be one of convolve, convolve_vjp"),
        ("--dtype float31", "'float31' is not one of"),
        ("--level thorough", "'thorough' is not one of"),
        ("--seed one", "'one' is not a valid integer"),
        ("--workers 0", "'0': must be a number from 1 on, or an address such as"),
        ("--workers two", "'two': must be a number from 1 on"),
        ("--convention flipped", "'flipped': must be NAME=VALUE, with NAME one of "),
        ("--convention kernel=flipped", "'kernel=flipped': must be NAME=VALUE"),
        ("--convention kernel_orientation=", "kernel_orientation must be one of as the spec, "),
        ("--convention kernel_orientation=up", "kernel_orientation must be one of as the spec, "),
        ("--known absent.toml", "'absent.toml' does not exist"),
        ("--report report.txt", "must end in .json, .xml, .html"),
        ("--report absent/report.json", "there is no directory"),
        ("--absent", "No such option"),
    ],
)
def test_wrong_usage_is_refused_before_anything_runs(run, arguments, said):
    result = run("check", "mine.py", *arguments.split())
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.calls == []


def test_the_report_is_written_as_json(run, tmp_path):
    found = report(operation(differences=(difference(),)))
    result = run("check", "mine.py", "--report", "report.json", found=found)
    assert result.exit_code == 1
    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert written["status"] == "differs"
    assert written["operations"]["conv"]["differences"][0]["kind"] == "value"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "mine.py",
        "report.json",
    ]


def test_several_reports_are_written_each_in_its_format(run, tmp_path):
    files = {"report.json": "{", "report.xml": "<?xml", "report.html": "<!doctype html>"}
    options = [word for name in files for word in ("--report", name)]
    assert run("check", "mine.py", *options).exit_code == 0
    for name, beginning in files.items():
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(beginning)


def test_a_report_that_cannot_be_written_is_told_and_shown_all_the_same(run, tmp_path, monkeypatch):
    def fail(path, text):
        raise PermissionError(f"not {path.name}")

    monkeypatch.setattr("convspec.cli.files.write", fail)
    result = run("check", "mine.py", "--report", "report.xml")
    assert result.exit_code == 2
    assert result.stderr == "convspec: report.xml cannot be written: not report.xml\n"
    assert "mine.py 1.0 conforms" in result.stdout


def test_a_report_that_cannot_be_written_leaves_nothing_behind(monkeypatch, tmp_path):
    def fail(self, target):
        raise OSError("no")

    (tmp_path / "report.json").write_text("before", encoding="utf-8")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write(tmp_path / "report.json", "after")
    (left,) = tmp_path.iterdir()
    assert (left.name, left.read_text(encoding="utf-8")) == ("report.json", "before")


def test_the_report_reads_from_top_to_bottom():
    wrong = difference(diagnosis="kernel flipped", ties=("something else",))
    text = printed(
        report(
            operation(
                differences=(wrong,),
                unsupported=3,
                unsupported_rule="bias is not taken",
                notes=("every pair of features was covered",),
                conventions={"tie_index": "first"},
            )
        )
    )
    told = [
        "mine.py 1.0 differs from the spec",
        "Python 3.11.7, NumPy",
        "level standard, seed 0, 1.2 s",
        "conv       differs    1234            3  float32",
        "Difference 1 of 1: conv: the result has wrong values",
        "17 cases fail like this. Output 0 is wrong.",
        "It behaves like: kernel flipped. The kernel is rotated by 180 degrees",
        "These explain it as well: something else.",
        "Smallest failing case:",
        "  conv(input (1, 1, 2), weight (1, 1, 2))",
        "    [1][0]         [1][0]",
        "  1 of 1 elements differ; first [0, 0, 0]: expected 1, actual 0",
        "To reproduce:",
        "  print('[bold]')",
        "Not supported, and so not judged\n  conv\n    bias is not taken",
        "What it does where conventions differ\n  conv\n    tie_index: first",
        "How far the check went\n  conv\n    every pair of features was covered",
    ]
    places = [text.find(line) for line in told]
    assert -1 not in places, [line for line, place in zip(told, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No known mistake explains it."),
        ({"dtype": "float32"}, "In float32, 17 cases fail like this."),
        ({"rule": "stride > 1"}, "No known mistake explains it. Where it fails: stride > 1."),
        ({"cases": 1, "message": ""}, "One case fails like this."),
        ({"accepted": True}, "wrong values (accepted)"),
        ({"actual": "ValueError: no"}, "actual: ValueError: no"),
    ],
)
def test_what_is_said_of_a_difference(changes, said):
    assert said in printed(report(operation(differences=(difference(**changes),))))


def test_what_is_not_offered_is_one_line():
    absent = [operation(name, judged=0, accuracy=None) for name in ("max_pool", "average_pool")]
    text = printed(report(operation(), *absent))
    assert "Not offered: max_pool, average_pool\n" in text
    assert text.count("conforms") == 2
    assert "unsupported  " not in text.replace("judged  unsupported  accuracy", "")
    assert "operation" not in printed(report(*absent))


def test_what_only_the_dtype_tells_apart_is_shown_once():
    both = (difference(dtype="float64"), difference(dtype="float32"), difference(id="another"))
    text = printed(report(operation(differences=both)))
    assert "Difference 2 of 2" in text
    assert text.count("In float64 and float32, 17 cases fail like this.") == 1


def test_a_refusal_is_not_said_to_be_unexplained():
    text = printed(report(operation(differences=(difference(kind="accepts"),))))
    assert "No known mistake" not in text


def test_what_is_said_of_several_operations_is_said_once():
    pools = [operation(name, notes=("all values", "all pairs")) for name in ("max_pool", "lp_pool")]
    text = printed(report(*pools, operation(notes=("all values",))))
    section = text[text.index("How far the check went") :].splitlines()
    assert [line.rstrip() for line in section] == [
        "How far the check went",
        "  max_pool, lp_pool, conv",
        "    all values",
        "  max_pool, lp_pool",
        "    all pairs",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_in_words(kind):
    found = report(operation(differences=(difference(kind=kind),)))
    assert KINDS[kind] in printed(found, width=120)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(operation(crashed=True, judged=0)), "mine.py 1.0 crashed"),
        (report(), "mine.py 1.0 conforms to the spec in everything it offers"),
        (report(operation(judged=0)), "mine.py 1.0 offers nothing that could be judged"),
        (report(operation(crashed=True)), "mine.py 1.0 crashed"),
        (report()._replace(version=None), "mine.py conforms"),
    ],
)
def test_the_verdict_comes_first(found, said):
    assert printed(found).splitlines()[0].startswith(said)


def test_progress_is_shown_only_to_a_terminal(monkeypatch, capsys):
    with verb._progress() as progress:
        assert progress is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with verb._progress() as progress:
        progress("conv", "sweep", 1, 2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["operations"], ["convolve", "conv_vjp", "average_pool"]),
        (["targets"], ["spec", "fast", "numpy", "scipy"]),
        ([], ["operations:", "  conv", "targets:", "  numpy", "deviations:"]),
    ],
)
def test_list(arguments, lines):
    result = CliRunner().invoke(main, ["list", *arguments])
    assert result.exit_code == 0, result.output
    assert set(lines) <= set(result.output.splitlines())


def test_list_names_the_deviations():
    from convspec.oracle.deviations import DEVIATIONS

    output = CliRunner().invoke(main, ["list", "deviations"]).output
    assert len(output.splitlines()) == len(DEVIATIONS)
    assert "kernel flipped (convention): The kernel is rotated by 180 degrees" in output


def test_list_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    output = CliRunner().invoke(main, ["list", "targets"]).output
    assert "torch  (not installed: pip install" in output
    assert "\nnumpy\n" in output


def command(*arguments, cwd):
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from convspec.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(ROOT), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_beginners_mistake_is_named_and_drawn(tmp_path):
    (tmp_path / "my_conv.py").write_text(
        "import numpy as np\n\n\n"
        "def conv(input, weight):\n"
        "    size = weight.shape[2:]\n"
        "    windows = np.lib.stride_tricks.sliding_window_view(input, size, axis=(2, 3))\n"
        "    kernel = weight[:, :, ::-1, ::-1]\n"
        "    return np.einsum('ncyxij,ocij->noyx', windows, kernel)\n",
        encoding="utf-8",
    )
    run = command("check", "my_conv.py", "--level=quick", "--report=r.json", cwd=tmp_path)
    assert run.returncode == 1, run.stderr
    assert "It behaves like: kernel flipped." in run.stdout
    assert "Smallest failing case:" in run.stdout
    assert "\x1b" not in run.stdout
    assert run.stderr == ""
    written = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    differences = written["operations"]["conv"]["differences"]
    program = next(d["reproducer"] for d in differences if d["diagnosis"] == "kernel flipped")
    again = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "expected:" in again.stdout
    assert "AssertionError" in again.stderr


@pytest.mark.slow
def test_the_definitions_conform_to_themselves(tmp_path):
    run = command("check", "spec", "--operation", "conv", "--level", "quick", cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "conforms to the spec" in run.stdout

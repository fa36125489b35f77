"""Targets that do to the checker's process what they should not: the verdict is told all the same,
or one line says why there is none.
"""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
HEAD = """
import os, sys, threading, time, warnings
import numpy
from convspec import fast
dtypes = ("float32",)


def relu(input):
    {}
    return fast.relu(input)
"""
STARTS = (
    "if threading.active_count() < {}: threading.Thread(target=time.sleep, args=(600,)).start()"
)

# What a target does in a call of it, though what it returns is right.
RIGHT = {
    "leaves threads running": HEAD.format(STARTS.format(4)),
    "leaves threads running in a process of its own": (
        "isolate = True" + HEAD.format(STARTS.format(9))
    ),
    "closes the output": HEAD.format("os.close(1) if input.size == 7 else None"),
    "takes the output away": HEAD.format("sys.stdout = None"),
    "prints": HEAD.format("print('x' * 1000)"),
    "changes the directory": HEAD.format("os.chdir('/')"),
    "makes warnings errors": HEAD.format(
        "warnings.simplefilter('error'); numpy.seterr(all='raise')"
    ),
    "has a version without a text": HEAD.format("pass")
    + "class Version:\n    def __str__(self): raise RuntimeError\nversion = Version()\n",
}
REFUSED = {
    "leaves when it is imported": ("raise SystemExit(0)", "SystemExit: 0"),
    "has dtypes that are none": ("from convspec.fast import relu\ndtypes = 5", "dtypes=5"),
    "raises when it is asked for anything": (
        "def __getattr__(name):\n    raise RuntimeError(name)",
        "offers none of",
    ),
}


def checked(place, text):
    """How a check in a process of its own ends, and what it has said."""
    (place / "mine.py").write_text(text, encoding="utf-8")
    reports = ("--report", "report.json", "--report", "report.xml", "--report", "report.html")
    words = ["check", "mine.py", "--operation", "relu", "--level", "quick", *reports]
    return subprocess.run(
        [sys.executable, "-c", "from convspec.cli import main; main()", *words],
        cwd=place,
        env={"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(place / "cache"), "HOME": str(place)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_a_verdict_is_not_lost(tmp_path, text):
    ran = checked(tmp_path, text)
    assert (ran.returncode, "conforms to the spec" in ran.stdout) == (0, True), ran.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "conforms"


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_no_verdict_is_one_line(tmp_path, text, says):
    ran = checked(tmp_path, text)
    assert (ran.returncode, ran.stdout) == (2, "")
    (line,) = ran.stderr.splitlines()
    assert says in line


def test_an_interrupt_while_it_is_imported_is_one(tmp_path):
    assert checked(tmp_path, "raise KeyboardInterrupt").returncode == 130


def test_what_the_checker_cannot_do_is_no_difference(tmp_path):
    ran = checked(tmp_path, HEAD.format("sys.setrecursionlimit(60)"))
    assert ran.returncode == 2
    assert "the check itself failed" in ran.stderr


def test_a_message_is_printed_without_what_moves_the_cursor(tmp_path):
    text = HEAD.format(r"raise RuntimeError('bad \ud800 \x00 \x1b[31m')")
    ran = checked(tmp_path, text)
    assert ran.returncode == 1, ran.stderr
    assert r"RuntimeError: bad \ud800 \x00 \x1b[31m" in ran.stdout
    assert "\x1b" not in ran.stdout
    ElementTree.parse(tmp_path / "report.xml")  # noqa: S314 - it is our own
    assert "bad" in (tmp_path / "report.html").read_text(encoding="utf-8")

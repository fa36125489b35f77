"""Targets: what each kind of name loads, and the one line that says why one does not."""

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from importlib.util import find_spec
from textwrap import dedent

import numpy
import pytest

import convspec
from convspec.oracle import target as module
from convspec.oracle.target import TargetError, load, target_of

RELU = "def conv(input, weight):\n    return 'from the file'\n"


@pytest.fixture(autouse=True)
def own_path(monkeypatch, tmp_path):
    """Loading appends to sys.path; every test starts from the same one, in an empty directory."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


@pytest.fixture
def package(tmp_path):
    """A package in the working directory under a name that no other test uses."""
    name = f"package_{tmp_path.name.replace('-', '_')}"
    write(tmp_path / name / "__init__.py", "")
    yield name
    for loaded in [known for known in sys.modules if known.split(".")[0] == name]:
        del sys.modules[loaded]


def refused(target):
    with pytest.raises(TargetError) as error:
        load(target)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(target) or repr(target) in message
    return message


@pytest.mark.parametrize("name", ["numpy", "scipy", "ndimage", "spec"])
def test_bundled_targets_load_by_name(name):
    implementation = load(name)
    assert callable(implementation.convolve)
    assert target_of(implementation) == name


def test_the_spec_itself_is_a_target():
    assert load("spec") is convspec
    assert target_of(convspec) == "spec"


def test_an_implementation_is_known_by_the_last_name_it_was_loaded_by(tmp_path, package):
    write(tmp_path / package / "__init__.py", RELU + "import sys\nitself = sys.modules[__name__]\n")
    for target in (package, f"{package}:itself", package):
        assert target_of(load(target)) == target
    assert target_of(object()) is None


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("scipy:auto", {"convolve", "correlate"}),
        ("scipy:direct", {"convolve", "correlate"}),
        ("scipy:fft", {"convolve", "correlate"}),
        ("scipy:convolve2d", {"convolve"}),
        ("scipy:correlate2d", {"correlate"}),
    ],
)
def test_a_bundled_name_may_be_followed_by_an_object(name, offered):
    implementation = load(name)
    assert implementation.name == name
    assert {n for n in ("convolve", "correlate") if hasattr(implementation, n)} == offered


def test_adapters_are_imported_only_when_asked_for():
    program = (
        "import sys\n"
        "from convspec.oracle.target import load\n"
        "load('numpy')\n"
        "print(*sorted({'scipy', 'torch', 'convspec.adapters.torch'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=convspec.__path__[0] + "/..",
    )
    assert run.stdout.strip() == ""


def test_a_file_is_loaded_by_path(tmp_path):
    path = write(tmp_path / "mine.py", RELU)
    for target in ("mine.py", "./mine.py", str(path)):
        assert load(target).conv(None, None) == "from the file"
        assert target_of(load(target)) == target


def test_a_file_without_py_is_no_target(tmp_path):
    write(tmp_path / "mine", RELU)
    assert "must end in .py" in refused("mine")


def test_an_object_in_a_file_is_found_and_a_class_is_made(tmp_path):
    text = """
        class Layers:
            def __init__(self):
                self.made = True

            def conv(self, input, weight):
                return self.made

        class Outer:
            Inner = Layers

        ready = Layers()
        """
    write(tmp_path / "mine.py", text)
    for target in ("mine.py:Layers", "mine.py:Outer.Inner", "mine.py:ready"):
        assert load(target).conv(None, None) is True


def test_a_file_named_like_a_real_module_leaves_that_module_alone(tmp_path):
    write(tmp_path / "numpy.py", RELU)
    implementation = load("./numpy.py")
    assert implementation.conv(None, None) == "from the file"
    assert sys.modules["numpy"] is numpy
    assert implementation is not numpy


def test_files_of_the_same_name_do_not_disturb_each_other(tmp_path):
    for word in ("one", "two"):
        write(tmp_path / word / "mine.py", f"def conv(input, weight):\n    return {word!r}\n")
    one, two = load("one/mine.py"), load("two/mine.py")
    assert (one.conv(0, 0), two.conv(0, 0)) == ("one", "two")
    assert sys.modules[one.__name__] is one
    assert sys.modules[two.__name__] is two


def test_a_file_is_run_again_by_every_load(tmp_path):
    write(tmp_path / "mine.py", RELU)
    load("mine.py")
    write(tmp_path / "mine.py", "def conv(input, weight):\n    return 'after a correction'\n")
    assert load("mine.py").conv(0, 0) == "after a correction"


def test_a_file_imports_its_neighbours_but_they_shadow_nothing(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    write(tmp_path / "there" / "neighbour_of_mine.py", "answer = 42\n")
    write(tmp_path / "there" / "colorsys.py", "raise AssertionError('shadowed')\n")
    text = """
        import colorsys
        from neighbour_of_mine import answer

        def conv(input, weight):
            return answer
        """
    write(tmp_path / "there" / "mine.py", text)
    assert load("there/mine.py").conv(0, 0) == 42


def test_dataclasses_in_a_file_find_their_module(tmp_path):
    text = """
        from __future__ import annotations
        from dataclasses import dataclass, field

        @dataclass
        class Layers:
            sizes: list[int] = field(default_factory=list)

            def conv(self, input, weight):
                return self.sizes
        """
    write(tmp_path / "mine.py", text)
    assert load("mine.py:Layers").conv(0, 0) == []


def test_a_module_and_its_object_load_by_name(tmp_path, package):
    write(tmp_path / package / "layers.py", RELU + "class Layers:\n    conv = staticmethod(conv)\n")
    assert load(f"{package}.layers").conv(0, 0) == "from the file"
    assert load(f"{package}.layers:Layers").conv(0, 0) == "from the file"


def test_an_installed_package_offers_a_target(monkeypatch, tmp_path, package):
    write(tmp_path / package / "layers.py", RELU)
    entry = EntryPoint(name="theirs", value=f"{package}.layers", group=module.GROUP)
    broken = EntryPoint(name="broken", value=f"{package}.absent", group=module.GROUP)
    found = EntryPoints([entry, broken])
    monkeypatch.setattr(module, "entry_points", lambda **wanted: found.select(**wanted))
    sys.path.append(str(tmp_path))
    assert load("theirs").conv(0, 0) == "from the file"
    assert module.installed_targets() == ["broken", "theirs"]
    assert "absent" in refused("broken")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("absent.py", "no such file"),
        ("some/where/absent", "no such file"),
        ("absent_module", "neither a bundled target (fast, "),
        ("absent_module.deeper", "neither a bundled target"),
        ("json.absent", "neither a bundled target"),
        ("json:absent", "there is no absent"),
        ("json", "offers none of convolve, correlate, conv"),
        ("json:dumps", "it is a function itself: name the module"),
        ("scipy:absent", "there is no absent; there is auto, direct, fft, convolve2d, correlate2d"),
        (
            "onnx:package:Backend",
            "neither a bundled target" if find_spec("onnx") else "needs the package onnx",
        ),
        ("exec:./program", "the program cannot be started"),
        ("", "must be a name, package.module"),
        ("a:b:c", "must be a name, package.module"),
    ],
)
def test_what_cannot_be_found_is_said_in_one_line(target, said):
    assert said in refused(target)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def conv(\n", "SyntaxError in line 1"),
        ("x = 1\ny = x.absent\n", "line 2: AttributeError"),
        (
            "import absent_package\n",
            "line 1: ModuleNotFoundError: No module named 'absent_package'",
        ),
        ("raise SystemExit(0)\n", "line 1: SystemExit: 0"),
        ("raise ValueError('one\\ntwo')\n", "line 1: ValueError: one two"),
        ("x = 1\n", "offers none of"),
        ("conv = 1\n", "offers none of"),
        ("def conv(): ...\ndtypes = 'float32'\n", "dtypes='float32': must be a tuple"),
    ],
)
def test_a_broken_file_is_explained_in_one_line(tmp_path, text, said):
    write(tmp_path / "broken.py", text)
    before = set(sys.modules)
    assert said in refused("broken.py")
    left = {name for name in set(sys.modules) - before if "broken" in name}
    assert not left or "offers" in said or "dtypes" in said


def test_a_broken_module_is_explained_in_one_line(tmp_path, package):
    write(tmp_path / package / "layers.py", "import absent_package\n")
    assert "No module named 'absent_package'" in refused(f"{package}.layers")
    write(tmp_path / package / "other.py", "1 / 0\n")
    assert "cannot be imported: ZeroDivisionError: division by zero" in refused(f"{package}.other")


def test_a_class_that_needs_arguments_is_explained(tmp_path):
    text = "class Layers:\n    def __init__(self, size): ...\n    def conv(self): ...\n"
    write(tmp_path / "mine.py", text)
    assert "Layers() failed, and a class must be made without arguments" in refused(
        "mine.py:Layers"
    )


def test_a_missing_package_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "convspec.adapters.torch", raising=False)
    message = refused("torch")
    assert "needs the package torch, which is not installed: pip install" in message

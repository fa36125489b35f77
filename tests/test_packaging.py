"""The package as a whole: what is in it, what importing it costs, how it is tested."""

import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import entry_points, version
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python(program: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_continuous_integration_runs_the_test_line_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    lines = [line for line in readme if line.endswith(".venv/bin/tox")]
    assert len(lines) == 1, lines
    script = ROOT / ".ci" / "run"
    printed = subprocess.run(
        ["bash", script, "--print"], capture_output=True, text=True, timeout=60, check=True
    )
    assert printed.stdout.splitlines() == lines
    # What it prints is what it runs.
    assert 'bash -euo pipefail -c "$test_line"' in script.read_text(encoding="utf-8")


def test_every_package_is_listed():
    found = {"convspec": ROOT / "convspec", "convspec.properties": ROOT / "properties"}
    packages = set()
    for name, top in found.items():
        for file in top.rglob("*.py"):
            packages.add(".".join([name, *file.relative_to(top).parts[:-1]]))
            assert (file.parent / "__init__.py").exists(), f"{file.parent} needs an __init__.py"
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(packages) == listed, "correct [tool.setuptools] packages in pyproject.toml"


@pytest.mark.parametrize("package", PROJECT["tool"]["setuptools"]["packages"])
def test_every_listed_package_is_installed(package):
    assert import_module(package).__name__ == package


def test_types_are_published():
    assert files("convspec").joinpath("py.typed").is_file()


def test_the_installed_version_is_this_one():
    assert version("convspec") == PROJECT["project"]["version"]


@pytest.mark.parametrize(
    ("group", "value"),
    [("console_scripts", "convspec.cli:main"), ("pytest11", "convspec.plugin")],
)
def test_entry_points_load(group, value):
    (entry,) = entry_points(group=group, name="convspec")
    assert entry.value == value
    entry.load()


def test_importing_convspec_imports_only_what_numpy_does():
    program = "import {}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    added = set(python(program.format("convspec")).split()) - {"convspec"}
    assert not added & {"click", "hypothesis", "pytest", "rich", "safetensors", "scipy", "sympy"}


def test_help_is_shown_without_numpy_or_rich():
    program = (
        "import sys\n"
        "from convspec.cli import main\n"
        "sys.argv = ['convspec', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print('imported:', *sorted({'numpy', 'rich', 'scipy', 'sympy'} & set(sys.modules)))\n"
    )
    assert python(program).splitlines()[-1] == "imported:"

"""Recorded vectors: the same ones every time, small, strong, readable by others, and mistrusted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy
import pytest
from click.testing import CliRunner

from convspec.case import flat
from convspec.cli import main
from convspec.oracle.check import checkable_operations
from convspec.oracle.processes.wire import encode
from convspec.oracle.recorded.stored import StoredError
from convspec.oracle.recorded.vector_files import INDEX, read_vectors, vector_files
from convspec.oracle.recorded.vectors import NOTES, vectors
from tests.vector_kills import found, pairs, swept

ROOT = Path(__file__).parents[1]
READER = ROOT / "examples" / "vectors" / "read_vectors.py"
# Of the deviations in their operations, in order, the first of so many.
SAMPLED = 9


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The vectors of every operation."""
    directory = tmp_path_factory.mktemp("vectors") / "quick"
    result = CliRunner().invoke(main, ["vectors", str(directory)])
    assert result.exit_code == 0, result.output
    return directory


@pytest.fixture
def copied(recorded, tmp_path):
    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def test_every_operation_is_recorded_in_less_than_five_megabytes(recorded):
    index = json.loads((recorded / INDEX).read_text(encoding="utf-8"))
    assert list(index["operations"]) == list(checkable_operations())
    assert all(entry["cases"] for entry in index["operations"].values())
    assert sum(path.stat().st_size for path in recorded.iterdir()) < 5_000_000


def test_the_index_is_what_its_schema_says(recorded):
    schema = json.loads((recorded / "vectors.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    index = json.loads((recorded / INDEX).read_text(encoding="utf-8"))
    for entry in index["operations"].values():
        entry["cases"] = entry["cases"][::20]  # every case alike, and there are thousands
    jsonschema.validate(index, schema)
    index["operations"]["conv"]["cases"][0]["refused"] = "both"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(index, schema)
    shipped = files("convspec.oracle.recorded").joinpath("vectors.schema.json").read_bytes()
    assert (recorded / "vectors.schema.json").read_bytes() == shipped


def test_they_are_the_same_byte_for_byte(recorded, tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from convspec.cli import main; main()"
    )
    names = ["conv_vjp", "average_pool", "max_pool"]
    subprocess.run(
        [sys.executable, "-c", program, str(ROOT), "vectors", "again"]
        + [word for name in names for word in ("--operation", name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=True,
        capture_output=True,
    )
    for name in names:
        file = f"{name}.safetensors"
        assert (tmp_path / "again" / file).read_bytes() == (recorded / file).read_bytes()
    again = json.loads((tmp_path / "again" / INDEX).read_text(encoding="utf-8"))
    index = json.loads((recorded / INDEX).read_text(encoding="utf-8"))
    assert again["operations"] == {name: index["operations"][name] for name in names}
    first, second = (dict(vector_files(["max_pool"], "quick", 0)) for _ in range(2))
    assert first == second
    assert first != dict(vector_files(["max_pool"], "quick", 1))


def test_what_is_read_is_what_was_recorded(recorded):
    for operation, cases in read_vectors(recorded):
        made = list(vectors(operation, "quick", 0))
        assert len(cases) == len(made)
        for stored, vector in zip(cases, made, strict=True):
            assert stored.vector.case.attributes == vector.case.attributes
            assert (stored.vector.refused, stored.vector.flags) == (vector.refused, vector.flags)
            read = flat(stored.vector.case.operands)
            assert read.keys() == vector.case.operands.keys()
            for name, array in vector.case.operands.items():
                numpy.testing.assert_array_equal(read[name], array)
                assert read[name].dtype == array.dtype
            for ours, theirs in zip(stored.vector.expected, vector.expected, strict=True):
                numpy.testing.assert_array_equal(ours, theirs)
            assert (stored.vector.bounds is None) == (vector.bounds is None)


def test_every_flag_has_a_note_and_every_note_a_case():
    seen = {
        flag
        for operation in ("conv", "conv_transpose", "average_pool")
        for vector in vectors(operation, "quick", 0)
        for flag in vector.flags
    }
    assert seen == set(NOTES)


@pytest.mark.parametrize(("name", "operation"), list(pairs())[::SAMPLED])
def test_they_find_what_the_exact_sweep_finds(name, operation):
    """A sample; `python -m tests.vector_kills` goes through all."""
    assert found(name, operation) or not swept(name, operation)


def test_the_sample_holds_what_the_sweep_finds():
    sampled = list(pairs())[::SAMPLED]
    assert sum(swept(name, operation) for name, operation in sampled[::4]) > 4


FLIPPED = """
from convspec.fast import *
from convspec import fast

def conv(input, weight, bias=None, **attributes):
    return fast.conv(input, weight[..., ::-1], bias, **attributes)
"""


def read(directory, module):
    return subprocess.run(
        [sys.executable, READER, directory, module],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{directory.parent}"},
    )


def test_a_reader_of_forty_lines_reads_them(recorded):
    assert len(READER.read_text(encoding="utf-8").splitlines()) <= 40
    right = read(recorded, "convspec.fast")
    assert right.returncode == 0, right.stdout + right.stderr
    (recorded.parent / "flipped.py").write_text(FLIPPED, encoding="utf-8")
    wrong = read(recorded, "flipped")
    assert wrong.returncode == 1
    assert int(wrong.stdout.split()[0]) < int(right.stdout.split()[0])


def replay(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def test_replaying_them_judges_a_target(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    assert replay(recorded, "fast").exit_code == 0
    Path("wrong.py").write_text(FLIPPED, encoding="utf-8")
    result = replay(recorded, "wrong.py")
    assert result.exit_code == 1
    assert "more\n" in result.output
    assert "conv-" in result.output
    Path("other.py").write_text("def another(input): ...\n", encoding="utf-8")
    result = replay(recorded, "other.py")
    assert (result.exit_code, result.stdout) == (2, "")
    ending = "import os\nisolate = True\ndef max_pool(input, **a):\n    os._exit(9)\n"
    Path("ending.py").write_text(ending, encoding="utf-8")
    result = replay(recorded, "ending.py")
    assert result.exit_code == 3
    assert "max_pool: the process ended in the call" in result.output


def test_a_directory_in_use_is_left_alone(recorded, tmp_path):
    before = sorted(recorded.iterdir())
    result = CliRunner().invoke(main, ["vectors", str(recorded)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(
        "is not empty: what is recorded is written to a directory of its own\n"
    )
    assert sorted(recorded.iterdir()) == before
    result = CliRunner().invoke(main, ["vectors", str(tmp_path / "no" / "where")])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--operation cnov", "'cnov': must be one of"),
        ("--level thorough", "'thorough' is not one of"),
        ("--seed -1", "-1 is not in the range"),
        ("--format pickle", "'pickle' is not one of"),
        ("--format onnx --operation convolve", "--format onnx has conv, conv_transpose"),
    ],
)
def test_wrong_usage_is_refused(tmp_path, arguments, said):
    pytest.importorskip("onnx")
    result = CliRunner().invoke(main, ["vectors", str(tmp_path / "v"), *arguments.split()])
    assert result.exit_code == 2
    assert said in result.stderr


def edited(change):
    """A directory whose index says something else."""

    def edit(directory):
        path = directory / INDEX
        index = json.loads(path.read_text(encoding="utf-8"))
        change(index["operations"]["conv"], index)
        path.write_text(json.dumps(index), encoding="utf-8")

    return edit


def replaced(arrays):
    """A directory whose arrays are others, and whose index knows."""

    def edit(directory):
        content = encode(arrays, {}) if isinstance(arrays, dict) else arrays
        (directory / "conv.safetensors").write_bytes(content)
        edited(lambda conv, _: conv.update(sha256=sha256(content).hexdigest()))(directory)

    return edit


def linked(name):
    def edit(directory):
        real = directory.parent / f"real-{name}"
        (directory / name).rename(real)
        (directory / name).symlink_to(real)

    return edit


GIANT = b'{"0":{"dtype":"F32","shape":[4611686018427387904,16],"data_offsets":[0,4]}}'
ENTRY = b'"0":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}'
TWICE = b"{" + ENTRY + b"," + ENTRY + b"}"


def safetensors(header, data):
    return len(header).to_bytes(8, "little") + header + data


HOSTILE = {
    "no index": (lambda d: (d / INDEX).unlink(), "no such file"),
    "an index that is none": (lambda d: (d / INDEX).write_bytes(b"[]"), "no JSON object"),
    "an index that says a key twice": (
        lambda d: (d / INDEX).write_bytes(b'{"format": 1, "format": 1}'),
        "'format' is there twice",
    ),
    "another format": (edited(lambda _, index: index.update(format=2)), "of format 1"),
    "a path out of the directory": (
        edited(lambda conv, _: conv.update(file="../conv.safetensors")),
        "must be conv.safetensors",
    ),
    "an absolute path": (
        edited(lambda conv, _: conv.update(file="/etc/passwd")),
        "must be conv.safetensors",
    ),
    "an operation that is a path": (
        edited(lambda _, index: index["operations"].update({"../x": {}})),
        "'../x' is no operation",
    ),
    "a link to a file": (linked("conv.safetensors"), "conv.safetensors is a link"),
    "a link to an index": (linked(INDEX), "index.json is a link"),
    "a file that is missing": (lambda d: (d / "conv.safetensors").unlink(), "no such file"),
    "a file that is a directory": (
        lambda d: ((d / "conv.safetensors").unlink(), (d / "conv.safetensors").mkdir()),
        "no such file",
    ),
    "other arrays than those of the index": (
        lambda d: (d / "conv.safetensors").write_bytes(encode({}, {})),
        "is not the file that the index was written for",
    ),
    "a wrong length": (replaced(b"\xff" * 7), "7 bytes are no safetensors file"),
    "a header that claims more than there is": (
        replaced((2**60).to_bytes(8, "little")),
        "a header of 1152921504606846976 bytes",
    ),
    "a giant shape": (replaced(safetensors(GIANT, bytes(4))), "no array is so large"),
    "an array that is there twice": (replaced(safetensors(TWICE, b"1")), "'0' is there twice"),
    "arrays that are not there": (replaced({"0": numpy.zeros(1, "int8")}), "no such array"),
    "an array that is a name": (
        edited(lambda conv, _: conv["cases"][0]["operands"].update(input="0")),
        "'0': no such array",
    ),
    "a negative number": (
        edited(lambda conv, _: conv["cases"][0].update(expected=[-1])),
        "-1: no such array",
    ),
    "endless padding": (
        edited(lambda conv, _: conv["cases"][0]["attributes"].update(padding=[[0, 2**40]])),
        "the most is",
    ),
    "an attribute that is none": (
        edited(lambda conv, _: conv["cases"][0]["attributes"].update(__class__=1)),
        "attributes: must be an object with some of",
    ),
    "a key that is none": (
        edited(lambda conv, _: conv["cases"][0].update(run="rm")),
        "'run': no such key",
    ),
    "flags that are none": (edited(lambda conv, _: conv["cases"][0].update(flags=1)), "flags:"),
    "bounds of another shape": (
        edited(lambda conv, _: conv["cases"][0].update(bounds=conv["cases"][0]["expected"] * 2)),
        "bounds: must have the shapes",
    ),
    "nothing expected": (
        edited(lambda conv, _: conv["cases"][0].pop("expected")),
        "expected: must be a list",
    ),
    "a dtype that runs code": (
        edited(lambda conv, _: conv["operands"].update(input="O")),
        "operands: must say float32 or int64",
    ),
    "results of another kind": (edited(lambda conv, _: conv.update(results=[])), "results:"),
    "cases of another kind": (edited(lambda conv, _: conv.update(cases=3)), "must be an object of"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_directory_is_refused_in_one_line(copied, name):
    change, said = HOSTILE[name]
    change(copied)
    with pytest.raises(StoredError, match=r"^.*index\.json: ") as error:
        list(read_vectors(copied))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_refusal_ends_the_command_with_2(copied):
    (copied / INDEX).write_bytes(b"")
    result = replay(copied, "fast")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("convspec: ")
    assert result.stderr.count("\n") == 1

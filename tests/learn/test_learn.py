"""`convspec learn`: what a learner sees, from an empty file to the last step."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from convspec.cli import main
from convspec.learn import apart
from convspec.learn.step import ladder
from tests.learn.trying import FILES, read, tried


def learn(*arguments):
    return CliRunner().invoke(main, ["learn", *map(str, arguments)])


def test_the_steps_are_listed():
    result = learn()
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.output.splitlines()]
    assert listed == list(ladder())


def test_a_new_file_asks_for_the_first_step_and_is_never_overwritten(tmp_path):
    file = tmp_path / "mine.py"
    assert learn(file, "--new").exit_code == 0
    written = file.read_text(encoding="utf-8")
    again = learn(file, "--new")
    assert again.exit_code == 2
    assert "stays as it is" in again.output
    assert file.read_text(encoding="utf-8") == written
    result = learn(file)
    assert result.exit_code == 1
    assert "next   valid" in result.output
    assert "Write: def conv(input, weight):" in result.output


def test_a_new_file_is_a_python_file_in_a_folder_that_is_there(tmp_path):
    for file, said in [("notes.txt", "must end in .py"), ("no/mine.py", "cannot be written")]:
        result = learn(tmp_path / file, "--new")
        assert result.exit_code == 2
        assert said in result.output
    result = learn(tmp_path / "mine.py")
    assert result.exit_code == 2
    assert "--new` writes one" in result.output
    assert learn("--new").exit_code == 2


def test_a_file_that_cannot_even_be_read_to_its_end_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "READ_SECONDS", 1.0)
    file = tmp_path / "mine.py"
    for text, said in [
        ("while True:\n    pass\n", "it does not end while the file is read"),
        ("import os\nos._exit(0)\n", "it ends the process while the file is read"),
    ]:
        file.write_text(text, encoding="utf-8")
        result = learn(file)
        assert said in result.output
        assert result.exit_code == 1


def test_what_is_solved_is_right_and_what_comes_next_is_asked_for():
    told, status = read(FILES / "solved_so_far.py")
    assert re.findall(r"(right|next)   ?(\w+)", told)[:4] == [
        ("right", "valid"),
        ("right", "stride"),
        ("right", "padding"),
        ("next", "same"),
    ]
    assert "Write: def same_padding(size, kernel, stride):" in told
    assert status == 1


def test_a_complete_solution_passes_every_step():
    told, status = read(FILES / "complete.py")
    assert [line.split()[1] for line in told.splitlines()[:-2]] == list(ladder())
    assert told.endswith("That was the last step: everything is right.")
    assert status == 0


def test_a_mistake_is_named_and_drawn():
    result = learn(FILES / "flipped.py")
    assert result.exit_code == 1
    assert "wrong  valid" in result.output
    assert "The flip." in result.output
    assert "yours - expected" in result.output
    assert "Write: def conv(input, weight):" in result.output


def test_hints_come_one_at_a_time(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("", encoding="utf-8")
    told = [read(file, count)[0] for count in range(4)]
    assert [text.count("Hint ") for text in told] == [0, 1, 2, 3]
    assert ["--hint" in text for text in told] == [True, True, True, False]
    assert "Hint 2 of 3: " in learn(file, "--hint", "--hint").output


def test_it_starts_anywhere():
    result = learn(FILES / "flipped.py", "--from", "stride")
    assert "  wrong  stride" in result.output
    assert "valid" not in result.output
    unknown = learn(FILES / "flipped.py", "--from", "strid")
    assert unknown.exit_code == 2
    assert "did you mean stride" in unknown.output


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("", "next   valid: there is no function conv yet", 1),
        ("def conv(input, weight)\n    return 1\n", "SyntaxError in line 1", 2),
        ("def conv(input, weight):\n    return 1 / 0\n", "ZeroDivisionError", 1),
        ("def conv(input, weight):\n    exit()\n", "SystemExit", 1),
        ("def conv(input, weight):\n    return None\n", "None", 1),
        ("def conv(input, weight):\n    return input\n", "wrong values", 1),
        ("def conv(input, weight):\n    print('so far')\n    return input\n", "so far", 1),
        ("def conv(input, weight):\n    input += 1\n    return input\n", "is changed", 1),
    ],
)
def test_whatever_is_in_the_file_is_told_in_words(tmp_path, text, said, code):
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    told, status = read(file)
    assert said in told
    assert status == code
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def conv(input, weight):\n    while True:\n        pass\n", "it does not end"),
        ("import os\ndef conv(input, weight):\n    os._exit(3)\n", "it ends the process"),
    ],
)
def test_a_call_that_does_not_come_back_is_shown(tmp_path, text, said):
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    result = learn(file)
    assert f"  wrong  valid: {said}" in result.output
    assert "conv([[[" in result.output
    assert result.exit_code == 1


def test_a_file_is_tried_again_whenever_it_is_saved(tmp_path):
    """The process ends by itself once everything is right."""
    file = tmp_path / "mine.py"
    file.write_text("def receptive_field(layers, index):\n    return 0, 0\n", encoding="utf-8")
    program = "from convspec.cli import main; main()"
    words = ["learn", str(file), "--watch", "--from", "receptive-field"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True
    ) as watching:
        seen = []
        while not (seen and "For a hint" in seen[-1]):
            seen.append(watching.stdout.readline())
        assert any("wrong  receptive-field" in line for line in seen)
        file.write_text((FILES / "complete.py").read_text(encoding="utf-8"), encoding="utf-8")
        rest, _ = watching.communicate(timeout=120)
    assert "right  receptive-field" in rest
    assert watching.returncode == 0


def test_an_exception_is_shown_with_its_line(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def conv(input, weight):\n    y = 1\n    return y / 0\n", encoding="utf-8")
    told, _ = read(file)
    assert "That is in line 3 of your file." in told


def test_nothing_is_written_beside_the_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def conv(input, weight):\n    return 1\n", encoding="utf-8")
    program = "from convspec.cli import main; main()"
    words = [sys.executable, "-c", program, "learn", str(file)]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    assert subprocess.run(words, env=kept, capture_output=True, check=False).returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize("line", ["return input", "return 1 / 0", "return input[..., :1]"])
def test_what_is_no_known_mistake_is_not_called_one(tmp_path, line):
    file = tmp_path / "mine.py"
    file.write_text(f"def conv(input, weight):\n    {line}\n", encoding="utf-8")
    found = tried(file)
    assert found["outcome"] == "Wrong"
    assert found["mistake"] is None
    assert found["misconception"] is None

"""`convspec summary`: the table, the list, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

import pytest
from click.testing import CliRunner

from convspec.cli import main
from convspec.network.architectures import ARCHITECTURES


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, ["summary", *arguments])


def test_without_a_name_it_lists_the_networks(run):
    result = run()
    assert result.exit_code == 0
    assert result.output.split() == [*ARCHITECTURES]


def test_a_table_has_a_row_for_every_layer_and_the_totals(run):
    lines = [line.split() for line in run("cifar10").output.splitlines()]
    assert lines[0] == ["cifar10"]
    assert lines[2] == ["input", "input", "3x32x32", "1x1"]
    conv = "conv conv 3x3, padding 1 12x32x32 324 12 331,776 3x3"
    assert lines[3] == conv.split()
    assert lines[5] == ["pool", "max_pool", "2", "12x16x16", "4x4"]
    assert lines[7] == ["dense", "linear", "10", "30,720", "10", "30,720"]
    totals = "31,066 parameters, 31,044 without biases; 362,496 multiply-adds"
    assert " ".join(lines[8]) == totals


def test_every_network_has_a_table_with_no_line_folded(run):
    from convspec.network import plan

    for name, make in ARCHITECTURES.items():
        result = run(name)
        assert result.exit_code == 0, result.output
        assert len(result.output.splitlines()) == len(plan(make())) + 3, name


def test_another_size(run):
    assert " 12x8x8 " in run("cifar10", "--size", "8").output.splitlines()[3]


def test_a_size_that_does_not_fit_is_refused_in_one_line_that_names_the_layer(run):
    result = run("vgg16", "--size", "20")
    assert result.exit_code == 2
    assert result.output.startswith("Error: layer pool5: kernel 2")
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ResNet-50", "Error: no network is called 'ResNet-50': did you mean resnet50 or"),
        ("zzz", "Error: no network is called 'zzz': `convspec summary` lists them\n"),
    ],
)
def test_a_name_that_is_none_is_refused_in_one_line(run, name, message):
    result = run(name)
    assert result.exit_code == 2
    assert result.output.startswith(message)
    assert len(result.output.splitlines()) == 1


def test_a_table_takes_less_than_a_second():
    """The processor's time of the program, its start included: other programs do not count."""
    program = (
        "import sys, time\n"
        "from convspec.cli import main\n"
        "sys.argv = ['convspec', 'summary', 'resnet50']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print('seconds:', time.process_time())\n"
    )
    begun = perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert float(run.stdout.rpartition("seconds:")[2]) < 1, perf_counter() - begun
    assert "25,557,032 parameters" in run.stdout

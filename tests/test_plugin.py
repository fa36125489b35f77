"""The pytest plugin: who gets an implementation, from where, and what is skipped."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Under the entry point pytest loads the plugin by itself, and refuses to load it twice.
INSTALLED = bool(entry_points(group="pytest11", name="convspec"))
LOADED = () if INSTALLED else ("-p", "convspec.plugin")


def laws(theme):
    """What names a file of laws to pytest."""
    if find_spec("convspec.properties"):
        return ("--pyargs", f"convspec.properties.laws.{theme}")
    return (str(ROOT / "properties" / "laws" / f"{theme}.py"),)


LAWS = laws("test_matrix")
USES = """
def test_conv(implementation):
    assert implementation.conv([[[1.0, 2.0]]], [[[1.0, 1.0]]]).tolist() == [[[3.0]]]

def test_pool(implementation):
    assert implementation.max_pool([[[1.0, 2.0]]], kernel_size=2).tolist() == [[[2.0]]]
"""
MINE = """
import numpy

def conv(input, weight):
    size = input.shape[2] - weight.shape[2] + 1
    windows = numpy.stack([input[:, :, i : i + weight.shape[2]] for i in range(size)], axis=2)
    return numpy.einsum("ncij,ocj->noi", windows, weight)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest in a directory of its own, with convspec importable."""
    if not INSTALLED:
        monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def runs(*arguments):
        return pytester.runpytest_subprocess(*LOADED, "-p", "no:cacheprovider", "-rs", *arguments)

    return runs


def test_the_definitions_and_fast_are_the_default(pytester, run):
    pytester.makepyfile(USES)
    listed = run("--collect-only", "-q")
    listed.stdout.fnmatch_lines_random(
        ["*::test_conv?spec?", "*::test_conv?fast?", "*::test_pool?spec?", "*::test_pool?fast?"]
    )


def test_targets_are_named_on_the_command_line(pytester, run):
    pytester.makepyfile(mine=MINE, test_uses=USES)
    result = run("--implementation", "mine", "--implementation", "spec", "-v")
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(["*::test_conv?mine? PASSED*", "*::test_pool?spec? PASSED*"])
    result.stdout.fnmatch_lines(["SKIPPED*mine offers no max_pool"])


def test_what_a_signature_lacks_is_left_out_or_skipped(pytester, run):
    pytester.makepyfile(
        mine=MINE,
        test_uses="""
def test_default(implementation):
    assert implementation.conv([[[1.0]]], [[[2.0]]], stride=1, padding=0).tolist() == [[[2.0]]]

def test_needed(implementation):
    implementation.conv([[[1.0, 2.0]]], [[[2.0]]], stride=2)
""",
    )
    result = run("--implementation", "mine")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*mine, conv with *'stride': (2,)*stride is not taken"])


def test_not_implemented_is_skipped_and_any_other_error_is_not(pytester, run):
    pytester.makepyfile(
        mine="""
def conv(input, weight):
    raise NotImplementedError("only on Sundays")

def max_pool(input, **attributes):
    raise OverflowError("oh")
""",
        test_uses=USES,
    )
    result = run("--implementation", "mine")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*OverflowError: oh*", "SKIPPED*only on Sundays"])


def test_small_integers_go_to_float32_where_float64_is_not_offered(pytester, run):
    pytester.makepyfile(
        mine="""
dtypes = ("float16", "float32")

def conv(input, weight, *, bias=None):
    assert input.dtype == weight.dtype == bias.dtype == "float32"
    return (input * weight + bias).tolist()
""",
        half="""
dtypes = ("float16",)

def conv(input, weight):
    raise AssertionError
""",
        test_uses="""
def test_conv(implementation):
    assert implementation.conv([[[3.0]]], [[[2.0]]], [1.0]).tolist() == [[[7.0]]]
""",
    )
    run("--implementation", "mine").assert_outcomes(passed=1)
    result = run("--implementation", "half")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*half offers neither float32 nor float64*"])


def test_an_operand_that_is_a_list_stays_one(pytester, run):
    pytester.makepyfile(
        """
def test_factors(implementation):
    image, factors = [[[[1.0, 2.0], [3.0, 4.0]]]], [[1.0, 1.0], [1.0]]
    y = implementation.spatially_separable_conv(image, factors)
    assert y.tolist() == [[[[4.0, 6.0]]]]
"""
    )
    run("--implementation", "spec").assert_outcomes(passed=1)


def test_gradients_come_back_as_a_tuple(pytester, run):
    pytester.makepyfile(
        mine="""
def max_pool_vjp(cotangent, input, *, kernel_size):
    return cotangent.tolist()
""",
        test_uses="""
def test_vjp(implementation):
    (d_input,) = implementation.max_pool_vjp([[[1.0]]], [[[5.0]]], kernel_size=1)
    assert d_input.shape == (1, 1, 1)
""",
    )
    result = run("--implementation", "mine")
    result.assert_outcomes(failed=1)  # a list is taken for the tuple, here of wrong arrays
    result.stdout.fnmatch_lines(["*assert (1, 1) == (1, 1, 1)*"])


def test_a_target_that_cannot_be_loaded_is_one_line(pytester, run):
    pytester.makepyfile(USES)
    result = run("--implementation", "no_such_module")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["--implementation no_such_module: neither a bundled target *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_name_that_is_no_operation_is_no_attribute(pytester, run):
    pytester.makepyfile(
        """
def test_none(implementation):
    assert not hasattr(implementation, "frobnicate")
    assert repr(implementation) == "Implementation('spec')"
"""
    )
    run("--implementation", "spec").assert_outcomes(passed=1)


def test_a_project_keeps_its_own_fixture_and_parameter_of_that_name(pytester, run):
    pytester.makepyfile(
        test_fixture="""
import pytest

@pytest.fixture
def implementation():
    return "theirs"

def test_theirs(implementation):
    assert implementation == "theirs"
""",
        test_parameter="""
import pytest

@pytest.mark.parametrize("implementation", ["theirs"])
def test_theirs(implementation):
    assert implementation == "theirs"
""",
    )
    run("--implementation", "spec").assert_outcomes(passed=2)


@pytest.mark.parametrize("processes", [(), ("--numprocesses=2",)])
def test_the_laws_run_on_a_module_from_any_directory(pytester, run, processes):
    if processes:
        pytest.importorskip("xdist")
    pytester.makepyfile(mine=MINE)
    result = run(*LAWS, "--implementation", "mine", *processes, "-k", "transposed_matrix or few")
    result.assert_outcomes(failed=1, skipped=1)  # conv of mine has one axis only


OWN = """
import numpy

def conv(input, weight, bias=None):
    if input.ndim != 3 or input.shape[1] != weight.shape[1]:
        raise NotImplementedError("one spatial axis, one group")
    size = input.shape[2] - weight.shape[2] + 1
    windows = numpy.stack([input[:, :, a : a + weight.shape[2]] for a in range(size)], axis=2)
    y = numpy.einsum("ncij,ocj->noi", windows, weight)
    return y if bias is None else y + bias[:, None]
"""


@pytest.mark.parametrize(
    ("module", "outcomes"),
    [("right", {"passed": 2}), ("wrong", {"failed": 2})],
)
def test_a_repository_puts_the_laws_to_its_own_package_in_several_processes(
    pytester, run, module, outcomes
):
    pytest.importorskip("xdist")
    package = pytester.mkpydir("mine")
    (package / "right.py").write_text(OWN, encoding="utf-8")
    flipped = OWN.replace("windows, weight)", "windows, weight[:, :, ::-1])")
    (package / "wrong.py").write_text(flipped, encoding="utf-8")
    chosen = ("-k", "adds_a_row_for_every_word or word_order_is_what")
    result = run(
        *laws("test_text_and_volume"),
        *("--implementation", f"mine.{module}", "--numprocesses=2", *chosen),
    )
    result.assert_outcomes(**outcomes)


def test_the_laws_catch_a_wrong_module(pytester, run):
    pytester.makepyfile(
        mine="""
from convspec import conv_transpose, convolve

def conv(input, weight, bias=None, **attributes):
    from convspec import conv
    return conv(input, weight[..., ::-1], bias, **attributes)
"""
    )
    result = run(*LAWS, "--implementation", "mine", "-k", "sparse_matrix or makes_a_toeplitz")
    result.assert_outcomes(failed=1, passed=1)


def test_the_plugin_imports_almost_nothing():
    program = (
        "import sys, pytest; before = set(sys.modules); import convspec.plugin; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert set(found.stdout.split()) == {"convspec"}

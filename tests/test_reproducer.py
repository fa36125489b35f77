"""Reproducers: programs that run, fail while the target differs, and pass once it does not."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest

import convspec
from convspec.case import Case
from convspec.oracle.call import callee
from convspec.oracle.explanation.reproducer import literal, reproducer

ROOT = Path(__file__).parents[1]
ATTRIBUTES = {"stride": (1,), "padding": ((0, 1),), "dilation": (1,), "groups": 1}
RIGHT = """
import numpy


def conv(input, weight, *, padding):
    ((low, high),) = padding
    padded = numpy.pad(input, [(0, 0), (0, 0), (low, high)])
    windows = numpy.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2,))
    return numpy.einsum("ncij,ocj->noi", windows, weight)


class Layers:
    conv = staticmethod(conv)
"""
WRONG = RIGHT.replace("windows, weight)", "windows, weight[..., ::-1])")


def case(**attributes):
    operands = {
        "input": numpy.array([[[1.0, 2.0, 3.0]]], dtype="float32"),
        "weight": numpy.array([[[1.0, 10.0]]], dtype="float32"),
    }
    return Case("conv", operands, attributes or {"padding": ((0, 1),)})


def expected():
    found = case()
    return convspec.conv(*found.operands.values(), **found.attributes)


def run(program, directory):
    """Run a program in a directory where it finds the target."""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("target", ["mine.py", "mine.py:Layers", "mine", "mine:Layers"])
def test_it_passes_for_the_right_implementation_and_fails_for_the_wrong(tmp_path, target):
    program = reproducer(case(), target, expected())
    assert "convspec" not in program
    for text, fails in ((RIGHT, False), (WRONG, True)):
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
        ran = run(program, tmp_path)
        assert ("AssertionError" in ran.stderr) is fails, ran.stderr
        assert (ran.returncode != 0) is fails
        assert "expected:\n[[[21. 32.  3.]]]\nactual:\n" in ran.stdout


def test_a_bundled_target_is_loaded_by_convspec(tmp_path):
    program = reproducer(case(**ATTRIBUTES), "spec", expected())
    assert 'implementation = load("spec")' in program.replace("'", '"')
    ran = run(program, tmp_path)
    assert ran.returncode == 0, ran.stderr
    program = reproducer(case(**ATTRIBUTES), "spec", expected() + 1)
    assert "AssertionError" in run(program, tmp_path).stderr


def test_several_outputs_are_compared_one_by_one(tmp_path):
    input = numpy.array([[[1.0, 5.0, 5.0]]])
    pool = Case("max_pool_with_indices", {"input": input}, {"kernel_size": (3,)})
    values, indices = convspec.max_pool_with_indices(input, kernel_size=3)
    assert run(reproducer(pool, "spec", (values, indices)), tmp_path).returncode == 0
    assert "AssertionError" in run(reproducer(pool, "spec", (values, indices + 1)), tmp_path).stderr
    assert "ValueError" in run(reproducer(pool, "spec", (values,)), tmp_path).stderr


def test_shape_and_dtype_are_compared(tmp_path):
    wider = RIGHT.replace("windows, weight)", "windows, weight).astype('float64')")
    (tmp_path / "mine.py").write_text(wider, encoding="utf-8")
    said = run(reproducer(case(), "mine.py", expected()), tmp_path).stderr
    assert "dtype float64, expected float32" in said
    said = run(reproducer(case(), "mine.py", expected()[..., :1]), tmp_path).stderr
    assert "shape (1, 1, 3), expected (1, 1, 1)" in said


def test_expected_values_may_be_held_in_a_wider_dtype(tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    ran = run(reproducer(case(), "mine.py", expected().astype("float64")), tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_a_bound_allows_for_rounding(tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    off = expected() + numpy.float32(0.25)
    for bound, fails in ((numpy.full(off.shape, 0.25), False), (numpy.full(off.shape, 0.2), True)):
        ran = run(reproducer(case(), "mine.py", off, bound=bound), tmp_path)
        assert ("beyond the bound" in ran.stderr) is fails, ran.stderr
        assert (ran.returncode != 0) is fails
    lost = numpy.where(off > 30, numpy.nan, off)
    ran = run(reproducer(case(), "mine.py", lost, bound=numpy.full(off.shape, 9.0)), tmp_path)
    assert "NaN elsewhere" in ran.stderr


@pytest.mark.parametrize(
    ("signature", "passed"),
    [
        ("(input, weight)", "input, weight)"),
        ("(input, weight, *, padding)", "input, weight, padding=((0, 1),))"),
        ("(input, weight, bias=None)", "input, weight, bias)"),
        ("(input, weight, *, bias=None)", "input, weight, bias=bias)"),
        ("(x, w, b)", "input, weight, bias)"),
        ("(input, weight, groups=1)", "input, weight, groups=1)"),
    ],
)
def test_arguments_are_passed_as_the_signature_takes_them(signature, passed):
    scope = {}
    exec(f"def conv{signature}: ...", scope)  # noqa: S102
    found = case(**ATTRIBUTES)
    if "padding" not in signature:
        found.attributes["padding"] = ((0, 0),)
    if "b" in passed.replace("=", " ").split()[-1]:
        found.operands["bias"] = numpy.ones(1, dtype="float32")
    taken = callee(SimpleNamespace(**scope), "conv")
    program = reproducer(found, "mine.py", expected(), callee=taken)
    assert f"actual = implementation.conv({passed}\n" in program


def test_a_long_call_is_written_one_argument_a_line(tmp_path):
    program = reproducer(case(**ATTRIBUTES), "spec", expected())
    assert "actual = implementation.conv(\n    input,\n    weight,\n    stride=(1,),\n" in program
    assert max(map(len, program.splitlines())) <= 80
    assert run(program, tmp_path).returncode == 0
    program = reproducer(case(**ATTRIBUTES), "spec", "a ValueError")
    assert "a bad argument was accepted" in run(program, tmp_path).stderr


def test_a_bound_of_nothing_is_left_out():
    bound = (numpy.zeros((1, 1, 3)),)
    assert "bounds" not in reproducer(case(), "mine.py", expected(), bound=bound)


def test_what_the_target_raises_is_shown(tmp_path):
    program = reproducer(case(stride=(1,)), "mine.py", expected())
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    assert "TypeError" in run(program, tmp_path).stderr


def test_a_call_that_must_be_refused(tmp_path):
    bad = case(**{**ATTRIBUTES, "groups": 2})
    ran = run(reproducer(bad, "spec", "ValueError: groups=2"), tmp_path)
    assert (ran.returncode, ran.stdout[:20]) == (0, "refused: ValueError(")
    ran = run(reproducer(case(**ATTRIBUTES), "spec", "ValueError"), tmp_path)
    assert "a bad argument was accepted" in ran.stderr


SPECIAL = numpy.array([numpy.nan, numpy.inf, -numpy.inf, -0.0, 5e-324, 0.1])


@pytest.mark.parametrize(
    "array",
    [
        numpy.arange(6).reshape(1, 2, 3),
        numpy.arange(6, dtype="int8"),
        numpy.array([2**63], dtype="uint64"),
        numpy.array(1.5),
        numpy.zeros((0, 2, 3), dtype="float32"),
        SPECIAL,
        SPECIAL.astype("float32"),
        SPECIAL.astype("float16"),
        SPECIAL.astype(">f8"),
        numpy.random.default_rng(0).standard_normal((3, 1, 40)).astype("float32"),
        numpy.random.default_rng(0).standard_normal(200),
        numpy.array([Fraction(1, 3), 2**70], dtype=object),
    ],
)
def test_literals_are_exact(array):
    from convspec.oracle.explanation.reproducer import _imports

    scope = {}
    text = literal(array)
    exec("\n".join([*_imports(text), f"result = {text}"]), scope)  # noqa: S102
    result = scope["result"]
    assert result.dtype == array.dtype
    assert result.shape == array.shape
    numpy.testing.assert_array_equal(result, array)
    if array.dtype.kind == "f":
        numpy.testing.assert_array_equal(numpy.signbit(result), numpy.signbit(array))


def test_bfloat16_literals_are_exact():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    from convspec.oracle.explanation.reproducer import _imports

    array = numpy.array([1.5, -0.0078125, 3e38], dtype=ml_dtypes.bfloat16)
    text = literal(array)
    assert "import ml_dtypes" in _imports(text)
    result = eval(text, {"numpy": numpy})  # noqa: S307
    assert result.dtype == array.dtype
    numpy.testing.assert_array_equal(result, array)


LAYOUTS = {
    "C": lambda x: x,
    "Fortran": numpy.asfortranarray,
    "strided": lambda x: numpy.repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: numpy.flip(numpy.flip(x).copy()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_literals_keep_the_memory_layout(layout):
    array = LAYOUTS[layout](numpy.arange(6.0).reshape(2, 3))
    result = eval(literal(array), {"numpy": numpy})  # noqa: S307
    numpy.testing.assert_array_equal(result, array)
    assert result.strides == array.strides

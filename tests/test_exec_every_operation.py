"""Every operation through the wire: a Python program behind a pipe serves them all."""

import shlex
import sys
from pathlib import Path

import numpy
import pytest

from convspec import fast
from convspec.case import flat
from convspec.operations import OPERATIONS
from convspec.oracle import check
from convspec.oracle.check import checkable_operations
from convspec.oracle.processes.program import Program
from convspec.oracle.target import load, operations_offered
from tests.valid_calls import NAMES, valid_call

PROGRAM = [sys.executable, str(Path(__file__).with_name("exec_program.py")), "all"]


@pytest.fixture(scope="module")
def program():
    return Program(PROGRAM)


def as_dtype(value, dtype):
    """Floating arrays in another dtype, indices and labels as they are."""
    if isinstance(value, list):
        return [as_dtype(one, dtype) for one in value]
    return value.astype(dtype) if value.dtype.kind == "f" else value


def several(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def test_the_program_offers_every_operation(program):
    assert sorted(operations_offered(program)) == sorted(NAMES)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_a_call_is_answered_as_if_there_were_no_wire(program, name, dtype):
    """Lists of operands and single numbers, labels and indices, strings, flags and half types."""
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    call = valid_call(name)
    operands = [as_dtype(numpy.asarray(v) if not isinstance(v, list) else v, dtype)
                for v in call.operands.values()]  # fmt: skip
    due = several(getattr(fast, name)(*operands, **call.attributes))
    seen = several(getattr(program, name)(*operands, **call.attributes))
    assert len(seen) == len(due)
    for one, other in zip(seen, map(numpy.asarray, due), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        numpy.testing.assert_array_equal(one.astype(float), other.astype(float))


@pytest.mark.parametrize("name", [n for n in NAMES if OPERATIONS[n.removesuffix("_vjp")].optional])
def test_an_operand_that_is_none_does_not_come(program, name):
    call = valid_call(name)
    optional = OPERATIONS[name.removesuffix("_vjp")].optional
    operands = {n: None if n in optional else value for n, value in call.operands.items()}
    due = several(getattr(fast, name)(*operands.values(), **call.attributes))
    seen = several(getattr(program, name)(*operands.values(), **call.attributes))
    assert len(seen) == len(due)
    for one, other in zip(seen, due, strict=True):
        numpy.testing.assert_array_equal(one, other)


def test_numbers_that_are_not_finite_are_attributes(program):
    x = numpy.ones((1, 1, 3))
    for p in (numpy.inf, -numpy.inf, numpy.nan):
        with pytest.raises(RuntimeError, match=f"p={p}"):
            program.lp_pool(x, p=p, kernel_size=(2,))


def test_operands_that_are_not_finite_and_batches_without_items(program):
    x = numpy.array([[numpy.nan, numpy.inf, -numpy.inf]])
    numpy.testing.assert_array_equal(program.relu(x), fast.relu(x))
    assert program.relu(x[:0]).shape == (0, 3)


def test_an_attribute_that_the_program_does_not_know_is_unsupported(program):
    with pytest.raises(NotImplementedError, match="sideways: no such attribute"):
        program._call("relu", {"input": numpy.ones((1, 2))}, {"sideways": 1})


def test_lists_are_numbered_and_come_back_together():
    operands = {"input": 0, "factors": [numpy.ones(2), numpy.ones(3)]}
    assert list(flat(operands)) == ["input", "factors_0", "factors_1"]


@pytest.mark.slow
def test_every_operation_conforms_through_the_wire():
    target = load(f"exec:{shlex.join(PROGRAM)}")
    report = check(target, level="quick", dtypes=["float32"])
    assert tuple(report.operations) == checkable_operations()
    assert len(report.operations) == len(NAMES)
    told = [d.message for o in report.operations.values() for d in o.differences]
    assert report.status == "conforms", told
    assert all(o.judged > 10 and not o.unsupported for o in report.operations.values())

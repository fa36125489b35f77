"""Search finds what is rare, shrinks it, and leaves open points alone."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import numpy
import pytest
from hypothesis import strategies
from hypothesis.errors import Unsatisfiable

from convspec import fast
from convspec.oracle.call import callee
from convspec.oracle.reference import spec
from convspec.oracle.steps.search import EXAMPLES, judged_finding, search
from convspec.strategies import calls
from tests.oracle.implementations import offering

F32 = numpy.dtype("float32")


def searched(operation, function, *, level="quick", seed=0, dtype=F32):
    target = callee(offering(**{operation: function}), operation)
    with numpy.errstate(all="ignore"):
        return search(operation, target, spec(), dtype, EXAMPLES[level], seed)


@pytest.mark.parametrize(
    "operation",
    [
        "convolve",
        "conv",
        "conv_vjp",
        "conv_transpose",
        "max_pool_with_indices",
        "max_pool_vjp",
        "average_pool",
    ],
)
def test_what_is_right_is_searched_in_vain(operation):
    judged, findings = searched(operation, getattr(fast, operation))
    assert judged >= 30
    assert findings == []


def wrong_where(when):
    def conv(*operands, **attributes):
        y = fast.conv(*operands, **attributes)
        return y + y.dtype.type(when(*operands, **attributes))

    return conv


def test_what_is_found_is_as_small_as_it_can_be():
    _, (finding,) = searched(
        "conv", wrong_where(lambda *_, **a: max(a["stride"]) > 3), level="standard"
    )
    shapes = {name: array.shape for name, array in finding.case.operands.items()}
    assert finding.case.attributes["stride"] == (4,)
    assert finding.kind == "value"
    assert shapes == {"input": (1, 1, 1), "weight": (1, 1, 1)}
    assert not any(array.any() for array in finding.case.operands.values())


def test_an_exception_is_found():
    def conv(*operands, **attributes):
        if attributes["groups"] == 3:
            raise ValueError("three")
        return fast.conv(*operands, **attributes)

    _, (finding,) = searched("conv", conv)
    assert (finding.kind, finding.actual) == ("raises", None)
    assert finding.case.attributes["groups"] == 3


def test_a_flaky_finding_is_kept():
    turn = iter(range(10**6))
    _, (finding,) = searched("conv", wrong_where(lambda *_, **__: next(turn) % 3 == 2))
    assert finding.kind == "value"


def test_what_is_wrong_with_the_search_itself_is_no_result(monkeypatch):
    module = sys.modules["convspec.oracle.steps.search"]
    monkeypatch.setattr(module, "calls", lambda *_, **__: strategies.nothing())
    with pytest.raises(Unsatisfiable):
        searched("conv", fast.conv)


def test_nothing_is_left_in_the_directory_of_the_user(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from convspec.fast import relu\nNUMBERS = [1234567, 7654321]\n", encoding="utf-8"
    )
    program = (
        "from convspec.oracle import check, load; "
        "check(load('mine.py'), ['relu'], level='quick', dtypes=['float32'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "HYPOTHESIS_STORAGE_DIRECTORY"}
    subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_the_same_seed_finds_the_same():
    wrong = wrong_where(lambda x, w, *_, **__: w.shape[0] > x.shape[1])
    (first,), (again,) = (searched("conv", wrong, seed=4)[1] for _ in range(2))
    assert str(first.case) == str(again.case)


def test_a_seed_draws_the_same_whatever_modules_are_loaded(tmp_path, monkeypatch):
    def drawn():
        seen = []

        def conv(input, weight, bias=None, **attributes):
            seen.append((input.tolist(), weight.tolist(), attributes))
            return fast.conv(input, weight, bias, **attributes)

        searched("conv", conv)
        return repr(seen)

    before = drawn()
    # Arrays are drawn as bytes, extreme elements as floats.
    constants = [*(b"7" * length for length in range(1, 51)), *(n / 8 for n in range(1, 300))]
    (tmp_path / "of_a_user.py").write_text(f"CONSTANTS = {constants}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import_module("of_a_user")
    assert drawn() == before


def test_what_is_not_offered_is_not_judged():
    def lacks(*_, **__):
        raise NotImplementedError

    assert searched("conv", lacks) == (0, [])


def test_ties_are_left_to_their_own_step():
    def last(input, **attributes):
        _, index = fast.max_pool_with_indices(input, **attributes)
        slope = numpy.arange(numpy.prod(input.shape[2:])).reshape(input.shape[2:]) * 2.0**-10
        _, index = fast.max_pool_with_indices(input + slope, **attributes)
        return fast.max_pool(input, **attributes), index

    assert searched("max_pool_with_indices", last, level="standard")[1] == []


def test_a_case_is_judged_as_the_sweep_judges():
    from hypothesis import find

    case = find(calls("conv", dtype="float32"), lambda case: case.operands["input"].size > 2)
    before = {name: array.copy() for name, array in case.operands.items()}
    right = callee(fast, "conv")
    assert judged_finding(right, case, spec()) is None

    def lacks(*_, **__):
        raise NotImplementedError

    assert judged_finding(callee(offering(conv=lacks), "conv"), case, spec()) is False
    assert all((case.operands[name] == array).all() for name, array in before.items())
    wide = callee(offering(conv=lambda *a, **k: fast.conv(*a, **k).astype("f8")), "conv")
    assert judged_finding(wide, case, spec()).kind == "dtype"

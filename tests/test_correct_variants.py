"""No false alarm: correct implementations of every style conform."""

from __future__ import annotations

import pytest

from convspec.oracle.check import check
from tests.correct_variants import VARIANTS


def test_there_are_at_least_twenty():
    assert len(VARIANTS) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_conforms(name):
    variant = VARIANTS[name]
    offered = [operation for operation in vars(variant) if callable(getattr(variant, operation))]
    report = check(variant, offered, level="standard")
    told = [d.message for o in report.operations.values() for d in o.differences]
    assert report.status == "conforms", told
    assert all(operation.judged > 100 for operation in report.operations.values())


def test_ties_are_measured():
    assert (
        check(VARIANTS["last tie"], ["max_pool_with_indices"], level="quick")[
            "max_pool_with_indices"
        ].conventions["index_on_ties"]
        == "last"
    )
    assert (
        check(VARIANTS["ties split evenly"], ["max_pool_vjp"], level="quick")[
            "max_pool_vjp"
        ].conventions["gradient_on_ties"]
        == "split"
    )


def test_float64_inside_is_seen():
    """The class is the finest arithmetic that explains what is returned."""
    report = check(VARIANTS["float64 inside"], ["conv"], dtypes=["float32"])
    assert report["conv"].accuracy == "float64"

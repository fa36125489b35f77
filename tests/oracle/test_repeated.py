"""A finding is unstable only where the same call was made again, and was right."""

from __future__ import annotations

import numpy
import pytest

from convspec import fast
from convspec.case import Case
from convspec.oracle.call import ENDINGS, Crash, callee
from convspec.oracle.explanation.differences import Context, differences
from convspec.oracle.reference import spec
from convspec.oracle.runner import Finding
from tests.oracle.implementations import offering

CASE = Case(
    "conv",
    {"input": numpy.ones((1, 1, 3), "float32"), "weight": numpy.ones((1, 1, 2), "float32")},
    {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1},
)
WRONG = (numpy.array([[[7.0, 7.0]]], "float32"),)
RIGHT = (numpy.array([[[2.0, 2.0]]], "float32"),)


@pytest.mark.parametrize("kind", ENDINGS)
def test_what_is_called_no_more_is_not_taken_for_right(kind):
    target = callee(offering(conv=fast.conv), "conv")
    finding = Finding("value", "wrong", CASE, WRONG, RIGHT, None)

    def kinds():
        context = Context("conv", target, "mine", spec(), "float32")
        return [difference.kind for difference in differences(context, [finding], [])]

    assert kinds() == ["unstable"]
    target.crashes.extend([Crash(kind, "it ended", CASE)] * ENDINGS[kind])
    assert kinds() == ["value"]

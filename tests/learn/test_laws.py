"""Laws that a learner writes: graded by what they notice, refused where they are false."""

from __future__ import annotations

import pytest

from convspec.learn.graded import drawn, noticeable, right_functions
from convspec.learn.laws import LAWS
from convspec.learn.step import ladder
from tests.learn.trying import tried

STEPS = [step for step in ladder().values() if step.kind == "property"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_law_holds_where_all_is_right_and_notices_something(step):
    law = LAWS[step.function]
    draws = drawn(step, law)
    assert all(law.holds(*right_functions(law), *arguments) for arguments in draws)
    assert len(list(noticeable(law, draws))) >= 2


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_what_is_believed_contradicts_the_law(step):
    law = LAWS[step.function]
    if law.believed is None:
        return
    functions = law.believed[1]
    assert len(functions) == len(law.operations)
    draws = drawn(step, law)
    assert not all(_passes(law.holds, functions, arguments) for arguments in draws)


def _passes(holds, functions, arguments):
    try:
        return holds(*functions, *arguments)
    except ValueError:  # shapes that do not even compare
        return False


def written(tmp_path, body):
    file = tmp_path / "mine.py"
    head = "import numpy as np\ndef property_stride(conv, input, weight, stride, padding):\n"
    file.write_text(head + f"    {body}\n", encoding="utf-8")
    return tried(file, "stride-law")


def test_a_law_that_always_holds_notices_nothing(tmp_path):
    found = written(tmp_path, "return True")
    assert found["kind"] == "unnoticed"
    assert found["often"].startswith("0 of ")
    assert found["mistake"] == "stride of the first axis on every axis"


def test_a_law_about_shapes_alone_notices_some(tmp_path):
    found = written(
        tmp_path,
        "thin = (..., *(slice(None, None, s) for s in stride))\n"
        "    kept = conv(input, weight, padding=padding)[thin]\n"
        "    return conv(input, weight, stride=stride, padding=padding).shape == kept.shape",
    )
    assert found["kind"] == "unnoticed"
    assert not found["often"].startswith("0 of ")
    assert found["mistake"] == "window shifted by one under stride"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("return False", "law", "stride = "),
        ("assert 1 > 2", "law", "stride = "),
        ("return conv(input, weight)", "shape", "returns ndarray where True or False is due"),
        ("return conv(input, weight, strides=stride)", "raises", "keyword argument 'strides'"),
        ("return conv(input)", "raises", "With a right conv, it raises"),
    ],
)
def test_a_law_that_is_false_or_unfit_is_told_so(tmp_path, body, kind, said):
    found = written(tmp_path, body)
    assert found["kind"] == kind
    assert said in found["picture"]
    assert found["misconception"] is None


def test_a_law_still_to_be_written_is_asked_for(tmp_path):
    assert written(tmp_path, "raise NotImplementedError('later')")["what"] == "later"


BACKWARDS = """\
    moved = conv(np.roll(input, stride * shift, axis=2), weight, stride=stride)
    return np.array_equal(moved, np.roll(conv(input, weight, stride=stride), -shift))
"""
UNRELATED = """\
    back = conv_transpose(y, weight, stride=stride, padding=padding)
    return (x * back).sum() == y.sum()
"""


@pytest.mark.parametrize(
    ("step", "body"), [("shift-law", BACKWARDS), ("transposition-law", UNRELATED)]
)
def test_a_law_that_is_false_in_another_way_is_no_misconception(tmp_path, step, body):
    file = tmp_path / "mine.py"
    text = f"import numpy as np\n{ladder()[step].signature}\n{body}"
    file.write_text(text, encoding="utf-8")
    found = tried(file, step)
    assert found["kind"] == "law"
    assert found["misconception"] is None

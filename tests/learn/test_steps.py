"""The steps as data, and the calls that they are tried on."""

from __future__ import annotations

import ast

import pytest

from convspec.case import attribute_defaults
from convspec.learn.cases import cases
from convspec.learn.functions import EXERCISES
from convspec.learn.laws import LAWS
from convspec.learn.step import ladder
from convspec.oracle.deviations.edits import operand_names
from tests.learn.trying import FILES, tried

STEPS = [*ladder().values()]
OPERATIONS = [step for step in STEPS if step.kind == "operation"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_is_whole(step):
    assert step.title
    assert step.task
    assert step.formula
    assert len(step.hints) >= 2
    (function,) = ast.parse(f"{step.signature} ...").body
    assert function.name == step.function
    names = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
    if step.kind == "operation":
        known = {*operand_names(step.function), *attribute_defaults(step.function)}
        assert set(names) <= known
    if step.kind == "property":
        assert tuple(names[: len(LAWS[step.function].operations)]) == LAWS[step.function].operations
    if step.kind == "function":
        assert step.function in EXERCISES


@pytest.mark.parametrize("step", OPERATIONS, ids=lambda step: step.name)
def test_every_value_of_a_scope_is_tried(step):
    tried_on = cases(step)
    for name in ("stride", "padding", "dilation", "output_padding"):
        seen = {entry for case in tried_on for entry in case.attributes.get(name, ())}
        if name in attribute_defaults(step.function):
            assert seen == set(getattr(step.scope, name))
    for name in ("ceil_mode", "count_include_pad", "groups"):
        if name in attribute_defaults(step.function):
            seen = {case.attributes[name] for case in tried_on}
            assert seen == set(getattr(step.scope, name))
    ranks = {case.operands["input"].ndim - 2 for case in tried_on}
    assert ranks == set(step.scope.rank)


def test_cases_are_always_the_same():
    first, second = cases(STEPS[0]), cases(STEPS[0])
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.attributes == other.attributes
        assert all((one.operands[name] == other.operands[name]).all() for name in one.operands)


def test_the_adjoint_is_judged_without_the_gradient_for_the_weight(tmp_path):
    """The next step that needs it asks for both."""
    file = tmp_path / "mine.py"
    text = (FILES / "complete.py").read_text(encoding="utf-8")
    file.write_text(text.replace("return d_input, d_weight", "return d_input, None"), "utf-8")
    found = tried(file, "adjoint")
    assert found["step"] == "gradients"
    assert found["outcome"] == "Wrong"
    file.write_text(text.replace("return d_input, d_weight", "return -d_input, None"), "utf-8")
    found = tried(file, "adjoint")
    assert (found["step"], found["outcome"]) == ("adjoint", "Wrong")


@pytest.mark.parametrize(
    ("body", "kind"),
    [("return size", "shape"), ("return 1 / 0", "raises"), ("return None", "shape")],
)
def test_a_function_of_integers_that_returns_no_pair_is_told_so(tmp_path, body, kind):
    file = tmp_path / "mine.py"
    file.write_text(f"def same_padding(size, kernel, stride):\n    {body}\n", encoding="utf-8")
    found = tried(file, "same")
    assert (found["outcome"], found["kind"]) == ("Wrong", kind)
    assert "same_padding(1, 1, 1)" in found["picture"]


def test_a_shape_is_shown_on_numbers_that_can_be_read():
    found = tried(FILES / "dilation_holes.py")
    assert found["kind"] == "shape"
    assert "1  2  3" in found["picture"]

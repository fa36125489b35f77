"""`convspec mistake`: every deviation at its smallest, and the law that it really breaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from click.testing import CliRunner

import convspec.fast
from convspec.case import forward_name, normalised
from convspec.cli import main
from convspec.operations import OPERATIONS
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.edits import operand_names
from convspec.oracle.deviations.laws import LAWS_BROKEN
from convspec.oracle.deviations.without_laws import WITHOUT_LAW
from convspec.oracle.explanation.pictures import picture
from convspec.oracle.explanation.replay import agree, right
from tests.breaking import breaks, law_function


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["mistake", *arguments])
    return result.exit_code, result.output


def test_all_are_listed_with_their_operations():
    code, output = run()
    assert code == 0
    listed = output.splitlines()
    assert [line.split("  ")[0] for line in listed] == list(DEVIATIONS)
    assert listed[0].endswith("conv, conv_vjp")


def test_a_mistake_is_explained_and_drawn():
    code, output = run("1x1 path ignores the stride")
    assert code == 0
    assert "A 1x1 kernel goes to a matrix product over all positions" in output
    assert "https://github.com/tensorflow/tensorflow/issues/1868" in output
    assert "Nobody notices with stride 1, or larger kernels." in output
    assert "conv(input (1, 1, 2), weight (1, 1, 1), stride=2" in output
    assert "1 of 2 elements differ" in output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("factors in reverse order", "factors[1]"),  # a list of arrays
        ("loss summed over the batch", "[0.693147]"),  # a single number
        ("pyramid listed window by window", "2 of 4 elements differ"),
    ],
)
def test_whatever_an_operation_takes_and_returns_is_drawn(name, said):
    code, output = run(name)
    assert code == 0
    assert said in output


def test_a_convention_says_its_value():
    assert "As a convention: kernel_orientation=flipped." in run("kernel flipped")[1]


def test_an_operation_may_be_chosen():
    assert "average_pool(input" in run("stride ignored", "--operation", "average_pool")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stride ignore"], "did you mean 'stride ignored'"),
        (["1X1"], "'1x1 path ignores the stride'"),
        (["qqq"], "see convspec mistake"),
        (["stride ignored", "--operation", "convolve"], "is no operation of 'stride ignored'"),
    ],
)
def test_a_bad_name_is_one_line_and_exit_2(arguments, said):
    code, output = run(*arguments)
    assert code == 2
    assert said in output
    assert len(output.splitlines()) == 1


# One of each way of showing: at once, in the rounding, where the spec is silent, over several
# calls, in a bad argument.
SHOWN = {
    "dilation in the size rule only": "average_pool",
    "result truncated toward zero": "convolve",
    "empty window gives zero": "max_pool",
    "cache key lacks the dilation": "conv",
    "cotangent cleared after use": "conv_vjp",
    "output overwritten by the next call": "average_pool",
    "stale output for an empty batch": "max_pool",
    "kernel of size 0 accepted": "max_pool",
    "adaptive window ends at the floor": "spatial_pyramid_pool_vjp",
    "loss summed over the batch": "cross_entropy",
    "factors in reverse order": "spatially_separable_conv",
    "softmax overflows": "softmax",
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_right_against_wrong(name):
    shown = picture(DEVIATIONS[name], SHOWN[name])
    assert shown is not None
    assert not agree(shown.right, shown.wrong, None)
    if not shown.before.startswith("A call with"):
        assert agree(shown.right, right(shown.case), None)
    assert sum(array.size for array in shown.case.operands.values()) <= 64


def test_each_breaks_a_law_or_says_why_none():
    assert LAWS_BROKEN.keys().isdisjoint(WITHOUT_LAW)
    assert LAWS_BROKEN.keys() | WITHOUT_LAW.keys() == DEVIATIONS.keys()


def test_a_law_is_named_and_a_reason_said():
    assert (
        "The law that it breaks: padding of a norm is zeros."
        in (run("norm of the average times the full kernel")[1])
    )
    said = " ".join(run("last maximum on ties")[1].split())
    assert "No law sees it, for laws take any of several equal maxima" in said


def test_laws_are_laws():
    assert all(map(law_function, set(LAWS_BROKEN.values())))


# The deviations' own operations, broken by the law named; one in every six, in turn.
SAMPLE = list(LAWS_BROKEN)[::6]


@pytest.mark.parametrize("name", SAMPLE)
def test_the_law_named_is_really_broken(name):
    with numpy.errstate(all="ignore"):
        assert any(
            breaks(LAWS_BROKEN[name], planted(name, o), o) for o in DEVIATIONS[name].operations
        )


def test_a_law_without_an_implementation_is_broken_by_none():
    assert not breaks(
        "test_adaptive.py::test_the_documents_pyramid_has_21_features_a_channel", None, "conv"
    )


@pytest.mark.parametrize("law", sorted({LAWS_BROKEN[name] for name in SAMPLE}))
def test_the_law_holds_for_a_correct_implementation(law):
    name = next(name for name in SAMPLE if LAWS_BROKEN[name] == law)
    assert not any(breaks(law, convspec.fast, o, 20) for o in DEVIATIONS[name].operations[:1])


def planted(name: str, operation: str) -> SimpleNamespace:
    """A correct implementation but for one deviating function, which takes any good call."""
    functions = {o: getattr(convspec.fast, o) for o in vars(convspec.fast) if not o.startswith("_")}
    deviating = DEVIATIONS[name].edit(convspec.fast, operation)
    return SimpleNamespace(**{**functions, operation: normalising(deviating, operation)})


def normalising(function: Callable[..., Any], operation: str) -> Callable[..., Any]:
    """The function called as the oracle calls it, with arrays and every attribute normalised:
    a law that it breaks is broken by what it computes.
    """
    names, lists = operand_names(operation), OPERATIONS[forward_name(operation)].lists

    @wraps(function)
    def called(*operands: Any, **given: Any) -> Any:
        together = {**dict(zip(names, operands, strict=False)), **given}
        arrays = {
            n: [*map(numpy.asarray, together[n])] if n in lists else numpy.asarray(together[n])
            for n in names
            if together.get(n) is not None
        }
        shapes = {
            n: [part.shape for part in a] if n in lists else a.shape
            for n, a in arrays.items()
            if n != "cotangent"
        }
        attributes = {n: value for n, value in together.items() if n not in names}
        return function(**arrays, **normalised(operation, shapes, attributes))

    return called

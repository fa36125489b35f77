"""The arithmetic that is shown is the arithmetic of the definition."""

from __future__ import annotations

import numpy
import pytest

from convspec.case import Case
from convspec.operations import OPERATIONS
from convspec.oracle.explanation.trace import arithmetic
from tests.valid_calls import valid_call

# Of the others what goes through a root or an exponential is a term without a name.
NAMED = [name for name, row in OPERATIONS.items() if row.rounding != "elementary"]
CALLS = [name for row in OPERATIONS for name in (row, f"{row}_vjp")]


def case_of(operation):
    """A valid call with data that tell elements apart."""
    call = valid_call(operation)
    row = OPERATIONS[operation.removesuffix("_vjp")]
    rng = numpy.random.default_rng(1)

    def drawn(name, given):
        if isinstance(given, list):
            return [drawn(name, each) for each in given]
        if name in row.discrete or row.name == "max_unpool":
            return given
        return rng.permutation(given.size).reshape(given.shape) + 1.0

    operands = {name: drawn(name, given) for name, given in call.operands.items()}
    return Case(operation, operands, call.attributes), call.function


@pytest.mark.parametrize("operation", CALLS)
def test_the_terms_come_to_what_the_definition_returns(operation):
    case, function = case_of(operation)
    outputs = function(*case.operands.values(), **case.attributes)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    for number, output in enumerate(outputs):
        for index in {(0,) * output.ndim, tuple(n - 1 for n in output.shape)}:
            told = arithmetic(case, number, index)
            divisor = float(told.rest.replace("/", "") or 1)
            assert told.value / divisor == pytest.approx(float(output[index]), rel=1e-12)
            assert told.value == (told.terms[-1].total if told.terms else 0)
            assert sum(term.value for term in told.terms) == pytest.approx(told.value)
            if operation in NAMED and number == 0 and told.value:
                assert all("[" in term.names for term in told.terms)
                for term in told.terms:
                    assert eval(term.numbers) == term.value  # noqa: S307 - products of numbers


@pytest.mark.parametrize(
    ("operation", "element", "terms", "rest"),
    [
        (
            "conv",
            (0, 0, 0),
            [("bias[0]", "7", 7, 7), ("input[0, 0, 0] * weight[0, 0, 1]", "5 * -1", -5, 2)],
            "",
        ),
        (
            "average_pool",
            (0, 0, 1),
            [("input[0, 0, 0]", "5", 5, 5), ("input[0, 0, 1]", "6", 6, 11)],
            " / 2",
        ),
        ("max_pool", (0, 0, 1), [("input[0, 0, 1]", "6", 6, 6)], ""),
    ],
)
def test_an_element_by_hand(operation, element, terms, rest):
    operands = {"input": numpy.array([[[5, 6]]])}
    attributes = {"kernel_size": (2,), "stride": (1,), "padding": ((1, 0),)}
    if operation == "conv":
        operands |= {"weight": numpy.array([[[2, -1]]]), "bias": numpy.array([7])}
        del attributes["kernel_size"]
    told = arithmetic(Case(operation, operands, attributes), 0, element)
    assert [tuple(term) for term in told.terms] == terms
    assert told.rest == rest


def test_what_is_made_of_sums_is_in_parentheses():
    operands = {
        "input": numpy.array([[[1, 2]]]),
        "depthwise": numpy.array([[[3, 4]]]),
        "pointwise": numpy.array([[5]]),
    }
    (term,) = arithmetic(Case("depthwise_separable_conv", operands, {}), 0, (0, 0, 0)).terms
    assert term.numbers in ("(1 * 3 + 2 * 4) * 5", "5 * (1 * 3 + 2 * 4)")
    assert term.value == 55


def test_large_integers_stay_exact_and_long_sums_are_no_deep_recursion():
    operands = {
        "input": numpy.full((1, 1, 3000), 2**53 + 1),
        "weight": numpy.ones((1, 1, 3000), int),
    }
    told = arithmetic(Case("conv", operands, {}), 0, (0, 0, 0))
    assert len(told.terms) == 3000
    assert told.value == 3000 * (2**53 + 1)

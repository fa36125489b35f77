"""The table of operations tells the truth about every row."""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from inspect import Parameter, getmembers, isfunction, signature
from pkgutil import iter_modules

import numpy
import pytest

import convspec
from convspec.operations import OPERATIONS
from tests.valid_calls import VALID, filled, shape_of

ROWS = list(OPERATIONS.values())
BY_NAME = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def arguments(row):
    """Operands of distinct integers, and attributes, of a valid call."""
    rng = numpy.random.default_rng(50)

    def distinct(shape):
        return rng.permutation(int(numpy.prod(shape))).reshape(shape).astype(float)

    return filled(row.name, distinct), VALID[row.name][1]


def outputs(row, *operands, **attributes):
    result = row.definition(*operands, **attributes)
    return result if isinstance(result, tuple) else (result,)


PUBLIC = {name + suffix for name in OPERATIONS for suffix in ("", "_vjp")}
# Whose functions are about operations, and are none themselves.
TOOLS = ("convspec.matrix", "convspec.symbolic")
# Makes arrays of the factors of a kernel, as `arguments.array` makes one.
NO_OPERATIONS = {"kernels_of"}


def test_every_function_that_the_package_offers_is_in_the_table():
    offered = {name: getattr(convspec, name) for name in convspec.__all__}
    functions = {name for name, value in offered.items() if isfunction(value)}
    assert {name for name in functions if offered[name].__module__ not in TOOLS} == PUBLIC


def test_every_function_of_arrays_in_a_chapter_is_in_the_table():
    """Also one that the package forgot to offer: all that take an array, or anything like one, and
    all that end in `_vjp`.
    """
    found = set()
    for module in iter_modules(convspec.__path__, "convspec."):
        if module.ispkg or module.name in (*TOOLS, "convspec.arguments"):
            continue
        for name, function in getmembers(import_module(module.name), isfunction):
            own = function.__module__ == module.name and not name.startswith("_")
            kinds = [str(one.annotation) for one in signature(function).parameters.values()]
            if own and (name.endswith("_vjp") or any("ArrayLike" in kind for kind in kinds)):
                found.add(name)
    assert found - NO_OPERATIONS == PUBLIC


@BY_NAME
def test_the_key_is_the_name_of_the_definition_and_of_the_public_function(row):
    assert OPERATIONS[row.name] is row
    assert row.definition.__name__ == row.name
    assert row.vjp.__name__ == f"{row.name}_vjp"
    assert getattr(convspec, row.name) is row.definition
    assert getattr(convspec, f"{row.name}_vjp") is row.vjp


@BY_NAME
def test_the_operands_lead_the_signature(row):
    names = list(signature(row.definition).parameters)
    assert tuple(names[: len(row.operands)]) == row.operands
    assert next(iter(signature(row.vjp).parameters)) == "cotangent"


@BY_NAME
def test_optional_operands_default_to_none_and_the_others_have_no_default(row):
    parameters = signature(row.definition).parameters
    for name in row.operands:
        default = parameters[name].default
        assert default is (None if name in row.optional else Parameter.empty), name


@BY_NAME
def test_attributes_of_sliding_operations_are_keywords(row):
    for name, parameter in signature(row.definition).parameters.items():
        if name not in row.operands and name != "mode":
            assert parameter.kind == Parameter.KEYWORD_ONLY, name


@BY_NAME
def test_shape_and_outputs_are_those_of_the_definition(row):
    operands, attributes = arguments(row)
    results = outputs(row, *operands.values(), **attributes)
    assert len(results) == row.outputs
    expected = row.shape(*map(shape_of, operands.values()), **attributes)
    assert [result.shape for result in results] == [expected] * row.outputs


@BY_NAME
def test_the_vjp_returns_a_cotangent_of_each_operand_in_its_shape(row):
    operands, attributes = arguments(row)
    for count in range(len(row.operands) - len(row.optional), len(row.operands) + 1):
        given = list(operands.values())[:count]
        cotangent = numpy.ones(row.shape(*map(shape_of, given), **attributes))
        found = row.vjp(cotangent, *given, **attributes)
        # One of each array of a list, and none of what is discrete.
        arrays = []
        for name, operand in zip(row.operands, given, strict=False):
            if name not in row.discrete:
                arrays.extend(operand if name in row.lists else [operand])
        assert [d.shape for d in found] == [operand.shape for operand in arrays]


@BY_NAME
def test_linear_in_is_exactly_where_sums_and_multiples_pass_through(row):
    """f(x + 3 z) = f(x) + 3 f(z), exactly, on Fractions and without the bias; and an operand that
    is not listed has a counterexample.

    Where weights are irrational, each of the six terms of a window meets on either side at most
    ten roundings: its product, five sums, a division, the factor 3, the last sum and difference;
    four more cover those of the magnitude.
    """
    operands, attributes = arguments(row)
    exact = numpy.vectorize(Fraction, otypes=[object])
    plain = set(operands) - {*row.optional, *row.lists, *row.discrete}
    assert set(row.linear_in) <= plain
    required = {
        name: exact(v) if name in plain else v
        for name, v in operands.items()
        if name not in row.optional
    }
    roundings = 14 if row.rounding == "elementary" else 0
    growth = 2 * ((1 + Fraction(1, 2**53)) ** roundings - 1)
    for name in plain & set(required):

        def image(value, name=name):
            return outputs(row, *{**required, name: value}.values(), **attributes)[0]

        x = required[name]
        # Of either sign, but for a variance.
        z = x[..., ::-1] - (0 if name == "variance" else 7)
        difference = abs(image(x + 3 * z) - image(x) - 3 * image(z))
        magnitude = abs(image(abs(x)) + 3 * image(abs(z)))
        passes = bool(numpy.all(difference <= float(growth) * magnitude))
        assert passes == (name in row.linear_in), name


@BY_NAME
def test_the_kind_of_rounding_is_one_of_three(row):
    assert row.rounding in ("exact", "products", "elementary")


@BY_NAME
def test_an_exact_operation_returns_elements_of_its_input(row):
    if row.rounding != "exact":
        # Linear under one attribute, and a square.
        others = ("spatial_pyramid_pool", "l2_penalty")
        assert row.linear_in or row.rounding == "elementary" or row.name in others
        return
    operands, attributes = arguments(row)
    values = outputs(row, *operands.values(), **attributes)[0]
    assert set(values.flat) <= set(operands[row.operands[0]].flat)

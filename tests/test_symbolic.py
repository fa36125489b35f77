"""Every operation on symbols: its values, its derivatives, its matrices, its LaTeX."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest
import sympy

from convspec.matrix import exact_matrix_of
from convspec.operations import OPERATIONS
from convspec.symbolic import (
    WITHOUT_SYMBOLS,
    jacobian,
    latex_output,
    latex_values,
    substitution,
    symbolic_call,
    symbolic_vjp,
    symbols,
)

# A small call of every operation, operands by shape but where they select.  One spatial axis keeps
# the distances of `distance_weighted_pool` rational; attributes are rational everywhere.
SMALL = {
    "convolve": {"f": (3,), "g": (2,), "mode": "full"},
    "correlate": {"f": (2, 2), "g": (2, 1), "mode": "same"},
    "conv": {
        "input": (1, 2, 4),
        "weight": (2, 1, 2),
        "bias": (2,),
        "padding": ((1, 0),),
        "dilation": 2,
        "groups": 2,
    },
    "conv_transpose": {"input": (1, 2, 2), "weight": (2, 1, 3), "stride": 2, "padding": ((1, 0),)},
    "depthwise_conv": {"input": (1, 2, 3), "weight": (4, 1, 2), "bias": (4,)},
    "pointwise_conv": {"input": (2, 2, 1), "weight": (1, 2), "bias": (1,)},
    "depthwise_separable_conv": {"input": (1, 2, 3), "depthwise": (2, 1, 2), "pointwise": (1, 2)},
    "spatially_separable_conv": {"input": (1, 1, 2, 3), "factors": [(2,), (2,)]},
    "locally_connected": {"input": (1, 1, 3), "weight": (1, 1, 2, 2), "bias": (1, 2)},
    "max_pool": {"input": (1, 1, 5), "kernel_size": 3, "stride": 1},
    "max_unpool": {"values": (1, 1, 2), "indices": [[[3, 1]]], "output_size": 4},
    "average_pool": {"input": (1, 1, 5), "kernel_size": 3, "stride": 2, "padding": 1},
    "lp_pool": {"input": (1, 1, 4), "kernel_size": 3, "stride": 1, "p": 3},
    "distance_weighted_pool": {"input": (1, 1, 5), "kernel_size": 3, "padding": 1},
    "adaptive_max_pool": {"input": (1, 1, 4), "output_size": 3},
    "adaptive_average_pool": {"input": (1, 1, 4), "output_size": 3},
    "spatial_pyramid_pool": {"input": (1, 2, 3), "levels": (1, 2)},
    "upsample": {"input": (1, 1, 3), "scale": 2, "kind": "linear"},
    "insert_zeros": {"input": (1, 1, 3), "count": 2},
    "pixel_shuffle": {"input": (1, 4, 2), "factor": 2},
    "resize_conv": {"input": (1, 1, 2), "weight": (1, 1, 2), "bias": (1,), "scale": 2},
    "linear": {"input": (2, 3), "weight": (2, 3), "bias": (2,)},
    "flatten": {"input": (1, 2, 2)},
    "relu": {"input": (4,)},
    "sigmoid": {"input": (3,)},
    "tanh": {"input": (3,)},
    "softmax": {"input": (2, 3)},
    "dropout": {"input": (3,), "mask": [1, 0, 1], "rate": Fraction(1, 3)},
    "cross_entropy": {"logits": (2, 3), "labels": [2, 0]},
    "l2_penalty": {"weight": (3,), "strength": Fraction(1, 3)},
    "batch_norm": {
        "input": (1, 2, 2),
        "mean": (2,),
        "variance": (2,),
        "scale": (2,),
        "shift": (2,),
        "epsilon": Fraction(1, 8),
    },
    "local_response_normalization": {
        "input": (1, 3, 1),
        "size": 2,
        "alpha": Fraction(1, 2),
        "beta": Fraction(3, 4),
        "k": 1,
    },
}
SYMBOLIC = [name for name in OPERATIONS if name not in WITHOUT_SYMBOLS]
LINEAR = [(name, operand) for name in SYMBOLIC for operand in OPERATIONS[name].linear_in]
DIGITS = 50


def fractions(shape, rng, *, positive=False):
    """Distinct Fractions, none of them 0, so that no two elements tie and no slope is ambiguous."""
    size = int(numpy.prod(shape))
    signs = 1 if positive else rng.choice([-1, 1], size)
    values = numpy.empty(size, dtype=object)
    values[:] = [Fraction(int(v), 4) for v in signs * (1 + rng.permutation(size))]
    return values.reshape(shape)


def numbers(call, seed=0):
    """Numbers for every operand of symbols."""
    rng = numpy.random.default_rng(seed)
    discrete = OPERATIONS[call.operation].discrete
    return {
        name: [fractions(one.shape, rng) for one in value]
        if isinstance(value, list)
        else fractions(value.shape, rng, positive=name == "variance")
        for name, value in call.operands.items()
        if name not in discrete
    }


def as_sympy(value):
    if isinstance(value, list):
        return list(map(as_sympy, value))
    return numpy.vectorize(sympy.Rational, otypes=[object])(value).reshape(value.shape)


def operands_of(call, values, *, exact):
    """The operands of the call in numbers: Fractions where the operation is rational, numbers of
    SymPy, whose roots and exponentials stay exact, where it is not.
    """
    return {
        name: (values[name] if exact else as_sympy(values[name])) if name in values else operand
        for name, operand in call.operands.items()
    }


def rational(name):
    return OPERATIONS[name].rounding != "elementary" or name == "distance_weighted_pool"


def same(expressions, expected, name):
    """Equal: as rationals, or to 50 digits, which SymPy's evalf computes each of both to."""
    assert numpy.shape(expressions) == numpy.shape(expected)
    for one, other in zip(numpy.ravel(expressions), numpy.ravel(expected), strict=True):
        other = sympy.sympify(other)
        if rational(name):
            assert one.is_Rational
            assert one == other
        else:
            x, y = sympy.N(one, DIGITS), sympy.N(other, DIGITS)
            assert x.is_Float or x == 0
            # One unit in the last of 50 digits on either side.
            assert abs(x - y) <= 2 * sympy.Float(10, DIGITS) ** (1 - DIGITS) * max(abs(x), abs(y))


def at(expressions, values):
    return numpy.vectorize(lambda one: one.xreplace(values), otypes=[object])(expressions)


@pytest.mark.parametrize("name", SYMBOLIC)
def test_the_outputs_filled_in_are_those_of_the_definition(name):
    row, call = OPERATIONS[name], symbolic_call(name, **SMALL[name])
    given = numbers(call)
    operands = operands_of(call, given, exact=rational(name))
    expected = row.definition(**operands, **call.attributes)
    assert any(y.free_symbols for y in call.output.flat)
    same(at(call.output, substitution(call, **given)), expected, name)


@pytest.mark.parametrize("name", SYMBOLIC)
def test_sympys_derivatives_are_the_vjp_of_the_spec(name):
    """Of a maximum too, where no two elements tie; and the Jacobian, entry by entry."""
    row, call = OPERATIONS[name], symbolic_call(name, **SMALL[name])
    given = numbers(call, seed=1)
    cotangent = fractions(call.output.shape, numpy.random.default_rng(2))
    operands = operands_of(call, given, exact=rational(name))
    g = cotangent if rational(name) else as_sympy(cotangent)
    expected = row.vjp(g, **operands, **call.attributes)
    gradients = symbolic_vjp(call, cotangent)
    assert len(gradients) == len(expected)
    values = substitution(call, **given)
    slopes = []
    for operand in given:
        slope = jacobian(call, operand)
        slopes.extend(slope if isinstance(slope, list) else [slope])
    weights = as_sympy(cotangent)
    for gradient, slope, theirs in zip(gradients, slopes, expected, strict=True):
        same(at(gradient, values), theirs, name)
        same(numpy.tensordot(weights, at(slope, values), axes=weights.ndim), theirs, name)


@pytest.mark.parametrize(("name", "operand"), LINEAR)
def test_the_jacobian_of_a_linear_operation_is_its_matrix(name, operand):
    """In the symbols of the other operands: no numbers at all."""
    call = symbolic_call(name, **{key: v for key, v in SMALL[name].items() if key != "bias"})
    x = call.operands[operand]
    others = {key: value for key, value in call.operands.items() if key != operand}
    matrix = exact_matrix_of(name, operand, x.shape, **others, **call.attributes)
    slopes = jacobian(call, operand).reshape(matrix.shape)
    for slope, entry in zip(slopes.flat, matrix.flat, strict=True):
        assert sympy.expand(slope - sympy.sympify(entry)) == 0


@pytest.mark.parametrize("name", list(WITHOUT_SYMBOLS))
def test_what_has_no_symbolic_meaning_says_why(name):
    with pytest.raises(ValueError, match="has no symbolic meaning: which element"):
        symbolic_call(name, input=(1, 1, 2), kernel_size=2)
    with pytest.raises(TypeError):
        OPERATIONS[name].definition(symbols("x", (1, 1, 2)), kernel_size=2)


def test_a_cotangent_of_symbols_comes_by_itself():
    call = symbolic_call("conv", input=(1, 1, 3), weight=[[[2, 5]]])
    with pytest.raises(ValueError, match="weight holds numbers"):
        symbolic_vjp(call)
    call = symbolic_call("conv", input=(1, 1, 3), weight=(1, 1, 2))
    d_input, _ = symbolic_vjp(call)
    (first, second), (w0, w1) = symbols(r"\bar{y}", (1, 1, 2))[0, 0], call.operands["weight"][0, 0]
    assert list(d_input[0, 0]) == [first * w0, first * w1 + second * w0, second * w1]


def test_on_ties_a_maximum_splits_where_the_spec_takes_the_first():
    call = symbolic_call("max_pool", input=(1, 1, 2), kernel_size=2)
    (gradient,) = symbolic_vjp(call, [[[1]]])
    half = sympy.Rational(1, 2)
    tied = substitution(call, input=[[[7, 7]]])
    assert [one.xreplace(tied) for one in gradient.flat] == [half, half]


def test_the_documents_vertical_edge_as_a_filled_sum():
    """30 under the edge of the image that is 10 on the left and 0 on the right."""
    call = symbolic_call("conv", input=(1, 1, 3, 4), weight=(1, 1, 3, 3))
    image = numpy.tile([10, 10, 0, 0], (1, 1, 3, 1))
    edge = numpy.tile([1, 0, -1], (1, 1, 3, 1))
    for i, centre in enumerate((10, 0)):
        text = latex_values(call, (0, 0, 0, i), input=image, weight=edge)
        terms = rf"1 \cdot 10 + 0 \cdot {centre} + \left(-1\right) \cdot 0"
        assert text == f"y_{{0,0,0,{i}}} = {terms} + {terms} + {terms} = 30"


@pytest.mark.parametrize(
    ("name", "call", "position", "expected"),
    [
        ("relu", {"input": (2,)}, (1,), r"y_{1} = \max\left(0, x_{1}\right)"),
        ("l2_penalty", {"weight": (1,), "strength": 2}, (), "y = w_{0}^{2}"),
        ("linear", {"input": (1, 1), "weight": [[0]]}, (0, 0), "y_{0,0} = 0"),
        (
            "average_pool",
            {"input": (1, 1, 2), "kernel_size": 2},
            (0, 0, 0),
            r"y_{0,0,0} = \frac{x_{0,0,0}}{2} + \frac{x_{0,0,1}}{2}",
        ),
        (
            "convolve",
            {"f": (11,), "g": [1] * 11},
            (10,),
            "y_{10} = " + " + ".join(f"f_{{{i}}}" for i in range(11)),
        ),
        (
            "spatially_separable_conv",
            {"input": (1, 1, 1, 1), "factors": [(1,), (1,)]},
            (0, 0, 0, 0),
            "y_{0,0,0,0} = f^{(0)}_{0} f^{(1)}_{0} x_{0,0,0,0}",
        ),
    ],
)
def test_latex_of_an_output(name, call, position, expected):
    assert latex_output(symbolic_call(name, **call), position) == expected


@pytest.mark.parametrize(
    ("name", "call", "position", "values", "expected"),
    [
        ("sigmoid", {"input": (1,)}, (0,), [0], r"= \frac{1}{1 + e^{- 0}} = \frac{1}{2}"),
        ("tanh", {"input": (1,)}, (0,), [1], r"= \tanh{\left(1 \right)} \approx 0.761594"),
        ("relu", {"input": (1,)}, (0,), [-3], r"= \max\left(0, \left(-3\right)\right) = 0"),
        (
            "lp_pool",
            {"input": (1, 1, 2), "kernel_size": 2},
            (0, 0, 0),
            [[[Fraction(3, 2), -2]]],
            r"= \sqrt{\left(\frac{3}{2}\right)^{2} + \left(-2\right)^{2}} = \frac{5}{2}",
        ),
    ],
)
def test_latex_of_an_output_filled_in(name, call, position, values, expected):
    assert latex_values(symbolic_call(name, **call), position, input=values).endswith(expected)


def test_letters_of_variances_are_positive_and_survive_a_power():
    call = symbolic_call(
        "batch_norm", input=(1, 1), mean=[0], variance=(1,), scale=[1], shift=[0], epsilon=0
    )
    (variance,) = call.operands["variance"]
    assert variance.is_positive
    assert sympy.latex(call.output[0, 0]) == r"\frac{x_{0,0}}{\sqrt{\sigma^2_{0}}}"
    assert sympy.latex(variance**2) == r"\left(\sigma^2_{0}\right)^{2}"


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: symbolic_call("blur", input=(1,)), ValueError, "operation='blur': .* input"),
        (
            lambda: symbolic_call("dropout", input=(2,), mask=(2,), rate=0),
            ValueError,
            r"mask=\(2,\): must be given as numbers",
        ),
        (
            lambda: symbolic_call(
                "max_unpool", values=(1, 1, 2), indices=[[[1, 1]]], output_size=2
            ),
            ValueError,
            "a repeated index must carry equal values",
        ),
        (
            lambda: symbolic_call("conv", input=(1, 1, 2), weight=(1, 2, 1)),
            ValueError,
            "weight has",
        ),
        (
            lambda: jacobian(CALL, "bias"),
            ValueError,
            "operand='bias': must be one of input, weight",
        ),
        (lambda: symbolic_vjp(CALL, [[[1]]]), ValueError, r"cotangent has shape \(1, 1, 1\)"),
        (lambda: latex_output(CALL, (0, 0)), ValueError, r"position=\(0, 0\): must be an index"),
        (lambda: latex_output(CALL, (0, 0, -1)), ValueError, r"position=\(0, 0, -1\)"),
        (lambda: substitution(CALL, input=[[[1, 2]]]), ValueError, "weight must be given"),
        (lambda: substitution(CALL, x=1), ValueError, "operand='x': must be one of input, weight"),
        (
            lambda: substitution(CALL, input=[[[1, 2, 3]]], weight=[[[1]]]),
            ValueError,
            r"input has shape \(1, 1, 3\): must be that of the call = \(1, 1, 2\)",
        ),
        (
            lambda: substitution(FIXED, input=[[[1, 2]]], weight=[[[4]]]),
            ValueError,
            "weight holds 4: this call was made with 3 there",
        ),
        (
            lambda: substitution(SEPARABLE, input=[[[1, 2]]], factors=[[1], [2]]),
            ValueError,
            "factors=.*: must be a list of 1 arrays",
        ),
        (
            lambda: substitution(SEPARABLE, input=[[[1, 2]]], factors=[[1, 2]]),
            ValueError,
            r"factors\[0\] has shape \(2,\)",
        ),
    ],
)
def test_what_is_wrong_is_named(act, error, message):
    with pytest.raises(error, match=message):
        act()


CALL = symbolic_call("conv", input=(1, 1, 2), weight=(1, 1, 1))
FIXED = symbolic_call("conv", input=(1, 1, 2), weight=[[[3]]])
SEPARABLE = symbolic_call("spatially_separable_conv", input=(1, 1, 2), factors=[(1,)])


def test_numbers_that_the_call_was_made_with_may_be_repeated():
    x = FIXED.operands["input"]
    expected = {x[0, 0, 0]: 1, x[0, 0, 1]: 2}
    assert substitution(FIXED, input=[[[1, 2]]], weight=[[[3]]]) == expected
    assert substitution(FIXED, input=[[[1, 2]]]) == expected

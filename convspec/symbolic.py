r"""Operations on symbols of SymPy: what an output is, as an expression, and its derivatives.

A definition runs on any scalar.  Given a symbol for each element, $x_{0,0,1}$ and so on, it returns
each output as the expression that defines it, and SymPy differentiates that,

$$ J_{i,a} = \frac{\partial y_i}{\partial x_a}, \qquad
   \bar x_a = \frac{\partial}{\partial x_a} \sum_i \bar y_i\, y_i, $$

with nothing taken from the `_vjp` of the spec, whose witness this is.

Of a maximum SymPy's derivative is Heaviside's step of a difference: where one element is the
largest it is the spec's choice, on ties it splits where the spec takes the first.  Attributes go
into the expressions as they are given: a Fraction stays exact, a float is a float.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
import sympy

from convspec.arguments import Array, Shape, array, check_shape, word
from convspec.operations import OPERATIONS
from convspec.window import positions

# Operations that have no symbolic meaning, and why.
WITHOUT_SYMBOLS = {
    "max_pool_with_indices": "which element of a window is the largest, and so its index, is not "
    "known of symbols; the values are those of max_pool",
}

# The letters of the formulas; an operand not listed here goes by its own name.
_LETTERS = {
    "input": "x",
    "weight": "w",
    "bias": "b",
    "depthwise": "w",
    "pointwise": "v",
    "factors": "f",
    "values": "v",
    "logits": "z",
    "mean": r"\mu",
    "variance": r"\sigma^2",
    "scale": r"\gamma",
    "shift": r"\beta",
}


class SymbolicCall(NamedTuple):
    """A call on symbols: `operands` by name, absent optional ones left out, its `attributes` as
    they were given, and `output`, an object array of expressions.
    """

    operation: str
    operands: dict[str, Any]
    attributes: dict[str, Any]
    output: Array


def symbols(letter: str, shape: Shape, *, positive: bool | None = None) -> Array:
    """A real symbol for each element of an array, named as LaTeX writes it.

    >>> print(symbols("x", (2, 2)))
    [[x_{0,0} x_{0,1}]
     [x_{1,0} x_{1,1}]]
    """
    elements = numpy.empty(shape, dtype=object)
    for i in positions(shape):
        name = _element(letter, i)
        elements[i] = sympy.Symbol(name, real=True, positive=positive)
    return elements


def _element(letter: str, position: Shape) -> str:
    """A letter with its indices, which is the letter alone where there are none."""
    return f"{letter}_{{{','.join(map(str, position))}}}" if position else letter


def symbolic_call(operation: str, **call: Any) -> SymbolicCall:
    r"""An operation on symbols.

    An operand given as a tuple is a shape, and becomes an array of symbols in the letter of the
    formulas (`input` $x$, `weight` $w$, …); an operand given as an array or a list holds numbers,
    as labels, indices and a mask must.  A list of arrays is a list of either.  Attributes are those
    of the operation.  Raises `ValueError` for an operation without symbolic meaning, and whatever
    the definition raises.

    >>> call = symbolic_call("conv", input=(1, 1, 3), weight=(1, 1, 2))
    >>> print(call.output[0, 0, 0])
    w_{0,0,0}*x_{0,0,0} + w_{0,0,1}*x_{0,0,1}
    >>> print(symbolic_call("conv", input=(1, 1, 3), weight=[[[1, -1]]]).output)
    [[[x_{0,0,0} - x_{0,0,1} x_{0,0,1} - x_{0,0,2}]]]
    """
    row = OPERATIONS[word("operation", operation, tuple(OPERATIONS), shapes=_given(call))]
    if operation in WITHOUT_SYMBOLS:
        raise ValueError(f"{operation} has no symbolic meaning: {WITHOUT_SYMBOLS[operation]}")
    operands: dict[str, Any] = {}
    for name in row.operands:
        if name in row.lists and isinstance(call.get(name), list):
            operands[name] = [
                _operand(name, f"{_LETTERS[name]}^{{({axis})}}", one, discrete=False)
                for axis, one in enumerate(call[name])
            ]
        elif call.get(name) is not None:
            letter = _LETTERS.get(name, name)
            operands[name] = _operand(name, letter, call[name], discrete=name in row.discrete)
    attributes = {name: value for name, value in call.items() if name not in row.operands}
    output = numpy.asarray(row.definition(**operands, **attributes), dtype=object)
    return SymbolicCall(operation, operands, attributes, _expressions(output))


def _given(call: dict[str, Any]) -> str:
    return f"called with {', '.join(call) or 'nothing'}"


def _operand(name: str, letter: str, given: Any, *, discrete: bool) -> Array:
    """Symbols for a shape, numbers as they are."""
    if not isinstance(given, tuple):
        return array(name, given)
    if discrete:
        raise ValueError(
            f"{name}={given!r}: must be given as numbers, an array or a list; it selects, and "
            "what it selects must be known"
        )
    return symbols(letter, given, positive=True if name == "variance" else None)


def _expressions(values: Array) -> Array:
    """Every element as an expression of SymPy, numbers too."""
    expressions = numpy.empty(values.shape, dtype=object)
    for i in positions(values.shape):
        expressions[i] = sympy.sympify(values[i])
    return expressions


def jacobian(call: SymbolicCall, operand: str) -> Any:
    r"""The derivative of every output by every element of an operand,

    $$ J_{i,a} = \frac{\partial y_i}{\partial x_a}, $$

    as an object array of shape `(*output shape, *operand shape)`; for a list of arrays, a list of
    them.  Raises `ValueError` where the operand is not made of symbols.

    >>> call = symbolic_call("linear", input=(1, 2), weight=(1, 2))
    >>> print(jacobian(call, "weight"))
    [[[[x_{0,0} x_{0,1}]]]]
    """
    variables = _variables(call, operand)
    slopes = [_derivatives(call.output, one) for one in variables]
    return slopes if isinstance(call.operands[operand], list) else slopes[0]


def _derivatives(output: Array, variables: Array) -> Array:
    slopes = numpy.empty(output.shape + variables.shape, dtype=object)
    for i in positions(output.shape):
        for a in positions(variables.shape):
            slopes[i + a] = sympy.diff(output[i], variables[a])
    return slopes


def _variables(call: SymbolicCall, operand: str) -> list[Array]:
    """The arrays of an operand, all of symbols."""
    word("operand", operand, tuple(call.operands), shapes=f"a call of {call.operation}")
    value = call.operands[operand]
    if not all(isinstance(one, sympy.Symbol) for each in _arrays(value) for one in each.flat):
        raise ValueError(
            f"{operand} holds numbers: only symbols can be differentiated by; give its shape"
        )
    return _arrays(value)


def _arrays(operand: Any) -> list[Array]:
    """The arrays of an operand: those of a list, or the one there is."""
    return operand if isinstance(operand, list) else [operand]


def symbolic_vjp(call: SymbolicCall, cotangent: Any = None) -> tuple[Array, ...]:
    r"""The cotangent of each floating operand, by SymPy's derivative,

    $$ \bar x_a = \frac{\partial}{\partial x_a} \sum_i \bar y_i\, y_i, $$

    in the order of the operation's `_vjp`.  `cotangent` is an array of the output's shape, and
    symbols $\bar y$ where there is none.  Raises `ValueError` naming the argument.

    >>> call = symbolic_call("conv", input=(1, 1, 2), weight=(1, 1, 2))
    >>> d_input, d_weight = symbolic_vjp(call)
    >>> print(d_weight)
    [[[\bar{y}_{0,0,0}*x_{0,0,0} \bar{y}_{0,0,0}*x_{0,0,1}]]]
    """
    shape = call.output.shape
    if cotangent is None:
        g = symbols(r"\bar{y}", shape)
    else:
        g = array("cotangent", cotangent)
        check_shape("cotangent", g, shape, "the output shape", shapes=f"a {call.operation}")
        g = _expressions(g.astype(object))
    discrete = OPERATIONS[call.operation].discrete
    variables = [
        each
        for operand in call.operands
        if operand not in discrete
        for each in _variables(call, operand)
    ]
    return tuple(_pulled_back(g, call.output, each) for each in variables)


def _pulled_back(cotangent: Array, output: Array, variables: Array) -> Array:
    gradient = numpy.empty(variables.shape, dtype=object)
    for a in positions(variables.shape):
        by = variables[a]
        gradient[a] = sympy.Add(
            *(
                cotangent[i] * sympy.diff(output[i], by)
                for i in positions(output.shape)
                if output[i].has(by)
            )
        )
    return gradient


def latex_output(call: SymbolicCall, position: Shape) -> str:
    r"""One output element and the expression that defines it, in LaTeX, its terms in the order of
    the operands' elements.

    >>> call = symbolic_call("conv", input=(1, 1, 3), weight=(1, 1, 2), bias=(1,))
    >>> print(latex_output(call, (0, 0, 1)))
    y_{0,0,1} = w_{0,0,0} x_{0,0,1} + w_{0,0,1} x_{0,0,2} + b_{0}
    """
    expression = _in_order(call, _output(call, position))
    return f"{_element('y', position)} = {sympy.latex(expression, order='none')}"


def latex_values(call: SymbolicCall, position: Shape, **values: Any) -> str:
    r"""One output element, its defining expression filled in with numbers, and what it comes to.

    `values` holds an array for each operand made of symbols, a list of arrays for a list.  What is
    no rational number is given to six digits.  Raises `ValueError` or `TypeError` naming the
    argument.

    >>> call = symbolic_call("conv", input=(1, 1, 3), weight=(1, 1, 2))
    >>> print(latex_values(call, (0, 0, 1), input=[[[9, 4, 5]]], weight=[[[2, -1]]]))
    y_{0,0,1} = 2 \cdot 4 + \left(-1\right) \cdot 5 = 3
    """
    numbers = substitution(call, **values)
    expression = _output(call, position)
    written = {symbol: _written(number) for symbol, number in numbers.items()}
    filled = sympy.latex(
        _in_order(call, expression), order="none", symbol_names=written, mul_symbol="dot"
    )
    value = expression.xreplace(numbers)
    equals, shown = ("=", value) if value.is_Rational else (r"\approx", sympy.N(value, 6))
    return f"{_element('y', position)} = {filled} {equals} {sympy.latex(shown)}"


def substitution(call: SymbolicCall, **values: Any) -> dict[Any, Any]:
    """The number that each symbol of a call stands for, as `expression.xreplace` takes it.

    Integers and Fractions stay exact.  Raises `ValueError` or `TypeError` naming the argument.

    >>> call = symbolic_call("relu", input=(2,))
    >>> call.output[0].xreplace(substitution(call, input=[3, -4]))
    3
    """
    for name in values:
        word("operand", name, tuple(call.operands), shapes=f"a call of {call.operation}")
    numbers: dict[Any, Any] = {}
    for name, operand in call.operands.items():
        if name in values:
            numbers.update(_stands_for(name, operand, values[name]))
        elif any(isinstance(one, sympy.Symbol) for each in _arrays(operand) for one in each.flat):
            raise ValueError(
                f"{name} must be given: it is made of symbols in this {call.operation}"
            )
    return numbers


def _stands_for(name: str, operand: Any, value: Any) -> dict[Any, Any]:
    """The number of each symbol of one operand; its elements that are numbers must stay so."""
    if isinstance(operand, list):
        if not isinstance(value, list) or len(value) != len(operand):
            raise ValueError(f"{name}={value!r}: must be a list of {len(operand)} arrays")
        numbers: dict[Any, Any] = {}
        for axis, (one, its) in enumerate(zip(operand, value, strict=True)):
            numbers.update(_stands_for(f"{name}[{axis}]", one, its))
        return numbers
    given = array(name, value)
    check_shape(name, given, operand.shape, "that of the call", shapes=f"{name} is made of symbols")
    pairs = list(zip(operand.flat, given.astype(object).flat, strict=True))
    for one, number in pairs:
        if not isinstance(one, sympy.Symbol) and one != number:
            raise ValueError(f"{name} holds {number}: this call was made with {one} there")
    return {one: sympy.sympify(number) for one, number in pairs if isinstance(one, sympy.Symbol)}


def _output(call: SymbolicCall, position: Shape) -> Any:
    shape = call.output.shape
    inside = len(position) == len(shape) and all(
        0 <= i < n for i, n in zip(position, shape, strict=True)
    )
    if not inside:
        raise ValueError(f"position={position}: must be an index of the output, of shape {shape}")
    return call.output[position]


def _in_order(call: SymbolicCall, expression: Any) -> Any:
    """A sum with its terms in the order in which the operands hold their symbols, which SymPy,
    going by names, puts 10 before 2 and the bias first.
    """
    rank: dict[Any, int] = {}
    for operand in call.operands.values():
        for each in _arrays(operand):
            for one in each.flat:
                rank.setdefault(one, len(rank))

    def place(term: Any) -> list[int]:
        return sorted(rank[symbol] for symbol in term.free_symbols)

    terms = sorted(sympy.Add.make_args(expression), key=place)
    return sympy.Add(*terms, evaluate=False) if len(terms) > 1 else expression


def _written(number: Any) -> str:
    """A number as it stands in a product or a power."""
    text = str(sympy.latex(number))
    return text if number.is_Integer and number >= 0 else rf"\left({text}\right)"

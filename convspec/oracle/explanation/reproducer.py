"""A failing case as a Python program that anyone can run: literals, one call, one comparison.

It imports NumPy and the target, and ends with an AssertionError, or with what the target raises,
for as long as the target differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pprint import pformat
from textwrap import indent
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, grouped
from convspec.oracle.call import Callee, Unsupported, arguments
from convspec.oracle.judge import same_values
from convspec.oracle.layouts import as_text
from convspec.oracle.target import BUNDLED, SCHEMES, installed_targets

Expected = Array | Sequence[Array] | str

LINE = 76
# How often a call is made that is wrong now and then.
MANY = 1000


def reproducer(
    case: Case,
    target: str,
    expected: Expected,
    *,
    kind: str = "value",
    callee: Callee | None = None,
    bound: Array | Sequence[Array] | None = None,
    before: Sequence[Case] = (),
    after: Sequence[Case] = (),
) -> str:
    """Python text that calls `target` on `case` and fails unless the result is `expected`.

    Where `expected` is a `str`, the call must be refused, and it says why; of kind `mutates`, it
    must leave its arguments as they are.  `callee` is the function called, which rules how its
    arguments are passed: without it, operands by position and every attribute by keyword.  `bound`
    says how far each element may be off, where rounding is allowed; NaN equals NaN.  `before` and
    `after` are calls that are made as well; of kind `unstable`, where there are none, the call is
    made many times.

    >>> case = Case("relu", {"input": numpy.array([1.0, -0.5])}, {})
    >>> print(reproducer(case, "my_package.layers", numpy.array([1.0, 0.0])))
    import numpy
    <BLANKLINE>
    import my_package.layers as implementation
    <BLANKLINE>
    input = numpy.array([1.0, -0.5], dtype='float64')
    expected = (numpy.array([1.0, 0.0], dtype='float64'),)
    <BLANKLINE>
    actual = implementation.relu(input)
    actual = tuple(actual) if isinstance(actual, (tuple, list)) else (actual,)
    for e, a in zip(expected, map(numpy.asarray, actual), strict=True):
        print("expected:", e, "actual:", a, sep="\\n")
        assert a.shape == e.shape, f"shape {a.shape}, expected {e.shape}"
        assert a.dtype == e.dtype, f"dtype {a.dtype}, expected {e.dtype}"
        numpy.testing.assert_array_equal(a, e)
    <BLANKLINE>
    """
    operands = [f"{name} = {literal(array)}" for name, array in case.operands.items()]
    call = _call(case, _arguments(case, callee))
    if kind == "mutates":
        body = [*operands, *_unchanged(case, call)]
    elif isinstance(expected, str):
        body = [*operands, "", *_refusal(call, expected)]
    else:
        due, compare = _comparison(case, _several(expected), bound)
        if kind == "unstable" and not before and not after:
            made = _many_times(call, compare)
        else:
            first, last = (_others(calls, case, callee) for calls in (before, after))
            made = [*first, call, *last, *compare]
        body = [*operands, *due, "", *made]
    body = [*_implementation(target), "", *body]
    return "\n".join([*_imports("\n".join(body)), "", *body, ""])


def _call(case: Case, given: list[str]) -> str:
    """The call on one line where it fits, else one argument a line."""
    return f"actual = {_plain_call(case, given)}"


def _plain_call(case: Case, given: list[str]) -> str:
    line = f"implementation.{case.operation}({', '.join(given)})"
    if len(line) <= LINE - len("actual = "):
        return line
    return "\n".join([f"implementation.{case.operation}(", *(f"    {one}," for one in given), ")"])


def _others(others: Sequence[Case], case: Case, callee: Callee | None) -> list[str]:
    """Other calls, in terms of the operands of the case."""
    calls = []
    for other in others:
        names = {name: _in_terms_of(case, name, array) for name, array in other.operands.items()}
        calls.append(_plain_call(other, _arguments(other, callee, names)))
    return ["# Without the other calls, this one is right.", *calls] if calls else []


def _in_terms_of(case: Case, name: str, array: Array) -> str:
    """An operand of another call: that of the case, its double and one, or what it is."""
    own = case.operands[name]
    near = {name: own, f"2 * {name} + 1": 2 * own + 1}
    if own.ndim:
        near[f"{name}[:0]"] = own[:0]
    for text, value in near.items():
        if value.dtype == array.dtype and same_values(value, array):
            return text
    return literal(array)


def _arguments(
    case: Case, callee: Callee | None, names: Mapping[str, str] | None = None
) -> list[str]:
    """The arguments of the call as text, those by position first; `names` are the operands'."""
    keywords: Mapping[str, Any] = case.attributes
    if callee:
        given = arguments(callee, case.operation, case.operands, case.attributes)
        keywords = keywords if isinstance(given, Unsupported) else given[1]
    names = names or {name: name for name in case.operands}
    operands = grouped(case.operation, dict(names))
    placed = [_text(value) for name, value in operands.items() if name not in keywords]
    named = {name: _text(value) for name, value in operands.items() if name in keywords}
    named |= {name: repr(value) for name, value in keywords.items() if name not in named}
    return placed + [f"{name}={value}" for name, value in named.items()]


def _text(name: Any) -> str:
    """The name of an operand, or those of a list of them."""
    return f"[{', '.join(name)}]" if isinstance(name, list) else str(name)


def literal(array: Array) -> str:
    """An expression for an array: its exact values, its dtype, and how it lies in memory.

    >>> literal(numpy.array([[1.5, -numpy.inf]], dtype="float32"))
    "numpy.array([[1.5, -inf]], dtype='float32')"
    >>> literal(numpy.zeros((0, 3)))
    "numpy.zeros((0, 3), dtype='float64')"
    """
    dtype = array.dtype.name if array.dtype.isnative else array.dtype.str
    if array.size == 0:
        return f"numpy.zeros({array.shape}, dtype={dtype!r})"
    # Every floating dtype but the objects' own is exact as Python floats.
    values = (array.astype(numpy.float64) if array.dtype.kind == "V" else array).tolist()
    text = f"numpy.array({pformat(values, width=LINE, compact=True)}, dtype={dtype!r})"
    return as_text(array, text)


def _several(arrays: Array | Sequence[Array]) -> list[Array]:
    several = arrays if isinstance(arrays, tuple | list) else [arrays]
    return [numpy.asarray(array) for array in several]


def _literals(arrays: Sequence[Array]) -> str:
    return f"({', '.join(map(literal, arrays))},)"


def _implementation(target: str) -> list[str]:
    """Lines that bind `implementation`."""
    file = re.fullmatch(r"(.*\.py)(?::(.+))?", target)
    if file:
        holder = f"SimpleNamespace(**run_path({file[1]!r}))"
        return _made(f"{holder}.{file[2]}") if file[2] else [f"implementation = {holder}"]
    if _is_module(target):
        module, _, path = target.partition(":")
        if path:
            return [f"import {module}", "", *_made(f"{module}.{path}")]
        return [f"import {module} as implementation"]
    return ["from convspec.oracle import load", "", f"implementation = load({target!r})"]


def _is_module(target: str) -> bool:
    """Whether the target is imported by the name it has, rather than by convspec."""
    name = target.partition(":")[0]
    return name not in BUNDLED and name not in SCHEMES and name not in installed_targets()


def _made(expression: str) -> list[str]:
    """An object, or what a class makes without arguments."""
    return [
        f"implementation = {expression}",
        "if isinstance(implementation, type):",
        "    implementation = implementation()",
    ]


def _refusal(call: str, expected: str) -> list[str]:
    return [
        f"# expected: {' '.join(expected.split())}",
        "try:",
        indent(call, "    "),
        "except Exception as error:",
        '    print("refused:", repr(error))',
        "else:",
        '    print("actual:", actual, sep="\\n")',
        '    raise AssertionError("a bad argument was accepted")',
    ]


def _unchanged(case: Case, call: str) -> list[str]:
    """The call, and that the operands are what they were."""
    return [
        f"operands = {{{', '.join(f'{name!r}: {name}' for name in case.operands)}}}",
        "kept = {name: array.copy() for name, array in operands.items()}",
        "",
        call,
        "for name, array in operands.items():",
        '    print(f"{name} before:", kept[name], "after:", array, sep="\\n")',
        '    numpy.testing.assert_array_equal(array, kept[name], f"{name} was changed")',
    ]


def _many_times(call: str, compare: Sequence[str]) -> list[str]:
    """A call whose result is wrong now and then, or was after others that nobody knows."""
    told = [line for line in compare if "print(" not in line]
    once = "\n".join([call, *told])
    return [
        "# It was wrong, and right when it was made again: perhaps only now and then, or only",
        "# after other calls, so that this may pass although something is wrong.",
        f"for _ in range({MANY}):",
        indent(once, "    "),
    ]


def _comparison(
    case: Case, expected: Sequence[Array], bound: Array | Sequence[Array] | None
) -> tuple[list[str], list[str]]:
    """What is expected of `actual`, and the comparison."""
    allowed = [] if bound is None else _several(bound)
    bounds = [f"bounds = {_literals(allowed)}"] if any(b.any() for b in allowed) else []
    loop = "for e, a in zip(expected, map(numpy.asarray, actual), strict=True):"
    compare = ["    numpy.testing.assert_array_equal(a, e)"]
    if bounds:
        loop = "for e, a, b in zip(expected, map(numpy.asarray, actual), bounds, strict=True):"
        compare = [
            "    assert numpy.array_equal(numpy.isnan(a), numpy.isnan(e)), 'NaN elsewhere'",
            "    off = numpy.abs(numpy.subtract(a, e, dtype='float64'))",
            '    assert not (off > b).any(), f"off by {off.max()}, beyond the bound"',
        ]
    dtype = '    assert a.dtype == e.dtype, f"dtype {a.dtype}, expected {e.dtype}"'
    return [f"expected = {_literals(expected)}", *bounds], [
        "actual = tuple(actual) if isinstance(actual, (tuple, list)) else (actual,)",
        loop,
        '    print("expected:", e, "actual:", a, sep="\\n")',
        '    assert a.shape == e.shape, f"shape {a.shape}, expected {e.shape}"',
        *([dtype] if _dtype_is_ruled(case, expected) else []),
        *compare,
    ]


def _dtype_is_ruled(case: Case, expected: Sequence[Array]) -> bool:
    """Floating operands rule the dtype; expected values may be held in a wider one."""
    floats = [a for a in case.operands.values() if a.dtype.kind in "fV"]
    dtype = numpy.result_type(*(floats or case.operands.values()))
    return dtype.kind == "f" and all(e.dtype == dtype for e in expected)


def _imports(body: str) -> list[str]:
    """The imports that the rest of the program needs."""
    needed = {
        "from fractions import Fraction": "Fraction(",
        "from runpy import run_path": "run_path(",
        "from types import SimpleNamespace": "SimpleNamespace(",
        "import ml_dtypes": "dtype='bfloat16'",
    }
    lines = [line for line, sign in needed.items() if sign in body]
    special = [name for name in ("inf", "nan") if re.search(rf"[\[ -]{name}[,\]]", body)]
    return [*lines, "import numpy"] + (
        [f"from numpy import {', '.join(special)}"] if special else []
    )

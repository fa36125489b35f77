"""A call as words on the command line: `conv input=1,1,5 weight=1,1,3 stride=2 padding=1:0`."""

from __future__ import annotations

import re
from typing import Any

import click

SYNTAX = (
    "An operand is given by its shape, 1,1,5,5 (shapes of a list apart by /), an attribute by its "
    "value: 2; 2,1 for two axes; 1:2 for low and high padding; a word; true or false."
)


def case_of(operation: str, words: tuple[str, ...]) -> Any:
    """The case that an operation and `NAME=VALUE` words describe, its operands counted through.

    Raises `click.UsageError` of one line where there is none.

    >>> case = case_of("conv", ("input=1,1,3", "weight=1,1,2", "padding=1:0"))
    >>> case.operands["input"].tolist(), case.attributes["padding"]
    ([[[1.0, 2.0, 3.0]]], ((1, 0),))
    """
    from convspec.case import Case, attribute_defaults, normalised
    from convspec.operations import OPERATIONS
    from convspec.oracle.recorded.stored import StoredError, checked_case

    if operation not in OPERATIONS:
        raise click.UsageError(f"{operation}: must be one of {', '.join(OPERATIONS)}")
    row = OPERATIONS[operation]
    given = dict(_named(word) for word in words)
    known = (*row.operands, *attribute_defaults(operation))
    for name in given:
        if name not in known:
            raise click.UsageError(f"{name}: {operation} takes {', '.join(known)}")
    missing = [name for name in row.operands if name not in given and name not in row.optional]
    if missing:
        raise click.UsageError(f"{operation} needs {missing[0]}=SHAPE, such as {missing[0]}=1,1,5")
    shapes = {name: _shape(name, given[name]) for name in row.operands if name in given}
    operands = {name: _counted(name, shape, row.discrete) for name, shape in shapes.items()}
    attributes = {name: _value(text) for name, text in given.items() if name not in operands}
    try:
        checked_case(operation, operands, attributes, operation)
        case = Case(operation, operands, normalised(operation, shapes, attributes))
        row.definition(*operands.values(), **case.attributes)
    except (StoredError, TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    return case


def spatial_words(operation: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Words in which sizes of space given by `--input 5x5 --kernel 3x3`, and attributes given
    likewise, are in the place where `case_of` looks for them: there is one item and one channel.

    >>> spatial_words("conv", ("--input", "5x5", "--kernel=3x3", "--stride", "2"))
    ('input=1,1,5,5', 'weight=1,1,3,3', 'stride=2')
    >>> spatial_words("max_pool", ("--input", "6", "--kernel", "2", "ceil_mode=true"))
    ('input=1,1,6', 'kernel_size=2', 'ceil_mode=true')
    """
    found = []
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            found.append(word)
            continue
        name, sign, value = word.removeprefix("--").partition("=")
        if not sign:
            if not left:
                raise click.UsageError(f"{word} needs a value")
            value = left.pop(0)
        found.append(
            _spatial(operation, name.replace("-", "_"), re.sub(r"(?<=\d)x(?=\d)", ",", value))
        )
    return tuple(found)


def _spatial(operation: str, name: str, value: str) -> str:
    from convspec.operations import OPERATIONS

    weighted = operation in OPERATIONS and "weight" in OPERATIONS[operation].operands
    if name == "kernel":
        return f"weight=1,1,{value}" if weighted else f"kernel_size={value}"
    return f"input=1,1,{value}" if name == "input" else f"{name}={value}"


def _named(word: str) -> tuple[str, str]:
    name, sign, value = word.partition("=")
    if not sign or not value:
        raise click.UsageError(f"{word!r}: must be NAME=VALUE. {SYNTAX}")
    return name, value


def _shape(name: str, text: str) -> Any:
    """A shape, or a list of them."""
    shapes = [_sizes(name, part) for part in text.split("/")]
    return shapes if name == "factors" else shapes[0]


def _sizes(name: str, text: str) -> tuple[int, ...]:
    sizes = text.split(",")
    if not all(size.isascii() and size.isdecimal() and len(size) < 10 for size in sizes):
        raise click.UsageError(f"{name}={text}: must be a shape, such as 1,1,5,5")
    return tuple(map(int, sizes))


def _counted(name: str, shape: Any, discrete: tuple[str, ...]) -> Any:
    """An array of 1, 2, 3, …; of zeros where it holds indices or labels, of ones for a mask."""
    import numpy

    if isinstance(shape, list):
        return [_counted(name, each, discrete) for each in shape]
    size = 1
    for length in shape:
        size *= length
    if size > 2**16:
        raise click.UsageError(f"{name}: {size} elements are too many to show")
    if name in discrete:
        return numpy.full(shape, int(name == "mask"))
    return numpy.arange(1.0, size + 1).reshape(shape)


def _value(text: str) -> Any:
    """The value of an attribute.

    >>> _value("2"), _value("2,1"), _value("1:2,0:1"), _value("same_upper"), _value("true")
    (2, (2, 1), ((1, 2), (0, 1)), 'same_upper', True)
    """
    if "," in text:
        return tuple(_entry(part) for part in text.split(","))
    return (_entry(text),) if ":" in text else _entry(text)


def _entry(text: str) -> Any:
    if ":" in text:
        return tuple(_entry(part) for part in text.split(":"))
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def element_of(case: Any, text: str | None) -> tuple[int, ...]:
    """The output element that is meant: by default the one in the middle."""
    import numpy

    from convspec.operations import OPERATIONS

    outputs = OPERATIONS[case.operation].definition(*case.operands.values(), **case.attributes)
    first = outputs[0] if isinstance(outputs, tuple) else outputs
    shape = numpy.shape(first)
    if text is None:
        return tuple(
            0 if axis < len(shape) - _rank(case) else n // 2 for axis, n in enumerate(shape)
        )
    index = _sizes("--element", text) if text else ()
    if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
        raise click.UsageError(
            f"--element {text}: must be an index of the output, of shape {shape}"
        )
    return index


def _rank(case: Any) -> int:
    first = next(iter(case.operands.values()))
    dimensions = int(first.ndim)
    return dimensions if case.operation in ("convolve", "correlate") else max(0, dimensions - 2)

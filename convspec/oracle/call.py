"""Calling an implementation: which function, with which keywords, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from inspect import Parameter, signature
from time import perf_counter
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, flat, forward_name, grouped
from convspec.operations import OPERATIONS

# Kinds of a call that did not come back, and after how many an operation is called no more.
ENDINGS = {"crash": 8, "hang": 2}
# More than any case of the oracle calls for.
MOST_BYTES = 2**30

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class CrashError(Exception):
    """The process that was to compute ended or hung; `kind` is `crash` or `hang`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Crash(NamedTuple):
    """A call that did not come back."""

    kind: str
    message: str
    case: Case


class Callee(NamedTuple):
    """A function of an implementation and what its signature admits.

    `keywords` is None where any keyword is taken (or the signature cannot be read);
    `positional` lists the names of its positional parameters, None where any number is taken.
    `crashes` collects the calls that did not come back.
    """

    function: Callable[..., Any]
    keywords: frozenset[str] | None
    positional: tuple[str, ...] | None
    crashes: list[Crash]


class Returned(NamedTuple):
    """Outputs of a call, as arrays."""

    outputs: tuple[Array, ...]


class Unsupported(NamedTuple):
    """The implementation does not offer this call, and why."""

    reason: str


class Failed(NamedTuple):
    """The call raised, or returned too many arrays, too few, or what is none: a kind of difference,
    its story, and the arrays there are.
    """

    kind: str
    message: str
    outputs: tuple[Array, ...] | None = None


Outcome = Returned | Unsupported | Failed

# The outcome of a call that did not come back; what is known about it is in `Callee.crashes`.
CRASHED = Unsupported("the call did not come back")

# The default of every attribute that has one, is not 0 and is the same on every axis.
_DEFAULTS = {"groups": 1, "mode": "full", "p": 2, "kind": "nearest", "axis": 1}
_DEFAULTS |= {"coordinates": "half_pixel"}


def attribute(implementation: Any, name: str) -> Any:
    """An attribute of an implementation; None where it has none, or raises when it is asked."""
    try:
        return getattr(implementation, name, None)
    except Exception:  # whatever the implementation's own code raises
        return None


def callee(implementation: Any, operation: str) -> Callee | None:
    """The function of `implementation` for an operation, or None if it has none."""
    function = attribute(implementation, operation)
    if not callable(function):
        return None
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return Callee(function, None, None, [])
    kinds = {parameter.kind for parameter in parameters}
    keywords = frozenset(p.name for p in parameters if p.kind is not Parameter.POSITIONAL_ONLY)
    positional = tuple(p.name for p in parameters if p.kind in _POSITIONAL)
    return Callee(
        function,
        None if Parameter.VAR_KEYWORD in kinds else keywords,
        None if Parameter.VAR_POSITIONAL in kinds else positional,
        [],
    )


def _is_default(name: str, value: Any, attributes: dict[str, Any]) -> bool:
    """Whether a normalised attribute has its default value."""
    if name in ("stride", "dilation"):
        default = (
            attributes["kernel_size"]
            if (name == "stride" and "kernel_size" in attributes)
            else (1,) * len(value)
        )
        return bool(value == default)
    if name == "padding":
        return all(pair == (0, 0) for pair in value)
    if name == "output_padding":
        return not any(value)
    return bool(value == _DEFAULTS.get(name, False))


def arguments(
    target: Callee, operation: str, operands: dict[str, Array], attributes: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | Unsupported:
    """Positional and keyword arguments of a call, or why it cannot be made.

    Operands go by position, an optional one only where the signature has a place for it;
    attributes go by keyword, and one at its default is left out where the signature lacks it.
    """
    row = OPERATIONS[forward_name(operation)]
    optional, operands = row.optional, grouped(operation, operands) if row.lists else operands
    placed, keywords = list(operands.values()), dict(attributes)
    for index, name in enumerate(operands):
        if name not in optional:
            continue
        place = target.positional
        if place is None or (index < len(place) and place[index] not in attributes):
            continue
        if target.keywords is not None and name not in target.keywords:
            return Unsupported(f"{name} is not taken")
        keywords[name] = placed.pop(index)
    if target.positional is not None and len(placed) > len(target.positional):
        return Unsupported(f"{len(placed)} operands are not taken")
    if target.keywords is not None:
        for name, value in attributes.items():
            if name in target.keywords:
                continue
            if not _is_default(name, value, attributes):
                return Unsupported(f"{name} is not taken")
            del keywords[name]
    return tuple(placed), keywords


def copied(operand: Any) -> Any:
    """A copy of an array, or of every array of a list, in C order."""
    return [part.copy() for part in operand] if isinstance(operand, list) else operand.copy()


def copies(operands: dict[str, Any]) -> dict[str, Any]:
    """Operands of their own memory: what a call does to them touches nobody else."""
    return {name: copied(operand) for name, operand in operands.items()}


def output_count(operation: str, operands: dict[str, Array]) -> int:
    """How many outputs an operation returns for these operands; each of a list counts."""
    row = OPERATIONS[forward_name(operation)]
    return len(flat(operands).keys() - row.discrete) - 1 if operation != row.name else row.outputs


def as_outputs(operation: str, result: Any, count: int) -> Outcome:
    """What a function returned, as arrays of numbers."""
    several = count > 1 or operation.endswith("_vjp")
    if several and not isinstance(result, tuple | list):
        return Failed("shape", f"returned no tuple where {count} {_are(count)} due")
    parts = tuple(result) if several else (result,)
    outputs = []
    for part in parts:
        try:
            output = numpy.asarray(part)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an implementation may return anything at all
            return Failed("shape", f"returned no array: {type(error).__name__}: {told(error)}")
        if output.dtype.kind not in "iufV" or (output.dtype.kind == "V" and output.dtype.names):
            shown = told(part, repr)
            shown = shown if len(shown) < 60 else f"an array of {output.dtype}"
            return Failed("dtype", f"returned {shown}, which holds no real numbers")
        if output.nbytes > MOST_BYTES:  # a view may claim more than there is memory
            return Failed("shape", f"returned an array of shape {output.shape}, far too large")
        outputs.append(output)
    if len(outputs) != count and several:
        message = f"returned {len(outputs)} outputs where {count} {_are(count)} due"
        return Failed("shape", message, tuple(outputs))
    return Returned(tuple(outputs))


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def told(thing: Any, tell: Callable[[Any], str] = str) -> str:
    """What something of an implementation's own says of itself, if it can.

    What moves a terminal's cursor, or has no place in a file, is written as its escape.

    >>> told("no \\x1b[2J"), told(1.5)
    ('no \\\\x1b[2J', '1.5')
    """
    try:
        return "\n".join(map(_shown, tell(thing).split("\n")))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the implementation's own code raises
        return f"its text cannot be had, {type(error).__name__}"


def _shown(line: str) -> str:
    """A line as it is, or with escapes; almost all are looked at once and not letter by letter."""
    return (
        line
        if line.isprintable()
        else "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)
    )


def call(
    target: Callee, operation: str, operands: dict[str, Array], attributes: dict[str, Any]
) -> Outcome:
    """One call from beginning to end."""
    case = Case(operation, operands, attributes)
    given = worn_out(target) or arguments(target, *case)
    if isinstance(given, Unsupported):
        return given
    return attempt(target, case, *given, output_count(operation, operands))[0]


def attempt(
    target: Callee, case: Case, placed: tuple[Any, ...], keywords: dict[str, Any], count: int
) -> tuple[Outcome, float]:
    """A call with arguments at hand, and the seconds that the function took to return."""
    seconds = 0.0
    begun = perf_counter()
    try:
        result = target.function(*placed, **keywords)
        seconds = perf_counter() - begun
        outcome = as_outputs(case.operation, result, count)
    except CrashError as error:
        outcome = crashed(target, case, error)
    except KeyboardInterrupt:  # whoever watches the check ends it
        raise
    except BaseException as error:  # whatever else it raises on a valid case is a difference
        outcome = raised(error, keywords)
    return outcome, seconds


def crashed(target: Callee, case: Case, error: CrashError) -> Unsupported:
    """Remember a call that did not come back; for everybody else it is no observation."""
    target.crashes.append(Crash(error.kind, str(error), case))
    return CRASHED


def worn_out(target: Callee) -> Unsupported | None:
    """Why an operation is called no more, if so many of its calls did not come back."""
    for kind, most in ENDINGS.items():
        if sum(crash.kind == kind for crash in target.crashes) >= most:
            return Unsupported(f"called no more after {most} calls ended in a {kind}")
    return None


def raised(error: BaseException, keywords: Collection[str]) -> Failed | Unsupported:
    """What an exception on a valid case means: a refusal in so many words, or of one of the
    `keywords` passed, is unsupported; anything else, an attempt to leave the process included, is
    a difference.
    """
    if isinstance(error, NotImplementedError):
        return Unsupported(told(error) or "NotImplementedError")
    text = told(error)
    untaken = isinstance(error, TypeError) and "unexpected keyword argument" in text
    if untaken and any(f"'{name}'" in text for name in keywords):
        return Unsupported(text)
    return Failed("raises", f"{type(error).__name__}: {text}"[:500])

"""Exercises that ask for a law: graded by the mistakes of the catalogue that it notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy

import convspec.fast
from convspec.learn.cases import cases
from convspec.learn.laws import LAWS, Law, plainly
from convspec.learn.misconceptions import called
from convspec.learn.outcome import Missing, Outcome, Right, Wrong
from convspec.learn.step import Step
from convspec.learn.unlikely import UNLIKELY
from convspec.oracle.call import Callee, Unsupported, callee, raised
from convspec.oracle.deviations import DEVIATIONS, Deviation

DRAWS = 32
LONGEST = 400

Arguments = tuple[Any, ...]
Functions = tuple[Callable[..., Any], ...]


class UnfitError(Exception):
    """A learner's function returned what is neither true nor false."""


def attempt(step: Step, implementation: Any, watch: Callable[[Callee], Callee]) -> Outcome:
    """What trying a law on right and on wrong functions comes to."""
    target = callee(implementation, step.function)
    if target is None:
        return Missing(f"there is no function {step.function} yet")
    function, law = watch(target).function, LAWS[step.function]
    draws, right = drawn(step, law), right_functions(law)
    try:
        for arguments in draws:
            if not _holds(function, right, arguments):
                return _refuses(step, law, function, draws, arguments)
    except UnfitError as error:
        return Wrong("shape", "", None, "", None, str(error))
    except Exception as error:  # whatever a learner's function raises is told
        outcome = raised(error, ())
        if isinstance(outcome, Unsupported):
            return Missing(outcome.reason)
        said = f"With a right {law.operations[-1]}, it raises {outcome.message}"
        return Wrong("raises", "", None, "", None, said)
    return _graded(step, law, function, draws)


def drawn(step: Step, law: Law) -> list[Arguments]:
    """What a law is tried on, always the same, the smallest first."""
    rng = numpy.random.default_rng(0)
    return [law.arguments(c, rng) for c in cases(step._replace(function=law.drawn), DRAWS)]


def right_functions(law: Law) -> Functions:
    """Right implementations of what a law is about."""
    return tuple(plainly(getattr(convspec.fast, name), name) for name in law.operations)


def noticeable(law: Law, draws: Sequence[Arguments]) -> Iterator[tuple[Deviation, Functions]]:
    """The mistakes that the law itself notices on these arguments, with the wrong functions."""
    operation = law.operations[-1]
    for deviation in DEVIATIONS.values():
        if operation not in deviation.operations or deviation in UNLIKELY:
            continue
        wrong = plainly(deviation.edit(convspec.fast, operation), operation)
        functions = (*right_functions(law)[:-1], wrong)
        if not _holds_everywhere(law.holds, functions, draws):
            yield deviation, functions


def _holds(function: Callable[..., Any], functions: Functions, arguments: Arguments) -> bool:
    """What a law says of some functions; one that asserts and returns nothing may say so too."""
    own = [a.copy() if isinstance(a, numpy.ndarray) else a for a in arguments]
    try:
        said = function(*functions, *own)
    except AssertionError:
        return False
    if said is not None and not isinstance(said, bool | numpy.bool):
        raise UnfitError(
            f"It returns {type(said).__name__} where True or False is due. Two arrays are compared "
            f"by numpy.array_equal, or by (left == right).all()."
        )
    return said is None or bool(said)


def _holds_everywhere(
    function: Callable[..., Any], functions: Functions, draws: Sequence[Arguments]
) -> bool:
    try:
        return all(_holds(function, functions, arguments) for arguments in draws)
    except Exception:  # wrong shapes do not even compare: that is noticed, too
        return False


def _refuses(
    step: Step,
    law: Law,
    function: Callable[..., Any],
    draws: Sequence[Arguments],
    arguments: Arguments,
) -> Wrong:
    """A law that is false, and what is believed where it would be true."""
    known = None
    if law.believed is not None and _holds_everywhere(function, law.believed[1], draws):
        known = called(law.believed[0])
    _holds(function, right_functions(law), arguments)  # once more, for what it prints
    return Wrong("law", "", None, "", known, _shown(step, law, arguments))


def _graded(
    step: Step, law: Law, function: Callable[..., Any], draws: Sequence[Arguments]
) -> Outcome:
    mistakes = list(noticeable(law, draws))
    missed = [
        (deviation, functions)
        for deviation, functions in mistakes
        if _holds_everywhere(function, functions, draws)
    ]
    noticed = f"{len(mistakes) - len(missed)} of {len(mistakes)} mistakes are noticed"
    if not missed:
        return Right(noticed)
    deviation, functions = missed[0]
    shown = next(a for a in draws if not _holds_everywhere(law.holds, functions, [a]))
    picture = _shown(step, law, shown)
    return Wrong("unnoticed", noticed, deviation.name, deviation.sentence, None, picture)


def _shown(step: Step, law: Law, arguments: Arguments) -> str:
    """The arguments of a call by the names that the step's signature gives them."""
    listed = step.signature.partition("(")[2].partition(")")[0].split(", ")
    names = listed[len(law.operations) :]
    lines = []
    for name, value in zip(names, arguments, strict=True):
        text = repr(value.tolist() if isinstance(value, numpy.ndarray) else value)
        lines.append(f"{name} = {text if len(text) <= LONGEST else text[:LONGEST] + '...'}")
    return "\n".join(lines)

"""Exercises in the arithmetic of windows: functions of integers, judged by `convspec.window`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from convspec.draw.grid import Cell, Slice, block, side_by_side
from convspec.learn.misconceptions import called
from convspec.learn.outcome import Missing, Outcome, Right, Wrong
from convspec.learn.step import Step
from convspec.oracle.call import Callee, Unsupported, callee, raised
from convspec.window import Window, receptive_field, resolve_padding

Pair = tuple[int, int]


class Answer(NamedTuple):
    """A call by its arguments, what is right, and what the learner's function returned."""

    arguments: tuple[Any, ...]
    right: Pair
    given: Pair


class Exercise(NamedTuple):
    """What is right, what it is tried on (the simplest first), which misconception all of the
    answers together show, if any, and how a wrong one is drawn.
    """

    right: Callable[..., Pair]
    calls: Callable[[], Iterator[tuple[Any, ...]]]
    believed: Callable[[Sequence[Answer]], str | None]
    drawn: Callable[[Answer], list[str]]


def attempt(step: Step, implementation: Any, watch: Callable[[Callee], Callee]) -> Outcome:
    """What trying a function of integers comes to."""
    exercise = EXERCISES[step.function]
    target = callee(implementation, step.function)
    if target is None:
        return Missing(f"there is no function {step.function} yet")
    function = watch(target).function
    answers = []
    for arguments in exercise.calls():
        right = exercise.right(*arguments)
        try:
            given = function(*arguments)
        except Exception as error:  # whatever a learner's function raises is told
            outcome = raised(error, ())
            if isinstance(outcome, Unsupported):
                return Missing(outcome.reason)
            return _refused(step, arguments, right, outcome.message, "raises")
        pair = _pair(given)
        if pair is None:
            return _refused(step, arguments, right, repr(given)[:200], "shape")
        answers.append(Answer(arguments, right, pair))
    return _judged(step, exercise, answers)


def _pair(given: Any) -> Pair | None:
    """Two integers, whatever holds them."""
    try:
        low, high = given
        whole = (int(low), int(high))
    except (TypeError, ValueError):
        return None
    return whole if whole == (low, high) else None


def _shown(step: Step, arguments: tuple[Any, ...]) -> str:
    return f"{step.function}({', '.join(map(repr, arguments))})"


def _refused(step: Step, arguments: tuple[Any, ...], right: Pair, said: str, kind: str) -> Wrong:
    picture = f"{_shown(step, arguments)}\n\nexpected: {right}\nyours: {said}"
    return Wrong(kind, "in the first call that was tried", None, "", None, picture)


def _judged(step: Step, exercise: Exercise, answers: list[Answer]) -> Outcome:
    wrong = [answer for answer in answers if answer.given != answer.right]
    if not wrong:
        return Right(f"{len(answers)} calls")
    name = exercise.believed(answers)
    first = wrong[0]
    lines = [
        _shown(step, first.arguments),
        "",
        f"expected: {first.right}",
        f"yours: {first.given}",
        *exercise.drawn(first),
    ]
    often = f"in {len(wrong)} of {len(answers)} calls"
    return Wrong("value", often, None, "", called(name) if name else None, "\n".join(lines))


def _same_right(size: int, kernel: int, stride: int) -> Pair:
    return resolve_padding("same_upper", size, Window(kernel, stride))


def _same_calls() -> Iterator[tuple[int, int, int]]:
    yield from sorted(product(range(1, 9), range(1, 6), range(1, 4)), key=sum)


def _same_believed(answers: Sequence[Answer]) -> str | None:
    symmetric = all(low == high for low, high in (answer.given for answer in answers))
    return "SAME as symmetric everywhere" if symmetric else None


def _field_right(layers: list[tuple[int, int, int]], index: int) -> Pair:
    size, jump, start = receptive_field([Window(k, s, p, p) for k, s, p in layers])
    first = start + index * jump
    return first, first + size - 1


def _field_calls() -> Iterator[tuple[list[tuple[int, int, int]], int]]:
    one = [(k, s, p) for k in (1, 2, 3, 5) for s in (1, 2, 3) for p in (0, 1, 2) if p < k]
    stacks = [[layer] for layer in one] + [[a, b] for a in one[::3] for b in one[::2]]
    stacks += [[(3, 1, 0)] * 3, [(3, 2, 1)] * 4, [(7, 2, 3), (3, 2, 1), (3, 1, 1)]]
    yield from ((stack, index) for index in (0, 1, 3) for stack in stacks)


def _field_believed(answers: Sequence[Answer]) -> str | None:
    """Whether every field is as large as it should be, and only some lie elsewhere."""
    right = all(
        answer.given[1] - answer.given[0] == answer.right[1] - answer.right[0] for answer in answers
    )
    return "receptive field centre" if right else None


def _field_drawn(answer: Answer) -> list[str]:
    """The input's positions on a line, and in brackets what is read of them."""
    fields = {"expected": answer.right, "yours": answer.given}
    ends = [end for field in fields.values() for end in field]
    if max(ends) - min(ends) > 20:
        return []
    positions = range(min(ends) - 1, max(ends) + 2)
    blocks = [
        block(Slice(name, [[Cell(str(a), first <= a <= last) for a in positions]], ""))
        for name, (first, last) in fields.items()
    ]
    rows = [line for each in blocks for line in side_by_side([each], 0)]
    return ["", "Input positions, in brackets those that are read:", "", *rows]


EXERCISES = {
    "same_padding": Exercise(_same_right, _same_calls, _same_believed, lambda _: []),
    "receptive_field": Exercise(_field_right, _field_calls, _field_believed, _field_drawn),
}

"""Behaviour: repeatable, indifferent to memory layout, and strict with bad arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle.call import (
    CRASHED,
    Callee,
    Failed,
    Outcome,
    Returned,
    Unsupported,
    arguments,
    call,
)
from convspec.oracle.judge import judge, same_values
from convspec.oracle.runner import Finding
from convspec.oracle.shrink import smallest
from convspec.oracle.trials.trial import Trial

# How often a bad argument that is accepted is tried on a smaller case.
SMALLER_ACCEPTED = 300


def layouts(array: Array) -> Iterator[tuple[str, Array]]:
    """The same values in other memory layouts, each with its name."""
    if not array.ndim:  # one number has one layout
        return
    yield "in Fortran order", numpy.asfortranarray(array)
    reversed_twice = numpy.flip(numpy.flip(array).copy())
    yield "with negative strides", reversed_twice
    spaced = numpy.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
    spaced[..., 1::2] = array
    yield "as a strided slice with an offset", spaced[..., 1::2]
    if array.ndim > 1:
        yield "transposed", numpy.ascontiguousarray(array.swapaxes(0, -1)).swapaxes(0, -1)


def layout_findings(
    target: Callee, cases: list[Case], right_of: Callable[[Case], Trial]
) -> tuple[int, list[Finding]]:
    """Views give what the spec gives: for each operand, and for all of them at once."""
    judged, findings = 0, []
    for case in cases:
        first = next(iter(case.operands.values()))
        right = right_of(case)
        for name, operands in _viewed(case.operands):
            outcome = call(target, case.operation, operands, case.attributes)
            if isinstance(outcome, Unsupported):
                continue
            judged += 1
            viewed = case._replace(operands=operands)
            if not isinstance(outcome, Returned):
                message, actual = f"{name}: {outcome.message}", None
            else:
                verdict = judge(outcome.outputs, right.expected, right.slack, first.dtype)
                if verdict is None:
                    continue
                message, actual = f"{name}: {verdict.message}", outcome.outputs
            findings.append(Finding("layout", message, viewed, actual, right.expected, right.slack))
    return judged, findings


def _copies(operands: dict[str, Array]) -> dict[str, Array]:
    return {name: array.copy(order="C") for name, array in operands.items()}


def _copied(outputs: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(output.copy() for output in outputs)


def _viewed(operands: dict[str, Array]) -> Iterator[tuple[str, dict[str, Array]]]:
    for name, array in operands.items():
        for layout, view in layouts(array):
            yield f"{name} {layout}", {**_copies(operands), name: view}
    together = {
        name: list(layouts(array))[2][1] if array.ndim else array
        for name, array in operands.items()
    }
    yield "every operand as a strided slice", together


def _same(first: tuple[Array, ...], second: tuple[Array, ...]) -> bool:
    return len(first) == len(second) and all(
        same_values(a, b) for a, b in zip(first, second, strict=True)
    )


def repeat_findings(target: Callee, cases: list[Case]) -> tuple[int, list[Finding]]:
    """The same call gives the same result, whatever was called in between, and keeps it.

    Calls that differ in one attribute alone come in between, as well as an empty batch: a stale
    cache shows there.
    """
    judged, findings = 0, []
    for case in cases:
        first = call(target, case.operation, _copies(case.operands), case.attributes)
        if not isinstance(first, Returned):
            continue
        kept = _copied(first.outputs)
        for other in interruptions(case):
            call(target, case.operation, _copies(other.operands), other.attributes)
        overwritten = None if _same(first.outputs, kept) else _copied(first.outputs)
        again = call(target, case.operation, _copies(case.operands), case.attributes)
        judged += 1
        if overwritten is not None:
            message = "a result changed after it was returned, when another call was made"
            findings.append(Finding("unstable", message, case, overwritten, kept, None))
        elif not isinstance(again, Returned) or not _same(again.outputs, kept):
            actual = again.outputs if isinstance(again, Returned) else None
            message = "the same call gave another result the second time"
            findings.append(Finding("unstable", message, case, actual, kept, None))
    return judged, findings


def empty_batch_findings(
    target: Callee, cases: list[Case], right_of: Callable[[Case], Trial]
) -> tuple[int, list[Finding]]:
    """An empty batch after one that is not gives an empty result, and not the last one again.

    Whether an empty batch is accepted at all is an open point.
    """
    judged, findings = 0, []
    for case in cases:
        if "input" not in case.operands:
            continue
        call(target, case.operation, _copies(case.operands), case.attributes)
        batched = ("cotangent", "input", "mask")
        operands = {n: a[:0] if n in batched else a for n, a in case.operands.items()}
        empty = case._replace(operands=operands)
        outcome = call(target, case.operation, _copies(operands), case.attributes)
        if not isinstance(outcome, Returned):
            continue
        judged += 1
        right = right_of(empty)
        dtype = case.operands["input"].dtype
        verdict = judge(outcome.outputs, right.expected, right.slack, dtype)
        if verdict is not None:
            message = f"for an empty batch, after another call: {verdict.message}"
            findings.append(
                Finding("unstable", message, empty, outcome.outputs, right.expected, None)
            )
    return judged, findings


def interruptions(case: Case) -> Iterator[Case]:
    """Valid calls that resemble a case: other numbers, and one attribute changed."""
    changed = {name: array + 1 for name, array in case.operands.items()}
    yield case._replace(operands=changed)
    row = OPERATIONS[forward_name(case.operation)]
    given = {n: a.shape for n, a in case.operands.items() if n != "cotangent"}
    shapes = grouped(case.operation, given).values()
    for name, value in case.attributes.items():
        for other in _others(value):
            attributes = {**case.attributes, name: other}
            try:
                shape = row.shape(*shapes, **attributes)
            except (TypeError, ValueError):
                continue
            operands = dict(case.operands)
            if "cotangent" in operands:
                operands["cotangent"] = numpy.resize(operands["cotangent"], shape)
            yield Case(case.operation, operands, attributes)


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, tuple) and value and isinstance(value[0], int):
        yield tuple(entry + 1 for entry in value)
    elif isinstance(value, tuple):
        yield tuple((low + 1, high + 1) for low, high in value)


# What is wrong with a call: how to spoil a valid case, and what the argument is.
Spoil = Callable[[Case], Case | None]


def _attribute(name: str, value: Callable[[Case], Any]) -> Spoil:
    def spoil(case: Case) -> Case | None:
        if name not in attribute_defaults(case.operation):
            return None
        return case._replace(attributes={**case.attributes, name: value(case)})

    return spoil


def _operand(name: str, change: Callable[[Array], Array]) -> Spoil:
    def spoil(case: Case) -> Case | None:
        array = case.operands.get(name)
        if array is None or (array.ndim == 0 and name == "cotangent"):
            return None
        return case._replace(operands={**case.operands, name: change(array)})

    return spoil


def _all(name: str, value: Any) -> Callable[[Case], Any]:
    return lambda case: tuple(value for _ in case.attributes[name])


def _longer(axis: int) -> Callable[[Array], Array]:
    return lambda array: numpy.concatenate([array, array.take([0], axis)], axis)


def _wide_weight(case: Case) -> Case | None:
    """Of a penalty any shape is right."""
    name = forward_name(case.operation)
    return None if name == "l2_penalty" else _operand("weight", _longer(1))(case)


def _indivisible(case: Case) -> Any:
    return tuple(case.operands["input"].shape[1] + 1 for _ in case.attributes["factor"])


def _one_factor_more(case: Case) -> Case | None:
    factors = [name for name in case.operands if name.startswith("factors_")]
    if not factors:
        return None
    another = {f"factors_{len(factors)}": case.operands[factors[0]]}
    return case._replace(operands={**case.operands, **another})


def _one_bias(case: Case) -> Case | None:
    """Twice the output channels, and a bias of one element."""
    if case.operation not in ("conv", "conv_transpose"):
        return None
    weight = case.operands["weight"]
    doubled = numpy.concatenate([weight, weight], axis=int(case.operation == "conv_transpose"))
    operands = {"input": case.operands["input"], "weight": doubled, "bias": weight.ravel()[:1]}
    return case._replace(operands=operands)


def _uneven_groups(case: Case) -> Case | None:
    if case.operation != "conv":
        return None
    x, filter_ = case.operands["input"][:, :1], case.operands["weight"][:1, :1]
    operands = {
        "input": numpy.concatenate([x, x], axis=1),
        "weight": numpy.concatenate([filter_] * 3, axis=0),
    }
    return Case(case.operation, operands, {**case.attributes, "groups": 2})


BAD_ARGUMENTS: tuple[tuple[str, Spoil], ...] = (
    ("stride 0", _attribute("stride", _all("stride", 0))),
    ("dilation 0", _attribute("dilation", _all("dilation", 0))),
    ("negative padding", _attribute("padding", _all("padding", (-1, -1)))),
    ("kernel_size 0", _attribute("kernel_size", _all("kernel_size", 0))),
    ("groups that do not divide the channels", _attribute("groups", lambda _: 5)),
    ("an unknown mode", _attribute("mode", lambda _: "sideways")),
    (
        "output_padding as large as stride and dilation",
        _attribute(
            "output_padding",
            lambda case: tuple(map(max, case.attributes["stride"], case.attributes["dilation"])),
        ),
    ),
    ("a weight with a channel too many", _wide_weight),
    ("a bias with an element too many", _operand("bias", _longer(0))),
    ("a cotangent of another shape", _operand("cotangent", _longer(-1))),
    ("a stride of 1.5", _attribute("stride", _all("stride", 1.5))),
    ("a stride entry too many", _attribute("stride", lambda case: (*case.attributes["stride"], 1))),
    ("an unknown padding word", _attribute("padding", lambda _: "sideways")),
    ("one bias for several output channels", _one_bias),
    ("three output channels in two groups", _uneven_groups),
    ("scale 0", _attribute("scale", _all("scale", 0))),
    ("a negative count", _attribute("count", _all("count", -1))),
    ("factors that do not divide the channels", _attribute("factor", _indivisible)),
    ("output_size 0", _attribute("output_size", _all("output_size", 0))),
    ("an unknown kind", _attribute("kind", lambda _: "sideways")),
    ("unknown coordinates", _attribute("coordinates", lambda _: "sideways")),
    ("a level of 0", _attribute("levels", lambda _: (0,))),
    ("size 0", _attribute("size", lambda _: 0)),
    ("p = 1/2", _attribute("p", lambda _: 0.5)),
    ("rate 1", _attribute("rate", lambda _: 1.0)),
    ("a negative epsilon", _attribute("epsilon", lambda _: -1.0)),
    ("a negative strength", _attribute("strength", lambda _: -1.0)),
    ("an axis that is not there", _attribute("axis", lambda case: case.operands["input"].ndim)),
    ("a mask that holds 2", _operand("mask", lambda mask: mask + 2)),
    ("a mask of another shape", _operand("mask", _longer(0))),
    ("a label beyond the classes", _operand("labels", lambda labels: labels + 10**6)),
    ("a negative label", _operand("labels", lambda labels: -1 - labels)),
    ("a label too many", _operand("labels", _longer(0))),
    ("an index beyond the output", _operand("indices", lambda indices: indices + 10**6)),
    ("a negative index", _operand("indices", lambda indices: -1 - indices)),
    ("a mean too many", _operand("mean", _longer(0))),
    ("a variance too many", _operand("variance", _longer(0))),
    ("a pointwise weight with a channel too many", _operand("pointwise", _longer(1))),
    ("a factor too many", _one_factor_more),
)


def bad_calls(case: Case) -> Iterator[tuple[str, Case]]:
    """Calls the spec refuses, each a valid case with one thing spoilt."""
    row = OPERATIONS[forward_name(case.operation)]
    function = row.definition if case.operation == row.name else row.vjp
    for name, spoil in (*BAD_ARGUMENTS, ("a kernel beyond the padded input", _beyond_input)):
        bad = spoil(case)
        if bad is None:
            continue
        try:
            function(*grouped(bad.operation, bad.operands).values(), **bad.attributes)
        except (TypeError, ValueError):
            yield name, bad


def _beyond_input(case: Case) -> Case | None:
    """A kernel one larger than the padded input, at stride 2, where truncating division of a
    negative size gives one output instead of none.
    """
    name = forward_name(case.operation)
    if "cotangent" in case.operands or name not in ("conv", "max_pool", "average_pool"):
        return None
    rank = case.operands["input"].ndim - 2
    attributes = {**case.attributes, "stride": (2,) * rank}
    if "ceil_mode" in attributes:
        attributes["ceil_mode"] = False  # under ceil it is an open point
    if "dilation" in attributes:
        attributes["dilation"] = (1,) * rank
    sizes = [
        n + low + high + 1
        for n, (low, high) in zip(
            case.operands["input"].shape[2:], case.attributes["padding"], strict=True
        )
    ]
    operands = dict(case.operands)
    if name == "conv":
        operands["weight"] = numpy.ones(
            (*operands["weight"].shape[:2], *sizes), operands["weight"].dtype
        )
    else:
        attributes["kernel_size"] = tuple(sizes)
    return Case(case.operation, operands, attributes)


def accepts_findings(target: Callee, cases: list[Case]) -> tuple[int, list[Finding]]:
    """Bad arguments are refused, by whatever exception.

    One that ends the process does so once: another call of the kind would show no more.
    """
    judged = 0
    accepted: dict[str, Finding] = {}
    deadly: set[str] = set()
    for case in cases:
        for name, bad in bad_calls(case):
            if name in deadly:
                continue
            outcome = _answered(target, case, bad)
            judged += outcome is not None
            if outcome is CRASHED:
                deadly.add(name)
            if name not in accepted and _is_accepted(outcome):
                accepted[name] = _accepted(target, case, name)
    return judged, list(accepted.values())


def _accepted(target: Callee, case: Case, name: str) -> Finding:
    """The smallest case which, spoilt in the way that `name` says, is accepted."""

    def spoilt(valid: Case) -> tuple[Case, Outcome | None] | None:
        bad = dict(bad_calls(valid)).get(name)
        return None if bad is None else (bad, _answered(target, valid, bad))

    def fails(valid: Case) -> bool:
        # Operands of zeros would hide what becomes of the bad argument.
        telling = all(array.any() for array in valid.operands.values())
        seen = spoilt(valid) if telling else None
        return seen is not None and _is_accepted(seen[1])

    seen = spoilt(smallest(case, fails, SMALLER_ACCEPTED))
    assert seen is not None
    bad, outcome = seen
    outputs = outcome.outputs if isinstance(outcome, Returned) else None
    message = f"{name} was accepted"
    if isinstance(outcome, Failed):
        message = f"{message}: {outcome.message}"
    return Finding("accepts", message, bad, outputs, (), None)


def _answered(target: Callee, case: Case, bad: Case) -> Outcome | None:
    """What a bad call came to; None where it is not offered, or what is bad has no place in it."""
    given = arguments(target, bad.operation, bad.operands, bad.attributes)
    if isinstance(given, Unsupported):
        return None
    spoilt = (name for name, value in bad.attributes.items() if value != case.attributes.get(name))
    if not all(name in given[1] for name in spoilt):
        return None
    return call(target, bad.operation, _copies(bad.operands), bad.attributes)


def _is_accepted(outcome: Outcome | None) -> bool:
    """Whether a call came back at all: to return what is no output is no refusal."""
    returned = isinstance(outcome, Returned)
    return returned or (isinstance(outcome, Failed) and outcome.kind != "raises")

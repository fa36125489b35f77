"""Calls that the spec refuses: a valid case, with one thing spoilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, forward_name, grouped
from convspec.operations import OPERATIONS

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


def _no_output(case: Case) -> Case | None:
    """An output size of 0; what goes to places by an index goes to the first one, all of it equal,
    so that nothing else is wrong.
    """
    bad = _attribute("output_size", _all("output_size", 0))(case)
    if bad is None or "indices" not in bad.operands:
        return bad
    values, indices = bad.operands["values"], bad.operands["indices"]
    alike = {"values": numpy.ones_like(values), "indices": numpy.zeros_like(indices)}
    return bad._replace(operands={**bad.operands, **alike})


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
    ("output_size 0", _no_output),
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

"""Activations, dropout and losses: exponentials, signs, factors and labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    afterwards,
    composing,
    gradients,
    only,
    replacing,
    rewriting,
)
from convspec.oracle.deviations.pooling import has_nan, without_nan
from convspec.oracle.deviations.record import Deviation, Edit, Function

RELU, SIGMOID, TANH, SOFTMAX = ("relu",), ("sigmoid",), ("tanh",), ("softmax",)
DROPOUT = ("dropout",)


def of_input(formula: Callable[..., Any]) -> Edit:
    """The edit whose output is `formula(input, **arguments)`, computed in the input's dtype; of a
    gradient it is the cotangent of the input.
    """

    def function(right: Function, input: Any, **arguments: Any) -> Any:
        due = right(input=input, **arguments)
        with numpy.errstate(all="ignore"):
            value = formula(numpy.asarray(input), **arguments)
        if isinstance(due, tuple):
            return (numpy.asarray(value).astype(due[0].dtype),)
        return numpy.asarray(value).astype(due.dtype)

    return replacing(function)


def _leaking(x: Array, cotangent: Any = None) -> Any:
    given = x if cotangent is None else cotangent
    return numpy.where(x < 0, x.dtype.type(0.01), x > 0) * given


def _over_everything(x: Array, axis: int) -> Any:
    e = numpy.exp(x - x.max(initial=0))
    return e / e.sum()


def _naive_softmax(x: Array, axis: int) -> Any:
    e = numpy.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def _naive_tanh(x: Array) -> Any:
    return (numpy.exp(x) - numpy.exp(-x)) / (numpy.exp(x) + numpy.exp(-x))


def _scaled_by(factor: Callable[[float], float]) -> Edit:
    """The edit that multiplies what survives by `factor(rate)`, where 1 / (1 - rate) is meant."""

    def function(right: Function, rate: float, **arguments: Any) -> Any:
        first = "cotangent" if "cotangent" in arguments else "input"
        given = numpy.asarray(arguments[first])
        kept = (arguments["mask"] * given * factor(rate)).astype(given.dtype)
        return kept if first == "input" else (kept,)

    return replacing(function)


def _not_centred(spec: Any, cotangent: Any, input: Any, axis: int) -> Any:
    y = spec.softmax(input, axis=axis)
    return ((cotangent * y).astype(input.dtype),)


def _diagonal(spec: Any, cotangent: Any, input: Any, axis: int) -> Any:
    y = spec.softmax(input, axis=axis)
    return ((cotangent * y * (1 - y)).astype(input.dtype),)


def _times_output(operation: str, factor: Callable[[Any], Any]) -> Edit:
    """The edit of a gradient that multiplies the cotangent by `factor(output)`."""

    def function(spec: Any, cotangent: Any, input: Any) -> Any:
        y = getattr(spec, operation)(input)
        return ((cotangent * factor(y)).astype(input.dtype),)

    return composing(function)


ACTIVATIONS = (
    Deviation(
        name="negative numbers leak through relu",
        operations=(*RELU, *gradients(RELU)),
        kind="mistake",
        sentence="Multiplies negative numbers, or their cotangents, by 0.01 instead of 0.",
        hidden="inputs that are nowhere negative",
        edit=of_input(_leaking),
    ),
    Deviation(
        name="NaN taken for zero by relu",
        operations=RELU,
        kind="mistake",
        sentence="Keeps x where x > 0, which NaN is not.",
        hidden="data without NaN",
        edit=only(has_nan, rewriting(lambda input, **_: {"input": without_nan(input)})),
    ),
    Deviation(
        name="relu stops at 6",
        operations=RELU,
        kind="mistake",
        sentence="Cuts off what is larger than 6.",
        hidden="inputs of at most 6",
        edit=afterwards(lambda y, **_: numpy.minimum(y, y.dtype.type(6))),
    ),
    Deviation(
        name="gradient of relu passed everywhere",
        operations=gradients(RELU),
        kind="mistake",
        sentence="Returns the cotangent as it is.",
        hidden="positive inputs",
        edit=of_input(lambda x, cotangent: cotangent),
    ),
    Deviation(
        name="gradient of relu passed at 0",
        operations=gradients(RELU),
        kind="convention",
        sentence="Passes the cotangent where the input is 0: 1 is a subgradient there, too.",
        hidden="inputs without zeros",
        edit=of_input(lambda x, cotangent: cotangent * (x >= 0)),
    ),
    Deviation(
        name="gradient of relu by the sign of the cotangent",
        operations=gradients(RELU),
        kind="mistake",
        sentence="Passes positive cotangents, as a deconvolution network does to show what a unit "
        "responds to, and not where the input is positive.",
        hidden="cotangents that are positive just where the input is",
        edit=of_input(lambda x, cotangent: numpy.maximum(cotangent, 0)),
    ),
    Deviation(
        name="gradient of relu cut where the cotangent is negative",
        operations=gradients(RELU),
        kind="mistake",
        sentence="Passes where input and cotangent are both positive, as guided backpropagation "
        "does.",
        hidden="cotangents that are nowhere negative",
        edit=of_input(lambda x, cotangent: numpy.maximum(cotangent, 0) * (x > 0)),
    ),
    Deviation(
        name="sigmoid overflows",
        operations=SIGMOID,
        kind="mistake",
        sentence="Computes e^x / (1 + e^x) of a large x: infinity by infinity, which is NaN.",
        hidden="moderate arguments",
        edit=of_input(lambda x: numpy.exp(x) / (1 + numpy.exp(x))),
    ),
    Deviation(
        name="sigmoid by straight lines",
        operations=SIGMOID,
        kind="mistake",
        sentence="Computes x / 4 + 1 / 2, kept between 0 and 1.",
        hidden="arguments of 0, or so large that sigmoid is 0 or 1",
        edit=of_input(lambda x: numpy.clip(x / 4 + 0.5, 0, 1)),
    ),
    Deviation(
        name="gradient of sigmoid from the input",
        operations=gradients(SIGMOID),
        kind="mistake",
        sentence="Computes x (1 - x) where x stands for the output.",
        hidden="inputs that are their own sigmoid",
        edit=of_input(lambda x, cotangent: cotangent * x * (1 - x)),
    ),
    Deviation(
        name="gradient of sigmoid taken for its value",
        operations=gradients(SIGMOID),
        kind="mistake",
        sentence="Multiplies by y, and not by y (1 - y).",
        hidden="arguments far below 0",
        edit=_times_output("sigmoid", lambda y: y),
    ),
    Deviation(
        name="tanh overflows",
        operations=TANH,
        kind="mistake",
        sentence="Computes (e^x - e^-x) / (e^x + e^-x) of a large x: infinity by infinity, which "
        "is NaN.",
        hidden="moderate arguments",
        edit=of_input(_naive_tanh),
    ),
    Deviation(
        name="tanh of half the argument",
        operations=TANH,
        kind="mistake",
        sentence="Computes 2 sigmoid(x) - 1, where the sigmoid of 2 x is meant.",
        hidden="arguments of 0, or so large that tanh is 1",
        edit=of_input(lambda x: numpy.tanh(x / 2)),
    ),
    Deviation(
        name="gradient of tanh from the input",
        operations=gradients(TANH),
        kind="mistake",
        sentence="Computes 1 - x^2 where x stands for the output.",
        hidden="inputs of 0",
        edit=of_input(lambda x, cotangent: cotangent * (1 - x**2)),
    ),
    Deviation(
        name="square left out of the gradient of tanh",
        operations=gradients(TANH),
        kind="mistake",
        sentence="Multiplies by 1 - y, and not by 1 - y^2.",
        hidden="inputs of 0, or so large that tanh is 1",
        edit=_times_output("tanh", lambda y: 1 - y),
    ),
    Deviation(
        name="softmax overflows",
        operations=SOFTMAX,
        kind="mistake",
        sentence="Takes exponentials without subtracting the maximum: infinity by infinity is NaN.",
        hidden="moderate arguments",
        edit=of_input(_naive_softmax),
    ),
    Deviation(
        name="softmax over the last axis",
        operations=(*SOFTMAX, *gradients(SOFTMAX)),
        kind="mistake",
        sentence="Ignores axis, and normalizes along the last one.",
        hidden="the last axis",
        edit=rewriting(lambda input, **_: {"axis": numpy.ndim(input) - 1}),
    ),
    Deviation(
        name="softmax over everything",
        operations=SOFTMAX,
        kind="mistake",
        sentence="Divides by the sum over the whole array, not over one axis.",
        hidden="arrays with no other axis than that of softmax",
        edit=of_input(_over_everything),
    ),
    Deviation(
        name="gradient of softmax without its mean",
        operations=gradients(SOFTMAX),
        kind="mistake",
        sentence="Multiplies by y and does not subtract the mean of the cotangents, weighed by y.",
        hidden="cotangents of mean 0, weighed by y",
        edit=composing(_not_centred),
    ),
    Deviation(
        name="gradient of softmax from its diagonal alone",
        operations=gradients(SOFTMAX),
        kind="mistake",
        sentence="Multiplies by y (1 - y), as if one exponential did not lower the others' share.",
        hidden="cotangents that are 0 but for one",
        edit=composing(_diagonal),
    ),
    Deviation(
        name="survivors of dropout not scaled",
        operations=(*DROPOUT, *gradients(DROPOUT)),
        kind="mistake",
        sentence="Drops by the mask and does nothing to make up for it.",
        hidden="a rate of 0",
        edit=_scaled_by(lambda rate: 1),
    ),
    Deviation(
        name="survivors of dropout scaled down",
        operations=(*DROPOUT, *gradients(DROPOUT)),
        kind="mistake",
        sentence="Multiplies by 1 - rate where it should divide, as is right of what was not "
        "scaled in training.",
        hidden="a rate of 0",
        edit=_scaled_by(lambda rate: 1 - rate),
    ),
    Deviation(
        name="rate taken for the share that survives",
        operations=(*DROPOUT, *gradients(DROPOUT)),
        kind="mistake",
        sentence="Divides by the rate, and not by 1 - rate.",
        hidden="a rate of a half",
        edit=_scaled_by(lambda rate: 1 / rate if rate else numpy.inf),
    ),
    Deviation(
        name="mask of dropout inverted",
        operations=(*DROPOUT, *gradients(DROPOUT)),
        kind="mistake",
        sentence="Drops where the mask is 1.",
        hidden="inputs of 0",
        edit=rewriting(lambda mask, **_: {"mask": 1 - mask}),
    ),
    Deviation(
        name="dropout forgotten in the gradient",
        operations=gradients(DROPOUT),
        kind="mistake",
        sentence="Returns the cotangent as it is, as if dropout had been off.",
        hidden="a rate of 0 and a mask of ones",
        edit=replacing(lambda right, cotangent, **_: (cotangent.copy(),)),
    ),
)

"""Losses: what is averaged, where labels begin, and how an exponential overflows."""

from __future__ import annotations

from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import afterwards, composing, gradients, replacing, rewriting
from convspec.oracle.deviations.record import Deviation, Function

LOSS = ("cross_entropy",)
PENALTY = ("l2_penalty",)


def _times(outputs: Any, factor: float) -> Any:
    """An output, or the one cotangent, times a factor."""
    if isinstance(outputs, tuple):
        return ((outputs[0] * factor).astype(outputs[0].dtype),)
    return (outputs * factor).astype(outputs.dtype)


def _summed(outputs: Any, labels: Any, **_: Any) -> Any:
    return _times(outputs, len(labels))


def _averaged_over_classes(outputs: Any, logits: Any, **_: Any) -> Any:
    return _times(outputs, 1 / numpy.shape(logits)[1])


def _from_one(labels: Any, logits: Any, **_: Any) -> dict[str, Any]:
    return {"labels": (labels - 1) % numpy.shape(logits)[1]}


def _overflowing(right: Function, logits: Any, labels: Any) -> Any:
    due = right(logits=logits, labels=labels)
    with numpy.errstate(all="ignore"):
        lost = numpy.log(numpy.exp(logits).sum(axis=1)) - logits[numpy.arange(len(labels)), labels]
    return numpy.asarray(lost.mean()).astype(due.dtype)


def _softmax_twice(spec: Any, logits: Any, labels: Any) -> Any:
    return spec.cross_entropy(spec.softmax(logits, axis=1), labels)


def _without_label(spec: Any, cotangent: Any, logits: Any, labels: Any) -> Any:
    shares = spec.softmax(logits, axis=1) * cotangent / len(labels)
    return (shares.astype(logits.dtype),)


def _ones(cotangent: Any, **_: Any) -> dict[str, Any]:
    return {"cotangent": numpy.ones_like(cotangent)}


def _own_norm(y: Array, weight: Any, strength: float) -> Any:
    return numpy.asarray(strength / 2 * numpy.sqrt((weight**2).sum())).astype(y.dtype)


def _per_weight(outputs: Any, weight: Any, **_: Any) -> Any:
    return _times(outputs, 1 / max(numpy.size(weight), 1))


LOSSES = (
    Deviation(
        name="loss summed over the batch",
        operations=(*LOSS, *gradients(LOSS)),
        kind="mistake",
        sentence="Adds the losses of the batch where their mean is meant.",
        hidden="one label",
        edit=afterwards(_summed),
    ),
    Deviation(
        name="loss averaged over the classes, too",
        operations=(*LOSS, *gradients(LOSS)),
        kind="mistake",
        sentence="Divides by the number of scores, not by that of items.",
        hidden="one class",
        edit=afterwards(_averaged_over_classes),
    ),
    Deviation(
        name="labels counted from one",
        operations=(*LOSS, *gradients(LOSS)),
        kind="mistake",
        sentence="Takes label 1 for the first class, and 0, by wrapping, for the last.",
        hidden="one class",
        edit=rewriting(_from_one),
    ),
    Deviation(
        name="cross-entropy overflows",
        operations=LOSS,
        kind="mistake",
        sentence="Sums exponentials without taking the largest score out: their logarithm is "
        "infinite where the loss is not.",
        hidden="moderate arguments",
        edit=replacing(_overflowing),
    ),
    Deviation(
        name="softmax taken twice",
        operations=LOSS,
        kind="mistake",
        sentence="Applies softmax to the scores and hands the shares to a loss that applies it "
        "again.",
        hidden="one class",
        edit=composing(_softmax_twice),
    ),
    Deviation(
        name="label left out of the gradient",
        operations=gradients(LOSS),
        kind="mistake",
        sentence="Returns the shares of softmax, and does not subtract 1 at the label.",
        hidden="a cotangent of 0",
        edit=composing(_without_label),
    ),
    Deviation(
        name="cotangent of a loss taken for one",
        operations=gradients((*LOSS, *PENALTY)),
        kind="mistake",
        sentence="Takes a loss for the end of the network, whatever its own cotangent is.",
        hidden="a cotangent of ones",
        edit=rewriting(_ones),
    ),
    Deviation(
        name="half of the penalty left out",
        operations=(*PENALTY, *gradients(PENALTY)),
        kind="mistake",
        sentence="Returns the strength times the sum of squares, without the half that its "
        "derivative cancels.",
        hidden="weights of 0",
        edit=afterwards(lambda outputs, **_: _times(outputs, 2)),
    ),
    Deviation(
        name="half kept in the gradient of the penalty",
        operations=gradients(PENALTY),
        kind="mistake",
        sentence="Multiplies by half the strength, which the exponent has already cancelled.",
        hidden="weights of 0",
        edit=afterwards(lambda outputs, **_: _times(outputs, 0.5)),
    ),
    Deviation(
        name="penalty by the norm, not by its square",
        operations=PENALTY,
        kind="mistake",
        sentence="Takes the root of the sum of squares.",
        hidden="weights of norm 0 or 1",
        edit=afterwards(_own_norm),
    ),
    Deviation(
        name="penalty averaged over the weights",
        operations=(*PENALTY, *gradients(PENALTY)),
        kind="mistake",
        sentence="Divides by the number of weights.",
        hidden="one weight",
        edit=afterwards(_per_weight),
    ),
    Deviation(
        name="strength left out of the gradient of the penalty",
        operations=gradients(PENALTY),
        kind="mistake",
        sentence="Returns the weights times the cotangent.",
        hidden="a strength of 1",
        edit=rewriting(lambda **_: {"strength": 1.0}),
    ),
)

"""The twins of `convspec.loss`, with its signatures, shapes, dtypes and errors."""

from __future__ import annotations

import numpy
from numpy.typing import ArrayLike

from convspec import loss
from convspec.arguments import Array, array, check_cotangent
from convspec.fast.activation import exponential_sums
from convspec.fast.blocks import blocks, contiguous, pieces, slices, whole
from convspec.fast.floating import block_size, double, elementwise, floats
from convspec.loss import classes_of, l2_penalty_shape


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> Array:
    """`convspec.cross_entropy`, item by item.

    >>> cross_entropy([[5.0, 5.0], [1000.0, 0.0]], [1, 0])
    array(0.34657359)
    """
    logits, labels = array("logits", logits), array("labels", labels)
    if not floats(logits):
        return loss.cross_entropy(logits, labels)
    classes = numpy.array(classes_of(logits, labels))
    how = double(logits)
    total = numpy.zeros((), dtype=how.compute)
    with numpy.errstate(all="ignore"):
        for items in pieces(range(len(logits)), block_size(how.compute) // logits.shape[1]):
            z, chosen = (values[items.start : items.stop] for values in (logits, classes))
            largest, sums = exponential_sums(z, how.compute)
            own = numpy.take_along_axis(z, chosen[:, None], axis=1)
            total += (numpy.log(sums) - (own - largest)).sum()
        return numpy.asarray(total / len(logits)).astype(how.output)


def cross_entropy_vjp(cotangent: ArrayLike, logits: ArrayLike, labels: ArrayLike) -> tuple[Array]:
    """`convspec.cross_entropy_vjp`, item by item.

    >>> cross_entropy_vjp(2.0, [[5.0, 5.0]], [1])
    (array([[ 1., -1.]]),)
    """
    cotangent, logits, labels = (
        array("cotangent", cotangent),
        array("logits", logits),
        array("labels", labels),
    )
    if not floats(cotangent, logits):
        return loss.cross_entropy_vjp(cotangent, logits, labels)
    classes = numpy.array(classes_of(logits, labels))
    check_cotangent(cotangent, (), logits=logits, labels=labels)
    how = double(cotangent, logits)
    g = cotangent.astype(how.compute)
    d_z = numpy.empty(logits.shape, dtype=how.output)
    with numpy.errstate(all="ignore"):
        for items in pieces(range(len(logits)), block_size(how.compute) // logits.shape[1]):
            largest, sums = exponential_sums(logits[items.start : items.stop], how.compute)
            for run in pieces(range(logits.shape[1]), block_size(how.compute) // len(items)):
                index = (slice(items.start, items.stop), slice(run.start, run.stop))
                own = classes[items.start : items.stop, None] == numpy.array(run)
                y = numpy.exp(logits[index] - largest) / sums
                d_z[index] = g * (y - own) / len(logits)
    return (d_z,)


def l2_penalty(weight: ArrayLike, *, strength: float) -> Array:
    """`convspec.l2_penalty`.

    >>> l2_penalty([3.0, -1.0], strength=0.5)
    array(2.5)
    """
    weight = array("weight", weight)
    l2_penalty_shape(weight.shape, strength=strength)
    if not floats(weight):
        return loss.l2_penalty(weight, strength=strength)
    how = double(weight)
    total = numpy.zeros((), dtype=how.compute)
    with numpy.errstate(all="ignore"):
        for box in blocks(whole(weight.shape), block_size(how.compute)):
            w = contiguous(weight[slices(box)], how.compute)
            total += (w * w).sum()
        return numpy.asarray(float(strength) * total / 2).astype(how.output)


def l2_penalty_vjp(cotangent: ArrayLike, weight: ArrayLike, *, strength: float) -> tuple[Array]:
    """`convspec.l2_penalty_vjp`.

    >>> l2_penalty_vjp(2.0, [3.0, -1.0], strength=0.5)
    (array([ 3., -1.]),)
    """
    cotangent, weight = array("cotangent", cotangent), array("weight", weight)
    shape = l2_penalty_shape(weight.shape, strength=strength)
    check_cotangent(cotangent, shape, weight=weight)
    if not floats(cotangent, weight):
        return loss.l2_penalty_vjp(cotangent, weight, strength=strength)
    how = double(cotangent, weight)
    g, scale = cotangent.astype(how.compute), float(strength)
    return (elementwise(lambda w: scale * w * g, how, weight),)

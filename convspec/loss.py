r"""Costs: how far scores are from labels, and how large weights are.

$$ \text{cross-entropy: } -\frac1N \sum_n \ln \frac{e^{z_{n, l_n}}}{\sum_k e^{z_{n,k}}}, \qquad
   \text{L2 penalty: } \frac{\lambda}{2} \sum_i w_i^2 $$
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
from numpy.typing import ArrayLike

from convspec.activation import shifted
from convspec.arguments import Array, Shape, array, check_cotangent, described, number
from convspec.elementary import log
from convspec.scalars import result, scalars
from convspec.window import positions


def cross_entropy_shape(logits: Shape, labels: Shape) -> Shape:
    """Output shape of `cross_entropy`: one number.

    >>> cross_entropy_shape((8, 10), (8,))
    ()
    """
    shapes = described(logits=logits, labels=labels)
    if len(logits) != 2 or min(logits) < 1:
        raise ValueError(
            f"logits has shape {logits}: must be (N, K), both at least 1, for a mean over no "
            f"items is not defined; {shapes}"
        )
    if labels != logits[:1]:
        raise ValueError(f"labels has shape {labels}: must be (N,) = {logits[:1]}; {shapes}")
    return ()


def classes_of(logits: Array, labels: Array) -> list[int]:
    """The labels as Python ints, every one of them a class."""
    shapes = described(logits=logits, labels=labels)
    cross_entropy_shape(logits.shape, labels.shape)
    if not numpy.issubdtype(labels.dtype, numpy.integer):
        raise TypeError(f"labels has dtype {labels.dtype}: must hold integers; {shapes}")
    for n, label in enumerate(labels):
        if not 0 <= label < logits.shape[1]:
            raise ValueError(
                f"labels holds {label} at {n}: must be at least 0 and less than "
                f"{logits.shape[1]}; {shapes}"
            )
    return [int(label) for label in labels]


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> Array:
    r"""The mean negative log-likelihood of the labels under the softmax of the logits,

    $$ y = \frac1N \sum_n \Bigl(\ln \sum_k e^{z_{n,k}} - z_{n, l_n}\Bigr), $$

    computed with the largest logit taken out of the sum, so that no exponential overflows.

    Shapes: logits `(N, K)` with `N` and `K` at least 1, labels `(N,)`, output `()`.  Dtypes:
    floats keep theirs, integers and Fractions give floats; labels are integers from 0 to `K - 1`.
    Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' log-likelihood cost.

    >>> cross_entropy([[5.0, 5.0], [1000.0, 0.0]], [1, 0])
    array(0.34657359)
    """
    logits, labels = array("logits", logits), array("labels", labels)
    classes = classes_of(logits, labels)
    z = scalars(logits)
    total: Any = 0
    for n, label in enumerate(classes):
        shift, exponentials = shifted(z[n])
        total = total + log(sum(exponentials)) - (z[n, label] - shift)
    y = numpy.empty((), dtype=object)
    y[()] = total / len(classes)
    return result(y, logits, real=True)


def cross_entropy_vjp(cotangent: ArrayLike, logits: ArrayLike, labels: ArrayLike) -> tuple[Array]:
    r"""Cotangent of the logits; labels have none,

    $$ \bar z_{n,k} = \frac{\bar y}{N} \Bigl(\frac{e^{z_{n,k}}}{\sum_l e^{z_{n,l}}} -
       [k = l_n]\Bigr). $$

    >>> cross_entropy_vjp(2.0, [[5.0, 5.0]], [1])
    (array([[ 1., -1.]]),)
    """
    cotangent, logits, labels = (
        array("cotangent", cotangent),
        array("logits", logits),
        array("labels", labels),
    )
    classes = classes_of(logits, labels)
    check_cotangent(cotangent, (), logits=logits, labels=labels)
    z, g = scalars(logits), scalars(cotangent)[()]
    d_z = numpy.empty(logits.shape, dtype=object)
    for n, label in enumerate(classes):
        _, exponentials = shifted(z[n])
        total = sum(exponentials)
        for k, exponential in enumerate(exponentials):
            d_z[n, k] = g * (exponential / total - int(k == label)) / len(classes)
    return (result(d_z, cotangent, logits, real=True),)


def l2_penalty_shape(weight: Shape, *, strength: Any) -> Shape:
    """Output shape of `l2_penalty`: one number.

    >>> l2_penalty_shape((4, 3), strength=0.1)
    ()
    """
    number("strength", strength, least=0, shapes=described(weight=weight))
    return ()


def l2_penalty(weight: ArrayLike, *, strength: float) -> Array:
    r"""Half the sum of squares, times a strength $\lambda$,

    $$ y = \frac{\lambda}{2} \sum_i w_i^2, $$

    whose derivative, $\lambda w$, is what weight decay subtracts.

    Shapes: any, output `()`.  `strength`: a number of at least 0.  Dtypes: floats keep theirs,
    integers give float64.  Raises `ValueError` or `TypeError` naming the argument.
    Source: the documents' L2 regularisation, $\lambda = 0.1$, and their weight decay.

    >>> l2_penalty([3.0, -1.0], strength=0.5)
    array(2.5)
    """
    weight = array("weight", weight)
    l2_penalty_shape(weight.shape, strength=strength)
    y = numpy.empty((), dtype=object)
    y[()] = strength * sum(w * w for w in scalars(weight).flat) * Fraction(1, 2)
    return result(y, weight, real=True)


def l2_penalty_vjp(cotangent: ArrayLike, weight: ArrayLike, *, strength: float) -> tuple[Array]:
    r"""Cotangent of `l2_penalty`,

    $$ \bar w_i = \lambda\, w_i\, \bar y. $$

    >>> l2_penalty_vjp(2.0, [3.0, -1.0], strength=0.5)
    (array([ 3., -1.]),)
    """
    cotangent, weight = array("cotangent", cotangent), array("weight", weight)
    shape = l2_penalty_shape(weight.shape, strength=strength)
    check_cotangent(cotangent, shape, weight=weight)
    w, g = scalars(weight), scalars(cotangent)[()]
    d_w = numpy.empty(weight.shape, dtype=object)
    for i in positions(weight.shape):
        d_w[i] = strength * w[i] * g
    return (result(d_w, cotangent, weight, real=True),)

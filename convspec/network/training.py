r"""Training: stochastic gradient descent with momentum, weight decay and a falling rate,

$$ v \leftarrow \mu v - \eta_e\,(\nabla C + \lambda w), \qquad w \leftarrow w + v, \qquad
   \eta_e = \eta\, \phi^{\lfloor e / k \rfloor}, $$

with dropout where the network has it; images shifted by a pixel; networks that vote.  The cost is
the cross-entropy of the network's output, which is therefore scores, and no softmax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy

from convspec import fast
from convspec.arguments import Array
from convspec.network.layers import Network
from convspec.network.parameters import initial
from convspec.network.plan import plan
from convspec.network.run import Arrays, activations, backward, forward
from convspec.network.weights import STATISTICS

# Decay pulls what multiplies an input towards 0, and no bias, shift or scale.
_DECAYING = ("weight", "depthwise", "pointwise")

# How many images are classified at a time.
_AT_ONCE = 256


class Examples(NamedTuple):
    """Images `(N, C, *spatial)` and the class of each."""

    images: Array
    labels: Array


class Settings(NamedTuple):
    r"""How to train: $\eta$ `rate`, $\mu$ `momentum`, $\lambda$ `decay`; every $k$ `every` epochs
    the rate is multiplied by $\phi$ `factor`.
    """

    epochs: int
    batch: int
    rate: float
    momentum: float = 0.0
    decay: float = 0.0
    factor: float = 1.0
    every: int = 1


class Epoch(NamedTuple):
    """What is known after an epoch: its number from 1 on, the rate it had, the mean cost."""

    number: int
    rate: float
    cost: float


class Trained(NamedTuple):
    """Learned parameters, and the epochs that led there."""

    parameters: dict[str, Array]
    epochs: tuple[Epoch, ...]


def train(
    network: Network,
    examples: Examples,
    settings: Settings,
    *,
    seed: int,
    start: Arrays | None = None,
    report: Callable[[Epoch, Arrays], None] = lambda *_: None,
    operations: Any = fast,
) -> Trained:
    """Parameters that descend from `start`, or from random ones; the seed decides everything that
    is random.

    `report` is called after each epoch, with the parameters as they are then.
    """
    generator = numpy.random.default_rng(seed)
    if start is None:
        start = initial(network, generator, examples.images.dtype)
    parameters = {name: value.copy() for name, value in start.items()}
    velocity = {name: numpy.zeros_like(value) for name, value in parameters.items()}
    epochs: list[Epoch] = []
    for number in range(settings.epochs):
        rate = settings.rate * settings.factor ** (number // settings.every)
        costs = []
        for batch in _batches(examples, settings.batch, generator):
            masks = dropout_masks(network, len(batch.images), generator)
            cost, gradients = cost_gradients(
                network, parameters, batch, masks, operations=operations
            )
            costs.append(cost * len(batch.images))
            descend(parameters, velocity, gradients, settings, rate)
        epochs.append(Epoch(number + 1, rate, sum(costs) / len(examples.images)))
        report(epochs[-1], parameters)
    return Trained(parameters, tuple(epochs))


def _batches(
    examples: Examples, size: int, generator: numpy.random.Generator
) -> Iterator[Examples]:
    order = generator.permutation(len(examples.images))
    for begin in range(0, len(order), size):
        chosen = order[begin : begin + size]
        yield Examples(examples.images[chosen], examples.labels[chosen])


def dropout_masks(
    network: Network, batch: int, generator: numpy.random.Generator
) -> dict[str, Array]:
    """A mask for each dropout layer: 0 with its rate, 1 otherwise, each element on its own."""
    return {
        step.name: (generator.random((batch, *step.shape[1:])) >= step.attributes["rate"]).astype(
            numpy.int8
        )
        for step in plan(network)
        if step.operation == "dropout"
    }


def cost_gradients(
    network: Network,
    parameters: Arrays,
    batch: Examples,
    masks: Arrays,
    *,
    operations: Any = fast,
) -> tuple[float, dict[str, Array]]:
    """The cross-entropy of a batch, and its gradient by every parameter and the input."""
    values = activations(network, parameters, batch.images, operations=operations, masks=masks)
    scores = values[plan(network, batch.images.shape[1:])[-1].name]
    one = numpy.ones((), scores.dtype)
    (cotangent,) = operations.cross_entropy_vjp(one, scores, batch.labels)
    gradients = backward(network, parameters, values, cotangent, operations=operations)
    return float(operations.cross_entropy(scores, batch.labels)), gradients


def descend(
    parameters: dict[str, Array],
    velocity: dict[str, Array],
    gradients: Arrays,
    settings: Settings,
    rate: float,
) -> None:
    """One step, in place.

    >>> w, v = {"a.weight": numpy.array([4.0])}, {"a.weight": numpy.array([2.0])}
    >>> settings = Settings(epochs=1, batch=1, rate=1.0, momentum=0.5, decay=0.25)
    >>> descend(w, v, {"a.weight": numpy.array([3.0])}, settings, rate=0.5)
    >>> v["a.weight"], w["a.weight"]
    (array([-1.]), array([3.]))
    """
    for name, value in parameters.items():
        operand = name.rpartition(".")[2]
        if operand in STATISTICS:
            continue
        slope = gradients[name]
        if settings.decay and operand in _DECAYING:
            slope = slope + settings.decay * value
        velocity[name] *= settings.momentum
        velocity[name] -= rate * slope
        value += velocity[name]


def predictions(
    network: Network, parameters: Arrays, images: Array, *, operations: Any = fast
) -> Array:
    """The class with the largest score for each image, without dropout."""
    scores = [
        forward(network, parameters, images[begin : begin + _AT_ONCE], operations=operations)
        for begin in range(0, len(images), _AT_ONCE)
    ]
    classes: Array = numpy.concatenate(scores).argmax(axis=1)
    return classes


def accuracy(predicted: Array, labels: Array) -> float:
    """The share of images whose class is right.

    >>> accuracy(numpy.array([1, 2, 3, 3]), numpy.array([1, 2, 3, 4]))
    0.75
    """
    return float((predicted == labels).mean())


def vote(predicted: Sequence[Array]) -> Array:
    """The class that most of the networks predict, of several with as many votes the lowest.

    >>> vote([numpy.array([1, 2]), numpy.array([1, 0]), numpy.array([5, 1])])
    array([1, 0])
    """
    classes = max(int(one.max()) for one in predicted) + 1
    ballots = numpy.stack([numpy.eye(classes, dtype=int)[one] for one in predicted])
    most: Array = ballots.sum(axis=0).argmax(axis=1)
    return most


def shifted(examples: Examples) -> Examples:
    """The examples, and each moved by one position down, up, right and left, zeros moving in: of
    images with two axes five times as many.

    >>> moved = shifted(Examples(numpy.array([[[1, 2, 3]]]), numpy.array([7])))
    >>> moved.images[:, 0].tolist(), moved.labels.tolist()
    ([[1, 2, 3], [0, 1, 2], [2, 3, 0]], [7, 7, 7])
    """
    images = [examples.images]
    for axis in range(2, examples.images.ndim):
        for step in (1, -1):
            moved = numpy.roll(examples.images, step, axis)
            edge: list[slice | int] = [slice(None)] * moved.ndim
            edge[axis] = 0 if step == 1 else -1
            moved[tuple(edge)] = 0
            images.append(moved)
    return Examples(numpy.concatenate(images), numpy.tile(examples.labels, len(images)))

"""The digits that scikit-learn ships, 8 by 8 pixels, and the techniques of the documents on them.

The documents go from one dense layer to five convolutional networks that vote, one thing at a time,
on MNIST; here is the same course in small, on 1797 images, a third of which is held out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from convspec.network.layers import (
    Layer,
    Network,
    Part,
    conv,
    dropout,
    flatten,
    linear,
    max_pool,
    relu,
    sigmoid,
)
from convspec.network.training import Examples, Settings

SIZE = (1, 8, 8)
CLASSES = 10
# The end of the course: the second dense layer is taken out again, and what the first one says is
# dropped at random.
BEST = "dropout for second dense layer"
# Maps of the two convolutions.
NARROW, WIDE = (8, 16), (16, 32)


class Recipe(NamedTuple):
    """A network, how it is trained, and whether on shifted images too."""

    network: Network
    settings: Settings
    shifts: bool = False


def digits() -> tuple[Examples, Examples]:
    """The examples to learn from and those held out: always the same third, stratified by class.

    Images are float32 from 0 to 1.  Raises `ImportError` where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError("the digits need scikit-learn: pip install 'convspec[train]'") from error
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(numpy.float32).reshape(-1, *SIZE)
    learn, hold, learn_labels, hold_labels = train_test_split(
        images, labels, test_size=1 / 3, stratify=labels, random_state=0
    )
    return Examples(learn, learn_labels), Examples(hold, hold_labels)


def recipes() -> dict[str, Recipe]:
    """The course: each recipe changes one thing of the one before it."""
    plain = Settings(epochs=30, batch=10, rate=0.1)
    momentum = plain._replace(rate=0.01, momentum=0.9)
    decay = momentum._replace(decay=1e-3)
    falling = decay._replace(factor=0.5, every=6)
    # Five times as many images, in batches five times as large, and the rate with them.
    many = falling._replace(batch=50, rate=0.05)
    one = (*_convolution(1, NARROW[0], sigmoid()), *_dense(sigmoid(), 64))
    two = _two_convolutions(NARROW, sigmoid(), 64)
    rectified = _two_convolutions(NARROW, relu(), 64)
    mapped = _two_convolutions(WIDE, relu(), 64)
    wider = _two_convolutions(WIDE, relu(), 256)
    deeper = _two_convolutions(WIDE, relu(), 256, 256)
    dropped = _two_convolutions(WIDE, relu(), 256, rate=0.5)
    return {
        "dense layer": Recipe(_network("dense", _dense(sigmoid(), 64)), plain),
        "+ convolution": Recipe(_network("one", one), plain),
        "+ second convolution": Recipe(_network("two", two), plain),
        "relu for sigmoid": Recipe(_network("relu", rectified), plain),
        "+ momentum": Recipe(_network("relu", rectified), momentum),
        "+ weight decay": Recipe(_network("relu", rectified), decay),
        "+ falling rate": Recipe(_network("relu", rectified), falling),
        "+ shifts": Recipe(_network("relu", rectified), many, shifts=True),
        "+ maps": Recipe(_network("maps", mapped), many, shifts=True),
        "+ units": Recipe(_network("units", wider), many, shifts=True),
        "+ second dense layer": Recipe(_network("deeper", deeper), many, shifts=True),
        BEST: Recipe(_network("dropout", dropped), many, shifts=True),
    }


def _network(name: str, parts: tuple[Part, ...]) -> Network:
    return Network(f"digits-{name}", SIZE, parts)


def _convolution(number: int, maps: int, activation: Layer) -> tuple[Part, ...]:
    return (
        conv(maps, 3, padding=1, name=f"conv{number}"),
        max_pool(2, name=f"pool{number}"),
        activation,
    )


def _two_convolutions(
    maps: tuple[int, int], activation: Layer, *units: int, rate: float = 0
) -> tuple[Part, ...]:
    return (
        *_convolution(1, maps[0], activation),
        *_convolution(2, maps[1], activation),
        *_dense(activation, *units, rate=rate),
    )


def _dense(activation: Layer, *units: int, rate: float = 0) -> tuple[Part, ...]:
    """Hidden layers, with dropout on what they say, and the scores of the classes."""
    dropped = (dropout(rate),) if rate else ()
    parts: list[Part] = [flatten()]
    for number, count in enumerate(units, start=1):
        parts += [linear(count, name=f"hidden{number}"), activation, *dropped]
    return (*parts, linear(CLASSES, name="scores"))
